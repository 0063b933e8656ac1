/*
 * release - the one door.
 *
 * Nothing outside this module reads a field's value for a service. For one request it finds the
 * citizen behind the subject, holds them, asks the policy and their decisions, puts each value into
 * the form that all of those allow, builds the answer, enters it into the access log, lets go of
 * the citizen, waits until the entry is on disk, and only then hands the answer over.
 *
 * An unknown subject, an erased citizen and one who refused get the same answer, and go the same
 * way through the same steps.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/json.h"
#include "vault/crypto/hash.h"
#include "vault/ledger/ledger.h"
#include "vault/vault/repeat.h"
#include "vault/vault/service.h"

#define RELEASE_FIELDS_MAX      64
#define RELEASE_ATOMS_MAX       32
#define RELEASE_REFERENCE_CHARS 64
#define RELEASE_ANSWER_BYTES    (512U * 1024)

/* One field asked for. Borrowed. */
struct release_ask {
    struct bytes field;
    struct bytes form; /* data NULL: the most that is allowed */
};

/* What a service asks. Borrowed. */
struct release_request {
    const uint8_t *client_spki;
    struct bytes subject;
    struct bytes purpose;
    const struct release_ask *asks;
    size_t ask_count;                /* 1 to RELEASE_FIELDS_MAX; no field twice */
    const json_t *context;           /* an object of atoms, or NULL */
    bool wants_proof;                /* add the proof that the entry is in the log */
    const struct repeat_key *repeat; /* it may come again; NULL: it may not */
    bool at_once; /* do it without waiting, or not at all; an open file is read */
};

/* Where a request names something that the policy does not know; or the door is shut, for everybody
 * and whatever is asked, since nobody outside has confirmed the log; or what was to be done at once
 * cannot be: the citizen's file is not open, somebody holds it, or it has to be written to. */
enum release_fault {
    RELEASE_NO_FAULT,
    RELEASE_UNKNOWN_PURPOSE,
    RELEASE_UNKNOWN_FIELD,
    RELEASE_SHUT,
    RELEASE_WOULD_WAIT
};

/*
 * Append the answer's JSON (contract: service API, section 3) to body, whose ceiling is at least
 * RELEASE_ANSWER_BYTES.
 *
 * VAULT_INVALID      *fault says which name is unknown; nothing was decided or logged
 * VAULT_UNAVAILABLE  *fault is RELEASE_SHUT if the door is, RELEASE_WOULD_WAIT if it was to be done
 *                    at once; nothing was logged
 * VAULT_CONFLICT     its key was used for another request, or for this one and the consent ended
 * VAULT_UNAVAILABLE, VAULT_LIMITED, VAULT_CORRUPT, VAULT_IO  nothing was released
 */
enum vault_code release_perform(struct vault *vault, const struct service *service,
                                const struct release_request *request, struct buf *body,
                                enum release_fault *fault, struct vault_error *err)
    VAULT_MUST_CHECK;

/*
 * The same in two steps, for several requests with one wait for all: enter each, which decides and
 * puts the entry into the log's queue, then complete each. What is in body before it is complete
 * must not leave. A key to repeat it is not looked at. The codes are release_perform()'s; what
 * completing returns, was not released.
 */
enum vault_code release_enter(struct vault *vault, const struct service *service,
                              const struct release_request *request, struct buf *body,
                              struct ledger_ticket *ticket, enum release_fault *fault,
                              struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code release_complete(struct vault *vault, const struct release_request *request,
                                 const struct ledger_ticket *ticket, struct buf *body,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* Complete it if that needs no waiting, neither for the log nor for a proof: else *is_done is
 * false, and body as it was. */
enum vault_code release_try_complete(struct vault *vault, const struct ledger_ticket *ticket,
                                     struct buf *body, bool *is_done, struct vault_error *err)
    VAULT_MUST_CHECK;
