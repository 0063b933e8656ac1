#include "correction_record.h"

#include <stdio.h>
#include <string.h>

#include "vault/base/json.h"
#include "vault/store/citizen_record.h"
#include "vault/store/citizen_value.h"

#define DEPTH_MAX      2
#define WHAT_BYTES_MAX 256
#define AT_A_TIME      256

/* What happens, in the record, and in the log: what of the field, and as which entry. */
static const struct {
    const char *name;
    const char *outcome;
    enum entry_event entry;
    const char *basis;
} events[CORRECTION_EVENTS] = {
    [CORRECTION_MADE] = {"made", "corrected", ENTRY_DEPOSIT, "own session"},
    [CORRECTION_ASKED] = {"asked", "correction_asked", ENTRY_REQUEST, CORRECTION_BASIS},
    [CORRECTION_ENDED] = {"ended", "correction_closed", ENTRY_REQUEST, CORRECTION_BASIS},
};

/* --- JSON ----------------------------------------------------------------------------------- */

static void write_text(struct buf *out, const char *name, const char *value)
{
    buf_format(out, ",\"%s\":", name);
    json_write_string(out, bytes_of_text(value));
}

void correction_record_write(struct buf *out, const struct correction_record *record)
{
    buf_format(out, "{\"at\":%lld,\"event\":\"%s\"", (long long)record->at_s,
               events[record->event].name);
    write_text(out, "field", record->field);
    write_text(out, "id", record->id);
    if (record->service[0])
        write_text(out, "service", record->service);
    write_text(out, "source", record->source);
    buf_format(out, ",\"version\":%lld}", (long long)record->version);
}

static bool read_event(const json_t *value, enum correction_event *out)
{
    for (int i = 0; i < CORRECTION_EVENTS; i++) {
        *out = (enum correction_event)i;
        if (bytes_equal(json_text(value), bytes_of_text(events[i].name)))
            return true;
    }
    return false;
}

static bool read_members(const json_t *root, struct correction_record *out)
{
    const json_t *service = json_object_get(root, "service");
    return json_copy_integer(json_object_get(root, "version"), INT64_MIN, &out->version) &&
           json_copy_integer(json_object_get(root, "at"), INT64_MIN, &out->at_s) &&
           read_event(json_object_get(root, "event"), &out->event) &&
           json_copy_text(json_object_get(root, "id"), out->id, sizeof out->id) &&
           json_copy_text(json_object_get(root, "field"), out->field, sizeof out->field) &&
           json_copy_text(json_object_get(root, "source"), out->source, sizeof out->source) &&
           (!service || json_copy_text(service, out->service, sizeof out->service));
}

enum vault_code correction_record_read(struct bytes json, struct correction_record *out,
                                       struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    struct correction_record record = {0};
    const enum vault_code code = json_parse(json, DEPTH_MAX, &root, NULL, err);
    if (code == VAULT_NO_MEMORY)
        return code;
    if (code || !read_members(root, &record))
        return vault_fail(err, VAULT_CORRUPT, "the record of a correction cannot be read");
    *out = record;
    return VAULT_OK;
}

/* --- The entry ------------------------------------------------------------------------------ */

enum vault_code correction_record_enter(struct vault *vault, const struct citizen *citizen,
                                        struct event_chain *chain, struct bytes json,
                                        struct ledger_ticket *ticket, struct vault_error *err)
{
    char what[WHAT_BYTES_MAX];
    struct correction_record record;
    VAULT_TRY(correction_record_read(json, &record, err));
    snprintf(what, sizeof what, "%s - %s", record.field, events[record.event].outcome);
    const struct event event = {
        .kind = events[record.event].entry,
        .service = record.service[0] ? record.service : NULL,
        .actor = bytes_of_text(record.event == CORRECTION_ENDED ? "operator" : ""),
        .basis = bytes_of_text(events[record.event].basis),
        .what = bytes_of_text(what),
    };
    return event_of_citizen(vault, citizen, &event, chain, ticket, err);
}

/* --- How things stand ------------------------------------------------------------------------ */

enum vault_code correction_state_read(struct citizen *citizen,
                                      const struct correction_record *asked,
                                      const struct correction_record *newest,
                                      enum correction_state *out, struct vault_error *err)
{
    struct citizen_value_about about = {0};
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(CITIZEN_VALUE_MAX_BYTES);
    const enum vault_code code = citizen_value_get(citizen, asked->field, &value, &about, err);
    if (code && code != VAULT_NOT_FOUND)
        return code;
    if (code || about.version != asked->version)
        *out = CORRECTION_DONE;
    else
        *out = newest->event == CORRECTION_ENDED ? CORRECTION_CLOSED : CORRECTION_WAITS;
    return VAULT_OK;
}

struct looking {
    struct correction_search *search;
    int64_t after;
    size_t count;
};

static enum vault_code look_at(void *context, const struct citizen_record *stored,
                               struct vault_error *err)
{
    struct looking *looking = context;
    struct correction_search *search = looking->search;
    struct correction_record record;
    looking->count++;
    looking->after = stored->seq;
    VAULT_TRY(correction_record_read(stored->json, &record, err));
    if (strcmp(search->field ? record.field : record.id,
               search->field ? search->field : search->id) != 0)
        return VAULT_OK;
    search->newest = record;
    if (record.event == CORRECTION_ASKED)
        search->asked = record;
    search->found = search->found || record.event == CORRECTION_ASKED;
    return VAULT_OK;
}

enum vault_code correction_search(struct citizen *citizen, struct correction_search *search,
                                  struct vault_error *err)
{
    struct looking looking = {.search = search};
    do {
        looking.count = 0;
        VAULT_TRY(citizen_record_list(citizen, CORRECTION_RECORD_KIND, looking.after, AT_A_TIME,
                                      look_at, &looking, err));
    } while (looking.count == AT_A_TIME);
    return VAULT_OK;
}
