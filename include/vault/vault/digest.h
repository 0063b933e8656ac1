/*
 * digest - a message by e-mail when something is new in somebody's vault, for whoever asked for it.
 *
 * Opt-in, and only to an address that somebody has shown to read: a code is sent there first. A
 * message comes once a day or a week, as they chose, and only when somebody else did something
 * since the last one: a service that looked, was refused or deposited, a mediator, a guardian, an
 * operator. It says that there is something, and nothing of what: mail is read by others on its
 * way.
 *
 * Two things do not wait for that day or week: that somebody tried several wrong passwords, and
 * that something changed about how they sign in. A letter about them comes at once, one in
 * DIGEST_URGENT_S at most, of wrong tries one a day; it says that it is one of these, and not
 * which. Who gets no messages sees both on their pages (sign_in.h).
 *
 * The address is sealed under the citizen's own key, so that what erases them erases it, from old
 * backups too. A restored backup knows nobody who wants messages: whoever ended them after it was
 * made must not get any again.
 *
 * This module knows who is to be told and when; sending is the caller's (edge/mailer.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "vault/store/citizen.h"
#include "vault/store/digest.h"
#include "vault/vault/vault.h"

#define DIGEST_CODE_LETTERS 8
#define DIGEST_CODE_CHARS   9                  /* "7KQM-2XWR" */
#define DIGEST_CODE_S       (60 * 60)          /* how long a code is good */
#define DIGEST_TRIES_MAX    5                  /* wrong ones, then another is sent for */
#define DIGEST_DAY_S        (24LL * 60 * 60)   /* the times between two messages */
#define DIGEST_WEEK_S       (7 * DIGEST_DAY_S) /* that there are */
#define DIGEST_AGAIN_S      (60 * 60) /* after one that could not be sent, twice that, …, a day */
#define DIGEST_URGENT_S     (60 * 60) /* between two letters about signing in */
#define DIGEST_ASKS_WAIT_M  10 /* minutes between two codes of one citizen, or to one address */
#define DIGEST_TAKE_MAX     16
#define DIGEST_STOP_CHARS   22 /* DIGEST_STOP_BYTES as base64url */

/* Whether it can be an address: of RFC 5321's those without quotes, comments and literals, in
 * ASCII. No character of it means anything to a header or to SMTP. */
bool digest_address_is_valid(struct bytes address);

/* What somebody asked for. */
struct digest_wish {
    char address[DIGEST_ADDRESS_CHARS + 1];
    char language[ACCOUNT_LANGUAGE_CHARS + 1];
    int64_t every_s; /* DIGEST_DAY_S or DIGEST_WEEK_S */
    bool confirmed;  /* out only */
};

/* Begin: code is to be sent to the address, of which nothing counts before digest_confirm(); what
 * was there before is over. If the address is the confirmed one already, its language and time
 * change, and code is empty.
 * VAULT_INVALID  it is no address, or no such time
 * VAULT_LIMITED  a code was sent within DIGEST_ASKS_WAIT_M */
enum vault_code digest_ask(struct vault *vault, const struct citizen_id *citizen,
                           const struct digest_wish *wish, char code[DIGEST_CODE_CHARS + 1],
                           struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_DENIED if it is not the code, it is too late, or too many were tried. */
enum vault_code digest_confirm(struct vault *vault, const struct citizen_id *citizen,
                               struct bytes typed, struct vault_error *err) VAULT_MUST_CHECK;

/* No more messages. */
enum vault_code digest_stop(struct vault *vault, const struct citizen_id *citizen,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* The same by what a message carries (digest_letter's stop), whoever has it. Whether it was any
 * row's is not told. */
enum vault_code digest_stop_named(struct vault *vault, struct bytes stop, struct vault_error *err)
    VAULT_MUST_CHECK;

/* What a citizen asked for. VAULT_NOT_FOUND also when a code went unused for its time. */
enum vault_code digest_of(struct vault *vault, const struct citizen_id *citizen,
                          struct digest_wish *out, struct vault_error *err) VAULT_MUST_CHECK;

/* One message to be sent. */
struct digest_letter {
    struct digest_wish to;
    char stop[DIGEST_STOP_CHARS + 1];
    struct digest row; /* as it is when the message was sent, but for due_s */
};

/*
 * Take those whose time has come and who have something new, room (1 to DIGEST_TAKE_MAX) at most;
 * *more is whether there may be others. Each is noted as told for now before this returns, so that
 * a crash cannot make two messages of one; whoever sends says what became of it. Who has nothing
 * new waits another time. Addresses whose codes went unused are forgotten.
 */
enum vault_code digest_take(struct vault *vault, struct digest_letter out[], size_t room,
                            size_t *count, bool *more, struct vault_error *err) VAULT_MUST_CHECK;

/* It was sent; it was not, and is taken again later. Who ended it meanwhile stays as they are. */
enum vault_code digest_sent(struct vault *vault, const struct digest_letter *letter,
                            struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code digest_failed(struct vault *vault, const struct digest_letter *letter,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* The same of those who are to be told something about signing in; whom wrong tries concern is
 * found out here, so that no try takes longer for it. */
enum vault_code digest_take_urgent(struct vault *vault, struct digest_letter out[], size_t room,
                                   size_t *count, bool *more, struct vault_error *err)
    VAULT_MUST_CHECK;

/* One of those was not sent, and is taken again later. */
enum vault_code digest_urgent_failed(struct vault *vault, const struct digest_letter *letter,
                                     struct vault_error *err) VAULT_MUST_CHECK;
