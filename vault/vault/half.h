/*
 * half - one of the two who must agree has: a minor under 15, or one of their guardians; for the
 * modules of this floor alone.
 *
 * A half is no consent. It is a record of its own kind, an entry in the log that no feed has, and
 * no service is told of it: the request that it is about stays unanswered. Only when the other half
 * comes, for the same request, is there a consent, for what both agreed to: the fields
 * and forms that stand in both, for the shorter time. So there is no state in which half of an
 * agreement could pass for one.
 *
 * A half is over when its request or its service is, HALF_DAYS after it was given, when a refusal
 * or a withdrawal of the same service and purpose came since, or when it was a guardian's who is
 * none any more. The same side agreeing again puts the new half in the place of the old one.
 */
#pragma once

#include "person.h"

#define HALVES_MAX 64 /* of one citizen, that wait */
#define HALF_DAYS  14

struct half {
    char id[CONSENT_ID_CHARS + 1];
    bool given; /* false: taken back, all of this service and purpose */
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    char request[CONSENT_ID_CHARS + 1]; /* empty: none */
    char by[ACTOR_TEXT_BYTES];          /* the guardian, as actor.h writes it; empty: the minor */
    char guardian[ACTOR_MANDATE_CHARS + 1]; /* the guardianship's id; empty: the minor */
    int64_t days;
    int64_t uses;
    int64_t at_s;
    int64_t expires_s; /* exclusive */
    struct consent_field *fields;
    size_t field_count;
};

void half_finish(struct half *half);

/* The half that the other side gave for the same request (or for none), if it counts today; else
 * NULL. The decision's actor says which side is deciding now. */
enum vault_code half_other(struct vault *vault, const struct person *person,
                           const struct consent_decision *decision, const struct half **out,
                           struct vault_error *err) VAULT_MUST_CHECK;

/* The same of whatever side, by the request. */
enum vault_code half_of_request(struct vault *vault, const struct person *person,
                                const char *request, const struct half **out,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* Whether any waits for a service's purpose. */
bool half_waits(const struct person *person, const char *service, const char *purpose);

/* Give one; take back those of a service's purpose. */
enum vault_code half_give(struct vault *vault, struct citizen *citizen, struct person *person,
                          const struct consent_decision *decision, struct consent_outcome *out,
                          struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code half_take_back(struct vault *vault, struct citizen *citizen, struct person *person,
                               const struct actor *actor, const char *service, const char *purpose,
                               struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The same by somebody who is neither side, of what this one is about. */
enum vault_code half_take_back_by(struct vault *vault, struct citizen *citizen,
                                  struct person *person, const struct half *half, const char *by,
                                  struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The record that takes those back, to be stored by somebody else. */
void half_write_end(struct buf *out, const char *service, const char *purpose, int64_t at_s);

/* What both agreed to: fields has room for CONSENT_FIELDS_MAX. VAULT_CONFLICT if that is nothing.
 */
enum vault_code half_join(const struct half *half, const struct consent_decision *decision,
                          struct consent_decision *out, struct consent_field fields[],
                          struct vault_error *err) VAULT_MUST_CHECK;

/* A consent's record of that event came: the halves that it ends are forgotten. */
void half_end(struct person *person, const struct consent *consent);

/* For person_kind.c. */
enum vault_code half_apply(struct person *person, const struct citizen_record *record,
                           struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code half_enter(struct vault *vault, const struct citizen *citizen,
                           struct event_chain *chain, struct bytes json,
                           struct ledger_ticket *ticket, struct vault_error *err) VAULT_MUST_CHECK;
