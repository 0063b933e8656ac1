/* The DPO's side of reports: what is open, reading one, and closing it. */
#include <string.h>

#include "parts.h"
#include "person.h"
#include "report_record.h"
#include "stop.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"
#include "vault/store/control_citizen.h"

#define AT_A_TIME        64
#define DEPTH_MAX        4
#define RECORD_BYTES_MAX 512

/* A report that is open, taken out of its citizen's file. */
struct found {
    bool open;
    char service[CONSENT_NAME_CHARS + 1];
    int64_t made_s;
    size_t lines;
    struct buf json; /* owned */
};

static void found_finish(struct found *found)
{
    buf_finish(&found->json);
}

static enum vault_code take(void *context, const struct report *report, struct vault_error *err)
{
    struct found *found = context;
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_TRY(json_parse(report->json, DEPTH_MAX, &root, NULL, err));
    const struct bytes service = bytes_of_text(report->service);
    if (service.size > CONSENT_NAME_CHARS)
        return vault_fail(err, VAULT_CORRUPT, "the record of a report cannot be read");
    memcpy(found->service, service.data, service.size);
    found->service[service.size] = 0;
    found->open = report->open;
    found->made_s = report->made_s;
    found->lines = json_array_size(json_object_get(root, "lines"));
    buf_bytes(&found->json, report->json);
    return buf_check(&found->json, err);
}

static enum vault_code hold_case(struct vault *vault, const struct open_case *open,
                                 struct citizen **citizen, struct person **person,
                                 struct found *found, struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *held = NULL;
    VAULT_TRY(person_hold_existing(vault, &open->citizen, &held, person, err));
    VAULT_TRY(report_record_list(held, open->id, take, found, err));
    *citizen = VAULT_TAKE(held);
    return VAULT_OK;
}

/* A citizen whose file cannot be read keeps their case, and the others are listed. */
static enum vault_code list_case(struct vault *vault, const struct open_case *open, size_t *listed,
                                 struct buf *out, struct vault_error *err)
{
    char instant[INSTANT_CHARS + 1];
    struct person *person = NULL;
    VAULT_AUTO(found_finish) struct found found = {.json = buf_limited(CITIZEN_RECORD_MAX_BYTES)};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    const enum vault_code code = hold_case(vault, open, &citizen, &person, &found, err);
    citizen_release(&citizen);
    if (stop_is_for(code))
        return VAULT_OK;
    if (code && code != VAULT_NOT_FOUND)
        return code;
    if (!found.open)
        return open_case_drop(vault->store, open->id, err);
    instant_format(instant, found.made_s);
    buf_format(out, "%s{\"id\":\"%s\",\"service\":\"%s\",\"made\":\"%s\",\"lines\":%zu}",
               *listed ? "," : "", open->id, found.service, instant, found.lines);
    ++*listed;
    return buf_check(out, err);
}

enum vault_code report_open_list(struct vault *vault, struct buf *out, struct vault_error *err)
{
    struct open_case cases[AT_A_TIME];
    char after[OPEN_CASE_ID_CHARS + 1] = "";
    size_t count = 0;
    size_t listed = 0;
    VAULT_TRY(event_of_operator(vault, ENTRY_ADMIN, (struct bytes){0}, err));
    buf_byte(out, '[');
    do {
        VAULT_TRY(
            open_case_list(vault->store, OPEN_CASE_REPORT, after, cases, AT_A_TIME, &count, err));
        for (size_t i = 0; i < count && listed < REPORT_LIST_MAX; i++)
            VAULT_TRY(list_case(vault, &cases[i], &listed, out, err));
        if (count)
            memcpy(after, cases[count - 1].id, sizeof after);
    } while (count == AT_A_TIME && listed < REPORT_LIST_MAX);
    buf_byte(out, ']');
    return buf_check(out, err);
}

static enum vault_code find_open(struct vault *vault, const char *id, struct open_case *open,
                                 struct citizen **citizen, struct person **person,
                                 struct found *found, struct vault_error *err)
{
    VAULT_TRY(open_case_find(vault->store, OPEN_CASE_REPORT, id, open, err));
    VAULT_TRY(hold_case(vault, open, citizen, person, found, err));
    return found->open ? VAULT_OK
                       : vault_fail(err, VAULT_NOT_FOUND, "there is no such report that is open");
}

/* The entry is durable before a word of it is given. */
enum vault_code report_show(struct vault *vault, const char *id, struct buf *out,
                            struct vault_error *err)
{
    struct open_case open;
    struct control_citizen known;
    struct ledger_ticket ticket;
    struct person *person = NULL;
    VAULT_AUTO(found_finish) struct found found = {.json = buf_limited(CITIZEN_RECORD_MAX_BYTES)};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(find_open(vault, id, &open, &citizen, &person, &found, err));
    const struct event event = {.kind = ENTRY_REQUEST,
                                .service = found.service,
                                .actor = bytes_of_text("operator"),
                                .basis = bytes_of_text(REPORT_BASIS),
                                .what = bytes_of_text("read")};
    VAULT_TRY(event_of_citizen(vault, citizen, &event, &person->chain, &ticket, err));
    citizen_release(&citizen);
    VAULT_TRY(control_citizen_find(vault->store, &open.citizen, &known, err));
    VAULT_TRY(ledger_wait(vault->ledger, &ticket, err));
    buf_text(out, "{\"reference\":");
    json_write_string(out, bytes_of_text(known.reference));
    buf_text(out, ",\"report\":");
    buf_join(out, &found.json);
    buf_byte(out, '}');
    return buf_check(out, err);
}

static enum vault_code close_held(struct vault *vault, const char *id, struct ledger_ticket *ticket,
                                  struct vault_error *err)
{
    struct open_case open;
    struct person *person = NULL;
    VAULT_AUTO(found_finish) struct found found = {.json = buf_limited(CITIZEN_RECORD_MAX_BYTES)};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(RECORD_BYTES_MAX);
    VAULT_TRY(find_open(vault, id, &open, &citizen, &person, &found, err));
    buf_format(&json, "{\"id\":\"%s\",\"event\":\"closed\",\"service\":\"%s\",\"at\":%lld}",
               open.id, found.service, (long long)clock_now_s(&vault->options.clock));
    VAULT_TRY(buf_check(&json, err));
    const struct person_event event = {REPORT_RECORD_KIND, open.id, buf_view(&json)};
    return person_record(vault, citizen, person, &event, NULL, ticket, err);
}

enum vault_code report_close(struct vault *vault, const char *id, struct vault_error *err)
{
    struct ledger_ticket ticket = {0};
    VAULT_TRY(close_held(vault, id, &ticket, err));
    VAULT_TRY(ledger_wait(vault->ledger, &ticket, err));
    return open_case_drop(vault->store, id, err);
}
