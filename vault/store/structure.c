#include "vault/store/structure.h"

#include "internal.h"

#define MEDIATOR_COLUMNS                                                                           \
    "m.login, m.name, m.password_hash, m.failed_tries, m.failed_at_s, m.first_until_s,"            \
    " m.before_tries, m.before_s, m.password_s, m.passkeys_s,"                                     \
    " (SELECT count(*) FROM passkey WHERE citizen IS NULL AND mediator = m.login),"                \
    " s.id, s.name, s.state"

static enum vault_code none(const char *what, struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such %s", what);
}

/* Run a statement whose one parameter is an id or a login. How many rows it met database_changes()
 * says. */
static enum vault_code run_of(struct database *control, const char *sql, const char *whose,
                              struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement statement = {0};
    VAULT_TRY(statement_begin(control, sql, &statement, err));
    bind_text(&statement, 1, whose);
    return statement_run(&statement, err);
}

/* --- Structures ----------------------------------------------------------------------------- */

enum vault_code structure_add(struct store *store, const char *id, const char *name,
                              struct vault_error *err)
{
    VAULT_TRY(text_check(id, 1, STRUCTURE_ID_CHARS, "a structure's id", err));
    VAULT_TRY(text_check(name, 1, STRUCTURE_NAME_BYTES, "a structure's name", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control.database,
                              "INSERT INTO structure (id, name, state)"
                              " SELECT ?1, ?2, 1 WHERE (SELECT count(*) FROM structure) < ?3",
                              &insert, err));
    bind_text(&insert, 1, id);
    bind_text(&insert, 2, name);
    bind_integer(&insert, 3, STRUCTURES_MAX);
    const enum vault_code code = statement_run(&insert, err);
    if (code == VAULT_CONFLICT)
        return vault_fail(err, VAULT_CONFLICT, "the id is that of a structure, or was");
    if (code == VAULT_OK && !database_changes(control.database))
        return vault_fail(err, VAULT_LIMITED, "there are %d structures", STRUCTURES_MAX);
    return code;
}

enum vault_code structure_remove(struct store *store, const char *id, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(run_of(control.database, "UPDATE structure SET state = 2 WHERE id = ?1 AND state = 1",
                     id, err));
    if (!database_changes(control.database))
        return none("structure", err);
    VAULT_TRY(run_of(control.database,
                     "DELETE FROM mediator_session"
                     " WHERE login IN (SELECT login FROM mediator WHERE structure = ?1)",
                     id, err));
    VAULT_TRY(run_of(control.database,
                     "DELETE FROM passkey WHERE citizen IS NULL"
                     " AND mediator IN (SELECT login FROM mediator WHERE structure = ?1)",
                     id, err));
    VAULT_TRY(run_of(control.database, "DELETE FROM mediator WHERE structure = ?1", id, err));
    return transaction_commit(&change, err);
}

/* Columns from that one on: id, name, state. */
static void structure_read(const struct statement *query, int first, struct structure *out)
{
    column_text(query, first, out->id, sizeof out->id);
    column_text(query, first + 1, out->name, sizeof out->name);
    out->active = column_integer(query, first + 2) == 1;
}

enum vault_code structure_get(struct store *store, const char *id, struct structure *out,
                              struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT id, name, state FROM structure WHERE id = ?1", &query, err));
    bind_text(&query, 1, id);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return none("structure", err);
    structure_read(&query, 0, out);
    return VAULT_OK;
}

enum vault_code structure_list(struct store *store, structure_each *each, void *context,
                               struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT id, name, state FROM structure WHERE state = 1 ORDER BY id",
                              &query, err));
    for (;;) {
        bool row = false;
        struct structure structure;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        structure_read(&query, 0, &structure);
        VAULT_TRY(each(context, &structure, err));
    }
}

/* --- Mediators ------------------------------------------------------------------------------ */

enum vault_code structure_check_room(struct database *control, const char *sql, const char *id,
                                     int64_t most, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control, sql, &query, err));
    bind_text(&query, 1, id);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return none("structure", err);
    if (column_integer(&query, 0) >= most)
        return vault_fail(err, VAULT_LIMITED, "the structure has %lld of these already",
                          (long long)most);
    return VAULT_OK;
}

static enum vault_code mediator_insert(struct database *control, const struct mediator *mediator,
                                       struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO mediator (login, structure, name, password_hash,"
                              " first_until_s) VALUES (?1, ?2, ?3, ?4, ?5)",
                              &insert, err));
    bind_text(&insert, 1, mediator->login);
    bind_text(&insert, 2, mediator->structure.id);
    bind_text(&insert, 3, mediator->name);
    bind_text(&insert, 4, mediator->password_hash);
    bind_integer(&insert, 5, mediator->first_until_s);
    const enum vault_code code = statement_run(&insert, err);
    return code == VAULT_CONFLICT ? vault_fail(err, VAULT_CONFLICT, "the login is taken") : code;
}

enum vault_code mediator_add(struct store *store, const struct mediator *mediator,
                             struct vault_error *err)
{
    VAULT_TRY(text_check(mediator->login, 1, MEDIATOR_LOGIN_CHARS, "a login", err));
    VAULT_TRY(text_check(mediator->name, 1, MEDIATOR_NAME_BYTES, "a mediator's name", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(structure_check_room(control.database,
                                   "SELECT (SELECT count(*) FROM mediator WHERE structure = ?1) "
                                   "FROM structure WHERE id = ?1 AND state = 1",
                                   mediator->structure.id, MEDIATORS_MAX, err));
    VAULT_TRY(mediator_insert(control.database, mediator, err));
    return transaction_commit(&change, err);
}

static enum vault_code end_passkeys(struct database *control, const char *login,
                                    struct vault_error *err)
{
    return run_of(control, "DELETE FROM passkey WHERE citizen IS NULL AND mediator = ?1", login,
                  err);
}

enum vault_code mediator_remove(struct store *store, const char *login, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(run_of(control.database, "DELETE FROM mediator WHERE login = ?1", login, err));
    if (!database_changes(control.database))
        return none("mediator", err);
    VAULT_TRY(
        run_of(control.database, "DELETE FROM mediator_session WHERE login = ?1", login, err));
    VAULT_TRY(end_passkeys(control.database, login, err));
    return transaction_commit(&change, err);
}

/* Rows of MEDIATOR_COLUMNS. */
static void mediator_read(const struct statement *query, struct mediator *out)
{
    column_text(query, 0, out->login, sizeof out->login);
    column_text(query, 1, out->name, sizeof out->name);
    column_text(query, 2, out->password_hash, sizeof out->password_hash);
    out->failed_tries = (uint32_t)column_integer(query, 3);
    out->failed_at_s = column_integer(query, 4);
    out->first_until_s = column_integer(query, 5);
    out->before_tries = (uint32_t)column_integer(query, 6);
    out->before_s = column_integer(query, 7);
    out->password_s = column_integer(query, 8);
    out->passkeys_s = column_integer(query, 9);
    out->passkeys = (uint32_t)column_integer(query, 10);
    structure_read(query, 11, &out->structure);
}

enum vault_code mediator_get(struct store *store, const char *login, struct mediator *out,
                             struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT " MEDIATOR_COLUMNS " FROM mediator m, structure s"
                              " WHERE m.login = ?1 AND s.id = m.structure AND s.state = 1",
                              &query, err));
    bind_text(&query, 1, login);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return none("mediator", err);
    mediator_read(&query, out);
    return VAULT_OK;
}

enum vault_code mediator_list(struct store *store, const char *structure, mediator_each *each,
                              void *context, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT " MEDIATOR_COLUMNS " FROM mediator m, structure s"
                              " WHERE m.structure = ?1 AND s.id = ?1 ORDER BY m.login",
                              &query, err));
    bind_text(&query, 1, structure);
    for (;;) {
        bool row = false;
        struct mediator mediator;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        mediator_read(&query, &mediator);
        VAULT_TRY(each(context, &mediator, err));
    }
}

enum vault_code mediator_failed(struct store *store, const char *login, int64_t now_s,
                                struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database,
                              "UPDATE mediator SET failed_at_s = ?2, failed_tries ="
                              " iif(?2 = 0, 0, min(failed_tries + 1, 4294967295)),"
                              " before_s = iif(?2 = 0 AND failed_tries > 1, failed_at_s, before_s),"
                              " before_tries ="
                              " iif(?2 = 0 AND failed_tries > 1, failed_tries - 1, before_tries)"
                              " WHERE login = ?1",
                              &update, err));
    bind_text(&update, 1, login);
    bind_integer(&update, 2, now_s);
    VAULT_TRY(statement_run(&update, err));
    return database_changes(control.database) ? VAULT_OK : none("mediator", err);
}

static enum vault_code end_others(struct database *control, const char *login,
                                  const uint8_t *kept_token_hash, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control,
                              "DELETE FROM mediator_session"
                              " WHERE login = ?1 AND (?2 IS NULL OR token_hash <> ?2)",
                              &remove, err));
    bind_text(&remove, 1, login);
    if (kept_token_hash)
        bind_blob(&remove, 2, kept_token_hash, SHA256_BYTES);
    return statement_run(&remove, err);
}

enum vault_code mediator_set_password(struct store *store, const char *login,
                                      const char *password_hash, int64_t now_s,
                                      int64_t first_until_s,
                                      const uint8_t kept_token_hash[SHA256_BYTES],
                                      struct vault_error *err)
{
    VAULT_TRY(text_check(password_hash, 1, PASSWORD_HASH_CHARS - 1, "a password's hash", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database,
                              "UPDATE mediator SET password_hash = ?2, password_s = ?3,"
                              " first_until_s = ?4, failed_tries = 0, failed_at_s = 0"
                              " WHERE login = ?1",
                              &update, err));
    bind_text(&update, 1, login);
    bind_text(&update, 2, password_hash);
    bind_integer(&update, 3, now_s);
    bind_integer(&update, 4, first_until_s);
    VAULT_TRY(statement_run(&update, err));
    if (!database_changes(control.database))
        return none("mediator", err);
    VAULT_TRY(end_others(control.database, login, kept_token_hash, err));
    if (first_until_s)
        VAULT_TRY(end_passkeys(control.database, login, err));
    return transaction_commit(&change, err);
}

/* A passkey takes the place of a first password (passkey.c). Since when there is the password that
 * nobody knows is nobody's to be told. */
static enum vault_code keep_one_session(struct database *control, const char *login,
                                        const uint8_t *token_hash, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control,
                              "UPDATE mediator_session SET by_passkey = 1"
                              " WHERE token_hash = ?1 AND login = ?2",
                              &update, err));
    bind_blob(&update, 1, token_hash, SHA256_BYTES);
    bind_text(&update, 2, login);
    VAULT_TRY(statement_run(&update, err));
    return database_changes(control) ? end_others(control, login, token_hash, err)
                                     : none("session", err);
}

enum vault_code mediator_end_first(struct database *control, const char *login,
                                   const char *password_hash, int64_t now_s,
                                   const uint8_t token_hash[SHA256_BYTES], struct vault_error *err)
{
    VAULT_TRY(text_check(password_hash, 1, PASSWORD_HASH_CHARS - 1, "a password's hash", err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control,
                              "UPDATE mediator SET password_hash = ?2, password_s = 0,"
                              " first_until_s = 0 WHERE login = ?1 AND first_until_s > ?3",
                              &update, err));
    bind_text(&update, 1, login);
    bind_text(&update, 2, password_hash);
    bind_integer(&update, 3, now_s);
    VAULT_TRY(statement_run(&update, err));
    if (!database_changes(control))
        return vault_fail(err, VAULT_CONFLICT, "there is no first password any more");
    return keep_one_session(control, login, token_hash, err);
}
