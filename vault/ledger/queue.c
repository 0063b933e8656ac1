/* Entering: an entry gets its place and time, and waits in a batch until the writer takes it. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>

#include "state.h"

void ledger_tell_durable(const struct ledger *ledger)
{
    if (ledger->durable_fd > 0)
        eventfd_write(ledger->durable_fd, 1); /* it cannot be full: that takes 2^64 - 2 */
}

void ledger_stop_for_good(struct ledger *ledger, const char *reason)
{
    if (!ledger->is_stopped) {
        ledger->is_stopped = true;
        memcpy(ledger->reason, reason, strnlen(reason, sizeof ledger->reason - 1));
    }
    ledger_tell_durable(ledger);
    for (unsigned i = 0; i < BATCH_COUNT; i++)
        pthread_cond_broadcast(&ledger->batches[i].done);
    pthread_cond_broadcast(&ledger->work);
    pthread_cond_broadcast(&ledger->more);
    pthread_cond_broadcast(&ledger->to_publish);
    pthread_cond_broadcast(&ledger->published_more);
}

enum vault_code ledger_check_running(const struct ledger *ledger, struct vault_error *err)
{
    if (ledger->is_stopped)
        return vault_fail(err, VAULT_UNAVAILABLE, "the access log has stopped: %.400s",
                          ledger->reason);
    if (ledger->is_stopping)
        return vault_fail(err, VAULT_UNAVAILABLE, "the access log is being closed");
    return VAULT_OK;
}

void ledger_check_hang(struct ledger *ledger)
{
    if (ledger->busy_since_ms && clock_monotonic_ms() - ledger->busy_since_ms >= LEDGER_HANG_MS)
        ledger_stop_for_good(ledger, "writing to the disk takes too long");
}

void ledger_wait_until(struct ledger *ledger, pthread_cond_t *condition, int64_t monotonic_ms)
{
    const struct timespec until = {.tv_sec = monotonic_ms / 1000,
                                   .tv_nsec = monotonic_ms % 1000 * 1000000};
    pthread_cond_timedwait(condition, &ledger->mutex, &until);
}

/* How large a frame with an entry of any length and this opening may be. */
static size_t frame_room(struct bytes opening)
{
    return FRAME_OVERHEAD_BYTES + ENTRY_MAX_BYTES + opening.size;
}

static bool fits(const struct batch *batch, struct bytes opening)
{
    return batch->count < JOURNAL_BATCH_MAX_ENTRIES &&
           batch->size + frame_room(opening) <= BATCH_ENTRIES_BYTES;
}

static enum vault_code check_publishing(const struct ledger *ledger, struct vault_error *err)
{
    if (ledger->unpublished_since_ms &&
        clock_monotonic_ms() - ledger->unpublished_since_ms > LEDGER_PUBLISH_WITHIN_MS)
        return vault_fail(err, VAULT_UNAVAILABLE, "the access log cannot be published: %.400s",
                          ledger->publish_fails ? ledger->publish_problem : "it takes too long");
    if (ledger->next_index - ledger->published_size >= LEDGER_UNPUBLISHED_MAX)
        return vault_fail(err, VAULT_LIMITED, "publishing the access log is %d entries behind",
                          LEDGER_UNPUBLISHED_MAX);
    return VAULT_OK;
}

/* A segment that is only not made yet is no full disk: that is what waits, and passes. */
static enum vault_code check_room(struct ledger *ledger, size_t more_bytes, struct vault_error *err)
{
    if (journal_has_room(ledger->journal, ledger->queued_bytes + more_bytes + FRAME_COMMIT_BYTES))
        return VAULT_OK;
    if (!ledger->reserve_fails)
        return vault_fail(err, VAULT_LIMITED,
                          "the entries that wait for the disk fill the access log's segments, and "
                          "the next is being made");
    return vault_fail(err, VAULT_UNAVAILABLE, "the disk has no room for more of the access log");
}

enum vault_code queue_check(struct ledger *ledger, struct vault_error *err)
{
    VAULT_TRY(check_publishing(ledger, err));
    return check_room(ledger, FRAME_MAX_BYTES, err);
}

/* The batch to add to: the one being filled, or the next if that one is full. */
static enum vault_code choose_batch(struct ledger *ledger, struct bytes opening, struct batch **out,
                                    struct vault_error *err)
{
    struct batch *batch = &ledger->batches[ledger->filling];
    if (ledger->next_index - ledger->durable.head.size >= LEDGER_OUTSTANDING_MAX)
        return vault_fail(err, VAULT_LIMITED, "%d entries wait for the disk already",
                          LEDGER_OUTSTANDING_MAX);
    if (!fits(batch, opening)) {
        const unsigned next = (ledger->filling + 1) % BATCH_COUNT;
        if (next == ledger->writing)
            return vault_fail(err, VAULT_LIMITED,
                              "the entries that wait for the disk fill the "
                              "memory set aside for them");
        ledger->filling = next;
        ledger->queued_bytes += FRAME_COMMIT_BYTES;
        batch = &ledger->batches[next];
    }
    *out = batch;
    return VAULT_OK;
}

enum vault_code queue_push(struct ledger *ledger, struct entry *entry, struct bytes opening,
                           struct ledger_ticket *out, struct vault_error *err)
{
    struct batch *batch = NULL;
    VAULT_TRY(check_publishing(ledger, err));
    VAULT_TRY(check_room(ledger, frame_room(opening), err));
    VAULT_TRY(choose_batch(ledger, opening, &batch, err));
    uint8_t *frame = batch->data + batch->size;
    uint8_t *text = frame + FRAME_HEAD_BYTES;
    const size_t text_size = entry_write(entry, text);
    if (opening.size)
        memcpy(text + text_size, opening.data, opening.size);
    const size_t size =
        frame_close(frame, FRAME_ENTRY, ledger->next_index, text_size, opening.size);
    if (batch->count == 0)
        batch->first = ledger->next_index;
    struct tree_hash *leaf = &batch->leaves[batch->count++];
    *leaf = tree_leaf((struct bytes){text, text_size});
    batch->size += size;
    batch->last_time_ms = ledger->last_time_ms = entry->time_ms;
    ledger->queued_bytes += size;
    *out = (struct ledger_ticket){ledger->next_index++, *leaf, entry->time_ms};
    if (ledger->busy_since_ms == 0)
        pthread_cond_signal(&ledger->work);
    return VAULT_OK;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* Whether the wall clock has moved otherwise than time does. A clock that is being slewed may drift
 * by a thousandth. */
static bool clock_has_stepped(const struct ledger *ledger, const struct clock_mark *now)
{
    const struct clock_mark *before = &ledger->clock_mark;
    if (ledger->clock_step_ms == 0)
        return false;
    if (!before->is_set)
        return now->wall_ms < ledger->last_time_ms - ledger->clock_step_ms;
    const int64_t passed = now->monotonic_ms - before->monotonic_ms;
    return distance(now->wall_ms - before->wall_ms, passed) > ledger->clock_step_ms + passed / 1000;
}

/* Now, but never before the last entry nor after the last time that can be written. */
static int64_t entry_time(const struct ledger *ledger, int64_t wall_ms)
{
    const int64_t time_ms = wall_ms > ledger->last_time_ms ? wall_ms : ledger->last_time_ms;
    return time_ms < ENTRY_TIME_MAX_MS ? time_ms : ENTRY_TIME_MAX_MS;
}

/* With the mutex held. */
static enum vault_code enter(struct ledger *ledger, const struct entry *entry, struct bytes opening,
                             struct ledger_ticket *out, struct vault_error *err)
{
    const struct clock_mark now = {true, clock_now_ms(&ledger->clock), clock_monotonic_ms()};
    const int64_t time_ms = entry_time(ledger, now.wall_ms);
    ledger_check_hang(ledger);
    VAULT_TRY(ledger_check_running(ledger, err));
    if (clock_has_stepped(ledger, &now)) {
        struct entry step = {.event = ENTRY_CLOCK_STEP, .time_ms = time_ms};
        struct ledger_ticket ticket;
        VAULT_TRY(queue_push(ledger, &step, (struct bytes){0}, &ticket, err));
    }
    ledger->clock_mark = now;
    struct entry timed = *entry;
    timed.time_ms = time_ms;
    return queue_push(ledger, &timed, opening, out, err);
}

enum vault_code ledger_enqueue(struct ledger *ledger, const struct entry *entry,
                               struct bytes opening, struct ledger_ticket *out,
                               struct vault_error *err)
{
    VAULT_TRY(entry_check(entry, err));
    if (opening.size > LEDGER_OPENING_MAX_BYTES)
        return vault_fail(err, VAULT_TOO_LARGE, "a sealed opening of more than %d bytes",
                          LEDGER_OPENING_MAX_BYTES);
    struct ledger_ticket ticket;
    pthread_mutex_lock(&ledger->mutex);
    const enum vault_code code = enter(ledger, entry, opening, &ticket, err);
    pthread_mutex_unlock(&ledger->mutex);
    if (code == VAULT_OK)
        *out = ticket;
    return code;
}

/* The batch that an entry which is not durable yet waits in. */
static struct batch *batch_of(struct ledger *ledger, uint64_t index)
{
    unsigned at = ledger->writing;
    while (at != ledger->filling && index - ledger->batches[at].first >= ledger->batches[at].count)
        at = (at + 1) % BATCH_COUNT;
    return &ledger->batches[at];
}

enum vault_code ledger_wait(struct ledger *ledger, const struct ledger_ticket *ticket,
                            struct vault_error *err)
{
    enum vault_code code = VAULT_OK;
    pthread_mutex_lock(&ledger->mutex);
    assert(ticket->index < ledger->next_index);
    while (ledger->durable.head.size <= ticket->index && !ledger->is_stopped) {
        const int64_t from = ledger->busy_since_ms ? ledger->busy_since_ms : clock_monotonic_ms();
        ledger_wait_until(ledger, &batch_of(ledger, ticket->index)->done, from + LEDGER_HANG_MS);
        if (ledger->durable.head.size <= ticket->index)
            ledger_check_hang(ledger);
    }
    if (ledger->durable.head.size <= ticket->index)
        code = ledger_check_running(ledger, err);
    pthread_mutex_unlock(&ledger->mutex);
    return code;
}

enum vault_code ledger_poll(struct ledger *ledger, const struct ledger_ticket *ticket,
                            bool *is_durable, struct vault_error *err)
{
    enum vault_code code = VAULT_OK;
    pthread_mutex_lock(&ledger->mutex);
    *is_durable = ledger->durable.head.size > ticket->index;
    if (!*is_durable) {
        ledger_check_hang(ledger);
        if (ledger->is_stopped)
            code = ledger_check_running(ledger, err);
    }
    pthread_mutex_unlock(&ledger->mutex);
    return code;
}

enum vault_code ledger_catch_up(struct ledger *ledger, uint64_t *size, struct vault_error *err)
{
    pthread_mutex_lock(&ledger->mutex);
    const uint64_t queued = ledger->next_index;
    pthread_mutex_unlock(&ledger->mutex);
    if (queued) {
        const struct ledger_ticket last = {.index = queued - 1};
        VAULT_TRY(ledger_wait(ledger, &last, err));
    }
    *size = queued;
    return VAULT_OK;
}

enum vault_code ledger_append(struct ledger *ledger, const struct entry *entry,
                              struct bytes opening, struct ledger_ticket *out,
                              struct vault_error *err)
{
    struct ledger_ticket ticket;
    VAULT_TRY(ledger_enqueue(ledger, entry, opening, &ticket, err));
    VAULT_TRY(ledger_wait(ledger, &ticket, err));
    if (out)
        *out = ticket;
    return VAULT_OK;
}
