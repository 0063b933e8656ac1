#include "report_record.h"

#include <stdio.h>
#include <string.h>

#include "vault/base/json.h"
#include "vault/store/citizen_record.h"

#define DEPTH_MAX      4
#define WHAT_BYTES_MAX 64
#define AT_A_TIME      64

enum vault_code report_record_enter(struct vault *vault, const struct citizen *citizen,
                                    struct event_chain *chain, struct bytes json,
                                    struct ledger_ticket *ticket, struct vault_error *err)
{
    char what[WHAT_BYTES_MAX];
    VAULT_AUTO(json_free) json_t *root = NULL;
    const enum vault_code code = json_parse(json, DEPTH_MAX, &root, NULL, err);
    if (code == VAULT_NO_MEMORY)
        return code;
    const char *id = json_string_value(json_object_get(root, "id"));
    const char *name = json_string_value(json_object_get(root, "event"));
    const char *service = json_string_value(json_object_get(root, "service"));
    if (code || !id || !name || !service)
        return vault_fail(err, VAULT_CORRUPT, "the record of a report cannot be read");
    snprintf(what, sizeof what, "%s %s", name, id);
    const struct event event = {
        .kind = ENTRY_REQUEST,
        .service = service,
        .actor = bytes_of_text(strcmp(name, "closed") == 0 ? "operator" : ""),
        .basis = bytes_of_text(REPORT_BASIS),
        .what = bytes_of_text(what),
    };
    return event_of_citizen(vault, citizen, &event, chain, ticket, err);
}

/* --- Listing -------------------------------------------------------------------------------- */

struct looking {
    struct citizen *citizen;
    const char *id;
    report_each *each;
    void *context;
    int64_t after;
    size_t count;
};

/* When a report was closed: looked for behind the record that made it. */
struct closing {
    const char *id;
    int64_t after;
    size_t count;
    bool found;
    int64_t at_s;
};

static enum vault_code look_for_end(void *context, const struct citizen_record *record,
                                    struct vault_error *err)
{
    struct closing *closing = context;
    VAULT_AUTO(json_free) json_t *root = NULL;
    closing->count++;
    closing->after = record->seq;
    if (closing->found || strcmp(record->key, closing->id) != 0)
        return VAULT_OK;
    VAULT_TRY(json_parse(record->json, DEPTH_MAX, &root, NULL, err));
    closing->found = true;
    closing->at_s = json_integer_value(json_object_get(root, "at"));
    return VAULT_OK;
}

static enum vault_code find_end(struct citizen *citizen, struct closing *closing,
                                struct vault_error *err)
{
    do {
        closing->count = 0;
        VAULT_TRY(citizen_record_list(citizen, REPORT_RECORD_KIND, closing->after, AT_A_TIME,
                                      look_for_end, closing, err));
    } while (!closing->found && closing->count == AT_A_TIME);
    return VAULT_OK;
}

/* A record as it lies in the file, taken out of the list: no list is read inside another. */
struct taken {
    int64_t seq;
    char id[REPORT_ID_CHARS + 1];
    struct buf json; /* owned */
};

struct batch {
    struct taken list[AT_A_TIME];
    size_t count;
};

static void batch_finish(struct batch *batch)
{
    while (batch->count)
        buf_finish(&batch->list[--batch->count].json);
}

static enum vault_code take(void *context, const struct citizen_record *record,
                            struct vault_error *err)
{
    struct batch *batch = context;
    struct taken *taken = &batch->list[batch->count++];
    *taken = (struct taken){.seq = record->seq, .json = buf_limited(CITIZEN_RECORD_MAX_BYTES)};
    snprintf(taken->id, sizeof taken->id, "%s", record->key);
    buf_bytes(&taken->json, record->json);
    return buf_check(&taken->json, err);
}

static enum vault_code show(const struct looking *looking, const struct taken *taken,
                            struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    struct closing closing = {.id = taken->id, .after = taken->seq};
    VAULT_TRY(json_parse(buf_view(&taken->json), DEPTH_MAX, &root, NULL, err));
    const char *event = json_string_value(json_object_get(root, "event"));
    const char *service = json_string_value(json_object_get(root, "service"));
    if (!event || !service)
        return vault_fail(err, VAULT_CORRUPT, "the record of a report cannot be read");
    if (strcmp(event, "made") != 0 || (looking->id && strcmp(looking->id, taken->id) != 0))
        return VAULT_OK;
    VAULT_TRY(find_end(looking->citizen, &closing, err));
    const struct report report = {.id = taken->id,
                                  .service = service,
                                  .json = buf_view(&taken->json),
                                  .made_s = json_integer_value(json_object_get(root, "at")),
                                  .open = !closing.found,
                                  .closed_s = closing.at_s};
    return looking->each(looking->context, &report, err);
}

enum vault_code report_record_list(struct citizen *citizen, const char *id, report_each *each,
                                   void *context, struct vault_error *err)
{
    struct looking looking = {citizen, id, each, context, 0, 0};
    do {
        VAULT_AUTO(batch_finish) struct batch batch = {0};
        VAULT_TRY(citizen_record_list(citizen, REPORT_RECORD_KIND, looking.after, AT_A_TIME, take,
                                      &batch, err));
        looking.count = batch.count;
        for (size_t i = 0; i < batch.count; i++) {
            looking.after = batch.list[i].seq;
            VAULT_TRY(show(&looking, &batch.list[i], err));
        }
    } while (looking.count == AT_A_TIME);
    return VAULT_OK;
}
