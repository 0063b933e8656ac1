#include "vault/store/look.h"

#include <string.h>

#include "internal.h"

static enum vault_code check_room(struct database *control, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control, "SELECT count(*) FROM look", &query, err));
    VAULT_TRY(statement_next(&query, &row, err));
    return row && column_integer(&query, 0) >= LOOKS_MAX
               ? vault_fail(err, VAULT_LIMITED, "there are as many looks as can be kept")
               : VAULT_OK;
}

static enum vault_code check_free(struct database *control, uint64_t index, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control, "SELECT 1 FROM look WHERE log_index = ?1", &query, err));
    bind_integer(&query, 1, (int64_t)index);
    VAULT_TRY(statement_next(&query, &row, err));
    return row ? vault_fail(err, VAULT_CONFLICT, "there is a look of that entry") : VAULT_OK;
}

static enum vault_code insert(struct database *control, const struct look_row *row,
                              struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement put = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO look (log_index, time_ms, auditor, reason, opening)"
                              " VALUES (?1, ?2, ?3, ?4, ?5)",
                              &put, err));
    bind_integer(&put, 1, (int64_t)row->index);
    bind_integer(&put, 2, row->time_ms);
    bind_text(&put, 3, row->auditor);
    bind_text_bytes(&put, 4, row->reason);
    bind_bytes(&put, 5, row->opening);
    return statement_run(&put, err);
}

static enum vault_code insert_entry(struct database *control, uint64_t look, uint64_t entry,
                                    struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement put = {0};
    VAULT_TRY(statement_begin(control, "INSERT INTO look_entry (entry, look) VALUES (?1, ?2)", &put,
                              err));
    bind_integer(&put, 1, (int64_t)entry);
    bind_integer(&put, 2, (int64_t)look);
    return statement_run(&put, err);
}

/* The entries rise, so that none is there twice. */
static enum vault_code check_row(const struct look_row *row, struct vault_error *err)
{
    VAULT_TRY(text_check(row->auditor, 1, LOOK_NAME_CHARS_MAX, "an auditor's name", err));
    VAULT_TRY(size_check(row->reason.size, 1, LOOK_REASON_BYTES_MAX, "a reason", err));
    VAULT_TRY(size_check(row->opening.size, 1, LOOK_OPENING_BYTES, "a look's opening", err));
    VAULT_TRY(size_check(row->entry_count, 1, LOOK_ENTRIES_MAX, "a look's list of entries", err));
    for (size_t i = 0; i < row->entry_count; i++) {
        if (row->entries[i] > INT64_MAX || (i > 0 && row->entries[i] <= row->entries[i - 1]))
            return vault_fail(err, VAULT_INVALID, "the entries of a look do not rise");
    }
    return row->index <= INT64_MAX ? VAULT_OK : vault_fail(err, VAULT_INVALID, "no index");
}

enum vault_code look_add(struct store *store, const struct look_row *row, struct vault_error *err)
{
    VAULT_TRY(check_row(row, err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(check_free(control.database, row->index, err));
    VAULT_TRY(check_room(control.database, err));
    VAULT_TRY(insert(control.database, row, err));
    for (size_t i = 0; i < row->entry_count; i++)
        VAULT_TRY(insert_entry(control.database, row->index, row->entries[i], err));
    return transaction_commit(&change, err);
}

enum vault_code look_check_room(struct store *store, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    return check_room(control.database, err);
}

/* --- Reading -------------------------------------------------------------------------------- */

static enum vault_code read_entries(struct database *control, struct look_row *row,
                                    struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(
        control, "SELECT entry FROM look_entry WHERE look = ?1 ORDER BY entry", &query, err));
    bind_integer(&query, 1, (int64_t)row->index);
    for (;;) {
        bool found = false;
        VAULT_TRY(statement_next(&query, &found, err));
        if (!found)
            return VAULT_OK;
        if (row->entry_count < LOOK_ENTRIES_MAX)
            row->entries[row->entry_count++] = (uint64_t)column_integer(&query, 0);
    }
}

/* Rows of log_index, time_ms, auditor, reason, opening. */
static enum vault_code give_all(struct database *control, struct statement *query, bool *given,
                                look_each *each, void *context, struct vault_error *err)
{
    for (*given = false;; *given = true) {
        bool found = false;
        struct look_row row = {0};
        VAULT_TRY(statement_next(query, &found, err));
        if (!found)
            return VAULT_OK;
        row.index = (uint64_t)column_integer(query, 0);
        row.time_ms = column_integer(query, 1);
        column_text(query, 2, row.auditor, sizeof row.auditor);
        row.reason = column_bytes(query, 3);
        row.opening = column_bytes(query, 4);
        VAULT_TRY(read_entries(control, &row, err));
        VAULT_TRY(each(context, &row, err));
    }
}

enum vault_code look_get(struct store *store, uint64_t index, look_each *each, void *context,
                         struct vault_error *err)
{
    bool given = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT log_index, time_ms, auditor, reason, opening FROM look"
                              " WHERE log_index = ?1",
                              &query, err));
    bind_integer(&query, 1, index < INT64_MAX ? (int64_t)index : -1);
    VAULT_TRY(give_all(control.database, &query, &given, each, context, err));
    return given ? VAULT_OK : vault_fail(err, VAULT_NOT_FOUND, "there is no such look");
}

enum vault_code look_list(struct store *store, uint64_t before, size_t limit, look_each *each,
                          void *context, struct vault_error *err)
{
    bool given = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT log_index, time_ms, auditor, reason, opening FROM look"
                              " WHERE log_index < ?1 ORDER BY log_index DESC LIMIT ?2",
                              &query, err));
    bind_integer(&query, 1, before < INT64_MAX ? (int64_t)before : INT64_MAX);
    bind_integer(&query, 2, limit < LOOKS_MAX ? (int64_t)limit : LOOKS_MAX);
    return give_all(control.database, &query, &given, each, context, err);
}

enum vault_code look_list_of(struct store *store, uint64_t entry, size_t limit, look_each *each,
                             void *context, struct vault_error *err)
{
    bool given = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT log_index, time_ms, auditor, reason, opening"
                              " FROM look_entry JOIN look ON look = log_index WHERE entry = ?1"
                              " ORDER BY look DESC LIMIT ?2",
                              &query, err));
    bind_integer(&query, 1, entry < INT64_MAX ? (int64_t)entry : -1);
    bind_integer(&query, 2, limit < LOOKS_MAX ? (int64_t)limit : LOOKS_MAX);
    return give_all(control.database, &query, &given, each, context, err);
}

enum vault_code look_prune(struct store *store, int64_t before_ms, size_t limit, uint64_t *gone,
                           struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control.database,
                              "DELETE FROM look WHERE log_index IN (SELECT log_index FROM look"
                              " WHERE time_ms < ?1 ORDER BY log_index LIMIT ?2)",
                              &remove, err));
    bind_integer(&remove, 1, before_ms);
    bind_integer(&remove, 2, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
    VAULT_TRY(statement_run(&remove, err));
    *gone = (uint64_t)database_changes(control.database);
    return VAULT_OK;
}
