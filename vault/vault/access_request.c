#include "vault/vault/access_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access_parts.h"
#include "actor_check.h"
#include "consent_json.h"
#include "parts.h"
#include "vault/crypto/hash.h"
#include "vault/policy/policy.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/subject.h"
#include "vault/vault/ulid.h"

#define SECONDS_PER_DAY 86400
#define CODE_DRAWS_MAX  8
#define ASK_DEPTH_MAX   4
#define LIST_MAX        100
#define WHAT_BYTES_MAX  8192

/* --- The service's side --------------------------------------------------------------------- */

static enum vault_code faulty(enum access_fault *fault, enum access_fault what, const char *text,
                              struct vault_error *err)
{
    *fault = what;
    return vault_fail(err, VAULT_INVALID, "%s", text);
}

static const struct policy_prospect *find_prospect(const struct policy_prospect *prospects,
                                                   size_t count, uint16_t field)
{
    for (size_t i = 0; i < count; i++) {
        if (prospects[i].field == field)
            return &prospects[i];
    }
    return NULL;
}

/* Nobody is bothered for what the policy would never let through. */
static enum vault_code check_field(const struct policy *policy,
                                   const struct policy_prospect *prospects, size_t count,
                                   const struct consent_field *field, enum access_fault *fault,
                                   struct vault_error *err)
{
    const uint16_t known = policy_find(policy, POLICY_FIELD, bytes_of_text(field->name));
    if (known == POLICY_NONE)
        return faulty(fault, ACCESS_UNKNOWN_FIELD, "a field is not one that the policy knows", err);
    if (field->form[0] &&
        policy_form_find(policy, known, bytes_of_text(field->form)) == POLICY_FORM_NONE)
        return faulty(fault, ACCESS_UNKNOWN_FIELD, "a field does not have the form asked for", err);
    const struct policy_prospect *prospect = find_prospect(prospects, count, known);
    if (!prospect || !(prospect->bases >> POLICY_CONSENT & 1))
        return faulty(fault, ACCESS_NEVER_RELEASED,
                      "the policy releases no such field to this service on consent", err);
    return VAULT_OK;
}

static enum vault_code check_fields(const struct vault *vault, const struct policy *policy,
                                    const struct service *service, const struct access_ask *ask,
                                    uint16_t purpose, enum access_fault *fault,
                                    struct vault_error *err)
{
    const struct policy_actor actor = service_actor(service, policy);
    struct policy_prospect *prospects =
        calloc(policy_count(policy, POLICY_FIELD) + 1, sizeof *prospects);
    if (!prospects)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    const size_t count =
        policy_prospects(policy, &actor, purpose, clock_now_s(&vault->options.clock), prospects);
    enum vault_code code = VAULT_OK;
    for (size_t i = 0; i < ask->field_count && code == VAULT_OK; i++)
        code = check_field(policy, prospects, count, &ask->fields[i], fault, err);
    free(prospects);
    return code;
}

static int64_t longest_days(const struct policy *policy, uint16_t purpose)
{
    const unsigned days = policy_purpose_consent_days(policy, purpose);
    return days ? days : CONSENT_DAYS_MAX;
}

/* Check what is asked against the policy; *days is how long a consent could last. */
static enum vault_code check_ask(struct vault *vault, const struct service *service,
                                 const struct access_ask *ask, int64_t *days,
                                 enum access_fault *fault, struct vault_error *err)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    const struct policy *policy = held.policy;
    if (!policy)
        return vault_fail(err, VAULT_UNAVAILABLE, "no policy is active");
    const uint16_t purpose = policy_find(policy, POLICY_PURPOSE, ask->purpose);
    if (purpose == POLICY_NONE)
        return faulty(fault, ACCESS_UNKNOWN_PURPOSE, "the purpose is not one that the policy knows",
                      err);
    if (!service_has(&service->purposes, ask->purpose))
        return vault_fail(err, VAULT_DENIED, "the purpose is not in this service's registration");
    const int64_t longest = longest_days(policy, purpose);
    if (ask->days < 0 || ask->days > longest)
        return faulty(fault, ACCESS_BAD_PERIOD, "a consent for this purpose cannot last so long",
                      err);
    *days = ask->days ? ask->days : longest;
    return check_fields(vault, policy, service, ask, purpose, fault, err);
}

static void write_ask(struct buf *out, const struct access_ask *ask, int64_t days)
{
    buf_text(out, "{\"purpose\":");
    json_write_string(out, ask->purpose);
    buf_text(out, ",\"fields\":{");
    for (size_t i = 0; i < ask->field_count; i++) {
        buf_text(out, i ? "," : "");
        json_write_string(out, bytes_of_text(ask->fields[i].name));
        buf_byte(out, ':');
        if (ask->fields[i].form[0])
            json_write_string(out, bytes_of_text(ask->fields[i].form));
        else
            buf_text(out, "null");
    }
    buf_format(out, "},\"days\":%lld,\"uses\":%lld,\"message\":{\"fr\":", (long long)days,
               (long long)ask->uses);
    json_write_string(out, ask->message_fr);
    buf_text(out, ",\"en\":");
    json_write_string(out, ask->message_en);
    buf_text(out, "},\"reference\":");
    json_write_string(out, ask->reference);
    buf_byte(out, '}');
}

enum vault_code access_request_open(struct vault *vault, const struct service *service,
                                    const struct access_ask *ask, struct access_receipt *out,
                                    enum access_fault *fault, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(REQUEST_JSON_MAX_BYTES);
    struct request request = {.created_s = clock_now_s(&vault->options.clock)};
    struct access_receipt receipt = {0};
    int64_t days = 0;
    *fault = ACCESS_NO_FAULT;
    VAULT_TRY(check_ask(vault, service, ask, &days, fault, err));
    write_ask(&json, ask, days);
    VAULT_TRY(buf_check(&json, err));
    receipt.expires_s = request.created_s + ACCESS_REQUEST_DAYS * SECONDS_PER_DAY;
    ulid_new(receipt.id, request.created_s * 1000);
    memcpy(request.id, receipt.id, sizeof request.id);
    snprintf(request.service, sizeof request.service, "%s", service->id);
    request.expires_s = receipt.expires_s;
    enum vault_code code = VAULT_CONFLICT;
    for (int draw = 0; code == VAULT_CONFLICT && draw < CODE_DRAWS_MAX; draw++) {
        access_code_draw(receipt.code);
        access_code_hash(vault, bytes_of_text(receipt.code), request.code_hash);
        code = request_add(vault->store, &request, buf_view(&json), err);
    }
    if (code == VAULT_OK)
        *out = receipt;
    return code;
}

/* --- The citizen's side --------------------------------------------------------------------- */

void access_view_finish(struct access_view *view)
{
    json_free(&view->ask);
    buf_finish(&view->json);
}

static enum vault_code not_found(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such request, or it is over");
}

/* What is pending, of a service that there still is: one that is being removed right now takes its
 * requests with it. */
static enum vault_code complete_view(struct vault *vault, struct access_view *view,
                                     struct vault_error *err)
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    if (view->request.state != REQUEST_PENDING ||
        clock_now_s(&vault->options.clock) >= view->request.expires_s ||
        service_by_id(vault, bytes_of_text(view->request.service), &held, NULL))
        return not_found(err);
    return json_parse(buf_view(&view->json), ASK_DEPTH_MAX, &view->ask, NULL, err);
}

/* That a service asked is an event of the citizen's, once they are known to be the one asked. */
static enum vault_code enter_request(struct vault *vault, const struct citizen_id *id,
                                     const struct actor *actor, const struct access_view *view,
                                     struct vault_error *err)
{
    char by[ACTOR_TEXT_BYTES] = "";
    VAULT_AUTO(buf_finish) struct buf what = buf_limited(WHAT_BYTES_MAX);
    struct ledger_ticket ticket;
    json_write_value(&what, json_object_get(view->ask, "fields"));
    VAULT_TRY(buf_check(&what, err));
    if (actor)
        actor_text(actor, by);
    const struct event event = {
        .kind = ENTRY_REQUEST,
        .service = view->request.service,
        .purpose = json_string_value(json_object_get(view->ask, "purpose")),
        .actor = bytes_of_text(by),
        .basis = bytes_of_text("none"),
        .what = buf_view(&what),
    };
    {
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        struct person *person = NULL;
        VAULT_TRY(person_hold(vault, id, &citizen, &person, err));
        VAULT_TRY(event_of_citizen(vault, citizen, &event, &person->chain, &ticket, err));
    }
    return ledger_wait(vault->ledger, &ticket, err);
}

/* Nobody opens for a citizen what they could not answer for them. */
static enum vault_code check_actor(struct vault *vault, const struct citizen_id *id,
                                   const struct actor *actor, const struct access_view *view,
                                   struct vault_error *err)
{
    const char *purpose = json_string_value(json_object_get(view->ask, "purpose"));
    const struct actor_wish wish = {.event = CONSENT_REFUSE, .purpose = purpose ? purpose : ""};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    return actor_check(vault, citizen, person, actor, &wish, err);
}

static enum vault_code claim(struct vault *vault, const struct citizen_id *citizen,
                             const struct actor *actor, struct access_view *view,
                             struct vault_error *err)
{
    if (view->request.claimed)
        return citizen_id_equal(&view->request.citizen, citizen) ? VAULT_OK : not_found(err);
    /* The entry first: a crash in between leaves it twice, never missing. */
    VAULT_TRY(enter_request(vault, citizen, actor, view, err));
    VAULT_TRY(request_claim(vault->store, view->request.id, citizen, err));
    view->request.claimed = true;
    view->request.citizen = *citizen;
    return VAULT_OK;
}

static enum vault_code open_by_code(struct vault *vault, const struct citizen_id *citizen,
                                    const struct actor *actor, struct bytes code,
                                    struct access_view *out, struct vault_error *err)
{
    VAULT_AUTO(access_view_finish)
    struct access_view view = {.json = buf_limited(REQUEST_JSON_MAX_BYTES)};
    uint8_t hash[SHA256_BYTES];
    if (!access_code_hash(vault, code, hash))
        return not_found(err);
    VAULT_TRY(request_by_code(vault->store, hash, &view.request, &view.json, err));
    VAULT_TRY(complete_view(vault, &view, err));
    if (actor && check_actor(vault, citizen, actor, &view, err))
        return not_found(err);
    VAULT_TRY(claim(vault, citizen, actor, &view, err));
    *out = view;
    view = (struct access_view){0};
    return VAULT_OK;
}

enum vault_code access_request_open_by(struct vault *vault, const struct citizen_id *citizen,
                                       const struct actor *actor, struct bytes code,
                                       struct access_view *out, struct vault_error *err)
{
    VAULT_TRY(access_code_try(vault, citizen, err));
    const enum vault_code found = open_by_code(vault, citizen, actor, code, out, err);
    if (found == VAULT_OK)
        access_code_forgive(vault, citizen);
    return found;
}

enum vault_code access_request_by_code(struct vault *vault, const struct citizen_id *citizen,
                                       struct bytes code, struct access_view *out,
                                       struct vault_error *err)
{
    return access_request_open_by(vault, citizen, NULL, code, out, err);
}

enum vault_code access_request_by_id(struct vault *vault, const struct citizen_id *citizen,
                                     const char *id, struct access_view *out,
                                     struct vault_error *err)
{
    VAULT_AUTO(access_view_finish)
    struct access_view view = {.json = buf_limited(REQUEST_JSON_MAX_BYTES)};
    VAULT_TRY(request_get(vault->store, id, &view.request, &view.json, err));
    if (!view.request.claimed || !citizen_id_equal(&view.request.citizen, citizen))
        return not_found(err);
    VAULT_TRY(access_settle(vault, &view.request, err));
    VAULT_TRY(complete_view(vault, &view, err));
    *out = view;
    view = (struct access_view){0};
    return VAULT_OK;
}

struct listing {
    struct vault *vault;
    const struct citizen_id *citizen;
    char ids[LIST_MAX][REQUEST_ID_CHARS + 1];
    size_t count;
};

static enum vault_code list_id(void *context, const struct request *request, struct bytes json,
                               struct vault_error *err)
{
    (void)json;
    (void)err;
    struct listing *listing = context;
    if (listing->count < LIST_MAX)
        memcpy(listing->ids[listing->count++], request->id, sizeof request->id);
    return VAULT_OK;
}

enum vault_code access_request_list(struct vault *vault, const struct citizen_id *citizen,
                                    access_request_each *each, void *context,
                                    struct vault_error *err)
{
    struct listing listing = {.vault = vault, .citizen = citizen};
    VAULT_TRY(
        request_list(vault->store, citizen, REQUEST_PENDING, LIST_MAX, list_id, &listing, err));
    for (size_t i = 0; i < listing.count; i++) {
        VAULT_AUTO(access_view_finish) struct access_view view = {0};
        const enum vault_code code =
            access_request_by_id(vault, citizen, listing.ids[i], &view, err);
        if (code == VAULT_NOT_FOUND)
            continue; /* over since the list was made */
        if (code)
            return code;
        VAULT_TRY(each(context, &view, err));
    }
    return VAULT_OK;
}

/* An answer may hold less than was asked, never more: forms the citizen did not see, a longer time,
 * another field. */
static enum vault_code check_within(const struct access_view *view,
                                    const struct consent_decision *decision,
                                    struct vault_error *err)
{
    const json_t *fields = json_object_get(view->ask, "fields");
    const char *purpose = json_string_value(json_object_get(view->ask, "purpose"));
    bool within = strcmp(decision->service, view->request.service) == 0 && purpose &&
                  strcmp(decision->purpose, purpose) == 0 &&
                  decision->days <= json_integer_value(json_object_get(view->ask, "days")) &&
                  decision->uses == json_integer_value(json_object_get(view->ask, "uses"));
    for (size_t i = 0; i < decision->field_count && within; i++) {
        const json_t *form = json_object_get(fields, decision->fields[i].name);
        const char *asked = json_is_string(form) ? json_string_value(form) : "";
        within = form && (!asked[0] || strcmp(asked, decision->fields[i].form) == 0);
    }
    if (!within)
        return vault_fail(err, VAULT_INVALID, "the answer goes beyond what was asked");
    return VAULT_OK;
}

/*
 * All of it while the citizen is held, so that of two answers given at once the second finds the
 * first: the request must still be pending, the decision is stored and entered, the request marked.
 * A crash before the mark is made up for by access_settle().
 */
static enum vault_code answer_held(struct vault *vault, const struct citizen_id *id,
                                   const char *request_id, const struct consent_decision *decision,
                                   enum consent_event event, bool *answered,
                                   struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    struct consent_outcome outcome = {0};
    struct consent_decision answer = *decision;
    VAULT_TRY(access_request_by_id(vault, id, request_id, &view, err));
    VAULT_TRY(check_within(&view, decision, err));
    VAULT_TRY(person_hold(vault, id, &citizen, &person, err));
    VAULT_TRY(request_get(vault->store, request_id, &view.request, NULL, err));
    if (view.request.state != REQUEST_PENDING || access_answer_of(person, &view.request))
        return vault_fail(err, VAULT_CONFLICT, "the request was answered meanwhile");
    answer.request = request_id;
    VAULT_TRY(consent_decide(vault, citizen, person, &answer, event, &outcome, err));
    *ticket = outcome.ticket;
    *answered = !outcome.waits;
    if (!*answered)
        return VAULT_OK; /* one of two has agreed: to the service that is nothing */
    return access_mark_answered(vault, &view.request,
                                event == CONSENT_REFUSE ? CONSENT_REFUSED : CONSENT_GIVEN,
                                outcome.seq, err);
}

static enum vault_code answer(struct vault *vault, const struct citizen_id *citizen, const char *id,
                              const struct consent_decision *decision, enum consent_event event,
                              struct vault_error *err)
{
    bool answered = false;
    struct ledger_ticket ticket;
    VAULT_TRY(answer_held(vault, citizen, id, decision, event, &answered, &ticket, err));
    const enum vault_code code = ledger_wait(vault->ledger, &ticket, err);
    if (answered)
        access_ring(vault, id);
    return code;
}

enum vault_code access_request_give(struct vault *vault, const struct citizen_id *citizen,
                                    const char *id, const struct consent_decision *decision,
                                    struct vault_error *err)
{
    return answer(vault, citizen, id, decision, CONSENT_GIVE, err);
}

enum vault_code access_request_refuse(struct vault *vault, const struct citizen_id *citizen,
                                      const char *id, const struct consent_decision *decision,
                                      struct vault_error *err)
{
    return answer(vault, citizen, id, decision, CONSENT_REFUSE, err);
}
