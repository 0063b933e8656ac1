/*
 * open_case - what citizens asked the city to see to, and which waits for an answer: that a source
 * corrects a value, or that the data-protection officer looks at what a service did.
 *
 * The list only says that there is something and whose it is, so that an operator finds it without
 * opening every citizen's file. What was asked stands in the citizen's file, and so does whether it
 * is over. A case is put in before its record, so that none is ever missing; one whose record is
 * not there, or is over, means nothing and is dropped by whoever finds that out.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/store/citizen.h"
#include "vault/store/store.h"

#define OPEN_CASE_ID_CHARS 26
#define OPEN_CASES_MAX     32 /* of one citizen and kind */

enum open_case_kind { OPEN_CASE_CORRECTION = 1, OPEN_CASE_REPORT = 2 };

struct open_case {
    char id[OPEN_CASE_ID_CHARS + 1]; /* sorts by time */
    enum open_case_kind kind;
    struct citizen_id citizen;
    int64_t opened_s;
};

/* VAULT_NOT_FOUND if there is no such citizen, VAULT_LIMITED if they have as many as there may be,
 * VAULT_INVALID for an id of another length. */
enum vault_code open_case_add(struct store *store, const struct open_case *what,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* Dropping what is not there is fine. */
enum vault_code open_case_drop(struct store *store, const char *id, struct vault_error *err)
    VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND if there is none of that kind. */
enum vault_code open_case_find(struct store *store, enum open_case_kind kind, const char *id,
                               struct open_case *out, struct vault_error *err) VAULT_MUST_CHECK;

/* Those of a kind behind an id (empty: all), the oldest first, limit at most; *count is how many.
 */
enum vault_code open_case_list(struct store *store, enum open_case_kind kind, const char *after,
                               struct open_case cases[], size_t limit, size_t *count,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* How many of a kind there are. */
enum vault_code open_case_count(struct store *store, enum open_case_kind kind, uint64_t *count,
                                struct vault_error *err) VAULT_MUST_CHECK;
