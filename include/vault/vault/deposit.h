/*
 * deposit - a service brings values for a citizen, where the policy has a "deposit" rule for it.
 *
 * All of one deposit is taken or nothing: every field must be one that the catalogue has as a
 * stored one, every value of its type, and every field covered by a deposit rule for the service,
 * under one purpose. Each value becomes a version of its field, with the service's id as its source
 * and the time it was true; which version counts is citizen_value.h's to say: the one of the latest
 * time, whoever it is from, and of one time the one put last. So a deposit does not hide what the
 * citizen declared later, and a late one does not hide a newer one.
 *
 * The citizen's log has the deposit before it is acknowledged: who, for which purpose, and the
 * names of the fields. A deposit that is refused is there too. Values and record are stored in one
 * transaction, and the entry that a crash kept from the log is made when the citizen is next held,
 * before anything else is decided.
 *
 * An unknown subject, another service's and an erased citizen are refused just like a field without
 * a rule, by the same answer and the same steps. They are never said to be stored: a service that
 * may deposit learns no more from the refusal than that nothing was.
 */
#pragma once

#include <stdint.h>

#include "vault/base/json.h"
#include "vault/vault/service.h"

#define DEPOSIT_FIELDS_MAX   64
#define DEPOSIT_BYTES_MAX    (64U * 1024) /* of all values together */
#define DEPOSIT_ANSWER_BYTES (16U * 1024)

/* One value. Borrowed. */
struct deposit_value {
    struct bytes field;
    const json_t *value;
    int64_t as_of_s;
    bool has_as_of; /* false: now */
};

/* What a service brings. Borrowed. */
struct deposit_request {
    const uint8_t *client_spki;
    struct bytes subject;
    struct bytes purpose; /* data NULL: the first of the registration's under which all may go */
    const struct deposit_value *values;
    size_t value_count;    /* 1 to DEPOSIT_FIELDS_MAX; no field twice */
    const json_t *context; /* an object of atoms, or NULL */
};

enum deposit_fault {
    DEPOSIT_NO_FAULT,
    DEPOSIT_UNKNOWN_PURPOSE,
    DEPOSIT_UNKNOWN_FIELD, /* or a derived one, which is computed and never stored */
    DEPOSIT_BAD_VALUE,     /* not of the field's type */
    DEPOSIT_BAD_TIME,      /* in the future */
    DEPOSIT_SHUT           /* nobody outside has confirmed the log */
};

/* What is wrong, and with which value. */
struct deposit_wrong {
    enum deposit_fault fault;
    size_t at;
};

/*
 * Append the answer's JSON to body, whose ceiling is at least DEPOSIT_ANSWER_BYTES:
 *
 *     {"deposit":ULID,"subject":"…","purpose":"…","stored":{FIELD:{"as_of":"2027-01-02"}},
 *      "log":{"origin":"…","index":1234,"leaf":"base64"}}
 *
 * VAULT_INVALID      wrong->fault says what; nothing was decided or logged
 * VAULT_NOT_FOUND    the subject does not have the shape of one; likewise
 * VAULT_DENIED       refused, or there is nobody: nothing was stored, and the log has that
 * VAULT_UNAVAILABLE  no policy is active, or wrong->fault is DEPOSIT_SHUT; or else as for all below
 * VAULT_LIMITED, VAULT_CORRUPT, VAULT_IO  nothing was acknowledged
 */
enum vault_code deposit_perform(struct vault *vault, const struct service *service,
                                const struct deposit_request *request, struct buf *body,
                                struct deposit_wrong *wrong, struct vault_error *err)
    VAULT_MUST_CHECK;
