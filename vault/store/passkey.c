#include "vault/store/passkey.h"

#include <string.h>

#include "internal.h"

#define COLUMNS                                                                                    \
    "credential, citizen, user, algorithm, key, sign_count, name, created_s, used_s, challenge_ms"

static enum vault_code no_such_passkey(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such passkey");
}

struct bytes passkey_credential(const struct passkey *passkey)
{
    return (struct bytes){passkey->credential, passkey->credential_bytes};
}

static enum vault_code passkey_check(const struct passkey *passkey, struct vault_error *err)
{
    VAULT_TRY(size_check(passkey->credential_bytes, 1, PASSKEY_CREDENTIAL_BYTES,
                         "a passkey's credential", err));
    VAULT_TRY(size_check(passkey->key_bytes, 1, PASSKEY_KEY_BYTES, "a passkey's key", err));
    return text_check(passkey->name, 0, PASSKEY_NAME_BYTES, "a passkey's name", err);
}

static enum vault_code check_room(struct database *control, const struct citizen_id *citizen,
                                  struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(
        statement_begin(control, "SELECT count(*) FROM passkey WHERE citizen = ?1", &query, err));
    bind_blob(&query, 1, citizen->bytes, sizeof citizen->bytes);
    VAULT_TRY(statement_next(&query, &row, err));
    if (column_integer(&query, 0) >= PASSKEYS_PER_CITIZEN)
        return vault_fail(err, VAULT_LIMITED, "a citizen has at most %d passkeys",
                          PASSKEYS_PER_CITIZEN);
    return VAULT_OK;
}

static enum vault_code passkey_insert(struct database *control, const struct passkey *passkey,
                                      struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO passkey (" COLUMNS ")"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9)",
                              &insert, err));
    bind_bytes(&insert, 1, passkey_credential(passkey));
    bind_blob(&insert, 2, passkey->citizen.bytes, sizeof passkey->citizen.bytes);
    bind_blob(&insert, 3, passkey->user, sizeof passkey->user);
    bind_integer(&insert, 4, passkey->algorithm);
    bind_blob(&insert, 5, passkey->key, passkey->key_bytes);
    bind_integer(&insert, 6, passkey->sign_count);
    bind_text(&insert, 7, passkey->name);
    bind_integer(&insert, 8, passkey->created_s);
    bind_integer(&insert, 9, passkey->challenge_ms);
    const enum vault_code code = statement_run(&insert, err);
    if (code == VAULT_CONFLICT)
        return vault_fail(err, VAULT_CONFLICT, "the passkey is known already");
    return code;
}

enum vault_code passkey_add(struct store *store, const struct passkey *passkey,
                            struct vault_error *err)
{
    VAULT_TRY(passkey_check(passkey, err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(control_citizen_check(control.database, &passkey->citizen, err));
    VAULT_TRY(check_room(control.database, &passkey->citizen, err));
    VAULT_TRY(passkey_insert(control.database, passkey, err));
    return transaction_commit(&change, err);
}

/* Copy a blob of up to room bytes; its size. What is longer was never put in. */
static size_t column_some(const struct statement *query, int column, uint8_t *out, size_t room)
{
    const struct bytes value = column_bytes(query, column);
    const size_t size = value.size <= room ? value.size : 0;
    if (size)
        memcpy(out, value.data, size);
    return size;
}

/* Rows of COLUMNS. */
static void passkey_read(const struct statement *query, struct passkey *out)
{
    out->credential_bytes = column_some(query, 0, out->credential, sizeof out->credential);
    column_blob(query, 1, out->citizen.bytes, sizeof out->citizen.bytes);
    column_blob(query, 2, out->user, sizeof out->user);
    out->algorithm = (int)column_integer(query, 3);
    out->key_bytes = column_some(query, 4, out->key, sizeof out->key);
    out->sign_count = (uint32_t)column_integer(query, 5);
    column_text(query, 6, out->name, sizeof out->name);
    out->created_s = column_integer(query, 7);
    out->used_s = column_integer(query, 8);
    out->challenge_ms = column_integer(query, 9);
}

enum vault_code passkey_find(struct store *store, struct bytes credential, struct passkey *out,
                             struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(
        control.database, "SELECT " COLUMNS " FROM passkey WHERE credential = ?1", &query, err));
    bind_bytes(&query, 1, credential);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return no_such_passkey(err);
    passkey_read(&query, out);
    return VAULT_OK;
}

enum vault_code passkey_used(struct store *store, struct bytes credential, int64_t challenge_ms,
                             uint32_t sign_count, int64_t now_s, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database,
                              "UPDATE passkey SET challenge_ms = ?2, sign_count = ?3, used_s = ?4"
                              " WHERE credential = ?1 AND challenge_ms < ?2"
                              " AND (sign_count < ?3 OR (sign_count = 0 AND ?3 = 0))",
                              &update, err));
    bind_bytes(&update, 1, credential);
    bind_integer(&update, 2, challenge_ms);
    bind_integer(&update, 3, sign_count);
    bind_integer(&update, 4, now_s);
    VAULT_TRY(statement_run(&update, err));
    if (database_changes(control.database) == 1)
        return VAULT_OK;
    return vault_fail(err, VAULT_CONFLICT,
                      "the challenge was answered before, or the passkey's counter went back");
}

/* Run a statement on one of a citizen's: ?1 the credential, ?2 the citizen, ?3 a text. */
static enum vault_code passkey_run(struct store *store, const char *sql,
                                   const struct citizen_id *citizen, struct bytes credential,
                                   const char *text, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement statement = {0};
    VAULT_TRY(statement_begin(control.database, sql, &statement, err));
    bind_bytes(&statement, 1, credential);
    bind_blob(&statement, 2, citizen->bytes, sizeof citizen->bytes);
    bind_text(&statement, 3, text);
    VAULT_TRY(statement_run(&statement, err));
    return database_changes(control.database) == 1 ? VAULT_OK : no_such_passkey(err);
}

enum vault_code passkey_rename(struct store *store, const struct citizen_id *citizen,
                               struct bytes credential, const char *name, struct vault_error *err)
{
    VAULT_TRY(text_check(name, 0, PASSKEY_NAME_BYTES, "a passkey's name", err));
    return passkey_run(store, "UPDATE passkey SET name = ?3 WHERE credential = ?1 AND citizen = ?2",
                       citizen, credential, name, err);
}

enum vault_code passkey_remove(struct store *store, const struct citizen_id *citizen,
                               struct bytes credential, struct vault_error *err)
{
    return passkey_run(store,
                       "DELETE FROM passkey WHERE credential = ?1 AND citizen = ?2 AND ?3 IS NULL",
                       citizen, credential, NULL, err);
}

enum vault_code passkey_list(struct store *store, const struct citizen_id *citizen,
                             passkey_each *each, void *context, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT " COLUMNS " FROM passkey WHERE citizen = ?1"
                              " ORDER BY created_s, credential",
                              &query, err));
    bind_blob(&query, 1, citizen->bytes, sizeof citizen->bytes);
    for (;;) {
        bool row = false;
        struct passkey passkey;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        passkey_read(&query, &passkey);
        VAULT_TRY(each(context, &passkey, err));
    }
}

enum vault_code passkey_forget(struct database *control, const struct citizen_id *citizen,
                               struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control, "DELETE FROM passkey WHERE citizen = ?1", &remove, err));
    bind_blob(&remove, 1, citizen->bytes, sizeof citizen->bytes);
    return statement_run(&remove, err);
}
