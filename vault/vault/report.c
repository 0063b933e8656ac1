#include "vault/vault/report.h"

#include <string.h>

#include "parts.h"
#include "person.h"
#include "report_record.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"
#include "vault/vault/history.h"
#include "vault/vault/service.h"
#include "vault/vault/ulid.h"

/* --- Making one ----------------------------------------------------------------------------- */

/* How many characters of UTF-8; a text that goes through JSON is UTF-8 or nothing. */
static size_t characters(struct bytes text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += (text.data[i] & 0xc0) != 0x80;
    return count;
}

static bool is_plain(struct bytes text)
{
    VAULT_AUTO(json_free) json_t *value = json_stringn((const char *)text.data, text.size);
    bool is = value != NULL;
    bool ink = false;
    for (size_t i = 0; is && i < text.size; i++) {
        const uint8_t byte = text.data[i];
        /* Of the control characters, in one byte or two, only those that lay out a text. */
        const bool is_second = i > 0 && text.data[i - 1] == 0xc2 && byte < 0xa0;
        is = ((byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\r' || byte == '\t') &&
             !is_second;
        ink = ink || byte > 0x20;
    }
    return is && ink;
}

static enum vault_code check_wish(struct vault *vault, const struct report_wish *wish,
                                  struct vault_error *err)
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    if (wish->words.size == 0 || characters(wish->words) > REPORT_WORDS_CHARS ||
        !is_plain(wish->words))
        return vault_fail(err, VAULT_INVALID, "a report has words, %d characters of text at most",
                          REPORT_WORDS_CHARS);
    if (wish->line_count > REPORT_LINES_MAX)
        return vault_fail(err, VAULT_INVALID, "a report has %d lines at the most",
                          REPORT_LINES_MAX);
    return service_by_id_ever(vault, bytes_of_text(wish->service), &held, err);
}

/* One line of the log while it is attached. */
struct attaching {
    const struct report_wish *wish;
    uint64_t n;
    bool found;
    bool first;
    struct buf *out;
};

static enum vault_code attach(void *context, const struct history_event *event,
                              struct vault_error *err)
{
    struct attaching *attaching = context;
    struct buf *out = attaching->out;
    attaching->found = event->n == attaching->n;
    if (!attaching->found)
        return VAULT_OK;
    if (!bytes_equal(event->service, bytes_of_text(attaching->wish->service)))
        return vault_fail(err, VAULT_INVALID, "a line is about another service");
    buf_format(out, "%s{\"n\":%llu,\"index\":%llu,\"time\":%lld,\"event\":\"%s\"",
               attaching->first ? "" : ",", (unsigned long long)event->n,
               (unsigned long long)event->index, (long long)event->time_ms,
               entry_event_name(event->event));
    if (event->purpose.size) {
        buf_text(out, ",\"purpose\":");
        json_write_string(out, event->purpose);
    }
    buf_text(out, ",\"what\":");
    json_write_string(out, event->what);
    buf_byte(out, '}');
    return buf_check(out, err);
}

static enum vault_code write_report(struct vault *vault, const struct citizen_id *citizen,
                                    const struct report_wish *wish, const char *id, struct buf *out,
                                    struct vault_error *err)
{
    buf_format(out, "{\"id\":\"%s\",\"event\":\"made\",\"service\":", id);
    json_write_string(out, bytes_of_text(wish->service));
    buf_format(out, ",\"at\":%lld,\"words\":", (long long)clock_now_s(&vault->options.clock));
    json_write_string(out, wish->words);
    buf_text(out, ",\"lines\":[");
    for (size_t i = 0; i < wish->line_count; i++) {
        struct attaching attaching = {wish, wish->lines[i], false, i == 0, out};
        if (attaching.n > 0 && attaching.n < INT64_MAX)
            VAULT_TRY(history_list(vault, citizen, attaching.n + 1, 1, attach, &attaching, err));
        if (!attaching.found)
            return vault_fail(err, VAULT_NOT_FOUND, "there is no such line");
    }
    buf_text(out, "]}");
    return buf_check(out, err);
}

/* The case first, so that none is missing in the list; without its record it means nothing. */
static enum vault_code store(struct vault *vault, const struct citizen_id *id, const char *report,
                             struct bytes json, struct ledger_ticket *ticket,
                             struct vault_error *err)
{
    struct person *person = NULL;
    struct vault_error ignored;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct open_case open = {
        .kind = OPEN_CASE_REPORT, .citizen = *id, .opened_s = clock_now_s(&vault->options.clock)};
    memcpy(open.id, report, sizeof open.id);
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    VAULT_TRY(open_case_add(vault->store, &open, err));
    const struct person_event event = {REPORT_RECORD_KIND, report, json};
    const enum vault_code code =
        person_record_deposit(vault, citizen, person, &event, NULL, 0, ticket, err);
    if (code && open_case_drop(vault->store, open.id, &ignored))
        return code; /* the row stays, and means nothing */
    return code;
}

enum vault_code report_make(struct vault *vault, const struct citizen_id *citizen,
                            const struct report_wish *wish, char id[REPORT_ID_CHARS + 1],
                            struct vault_error *err)
{
    struct ledger_ticket ticket;
    char made[ULID_CHARS + 1];
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(REPORT_BYTES_MAX);
    VAULT_TRY(check_wish(vault, wish, err));
    ulid_new(made, clock_now_ms(&vault->options.clock));
    VAULT_TRY(write_report(vault, citizen, wish, made, &json, err));
    VAULT_TRY(store(vault, citizen, made, buf_view(&json), &ticket, err));
    VAULT_TRY(ledger_wait(vault->ledger, &ticket, err));
    memcpy(id, made, sizeof made);
    return VAULT_OK;
}

/* --- The citizen's own ---------------------------------------------------------------------- */

struct counting {
    report_each *each;
    void *context;
    size_t count;
};

static enum vault_code count_each(void *context, const struct report *report,
                                  struct vault_error *err)
{
    struct counting *counting = context;
    counting->count++;
    return counting->each(counting->context, report, err);
}

enum vault_code report_list(struct vault *vault, const struct citizen_id *id, const char *report,
                            report_each *each, void *context, struct vault_error *err)
{
    struct person *person = NULL;
    struct counting counting = {each, context, 0};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    VAULT_TRY(report_record_list(citizen, report, count_each, &counting, err));
    return report && counting.count == 0
               ? vault_fail(err, VAULT_NOT_FOUND, "there is no such report")
               : VAULT_OK;
}
