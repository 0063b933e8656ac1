/* vault-audit prove, consistency, check-proof. */
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/ledger/proof.h"

static int tiles_failed(enum vault_code code, const struct vault_error *err)
{
    const int exit_code = audit_failed(code, err);
    return code == VAULT_NOT_FOUND ? VERIFY_EXIT_MISSING : exit_code;
}

/* Prove the entry in the tree of a size, from tiles that have been checked against the checkpoint.
 */
static int prove(struct audit_log *log, uint64_t index, uint64_t size, struct proof *proof)
{
    struct vault_error err;
    struct tree_hash root;
    struct tree_hash leaf;
    struct tree_proof consistency;
    const int code = audit_root_at(log, size, &root, &consistency);
    if (code)
        return code;
    const struct tree_source nodes = tile_source_nodes(log->tiles);
    enum vault_code read = tree_prove_inclusion(&nodes, index, size, &proof->path, &err);
    if (read == VAULT_OK)
        read = nodes.node(nodes.context, 0, index, &leaf, &err);
    if (read)
        return tiles_failed(read, &err);
    if (tree_check_inclusion(&proof->path, index, size, &leaf, &root, &err) != VAULT_OK) {
        fprintf(stderr, "vault-audit: the tiles in %s do not lead to its checkpoint\n", log->dir);
        return VERIFY_EXIT_INVALID;
    }
    proof->index = index;
    if (size == log->checkpoint.size)
        proof->checkpoint = buf_view(&log->note);
    return 0;
}

int audit_prove(int argc, char **argv)
{
    const char *names[2];
    const char *size_text = NULL;
    struct audit_option options[] = {{"--size", &size_text, 1, 0}};
    uint64_t index = 0;
    VAULT_AUTO(audit_close_log) struct audit_log log = {0};
    int code = audit_read_arguments(argc, argv, options, 1, names, 2);
    if (code == 0)
        code = audit_read_number(names[1], "INDEX", &index);
    if (code == 0)
        code = audit_open_log(names[0], &log);
    uint64_t size = log.checkpoint.size;
    if (code == 0 && size_text)
        code = audit_read_number(size_text, "--size", &size);
    if (code)
        return code;
    if (index >= size || size > log.checkpoint.size)
        return audit_usage("the log does not have so many entries");
    struct proof proof = {0};
    code = prove(&log, index, size, &proof);
    if (code)
        return code;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(2UL * PROOF_MAX_BYTES);
    proof_write(&proof, &text);
    return audit_print(&text);
}

int audit_consistency(int argc, char **argv)
{
    const char *names[3];
    uint64_t sizes[2];
    struct vault_error err;
    struct tree_hash roots[2];
    struct tree_proof proof;
    VAULT_AUTO(audit_close_log) struct audit_log log = {0};
    int code = audit_read_arguments(argc, argv, NULL, 0, names, 3);
    if (code == 0)
        code = audit_read_number(names[1], "OLD", &sizes[0]);
    if (code == 0)
        code = audit_read_number(names[2], "NEW", &sizes[1]);
    if (code == 0)
        code = audit_open_log(names[0], &log);
    if (code)
        return code;
    if (sizes[0] > sizes[1] || sizes[1] > log.checkpoint.size)
        return audit_usage("OLD must not be larger than NEW, nor NEW than the log");
    if (sizes[0] == sizes[1]) /* nothing is to be shown */
        return 0;
    for (unsigned i = 0; i < 2 && code == 0; i++)
        code = audit_root_at(&log, sizes[i], &roots[i], &proof);
    if (code)
        return code;
    const struct tree_source nodes = tile_source_nodes(log.tiles);
    const enum vault_code proved = tree_prove_consistency(&nodes, sizes[0], sizes[1], &proof, &err);
    if (proved)
        return tiles_failed(proved, &err);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(PROOF_MAX_BYTES);
    for (size_t i = 0; i < proof.count; i++) {
        base64_encode(&text, (struct bytes){proof.hashes[i].bytes, TREE_HASH_BYTES});
        buf_byte(&text, '\n');
    }
    return audit_print(&text);
}

/* Everything that can be wrong with a proof is one answer: it does not hold. */
static enum vault_code check(struct bytes text, const struct note_key *key, struct bytes entry,
                             struct vault_error *err)
{
    struct proof proof;
    struct checkpoint checkpoint;
    VAULT_TRY(proof_check(text, key, entry, &proof, &checkpoint, err));
    printf("entry %ju is in %s, at its size of %ju\n", (uintmax_t)proof.index, key->name,
           (uintmax_t)checkpoint.size);
    return VAULT_OK;
}

int audit_check_proof(int argc, char **argv)
{
    const char *name = NULL;
    const char *key_text = NULL;
    const char *entry_path = NULL;
    struct audit_option options[] = {{"--key", &key_text, 1, 0}, {"--entry", &entry_path, 1, 0}};
    struct note_key key;
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf proof = buf_limited(PROOF_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf entry = buf_limited(UINT16_MAX);
    int code = audit_read_arguments(argc, argv, options, 2, &name, 1);
    if (code == 0)
        code = audit_read_key(key_text, &key);
    if (code)
        return code;
    if (!entry_path)
        return audit_usage("--entry FILE, the entry's exact bytes, is missing");
    enum vault_code read = audit_read_file(name, &proof, &err);
    if (read == VAULT_OK)
        read = audit_read_file(entry_path, &entry, &err);
    if (read == VAULT_OK)
        read = check(buf_view(&proof), &key, buf_view(&entry), &err);
    return read ? audit_failed(read, &err) : 0;
}
