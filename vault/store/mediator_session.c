/* The browsers that mediators signed in with. */
#include "internal.h"
#include "vault/store/structure.h"

static enum vault_code no_such_session(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such session");
}

/* For one more: the one not seen for the longest time goes. */
static enum vault_code make_room(struct database *control, const char *login,
                                 struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control,
                              "DELETE FROM mediator_session WHERE token_hash IN"
                              " (SELECT token_hash FROM mediator_session WHERE login = ?1"
                              "  ORDER BY seen_s DESC, created_s DESC LIMIT -1 OFFSET ?2)",
                              &remove, err));
    bind_text(&remove, 1, login);
    bind_integer(&remove, 2, MEDIATOR_SESSIONS_MAX - 1);
    return statement_run(&remove, err);
}

static enum vault_code session_insert(struct database *control,
                                      const struct mediator_session *session, int64_t *changed,
                                      struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO mediator_session (token_hash, login, created_s, seen_s,"
                              " proved_s, by_passkey)"
                              " SELECT ?1, login, ?3, ?4, ?5, ?6 FROM mediator WHERE login = ?2",
                              &insert, err));
    bind_blob(&insert, 1, session->token_hash, sizeof session->token_hash);
    bind_text(&insert, 2, session->login);
    bind_integer(&insert, 3, session->created_s);
    bind_integer(&insert, 4, session->seen_s);
    bind_integer(&insert, 5, session->proved_s);
    bind_integer(&insert, 6, session->by_passkey);
    VAULT_TRY(statement_run(&insert, err));
    *changed = database_changes(control);
    return VAULT_OK;
}

enum vault_code mediator_session_add(struct store *store, const struct mediator_session *session,
                                     struct vault_error *err)
{
    int64_t changed = 0;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(make_room(control.database, session->login, err));
    VAULT_TRY(session_insert(control.database, session, &changed, err));
    return changed ? transaction_commit(&change, err)
                   : vault_fail(err, VAULT_NOT_FOUND, "there is no such mediator");
}

enum vault_code mediator_session_find(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                      struct mediator_session *out, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT token_hash, login, created_s, seen_s, proved_s, by_passkey"
                              " FROM mediator_session WHERE token_hash = ?1",
                              &query, err));
    bind_blob(&query, 1, token_hash, SHA256_BYTES);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return no_such_session(err);
    column_blob(&query, 0, out->token_hash, sizeof out->token_hash);
    column_text(&query, 1, out->login, sizeof out->login);
    out->created_s = column_integer(&query, 2);
    out->seen_s = column_integer(&query, 3);
    out->proved_s = column_integer(&query, 4);
    out->by_passkey = column_integer(&query, 5) != 0;
    return VAULT_OK;
}

/* Run a statement on one session: ?1 is its token, ?2 a time (NULL: it has none). *changed is how
 * many rows it met. */
static enum vault_code session_run(struct store *store, const char *sql, const uint8_t *token_hash,
                                   const int64_t *time, int64_t *changed, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement statement = {0};
    VAULT_TRY(statement_begin(control.database, sql, &statement, err));
    bind_blob(&statement, 1, token_hash, SHA256_BYTES);
    if (time)
        bind_integer(&statement, 2, *time);
    VAULT_TRY(statement_run(&statement, err));
    *changed = database_changes(control.database);
    return VAULT_OK;
}

enum vault_code mediator_session_seen(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                      int64_t now_s, struct vault_error *err)
{
    int64_t ignored = 0;
    return session_run(store, "UPDATE mediator_session SET seen_s = ?2 WHERE token_hash = ?1",
                       token_hash, &now_s, &ignored, err);
}

enum vault_code mediator_session_proved(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                        const uint8_t new_token_hash[SHA256_BYTES], int64_t now_s,
                                        bool by_passkey, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database,
                              "UPDATE mediator_session SET token_hash = ?2, seen_s = ?3,"
                              " proved_s = ?3, by_passkey = max(by_passkey, ?4)"
                              " WHERE token_hash = ?1",
                              &update, err));
    bind_blob(&update, 1, token_hash, SHA256_BYTES);
    bind_blob(&update, 2, new_token_hash, SHA256_BYTES);
    bind_integer(&update, 3, now_s);
    bind_integer(&update, 4, by_passkey);
    VAULT_TRY(statement_run(&update, err));
    return database_changes(control.database) ? VAULT_OK : no_such_session(err);
}

enum vault_code mediator_session_spend(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                       int64_t challenge_ms, struct vault_error *err)
{
    int64_t changed = 0;
    VAULT_TRY(session_run(store,
                          "UPDATE mediator_session SET challenge_ms = ?2"
                          " WHERE token_hash = ?1 AND challenge_ms < ?2",
                          token_hash, &challenge_ms, &changed, err));
    return changed ? VAULT_OK
                   : vault_fail(err, VAULT_CONFLICT, "the challenge was answered before");
}

enum vault_code mediator_session_remove(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                        struct vault_error *err)
{
    int64_t ignored = 0;
    return session_run(store, "DELETE FROM mediator_session WHERE token_hash = ?1", token_hash,
                       NULL, &ignored, err);
}

enum vault_code mediator_session_remove_others(struct store *store,
                                               const uint8_t token_hash[SHA256_BYTES],
                                               struct vault_error *err)
{
    int64_t ignored = 0;
    return session_run(store,
                       "DELETE FROM mediator_session WHERE token_hash <> ?1 AND login ="
                       " (SELECT login FROM mediator_session WHERE token_hash = ?1)",
                       token_hash, NULL, &ignored, err);
}

enum vault_code mediator_session_prune(struct store *store, int64_t created_before_s,
                                       int64_t seen_before_s, uint64_t *count,
                                       struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control.database,
                              "DELETE FROM mediator_session WHERE created_s < ?1 OR seen_s < ?2",
                              &remove, err));
    bind_integer(&remove, 1, created_before_s);
    bind_integer(&remove, 2, seen_before_s);
    VAULT_TRY(statement_run(&remove, err));
    *count = (uint64_t)database_changes(control.database);
    return VAULT_OK;
}
