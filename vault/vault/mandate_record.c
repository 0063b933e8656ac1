#include "mandate_record.h"

#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "vault/base/json.h"

#define DEPTH_MAX       3
#define BASIS_BYTES_MAX 64
#define WHAT_BYTES_MAX  8192

/* --- What is remembered --------------------------------------------------------------------- */

struct mandate *mandate_of(struct person *person, const char *id)
{
    for (size_t i = 0; i < person->mandate_count; i++) {
        if (strcmp(person->mandates[i].id, id) == 0)
            return &person->mandates[i];
    }
    return NULL;
}

void mandate_used(struct person *person, const char *id, int64_t at_s)
{
    struct mandate *mandate = id[0] ? mandate_of(person, id) : NULL;
    if (mandate && at_s > mandate->used_s)
        mandate->used_s = at_s;
}

/* Where a new one goes: behind the others, or, when there are too many, where one stood that is
 * over. Only what was given last of all could find no place, and that is not stored (mandate.c). */
static struct mandate *place_of(struct person *person, int64_t at_s)
{
    if (person->mandate_count < MANDATES_MAX)
        return &person->mandates[person->mandate_count++];
    for (size_t i = 0; i < MANDATES_MAX; i++) {
        if (mandate_state_now(&person->mandates[i], at_s) != MANDATE_IN_FORCE)
            return &person->mandates[i];
    }
    return NULL;
}

enum vault_code mandate_apply(struct person *person, const struct citizen_record *record,
                              struct vault_error *err)
{
    struct mandate mandate;
    VAULT_TRY(mandate_record_read(record->json, &mandate, err));
    if (!person->mandates) {
        person->mandates = calloc(MANDATES_MAX, sizeof *person->mandates);
        if (!person->mandates)
            return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    }
    struct mandate *place = mandate_of(person, mandate.id);
    if (!place && mandate.event != MANDATE_GIVE)
        return VAULT_OK; /* of one that made room for others */
    if (!place)
        place = place_of(person, mandate.at_s);
    if (!place)
        return vault_fail(err, VAULT_LIMITED, "too many mandates of one citizen");
    *place = mandate;
    return VAULT_OK;
}

/* --- JSON ----------------------------------------------------------------------------------- */

static bool read_purposes(const json_t *list, struct mandate_terms *out)
{
    out->purpose_count = json_array_size(list);
    if (out->purpose_count == 0 || out->purpose_count > MANDATE_PURPOSES_MAX)
        return false;
    for (size_t i = 0; i < out->purpose_count; i++) {
        if (!json_copy_text(json_array_get(list, i), out->purposes[i], sizeof out->purposes[i]))
            return false;
    }
    return true;
}

/* Absent is empty. */
static bool read_by(const json_t *by, struct mandate *out)
{
    return !by || json_copy_text(by, out->by, sizeof out->by);
}

static bool read_members(const json_t *root, struct mandate *out)
{
    struct mandate_terms *terms = &out->terms;
    const json_t *values = json_object_get(root, "values");
    terms->values = json_is_true(values);
    out->state = mandate_state_of(json_text(json_object_get(root, "state")));
    out->event = mandate_event_of(json_text(json_object_get(root, "event")));
    return json_is_boolean(values) && out->state < MANDATE_STORED_COUNT &&
           out->event < MANDATE_EVENT_COUNT &&
           json_copy_text(json_object_get(root, "id"), out->id, sizeof out->id) &&
           json_copy_text(json_object_get(root, "structure"), terms->structure,
                          sizeof terms->structure) &&
           json_copy_text(json_object_get(root, "label"), terms->label, sizeof terms->label) &&
           read_purposes(json_object_get(root, "purposes"), terms) &&
           json_copy_integer(json_object_get(root, "days"), 0, &terms->days) &&
           json_copy_integer(json_object_get(root, "at"), 0, &out->at_s) &&
           json_copy_integer(json_object_get(root, "given"), 0, &out->given_s) &&
           json_copy_integer(json_object_get(root, "expires"), 0, &out->expires_s) &&
           json_copy_integer(json_object_get(root, "used"), 0, &out->used_s) &&
           read_by(json_object_get(root, "by"), out);
}

enum vault_code mandate_record_read(struct bytes json, struct mandate *out, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    struct mandate mandate = {0};
    const enum vault_code code = json_parse(json, DEPTH_MAX, &root, NULL, err);
    if (code == VAULT_NO_MEMORY)
        return code;
    if (code || !read_members(root, &mandate))
        return vault_fail(err, VAULT_CORRUPT, "a mandate's record cannot be read");
    *out = mandate;
    return VAULT_OK;
}

static void write_member(struct buf *out, const char *name, const char *value)
{
    buf_format(out, ",\"%s\":", name);
    json_write_string(out, bytes_of_text(value));
}

void mandate_record_write(struct buf *out, const struct mandate *mandate, const char *how,
                          const char *what)
{
    const struct mandate_terms *terms = &mandate->terms;
    buf_format(out, "{\"event\":\"%s\",\"state\":\"%s\"", mandate_event_name(mandate->event),
               mandate_state_name(mandate->state));
    write_member(out, "id", mandate->id);
    write_member(out, "structure", terms->structure);
    write_member(out, "label", terms->label);
    buf_text(out, ",\"purposes\":[");
    for (size_t i = 0; i < terms->purpose_count; i++) {
        buf_text(out, i ? "," : "");
        json_write_string(out, bytes_of_text(terms->purposes[i]));
    }
    buf_format(out, "],\"values\":%s,\"days\":%lld,\"at\":%lld,\"given\":%lld",
               terms->values ? "true" : "false", (long long)terms->days, (long long)mandate->at_s,
               (long long)mandate->given_s);
    buf_format(out, ",\"expires\":%lld,\"used\":%lld", (long long)mandate->expires_s,
               (long long)mandate->used_s);
    if (how)
        write_member(out, "how", how);
    if (mandate->by[0])
        write_member(out, "by", mandate->by);
    if (what)
        write_member(out, "what", what);
    buf_byte(out, '}');
}

enum vault_code mandate_check_records(struct citizen *citizen, struct vault_error *err)
{
    uint64_t records = 0;
    VAULT_TRY(citizen_record_count(citizen, &records, err));
    if (records >= CITIZEN_RECORDS_SOFT_MAX) /* there must be room left to end and withdraw */
        return vault_fail(err, VAULT_LIMITED, "too many records for one citizen");
    return VAULT_OK;
}

enum vault_code mandate_store(struct vault *vault, struct citizen *citizen, struct person *person,
                              const struct mandate *mandate, const char *how, const char *what,
                              struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(MANDATE_RECORD_BYTES);
    mandate_record_write(&json, mandate, how, what);
    VAULT_TRY(buf_check(&json, err));
    const struct person_event event = {PERSON_MANDATE_KIND, mandate->id, buf_view(&json)};
    return person_record(vault, citizen, person, &event, NULL, ticket, err);
}

/* --- The entry ------------------------------------------------------------------------------ */

/* "give", the structure, the days, the purposes; or "use" and the fields that were seen; or "end".
 * A line each. */
static enum vault_code write_what(const struct mandate *mandate, struct bytes json, struct buf *out,
                                  struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_TRY(json_parse(json, DEPTH_MAX, &root, NULL, err));
    buf_format(out, "%s %s", mandate_event_name(mandate->event), mandate->terms.structure);
    if (mandate->event == MANDATE_GIVE) {
        buf_format(out, "\n%lld days, %s values", (long long)mandate->terms.days,
                   mandate->terms.values ? "with" : "without");
        for (size_t i = 0; i < mandate->terms.purpose_count; i++)
            buf_format(out, "\n%s", mandate->terms.purposes[i]);
    }
    const char *what = json_string_value(json_object_get(root, "what"));
    if (what)
        buf_format(out, "\n%s", what);
    return buf_check(out, err);
}

enum vault_code mandate_record_enter(struct vault *vault, const struct citizen *citizen,
                                     struct event_chain *chain, struct bytes json,
                                     struct ledger_ticket *ticket, struct vault_error *err)
{
    struct mandate mandate;
    VAULT_AUTO(buf_finish) struct buf basis = buf_limited(BASIS_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf what = buf_limited(WHAT_BYTES_MAX);
    VAULT_TRY(mandate_record_read(json, &mandate, err));
    buf_format(&basis, "mandate %s", mandate.id);
    VAULT_TRY(buf_check(&basis, err));
    VAULT_TRY(write_what(&mandate, json, &what, err));
    const struct event event = {.kind = ENTRY_MANDATE,
                                .actor = bytes_of_text(mandate.by),
                                .basis = buf_view(&basis),
                                .what = buf_view(&what)};
    return event_of_citizen(vault, citizen, &event, chain, ticket, err);
}
