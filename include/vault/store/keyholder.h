/*
 * keyholder - a second process that has the root key and the log's keys, so that the one which
 * speaks to the world has neither.
 *
 *     worker: TLS, parsers, policy,           keyholder: no network, no citizen's data
 *     pages, citizens' files
 *         struct keyring  ── a socket pair ──  roots, vault seed, log's private keys
 *                                              reads and writes keyring.json, asks the provider
 *
 * While the vault serves there are four messages:
 *
 *     unwrap   one citizen's key. So many a minute and no more: a worker that was taken over cannot
 *              have every key quickly, and the keyholder's own lines in the program's log say how
 *              many it gave. Who goes through all citizens says so, and has none of the half that
 *              is for those who are waited for.
 *     wrap     a citizen's key that is new; or one that a former root wrapped, which is wrapped
 *              again without being shown.
 *     sign     what the log becomes with a batch: its size and root. A log that would be shorter,
 *              or another one of the same size, is not signed. A receipt is.
 *     status   figures.
 *
 * and four around them: open (with the provider's passphrase or PIN, where it has one), close,
 * rotate the root, drop former roots. Opening gives the worker the keys that belong to no citizen
 * and are not the log's; what it is given a key for it names by label, and labels of the log and of
 * the keyring itself are refused. Which folder, which provider and how many keys a minute are the
 * keyholder's own options: nothing that the worker sends can change them.
 *
 * The worker's end is a struct keyholder; keyring_open_held() (keyring.h) makes a keyring of it. An
 * answer that does not come within KEYHOLDER_WAIT_MS, or a keyholder that has ended, is for good:
 * every call says VAULT_UNAVAILABLE from then on, so the log stops and with it the program.
 *
 * The messages are packets of one socket (SOCK_SEQPACKET), in turn; keys in them are read into
 * secret memory.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/store/keyring.h"

#define KEYHOLDER_WAIT_MS            5000
#define KEYHOLDER_CEREMONY_MS        60000 /* open and rotate: a passphrase or a token takes its time */

#define KEYHOLDER_UNWRAPS_PER_MINUTE 12000 /* for who says nothing else; as many at once */

/* --- The worker's end ----------------------------------------------------------------------- */

struct keyholder;

/* Speak to the keyholder at the other end of the socket, which is taken. Needs crypto_start(). */
enum vault_code keyholder_of(int socket, struct keyholder **out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Close the socket: the keyholder wipes its keys and ends. */
void keyholder_free(struct keyholder **holder);

/* Whether it is gone for good. Does not wait. */
bool keyholder_is_lost(const struct keyholder *holder);

struct keyholder_figures {
    uint64_t unwrapped; /* since it began, as all of these */
    uint64_t wrapped;
    uint64_t signatures;
    uint64_t refused; /* unwraps over the limit, signatures that would shrink or fork the log */
};

/* VAULT_UNAVAILABLE when it is gone; that it has no keyring open is no failure. */
enum vault_code keyholder_figures(struct keyholder *holder, struct keyholder_figures *out,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* --- The keyholder's process ---------------------------------------------------------------- */

struct keyholder_options {
    const char *dir;                  /* the vault's folder */
    const char *origin;               /* the log's name: of no other log is a head signed */
    struct keyring_provider provider; /* without its secret */
    uint32_t unwraps_per_minute;      /* at least 1 */

    /* The provider's secret, where a file has it; else it comes with "open" and "rotate". *out
     * stays NULL if there is none. NULL: no file has it. */
    enum vault_code (*read_secret)(const void *context, struct secret **out,
                                   struct vault_error *err);
    const void *context;

    /* What the keyholder has to say, for the program's log; may be NULL. */
    void (*tell)(bool is_trouble, const char *text);
};

/* Answer on the socket until the worker's end is closed, then wipe every key and return. One
 * thread. VAULT_IO if the socket itself fails. */
enum vault_code keyholder_serve(int socket, const struct keyholder_options *options,
                                struct vault_error *err) VAULT_MUST_CHECK;
