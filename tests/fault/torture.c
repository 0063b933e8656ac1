#include "torture_parts.h"

#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES_MAX  40
#define LEARNED_MAX (1U << 17)
#define WAYS_MAX    3
#define HALF        0 /* in place of an error number: a write of half */

/* --- What fails ----------------------------------------------------------------------------- */

static atomic_int armed = TORTURE_KINDS; /* the kind; TORTURE_KINDS: none */
static atomic_uint counted;
static unsigned target;
static unsigned turns;
static const char *_Atomic struck;
static atomic_int error;
static bool shows;

/* A thread's first steps are a sanitizer's, which cannot do without memory. */
static _Thread_local bool has_begun;

/* --- From where ----------------------------------------------------------------------------- */

static atomic_bool learns;
static uint64_t places[LEARNED_MAX]; /* of each call, its callers */
static unsigned ways[LEARNED_MAX];   /* and in how many ways it can fail */
static unsigned worth[LEARNED_MAX];

static uint64_t place_now(void)
{
    void *frames[FRAMES_MAX];
    const int count = backtrace(frames, FRAMES_MAX);
    uint64_t place = 14695981039346656037U;
    for (int i = 0; i < count; i++)
        place = (place ^ (uintptr_t)frames[i]) * 1099511628211U;
    return place;
}

static void learn(unsigned nth, const struct call *call)
{
    static _Thread_local bool is_inside;
    if (is_inside || nth >= LEARNED_MAX)
        return;
    is_inside = true;
    places[nth] = place_now();
    ways[nth] = call->way_count;
    is_inside = false;
}

void torture_learn(enum torture_kind kind)
{
    memset(places, 0, sizeof places);
    learns = true;
    torture_arm(kind, UINT32_MAX, 0);
}

unsigned torture_learned(unsigned of_a_place_max, const unsigned **list)
{
    static uint64_t known[LEARNED_MAX * 2]; /* a table by place */
    static unsigned seen[LEARNED_MAX * 2];
    unsigned count = 0;
    learns = false;
    memset(known, 0, sizeof known);
    memset(seen, 0, sizeof seen);
    for (unsigned nth = 1; nth <= counted && nth < LEARNED_MAX; nth++) {
        size_t i = places[nth] % (LEARNED_MAX * 2);
        while (known[i] && known[i] != places[nth])
            i = (i + 1) % (LEARNED_MAX * 2);
        known[i] = places[nth];
        if (seen[i]++ < of_a_place_max)
            worth[count++] = nth;
    }
    *list = worth;
    return count;
}

unsigned torture_ways(unsigned nth)
{
    return nth < LEARNED_MAX ? ways[nth] : 0;
}

void torture_arm(enum torture_kind kind, unsigned nth, unsigned turn)
{
    target = nth;
    turns = turn;
    struck = NULL;
    error = 0;
    counted = 0;
    armed = kind;
}

unsigned torture_disarm(void)
{
    armed = TORTURE_KINDS;
    return counted;
}

const char *torture_struck(void)
{
    return struck;
}

int torture_error(void)
{
    return error;
}

static void show(void)
{
    void *frames[FRAMES_MAX];
    armed = TORTURE_KINDS; /* what says where allocates too */
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
}

/* Whether this one fails; errno is set then, or *half. */
bool torture_strikes(enum torture_kind kind, const struct call *call, bool *half)
{
    if (armed != (int)kind || !has_begun)
        return false;
    const unsigned nth = atomic_fetch_add(&counted, 1) + 1;
    if (learns)
        learn(nth, call);
    if (nth != target)
        return false;
    const int way = call->ways[turns % call->way_count];
    error = way;
    struck = call->name;
    if (shows)
        show();
    if (half)
        *half = way == HALF;
    errno = way;
    return true;
}

/* --- Memory --------------------------------------------------------------------------------- */

/* AddressSanitizer's own, where it is there. */
void *__interceptor_malloc(size_t size) __attribute__((weak));
void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
void *__interceptor_realloc(void *old, size_t size) __attribute__((weak));
void *__interceptor_memalign(size_t align, size_t size) __attribute__((weak));
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t align, size_t size);
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));
void __lsan_register_root_region(const void *at, size_t size) __attribute__((weak));
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static bool memory_strikes(const char *name)
{
    const struct call call = {name, {ENOMEM}, 1};
    return armed == TORTURE_MEMORY && torture_strikes(TORTURE_MEMORY, &call, NULL);
}

void *torture_malloc(size_t size)
{
    return __interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size);
}

void *malloc(size_t size)
{
    return memory_strikes("malloc") ? NULL : torture_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (memory_strikes("calloc"))
        return NULL;
    return __interceptor_calloc ? __interceptor_calloc(count, size) : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (memory_strikes("realloc"))
        return NULL;
    return __interceptor_realloc ? __interceptor_realloc(old, size) : __libc_realloc(old, size);
}

static void *aligned(size_t align, size_t size)
{
    return __interceptor_memalign ? __interceptor_memalign(align, size)
                                  : __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    return memory_strikes("aligned_alloc") ? NULL : aligned(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    void *memory = memory_strikes("posix_memalign") ? NULL : aligned(align, size);
    if (!memory)
        return ENOMEM;
    *out = memory;
    return 0;
}

size_t torture_memory_in_use(void)
{
    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    return mallinfo2().uordblks;
}

void torture_look_through(const void *inside)
{
    char line[512];
    const uintptr_t at = (uintptr_t)inside;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && __lsan_register_root_region && fgets(line, sizeof line, maps)) {
        char *end = NULL;
        const uintptr_t from = strtoul(line, &end, 16);
        const uintptr_t to = strtoul(end + 1, NULL, 16);
        if (at >= from && at < to)
            __lsan_register_root_region((const void *)from, to - from);
    }
    if (maps)
        fclose(maps);
}

bool torture_leaks(void)
{
    return __lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check();
}

/* --- Before and after ----------------------------------------------------------------------- */

void torture_thread_begin(void)
{
    has_begun = true;
}

void torture_begin(void)
{
    void *frames[1];
    torture_thread_begin();
    torture_calls_begin();
    shows = getenv("VAULT_TORTURE_SHOW") != NULL;
    backtrace(frames, 1); /* the first one loads a library */
}
