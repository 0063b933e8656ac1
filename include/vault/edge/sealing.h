/*
 * sealing - whether there is an open vault, for everybody who serves.
 *
 * Sealed, a daemon listens and has no vault: no key is in memory and no file is open. It answers
 * /healthz with 200, everything else with 503, and the operator's "unseal" opens the vault again.
 * Sealing waits until what is being answered is answered; what only waits is woken first.
 *
 *     struct vault *vault = sealing_enter(sealing);
 *     if (vault)
 *         … use it …
 *     sealing_leave(sealing);
 *
 * Who opens and closes is the program: it knows with what.
 */
#pragma once

#include "vault/crypto/secret.h"
#include "vault/edge/http.h"
#include "vault/vault/vault.h"

struct sealing;

struct sealing_calls {
    void *context;

    /* Open the vault, with what a person gave for the provider (NULL: nothing), and all that hangs
     * on it; close it again, at the end or after an opening that failed half-way. */
    enum vault_code (*open)(void *context, const struct secret *secret, struct vault **out,
                            struct vault_error *err);
    void (*close)(void *context);

    /* Have calls that wait for something return; NULL: there are none. */
    void (*interrupt)(void *context);
};

/* Sealed at first. */
enum vault_code sealing_new(const struct sealing_calls *calls, struct sealing **out,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* Seal, and free. Nobody is inside. */
void sealing_free(struct sealing **sealing);

/* The vault, or NULL while it is sealed; in either case until sealing_leave(). Short: others wait
 * to seal. */
struct vault *sealing_enter(struct sealing *sealing);
void sealing_leave(struct sealing *sealing); /* by whatever thread */

/* The same without waiting: false, and not inside, while somebody seals or unseals. */
bool sealing_try_enter(struct sealing *sealing, struct vault **out);

/* VAULT_CONFLICT if it is sealed, or open, already. Not from inside. What does not open leaves it
 * sealed, with the codes of vault_open(). */
enum vault_code sealing_seal(struct sealing *sealing, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code sealing_unseal(struct sealing *sealing, const struct secret *secret,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* Have calls that wait return, now and until it is sealed: before the listeners are stopped. */
void sealing_interrupt(struct sealing *sealing);

/* An http_handler in front of another, which is called inside, with the vault open. The context is
 * a struct sealed_handler. */
struct sealed_handler {
    struct sealing *sealing;
    http_handler *handler;
    void *context;
    http_starter *starter; /* for sealed_start() */
    int tick_fd;           /* of its rests, as in listener.h */
};

void sealed_handle(void *context, const struct http_request *request, struct http_answer *answer);

/* The http_starter of such a handler. What it began stays inside until it is whole. */
enum http_progress sealed_start(void *context, const struct http_request *request,
                                struct http_answer *answer, struct http_rest *rest);
