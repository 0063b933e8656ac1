/*
 * ledger - the access log: what is entered here cannot be quietly changed, cut or forked.
 *
 * Entries (entry.h) become the leaves of a Merkle tree (tree.h), in the order in which they are
 * enqueued. One thread, the writer, takes all that wait, signs the tree's new size and root, and
 * makes entries and signature durable with one write and one fdatasync; whatever arrives meanwhile
 * is the next batch. There is no timer: one entry alone goes at once, a thousand share a sync.
 * Another thread, the publisher, reads back what was written, hashes it again and puts it into the
 * log's folder as C2SP tlog-tiles, for anyone to verify:
 *
 *     DIR/checkpoint           the newest published size and root, signed
 *     DIR/tile/…               hashes and entries
 *     DIR/journal/…            segments of frames: entries, openings, signed commits; the lock
 *     DIR/new/                 files on their way to being published
 *
 * How a decision and its entry are kept together (the vault floor's one door):
 *
 *     lock the citizen
 *     decide; fill the entry and its opening; seal the opening
 *     ledger_enqueue()         order and time are fixed here; does not wait for the disk
 *     unlock the citizen
 *     ledger_wait()            durable now: the answer may leave
 *
 * An opening is opaque bytes: this floor knows no citizen. It stands in the journal beside its
 * entry until an indexer has read it back (ledger_reader), filed it and said so (ledger_forget):
 * then the segments of the journal that are published and filed are removed. So the journal is
 * short however long the log is, and so is a start: what was before is checked by the signed state
 * that a segment begins with, and by the published tiles.
 *
 * Stopping is sticky. A short write, a failed or hung sync, a file that was unlinked, replaced or
 * cut, a lost lock: nothing is entered after it, every call says VAULT_UNAVAILABLE, and the way on
 * is a new process, which recovers. A sync is never tried again. A disk without room for the next
 * segment, or on which nothing can be published, is not a stop: entering is refused until there is
 * room again.
 *
 * Every function but ledger_open and ledger_close may be called from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/clock.h"
#include "vault/base/error.h"
#include "vault/crypto/note.h"
#include "vault/ledger/entry.h"
#include "vault/ledger/tree.h"

#define LEDGER_OUTSTANDING_MAX     4096         /* entries that wait to become durable */
#define LEDGER_OPENING_MAX_BYTES   (16 * 1024)  /* sealed */
#define LEDGER_UNPUBLISHED_MAX     (256 * 1024) /* entries that wait to be published */
#define LEDGER_HANG_MS             5000         /* a sync that takes longer has failed */
#define LEDGER_PUBLISH_EVERY_MS    500          /* while there is something to publish */
#define LEDGER_PUBLISH_ANCHORED_MS 5000  /* the same where others are asked to sign each time */
#define LEDGER_PUBLISH_WITHIN_MS   10000 /* older entries unpublished: entering is refused */
#define LEDGER_FORMER_MAX          31
#define LEDGER_PRUNE_MULTIPLE      65536U
#define LEDGER_CLOCK_STEP_MS       1000 /* what vaultd takes for clock_step_ms */

struct ledger;

/* A size of the log and the root it had: what the control store remembers. */
struct ledger_head {
    uint64_t size;
    struct tree_hash root;
};

/*
 * A checkpoint on its way out. Before the publisher puts it into the folder, but after the tiles it
 * stands on are there, it is presented to whoever should have seen it (witnesses), and what they
 * sign goes under it.
 */
struct ledger_presented {
    struct bytes checkpoint; /* with the log's signature; borrowed, as all of this */
    struct ledger_head head;
    struct ledger *ledger;
};

struct ledger_anchor {
    /* Append lines of signatures. Called by the publisher's thread alone, also when nothing is new:
     * first at the start, then after as many milliseconds as it returned the last time. Everything
     * that is published waits for it, so it must return within a few seconds. */
    int64_t (*present)(void *context, const struct ledger_presented *presented, struct buf *lines);
    void *context;
};

/* For such a function: the proof that the log of old_size entries is how the presented one begins,
 * and the root it had then. The proof was checked: one that does not hold is VAULT_CORRUPT. */
enum vault_code ledger_prove_growth(const struct ledger_presented *presented, uint64_t old_size,
                                    struct tree_proof *proof, struct tree_hash *old_root,
                                    struct vault_error *err) VAULT_MUST_CHECK;

struct ledger_options {
    const char *dir; /* the log's folder */

    /* The log's key. Its name is the log's origin, the first line of its checkpoints. Borrowed
     * until the ledger is closed, and so is the clock's context. */
    const struct note_signer *signer;
    struct clock clock;

    /* The log's keys before that one, which signed what the journal and the folder still have; and
     * the last of them as a signer while it signs what is published beside the new one, for those
     * who do not know the new one yet. NULL: it does not. */
    const struct note_key *former;
    size_t former_count;
    const struct note_signer *parting; /* signs each state once, with the new one */

    /* What is remembered of this log outside its folder: the control store's memory, checkpoints
     * kept elsewhere, what witnesses answered. A log that is shorter, or had another root at that
     * size, is an old or a forged one. */
    const struct ledger_head *remembered;
    size_t remembered_count;

    /* What is below was pruned: what is remembered from there cannot be held against anything. */
    uint64_t pruned_below;

    /* Enter a clock-step event when the wall clock moved against the monotonic one by more than
     * this; 0: never. Times never decrease, either way. */
    int64_t clock_step_ms;

    struct ledger_anchor anchor; /* present NULL: nobody is asked */

    /* An eventfd that is added to when entries became durable, or never will be: for whoever has
     * many to wait for and asks with ledger_poll(). Borrowed; 0: there is none. */
    int durable_fd;
};

/* Make an empty log: its folder (which may be there, but holds no log), its journal and a signed
 * checkpoint of size 0. VAULT_CONFLICT if the folder holds a log. */
enum vault_code ledger_create(const struct ledger_options *options, struct vault_error *err)
    VAULT_MUST_CHECK;

/*
 * Open the log, take its lock, recover if the last process did not end well, and start its threads.
 * A torn tail (bytes after the last valid commit, never acknowledged to anyone) is dropped, and a
 * recover entry says how many entries were in it.
 *
 * VAULT_NOT_FOUND    there is no log in the folder
 * VAULT_CONFLICT     another process has it open; nothing was touched
 * VAULT_CORRUPT      damage before a valid commit, a wrong signature, or a log older or other than
 *                    what is remembered: the text names the place, and nothing was touched
 */
enum vault_code ledger_open(const struct ledger_options *options, struct ledger **out,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* Stop: make all that was enqueued durable and publish it. After a clean stop the next start has
 * nothing to recover; the lock is given back by ledger_close. VAULT_UNAVAILABLE if the log had
 * stopped for good, or the last entries cannot be published now. */
enum vault_code ledger_stop(struct ledger *ledger, struct vault_error *err) VAULT_MUST_CHECK;

/* Stop if that was not done, and free. */
void ledger_close(struct ledger **ledger);

/* A place in the log that was given to an entry. */
struct ledger_ticket {
    uint64_t index;
    struct tree_hash leaf;
    int64_t time_ms; /* the entry's time: now, or the previous entry's if that is later */
};

/*
 * Give the entry its place and time, and queue it with its opening (sealed by the caller, may be
 * empty). Both are copied. Returns at once. entry->time_ms is not read.
 *
 * VAULT_INVALID      the entry breaks a rule of entry.h
 * VAULT_TOO_LARGE    the opening is over LEDGER_OPENING_MAX_BYTES
 * VAULT_LIMITED      LEDGER_OUTSTANDING_MAX entries wait already, or as many as fill the segments
 *                    there are, and the next is being made: try again
 * VAULT_UNAVAILABLE  the log has stopped, or the disk has no room
 */
enum vault_code ledger_enqueue(struct ledger *ledger, const struct entry *entry,
                               struct bytes opening, struct ledger_ticket *out,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* Wait until the entry is durable. VAULT_UNAVAILABLE if it is not and will not be: the log has
 * stopped, or its sync hangs for longer than LEDGER_HANG_MS. */
enum vault_code ledger_wait(struct ledger *ledger, const struct ledger_ticket *ticket,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* The same without waiting: *is_durable is false while that is still open. */
enum vault_code ledger_poll(struct ledger *ledger, const struct ledger_ticket *ticket,
                            bool *is_durable, struct vault_error *err) VAULT_MUST_CHECK;

/* Wait until all that is queued now is durable; *size is where it ends. Errors as ledger_wait(). */
enum vault_code ledger_catch_up(struct ledger *ledger, uint64_t *size, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Both in one, for whoever has nothing to do in between. out may be NULL. */
enum vault_code ledger_append(struct ledger *ledger, const struct entry *entry,
                              struct bytes opening, struct ledger_ticket *out,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* The log as it is durable now: for the control store to remember each second and after a stop. */
struct ledger_head ledger_head(struct ledger *ledger);

/* How many entries are under the published checkpoint. */
uint64_t ledger_published_size(struct ledger *ledger);

/* Wait until the first size entries are published, asking for it at once. VAULT_UNAVAILABLE after
 * timeout_ms, or when the log has stopped. */
enum vault_code ledger_wait_published(struct ledger *ledger, uint64_t size, int64_t timeout_ms,
                                      struct vault_error *err) VAULT_MUST_CHECK;

/* Present the checkpoint and publish it, though nothing may be new, and wait until that or one that
 * was under way is out. Nothing is done where there is nobody to present it to. VAULT_UNAVAILABLE
 * after timeout_ms, or when the log has stopped. */
enum vault_code ledger_present(struct ledger *ledger, int64_t timeout_ms, struct vault_error *err)
    VAULT_MUST_CHECK;

/* How the log does, for those who watch over it. */
#define LEDGER_BATCH_BOUNDS 10

extern const double ledger_batch_bounds_s[LEDGER_BATCH_BOUNDS]; /* rising */

struct ledger_stats {
    uint64_t size;        /* durable entries */
    uint64_t waiting;     /* entered, and not yet durable */
    uint64_t unpublished; /* durable, and not yet under the published checkpoint */
    int64_t published_ms; /* how long ago that was made, or found at the start */
    uint64_t batches;     /* made durable since the start, each with one sync */
    int64_t batches_ns;   /* how long they took together */
    uint64_t batches_within[LEDGER_BATCH_BOUNDS]; /* those that took at most so long */
};

struct ledger_stats ledger_stats(struct ledger *ledger);

/* VAULT_OK while entries are accepted; else VAULT_UNAVAILABLE with the reason. */
enum vault_code ledger_health(struct ledger *ledger, struct vault_error *err) VAULT_MUST_CHECK;

/* Whether the log has stopped for good (ledger_health says why): the program should end. */
bool ledger_has_stopped(struct ledger *ledger);

/* The newest durable checkpoint, a C2SP tlog-checkpoint with the log's signatures, and the log's
 * verifier key ("origin+hex+base64"), appended to out. */
enum vault_code ledger_checkpoint(struct ledger *ledger, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code ledger_vkey(struct ledger *ledger, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Append the tlog-proof (proof.h) of a durable entry against the newest durable checkpoint.
 * VAULT_NOT_FOUND if there is no such entry yet. */
enum vault_code ledger_prove(struct ledger *ledger, uint64_t index, struct buf *out,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* Append the text of a published entry. VAULT_NOT_FOUND if it is not published yet, or pruned. */
enum vault_code ledger_entry(struct ledger *ledger, uint64_t index, struct buf *out,
                             struct vault_error *err) VAULT_MUST_CHECK;

/*
 * Remove the published tiles and entries that lie wholly below an index, a multiple of
 * LEDGER_PRUNE_MULTIPLE; those below from are gone already. The prune entry that allows it is the
 * caller's to make, and to have published before. May be repeated.
 *
 * VAULT_INVALID  below is no such multiple, or not published
 */
enum vault_code ledger_prune(struct ledger *ledger, uint64_t from, uint64_t below,
                             struct vault_error *err) VAULT_MUST_CHECK;

/*
 * Reading the journal from an index on, for an indexer that files the openings. A reader belongs to
 * one thread and must be closed before the ledger.
 */
struct ledger_reader;

struct ledger_record {
    uint64_t index;
    struct tree_hash leaf;
    struct bytes entry;   /* text; borrowed until the next call with this reader */
    struct bytes opening; /* sealed, or blank (ledger_is_blank); likewise */
};

/* VAULT_NOT_FOUND if from_index is no longer in the journal. */
enum vault_code ledger_reader_open(struct ledger *ledger, uint64_t from_index,
                                   struct ledger_reader **out, struct vault_error *err)
    VAULT_MUST_CHECK;
void ledger_reader_close(struct ledger_reader **reader);

/* Everything that stands beside the entries below this index is durable elsewhere: the journal may
 * forget what it has of them once it is published. The last two segments always stay. */
enum vault_code ledger_forget(struct ledger *ledger, uint64_t filed, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Whether an opening goes; it is never a blank one. */
typedef bool ledger_blank_test(void *context, uint64_t index, struct bytes opening);

/* Overwrite openings in the journal with zeros, where the test says so: a quiet log forgets its
 * segments late. Entries and their places stay. VAULT_UNAVAILABLE if the disk has no room for the
 * segment that is begun for this, or the log is too busy. One caller at a time. */
enum vault_code ledger_blank(struct ledger *ledger, ledger_blank_test *goes, void *context,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* Whether an opening was overwritten, or there never was one. */
bool ledger_is_blank(struct bytes opening);

/* The next durable entry, waiting for it for at most timeout_ms (0: not at all).
 * VAULT_NOT_FOUND: none came; VAULT_UNAVAILABLE: none came and none will, the log has stopped. */
enum vault_code ledger_reader_next(struct ledger_reader *reader, int64_t timeout_ms,
                                   struct ledger_record *out, struct vault_error *err)
    VAULT_MUST_CHECK;
