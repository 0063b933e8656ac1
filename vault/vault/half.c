#include "half.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor_check.h"
#include "consent_json.h"
#include "guardian_law.h"
#include "parts.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/ulid.h"

#define SECONDS_PER_DAY  86400
#define DEPTH_MAX        3
#define RECORD_BYTES_MAX (48U * 1024)
#define BASIS_BYTES_MAX  64
#define WHAT_BYTES_MAX   8192

void half_finish(struct half *half)
{
    free(half->fields);
    half->fields = NULL;
    half->field_count = 0;
}

/* --- What is remembered --------------------------------------------------------------------- */

static bool is_about(const struct half *half, const char *service, const char *purpose)
{
    return strcmp(half->service, service) == 0 && strcmp(half->purpose, purpose) == 0;
}

static void forget(struct person *person, size_t i)
{
    half_finish(&person->halves[i]);
    person->halves[i] = person->halves[--person->half_count];
}

static void forget_about(struct person *person, const char *service, const char *purpose,
                         const char *request)
{
    for (size_t i = person->half_count; i-- > 0;) {
        const struct half *half = &person->halves[i];
        if (is_about(half, service, purpose) && (!request || strcmp(half->request, request) == 0))
            forget(person, i);
    }
}

static void forget_expired(struct person *person, int64_t now_s)
{
    for (size_t i = person->half_count; i-- > 0;) {
        if (now_s >= person->halves[i].expires_s)
            forget(person, i);
    }
}

void half_end(struct person *person, const struct consent *consent)
{
    if (consent->event == CONSENT_GIVE)
        forget_about(person, consent->service, consent->purpose, consent->request);
    else if (consent->event == CONSENT_REFUSE || consent->event == CONSENT_WITHDRAW)
        forget_about(person, consent->service, consent->purpose, NULL);
}

bool half_waits(const struct person *person, const char *service, const char *purpose)
{
    for (size_t i = 0; i < person->half_count; i++) {
        if (is_about(&person->halves[i], service, purpose))
            return true;
    }
    return false;
}

/* It counts today: in time, and by the minor or by who is still their guardian. */
static enum vault_code counts(struct vault *vault, const struct person *person,
                              const struct half *half, bool *out, struct vault_error *err)
{
    *out = clock_now_s(&vault->options.clock) < half->expires_s;
    if (!*out || !half->guardian[0])
        return VAULT_OK;
    return guardian_law_stands(vault, guardianship_of(person, true, half->guardian), out, err);
}

static enum vault_code take_if_counts(struct vault *vault, const struct person *person,
                                      const struct half *half, const struct half **out,
                                      struct vault_error *err)
{
    bool does = false;
    VAULT_TRY(counts(vault, person, half, &does, err));
    if (does)
        *out = half;
    return VAULT_OK;
}

enum vault_code half_other(struct vault *vault, const struct person *person,
                           const struct consent_decision *decision, const struct half **out,
                           struct vault_error *err)
{
    const bool by_guardian = decision->actor != NULL;
    const char *request = decision->request ? decision->request : "";
    *out = NULL;
    for (size_t i = 0; i < person->half_count && !*out; i++) {
        const struct half *half = &person->halves[i];
        if (is_about(half, decision->service, decision->purpose) &&
            strcmp(half->request, request) == 0 && (half->guardian[0] != 0) != by_guardian)
            VAULT_TRY(take_if_counts(vault, person, half, out, err));
    }
    return VAULT_OK;
}

enum vault_code half_of_request(struct vault *vault, const struct person *person,
                                const char *request, const struct half **out,
                                struct vault_error *err)
{
    *out = NULL;
    for (size_t i = 0; i < person->half_count && !*out; i++) {
        if (strcmp(person->halves[i].request, request) == 0)
            VAULT_TRY(take_if_counts(vault, person, &person->halves[i], out, err));
    }
    return VAULT_OK;
}

/* The same side's for the same request. */
static bool is_replaced(const struct half *old, const struct half *by)
{
    return is_about(old, by->service, by->purpose) && strcmp(old->request, by->request) == 0 &&
           (old->guardian[0] != 0) == (by->guardian[0] != 0);
}

/* In the place of the same side's for the same request, else behind the others. */
static enum vault_code remember(struct person *person, struct half *half, struct vault_error *err)
{
    if (!person->halves) {
        person->halves = calloc(HALVES_MAX, sizeof *person->halves);
        if (!person->halves)
            return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    }
    forget_expired(person, half->at_s);
    for (size_t i = person->half_count; i-- > 0;) {
        if (is_replaced(&person->halves[i], half))
            forget(person, i);
    }
    if (person->half_count == HALVES_MAX)
        return vault_fail(err, VAULT_LIMITED, "too many requests wait for a second half");
    person->halves[person->half_count++] = *half;
    return VAULT_OK;
}

/* --- JSON ----------------------------------------------------------------------------------- */

static bool read_terms(const json_t *root, struct half *out)
{
    return json_copy_integer(json_object_get(root, "days"), INT64_MIN, &out->days) &&
           json_copy_integer(json_object_get(root, "uses"), INT64_MIN, &out->uses) &&
           json_copy_integer(json_object_get(root, "expires"), INT64_MIN, &out->expires_s) &&
           consent_json_read_fields(json_object_get(root, "fields"), &out->fields,
                                    &out->field_count);
}

static bool read_members(const json_t *root, struct half *out)
{
    const json_t *given = json_object_get(root, "given");
    out->given = json_is_true(given);
    return json_is_boolean(given) &&
           json_copy_text(json_object_get(root, "id"), out->id, sizeof out->id) &&
           json_copy_text(json_object_get(root, "service"), out->service, sizeof out->service) &&
           json_copy_text(json_object_get(root, "purpose"), out->purpose, sizeof out->purpose) &&
           json_copy_text(json_object_get(root, "request"), out->request, sizeof out->request) &&
           json_copy_text(json_object_get(root, "by"), out->by, sizeof out->by) &&
           json_copy_text(json_object_get(root, "guardian"), out->guardian, sizeof out->guardian) &&
           json_copy_integer(json_object_get(root, "at"), INT64_MIN, &out->at_s) &&
           (!out->given || read_terms(root, out));
}

static enum vault_code read_record(struct bytes json, struct half *out, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    struct half half = {0};
    const enum vault_code code = json_parse(json, DEPTH_MAX, &root, NULL, err);
    if (code == VAULT_NO_MEMORY)
        return code;
    if (code || !read_members(root, &half)) {
        half_finish(&half);
        return vault_fail(err, VAULT_CORRUPT, "the record of half an agreement cannot be read");
    }
    *out = half;
    return VAULT_OK;
}

static void write_member(struct buf *out, const char *name, const char *value)
{
    buf_format(out, ",\"%s\":", name);
    json_write_string(out, bytes_of_text(value));
}

static void write_record(struct buf *out, const struct half *half,
                         const struct consent_decision *decision)
{
    buf_format(out, "{\"given\":%s,\"at\":%lld", half->given ? "true" : "false",
               (long long)half->at_s);
    write_member(out, "id", half->id);
    write_member(out, "service", half->service);
    write_member(out, "purpose", half->purpose);
    write_member(out, "request", half->request);
    write_member(out, "by", half->by);
    write_member(out, "guardian", half->guardian);
    if (half->given) {
        buf_format(out, ",\"days\":%lld,\"uses\":%lld,\"expires\":%lld", (long long)half->days,
                   (long long)half->uses, (long long)half->expires_s);
        consent_json_write_fields(out, half->fields, half->field_count);
        if (decision && decision->text)
            consent_json_write_text(out, decision);
    }
    buf_byte(out, '}');
}

static void stamp(struct half *half, const struct actor *actor)
{
    if (!actor)
        return;
    actor_text(actor, half->by);
    snprintf(half->guardian, sizeof half->guardian, "%s",
             actor->guardian ? actor->guardian->id : "");
}

static enum vault_code store(struct vault *vault, struct citizen *citizen, struct person *person,
                             const struct half *half, const struct consent_decision *decision,
                             int64_t *seq, struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(RECORD_BYTES_MAX);
    write_record(&json, half, decision);
    VAULT_TRY(buf_check(&json, err));
    const struct person_event event = {PERSON_HALF_KIND, half->id, buf_view(&json)};
    return person_record(vault, citizen, person, &event, seq, ticket, err);
}

/* --- Giving and taking back ----------------------------------------------------------------- */

/* Room in memory: a half that cannot be remembered could not be read again either. */
static enum vault_code check_room(struct person *person, const struct half *half,
                                  struct vault_error *err)
{
    size_t others = 0;
    forget_expired(person, half->at_s);
    for (size_t i = 0; i < person->half_count; i++)
        others += !is_replaced(&person->halves[i], half);
    if (others >= HALVES_MAX)
        return vault_fail(err, VAULT_LIMITED, "too many requests wait for a second half");
    return VAULT_OK;
}

enum vault_code half_give(struct vault *vault, struct citizen *citizen, struct person *person,
                          const struct consent_decision *decision, struct consent_outcome *out,
                          struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    struct half half = {.given = true,
                        .days = decision->days,
                        .uses = decision->uses,
                        .at_s = now_s,
                        .expires_s = now_s + (int64_t)HALF_DAYS * SECONDS_PER_DAY,
                        /* Borrowed for the writing of the record. */
                        .fields = (struct consent_field *)(uintptr_t)decision->fields,
                        .field_count = decision->field_count};
    snprintf(half.service, sizeof half.service, "%s", decision->service);
    snprintf(half.purpose, sizeof half.purpose, "%s", decision->purpose);
    snprintf(half.request, sizeof half.request, "%s", decision->request ? decision->request : "");
    stamp(&half, decision->actor);
    VAULT_TRY(check_room(person, &half, err));
    ulid_new(half.id, clock_now_ms(&vault->options.clock));
    VAULT_TRY(store(vault, citizen, person, &half, decision, &out->seq, &out->ticket, err));
    memcpy(out->id, half.id, sizeof out->id);
    out->waits = true;
    return VAULT_OK;
}

enum vault_code half_take_back(struct vault *vault, struct citizen *citizen, struct person *person,
                               const struct actor *actor, const char *service, const char *purpose,
                               struct ledger_ticket *ticket, struct vault_error *err)
{
    struct half half = {.at_s = clock_now_s(&vault->options.clock)};
    snprintf(half.service, sizeof half.service, "%s", service);
    snprintf(half.purpose, sizeof half.purpose, "%s", purpose);
    stamp(&half, actor);
    ulid_new(half.id, clock_now_ms(&vault->options.clock));
    return store(vault, citizen, person, &half, NULL, NULL, ticket, err);
}

enum vault_code half_take_back_by(struct vault *vault, struct citizen *citizen,
                                  struct person *person, const struct half *half, const char *by,
                                  struct ledger_ticket *ticket, struct vault_error *err)
{
    struct half end = {.at_s = clock_now_s(&vault->options.clock)};
    memcpy(end.service, half->service, sizeof end.service);
    memcpy(end.purpose, half->purpose, sizeof end.purpose);
    snprintf(end.by, sizeof end.by, "%s", by);
    ulid_new(end.id, clock_now_ms(&vault->options.clock));
    return store(vault, citizen, person, &end, NULL, NULL, ticket, err);
}

void half_write_end(struct buf *out, const char *service, const char *purpose, int64_t at_s)
{
    struct half half = {.at_s = at_s};
    snprintf(half.service, sizeof half.service, "%s", service);
    snprintf(half.purpose, sizeof half.purpose, "%s", purpose);
    ulid_new(half.id, at_s * 1000);
    write_record(out, &half, NULL);
}

static const struct consent_field *field_of(const struct half *half, const char *name)
{
    for (size_t i = 0; i < half->field_count; i++) {
        if (strcmp(half->fields[i].name, name) == 0)
            return &half->fields[i];
    }
    return NULL;
}

/* A form that one named is within any that the other agreed to; two that differ are not one. */
static bool join_field(const struct consent_field *a, const struct consent_field *b,
                       struct consent_field *out)
{
    if (a->form[0] && b->form[0] && strcmp(a->form, b->form) != 0)
        return false;
    *out = a->form[0] ? *a : *b;
    return true;
}

enum vault_code half_join(const struct half *half, const struct consent_decision *decision,
                          struct consent_decision *out, struct consent_field fields[],
                          struct vault_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < decision->field_count; i++) {
        const struct consent_field *other = field_of(half, decision->fields[i].name);
        count += other && join_field(&decision->fields[i], other, &fields[count]);
    }
    if (count == 0 || half->uses != decision->uses)
        return vault_fail(err, VAULT_CONFLICT, "the other agreed to something else");
    *out = *decision;
    out->fields = fields;
    out->field_count = count;
    if (half->days < decision->days)
        out->days = half->days;
    return VAULT_OK;
}

/* --- A record ------------------------------------------------------------------------------- */

enum vault_code half_apply(struct person *person, const struct citizen_record *record,
                           struct vault_error *err)
{
    struct half half = {0};
    VAULT_TRY(read_record(record->json, &half, err));
    if (!half.given) {
        forget_about(person, half.service, half.purpose, NULL);
        return VAULT_OK;
    }
    const enum vault_code code = remember(person, &half, err);
    if (code)
        half_finish(&half);
    return code;
}

static void write_what(struct buf *out, const struct half *half)
{
    for (size_t i = 0; i < half->field_count; i++)
        buf_format(out, "%s%s %s", i ? "\n" : "", half->fields[i].name,
                   half->fields[i].form[0] ? half->fields[i].form : "any");
    if (!half->given)
        buf_text(out, "everything");
}

/* No service hears of a request's entry (indexer.c), and none is to hear of this. */
enum vault_code half_enter(struct vault *vault, const struct citizen *citizen,
                           struct event_chain *chain, struct bytes json,
                           struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(half_finish) struct half half = {0};
    VAULT_AUTO(buf_finish) struct buf what = buf_limited(WHAT_BYTES_MAX);
    VAULT_TRY(read_record(json, &half, err));
    write_what(&what, &half);
    VAULT_TRY(buf_check(&what, err));
    const struct event event = {.kind = ENTRY_REQUEST,
                                .service = half.service,
                                .purpose = half.purpose,
                                .actor = bytes_of_text(half.by),
                                .basis = bytes_of_text(half.given ? "half" : "half taken back"),
                                .what = buf_view(&what)};
    return event_of_citizen(vault, citizen, &event, chain, ticket, err);
}
