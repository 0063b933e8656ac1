#include "vault/store/keyring.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keyring_parts.h"
#include "recovery.h"
#include "vault/base/clock.h"
#include "vault/crypto/kdf.h"

#define LABEL_WRAP       "vault/wrap/1"
#define USE_SEED         "vault-seed"
#define ASSOCIATED_MAX   256
#define VERSION_BYTES    4
#define LABEL_CHARS      32
#define GIVE_WAY_EACH_MS 20

_Static_assert(KEYRING_RECOVERY_CHARS == RECOVERY_CHARS, "the header says what recovery.h does");

void keyring_close(struct keyring **keyring)
{
    struct keyring *gone = VAULT_TAKE(*keyring);
    if (!gone)
        return;
    for (size_t i = 0; gone->roots && i < gone->roots->count; i++)
        secret_free(&gone->roots->items[i].key);
    if (gone->roots)
        pthread_rwlock_destroy(&gone->roots->lock);
    free(gone->roots);
    secret_free(&gone->seed);
    keyring_held_close(&gone->held);
    free(gone);
}

enum vault_code keyring_new(const uint8_t vault[KEYRING_OWNER_BYTES], struct keyring **out,
                            struct vault_error *err)
{
    struct keyring *keyring = calloc(1, sizeof *keyring);
    struct keyring_roots *roots = calloc(1, sizeof *roots);
    if (!keyring || !roots) {
        free(keyring);
        free(roots);
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    }
    pthread_rwlock_init(&roots->lock, NULL);
    memcpy(keyring->vault, vault, sizeof keyring->vault);
    keyring->roots = roots;
    *out = keyring;
    return VAULT_OK;
}

void keyring_add_root(struct keyring *keyring, uint32_t version, struct secret **key)
{
    struct keyring_roots *roots = keyring->roots;
    pthread_rwlock_wrlock(&roots->lock);
    assert(roots->count < KEYRING_ROOTS_MAX);
    roots->items[roots->count++] = (struct keyring_root){version, VAULT_TAKE(*key)};
    pthread_rwlock_unlock(&roots->lock);
}

struct keyring_binding keyring_seed_binding(const uint8_t vault[KEYRING_OWNER_BYTES])
{
    struct keyring_binding binding = {.version = 1, .use = USE_SEED};
    memcpy(binding.owner, vault, sizeof binding.owner);
    return binding;
}

/* What a wrapped key is bound to. */
static enum vault_code binding_text(const struct keyring_binding *binding, uint32_t root_version,
                                    struct buf *out, struct vault_error *err)
{
    assert(binding->version >= 1);
    buf_append(out, LABEL_WRAP, sizeof LABEL_WRAP);
    buf_u32(out, root_version);
    buf_append(out, binding->owner, sizeof binding->owner);
    buf_u32(out, binding->version);
    buf_text(out, binding->use);
    return buf_check(out, err);
}

/* With the lock held, as the two below. */
static enum vault_code wrap_by(const struct keyring_root *root,
                               const struct keyring_binding *binding, const struct secret *key,
                               struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf associated = buf_limited(ASSOCIATED_MAX);
    VAULT_TRY(binding_text(binding, root->version, &associated, err));
    const size_t before = out->size;
    buf_u32(out, root->version);
    const enum vault_code code = seal(root->key, buf_view(&associated), secret_view(key), out, err);
    if (code)
        out->size = before;
    return code;
}

enum vault_code keyring_wrap(const struct keyring *keyring, const struct keyring_binding *binding,
                             const struct secret *key, struct buf *out, struct vault_error *err)
{
    assert(secret_view(key).size == SECRET_KEY_BYTES);
    if (keyring->held)
        return keyring_held_wrap(keyring->held, binding, key, (struct bytes){0}, out, err);
    struct keyring_roots *roots = keyring->roots;
    pthread_rwlock_rdlock(&roots->lock);
    const enum vault_code code = wrap_by(&roots->items[roots->count - 1], binding, key, out, err);
    pthread_rwlock_unlock(&roots->lock);
    return code;
}

static enum vault_code unwrap_by(const struct keyring_roots *roots,
                                 const struct keyring_binding *binding, struct bytes wrapped,
                                 struct secret **out, struct vault_error *err)
{
    const uint32_t version = keyring_wrapped_by(wrapped);
    size_t i = 0;
    while (i < roots->count && roots->items[i].version != version)
        i++;
    if (i == roots->count)
        return vault_fail(err, VAULT_CORRUPT,
                          "a key was wrapped by version %u of the root key; the keyring has %u to "
                          "%u",
                          version, roots->items[0].version, roots->items[roots->count - 1].version);
    VAULT_AUTO(buf_finish) struct buf associated = buf_limited(ASSOCIATED_MAX);
    VAULT_TRY(binding_text(binding, version, &associated, err));
    const struct bytes sealed = {wrapped.data + VERSION_BYTES, wrapped.size - VERSION_BYTES};
    return seal_open_secret(roots->items[i].key, buf_view(&associated), sealed, out, err);
}

static enum vault_code unwrap(const struct keyring *keyring, const struct keyring_binding *binding,
                              struct bytes wrapped, bool gives_way, struct secret **out,
                              struct vault_error *err)
{
    if (wrapped.size != KEYRING_WRAPPED_BYTES)
        return vault_fail(err, VAULT_CORRUPT, "a wrapped key has the wrong size");
    if (keyring->held)
        return keyring_held_unwrap(keyring->held, binding, wrapped, gives_way, out, err);
    struct keyring_roots *roots = keyring->roots;
    pthread_rwlock_rdlock(&roots->lock);
    const enum vault_code code = unwrap_by(roots, binding, wrapped, out, err);
    pthread_rwlock_unlock(&roots->lock);
    if (code)
        vault_error_context(err, "unwrapping a key");
    return code;
}

enum vault_code keyring_unwrap(const struct keyring *keyring, const struct keyring_binding *binding,
                               struct bytes wrapped, struct secret **out, struct vault_error *err)
{
    return unwrap(keyring, binding, wrapped, false, out, err);
}

enum vault_code keyring_unwrap_giving_way(const struct keyring *keyring,
                                          const struct keyring_binding *binding,
                                          struct bytes wrapped, struct secret **out,
                                          struct vault_error *err)
{
    const struct timespec pause = {.tv_nsec = GIVE_WAY_EACH_MS * 1000000L};
    const int64_t end_ms = clock_monotonic_ms() + KEYRING_GIVE_WAY_MS;
    enum vault_code code;
    while ((code = unwrap(keyring, binding, wrapped, true, out, err)) == VAULT_LIMITED) {
        if (clock_monotonic_ms() >= end_ms)
            return vault_fail(err, VAULT_UNAVAILABLE,
                              "the keyholder has no key to spare: those who are waited for take as "
                              "many as keyring.unwraps_per_minute lets them");
        nanosleep(&pause, NULL);
    }
    return code;
}

enum vault_code keyring_rewrap(const struct keyring *keyring, const struct keyring_binding *binding,
                               struct bytes wrapped, struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    if (keyring->held)
        return keyring_held_wrap(keyring->held, binding, NULL, wrapped, out, err);
    VAULT_TRY(keyring_unwrap(keyring, binding, wrapped, &key, err));
    return keyring_wrap(keyring, binding, key, out, err);
}

uint32_t keyring_wrapped_by(struct bytes wrapped)
{
    struct cursor cursor = cursor_over(wrapped);
    return cursor_u32(&cursor);
}

enum vault_code keyring_derive(const struct keyring *keyring, const char *label, size_t size_bytes,
                               struct secret **out, struct vault_error *err)
{
    if (keyring->held)
        return keyring_held_derive(keyring->held, label, size_bytes, out, err);
    return kdf_derive(keyring->seed, label, size_bytes, out, err);
}

enum vault_code keyring_log_signer(const struct keyring *keyring, const char *origin,
                                   uint32_t generation, struct note_signer *out,
                                   struct vault_error *err)
{
    char label[LABEL_CHARS];
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    assert(generation >= 1 && generation <= KEYRING_LOG_KEYS);
    if (keyring->held)
        return keyring_held_log_signer(keyring->held, origin, generation, out, err);
    snprintf(label, sizeof label, KEYRING_LABEL_LOG "%u", generation);
    VAULT_TRY(kdf_derive(keyring->seed, label, SIGN_SEED_BYTES, &seed, err));
    return note_signer_make(bytes_of_text(origin), NOTE_ED25519, seed, out, err);
}

const uint8_t *keyring_vault(const struct keyring *keyring)
{
    return keyring->vault;
}

uint32_t keyring_root_version(const struct keyring *keyring)
{
    if (keyring->held)
        return keyring_held_root_version(keyring->held);
    struct keyring_roots *roots = keyring->roots;
    pthread_rwlock_rdlock(&roots->lock);
    const uint32_t version = roots->items[roots->count - 1].version;
    pthread_rwlock_unlock(&roots->lock);
    return version;
}

size_t keyring_root_count(const struct keyring *keyring)
{
    if (keyring->held)
        return keyring_held_root_count(keyring->held);
    struct keyring_roots *roots = keyring->roots;
    pthread_rwlock_rdlock(&roots->lock);
    const size_t count = roots->count;
    pthread_rwlock_unlock(&roots->lock);
    return count;
}
