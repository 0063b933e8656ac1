#include "vault/store/reply.h"

#include <string.h>

#include "internal.h"

enum vault_code reply_find(struct store *store, const char *service,
                           const uint8_t key_hash[SHA256_BYTES], int64_t not_before_s,
                           struct reply *out, struct buf *sealed, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT request_hash, created_s, log_index, leaf, sealed FROM reply"
                              " WHERE service = ?1 AND key_hash = ?2 AND created_s >= ?3",
                              &query, err));
    bind_text(&query, 1, service);
    bind_blob(&query, 2, key_hash, SHA256_BYTES);
    bind_integer(&query, 3, not_before_s);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return vault_fail(err, VAULT_NOT_FOUND, "nothing is kept under this key");
    struct reply reply = {.service = service, .created_s = column_integer(&query, 1)};
    memcpy(reply.key_hash, key_hash, SHA256_BYTES);
    column_blob(&query, 0, reply.request_hash, SHA256_BYTES);
    reply.is_logged = !column_is_null(&query, 2);
    reply.index = reply.is_logged ? (uint64_t)column_integer(&query, 2) : 0;
    column_blob(&query, 3, reply.leaf, SHA256_BYTES);
    buf_bytes(sealed, column_bytes(&query, 4));
    VAULT_TRY(buf_check(sealed, err));
    *out = reply;
    return VAULT_OK;
}

enum vault_code reply_check_room(struct store *store, const char *service, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT coalesce(sum(count), 0), coalesce(sum(bytes), 0),"
                              " coalesce(sum(count) FILTER (WHERE service = ?1), 0),"
                              " coalesce(sum(bytes) FILTER (WHERE service = ?1), 0)"
                              " FROM reply_tally",
                              &query, err));
    bind_text(&query, 1, service);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row || column_integer(&query, 0) >= REPLY_ALL_MAX ||
        column_integer(&query, 1) >= REPLY_ALL_MAX_BYTES ||
        column_integer(&query, 2) >= REPLY_SERVICE_MAX ||
        column_integer(&query, 3) >= REPLY_SERVICE_MAX_BYTES)
        return vault_fail(err, VAULT_LIMITED, "too many answers are kept for repeated requests");
    return VAULT_OK;
}

static enum vault_code insert(struct database *control, const struct reply *reply,
                              struct bytes sealed, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement put = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO reply (service, key_hash, request_hash, created_s,"
                              " log_index, leaf, sealed)"
                              " VALUES (?1, ?2, ?3, ?4, iif(?5 < 0, NULL, ?5), ?6, ?7)",
                              &put, err));
    bind_text(&put, 1, reply->service);
    bind_blob(&put, 2, reply->key_hash, SHA256_BYTES);
    bind_blob(&put, 3, reply->request_hash, SHA256_BYTES);
    bind_integer(&put, 4, reply->created_s);
    bind_integer(&put, 5, reply->is_logged ? (int64_t)reply->index : -1);
    bind_blob(&put, 6, reply->leaf, SHA256_BYTES);
    bind_bytes(&put, 7, sealed);
    return statement_run(&put, err);
}

static enum vault_code remove_one(struct database *control, const struct reply *reply,
                                  struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control, "DELETE FROM reply WHERE service = ?1 AND key_hash = ?2",
                              &remove, err));
    bind_text(&remove, 1, reply->service);
    bind_blob(&remove, 2, reply->key_hash, SHA256_BYTES);
    return statement_run(&remove, err);
}

enum vault_code reply_put(struct store *store, const struct reply *reply, struct bytes sealed,
                          struct vault_error *err)
{
    VAULT_TRY(text_check(reply->service, 1, CONTROL_SERVICE_ID_CHARS, "a service's id", err));
    VAULT_TRY(size_check(sealed.size, 1, REPLY_SEALED_MAX_BYTES, "a kept answer", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(remove_one(control.database, reply, err));
    VAULT_TRY(insert(control.database, reply, sealed, err));
    return transaction_commit(&change, err);
}

enum vault_code reply_last_index(struct store *store, bool *found, uint64_t *index,
                                 struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database, "SELECT max(log_index) FROM reply", &query, err));
    VAULT_TRY(statement_next(&query, &row, err));
    *found = row && !column_is_null(&query, 0);
    *index = *found ? (uint64_t)column_integer(&query, 0) : 0;
    return VAULT_OK;
}

enum vault_code reply_settle(struct store *store, uint64_t index, const uint8_t leaf[SHA256_BYTES],
                             struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(
        control.database, "DELETE FROM reply WHERE log_index = ?1 AND leaf <> ?2", &remove, err));
    bind_integer(&remove, 1, (int64_t)index);
    bind_blob(&remove, 2, leaf, SHA256_BYTES);
    return statement_run(&remove, err);
}

enum vault_code reply_forget_from(struct store *store, uint64_t index, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(
        statement_begin(control.database, "DELETE FROM reply WHERE log_index >= ?1", &remove, err));
    bind_integer(&remove, 1, (int64_t)index);
    return statement_run(&remove, err);
}

enum vault_code reply_prune(struct store *store, int64_t before_s, size_t limit, uint64_t *count,
                            struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control.database,
                              "DELETE FROM reply WHERE rowid IN"
                              " (SELECT rowid FROM reply WHERE created_s < ?1"
                              "  ORDER BY created_s LIMIT ?2)",
                              &remove, err));
    bind_integer(&remove, 1, before_s);
    bind_integer(&remove, 2, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
    VAULT_TRY(statement_run(&remove, err));
    *count = (uint64_t)database_changes(control.database);
    return VAULT_OK;
}
