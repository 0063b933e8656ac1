/*
 * control_service - registered services, and the certificates by which services and auditors are
 * known.
 *
 * A registration is JSON that the domain writes and reads; this floor keeps it with its state. A
 * certificate is known by the SHA-256 of its subject public key info (SPKI) and belongs to one
 * owner: a service, or an auditor. It is never removed, only revoked, so that a revoked key cannot
 * be registered again.
 *
 * Whoever caches registrations asks control_service_generation() first: it changes with every
 * change made here, so that a suspension acts on the next request.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/store/store.h"

#define CONTROL_SERVICE_ID_CHARS       64
#define CONTROL_SERVICE_JSON_MAX_BYTES (64UL * 1024)
#define CONTROL_SERVICES_MAX           10000
#define CONTROL_CERTIFICATES_MAX       1000 /* of one owner */

enum control_service_state { /* stored: never renumber */
                             CONTROL_SERVICE_ACTIVE = 1,
                             CONTROL_SERVICE_SUSPENDED = 2,
                             CONTROL_SERVICE_REMOVED =
                                 3, /* keeps its id, which is never given again */
};

struct control_service {
    const char *id;
    struct bytes json;
    enum control_service_state state;
};

/* A number that is different after every change to services and certificates, also after one that
 * failed and may stand. Never fails. */
uint64_t control_service_generation(struct store *store);

/* Register. VAULT_CONFLICT if the id is taken, VAULT_LIMITED at CONTROL_SERVICES_MAX. */
enum vault_code control_service_add(struct store *store, const struct control_service *service,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* Replace the registration, keep the state. VAULT_NOT_FOUND. */
enum vault_code control_service_update(struct store *store, const char *id, struct bytes json,
                                       struct vault_error *err) VAULT_MUST_CHECK;

/*
 * Remove for good: the state, the registration that it is remembered by, and its pending access
 * requests, which are cancelled; all in one transaction, so that no request outlives its service.
 * VAULT_NOT_FOUND; VAULT_CONFLICT if it was removed already.
 */
enum vault_code control_service_remove(struct store *store, const char *id, struct bytes json,
                                       struct vault_error *err) VAULT_MUST_CHECK;

/* ACTIVE or SUSPENDED. VAULT_NOT_FOUND; VAULT_CONFLICT for a service that was removed. */
enum vault_code control_service_set_state(struct store *store, const char *id,
                                          enum control_service_state state, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Append the registration to json. VAULT_NOT_FOUND. */
enum vault_code control_service_get(struct store *store, const char *id, struct buf *json,
                                    enum control_service_state *state, struct vault_error *err)
    VAULT_MUST_CHECK;

typedef enum vault_code control_service_each(void *context, const struct control_service *service,
                                             struct vault_error *err);

/* All of them, removed ones too, by id. */
enum vault_code control_service_list(struct store *store, control_service_each *each, void *context,
                                     struct vault_error *err) VAULT_MUST_CHECK;

enum control_certificate_kind { /* stored: never renumber */
                                CONTROL_CERTIFICATE_SERVICE = 1,
                                CONTROL_CERTIFICATE_AUDITOR = 2,
};

enum control_certificate_state { /* stored: never renumber */
                                 CONTROL_CERTIFICATE_ACTIVE = 1,
                                 CONTROL_CERTIFICATE_REVOKED = 2,
};

struct control_certificate {
    enum control_certificate_kind kind;
    uint8_t spki[SHA256_BYTES];
    char owner[CONTROL_SERVICE_ID_CHARS + 1]; /* a service's id, or an auditor's name */
    enum control_certificate_state state;
    int64_t added_s;
    int64_t expires_s;
};

/* Active from now on; certificate->state is not read. VAULT_CONFLICT if that key is known already,
 * revoked or not; VAULT_NOT_FOUND if it is a service's and there is no such service; VAULT_LIMITED.
 */
enum vault_code control_certificate_add(struct store *store,
                                        const struct control_certificate *certificate,
                                        struct vault_error *err) VAULT_MUST_CHECK;

/* Revoking twice is fine. VAULT_NOT_FOUND. */
enum vault_code control_certificate_revoke(struct store *store, enum control_certificate_kind kind,
                                           const uint8_t spki[SHA256_BYTES],
                                           struct vault_error *err) VAULT_MUST_CHECK;

/* An active key has a new certificate, which ends then. VAULT_NOT_FOUND, also for a revoked one. */
enum vault_code control_certificate_extend(struct store *store, enum control_certificate_kind kind,
                                           const uint8_t spki[SHA256_BYTES], int64_t expires_s,
                                           struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND. A revoked one is found, with its state. */
enum vault_code control_certificate_find(struct store *store, enum control_certificate_kind kind,
                                         const uint8_t spki[SHA256_BYTES],
                                         struct control_certificate *out, struct vault_error *err)
    VAULT_MUST_CHECK;

typedef enum vault_code control_certificate_each(void *context,
                                                 const struct control_certificate *certificate,
                                                 struct vault_error *err);

/* Of one owner (NULL: of every), by owner and time. */
enum vault_code control_certificate_list(struct store *store, enum control_certificate_kind kind,
                                         const char *owner, control_certificate_each *each,
                                         void *context, struct vault_error *err) VAULT_MUST_CHECK;
