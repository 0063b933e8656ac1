#include "vault/vault/consent.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "actor_check.h"
#include "consent_json.h"
#include "guardian_law.h"
#include "half.h"
#include "parts.h"
#include "person.h"
#include "vault/ledger/entry.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/ulid.h"

#define SECONDS_PER_DAY  86400
#define RECORD_BYTES_MAX (48U * 1024)

enum consent_state consent_state_now(const struct consent *consent, int64_t now_s)
{
    if (!consent)
        return CONSENT_NONE;
    if (consent->state != CONSENT_GIVEN && consent->state != CONSENT_SUSPENDED)
        return consent->state;
    if (consent->uses != CONSENT_UNLIMITED && consent->used >= consent->uses)
        return CONSENT_USED_UP;
    return now_s < consent->expires_s ? consent->state : CONSENT_EXPIRED;
}

bool consent_is_live(const struct consent *consent, int64_t now_s)
{
    return consent_state_releases(consent_state_now(consent, now_s));
}

static int64_t longest_days(const struct policy *policy, const char *purpose)
{
    const uint16_t found =
        policy ? policy_find(policy, POLICY_PURPOSE, bytes_of_text(purpose)) : POLICY_NONE;
    const unsigned days = found == POLICY_NONE ? 0 : policy_purpose_consent_days(policy, found);
    return days ? days : CONSENT_DAYS_MAX;
}

/* A record names each field once: with a field twice it could be stored, but never read again. */
static bool fields_are_named_once(const struct consent_decision *decision)
{
    for (size_t i = 0; i < decision->field_count; i++) {
        if (!entry_id_is_valid(bytes_of_text(decision->fields[i].name)))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(decision->fields[i].name, decision->fields[j].name) == 0)
                return false;
        }
    }
    return true;
}

static enum vault_code check_names(const struct consent_decision *decision, struct vault_error *err)
{
    if (!entry_id_is_valid(bytes_of_text(decision->service)) ||
        !entry_id_is_valid(bytes_of_text(decision->purpose)))
        return vault_fail(err, VAULT_INVALID, "a consent is for one service and one purpose");
    if (decision->field_count == 0 || decision->field_count > CONSENT_FIELDS_MAX)
        return vault_fail(err, VAULT_INVALID, "a consent has 1 to %d fields", CONSENT_FIELDS_MAX);
    if (!fields_are_named_once(decision))
        return vault_fail(err, VAULT_INVALID, "a consent names each of its fields once");
    if (decision->text && strlen(decision->text) > CONSENT_TEXT_BYTES_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "the text shown is too long");
    return VAULT_OK;
}

/* Given while everything is paused, it would either break the pause or be given for nothing. */
static enum vault_code check_not_paused(const struct person *person, struct vault_error *err)
{
    if (person->paused)
        return vault_fail(err, VAULT_CONFLICT, "the citizen paused everything: resume first");
    return VAULT_OK;
}

static enum vault_code check_extent(const struct consent_decision *decision,
                                    const struct policy *policy, struct vault_error *err)
{
    const int64_t longest = longest_days(policy, decision->purpose);
    if (decision->days < 1 || decision->days > longest)
        return vault_fail(err, VAULT_INVALID, "a consent for this purpose lasts 1 to %lld days",
                          (long long)longest);
    if (decision->uses != CONSENT_UNLIMITED && decision->uses < 1)
        return vault_fail(err, VAULT_INVALID, "a consent is for 1 use or more");
    return VAULT_OK;
}

int64_t consent_next_time_s(const struct vault *vault, const struct consent *current)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    return current && current->at_s > now_s ? current->at_s : now_s;
}

enum vault_code consent_store(struct vault *vault, struct citizen *citizen, struct person *person,
                              struct consent *next, const struct consent_decision *decision,
                              int64_t *seq, struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(RECORD_BYTES_MAX);
    next->has_policy = held.policy != NULL;
    if (held.policy) {
        next->policy_version = policy_version(held.policy);
        memcpy(next->policy_manifest, policy_manifest_hash(held.policy), SHA256_BYTES);
    }
    consent_json_write(&json, next, decision);
    VAULT_TRY(buf_check(&json, err));
    const struct person_event event = {PERSON_CONSENT_KIND, next->id, buf_view(&json)};
    return person_record(vault, citizen, person, &event, seq, ticket, err);
}

static void fill(struct consent *next, const struct consent_decision *decision)
{
    snprintf(next->service, sizeof next->service, "%s", decision->service);
    snprintf(next->purpose, sizeof next->purpose, "%s", decision->purpose);
    snprintf(next->request, sizeof next->request, "%s", decision->request ? decision->request : "");
    /* Borrowed for the writing of the record; the remembered consent is read from that. */
    next->fields = (struct consent_field *)(uintptr_t)decision->fields;
    next->field_count = decision->field_count;
}

/* Room in memory for a new pair of service and purpose: a record that cannot be remembered could
 * not be read again either, and would stand in the way of every later withdrawal. */
static enum vault_code check_place(const struct person *person, const struct consent *current,
                                   struct vault_error *err)
{
    if (!current && person->consent_count >= CONSENTS_MAX)
        return vault_fail(err, VAULT_LIMITED, "too many consents for one citizen");
    return VAULT_OK;
}

static enum vault_code check_room(struct citizen *citizen, struct vault_error *err)
{
    uint64_t records = 0;
    VAULT_TRY(citizen_record_count(citizen, &records, err));
    if (records >= CITIZEN_RECORDS_SOFT_MAX) /* there must be room left to withdraw */
        return vault_fail(err, VAULT_LIMITED, "too many consents for one citizen");
    return VAULT_OK;
}

/* What giving needs beside what every decision does. */
static enum vault_code check_gift(struct citizen *citizen, const struct person *person,
                                  const struct consent_decision *decision,
                                  const struct policy *policy, struct vault_error *err)
{
    VAULT_TRY(check_not_paused(person, err));
    VAULT_TRY(check_extent(decision, policy, err));
    return check_room(citizen, err);
}

static enum vault_code store_gift(struct vault *vault, struct citizen *citizen,
                                  struct person *person, struct consent *next,
                                  const struct consent_decision *decision,
                                  struct consent_outcome *out, struct vault_error *err)
{
    next->expires_s = next->at_s + decision->days * SECONDS_PER_DAY;
    next->uses = decision->uses;
    fill(next, decision);
    ulid_new(next->id, clock_now_ms(&vault->options.clock));
    VAULT_TRY(consent_store(vault, citizen, person, next, decision, &out->seq, &out->ticket, err));
    memcpy(out->id, next->id, sizeof out->id);
    return VAULT_OK;
}

/* A minor under 15 and a guardian: the first gives a half, the second makes it a consent. */
static enum vault_code give_both(struct vault *vault, struct citizen *citizen,
                                 struct person *person, struct consent *next,
                                 const struct consent_decision *decision,
                                 struct consent_outcome *out, struct vault_error *err)
{
    const struct half *half = NULL;
    struct consent_field fields[CONSENT_FIELDS_MAX];
    struct consent_decision agreed;
    VAULT_TRY(half_other(vault, person, decision, &half, err));
    if (!half)
        return half_give(vault, citizen, person, decision, out, err);
    VAULT_TRY(half_join(half, decision, &agreed, fields, err));
    if (decision->actor)
        actor_text(decision->actor, next->guardian);
    else
        memcpy(next->guardian, half->by, sizeof next->guardian);
    return store_gift(vault, citizen, person, next, &agreed, out, err);
}

static enum vault_code give(struct vault *vault, struct citizen *citizen, struct person *person,
                            struct consent *next, const struct consent_decision *decision,
                            struct consent_outcome *out, struct vault_error *err)
{
    bool both = true;
    VAULT_TRY(guardian_law_both(vault, citizen, person, &both, err));
    /* A birthday may have come since the actor was checked: no guardian gives alone. */
    if (!both && decision->actor && decision->actor->guardian)
        return vault_fail(err, VAULT_DENIED, "a guardian may not do this");
    return both ? give_both(vault, citizen, person, next, decision, out, err)
                : store_gift(vault, citizen, person, next, decision, out, err);
}

enum vault_code consent_decide(struct vault *vault, struct citizen *citizen, struct person *person,
                               const struct consent_decision *decision, enum consent_event event,
                               struct consent_outcome *out, struct vault_error *err)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    const struct consent *current =
        person_consent(person, bytes_of_text(decision->service), bytes_of_text(decision->purpose));
    struct consent next = {.event = event,
                           .version = 1,
                           .at_s = consent_next_time_s(vault, current),
                           .uses = CONSENT_UNLIMITED};
    VAULT_TRY(check_names(decision, err));
    VAULT_TRY(check_place(person, current, err));
    const bool may = consent_state_after(consent_state_now(current, next.at_s), event, &next.state);
    assert(may); /* in every state one can give, and refuse */
    const struct actor_wish wish = {event, decision->purpose, decision->fields,
                                    decision->field_count};
    VAULT_TRY(actor_check(vault, citizen, person, decision->actor, &wish, err));
    consent_stamp(&next, decision->actor);
    if (event == CONSENT_GIVE) {
        VAULT_TRY(check_gift(citizen, person, decision, held.policy, err));
        return give(vault, citizen, person, &next, decision, out, err);
    }
    fill(&next, decision);
    ulid_new(next.id, clock_now_ms(&vault->options.clock));
    VAULT_TRY(consent_store(vault, citizen, person, &next, decision, &out->seq, &out->ticket, err));
    memcpy(out->id, next.id, sizeof out->id);
    return VAULT_OK;
}

/* Hold the citizen, decide, let go, and wait until it is on disk. */
static enum vault_code decide_alone(struct vault *vault, const struct citizen_id *id,
                                    const struct consent_decision *decision,
                                    enum consent_event event, struct consent_outcome *out,
                                    struct vault_error *err)
{
    {
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        struct person *person = NULL;
        VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
        VAULT_TRY(consent_decide(vault, citizen, person, decision, event, out, err));
    }
    return ledger_wait(vault->ledger, &out->ticket, err);
}

enum vault_code consent_give(struct vault *vault, const struct citizen_id *citizen,
                             const struct consent_decision *decision, char id[CONSENT_ID_CHARS + 1],
                             int64_t *seq, struct vault_error *err)
{
    struct consent_outcome outcome = {0};
    VAULT_TRY(decide_alone(vault, citizen, decision, CONSENT_GIVE, &outcome, err));
    memcpy(id, outcome.id, sizeof outcome.id);
    *seq = outcome.seq;
    return VAULT_OK;
}

enum vault_code consent_refuse(struct vault *vault, const struct citizen_id *citizen,
                               const struct consent_decision *decision, int64_t *seq,
                               struct vault_error *err)
{
    struct consent_outcome outcome = {0};
    VAULT_TRY(decide_alone(vault, citizen, decision, CONSENT_REFUSE, &outcome, err));
    *seq = outcome.seq;
    return VAULT_OK;
}

enum vault_code consent_list(struct vault *vault, const struct citizen_id *id, consent_each *each,
                             void *context, struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    for (size_t i = 0; i < person->consent_count; i++)
        VAULT_TRY(each(context, &person->consents[i], err));
    return VAULT_OK;
}
