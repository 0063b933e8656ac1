#include "vault/store/feed.h"

#include <assert.h>
#include <string.h>

#include "internal.h"

static enum vault_code insert(struct database *database, const struct feed_row *row,
                              struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement put = {0};
    VAULT_TRY(statement_begin(database,
                              "INSERT INTO feed"
                              " (service, n, change, purpose, citizen, citizen_n, time_ms)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                              &put, err));
    bind_text(&put, 1, row->service);
    bind_integer(&put, 2, (int64_t)row->n);
    bind_integer(&put, 3, row->change);
    bind_text(&put, 4, row->purpose);
    bind_blob(&put, 5, row->citizen.bytes, sizeof row->citizen.bytes);
    bind_integer(&put, 6, (int64_t)row->citizen_n);
    bind_integer(&put, 7, row->time_ms);
    return statement_run(&put, err);
}

/* Whether the citizen consented to something of this service's once. */
static enum vault_code is_known(struct database *database, const struct feed_row *row, bool *known,
                                struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(
        database, "SELECT 1 FROM feed WHERE citizen = ?1 AND service = ?2 LIMIT 1", &query, err));
    bind_blob(&query, 1, row->citizen.bytes, sizeof row->citizen.bytes);
    bind_text(&query, 2, row->service);
    return statement_next(&query, known, err);
}

enum vault_code feed_file(struct database *openings, const struct feed_row *row,
                          struct vault_error *err)
{
    bool known = true;
    if (row->change == FEED_NOTHING)
        return VAULT_OK;
    if (row->change != FEED_CONSENT)
        VAULT_TRY(is_known(openings, row, &known, err));
    return known ? insert(openings, row, err) : VAULT_OK;
}

enum vault_code feed_list(struct store *store, const char *service, uint64_t after, uint64_t before,
                          size_t limit, feed_each *each, void *context, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(held.database,
                              "SELECT n, change, purpose, citizen, citizen_n, time_ms FROM feed"
                              " WHERE service = ?1 AND n > ?2 AND n < ?3 ORDER BY n LIMIT ?4",
                              &query, err));
    bind_text(&query, 1, service);
    bind_integer(&query, 2, after < INT64_MAX ? (int64_t)after : INT64_MAX);
    bind_integer(&query, 3, before < INT64_MAX ? (int64_t)before : INT64_MAX);
    bind_integer(&query, 4, limit < FEED_LIST_MAX ? (int64_t)limit : FEED_LIST_MAX);
    for (;;) {
        bool found = false;
        struct feed_row row = {0};
        VAULT_TRY(statement_next(&query, &found, err));
        if (!found)
            return VAULT_OK;
        memcpy(row.service, service, strnlen(service, sizeof row.service - 1));
        row.n = (uint64_t)column_integer(&query, 0);
        row.change = column_small(&query, 1);
        column_text(&query, 2, row.purpose, sizeof row.purpose);
        column_blob(&query, 3, row.citizen.bytes, sizeof row.citizen.bytes);
        row.citizen_n = (uint64_t)column_integer(&query, 4);
        row.time_ms = column_integer(&query, 5);
        VAULT_TRY(each(context, &row, err));
    }
}

enum vault_code feed_services(struct store *store, const struct citizen_id *citizen,
                              feed_each *each, void *context, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(held.database, "SELECT DISTINCT service FROM feed WHERE citizen = ?1",
                              &query, err));
    bind_blob(&query, 1, citizen->bytes, sizeof citizen->bytes);
    for (;;) {
        bool found = false;
        struct feed_row row = {0};
        VAULT_TRY(statement_next(&query, &found, err));
        if (!found)
            return VAULT_OK;
        column_text(&query, 0, row.service, sizeof row.service);
        VAULT_TRY(each(context, &row, err));
    }
}

static enum vault_code forget(struct database *database, const struct citizen_id *citizen,
                              struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(database, "DELETE FROM feed WHERE citizen = ?1", &remove, err));
    bind_blob(&remove, 1, citizen->bytes, sizeof citizen->bytes);
    return statement_run(&remove, err);
}

enum vault_code feed_erase(struct store *store, const struct citizen_id *citizen,
                           const struct feed_row rows[], size_t count, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(held.database, &change, err));
    VAULT_TRY(forget(held.database, citizen, err));
    for (size_t i = 0; i < count; i++) {
        assert(rows[i].change == FEED_ERASE);
        VAULT_TRY(insert(held.database, &rows[i], err));
    }
    VAULT_TRY(transaction_commit(&change, err));
    return database_checkpoint(held.database, err);
}
