/*
 * citizen_record - what a held citizen decided: consents, objections, mandates, and every change of
 * them. Records are added and never changed; state is what they add up to, and the domain keeps
 * that in citizen_cache().
 *
 * A record whose event goes into the access log carries log_n, the number that its entry has, or
 * will have, in the citizen's own count. That makes the file an outbox: if a crash came after the
 * record and before the entry, the largest log_n here is past the head of the citizen's openings,
 * and citizen_record_unlogged() gives what is to be appended.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/store/citizen.h"

#define CITIZEN_KIND_CHARS       32
#define CITIZEN_KEY_CHARS        128
#define CITIZEN_RECORD_MAX_BYTES (64UL * 1024)

/* No more than this many for one citizen. Whoever makes records that only widen (a grant) refuses
 * well before, at CITIZEN_RECORDS_SOFT_MAX, so that there is always room to withdraw. */
#define CITIZEN_RECORDS_MAX      100000
#define CITIZEN_RECORDS_SOFT_MAX 50000

struct citizen_record {
    int64_t seq;      /* from 1, growing by 1 with each record of this citizen */
    const char *kind; /* such as "consent"; 1 to CITIZEN_KIND_CHARS characters */
    const char *key;  /* what it is about, such as a consent's id; 0 to CITIZEN_KEY_CHARS */
    struct bytes json;
    uint64_t log_n; /* 0: its event is not in the log */
};

/*
 * Add a record; record->seq is not read, *seq (may be NULL) is what it got.
 * VAULT_NOT_FOUND  the citizen does not exist
 * VAULT_INVALID    log_n is not 0 and smaller than an earlier record's
 * VAULT_LIMITED    the citizen has CITIZEN_RECORDS_MAX records
 */
enum vault_code citizen_record_add(struct citizen *citizen, const struct citizen_record *record,
                                   int64_t *seq, struct vault_error *err) VAULT_MUST_CHECK;

/* One record in a list; everything is borrowed for the call. A code other than VAULT_OK ends the
 * list, which then returns it. */
typedef enum vault_code citizen_record_each(void *context, const struct citizen_record *record,
                                            struct vault_error *err);

/* Call each with the record of that number. VAULT_NOT_FOUND if there is none. */
enum vault_code citizen_record_get(struct citizen *citizen, int64_t seq, citizen_record_each *each,
                                   void *context, struct vault_error *err) VAULT_MUST_CHECK;

/* The records of one kind (NULL: of every kind) with seq > after_seq, in order, limit at most. */
enum vault_code citizen_record_list(struct citizen *citizen, const char *kind, int64_t after_seq,
                                    size_t limit, citizen_record_each *each, void *context,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* The records with log_n > after_log_n, in order. */
enum vault_code citizen_record_unlogged(struct citizen *citizen, uint64_t after_log_n,
                                        citizen_record_each *each, void *context,
                                        struct vault_error *err) VAULT_MUST_CHECK;

/* How many records there are, and the largest log_n of any (0: none). Remembered while the file is
 * open, so asking again costs nothing. */
enum vault_code citizen_record_count(struct citizen *citizen, uint64_t *count,
                                     struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code citizen_log_n_max(struct citizen *citizen, uint64_t *log_n, struct vault_error *err)
    VAULT_MUST_CHECK;
