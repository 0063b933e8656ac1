/*
 * verify - what an auditor can know of a log from its published files, without any key of the
 * vault.
 *
 * A folder with a checkpoint and tiles is read from the entries up. Each thing that can be looked
 * at gets a verdict of its own, PASS, FAIL or NOT CHECKED; nothing is silently fine. A failure
 * carries the exit code that vault-audit ends with, and the largest one counts.
 *
 *     0   all that was checked holds, and there was something from outside to hold it against
 *     10  there was nothing: a log can agree with itself and still be another than yesterday's
 *     11  fewer witnesses than the policy asks for        20  entries or hashes are missing
 *     12  the witnesses saw it too long ago               30  it differs from something kept
 *     40  something is invalid
 *
 * What lies in the folder beside checkpoint and tile/ is not looked at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/note.h"
#include "vault/ledger/entry.h"
#include "vault/ledger/ledger.h"
#include "vault/ledger/quorum.h"

enum verify_check {
    VERIFY_FORMAT,      /* names, widths and sizes of the published files */
    VERIFY_SIGNATURE,   /* the checkpoint is the log's */
    VERIFY_HASHES,      /* every hash, from the entries to the root */
    VERIFY_COMPLETE,    /* nothing is missing but what was pruned */
    VERIFY_ENTRIES,     /* the grammar of entries */
    VERIFY_TIMES,       /* never decrease */
    VERIFY_APPEND_ONLY, /* it goes on from every checkpoint that was kept */
    VERIFY_RECEIPTS,    /* it holds every entry whose proof was kept */
    VERIFY_WITNESSES,   /* the policy's quorum cosigned */
    VERIFY_FRESHNESS,   /* and not too long ago */
    VERIFY_PRUNING,     /* prune entries are as they must be, and count no more than there was */
    VERIFY_ERASURES,    /* so do erase entries */
    VERIFY_OPENINGS,    /* openings are what was committed to, and citizens' entries are in order */
    VERIFY_WITHDRAWALS, /* no release after a withdrawal on the same basis */
    VERIFY_CHECK_COUNT
};

enum verify_state { VERIFY_NOT_CHECKED, VERIFY_PASS, VERIFY_FAIL };

enum verify_exit {
    VERIFY_EXIT_OK = 0,
    VERIFY_EXIT_ALONE = 10,
    VERIFY_EXIT_WITNESSES = 11,
    VERIFY_EXIT_STALE = 12,
    VERIFY_EXIT_MISSING = 20,
    VERIFY_EXIT_DIFFERS = 30,
    VERIFY_EXIT_INVALID = 40,
};

#define VERIFY_DETAIL_CHARS      255
#define VERIFY_MAX_AGE_DEFAULT_S 14400
#define VERIFY_AHEAD_MAX_S       300U /* a cosignature further in the future is not fresh */

struct verify_verdict {
    enum verify_state state;
    int exit_code; /* of a failure */
    char detail[VERIFY_DETAIL_CHARS + 1];
};

struct verify_report {
    struct verify_verdict verdicts[VERIFY_CHECK_COUNT];
    bool has_checkpoint; /* the rest is told only then */
    char origin[NOTE_NAME_CHARS_MAX + 1];
    struct ledger_head head;
    uint64_t entries_read;
    uint64_t pruned_below; /* entries before this may be missing */
    int64_t first_time_ms; /* of the entries read; -1: none */
    int64_t last_time_ms;
    uint64_t events[ENTRY_EVENT_COUNT];
    int exit_code;
};

/* A checkpoint that was kept elsewhere; its signature has been checked. */
struct verify_known {
    const char *name; /* for words */
    struct ledger_head head;
};

struct verify_options {
    const char *dir;
    const struct note_key *key;    /* the log's */
    const struct note_key *former; /* those it had before: receipts may be signed by them */
    size_t former_count;
    const struct verify_known *known;
    size_t known_count;
    const char *receipts_dir;    /* NULL: none */
    const struct quorum *policy; /* NULL: none */
    int64_t max_age_s;
    int64_t now_s;
    const char *openings_path;                                     /* NULL: none */
    void (*progress)(void *context, uint64_t done, uint64_t size); /* NULL: none */
    void *context;
};

/* "format", "signature", …; "PASS", "FAIL", "NOT CHECKED" */
const char *verify_check_name(enum verify_check check);
const char *verify_state_name(enum verify_state state);

/*
 * Look at everything. What is wrong with the log is in the report; an error is about the means.
 *
 * VAULT_NOT_FOUND, VAULT_IO  something that was named is not there, or cannot be read
 * VAULT_INVALID              the policy is for other logs, or the openings are no such file
 */
enum vault_code verify_run(const struct verify_options *options, struct verify_report *report,
                           struct vault_error *err) VAULT_MUST_CHECK;
