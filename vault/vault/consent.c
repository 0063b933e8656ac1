#include "vault/vault/consent.h"

#include <stdio.h>
#include <string.h>

#include "consent_json.h"
#include "parts.h"
#include "person.h"
#include "vault/ledger/entry.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/ulid.h"

#define SECONDS_PER_DAY  86400
#define RECORD_BYTES_MAX (48U * 1024)

bool consent_is_live(const struct consent *consent, int64_t now_s)
{
    return consent->state == CONSENT_GIVEN && now_s < consent->expires_s &&
           (consent->uses == CONSENT_UNLIMITED || consent->used < consent->uses);
}

static int64_t longest_days(const struct policy *policy, const char *purpose)
{
    const uint16_t found =
        policy ? policy_find(policy, POLICY_PURPOSE, bytes_of_text(purpose)) : POLICY_NONE;
    const unsigned days = found == POLICY_NONE ? 0 : policy_purpose_consent_days(policy, found);
    return days ? days : CONSENT_DAYS_MAX;
}

static enum vault_code check_names(const struct consent_decision *decision, struct vault_error *err)
{
    if (!entry_id_is_valid(bytes_of_text(decision->service)) ||
        !entry_id_is_valid(bytes_of_text(decision->purpose)))
        return vault_fail(err, VAULT_INVALID, "a consent is for one service and one purpose");
    if (decision->field_count == 0 || decision->field_count > CONSENT_FIELDS_MAX)
        return vault_fail(err, VAULT_INVALID, "a consent has 1 to %d fields", CONSENT_FIELDS_MAX);
    if (decision->text && strlen(decision->text) > CONSENT_TEXT_BYTES_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "the text shown is too long");
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

/* The record that follows: a new consent, or for an ending the next version of the one there is. */
static struct consent next_of(const struct vault *vault, const struct consent *current,
                              enum consent_state state)
{
    const int64_t now_ms = clock_now_ms(&vault->options.clock);
    struct consent next = {
        .state = state, .version = 1, .at_s = now_ms / 1000, .uses = CONSENT_UNLIMITED};
    if (current && state == CONSENT_WITHDRAWN) {
        next = *current;
        next.state = state;
        next.version = current->version + 1;
        next.at_s = now_ms / 1000;
    } else {
        ulid_new(next.id, now_ms);
    }
    return next;
}

static enum vault_code store_next(struct vault *vault, struct citizen *citizen,
                                  struct person *person, struct consent *next,
                                  const struct consent_decision *decision, int64_t *seq,
                                  struct ledger_ticket *ticket, struct vault_error *err)
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
    return person_record_consent(vault, citizen, person, next->id, buf_view(&json), seq, ticket,
                                 err);
}

static enum vault_code hold_existing(struct vault *vault, const struct citizen_id *id,
                                     struct citizen **citizen, struct person **person,
                                     struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *held = NULL;
    VAULT_TRY(person_hold(vault, id, &held, person, err));
    if (!citizen_exists(held))
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such citizen");
    *citizen = VAULT_TAKE(held);
    return VAULT_OK;
}

/* A decision, held, stored and entered; the caller waits for the ticket after letting go. */
static enum vault_code decide(struct vault *vault, const struct citizen_id *id,
                              const struct consent_decision *decision, struct consent *next,
                              int64_t *seq, struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    VAULT_TRY(hold_existing(vault, id, &citizen, &person, err));
    if (next->state == CONSENT_GIVEN) {
        uint64_t records = 0;
        VAULT_TRY(citizen_record_count(citizen, &records, err));
        if (records >= CITIZEN_RECORDS_SOFT_MAX)
            return vault_fail(err, VAULT_LIMITED, "too many consents for one citizen");
    }
    return store_next(vault, citizen, person, next, decision, seq, ticket, err);
}

static void fill_from(struct consent *next, const struct consent_decision *decision)
{
    snprintf(next->service, sizeof next->service, "%s", decision->service);
    snprintf(next->purpose, sizeof next->purpose, "%s", decision->purpose);
    /* Borrowed for the writing of the record; the remembered consent is read from that. */
    next->fields = (struct consent_field *)(uintptr_t)decision->fields;
    next->field_count = decision->field_count;
}

enum vault_code consent_give(struct vault *vault, const struct citizen_id *citizen,
                             const struct consent_decision *decision, char id[CONSENT_ID_CHARS + 1],
                             int64_t *seq, struct vault_error *err)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    VAULT_TRY(check_names(decision, err));
    VAULT_TRY(check_extent(decision, held.policy, err));
    struct consent next = next_of(vault, NULL, CONSENT_GIVEN);
    struct ledger_ticket ticket;
    fill_from(&next, decision);
    next.expires_s = next.at_s + decision->days * SECONDS_PER_DAY;
    next.uses = decision->uses;
    VAULT_TRY(decide(vault, citizen, decision, &next, seq, &ticket, err));
    memcpy(id, next.id, sizeof next.id);
    return ledger_wait(vault->ledger, &ticket, err);
}

enum vault_code consent_refuse(struct vault *vault, const struct citizen_id *citizen,
                               const struct consent_decision *decision, int64_t *seq,
                               struct vault_error *err)
{
    VAULT_TRY(check_names(decision, err));
    struct consent next = next_of(vault, NULL, CONSENT_REFUSED);
    struct ledger_ticket ticket;
    fill_from(&next, decision);
    VAULT_TRY(decide(vault, citizen, decision, &next, seq, &ticket, err));
    return ledger_wait(vault->ledger, &ticket, err);
}

static enum vault_code withdraw_held(struct vault *vault, const struct citizen_id *id,
                                     const char *service, const char *purpose, bool *changed,
                                     struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    VAULT_TRY(hold_existing(vault, id, &citizen, &person, err));
    const struct consent *current =
        person_consent(person, bytes_of_text(service), bytes_of_text(purpose));
    *changed = current && current->state == CONSENT_GIVEN;
    if (!*changed)
        return VAULT_OK;
    struct consent next = next_of(vault, current, CONSENT_WITHDRAWN);
    return store_next(vault, citizen, person, &next, NULL, NULL, ticket, err);
}

enum vault_code consent_withdraw(struct vault *vault, const struct citizen_id *citizen,
                                 const char *service, const char *purpose, struct vault_error *err)
{
    bool changed = false;
    struct ledger_ticket ticket = {0};
    VAULT_TRY(withdraw_held(vault, citizen, service, purpose, &changed, &ticket, err));
    return changed ? ledger_wait(vault->ledger, &ticket, err) : VAULT_OK;
}

enum vault_code consent_list(struct vault *vault, const struct citizen_id *id, consent_each *each,
                             void *context, struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    VAULT_TRY(hold_existing(vault, id, &citizen, &person, err));
    for (size_t i = 0; i < person->consent_count; i++)
        VAULT_TRY(each(context, &person->consents[i], err));
    return VAULT_OK;
}
