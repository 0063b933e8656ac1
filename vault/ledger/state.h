/*
 * state - what the parts of a ledger share: the queue, the writer, the publisher, the readers.
 *
 *     enqueue --> batches[] --> writer --> journal --> publisher --> tiles, checkpoint
 *                                  \--> edge ----------/
 *
 * Entries are written as frames straight into the batch that is being filled; the writer takes the
 * oldest batch, closing the one being filled if there is no older, so that batches form by
 * themselves while a sync runs. A batch's condition wakes those who wait for it and no others.
 *
 * Locks: mutex for all that is marked so, edge_mutex for the edge, proof_mutex for the tiles that
 * proofs read. None is taken while holding another, but edge_mutex while holding proof_mutex.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "edge.h"
#include "journal.h"
#include "vault/ledger/ledger.h"
#include "vault/ledger/tile.h"

#define BATCH_COUNT         16U
#define BATCH_ENTRIES_BYTES (JOURNAL_BATCH_MAX_BYTES - FRAME_COMMIT_BYTES)
#define IDLE_MS             1000 /* how often the writer looks after its files when idle */
#define CLOSE_GRACE_MS      (2 * LEDGER_HANG_MS)

struct batch {
    uint8_t *data; /* frames of entries, then room for the commit */
    size_t size;
    uint64_t first; /* index of its first entry */
    size_t count;
    struct tree_hash leaves[JOURNAL_BATCH_MAX_ENTRIES];
    int64_t last_time_ms;
    pthread_cond_t done; /* durable, or the log has stopped */
};

/* A durable state of the log, as its commit has it. What the parting key says of it is kept beside:
 * a key signs what only grows, so that nobody could have an earlier state signed later. */
struct signed_head {
    struct ledger_head head;
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    uint8_t parting[SIGN_SIGNATURE_BYTES]; /* while such a key signs */
};

/* When the clock was last looked at, to notice when it steps. */
struct clock_mark {
    bool is_set;
    int64_t wall_ms;
    int64_t monotonic_ms;
};

struct ledger {
    char dir[JOURNAL_PATH_BYTES];
    const struct note_signer *signer;
    const struct note_signer *parting; /* NULL: no other signs */
    struct clock clock;
    int64_t clock_step_ms;
    struct ledger_anchor anchor;
    int durable_fd; /* an eventfd, or 0 */
    struct journal *journal;

    pthread_mutex_t mutex; /* over all from here to the next lock */
    pthread_cond_t work;   /* the writer has something to do */
    struct batch batches[BATCH_COUNT];
    unsigned writing;     /* the oldest batch */
    unsigned filling;     /* the one that entries are added to */
    size_t queued_bytes;  /* in all batches */
    bool reserve_fails;   /* the disk had no room for the next segment */
    uint64_t next_index;  /* of the next entry */
    int64_t last_time_ms; /* of the last entry enqueued */
    struct clock_mark clock_mark;
    int64_t busy_since_ms; /* the writer is at a batch; 0: it is not */
    struct signed_head durable;
    pthread_cond_t more; /* durable has grown, for readers; or a segment was begun */
    uint64_t turns;      /* how often one was begun because it was asked for */
    bool turn_asked;     /* begin a segment as soon as nothing waits to be written */

    bool is_stopping; /* a clean stop was asked for */
    bool is_stopped;  /* for good, for the reason below */
    char reason[VAULT_ERROR_TEXT_BYTES];
    bool writer_runs; /* until the thread comes to its end */
    bool publisher_runs;
    pthread_cond_t ended; /* one of them has ended */

    pthread_cond_t to_publish;
    pthread_cond_t published_more;
    uint64_t published_size;
    bool publish_asked;
    bool publish_fails;
    bool present_asked;           /* also if nothing is new */
    int64_t present_due_ms;       /* when to, unasked */
    uint64_t presented;           /* how often that was done */
    uint64_t base_index;          /* where the last full bundle that is published ends: */
    struct journal_place base;    /* and in the journal; the publisher alone changes them */
    int64_t unpublished_since_ms; /* 0: all is published */
    int64_t published_at_ms;      /* when it last was */
    uint64_t batches_done;        /* how many, how long all of them took, and how many at most so */
    int64_t batches_ns;
    uint64_t batches_within[LEDGER_BATCH_BOUNDS];
    char publish_problem[VAULT_ERROR_TEXT_BYTES];

    pthread_mutex_t edge_mutex;
    struct edge *edge;

    pthread_mutex_t proof_mutex;
    struct tile_source *tiles;

    /* Of whoever opened the ledger: the threads that are to be joined. */
    pthread_t writer;
    pthread_t publisher;
    bool writer_made;
    bool publisher_made;

    /* The writer's own. */
    struct tree_frontier frontier; /* of all that was given to the journal */
    int64_t written_time_ms;       /* of the last entry given to it */
};

/* To those who wait without a thread: look again. */
void ledger_tell_durable(const struct ledger *ledger);

/* Stop for good; whoever waits is woken. The first reason stays. With the mutex held. */
void ledger_stop_for_good(struct ledger *ledger, const char *reason);

/* VAULT_UNAVAILABLE if the log has stopped or is stopping. With the mutex held. */
enum vault_code ledger_check_running(const struct ledger *ledger, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Stop for good if the writer has been at one batch for too long. With the mutex held. */
void ledger_check_hang(struct ledger *ledger);

/* Wait for the condition until a monotonic time. With the mutex held. */
void ledger_wait_until(struct ledger *ledger, pthread_cond_t *condition, int64_t monotonic_ms);

/* Put an entry into the queue, with the mutex held; its time is set. */
enum vault_code queue_push(struct ledger *ledger, struct entry *entry, struct bytes opening,
                           struct ledger_ticket *out, struct vault_error *err) VAULT_MUST_CHECK;

/* What can be said against entering anything now, besides a stop. With the mutex held. */
enum vault_code queue_check(struct ledger *ledger, struct vault_error *err) VAULT_MUST_CHECK;

/* Have the writer begin a new segment, so that what was entered up to now is in older ones. */
enum vault_code ledger_begin_segment(struct ledger *ledger, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The threads. */
void *writer_main(void *ledger);
void *publisher_main(void *ledger);

/* Publish up to a durable state: bundles, tiles, checkpoint. The publisher's, or the only thread's.
 * VAULT_CORRUPT if what the journal holds is not what was signed. */
enum vault_code publish_to(struct ledger *ledger, const struct signed_head *target,
                           struct vault_error *err) VAULT_MUST_CHECK;

/* Append the checkpoint of the state; and put one as a file into the folder. */
void ledger_write_checkpoint(const struct ledger *ledger, const struct signed_head *state,
                             struct buf *out);
enum vault_code publish_checkpoint(const char *dir, const struct buf *note, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The tree's nodes, from the edge and the published tiles. With proof_mutex held. */
struct tree_source ledger_nodes(struct ledger *ledger);

/* Sign a state by all the keys that sign now; the writer alone does, or who has no writer yet. */
enum vault_code ledger_sign_head(const struct ledger *ledger, struct signed_head *state,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* Sign a size and root as the log. */
enum vault_code ledger_sign(const struct note_signer *signer, const struct ledger_head *head,
                            uint8_t out[SIGN_SIGNATURE_BYTES], struct vault_error *err)
    VAULT_MUST_CHECK;

/* Start a reader at a place that is known. */
enum vault_code ledger_reader_at(struct ledger *ledger, uint64_t index, struct journal_place place,
                                 struct ledger_reader **out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The next entry, which must be durable already. */
enum vault_code ledger_reader_take(struct ledger_reader *reader, struct ledger_record *out,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* Where the reader stands. */
struct journal_place ledger_reader_place(const struct ledger_reader *reader);
