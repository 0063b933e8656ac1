#include "vault/store/slice.h"

#include <string.h>

#include "internal.h"

/* The last row of the piece; *found is false if the table ends before. */
static enum vault_code find_end(struct database *control, const char *sql,
                                const struct slice *slice, uint8_t out[SHA256_BYTES], bool *found,
                                struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control, sql, &query, err));
    bind_blob(&query, 1, slice->after, slice->more ? sizeof slice->after : 0);
    bind_integer(&query, 2, (int64_t)slice->limit - 1);
    VAULT_TRY(statement_next(&query, found, err));
    if (*found)
        column_blob(&query, 0, out, SHA256_BYTES);
    return VAULT_OK;
}

enum vault_code slice_prune(struct store *store, const struct slice_statements *sql, int64_t now_s,
                            struct slice *slice, struct vault_error *err)
{
    uint8_t end[SHA256_BYTES] = {0};
    bool found = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_TRY(find_end(control.database, sql->end, slice, end, &found, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control.database, sql->remove, &remove, err));
    bind_blob(&remove, 1, slice->after, slice->more ? sizeof slice->after : 0);
    bind_blob(&remove, 2, found ? end : NULL, found ? sizeof end : 0);
    bind_integer(&remove, 3, now_s);
    VAULT_TRY(statement_run(&remove, err));
    slice->gone += (uint64_t)database_changes(control.database);
    slice->more = found;
    memcpy(slice->after, end, sizeof end);
    return VAULT_OK;
}
