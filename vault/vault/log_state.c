#include "vault/vault/log_state.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "parts.h"
#include "retention.h"
#include "vault/base/file.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/proof.h"
#include "vault/ledger/tile.h"

#define CHECKPOINT_FILE "checkpoint"

static enum vault_code read_checkpoint(const struct vault *vault, struct buf *out,
                                       struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, vault->log_dir, CHECKPOINT_FILE, err));
    return file_read(path, out, err);
}

/* The root of the tree that the published tiles make. */
static enum vault_code check_root(const struct vault *vault, const struct checkpoint *checkpoint,
                                  struct vault_error *err)
{
    struct tree_hash root;
    VAULT_AUTO(tile_source_free) struct tile_source *tiles = NULL;
    VAULT_TRY(tile_source_new(vault->log_dir, checkpoint->size, &tiles, err));
    const struct tree_source nodes = tile_source_nodes(tiles);
    VAULT_TRY(tree_root(&nodes, checkpoint->size, &root, err));
    if (!tree_hash_equal(&root, &checkpoint->root))
        return vault_fail(err, VAULT_CORRUPT, "the tiles do not make the root that was signed");
    return VAULT_OK;
}

/* The newest published entry, read again, is in the durable tree at its place. What is published is
 * what the checkpoint says that was read: the ledger hears of it a moment after the file is there.
 */
static enum vault_code check_newest(struct vault *vault, uint64_t size,
                                    const struct checkpoint_keys *keys, struct vault_error *err)
{
    struct proof proof;
    struct checkpoint durable;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf written = buf_limited(PROOF_MAX_BYTES);
    if (size == 0)
        return VAULT_OK;
    VAULT_TRY(tile_read_entry(vault->log_dir, size, size - 1, &text, err));
    VAULT_TRY(ledger_prove(vault->ledger, size - 1, &written, err));
    VAULT_TRY(proof_parse(buf_view(&written), &proof, err));
    VAULT_TRY(checkpoint_parse(proof.checkpoint, &durable, err));
    VAULT_TRY(checkpoint_verify_any(&durable, keys, err));
    const struct tree_hash leaf = tree_leaf(buf_view(&text));
    return tree_check_inclusion(&proof.path, size - 1, durable.size, &leaf, &durable.root, err);
}

static enum vault_code verify(struct vault *vault, struct log_state *state, struct vault_error *err)
{
    struct checkpoint checkpoint;
    const struct checkpoint_keys keys = {&vault->log_keys.signer.key, vault->log_keys.former,
                                         vault->log_keys.former_count};
    VAULT_TRY(read_checkpoint(vault, &state->checkpoint, err));
    VAULT_TRY(checkpoint_parse(buf_view(&state->checkpoint), &checkpoint, err));
    state->published = checkpoint.size;
    state->root = checkpoint.root;
    VAULT_TRY(checkpoint_verify_any(&checkpoint, &keys, err));
    VAULT_TRY(check_root(vault, &checkpoint, err));
    return check_newest(vault, checkpoint.size, &keys, err);
}

enum vault_code log_state_read(struct vault *vault, struct log_state *out, struct vault_error *err)
{
    struct vault_error why = {.text = ""};
    *out = (struct log_state){
        .checkpoint = buf_limited(LOG_STATE_TEXT_BYTES),
        .vkey = buf_limited(LOG_STATE_TEXT_BYTES),
        .anchor = buf_limited(LOG_STATE_TEXT_BYTES),
        .verified_ms = clock_now_ms(&vault->options.clock),
    };
    out->holds = verify(vault, out, &why) == VAULT_OK;
    if (!out->holds)
        snprintf(out->wrong, sizeof out->wrong, "%s", why.text);
    out->writable = ledger_health(vault->ledger, &why) == VAULT_OK;
    if (!out->writable)
        snprintf(out->why, sizeof out->why, "%s", why.text);
    out->durable = ledger_head(vault->ledger).size;
    VAULT_TRY(retention_pruned(vault, &out->first, err));
    VAULT_TRY(ledger_vkey(vault->ledger, &out->vkey, err));
    if (vault->options.anchor)
        vault->options.anchor->describe(vault->options.anchor->context, &out->anchor);
    return buf_check(&out->anchor, err);
}

void log_state_finish(struct log_state *state)
{
    buf_finish(&state->checkpoint);
    buf_finish(&state->vkey);
    buf_finish(&state->anchor);
}
