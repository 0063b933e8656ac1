/* The writer: takes the oldest batch, signs what the log becomes with it, makes both durable. */
#include <sched.h>
#include <string.h>

#include "state.h"
#include "vault/base/insist.h"
#include "vault/ledger/checkpoint.h"

enum vault_code ledger_sign(const struct note_signer *signer, const struct ledger_head *head,
                            uint8_t out[SIGN_SIGNATURE_BYTES], struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_TEXT_MAX_BYTES);
    checkpoint_write_text(&text, signer->key.name, head->size, &head->root);
    VAULT_TRY(buf_check(&text, err));
    return sign_message(signer->pair, buf_view(&text), out, err);
}

enum vault_code ledger_sign_head(const struct ledger *ledger, struct signed_head *state,
                                 struct vault_error *err)
{
    VAULT_TRY(ledger_sign(ledger->signer, &state->head, state->signature, err));
    return ledger->parting ? ledger_sign(ledger->parting, &state->head, state->parting, err)
                           : VAULT_OK;
}

void ledger_write_checkpoint(const struct ledger *ledger, const struct signed_head *state,
                             struct buf *out)
{
    const struct bytes parting = {state->parting, sizeof state->parting};
    checkpoint_write(out, &ledger->signer->key, state->head.size, &state->head.root,
                     state->signature);
    if (ledger->parting)
        note_signature_write(out, &ledger->parting->key, parting);
}

/* The next segment begins with what the log is before this batch. */
static enum vault_code turn(struct ledger *ledger, struct vault_error *err)
{
    struct frame_segment segment = {.last_time_ms = ledger->written_time_ms,
                                    .frontier = ledger->frontier};
    memcpy(segment.signature, ledger->durable.signature, sizeof segment.signature);
    VAULT_TRY(journal_reserve(ledger->journal, err));
    return journal_turn(ledger->journal, &segment, err);
}

static struct ledger_head grow(struct ledger *ledger, const struct batch *batch)
{
    pthread_mutex_lock(&ledger->edge_mutex);
    for (size_t i = 0; i < batch->count; i++)
        tree_frontier_add(&ledger->frontier, &batch->leaves[i], edge_add, ledger->edge);
    pthread_mutex_unlock(&ledger->edge_mutex);
    return (struct ledger_head){ledger->frontier.size, tree_frontier_root(&ledger->frontier)};
}

/* Nothing is written yet, and so one moment without memory does not stop the log for good. */
static enum vault_code sign_surely(const struct ledger *ledger, struct signed_head *head,
                                   struct vault_error *err)
{
    unsigned tries = 0;
    enum vault_code code = ledger_sign_head(ledger, head, err);
    while (code == VAULT_NO_MEMORY && tries < INSIST_MS) {
        insist_again(&tries, "signing the log");
        code = ledger_sign_head(ledger, head, err);
    }
    return code;
}

/* Make a batch durable together with the signed state of the log that it leads to. */
static enum vault_code commit(struct ledger *ledger, struct batch *batch, struct signed_head *out,
                              struct vault_error *err)
{
    const struct bytes whole = {batch->data, batch->size + FRAME_COMMIT_BYTES};
    if (journal_must_turn(ledger->journal, whole.size))
        VAULT_TRY(turn(ledger, err));
    struct signed_head next = {.head = grow(ledger, batch)};
    VAULT_TRY(sign_surely(ledger, &next, err));
    struct frame_commit frame = {.size = next.head.size, .root = next.head.root};
    memcpy(frame.signature, next.signature, sizeof frame.signature);
    frame_write_commit(batch->data + batch->size, &frame);
    VAULT_TRY(journal_append(ledger->journal, whole, err));
    ledger->written_time_ms = batch->last_time_ms;
    *out = next;
    return VAULT_OK;
}

/* Take the oldest batch out of the hands of those who fill it. */
static struct batch *take_batch(struct ledger *ledger)
{
    if (ledger->writing == ledger->filling) {
        ledger->filling = (ledger->filling + 1) % BATCH_COUNT;
        ledger->queued_bytes += FRAME_COMMIT_BYTES;
    }
    return &ledger->batches[ledger->writing];
}

const double ledger_batch_bounds_s[LEDGER_BATCH_BOUNDS] = {0.0005, 0.001, 0.002, 0.005, 0.01,
                                                           0.02,   0.05,  0.1,   0.5,   2};

static void note_batch(struct ledger *ledger, int64_t took_ns)
{
    ledger->batches_done++;
    ledger->batches_ns += took_ns;
    for (size_t i = 0; i < LEDGER_BATCH_BOUNDS; i++)
        ledger->batches_within[i] += (double)took_ns <= ledger_batch_bounds_s[i] * 1e9;
}

static void finish_batch(struct ledger *ledger, struct batch *batch,
                         const struct signed_head *durable)
{
    ledger->durable = *durable;
    ledger->queued_bytes -= batch->size + FRAME_COMMIT_BYTES;
    batch->size = batch->count = 0;
    ledger->writing = (ledger->writing + 1) % BATCH_COUNT;
    pthread_cond_broadcast(&ledger->more);
    if (ledger->unpublished_since_ms)
        return; /* the publisher knows of something, and when to come for all there is */
    ledger->unpublished_since_ms = clock_monotonic_ms();
    pthread_cond_signal(&ledger->to_publish);
}

/* One batch. Comes and goes with the mutex held, but does not hold it while the disk works. */
static void write_one(struct ledger *ledger)
{
    struct batch *batch = take_batch(ledger);
    struct signed_head durable;
    struct vault_error why;
    ledger->busy_since_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&ledger->mutex);
    const int64_t began_ns = clock_monotonic_ns();
    const enum vault_code code = commit(ledger, batch, &durable, &why);
    const int64_t took_ns = clock_monotonic_ns() - began_ns;
    pthread_mutex_lock(&ledger->mutex);
    ledger->busy_since_ms = 0;
    note_batch(ledger, took_ns);
    if (code)
        ledger_stop_for_good(ledger, why.text);
    else if (!ledger->is_stopped) /* nobody was told that it hangs */
        finish_batch(ledger, batch, &durable);
    pthread_mutex_unlock(&ledger->mutex);
    /* Wake them without the mutex, which they want next, and let them enter what they have: the
     * first alone would make a batch of one while the others wait for it. */
    pthread_cond_broadcast(&batch->done);
    ledger_tell_durable(ledger);
    sched_yield();
    pthread_mutex_lock(&ledger->mutex);
}

/* Between batches: the next segment's space, and whether the files are still there. */
static void look_after_files(struct ledger *ledger)
{
    struct vault_error why;
    pthread_mutex_unlock(&ledger->mutex);
    const enum vault_code reserved = journal_reserve(ledger->journal, NULL);
    const enum vault_code code = journal_check(ledger->journal, &why);
    pthread_mutex_lock(&ledger->mutex);
    ledger->reserve_fails = reserved != VAULT_OK;
    if (code)
        ledger_stop_for_good(ledger, why.text);
}

/* Begin a new segment though this one has room: nothing waits, so that nobody's room is taken. */
static void turn_early(struct ledger *ledger)
{
    struct vault_error why;
    ledger->turn_asked = false;
    pthread_mutex_unlock(&ledger->mutex);
    const bool is_empty = ledger->journal->end.segment == ledger->frontier.size;
    const enum vault_code code = is_empty ? VAULT_OK : turn(ledger, &why);
    pthread_mutex_lock(&ledger->mutex);
    if (code == VAULT_OK)
        ledger->turns++;
    else if (code != VAULT_UNAVAILABLE) /* no room is no reason to stop */
        ledger_stop_for_good(ledger, why.text);
    pthread_cond_broadcast(&ledger->more);
}

static bool has_batch(const struct ledger *ledger)
{
    return ledger->batches[ledger->writing].count > 0;
}

void *writer_main(void *context)
{
    struct ledger *ledger = context;
    int64_t looked_ms = clock_monotonic_ms();
    pthread_mutex_lock(&ledger->mutex);
    while (!ledger->is_stopped && (has_batch(ledger) || !ledger->is_stopping)) {
        if (has_batch(ledger))
            write_one(ledger);
        else if (ledger->turn_asked)
            turn_early(ledger);
        else
            ledger_wait_until(ledger, &ledger->work, looked_ms + IDLE_MS);
        const bool is_due = clock_monotonic_ms() >= looked_ms + IDLE_MS;
        const bool has_turned = !ledger->reserve_fails && !journal_can_turn(ledger->journal);
        if (!ledger->is_stopped && (is_due || has_turned)) {
            look_after_files(ledger);
            looked_ms = clock_monotonic_ms();
        }
    }
    ledger->writer_runs = false;
    pthread_cond_broadcast(&ledger->more);
    pthread_cond_broadcast(&ledger->ended);
    pthread_cond_broadcast(&ledger->to_publish);
    pthread_mutex_unlock(&ledger->mutex);
    return NULL;
}
