#include "vault/store/setting.h"

#include "internal.h"

static enum vault_code put_one(struct database *control, const struct setting *setting,
                               struct vault_error *err)
{
    VAULT_TRY(text_check(setting->name, 1, SETTING_NAME_CHARS, "a setting's name", err));
    VAULT_TRY(size_check(setting->value.size, 0, SETTING_VALUE_MAX_BYTES, "a setting", err));
    VAULT_AUTO(statement_end) struct statement put = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO setting (name, value) VALUES (?1, ?2)"
                              " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                              &put, err));
    bind_text(&put, 1, setting->name);
    bind_blob(&put, 2, setting->value.size ? setting->value.data : (const uint8_t *)"",
              setting->value.size);
    return statement_run(&put, err);
}

/* Refuse what made the table grow past its limit. */
static enum vault_code check_count(struct database *control, const char *sql,
                                   struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control, sql, &query, err));
    VAULT_TRY(statement_next(&query, &row, err));
    if (column_integer(&query, 0) > SETTINGS_MAX)
        return vault_fail(err, VAULT_LIMITED, "there are at most %d settings", SETTINGS_MAX);
    return VAULT_OK;
}

enum vault_code setting_put(struct store *store, const struct setting settings[], size_t count,
                            struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    for (size_t i = 0; i < count; i++)
        VAULT_TRY(put_one(control.database, &settings[i], err));
    VAULT_TRY(check_count(control.database, "SELECT count(*) FROM setting", err));
    return transaction_commit(&change, err);
}

enum vault_code setting_get(struct store *store, const char *name, struct buf *out,
                            struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database, "SELECT value FROM setting WHERE name = ?1", &query,
                              err));
    bind_text(&query, 1, name);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return vault_fail(err, VAULT_NOT_FOUND, "the vault has no setting of this name");
    buf_bytes(out, column_bytes(&query, 0));
    return buf_check(out, err);
}

enum vault_code setting_remove(struct store *store, const char *name, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(
        statement_begin(control.database, "DELETE FROM setting WHERE name = ?1", &remove, err));
    bind_text(&remove, 1, name);
    return statement_run(&remove, err);
}

static enum vault_code count_on(struct database *control, const char *name, int64_t add,
                                int64_t *value, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement put = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO counter (name, value) VALUES (?1, ?2)"
                              " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
                              " RETURNING value",
                              &put, err));
    bind_text(&put, 1, name);
    bind_integer(&put, 2, add);
    VAULT_TRY(statement_next(&put, &row, err));
    *value = column_integer(&put, 0);
    return statement_run(&put, err);
}

enum vault_code setting_count(struct store *store, const char *name, int64_t add, int64_t *value,
                              struct vault_error *err)
{
    int64_t counted = 0;
    VAULT_TRY(text_check(name, 1, SETTING_NAME_CHARS, "a counter's name", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(count_on(control.database, name, add, &counted, err));
    VAULT_TRY(check_count(control.database, "SELECT count(*) FROM counter", err));
    VAULT_TRY(transaction_commit(&change, err));
    *value = counted;
    return VAULT_OK;
}
