#include "refused_memory.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned before;
static unsigned left;

void refuse_memory(unsigned first, unsigned refusals)
{
    pthread_mutex_lock(&mutex);
    before = first;
    left = refusals;
    pthread_mutex_unlock(&mutex);
}

unsigned refused_memory_left(void)
{
    pthread_mutex_lock(&mutex);
    const unsigned count = left;
    left = 0;
    pthread_mutex_unlock(&mutex);
    return count;
}

static bool is_refused(void)
{
    pthread_mutex_lock(&mutex);
    const bool is_early = left > 0 && before > 0;
    const bool is_refused = left > 0 && before == 0;
    before -= is_early;
    left -= is_refused;
    pthread_mutex_unlock(&mutex);
    return is_refused;
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}
