#include "vault/edge/sealing.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "vault/edge/problem.h"

#define RETRY_AFTER_S 30

struct sealing {
    struct sealing_calls calls;
    pthread_mutex_t mutex; /* over what follows; nobody waits with it held but for a change of it */
    pthread_cond_t changed; /* nobody opens or closes any more */
    pthread_cond_t left;    /* the last who was inside has left */
    bool changes;           /* somebody opens or closes, or waits for all to leave and then does */
    unsigned inside;
    struct vault *vault; /* NULL: sealed */
};

enum vault_code sealing_new(const struct sealing_calls *calls, struct sealing **out,
                            struct vault_error *err)
{
    struct sealing *sealing = calloc(1, sizeof *sealing);
    if (!sealing)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    pthread_mutex_init(&sealing->mutex, NULL);
    pthread_cond_init(&sealing->changed, NULL);
    pthread_cond_init(&sealing->left, NULL);
    sealing->calls = *calls;
    *out = sealing;
    return VAULT_OK;
}

void sealing_free(struct sealing **sealing)
{
    struct sealing *gone = VAULT_TAKE(*sealing);
    if (!gone)
        return;
    if (gone->vault)
        gone->calls.close(gone->calls.context);
    pthread_cond_destroy(&gone->left);
    pthread_cond_destroy(&gone->changed);
    pthread_mutex_destroy(&gone->mutex);
    free(gone);
}

/* With the mutex held. Who wants to seal comes before who comes later to be served. */
static void wait_for_change(struct sealing *sealing)
{
    while (sealing->changes)
        pthread_cond_wait(&sealing->changed, &sealing->mutex);
}

struct vault *sealing_enter(struct sealing *sealing)
{
    pthread_mutex_lock(&sealing->mutex);
    wait_for_change(sealing);
    sealing->inside++;
    struct vault *vault = sealing->vault;
    pthread_mutex_unlock(&sealing->mutex);
    return vault;
}

bool sealing_try_enter(struct sealing *sealing, struct vault **out)
{
    pthread_mutex_lock(&sealing->mutex);
    const bool may = !sealing->changes;
    sealing->inside += may;
    *out = sealing->vault;
    pthread_mutex_unlock(&sealing->mutex);
    return may;
}

void sealing_leave(struct sealing *sealing)
{
    pthread_mutex_lock(&sealing->mutex);
    if (--sealing->inside == 0)
        pthread_cond_signal(&sealing->left);
    pthread_mutex_unlock(&sealing->mutex);
}

void sealing_interrupt(struct sealing *sealing)
{
    if (sealing_enter(sealing) && sealing->calls.interrupt)
        sealing->calls.interrupt(sealing->calls.context);
    sealing_leave(sealing);
}

/* From here to end_change() the vault is the caller's alone. */
static struct vault *begin_change(struct sealing *sealing)
{
    pthread_mutex_lock(&sealing->mutex);
    wait_for_change(sealing);
    sealing->changes = true;
    while (sealing->inside)
        pthread_cond_wait(&sealing->left, &sealing->mutex);
    struct vault *vault = sealing->vault;
    pthread_mutex_unlock(&sealing->mutex);
    return vault;
}

static void end_change(struct sealing *sealing, struct vault *vault)
{
    pthread_mutex_lock(&sealing->mutex);
    sealing->vault = vault;
    sealing->changes = false;
    pthread_cond_broadcast(&sealing->changed);
    pthread_mutex_unlock(&sealing->mutex);
}

enum vault_code sealing_seal(struct sealing *sealing, struct vault_error *err)
{
    sealing_interrupt(sealing);
    const bool was_open = begin_change(sealing) != NULL;
    if (was_open)
        sealing->calls.close(sealing->calls.context);
    end_change(sealing, NULL);
    return was_open ? VAULT_OK : vault_fail(err, VAULT_CONFLICT, "the vault is sealed already");
}

enum vault_code sealing_unseal(struct sealing *sealing, const struct secret *secret,
                               struct vault_error *err)
{
    enum vault_code code = VAULT_OK;
    struct vault *vault = begin_change(sealing);
    if (vault) {
        code = vault_fail(err, VAULT_CONFLICT, "the vault is open already");
    } else {
        code = sealing->calls.open(sealing->calls.context, secret, &vault, err);
        if (code) {
            sealing->calls.close(sealing->calls.context);
            vault = NULL;
        }
    }
    end_change(sealing, vault);
    return code;
}

static void answer_sealed(const struct http_request *request, struct http_answer *answer)
{
    const bool reads = request->method == HTTP_GET || request->method == HTTP_HEAD;
    if (reads && strcmp(request->path, "/healthz") == 0) {
        answer->content_type = "text/plain; charset=utf-8";
        buf_text(&answer->body, "ok\n");
        return;
    }
    problem_write(answer, 503, "the vault is sealed", request->path);
    http_answer_header(answer, "Retry-After", "%d", RETRY_AFTER_S);
}

void sealed_handle(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct sealed_handler *sealed = context;
    if (sealing_enter(sealed->sealing))
        sealed->handler(sealed->context, request, answer);
    else
        answer_sealed(request, answer);
    sealing_leave(sealed->sealing);
}

static void leave(void *sealing)
{
    sealing_leave(sealing);
}

enum http_progress sealed_start(void *context, const struct http_request *request,
                                struct http_answer *answer, struct http_rest *rest)
{
    const struct sealed_handler *sealed = context;
    struct vault *vault;
    if (!sealing_try_enter(sealed->sealing, &vault))
        return HTTP_WOULD_WAIT;
    const enum http_progress progress =
        vault ? sealed->starter(sealed->context, request, answer, rest) : HTTP_WOULD_WAIT;
    if (progress == HTTP_AWAITS) {
        rest->leave = leave;
        rest->entered = sealed->sealing;
    } else {
        sealing_leave(sealed->sealing);
    }
    return progress;
}
