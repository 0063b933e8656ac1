/*
 * request - a service asks some citizen for consent, and waits.
 *
 *     PENDING --answer--> GRANTED | REFUSED
 *        \---- by the service --> CANCELLED      \-- by time --> EXPIRED
 *
 * Nothing leaves an end state. A request is found by its id (the service's side) or by its code,
 * which a citizen types: only the code's hash is kept. The first citizen to open it claims it, and
 * from then on it is theirs alone. What is asked is JSON that the domain writes and reads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/store/citizen.h"
#include "vault/store/control_service.h"

#define REQUEST_ID_CHARS       32
#define REQUEST_JSON_MAX_BYTES (64UL * 1024)
#define REQUEST_PENDING_MAX    10000 /* of one service */

enum request_state { /* stored: never renumber */
                     REQUEST_PENDING = 1,
                     REQUEST_GRANTED = 2,
                     REQUEST_REFUSED = 3,
                     REQUEST_EXPIRED = 4,
                     REQUEST_CANCELLED = 5,
};

struct request {
    char id[REQUEST_ID_CHARS + 1];
    char service[CONTROL_SERVICE_ID_CHARS + 1];
    uint8_t code_hash[SHA256_BYTES];
    enum request_state state;
    int64_t created_s;
    int64_t expires_s;
    bool claimed;
    struct citizen_id citizen; /* once claimed */
    int64_t consent_seq;       /* the citizen's record that answered it; 0: none */
    uint32_t tries;            /* wrong things typed after the code was right */
};

/*
 * Store a new one with its JSON: id, service, code_hash, created_s and expires_s are read.
 * VAULT_CONFLICT   the id is taken, or the code is in use by a pending request: draw another
 * VAULT_NOT_FOUND  there is no such service
 * VAULT_LIMITED    the service has REQUEST_PENDING_MAX pending
 */
enum vault_code request_add(struct store *store, const struct request *request, struct bytes json,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* By id, or the pending one by code. Appends the JSON to json, which may be NULL. VAULT_NOT_FOUND.
 * Whether it is the asking service's own, and whether its time is over, is the caller's to check.
 */
enum vault_code request_get(struct store *store, const char *id, struct request *out,
                            struct buf *json, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code request_by_code(struct store *store, const uint8_t code_hash[SHA256_BYTES],
                                struct request *out, struct buf *json, struct vault_error *err)
    VAULT_MUST_CHECK;

/* A citizen opened it. Twice by the same is fine. VAULT_NOT_FOUND if it is not pending or
 * another's. */
enum vault_code request_claim(struct store *store, const char *id, const struct citizen_id *citizen,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* One more wrong try; *tries is the count so far. VAULT_NOT_FOUND if it is not pending. */
enum vault_code request_tried(struct store *store, const char *id, uint32_t *tries,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* The answer of the citizen who claimed it: granted with the record, or refused with consent_seq 0
 * or that of a refusal. VAULT_CONFLICT if it is not pending any more; VAULT_NOT_FOUND if it is
 * another's. */
enum vault_code request_answer(struct store *store, const char *id,
                               const struct citizen_id *citizen, enum request_state state,
                               int64_t consent_seq, struct vault_error *err) VAULT_MUST_CHECK;

/* The service's own pending request, which this citizen claimed (NULL: nobody did). VAULT_CONFLICT
 * if it is not pending any more; VAULT_NOT_FOUND if it is another's, or claimed otherwise. */
enum vault_code request_cancel(struct store *store, const char *id, const char *service,
                               const struct citizen_id *citizen, struct vault_error *err)
    VAULT_MUST_CHECK;

typedef enum vault_code request_each(void *context, const struct request *request,
                                     struct bytes json, struct vault_error *err);

/* Those a citizen claimed, newest first, in one state (0: any), at most limit. */
enum vault_code request_list(struct store *store, const struct citizen_id *citizen,
                             enum request_state state, size_t limit, request_each *each,
                             void *context, struct vault_error *err) VAULT_MUST_CHECK;

/* Mark as expired what is pending past its time, at most limit; *count is how many. */
enum vault_code request_expire(struct store *store, int64_t now_s, size_t limit, uint64_t *count,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* Remove what ended and expired before a time, at most limit; *count is how many. */
enum vault_code request_prune(struct store *store, int64_t expired_before_s, size_t limit,
                              uint64_t *count, struct vault_error *err) VAULT_MUST_CHECK;
