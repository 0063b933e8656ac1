#include "keeper.h"

#include <stdlib.h>

#include "parts.h"
#include "retention.h"
#include "vault/base/clock.h"
#include "vault/store/mandate_index.h"
#include "vault/store/reply.h"
#include "vault/store/request.h"
#include "vault/store/session.h"
#include "vault/store/sign_in_code.h"
#include "vault/store/structure.h"
#include "vault/vault/log_figures.h"
#include "vault/vault/mediator.h"
#include "vault/vault/repeat.h"
#include "vault/vault/sign_in.h"

#define LOOK_EACH_S        60
#define AT_A_TIME          1000
#define ENDED_REQUEST_DAYS 90
#define COUNTED_EACH_TIME  (1024U * 1024)
#define SECONDS_PER_DAY    86400

static enum vault_code expire_requests(struct vault *vault, struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    uint64_t count = AT_A_TIME;
    while (count == AT_A_TIME)
        VAULT_TRY(request_expire(vault->store, now_s, AT_A_TIME, &count, err));
    return VAULT_OK;
}

static enum vault_code prune_requests(struct vault *vault, struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    const int64_t before_s = now_s - (int64_t)ENDED_REQUEST_DAYS * SECONDS_PER_DAY;
    uint64_t count = AT_A_TIME;
    while (count == AT_A_TIME)
        VAULT_TRY(request_prune(vault->store, before_s, AT_A_TIME, &count, err));
    return VAULT_OK;
}

static enum vault_code prune_replies(struct vault *vault, struct vault_error *err)
{
    const int64_t before_s = clock_now_s(&vault->options.clock) - REPEAT_KEPT_S;
    uint64_t count = AT_A_TIME;
    while (count == AT_A_TIME)
        VAULT_TRY(reply_prune(vault->store, before_s, AT_A_TIME, &count, err));
    return VAULT_OK;
}

static enum vault_code prune_sessions(struct vault *vault, struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    uint64_t count = 0;
    return session_prune(vault->store, now_s - SIGN_IN_LONGEST_S, now_s - SIGN_IN_IDLE_S, &count,
                         err);
}

static enum vault_code prune_mediator_sessions(struct vault *vault, struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    uint64_t count = 0;
    return mediator_session_prune(vault->store, now_s - MEDIATOR_LONGEST_S, now_s - MEDIATOR_IDLE_S,
                                  &count, err);
}

/* A used one is gone already. */
static enum vault_code prune_codes(struct vault *vault, struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    struct slice mandates = {.limit = AT_A_TIME};
    struct slice sign_in = {.limit = AT_A_TIME};
    do
        VAULT_TRY(mandate_codes_prune(vault->store, now_s, &mandates, err));
    while (mandates.more);
    do
        VAULT_TRY(sign_in_codes_prune(vault->store, now_s, &sign_in, err));
    while (sign_in.more);
    return VAULT_OK;
}

static enum vault_code count_figures(struct vault *vault, struct vault_error *err)
{
    struct log_figures_state state;
    return log_figures_count(vault, COUNTED_EACH_TIME, &state, err);
}

static const struct {
    const char *name;
    int64_t each_s;
    enum vault_code (*run)(struct vault *vault, struct vault_error *err);
} chores[] = {
    {"requests expire", 60, expire_requests},
    {"ended requests go", 3600, prune_requests},
    {"kept answers go", 600, prune_replies},
    {"sessions go", 600, prune_sessions},
    {"mediators' sessions go", 600, prune_mediator_sessions},
    {"codes go after their time", 21600, prune_codes},
    {"erasures are told", 60, erase_tell},
    {"entries are counted", 60, count_figures},
    {"openings go after their time", 21600, retention_run},
};

#define CHORES (sizeof chores / sizeof chores[0])

struct keeper {
    struct vault *vault;
    int64_t due_ms[CHORES]; /* monotonic */
    bool failed[CHORES];    /* and that was said */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping;
    pthread_t thread;
};

static void do_chore(struct keeper *keeper, size_t i)
{
    struct vault *vault = keeper->vault;
    struct vault_error err;
    const enum vault_code code = chores[i].run(vault, &err);
    const bool waits = code == VAULT_CONFLICT && atomic_load(&vault->backing_up);
    if (waits) /* for the backup to end */
        return;
    const bool failed = code != VAULT_OK;
    keeper->due_ms[i] = clock_monotonic_ms() + chores[i].each_s * 1000;
    if (failed && !keeper->failed[i] && vault->options.trouble) {
        vault_error_context(&err, "%s", chores[i].name);
        vault->options.trouble("keeper", err.text);
    }
    keeper->failed[i] = failed;
}

/* Sleep a while; false at the end. */
static bool sleep_on(struct keeper *keeper)
{
    const struct timespec until = clock_deadline(LOOK_EACH_S * 1000);
    pthread_mutex_lock(&keeper->mutex);
    if (!keeper->stopping)
        pthread_cond_timedwait(&keeper->wake, &keeper->mutex, &until);
    const bool goes_on = !keeper->stopping;
    pthread_mutex_unlock(&keeper->mutex);
    return goes_on;
}

static void *run(void *context)
{
    struct keeper *keeper = context;
    do {
        for (size_t i = 0; i < CHORES; i++) {
            if (clock_monotonic_ms() >= keeper->due_ms[i])
                do_chore(keeper, i);
        }
    } while (sleep_on(keeper));
    return NULL;
}

enum vault_code keeper_start(struct vault *vault, struct keeper **out, struct vault_error *err)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    keeper->vault = vault;
    pthread_mutex_init(&keeper->mutex, NULL);
    clock_condition_init(&keeper->wake);
    if (pthread_create(&keeper->thread, NULL, run, keeper) != 0) {
        free(keeper);
        return vault_fail(err, VAULT_NO_MEMORY, "cannot start a thread");
    }
    *out = keeper;
    return VAULT_OK;
}

void keeper_stop(struct keeper **stopping)
{
    struct keeper *keeper = VAULT_TAKE(*stopping);
    if (!keeper)
        return;
    pthread_mutex_lock(&keeper->mutex);
    keeper->stopping = true;
    pthread_cond_signal(&keeper->wake);
    pthread_mutex_unlock(&keeper->mutex);
    pthread_join(keeper->thread, NULL);
    pthread_cond_destroy(&keeper->wake);
    pthread_mutex_destroy(&keeper->mutex);
    free(keeper);
}

enum vault_code keeper_run(struct vault *vault, struct vault_error *err)
{
    enum vault_code first = VAULT_OK;
    for (size_t i = 0; i < CHORES; i++) {
        const enum vault_code code = chores[i].run(vault, first ? NULL : err);
        first = first ? first : code;
    }
    return first;
}
