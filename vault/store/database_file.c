#include "database_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlcipher/sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR_BYTES 4096

/* What SQLite locks: https://www.sqlite.org/fileformat.html#the_lock_byte_page */
#define LOCKED_FROM  0x40000000
#define LOCKED_BYTES 512

struct file {
    sqlite3_file base;
    const char *path; /* SQLite's, for as long as the file is open */
    int fd;
    int level; /* SQLITE_LOCK_NONE: not locked */
};

/* --- Reading and writing -------------------------------------------------------------------- */

static struct file *file_of(sqlite3_file *base)
{
    return (struct file *)base;
}

/* The lock goes with it. What closing says, SQLite's own files pass over, too. */
static int shut(sqlite3_file *base)
{
    close(file_of(base)->fd);
    return SQLITE_OK;
}

static int read_at(sqlite3_file *base, void *out, int size, sqlite3_int64 offset)
{
    uint8_t *place = out;
    size_t left = (size_t)size;
    while (left) {
        const ssize_t got = pread(file_of(base)->fd, place, left, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return SQLITE_IOERR_READ;
        if (got == 0)
            break;
        place += got;
        offset += got;
        left -= (size_t)got;
    }
    memset(place, 0, left);
    return left ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int write_at(sqlite3_file *base, const void *data, int size, sqlite3_int64 offset)
{
    const uint8_t *next = data;
    size_t left = (size_t)size;
    while (left) {
        const ssize_t put = pwrite(file_of(base)->fd, next, left, offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && errno != ENOSPC)
            return SQLITE_IOERR_WRITE;
        if (put <= 0)
            return SQLITE_FULL;
        next += put;
        offset += put;
        left -= (size_t)put;
    }
    return SQLITE_OK;
}

static int cut(sqlite3_file *base, sqlite3_int64 size)
{
    int result = 0;
    do {
        result = ftruncate(file_of(base)->fd, size);
    } while (result != 0 && errno == EINTR);
    return result ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

/* The size is among what fdatasync() makes last. The file's name is the caller's: it is there
 * before SQLite comes to it. */
static int sync_content(sqlite3_file *base, int flags)
{
    (void)flags;
    return fdatasync(file_of(base)->fd) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int tell_size(sqlite3_file *base, sqlite3_int64 *out)
{
    struct stat is;
    if (fstat(file_of(base)->fd, &is) != 0)
        return SQLITE_IOERR_FSTAT;
    *out = is.st_size;
    return SQLITE_OK;
}

/* --- Locks ---------------------------------------------------------------------------------- */

static int set_lock(const struct file *file, short kind)
{
    struct flock lock = {
        .l_type = kind, .l_whence = SEEK_SET, .l_start = LOCKED_FROM, .l_len = LOCKED_BYTES};
    if (fcntl(file->fd, F_OFD_SETLK, &lock) == 0)
        return SQLITE_OK;
    if (kind == F_UNLCK)
        return SQLITE_IOERR_UNLOCK;
    return errno == EAGAIN || errno == EACCES || errno == EINTR || errno == ENOLCK
               ? SQLITE_BUSY
               : SQLITE_IOERR_LOCK;
}

/* How the open file is locked at one of SQLite's levels: all that write are one here. */
static short lock_at(int level)
{
    if (level == SQLITE_LOCK_NONE)
        return F_UNLCK;
    return level == SQLITE_LOCK_SHARED ? F_RDLCK : F_WRLCK;
}

static int go_to_level(struct file *file, int level)
{
    const int result =
        lock_at(level) == lock_at(file->level) ? SQLITE_OK : set_lock(file, lock_at(level));
    if (result == SQLITE_OK)
        file->level = level;
    return result;
}

static int lock(sqlite3_file *base, int level)
{
    struct file *file = file_of(base);
    return level > file->level ? go_to_level(file, level) : SQLITE_OK;
}

static int unlock(sqlite3_file *base, int level)
{
    struct file *file = file_of(base);
    return level < file->level ? go_to_level(file, level) : SQLITE_OK;
}

/* It is asked with the shared lock held: nobody else can have it reserved. */
static int tell_reserved(sqlite3_file *base, int *out)
{
    *out = file_of(base)->level >= SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
}

/* --- The rest ------------------------------------------------------------------------------- */

/* Whether another file, or none, is now where this one was opened. */
static bool has_moved(const struct file *file)
{
    struct stat here;
    struct stat there;
    return fstat(file->fd, &here) != 0 || stat(file->path, &there) != 0 ||
           here.st_ino != there.st_ino || here.st_dev != there.st_dev;
}

static int control(sqlite3_file *base, int what, void *out)
{
    if (what != SQLITE_FCNTL_HAS_MOVED)
        return SQLITE_NOTFOUND;
    *(int *)out = has_moved(file_of(base));
    return SQLITE_OK;
}

/* As SQLite's own files say on Linux. */
static int sector_bytes(sqlite3_file *base)
{
    (void)base;
    return SECTOR_BYTES;
}

static int device_kind(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = shut,
    .xRead = read_at,
    .xWrite = write_at,
    .xTruncate = cut,
    .xSync = sync_content,
    .xFileSize = tell_size,
    .xLock = lock,
    .xUnlock = unlock,
    .xCheckReservedLock = tell_reserved,
    .xFileControl = control,
    .xSectorSize = sector_bytes,
    .xDeviceCharacteristics = device_kind,
};

/* --- Opening -------------------------------------------------------------------------------- */

static sqlite3_vfs *sqlites; /* SQLite's own files */
static sqlite3_vfs ours;

/* Never as standard input, output or error: what is written there would go into a database. */
static int open_above_standard(const char *path, int flags)
{
    const int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    const int above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return above;
}

/* To be read and written, or where that may not be, read: *given says which. */
static int open_file(struct file *file, int asked, int *given)
{
    const int follow = asked & SQLITE_OPEN_NOFOLLOW ? O_NOFOLLOW : 0;
    *given = asked;
    if (asked & SQLITE_OPEN_READWRITE)
        file->fd = open_above_standard(file->path, O_RDWR | follow);
    if (file->fd < 0 && (asked & SQLITE_OPEN_READONLY || errno == EACCES || errno == EROFS)) {
        *given = (asked & ~SQLITE_OPEN_READWRITE) | SQLITE_OPEN_READONLY;
        file->fd = open_above_standard(file->path, O_RDONLY | follow);
    }
    return file->fd < 0 ? SQLITE_CANTOPEN : SQLITE_OK;
}

static int open_any(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *base, int asked,
                    int *given)
{
    (void)vfs;
    if (!(asked & SQLITE_OPEN_MAIN_DB))
        return sqlites->xOpen(sqlites, path, base, asked, given);
    int opened = 0;
    struct file *file = file_of(base);
    *file = (struct file){.path = path, .fd = -1};
    const int result = open_file(file, asked, &opened);
    if (result)
        return result;
    file->base.pMethods = &methods;
    if (given)
        *given = opened;
    return SQLITE_OK;
}

void database_file_start(void)
{
    sqlites = sqlite3_vfs_find("unix");
    assert(sqlites);
    ours = *sqlites;
    ours.pNext = NULL;
    ours.zName = DATABASE_FILE_VFS;
    ours.xOpen = open_any;
    if (ours.szOsFile < (int)sizeof(struct file))
        ours.szOsFile = (int)sizeof(struct file);
    const int result = sqlite3_vfs_register(&ours, 0);
    assert(result == SQLITE_OK);
    (void)result;
}
