/*
 * consent - what a citizen has allowed: to one service, for one purpose, for a set period.
 *
 * A consent is never changed: every change is a new record, an entry in the access log and, where
 * it narrows, in force for the next request. Of all records of a (service, purpose) the newest
 * counts. Which change is possible in which state is the table of consent_state.h. Withdrawing
 * always works: it needs no policy, no service that still exists, and no check of what was stored
 * before.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/json.h"
#include "vault/crypto/hash.h"
#include "vault/store/citizen.h"
#include "vault/vault/actor.h"
#include "vault/vault/consent_state.h"
#include "vault/vault/vault.h"

#define CONSENT_ID_CHARS       26
#define CONSENT_NAME_CHARS     64
#define CONSENT_FORM_CHARS     32
#define CONSENT_FIELDS_MAX     64
#define CONSENT_DAYS_MAX       366 /* where the policy sets no other: twelve months */
#define CONSENT_TEXT_BYTES_MAX (16U * 1024)
#define CONSENTS_MAX           4096 /* (service, purpose) pairs of one citizen */
#define CONSENT_UNLIMITED      (-1)

/* How a record came about. */
enum consent_how {
    CONSENT_OWN_SESSION,
    CONSENT_MANDATE,  /* by a mediator */
    CONSENT_OPERATOR, /* by the city, which can only end one: CONSENT_END */
    CONSENT_GUARDIAN, /* by a guardian */
    CONSENT_HOW_COUNT
};

struct consent_field {
    char name[CONSENT_NAME_CHARS + 1];
    char form[CONSENT_FORM_CHARS + 1]; /* empty: any */
};

/* The newest record of one (service, purpose). */
struct consent {
    char id[CONSENT_ID_CHARS + 1];
    int64_t version; /* of this consent: 1 when given, one more with each change */
    int64_t seq;     /* of the record */
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    enum consent_state state; /* as the record left it */
    enum consent_event event; /* what the record is */
    enum consent_cause cause; /* of a suspension */
    int64_t at_s;             /* when this state began; for a given one, of its last change */
    int64_t expires_s;        /* exclusive */
    int64_t uses;             /* how often it may be used, CONSENT_UNLIMITED */
    int64_t used;
    bool has_policy; /* which one it was decided under */
    uint64_t policy_version;
    uint8_t policy_manifest[SHA256_BYTES];
    char request[CONSENT_ID_CHARS + 1]; /* the access request that it answered, or empty */
    enum consent_how how;
    char by[ACTOR_TEXT_BYTES];             /* who acted for the citizen; empty: they themselves */
    char mandate[ACTOR_MANDATE_CHARS + 1]; /* under which mandate or guardianship; empty: none */
    char guardian[ACTOR_TEXT_BYTES];       /* who agreed to it beside a minor; empty: nobody */
    struct consent_field *fields;
    size_t field_count;
};

/* The state at that time: that of the record, or where time or use have led since. */
enum consent_state consent_state_now(const struct consent *consent, int64_t now_s);

/* Whether it allows anything at that time. */
bool consent_is_live(const struct consent *consent, int64_t now_s);

/* What a citizen decides, on the page they see. Borrowed. */
struct consent_decision {
    const char *service;
    const char *purpose;
    const struct consent_field *fields;
    size_t field_count;
    int64_t days;         /* 1 to what the policy allows, else CONSENT_DAYS_MAX */
    int64_t uses;         /* CONSENT_UNLIMITED or 1 and more */
    const char *request;  /* the access request that it answers, or NULL: see access_request.h */
    const char *language; /* of the text */
    const char *text;     /* exactly what was shown */
    const struct actor *actor; /* who decides for them; NULL: they themselves */
};

/* Give. The consent's id goes to id, its record's number to *seq; durable and in the log on return.
 * Where a minor and a guardian must agree both, the first of them gives a half (guardian.h), whose
 * id and number these are then; the second makes it a consent, for what both agreed to.
 * VAULT_NOT_FOUND  there is no such citizen
 * VAULT_INVALID    the period, the uses or a field is out of range
 * VAULT_LIMITED    the citizen has too many consents
 * VAULT_CONFLICT   the citizen paused everything (stance.h): they resume first; or the other who
 *                  must agree agreed to something else
 * VAULT_DENIED     who acts for them may not decide this */
enum vault_code consent_give(struct vault *vault, const struct citizen_id *citizen,
                             const struct consent_decision *decision, char id[CONSENT_ID_CHARS + 1],
                             int64_t *seq, struct vault_error *err) VAULT_MUST_CHECK;

/* Refuse: a record and an entry like any other. days and uses are not read. */
enum vault_code consent_refuse(struct vault *vault, const struct citizen_id *citizen,
                               const struct consent_decision *decision, int64_t *seq,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* Withdraw what was given to the service for the purpose, and take back what half agreed to it; in
 * force before it returns. Withdrawing what is not given is fine and changes nothing.
 * VAULT_NOT_FOUND if there is no such citizen. */
enum vault_code consent_withdraw(struct vault *vault, const struct citizen_id *citizen,
                                 const char *service, const char *purpose, struct vault_error *err)
    VAULT_MUST_CHECK;

/*
 * Suspend what was given, or put it in force again; resuming nothing that is suspended, and
 * suspending nothing that is given, is fine and changes nothing.
 * VAULT_NOT_FOUND  there is no such citizen
 * VAULT_CONFLICT   consent_resume(): the citizen paused everything
 * VAULT_DENIED     consent_resume(): a restore suspended it, and a guardian would have to agree to
 *                  it again
 */
enum vault_code consent_suspend(struct vault *vault, const struct citizen_id *citizen,
                                const char *service, const char *purpose, enum consent_cause cause,
                                struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code consent_resume(struct vault *vault, const struct citizen_id *citizen,
                               const char *service, const char *purpose, struct vault_error *err)
    VAULT_MUST_CHECK;

/*
 * Narrow what was given: fields and forms are those of the consent or fewer, and it ends at
 * expires_s or, if that is later, when it would have ended. The text is what was shown.
 * VAULT_INVALID   it would be wider in anything, or nothing would be left: that is a withdrawal
 * VAULT_CONFLICT  there is nothing given to narrow
 */
struct consent_narrowing {
    const struct consent_field *fields;
    size_t field_count;
    int64_t expires_s;
    const char *language;
    const char *text;
};
enum vault_code consent_narrow(struct vault *vault, const struct citizen_id *citizen,
                               const char *service, const char *purpose,
                               const struct consent_narrowing *narrowing, struct vault_error *err)
    VAULT_MUST_CHECK;

/* CONSENT_WITHDRAW, CONSENT_SUSPEND or CONSENT_RESUME by somebody who acts for the citizen; else as
 * above. VAULT_DENIED if they may not do this. Who acts as a guardian: guardian_withdraw(). */
enum vault_code consent_change_by(struct vault *vault, const struct citizen_id *citizen,
                                  const struct actor *actor, enum consent_event event,
                                  const char *service, const char *purpose, struct vault_error *err)
    VAULT_MUST_CHECK;

/* "own session", "mandate", "operator", "guardian". */
const char *consent_how_name(enum consent_how how);

typedef enum vault_code consent_each(void *context, const struct consent *consent,
                                     struct vault_error *err);

/* The newest record of each (service, purpose), in the order in which they first came. */
enum vault_code consent_list(struct vault *vault, const struct citizen_id *citizen,
                             consent_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;
