#include "vault/edge/anchor.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anchor_parts.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/base/log.h"

#define STATE_FIRST     "vault-anchors/1\n"
#define STATE_ANCHORED  "anchored "
#define STATE_MAX_BYTES (32UL * 1024)
#define FIRST_ROUND_MS  (2 * ANCHOR_ROUND_MS)

struct freshness_now anchor_now(const struct anchor *anchor)
{
    return (struct freshness_now){clock_now_s(&anchor->clock), clock_monotonic_ms()};
}

/* --- The small file ------------------------------------------------------------------------- */

void anchor_show(struct anchor *anchor)
{
    if (!anchor->cosigners)
        return;
    anchor->shown_count = cosigners_count(anchor->cosigners);
    for (size_t i = 0; i < anchor->shown_count; i++)
        anchor->shown[i] = *cosigners_get(anchor->cosigners, i);
    buf_clear(&anchor->shown_lines);
    cosigners_write(anchor->cosigners, &anchor->shown_lines);
}

void anchor_write_state(struct anchor *anchor)
{
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(STATE_MAX_BYTES);
    pthread_mutex_lock(&anchor->mutex);
    const bool is_dirty = anchor->is_dirty;
    anchor->is_dirty = false;
    buf_format(&text, STATE_FIRST STATE_ANCHORED "%" PRId64 "\n", anchor->freshness.anchored_s);
    buf_join(&text, &anchor->shown_lines);
    pthread_mutex_unlock(&anchor->mutex);
    if (!is_dirty)
        return;
    enum vault_code code = buf_check(&text, &err);
    if (code == VAULT_OK)
        code = file_replace(anchor->state_path, buf_view(&text), 0600, &err);
    if (code)
        log_event(LOG_ERROR, "anchor", "%s", err.text);
}

/* "anchored N\n" at the head of the text, which moves behind it. */
static bool read_anchored(struct bytes *text, int64_t *out)
{
    static const char head[] = STATE_FIRST STATE_ANCHORED;
    const size_t size = sizeof head - 1;
    int64_t value = 0;
    size_t at = size;
    if (text->size <= size || memcmp(text->data, head, size) != 0)
        return false;
    for (; at < text->size && text->data[at] >= '0' && text->data[at] <= '9' && at < size + 15;
         at++)
        value = value * 10 + (text->data[at] - '0');
    if (at == size || at == text->size || text->data[at] != '\n')
        return false;
    *text = (struct bytes){text->data + at + 1, text->size - at - 1};
    *out = value;
    return true;
}

/* What was known at the last stop. Without a file this is the beginning, and time runs from now. */
static enum vault_code read_state(struct anchor *anchor, const struct anchor_options *options,
                                  struct vault_error *err)
{
    const struct freshness_now now = anchor_now(anchor);
    int64_t anchored_s = now.wall_s;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(STATE_MAX_BYTES);
    const enum vault_code code = file_read(anchor->state_path, &text, err);
    if (code && code != VAULT_NOT_FOUND)
        return code;
    struct bytes rest = buf_view(&text);
    if (code == VAULT_OK &&
        (!read_anchored(&rest, &anchored_s) ||
         (anchor->cosigners && cosigners_read(anchor->cosigners, rest, NULL) != VAULT_OK)))
        return vault_fail(err, VAULT_CORRUPT,
                          "%s is damaged: without it, what witnesses cosigned must come from them",
                          anchor->state_path);
    anchor->freshness = freshness_of(options->stale_s, options->warn_s, anchored_s, now);
    return VAULT_OK;
}

/* --- The hooks ------------------------------------------------------------------------------ */

/* A policy names a log by its keys; one that it had before will do until the file is changed. */
static bool is_for(const struct quorum *policy, const struct checkpoint_keys *log)
{
    bool found = quorum_is_for(policy, log->key);
    for (size_t i = 0; i < log->former_count && !found; i++)
        found = quorum_is_for(policy, &log->former[i]);
    return found;
}

/* What the log is to be held against: what witnesses cosigned, and what was kept. */
static enum vault_code recall(void *context, const struct checkpoint_keys *log,
                              struct ledger_head heads[VAULT_RECALLED_MAX], size_t *count,
                              struct vault_error *err)
{
    struct anchor *anchor = context;
    size_t found = 0;
    if (anchor->policy && !is_for(anchor->policy, log))
        return vault_fail(err, VAULT_INVALID, "the policy of the witnesses is for another log");
    if (anchor->keep_dir[0])
        VAULT_TRY(keep_read(anchor->keep_dir, log, heads, &found, err));
    for (size_t i = 0; anchor->cosigners && i < cosigners_count(anchor->cosigners); i++) {
        const struct ledger_head *seen = &cosigners_get(anchor->cosigners, i)->seen;
        if (seen->size)
            heads[found++] = *seen;
    }
    *count = found;
    return VAULT_OK;
}

static bool has_anchors(const struct anchor *anchor)
{
    return (anchor->policy && quorum_needs_witnesses(anchor->policy)) || anchor->timestamps_url[0];
}

/* With the mutex held. */
static enum vault_code check_locked(const struct anchor *anchor, struct vault_error *err)
{
    char since[INSTANT_CHARS + 1];
    if (anchor->contradiction[0])
        return vault_fail(err, VAULT_UNAVAILABLE, "nothing is released: %.400s",
                          anchor->contradiction);
    if (!has_anchors(anchor) ||
        freshness_state(&anchor->freshness, anchor_now(anchor)) != FRESHNESS_STALE)
        return VAULT_OK;
    instant_format(since, anchor->freshness.anchored_s);
    return vault_fail(err, VAULT_UNAVAILABLE,
                      "nothing is released: nobody outside has confirmed the access log since %s",
                      since);
}

static enum vault_code check(void *context, struct vault_error *err)
{
    struct anchor *anchor = context;
    pthread_mutex_lock(&anchor->mutex);
    const enum vault_code code = check_locked(anchor, err);
    pthread_mutex_unlock(&anchor->mutex);
    return code;
}

static void describe_witness(const struct cosigner *witness, struct buf *out)
{
    buf_text(out, "{\"name\":");
    json_write_string(out, bytes_of_text(witness->name));
    buf_format(out,
               ",\"size\":%" PRIu64 ",\"cosigned\":%" PRId64 ",\"problem\":", witness->seen.size,
               witness->cosigned_s);
    json_write_string(out, bytes_of_text(witness->is_failing ? witness->problem : ""));
    buf_byte(out, '}');
}

static void describe(void *context, struct buf *out)
{
    struct anchor *anchor = context;
    char since[INSTANT_CHARS + 1];
    pthread_mutex_lock(&anchor->mutex);
    const struct freshness_now now = anchor_now(anchor);
    instant_format(since, anchor->freshness.anchored_s);
    buf_format(out, "{\"state\":\"%s\",\"anchored\":\"%s\",\"age_s\":%" PRId64 ",\"witnesses\":[",
               anchor->contradiction[0] ? "contradicted"
               : has_anchors(anchor)
                   ? freshness_state_name(freshness_state(&anchor->freshness, now))
                   : "none",
               since, freshness_age_s(&anchor->freshness, now));
    for (size_t i = 0; i < anchor->shown_count; i++) {
        buf_text(out, i ? "," : "");
        describe_witness(&anchor->shown[i], out);
    }
    buf_text(out, "]}");
    pthread_mutex_unlock(&anchor->mutex);
}

/* --- Opening and closing -------------------------------------------------------------------- */

/* What goes there is public and signed; but who is on the line could keep it back unseen. */
static enum vault_code check_url(const char *url, const char *whose,
                                 const struct anchor_options *options, struct vault_error *err)
{
    if (!fetch_url_is_valid(url))
        return vault_fail(err, VAULT_INVALID, "the URL of %s is none", whose);
    if (!options->plain_http && !fetch_url_is_sheltered(url))
        return vault_fail(err, VAULT_INVALID,
                          "the URL of %s is http to another machine: use https, or allow it by "
                          "log.plain_http",
                          whose);
    return VAULT_OK;
}

static enum vault_code open_witnesses(struct anchor *anchor, const struct anchor_options *options,
                                      struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(QUORUM_FILE_MAX_BYTES);
    enum vault_code code = file_read(options->policy_path, &text, err);
    if (code == VAULT_OK)
        code = quorum_parse(buf_view(&text), &anchor->policy, err);
    if (code == VAULT_OK)
        code = cosigners_new(anchor->policy, &anchor->cosigners, err);
    if (code) {
        vault_error_context(err, "the policy of the witnesses, %s", options->policy_path);
        return code == VAULT_NOT_FOUND ? VAULT_IO : code;
    }
    for (size_t i = 0; i < cosigners_count(anchor->cosigners); i++) {
        const struct cosigner *witness = cosigners_get(anchor->cosigners, i);
        char whose[NOTE_NAME_CHARS_MAX + 16];
        snprintf(whose, sizeof whose, "the witness %s", witness->name);
        code = check_url(witness->url, whose, options, err);
        if (code) {
            vault_error_context(err, "%s", options->policy_path);
            return code;
        }
    }
    return fetcher_new(*options->witnesses_ca ? options->witnesses_ca : NULL, &anchor->asking, err);
}

static enum vault_code check_options(const struct anchor_options *options, struct vault_error *err)
{
    if (*options->timestamps_url && (!*options->timestamps_ca || !*options->keep_dir))
        return vault_fail(err, VAULT_INVALID,
                          "log.timestamps needs log.timestamps_ca and, to put them, log.keep");
    return *options->timestamps_url
               ? check_url(options->timestamps_url, "log.timestamps", options, err)
               : VAULT_OK;
}

static int64_t at_most(int64_t limit_ms, int64_t ms)
{
    return ms < 1000 ? 1000 : ms < limit_ms ? ms : limit_ms;
}

static void set_options(struct anchor *anchor, const struct anchor_options *options)
{
    snprintf(anchor->state_path, sizeof anchor->state_path, "%s", options->state_path);
    snprintf(anchor->keep_dir, sizeof anchor->keep_dir, "%s", options->keep_dir);
    snprintf(anchor->timestamps_url, sizeof anchor->timestamps_url, "%s", options->timestamps_url);
    snprintf(anchor->timestamps_ca, sizeof anchor->timestamps_ca, "%s", options->timestamps_ca);
    anchor->clock = options->clock;
    /* Where the limit is short, several tries must fit into it. */
    anchor->again_ms = at_most(ANCHOR_AGAIN_MS, options->stale_s * 1000 / 3);
    anchor->alone_ms = at_most(ANCHOR_ALONE_MS, options->stale_s * 1000 / 4);
    anchor->stamp_ms = at_most(ANCHOR_STAMP_MS, options->stale_s * 1000 / 3);
    anchor->latest = buf_limited(CHECKPOINT_MAX_BYTES);
    anchor->shown_lines = buf_limited(STATE_MAX_BYTES);
    anchor->hooks = (struct vault_anchor){.context = anchor,
                                          .recall = recall,
                                          .present = anchor_present,
                                          .check = check,
                                          .describe = describe};
}

static void start_locks(struct anchor *anchor)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&anchor->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&anchor->mutex, NULL);
}

enum vault_code anchor_open(const struct anchor_options *options, struct anchor **out,
                            struct vault_error *err)
{
    VAULT_TRY(check_options(options, err));
    struct anchor *made = calloc(1, sizeof *made);
    if (!made)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    start_locks(made);
    set_options(made, options);
    VAULT_AUTO(anchor_close) struct anchor *anchor = made;
    if (*options->policy_path)
        VAULT_TRY(open_witnesses(anchor, options, err));
    if (*options->timestamps_url)
        VAULT_TRY(fetcher_new(NULL, &anchor->stamping, err));
    VAULT_TRY(read_state(anchor, options, err));
    anchor_show(anchor); /* no other thread knows it yet */
    *out = VAULT_TAKE(anchor);
    return VAULT_OK;
}

const struct vault_anchor *anchor_hooks(struct anchor *anchor)
{
    return anchor->policy || anchor->keep_dir[0] ? &anchor->hooks : NULL;
}

static enum vault_code start_keeper(struct anchor *anchor, struct vault_error *err)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    anchor->keeper_runs = pthread_create(&anchor->keeper, NULL, anchor_keeper_main, anchor) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return anchor->keeper_runs ? VAULT_OK
                               : vault_fail(err, VAULT_NO_MEMORY, "no thread could be started");
}

enum vault_code anchor_start(struct anchor *anchor, struct vault *vault, struct vault_error *err)
{
    if (!anchor_hooks(anchor))
        return VAULT_OK;
    const enum vault_code code = vault_present_log(vault, FIRST_ROUND_MS, err);
    if (code)
        log_event(LOG_WARNING, "anchor", "%s", err->text);
    pthread_mutex_lock(&anchor->mutex);
    const bool is_contradicted = anchor->contradiction[0];
    if (is_contradicted)
        (void)vault_fail(err, VAULT_CORRUPT, "%s", anchor->contradiction);
    pthread_mutex_unlock(&anchor->mutex);
    return is_contradicted ? VAULT_CORRUPT : start_keeper(anchor, err);
}

void anchor_close(struct anchor **anchor)
{
    struct anchor *gone = VAULT_TAKE(*anchor);
    if (!gone)
        return;
    pthread_mutex_lock(&gone->mutex);
    gone->is_stopping = true;
    pthread_cond_signal(&gone->changed);
    pthread_mutex_unlock(&gone->mutex);
    if (gone->keeper_runs)
        pthread_join(gone->keeper, NULL);
    anchor_write_state(gone);
    fetcher_free(&gone->asking);
    fetcher_free(&gone->stamping);
    cosigners_free(&gone->cosigners);
    quorum_free(&gone->policy);
    buf_finish(&gone->latest);
    buf_finish(&gone->shown_lines);
    pthread_cond_destroy(&gone->changed);
    pthread_mutex_destroy(&gone->mutex);
    free(gone);
}
