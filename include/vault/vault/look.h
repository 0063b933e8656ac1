/*
 * look - an auditor looks at openings, and nobody can without a trace.
 *
 * What an entry's "what" stands for, the names of fields, their forms and what became of each, may
 * be shown to an auditor who says why. Never who the citizen is, on what basis it was (a consent's
 * id would tie one citizen's entries together) or who acted; and what is no such list, such as
 * words about an account, is not shown either.
 *
 * The order is the promise. What would be shown is read; a log-read entry is put into the log, and
 * is durable; what it stands for is kept; and only then is anything given to the caller. The entry
 * has the first bytes of the auditor's key in clear, as any entry has its client's, and commits to
 * two things, whose opening is kept with the look and can be checked like any other:
 *
 *     actor    "auditor NAME", a line of the entries' indexes, and the reason
 *     answer   SHA-256 of what was shown, in base64
 *
 * A crash between the entry and what is kept of it leaves an entry without its reason, and nothing
 * shown. A look can be shown again to the same auditor for LOOK_OPEN_S; after that it is a record
 * of who looked at what and why, and looking again takes another look.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/store/look.h"
#include "vault/vault/vault.h"

#define LOOK_REASON_CHARS_MIN 20
#define LOOK_REASON_CHARS_MAX 500 /* characters, not bytes */
#define LOOK_OPEN_S           3600
#define LOOK_SHOWN_BYTES_MAX  (LOOK_ENTRIES_MAX * 20UL * 1024)

/* What somebody wants to look at. */
struct look_wish {
    uint64_t entries[LOOK_ENTRIES_MAX]; /* rising */
    size_t entry_count;
    struct bytes reason;
};

/* Read a list such as "12 15-18, 20" into the wish: numbers and ranges with spaces or commas
 * between. VAULT_INVALID if it is no such list or is empty, VAULT_TOO_LARGE for more than
 * LOOK_ENTRIES_MAX entries. */
enum vault_code look_parse_entries(struct bytes text, struct look_wish *out,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* And back, ranges joined: "12 15-18 20". */
void look_write_entries(const uint64_t entries[], size_t count, struct buf *out);

/* VAULT_INVALID unless it is LOOK_REASON_CHARS_MIN to _MAX characters of plain text. */
enum vault_code look_check_reason(struct bytes reason, struct vault_error *err) VAULT_MUST_CHECK;

/* What look_make() asks of a wish before it does anything. */
enum vault_code look_check(struct vault *vault, const struct look_wish *wish,
                           struct vault_error *err) VAULT_MUST_CHECK;

/* Make a look: *index is its entry's. Returns when that is durable and its record is kept.
 * VAULT_INVALID for the wish, VAULT_NOT_FOUND for an entry that is not published, VAULT_LIMITED if
 * no more looks can be kept, VAULT_UNAVAILABLE if the log takes no entry. */
enum vault_code look_make(struct vault *vault, const char *auditor,
                          const uint8_t spki[SHA256_BYTES], const struct look_wish *wish,
                          uint64_t *index, struct vault_error *err) VAULT_MUST_CHECK;

/* Until when a look can be shown. */
int64_t look_open_until_ms(const struct look_row *look);

/* What is shown of one entry. */
enum look_result {
    LOOK_SHOWN,
    LOOK_GONE,    /* there is no opening: erased, after its time, of nobody, or of an event that
                     concerns no citizen */
    LOOK_PRIVATE, /* it is no list of fields */
    LOOK_DAMAGED  /* it cannot be read, or is not what the log committed to */
};

struct look_opening {
    uint64_t index;
    enum look_result result;
    struct bytes what; /* "FIELD FORM OUTCOME" lines and the like; borrowed for the call */
    struct bytes line; /* {"index":N,"fields":{"what":{"salt","value"}}}, without its line end */
};

typedef enum vault_code look_opening_each(void *context, const struct look_opening *opening,
                                          struct vault_error *err);

/* Show what the look is of, in the log's order. VAULT_DENIED: it is another auditor's, or its time
 * is over; VAULT_NOT_FOUND: there is none. */
enum vault_code look_show(struct vault *vault, const char *auditor, uint64_t index,
                          look_opening_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The records, for auditors and for whose entry it was: as the store's. */
enum vault_code look_find(struct vault *vault, uint64_t index, look_each *each, void *context,
                          struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code look_all(struct vault *vault, uint64_t before, size_t limit, look_each *each,
                         void *context, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code look_at_entry(struct vault *vault, uint64_t entry, size_t limit, look_each *each,
                              void *context, struct vault_error *err) VAULT_MUST_CHECK;
