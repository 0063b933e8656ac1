#include "vault/store/store_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "citizen_file.h"
#include "database_copy.h"
#include "internal.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"

#define PAGES_AT_A_TIME 256 /* of 4 KiB: some milliseconds */
#define PAGES_LAST      64

static const struct shared_file *const parts[] = {
    [STORE_CONTROL] = &control_file,
    [STORE_OPENINGS] = &openings_file,
};

/* --- The shared files ----------------------------------------------------------------------- */

struct store_copy {
    struct shared *from;
    struct database *to;
};

enum vault_code store_copy_begin(struct store *store, enum store_part part, const char *dir,
                                 struct store_copy **out, struct vault_error *err)
{
    char path[PATH_MAX];
    struct shared *from = part == STORE_CONTROL ? &store->control : &store->openings;
    VAULT_TRY(file_join(path, sizeof path, dir, parts[part]->name, err));
    VAULT_AUTO(store_copy_end) struct store_copy *copy = calloc(1, sizeof *copy);
    if (!copy)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    const struct database_place place = {path, "a copy"};
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(from, &held, err));
    VAULT_TRY(database_copy_begin(held.database, &place, from->key, &copy->to, err));
    copy->from = from;
    shared_let_go(&held);
    *out = VAULT_TAKE(copy);
    return VAULT_OK;
}

enum vault_code store_copy_step(struct store_copy *copy, bool almost, bool *done,
                                struct vault_error *err)
{
    int left = 0;
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(copy->from, &held, err));
    /* The first step tells how much there is. */
    VAULT_TRY(database_copy_step(held.database, almost ? 1 : PAGES_AT_A_TIME, &left, err));
    *done = left <= (almost ? PAGES_LAST : 0);
    if (!*done && almost)
        VAULT_TRY(database_copy_step(
            held.database,
            left - PAGES_LAST < PAGES_AT_A_TIME ? left - PAGES_LAST : PAGES_AT_A_TIME, &left, err));
    return VAULT_OK;
}

void store_copy_end(struct store_copy **copy)
{
    struct store_copy *gone = VAULT_TAKE(*copy);
    if (!gone)
        return;
    if (gone->from) {
        struct hold held = {0};
        if (shared_hold(gone->from, &held, NULL) == VAULT_OK)
            database_copy_stop(held.database);
        shared_let_go(&held);
    }
    database_close(&gone->to);
    free(gone);
}

/* --- Citizens ------------------------------------------------------------------------------- */

#define NAME_CHARS (sizeof CITIZEN_FOLDER "/xx/.db" + HEX_CHARS(CITIZEN_ID_BYTES))

static enum vault_code give(const struct store *store, const struct citizen_id *id,
                            file_taker *take, void *context, struct vault_error *err)
{
    char path[PATH_MAX];
    char name[NAME_CHARS];
    char hex[HEX_CHARS(CITIZEN_ID_BYTES) + 1];
    hex_string(hex, id->bytes, sizeof id->bytes);
    snprintf(name, sizeof name, CITIZEN_FOLDER "/%.2s/%s.db", hex, hex);
    VAULT_TRY(citizen_path(path, store->dir, id, err));
    return folder_give(path, name, take, context, err);
}

enum vault_code store_copy_citizen(struct store *store, const struct citizen_id *id,
                                   file_taker *take, void *context, bool *gone,
                                   struct vault_error *err)
{
    struct citizen *citizen = NULL;
    *gone = false;
    if (citizen_id_equal(id, &store->nobody.id)) /* never written after it was made */
        return give(store, id, take, context, err);
    /* Opened once, so that what a crash left beside the file is settled. */
    VAULT_TRY(citizen_acquire(store, id, &citizen, err));
    *gone = !citizen_exists(citizen);
    handles_shut(citizen);
    const enum vault_code code = *gone ? VAULT_OK : give(store, id, take, context, err);
    citizen_release(&citizen);
    return code;
}

enum vault_code store_has_file(struct store *store, const struct citizen_id *id, bool *has,
                               struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(citizen_path(path, store->dir, id, err));
    *has = !file_is_missing(path);
    return VAULT_OK;
}

/* --- Looking at a copy ---------------------------------------------------------------------- */

struct store_frozen {
    char dir[PATH_MAX];
    const struct keyring *keyring;
    struct database *control;
};

static enum vault_code open_part(const struct store_frozen *frozen, enum store_part part,
                                 struct database **out, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(file_join(path, sizeof path, frozen->dir, parts[part]->name, err));
    VAULT_TRY(keyring_derive(frozen->keyring, parts[part]->label, SECRET_KEY_BYTES, &key, err));
    const struct database_place place = {path, parts[part]->what};
    return database_open_frozen(&place, key, parts[part]->kind, out, err);
}

enum vault_code store_frozen_open(const char *dir, const struct keyring *keyring,
                                  struct store_frozen **out, struct vault_error *err)
{
    VAULT_AUTO(store_frozen_close) struct store_frozen *frozen = calloc(1, sizeof *frozen);
    if (!frozen)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    frozen->keyring = keyring;
    if (!realpath(dir, frozen->dir))
        return vault_fail_errno(err, "finding the folder %s", dir);
    VAULT_TRY(open_part(frozen, STORE_CONTROL, &frozen->control, err));
    *out = VAULT_TAKE(frozen);
    return VAULT_OK;
}

void store_frozen_close(struct store_frozen **frozen)
{
    if (*frozen)
        database_close(&(*frozen)->control);
    free(*frozen);
    *frozen = NULL;
}

enum vault_code store_frozen_ids(struct store_frozen *frozen, const struct citizen_id *after,
                                 struct citizen_id ids[STORE_COPY_IDS_MAX], size_t *count,
                                 struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(frozen->control,
                              "SELECT id FROM citizen WHERE state IN (2, 5) AND id > ?1"
                              " ORDER BY id LIMIT ?2",
                              &query, err));
    bind_blob(&query, 1, after ? after->bytes : (const uint8_t *)"",
              after ? sizeof after->bytes : 0);
    bind_integer(&query, 2, STORE_COPY_IDS_MAX);
    for (*count = 0;; ++*count) {
        bool row = false;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        column_blob(&query, 0, ids[*count].bytes, sizeof ids[*count].bytes);
    }
}

enum vault_code store_frozen_check(struct store_frozen *frozen, enum store_part part,
                                   struct vault_error *err)
{
    if (part == STORE_CONTROL)
        return database_check_pages(frozen->control, err);
    VAULT_AUTO(database_close) struct database *database = NULL;
    VAULT_TRY(open_part(frozen, part, &database, err));
    return database_check_pages(database, err);
}

static enum vault_code read_key(const struct store_frozen *frozen, const struct citizen_id *id,
                                struct control_key *out, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(frozen->control,
                              "SELECT id, key_version, wrapped, next_wrapped FROM citizen"
                              " WHERE id = ?1 AND state IN (2, 5)",
                              &query, err));
    bind_blob(&query, 1, id->bytes, sizeof id->bytes);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such citizen");
    control_key_row(&query, out);
    return VAULT_OK;
}

static enum vault_code check_file(const struct store_frozen *frozen, const struct control_key *key,
                                  struct vault_error *err)
{
    VAULT_AUTO(citizen_keys_free) struct citizen_keys keys = {0};
    VAULT_AUTO(database_close) struct database *file = NULL;
    VAULT_TRY(citizen_keys_of_each(frozen->keyring, key, &keys, err));
    VAULT_TRY(citizen_file_open_frozen(frozen->dir, &key->id, keys.file, &file, err));
    return database_check_pages(file, err);
}

enum vault_code store_frozen_check_citizen(struct store_frozen *frozen, const struct citizen_id *id,
                                           bool *missing, struct vault_error *err)
{
    char path[PATH_MAX];
    struct control_key key;
    VAULT_TRY(citizen_path(path, frozen->dir, id, err));
    *missing = file_is_missing(path);
    if (*missing)
        return VAULT_OK;
    VAULT_TRY(read_key(frozen, id, &key, err));
    const enum vault_code code = check_file(frozen, &key, err);
    if (code != VAULT_CORRUPT || !key.has_next)
        return code;
    key.version++;
    memcpy(key.wrapped, key.next_wrapped, sizeof key.wrapped);
    return check_file(frozen, &key, err);
}
