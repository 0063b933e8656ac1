/*
 * store_disk - a disk that refuses calls on one kind of file, of whatever thread.
 *
 * write, pwrite, fsync, fdatasync, ftruncate and unlink stand in this program in place of the C
 * library's, for it and for SQLCipher, and go to the kernel unless they are to fail.
 */
#pragma once

enum disk_call { DISK_WRITE, DISK_SYNC, DISK_TRUNCATE, DISK_UNLINK, DISK_CALL_COUNT };

struct disk_fault {
    enum disk_call call;
    const char *part; /* of the path of the files it is about */
    int error;        /* of errno */
    unsigned after;   /* so many calls work first */
    unsigned times;   /* so many fail; 0: all, until the disk is mended */
};

void disk_break(const struct disk_fault *fault);
void disk_mend(void);

/* How often it has struck since it broke. */
unsigned disk_struck(void);
