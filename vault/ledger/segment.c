#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "number.h"
#include "vault/base/file.h"

#define FIRST_SEGMENT_BYTES (2 * SEGMENT_MIN_BYTES)
#define COPY_BYTES          (1024UL * 1024)

void segment_name(char out[static SEGMENT_NAME_CHARS + 1], uint64_t first)
{
    snprintf(out, SEGMENT_NAME_CHARS + 1, "%020" PRIu64 ".segment", first);
}

bool segment_name_parse(const char *name, uint64_t *first)
{
    if (strlen(name) != SEGMENT_NAME_CHARS || strcmp(name + 20, ".segment") != 0)
        return false;
    /* Leading zeros are the name's, not the number's. */
    size_t zeros = strspn(name, "0");
    if (zeros >= 20)
        zeros = 19;
    return number_read((struct bytes){(const uint8_t *)name + zeros, 20 - zeros}, TREE_MAX_SIZE,
                       first);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t segment_planned_bytes(uint64_t first)
{
    uint64_t size = FIRST_SEGMENT_BYTES;
    while (size < SEGMENT_MAX_BYTES && size / SEGMENT_TYPICAL_BYTES <= first)
        size *= 2;
    return size;
}

void held_file_close(struct held_file *file)
{
    file_close(&file->fd);
}

/* Remember which file the descriptor is. Takes the descriptor over. */
enum vault_code held_file_set(struct held_file *file, int *fd, struct vault_error *err)
{
    struct stat status;
    if (fstat(*fd, &status) != 0)
        return vault_fail_errno(err, "looking at the journal");
    held_file_close(file);
    *file = (struct held_file){*fd, status.st_dev, status.st_ino};
    *fd = -1;
    return VAULT_OK;
}

/* A disk that does not say is not one from which the file was removed. */
enum vault_code held_file_check(const struct held_file *file, const char *path, struct stat *status,
                                struct vault_error *err)
{
    struct stat named = {0};
    if (fstat(file->fd, status) != 0 || (stat(path, &named) != 0 && errno != ENOENT))
        return vault_fail_errno(err, "looking at %s", path);
    if (status->st_nlink > 0 && named.st_dev == file->device && named.st_ino == file->inode)
        return VAULT_OK;
    return vault_fail(err, VAULT_IO, "%s was removed or replaced", path);
}

/* Reserve space up to size. False, with errno, if there is none. */
bool segment_reserve(int fd, uint64_t size)
{
    const int number = posix_fallocate(fd, 0, (off_t)size);
    errno = number;
    return number == 0;
}

/* Make a file of some reserved size, the largest that fits of size, size/2, … */
enum vault_code segment_make(const char *path, uint64_t *size, int *out, struct vault_error *err)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return vault_fail_errno(err, "removing %s", path);
    VAULT_AUTO(file_close)
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return vault_fail_errno(err, "making %s", path);
    uint64_t wanted = *size;
    while (!segment_reserve(fd, wanted)) {
        if (wanted <= SEGMENT_MIN_BYTES) {
            const enum vault_code code = vault_fail_errno(err, "reserving space for %s", path);
            unlink(path);
            return code;
        }
        if (ftruncate(fd, 0) != 0) /* gives back what a failed try may have taken */
            return vault_fail_errno(err, "cutting %s", path);
        wanted /= 2;
    }
    *size = wanted;
    *out = fd;
    fd = -1;
    return VAULT_OK;
}

/* Write a segment's first frame into its reserved file, and give it its name. */
enum vault_code segment_begin(int fd, const char *reserved, const char *path,
                              const struct frame_segment *segment, uint64_t *end,
                              struct vault_error *err)
{
    uint8_t frame[FRAME_SEGMENT_BYTES];
    const size_t size = frame_write_segment(frame, segment);
    if (pwrite(fd, frame, size, 0) != (ssize_t)size || fdatasync(fd) != 0)
        return vault_fail_errno(err, "beginning %s", path);
    if (rename(reserved, path) != 0)
        return vault_fail_errno(err, "renaming %s to %s", reserved, path);
    *end = size;
    return VAULT_OK;
}

/* Put the valid part of a segment into a new file of the same name. */
enum vault_code segment_copy(int from, int to, uint64_t size, const char *path,
                             struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf chunk = buf_limited(COPY_BYTES);
    uint8_t *data = buf_extend(&chunk, COPY_BYTES);
    VAULT_TRY(buf_check(&chunk, err));
    for (uint64_t at = 0; at < size;) {
        const size_t wanted = (size_t)smaller(COPY_BYTES, size - at);
        const ssize_t got = pread(from, data, wanted, (off_t)at);
        if (got <= 0 || pwrite(to, data, (size_t)got, (off_t)at) != got)
            return vault_fail_errno(err, "copying %s", path);
        at += (uint64_t)got;
    }
    return VAULT_OK;
}
