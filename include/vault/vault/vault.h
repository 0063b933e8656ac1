/*
 * vault - the parts, opened together and closed in order.
 *
 *     keyring -> store -> log -> active policy -> indexer -> keeper
 *
 * This floor is what the vault does: consents, access requests, sign-in, import, and the one door
 * through which a value can leave for a service (release.h). Everything that happens to a citizen
 * happens while that citizen is held (citizen_acquire), and its entry is put into the log's queue
 * before the citizen is let go, so that the log's order is the order of decisions. What must be
 * durable before it is answered is waited for after letting go.
 *
 * Every function of this floor is safe from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/clock.h"
#include "vault/base/error.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/ledger.h"
#include "vault/store/keyring.h"

struct vault;

#define VAULT_OPENINGS_MONTHS 12
#define VAULT_RECALLED_MAX    250

/*
 * Who sees to it that somebody outside has seen the access log (edge/anchor.h). The vault asks; all
 * of it may be called from any thread.
 */
struct vault_anchor {
    void *context;

    /* What the log is to be held against when it is opened, beside the vault's own memory. */
    enum vault_code (*recall)(void *context, const struct checkpoint_keys *log,
                              struct ledger_head heads[VAULT_RECALLED_MAX], size_t *count,
                              struct vault_error *err);

    /* As in ledger.h. */
    int64_t (*present)(void *context, const struct ledger_presented *presented, struct buf *lines);

    /* VAULT_UNAVAILABLE, with the reason, while nothing may be released. */
    enum vault_code (*check)(void *context, struct vault_error *err);

    /* How it stands, as a JSON object, for the operator. */
    void (*describe)(void *context, struct buf *out);
};

/* With what services' certificates are signed when they renew them (renewal.h). Borrowed. */
struct vault_signing {
    const char *ca; /* its certificate's file; NULL: none is signed */
    const char *ca_key;
    int64_t days; /* that a certificate lasts */
};

/* What no new password may be, beside what is known to the vault itself; NULL or empty: nothing. */
struct vault_passwords {
    const char *words;    /* a file of the city's own words, a line each */
    const char *breached; /* a filter of leaked passwords, as pwqfilter(1) makes it */
};

struct vault_options {
    const char *dir;                  /* the vault's folder: keyring, store, log, policy */
    const char *origin;               /* the log's name */
    struct keyring_provider provider; /* its secret is borrowed for the call only */
    struct keyholder *keyholder; /* has the keyring, and asks the provider; NULL: opened here */
    size_t open_citizens_max;    /* 0: the store's default */
    const char *const *trust;    /* who may sign policy bundles: lines as in vault/policy/trust.h */
    size_t trust_count;
    size_t signatures;          /* how many of them must have signed */
    size_t signatures_to_widen; /* how many for what widens; 0: policy_signatures_to_widen() */
    unsigned openings_months;   /* how long openings are kept; 0: VAULT_OPENINGS_MONTHS */
    unsigned entries_months;    /* how long published entries are kept; 0: for ever */
    struct clock clock;
    int64_t clock_step_ms; /* as in ledger.h: what a city runs has LEDGER_CLOCK_STEP_MS */
    const struct vault_anchor *anchor; /* NULL: nobody outside sees the log */
    struct vault_signing signing;
    int durable_fd; /* as in ledger.h: for answers that wait without a thread (http.h) */
    struct vault_passwords passwords;
    bool mediators_need_passkey; /* a password alone lets none of them in (mediator.h) */

    /* What a thread of the vault's own has to say, for the program's log; may be NULL. */
    void (*trouble)(const char *part, const char *text);
};

/* Make keyring, store and log in a folder, which is made too. *recovery is the recovery secret as
 * text, to be printed once. VAULT_CONFLICT if there is a vault already. */
enum vault_code vault_create(const struct vault_options *options, struct secret **recovery,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* Open all of it; what options points at is borrowed until vault_close(). Recovers what a crash
 * left, files every opening that the log has, then starts its threads. Fails with the code of the
 * part that does not open. */
enum vault_code vault_open(const struct vault_options *options, struct vault **out,
                           struct vault_error *err) VAULT_MUST_CHECK;

/* A clean stop: the log is published and its head remembered. No other call may be under way. */
void vault_close(struct vault **vault);

/* Calls that wait for something to happen return at once, now and from now on: before closing. */
void vault_interrupt(struct vault *vault);

/* VAULT_OK while the vault can release: its log is writable, the anchor agrees, and a policy is
 * active. */
enum vault_code vault_ready(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;

/* Have the log's checkpoint presented to the anchor now (ledger_present). */
enum vault_code vault_present_log(struct vault *vault, int64_t timeout_ms, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Whether the log has stopped for good, so that the program should end. */
bool vault_has_stopped(struct vault *vault);

/* Append the log's verifier key. */
enum vault_code vault_log_key(struct vault *vault, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Have the log sign with a new key from the next start on, and append that key, so that those who
 * check the log can be told before. Asked again before that start, it is the same one. The key
 * before it signs too for some weeks. VAULT_LIMITED if the log has had as many as it can have. */
enum vault_code vault_renew_log_key(struct vault *vault, struct buf *vkey, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Enter that the operator changes something that is not kept here, such as a listener's
 * certificate; durable on return, and before it is done. */
enum vault_code vault_enter_change(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;

/* Remove now what the log has kept for as long as it may; it is also done every six hours. */
enum vault_code vault_prune_log(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;

/* Figures for the operator, as JSON. */
enum vault_code vault_status(struct vault *vault, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Append how its anchor stands, as a JSON object; false if it has none. */
bool vault_describe_anchor(struct vault *vault, struct buf *out);

/* The folder whose files are published under /log/. Borrowed. */
const char *vault_log_folder(const struct vault *vault);
const struct clock *vault_clock(const struct vault *vault);
