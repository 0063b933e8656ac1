/*
 * passage - one request on its way through the door; for the modules of release.h alone.
 *
 * release.c decides and enters; release_answer.c reads values, puts them into their forms and
 * writes the answer; release_repeat.c answers again what was asked before; evaluation.c decides
 * without reading.
 */
#pragma once

#include "person.h"
#include "vault/policy/decide.h"
#include "vault/store/citizen_value.h"
#include "vault/vault/release.h"
#include "vault/vault/ulid.h"

#define PASSAGE_SOURCES_MAX 32 /* stored values that one field may be made from */

/* One request on its way through the door. */
struct passage {
    struct vault *vault;
    const struct service *service;
    const struct release_request *request;
    const struct policy *policy;
    struct buf *sealed;      /* what is kept for a repeated request goes here; NULL: nothing */
    struct bytes associated; /* what it is sealed with */
    bool only_asks;          /* nothing is read, whatever is decided */
    bool would_wait;         /* it was to be done at once, and cannot be */
    int64_t now_ms;
    int64_t now_s;
    struct citizen *citizen;
    struct person *person;
    const struct consent *consent; /* the newest for this service and purpose, or NULL */

    struct policy_ask asks[RELEASE_FIELDS_MAX];
    struct policy_outcome outcomes[RELEASE_FIELDS_MAX];
    struct policy_request decision;
    struct policy_atom_word atoms[POLICY_ATOM_WORDS_MAX];

    struct buf values[PASSAGE_SOURCES_MAX]; /* as they are stored, while one field is worked on */
    size_t value_count;
    int64_t as_of_s; /* of the oldest value that the field came from; 0: none yet */
    char source[CITIZEN_SOURCE_CHARS + 1];
    uint8_t bases; /* of all that was released */
    char id[ULID_CHARS + 1];
};

/* In this order: begin, admit (names become the policy's numbers, the subject a citizen), then go:
 * hold the citizen, decide, write the answer, enter. Or hold and decide alone. The passage borrows
 * what it is given; the citizen is the caller's to release. */
void passage_begin(struct passage *passage, struct vault *vault, const struct service *service,
                   const struct release_request *request, const struct policy *policy);
enum vault_code passage_admit(struct passage *passage, struct citizen_id *citizen,
                              enum release_fault *fault, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code passage_go(struct passage *passage, const struct citizen_id *id, struct buf *body,
                           struct ledger_ticket *ticket, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code passage_hold(struct passage *passage, const struct citizen_id *id,
                             struct citizen **citizen, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code passage_decide(struct passage *passage, struct vault_error *err) VAULT_MUST_CHECK;

/* Enter what was decided: as a release if the passage has bases, else as a denial. body is the
 * answer without its last brace. */
enum vault_code passage_enter(struct passage *passage, const struct buf *body,
                              struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Whether there is a consent that is in force at the passage's time: given, not over, not used up,
 * and neither stopped nor paused with everything. While the citizen is held. */
bool passage_consent_stands(const struct passage *passage);

/* Seal the answer, and the consent it rests on, under the held citizen's key. */
enum vault_code passage_seal(struct passage *passage, const struct buf *body,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* release_repeat.c: enter a request that has a key, or find what it was answered. */
enum vault_code release_enter_once(struct vault *vault, const struct service *service,
                                   const struct release_request *request, struct buf *body,
                                   struct ledger_ticket *ticket, enum release_fault *fault,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* Write all of the answer but the place of its entry in the log, and its last brace. Outcomes
 * change to why there is no value, and bases are those of what is in the answer. */
void passage_write_answer(struct passage *passage, struct buf *body);

/* Append the held citizen's value of a field in a form, as a release writes it. Nobody has none. */
enum policy_reason passage_write_value(struct passage *passage, uint16_t field, uint8_t form,
                                       struct buf *out);

/* Wipe the values that were read. */
void passage_forget_values(struct passage *passage);

/* Complete an answer by the place of its entry, which is durable. */
enum vault_code release_write_place(struct vault *vault, const struct ledger_ticket *ticket,
                                    bool wants_proof, struct buf *body, struct vault_error *err)
    VAULT_MUST_CHECK;
