#include "vault/store/control_citizen.h"

#include <string.h>

#include "internal.h"

static enum vault_code no_such_citizen(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such citizen");
}

static enum vault_code population_add(struct database *control, int64_t add,
                                      struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control, "UPDATE population SET count = count + ?1", &update, err));
    bind_integer(&update, 1, add);
    return statement_run(&update, err);
}

enum vault_code control_key_add(struct database *control, const struct control_key *key,
                                const char *reference, enum citizen_state state, int64_t now_s,
                                struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO citizen"
                              " (id, reference, wrapped, key_version, state, created_s)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                              &insert, err));
    bind_blob(&insert, 1, key->id.bytes, sizeof key->id.bytes);
    bind_text(&insert, 2, reference);
    bind_blob(&insert, 3, key->wrapped, sizeof key->wrapped);
    bind_integer(&insert, 4, key->version);
    bind_integer(&insert, 5, state);
    bind_integer(&insert, 6, now_s);
    const enum vault_code code = statement_run(&insert, err);
    if (code == VAULT_CONFLICT)
        return vault_fail(err, VAULT_CONFLICT,
                          "there is a citizen with this id or this reference already");
    return code;
}

void control_key_row(const struct statement *query, struct control_key *out)
{
    column_blob(query, 0, out->id.bytes, sizeof out->id.bytes);
    out->version = (uint32_t)column_integer(query, 1);
    out->has_key = !column_is_null(query, 2);
    column_blob(query, 2, out->wrapped, sizeof out->wrapped);
    out->has_next = !column_is_null(query, 3);
    column_blob(query, 3, out->next_wrapped, sizeof out->next_wrapped);
}

enum vault_code control_key_read(struct database *control, const struct citizen_id *id,
                                 struct control_key *out, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control,
                              "SELECT id, key_version, wrapped, next_wrapped FROM citizen"
                              " WHERE id = ?1 AND state = 2",
                              &query, err));
    bind_blob(&query, 1, id->bytes, sizeof id->bytes);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return no_such_citizen(err);
    control_key_row(&query, out);
    return VAULT_OK;
}

enum vault_code control_key_find(struct store *store, const struct citizen_id *id,
                                 struct control_key *out, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    return control_key_read(control.database, id, out, err);
}

enum vault_code control_key_of_nobody(struct store *store, struct control_key *out,
                                      struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    /* As below: without the index's own words SQLite reads every citizen at each start. */
    VAULT_TRY(statement_begin(control.database,
                              "SELECT id, key_version, wrapped, next_wrapped FROM citizen"
                              " WHERE state IN (1, 3, 5) AND state = 5",
                              &query, err));
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return vault_fail(err, VAULT_CORRUPT,
                          "the control store has no decoy: making the store was not finished");
    control_key_row(&query, out);
    return VAULT_OK;
}

enum vault_code control_citizen_activate(struct database *control, const struct citizen_id *id,
                                         struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control, "UPDATE citizen SET state = 2 WHERE id = ?1 AND state = 1",
                              &update, err));
    bind_blob(&update, 1, id->bytes, sizeof id->bytes);
    VAULT_TRY(statement_run(&update, err));
    if (database_changes(control) != 1)
        return no_such_citizen(err);
    return population_add(control, 1, err);
}

enum vault_code control_citizen_undo(struct database *control, const struct citizen_id *id,
                                     struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(
        statement_begin(control, "DELETE FROM citizen WHERE id = ?1 AND state = 1", &remove, err));
    bind_blob(&remove, 1, id->bytes, sizeof id->bytes);
    return statement_run(&remove, err);
}

static enum vault_code forget_key(struct database *control, const struct citizen_id *id,
                                  struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control,
                              "UPDATE citizen SET state = 3, wrapped = NULL, next_wrapped = NULL,"
                              " reference = NULL"
                              " WHERE id = ?1 AND state = 2",
                              &update, err));
    bind_blob(&update, 1, id->bytes, sizeof id->bytes);
    VAULT_TRY(statement_run(&update, err));
    return database_changes(control) == 1 ? VAULT_OK : no_such_citizen(err);
}

/* What else the control store has of a citizen. */
static enum vault_code forget_the_rest(struct database *control, const struct citizen_id *id,
                                       struct vault_error *err)
{
    static enum vault_code (*const all[])(struct database *, const struct citizen_id *,
                                          struct vault_error *) = {
        account_forget,       request_forget, session_forget,   passkey_forget,
        sign_in_codes_forget, mandate_forget, open_case_forget, digest_forget,
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        VAULT_TRY(all[i](control, id, err));
    return VAULT_OK;
}

enum vault_code control_citizen_destroy_key(struct store *store, const struct citizen_id *id,
                                            uint64_t openings, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(forget_key(control.database, id, err));
    VAULT_TRY(population_add(control.database, -1, err));
    VAULT_TRY(forget_the_rest(control.database, id, err));
    VAULT_TRY(erasure_note(control.database, id, openings, err));
    return transaction_commit(&change, err);
}

enum vault_code control_citizen_erased(struct store *store, const struct citizen_id *id,
                                       struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database,
                              "UPDATE citizen SET state = 4 WHERE id = ?1 AND state = 3", &update,
                              err));
    bind_blob(&update, 1, id->bytes, sizeof id->bytes);
    return statement_run(&update, err);
}

enum vault_code control_citizen_any(struct store *store, enum citizen_state state,
                                    struct citizen_id *id, bool *found, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    /* Two of the states the partial index is for: it answers at once however many citizens. */
    VAULT_TRY(statement_begin(control.database,
                              "SELECT id FROM citizen"
                              " WHERE state IN (1, 3, 5) AND state = ?1 LIMIT 1",
                              &query, err));
    bind_integer(&query, 1, state);
    VAULT_TRY(statement_next(&query, found, err));
    if (*found)
        column_blob(&query, 0, id->bytes, sizeof id->bytes);
    return VAULT_OK;
}

enum vault_code control_citizen_check(struct database *control, const struct citizen_id *id,
                                      struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(
        statement_begin(control, "SELECT 1 FROM citizen WHERE id = ?1 AND state = 2", &query, err));
    bind_blob(&query, 1, id->bytes, sizeof id->bytes);
    VAULT_TRY(statement_next(&query, &row, err));
    return row ? VAULT_OK : no_such_citizen(err);
}

/* Rows of id, reference, created_s, key_version. */
static void read_citizen(const struct statement *query, struct control_citizen *out)
{
    column_blob(query, 0, out->id.bytes, sizeof out->id.bytes);
    column_text(query, 1, out->reference, sizeof out->reference);
    out->created_s = column_integer(query, 2);
    out->key_version = (uint32_t)column_integer(query, 3);
}

/* The one row of a query, with everything bound. */
static enum vault_code read_only(struct statement *query, struct control_citizen *out,
                                 struct vault_error *err)
{
    bool row = false;
    VAULT_TRY(statement_next(query, &row, err));
    if (!row)
        return no_such_citizen(err);
    read_citizen(query, out);
    return VAULT_OK;
}

enum vault_code control_citizen_find(struct store *store, const struct citizen_id *id,
                                     struct control_citizen *out, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT id, reference, created_s, key_version FROM citizen"
                              " WHERE id = ?1 AND state = 2",
                              &query, err));
    bind_blob(&query, 1, id->bytes, sizeof id->bytes);
    return read_only(&query, out, err);
}

enum vault_code control_citizen_by_reference(struct store *store, const char *reference,
                                             struct control_citizen *out, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT id, reference, created_s, key_version FROM citizen"
                              " WHERE reference = ?1 AND state = 2",
                              &query, err));
    bind_text(&query, 1, reference);
    return read_only(&query, out, err);
}

enum vault_code control_citizen_list(struct store *store, const struct citizen_id *after,
                                     size_t limit, control_citizen_each *each, void *context,
                                     struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT id, reference, created_s, key_version FROM citizen"
                              " WHERE id > ?1 AND state = 2 ORDER BY id LIMIT ?2",
                              &query, err));
    /* The empty blob is before every id. */
    bind_blob(&query, 1, after ? (const void *)after->bytes : "", after ? sizeof after->bytes : 0);
    bind_integer(&query, 2, limit < CONTROL_LIST_MAX ? (int64_t)limit : CONTROL_LIST_MAX);
    for (;;) {
        bool row = false;
        struct control_citizen citizen;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        read_citizen(&query, &citizen);
        VAULT_TRY(each(context, &citizen, err));
    }
}

enum vault_code control_citizen_count(struct store *store, uint64_t *count, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database, "SELECT count FROM population", &query, err));
    VAULT_TRY(statement_next(&query, &row, err));
    *count = (uint64_t)column_integer(&query, 0);
    return VAULT_OK;
}
