/*
 * correction - what is wrong is put right (GDPR article 16): by the citizen where they said it
 * themselves, by its source where somebody else did.
 *
 * Whose a value is shows by its source: the one that counts and is from CORRECTION_SOURCE was
 * declared by the citizen, who may declare it anew, checked against its type as an import is. What
 * the vault itself decides by, the date of birth, is never theirs to change.
 *
 * For the rest the citizen asks. That they did is a record and an entry of the log; the operator
 * finds it in a list which names the citizen by the city's reference, the field and the source, and
 * has no value and no words of the citizen's. It is over when another version of the value counts,
 * because the source brought one or an import did, or when the operator closes it; the citizen sees
 * which.
 *
 * A value stands in no list, no entry of the log, no argument and no error.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/store/citizen.h"
#include "vault/store/open_case.h"
#include "vault/vault/vault.h"

#define CORRECTION_SOURCE   "citizen"
#define CORRECTION_LIST_MAX 500 /* open ones, in one answer to the operator */

/* Whether a value of the field from that source is the citizen's own to correct. */
bool correction_is_own(const char *field, const char *source);

/*
 * Declare the value of a field anew, as JSON text of its type. Durable and in the log on return;
 * the value there is changes nothing.
 * VAULT_NOT_FOUND    there is no such citizen, or they have no such value
 * VAULT_DENIED       it is not the citizen's own
 * VAULT_INVALID      it is not of the field's type, or the policy's catalogue has no such field
 * VAULT_TOO_LARGE    it is over CITIZEN_VALUE_MAX_BYTES
 * VAULT_UNAVAILABLE  no policy is active, so that nobody knows its type
 * VAULT_LIMITED      the citizen has too many records
 */
enum vault_code correction_make(struct vault *vault, const struct citizen_id *citizen,
                                const char *field, struct bytes json, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Ask that the source of a field's value correct it. Asked for twice it changes nothing.
 * VAULT_NOT_FOUND  there is no such citizen, or they have no such value
 * VAULT_DENIED     it is the citizen's own: correction_make()
 * VAULT_LIMITED    OPEN_CASES_MAX wait already */
enum vault_code correction_ask(struct vault *vault, const struct citizen_id *citizen,
                               const char *field, struct vault_error *err) VAULT_MUST_CHECK;

enum correction_state {
    CORRECTION_WAITS,
    CORRECTION_DONE,  /* another version of the value counts since */
    CORRECTION_CLOSED /* the operator closed it, and the value is as it was */
};

/* What was asked last of a field. Borrowed. */
struct correction {
    const char *id;
    const char *field;
    const char *source; /* of the value that was wrong */
    int64_t asked_s;
    enum correction_state state;
    int64_t ended_s; /* of a closed one */
};

typedef enum vault_code correction_each(void *context, const struct correction *correction,
                                        struct vault_error *err);

/* Each field's newest, for the citizen's own eyes. */
enum vault_code correction_list(struct vault *vault, const struct citizen_id *citizen,
                                correction_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;

/* --- For the operator ----------------------------------------------------------------------- */

/*
 * Append those that wait, the oldest first, CORRECTION_LIST_MAX at most:
 *
 *     [{"id":ULID,"reference":"…","field":"…","source":"…","asked":INSTANT}]
 *
 * What is over is dropped from the list on the way. That it was looked at is an entry of the log.
 */
enum vault_code correction_open_list(struct vault *vault, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Close one; the citizen is told. VAULT_NOT_FOUND: there is none that waits. */
enum vault_code correction_close(struct vault *vault, const char *id, struct vault_error *err)
    VAULT_MUST_CHECK;
