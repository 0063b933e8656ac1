#include "vault/store/open_case.h"

#include <string.h>

#include "internal.h"

static enum vault_code check_room(struct database *control, const struct open_case *what,
                                  struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(
        control, "SELECT count(*) FROM open_case WHERE citizen = ?1 AND kind = ?2", &query, err));
    bind_blob(&query, 1, what->citizen.bytes, sizeof what->citizen.bytes);
    bind_integer(&query, 2, what->kind);
    VAULT_TRY(statement_next(&query, &row, err));
    return row && column_integer(&query, 0) >= OPEN_CASES_MAX
               ? vault_fail(err, VAULT_LIMITED, "too many open cases of one citizen")
               : VAULT_OK;
}

static enum vault_code insert(struct database *control, const struct open_case *what,
                              struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(
        control, "INSERT INTO open_case (id, kind, citizen, opened_s) VALUES (?1, ?2, ?3, ?4)",
        &insert, err));
    bind_text(&insert, 1, what->id);
    bind_integer(&insert, 2, what->kind);
    bind_blob(&insert, 3, what->citizen.bytes, sizeof what->citizen.bytes);
    bind_integer(&insert, 4, what->opened_s);
    return statement_run(&insert, err);
}

enum vault_code open_case_add(struct store *store, const struct open_case *what,
                              struct vault_error *err)
{
    VAULT_TRY(text_check(what->id, OPEN_CASE_ID_CHARS, OPEN_CASE_ID_CHARS, "a case's id", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(control_citizen_check(control.database, &what->citizen, err));
    VAULT_TRY(check_room(control.database, what, err));
    VAULT_TRY(insert(control.database, what, err));
    return transaction_commit(&change, err);
}

enum vault_code open_case_drop(struct store *store, const char *id, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(
        statement_begin(control.database, "DELETE FROM open_case WHERE id = ?1", &remove, err));
    bind_text(&remove, 1, id);
    return statement_run(&remove, err);
}

/* Rows of id, kind, citizen, opened_s. */
static void case_read(const struct statement *query, struct open_case *out)
{
    column_text(query, 0, out->id, sizeof out->id);
    const int64_t kind = column_integer(query, 1);
    out->kind = (enum open_case_kind)kind;
    column_blob(query, 2, out->citizen.bytes, sizeof out->citizen.bytes);
    out->opened_s = column_integer(query, 3);
}

enum vault_code open_case_find(struct store *store, enum open_case_kind kind, const char *id,
                               struct open_case *out, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT id, kind, citizen, opened_s FROM open_case"
                              " WHERE id = ?1 AND kind = ?2",
                              &query, err));
    bind_text(&query, 1, id);
    bind_integer(&query, 2, kind);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such open case");
    case_read(&query, out);
    return VAULT_OK;
}

enum vault_code open_case_list(struct store *store, enum open_case_kind kind, const char *after,
                               struct open_case cases[], size_t limit, size_t *count,
                               struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT id, kind, citizen, opened_s FROM open_case"
                              " WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
                              &query, err));
    bind_integer(&query, 1, kind);
    bind_text(&query, 2, after);
    bind_integer(&query, 3, (int64_t)limit);
    for (*count = 0; *count < limit; ++*count) {
        bool row = false;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        case_read(&query, &cases[*count]);
    }
    return VAULT_OK;
}

enum vault_code open_case_count(struct store *store, enum open_case_kind kind, uint64_t *count,
                                struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database, "SELECT count(*) FROM open_case WHERE kind = ?1",
                              &query, err));
    bind_integer(&query, 1, kind);
    VAULT_TRY(statement_next(&query, &row, err));
    *count = row ? (uint64_t)column_integer(&query, 0) : 0;
    return VAULT_OK;
}

enum vault_code open_case_forget(struct database *control, const struct citizen_id *citizen,
                                 struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control, "DELETE FROM open_case WHERE citizen = ?1", &remove, err));
    bind_blob(&remove, 1, citizen->bytes, sizeof citizen->bytes);
    return statement_run(&remove, err);
}
