/* All of one citizen as JSON: what an operator hands over, and what an import takes again. */
#include <stdio.h>

#include "parts.h"
#include "person.h"
#include "vault/base/json.h"
#include "vault/store/citizen_record.h"
#include "vault/store/citizen_value.h"
#include "vault/store/control_citizen.h"
#include "vault/vault/people.h"

#define RECORDS_AT_A_TIME 1000
#define WHAT_CHARS        64

struct list {
    struct buf *out;
    size_t count;
    int64_t last_seq;
};

static enum vault_code write_value(void *context, const char *field, struct bytes json,
                                   const struct citizen_value_about *about, struct vault_error *err)
{
    struct list *list = context;
    char as_of[INSTANT_CHARS + 1];
    instant_format(as_of, about->as_of_s);
    buf_text(list->out, list->count++ ? "," : "");
    json_write_string(list->out, bytes_of_text(field));
    buf_format(list->out, ":{\"as_of\":\"%s\",\"source\":", as_of);
    json_write_string(list->out, bytes_of_text(about->source));
    buf_text(list->out, ",\"value\":");
    buf_bytes(list->out, json);
    buf_byte(list->out, '}');
    return buf_check(list->out, err);
}

/* A record is JSON of the domain's own, and is given as it was stored. */
static enum vault_code write_record(void *context, const struct citizen_record *record,
                                    struct vault_error *err)
{
    struct list *list = context;
    buf_text(list->out, list->count++ ? "," : "");
    buf_bytes(list->out, record->json);
    list->last_seq = record->seq;
    return buf_check(list->out, err);
}

static enum vault_code write_records(struct citizen *citizen, struct list *list,
                                     struct vault_error *err)
{
    int64_t before;
    do {
        before = list->last_seq;
        VAULT_TRY(citizen_record_list(citizen, PERSON_CONSENT_KIND, before, RECORDS_AT_A_TIME,
                                      write_record, list, err));
    } while (list->last_seq != before);
    return VAULT_OK;
}

static enum vault_code write_all(struct citizen *citizen, const char *reference, struct buf *out,
                                 char what[WHAT_CHARS], struct vault_error *err)
{
    struct list values = {.out = out};
    struct list consents = {.out = out};
    buf_text(out, "{\"format\":\"" PEOPLE_EXPORT_FORMAT "\",\"reference\":");
    json_write_string(out, bytes_of_text(reference));
    buf_text(out, ",\"values\":{");
    VAULT_TRY(citizen_value_list(citizen, write_value, &values, err));
    buf_text(out, "},\"consents\":[");
    VAULT_TRY(write_records(citizen, &consents, err));
    buf_text(out, "]}");
    snprintf(what, WHAT_CHARS, "%zu values, %zu records of consents", values.count, consents.count);
    return buf_check(out, err);
}

/* by is who does it: "operator", or NULL for the citizen. */
static enum vault_code export(struct vault *vault, const struct citizen_id *id,
                              const char *reference, const char *by, struct buf *out,
                              struct vault_error *err) {
    char what[WHAT_CHARS]; struct ledger_ticket ticket;
    {VAULT_AUTO(citizen_release) struct citizen *citizen = NULL; struct person *person = NULL;
     VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
     VAULT_TRY(write_all(citizen, reference, out, what, err));
     const struct event event = {.kind = ENTRY_EXPORT,
                                 .actor = by ? bytes_of_text(by) : (struct bytes){0},
                                 .basis = bytes_of_text(by ? by : "own session"),
                                 .what = bytes_of_text(what)};
     VAULT_TRY(event_of_citizen(vault, citizen, &event, &person->chain, &ticket, err));}
return ledger_wait(vault->ledger, &ticket, err);
}

enum vault_code people_export(struct vault *vault, const char *reference, struct buf *out,
                              struct vault_error *err)
{
    struct citizen_id id;
    VAULT_TRY(people_find(vault, reference, &id, err));
    return export(vault, &id, reference, "operator", out, err);
}

enum vault_code people_export_own(struct vault *vault, const struct citizen_id *citizen,
                                  struct buf *out, struct vault_error *err)
{
    struct control_citizen known;
    VAULT_TRY(control_citizen_find(vault->store, citizen, &known, err));
    return export(vault, citizen, known.reference, NULL, out, err);
}

struct showing {
    people_each *each;
    void *context;
};

static enum vault_code show_value(void *context, const char *field, struct bytes json,
                                  const struct citizen_value_about *about, struct vault_error *err)
{
    const struct showing *showing = context;
    return showing->each(showing->context, field, json, about->as_of_s, about->source, err);
}

enum vault_code people_values(struct vault *vault, const struct citizen_id *id, people_each *each,
                              void *context, struct vault_error *err)
{
    struct showing showing = {each, context};
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    return citizen_value_list(citizen, show_value, &showing, err);
}
