#include "database_pace.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlcipher/sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

/* Of all files together: nearly all of it is one's, the index of openings. */
static atomic_size_t unsent;

/* What the disk refused then, nobody would hear of again. */
static int send_off(int fd)
{
    atomic_store(&unsent, 0);
    const int result = sync_file_range(
        fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    return result != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT) ? -1 : 0;
}

static ssize_t write_paced(int fd, const void *data, size_t size, off_t offset)
{
    const ssize_t put = pwrite(fd, data, size, offset);
    if (put <= 0)
        return put;
    const size_t waiting = atomic_fetch_add(&unsent, (size_t)put) + (size_t)put;
    return waiting >= DATABASE_PIECE_BYTES && send_off(fd) != 0 ? -1 : put;
}

/* https://www.sqlite.org/c3ref/vfs.html: which of the names SQLite has depends on how it was built.
 */
void database_pace_start(void)
{
    static const char *const names[] = {"pwrite", "pwrite64"};
    sqlite3_vfs *files = sqlite3_vfs_find("unix");
    for (size_t i = 0; files && i < sizeof names / sizeof names[0]; i++)
        files->xSetSystemCall(files, names[i], (sqlite3_syscall_ptr)write_paced);
}
