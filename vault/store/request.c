#include "vault/store/request.h"

#include <assert.h>
#include <string.h>

#include "internal.h"

/* Where each column of a query stands. */
#define REQUEST_COLUMNS                                                                            \
    "id, service, code_hash, json, state, created_s, expires_s, citizen, consent_seq, tries"

static enum vault_code no_such_request(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such access request");
}

static enum vault_code request_check(const struct request *request, struct bytes json,
                                     struct vault_error *err)
{
    VAULT_TRY(text_check(request->id, 1, REQUEST_ID_CHARS, "a request's id", err));
    VAULT_TRY(text_check(request->service, 1, CONTROL_SERVICE_ID_CHARS, "a service's id", err));
    return size_check(json.size, 1, REQUEST_JSON_MAX_BYTES, "an access request", err);
}

/* The service is registered and has room for one more. */
static enum vault_code check_service(struct database *control, const char *service,
                                     struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control,
                              "SELECT (SELECT count(*) FROM request"
                              "  WHERE service = ?1 AND state = 1)"
                              " FROM service WHERE id = ?1 AND state < 3",
                              &query, err));
    bind_text(&query, 1, service);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such service");
    if (column_integer(&query, 0) >= REQUEST_PENDING_MAX)
        return vault_fail(err, VAULT_LIMITED, "the service has %d access requests pending",
                          REQUEST_PENDING_MAX);
    return VAULT_OK;
}

static enum vault_code request_insert(struct database *control, const struct request *request,
                                      struct bytes json, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO request"
                              " (id, service, code_hash, json, state, created_s, expires_s)"
                              " VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)",
                              &insert, err));
    bind_text(&insert, 1, request->id);
    bind_text(&insert, 2, request->service);
    bind_blob(&insert, 3, request->code_hash, sizeof request->code_hash);
    bind_text_bytes(&insert, 4, json);
    bind_integer(&insert, 5, request->created_s);
    bind_integer(&insert, 6, request->expires_s);
    const enum vault_code code = statement_run(&insert, err);
    if (code == VAULT_CONFLICT)
        return vault_fail(err, VAULT_CONFLICT, "the request's id or code is in use");
    return code;
}

enum vault_code request_add(struct store *store, const struct request *request, struct bytes json,
                            struct vault_error *err)
{
    VAULT_TRY(request_check(request, json, err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(check_service(control.database, request->service, err));
    VAULT_TRY(request_insert(control.database, request, json, err));
    return transaction_commit(&change, err);
}

/* Rows of REQUEST_COLUMNS; the JSON is left to the caller. */
static void request_read(const struct statement *query, struct request *out)
{
    column_text(query, 0, out->id, sizeof out->id);
    column_text(query, 1, out->service, sizeof out->service);
    column_blob(query, 2, out->code_hash, sizeof out->code_hash);
    out->state = column_small(query, 4);
    out->created_s = column_integer(query, 5);
    out->expires_s = column_integer(query, 6);
    out->claimed = !column_is_null(query, 7);
    column_blob(query, 7, out->citizen.bytes, sizeof out->citizen.bytes);
    out->consent_seq = column_integer(query, 8);
    out->tries = (uint32_t)column_integer(query, 9);
}

/* The one row of a query, with everything bound. */
static enum vault_code read_only(struct statement *query, struct request *out, struct buf *json,
                                 struct vault_error *err)
{
    bool row = false;
    VAULT_TRY(statement_next(query, &row, err));
    if (!row)
        return no_such_request(err);
    if (json) {
        buf_bytes(json, column_bytes(query, 3));
        VAULT_TRY(buf_check(json, err));
    }
    request_read(query, out);
    return VAULT_OK;
}

enum vault_code request_get(struct store *store, const char *id, struct request *out,
                            struct buf *json, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(
        control.database, "SELECT " REQUEST_COLUMNS " FROM request WHERE id = ?1", &query, err));
    bind_text(&query, 1, id);
    return read_only(&query, out, json, err);
}

enum vault_code request_by_code(struct store *store, const uint8_t code_hash[SHA256_BYTES],
                                struct request *out, struct buf *json, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT " REQUEST_COLUMNS " FROM request"
                              " WHERE code_hash = ?1 AND state = 1",
                              &query, err));
    bind_blob(&query, 1, code_hash, SHA256_BYTES);
    return read_only(&query, out, json, err);
}

/* Run an UPDATE that meets one request or none. */
static enum vault_code run_on_one(struct hold *control, struct statement *update, bool *met,
                                  struct vault_error *err)
{
    VAULT_TRY(statement_run(update, err));
    *met = database_changes(control->database) == 1;
    return VAULT_OK;
}

enum vault_code request_claim(struct store *store, const char *id, const struct citizen_id *citizen,
                              struct vault_error *err)
{
    bool met = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(control_citizen_check(control.database, citizen, err));
    {
        VAULT_AUTO(statement_end) struct statement update = {0};
        VAULT_TRY(statement_begin(control.database,
                                  "UPDATE request SET citizen = ?2 WHERE id = ?1 AND state = 1"
                                  " AND (citizen IS NULL OR citizen = ?2)",
                                  &update, err));
        bind_text(&update, 1, id);
        bind_blob(&update, 2, citizen->bytes, sizeof citizen->bytes);
        VAULT_TRY(run_on_one(&control, &update, &met, err));
    }
    return met ? transaction_commit(&change, err) : no_such_request(err);
}

enum vault_code request_tried(struct store *store, const char *id, uint32_t *tries,
                              struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database,
                              "UPDATE request SET tries = min(tries + 1, 4294967295)"
                              " WHERE id = ?1 AND state = 1 RETURNING tries",
                              &update, err));
    bind_text(&update, 1, id);
    VAULT_TRY(statement_next(&update, &row, err));
    if (!row)
        return no_such_request(err);
    const uint32_t counted = (uint32_t)column_integer(&update, 0);
    VAULT_TRY(statement_run(&update, err)); /* done only now */
    *tries = counted;
    return VAULT_OK;
}

/* An UPDATE to an end state met nothing: because it has ended, or is another's? */
static enum vault_code why_not_ended(struct database *control, const char *id,
                                     const struct citizen_id *citizen, const char *service,
                                     struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control,
                              "SELECT 1 FROM request"
                              " WHERE id = ?1 AND state > 1 AND (citizen = ?2 OR service = ?3)",
                              &query, err));
    bind_text(&query, 1, id);
    bind_blob(&query, 2, citizen ? citizen->bytes : NULL, citizen ? sizeof citizen->bytes : 0);
    bind_text(&query, 3, service);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return no_such_request(err);
    return vault_fail(err, VAULT_CONFLICT, "the access request is not pending any more");
}

enum vault_code request_answer(struct store *store, const char *id,
                               const struct citizen_id *citizen, enum request_state state,
                               int64_t consent_seq, struct vault_error *err)
{
    assert(state == REQUEST_GRANTED || state == REQUEST_REFUSED);
    bool met = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database,
                              "UPDATE request SET state = ?3, consent_seq = ?4"
                              " WHERE id = ?1 AND state = 1 AND citizen = ?2",
                              &update, err));
    bind_text(&update, 1, id);
    bind_blob(&update, 2, citizen->bytes, sizeof citizen->bytes);
    bind_integer(&update, 3, state);
    bind_integer(&update, 4, consent_seq);
    VAULT_TRY(run_on_one(&control, &update, &met, err));
    return met ? VAULT_OK : why_not_ended(control.database, id, citizen, NULL, err);
}

enum vault_code request_cancel(struct store *store, const char *id, const char *service,
                               const struct citizen_id *citizen, struct vault_error *err)
{
    bool met = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database,
                              "UPDATE request SET state = 5"
                              " WHERE id = ?1 AND state = 1 AND service = ?2 AND citizen IS ?3",
                              &update, err));
    bind_text(&update, 1, id);
    bind_text(&update, 2, service);
    bind_blob(&update, 3, citizen ? citizen->bytes : NULL, citizen ? sizeof citizen->bytes : 0);
    VAULT_TRY(run_on_one(&control, &update, &met, err));
    return met ? VAULT_OK : why_not_ended(control.database, id, NULL, service, err);
}

enum vault_code request_list(struct store *store, const struct citizen_id *citizen,
                             enum request_state state, size_t limit, request_each *each,
                             void *context, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT " REQUEST_COLUMNS " FROM request"
                              " WHERE citizen = ?1 AND (?2 = 0 OR state = ?2)"
                              " ORDER BY created_s DESC, id LIMIT ?3",
                              &query, err));
    bind_blob(&query, 1, citizen->bytes, sizeof citizen->bytes);
    bind_integer(&query, 2, state);
    bind_integer(&query, 3, limit < CONTROL_LIST_MAX ? (int64_t)limit : CONTROL_LIST_MAX);
    for (;;) {
        bool row = false;
        struct request request;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        request_read(&query, &request);
        VAULT_TRY(each(context, &request, column_bytes(&query, 3), err));
    }
}

/* Run a statement on the requests of before a time, so many at most, and count them. */
static enum vault_code run_on_many(struct store *store, const char *sql, int64_t before_s,
                                   size_t limit, uint64_t *count, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement statement = {0};
    VAULT_TRY(statement_begin(control.database, sql, &statement, err));
    bind_integer(&statement, 1, before_s);
    bind_integer(&statement, 2, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
    VAULT_TRY(statement_run(&statement, err));
    *count = (uint64_t)database_changes(control.database);
    return VAULT_OK;
}

enum vault_code request_expire(struct store *store, int64_t now_s, size_t limit, uint64_t *count,
                               struct vault_error *err)
{
    return run_on_many(store,
                       "UPDATE request SET state = 4 WHERE id IN"
                       " (SELECT id FROM request WHERE state = 1 AND expires_s <= ?1"
                       "  ORDER BY expires_s LIMIT ?2)",
                       now_s, limit, count, err);
}

enum vault_code request_prune(struct store *store, int64_t expired_before_s, size_t limit,
                              uint64_t *count, struct vault_error *err)
{
    return run_on_many(store,
                       "DELETE FROM request WHERE id IN"
                       " (SELECT id FROM request WHERE state > 1 AND expires_s < ?1"
                       "  ORDER BY expires_s LIMIT ?2)",
                       expired_before_s, limit, count, err);
}

enum vault_code request_cancel_all(struct database *control, const char *service,
                                   struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(
        control, "UPDATE request SET state = 5 WHERE service = ?1 AND state = 1", &update, err));
    bind_text(&update, 1, service);
    return statement_run(&update, err);
}

enum vault_code request_forget(struct database *control, const struct citizen_id *citizen,
                               struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control, "DELETE FROM request WHERE citizen = ?1", &remove, err));
    bind_blob(&remove, 1, citizen->bytes, sizeof citizen->bytes);
    return statement_run(&remove, err);
}
