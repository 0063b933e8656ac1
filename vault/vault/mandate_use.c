/* What a mediator does under a mandate beside deciding: opening it, seeing values; and the codes by
 * which one is given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor_check.h"
#include "code.h"
#include "guardian_law.h"
#include "mandate_record.h"
#include "parts.h"
#include "vault/store/citizen_value.h"
#include "vault/store/mandate_index.h"
#include "vault/vault/active_policy.h"

#define SECONDS_PER_DAY 86400
#define CODE_LETTERS    12
#define WHAT_BYTES_MAX  (CONSENT_FIELDS_MAX * (CONSENT_NAME_CHARS + 1))

static enum vault_code not_found(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such mandate");
}

/* --- Using ---------------------------------------------------------------------------------- */

static enum vault_code use(struct vault *vault, struct citizen *citizen, struct person *person,
                           const struct actor *actor, const char *what,
                           struct ledger_ticket *ticket, struct vault_error *err)
{
    const struct mandate *current = NULL;
    VAULT_TRY(actor_mandate(vault, person, actor, &current, err));
    struct mandate next = *current;
    next.event = MANDATE_USE;
    next.used_s = next.at_s = clock_now_s(&vault->options.clock);
    actor_text(actor, next.by);
    return mandate_store(vault, citizen, person, &next, NULL, what, ticket, err);
}

static bool was_used_today(const struct mandate *mandate, int64_t now_s)
{
    return mandate->event == MANDATE_USE &&
           mandate->at_s / SECONDS_PER_DAY == now_s / SECONDS_PER_DAY;
}

/* Whether the same mediator's use stands already for that day. */
static bool was_entered_today(const struct mandate *mandate, const struct actor *actor,
                              int64_t now_s)
{
    char text[ACTOR_TEXT_BYTES];
    actor_text(actor, text);
    return was_used_today(mandate, now_s) && strcmp(mandate->by, text) == 0;
}

/* One a day is few enough to leave room to withdraw, and withdrawing begins with it. Mediators who
 * take turns are not. */
static enum vault_code check_opening(struct citizen *citizen, const struct mandate *mandate,
                                     int64_t now_s, struct vault_error *err)
{
    return was_used_today(mandate, now_s) ? mandate_check_records(citizen, err) : VAULT_OK;
}

static enum vault_code open_held(struct vault *vault, const struct citizen_id *id,
                                 const struct actor *actor, struct mandate *out, bool *entered,
                                 struct ledger_ticket *ticket, struct vault_error *err)
{
    const struct mandate *current = NULL;
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    const enum vault_code code = actor_mandate(vault, person, actor, &current, err);
    if (code)
        return code == VAULT_DENIED ? not_found(err) : code;
    *out = *current;
    const int64_t now_s = clock_now_s(&vault->options.clock);
    *entered = !was_entered_today(current, actor, now_s);
    if (!*entered)
        return VAULT_OK;
    VAULT_TRY(check_opening(citizen, current, now_s, err));
    return use(vault, citizen, person, actor, NULL, ticket, err);
}

enum vault_code mandate_open(struct vault *vault, const struct mediator_seat *mediator,
                             const char *id, struct citizen_id *citizen, struct mandate *out,
                             struct vault_error *err)
{
    bool entered = false;
    struct mandate_place place;
    struct ledger_ticket ticket;
    const struct actor actor = {.mediator = mediator, .mandate = id};
    VAULT_TRY(mandate_index_find(vault->store, mediator->structure.id, id, &place, err));
    VAULT_TRY(open_held(vault, &place.citizen, &actor, out, &entered, &ticket, err));
    *citizen = place.citizen;
    return entered ? ledger_wait(vault->ledger, &ticket, err) : VAULT_OK;
}

/* --- Values --------------------------------------------------------------------------------- */

/* Which of the fields are looked at: those that the citizen has, but no special ones. */
struct sight {
    bool seen[CONSENT_FIELDS_MAX];
    size_t count;
    struct buf what; /* their names, a line each */
    preview_each *each;
    void *context;
};

static void sight_finish(struct sight *sight)
{
    buf_finish(&sight->what);
}

static bool is_special(struct vault *vault, const char *name)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    const uint16_t field =
        held.policy ? policy_find(held.policy, POLICY_FIELD, bytes_of_text(name)) : POLICY_NONE;
    return field == POLICY_NONE || policy_field_is_special(held.policy, field);
}

static enum vault_code choose(struct vault *vault, struct citizen *citizen, const char *field,
                              size_t at, struct sight *sight, struct vault_error *err)
{
    struct citizen_value_about about;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(CITIZEN_VALUE_MAX_BYTES);
    if (is_special(vault, field))
        return VAULT_OK;
    const enum vault_code code = citizen_value_get(citizen, field, &json, &about, err);
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    buf_format(&sight->what, "%s%s", sight->count++ ? "\n" : "", field);
    sight->seen[at] = true;
    return VAULT_OK;
}

static enum vault_code see_held(struct vault *vault, const struct citizen_id *id,
                                const struct actor *actor, const struct preview_wish *wish,
                                struct sight *sight, struct ledger_ticket *ticket,
                                struct vault_error *err)
{
    bool both = true;
    const struct mandate *mandate = NULL;
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    VAULT_TRY(actor_mandate(vault, person, actor, &mandate, err));
    /* Asked again: the mandate may be older than what is known of the citizen's age. */
    VAULT_TRY(guardian_law_both(vault, citizen, person, &both, err));
    if (both || !mandate->terms.values)
        return vault_fail(err, VAULT_DENIED, "the mandate does not allow this");
    VAULT_TRY(mandate_check_records(citizen, err)); /* each look is one */
    for (size_t i = 0; i < wish->count; i++)
        VAULT_TRY(choose(vault, citizen, wish->fields[i].name, i, sight, err));
    VAULT_TRY(buf_check(&sight->what, err));
    const char *what = buf_string(&sight->what);
    return sight->count ? use(vault, citizen, person, actor, what, ticket, err) : VAULT_OK;
}

static enum vault_code show_seen(void *context, size_t at, enum preview_outcome outcome,
                                 struct bytes json, struct vault_error *err)
{
    const struct sight *sight = context;
    return sight->seen[at] ? sight->each(sight->context, at, outcome, json, err) : VAULT_OK;
}

enum vault_code mandate_values(struct vault *vault, const struct citizen_id *citizen,
                               const struct actor *actor, const struct preview_wish *wish,
                               preview_each *each, void *context, struct vault_error *err)
{
    struct ledger_ticket ticket;
    VAULT_AUTO(sight_finish)
    struct sight sight = {.what = buf_limited(WHAT_BYTES_MAX), .each = each, .context = context};
    VAULT_TRY(see_held(vault, citizen, actor, wish, &sight, &ticket, err));
    if (sight.count == 0)
        return VAULT_OK;
    VAULT_TRY(ledger_wait(vault->ledger, &ticket, err));
    return preview_fields(vault, citizen, wish, show_seen, &sight, err);
}

/* --- Codes ---------------------------------------------------------------------------------- */

static enum vault_code enter_codes(struct vault *vault, const struct citizen_id *id,
                                   struct vault_error *err)
{
    static const struct event event = {
        .kind = ENTRY_MANDATE,
        .basis = {(const uint8_t *)"own session", sizeof "own session" - 1},
        .what = {(const uint8_t *)"codes", sizeof "codes" - 1}};
    struct ledger_ticket ticket;
    {
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        struct person *person = NULL;
        VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
        VAULT_TRY(event_of_citizen(vault, citizen, &event, &person->chain, &ticket, err));
    }
    return ledger_wait(vault->ledger, &ticket, err);
}

enum vault_code mandate_print_codes(struct vault *vault, const struct citizen_id *citizen,
                                    char codes[MANDATE_CODES][MANDATE_CODE_CHARS + 1],
                                    struct vault_error *err)
{
    uint8_t hashes[MANDATE_CODES][SHA256_BYTES];
    const int64_t expires_s =
        clock_now_s(&vault->options.clock) + (int64_t)MANDATE_CODE_DAYS * SECONDS_PER_DAY;
    VAULT_TRY(enter_codes(vault, citizen, err));
    for (size_t i = 0; i < MANDATE_CODES; i++) {
        code_draw(CODE_LETTERS, codes[i]);
        code_hash(vault, CODE_LETTERS, bytes_of_text(codes[i]), hashes[i]);
    }
    return mandate_codes_put(vault->store, citizen, (const uint8_t(*)[SHA256_BYTES])hashes,
                             MANDATE_CODES, expires_s, err);
}
