#include "vault/store/citizen_key.h"

#include <stdlib.h>
#include <string.h>

#include "citizen_file.h"
#include "internal.h"

/* --- Two slots ------------------------------------------------------------------------------ */

/* The rows that both slots' ends share: the next key is the one that was seen, so that nothing is
 * lost if somebody else was here. */
static enum vault_code end_next(struct store *store, const struct control_key *key, bool promote,
                                struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(promote ? statement_begin(control.database,
                                        "UPDATE citizen SET wrapped = next_wrapped,"
                                        " key_version = key_version + 1, next_wrapped = NULL"
                                        " WHERE id = ?1 AND state = 2 AND key_version = ?2"
                                        " AND next_wrapped IS NOT NULL",
                                        &update, err)
                      : statement_begin(control.database,
                                        "UPDATE citizen SET next_wrapped = NULL"
                                        " WHERE id = ?1 AND state = 2 AND key_version = ?2",
                                        &update, err));
    bind_blob(&update, 1, key->id.bytes, sizeof key->id.bytes);
    bind_integer(&update, 2, key->version);
    VAULT_TRY(statement_run(&update, err));
    statement_end(&update);
    /* The key that lost is zeros in the file, but the log may still have it. */
    return database_checkpoint(control.database, err);
}

/* Read the citizen's slots, or the decoy's, and unwrap them in one hold: between reading and
 * unwrapping the root that wrapped them must not be dropped. */
static enum vault_code read_slots(struct store *store, const struct citizen_id *id,
                                  struct citizen_slots *out, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    const enum vault_code found = control_key_read(control.database, id, &out->key, err);
    if (found && found != VAULT_NOT_FOUND)
        return found;
    out->exists = found == VAULT_OK;
    if (!out->exists)
        out->key = store->nobody;
    VAULT_TRY(citizen_keys_of(store->keyring, &out->key, &out->current, err));
    if (!out->key.has_next)
        return VAULT_OK;
    struct control_key next = out->key;
    next.version++;
    memcpy(next.wrapped, out->key.next_wrapped, sizeof next.wrapped);
    return citizen_keys_of(store->keyring, &next, &out->next, err);
}

void citizen_slots_free(struct citizen_slots *slots)
{
    citizen_keys_free(&slots->current);
    citizen_keys_free(&slots->next);
}

/* The file is under one of the two keys. */
static enum vault_code open_either(struct store *store, struct citizen_slots *slots,
                                   struct database **out, struct vault_error *err)
{
    VAULT_AUTO(database_close) struct database *database = NULL;
    const struct citizen_id *id = &slots->key.id;
    const enum vault_code code =
        citizen_file_open(store->dir, id, slots->current.file, &database, err);
    if (code && code != VAULT_CORRUPT)
        return code;
    const bool promote = code == VAULT_CORRUPT;
    if (promote) {
        VAULT_TRY(citizen_file_open(store->dir, id, slots->next.file, &database, err));
        citizen_keys_free(&slots->current);
        slots->current = slots->next;
        slots->next = (struct citizen_keys){0};
    }
    VAULT_TRY(end_next(store, &slots->key, promote, err));
    slots->key.version += promote ? 1 : 0;
    *out = VAULT_TAKE(database);
    return VAULT_OK;
}

enum vault_code citizen_open_slots(struct store *store, const struct citizen_id *id,
                                   struct citizen_slots *slots, struct database **out,
                                   struct vault_error *err)
{
    VAULT_TRY(read_slots(store, id, slots, err));
    if (slots->key.has_next)
        return open_either(store, slots, out, err);
    return citizen_file_open(store->dir, &slots->key.id, slots->current.file, out, err);
}

/* --- A new key for one citizen -------------------------------------------------------------- */

static enum vault_code put_next(struct database *control, const struct control_key *next,
                                struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(control,
                              "UPDATE citizen SET next_wrapped = ?3"
                              " WHERE id = ?1 AND state = 2 AND key_version = ?2",
                              &update, err));
    bind_blob(&update, 1, next->id.bytes, sizeof next->id.bytes);
    bind_integer(&update, 2, (int64_t)next->version - 1);
    bind_blob(&update, 3, next->wrapped, sizeof next->wrapped);
    VAULT_TRY(statement_run(&update, err));
    if (database_changes(control) != 1)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such citizen");
    return VAULT_OK;
}

/* Store the next key; *version is its own. */
static enum vault_code begin_next(struct store *store, const struct citizen_id *id,
                                  struct citizen_keys *keys, uint32_t *version,
                                  struct vault_error *err)
{
    struct control_key now;
    struct control_key next;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_TRY(control_key_read(control.database, id, &now, err));
    VAULT_TRY(citizen_keys_new(store->keyring, id, now.version + 1, &next, keys, err));
    *version = next.version;
    return put_next(control.database, &next, err);
}

/* Append the keys that sealed for the citizen before. */
static enum vault_code read_former_seals(struct database *file, struct buf *out,
                                         struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(file, "SELECT former_seals FROM about", &query, err));
    VAULT_TRY(statement_next(&query, &row, err));
    buf_bytes(out, column_bytes(&query, 0));
    return buf_check(out, err);
}

/* What was sealed under the key that goes stays readable. */
static enum vault_code keep_seal_key(struct citizen *citizen, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf keys = buf_limited(CITIZEN_REKEYS_MAX * SECRET_KEY_BYTES);
    const enum vault_code code = read_former_seals(citizen->database, &keys, err);
    buf_bytes(&keys, secret_view(citizen->seal_key));
    if (code == VAULT_TOO_LARGE || keys.problem == VAULT_TOO_LARGE)
        return vault_fail(err, VAULT_LIMITED, "a citizen's key can be replaced %d times",
                          CITIZEN_REKEYS_MAX);
    VAULT_TRY(code);
    VAULT_TRY(buf_check(&keys, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(
        statement_begin(citizen->database, "UPDATE about SET former_seals = ?1", &update, err));
    bind_bytes(&update, 1, buf_view(&keys));
    return statement_run(&update, err);
}

/* SQLCipher does not say whether writing the file anew worked: which key opens it then, does. */
static enum vault_code write_anew(struct citizen *citizen, const struct citizen_keys *keys,
                                  uint32_t version, struct vault_error *err)
{
    VAULT_TRY(keep_seal_key(citizen, err));
    const enum vault_code code = database_rekey(citizen->database, keys->file, err);
    struct store *store = citizen->store;
    const struct citizen_id id = citizen->id;
    handles_shut(citizen);
    VAULT_TRY(code);
    VAULT_AUTO(citizen_slots_free) struct citizen_slots slots = {0};
    VAULT_AUTO(database_close) struct database *database = NULL;
    VAULT_TRY(citizen_open_slots(store, &id, &slots, &database, err));
    if (!slots.exists || slots.key.version != version)
        return vault_fail(err, VAULT_IO,
                          "a citizen's file could not be written anew; it is under its former key: "
                          "is the disk full?");
    return VAULT_OK;
}

enum vault_code citizen_rekey_wait(struct store *store, const struct citizen_id *id,
                                   struct vault_error *err)
{
    struct control_key now;
    VAULT_AUTO(citizen_keys_free) struct citizen_keys keys = {0};
    VAULT_TRY(control_key_find(store, id, &now, err));
    const enum vault_code code = citizen_keys_of_each(store->keyring, &now, &keys, err);
    /* What else is wrong with the key, or was for a moment, is seen with the store held. */
    return code == VAULT_UNAVAILABLE ? code : VAULT_OK;
}

enum vault_code citizen_rekey(struct store *store, const struct citizen_id *id,
                              struct vault_error *err)
{
    uint32_t version = 0;
    VAULT_AUTO(citizen_keys_free) struct citizen_keys keys = {0};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(citizen_acquire(store, id, &citizen, err));
    VAULT_TRY(citizen_check_writable(citizen, err));
    VAULT_TRY(begin_next(store, id, &keys, &version, err));
    const enum vault_code code = write_anew(citizen, &keys, version, err);
    handles_shut(citizen); /* whoever comes next finds out which key it is */
    return code;
}

/* --- Sealed for the citizen ----------------------------------------------------------------- */

static enum vault_code open_by_former(struct citizen *citizen, struct bytes associated,
                                      struct bytes sealed, struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf keys = buf_limited(CITIZEN_REKEYS_MAX * SECRET_KEY_BYTES);
    VAULT_TRY(read_former_seals(citizen->database, &keys, err));
    for (size_t end = keys.size; end >= SECRET_KEY_BYTES; end -= SECRET_KEY_BYTES) {
        VAULT_AUTO(secret_free) struct secret *key = NULL;
        const struct bytes raw = {keys.data + end - SECRET_KEY_BYTES, SECRET_KEY_BYTES};
        VAULT_TRY(secret_copy(raw, &key, err));
        if (seal_open(key, associated, sealed, out, NULL) == VAULT_OK)
            return VAULT_OK;
    }
    return vault_fail(err, VAULT_CORRUPT,
                      "what was sealed for a citizen opens with no key of theirs");
}

enum vault_code citizen_open_sealed(struct citizen *citizen, struct bytes associated,
                                    struct bytes sealed, struct buf *out, struct vault_error *err)
{
    const enum vault_code code = seal_open(citizen->seal_key, associated, sealed, out, err);
    return code == VAULT_CORRUPT ? open_by_former(citizen, associated, sealed, out, err) : code;
}

/* --- Wrapped again -------------------------------------------------------------------------- */

static enum vault_code rewrap_one(const struct keyring *keyring, const struct citizen_id *id,
                                  uint32_t version, uint8_t wrapped[KEYRING_WRAPPED_BYTES],
                                  struct vault_error *err)
{
    const struct keyring_binding binding = citizen_key_binding(id, version);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(KEYRING_WRAPPED_BYTES);
    VAULT_TRY(keyring_rewrap(keyring, &binding, (struct bytes){wrapped, KEYRING_WRAPPED_BYTES},
                             &text, err));
    memcpy(wrapped, text.data, KEYRING_WRAPPED_BYTES);
    return VAULT_OK;
}

static bool is_former(uint32_t root_version, const uint8_t wrapped[KEYRING_WRAPPED_BYTES])
{
    return keyring_wrapped_by((struct bytes){wrapped, KEYRING_WRAPPED_BYTES}) != root_version;
}

static enum vault_code rewrap_row(struct store *store, struct database *control,
                                  struct control_key *key, uint32_t root_version, bool *changed,
                                  struct vault_error *err)
{
    const bool next_is_former = key->has_next && is_former(root_version, key->next_wrapped);
    *changed = next_is_former || is_former(root_version, key->wrapped);
    if (!*changed)
        return VAULT_OK;
    VAULT_TRY(rewrap_one(store->keyring, &key->id, key->version, key->wrapped, err));
    if (next_is_former)
        VAULT_TRY(rewrap_one(store->keyring, &key->id, key->version + 1, key->next_wrapped, err));
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(
        control, "UPDATE citizen SET wrapped = ?2, next_wrapped = ?3 WHERE id = ?1", &update, err));
    bind_blob(&update, 1, key->id.bytes, sizeof key->id.bytes);
    bind_blob(&update, 2, key->wrapped, sizeof key->wrapped);
    bind_bytes(&update, 3,
               (struct bytes){key->has_next ? key->next_wrapped : NULL,
                              key->has_next ? sizeof key->next_wrapped : 0});
    return statement_run(&update, err);
}

/* The next rows by id. Erased ones have no key; they are passed over, but seen. */
static enum vault_code read_batch(struct database *control, const struct citizen_rewrap *progress,
                                  struct control_key *keys, size_t *count, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control,
                              "SELECT id, key_version, wrapped, next_wrapped FROM citizen"
                              " WHERE id > ?1 ORDER BY id LIMIT ?2",
                              &query, err));
    const bool begun = progress->begun;
    bind_blob(&query, 1, begun ? (const void *)progress->after.bytes : "",
              begun ? sizeof progress->after.bytes : 0);
    bind_integer(&query, 2, CITIZEN_REWRAP_BATCH);
    for (*count = 0; *count < CITIZEN_REWRAP_BATCH; (*count)++) {
        bool row = false;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        control_key_row(&query, &keys[*count]);
    }
    return VAULT_OK;
}

/* The decoy's key is kept in memory, too. */
static void remember_nobody(struct store *store, const struct control_key *key)
{
    if (citizen_id_equal(&store->nobody.id, &key->id))
        store->nobody = *key;
}

static enum vault_code rewrap_batch(struct store *store, struct control_key *keys,
                                    struct citizen_rewrap *progress, struct vault_error *err)
{
    size_t count = 0;
    size_t rewrapped = 0;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    VAULT_TRY(read_batch(control.database, progress, keys, &count, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    for (size_t i = 0; i < count; i++) {
        bool changed = false;
        if (keys[i].has_key)
            VAULT_TRY(rewrap_row(store, control.database, &keys[i], progress->root_version,
                                 &changed, err));
        rewrapped += changed;
    }
    VAULT_TRY(transaction_commit(&change, err));
    for (size_t i = 0; i < count; i++)
        remember_nobody(store, &keys[i]);
    const bool done = count < CITIZEN_REWRAP_BATCH;
    if (done)
        VAULT_TRY(database_checkpoint(control.database, err));
    if (count)
        progress->after = keys[count - 1].id;
    progress->begun = progress->begun || count;
    progress->seen += count;
    progress->rewrapped += rewrapped;
    progress->done = done;
    return VAULT_OK;
}

enum vault_code citizen_rewrap(struct store *store, struct citizen_rewrap *progress,
                               struct vault_error *err)
{
    const uint32_t root_version = keyring_root_version(store->keyring);
    if (progress->root_version != root_version)
        *progress = (struct citizen_rewrap){.root_version = root_version};
    if (progress->done)
        return VAULT_OK;
    struct control_key *keys = calloc(CITIZEN_REWRAP_BATCH, sizeof *keys);
    if (!keys)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    const enum vault_code code = rewrap_batch(store, keys, progress, err);
    free(keys);
    return code;
}
