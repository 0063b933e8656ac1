#include "vault/store/sign_in_code.h"

#include <assert.h>

#include "internal.h"

static enum vault_code remove_kind(struct database *control, const struct citizen_id *citizen,
                                   enum sign_in_code_kind kind, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control, "DELETE FROM sign_in_code WHERE citizen = ?1 AND kind = ?2",
                              &remove, err));
    bind_blob(&remove, 1, citizen->bytes, sizeof citizen->bytes);
    bind_integer(&remove, 2, kind);
    return statement_run(&remove, err);
}

static enum vault_code insert_one(struct database *control, const struct citizen_id *citizen,
                                  enum sign_in_code_kind kind, const uint8_t hash[SHA256_BYTES],
                                  int64_t expires_s, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT INTO sign_in_code (hash, citizen, kind, expires_s)"
                              " VALUES (?1, ?2, ?3, ?4)",
                              &insert, err));
    bind_blob(&insert, 1, hash, SHA256_BYTES);
    bind_blob(&insert, 2, citizen->bytes, sizeof citizen->bytes);
    bind_integer(&insert, 3, kind);
    bind_integer(&insert, 4, expires_s);
    return statement_run(&insert, err);
}

enum vault_code sign_in_codes_set(struct store *store, const struct citizen_id *citizen,
                                  enum sign_in_code_kind kind,
                                  const uint8_t (*hashes)[SHA256_BYTES], size_t count,
                                  int64_t expires_s, struct vault_error *err)
{
    assert(count <= SIGN_IN_CODES_MAX);
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(control_citizen_check(control.database, citizen, err));
    VAULT_TRY(remove_kind(control.database, citizen, kind, err));
    for (size_t i = 0; i < count; i++)
        VAULT_TRY(insert_one(control.database, citizen, kind, hashes[i], expires_s, err));
    return transaction_commit(&change, err);
}

static enum vault_code count_kind(struct database *control, const struct citizen_id *citizen,
                                  enum sign_in_code_kind kind, uint64_t *count,
                                  struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control,
                              "SELECT count(*) FROM sign_in_code WHERE citizen = ?1 AND kind = ?2",
                              &query, err));
    bind_blob(&query, 1, citizen->bytes, sizeof citizen->bytes);
    bind_integer(&query, 2, kind);
    VAULT_TRY(statement_next(&query, &row, err));
    *count = (uint64_t)column_integer(&query, 0);
    return VAULT_OK;
}

/* Take one out, and say whose it was. */
static enum vault_code take(struct database *control, enum sign_in_code_kind kind,
                            const uint8_t hash[SHA256_BYTES], const struct citizen_id *owner,
                            int64_t now_s, struct citizen_id *citizen, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control,
                              "DELETE FROM sign_in_code WHERE hash = ?1 AND kind = ?2"
                              " AND expires_s > ?3 AND (?4 IS NULL OR citizen = ?4)"
                              " RETURNING citizen",
                              &remove, err));
    bind_blob(&remove, 1, hash, SHA256_BYTES);
    bind_integer(&remove, 2, kind);
    bind_integer(&remove, 3, now_s);
    bind_blob(&remove, 4, owner ? owner->bytes : NULL, owner ? sizeof owner->bytes : 0);
    VAULT_TRY(statement_next(&remove, &row, err));
    if (!row)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such code");
    column_blob(&remove, 0, citizen->bytes, sizeof citizen->bytes);
    return statement_run(&remove, err);
}

enum vault_code sign_in_code_use(struct store *store, enum sign_in_code_kind kind,
                                 const uint8_t hash[SHA256_BYTES], const struct citizen_id *owner,
                                 int64_t now_s, struct citizen_id *citizen, uint64_t *left,
                                 struct vault_error *err)
{
    struct citizen_id taken;
    uint64_t count = 0;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(take(control.database, kind, hash, owner, now_s, &taken, err));
    VAULT_TRY(count_kind(control.database, &taken, kind, &count, err));
    VAULT_TRY(transaction_commit(&change, err));
    *citizen = taken;
    *left = count;
    return VAULT_OK;
}

enum vault_code sign_in_codes_count(struct store *store, const struct citizen_id *citizen,
                                    enum sign_in_code_kind kind, uint64_t *count,
                                    struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    return count_kind(control.database, citizen, kind, count, err);
}

enum vault_code sign_in_codes_forget(struct database *control, const struct citizen_id *citizen,
                                     struct vault_error *err)
{
    VAULT_TRY(remove_kind(control, citizen, SIGN_IN_CODE_RECOVERY, err));
    return remove_kind(control, citizen, SIGN_IN_CODE_ACTIVATION, err);
}

enum vault_code sign_in_codes_prune(struct store *store, int64_t now_s, struct slice *slice,
                                    struct vault_error *err)
{
    static const struct slice_statements sql = {
        "SELECT hash FROM sign_in_code WHERE hash > ?1 ORDER BY hash LIMIT 1 OFFSET ?2",
        "DELETE FROM sign_in_code WHERE hash > ?1 AND (?2 IS NULL OR hash <= ?2)"
        " AND expires_s <= ?3",
    };
    return slice_prune(store, &sql, now_s, slice, err);
}
