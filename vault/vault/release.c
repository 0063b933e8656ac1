#include "vault/vault/release.h"

#include <assert.h>
#include <string.h>

#include "conditions.h"
#include "counting.h"
#include "event.h"
#include "heads.h"
#include "parts.h"
#include "passage.h"
#include "stop.h"
#include "vault/base/codec.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/subject.h"

#define WHAT_BYTES_MAX  (12U * 1024)
#define BASIS_BYTES_MAX 256

/* --- What is asked -------------------------------------------------------------------------- */

/* A name as the policy has it. Without a policy nothing is known and nothing is released; a name
 * that no policy could have is refused even so, since it would go into the log as it came. */
static bool find_name(const struct policy *policy, enum policy_kind kind, struct bytes name,
                      uint16_t *out)
{
    *out = policy ? policy_find(policy, kind, name) : POLICY_NONE;
    return policy ? *out != POLICY_NONE : entry_id_is_valid(name);
}

/* Names become the policy's numbers. */
static enum vault_code resolve_names(struct passage *passage, enum release_fault *fault,
                                     struct vault_error *err)
{
    const struct release_request *request = passage->request;
    const struct policy *policy = passage->policy;
    if (!find_name(policy, POLICY_PURPOSE, request->purpose, &passage->decision.purpose)) {
        *fault = RELEASE_UNKNOWN_PURPOSE;
        return vault_fail(err, VAULT_INVALID, "the purpose is not one that the policy knows");
    }
    for (size_t i = 0; i < request->ask_count; i++) {
        const struct release_ask *ask = &request->asks[i];
        struct policy_ask *out = &passage->asks[i];
        *out = (struct policy_ask){POLICY_NONE, POLICY_FORM_ANY};
        if (!find_name(policy, POLICY_FIELD, ask->field, &out->field)) {
            *fault = RELEASE_UNKNOWN_FIELD;
            return vault_fail(err, VAULT_INVALID, "a field is not one that the policy knows");
        }
        if (policy && ask->form.data)
            out->form = policy_form_find(policy, out->field, ask->form);
    }
    return VAULT_OK;
}

static void resolve_actor(struct passage *passage)
{
    passage->decision.purpose_registered =
        service_has(&passage->service->purposes, passage->request->purpose);
    passage->decision.actor = service_actor(passage->service, passage->policy);
}

/* --- The decision --------------------------------------------------------------------------- */

static const enum policy_consent_state states[CONSENT_STORED_COUNT] = {
    [CONSENT_GIVEN] = POLICY_CONSENT_GIVEN,
    [CONSENT_REFUSED] = POLICY_CONSENT_REFUSED,
    [CONSENT_WITHDRAWN] = POLICY_CONSENT_WITHDRAWN,
    [CONSENT_SUSPENDED] = POLICY_CONSENT_SUSPENDED,
};

/* Whatever stands in a single record, nothing is given while everything is paused, or what was
 * given is stopped. */
static enum policy_consent_state state_of(const struct passage *passage)
{
    const enum consent_state state = passage->consent->state;
    if (state == CONSENT_GIVEN && stop_covers(passage->vault, citizen_id_of(passage->citizen),
                                              passage->service->id, passage->request->purpose))
        return POLICY_CONSENT_WITHDRAWN;
    return state == CONSENT_GIVEN && passage->person->paused ? POLICY_CONSENT_SUSPENDED
                                                             : states[state];
}

bool passage_consent_stands(const struct passage *passage)
{
    return passage->consent && state_of(passage) == POLICY_CONSENT_GIVEN &&
           consent_is_live(passage->consent, passage->now_s);
}

static size_t consent_fields(const struct policy *policy, const struct consent *consent,
                             struct policy_consent_field out[CONSENT_FIELDS_MAX])
{
    for (size_t i = 0; i < consent->field_count; i++) {
        const struct consent_field *field = &consent->fields[i];
        out[i].field = policy_find(policy, POLICY_FIELD, bytes_of_text(field->name));
        out[i].form = POLICY_FORM_ANY;
        if (out[i].field != POLICY_NONE && field->form[0])
            out[i].form = policy_form_find(policy, out[i].field, bytes_of_text(field->form));
    }
    return policy_consent_sort(out, consent->field_count);
}

/* What the law demands, or a life hangs on: all that is released of a citizen who restricted it. */
#define BEYOND_RESTRICTION (1U << POLICY_LEGAL_OBLIGATION | 1U << POLICY_VITAL_INTERESTS)

static void restrict_all(struct passage *passage)
{
    for (size_t i = 0; i < passage->request->ask_count; i++) {
        struct policy_outcome *outcome = &passage->outcomes[i];
        if (outcome->reason != REASON_RELEASED)
            continue;
        outcome->bases &= BEYOND_RESTRICTION;
        if (outcome->bases)
            continue;
        outcome->reason = REASON_SUSPENDED;
        outcome->form = POLICY_FORM_NONE;
    }
}

static void decide(struct passage *passage)
{
    struct policy_consent_field fields[CONSENT_FIELDS_MAX];
    struct policy_consent record;
    struct policy_stance stance = {0};
    const struct consent *consent = passage->consent;
    if (consent && passage->policy) {
        const enum policy_consent_state state = state_of(passage);
        record = (struct policy_consent){
            .at_s = consent->at_s,
            .expires_s = consent->expires_s,
            .uses_left = consent->uses == CONSENT_UNLIMITED ? POLICY_USES_UNLIMITED
                                                            : consent->uses - consent->used,
            .fields = fields,
            .field_count = (uint16_t)consent_fields(passage->policy, consent, fields),
            .state = (uint8_t)state,
        };
        stance = (struct policy_stance){.consents = &record, .consent_count = 1};
    }
    const struct objection *objection = person_objection(
        passage->person, bytes_of_text(passage->service->id), passage->request->purpose);
    if (objection && objection->stands) {
        /* As of now: a clock that went back does not lift it. */
        stance.objections_s = &passage->decision.now_s;
        stance.objection_count = 1;
    }
    policy_decide(passage->policy, &passage->decision, &stance, passage->outcomes);
    if (passage->person->restricted)
        restrict_all(passage);
}

/* --- The entry ------------------------------------------------------------------------------ */

static void write_what(const struct passage *passage, struct buf *out)
{
    for (size_t i = 0; i < passage->request->ask_count; i++) {
        const struct policy_outcome *outcome = &passage->outcomes[i];
        const bool allowed = outcome->reason == REASON_RELEASED;
        const bool released = allowed && !passage->only_asks;
        buf_text(out, i ? "\n" : "");
        buf_bytes(out, passage->request->asks[i].field);
        buf_texts(out, " ",
                  released
                      ? policy_form_name(passage->policy, passage->asks[i].field, outcome->form)
                      : "-",
                  " ",
                  allowed && !released ? "evaluated"
                                       : policy_reason_name((enum policy_reason)outcome->reason));
    }
}

/* What the service said of the circumstances, and whether it counted. A name that the policy does
 * not know could be anything, so it is not repeated. */
static void write_asserted(const struct passage *passage, struct buf *out)
{
    const char *name;
    json_t *value;
    /* jansson walks an object that is not const; it is only read. */
    json_object_foreach((json_t *)(uintptr_t)passage->request->context, name, value)
    {
        const bool known = passage->policy && policy_find(passage->policy, POLICY_ATOM,
                                                          bytes_of_text(name)) != POLICY_NONE;
        buf_texts(out, "\nasserted ", known ? name : "something unknown",
                  known && condition_may_be_asserted(passage->service, name) ? "" : ", ignored");
    }
}

/* The consent it rests on, or the other bases, or that there is none. */
static void write_basis(const struct passage *passage, struct buf *out)
{
    const struct consent *consent = passage->consent;
    if (passage->bases >> POLICY_CONSENT & 1 && consent) {
        buf_texts(out, "consent ", consent->id, " ");
        buf_decimal(out, (uint64_t)consent->version);
    }
    for (enum policy_basis basis = POLICY_CONTRACT; basis < POLICY_BASIS_COUNT; basis++) {
        if (passage->bases >> basis & 1)
            buf_texts(out, out->size ? "\n" : "", policy_basis_name(basis));
    }
    if (out->size == 0)
        buf_text(out, "none");
}

enum vault_code passage_enter(struct passage *passage, const struct buf *body,
                              struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf what = buf_limited(WHAT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf basis = buf_limited(BASIS_BYTES_MAX);
    char purpose[POLICY_ID_CHARS_MAX + 1];
    uint8_t hash[SHA256_BYTES];
    char answer[BASE64_CHARS(SHA256_BYTES) + 1];
    const struct bytes parts[] = {buf_view(body), bytes_of_text("}")};
    sha256(hash, parts, 2);
    base64_string(answer, hash, sizeof hash);
    write_what(passage, &what);
    write_asserted(passage, &what);
    write_basis(passage, &basis);
    VAULT_TRY(buf_check(&what, err));
    VAULT_TRY(buf_check(&basis, err));
    assert(passage->request->purpose.size < sizeof purpose);
    memcpy(purpose, passage->request->purpose.data, passage->request->purpose.size);
    purpose[passage->request->purpose.size] = 0;
    struct event event = {
        .kind = passage->bases ? ENTRY_RELEASE : ENTRY_DENY,
        .service = passage->service->id,
        .client_spki = passage->request->client_spki,
        .purpose = purpose,
        .has_policy = passage->policy != NULL,
        .basis = buf_view(&basis),
        .what = buf_view(&what),
        .answer = bytes_of_text(answer),
    };
    if (passage->policy) {
        event.policy_version = policy_version(passage->policy);
        memcpy(event.policy_hash, policy_manifest_hash(passage->policy), sizeof event.policy_hash);
    }
    VAULT_TRY(event_of_citizen(passage->vault, passage->citizen, &event, &passage->person->chain,
                               ticket, err));
    figure_count(passage->vault, passage->only_asks ? FIGURE_EVALUATED
                                 : passage->bases   ? FIGURE_RELEASED
                                                    : FIGURE_WITHHELD);
    return VAULT_OK;
}

static enum vault_code would_wait(struct passage *passage, struct vault_error *err)
{
    passage->would_wait = true;
    return vault_fail(err, VAULT_UNAVAILABLE, "this cannot be done at once");
}

/* --- Through the door ----------------------------------------------------------------------- */

/* A use is counted on disk before the value it was for can leave. */
static enum vault_code count_use(struct passage *passage, struct vault_error *err)
{
    const struct consent *consent = passage->consent;
    if (!consent || consent->uses == CONSENT_UNLIMITED || !(passage->bases >> POLICY_CONSENT & 1))
        return VAULT_OK;
    if (passage->request->at_once)
        return would_wait(passage, err);
    return person_use(passage->citizen,
                      person_consent(passage->person, bytes_of_text(consent->service),
                                     bytes_of_text(consent->purpose)),
                      err);
}

enum vault_code passage_decide(struct passage *passage, struct vault_error *err)
{
    const struct release_request *request = passage->request;
    passage->consent =
        person_consent(passage->person, bytes_of_text(passage->service->id), request->purpose);
    if (passage->policy) {
        policy_atoms_clear(passage->policy, passage->atoms);
        conditions_assert(passage->policy, passage->service, request->context, passage->atoms);
        /* What is stopped or paused, no guardian agrees to, whatever its record says. */
        VAULT_TRY(conditions_know(passage->policy, passage->citizen,
                                  passage_consent_stands(passage) ? passage->consent : NULL,
                                  passage->now_s, passage->atoms, err));
    }
    decide(passage);
    return VAULT_OK;
}

static enum vault_code hold_person(struct passage *passage, const struct citizen_id *id,
                                   struct citizen **citizen, struct vault_error *err)
{
    if (!passage->request->at_once)
        return person_hold(passage->vault, id, citizen, &passage->person, err);
    return person_hold_open(passage->vault, id, citizen, &passage->person, err) == VAULT_OK
               ? VAULT_OK
               : would_wait(passage, err);
}

enum vault_code passage_hold(struct passage *passage, const struct citizen_id *id,
                             struct citizen **citizen, struct vault_error *err)
{
    VAULT_TRY(hold_person(passage, id, citizen, err));
    passage->citizen = *citizen;
    /* Now, and not before the wait for the citizen: time does not go back between decisions. */
    passage->now_ms = clock_now_ms(&passage->vault->options.clock);
    passage->now_s = passage->now_ms / 1000;
    passage->decision.now_s = passage->now_s;
    return VAULT_OK;
}

static enum vault_code decide_and_enter(struct passage *passage, struct buf *body,
                                        struct ledger_ticket *ticket, struct vault_error *err)
{
    ulid_new(passage->id, passage->now_ms);
    if (passage->request->at_once && !heads_have_room(passage->vault->heads))
        return would_wait(passage, err);
    VAULT_TRY(passage_decide(passage, err));
    passage_write_answer(passage, body);
    VAULT_TRY(buf_check(body, err));
    if (passage->sealed)
        VAULT_TRY(passage_seal(passage, body, err));
    VAULT_TRY(count_use(passage, err));
    return passage_enter(passage, body, ticket, err);
}

enum vault_code passage_go(struct passage *passage, const struct citizen_id *id, struct buf *body,
                           struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(passage_hold(passage, id, &citizen, err));
    const enum vault_code code = decide_and_enter(passage, body, ticket, err);
    passage_forget_values(passage);
    return code;
}

void passage_begin(struct passage *passage, struct vault *vault, const struct service *service,
                   const struct release_request *request, const struct policy *policy)
{
    memset(passage, 0, offsetof(struct passage, asks));
    passage->decision = (struct policy_request){
        .asks = passage->asks, .atoms = passage->atoms, .ask_count = request->ask_count};
    passage->vault = vault;
    passage->service = service;
    passage->request = request;
    passage->policy = policy;
    passage->bases = 0;
    passage->value_count = 0;
}

enum vault_code passage_admit(struct passage *passage, struct citizen_id *citizen,
                              enum release_fault *fault, struct vault_error *err)
{
    const struct release_request *request = passage->request;
    assert(request->ask_count >= 1 && request->ask_count <= RELEASE_FIELDS_MAX);
    *fault = RELEASE_SHUT;
    VAULT_TRY(vault_anchored(passage->vault, err));
    *fault = RELEASE_NO_FAULT;
    VAULT_TRY(resolve_names(passage, fault, err));
    VAULT_TRY(subject_read(passage->service, request->subject, citizen, err));
    resolve_actor(passage);
    return VAULT_OK;
}

enum vault_code release_enter(struct vault *vault, const struct service *service,
                              const struct release_request *request, struct buf *body,
                              struct ledger_ticket *ticket, enum release_fault *fault,
                              struct vault_error *err)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    struct citizen_id citizen;
    struct passage passage;
    passage_begin(&passage, vault, service, request, held.policy);
    VAULT_TRY(passage_admit(&passage, &citizen, fault, err));
    const enum vault_code code = passage_go(&passage, &citizen, body, ticket, err);
    if (passage.would_wait)
        *fault = RELEASE_WOULD_WAIT;
    return code;
}

enum vault_code release_complete(struct vault *vault, const struct release_request *request,
                                 const struct ledger_ticket *ticket, struct buf *body,
                                 struct vault_error *err)
{
    VAULT_TRY(ledger_wait(vault->ledger, ticket, err));
    return release_write_place(vault, ticket, request->wants_proof, body, err);
}

enum vault_code release_try_complete(struct vault *vault, const struct ledger_ticket *ticket,
                                     struct buf *body, bool *is_done, struct vault_error *err)
{
    VAULT_TRY(ledger_poll(vault->ledger, ticket, is_done, err));
    return *is_done ? release_write_place(vault, ticket, false, body, err) : VAULT_OK;
}

enum vault_code release_perform(struct vault *vault, const struct service *service,
                                const struct release_request *request, struct buf *body,
                                enum release_fault *fault, struct vault_error *err)
{
    struct ledger_ticket ticket;
    VAULT_TRY(request->repeat
                  ? release_enter_once(vault, service, request, body, &ticket, fault, err)
                  : release_enter(vault, service, request, body, &ticket, fault, err));
    return release_complete(vault, request, &ticket, body, err);
}
