/* vault-audit diff: two copies of one log, and evidence if they are of two histories. */
#include <inttypes.h>
#include <stdio.h>

#include "audit.h"
#include "vault/base/codec.h"

#define EVIDENCE_MAX_BYTES (2 * CHECKPOINT_MAX_BYTES + 16UL * 1024)

static int check_signature(const struct audit_log *log, const struct note_key *key)
{
    struct vault_error err;
    if (checkpoint_verify(&log->checkpoint, key, &err) == VAULT_OK)
        return 0;
    vault_error_context(&err, "%s", log->dir);
    return audit_failed(VAULT_DENIED, &err);
}

static void write_hash(struct buf *out, const struct tree_hash *hash)
{
    base64_encode(out, (struct bytes){hash->bytes, sizeof hash->bytes});
    buf_byte(out, '\n');
}

/*
 * Evidence stands by itself. For one size, two roots that the log signed are enough. For two sizes,
 * hashes lead from the root that the longer history has at the smaller size to the one it signed,
 * and that root is not the one the log signed at the smaller size.
 */
static int write_evidence(const struct audit_log *shorter, const struct audit_log *longer,
                          const struct tree_hash *root, const struct tree_proof *proof,
                          const struct note_key *key)
{
    char vkey[NOTE_KEY_CHARS_MAX];
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(EVIDENCE_MAX_BYTES);
    note_key_print(key, vkey);
    buf_format(&out,
               "SPLIT VIEW: the log signed two histories\n"
               "log %s\n\n"
               "-- signed checkpoint, in %s\n",
               vkey, shorter->dir);
    buf_bytes(&out, buf_view(&shorter->note));
    buf_format(&out, "-- signed checkpoint, in %s\n", longer->dir);
    buf_bytes(&out, buf_view(&longer->note));
    if (shorter->checkpoint.size < longer->checkpoint.size) {
        buf_format(&out, "-- root of the longer one at size %" PRIu64 "\n",
                   shorter->checkpoint.size);
        write_hash(&out, root);
        buf_format(
            &out,
            "-- consistency proof (RFC 6962, 2.1.2) from there to its checkpoint, size %" PRIu64
            "\n",
            longer->checkpoint.size);
        for (size_t i = 0; i < proof->count; i++)
            write_hash(&out, &proof->hashes[i]);
    }
    const int code = audit_print(&out);
    return code ? code : VERIFY_EXIT_DIFFERS;
}

static int compare(struct audit_log *shorter, struct audit_log *longer, const struct note_key *key)
{
    struct tree_hash root;
    struct tree_proof proof;
    tile_source_compute_missing(longer->tiles);
    const int code = audit_root_at(longer, shorter->checkpoint.size, &root, &proof);
    if (code)
        return code;
    if (!tree_hash_equal(&root, &shorter->checkpoint.root))
        return write_evidence(shorter, longer, &root, &proof, key);
    if (shorter->checkpoint.size == longer->checkpoint.size)
        printf("the same log, of %" PRIu64 " entries\n", shorter->checkpoint.size);
    else
        printf("one log: %s goes on from %s, from %" PRIu64 " entries to %" PRIu64 "\n",
               longer->dir, shorter->dir, shorter->checkpoint.size, longer->checkpoint.size);
    return 0;
}

int audit_diff(int argc, char **argv)
{
    const char *names[2];
    const char *key_text = NULL;
    struct audit_option options[] = {{"--key", &key_text, 1, 0}};
    struct note_key key;
    VAULT_AUTO(audit_close_log) struct audit_log first = {0};
    VAULT_AUTO(audit_close_log) struct audit_log second = {0};
    int code = audit_read_arguments(argc, argv, options, 1, names, 2);
    if (code == 0)
        code = audit_read_key(key_text, &key);
    if (code == 0)
        code = audit_open_log(names[0], &first);
    if (code == 0)
        code = audit_open_log(names[1], &second);
    if (code == 0)
        code = check_signature(&first, &key);
    if (code == 0)
        code = check_signature(&second, &key);
    if (code)
        return code;
    const bool in_order = first.checkpoint.size <= second.checkpoint.size;
    return compare(in_order ? &first : &second, in_order ? &second : &first, &key);
}
