/*
 * pages_request - a request for consent in words: what the page shows is what is written down with
 * the decision.
 *
 * The statement is composed once, line by line, into the page's data and into a text at the same
 * time. Its hash travels through the form, so that an answer counts only for what was shown: if the
 * policy, the service or the language changed meanwhile, the page is shown again.
 *
 * The first button in the form to give does nothing and is not seen (its method is "dialog", and
 * there is none). It is what the enter key presses, so that neither answer is.
 */
#pragma once

#include "pages_words.h"
#include "vault/base/codec.h"
#include "vault/crypto/hash.h"
#include "vault/vault/access_request.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/guardian.h"

#define STATEMENT_PERIODS_MAX  3
#define STATEMENT_PERIOD_CHARS 24 /* a number of days, as it is sent */

struct statement {
    struct visit *visit;
    struct access_view view;
    struct policy_hold policy;
    struct service_hold service;
    const char *purpose;
    struct consent_field asked[CONSENT_FIELDS_MAX];
    size_t asked_count;
    struct consent_field offered[CONSENT_FIELDS_MAX]; /* what could be given, in which form */
    int64_t kept_days[CONSENT_FIELDS_MAX]; /* how long each may be kept; 0: no rule says */
    size_t offered_count;
    int64_t uses;
    int64_t periods[STATEMENT_PERIODS_MAX]; /* in days, the shortest first */
    size_t period_count;
    struct guardian_rule rule; /* whether a guardian must agree too */
    bool waits;                /* one of the two has agreed: */
    struct guardian_half half;
    const char *no_gift; /* why there is nothing to give: a text of the catalogue; or NULL */
    json_t *rows;
    json_t *what;  /* the lines that name the fields offered */
    json_t *lines; /* of the last row */
    struct buf text;
    char shown[HEX_CHARS(SHA256_BYTES) + 1]; /* the hash of text */
};

/* Compose it for a request of this citizen's. VAULT_NOT_FOUND, as access_request_by_id(). */
enum vault_code statement_read(struct visit *visit, const char *id, struct statement *out,
                               struct vault_error *err) VAULT_MUST_CHECK;
void statement_finish(struct statement *statement);

/* pages_answer.c: the form that answers it, by whoever answers. */

/* Put what the form has: the ids, the hash, and the periods, with the one checked that was chosen
 * or, if that is none of them, the first. */
void statement_put_choice(const struct statement *statement, const char *chosen);

/* To give all that is offered, for the period that the form says. A period that was not offered is
 * none: the text that is written down names those that were. actor NULL: the citizen. Borrowed from
 * the statement. 0, or the status of the page that says why this cannot be given: it is not what
 * was shown, or no period was chosen. */
unsigned statement_gift(struct statement *statement, const struct actor *actor,
                        struct consent_decision *out);

/* To refuse all that is asked. A refusal always counts: if the page has changed since, what was
 * shown is not known to be this text, and none is written down. */
struct consent_decision statement_refusal(struct statement *statement, const struct actor *actor);
