/*
 * opening - what an entry's commitments stand for, and the salts that prove it.
 *
 * A commitment is HMAC-SHA-256 (RFC 2104) of a value under a salt of 32 random bytes, fresh for
 * each entry and key. Whoever is shown value and salt can check that the log holds exactly that;
 * without the salt nobody can find the value by guessing, and once the salt is destroyed nobody
 * ever can. An opening is the set of values and salts of one entry, as JSON:
 *
 *     {"subject":{"salt":"BASE64","value":"…"},"what":{"salt":"BASE64","value":"…"}}
 *
 * The caller seals it under the citizen's own key and hands it to ledger_enqueue() with the entry;
 * the ledger cannot read it. What an auditor is given is one line for each entry,
 * {"index":N,"fields":OPENING}, and vault-audit verify --openings checks it.
 *
 * Values are UTF-8 text without a NUL, and never hold the value of a field. Some have a form of
 * their own; the auditor's checks read the first two:
 *
 *     subject   CITIZEN N PREVIOUS      N counts the citizen's entries from 1; PREVIOUS is the
 *                                       leaf hash of the one before in base64, "-" for the first
 *     basis     consent ID VERSION      or any other text that names a lawful basis
 *     answer    HASH                    SHA-256 of the answer's body in base64
 *
 * A release after a withdrawal is on the same basis when ID is the same, whatever the VERSION.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/base/json.h"
#include "vault/ledger/entry.h"

#define OPENING_SALT_BYTES      32
#define OPENING_VALUE_MAX_BYTES (12 * 1024) /* of one key */
#define OPENING_MAX_BYTES       (15 * 1024) /* of the JSON: sealed, it fits LEDGER_OPENING_MAX_BYTES */

struct opening_field {
    bool present;
    uint8_t salt[OPENING_SALT_BYTES];
    struct bytes value; /* borrowed */
};

struct opening {
    struct opening_field fields[ENTRY_KEY_COUNT]; /* by enum entry_key */
};

/* The commitment to a value under a salt. */
void opening_commitment(uint8_t out[ENTRY_COMMITMENT_BYTES], const uint8_t salt[OPENING_SALT_BYTES],
                        struct bytes value);

/* Open the key with the value (borrowed) under a fresh salt, and commit the entry to it. */
void opening_commit(struct opening *opening, struct entry *entry, enum entry_key key,
                    struct bytes value);

/* Append the opening's JSON. VAULT_TOO_LARGE over the limits above. */
enum vault_code opening_write(const struct opening *opening, struct buf *out,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* Read an opening's JSON, as text or as a tree; the values are copied into storage, which is this
 * opening's alone, and out borrows them from there. VAULT_INVALID for anything but what
 * opening_write() writes, white space and order aside. */
enum vault_code opening_parse(struct bytes json, struct buf *storage, struct opening *out,
                              struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code opening_parse_json(const json_t *root, struct buf *storage, struct opening *out,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_DENIED unless every key that the opening has is what the entry committed to. */
enum vault_code opening_check(const struct opening *opening, const struct entry *entry,
                              struct vault_error *err) VAULT_MUST_CHECK;
