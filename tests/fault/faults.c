#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t lifted = PTHREAD_COND_INITIALIZER;
static struct fault faults[FAULT_CALL_COUNT];
static unsigned struck[FAULT_CALL_COUNT];
static pthread_t arming_thread;

void fault_arm(enum fault_call call, struct fault fault)
{
    pthread_mutex_lock(&mutex);
    faults[call] = fault;
    struck[call] = 0;
    arming_thread = pthread_self();
    pthread_mutex_unlock(&mutex);
}

void fault_lift(enum fault_call call)
{
    pthread_mutex_lock(&mutex);
    faults[call] = (struct fault){0};
    pthread_cond_broadcast(&lifted);
    pthread_mutex_unlock(&mutex);
}

unsigned fault_struck(enum fault_call call)
{
    pthread_mutex_lock(&mutex);
    const unsigned count = struck[call];
    pthread_mutex_unlock(&mutex);
    return count;
}

/* What is to happen to this call. */
static struct fault strike(enum fault_call call)
{
    struct fault happens = {0};
    pthread_mutex_lock(&mutex);
    struct fault *fault = &faults[call];
    if (fault->kind != FAULT_NONE && !pthread_equal(pthread_self(), arming_thread)) {
        if (fault->after > 0) {
            fault->after--;
        } else {
            happens = *fault;
            struck[call]++;
            if (fault->times > 0 && --fault->times == 0)
                *fault = (struct fault){0};
        }
    }
    while (happens.kind == FAULT_HANG && faults[call].kind == FAULT_HANG)
        pthread_cond_wait(&lifted, &mutex);
    pthread_mutex_unlock(&mutex);
    return happens;
}

int fdatasync(int fd)
{
    const struct fault fault = strike(FAULT_FDATASYNC);
    if (fault.kind == FAULT_ERROR) {
        errno = fault.error;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    const struct fault fault = strike(FAULT_FSYNC);
    if (fault.kind == FAULT_ERROR) {
        errno = fault.error;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    const struct fault fault = strike(FAULT_PWRITE);
    if (fault.kind == FAULT_ERROR) {
        errno = fault.error;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, data, fault.kind == FAULT_SHORT ? size / 2 : size, offset);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    const struct fault fault = strike(FAULT_FALLOCATE);
    if (fault.kind == FAULT_ERROR)
        return fault.error;
    return syscall(SYS_fallocate, fd, 0, offset, size) == 0 ? 0 : errno;
}
