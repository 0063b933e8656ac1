/*
 * mailer - the post room: a thread that sends codes, and messages that something is new, one after
 * the other.
 *
 * Nobody who is served waits for it. Codes lie in a short queue in memory, and one that could not
 * be sent is tried again, later each time, for as long as it is good. Who is to be told that
 * something is new stands in the vault (digest.h) and is looked for once a minute; the vault is not
 * held while a letter is on its way, and a relay that does not answer is left alone until the next
 * minute. A sealed vault has nothing to send.
 *
 * What happened is told in numbers, and in the program's log when sending begins to fail and when
 * it works again: never to whom.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/clock.h"
#include "vault/base/error.h"
#include "vault/edge/config.h"
#include "vault/edge/mail.h"
#include "vault/edge/sealing.h"

#define MAILER_CODES_MAX 64     /* that wait */
#define MAILER_LOOK_MS   60000  /* between two looks for who is to be told */
#define MAILER_AGAIN_MS  5000   /* after a code that could not be sent, twice that, … */
#define MAILER_LATER_MS  300000 /* at most */

struct mailer;

struct mailer_options {
    struct mail_options mail;
    const char *base; /* where the pages are; borrowed, and read from the first letter on */
    struct sealing *sealing;
    struct clock clock;
    int64_t look_ms; /* 0: MAILER_LOOK_MS */
};

/* The thread runs until mailer_close(), which does not wait for a relay. Open it before any other
 * thread is started. */
enum vault_code mailer_open(const struct mailer_options *options, struct mailer **out,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* The same as a configuration has it; without a relay *out stays NULL. */
enum vault_code mailer_open_configured(const struct config_mail *config, const char *base,
                                       struct sealing *sealing, struct mailer **out,
                                       struct vault_error *err) VAULT_MUST_CHECK;

/* NULL: there is nothing to start. */
enum vault_code mailer_start(struct mailer *mailer, struct vault_error *err) VAULT_MUST_CHECK;
void mailer_close(struct mailer **mailer);

/* Whether there is room for a code. */
bool mailer_has_room(struct mailer *mailer);

/* Have a code sent to an address, in a language of ours. VAULT_LIMITED if there is no room. */
enum vault_code mailer_send_code(struct mailer *mailer, const char *address, const char *language,
                                 const char *code, struct vault_error *err) VAULT_MUST_CHECK;

struct mailer_figures {
    uint64_t codes_sent;
    uint64_t messages_sent;
    uint64_t failures; /* of trying; a letter may have several */
    uint64_t failures_in_a_row;
    uint64_t refused; /* that the relay will never take */
    uint64_t waiting; /* codes */
};

/* Since it was started. */
struct mailer_figures mailer_figures(struct mailer *mailer);
