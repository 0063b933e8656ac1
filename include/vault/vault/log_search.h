/*
 * log_search - the published access log, looked through as an auditor does: by time, service,
 * purpose, event and outcome.
 *
 * Times never decrease from one entry to the next, so that a period is found by halving: that costs
 * a few bundles of entries, however long the log is. In the period the entries are read one after
 * the other, whatever asks for them, and one search reads at most LOG_SEARCH_ENTRIES_MAX. One that
 * ends for that reason says where it stopped, and the next goes on from there: so no request costs
 * more than another because the log is long, and nothing is left out.
 *
 * What is found is the entries as everybody may read them in the published files; nothing here
 * knows a citizen or opens a commitment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/ledger/entry.h"
#include "vault/ledger/tree.h"
#include "vault/vault/vault.h"

#define LOG_SEARCH_ENTRIES_MAX (16U * 1024) /* read for one search */

/* What came of an event. An entry has no line for it: it is what the event says. */
enum log_outcome {
    LOG_RELEASED, /* values left the vault: release, export */
    LOG_WITHHELD, /* a service asked and was given nothing: deny */
    LOG_DECIDED,  /* somebody said what may be: consent, refuse, withdraw, mandate… */
    LOG_DONE,     /* anything else */
    LOG_OUTCOME_COUNT
};

/* "released", "withheld", "decided", "done"; and back: LOG_OUTCOME_COUNT if there is none such. */
const char *log_outcome_name(enum log_outcome outcome);
enum log_outcome log_outcome_of_name(struct bytes name);
enum log_outcome log_outcome_of(enum entry_event event);

struct log_filter {
    int64_t from_ms;          /* the first instant */
    int64_t before_ms;        /* and the one behind the last */
    struct bytes service;     /* empty: every one, and none */
    struct bytes purpose;     /* likewise */
    enum entry_event event;   /* ENTRY_EVENT_COUNT: every one */
    enum log_outcome outcome; /* LOG_OUTCOME_COUNT: every one */
};

/* A filter that lets everything through. */
struct log_filter log_filter_all(void);

/* Where to begin, which way, and how much. */
struct log_range {
    bool newest_first;
    uint64_t from;  /* no entry below this index */
    uint64_t below; /* and none from this one on; UINT64_MAX: to the end */
    size_t limit;   /* entries found, from 1 */
};

struct log_line {
    uint64_t index;
    struct tree_hash leaf;
    struct bytes text; /* exactly as it was hashed; borrowed for the call, as entry is */
    const struct entry *entry;
};

typedef enum vault_code log_each(void *context, const struct log_line *line,
                                 struct vault_error *err);

/* How a search ended. */
struct log_searched {
    uint64_t tree_size; /* how many entries were published */
    uint64_t first;     /* the first that still is: what is below was pruned */
    size_t read;        /* so many entries were looked at */
    size_t found;
    bool more;     /* there are entries that were not looked at */
    uint64_t next; /* then: the range goes on from here (oldest first) or below here */
};

/* Call each with every entry of the range and the filter. VAULT_CORRUPT if a bundle or an entry
 * cannot be read; otherwise what each returns. */
enum vault_code log_search(struct vault *vault, const struct log_filter *filter,
                           const struct log_range *range, log_each *each, void *context,
                           struct log_searched *out, struct vault_error *err) VAULT_MUST_CHECK;

/* What can be taken away of one published entry: its exact text, and the C2SP tlog-proof that it is
 * in the log. Both append. VAULT_NOT_FOUND: there is no such entry, or it was pruned. */
enum vault_code log_entry_text(struct vault *vault, uint64_t index, struct buf *out,
                               struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code log_entry_proof(struct vault *vault, uint64_t index, struct buf *out,
                                struct vault_error *err) VAULT_MUST_CHECK;
