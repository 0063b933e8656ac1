#include "vault/ledger/checkpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "number.h"
#include "vault/base/codec.h"

#define COSIGNATURE_BYTES (8 + SIGN_SIGNATURE_BYTES) /* the time, then the signature */

void checkpoint_write_text(struct buf *out, const char *origin, uint64_t size,
                           const struct tree_hash *root)
{
    buf_texts(out, origin, "\n");
    buf_decimal(out, size);
    buf_byte(out, '\n');
    base64_encode(out, (struct bytes){root->bytes, sizeof root->bytes});
    buf_byte(out, '\n');
}

void checkpoint_write(struct buf *out, const struct note_key *key, uint64_t size,
                      const struct tree_hash *root, const uint8_t signature[SIGN_SIGNATURE_BYTES])
{
    checkpoint_write_text(out, key->name, size, root);
    buf_byte(out, '\n');
    note_signature_write(out, key, (struct bytes){signature, SIGN_SIGNATURE_BYTES});
}

/* Take the next line, which is not empty. */
static bool take_line(struct bytes *rest, struct bytes *line)
{
    const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    if (!end || end == rest->data)
        return false;
    *line = (struct bytes){rest->data, (size_t)(end - rest->data)};
    *rest = (struct bytes){end + 1, rest->size - line->size - 1};
    return true;
}

static bool read_text(struct bytes text, struct checkpoint *out)
{
    struct bytes size;
    struct bytes root;
    struct bytes extension;
    if (!take_line(&text, &out->origin) || !take_line(&text, &size) || !take_line(&text, &root) ||
        !number_read(size, TREE_MAX_SIZE, &out->size) ||
        base64_decode_exact(out->root.bytes, sizeof out->root.bytes, root, NULL) != VAULT_OK)
        return false;
    while (text.size) {
        if (!take_line(&text, &extension))
            return false;
    }
    return true;
}

enum vault_code checkpoint_read_text(struct bytes text, const char *origin, uint64_t *size,
                                     struct tree_hash *root, struct vault_error *err)
{
    struct checkpoint checkpoint = {0};
    VAULT_AUTO(buf_finish) struct buf again = buf_limited(CHECKPOINT_TEXT_MAX_BYTES);
    const bool is_read = read_text(text, &checkpoint);
    checkpoint_write_text(&again, origin, checkpoint.size, &checkpoint.root);
    if (again.problem == VAULT_NO_MEMORY)
        return buf_check(&again, err);
    if (!is_read || again.problem || !bytes_equal(text, buf_view(&again)))
        return vault_fail(err, VAULT_INVALID, "not the text of a checkpoint of this log");
    *size = checkpoint.size;
    *root = checkpoint.root;
    return VAULT_OK;
}

enum vault_code checkpoint_parse(struct bytes bytes, struct checkpoint *out,
                                 struct vault_error *err)
{
    if (bytes.size > CHECKPOINT_MAX_BYTES)
        return vault_fail(err, VAULT_INVALID, "a checkpoint of more than %lu bytes",
                          CHECKPOINT_MAX_BYTES);
    struct checkpoint checkpoint = {0};
    if (note_parse(bytes, &checkpoint.note, err) != VAULT_OK)
        return vault_fail(err, VAULT_INVALID, "a checkpoint that is no signed note");
    if (!read_text(checkpoint.note.text, &checkpoint))
        return vault_fail(err, VAULT_INVALID,
                          "a checkpoint whose text is not origin, size and root");
    *out = checkpoint;
    return VAULT_OK;
}

enum vault_code checkpoint_verify(const struct checkpoint *checkpoint, const struct note_key *key,
                                  struct vault_error *err)
{
    if (!bytes_equal(checkpoint->origin, bytes_of_text(key->name)))
        return vault_fail(err, VAULT_DENIED, "the checkpoint is of another log than the key");
    bool is_signed = false;
    VAULT_TRY(note_verify(&checkpoint->note, key, &is_signed, err));
    if (!is_signed)
        return vault_fail(err, VAULT_DENIED, "the log's key did not sign the checkpoint");
    return VAULT_OK;
}

enum vault_code checkpoint_verify_any(const struct checkpoint *checkpoint,
                                      const struct checkpoint_keys *keys, struct vault_error *err)
{
    /* What is said is about the key that the log has now. */
    for (size_t i = keys->former_count; i > 0; i--) {
        if (checkpoint_verify(checkpoint, &keys->former[i - 1], NULL) == VAULT_OK)
            return VAULT_OK;
    }
    return checkpoint_verify(checkpoint, keys->key, err);
}

/* The bytes a cosignature is over (tlog-cosignature, "Ed25519 signed message"). */
static void write_cosigned(struct buf *out, struct bytes text, uint64_t time_s)
{
    buf_format(out, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
    buf_bytes(out, text);
}

static bool cosignature_holds(const struct checkpoint *checkpoint, const struct note_key *witness,
                              const struct note_signature *line, uint64_t *time_s)
{
    uint8_t raw[COSIGNATURE_BYTES];
    VAULT_AUTO(buf_finish) struct buf message = buf_limited(NOTE_MAX_BYTES);
    if (note_signature_read(line, raw, sizeof raw, NULL) != VAULT_OK)
        return false;
    struct cursor cursor = cursor_over((struct bytes){raw, sizeof raw});
    *time_s = cursor_u64(&cursor);
    write_cosigned(&message, checkpoint->note.text, *time_s);
    return *time_s <= INT64_MAX && !message.problem &&
           sign_verify(witness->public_key, buf_view(&message), cursor.next, NULL) == VAULT_OK;
}

enum vault_code checkpoint_cosigned(const struct checkpoint *checkpoint,
                                    const struct note_key *witness, int64_t *newest_s,
                                    struct vault_error *err)
{
    assert(witness->kind == NOTE_COSIGNATURE);
    int64_t newest = -1;
    size_t from = 0;
    const struct note_signature *line;
    while ((line = note_next_signature(&checkpoint->note, witness, &from))) {
        uint64_t time_s = 0;
        if (!cosignature_holds(checkpoint, witness, line, &time_s))
            return vault_fail(err, VAULT_DENIED, "the cosignature of %s does not hold",
                              witness->name);
        if ((int64_t)time_s > newest)
            newest = (int64_t)time_s;
    }
    *newest_s = newest;
    return VAULT_OK;
}

enum vault_code checkpoint_cosign(struct bytes text, const struct note_signer *witness,
                                  int64_t now_s, struct buf *out, struct vault_error *err)
{
    assert(witness->key.kind == NOTE_COSIGNATURE && now_s >= 0);
    VAULT_AUTO(buf_finish) struct buf message = buf_limited(NOTE_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf raw = buf_limited(COSIGNATURE_BYTES);
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    write_cosigned(&message, text, (uint64_t)now_s);
    VAULT_TRY(buf_check(&message, err));
    VAULT_TRY(sign_message(witness->pair, buf_view(&message), signature, err));
    buf_u64(&raw, (uint64_t)now_s);
    buf_append(&raw, signature, sizeof signature);
    VAULT_TRY(buf_check(&raw, err));
    note_signature_write(out, &witness->key, buf_view(&raw));
    return buf_check(out, err);
}
