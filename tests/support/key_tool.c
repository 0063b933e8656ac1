/*
 * key_tool - the keys of a closed vault, in hexadecimal, for the test that looks for them in the
 * memory of a running one. Tests only: it is not installed.
 *
 *     key_tool VAULT KEY-FILE REFERENCE
 *
 * prints lines of "NAME HEX": the provider's key, the root, the seed, the log's first key, the
 * control store's key, and the citizen's own with the two that come from it.
 */
#include <stdio.h>

#include "store/citizen_file.h"
#include "store/keyring_parts.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"

static void show(const char *name, struct bytes key)
{
    char hex[HEX_CHARS(SECRET_KEY_BYTES) + 1];
    hex_string(hex, key.data, SECRET_KEY_BYTES);
    printf("%s %s\n", name, hex);
}

static enum vault_code show_citizen(struct store *store, const char *reference,
                                    struct vault_error *err)
{
    struct control_citizen citizen;
    struct control_key wrapped;
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_AUTO(citizen_keys_free) struct citizen_keys keys = {0};
    VAULT_TRY(control_citizen_by_reference(store, reference, &citizen, err));
    VAULT_TRY(control_key_find(store, &citizen.id, &wrapped, err));
    const struct keyring_binding binding = citizen_key_binding(&citizen.id, wrapped.version);
    const struct bytes text = {wrapped.wrapped, sizeof wrapped.wrapped};
    VAULT_TRY(keyring_unwrap(store->keyring, &binding, text, &key, err));
    VAULT_TRY(citizen_keys_of(store->keyring, &wrapped, &keys, err));
    show("citizen", secret_view(key));
    show("citizen-file", secret_view(keys.file));
    show("citizen-seal", secret_view(keys.seal));
    return VAULT_OK;
}

static enum vault_code show_all(const char *dir, const char *key_file, const char *reference,
                                struct vault_error *err)
{
    const struct keyring_provider provider = {.name = "file", .place = key_file};
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    VAULT_AUTO(secret_free) struct secret *control = NULL;
    VAULT_AUTO(secret_free) struct secret *log = NULL;
    VAULT_AUTO(buf_finish) struct buf file = buf_limited(SECRET_KEY_BYTES);
    json_start();
    VAULT_TRY(crypto_start(true, err));
    VAULT_TRY(file_read(key_file, &file, err));
    VAULT_TRY(keyring_open(dir, &provider, &keyring, err));
    VAULT_AUTO(store_close) struct store *store = NULL;
    VAULT_TRY(store_open(dir, keyring, NULL, &store, err));
    VAULT_TRY(keyring_derive(keyring, control_file.label, SECRET_KEY_BYTES, &control, err));
    VAULT_TRY(keyring_derive(keyring, KEYRING_LABEL_LOG "1", SECRET_KEY_BYTES, &log, err));
    show("provider", buf_view(&file));
    show("root", secret_view(keyring->roots->items[keyring->roots->count - 1].key));
    show("seed", secret_view(keyring->seed));
    show("log", secret_view(log));
    show("control", secret_view(control));
    return show_citizen(store, reference, err);
}

int main(int argc, char **argv)
{
    struct vault_error err = {0};
    if (argc != 4)
        return 64;
    const enum vault_code code = show_all(argv[1], argv[2], argv[3], &err);
    if (code)
        fprintf(stderr, "key_tool: %s\n", err.text);
    return vault_code_exit(code);
}
