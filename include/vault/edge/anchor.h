/*
 * anchor - seeing to it that somebody outside has seen the access log, and stopping when nobody
 * has.
 *
 * An anchor is the quorum of a C2SP tlog-policy's witnesses, or a time stamp of RFC 3161. Three
 * things are done, each if it is configured:
 *
 *     witnesses    are asked by the log's publisher before each checkpoint goes out, all at once,
 *                  within ANCHOR_ROUND_MS; one that failed is left alone for a while. When nothing
 *                  is new they are asked again after ANCHOR_AGAIN_MS at most.
 *     keeping      of each checkpoint that has the quorum (without witnesses: of each) on another
 *                  path (keep.h), to be held against the log at the next start.
 *     time stamps  each hour, kept beside the checkpoint.
 *
 * Without an anchor for stale_s nothing is released; everything else goes on. A witness that has
 * seen more than the log holds, or another history, stops releases until the next start, and that
 * start is refused.
 *
 * What must survive a restart stands in one small file: the time of the last anchor, and what each
 * witness cosigned last.
 */
#pragma once

#include <stdint.h>

#include "vault/base/clock.h"
#include "vault/base/error.h"
#include "vault/vault/vault.h"

#define ANCHOR_ROUND_MS INT64_C(3000)
#define ANCHOR_AGAIN_MS INT64_C(600000)
#define ANCHOR_ALONE_MS INT64_C(30000)
#define ANCHOR_STAMP_MS INT64_C(3600000)

struct anchor;

struct anchor_options {
    const char *state_path;     /* the small file */
    const char *policy_path;    /* empty: no witnesses */
    const char *witnesses_ca;   /* of their https; empty: the system's authorities */
    const char *keep_dir;       /* empty: nothing is kept */
    const char *timestamps_url; /* empty: no time stamps */
    const char *timestamps_ca;  /* the authority's certificates */
    bool plain_http;            /* they may be asked by http on other machines than this, too */
    int64_t stale_s;
    int64_t warn_s;
    struct clock clock;
};

/* Read what the options name. Before any thread is started. VAULT_INVALID: a policy that is none, a
 * URL that is none, or options that do not go together; VAULT_CORRUPT: the small file is damaged.
 */
enum vault_code anchor_open(const struct anchor_options *options, struct anchor **out,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* What the vault is given; NULL if nothing is configured. */
const struct vault_anchor *anchor_hooks(struct anchor *anchor);

/*
 * After the vault has been opened with the hooks: a first round, and then the thread that keeps,
 * stamps and warns. VAULT_CORRUPT if a witness contradicts the log; that one does not answer is
 * no failure.
 */
enum vault_code anchor_start(struct anchor *anchor, struct vault *vault, struct vault_error *err)
    VAULT_MUST_CHECK;

/* After the vault has been closed: what is known is written down. */
void anchor_close(struct anchor **anchor);
