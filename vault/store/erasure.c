#include "vault/store/erasure.h"

#include "internal.h"

enum vault_code erasure_note(struct database *control, const struct citizen_id *citizen,
                             uint64_t openings, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control, "INSERT INTO erasure (citizen, openings) VALUES (?1, ?2)",
                              &insert, err));
    bind_blob(&insert, 1, citizen->bytes, sizeof citizen->bytes);
    bind_integer(&insert, 2, (int64_t)openings);
    return statement_run(&insert, err);
}

static enum vault_code change(struct store *store, const char *sql,
                              const struct citizen_id *citizen, uint64_t openings,
                              struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database, sql, &update, err));
    bind_blob(&update, 1, citizen->bytes, sizeof citizen->bytes);
    bind_integer(&update, 2, (int64_t)openings);
    return statement_run(&update, err);
}

enum vault_code erasure_raise(struct store *store, const struct citizen_id *citizen,
                              uint64_t openings, struct vault_error *err)
{
    return change(store, "UPDATE erasure SET openings = max(openings, ?2) WHERE citizen = ?1",
                  citizen, openings, err);
}

enum vault_code erasure_next(struct store *store, struct erasure *out, bool *found,
                             struct vault_error *err)
{
    VAULT_TRY(citizen_tidy_unfinished(store, err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    /* One that is still under way is not counted to its end. */
    VAULT_TRY(statement_begin(control.database,
                              "SELECT erasure.citizen, entering_at FROM erasure"
                              " JOIN citizen ON citizen.id = erasure.citizen"
                              " WHERE citizen.state = 4 ORDER BY entering_at DESC LIMIT 1",
                              &query, err));
    VAULT_TRY(statement_next(&query, found, err));
    if (!*found)
        return VAULT_OK;
    const int64_t entering_at = column_integer(&query, 1);
    column_blob(&query, 0, out->citizen.bytes, sizeof out->citizen.bytes);
    out->is_entering = entering_at >= 0;
    out->from = out->is_entering ? (uint64_t)entering_at : 0;
    return VAULT_OK;
}

enum vault_code erasure_entering(struct store *store, const struct citizen_id *citizen,
                                 uint64_t log_size, struct vault_error *err)
{
    return change(store, "UPDATE erasure SET entering_at = ?2 WHERE citizen = ?1", citizen,
                  log_size, err);
}

static enum vault_code openings_of(struct store *store, const struct citizen_id *citizen,
                                   uint64_t *openings, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database, "SELECT openings FROM erasure WHERE citizen = ?1",
                              &query, err));
    bind_blob(&query, 1, citizen->bytes, sizeof citizen->bytes);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return vault_fail(err, VAULT_NOT_FOUND, "no such erasure is noted");
    *openings = (uint64_t)column_integer(&query, 0);
    return VAULT_OK;
}

enum vault_code erasure_settle(struct store *store, const struct citizen_id *citizen,
                               uint64_t *openings, struct vault_error *err)
{
    uint64_t before = 0;
    uint64_t late = 0;
    VAULT_TRY(openings_of(store, citizen, &before, err));
    VAULT_TRY(openings_forget(store, citizen, &late, err));
    VAULT_TRY(change(store, "UPDATE erasure SET openings = openings + ?2 WHERE citizen = ?1",
                     citizen, late, err));
    *openings = before + late;
    return VAULT_OK;
}

enum vault_code erasure_told(struct store *store, const struct citizen_id *citizen,
                             struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(
        statement_begin(control.database, "DELETE FROM erasure WHERE citizen = ?1", &remove, err));
    bind_blob(&remove, 1, citizen->bytes, sizeof citizen->bytes);
    return statement_run(&remove, err);
}
