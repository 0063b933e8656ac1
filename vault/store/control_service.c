#include "vault/store/control_service.h"

#include <assert.h>
#include <string.h>

#include "internal.h"

static enum vault_code no_such_service(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such service");
}

static enum vault_code no_such_certificate(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such certificate");
}

/* It moves before a change is committed: one that the disk did not confirm may stand. */
uint64_t control_service_generation(struct store *store)
{
    return store->service_generation;
}

/* A number from a query that is bound; 0 if it has no row. */
static enum vault_code read_number(struct statement *query, int64_t *out, struct vault_error *err)
{
    bool row = false;
    VAULT_TRY(statement_next(query, &row, err));
    *out = row ? column_integer(query, 0) : 0;
    return VAULT_OK;
}

static enum vault_code check_service_room(struct database *control, struct vault_error *err)
{
    int64_t count = 0;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control, "SELECT count(*) FROM service", &query, err));
    VAULT_TRY(read_number(&query, &count, err));
    if (count >= CONTROL_SERVICES_MAX)
        return vault_fail(err, VAULT_LIMITED, "there are at most %d services",
                          CONTROL_SERVICES_MAX);
    return VAULT_OK;
}

static enum vault_code service_insert(struct database *control,
                                      const struct control_service *service,
                                      struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control, "INSERT INTO service (id, json, state) VALUES (?1, ?2, ?3)",
                              &insert, err));
    bind_text(&insert, 1, service->id);
    bind_text_bytes(&insert, 2, service->json);
    bind_integer(&insert, 3, service->state);
    const enum vault_code code = statement_run(&insert, err);
    if (code == VAULT_CONFLICT)
        return vault_fail(err, VAULT_CONFLICT, "a service had this id already");
    return code;
}

enum vault_code control_service_add(struct store *store, const struct control_service *service,
                                    struct vault_error *err)
{
    VAULT_TRY(text_check(service->id, 1, CONTROL_SERVICE_ID_CHARS, "a service's id", err));
    VAULT_TRY(
        size_check(service->json.size, 1, CONTROL_SERVICE_JSON_MAX_BYTES, "a registration", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(check_service_room(control.database, err));
    VAULT_TRY(service_insert(control.database, service, err));
    store->service_generation++;
    return transaction_commit(&change, err);
}

enum vault_code control_service_update(struct store *store, const char *id, struct bytes json,
                                       struct vault_error *err)
{
    VAULT_TRY(size_check(json.size, 1, CONTROL_SERVICE_JSON_MAX_BYTES, "a registration", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database,
                              "UPDATE service SET json = ?2 WHERE id = ?1 AND state < 3", &update,
                              err));
    bind_text(&update, 1, id);
    bind_text_bytes(&update, 2, json);
    store->service_generation++;
    VAULT_TRY(statement_run(&update, err));
    return database_changes(control.database) == 1 ? VAULT_OK : no_such_service(err);
}

static enum vault_code service_state(struct database *control, const char *id, int64_t *state,
                                     struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control, "SELECT state FROM service WHERE id = ?1", &query, err));
    bind_text(&query, 1, id);
    VAULT_TRY(read_number(&query, state, err));
    return *state ? VAULT_OK : no_such_service(err);
}

static enum vault_code service_put_state(struct database *control, const char *id,
                                         enum control_service_state state, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(
        statement_begin(control, "UPDATE service SET state = ?2 WHERE id = ?1", &update, err));
    bind_text(&update, 1, id);
    bind_integer(&update, 2, state);
    return statement_run(&update, err);
}

static enum vault_code check_not_removed(struct database *control, const char *id,
                                         struct vault_error *err)
{
    int64_t state = 0;
    VAULT_TRY(service_state(control, id, &state, err));
    if (state == CONTROL_SERVICE_REMOVED)
        return vault_fail(err, VAULT_CONFLICT, "the service was removed");
    return VAULT_OK;
}

enum vault_code control_service_set_state(struct store *store, const char *id,
                                          enum control_service_state state, struct vault_error *err)
{
    assert(state != CONTROL_SERVICE_REMOVED); /* control_service_remove() */
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(check_not_removed(control.database, id, err));
    VAULT_TRY(service_put_state(control.database, id, state, err));
    store->service_generation++;
    return transaction_commit(&change, err);
}

static enum vault_code service_put_json(struct database *control, const char *id, struct bytes json,
                                        struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control, "UPDATE service SET json = ?2 WHERE id = ?1", &update, err));
    bind_text(&update, 1, id);
    bind_text_bytes(&update, 2, json);
    return statement_run(&update, err);
}

enum vault_code control_service_remove(struct store *store, const char *id, struct bytes json,
                                       struct vault_error *err)
{
    VAULT_TRY(size_check(json.size, 1, CONTROL_SERVICE_JSON_MAX_BYTES, "a registration", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(check_not_removed(control.database, id, err));
    VAULT_TRY(service_put_json(control.database, id, json, err));
    VAULT_TRY(service_put_state(control.database, id, CONTROL_SERVICE_REMOVED, err));
    VAULT_TRY(request_cancel_all(control.database, id, err));
    store->service_generation++;
    return transaction_commit(&change, err);
}

enum vault_code control_service_get(struct store *store, const char *id, struct buf *json,
                                    enum control_service_state *state, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database, "SELECT json, state FROM service WHERE id = ?1",
                              &query, err));
    bind_text(&query, 1, id);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return no_such_service(err);
    buf_bytes(json, column_bytes(&query, 0));
    VAULT_TRY(buf_check(json, err));
    *state = column_small(&query, 1);
    return VAULT_OK;
}

enum vault_code control_service_list(struct store *store, control_service_each *each, void *context,
                                     struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database, "SELECT id, json, state FROM service ORDER BY id",
                              &query, err));
    for (;;) {
        bool row = false;
        char id[CONTROL_SERVICE_ID_CHARS + 1];
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        column_text(&query, 0, id, sizeof id);
        const struct control_service service = {id, column_bytes(&query, 1),
                                                column_small(&query, 2)};
        VAULT_TRY(each(context, &service, err));
    }
}

/* The owner exists, and has room for one more. */
static enum vault_code check_owner(struct database *control,
                                   const struct control_certificate *certificate,
                                   struct vault_error *err)
{
    int64_t state = 0;
    int64_t count = 0;
    if (certificate->kind == CONTROL_CERTIFICATE_SERVICE) {
        VAULT_TRY(service_state(control, certificate->owner, &state, err));
        if (state == CONTROL_SERVICE_REMOVED)
            return no_such_service(err);
    }
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(
        control, "SELECT count(*) FROM certificate WHERE kind = ?1 AND owner = ?2", &query, err));
    bind_integer(&query, 1, certificate->kind);
    bind_text(&query, 2, certificate->owner);
    VAULT_TRY(read_number(&query, &count, err));
    if (count >= CONTROL_CERTIFICATES_MAX)
        return vault_fail(err, VAULT_LIMITED, "there are at most %d certificates of one owner",
                          CONTROL_CERTIFICATES_MAX);
    return VAULT_OK;
}

static enum vault_code certificate_insert(struct database *control,
                                          const struct control_certificate *certificate,
                                          struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO certificate"
                              " (kind, spki, owner, state, added_s, expires_s)"
                              " VALUES (?1, ?2, ?3, 1, ?4, ?5)",
                              &insert, err));
    bind_integer(&insert, 1, certificate->kind);
    bind_blob(&insert, 2, certificate->spki, sizeof certificate->spki);
    bind_text(&insert, 3, certificate->owner);
    bind_integer(&insert, 4, certificate->added_s);
    bind_integer(&insert, 5, certificate->expires_s);
    const enum vault_code code = statement_run(&insert, err);
    if (code == VAULT_CONFLICT)
        return vault_fail(err, VAULT_CONFLICT,
                          "a certificate with this key is known already: make a new key");
    return code;
}

enum vault_code control_certificate_add(struct store *store,
                                        const struct control_certificate *certificate,
                                        struct vault_error *err)
{
    VAULT_TRY(text_check(certificate->owner, 1, CONTROL_SERVICE_ID_CHARS, "an owner", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(check_owner(control.database, certificate, err));
    VAULT_TRY(certificate_insert(control.database, certificate, err));
    store->service_generation++;
    return transaction_commit(&change, err);
}

enum vault_code control_certificate_revoke(struct store *store, enum control_certificate_kind kind,
                                           const uint8_t spki[SHA256_BYTES],
                                           struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database,
                              "UPDATE certificate SET state = 2 WHERE kind = ?1 AND spki = ?2",
                              &update, err));
    bind_integer(&update, 1, kind);
    bind_blob(&update, 2, spki, SHA256_BYTES);
    store->service_generation++;
    VAULT_TRY(statement_run(&update, err));
    return database_changes(control.database) == 1 ? VAULT_OK : no_such_certificate(err);
}

enum vault_code control_certificate_extend(struct store *store, enum control_certificate_kind kind,
                                           const uint8_t spki[SHA256_BYTES], int64_t expires_s,
                                           struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(
        control.database,
        "UPDATE certificate SET expires_s = ?3 WHERE kind = ?1 AND spki = ?2 AND state = 1",
        &update, err));
    bind_integer(&update, 1, kind);
    bind_blob(&update, 2, spki, SHA256_BYTES);
    bind_integer(&update, 3, expires_s);
    store->service_generation++;
    VAULT_TRY(statement_run(&update, err));
    return database_changes(control.database) == 1 ? VAULT_OK : no_such_certificate(err);
}

/* Rows of kind, spki, owner, state, added_s, expires_s. */
static void certificate_read(const struct statement *query, struct control_certificate *out)
{
    out->kind = column_small(query, 0);
    column_blob(query, 1, out->spki, sizeof out->spki);
    column_text(query, 2, out->owner, sizeof out->owner);
    out->state = column_small(query, 3);
    out->added_s = column_integer(query, 4);
    out->expires_s = column_integer(query, 5);
}

enum vault_code control_certificate_find(struct store *store, enum control_certificate_kind kind,
                                         const uint8_t spki[SHA256_BYTES],
                                         struct control_certificate *out, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT kind, spki, owner, state, added_s, expires_s"
                              " FROM certificate WHERE kind = ?1 AND spki = ?2",
                              &query, err));
    bind_integer(&query, 1, kind);
    bind_blob(&query, 2, spki, SHA256_BYTES);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return no_such_certificate(err);
    certificate_read(&query, out);
    return VAULT_OK;
}

enum vault_code control_certificate_list(struct store *store, enum control_certificate_kind kind,
                                         const char *owner, control_certificate_each *each,
                                         void *context, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT kind, spki, owner, state, added_s, expires_s"
                              " FROM certificate WHERE kind = ?1 AND (?2 IS NULL OR owner = ?2)"
                              " ORDER BY owner, added_s",
                              &query, err));
    bind_integer(&query, 1, kind);
    bind_text(&query, 2, owner);
    for (;;) {
        bool row = false;
        struct control_certificate certificate;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        certificate_read(&query, &certificate);
        VAULT_TRY(each(context, &certificate, err));
    }
}
