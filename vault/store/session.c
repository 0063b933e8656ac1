#include "vault/store/session.h"

#include "internal.h"

static enum vault_code no_such_session(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such session");
}

/* Make room for one more of a citizen's: those not seen for the longest time go. */
static enum vault_code drop_oldest(struct database *control, const struct citizen_id *citizen,
                                   struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control,
                              "DELETE FROM session WHERE token_hash IN"
                              " (SELECT token_hash FROM session WHERE citizen = ?1"
                              "  ORDER BY seen_s DESC, created_s DESC LIMIT -1 OFFSET ?2)",
                              &remove, err));
    bind_blob(&remove, 1, citizen->bytes, sizeof citizen->bytes);
    bind_integer(&remove, 2, SESSIONS_PER_CITIZEN - 1);
    return statement_run(&remove, err);
}

static enum vault_code session_insert(struct database *control, const struct session *session,
                                      struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO session (token_hash, citizen, created_s, seen_s,"
                              " reauthenticated_s, csrf_secret) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                              &insert, err));
    bind_blob(&insert, 1, session->token_hash, sizeof session->token_hash);
    bind_blob(&insert, 2, session->citizen.bytes, sizeof session->citizen.bytes);
    bind_integer(&insert, 3, session->created_s);
    bind_integer(&insert, 4, session->seen_s);
    bind_integer(&insert, 5, session->reauthenticated_s);
    bind_blob(&insert, 6, session->csrf_secret, sizeof session->csrf_secret);
    return statement_run(&insert, err);
}

enum vault_code session_add(struct store *store, const struct session *session,
                            struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(control_citizen_check(control.database, &session->citizen, err));
    VAULT_TRY(drop_oldest(control.database, &session->citizen, err));
    VAULT_TRY(session_insert(control.database, session, err));
    return transaction_commit(&change, err);
}

/* Rows of token_hash, citizen, created_s, seen_s, reauthenticated_s, csrf_secret. */
static void session_read(const struct statement *query, struct session *out)
{
    column_blob(query, 0, out->token_hash, sizeof out->token_hash);
    column_blob(query, 1, out->citizen.bytes, sizeof out->citizen.bytes);
    out->created_s = column_integer(query, 2);
    out->seen_s = column_integer(query, 3);
    out->reauthenticated_s = column_integer(query, 4);
    column_blob(query, 5, out->csrf_secret, sizeof out->csrf_secret);
}

enum vault_code session_find(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                             struct session *out, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT token_hash, citizen, created_s, seen_s, reauthenticated_s,"
                              " csrf_secret FROM session WHERE token_hash = ?1",
                              &query, err));
    bind_blob(&query, 1, token_hash, SHA256_BYTES);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return no_such_session(err);
    session_read(&query, out);
    return VAULT_OK;
}

/* Run a statement on one session: ?1 is its token, ?2 a time. *changed is how many rows it met. */
static enum vault_code session_run(struct store *store, const char *sql, const uint8_t *token_hash,
                                   int64_t now_s, int64_t *changed, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement statement = {0};
    VAULT_TRY(statement_begin(control.database, sql, &statement, err));
    bind_blob(&statement, 1, token_hash, SHA256_BYTES);
    bind_integer(&statement, 2, now_s);
    VAULT_TRY(statement_run(&statement, err));
    *changed = database_changes(control.database);
    return VAULT_OK;
}

enum vault_code session_seen(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                             int64_t now_s, struct vault_error *err)
{
    int64_t changed = 0;
    VAULT_TRY(session_run(store, "UPDATE session SET seen_s = ?2 WHERE token_hash = ?1", token_hash,
                          now_s, &changed, err));
    return changed ? VAULT_OK : no_such_session(err);
}

enum vault_code session_reauthenticated(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                        const uint8_t new_token_hash[SHA256_BYTES], int64_t now_s,
                                        struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database,
                              "UPDATE session SET token_hash = ?2, seen_s = ?3,"
                              " reauthenticated_s = ?3 WHERE token_hash = ?1",
                              &update, err));
    bind_blob(&update, 1, token_hash, SHA256_BYTES);
    bind_blob(&update, 2, new_token_hash, SHA256_BYTES);
    bind_integer(&update, 3, now_s);
    VAULT_TRY(statement_run(&update, err));
    return database_changes(control.database) ? VAULT_OK : no_such_session(err);
}

enum vault_code session_spend_challenge(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                        int64_t challenge_ms, struct vault_error *err)
{
    int64_t changed = 0;
    VAULT_TRY(session_run(store,
                          "UPDATE session SET challenge_ms = ?2"
                          " WHERE token_hash = ?1 AND challenge_ms < ?2",
                          token_hash, challenge_ms, &changed, err));
    return changed ? VAULT_OK
                   : vault_fail(err, VAULT_CONFLICT, "the challenge was answered before");
}

enum vault_code session_remove(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                               struct vault_error *err)
{
    int64_t changed = 0;
    return session_run(store, "DELETE FROM session WHERE token_hash = ?1 AND ?2 = 0", token_hash, 0,
                       &changed, err);
}

enum vault_code session_remove_all(struct store *store, const struct citizen_id *citizen,
                                   const uint8_t *but_token_hash, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control.database,
                              "DELETE FROM session WHERE citizen = ?1 AND token_hash IS NOT ?2",
                              &remove, err));
    bind_blob(&remove, 1, citizen->bytes, sizeof citizen->bytes);
    bind_blob(&remove, 2, but_token_hash, but_token_hash ? SHA256_BYTES : 0);
    return statement_run(&remove, err);
}

enum vault_code session_list(struct store *store, const struct citizen_id *citizen,
                             session_each *each, void *context, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT token_hash, citizen, created_s, seen_s, reauthenticated_s,"
                              " csrf_secret FROM session WHERE citizen = ?1"
                              " ORDER BY seen_s DESC, created_s DESC",
                              &query, err));
    bind_blob(&query, 1, citizen->bytes, sizeof citizen->bytes);
    for (;;) {
        bool row = false;
        struct session session;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        session_read(&query, &session);
        VAULT_TRY(each(context, &session, err));
    }
}

enum vault_code session_prune(struct store *store, int64_t created_before_s, int64_t seen_before_s,
                              uint64_t *count, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(
        control.database, "DELETE FROM session WHERE created_s < ?1 OR seen_s < ?2", &remove, err));
    bind_integer(&remove, 1, created_before_s);
    bind_integer(&remove, 2, seen_before_s);
    VAULT_TRY(statement_run(&remove, err));
    *count = (uint64_t)database_changes(control.database);
    return VAULT_OK;
}

enum vault_code session_forget(struct database *control, const struct citizen_id *citizen,
                               struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control, "DELETE FROM session WHERE citizen = ?1", &remove, err));
    bind_blob(&remove, 1, citizen->bytes, sizeof citizen->bytes);
    return statement_run(&remove, err);
}
