#include "vault/vault/consent_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bell.h"
#include "consent_json.h"
#include "feed_parts.h"
#include "parts.h"
#include "person.h"
#include "vault/base/codec.h"
#include "vault/store/erasure.h"
#include "vault/store/feed.h"
#include "vault/vault/subject.h"

#define RECORDS_AT_A_TIME 1000

static void ring_key(char out[BELL_KEY_CHARS + 1], const char *service)
{
    snprintf(out, BELL_KEY_CHARS + 1, "feed/%s", service);
}

void feed_ring(struct vault *vault, const char *service)
{
    char key[BELL_KEY_CHARS + 1];
    ring_key(key, service);
    bell_ring(vault->bell, key);
}

/* --- What a row stands for ------------------------------------------------------------------ */

/* The citizen's record that the row's entry was made from, and for a refusal what came before. */
struct looking {
    const struct feed_row *row;
    struct consent consent;
    bool found;
    struct consent former; /* of the same service and purpose */
    int64_t last_seq;
    size_t count;
};

static void looking_finish(struct looking *looking)
{
    consent_finish(&looking->consent);
    consent_finish(&looking->former);
}

/* Any code but VAULT_OK ends the list: only its first record is looked at. */
static enum vault_code take_record(void *context, const struct citizen_record *record,
                                   struct vault_error *err)
{
    struct looking *looking = context;
    if (record->log_n != looking->row->citizen_n || strcmp(record->kind, PERSON_CONSENT_KIND) != 0)
        return VAULT_NOT_FOUND;
    VAULT_TRY(consent_json_read(record->json, &looking->consent, err));
    looking->found = true;
    return VAULT_NOT_FOUND;
}

static enum vault_code take_former(void *context, const struct citizen_record *record,
                                   struct vault_error *err)
{
    struct looking *looking = context;
    looking->last_seq = record->seq;
    looking->count++;
    if (!record->log_n || record->log_n >= looking->row->citizen_n)
        return VAULT_OK;
    struct consent consent = {0};
    VAULT_TRY(consent_json_read(record->json, &consent, err));
    if (strcmp(consent.service, looking->consent.service) == 0 &&
        strcmp(consent.purpose, looking->consent.purpose) == 0) {
        consent_finish(&looking->former);
        looking->former = consent;
    } else {
        consent_finish(&consent);
    }
    return VAULT_OK;
}

static enum vault_code find_former(struct citizen *citizen, struct looking *looking,
                                   struct vault_error *err)
{
    do {
        looking->count = 0;
        VAULT_TRY(citizen_record_list(citizen, PERSON_CONSENT_KIND, looking->last_seq,
                                      RECORDS_AT_A_TIME, take_former, looking, err));
    } while (looking->count == RECORDS_AT_A_TIME);
    return VAULT_OK;
}

/* Only while there was something given does a refusal end it. */
static bool ended_something(const struct looking *looking)
{
    const enum consent_state state =
        looking->former.id[0] ? consent_state_now(&looking->former, looking->consent.at_s)
                              : CONSENT_NONE;
    return state == CONSENT_GIVEN || state == CONSENT_SUSPENDED;
}

/* *exists is false for somebody who is not there any more. A file that cannot be read does not keep
 * a service from hearing that something changed: the row says what. */
static enum vault_code look(struct vault *vault, struct looking *looking, bool *exists,
                            struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    enum vault_code code = person_hold(vault, &looking->row->citizen, &citizen, &person, err);
    *exists = code == VAULT_CORRUPT || (code == VAULT_OK && citizen_exists(citizen));
    if (code == VAULT_OK && *exists)
        code = citizen_record_unlogged(citizen, looking->row->citizen_n - 1, take_record, looking,
                                       err);
    if (looking->found && looking->consent.event == CONSENT_REFUSE)
        code = find_former(citizen, looking, err);
    if (code == VAULT_NOT_FOUND && !looking->found)
        *exists = false; /* the row is of something else, such as an objection that was lifted */
    return code == VAULT_CORRUPT || code == VAULT_NOT_FOUND ? VAULT_OK : code;
}

/* --- Writing -------------------------------------------------------------------------------- */

/* An answer under way. */
struct answer {
    struct vault *vault;
    const struct service *service;
    struct buf *out;
    size_t written;
    uint64_t next;
    struct feed_row rows[CONSENT_FEED_MAX];
    size_t row_count;
};

static void write_fields(struct buf *out, const struct consent *consent)
{
    for (size_t i = 0; i < consent->field_count; i++) {
        const struct consent_field *field = &consent->fields[i];
        buf_format(out, "%s\"%s\":", i ? "," : "", field->name);
        if (field->form[0])
            json_write_string(out, bytes_of_text(field->form));
        else
            buf_text(out, "null");
    }
}

static void write_change(struct answer *answer, const struct feed_row *row, const char *change,
                         const char *subject, const struct consent *consent)
{
    struct buf *out = answer->out;
    char at[INSTANT_CHARS + 1];
    instant_format(at, row->time_ms / 1000);
    buf_format(out, "%s{\"n\":%llu,\"change\":\"%s\",\"subject\":\"%s\",\"purpose\":",
               answer->written++ ? "," : "", (unsigned long long)row->n, change, subject);
    if (row->purpose[0])
        json_write_string(out, bytes_of_text(row->purpose));
    else
        buf_text(out, "null");
    buf_text(out, ",\"fields\":{");
    write_fields(out, consent);
    buf_format(out, "},\"at\":\"%s\"}", at);
}

static const char *const by_event[CONSENT_EVENT_COUNT] = {
    [CONSENT_GIVE] = "given",        [CONSENT_NARROW] = "narrowed",
    [CONSENT_REFUSE] = "withdrawn",  [CONSENT_WITHDRAW] = "withdrawn",
    [CONSENT_SUSPEND] = "suspended", [CONSENT_RESUME] = "resumed",
    [CONSENT_END] = "withdrawn",
};

/* What is known without the citizen's file. NULL: nothing that is to be told. */
static const char *const by_row[] = {
    [FEED_CONSENT] = "given",  [FEED_WITHDRAW] = "withdrawn", [FEED_SUSPEND] = "suspended",
    [FEED_RESUME] = "resumed", [FEED_REFUSE] = NULL,          [FEED_ERASE] = "erased",
};

static enum vault_code write_row(struct answer *answer, const struct feed_row *row,
                                 struct vault_error *err)
{
    VAULT_AUTO(looking_finish) struct looking looking = {.row = row};
    char subject[SUBJECT_CHARS + 1];
    bool exists = false;
    if (row->change == FEED_ERASE) {
        base32_string(subject, row->citizen.bytes, sizeof row->citizen.bytes);
        write_change(answer, row, by_row[row->change], subject, &looking.consent);
        return VAULT_OK;
    }
    VAULT_TRY(look(answer->vault, &looking, &exists, err));
    VAULT_TRY(subject_write(answer->service, &row->citizen, subject, err));
    const bool refuses = looking.found && looking.consent.event == CONSENT_REFUSE;
    const char *change = looking.found ? by_event[looking.consent.event] : by_row[row->change];
    if (exists && change && (!refuses || ended_something(&looking)))
        write_change(answer, row, change, subject, refuses ? &looking.former : &looking.consent);
    return VAULT_OK;
}

/* --- Reading -------------------------------------------------------------------------------- */

static enum vault_code take_row(void *context, const struct feed_row *row, struct vault_error *err)
{
    (void)err;
    struct answer *answer = context;
    answer->rows[answer->row_count++] = *row;
    return VAULT_OK;
}

/* An erasure that is in the log, but not yet in the feeds, stands in the way of what came after it:
 * nobody may read past the place where its row belongs. One that is being told now is waited for,
 * and one that a crash interrupted is noted. */
static enum vault_code read_rows(struct answer *answer, struct vault_error *err)
{
    struct store *store = answer->vault->store;
    struct erasure erasure;
    bool found = false;
    answer->row_count = 0;
    pthread_rwlock_rdlock(&answer->vault->feeding);
    enum vault_code code = erasure_next(store, &erasure, &found, err);
    const uint64_t before = found && erasure.is_entering ? erasure.from + 1 : UINT64_MAX;
    if (code == VAULT_OK)
        code = feed_list(store, answer->service->id, answer->next, before, CONSENT_FEED_MAX,
                         take_row, answer, err);
    pthread_rwlock_unlock(&answer->vault->feeding);
    return code;
}

/* Go on until something is written or there is nothing more. */
static enum vault_code read_some(struct answer *answer, struct vault_error *err)
{
    do {
        VAULT_TRY(read_rows(answer, err));
        for (size_t i = 0; i < answer->row_count; i++) {
            VAULT_TRY(write_row(answer, &answer->rows[i], err));
            answer->next = answer->rows[i].n;
        }
    } while (answer->row_count && !answer->written);
    return VAULT_OK;
}

static enum vault_code read_or_wait(struct answer *answer, int64_t wait_ms, struct vault_error *err)
{
    VAULT_AUTO(bell_leave) struct bell_waiter waiter = {0};
    const int64_t until_ms = clock_monotonic_ms() + wait_ms;
    struct bell *bell = answer->vault->bell;
    char key[BELL_KEY_CHARS + 1];
    ring_key(key, answer->service->id);
    if (wait_ms)
        VAULT_TRY(bell_join(bell, answer->service->id, key, &waiter, err));
    for (;;) {
        VAULT_TRY(read_some(answer, err));
        const int64_t left_ms = until_ms - clock_monotonic_ms();
        if (answer->written || left_ms <= 0 || bell_is_closed(bell))
            return VAULT_OK;
        bell_sleep(&waiter, left_ms);
    }
}

enum vault_code consent_feed_read(struct vault *vault, const struct service *service,
                                  uint64_t after, int64_t wait_ms, struct buf *out,
                                  struct vault_error *err)
{
    struct answer *answer = calloc(1, sizeof *answer);
    if (!answer)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    answer->vault = vault;
    answer->service = service;
    answer->out = out;
    answer->next = after;
    buf_text(out, "{\"changes\":[");
    const enum vault_code code = read_or_wait(answer, wait_ms, err);
    buf_format(out, "],\"next\":%llu}", (unsigned long long)answer->next);
    free(answer);
    return code ? code : buf_check(out, err);
}
