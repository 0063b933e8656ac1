/*
 * citizen_life - how citizens come and go, so that a crash at any point leaves them whole or not
 * at all.
 *
 * Coming: their rows are stored as CREATING, with their wrapped keys; then their files are made,
 * without waiting for the disk; then the disk is waited for once; then the rows become ACTIVE. A
 * start finds CREATING rows and removes them with their files.
 *
 * Going: the row becomes ERASING and loses the wrapped key, which makes the file unreadable; then
 * the file goes, the openings, and the row becomes ERASED. A start goes on where it stopped. That
 * the log must be told, and of how many openings, is noted with the key's going, and stays noted
 * until whoever enters it says that it is done.
 *
 * A disk that fails stops either half way, like a crash, or lets it be done and says that it is
 * not: then it is whole, and answered as failed. After the first, whoever makes or erases the next
 * one, or asks what the log is to be told, finishes that first.
 */
#include <stdlib.h>
#include <string.h>

#include "citizen_file.h"
#include "internal.h"
#include "vault/store/citizen.h"

/* The citizens being made, and how far that has come. */
struct birth {
    struct store *store;
    const struct citizen_new *citizens;
    size_t count;
    int64_t now_s;
    size_t at;                 /* the one at hand: to blame in case */
    struct citizen_keys *keys; /* count of them */
    const struct citizen_id **ids;
    bool recorded; /* rows may be there */
};

static enum vault_code check_one(const struct citizen_new *citizen, struct vault_error *err)
{
    if (citizen->reference)
        VAULT_TRY(text_check(citizen->reference, 1, CITIZEN_REFERENCE_CHARS, "a reference", err));
    if (citizen->value_count > CITIZEN_FIELDS_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "a citizen has at most %d fields",
                          CITIZEN_FIELDS_MAX);
    for (size_t i = 0; i < citizen->value_count; i++)
        VAULT_TRY(value_check(&citizen->values[i], err));
    return VAULT_OK;
}

static enum vault_code check_all(struct birth *birth, struct vault_error *err)
{
    if (birth->count < 1 || birth->count > CITIZEN_CREATE_MAX)
        return vault_fail(err, VAULT_INVALID, "1 to %d citizens can be made at a time",
                          CITIZEN_CREATE_MAX);
    for (birth->at = 0; birth->at < birth->count; birth->at++)
        VAULT_TRY(check_one(&birth->citizens[birth->at], err));
    birth->keys = calloc(birth->count, sizeof *birth->keys);
    birth->ids = calloc(birth->count, sizeof(struct citizen_id *));
    if (!birth->keys || !birth->ids)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < birth->count; i++)
        birth->ids[i] = &birth->citizens[i].id;
    return VAULT_OK;
}

static enum vault_code record_all(struct birth *birth, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&birth->store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    for (birth->at = 0; birth->at < birth->count; birth->at++) {
        const struct citizen_new *citizen = &birth->citizens[birth->at];
        struct control_key key;
        VAULT_TRY(citizen_keys_new(birth->store->keyring, &citizen->id, CITIZEN_FIRST_KEY, &key,
                                   &birth->keys[birth->at], err));
        VAULT_TRY(control_key_add(control.database, &key, citizen->reference, CITIZEN_CREATING,
                                  birth->now_s, err));
    }
    birth->recorded = true; /* from here on, should the commit fail and stand all the same */
    return transaction_commit(&change, err);
}

static enum vault_code make_files(struct birth *birth, struct vault_error *err)
{
    for (birth->at = 0; birth->at < birth->count; birth->at++)
        VAULT_TRY(citizen_file_create(birth->store->dir, &birth->citizens[birth->at],
                                      birth->keys[birth->at].file, err));
    return citizen_files_sync(birth->store->dir, birth->ids, birth->count, err);
}

static enum vault_code activate_all(struct birth *birth, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&birth->store->control, &control, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(control.database, &change, err));
    for (size_t i = 0; i < birth->count; i++)
        VAULT_TRY(control_citizen_activate(control.database, birth->ids[i], err));
    return transaction_commit(&change, err);
}

static enum vault_code undo_one(struct store *store, const struct citizen_id *id,
                                struct vault_error *err)
{
    VAULT_TRY(citizen_file_remove(store->dir, id, err));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    return control_citizen_undo(control.database, id, err);
}

/* A wrapped key that went is zeros in the control store's file, but its log may still have the page
 * that the key stood in. */
static enum vault_code empty_log(struct store *store, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&store->control, &control, err));
    return database_checkpoint(control.database, err);
}

/* Once the key is gone: the rest, from the beginning however far an earlier try came. */
static enum vault_code finish_erasing(struct store *store, const struct citizen_id *id,
                                      uint64_t *openings_gone, struct vault_error *err)
{
    VAULT_TRY(empty_log(store, err));
    VAULT_TRY(citizen_file_remove(store->dir, id, err));
    VAULT_TRY(openings_forget(store, id, openings_gone, err));
    VAULT_TRY(erasure_raise(store, id, *openings_gone, err));
    return control_citizen_erased(store, id, err);
}

/* Bring every citizen that a crash left in a state out of it. */
static enum vault_code tidy(struct store *store, enum citizen_state state, struct vault_error *err)
{
    for (;;) {
        bool found = false;
        struct citizen_id id;
        uint64_t gone = 0;
        VAULT_TRY(control_citizen_any(store, state, &id, &found, err));
        if (!found)
            return VAULT_OK;
        VAULT_TRY(state == CITIZEN_CREATING ? undo_one(store, &id, err)
                                            : finish_erasing(store, &id, &gone, err));
    }
}

/* Whoever is still being made is undone, now or before the next birth or at the next start. Whose
 * change to active seemed to fail, and stands, is whole. */
static void birth_finish(struct birth *birth)
{
    struct store *store = birth->store;
    if (birth->recorded && tidy(store, CITIZEN_CREATING, NULL))
        store->is_unfinished = true;
    /* Somebody may have asked for one of them before, and still have nobody open in its place. */
    for (size_t i = 0; birth->recorded && i < birth->count; i++)
        handles_forget(&store->handles, birth->ids[i]);
    for (size_t i = 0; birth->keys && i < birth->count; i++)
        citizen_keys_free(&birth->keys[i]);
    free(birth->keys);
    free(birth->ids);
}

static enum vault_code bear(struct birth *birth, struct vault_error *err)
{
    VAULT_TRY(check_all(birth, err));
    VAULT_TRY(record_all(birth, err));
    VAULT_TRY(make_files(birth, err));
    return activate_all(birth, err);
}

enum vault_code citizen_create_nobody(const char *dir, const struct keyring *keyring,
                                      struct database *control, struct vault_error *err)
{
    const struct citizen_new nobody = {.id = citizen_id_new()};
    const struct citizen_id *const ids[] = {&nobody.id};
    struct control_key key;
    VAULT_AUTO(citizen_keys_free) struct citizen_keys keys = {0};
    VAULT_TRY(citizen_keys_new(keyring, &nobody.id, CITIZEN_FIRST_KEY, &key, &keys, err));
    VAULT_TRY(citizen_file_create(dir, &nobody, keys.file, err));
    VAULT_TRY(citizen_files_sync(dir, ids, 1, err));
    return control_key_add(control, &key, NULL, CITIZEN_NOBODY, 0, err);
}

enum vault_code citizen_tidy(struct store *store, struct vault_error *err)
{
    VAULT_TRY(empty_log(store, err)); /* of a key that was replaced just before a crash */
    VAULT_TRY(tidy(store, CITIZEN_CREATING, err));
    return tidy(store, CITIZEN_ERASING, err);
}

/* With the lock held. */
static enum vault_code tidy_unfinished(struct store *store, struct vault_error *err)
{
    if (store->is_unfinished)
        VAULT_TRY(citizen_tidy(store, err));
    store->is_unfinished = false;
    return VAULT_OK;
}

enum vault_code citizen_tidy_unfinished(struct store *store, struct vault_error *err)
{
    pthread_mutex_lock(&store->living);
    const enum vault_code code = tidy_unfinished(store, err);
    pthread_mutex_unlock(&store->living);
    return code;
}

enum vault_code citizen_create(struct store *store, const struct citizen_new citizens[],
                               size_t count, int64_t now_s, size_t *failed_at,
                               struct vault_error *err)
{
    struct birth birth = {.store = store, .citizens = citizens, .count = count, .now_s = now_s};
    pthread_mutex_lock(&store->living);
    enum vault_code code = tidy_unfinished(store, err);
    if (code == VAULT_OK)
        code = bear(&birth, err);
    birth_finish(&birth);
    pthread_mutex_unlock(&store->living);
    if (code && failed_at)
        *failed_at = birth.at < count ? birth.at : 0;
    return code;
}

/* With the citizen held, so that nobody opens the file again between its key and itself going. */
static enum vault_code erase_held(struct store *store, const struct citizen_id *id,
                                  uint64_t *openings_gone, struct vault_error *err)
{
    uint64_t known = 0;
    VAULT_TRY(tidy_unfinished(store, err));
    VAULT_TRY(openings_count(store, id, &known, err));
    enum vault_code code = control_citizen_destroy_key(store, id, known, err);
    if (code == VAULT_NOT_FOUND)
        return code;
    if (code == VAULT_OK)
        code = finish_erasing(store, id, openings_gone, err);
    store->is_unfinished |= code != VAULT_OK;
    return code;
}

enum vault_code citizen_erase(struct store *store, const struct citizen_id *id,
                              uint64_t *openings_gone, struct vault_error *err)
{
    struct citizen *citizen = NULL;
    uint64_t gone = 0;
    VAULT_TRY(handles_hold(&store->handles, id, &citizen, err));
    handles_shut(citizen);
    pthread_mutex_lock(&store->living);
    const enum vault_code code = erase_held(store, id, &gone, err);
    pthread_mutex_unlock(&store->living);
    handles_let_go(citizen);
    if (!code && openings_gone)
        *openings_gone = gone;
    return code;
}
