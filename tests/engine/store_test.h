/*
 * store_test - a store in a fresh folder, and people to put into it, for the tests of this floor.
 */
#pragma once

#include "test.h"

#include <limits.h>
#include <stdio.h>

#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/store/citizen.h"
#include "vault/store/citizen_record.h"
#include "vault/store/citizen_value.h"
#include "vault/store/keyring.h"
#include "vault/store/store.h"

#define NOW_S 1795305600 /* 2026-11-22 */

static char store_dir[PATH_MAX] __attribute__((unused));
static struct keyring *keyring __attribute__((unused));
static struct store *store __attribute__((unused));

static void store_test_start(void)
{
    json_start();
    assert_done(crypto_start(true, &test_error));
}

static inline void open_store_with(const struct store_options *options)
{
    assert_null(store);
    assert_done(store_open(store_dir, keyring, options, &store, &test_error));
}

/* A fresh, empty store, open. */
static inline void fresh_store_with(const struct store_options *options)
{
    store_close(&store);
    keyring_close(&keyring);
    const char *folder = test_folder();
    char key_path[PATH_MAX];
    snprintf(store_dir, sizeof store_dir, "%s/store", folder);
    snprintf(key_path, sizeof key_path, "%s/provider.key", folder);
    const struct keyring_provider provider = {.name = "file", .place = key_path};
    struct secret *recovery = NULL;
    assert_done(keyring_create(folder, &provider, &recovery, &test_error));
    secret_free(&recovery);
    assert_done(keyring_open(folder, &provider, &keyring, &test_error));
    assert_done(store_create(store_dir, keyring, &test_error));
    open_store_with(options);
}

static inline void fresh_store(void)
{
    fresh_store_with(NULL);
}

static inline void reopen_store(void)
{
    store_close(&store);
    open_store_with(NULL);
}

static inline void finish_store(void)
{
    store_close(&store);
    keyring_close(&keyring);
}

/* A new citizen with nothing in their file. */
static inline struct citizen_id new_citizen(void)
{
    const struct citizen_new citizen = {.id = citizen_id_new()};
    assert_done(citizen_create(store, &citizen, 1, NOW_S, NULL, &test_error));
    return citizen.id;
}

static inline struct citizen *hold(const struct citizen_id *id)
{
    struct citizen *citizen = NULL;
    assert_done(citizen_acquire(store, id, &citizen, &test_error));
    return citizen;
}

static inline bool exists(const struct citizen_id *id)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = hold(id);
    return citizen_exists(citizen);
}

static inline struct citizen_value value_of(const char *field, const char *json)
{
    return (struct citizen_value){field, bytes_of_text(json), NOW_S, "test"};
}

static inline void put(struct citizen *citizen, const char *field, const char *json)
{
    const struct citizen_value value = value_of(field, json);
    assert_done(citizen_value_put(citizen, &value, &test_error));
}

static inline void assert_value(struct citizen *citizen, const char *field, const char *json)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CITIZEN_VALUE_MAX_BYTES);
    assert_done(citizen_value_get(citizen, field, &text, NULL, &test_error));
    assert_string_equal(buf_string(&text), json);
}
