#include "journal.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault/base/file.h"
#include "vault/base/folder.h"

#define KEPT_SEGMENTS    2U /* the one that is written to, and the one before */
#define ZERO_AHEAD_BYTES (256UL * 1024)
#define ZERO_CHUNK_BYTES (64UL * 1024)

enum vault_code journal_segment_path(char out[static JOURNAL_PATH_BYTES],
                                     const struct journal *journal, uint64_t first,
                                     struct vault_error *err)
{
    char name[SEGMENT_NAME_CHARS + 1];
    segment_name(name, first);
    return file_join(out, JOURNAL_PATH_BYTES, journal->dir, name, err);
}

static enum vault_code path_in(char out[static JOURNAL_PATH_BYTES], const struct journal *journal,
                               const char *name, struct vault_error *err)
{
    return file_join(out, JOURNAL_PATH_BYTES, journal->dir, name, err);
}

/* Begin a segment in a reserved file and make its name last. */
static enum vault_code name_segment(const struct journal *journal, int fd, const char *reserved,
                                    const struct frame_segment *segment, uint64_t *end,
                                    struct vault_error *err)
{
    char path[JOURNAL_PATH_BYTES];
    VAULT_TRY(journal_segment_path(path, journal, segment->frontier.size, err));
    VAULT_TRY(segment_begin(fd, reserved, path, segment, end, err));
    return folder_sync(journal->dir, err);
}

static enum vault_code journal_new(const char *dir, struct journal **out, struct vault_error *err)
{
    struct journal *journal = calloc(1, sizeof *journal);
    if (!journal)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    journal->lock.fd = journal->segment.fd = journal->next_fd = -1;
    pthread_mutex_init(&journal->mutex, NULL);
    pthread_mutex_init(&journal->housekeeping, NULL);
    journal->segments = calloc(JOURNAL_SEGMENTS_MAX, sizeof *journal->segments);
    VAULT_AUTO(journal_close) struct journal *owned = journal;
    if (!journal->segments)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(file_join(journal->dir, sizeof journal->dir, dir, "journal", err));
    *out = VAULT_TAKE(owned);
    return VAULT_OK;
}

void journal_close(struct journal **journal)
{
    struct journal *closing = *journal;
    *journal = NULL;
    if (!closing)
        return;
    held_file_close(&closing->segment);
    file_close(&closing->next_fd);
    held_file_close(&closing->lock); /* last: nobody may begin before */
    pthread_mutex_destroy(&closing->mutex);
    pthread_mutex_destroy(&closing->housekeeping);
    free(closing->segments);
    free(closing);
}

enum vault_code journal_create(const char *dir, const struct frame_segment *first,
                               struct vault_error *err)
{
    VAULT_AUTO(journal_close) struct journal *journal = NULL;
    VAULT_AUTO(file_close) int fd = -1;
    char path[JOURNAL_PATH_BYTES];
    uint64_t size = segment_planned_bytes(0);
    uint64_t end = 0;
    VAULT_TRY(journal_new(dir, &journal, err));
    if (!file_is_missing(journal->dir))
        return vault_fail(err, VAULT_CONFLICT, "there is a log in %s already", dir);
    VAULT_TRY(folder_create(journal->dir, err));
    VAULT_TRY(path_in(path, journal, "lock", err));
    VAULT_TRY(file_create(path, (struct bytes){0}, 0600, err));
    VAULT_TRY(path_in(path, journal, "next", err));
    VAULT_TRY(segment_make(path, &size, &fd, err));
    VAULT_TRY(name_segment(journal, fd, path, first, &end, err));
    /* As after a clean stop: nothing behind the last frame. */
    if (ftruncate(fd, (off_t)end) != 0 || fsync(fd) != 0)
        return vault_fail_errno(err, "syncing the first segment in %s", journal->dir);
    return VAULT_OK;
}

static enum vault_code take_lock(struct journal *journal, struct vault_error *err)
{
    char path[JOURNAL_PATH_BYTES];
    VAULT_TRY(path_in(path, journal, "lock", err));
    VAULT_AUTO(file_close) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return vault_fail_errno(err, "opening the lock %s", path);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return held_file_set(&journal->lock, &fd, err);
    if (errno == EAGAIN || errno == EACCES)
        return vault_fail(err, VAULT_CONFLICT,
                          "another process has the log open: it holds the lock %s", path);
    return vault_fail_errno(err, "taking the lock %s", path);
}

static int by_index(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a;
    const uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static enum vault_code list_segments(struct journal *journal, struct vault_error *err)
{
    VAULT_AUTO(folder_close) DIR *folder = opendir(journal->dir);
    if (!folder)
        return vault_fail_errno(err, "opening %s", journal->dir);
    const struct dirent *item = NULL;
    for (;;) {
        VAULT_TRY(folder_next(folder, journal->dir, &item, err));
        if (!item)
            break;
        uint64_t first = 0;
        if (!segment_name_parse(item->d_name, &first))
            continue;
        if (journal->segment_count == JOURNAL_SEGMENTS_MAX)
            return vault_fail(err, VAULT_TOO_LARGE, "more than %u segments in %s",
                              JOURNAL_SEGMENTS_MAX, journal->dir);
        journal->segments[journal->segment_count++] = first;
    }
    qsort(journal->segments, journal->segment_count, sizeof *journal->segments, by_index);
    if (journal->segment_count == 0)
        return vault_fail(err, VAULT_CORRUPT, "there is no segment in %s", journal->dir);
    return VAULT_OK;
}

enum vault_code journal_open(const char *dir, struct journal **out, struct vault_error *err)
{
    VAULT_AUTO(journal_close) struct journal *journal = NULL;
    VAULT_TRY(journal_new(dir, &journal, err));
    if (file_is_missing(journal->dir))
        return vault_fail(err, VAULT_NOT_FOUND, "there is no log in %s", dir);
    VAULT_TRY(take_lock(journal, err));
    VAULT_TRY(list_segments(journal, err));
    *out = VAULT_TAKE(journal);
    return VAULT_OK;
}

static enum vault_code replace_segment(struct journal *journal, const char *path, int *old,
                                       struct vault_error *err)
{
    char beside[JOURNAL_PATH_BYTES];
    VAULT_AUTO(file_close) int fd = -1;
    uint64_t size = segment_planned_bytes(journal->end.segment);
    if (size < journal->end.offset + SEGMENT_MIN_BYTES)
        size = journal->end.offset + SEGMENT_MIN_BYTES;
    VAULT_TRY(path_in(beside, journal, "new", err));
    VAULT_TRY(segment_make(beside, &size, &fd, err));
    VAULT_TRY(segment_copy(*old, fd, journal->end.offset, path, err));
    if (fsync(fd) != 0 || rename(beside, path) != 0)
        return vault_fail_errno(err, "replacing %s", path);
    VAULT_TRY(folder_sync(journal->dir, err));
    journal->segment_size = size;
    file_close(old);
    *old = fd;
    fd = -1;
    return VAULT_OK;
}

/* A clean segment only needs its space again; without room, the next segment is waited for. */
static void extend_segment(struct journal *journal, int fd)
{
    const uint64_t planned = segment_planned_bytes(journal->end.segment);
    journal->segment_size = journal->end.offset;
    if (planned > journal->end.offset && segment_reserve(fd, planned))
        journal->segment_size = planned;
}

static void note_room(struct journal *journal)
{
    atomic_store(&journal->room_here, journal->segment_size - journal->end.offset);
    atomic_store(&journal->room_next,
                 journal->next_fd < 0 ? 0 : journal->next_size - FRAME_SEGMENT_BYTES);
}

/* Segments behind the one the walk ended in held nothing that was ever committed. */
static enum vault_code drop_later_segments(struct journal *journal, uint64_t last,
                                           struct vault_error *err)
{
    while (journal->segments[journal->segment_count - 1] > last) {
        char path[JOURNAL_PATH_BYTES];
        VAULT_TRY(journal_segment_path(path, journal, journal->segments[journal->segment_count - 1],
                                       err));
        if (unlink(path) != 0)
            return vault_fail_errno(err, "removing %s", path);
        journal->segment_count--;
    }
    return VAULT_OK;
}

enum vault_code journal_start(struct journal *journal, const struct journal_walk *walk,
                              struct vault_error *err)
{
    char path[JOURNAL_PATH_BYTES];
    VAULT_TRY(drop_later_segments(journal, walk->end.segment, err));
    VAULT_TRY(path_in(path, journal, JOURNAL_BLANK_NAME, err));
    if (unlink(path) != 0 && errno != ENOENT) /* what a crash left of overwriting */
        return vault_fail_errno(err, "removing %s", path);
    VAULT_TRY(journal_segment_path(path, journal, walk->end.segment, err));
    VAULT_AUTO(file_close) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return vault_fail_errno(err, "opening %s", path);
    journal->end = walk->end;
    if (walk->is_clean)
        extend_segment(journal, fd);
    else
        VAULT_TRY(replace_segment(journal, path, &fd, err));
    VAULT_TRY(held_file_set(&journal->segment, &fd, err));
    if (journal_reserve(journal, NULL) != VAULT_OK)
        journal->next_size = 0; /* a full disk; asked again while there is something to write */
    note_room(journal);
    return VAULT_OK;
}

bool journal_must_turn(const struct journal *journal, size_t batch_bytes)
{
    return journal->end.offset + batch_bytes > journal->segment_size;
}

bool journal_can_turn(const struct journal *journal)
{
    return journal->next_fd >= 0;
}

enum vault_code journal_turn(struct journal *journal, const struct frame_segment *segment,
                             struct vault_error *err)
{
    assert(journal_can_turn(journal));
    char reserved[JOURNAL_PATH_BYTES];
    uint64_t end = 0;
    pthread_mutex_lock(&journal->mutex);
    const bool is_full = journal->segment_count == JOURNAL_SEGMENTS_MAX;
    pthread_mutex_unlock(&journal->mutex);
    if (is_full)
        return vault_fail(err, VAULT_TOO_LARGE, "%s has %u segments already", journal->dir,
                          JOURNAL_SEGMENTS_MAX);
    VAULT_TRY(path_in(reserved, journal, "next", err));
    VAULT_TRY(name_segment(journal, journal->next_fd, reserved, segment, &end, err));
    /* What was reserved behind the last frame goes back; if not, it stays as zeros. */
    if (ftruncate(journal->segment.fd, (off_t)journal->end.offset) == 0)
        (void)fdatasync(journal->segment.fd);
    VAULT_TRY(held_file_set(&journal->segment, &journal->next_fd, err));
    journal->segment_size = journal->next_size;
    journal->end = (struct journal_place){segment->frontier.size, end};
    pthread_mutex_lock(&journal->mutex);
    journal->segments[journal->segment_count++] = segment->frontier.size;
    pthread_mutex_unlock(&journal->mutex);
    note_room(journal);
    return VAULT_OK;
}

enum vault_code journal_reserve(struct journal *journal, struct vault_error *err)
{
    if (journal->next_fd >= 0)
        return VAULT_OK;
    char path[JOURNAL_PATH_BYTES];
    const uint64_t about = journal->end.segment + journal->segment_size / SEGMENT_TYPICAL_BYTES;
    uint64_t size = segment_planned_bytes(about);
    struct vault_error why;
    VAULT_TRY(path_in(path, journal, "next", err));
    if (segment_make(path, &size, &journal->next_fd, &why) != VAULT_OK)
        return vault_fail(err, VAULT_UNAVAILABLE, "the disk has no room for more of the log: %s",
                          why.text);
    journal->next_size = size;
    note_room(journal);
    return VAULT_OK;
}

bool journal_has_room(struct journal *journal, size_t bytes)
{
    /* Turning to the next segment may leave as much as one batch unused in this one. */
    const uint64_t here = atomic_load(&journal->room_here);
    const uint64_t next = atomic_load(&journal->room_next);
    return bytes <= here || bytes + JOURNAL_BATCH_MAX_BYTES <= here + next;
}

enum vault_code journal_check(const struct journal *journal, struct vault_error *err)
{
    char path[JOURNAL_PATH_BYTES];
    struct stat status;
    VAULT_TRY(path_in(path, journal, "lock", err));
    VAULT_TRY(held_file_check(&journal->lock, path, &status, err));
    VAULT_TRY(journal_segment_path(path, journal, journal->end.segment, err));
    VAULT_TRY(held_file_check(&journal->segment, path, &status, err));
    if ((uint64_t)status.st_size < journal->segment_size)
        return vault_fail(err, VAULT_IO, "%s was cut", path);
    return VAULT_OK;
}

/* Space that is only reserved becomes the file's when it is first written to, and a sync waits for
 * the file system to note that as well. So zeros, which is what it reads as anyway, are written
 * ahead of the entries, much at a time, and most syncs wait for the entries alone. A write of them
 * that fails costs no more than that. Where a file system copies what is written twice (btrfs) the
 * reserved space is used up by them, and a full disk shows with an entry. */
static void zero_ahead(struct journal *journal, uint64_t from)
{
    static const uint8_t zeros[ZERO_CHUNK_BYTES];
    const uint64_t room_end = journal->segment_size;
    if (journal->zeroed.segment == journal->end.segment && from <= journal->zeroed.offset)
        return;
    const uint64_t wanted = from + ZERO_AHEAD_BYTES;
    const uint64_t end = wanted < room_end ? wanted : room_end;
    for (uint64_t at = from; at < end; at += ZERO_CHUNK_BYTES) {
        const uint64_t left = end - at;
        const size_t size = left < ZERO_CHUNK_BYTES ? (size_t)left : ZERO_CHUNK_BYTES;
        if (pwrite(journal->segment.fd, zeros, size, (off_t)at) != (ssize_t)size)
            break;
    }
    journal->zeroed = (struct journal_place){journal->end.segment, end};
}

enum vault_code journal_append(struct journal *journal, struct bytes batch, struct vault_error *err)
{
    assert(!journal_must_turn(journal, batch.size));
    const ssize_t put =
        pwrite(journal->segment.fd, batch.data, batch.size, (off_t)journal->end.offset);
    if (put < 0)
        return vault_fail_errno(err, "writing to the journal in %s", journal->dir);
    if ((size_t)put != batch.size)
        return vault_fail(err, VAULT_IO, "only %zd of %zu bytes were written to the journal in %s",
                          put, batch.size, journal->dir);
    zero_ahead(journal, journal->end.offset + batch.size);
    if (fdatasync(journal->segment.fd) != 0)
        return vault_fail_errno(err, "syncing the journal in %s", journal->dir);
    VAULT_TRY(journal_check(journal, err));
    journal->end.offset += batch.size;
    note_room(journal);
    return VAULT_OK;
}

enum vault_code journal_finish(struct journal *journal, struct vault_error *err)
{
    char path[JOURNAL_PATH_BYTES];
    VAULT_TRY(journal_check(journal, err));
    if (ftruncate(journal->segment.fd, (off_t)journal->end.offset) != 0 ||
        fsync(journal->segment.fd) != 0)
        return vault_fail_errno(err, "ending the journal in %s", journal->dir);
    journal->segment_size = journal->end.offset;
    VAULT_TRY(path_in(path, journal, "next", err));
    file_close(&journal->next_fd);
    if (unlink(path) != 0 && errno != ENOENT)
        return vault_fail_errno(err, "removing %s", path);
    note_room(journal);
    return VAULT_OK;
}

/* Take the oldest segment off the list if that leaves KEPT_SEGMENTS and nothing from index on. */
static bool take_oldest(struct journal *journal, uint64_t index, uint64_t *first)
{
    pthread_mutex_lock(&journal->mutex);
    const bool goes = journal->segment_count > KEPT_SEGMENTS && journal->segments[1] <= index;
    if (goes) {
        *first = journal->segments[0];
        memmove(journal->segments, journal->segments + 1,
                --journal->segment_count * sizeof *journal->segments);
    }
    pthread_mutex_unlock(&journal->mutex);
    return goes;
}

static enum vault_code forget(struct journal *journal, uint64_t index, struct vault_error *err)
{
    uint64_t first;
    bool any = false;
    /* The oldest goes first, so that what a crash leaves has no gap. */
    while (take_oldest(journal, index, &first)) {
        char path[JOURNAL_PATH_BYTES];
        VAULT_TRY(journal_segment_path(path, journal, first, err));
        if (unlink(path) != 0 && errno != ENOENT)
            return vault_fail_errno(err, "removing %s", path);
        any = true;
    }
    return any ? folder_sync(journal->dir, err) : VAULT_OK;
}

enum vault_code journal_forget(struct journal *journal, uint64_t index, struct vault_error *err)
{
    pthread_mutex_lock(&journal->housekeeping);
    const enum vault_code code = forget(journal, index, err);
    pthread_mutex_unlock(&journal->housekeeping);
    return code;
}

bool journal_next_segment(struct journal *journal, uint64_t first, uint64_t *next)
{
    pthread_mutex_lock(&journal->mutex);
    size_t i = 0;
    while (i < journal->segment_count && journal->segments[i] <= first)
        i++;
    const bool found = i < journal->segment_count;
    if (found)
        *next = journal->segments[i];
    pthread_mutex_unlock(&journal->mutex);
    return found;
}

uint64_t journal_begins_at(struct journal *journal)
{
    pthread_mutex_lock(&journal->mutex);
    const uint64_t first = journal->segments[0];
    pthread_mutex_unlock(&journal->mutex);
    return first;
}

enum vault_code journal_segment_of(struct journal *journal, uint64_t index, uint64_t *first,
                                   struct vault_error *err)
{
    pthread_mutex_lock(&journal->mutex);
    size_t count = journal->segment_count;
    while (count > 0 && journal->segments[count - 1] > index)
        count--;
    const uint64_t found = count ? journal->segments[count - 1] : 0;
    pthread_mutex_unlock(&journal->mutex);
    if (count == 0)
        return vault_fail(err, VAULT_NOT_FOUND, "entry %" PRIu64 " is no longer in the journal",
                          index);
    *first = found;
    return VAULT_OK;
}

enum vault_code journal_open_segment(const struct journal *journal, uint64_t first, int *fd,
                                     struct vault_error *err)
{
    char path[JOURNAL_PATH_BYTES];
    VAULT_TRY(journal_segment_path(path, journal, first, err));
    const int opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (opened < 0)
        return vault_fail_errno(err, "opening %s", path);
    *fd = opened;
    return VAULT_OK;
}
