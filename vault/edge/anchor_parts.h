/*
 * anchor_parts - what an anchor is made of, for anchor.c, the round of the witnesses and the
 * keeper's thread.
 *
 * Threads: the log's publisher makes the rounds, the keeper does what may take long on other
 * people's disks and servers, others ask how things stand. The mutex guards what they share; every
 * release takes it. It is not held while waiting for a network or for a disk that is not the log's,
 * nor while proofs are made and signatures checked: what is known of the witnesses is the
 * publisher's own, and a copy of what others may see of it is made at the end of a round.
 */
#pragma once

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>

#include "fetch.h"
#include "freshness.h"
#include "vault/edge/anchor.h"
#include "vault/ledger/cosigners.h"
#include "vault/ledger/keep.h"

#define ANCHOR_URL_CHARS (QUORUM_URL_MAX_CHARS + 32)

struct anchor {
    char state_path[PATH_MAX];
    char keep_dir[PATH_MAX];
    char timestamps_url[ANCHOR_URL_CHARS];
    char timestamps_ca[PATH_MAX];
    int64_t alone_ms; /* how long a witness that failed is left alone */
    int64_t again_ms; /* when nothing is new */
    int64_t stamp_ms; /* between time stamps */
    struct clock clock;
    struct vault_anchor hooks;
    struct quorum *policy;       /* NULL: no witnesses */
    struct fetcher *asking;      /* the publisher's */
    struct fetcher *stamping;    /* the keeper's */
    struct cosigners *cosigners; /* the publisher's, once there is one */

    pthread_mutex_t mutex; /* over all from here on */
    pthread_cond_t changed;
    struct cosigner shown[COSIGNERS_MAX]; /* the cosigners, for those who ask */
    size_t shown_count;
    struct buf shown_lines; /* and for the small file */
    struct freshness freshness;
    char contradiction[VAULT_ERROR_TEXT_BYTES]; /* empty: none */
    struct buf latest;                          /* the newest checkpoint that is to be kept */
    bool latest_is_new;                         /* it is not kept yet */
    bool is_dirty;                              /* the small file is behind */
    bool is_stopping;

    pthread_t keeper;
    bool keeper_runs;

    /* The keeper's own. */
    enum freshness_state said; /* what the operator knows */
    int64_t stamp_due_ms;
    bool keeping_fails;
    bool stamping_fails;
};

struct freshness_now anchor_now(const struct anchor *anchor);

/* Present to the witnesses (anchor_round.c): the publisher's hook. */
int64_t anchor_present(void *context, const struct ledger_presented *presented, struct buf *lines);

/* The keeper's thread (anchor_keeper.c). */
void *anchor_keeper_main(void *context);

/* Show how the witnesses stand now. With the mutex held, by whom the cosigners belong to. */
void anchor_show(struct anchor *anchor);

/* Write the small file down. Says it if that fails. */
void anchor_write_state(struct anchor *anchor);
