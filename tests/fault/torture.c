#include "torture_parts.h"

#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUIET_MS   2
#define PAUSES_MAX 200

/* --- What fails ----------------------------------------------------------------------------- */

static atomic_int armed = TORTURE_KINDS; /* the kind; TORTURE_KINDS: none */
static enum torture_look looks;
static unsigned first_way;
static atomic_uint counted;
static atomic_uint calls_made; /* armed or not */
static const char *_Atomic struck;
static atomic_int error;
static bool shows;

/* A thread's first steps are a sanitizer's, which cannot do without memory. */
static _Thread_local bool has_begun;
static _Thread_local bool is_spared; /* also while it is found out where it is */

void torture_arm(enum torture_kind kind, enum torture_look look, unsigned turn)
{
    looks = look;
    first_way = turn;
    struck = NULL;
    error = 0;
    counted = 0;
    torture_places_begin();
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
    void *frames[TORTURE_FRAMES_MAX];
    armed = TORTURE_KINDS; /* what says where allocates too */
    backtrace_symbols_fd(frames, backtrace(frames, TORTURE_FRAMES_MAX), STDERR_FILENO);
}

/* The lock of the places is held: one fails, and no other. */
static bool take(const struct call *call, const void *caller, unsigned *turn)
{
    bool takes = false;
    torture_places_lock();
    if (!struck && torture_place_fails(call, caller, looks, turn)) {
        struck = call->name;
        takes = true;
    }
    torture_places_unlock();
    return takes;
}

/* Whether this one fails; errno is set then, or *half. */
bool torture_strikes(enum torture_kind kind, const struct call *call, const void *caller,
                     bool *half)
{
    unsigned turn = 0;
    if (kind == TORTURE_CALL)
        atomic_fetch_add(&calls_made, 1);
    if (armed != (int)kind || !has_begun || is_spared)
        return false;
    atomic_fetch_add(&counted, 1);
    if (struck)
        return false;
    is_spared = true;
    const bool fails = take(call, caller, &turn);
    is_spared = false;
    if (!fails)
        return false;
    const int way = call->ways[(turn + first_way) % call->way_count];
    error = way;
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

/* Libraries that cannot say that they got no memory, and let nobody get it for them: GMP ends the
 * process; libtasn1, and GnuTLS where it takes a name out of a certificate, read from NULL, by
 * which it ends too. What an end leaves behind is for test_kill; here there would be nobody to see.
 */
static const char *const spared[] = {"libgmp.so", "libtasn1.so", "libgnutls.so"};
#define SPARED (sizeof spared / sizeof spared[0])
static struct {
    uintptr_t from;
    uintptr_t to;
} spared_at[SPARED];

static int find_spared(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size, (void)context;
    for (size_t i = 0; i < SPARED; i++) {
        for (size_t j = 0; strstr(info->dlpi_name, spared[i]) && j < info->dlpi_phnum; j++) {
            const uintptr_t at = info->dlpi_addr + info->dlpi_phdr[j].p_vaddr;
            if (info->dlpi_phdr[j].p_type == PT_LOAD && info->dlpi_phdr[j].p_flags & PF_X) {
                spared_at[i].from = at;
                spared_at[i].to = at + info->dlpi_phdr[j].p_memsz;
            }
        }
    }
    return 0;
}

static bool is_of_spared(const void *caller)
{
    bool is_inside = false;
    for (size_t i = 0; i < SPARED; i++)
        is_inside |= (uintptr_t)caller >= spared_at[i].from && (uintptr_t)caller < spared_at[i].to;
    return is_inside;
}

static bool memory_strikes(const char *name, const void *caller)
{
    const struct call call = {name, {ENOMEM}, 1};
    return armed == TORTURE_MEMORY && !is_of_spared(caller) &&
           torture_strikes(TORTURE_MEMORY, &call, caller, NULL);
}

#define MEMORY_STRIKES(name) memory_strikes(name, __builtin_return_address(0))

void *torture_malloc(size_t size)
{
    return __interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size);
}

void *malloc(size_t size)
{
    return MEMORY_STRIKES("malloc") ? NULL : torture_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (MEMORY_STRIKES("calloc"))
        return NULL;
    return __interceptor_calloc ? __interceptor_calloc(count, size) : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (MEMORY_STRIKES("realloc"))
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
    return MEMORY_STRIKES("aligned_alloc") ? NULL : aligned(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    void *memory = MEMORY_STRIKES("posix_memalign") ? NULL : aligned(align, size);
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

void torture_rest(void)
{
    const struct timespec pause = {.tv_nsec = QUIET_MS * 1000L * 1000};
    unsigned before = atomic_load(&calls_made) - 1;
    for (unsigned i = 0; i < PAUSES_MAX && before != atomic_load(&calls_made); i++) {
        before = atomic_load(&calls_made);
        nanosleep(&pause, NULL);
    }
}

void torture_spare(bool spares)
{
    is_spared = spares;
}

/* --- Before and after ----------------------------------------------------------------------- */

void torture_thread_begin(void)
{
    torture_places_thread();
    has_begun = true;
}

void torture_begin(void)
{
    void *frames[1];
    torture_thread_begin();
    torture_calls_begin();
    dl_iterate_phdr(find_spared, NULL);
    shows = getenv("VAULT_TORTURE_SHOW") != NULL;
    backtrace(frames, 1); /* the first one loads a library */
}
