/*
 * control_citizen - who exists: the list of citizens, without anything they keep.
 *
 * Making and erasing are in citizen.h. Their wrapped keys lie here too, and only this floor reads
 * them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/store/citizen.h"

#define CONTROL_LIST_MAX 1000 /* rows that one call of any list of the control store gives */

struct control_citizen {
    struct citizen_id id;
    char reference[CITIZEN_REFERENCE_CHARS + 1]; /* "" for none */
    int64_t created_s;
    uint32_t key_version;
};

/* VAULT_NOT_FOUND  unknown or erased: the two are told apart nowhere */
enum vault_code control_citizen_find(struct store *store, const struct citizen_id *id,
                                     struct control_citizen *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* By the city's own reference. VAULT_NOT_FOUND. */
enum vault_code control_citizen_by_reference(struct store *store, const char *reference,
                                             struct control_citizen *out, struct vault_error *err)
    VAULT_MUST_CHECK;

typedef enum vault_code control_citizen_each(void *context, const struct control_citizen *citizen,
                                             struct vault_error *err);

/* In the order of ids, those behind *after (NULL: from the first), at most limit. */
enum vault_code control_citizen_list(struct store *store, const struct citizen_id *after,
                                     size_t limit, control_citizen_each *each, void *context,
                                     struct vault_error *err) VAULT_MUST_CHECK;

enum vault_code control_citizen_count(struct store *store, uint64_t *count, struct vault_error *err)
    VAULT_MUST_CHECK;
