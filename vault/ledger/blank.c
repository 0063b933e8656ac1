/* Overwriting in the journal what stands beside entries, and has to go before its segment does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"
#include "vault/base/file.h"

#define TURN_WAIT_MS 10000

/* A segment that is being gone through; the copy is made when there is something to overwrite. */
struct blanking {
    struct journal *journal;
    ledger_blank_test *goes;
    void *context;
    char path[JOURNAL_PATH_BYTES];
    char copy_path[JOURNAL_PATH_BYTES];
    int fd;
    int copy; /* -1: none yet */
};

static void blanking_finish(struct blanking *blanking)
{
    file_close(&blanking->fd);
    if (blanking->copy >= 0)
        unlink(blanking->copy_path);
    file_close(&blanking->copy);
}

static enum vault_code make_copy(struct blanking *blanking, struct vault_error *err)
{
    struct stat status;
    if (fstat(blanking->fd, &status) != 0)
        return vault_fail_errno(err, "looking at %s", blanking->path);
    blanking->copy =
        open(blanking->copy_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (blanking->copy < 0)
        return vault_fail_errno(err, "making %s", blanking->copy_path);
    return segment_copy(blanking->fd, blanking->copy, (uint64_t)status.st_size, blanking->path,
                        err);
}

/* The same frame in the same place, with zeros for what stood beside the entry. */
static enum vault_code overwrite(struct blanking *blanking, const struct frame *frame,
                                 struct vault_error *err)
{
    uint8_t blank[FRAME_MAX_BYTES] = {0};
    if (blanking->copy < 0)
        VAULT_TRY(make_copy(blanking, err));
    memcpy(blank + FRAME_HEAD_BYTES, frame->first.data, frame->first.size);
    const size_t size =
        frame_close(blank, FRAME_ENTRY, frame->number, frame->first.size, frame->second.size);
    if (pwrite(blanking->copy, blank, size, (off_t)frame->offset) != (ssize_t)size)
        return vault_fail_errno(err, "writing %s", blanking->copy_path);
    return VAULT_OK;
}

static enum vault_code go_through(struct blanking *blanking, struct vault_error *err)
{
    VAULT_AUTO(frame_source_close) struct frame_source source = {.fd = -1};
    struct frame frame;
    bool found = true;
    VAULT_TRY(frame_source_open(&source, blanking->fd, 0, err));
    for (;;) {
        VAULT_TRY(frame_source_next(&source, &frame, &found, err));
        if (!found)
            return VAULT_OK;
        if (frame.type == FRAME_ENTRY && !ledger_is_blank(frame.second) &&
            blanking->goes(blanking->context, frame.number, frame.second))
            VAULT_TRY(overwrite(blanking, &frame, err));
    }
}

/* Frames keep their places, so that whoever stands in the old file goes on in it unharmed. */
static enum vault_code blank_segment(struct journal *journal, uint64_t first,
                                     ledger_blank_test *goes, void *context,
                                     struct vault_error *err)
{
    VAULT_AUTO(blanking_finish)
    struct blanking blanking = {journal, goes, context, "", "", -1, -1};
    VAULT_TRY(journal_segment_path(blanking.path, journal, first, err));
    VAULT_TRY(file_join(blanking.copy_path, sizeof blanking.copy_path, journal->dir,
                        JOURNAL_BLANK_NAME, err));
    VAULT_TRY(journal_open_segment(journal, first, &blanking.fd, err));
    VAULT_TRY(go_through(&blanking, err));
    if (blanking.copy < 0)
        return VAULT_OK;
    if (fsync(blanking.copy) != 0 || rename(blanking.copy_path, blanking.path) != 0)
        return vault_fail_errno(err, "replacing %s", blanking.path);
    file_close(&blanking.copy);
    return folder_sync(journal->dir, err);
}

/* All but the newest segment, which is written to. */
static enum vault_code blank_segments(struct journal *journal, ledger_blank_test *goes,
                                      void *context, struct vault_error *err)
{
    enum vault_code code = VAULT_OK;
    pthread_mutex_lock(&journal->housekeeping);
    uint64_t first = journal_begins_at(journal);
    for (uint64_t next; code == VAULT_OK && journal_next_segment(journal, first, &next);
         first = next)
        code = blank_segment(journal, first, goes, context, err);
    pthread_mutex_unlock(&journal->housekeeping);
    return code;
}

enum vault_code ledger_begin_segment(struct ledger *ledger, struct vault_error *err)
{
    enum vault_code code = VAULT_OK;
    const int64_t until_ms = clock_monotonic_ms() + TURN_WAIT_MS;
    pthread_mutex_lock(&ledger->mutex);
    const uint64_t before = ledger->turns;
    ledger->turn_asked = true;
    pthread_cond_signal(&ledger->work);
    while (ledger->turns == before && ledger->writer_runs && clock_monotonic_ms() < until_ms)
        ledger_wait_until(ledger, &ledger->more, until_ms);
    if (ledger->turns == before) {
        code = ledger_check_running(ledger, err);
        if (code == VAULT_OK)
            code = vault_fail(err, VAULT_UNAVAILABLE,
                              "the journal cannot begin a new segment now: the disk has no room, "
                              "or too much is being entered");
    }
    pthread_mutex_unlock(&ledger->mutex);
    return code;
}

bool ledger_is_blank(struct bytes opening)
{
    return opening.size == 0 ||
           (opening.data[0] == 0 && memcmp(opening.data, opening.data + 1, opening.size - 1) == 0);
}

enum vault_code ledger_blank(struct ledger *ledger, ledger_blank_test *goes, void *context,
                             struct vault_error *err)
{
    VAULT_TRY(ledger_begin_segment(ledger, err));
    return blank_segments(ledger->journal, goes, context, err);
}
