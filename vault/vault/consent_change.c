/* What happens to a consent after it was given: withdrawn, suspended, resumed, narrowed. */
#include <assert.h>
#include <string.h>

#include "actor_check.h"
#include "guardian_law.h"
#include "half.h"
#include "parts.h"
#include "person.h"
#include "stop.h"
#include "vault/vault/active_policy.h"

/* One change on its way. */
struct change {
    struct vault *vault;
    const char *service;
    const char *purpose;
    enum consent_event event;
    enum consent_cause cause;
    const struct consent_narrowing *narrowing; /* of CONSENT_NARROW */
    const struct actor *actor;                 /* NULL: the citizen */
};

struct consent consent_following(const struct vault *vault, const struct consent *current,
                                 enum consent_event event, enum consent_state state)
{
    assert(current); /* what never was has no event that follows */
    struct consent next = *current;
    next.event = event;
    next.state = state;
    next.cause = CONSENT_BY_CITIZEN;
    next.version = current->version + 1;
    next.at_s = consent_next_time_s(vault, current);
    consent_stamp(&next, NULL);
    return next;
}

/* --- Narrowing ------------------------------------------------------------------------------ */

static const struct consent_field *field_of(const struct consent *consent, const char *name)
{
    for (size_t i = 0; i < consent->field_count; i++) {
        if (strcmp(consent->fields[i].name, name) == 0)
            return &consent->fields[i];
    }
    return NULL;
}

/* The same form; or any instead of a named one is wider, and a step down the ladder narrower. */
static bool form_is_within(const struct policy *policy, const struct consent_field *given,
                           const struct consent_field *wanted)
{
    if (!given->form[0] || strcmp(given->form, wanted->form) == 0)
        return true;
    const uint16_t field =
        policy ? policy_find(policy, POLICY_FIELD, bytes_of_text(given->name)) : POLICY_NONE;
    if (field == POLICY_NONE || !wanted->form[0])
        return false;
    const uint8_t before = policy_form_find(policy, field, bytes_of_text(given->form));
    const uint8_t after = policy_form_find(policy, field, bytes_of_text(wanted->form));
    return before != POLICY_FORM_NONE && after != POLICY_FORM_NONE && after >= before;
}

static bool is_narrower(struct vault *vault, const struct consent *current,
                        const struct consent_narrowing *to)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    bool narrower = to->field_count >= 1 && to->field_count <= current->field_count;
    for (size_t i = 0; i < to->field_count && narrower; i++) {
        const struct consent_field *given = field_of(current, to->fields[i].name);
        narrower = given && form_is_within(held.policy, given, &to->fields[i]);
        for (size_t j = 0; j < i && narrower; j++)
            narrower = strcmp(to->fields[i].name, to->fields[j].name) != 0;
    }
    return narrower;
}

static enum vault_code narrow(const struct change *change, const struct consent *current,
                              struct consent *next, struct vault_error *err)
{
    const struct consent_narrowing *to = change->narrowing;
    if (!is_narrower(change->vault, current, to) || to->expires_s <= next->at_s)
        return vault_fail(err, VAULT_INVALID,
                          "a narrower consent has some of its fields, none more exact, and time");
    /* Borrowed for the writing of the record, as in consent.c. */
    next->fields = (struct consent_field *)(uintptr_t)to->fields;
    next->field_count = to->field_count;
    next->cause = current->cause;
    if (to->expires_s < current->expires_s)
        next->expires_s = to->expires_s;
    return VAULT_OK;
}

/* --- What only some changes need -------------------------------------------------------------- */

/* Nothing is given: what half agreed to it is taken back. */
static enum vault_code take_back_half(const struct change *change, struct citizen *citizen,
                                      struct person *person, bool *changed,
                                      struct ledger_ticket *ticket, struct vault_error *err)
{
    if (change->event != CONSENT_WITHDRAW || !half_waits(person, change->service, change->purpose))
        return VAULT_OK;
    *changed = true;
    return half_take_back(change->vault, citizen, person, change->actor, change->service,
                          change->purpose, ticket, err);
}

/* What a restore suspended, a guardian may have withdrawn since: a minor's word alone does not put
 * that in force again. */
static enum vault_code check_resume(struct vault *vault, struct citizen *citizen,
                                    const struct person *person, const struct consent *current,
                                    struct vault_error *err)
{
    bool both = false;
    if (person->paused)
        return vault_fail(err, VAULT_CONFLICT, "the citizen paused everything: resume all first");
    if (current && current->cause == CONSENT_BY_RESTORE)
        VAULT_TRY(guardian_law_both(vault, citizen, person, &both, err));
    return both ? vault_fail(err, VAULT_DENIED, "a guardian has to agree to it again") : VAULT_OK;
}

/* --- All changes ---------------------------------------------------------------------------- */

static enum vault_code change_held(const struct change *change, const struct citizen_id *id,
                                   bool *changed, struct ledger_ticket *ticket,
                                   struct vault_error *err)
{
    struct vault *vault = change->vault;
    struct person *person = NULL;
    enum consent_state state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    const struct consent *current =
        person_consent(person, bytes_of_text(change->service), bytes_of_text(change->purpose));
    const int64_t now_s = consent_next_time_s(vault, current);
    const struct actor_wish wish = {change->event, change->purpose,
                                    current ? current->fields : NULL,
                                    current ? current->field_count : 0};
    VAULT_TRY(actor_check(vault, citizen, person, change->actor, &wish, err));
    *changed = consent_state_after(consent_state_now(current, now_s), change->event, &state);
    if (!*changed)
        return take_back_half(change, citizen, person, changed, ticket, err);
    if (change->event == CONSENT_RESUME)
        VAULT_TRY(check_resume(vault, citizen, person, current, err));
    struct consent next = consent_following(vault, current, change->event, state);
    struct consent_decision shown = {0};
    consent_stamp(&next, change->actor);
    if (change->event == CONSENT_SUSPEND)
        next.cause = change->cause;
    if (change->event == CONSENT_NARROW) {
        VAULT_TRY(narrow(change, current, &next, err));
        shown.language = change->narrowing->language;
        shown.text = change->narrowing->text;
    }
    return consent_store(vault, citizen, person, &next, &shown, NULL, ticket, err);
}

static enum vault_code make(const struct change *change, const struct citizen_id *citizen,
                            bool *changed, struct vault_error *err)
{
    struct ledger_ticket ticket = {0};
    *changed = false;
    VAULT_TRY(change_held(change, citizen, changed, &ticket, err));
    return *changed ? ledger_wait(change->vault->ledger, &ticket, err) : VAULT_OK;
}

/* What narrows works even where the citizen's file does not. */
static enum vault_code make_or_stop(const struct change *change, const struct citizen_id *citizen,
                                    struct vault_error *err)
{
    bool changed;
    const enum vault_code code = make(change, citizen, &changed, err);
    return stop_is_for(code)
               ? stop_add(change->vault, citizen, change->service, change->purpose, err)
               : code;
}

enum vault_code consent_withdraw(struct vault *vault, const struct citizen_id *citizen,
                                 const char *service, const char *purpose, struct vault_error *err)
{
    const struct change change = {vault, service, purpose, .event = CONSENT_WITHDRAW};
    return make_or_stop(&change, citizen, err);
}

enum vault_code consent_suspend(struct vault *vault, const struct citizen_id *citizen,
                                const char *service, const char *purpose, enum consent_cause cause,
                                struct vault_error *err)
{
    const struct change change = {vault, service, purpose, CONSENT_SUSPEND, cause, NULL, NULL};
    return make_or_stop(&change, citizen, err);
}

enum vault_code consent_resume(struct vault *vault, const struct citizen_id *citizen,
                               const char *service, const char *purpose, struct vault_error *err)
{
    bool changed;
    return make(&(const struct change){vault, service, purpose, .event = CONSENT_RESUME}, citizen,
                &changed, err);
}

enum vault_code consent_change_by(struct vault *vault, const struct citizen_id *citizen,
                                  const struct actor *actor, enum consent_event event,
                                  const char *service, const char *purpose, struct vault_error *err)
{
    bool changed;
    assert(event == CONSENT_WITHDRAW || event == CONSENT_SUSPEND || event == CONSENT_RESUME);
    return make(&(const struct change){vault, service, purpose, event, .actor = actor}, citizen,
                &changed, err);
}

enum vault_code consent_narrow(struct vault *vault, const struct citizen_id *citizen,
                               const char *service, const char *purpose,
                               const struct consent_narrowing *narrowing, struct vault_error *err)
{
    bool changed;
    const struct change change = {vault, service, purpose, .event = CONSENT_NARROW,
                                  .narrowing = narrowing};
    VAULT_TRY(make(&change, citizen, &changed, err));
    if (!changed)
        return vault_fail(err, VAULT_CONFLICT, "there is nothing given to narrow");
    return VAULT_OK;
}
