#include "vault/vault/mandate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor_check.h"
#include "code.h"
#include "guardian_law.h"
#include "mandate_record.h"
#include "parts.h"
#include "vault/store/mandate_index.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/ulid.h"

#define SECONDS_PER_DAY 86400
#define CODE_LETTERS    12
#define HOW_SESSION     "own session"
#define HOW_CODE        "printed code"

const int64_t mandate_periods[MANDATE_PERIODS_COUNT] = {1, 31, 182, 365};

enum mandate_state mandate_state_now(const struct mandate *mandate, int64_t now_s)
{
    if (!mandate)
        return MANDATE_NONE;
    if (mandate->state != MANDATE_IN_FORCE)
        return mandate->state;
    if (now_s >= mandate->expires_s)
        return MANDATE_EXPIRED;
    return now_s < mandate->used_s + (int64_t)MANDATE_IDLE_DAYS * SECONDS_PER_DAY ? MANDATE_IN_FORCE
                                                                                  : MANDATE_IDLE;
}

bool mandate_covers(const struct mandate *mandate, const char *purpose)
{
    for (size_t i = 0; i < mandate->terms.purpose_count; i++) {
        if (strcmp(mandate->terms.purposes[i], purpose) == 0)
            return true;
    }
    return false;
}

static enum vault_code not_found(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such mandate");
}

/* --- Giving --------------------------------------------------------------------------------- */

static bool period_is_offered(int64_t days)
{
    size_t i = 0;
    while (i < MANDATE_PERIODS_COUNT && mandate_periods[i] != days)
        i++;
    return i < MANDATE_PERIODS_COUNT;
}

static bool label_is_plain(const char *label)
{
    size_t i = 0;
    while (label[i] && (uint8_t)label[i] >= 0x20 && label[i] != 0x7f)
        i++;
    return !label[i];
}

static bool purposes_are_known(struct vault *vault, const struct mandate_terms *terms)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    bool known =
        held.policy && terms->purpose_count >= 1 && terms->purpose_count <= MANDATE_PURPOSES_MAX;
    for (size_t i = 0; known && i < terms->purpose_count; i++) {
        known = policy_find(held.policy, POLICY_PURPOSE, bytes_of_text(terms->purposes[i])) !=
                POLICY_NONE;
        for (size_t j = 0; known && j < i; j++)
            known = strcmp(terms->purposes[i], terms->purposes[j]) != 0;
    }
    return known;
}

static enum vault_code check_terms(struct vault *vault, const struct mandate_terms *terms,
                                   struct vault_error *err)
{
    if (!period_is_offered(terms->days))
        return vault_fail(err, VAULT_INVALID, "a mandate lasts 1, 31, 182 or 365 days");
    if (!label_is_plain(terms->label))
        return vault_fail(err, VAULT_INVALID, "a label has no control characters");
    if (!purposes_are_known(vault, terms))
        return vault_fail(err, VAULT_INVALID,
                          "a mandate names 1 to %d purposes of the policy, each once",
                          MANDATE_PURPOSES_MAX);
    return VAULT_OK;
}

/* One for each structure: a second would be a way to make the first longer. */
static enum vault_code check_room(const struct person *person, const char *structure, int64_t now_s,
                                  struct vault_error *err)
{
    size_t in_force = 0;
    for (size_t i = 0; i < person->mandate_count; i++) {
        if (mandate_state_now(&person->mandates[i], now_s) != MANDATE_IN_FORCE)
            continue;
        in_force++;
        if (strcmp(person->mandates[i].terms.structure, structure) == 0)
            return vault_fail(err, VAULT_CONFLICT, "the structure has a mandate: end that first");
    }
    if (in_force >= MANDATES_MAX)
        return vault_fail(err, VAULT_LIMITED, "too many mandates of one citizen");
    return VAULT_OK;
}

/* The index first, so that no mandate is missing there; without its record a row means nothing. */
static enum vault_code store_new(struct vault *vault, struct citizen *citizen,
                                 struct person *person, const struct mandate *mandate,
                                 const char *how, struct ledger_ticket *ticket,
                                 struct vault_error *err)
{
    struct mandate_place place = {.citizen = *citizen_id_of(citizen)};
    struct vault_error ignored;
    snprintf(place.id, sizeof place.id, "%s", mandate->id);
    snprintf(place.structure, sizeof place.structure, "%s", mandate->terms.structure);
    VAULT_TRY(mandate_index_add(vault->store, &place, err));
    const enum vault_code code =
        mandate_store(vault, citizen, person, mandate, how, NULL, ticket, err);
    if (code && mandate_index_drop(vault->store, mandate->id, &ignored))
        return code; /* the row stays, and means nothing */
    return code;
}

/* Who gives, and how: mediator and code are NULL for the citizen's own session. */
struct giving {
    struct vault *vault;
    const struct mandate_terms *terms;
    const struct mediator_seat *mediator;
    const uint8_t *code_hash;
};

/* Who does not decide alone lets nobody else see their values: that is no guardian's to agree to,
 * and nobody else's either. */
static enum vault_code check_values(struct vault *vault, struct citizen *citizen,
                                    const struct person *person, const struct mandate_terms *terms,
                                    struct vault_error *err)
{
    bool both = true;
    if (!terms->values)
        return VAULT_OK;
    VAULT_TRY(guardian_law_both(vault, citizen, person, &both, err));
    return both ? vault_fail(err, VAULT_DENIED, "a minor under 15 lets no structure see values")
                : VAULT_OK;
}

static enum vault_code give_held(const struct giving *giving, const struct citizen_id *id,
                                 struct mandate *mandate, struct ledger_ticket *ticket,
                                 struct vault_error *err)
{
    struct vault *vault = giving->vault;
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    const int64_t now_s = clock_now_s(&vault->options.clock);
    VAULT_TRY(check_values(vault, citizen, person, &mandate->terms, err));
    VAULT_TRY(check_room(person, mandate->terms.structure, now_s, err));
    VAULT_TRY(mandate_check_records(citizen, err));
    mandate->given_s = mandate->at_s = mandate->used_s = now_s;
    mandate->expires_s = now_s + mandate->terms.days * SECONDS_PER_DAY;
    ulid_new(mandate->id, clock_now_ms(&vault->options.clock));
    /* Taken before it is stored: a crash in between spends a code, and never one twice. */
    if (giving->code_hash && mandate_code_take(vault->store, giving->code_hash, err))
        return vault_fail(err, VAULT_DENIED, "the code does not count");
    return store_new(vault, citizen, person, mandate, giving->code_hash ? HOW_CODE : HOW_SESSION,
                     ticket, err);
}

static enum vault_code give(const struct giving *giving, const struct citizen_id *citizen,
                            char id[MANDATE_ID_CHARS + 1], struct vault_error *err)
{
    struct ledger_ticket ticket;
    struct structure structure;
    struct mandate mandate = {
        .terms = *giving->terms, .state = MANDATE_IN_FORCE, .event = MANDATE_GIVE};
    if (giving->mediator) {
        const struct actor actor = {.mediator = giving->mediator, .mandate = ""};
        memcpy(mandate.terms.structure, giving->mediator->structure.id,
               sizeof mandate.terms.structure);
        actor_text(&actor, mandate.by);
    }
    VAULT_TRY(check_terms(giving->vault, &mandate.terms, err));
    VAULT_TRY(structure_get(giving->vault->store, mandate.terms.structure, &structure, err));
    if (!structure.active)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such structure any more");
    VAULT_TRY(give_held(giving, citizen, &mandate, &ticket, err));
    VAULT_TRY(ledger_wait(giving->vault->ledger, &ticket, err));
    memcpy(id, mandate.id, sizeof mandate.id);
    return VAULT_OK;
}

enum vault_code mandate_give(struct vault *vault, const struct citizen_id *citizen,
                             const struct mandate_terms *terms, char id[MANDATE_ID_CHARS + 1],
                             struct vault_error *err)
{
    return give(&(const struct giving){vault, terms, NULL, NULL}, citizen, id, err);
}

enum vault_code mandate_give_by_code(struct vault *vault, const struct mediator_seat *mediator,
                                     struct bytes code, const struct mandate_terms *terms,
                                     char id[MANDATE_ID_CHARS + 1], struct vault_error *err)
{
    uint8_t hash[SHA256_BYTES];
    struct citizen_id citizen;
    const int64_t now_s = clock_now_s(&vault->options.clock);
    if (!code_hash(vault, CODE_LETTERS, code, hash))
        return vault_fail(err, VAULT_DENIED, "the code does not count");
    const enum vault_code found = mandate_code_find(vault->store, hash, now_s, &citizen, err);
    if (found)
        return found == VAULT_NOT_FOUND ? vault_fail(err, VAULT_DENIED, "the code does not count")
                                        : found;
    return give(&(const struct giving){vault, terms, mediator, hash}, &citizen, id, err);
}

/* --- Ending --------------------------------------------------------------------------------- */

static enum vault_code end_held(struct vault *vault, const struct citizen_id *citizen_id,
                                const struct mediator_seat *mediator, const char *id, bool *changed,
                                struct ledger_ticket *ticket, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, citizen_id, &citizen, &person, err));
    const struct mandate *current = mandate_of(person, id);
    if (!current || (mediator && strcmp(current->terms.structure, mediator->structure.id) != 0))
        return not_found(err);
    struct mandate next = *current;
    const int64_t now_s = clock_now_s(&vault->options.clock);
    *changed = mandate_state_after(mandate_state_now(current, now_s), MANDATE_END, &next.state);
    if (!*changed)
        return VAULT_OK;
    next.event = MANDATE_END;
    next.at_s = now_s;
    next.by[0] = 0;
    if (mediator)
        actor_text(&(const struct actor){.mediator = mediator, .mandate = id}, next.by);
    return mandate_store(vault, citizen, person, &next, NULL, NULL, ticket, err);
}

static enum vault_code end(struct vault *vault, const struct citizen_id *citizen,
                           const struct mediator_seat *mediator, const char *id,
                           struct vault_error *err)
{
    bool changed = false;
    struct ledger_ticket ticket;
    struct vault_error ignored;
    VAULT_TRY(end_held(vault, citizen, mediator, id, &changed, &ticket, err));
    if (mandate_index_drop(vault->store, id, &ignored)) {
        /* The row stays, and means nothing. */
    }
    return changed ? ledger_wait(vault->ledger, &ticket, err) : VAULT_OK;
}

enum vault_code mandate_end(struct vault *vault, const struct citizen_id *citizen, const char *id,
                            struct vault_error *err)
{
    return end(vault, citizen, NULL, id, err);
}

enum vault_code mandate_end_by_mediator(struct vault *vault, const struct mediator_seat *mediator,
                                        const char *id, struct vault_error *err)
{
    struct mandate_place place;
    VAULT_TRY(mandate_index_find(vault->store, mediator->structure.id, id, &place, err));
    return end(vault, &place.citizen, mediator, id, err);
}

/* --- Looking -------------------------------------------------------------------------------- */

enum vault_code mandate_list(struct vault *vault, const struct citizen_id *id, mandate_each *each,
                             void *context, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    for (size_t i = 0; i < person->mandate_count; i++)
        VAULT_TRY(each(context, &person->mandates[i], err));
    return VAULT_OK;
}

/* What a row of the index stands for. VAULT_NOT_FOUND: nothing any more, and it goes. */
static enum vault_code read_place(struct vault *vault, const struct mandate_place *place,
                                  struct mandate *out, struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    {
        struct person *person = NULL;
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        VAULT_TRY(person_hold_existing(vault, &place->citizen, &citizen, &person, err));
        const struct mandate *mandate = mandate_of(person, place->id);
        if (mandate_state_allows(mandate_state_now(mandate, now_s))) {
            *out = *mandate;
            return VAULT_OK;
        }
    }
    VAULT_TRY(mandate_index_drop(vault->store, place->id, err));
    return not_found(err);
}

static void places_free(struct mandate_place **places)
{
    free(*places);
    *places = NULL;
}

enum vault_code mandate_list_of_structure(struct vault *vault, const struct mediator_seat *mediator,
                                          mandate_each *each, void *context,
                                          struct vault_error *err)
{
    size_t count = 0;
    VAULT_AUTO(places_free)
    struct mandate_place *places = calloc(MANDATE_LIST_MAX, sizeof *places);
    if (!places)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(mandate_index_list(vault->store, mediator->structure.id, places, MANDATE_LIST_MAX,
                                 &count, err));
    for (size_t i = 0; i < count; i++) {
        struct mandate mandate;
        const enum vault_code code = read_place(vault, &places[i], &mandate, err);
        if (code == VAULT_NOT_FOUND)
            continue;
        VAULT_TRY(code);
        VAULT_TRY(each(context, &mandate, err));
    }
    return VAULT_OK;
}
