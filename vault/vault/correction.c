#include "vault/vault/correction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conditions.h"
#include "correction_record.h"
#include "parts.h"
#include "person.h"
#include "vault/base/clock.h"
#include "vault/policy/value.h"
#include "vault/store/citizen_value.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/service.h"

#define RECORD_BYTES_MAX 1024
#define FIELDS_MAX       1000
#define AT_A_TIME        256

bool correction_is_own(const char *field, const char *source)
{
    return strcmp(source, CORRECTION_SOURCE) == 0 && !condition_rests_on(field);
}

/* --- The citizen's own ---------------------------------------------------------------------- */

static enum vault_code check_type(struct vault *vault, const char *field, struct bytes json,
                                  struct vault_error *err)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    if (!held.policy)
        return vault_fail(err, VAULT_UNAVAILABLE, "no policy is active");
    const uint16_t index = policy_find(held.policy, POLICY_FIELD, bytes_of_text(field));
    if (index == POLICY_NONE)
        return vault_fail(err, VAULT_INVALID, "the policy's catalogue has no such field");
    if (json.size > CITIZEN_VALUE_MAX_BYTES)
        return vault_fail(err, VAULT_TOO_LARGE, "the value is too large");
    return policy_value_check(held.policy, index, json, err);
}

static enum vault_code store(struct vault *vault, struct citizen *citizen, struct person *person,
                             const struct correction_record *record,
                             const struct citizen_value *value, struct ledger_ticket *ticket,
                             struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(RECORD_BYTES_MAX);
    correction_record_write(&json, record);
    VAULT_TRY(buf_check(&json, err));
    const struct person_event event = {CORRECTION_RECORD_KIND, record->id, buf_view(&json)};
    return person_record_deposit(vault, citizen, person, &event, value, value ? 1 : 0, ticket, err);
}

/* Not before the value that it corrects, should the clock have gone back: it must count. */
static int64_t time_of(const struct vault *vault, const struct citizen_value_about *about)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    return now_s > about->as_of_s ? now_s : about->as_of_s;
}

static struct correction_record record_of(const struct vault *vault, enum correction_event event,
                                          const char *field,
                                          const struct citizen_value_about *about)
{
    const int64_t now_ms = clock_now_ms(&vault->options.clock);
    struct correction_record record = {
        .event = event, .version = about->version, .at_s = now_ms / 1000};
    ulid_new(record.id, now_ms);
    snprintf(record.field, sizeof record.field, "%s", field);
    snprintf(record.source, sizeof record.source, "%s", about->source);
    return record;
}

static enum vault_code make_held(struct vault *vault, const struct citizen_id *id,
                                 const char *field, struct bytes json, bool *changed,
                                 struct ledger_ticket *ticket, struct vault_error *err)
{
    struct person *person = NULL;
    struct citizen_value_about about;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf before = buf_limited(CITIZEN_VALUE_MAX_BYTES);
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    VAULT_TRY(citizen_value_get(citizen, field, &before, &about, err));
    if (!correction_is_own(field, about.source))
        return vault_fail(err, VAULT_DENIED, "the value is not the citizen's own to correct");
    *changed = !bytes_equal(buf_view(&before), json);
    if (!*changed)
        return VAULT_OK;
    const struct citizen_value value = {field, json, time_of(vault, &about), CORRECTION_SOURCE};
    const struct correction_record record = record_of(vault, CORRECTION_MADE, field, &about);
    return store(vault, citizen, person, &record, &value, ticket, err);
}

enum vault_code correction_make(struct vault *vault, const struct citizen_id *citizen,
                                const char *field, struct bytes json, struct vault_error *err)
{
    bool changed = false;
    struct ledger_ticket ticket;
    VAULT_TRY(check_type(vault, field, json, err));
    VAULT_TRY(make_held(vault, citizen, field, json, &changed, &ticket, err));
    return changed ? ledger_wait(vault->ledger, &ticket, err) : VAULT_OK;
}

/* --- Asking the source ---------------------------------------------------------------------- */

static bool is_service(struct vault *vault, const char *source)
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    return service_by_id(vault, bytes_of_text(source), &held, NULL) == VAULT_OK;
}

/* The case first, so that none is missing in the operator's list; without its record it means
 * nothing. */
static enum vault_code ask_new(struct vault *vault, struct citizen *citizen, struct person *person,
                               const struct correction_record *record, struct ledger_ticket *ticket,
                               struct vault_error *err)
{
    struct vault_error ignored;
    struct open_case open = {
        .kind = OPEN_CASE_CORRECTION, .citizen = *citizen_id_of(citizen), .opened_s = record->at_s};
    memcpy(open.id, record->id, sizeof open.id);
    VAULT_TRY(open_case_add(vault->store, &open, err));
    const enum vault_code code = store(vault, citizen, person, record, NULL, ticket, err);
    if (code && open_case_drop(vault->store, open.id, &ignored))
        return code; /* the row stays, and means nothing */
    return code;
}

static enum vault_code ask_held(struct vault *vault, const struct citizen_id *id, const char *field,
                                bool *changed, struct ledger_ticket *ticket,
                                struct vault_error *err)
{
    struct person *person = NULL;
    struct citizen_value_about about;
    enum correction_state state = CORRECTION_DONE;
    struct correction_search search = {.field = field};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(CITIZEN_VALUE_MAX_BYTES);
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    VAULT_TRY(citizen_value_get(citizen, field, &value, &about, err));
    if (correction_is_own(field, about.source))
        return vault_fail(err, VAULT_DENIED, "the citizen corrects what they said themselves");
    VAULT_TRY(correction_search(citizen, &search, err));
    if (search.found)
        VAULT_TRY(correction_state_read(citizen, &search.asked, &search.newest, &state, err));
    *changed = state != CORRECTION_WAITS;
    if (!*changed)
        return VAULT_OK;
    struct correction_record record = record_of(vault, CORRECTION_ASKED, field, &about);
    if (is_service(vault, record.source))
        memcpy(record.service, record.source, sizeof record.service);
    return ask_new(vault, citizen, person, &record, ticket, err);
}

enum vault_code correction_ask(struct vault *vault, const struct citizen_id *citizen,
                               const char *field, struct vault_error *err)
{
    bool changed = false;
    struct ledger_ticket ticket;
    VAULT_TRY(ask_held(vault, citizen, field, &changed, &ticket, err));
    return changed ? ledger_wait(vault->ledger, &ticket, err) : VAULT_OK;
}

/* --- What was asked ------------------------------------------------------------------------- */

/* The newest records of each field. */
struct gathering {
    struct correction_search *fields; /* FIELDS_MAX of them; owned */
    size_t field_count;
    int64_t after;
    size_t count;
};

static void gathering_finish(struct gathering *gathering)
{
    free(gathering->fields);
}

static enum vault_code gather(void *context, const struct citizen_record *stored,
                              struct vault_error *err)
{
    struct gathering *gathering = context;
    struct correction_record record;
    size_t i = 0;
    gathering->count++;
    gathering->after = stored->seq;
    VAULT_TRY(correction_record_read(stored->json, &record, err));
    while (i < gathering->field_count &&
           strcmp(gathering->fields[i].newest.field, record.field) != 0)
        i++;
    if (i == FIELDS_MAX)
        return VAULT_OK; /* of one more field than a citizen can have */
    if (i == gathering->field_count)
        gathering->fields[gathering->field_count++] = (struct correction_search){0};
    gathering->fields[i].newest = record;
    if (record.event == CORRECTION_ASKED) {
        gathering->fields[i].asked = record;
        gathering->fields[i].found = true;
    }
    return VAULT_OK;
}

static enum vault_code gather_all(struct citizen *citizen, struct gathering *gathering,
                                  struct vault_error *err)
{
    gathering->fields = calloc(FIELDS_MAX, sizeof *gathering->fields);
    if (!gathering->fields)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    do {
        gathering->count = 0;
        VAULT_TRY(citizen_record_list(citizen, CORRECTION_RECORD_KIND, gathering->after, AT_A_TIME,
                                      gather, gathering, err));
    } while (gathering->count == AT_A_TIME);
    return VAULT_OK;
}

enum vault_code correction_list(struct vault *vault, const struct citizen_id *id,
                                correction_each *each, void *context, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(gathering_finish) struct gathering gathering = {0};
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    VAULT_TRY(gather_all(citizen, &gathering, err));
    for (size_t i = 0; i < gathering.field_count; i++) {
        const struct correction_search *found = &gathering.fields[i];
        struct correction correction = {found->asked.id,   found->asked.field, found->asked.source,
                                        found->asked.at_s, CORRECTION_WAITS,   found->newest.at_s};
        if (!found->found)
            continue;
        VAULT_TRY(
            correction_state_read(citizen, &found->asked, &found->newest, &correction.state, err));
        VAULT_TRY(each(context, &correction, err));
    }
    return VAULT_OK;
}
