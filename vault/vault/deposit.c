#include "vault/vault/deposit.h"

#include <assert.h>
#include <string.h>

#include "conditions.h"
#include "counting.h"
#include "deposit_record.h"
#include "parts.h"
#include "person.h"
#include "vault/base/codec.h"
#include "vault/policy/decide.h"
#include "vault/policy/value.h"
#include "vault/store/citizen_value.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/subject.h"
#include "vault/vault/ulid.h"

#define WHAT_BYTES_MAX   (8U * 1024)
#define RECORD_BYTES_MAX (12U * 1024)

/* One deposit on its way in. */
struct bringing {
    struct vault *vault;
    const struct service *service;
    const struct deposit_request *request;
    const struct policy *policy;
    int64_t now_s;
    struct citizen *citizen;
    struct person *person;

    struct citizen_value values[DEPOSIT_FIELDS_MAX];
    uint16_t fields[DEPOSIT_FIELDS_MAX]; /* as the policy knows them */
    struct policy_request decision;
    struct policy_atom_word atoms[POLICY_ATOM_WORDS_MAX];
    const char *purpose; /* under which it was decided */
    struct buf texts;    /* the values as JSON text, one behind the other */
    char id[ULID_CHARS + 1];
    char answer[BASE64_CHARS(SHA256_BYTES) + 1]; /* hash of the answer, as the log has it */
};

/* --- What is brought ------------------------------------------------------------------------ */

static enum vault_code read_value(struct bringing *bringing, size_t i, struct deposit_wrong *wrong,
                                  struct vault_error *err)
{
    const struct policy *policy = bringing->policy;
    const struct deposit_value *given = &bringing->request->values[i];
    struct citizen_value *out = &bringing->values[i];
    const uint16_t field = policy_find(policy, POLICY_FIELD, given->field);
    wrong->at = i;
    wrong->fault = DEPOSIT_UNKNOWN_FIELD;
    if (field == POLICY_NONE || policy_field_is_derived(policy, field))
        return vault_fail(err, VAULT_INVALID,
                          "a field is not one that the policy knows as a stored one");
    wrong->fault = DEPOSIT_BAD_TIME;
    if (given->has_as_of && given->as_of_s > bringing->now_s)
        return vault_fail(err, VAULT_INVALID, "as_of is in the future");
    wrong->fault = DEPOSIT_BAD_VALUE;
    const size_t before = bringing->texts.size;
    json_write_value(&bringing->texts, given->value);
    VAULT_TRY(buf_check(&bringing->texts, err));
    const struct bytes json = {bringing->texts.data + before, bringing->texts.size - before};
    VAULT_TRY(policy_value_check(policy, field, json, err));
    wrong->fault = DEPOSIT_NO_FAULT;
    bringing->fields[i] = field;
    out->field = policy_id(policy, POLICY_FIELD, field);
    out->json.size = json.size;
    out->as_of_s = given->has_as_of ? given->as_of_s : bringing->now_s;
    out->source = bringing->service->id;
    return VAULT_OK;
}

static enum vault_code read_values(struct bringing *bringing, struct deposit_wrong *wrong,
                                   struct vault_error *err)
{
    const size_t count = bringing->request->value_count;
    for (size_t i = 0; i < count; i++) {
        const enum vault_code code = read_value(bringing, i, wrong, err);
        if (code == VAULT_NO_MEMORY) /* that is no fault of what was brought */
            wrong->fault = DEPOSIT_NO_FAULT;
        VAULT_TRY(code);
    }
    const uint8_t *next = bringing->texts.data; /* it moves no more */
    for (size_t i = 0; i < count; i++) {
        bringing->values[i].json.data = next;
        next += bringing->values[i].json.size;
    }
    return VAULT_OK;
}

static enum vault_code check_purpose(const struct bringing *bringing, struct deposit_wrong *wrong,
                                     struct vault_error *err)
{
    const struct bytes purpose = bringing->request->purpose;
    if (!purpose.data || policy_find(bringing->policy, POLICY_PURPOSE, purpose) != POLICY_NONE)
        return VAULT_OK;
    wrong->fault = DEPOSIT_UNKNOWN_PURPOSE;
    return vault_fail(err, VAULT_INVALID, "the purpose is not one that the policy knows");
}

/* --- The decision --------------------------------------------------------------------------- */

/* Whether everything may be brought for the purpose, which is known to the policy. */
static bool decide_for(struct bringing *bringing, uint16_t purpose)
{
    const char *name = policy_id(bringing->policy, POLICY_PURPOSE, purpose);
    bool all = true;
    bringing->purpose = name;
    bringing->decision.purpose = purpose;
    bringing->decision.purpose_registered =
        service_has(&bringing->service->purposes, bytes_of_text(name));
    for (size_t i = 0; i < bringing->request->value_count; i++)
        all = policy_may_deposit(bringing->policy, &bringing->decision, bringing->fields[i]) && all;
    return all;
}

static bool decide(struct bringing *bringing)
{
    const struct bytes given = bringing->request->purpose;
    const struct service_names *purposes = &bringing->service->purposes;
    if (given.data)
        return decide_for(bringing, policy_find(bringing->policy, POLICY_PURPOSE, given));
    for (size_t i = 0; i < purposes->count; i++) {
        const uint16_t purpose =
            policy_find(bringing->policy, POLICY_PURPOSE, bytes_of_text(purposes->names[i]));
        if (purpose != POLICY_NONE && decide_for(bringing, purpose))
            return true;
    }
    return false;
}

/* --- The answer and the entry --------------------------------------------------------------- */

static void write_answer(struct bringing *bringing, struct buf *body)
{
    uint8_t hash[SHA256_BYTES];
    const size_t before = body->size;
    buf_format(body, "{\"deposit\":\"%s\",\"subject\":", bringing->id);
    json_write_string(body, bringing->request->subject);
    buf_format(body, ",\"purpose\":\"%s\",\"stored\":{", bringing->purpose);
    for (size_t i = 0; i < bringing->request->value_count; i++) {
        char as_of[DATE_CHARS + 1];
        date_format(as_of, date_of_instant(bringing->values[i].as_of_s));
        buf_format(body, "%s\"%s\":{\"as_of\":\"%s\"}", i ? "," : "", bringing->values[i].field,
                   as_of);
    }
    buf_byte(body, '}');
    const struct bytes parts[] = {{body->data + before, body->size - before}, bytes_of_text("}")};
    sha256(hash, parts, 2);
    base64_string(bringing->answer, hash, sizeof hash);
}

/* Names alone: values are never in the log. */
static void write_what(const struct bringing *bringing, const char *outcome, struct buf *out)
{
    for (size_t i = 0; i < bringing->request->value_count; i++)
        buf_format(out, "%s%s - %s", i ? "\n" : "", bringing->values[i].field, outcome);
}

static enum vault_code store(struct bringing *bringing, struct ledger_ticket *ticket,
                             struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf what = buf_limited(WHAT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(RECORD_BYTES_MAX);
    struct deposit_record record = {
        .service = bringing->service->id,
        .purpose = bringing->purpose,
        .answer = bringing->answer,
        .policy_version = policy_version(bringing->policy),
    };
    write_what(bringing, DEPOSIT_OUTCOME, &what);
    record.what = buf_string(&what);
    memcpy(record.client, bringing->request->client_spki, sizeof record.client);
    memcpy(record.policy_hash, policy_manifest_hash(bringing->policy), sizeof record.policy_hash);
    VAULT_TRY(buf_check(&what, err));
    deposit_record_write(&json, &record);
    VAULT_TRY(buf_check(&json, err));
    const struct person_event event = {DEPOSIT_RECORD_KIND, bringing->id, buf_view(&json)};
    return person_record_deposit(bringing->vault, bringing->citizen, bringing->person, &event,
                                 bringing->values, bringing->request->value_count, ticket, err);
}

/* Nothing is stored, and the log has that. For nobody the steps are the same. */
static enum vault_code refuse(struct bringing *bringing, struct ledger_ticket *ticket,
                              struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf what = buf_limited(WHAT_BYTES_MAX);
    write_what(bringing, "deposit_refused", &what);
    VAULT_TRY(buf_check(&what, err));
    struct event event = {
        .kind = ENTRY_DENY,
        .service = bringing->service->id,
        .client_spki = bringing->request->client_spki,
        .purpose = bringing->purpose,
        .has_policy = true,
        .policy_version = policy_version(bringing->policy),
        .basis = bytes_of_text("none"),
        .what = buf_view(&what),
    };
    memcpy(event.policy_hash, policy_manifest_hash(bringing->policy), sizeof event.policy_hash);
    return event_of_citizen(bringing->vault, bringing->citizen, &event, &bringing->person->chain,
                            ticket, err);
}

static enum vault_code write_place(const struct bringing *bringing,
                                   const struct ledger_ticket *ticket, struct buf *body,
                                   struct vault_error *err)
{
    char leaf[BASE64_CHARS(SHA256_BYTES) + 1];
    base64_string(leaf, ticket->leaf.bytes, sizeof ticket->leaf.bytes);
    buf_text(body, ",\"log\":{\"origin\":");
    json_write_string(body, bytes_of_text(bringing->vault->options.origin));
    buf_format(body, ",\"index\":%llu,\"leaf\":\"%s\"}}", (unsigned long long)ticket->index, leaf);
    return buf_check(body, err);
}

/* --- In ------------------------------------------------------------------------------------- */

/* While the citizen is held; *stored says which of the two it came to. */
static enum vault_code decide_and_enter(struct bringing *bringing, const struct citizen_id *id,
                                        struct buf *body, bool *stored,
                                        struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold(bringing->vault, id, &citizen, &bringing->person, err));
    bringing->citizen = citizen;
    bringing->decision.now_s = clock_now_s(&bringing->vault->options.clock);
    policy_atoms_clear(bringing->policy, bringing->atoms);
    conditions_assert(bringing->policy, bringing->service, bringing->request->context,
                      bringing->atoms);
    VAULT_TRY(conditions_know(bringing->policy, citizen, NULL, bringing->decision.now_s,
                              bringing->atoms, err));
    const bool may = decide(bringing);
    *stored = may && citizen_exists(citizen);
    if (!*stored)
        return refuse(bringing, ticket, err);
    write_answer(bringing, body);
    VAULT_TRY(buf_check(body, err));
    return store(bringing, ticket, err);
}

static enum vault_code bring(struct bringing *bringing, struct buf *body,
                             struct deposit_wrong *wrong, struct vault_error *err)
{
    struct citizen_id citizen;
    struct ledger_ticket ticket;
    bool stored = false;
    VAULT_TRY(check_purpose(bringing, wrong, err));
    VAULT_TRY(read_values(bringing, wrong, err));
    const enum vault_code code =
        subject_read(bringing->service, bringing->request->subject, &citizen, err);
    if (code)
        return code == VAULT_INVALID ? vault_fail(err, VAULT_NOT_FOUND, "there is nothing here")
                                     : code;
    VAULT_TRY(decide_and_enter(bringing, &citizen, body, &stored, &ticket, err));
    VAULT_TRY(ledger_wait(bringing->vault->ledger, &ticket, err));
    if (!stored)
        return vault_fail(err, VAULT_DENIED,
                          "nothing was stored: not all of this may be deposited here");
    return write_place(bringing, &ticket, body, err);
}

enum vault_code deposit_perform(struct vault *vault, const struct service *service,
                                const struct deposit_request *request, struct buf *body,
                                struct deposit_wrong *wrong, struct vault_error *err)
{
    assert(request->value_count >= 1 && request->value_count <= DEPOSIT_FIELDS_MAX);
    *wrong = (struct deposit_wrong){.fault = DEPOSIT_SHUT};
    VAULT_TRY(vault_anchored(vault, err));
    *wrong = (struct deposit_wrong){0};
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    if (!held.policy)
        return vault_fail(err, VAULT_UNAVAILABLE, "no policy is active");
    const int64_t now_ms = clock_now_ms(&vault->options.clock);
    struct bringing bringing = {.vault = vault,
                                .service = service,
                                .request = request,
                                .policy = held.policy,
                                .now_s = now_ms / 1000,
                                .texts = buf_limited(DEPOSIT_BYTES_MAX)};
    bringing.decision.atoms = bringing.atoms;
    bringing.decision.actor = service_actor(service, held.policy);
    ulid_new(bringing.id, now_ms);
    const enum vault_code code = bring(&bringing, body, wrong, err);
    buf_finish(&bringing.texts);
    figure_count_try(vault, code, FIGURE_DEPOSITED, FIGURE_DEPOSIT_REFUSED);
    return code;
}
