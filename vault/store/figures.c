#include "vault/store/figures.h"

#include "internal.h"

static enum vault_code position_get(struct database *database, uint64_t *next_index,
                                    struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(database, "SELECT next_index FROM figure_position", &query, err));
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return vault_fail(err, VAULT_CORRUPT, "the figures have no position");
    *next_index = (uint64_t)column_integer(&query, 0);
    return VAULT_OK;
}

static enum vault_code position_set(struct database *database, uint64_t next_index,
                                    struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(
        statement_begin(database, "UPDATE figure_position SET next_index = ?1", &update, err));
    bind_integer(&update, 1, (int64_t)next_index);
    return statement_run(&update, err);
}

static enum vault_code row_add(struct database *database, const struct figures_row *row,
                               struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement put = {0};
    VAULT_TRY(statement_begin(database,
                              "INSERT INTO figure (day, event, service, count)"
                              " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (day, event, service)"
                              " DO UPDATE SET count = count + excluded.count",
                              &put, err));
    bind_integer(&put, 1, row->day);
    bind_integer(&put, 2, row->event);
    bind_text(&put, 3, row->service);
    bind_integer(&put, 4, (int64_t)row->count);
    return statement_run(&put, err);
}

enum vault_code figures_position(struct store *store, uint64_t *next_index, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    return position_get(held.database, next_index, err);
}

enum vault_code figures_add(struct store *store, const struct figures_row rows[], size_t count,
                            uint64_t from, uint64_t to, struct vault_error *err)
{
    uint64_t position = 0;
    if (to < from || to > INT64_MAX || count > FIGURES_BATCH_MAX)
        return vault_fail(err, VAULT_INVALID, "no batch of figures");
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(held.database, &change, err));
    VAULT_TRY(position_get(held.database, &position, err));
    if (position != from)
        return vault_fail(err, VAULT_CONFLICT, "the figures have come further already");
    for (size_t i = 0; i < count; i++)
        VAULT_TRY(row_add(held.database, &rows[i], err));
    VAULT_TRY(position_set(held.database, to, err));
    return transaction_commit(&change, err);
}

enum vault_code figures_list(struct store *store, int32_t from_day, int32_t to_day,
                             figures_each *each, void *context, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(held.database,
                              "SELECT day, event, service, count FROM figure"
                              " WHERE day >= ?1 AND day <= ?2 ORDER BY day, event, service",
                              &query, err));
    bind_integer(&query, 1, from_day);
    bind_integer(&query, 2, to_day);
    for (size_t given = 0;; given++) {
        bool found = false;
        struct figures_row row = {0};
        VAULT_TRY(statement_next(&query, &found, err));
        if (!found)
            return VAULT_OK;
        if (given == FIGURES_LIST_MAX)
            return vault_fail(err, VAULT_TOO_LARGE, "a shorter period has to be asked for");
        row.day = (int32_t)column_integer(&query, 0);
        row.event = column_small(&query, 1);
        column_text(&query, 2, row.service, sizeof row.service);
        row.count = (uint64_t)column_integer(&query, 3);
        VAULT_TRY(each(context, &row, err));
    }
}
