#include "vault/store/digest.h"

#include <string.h>

#include "internal.h"

#define COLUMNS                                                                                    \
    "citizen, address, language, every_s, confirmed, code_hash, stop, tries, failures, told_n, "   \
    "due_s, urgent_s, urged_s, tried_s"

static enum vault_code no_digest(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "this citizen wants no messages");
}

static enum vault_code digest_check(const struct digest *digest, struct vault_error *err)
{
    VAULT_TRY(size_check(digest->address_bytes, 1, DIGEST_SEALED_MAX_BYTES, "an address", err));
    if (digest->every_s < 1)
        return vault_fail(err, VAULT_INVALID, "there is no time between two messages");
    return text_check(digest->language, 1, ACCOUNT_LANGUAGE_CHARS, "a language", err);
}

static enum vault_code digest_write(struct database *control, const struct digest *digest,
                                    struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement put = {0};
    VAULT_TRY(statement_begin(control,
                              "INSERT OR REPLACE INTO digest (" COLUMNS ")"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
                              " ?14)",
                              &put, err));
    bind_blob(&put, 1, digest->citizen.bytes, sizeof digest->citizen.bytes);
    bind_blob(&put, 2, digest->address, digest->address_bytes);
    bind_text(&put, 3, digest->language);
    bind_integer(&put, 4, digest->every_s);
    bind_integer(&put, 5, digest->confirmed);
    bind_blob(&put, 6, digest->code_hash, sizeof digest->code_hash);
    bind_blob(&put, 7, digest->stop, sizeof digest->stop);
    bind_integer(&put, 8, digest->tries);
    bind_integer(&put, 9, digest->failures);
    bind_integer(&put, 10, (int64_t)digest->told_n);
    bind_integer(&put, 11, digest->due_s);
    bind_integer(&put, 12, digest->urgent_s);
    bind_integer(&put, 13, digest->urged_s);
    bind_integer(&put, 14, digest->tried_s);
    return statement_run(&put, err);
}

enum vault_code digest_put(struct store *store, const struct digest *digest,
                           struct vault_error *err)
{
    VAULT_TRY(digest_check(digest, err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    VAULT_TRY(control_citizen_check(control.database, &digest->citizen, err));
    VAULT_TRY(digest_write(control.database, digest, err));
    return transaction_commit(&change, err);
}

static void digest_read(const struct statement *query, struct digest *out)
{
    const struct bytes address = column_bytes(query, 1);
    *out = (struct digest){.every_s = column_integer(query, 3),
                           .confirmed = column_integer(query, 4) != 0,
                           .tries = (uint32_t)column_integer(query, 7),
                           .failures = (uint32_t)column_integer(query, 8),
                           .told_n = (uint64_t)column_integer(query, 9),
                           .due_s = column_integer(query, 10),
                           .urgent_s = column_integer(query, 11),
                           .urged_s = column_integer(query, 12),
                           .tried_s = column_integer(query, 13)};
    column_blob(query, 0, out->citizen.bytes, sizeof out->citizen.bytes);
    out->address_bytes = address.size < sizeof out->address ? address.size : sizeof out->address;
    memcpy(out->address, address.data, out->address_bytes);
    column_text(query, 2, out->language, sizeof out->language);
    column_blob(query, 5, out->code_hash, sizeof out->code_hash);
    column_blob(query, 6, out->stop, sizeof out->stop);
}

enum vault_code digest_get(struct store *store, const struct citizen_id *citizen,
                           struct digest *out, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database, "SELECT " COLUMNS " FROM digest WHERE citizen = ?1",
                              &query, err));
    bind_blob(&query, 1, citizen->bytes, sizeof citizen->bytes);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return no_digest(err);
    digest_read(&query, out);
    return VAULT_OK;
}

enum vault_code digest_forget(struct database *control, const struct citizen_id *citizen,
                              struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control, "DELETE FROM digest WHERE citizen = ?1", &remove, err));
    bind_blob(&remove, 1, citizen->bytes, sizeof citizen->bytes);
    return statement_run(&remove, err);
}

enum vault_code digest_drop(struct store *store, const struct citizen_id *citizen,
                            struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    return digest_forget(control.database, citizen, err);
}

enum vault_code digest_drop_named(struct store *store, const uint8_t stop[DIGEST_STOP_BYTES],
                                  struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(
        statement_begin(control.database, "DELETE FROM digest WHERE stop = ?1", &remove, err));
    bind_blob(&remove, 1, stop, DIGEST_STOP_BYTES);
    return statement_run(&remove, err);
}

enum vault_code digest_drop_unused(struct store *store, int64_t now_s, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(
        control.database, "DELETE FROM digest WHERE confirmed = 0 AND due_s <= ?1", &remove, err));
    bind_integer(&remove, 1, now_s);
    return statement_run(&remove, err);
}

enum vault_code digest_drop_all(struct store *store, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(control.database, "DELETE FROM digest", &remove, err));
    return statement_run(&remove, err);
}

/* The rows that a query of ?1, now, and ?2, how many, finds. */
static enum vault_code list_due(struct store *store, const char *sql, int64_t now_s,
                                struct digest out[], size_t limit, size_t *count,
                                struct vault_error *err)
{
    bool row = false;
    size_t found = 0;
    VAULT_TRY(size_check(limit, 1, DIGEST_DUE_MAX, "a list of messages that are due", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database, sql, &query, err));
    bind_integer(&query, 1, now_s);
    bind_integer(&query, 2, (int64_t)limit);
    VAULT_TRY(statement_next(&query, &row, err));
    while (row && found < limit) {
        digest_read(&query, &out[found++]);
        VAULT_TRY(statement_next(&query, &row, err));
    }
    *count = found;
    return VAULT_OK;
}

enum vault_code digest_due(struct store *store, int64_t now_s, struct digest out[], size_t limit,
                           size_t *count, struct vault_error *err)
{
    return list_due(store,
                    "SELECT " COLUMNS " FROM digest WHERE confirmed = 1 AND due_s <= ?1"
                    " ORDER BY due_s, citizen LIMIT ?2",
                    now_s, out, limit, count, err);
}

enum vault_code digest_urgent(struct store *store, int64_t now_s, struct digest out[], size_t limit,
                              size_t *count, struct vault_error *err)
{
    return list_due(store,
                    "SELECT " COLUMNS " FROM digest"
                    " WHERE confirmed = 1 AND urgent_s > 0 AND urgent_s <= ?1"
                    " ORDER BY urgent_s, citizen LIMIT ?2",
                    now_s, out, limit, count, err);
}

/* Run an UPDATE of a row that is still what it was: ?1 and ?2 say which, and the values follow. */
static enum vault_code update_row(struct store *store, const char *sql, const struct digest *digest,
                                  const int64_t values[], size_t count, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database, sql, &update, err));
    bind_blob(&update, 1, digest->citizen.bytes, sizeof digest->citizen.bytes);
    bind_blob(&update, 2, digest->stop, sizeof digest->stop);
    for (size_t i = 0; i < count; i++)
        bind_integer(&update, (int)i + 3, values[i]);
    VAULT_TRY(statement_run(&update, err));
    return database_changes(control.database) == 1 ? VAULT_OK : no_digest(err);
}

enum vault_code digest_note(struct store *store, const struct digest *digest,
                            struct vault_error *err)
{
    const int64_t values[] = {(int64_t)digest->told_n, digest->failures, digest->due_s};
    return update_row(store,
                      "UPDATE digest SET told_n = ?3, failures = ?4, due_s = ?5"
                      " WHERE citizen = ?1 AND stop = ?2 AND confirmed = 1",
                      digest, values, 3, err);
}

enum vault_code digest_note_urgent(struct store *store, const struct digest *digest,
                                   struct vault_error *err)
{
    const int64_t values[] = {digest->urgent_s, digest->urged_s};
    return update_row(store,
                      "UPDATE digest SET urgent_s = ?3, urged_s = ?4"
                      " WHERE citizen = ?1 AND stop = ?2 AND confirmed = 1",
                      digest, values, 2, err);
}

enum vault_code digest_urge(struct store *store, const struct citizen_id *citizen, int64_t now_s,
                            int64_t gap_s, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control.database,
                              "UPDATE digest SET urgent_s = max(?2, urged_s + ?3)"
                              " WHERE citizen = ?1 AND confirmed = 1 AND urgent_s = 0",
                              &update, err));
    bind_blob(&update, 1, citizen->bytes, sizeof citizen->bytes);
    bind_integer(&update, 2, now_s);
    bind_integer(&update, 3, gap_s);
    return statement_run(&update, err);
}

enum vault_code digest_urge_tried(struct store *store, uint32_t tries, int64_t now_s, int64_t gap_s,
                                  int64_t tried_gap_s, struct vault_error *err)
{
    VAULT_TRY(size_check(tries, 1, UINT32_MAX, "a number of wrong tries", err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(
        control.database,
        "UPDATE digest SET urgent_s = iif(urgent_s > 0, urgent_s, max(?2, urged_s + ?3)),"
        " tried_s = ?2 FROM account AS a"
        " WHERE a.wrong_tries > 0 AND a.wrong_tries >= ?1 AND digest.citizen = a.citizen"
        " AND confirmed = 1 AND tried_s + ?4 <= ?2 AND a.wrong_at_s > tried_s",
        &update, err));
    bind_integer(&update, 1, tries);
    bind_integer(&update, 2, now_s);
    bind_integer(&update, 3, gap_s);
    bind_integer(&update, 4, tried_gap_s);
    return statement_run(&update, err);
}
