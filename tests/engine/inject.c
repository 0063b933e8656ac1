#include "inject_calls.h"

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DELAY_MAX_US 300

static const enum vault_code codes[] = {VAULT_IO, VAULT_UNAVAILABLE, VAULT_NO_MEMORY,
                                        VAULT_CORRUPT};
#define CODES (sizeof codes / sizeof codes[0])

/* What a thread asked for, and where it is. */
static _Thread_local struct {
    unsigned depth; /* of calls within calls: only the outermost is looked at */
    unsigned left;  /* calls until the one that fails; 0: none does */
    unsigned permille;
    uint64_t random;
    enum inject_when when;
    enum vault_code code;
    enum vault_code fails; /* the call under way, with this */
    enum inject_when fails_when;
    bool told; /* and was made to */
    const char *struck;
    enum inject_when struck_when;
} mine;

/* What was asked for every thread. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
    const char *function;
    unsigned times;
    enum inject_when when;
    enum vault_code code;
} next;

static struct inject_call *_Atomic called;
static _Atomic uint64_t calls;
static _Atomic uint64_t failures;

static uint64_t draw(void)
{
    if (!mine.random)
        mine.random = (uint64_t)(uintptr_t)&mine | 1;
    mine.random ^= mine.random << 13;
    mine.random ^= mine.random >> 7;
    mine.random ^= mine.random << 17;
    return mine.random;
}

void inject_fail(unsigned nth, enum inject_when when, enum vault_code code)
{
    mine.left = nth;
    mine.permille = 0;
    mine.when = when;
    mine.code = code;
    mine.struck = NULL;
}

void inject_fail_some(unsigned permille, uint64_t seed)
{
    mine.left = 0;
    mine.permille = permille;
    mine.random = seed | 1;
    mine.struck = NULL;
}

void inject_fail_next(const char *function, unsigned times, enum inject_when when,
                      enum vault_code code)
{
    pthread_mutex_lock(&mutex);
    next.function = function;
    next.times = times;
    next.when = when;
    next.code = code;
    pthread_mutex_unlock(&mutex);
}

void inject_stop(void)
{
    inject_fail(0, INJECT_BEFORE, VAULT_OK);
    inject_fail_next("", 0, INJECT_BEFORE, VAULT_OK);
}

const char *inject_struck(void)
{
    return mine.struck;
}

enum inject_when inject_struck_when(void)
{
    return mine.struck_when;
}

uint64_t inject_failures(void)
{
    return atomic_load(&failures);
}

uint64_t inject_calls(void)
{
    return atomic_load(&calls);
}

static const struct inject_call *find(const char *function)
{
    const struct inject_call *call = atomic_load(&called);
    while (call && strcmp(call->name, function) != 0)
        call = call->next;
    return call;
}

bool inject_was_called(const char *function)
{
    return find(function) != NULL;
}

bool inject_has_failed(const char *function, enum inject_when when)
{
    const struct inject_call *call = find(function);
    return call && atomic_load(&call->failed[when]) > 0;
}

static void delay(void)
{
    static _Atomic int wanted = -1;
    if (atomic_load(&wanted) < 0) {
        const char *asked = getenv("VAULT_INJECT_DELAY");
        atomic_store(&wanted, asked && strcmp(asked, "1") == 0);
    }
    if (!atomic_load(&wanted))
        return;
    switch (draw() % 8) {
    case 0:
        usleep((useconds_t)(draw() % DELAY_MAX_US));
        break;
    case 1:
    case 2:
        sched_yield();
        break;
    default:
        break;
    }
}

/* Known from its first call on. */
static void note(struct inject_call *call)
{
    atomic_fetch_add(&calls, 1);
    if (find(call->name))
        return;
    pthread_mutex_lock(&mutex);
    if (!find(call->name)) {
        call->next = atomic_load(&called);
        atomic_store(&called, call);
    }
    pthread_mutex_unlock(&mutex);
}

static bool can_fail(const struct inject_call *call, enum inject_when when)
{
    return call->kind == INJECT_CHANGE || (when == INJECT_BEFORE && call->kind != INJECT_PLAIN);
}

static void choose_next(const struct inject_call *call)
{
    pthread_mutex_lock(&mutex);
    if (next.times > 0 && strcmp(next.function, call->name) == 0 && can_fail(call, next.when)) {
        next.times--;
        mine.fails_when = next.when;
        mine.fails = next.code;
    }
    pthread_mutex_unlock(&mutex);
}

/* Whether and how this call fails. */
static void choose(const struct inject_call *call)
{
    mine.fails = VAULT_OK;
    mine.told = false;
    if (mine.permille && draw() % 1000 < mine.permille) {
        mine.fails_when = draw() % 2 ? INJECT_AFTER : INJECT_BEFORE;
        mine.fails = can_fail(call, mine.fails_when) ? codes[draw() % CODES] : VAULT_OK;
    } else if (mine.left && can_fail(call, mine.when) && --mine.left == 0) {
        mine.fails_when = mine.when;
        mine.fails = mine.code;
    } else {
        choose_next(call);
    }
}

static enum vault_code strike(struct inject_call *call)
{
    mine.told = true;
    mine.struck = call->name;
    mine.struck_when = mine.fails_when;
    atomic_fetch_add(&call->failed[mine.struck_when], 1);
    atomic_fetch_add(&failures, 1);
    return mine.fails;
}

enum vault_code inject_enter(struct inject_call *call)
{
    if (mine.depth++ > 0)
        return VAULT_OK;
    note(call);
    choose(call);
    delay();
    return mine.fails && mine.fails_when == INJECT_BEFORE ? strike(call) : VAULT_OK;
}

enum vault_code inject_after(struct inject_call *call, enum vault_code code)
{
    /* What was refused was not done: there is nothing to lie about. */
    if (mine.depth > 1 || !mine.fails || code)
        return code;
    return strike(call);
}

bool inject_leave(void)
{
    if (--mine.depth > 0)
        return false;
    delay();
    return mine.told;
}
