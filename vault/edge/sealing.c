#include "vault/edge/sealing.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "vault/edge/problem.h"

#define RETRY_AFTER_S 30

struct sealing {
    pthread_rwlock_t lock;
    struct sealing_calls calls;
    struct vault *vault; /* NULL: sealed */
};

enum vault_code sealing_new(const struct sealing_calls *calls, struct sealing **out,
                            struct vault_error *err)
{
    pthread_rwlockattr_t attributes;
    struct sealing *sealing = calloc(1, sizeof *sealing);
    if (!sealing)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    /* Who wants to seal comes before who comes later to be served. */
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&sealing->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
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
    pthread_rwlock_destroy(&gone->lock);
    free(gone);
}

struct vault *sealing_enter(struct sealing *sealing)
{
    pthread_rwlock_rdlock(&sealing->lock);
    return sealing->vault;
}

void sealing_leave(struct sealing *sealing)
{
    pthread_rwlock_unlock(&sealing->lock);
}

void sealing_interrupt(struct sealing *sealing)
{
    if (sealing_enter(sealing) && sealing->calls.interrupt)
        sealing->calls.interrupt(sealing->calls.context);
    sealing_leave(sealing);
}

enum vault_code sealing_seal(struct sealing *sealing, struct vault_error *err)
{
    sealing_interrupt(sealing);
    pthread_rwlock_wrlock(&sealing->lock);
    const bool was_open = sealing->vault != NULL;
    if (was_open)
        sealing->calls.close(sealing->calls.context);
    sealing->vault = NULL;
    pthread_rwlock_unlock(&sealing->lock);
    return was_open ? VAULT_OK : vault_fail(err, VAULT_CONFLICT, "the vault is sealed already");
}

enum vault_code sealing_unseal(struct sealing *sealing, const struct secret *secret,
                               struct vault_error *err)
{
    enum vault_code code = VAULT_OK;
    struct vault *vault = NULL;
    pthread_rwlock_wrlock(&sealing->lock);
    if (sealing->vault) {
        code = vault_fail(err, VAULT_CONFLICT, "the vault is open already");
    } else {
        code = sealing->calls.open(sealing->calls.context, secret, &vault, err);
        if (code)
            sealing->calls.close(sealing->calls.context);
        else
            sealing->vault = vault;
    }
    pthread_rwlock_unlock(&sealing->lock);
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
