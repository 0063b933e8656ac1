/* All of one citizen as JSON: what an operator hands over, and what an import takes again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correction_record.h"
#include "digest_row.h"
#include "export_log.h"
#include "guardian_record.h"
#include "parts.h"
#include "person.h"
#include "report_record.h"
#include "vault/base/json.h"
#include "vault/store/citizen_record.h"
#include "vault/store/citizen_value.h"
#include "vault/store/control_citizen.h"
#include "vault/vault/people.h"

#define RECORDS_AT_A_TIME 1000
#define WHAT_CHARS        64
#define RECEIPTS_MAX      2000

/* How an export is divided: values and decisions have what they take, receipts end at the second,
 * the log at the first. */
#define LOG_BYTES_MAX     (PEOPLE_EXPORT_BYTES_MAX - 1024)
#define RECEIPT_BYTES_END (PEOPLE_EXPORT_BYTES_MAX / 8 * 7)

/* One export on its way. */
struct exporting {
    struct vault *vault;
    const struct citizen_id *citizen;
    struct buf *out;
    size_t count; /* of the list that is written */
    int64_t last_seq;
    int64_t *seqs; /* of the newest consents' records, RECEIPTS_MAX of them; owned */
    size_t seq_count;
    bool seqs_left; /* there were more */
};

static void exporting_finish(struct exporting *exporting)
{
    free(exporting->seqs);
}

/* --- Values and decisions ------------------------------------------------------------------- */

static enum vault_code write_value(void *context, const char *field, struct bytes json,
                                   const struct citizen_value_about *about, struct vault_error *err)
{
    struct exporting *exporting = context;
    char as_of[INSTANT_CHARS + 1];
    instant_format(as_of, about->as_of_s);
    buf_text(exporting->out, exporting->count++ ? "," : "");
    json_write_string(exporting->out, bytes_of_text(field));
    buf_format(exporting->out, ":{\"as_of\":\"%s\",\"source\":", as_of);
    json_write_string(exporting->out, bytes_of_text(about->source));
    buf_text(exporting->out, ",\"value\":");
    buf_bytes(exporting->out, json);
    buf_byte(exporting->out, '}');
    return buf_check(exporting->out, err);
}

/* The newest are kept: the oldest goes when there is no room. */
static void note_receipt(struct exporting *exporting, int64_t seq)
{
    if (exporting->seq_count == RECEIPTS_MAX) {
        exporting->seqs_left = true;
        exporting->seq_count--;
        memmove(exporting->seqs, exporting->seqs + 1,
                exporting->seq_count * sizeof exporting->seqs[0]);
    }
    exporting->seqs[exporting->seq_count++] = seq;
}

/* A record is JSON of the domain's own, and is given as it was stored. */
static enum vault_code write_record(void *context, const struct citizen_record *record,
                                    struct vault_error *err)
{
    struct exporting *exporting = context;
    buf_text(exporting->out, exporting->count++ ? "," : "");
    buf_bytes(exporting->out, record->json);
    exporting->last_seq = record->seq;
    if (strcmp(record->kind, PERSON_CONSENT_KIND) == 0)
        note_receipt(exporting, record->seq);
    return buf_check(exporting->out, err);
}

/* But a guardianship's, which has what is the other's. */
static enum vault_code write_guardianship(void *context, const struct citizen_record *record,
                                          struct vault_error *err)
{
    struct exporting *exporting = context;
    buf_text(exporting->out, exporting->count++ ? "," : "");
    exporting->last_seq = record->seq;
    return guardianship_export(exporting->out, record->json, err);
}

static enum vault_code write_records(struct exporting *exporting, struct citizen *citizen,
                                     const char *kind, citizen_record_each *each,
                                     struct vault_error *err)
{
    int64_t before;
    exporting->count = 0;
    exporting->last_seq = 0;
    do {
        before = exporting->last_seq;
        VAULT_TRY(
            citizen_record_list(citizen, kind, before, RECORDS_AT_A_TIME, each, exporting, err));
    } while (exporting->last_seq != before);
    return VAULT_OK;
}

static const struct {
    const char *member;
    const char *kind;
    citizen_record_each *each;
} decisions[] = {
    {"consents", PERSON_CONSENT_KIND, write_record},
    {"mandates", PERSON_MANDATE_KIND, write_record},
    {"objections", PERSON_OBJECTION_KIND, write_record},
    {"pauses", PERSON_PAUSE_KIND, write_record},
    {"corrections", CORRECTION_RECORD_KIND, write_record},
    {"reports", REPORT_RECORD_KIND, write_record},
    {"guardianships", PERSON_GUARDIAN_KIND, write_guardianship},
    {"halves", PERSON_HALF_KIND, write_record},
};

/* Where they want to be told of what is new; null if nowhere. */
static enum vault_code write_messages(struct exporting *exporting, const struct citizen *citizen,
                                      struct vault_error *err)
{
    struct digest row;
    struct digest_wish wish;
    const enum vault_code code = digest_get(exporting->vault->store, exporting->citizen, &row, err);
    buf_text(exporting->out, ",\"messages\":");
    if (code == VAULT_NOT_FOUND) {
        buf_text(exporting->out, "null");
        return VAULT_OK;
    }
    VAULT_TRY(code);
    VAULT_TRY(digest_read_row(citizen, &row, &wish, err));
    buf_text(exporting->out, "{\"address\":");
    json_write_string(exporting->out, bytes_of_text(wish.address));
    buf_format(exporting->out, ",\"language\":\"%s\",\"every_days\":%lld,\"confirmed\":%s}",
               wish.language, (long long)(wish.every_s / DIGEST_DAY_S),
               wish.confirmed ? "true" : "false");
    return buf_check(exporting->out, err);
}

/* what counts the values and the consents, for the log. */
static enum vault_code write_own(struct exporting *exporting, struct citizen *citizen,
                                 const char *reference, char what[WHAT_CHARS],
                                 struct vault_error *err)
{
    struct buf *out = exporting->out;
    size_t consents = 0;
    buf_text(out, "{\"format\":\"" PEOPLE_EXPORT_FORMAT "\",\"reference\":");
    json_write_string(out, bytes_of_text(reference));
    buf_text(out, ",\"values\":{");
    VAULT_TRY(citizen_value_list(citizen, write_value, exporting, err));
    const size_t values = exporting->count;
    buf_byte(out, '}');
    for (size_t i = 0; i < sizeof decisions / sizeof decisions[0]; i++) {
        buf_format(out, ",\"%s\":[", decisions[i].member);
        VAULT_TRY(write_records(exporting, citizen, decisions[i].kind, decisions[i].each, err));
        buf_byte(out, ']');
        consents = i == 0 ? exporting->count : consents;
    }
    snprintf(what, WHAT_CHARS, "%zu values, %zu records of consents", values, consents);
    return write_messages(exporting, citizen, err);
}

/* by is who does it: "operator", or NULL for the citizen. */
static enum vault_code write_held(struct exporting *exporting, const char *reference,
                                  const char *by, struct ledger_ticket *ticket,
                                  struct vault_error *err)
{
    char what[WHAT_CHARS];
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(exporting->vault, exporting->citizen, &citizen, &person, err));
    VAULT_TRY(write_own(exporting, citizen, reference, what, err));
    const struct event event = {.kind = ENTRY_EXPORT,
                                .actor = by ? bytes_of_text(by) : (struct bytes){0},
                                .basis = bytes_of_text(by ? by : "own session"),
                                .what = bytes_of_text(what)};
    return event_of_citizen(exporting->vault, citizen, &event, &person->chain, ticket, err);
}

/* --- All ------------------------------------------------------------------------------------ */

static enum vault_code write_receipts(struct exporting *exporting, struct vault_error *err)
{
    bool all = false;
    buf_text(exporting->out, ",\"receipts\":{\"list\":");
    VAULT_TRY(export_receipts(exporting->vault, exporting->citizen, exporting->seqs,
                              exporting->seq_count, RECEIPT_BYTES_END, &all, exporting->out, err));
    buf_format(exporting->out, ",\"complete\":%s}",
               all && !exporting->seqs_left ? "true" : "false");
    return buf_check(exporting->out, err);
}

static enum vault_code export(struct vault *vault, const struct citizen_id *id,
                              const char *reference, const char *by, struct buf *out,
                              struct vault_error *err) {
    struct ledger_ticket ticket; VAULT_AUTO(exporting_finish) struct exporting exporting =
                                     {.vault = vault,
                                      .citizen = id,
                                      .out = out,
                                      .seqs = calloc(RECEIPTS_MAX, sizeof *exporting.seqs)};
    if (!exporting.seqs) return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(write_held(&exporting, reference, by, &ticket, err));
    VAULT_TRY(ledger_wait(vault->ledger, &ticket, err));
    VAULT_TRY(write_receipts(&exporting, err));
    buf_text(out, ",\"log\":");
    VAULT_TRY(export_log(vault, id, LOG_BYTES_MAX, out, err));
    buf_byte(out, '}');
    return buf_check(out, err);
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
