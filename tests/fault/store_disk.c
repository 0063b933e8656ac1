#include "store_disk.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct disk_fault broken;
static bool is_broken;
static unsigned struck;

void disk_break(const struct disk_fault *fault)
{
    pthread_mutex_lock(&mutex);
    broken = *fault;
    is_broken = true;
    struck = 0;
    pthread_mutex_unlock(&mutex);
}

void disk_mend(void)
{
    pthread_mutex_lock(&mutex);
    is_broken = false;
    pthread_mutex_unlock(&mutex);
}

unsigned disk_struck(void)
{
    pthread_mutex_lock(&mutex);
    const unsigned count = struck;
    pthread_mutex_unlock(&mutex);
    return count;
}

/* Whether this call fails; errno is set then. */
static bool strikes(enum disk_call call, const char *path)
{
    bool fails = false;
    pthread_mutex_lock(&mutex);
    if (is_broken && broken.call == call && strstr(path, broken.part)) {
        fails = broken.after == 0;
        broken.after -= !fails;
        struck += fails;
        is_broken = !fails || broken.times == 0 || --broken.times > 0;
        if (fails)
            errno = broken.error;
    }
    pthread_mutex_unlock(&mutex);
    return fails;
}

static bool strikes_file(enum disk_call call, int fd)
{
    char link[64];
    char path[PATH_MAX] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, path, sizeof path - 1);
    return size > 0 && strikes(call, path);
}

ssize_t write(int fd, const void *data, size_t size)
{
    return strikes_file(DISK_WRITE, fd) ? -1 : syscall(SYS_write, fd, data, size);
}

/* The vault's own code calls these, SQLite those for large files. */
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return strikes_file(DISK_WRITE, fd) ? -1 : syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    return strikes_file(DISK_WRITE, fd) ? -1 : syscall(SYS_pwrite64, fd, data, size, offset);
}

int fdatasync(int fd)
{
    return strikes_file(DISK_SYNC, fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return strikes_file(DISK_SYNC, fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t size)
{
    return strikes_file(DISK_TRUNCATE, fd) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return strikes_file(DISK_TRUNCATE, fd) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int unlink(const char *path)
{
    return strikes(DISK_UNLINK, path) ? -1 : (int)syscall(SYS_unlink, path);
}
