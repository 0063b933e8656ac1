#include "vault/ledger/proof.h"

#include <inttypes.h>
#include <string.h>

#include "number.h"
#include "vault/base/codec.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

void proof_write(const struct proof *proof, struct buf *out)
{
    buf_format(out, FIRST_LINE "\nindex %" PRIu64 "\n", proof->index);
    for (size_t i = 0; i < proof->path.count; i++) {
        base64_encode(out, (struct bytes){proof->path.hashes[i].bytes, TREE_HASH_BYTES});
        buf_byte(out, '\n');
    }
    if (proof->checkpoint.size) {
        buf_byte(out, '\n');
        buf_bytes(out, proof->checkpoint);
    }
}

static bool take_line(struct bytes *rest, struct bytes *line)
{
    const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    if (!end)
        return false;
    *line = (struct bytes){rest->data, (size_t)(end - rest->data)};
    *rest = (struct bytes){end + 1, rest->size - line->size - 1};
    return true;
}

/* What follows the word and a space. */
static bool after_word(struct bytes line, const char *word, struct bytes *value)
{
    const size_t size = strlen(word);
    if (line.size <= size || memcmp(line.data, word, size) != 0 || line.data[size] != ' ')
        return false;
    *value = (struct bytes){line.data + size + 1, line.size - size - 1};
    return true;
}

/* Memory that is short does not make a proof a wrong one. */
static enum vault_code check_base64(struct bytes text, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf raw = buf_limited(PROOF_MAX_BYTES);
    return base64_decode(&raw, text, err);
}

static enum vault_code read_index(struct bytes *rest, uint64_t *index, struct vault_error *err)
{
    struct bytes line;
    struct bytes value;
    bool found = take_line(rest, &line);
    if (found && after_word(line, "extra", &value)) {
        VAULT_TRY(check_base64(value, err));
        found = take_line(rest, &line);
    }
    return found && after_word(line, "index", &value) &&
                   number_read(value, TREE_MAX_SIZE - 1, index)
               ? VAULT_OK
               : vault_fail(err, VAULT_INVALID, "a proof without an index line");
}

enum vault_code proof_parse(struct bytes text, struct proof *out, struct vault_error *err)
{
    if (text.size > PROOF_MAX_BYTES)
        return vault_fail(err, VAULT_INVALID, "a proof of more than %d bytes", PROOF_MAX_BYTES);
    struct proof proof = {0};
    struct bytes line;
    if (!take_line(&text, &line) || !bytes_equal(line, bytes_of_text(FIRST_LINE)))
        return vault_fail(err, VAULT_INVALID, "a proof whose first line is not " FIRST_LINE);
    VAULT_TRY(read_index(&text, &proof.index, err));
    for (;;) {
        if (!take_line(&text, &line))
            return vault_fail(err, VAULT_INVALID, "a proof without an empty line after its hashes");
        if (line.size == 0)
            break;
        struct tree_hash *hash = &proof.path.hashes[proof.path.count];
        if (proof.path.count == TREE_MAX_LEVELS ||
            base64_decode_exact(hash->bytes, sizeof hash->bytes, line, NULL) != VAULT_OK)
            return vault_fail(err, VAULT_INVALID, "hash line %zu of a proof is malformed",
                              proof.path.count + 1);
        proof.path.count++;
    }
    if (text.size == 0)
        return vault_fail(err, VAULT_INVALID, "a proof without a checkpoint");
    proof.checkpoint = text;
    *out = proof;
    return VAULT_OK;
}

enum vault_code proof_check(struct bytes text, const struct note_key *key, struct bytes entry,
                            struct proof *proof, struct checkpoint *checkpoint,
                            struct vault_error *err)
{
    const struct tree_hash leaf = tree_leaf(entry);
    VAULT_TRY(proof_parse(text, proof, err));
    VAULT_TRY(checkpoint_parse(proof->checkpoint, checkpoint, err));
    VAULT_TRY(checkpoint_verify(checkpoint, key, err));
    return tree_check_inclusion(&proof->path, proof->index, checkpoint->size, &leaf,
                                &checkpoint->root, err);
}
