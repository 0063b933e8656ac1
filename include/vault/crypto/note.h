/*
 * note - signed notes: text that people can read, with Ed25519 signatures under it.
 *
 * The format is C2SP signed-note (c2sp.org/signed-note), the one that transparency logs use:
 *
 *     any lines of text\n
 *     \n
 *     — name base64(key id, 4 bytes ‖ signature)\n        (one line for each signature)
 *
 * The signatures are over the text with its last newline, without the empty line. A key has a name,
 * and an id that is bound to the name, the kind of key and the key itself:
 *
 *     id           SHA-256(name ‖ 0x0A ‖ kind ‖ public key), first 4 bytes
 *     public, as text   name+hex(id)+base64(kind ‖ public key)         ("vkey")
 *     private, as text  PRIVATE+KEY+name+hex(id)+base64(kind ‖ seed)
 *
 * Signatures by keys one does not know are ignored, as the format wants. One by a known key that
 * does not hold spoils the note. How many signatures are enough is for the caller to say.
 *
 * Kind 0x01 is Ed25519 over the text. Kind 0x04 is a witness's cosignature of a checkpoint, which
 * is over other bytes: its keys are read and printed here, and note_next_signature() gives its
 * lines, but checking it is for the floor that knows checkpoints.
 *
 * A struct note borrows from the bytes it was parsed from.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/sign.h"

#define NOTE_MAX_BYTES      (1024UL * 1024)
#define NOTE_SIGNATURES_MAX 64
#define NOTE_NAME_CHARS_MAX 127
#define NOTE_KEY_ID_BYTES   4

/* What note_key_print() and note_signer_print() write at most. */
#define NOTE_KEY_CHARS_MAX  256

enum note_kind { NOTE_ED25519 = 0x01, NOTE_COSIGNATURE = 0x04 };

/* A public key. A plain value. */
struct note_key {
    char name[NOTE_NAME_CHARS_MAX + 1];
    uint8_t kind; /* enum note_kind */
    uint8_t id[NOTE_KEY_ID_BYTES];
    uint8_t public_key[SIGN_PUBLIC_BYTES];
};

/* A private key with its public half, and kind NOTE_ED25519 unless it was read as another. */
struct note_signer {
    struct note_key key;
    struct sign_key *pair; /* owned */
};

/* One signature line. */
struct note_signature {
    struct bytes name;
    uint8_t key_id[NOTE_KEY_ID_BYTES];
    struct bytes base64; /* of key id and signature */
};

struct note {
    struct bytes text; /* what is signed */
    struct note_signature signatures[NOTE_SIGNATURES_MAX];
    size_t signature_count;
};

/* A name that a key may have: UTF-8, not empty, no white space, no '+'. */
bool note_name_is_valid(struct bytes name);

/* The key of this name; the id is computed. VAULT_INVALID for a name that no key may have. */
enum vault_code note_key_make(struct bytes name, enum note_kind kind,
                              const uint8_t public_key[SIGN_PUBLIC_BYTES], struct note_key *out,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* Read a public key as text. VAULT_INVALID: not one, of a kind unknown here, or of another id. */
enum vault_code note_key_parse(struct bytes text, struct note_key *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Write a public key as text, NUL-ended. */
void note_key_print(const struct note_key *key, char out[NOTE_KEY_CHARS_MAX]);

/* The signer of this name with the key pair of a seed of SIGN_SEED_BYTES. */
enum vault_code note_signer_make(struct bytes name, enum note_kind kind, const struct secret *seed,
                                 struct note_signer *out, struct vault_error *err) VAULT_MUST_CHECK;

/* The signer of this name with a key pair, which is taken: *pair is NULL afterwards. */
enum vault_code note_signer_of(struct bytes name, enum note_kind kind, struct sign_key **pair,
                               struct note_signer *out, struct vault_error *err) VAULT_MUST_CHECK;

/* Read a private key as text. VAULT_INVALID as for note_key_parse(). */
enum vault_code note_signer_parse(struct bytes text, struct note_signer *out,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* Append a private key as text to out, whose content is then secret. */
enum vault_code note_signer_print(const struct note_signer *signer, const struct secret *seed,
                                  struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;

void note_signer_finish(struct note_signer *signer);

/* Whether text can be signed as a note: UTF-8 that ends with a newline, and no other control
 * character. VAULT_INVALID if not. */
enum vault_code note_text_check(struct bytes text, struct vault_error *err) VAULT_MUST_CHECK;

/* Take a note apart. VAULT_INVALID if it is none: no text, no signature, anything malformed;
 * VAULT_TOO_LARGE past NOTE_MAX_BYTES or NOTE_SIGNATURES_MAX. Checks no signature. */
enum vault_code note_parse(struct bytes bytes, struct note *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/*
 * Whether this key (of kind NOTE_ED25519) signed the note: *is_signed tells. VAULT_DENIED if a
 * signature under the key's name and id does not hold.
 */
enum vault_code note_verify(const struct note *note, const struct note_key *key, bool *is_signed,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* The next signature line under the key's name and id, from position *from on, which moves behind
 * it; NULL when there is none. Start with 0. */
const struct note_signature *note_next_signature(const struct note *note,
                                                 const struct note_key *key, size_t *from);

/* The signature of a line, without the key id. VAULT_INVALID if it is not size bytes long. */
enum vault_code note_signature_read(const struct note_signature *signature, uint8_t *out,
                                    size_t size_bytes, struct vault_error *err) VAULT_MUST_CHECK;

/* Append a signature line. */
void note_signature_write(struct buf *out, const struct note_key *key, struct bytes signature);

/*
 * Append the signer's line over text to out. The whole note is the text, a newline, and the lines:
 *
 *     buf_bytes(&note, text);
 *     buf_text(&note, "\n");
 *     VAULT_TRY(note_sign(text, &signer, &note, err));
 */
enum vault_code note_sign(struct bytes text, const struct note_signer *signer, struct buf *out,
                          struct vault_error *err) VAULT_MUST_CHECK;
