/*
 * digest - which citizens want to be told by e-mail that something is new in their vault, and
 * where.
 *
 * One row a citizen at most, gone with the citizen. The address is sealed by the domain, under the
 * citizen's own key: here it is bytes. Until it is confirmed there is the hash of a code that was
 * sent there; what is due is found by its time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/seal.h"
#include "vault/store/account.h"
#include "vault/store/citizen.h"
#include "vault/store/store.h"

#define DIGEST_ADDRESS_CHARS    254 /* RFC 5321 section 4.5.3.1.3, without the brackets */
#define DIGEST_SEALED_MAX_BYTES (DIGEST_ADDRESS_CHARS + SEAL_OVERHEAD_BYTES)
#define DIGEST_STOP_BYTES       16
#define DIGEST_DUE_MAX          100

struct digest {
    struct citizen_id citizen;
    uint8_t address[DIGEST_SEALED_MAX_BYTES]; /* sealed */
    uint8_t code_hash[SHA256_BYTES]; /* of the code to confirm with; when confirmed, zeros */
    uint8_t stop[DIGEST_STOP_BYTES]; /* names the row to who has a message, to end it; unique */
    char language[ACCOUNT_LANGUAGE_CHARS + 1];
    bool confirmed;
    uint32_t tries;       /* wrong codes */
    uint32_t failures;    /* of sending, since the last that was sent */
    size_t address_bytes; /* of it, from 1 on */
    int64_t every_s;      /* between two messages, from 1 on */
    uint64_t told_n;      /* the citizen's count when they were last told */
    int64_t due_s;        /* the next message; until confirmed, the code's end */
    int64_t urgent_s;     /* the next one about signing in; 0: there is nothing to tell */
    int64_t urged_s;      /* when the last of those was taken; 0: never */
    int64_t tried_s;      /* when one last told of wrong tries; 0: never */
};

/* In the place of the one there is. VAULT_NOT_FOUND if there is no such citizen, VAULT_INVALID for
 * an address or a language that is empty or too long, or no time between messages. */
enum vault_code digest_put(struct store *store, const struct digest *digest,
                           struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND. */
enum vault_code digest_get(struct store *store, const struct citizen_id *citizen,
                           struct digest *out, struct vault_error *err) VAULT_MUST_CHECK;

/* Dropping what is not there is fine: one citizen's, the one of that name, those whose code was not
 * used by then, every one. */
enum vault_code digest_drop(struct store *store, const struct citizen_id *citizen,
                            struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code digest_drop_named(struct store *store, const uint8_t stop[DIGEST_STOP_BYTES],
                                  struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code digest_drop_unused(struct store *store, int64_t now_s, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code digest_drop_all(struct store *store, struct vault_error *err) VAULT_MUST_CHECK;

/* Of the confirmed ones those that are due, the longest due first, limit (1 to DIGEST_DUE_MAX) at
 * most; *count is how many. */
enum vault_code digest_due(struct store *store, int64_t now_s, struct digest out[], size_t limit,
                           size_t *count, struct vault_error *err) VAULT_MUST_CHECK;

/* Note how far a citizen was told, how often that failed, and when the next message is due: of
 * digest's members these alone. VAULT_NOT_FOUND if they do not want any more, or not there any
 * more: what ended or changed meanwhile does not come back by this. */
enum vault_code digest_note(struct store *store, const struct digest *digest,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* One about signing in is due now, or that long after the last: where none is due yet, and the
 * citizen wants any. */
enum vault_code digest_urge(struct store *store, const struct citizen_id *citizen, int64_t now_s,
                            int64_t gap_s, struct vault_error *err) VAULT_MUST_CHECK;

/* The same for every citizen whose account has so many wrong tries (1 at least), some of them made
 * since they were last told of that, which was so long ago. */
enum vault_code digest_urge_tried(struct store *store, uint32_t tries, int64_t now_s, int64_t gap_s,
                                  int64_t tried_gap_s, struct vault_error *err) VAULT_MUST_CHECK;

/* As digest_due(), those about signing in. */
enum vault_code digest_urgent(struct store *store, int64_t now_s, struct digest out[], size_t limit,
                              size_t *count, struct vault_error *err) VAULT_MUST_CHECK;

/* As digest_note(), of urgent_s and urged_s. */
enum vault_code digest_note_urgent(struct store *store, const struct digest *digest,
                                   struct vault_error *err) VAULT_MUST_CHECK;
