/*
 * journal - the files in which entries become durable: a lock, segments, and space kept ready.
 *
 *     DIR/journal/lock                         held by the one process that may write
 *     DIR/journal/00000000000000000000.segment frames (frame.h), from that index on
 *     DIR/journal/next                         reserved for the segment after the last
 *     DIR/journal/new                          a segment on its way to being replaced
 *     DIR/journal/blank                        likewise, by one with openings overwritten
 *
 * A segment's space is reserved when it is made, and so is the next one's, long before it is
 * needed: a disk that is full shows when nothing has to be written. Behind its last frame a segment
 * has zeros up to its reserved size; a clean stop cuts them off, which is how the next start knows.
 *
 * A batch is one write and one fdatasync, now and then with zeros written ahead of the next ones,
 * so that most syncs wait for entries alone. Whatever goes wrong with write or sync is final: the
 * caller must stop, since nobody can know what the disk holds. The next process reads the whole
 * journal again (journal_walk), and goes on in a fresh copy of the last segment (journal_start),
 * because pages in memory that a failed sync left behind look as if they were written.
 *
 * What has been published and filed elsewhere is forgotten, segment by segment from the oldest on:
 * the journal stays small, and so does the time that a start takes. Each segment begins with the
 * signed state of the log before it, so that the rest stands without the beginning.
 *
 * Used by one thread at a time, but for journal_has_room, journal_forget, journal_segment_of and
 * journal_open_segment.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "frame.h"
#include "segment.h"
#include "vault/base/error.h"
#include "vault/crypto/note.h"
#include "vault/ledger/ledger.h"
#include "vault/ledger/tree.h"

#define JOURNAL_BLANK_NAME        "blank"
#define JOURNAL_SEGMENTS_MAX      65536U
#define JOURNAL_BATCH_MAX_BYTES   (256UL * 1024) /* fits a fresh segment of any size */
#define JOURNAL_BATCH_MAX_ENTRIES 1024U
#define JOURNAL_PATH_BYTES        4096

/* A place in the journal: a segment's first index and an offset in its file. */
struct journal_place {
    uint64_t segment;
    uint64_t offset;
};

struct journal {
    char dir[JOURNAL_PATH_BYTES]; /* DIR/journal */
    struct held_file lock;
    struct held_file segment; /* the one that is written to */
    struct journal_place end; /* where the next batch goes */
    uint64_t segment_size;    /* reserved */
    struct journal_place
        zeroed;  /* up to there in that segment zeros were written, or tried to be */
    int next_fd; /* the reserve; -1: none */
    uint64_t next_size;

    pthread_mutex_t housekeeping; /* whoever removes or replaces older segments */
    pthread_mutex_t mutex;        /* over the list of segments */
    uint64_t *segments;           /* first indexes, rising; JOURNAL_SEGMENTS_MAX of them at most */
    size_t segment_count;

    atomic_uint_fast64_t room_here;
    atomic_uint_fast64_t room_next;
};

/* What walking through the journal finds. The first part is the caller's to fill. */
struct journal_walk {
    const struct note_key *key;    /* of the log */
    const struct note_key *former; /* which it had before */
    size_t former_count;
    const struct ledger_head *remembered; /* the log must have had these */
    size_t remembered_count;
    uint64_t wanted;      /* an index whose place the caller wants to know */
    tree_node_sink *sink; /* told of the nodes of all committed entries; may be NULL */
    void *context;

    uint64_t begins_at;            /* the first index that the journal still has */
    struct tree_frontier frontier; /* at the last valid commit */
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    int64_t last_time_ms;
    struct journal_place end;          /* behind the last valid commit */
    struct journal_place wanted_place; /* of the entry wanted, or end if there is none */
    bool is_clean;                     /* the last process ended well */
    bool is_torn;                      /* something that is no zero stands behind end */
    uint64_t torn_entries;             /* begun there */
};

/* Make an empty journal in dir, a folder that is there: its lock, and a first segment with the
 * signature of the empty log. VAULT_CONFLICT if there is one. */
enum vault_code journal_create(const char *dir, const struct frame_segment *first,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* Take the lock and list the segments; changes nothing. VAULT_CONFLICT, naming the lock, if another
 * process holds it; VAULT_NOT_FOUND if there is no journal in dir. */
enum vault_code journal_open(const char *dir, struct journal **out, struct vault_error *err)
    VAULT_MUST_CHECK;
void journal_close(struct journal **journal);

/*
 * Read and check every frame. Changes nothing. What is remembered of the log before begins_at is
 * left for the caller to check.
 *
 * VAULT_CORRUPT  damage before a valid commit, a wrong hash or signature, times that run backwards,
 *                or another log than what is remembered: the text names the file and the byte;
 *                or the journal begins behind the index wanted
 */
enum vault_code journal_walk(struct journal *journal, struct journal_walk *walk,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* Make ready to append behind what the walk found, dropping what is torn. A disk without room for
 * the next segment is no failure yet. */
enum vault_code journal_start(struct journal *journal, const struct journal_walk *walk,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* Whether a batch must go to the next segment; whether that one is there; and going to it. The
 * frame is what it begins with. */
bool journal_must_turn(const struct journal *journal, size_t batch_bytes);
bool journal_can_turn(const struct journal *journal);
enum vault_code journal_turn(struct journal *journal, const struct frame_segment *segment,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* Reserve the next segment if that is not done. VAULT_UNAVAILABLE if the disk has no room. */
enum vault_code journal_reserve(struct journal *journal, struct vault_error *err) VAULT_MUST_CHECK;

/* Whether batches of so many bytes together surely fit. */
bool journal_has_room(struct journal *journal, size_t bytes);

/* Make a batch durable: one write, one fdatasync, and a look at whether the files are still the
 * files. Any failure is final. */
enum vault_code journal_append(struct journal *journal, struct bytes batch, struct vault_error *err)
    VAULT_MUST_CHECK;

/* VAULT_IO if the segment or the lock was unlinked, replaced or cut. */
enum vault_code journal_check(const struct journal *journal, struct vault_error *err)
    VAULT_MUST_CHECK;

/* A clean stop: cut the reserved space off. */
enum vault_code journal_finish(struct journal *journal, struct vault_error *err) VAULT_MUST_CHECK;

/* The first index that the journal still has. */
uint64_t journal_begins_at(struct journal *journal);

/* The segment after the one that begins with first; false if that is the newest. */
bool journal_next_segment(struct journal *journal, uint64_t first, uint64_t *next);

/* The segment that an index is in: its first index. VAULT_NOT_FOUND if it is before all of them. */
enum vault_code journal_segment_of(struct journal *journal, uint64_t index, uint64_t *first,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* Remove segments of which every entry is below index, but never the last two. */
enum vault_code journal_forget(struct journal *journal, uint64_t index, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Open a segment for reading. */
enum vault_code journal_open_segment(const struct journal *journal, uint64_t first, int *fd,
                                     struct vault_error *err) VAULT_MUST_CHECK;

/* "DIR/journal/….segment" */
enum vault_code journal_segment_path(char out[static JOURNAL_PATH_BYTES],
                                     const struct journal *journal, uint64_t first,
                                     struct vault_error *err) VAULT_MUST_CHECK;
