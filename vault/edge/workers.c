#include "workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "vault/base/clock.h"

#define IDLE_MS 10000

struct worker {
    struct workers *workers;
    pthread_t thread;
    struct worker *next; /* of those that ended */
};

struct workers {
    pthread_mutex_t mutex;
    pthread_cond_t given; /* a job, or the end */
    pthread_cond_t ended; /* a thread has */
    pthread_attr_t attributes;
    unsigned threads_max;
    unsigned threads;
    unsigned idle;   /* of them */
    unsigned queued; /* jobs that no thread has taken */
    bool ending;
    struct worker *done; /* threads that came to their end, and are to be joined */
    struct job *first;
    struct job **end;
};

enum vault_code workers_new(unsigned threads_max, size_t stack_bytes, struct workers **out,
                            struct vault_error *err)
{
    struct workers *workers = calloc(1, sizeof *workers);
    if (!workers)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    pthread_mutex_init(&workers->mutex, NULL);
    clock_condition_init(&workers->given);
    pthread_cond_init(&workers->ended, NULL);
    pthread_attr_init(&workers->attributes);
    pthread_attr_setstacksize(&workers->attributes, stack_bytes);
    workers->threads_max = threads_max;
    workers->end = &workers->first;
    *out = workers;
    return VAULT_OK;
}

/* With the mutex held on both sides. NULL: there was nothing to do for a while, or the end came. */
static struct job *next_job(struct workers *workers)
{
    const struct timespec until = clock_deadline(IDLE_MS);
    int waited = 0;
    workers->idle++;
    while (!workers->first && !workers->ending && waited == 0)
        waited = pthread_cond_timedwait(&workers->given, &workers->mutex, &until);
    workers->idle--;
    struct job *job = workers->first;
    if (job) {
        workers->first = job->next;
        workers->queued--;
        if (!workers->first)
            workers->end = &workers->first;
    }
    return job;
}

static void *work(void *context)
{
    struct worker *self = context;
    struct workers *workers = self->workers;
    struct job *job;
    pthread_mutex_lock(&workers->mutex);
    while ((job = next_job(workers))) {
        pthread_mutex_unlock(&workers->mutex);
        job->run(job);
        pthread_mutex_lock(&workers->mutex);
    }
    workers->threads--;
    self->next = workers->done;
    workers->done = self;
    pthread_cond_signal(&workers->ended);
    pthread_mutex_unlock(&workers->mutex);
    return NULL;
}

/* With the mutex held. What a thread still does is to end: that is not waited for long. */
static void join_done(struct workers *workers)
{
    while (workers->done) {
        struct worker *done = workers->done;
        workers->done = done->next;
        pthread_join(done->thread, NULL);
        free(done);
    }
}

/* With the mutex held: one more thread if it is wanted and can be had. */
static void grow(struct workers *workers)
{
    if (workers->ending || workers->idle >= workers->queued ||
        workers->threads >= workers->threads_max)
        return;
    join_done(workers);
    struct worker *worker = malloc(sizeof *worker);
    if (!worker)
        return;
    *worker = (struct worker){.workers = workers};
    if (pthread_create(&worker->thread, &workers->attributes, work, worker) == 0)
        workers->threads++;
    else
        free(worker);
}

bool workers_give(struct workers *workers, struct job *job)
{
    pthread_mutex_lock(&workers->mutex);
    workers->queued++;
    grow(workers);
    const bool taken = workers->threads > 0 && !workers->ending;
    if (taken) {
        job->next = NULL;
        *workers->end = job;
        workers->end = &job->next;
        pthread_cond_signal(&workers->given);
    } else {
        workers->queued--;
    }
    pthread_mutex_unlock(&workers->mutex);
    return taken;
}

void workers_end(struct workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    workers->ending = true;
    pthread_cond_broadcast(&workers->given);
    while (workers->threads)
        pthread_cond_wait(&workers->ended, &workers->mutex);
    join_done(workers);
    pthread_mutex_unlock(&workers->mutex);
}

void workers_free(struct workers **workers)
{
    struct workers *gone = VAULT_TAKE(*workers);
    if (!gone)
        return;
    workers_end(gone);
    pthread_attr_destroy(&gone->attributes);
    pthread_cond_destroy(&gone->ended);
    pthread_cond_destroy(&gone->given);
    pthread_mutex_destroy(&gone->mutex);
    free(gone);
}
