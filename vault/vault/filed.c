#include "filed.h"

#include <string.h>

#include "event.h"

enum vault_code filed_keep(const struct openings_row *row, struct filed *out,
                           struct vault_error *err)
{
    *out = (struct filed){.citizen = row->citizen,
                          .n = row->n,
                          .index = row->index,
                          .time_ms = row->time_ms,
                          .sealed = buf_limited(OPENINGS_SEALED_MAX_BYTES)};
    memcpy(out->leaf, row->leaf, sizeof out->leaf);
    buf_bytes(&out->sealed, row->sealed);
    return buf_check(&out->sealed, err);
}

void filed_finish(struct filed *filed)
{
    buf_finish(&filed->sealed);
}

void clear_finish(struct clear *clear)
{
    buf_finish(&clear->entry_text);
    buf_finish(&clear->opening_text);
    buf_finish(&clear->storage);
}

enum vault_code clear_read_entry(struct vault *vault, const struct filed *filed, struct clear *out,
                                 struct vault_error *err)
{
    *out = (struct clear){.entry_text = buf_limited(ENTRY_MAX_BYTES),
                          .opening_text = buf_limited(OPENING_MAX_BYTES),
                          .storage = buf_limited(OPENING_MAX_BYTES)};
    VAULT_TRY(event_entry_read(vault, filed->index, &out->entry_text, err));
    VAULT_TRY(entry_parse(buf_view(&out->entry_text), &out->entry, err));
    const struct tree_hash leaf = tree_leaf(buf_view(&out->entry_text));
    if (memcmp(leaf.bytes, filed->leaf, sizeof filed->leaf) != 0)
        return vault_fail(err, VAULT_CORRUPT, "an entry of the log is not the one that was filed");
    return VAULT_OK;
}

enum vault_code clear_read_opening(struct citizen *citizen, const struct filed *filed,
                                   struct clear *out, struct vault_error *err)
{
    VAULT_TRY(
        event_opening_read(citizen, filed->n, buf_view(&filed->sealed), &out->opening_text, err));
    VAULT_TRY(opening_parse(buf_view(&out->opening_text), &out->storage, &out->opening, err));
    if (opening_check(&out->opening, &out->entry, NULL))
        return vault_fail(err, VAULT_CORRUPT, "an opening is not what the log committed to");
    return VAULT_OK;
}
