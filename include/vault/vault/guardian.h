/*
 * guardian - those who decide with a minor: who they are, and what they see and do.
 *
 * The operator, who checks the family record, says who is whose guardian; both are citizens of the
 * vault, and both are told. The birthdays do the rest, by the vault's own birth date of the minor:
 *
 *   under 15   the minor and a guardian agree both, in either order; until then there is no
 *              consent, and nothing is released. Either refuses or withdraws alone.
 *   15 to 17   the minor decides alone, about what was agreed to before too. A guardian sees what
 *              the minor has given, and does nothing.
 *   18         it is over, from that instant and without a record.
 *
 * One of the two agreeing is a half (half.h): no consent, nothing that a service is told, and over
 * with its request. Everything that a guardian does is in the minor's log, with the guardian's
 * name; so is that they looked, once a day. A guardian sees no values, and no page but those for
 * deciding. What a guardian may do is checked where it is decided (actor.h), by what stands then.
 *
 * vault/vault/guardians.md says why it is so.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/vault/actor.h"
#include "vault/vault/consent.h"
#include "vault/vault/vault.h"

#define GUARDIAN_ID_CHARS   ACTOR_MANDATE_CHARS
#define GUARDIANS_MAX       4  /* of a minor */
#define GUARDIAN_MINORS_MAX 16 /* of a guardian, that are not of age */

/*
 * The operator says that the one is the other's guardian, or is not any more; durable and in both
 * logs on return. What stands already is completed, if a crash left a half of it, and else fine; so
 * is ending what does not stand, also with a guardian who was erased.
 * VAULT_NOT_FOUND  there is no such citizen
 * VAULT_INVALID    they are the same
 * VAULT_CONFLICT   the minor is none, or the guardian is one, by the birth dates in the vault; or
 *                  one of these is not there; or the guardian has no name there
 * VAULT_LIMITED    too many
 */
enum vault_code guardian_add(struct vault *vault, const struct citizen_id *minor,
                             const struct citizen_id *guardian, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code guardian_remove(struct vault *vault, const struct citizen_id *minor,
                                const struct citizen_id *guardian, struct vault_error *err)
    VAULT_MUST_CHECK;

/* One who may decide with a minor. */
struct guardian {
    char id[GUARDIAN_ID_CHARS + 1]; /* of the guardianship */
    struct citizen_id citizen;
    char name[GUARDIAN_NAME_BYTES + 1];
    int64_t since_s;
};

/* A citizen's guardians today; none if they are of age, or their age is not known. */
typedef enum vault_code guardian_each(void *context, const struct guardian *guardian,
                                      struct vault_error *err);
enum vault_code guardian_list(struct vault *vault, const struct citizen_id *minor,
                              guardian_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;

/* For the operator: append {"guardians":[{"reference","since"}],"minors":[{"reference","decides",
 * "damaged"}]}, both of the one citizen, today. */
enum vault_code guardian_write_list(struct vault *vault, const struct citizen_id *citizen,
                                    struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;

/* A minor as their guardian sees them. */
struct guardian_minor {
    char id[GUARDIAN_ID_CHARS + 1]; /* of the guardianship */
    struct citizen_id citizen;
    char name[GUARDIAN_NAME_BYTES + 1];
    bool decides; /* the guardian decides with them: they are under 15 */
    bool damaged; /* their file cannot be read: name is empty, and all there is, is to stop */
};

/* The minors of whom the citizen is a guardian today. */
typedef enum vault_code guardian_each_minor(void *context, const struct guardian_minor *minor,
                                            struct vault_error *err);
enum vault_code guardian_list_minors(struct vault *vault, const struct citizen_id *guardian,
                                     guardian_each_minor *each, void *context,
                                     struct vault_error *err) VAULT_MUST_CHECK;

/* A guardian opens one of theirs: an entry of the minor's log, once a day. seat is who acts from
 * here on. VAULT_NOT_FOUND for any other. */
enum vault_code guardian_open(struct vault *vault, const struct citizen_id *guardian,
                              const char *id, struct guardian_seat *seat,
                              struct guardian_minor *out, struct vault_error *err) VAULT_MUST_CHECK;

/* The guardian withdraws what was given to the service for the purpose, or takes back the half that
 * waits for it; as consent_withdraw(). If the minor's file is damaged, everything of the minor's
 * that it may be about is stopped (service NULL: all). VAULT_NOT_FOUND if they may not. */
enum vault_code guardian_withdraw(struct vault *vault, const struct citizen_id *guardian,
                                  const char *id, const char *service, const char *purpose,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* One of the two has agreed, and the other has not yet. */
struct guardian_half {
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    char request[CONSENT_ID_CHARS + 1]; /* empty: none */
    bool by_guardian;
    char name[GUARDIAN_NAME_BYTES + 1]; /* the guardian's; empty: the minor */
    int64_t days;                       /* for which they agreed */
    int64_t expires_s;
};

/* What a citizen's consent needs today. */
struct guardian_rule {
    bool both;    /* a guardian must agree too */
    size_t count; /* who could */
};

/* How it stands with one request of the minor's: whether it needs both, and whether one agreed.
 * *waits is false if nobody has. */
enum vault_code guardian_ask(struct vault *vault, const struct citizen_id *minor,
                             const char *request, struct guardian_rule *rule, bool *waits,
                             struct guardian_half *half, struct vault_error *err) VAULT_MUST_CHECK;
