/*
 * mandate_index - which structure has a mandate of which citizen, and the printed codes that give
 * one.
 *
 * The index only says where to look: whether a mandate is in force, and for what, stands in the
 * citizen's file. A row whose mandate is not there, or is over, means nothing and is dropped by
 * whoever finds that out. A row is put in before the record, so that no mandate is ever missing.
 *
 * Codes are kept as hashes under a key of the vault's. Each counts once and for its time alone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/store/citizen.h"
#include "vault/store/slice.h"
#include "vault/store/store.h"
#include "vault/store/structure.h"

#define MANDATE_INDEX_ID_CHARS 26
#define MANDATE_INDEX_MAX      2000 /* mandates of one structure */
#define MANDATE_CODES_MAX      10   /* of one citizen; new ones take the place of all before */

struct mandate_place {
    char id[MANDATE_INDEX_ID_CHARS + 1];
    char structure[STRUCTURE_ID_CHARS + 1];
    struct citizen_id citizen;
};

/* VAULT_NOT_FOUND if there is no such citizen, or no such structure any more; VAULT_LIMITED. */
enum vault_code mandate_index_add(struct store *store, const struct mandate_place *place,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* Dropping what is not there is fine. */
enum vault_code mandate_index_drop(struct store *store, const char *id, struct vault_error *err)
    VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND if there is none, or it is another structure's. */
enum vault_code mandate_index_find(struct store *store, const char *structure, const char *id,
                                   struct mandate_place *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* A structure's newest, limit at most, into places; *count is how many. */
enum vault_code mandate_index_list(struct store *store, const char *structure,
                                   struct mandate_place places[], size_t limit, size_t *count,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* 1 to MANDATE_CODES_MAX codes in the place of all that the citizen had. VAULT_NOT_FOUND. */
enum vault_code mandate_codes_put(struct store *store, const struct citizen_id *citizen,
                                  const uint8_t hashes[][SHA256_BYTES], size_t count,
                                  int64_t expires_s, struct vault_error *err) VAULT_MUST_CHECK;

/* Whose the code is. VAULT_NOT_FOUND if there is no such code, or its time is over. */
enum vault_code mandate_code_find(struct store *store, const uint8_t hash[SHA256_BYTES],
                                  int64_t now_s, struct citizen_id *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The code counts no more. VAULT_NOT_FOUND: it did not any more, and of two at once one loses. */
enum vault_code mandate_code_take(struct store *store, const uint8_t hash[SHA256_BYTES],
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* Remove those codes whose time is over, of the next piece of all (slice.h). */
enum vault_code mandate_codes_prune(struct store *store, int64_t now_s, struct slice *slice,
                                    struct vault_error *err) VAULT_MUST_CHECK;
