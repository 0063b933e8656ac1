#include "vault/store/passkey.h"

#include <string.h>

#include "internal.h"

#define COLUMNS                                                                                    \
    "credential, citizen, mediator, user, algorithm, key, sign_count, name, created_s, used_s,"    \
    " challenge_ms"

/* Statements about an owner's passkeys have their citizen as ?1 and their mediator as ?2, of which
 * one is NULL. */
#define OF_OWNER "citizen IS ?1 AND mediator IS ?2"

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

static struct passkey_owner owner_of(const struct passkey *passkey)
{
    const bool of_mediator = passkey->mediator[0] != 0;
    return (struct passkey_owner){of_mediator ? NULL : &passkey->citizen,
                                  of_mediator ? passkey->mediator : NULL};
}

static void bind_owner(struct statement *statement, const struct passkey_owner *owner)
{
    if (owner->citizen)
        bind_blob(statement, 1, owner->citizen->bytes, sizeof owner->citizen->bytes);
    bind_text(statement, 2, owner->mediator);
}

static enum vault_code check_room(struct database *control, const struct passkey_owner *owner,
                                  struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(
        statement_begin(control, "SELECT count(*) FROM passkey WHERE " OF_OWNER, &query, err));
    bind_owner(&query, owner);
    VAULT_TRY(statement_next(&query, &row, err));
    if (column_integer(&query, 0) >= PASSKEYS_EACH)
        return vault_fail(err, VAULT_LIMITED, "nobody has more than %d passkeys", PASSKEYS_EACH);
    return VAULT_OK;
}

/* That a mediator's changed; a citizen is told by their log. VAULT_NOT_FOUND if the owner is gone.
 */
static enum vault_code note_change(struct database *control, const struct passkey_owner *owner,
                                   int64_t now_s, struct vault_error *err)
{
    if (owner->citizen)
        return control_citizen_check(control, owner->citizen, err);
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control, "UPDATE mediator SET passkeys_s = ?1 WHERE login = ?2",
                              &update, err));
    bind_integer(&update, 1, now_s);
    bind_text(&update, 2, owner->mediator);
    VAULT_TRY(statement_run(&update, err));
    return database_changes(control)
               ? VAULT_OK
               : vault_fail(err, VAULT_NOT_FOUND, "there is no such mediator");
}

static enum vault_code passkey_insert(struct database *control, const struct passkey *passkey,
                                      const struct passkey_owner *owner, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO passkey (citizen, mediator, credential, user, algorithm,"
                              " key, sign_count, name, created_s, used_s, challenge_ms)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10)",
                              &insert, err));
    bind_owner(&insert, owner);
    bind_bytes(&insert, 3, passkey_credential(passkey));
    bind_blob(&insert, 4, passkey->user, sizeof passkey->user);
    bind_integer(&insert, 5, passkey->algorithm);
    bind_blob(&insert, 6, passkey->key, passkey->key_bytes);
    bind_integer(&insert, 7, passkey->sign_count);
    bind_text(&insert, 8, passkey->name);
    bind_integer(&insert, 9, passkey->created_s);
    bind_integer(&insert, 10, passkey->challenge_ms);
    const enum vault_code code = statement_run(&insert, err);
    if (code == VAULT_CONFLICT)
        return vault_fail(err, VAULT_CONFLICT, "the passkey is known already");
    return code;
}

static enum vault_code put_passkey(struct database *control, const struct passkey *passkey,
                                   struct vault_error *err)
{
    const struct passkey_owner owner = owner_of(passkey);
    VAULT_TRY(note_change(control, &owner, passkey->created_s, err));
    VAULT_TRY(check_room(control, &owner, err));
    return passkey_insert(control, passkey, &owner, err);
}

enum vault_code passkey_add(struct store *store, const struct passkey *passkey,
                            struct vault_error *err)
{
    VAULT_TRY(passkey_check(passkey, err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(put_passkey(control.database, passkey, err));
    return transaction_commit(&change, err);
}

enum vault_code passkey_add_first(struct store *store, const struct passkey *passkey,
                                  const char *password_hash, const uint8_t token_hash[SHA256_BYTES],
                                  struct vault_error *err)
{
    VAULT_TRY(passkey_check(passkey, err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(mediator_end_first(control.database, passkey->mediator, password_hash,
                                 passkey->created_s, token_hash, err));
    VAULT_TRY(put_passkey(control.database, passkey, err));
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
    column_text(query, 2, out->mediator, sizeof out->mediator);
    column_blob(query, 3, out->user, sizeof out->user);
    out->algorithm = (int)column_integer(query, 4);
    out->key_bytes = column_some(query, 5, out->key, sizeof out->key);
    out->sign_count = (uint32_t)column_integer(query, 6);
    column_text(query, 7, out->name, sizeof out->name);
    out->created_s = column_integer(query, 8);
    out->used_s = column_integer(query, 9);
    out->challenge_ms = column_integer(query, 10);
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

/* Run a statement on one of an owner's, whose credential is ?3; ?4 is a text. */
static enum vault_code passkey_run(struct database *control, const char *sql,
                                   const struct passkey_owner *owner, struct bytes credential,
                                   const char *text, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement statement = {0};
    VAULT_TRY(statement_begin(control, sql, &statement, err));
    bind_owner(&statement, owner);
    bind_bytes(&statement, 3, credential);
    bind_text(&statement, 4, text);
    VAULT_TRY(statement_run(&statement, err));
    return database_changes(control) == 1 ? VAULT_OK : no_such_passkey(err);
}

enum vault_code passkey_rename(struct store *store, const struct passkey_owner *owner,
                               struct bytes credential, const char *name, struct vault_error *err)
{
    VAULT_TRY(text_check(name, 0, PASSKEY_NAME_BYTES, "a passkey's name", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    return passkey_run(control.database,
                       "UPDATE passkey SET name = ?4 WHERE credential = ?3 AND " OF_OWNER, owner,
                       credential, name, err);
}

enum vault_code passkey_remove(struct store *store, const struct passkey_owner *owner,
                               struct bytes credential, int64_t now_s, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(passkey_run(control.database,
                          "DELETE FROM passkey WHERE credential = ?3 AND ?4 IS NULL AND " OF_OWNER,
                          owner, credential, NULL, err));
    VAULT_TRY(note_change(control.database, owner, now_s, err));
    return transaction_commit(&change, err);
}

enum vault_code passkey_list(struct store *store, const struct passkey_owner *owner,
                             passkey_each *each, void *context, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT " COLUMNS " FROM passkey WHERE " OF_OWNER
                              " ORDER BY created_s, credential",
                              &query, err));
    bind_owner(&query, owner);
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
