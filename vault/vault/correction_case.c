/* The operator's side of corrections: what waits, and closing it. */
#include <string.h>

#include "correction_record.h"
#include "parts.h"
#include "person.h"
#include "stop.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"
#include "vault/store/control_citizen.h"

#define AT_A_TIME        64
#define RECORD_BYTES_MAX 1024

/* One open case, in the citizen's file. */
static enum vault_code read_case(struct vault *vault, const struct open_case *open,
                                 struct citizen **citizen, struct person **person,
                                 struct correction_search *search, bool *waits,
                                 struct vault_error *err)
{
    enum correction_state state = CORRECTION_DONE;
    VAULT_AUTO(citizen_release) struct citizen *held = NULL;
    VAULT_TRY(person_hold_existing(vault, &open->citizen, &held, person, err));
    VAULT_TRY(correction_search(held, search, err));
    if (search->found)
        VAULT_TRY(correction_state_read(held, &search->asked, &search->newest, &state, err));
    *waits = state == CORRECTION_WAITS;
    *citizen = VAULT_TAKE(held);
    return VAULT_OK;
}

static enum vault_code write_case(struct vault *vault, const struct open_case *open,
                                  const struct correction_record *asked, bool first,
                                  struct buf *out, struct vault_error *err)
{
    struct control_citizen known;
    char instant[INSTANT_CHARS + 1];
    VAULT_TRY(control_citizen_find(vault->store, &open->citizen, &known, err));
    instant_format(instant, asked->at_s);
    buf_format(out, "%s{\"id\":\"%s\",\"reference\":", first ? "" : ",", open->id);
    json_write_string(out, bytes_of_text(known.reference));
    buf_text(out, ",\"field\":");
    json_write_string(out, bytes_of_text(asked->field));
    buf_text(out, ",\"source\":");
    json_write_string(out, bytes_of_text(asked->source));
    buf_format(out, ",\"asked\":\"%s\"}", instant);
    return buf_check(out, err);
}

/* A citizen whose file cannot be read keeps their case, and the others are listed. */
static enum vault_code list_case(struct vault *vault, const struct open_case *open, size_t *listed,
                                 struct buf *out, struct vault_error *err)
{
    bool waits = false;
    struct person *person = NULL;
    struct correction_search search = {.id = open->id};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    const enum vault_code code = read_case(vault, open, &citizen, &person, &search, &waits, err);
    citizen_release(&citizen);
    if (stop_is_for(code))
        return VAULT_OK;
    if (code && code != VAULT_NOT_FOUND)
        return code;
    if (!waits)
        return open_case_drop(vault->store, open->id, err);
    VAULT_TRY(write_case(vault, open, &search.asked, *listed == 0, out, err));
    ++*listed;
    return VAULT_OK;
}

enum vault_code correction_open_list(struct vault *vault, struct buf *out, struct vault_error *err)
{
    struct open_case cases[AT_A_TIME];
    char after[OPEN_CASE_ID_CHARS + 1] = "";
    size_t count = 0;
    size_t listed = 0;
    VAULT_TRY(event_of_operator(vault, ENTRY_ADMIN, (struct bytes){0}, err));
    buf_byte(out, '[');
    do {
        VAULT_TRY(open_case_list(vault->store, OPEN_CASE_CORRECTION, after, cases, AT_A_TIME,
                                 &count, err));
        for (size_t i = 0; i < count && listed < CORRECTION_LIST_MAX; i++)
            VAULT_TRY(list_case(vault, &cases[i], &listed, out, err));
        if (count)
            memcpy(after, cases[count - 1].id, sizeof after);
    } while (count == AT_A_TIME && listed < CORRECTION_LIST_MAX);
    buf_byte(out, ']');
    return buf_check(out, err);
}

static enum vault_code close_held(struct vault *vault, const struct open_case *open,
                                  struct ledger_ticket *ticket, struct vault_error *err)
{
    bool waits = false;
    struct person *person = NULL;
    struct correction_search search = {.id = open->id};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(RECORD_BYTES_MAX);
    VAULT_TRY(read_case(vault, open, &citizen, &person, &search, &waits, err));
    if (!waits)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such request that waits");
    struct correction_record record = search.asked;
    record.event = CORRECTION_ENDED;
    record.at_s = clock_now_s(&vault->options.clock);
    correction_record_write(&json, &record);
    VAULT_TRY(buf_check(&json, err));
    const struct person_event event = {CORRECTION_RECORD_KIND, record.id, buf_view(&json)};
    return person_record(vault, citizen, person, &event, NULL, ticket, err);
}

enum vault_code correction_close(struct vault *vault, const char *id, struct vault_error *err)
{
    struct open_case open;
    struct ledger_ticket ticket = {0};
    VAULT_TRY(open_case_find(vault->store, OPEN_CASE_CORRECTION, id, &open, err));
    VAULT_TRY(close_held(vault, &open, &ticket, err));
    VAULT_TRY(ledger_wait(vault->ledger, &ticket, err));
    return open_case_drop(vault->store, id, err);
}
