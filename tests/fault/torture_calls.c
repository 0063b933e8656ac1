/*
 * The calls of the system that fail, but for those on sockets (torture_sockets.c). Left out are:
 *
 *     clock_gettime, time      fail for arguments that are wrong, and nothing else
 *     munmap, lseek, sysconf   and others that say what is so already: not for what is done here
 *     locks and conditions     are memory of the program's own here; to make one is never refused
 *     sync_file_range          a hint, whose failure means nothing (database_pace.h, to which it
 *                              does, has its own test); so are fchown, utime and readlink, as
 *                              SQLite calls them
 *     nanosleep                is over sooner
 *     syncfs, nftw, connect    only a backup, a restore, letters and witnesses come to
 *     fopen                    opens no file of the vault's while it starts or serves
 *
 * and what the C library calls inside itself: what the program calls of it fails, or does not.
 */
#include "torture_parts.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- Files ---------------------------------------------------------------------------------- */

FAILS(open, EIO, EMFILE, ENOSPC);

static int open_as(const char *path, int flags, va_list rest)
{
    const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    if (CALL_STRIKES(open))
        return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    const int fd = open_as(path, flags, rest);
    va_end(rest);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    const int fd = open_as(path, flags, rest);
    va_end(rest);
    return fd;
}

/* Whoever closes a file has no more to do with it, whatever is answered. */
FAILS(close, EIO);

int close(int fd)
{
    const bool fails = CALL_STRIKES(close);
    const int result = (int)syscall(SYS_close, fd);
    if (!fails)
        return result;
    errno = EIO;
    return -1;
}

FAILS(read, EIO);

ssize_t read(int fd, void *data, size_t size)
{
    return CALL_STRIKES(read) ? -1 : syscall(SYS_read, fd, data, size);
}

FAILS(pread, EIO);

ssize_t pread(int fd, void *data, size_t size, off_t offset)
{
    return CALL_STRIKES(pread) ? -1 : syscall(SYS_pread64, fd, data, size, offset);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t offset)
{
    return CALL_STRIKES(pread) ? -1 : syscall(SYS_pread64, fd, data, size, offset);
}

FAILS(write, EIO, ENOSPC, HALF);

ssize_t write(int fd, const void *data, size_t size)
{
    bool half = false;
    if (STRIKES(write, &half) && !half)
        return -1;
    return syscall(SYS_write, fd, data, half ? size / 2 : size);
}

FAILS(pwrite, EIO, ENOSPC, HALF);

static ssize_t pwrite_as(int fd, const void *data, size_t size, off_t offset)
{
    bool half = false;
    if (STRIKES(pwrite, &half) && !half)
        return -1;
    return syscall(SYS_pwrite64, fd, data, half ? size / 2 : size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite_as(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    return pwrite_as(fd, data, size, offset);
}

FAILS(fdatasync, EIO, ENOSPC);

int fdatasync(int fd)
{
    return CALL_STRIKES(fdatasync) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

FAILS(fsync, EIO, ENOSPC);

int fsync(int fd)
{
    return CALL_STRIKES(fsync) ? -1 : (int)syscall(SYS_fsync, fd);
}

FAILS(ftruncate, EIO);

int ftruncate(int fd, off_t size)
{
    return CALL_STRIKES(ftruncate) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return CALL_STRIKES(ftruncate) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

FAILS(posix_fallocate, ENOSPC, EINTR);

int posix_fallocate(int fd, off_t offset, off_t size)
{
    if (CALL_STRIKES(posix_fallocate))
        return errno;
    return syscall(SYS_fallocate, fd, 0, offset, size) == 0 ? 0 : errno;
}

FAILS(fchmod, EIO, EROFS);

int fchmod(int fd, mode_t mode)
{
    return CALL_STRIKES(fchmod) ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

FAILS(rename, EIO, ENOSPC);

int rename(const char *from, const char *to)
{
    return CALL_STRIKES(rename) ? -1 : (int)syscall(SYS_rename, from, to);
}

FAILS(unlink, EIO, EROFS);

int unlink(const char *path)
{
    return CALL_STRIKES(unlink) ? -1 : (int)syscall(SYS_unlink, path);
}

FAILS(unlinkat, EIO, EROFS);

int unlinkat(int folder, const char *name, int flags)
{
    return CALL_STRIKES(unlinkat) ? -1 : (int)syscall(SYS_unlinkat, folder, name, flags);
}

FAILS(mkdir, EIO, ENOSPC);

int mkdir(const char *path, mode_t mode)
{
    return CALL_STRIKES(mkdir) ? -1 : (int)syscall(SYS_mkdir, path, mode);
}

FAILS(rmdir, EIO);

int rmdir(const char *path)
{
    return CALL_STRIKES(rmdir) ? -1 : (int)syscall(SYS_rmdir, path);
}

FAILS(stat, EIO);

static int stat_as(int folder, const char *path, void *out, int flags)
{
    return CALL_STRIKES(stat) ? -1 : (int)syscall(SYS_newfstatat, folder, path, out, flags);
}

int stat(const char *path, struct stat *out)
{
    return stat_as(AT_FDCWD, path, out, 0);
}

int stat64(const char *path, struct stat64 *out)
{
    return stat_as(AT_FDCWD, path, out, 0);
}

int lstat(const char *path, struct stat *out)
{
    return stat_as(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

int lstat64(const char *path, struct stat64 *out)
{
    return stat_as(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

int fstat(int fd, struct stat *out)
{
    return stat_as(fd, "", out, AT_EMPTY_PATH);
}

int fstat64(int fd, struct stat64 *out)
{
    return stat_as(fd, "", out, AT_EMPTY_PATH);
}

int fstatat(int folder, const char *path, struct stat *out, int flags)
{
    return stat_as(folder, path, out, flags);
}

FAILS(access, EIO);

int access(const char *path, int mode)
{
    return CALL_STRIKES(access) ? -1 : (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

FAILS(flock, ENOLCK, EINTR);

int flock(int fd, int how)
{
    return CALL_STRIKES(flock) ? -1 : (int)syscall(SYS_flock, fd, how);
}

FAILS(fcntl, ENOLCK, EINTR);

static int fcntl_as(int fd, int command, va_list rest)
{
    void *argument = va_arg(rest, void *); /* as the C library does, whatever it is */
    return CALL_STRIKES(fcntl) ? -1 : (int)syscall(SYS_fcntl, fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    const int result = fcntl_as(fd, command, rest);
    va_end(rest);
    return result;
}

int fcntl64(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    const int result = fcntl_as(fd, command, rest);
    va_end(rest);
    return result;
}

/* --- Memory of the system's, and threads ---------------------------------------------------- */

FAILS(mmap, ENOMEM);

static void *mmap_as(void *at, size_t size, int how, int flags, int fd, off_t offset)
{
    if (CALL_STRIKES(mmap))
        return MAP_FAILED;
    const intptr_t place = syscall(SYS_mmap, at, size, how, flags, fd, offset);
    return (void *)place; /* -1 is MAP_FAILED */
}

void *mmap(void *at, size_t size, int how, int flags, int fd, off_t offset)
{
    return mmap_as(at, size, how, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int how, int flags, int fd, off64_t offset)
{
    return mmap_as(at, size, how, flags, fd, offset);
}

FAILS(mlock, ENOMEM, EPERM);

int mlock(const void *at, size_t size)
{
    return CALL_STRIKES(mlock) ? -1 : (int)syscall(SYS_mlock, at, size);
}

typedef int create_function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
static create_function *real_create;

FAILS(pthread_create, EAGAIN);

struct work {
    void *(*run)(void *);
    void *context;
};

static void *begin_work(void *context)
{
    const struct work work = *(struct work *)context;
    free(context);
    torture_thread_begin();
    return work.run(work.context);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *context)
{
    struct work *work = CALL_STRIKES(pthread_create) ? NULL : torture_malloc(sizeof *work);
    if (!work)
        return EAGAIN;
    *work = (struct work){run, context};
    const int result = real_create(thread, attributes, begin_work, work);
    if (result != 0)
        free(work);
    return result;
}

typedef DIR *opendir_function(const char *);
static opendir_function *real_opendir;

FAILS(opendir, EIO, EMFILE, ENOMEM);

DIR *opendir(const char *path)
{
    return CALL_STRIKES(opendir) ? NULL : real_opendir(path);
}

typedef struct dirent *readdir_function(DIR *);
static readdir_function *real_readdir;

FAILS(readdir, EIO);

struct dirent *readdir(DIR *folder)
{
    return CALL_STRIKES(readdir) ? NULL : real_readdir(folder);
}

/* --- Behind them ---------------------------------------------------------------------------- */

static void find(const char *name, void *out)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    memcpy(out, &found, sizeof found);
}

void torture_calls_begin(void)
{
    find("pthread_create", &real_create);
    find("opendir", &real_opendir);
    find("readdir", &real_readdir);
}

unsigned torture_open_files(void)
{
    unsigned count = 0;
    DIR *folder = real_opendir("/proc/self/fd");
    while (folder && real_readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}
