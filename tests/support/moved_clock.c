/*
 * moved_clock - preloaded into vaultd: its wall clock is the machine's and so many seconds more,
 * which another process may change at any time.
 *
 * The number is an int64_t in the file that MOVED_CLOCK names, mapped when the program starts, so
 * that reading it costs nothing and needs no file later. Only the wall clock is moved: what waits,
 * waits by the monotonic one. libfaketime is not used here, because it comes between a condition's
 * signal and its waiter, which under load then wait for their whole time.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef int clock_function(clockid_t, struct timespec *);

static clock_function *real_clock;
static const _Atomic int64_t *moved_s;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("MOVED_CLOCK");
    const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        abort();
    moved_s = mmap(NULL, sizeof *moved_s, PROT_READ, MAP_SHARED, fd, 0);
    if (moved_s == MAP_FAILED)
        abort();
    close(fd);
    *(void **)&real_clock = dlsym(RTLD_NEXT, "clock_gettime");
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    if (!real_clock) /* another library's constructor was first */
        *(void **)&real_clock = dlsym(RTLD_NEXT, "clock_gettime");
    const int result = real_clock(clock, out);
    if (result == 0 && moved_s && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        out->tv_sec += *moved_s;
    return result;
}

time_t time(time_t *out)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now = {0};
    (void)zone;
    const int result = clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return result;
}
