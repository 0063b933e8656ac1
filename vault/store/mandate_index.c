#include "vault/store/mandate_index.h"

#include <assert.h>

#include "internal.h"

static enum vault_code none(const char *what, struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such %s", what);
}

/* --- The index ------------------------------------------------------------------------------ */

static enum vault_code place_insert(struct database *control, const struct mandate_place *place,
                                    struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(
        control, "INSERT INTO mandate (id, structure, citizen) VALUES (?1, ?2, ?3)", &insert, err));
    bind_text(&insert, 1, place->id);
    bind_text(&insert, 2, place->structure);
    bind_blob(&insert, 3, place->citizen.bytes, sizeof place->citizen.bytes);
    return statement_run(&insert, err);
}

enum vault_code mandate_index_add(struct store *store, const struct mandate_place *place,
                                  struct vault_error *err)
{
    VAULT_TRY(text_check(place->id, 1, MANDATE_INDEX_ID_CHARS, "a mandate's id", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(control_citizen_check(control.database, &place->citizen, err));
    VAULT_TRY(structure_check_room(control.database,
                                   "SELECT (SELECT count(*) FROM mandate WHERE structure = ?1) "
                                   "FROM structure WHERE id = ?1 AND state = 1",
                                   place->structure, MANDATE_INDEX_MAX, err));
    VAULT_TRY(place_insert(control.database, place, err));
    return transaction_commit(&change, err);
}

enum vault_code mandate_index_drop(struct store *store, const char *id, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control.database, "DELETE FROM mandate WHERE id = ?1", &remove, err));
    bind_text(&remove, 1, id);
    return statement_run(&remove, err);
}

/* Rows of id, structure, citizen. */
static void place_read(const struct statement *query, struct mandate_place *out)
{
    column_text(query, 0, out->id, sizeof out->id);
    column_text(query, 1, out->structure, sizeof out->structure);
    column_blob(query, 2, out->citizen.bytes, sizeof out->citizen.bytes);
}

enum vault_code mandate_index_find(struct store *store, const char *structure, const char *id,
                                   struct mandate_place *out, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT id, structure, citizen FROM mandate"
                              " WHERE id = ?1 AND structure = ?2",
                              &query, err));
    bind_text(&query, 1, id);
    bind_text(&query, 2, structure);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return none("mandate", err);
    place_read(&query, out);
    return VAULT_OK;
}

enum vault_code mandate_index_list(struct store *store, const char *structure,
                                   struct mandate_place places[], size_t limit, size_t *count,
                                   struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT id, structure, citizen FROM mandate WHERE structure = ?1"
                              " ORDER BY id DESC LIMIT ?2",
                              &query, err));
    bind_text(&query, 1, structure);
    bind_integer(&query, 2, (int64_t)limit);
    for (*count = 0; *count < limit; ++*count) {
        bool row = false;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        place_read(&query, &places[*count]);
    }
    return VAULT_OK;
}

/* --- Codes ---------------------------------------------------------------------------------- */

static enum vault_code forget(struct database *control, const char *sql,
                              const struct citizen_id *citizen, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control, sql, &remove, err));
    bind_blob(&remove, 1, citizen->bytes, sizeof citizen->bytes);
    return statement_run(&remove, err);
}

static enum vault_code code_insert(struct database *control, const struct citizen_id *citizen,
                                   const uint8_t hash[SHA256_BYTES], int64_t expires_s,
                                   struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(
        control, "INSERT INTO mandate_code (code_hash, citizen, expires_s) VALUES (?1, ?2, ?3)",
        &insert, err));
    bind_blob(&insert, 1, hash, SHA256_BYTES);
    bind_blob(&insert, 2, citizen->bytes, sizeof citizen->bytes);
    bind_integer(&insert, 3, expires_s);
    return statement_run(&insert, err);
}

enum vault_code mandate_codes_put(struct store *store, const struct citizen_id *citizen,
                                  const uint8_t hashes[][SHA256_BYTES], size_t count,
                                  int64_t expires_s, struct vault_error *err)
{
    assert(count >= 1 && count <= MANDATE_CODES_MAX);
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(control_citizen_check(control.database, citizen, err));
    VAULT_TRY(
        forget(control.database, "DELETE FROM mandate_code WHERE citizen = ?1", citizen, err));
    for (size_t i = 0; i < count; i++)
        VAULT_TRY(code_insert(control.database, citizen, hashes[i], expires_s, err));
    return transaction_commit(&change, err);
}

enum vault_code mandate_code_find(struct store *store, const uint8_t hash[SHA256_BYTES],
                                  int64_t now_s, struct citizen_id *out, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(
        control.database,
        "SELECT citizen FROM mandate_code WHERE code_hash = ?1 AND expires_s > ?2", &query, err));
    bind_blob(&query, 1, hash, SHA256_BYTES);
    bind_integer(&query, 2, now_s);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return none("code", err);
    column_blob(&query, 0, out->bytes, sizeof out->bytes);
    return VAULT_OK;
}

enum vault_code mandate_code_take(struct store *store, const uint8_t hash[SHA256_BYTES],
                                  struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control.database, "DELETE FROM mandate_code WHERE code_hash = ?1",
                              &remove, err));
    bind_blob(&remove, 1, hash, SHA256_BYTES);
    VAULT_TRY(statement_run(&remove, err));
    return database_changes(control.database) == 1 ? VAULT_OK : none("code", err);
}

enum vault_code mandate_forget(struct database *control, const struct citizen_id *citizen,
                               struct vault_error *err)
{
    VAULT_TRY(forget(control, "DELETE FROM mandate WHERE citizen = ?1", citizen, err));
    return forget(control, "DELETE FROM mandate_code WHERE citizen = ?1", citizen, err);
}

enum vault_code mandate_codes_prune(struct store *store, int64_t now_s, struct slice *slice,
                                    struct vault_error *err)
{
    static const struct slice_statements sql = {
        "SELECT code_hash FROM mandate_code WHERE code_hash > ?1 ORDER BY code_hash LIMIT 1 OFFSET "
        "?2",
        "DELETE FROM mandate_code WHERE code_hash > ?1 AND (?2 IS NULL OR code_hash <= ?2)"
        " AND expires_s <= ?3",
    };
    return slice_prune(store, &sql, now_s, slice, err);
}
