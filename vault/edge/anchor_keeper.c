/* The keeper: what may take long on other people's disks and servers, and looking at the time. */
#include <stdio.h>
#include <string.h>

#include "anchor_parts.h"
#include "vault/base/log.h"
#include "vault/crypto/timestamp.h"
#include "vault/ledger/checkpoint.h"

#define TICK_MS       1000
#define STAMP_WAIT_MS 10000
#define STAMP_TYPE    "application/timestamp-query"

/* Say when keeping or stamping begins to fail, and when it works again. */
static void say_change(bool *fails, enum vault_code code, const char *event,
                       const struct vault_error *err)
{
    if (code && !*fails)
        log_event(LOG_WARNING, event, "%s", err->text);
    if (!code && *fails)
        log_event(LOG_INFO, event, "it works again");
    *fails = code != VAULT_OK;
}

/* A copy of the newest checkpoint; false if there is none. */
static bool copy_latest(struct anchor *anchor, struct buf *out)
{
    pthread_mutex_lock(&anchor->mutex);
    buf_bytes(out, buf_view(&anchor->latest));
    pthread_mutex_unlock(&anchor->mutex);
    return out->size && !out->problem;
}

static void keep(struct anchor *anchor)
{
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    pthread_mutex_lock(&anchor->mutex);
    const bool is_new = anchor->latest_is_new;
    anchor->latest_is_new = false;
    pthread_mutex_unlock(&anchor->mutex);
    if (!is_new || !anchor->keep_dir[0] || !copy_latest(anchor, &note))
        return;
    const enum vault_code code =
        keep_put(anchor->keep_dir, buf_view(&note), clock_now_s(&anchor->clock), &err);
    say_change(&anchor->keeping_fails, code, "keep", &err);
}

static enum vault_code fetch_token(struct anchor *anchor, struct bytes request, struct buf *token,
                                   struct vault_error *err)
{
    struct fetch fetch = {.url = anchor->timestamps_url,
                          .content_type = STAMP_TYPE,
                          .body = request,
                          .answer = token};
    fetch_all(anchor->stamping, &fetch, 1, STAMP_WAIT_MS);
    if (fetch.status == 0)
        return vault_fail(err, VAULT_UNAVAILABLE, "the time stamp authority: %s", fetch.problem);
    if (fetch.status != 200)
        return vault_fail(err, VAULT_UNAVAILABLE, "the time stamp authority answered %u",
                          fetch.status);
    return VAULT_OK;
}

/* Have the newest checkpoint's text stamped, check the stamp, and keep both. */
static enum vault_code stamp(struct anchor *anchor, const struct buf *note, struct vault_error *err)
{
    struct checkpoint checkpoint;
    int64_t stamped_s = 0;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(TIMESTAMP_REQUEST_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf token = buf_limited(TIMESTAMP_ANSWER_MAX_BYTES);
    VAULT_TRY(checkpoint_parse(buf_view(note), &checkpoint, err));
    VAULT_TRY(timestamp_request(checkpoint.note.text, &request, err));
    VAULT_TRY(fetch_token(anchor, buf_view(&request), &token, err));
    VAULT_TRY(timestamp_check(buf_view(&token), buf_view(&request), anchor->timestamps_ca,
                              &stamped_s, err));
    const struct freshness_now now = anchor_now(anchor);
    if (stamped_s < now.wall_s - COSIGNERS_SKEW_S)
        return vault_fail(err, VAULT_DENIED, "the time stamp is old, or our clock is fast");
    VAULT_TRY(
        keep_put_stamped(anchor->keep_dir, buf_view(note), buf_view(&token), now.wall_s, err));
    pthread_mutex_lock(&anchor->mutex);
    freshness_anchor(&anchor->freshness, stamped_s, now);
    anchor->is_dirty = true;
    pthread_mutex_unlock(&anchor->mutex);
    return VAULT_OK;
}

static void stamp_if_due(struct anchor *anchor)
{
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    if (!anchor->timestamps_url[0] || clock_monotonic_ms() < anchor->stamp_due_ms ||
        !copy_latest(anchor, &note))
        return;
    const enum vault_code code = stamp(anchor, &note, &err);
    say_change(&anchor->stamping_fails, code, "timestamp", &err);
    anchor->stamp_due_ms = clock_monotonic_ms() + (code ? anchor->alone_ms : anchor->stamp_ms);
}

/* Tell the operator when the log becomes late or stale, and when that is over: once each. */
static void say_freshness(struct anchor *anchor)
{
    pthread_mutex_lock(&anchor->mutex);
    const struct freshness_now now = anchor_now(anchor);
    const enum freshness_state state = freshness_state(&anchor->freshness, now);
    const long long age_s = (long long)freshness_age_s(&anchor->freshness, now);
    pthread_mutex_unlock(&anchor->mutex);
    if (state == anchor->said)
        return;
    anchor->said = state;
    if (state == FRESHNESS_FRESH)
        log_event(LOG_INFO, "anchor", "the access log is confirmed from outside again");
    else
        log_event(state == FRESHNESS_STALE ? LOG_ERROR : LOG_WARNING, "anchor",
                  "nobody outside has confirmed the access log for %lld s%s", age_s,
                  state == FRESHNESS_STALE ? ": releases have stopped" : "");
}

/* Wait for something to do, or a second. */
static bool goes_on(struct anchor *anchor)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TICK_MS / 1000;
    pthread_mutex_lock(&anchor->mutex);
    if (!anchor->latest_is_new && !anchor->is_stopping)
        pthread_cond_timedwait(&anchor->changed, &anchor->mutex, &until);
    const bool stopping = anchor->is_stopping;
    pthread_mutex_unlock(&anchor->mutex);
    return !stopping;
}

void *anchor_keeper_main(void *context)
{
    struct anchor *anchor = context;
    do {
        keep(anchor);
        stamp_if_due(anchor);
        say_freshness(anchor);
        anchor_write_state(anchor);
    } while (goes_on(anchor));
    keep(anchor);
    return NULL;
}
