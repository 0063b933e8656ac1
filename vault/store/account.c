#include "vault/store/account.h"

#include "internal.h"

#define COLUMNS                                                                                    \
    "citizen, login, password_hash, language, failed_tries, failed_at_s, first_until_s,"           \
    " wrong_tries, wrong_at_s, before_tries, before_s"

/* A try that succeeds was counted when it was made. */
#define NO_MORE_TRIES                                                                              \
    "failed_tries = 0, wrong_tries = 0, wrong_at_s = 0,"                                           \
    " before_s = iif(wrong_tries > 1, wrong_at_s, before_s),"                                      \
    " before_tries = iif(wrong_tries > 1, wrong_tries - 1, before_tries)"
#define ONE_MORE_TRY "wrong_tries = min(wrong_tries + 1, 4294967295), wrong_at_s = ?2"

static enum vault_code no_such_account(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such account");
}

static enum vault_code account_check(const struct account *account, struct vault_error *err)
{
    VAULT_TRY(text_check(account->login, 1, ACCOUNT_LOGIN_CHARS, "a login", err));
    VAULT_TRY(
        text_check(account->password_hash, 0, PASSWORD_HASH_CHARS - 1, "a password's hash", err));
    return text_check(account->language, 0, ACCOUNT_LANGUAGE_CHARS, "a language", err);
}

static enum vault_code account_insert(struct database *control, const struct account *account,
                                      struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO account (citizen, login, password_hash, language,"
                              " first_until_s) VALUES (?1, ?2, ?3, ?4, ?5)",
                              &insert, err));
    bind_blob(&insert, 1, account->citizen.bytes, sizeof account->citizen.bytes);
    bind_text(&insert, 2, account->login);
    bind_text(&insert, 3, account->password_hash);
    bind_text(&insert, 4, account->language);
    bind_integer(&insert, 5, account->first_until_s);
    const enum vault_code code = statement_run(&insert, err);
    if (code == VAULT_CONFLICT)
        return vault_fail(err, VAULT_CONFLICT,
                          "the login is taken, or the citizen has an account already");
    return code;
}

enum vault_code account_add(struct store *store, const struct account *account,
                            struct vault_error *err)
{
    VAULT_TRY(account_check(account, err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(control_citizen_check(control.database, &account->citizen, err));
    VAULT_TRY(account_insert(control.database, account, err));
    return transaction_commit(&change, err);
}

/* The one row of a query, with everything bound. */
static enum vault_code account_read(struct statement *query, struct account *out,
                                    struct vault_error *err)
{
    bool row = false;
    VAULT_TRY(statement_next(query, &row, err));
    if (!row)
        return no_such_account(err);
    column_blob(query, 0, out->citizen.bytes, sizeof out->citizen.bytes);
    column_text(query, 1, out->login, sizeof out->login);
    column_text(query, 2, out->password_hash, sizeof out->password_hash);
    column_text(query, 3, out->language, sizeof out->language);
    out->failed_tries = (uint32_t)column_integer(query, 4);
    out->failed_at_s = column_integer(query, 5);
    out->first_until_s = column_integer(query, 6);
    out->wrong_tries = (uint32_t)column_integer(query, 7);
    out->wrong_at_s = column_integer(query, 8);
    out->before_tries = (uint32_t)column_integer(query, 9);
    out->before_s = column_integer(query, 10);
    return VAULT_OK;
}

enum vault_code account_by_login(struct store *store, const char *login, struct account *out,
                                 struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database, "SELECT " COLUMNS " FROM account WHERE login = ?1",
                              &query, err));
    bind_text(&query, 1, login);
    return account_read(&query, out, err);
}

enum vault_code account_of_citizen(struct store *store, const struct citizen_id *citizen,
                                   struct account *out, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT " COLUMNS " FROM account WHERE citizen = ?1", &query, err));
    bind_blob(&query, 1, citizen->bytes, sizeof citizen->bytes);
    return account_read(&query, out, err);
}

/* Run an UPDATE of one account: ?1 is the citizen, ?2 the text or, if that is NULL, the number. */
static enum vault_code account_update(struct store *store, const char *sql,
                                      const struct citizen_id *citizen, const char *text,
                                      int64_t number, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database, sql, &update, err));
    bind_blob(&update, 1, citizen->bytes, sizeof citizen->bytes);
    if (text)
        bind_text(&update, 2, text);
    else
        bind_integer(&update, 2, number);
    VAULT_TRY(statement_run(&update, err));
    return database_changes(control.database) == 1 ? VAULT_OK : no_such_account(err);
}

enum vault_code account_set_password(struct store *store, const struct citizen_id *citizen,
                                     const char *password_hash, struct vault_error *err)
{
    VAULT_TRY(text_check(password_hash, 0, PASSWORD_HASH_CHARS - 1, "a password's hash", err));
    return account_update(store,
                          "UPDATE account SET password_hash = ?2, first_until_s = 0,"
                          " failed_at_s = 0, " NO_MORE_TRIES " WHERE citizen = ?1",
                          citizen, password_hash, 0, err);
}

enum vault_code account_set_language(struct store *store, const struct citizen_id *citizen,
                                     const char *language, struct vault_error *err)
{
    VAULT_TRY(text_check(language, 0, ACCOUNT_LANGUAGE_CHARS, "a language", err));
    return account_update(store, "UPDATE account SET language = ?2 WHERE citizen = ?1", citizen,
                          language, 0, err);
}

enum vault_code account_failed(struct store *store, const struct citizen_id *citizen, int64_t now_s,
                               struct vault_error *err)
{
    return account_update(store,
                          "UPDATE account SET failed_tries = min(failed_tries + 1, 4294967295),"
                          " failed_at_s = ?2, " ONE_MORE_TRY " WHERE citizen = ?1",
                          citizen, NULL, now_s, err);
}

enum vault_code account_tried(struct store *store, const struct citizen_id *citizen, int64_t now_s,
                              struct vault_error *err)
{
    return account_update(store, "UPDATE account SET " ONE_MORE_TRY " WHERE citizen = ?1", citizen,
                          NULL, now_s, err);
}

enum vault_code account_succeeded(struct store *store, const struct citizen_id *citizen,
                                  struct vault_error *err)
{
    return account_update(
        store, "UPDATE account SET failed_at_s = ?2, " NO_MORE_TRIES " WHERE citizen = ?1", citizen,
        NULL, 0, err);
}

enum vault_code account_forget(struct database *control, const struct citizen_id *citizen,
                               struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control, "DELETE FROM account WHERE citizen = ?1", &remove, err));
    bind_blob(&remove, 1, citizen->bytes, sizeof citizen->bytes);
    return statement_run(&remove, err);
}
