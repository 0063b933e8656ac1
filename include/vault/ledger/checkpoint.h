/*
 * checkpoint - the size and root of a log, signed by it and seen by its witnesses.
 *
 * C2SP tlog-checkpoint: a signed note (note.h) whose text is
 *
 *     ORIGIN          the log's name, and the name of the key it signs with
 *     SIZE            in decimal
 *     BASE64          the root of the tree of that size
 *
 * and perhaps further lines, which are left aside. A witness adds a signature of its own kind (C2SP
 * tlog-cosignature, 0x04): it has seen the log grow to this size and never shrink or change, and
 * says when. Lines by keys nobody asked for are ignored.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/note.h"
#include "vault/ledger/tree.h"

#define CHECKPOINT_MAX_BYTES      (128UL * 1024) /* with every signature */
#define CHECKPOINT_TEXT_MAX_BYTES 512            /* as we write it, without signatures */

struct checkpoint {
    struct bytes origin;
    uint64_t size;
    struct tree_hash root;
    struct note note; /* all of this borrows from the bytes it was parsed from */
};

/* Append the text that is signed. */
void checkpoint_write_text(struct buf *out, const char *origin, uint64_t size,
                           const struct tree_hash *root);

/* Read such a text, without signatures, of the log of this origin. VAULT_INVALID if it is not
 * exactly what checkpoint_write_text() writes. */
enum vault_code checkpoint_read_text(struct bytes text, const char *origin, uint64_t *size,
                                     struct tree_hash *root, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Append a whole checkpoint with the log's signature over its text. */
void checkpoint_write(struct buf *out, const struct note_key *key, uint64_t size,
                      const struct tree_hash *root, const uint8_t signature[SIGN_SIGNATURE_BYTES]);

/* Take a checkpoint apart. VAULT_INVALID if it is none. Checks no signature. */
enum vault_code checkpoint_parse(struct bytes bytes, struct checkpoint *out,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_DENIED unless the log of this key signed it: the origin is the key's name, a signature is
 * there, and every one under that name and id holds. */
enum vault_code checkpoint_verify(const struct checkpoint *checkpoint, const struct note_key *key,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* The keys of a log: the one that it signs with, and those that it had before. Borrowed. */
struct checkpoint_keys {
    const struct note_key *key;
    const struct note_key *former;
    size_t former_count;
};

/* The same for whichever of its keys: one at least signed it. */
enum vault_code checkpoint_verify_any(const struct checkpoint *checkpoint,
                                      const struct checkpoint_keys *keys, struct vault_error *err)
    VAULT_MUST_CHECK;

/*
 * Whether the witness of this key (of kind NOTE_COSIGNATURE) cosigned: *newest_s is when, the
 * latest time if it did more than once, or -1 if it did not. VAULT_DENIED if a cosignature under
 * its name and id does not hold.
 */
enum vault_code checkpoint_cosigned(const struct checkpoint *checkpoint,
                                    const struct note_key *witness, int64_t *newest_s,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* Append the line by which a witness cosigns the checkpoint's text at a time. */
enum vault_code checkpoint_cosign(struct bytes text, const struct note_signer *witness,
                                  int64_t now_s, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;
