/*
 * witness - what a log and its witness say to each other (C2SP tlog-witness), and the witness.
 *
 * A log asks with a text:
 *
 *     old N               the size that the witness saw last
 *     BASE64              the proof that the log of N entries is how this one begins: at most 63
 *     …
 *     (empty line)
 *     the checkpoint, a signed note
 *
 * and the witness answers with a status of HTTP and a body:
 *
 *     200  lines of cosignatures, to be put under the checkpoint
 *     400  not such a text, or N is past the checkpoint
 *     403  the log's key did not sign the checkpoint
 *     404  no log that this witness looks after
 *     409  N is not what the witness saw last: that size is the body, "SIZE\n"
 *     422  the log did not grow out of what the witness saw: it was cut, changed or forked
 *     500  the witness cannot write its memory down
 *
 * There is no network here. The witness's memory is a folder with one file for each log, named
 * after the SHA-256 of its origin: the last checkpoint that it cosigned, with the cosignature. The
 * file is on the disk before the cosignature is handed out, so that the witness never vouches for
 * two histories, whatever happens to its machine. The same checkpoint again is cosigned again, with
 * the new time: that is how a log that stands still stays fresh.
 */
#pragma once

#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/clock.h"
#include "vault/base/error.h"
#include "vault/crypto/note.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/tree.h"

#define WITNESS_PROOF_MAX         63U
#define WITNESS_REQUEST_MAX_BYTES (CHECKPOINT_MAX_BYTES + 4096)
#define WITNESS_ANSWER_MAX_BYTES  (16UL * 1024)
#define WITNESS_LOGS_MAX          64U
#define WITNESS_SIZE_TYPE         "text/x.tlog.size" /* the content type of a 409 */

struct witness_request {
    uint64_t old_size;
    struct tree_proof proof;
    struct bytes checkpoint; /* borrowed */
};

/* Append the text of a request. */
void witness_request_write(const struct witness_request *request, struct buf *out);

/* Read one; out borrows from the body. VAULT_INVALID. The checkpoint is not looked into. */
enum vault_code witness_request_parse(struct bytes body, struct witness_request *out,
                                      struct vault_error *err) VAULT_MUST_CHECK;

/* Read the body of a 409. VAULT_INVALID. */
enum vault_code witness_size_parse(struct bytes body, uint64_t *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* A witness at work. One thread at a time. */
struct witness;

struct witness_options {
    const char *dir;                  /* its memory; made if it is not there */
    const struct note_signer *signer; /* of kind NOTE_COSIGNATURE; borrowed */
    struct clock clock;
    const struct note_key *logs; /* whom it looks after; of one origin there may be several keys */
    size_t log_count;            /* 1 to WITNESS_LOGS_MAX */
};

/*
 * VAULT_CONFLICT  another process has this memory open
 * VAULT_CORRUPT   a file in it is not what this witness wrote. It must not be removed to go on: a
 *                 witness that has forgotten could be made to vouch for a second history.
 */
enum vault_code witness_open(const struct witness_options *options, struct witness **out,
                             struct vault_error *err) VAULT_MUST_CHECK;
void witness_close(struct witness **witness);

/* Answer a request: returns the status and appends the body (empty but for 200 and 409). For any
 * other, err says why. */
unsigned witness_add_checkpoint(struct witness *witness, struct bytes body, struct buf *answer,
                                struct vault_error *err);

/* Append the last checkpoint cosigned for the log whose origin has this SHA-256, in hex.
 * VAULT_NOT_FOUND. */
enum vault_code witness_last(const struct witness *witness, struct bytes hash, struct buf *out,
                             struct vault_error *err) VAULT_MUST_CHECK;
