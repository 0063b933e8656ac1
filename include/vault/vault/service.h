/*
 * service - the local services that are registered, as they are at this moment.
 *
 * A registration is JSON:
 *
 *     {"id":"plie-rennes","name":"Legal name","contact":"dpo@…",
 *      "classes":["employment.caseworker"],"purposes":["employment.support"],
 *      "atoms":["assurance_at_least"],"quota":6000}
 *
 * quota is how many requests a minute it may make (quota.h), and may be missing. atoms are the
 * conditions that the service may assert in a request. Who a client is follows from its
 * certificate's key, looked up on every request: a suspension or a revocation acts on the next one,
 * also on a connection that is open. The look-up is in memory; it is made again whenever the store
 * says that something changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/json.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/secret.h"
#include "vault/policy/policy.h"
#include "vault/store/control_service.h"
#include "vault/vault/vault.h"

#define SERVICE_ID_CHARS      64
#define SERVICE_NAME_CHARS    200
#define SERVICE_LIST_MAX      64 /* classes, purposes, atoms: of each */
#define SERVICE_DEPTH_MAX     4
#define SERVICE_QUOTA_DEFAULT 600000 /* requests a minute */
#define SERVICE_QUOTA_MAX     100000000

/* A list of names; they point into the registration. */
struct service_names {
    const char *names[SERVICE_LIST_MAX];
    size_t count;
};

struct service {
    const char *id;
    const char *name;
    const char *contact;
    struct service_names classes;
    struct service_names purposes;
    struct service_names atoms;
    int64_t quota; /* requests a minute, from 1 on */
    bool active;
    int64_t removed_s; /* 0: it was not; else there is nothing of it but id, name and contact */
    struct secret *subject_key; /* what this service's subjects are made with */
    json_t *registration;       /* owns the texts above */
};

bool service_has(const struct service_names *names, struct bytes name);

/* A service held: it stays as it is until service_release(), whatever changes meanwhile. */
struct service_hold {
    const struct service *service; /* NULL: nothing held */
    struct service_registry *registry;
};

void service_release(struct service_hold *hold);

/* Whether service_by_key() finds what it needs in memory. After a change the next to come reads all
 * registrations again. */
bool service_registry_is_fresh(struct vault *vault);

/* The service of an active certificate. VAULT_DENIED if the key is unknown or revoked, or the
 * service is suspended or removed. */
enum vault_code service_by_key(struct vault *vault, const uint8_t spki[SHA256_BYTES],
                               struct service_hold *out, struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND. A suspended service is found. */
enum vault_code service_by_id(struct vault *vault, struct bytes id, struct service_hold *out,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* The same, and one that was removed too: for what is told of it. */
enum vault_code service_by_id_ever(struct vault *vault, struct bytes id, struct service_hold *out,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* A number that changes whenever a service does. Never 0, never fails. */
uint64_t service_generation(struct vault *vault);

/* The service as a policy knows it; for no policy, somebody whom no rule covers. */
struct policy_actor service_actor(const struct service *service, const struct policy *policy);

/* Register from JSON text. VAULT_INVALID says where; VAULT_CONFLICT if the id is taken. Logged. */
enum vault_code service_add(struct vault *vault, struct bytes registration, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Register the key of a service, or of an auditor under a name. Logged. VAULT_CONFLICT if the key
 * is known already. */
enum vault_code service_add_key(struct vault *vault, enum control_certificate_kind kind,
                                const char *owner, const uint8_t spki[SHA256_BYTES],
                                int64_t expires_s, struct vault_error *err) VAULT_MUST_CHECK;

/* A key is not to be trusted any more; acts on the next request. Logged. VAULT_NOT_FOUND if it is
 * not known. */
enum vault_code service_revoke_key(struct vault *vault, enum control_certificate_kind kind,
                                   const uint8_t spki[SHA256_BYTES], struct vault_error *err)
    VAULT_MUST_CHECK;

/* Put another registration in the place of a service's: the id says of which; its state stays. A
 * purpose that is not in it any more has nothing released from the next request on. Logged.
 * VAULT_INVALID as service_add(); VAULT_NOT_FOUND, also for one that was removed. */
enum vault_code service_update(struct vault *vault, struct bytes registration,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* Remove a service for good; acts on the next request. What it asks is cancelled at once, and what
 * citizens gave it ends when each is next held (cascade.h), as of now. Logged. VAULT_NOT_FOUND;
 * VAULT_CONFLICT if it was removed already. */
enum vault_code service_remove(struct vault *vault, const char *id, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Suspend a service, or let it in again; acts on the next request. Logged. VAULT_NOT_FOUND;
 * VAULT_CONFLICT for one that was removed. */
enum vault_code service_set_state(struct vault *vault, const char *id,
                                  enum control_service_state state, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Append all services but removed ones, as a JSON list of {"id","name","state"}. */
enum vault_code service_list(struct vault *vault, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The operator handed a service its subjects of citizens. Logged. */
enum vault_code service_enrolled(struct vault *vault, const char *id, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Trust none of an auditor's keys any more; acts on the next request. Logged. VAULT_NOT_FOUND if
 * there is no active key under that name. */
enum vault_code service_remove_auditor(struct vault *vault, const char *name,
                                       struct vault_error *err) VAULT_MUST_CHECK;

/* The name of the auditor whose key it is, NUL-ended; name NULL: it is not wanted. VAULT_DENIED if
 * it is nobody's, or revoked. */
enum vault_code service_auditor_by_key(struct vault *vault, const uint8_t spki[SHA256_BYTES],
                                       char name[CONTROL_SERVICE_ID_CHARS + 1],
                                       struct vault_error *err) VAULT_MUST_CHECK;
