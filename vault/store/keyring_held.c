/* A keyring whose roots a keyholder has: what it takes to ask, and the keys that it was given. */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "keyholder_parts.h"
#include "keyring_parts.h"

/* A key of the log, as whoever signs with it knows it. */
struct log_key {
    const struct keyring_held *held;
    uint32_t generation;
    uint8_t public_key[SIGN_PUBLIC_BYTES];
};

struct keyring_held {
    struct keyholder *holder; /* borrowed */
    size_t count;
    struct {
        const char *label;
        struct secret *key;
    } keys[KEYHOLDER_LABELS_MAX];
    struct log_key log_keys[KEYRING_LOG_KEYS];
    atomic_uint_least32_t root_version;
    atomic_uint_least32_t root_count;
};

/* --- Opening and closing -------------------------------------------------------------------- */

static enum vault_code write_labels(const char *const *labels, size_t count, struct buf *out,
                                    struct vault_error *err)
{
    assert(count <= KEYHOLDER_LABELS_MAX);
    for (size_t i = 0; i < count; i++) {
        const size_t chars = strlen(labels[i]);
        assert(chars <= UINT8_MAX);
        buf_byte(out, (uint8_t)chars);
        buf_text(out, labels[i]);
    }
    return buf_check(out, err);
}

static struct bytes view_of(const struct secret *secret)
{
    return secret ? secret_view(secret) : (struct bytes){0};
}

static void read_roots(struct keyring_held *held, struct cursor *plain)
{
    atomic_store(&held->root_version, cursor_u32(plain));
    atomic_store(&held->root_count, cursor_u32(plain));
}

static void read_log_keys(struct keyring_held *held, struct cursor *plain)
{
    for (uint32_t i = 0; i < KEYRING_LOG_KEYS; i++) {
        held->log_keys[i].held = held;
        held->log_keys[i].generation = i + 1;
        cursor_copy(plain, held->log_keys[i].public_key, SIGN_PUBLIC_BYTES);
    }
}

static enum vault_code take_keys(struct keyring_held *held, const char *const *labels, size_t count,
                                 struct bytes secret, struct vault_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct bytes key = {secret.data + i * SECRET_KEY_BYTES, SECRET_KEY_BYTES};
        held->keys[i].label = labels[i];
        held->count = i + 1;
        VAULT_TRY(secret_copy(key, &held->keys[i].key, err));
    }
    return VAULT_OK;
}

static void held_free(struct keyring_held **held)
{
    struct keyring_held *gone = VAULT_TAKE(*held);
    for (size_t i = 0; gone && i < gone->count; i++)
        secret_free(&gone->keys[i].key);
    free(gone);
}

enum vault_code keyring_open_held(struct keyholder *holder, const struct secret *secret,
                                  const char *const *labels, size_t label_count,
                                  struct keyring **out, struct vault_error *err)
{
    static const uint8_t unknown[KEYRING_OWNER_BYTES];
    VAULT_AUTO(held_free) struct keyring_held *held = calloc(1, sizeof *held);
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    VAULT_AUTO(keyholder_done) struct keyholder_answer answer = {0};
    VAULT_AUTO(buf_finish) struct buf plain = buf_limited(KEYHOLDER_PLAIN_MAX_BYTES);
    if (!held)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(keyring_new(unknown, &keyring, err));
    VAULT_TRY(write_labels(labels, label_count, &plain, err));
    const struct keyholder_out question = {KEYHOLDER_OPEN, buf_view(&plain), view_of(secret)};
    VAULT_TRY(keyholder_ask(holder, &question, &answer, err));
    /* Whatever fails from here on closes what the keyholder has opened. */
    held->holder = holder;
    keyring->held = VAULT_TAKE(held);
    cursor_copy(&answer.plain, keyring->vault, sizeof keyring->vault);
    read_roots(keyring->held, &answer.plain);
    read_log_keys(keyring->held, &answer.plain);
    VAULT_TRY(keyholder_read_whole(&answer, label_count * SECRET_KEY_BYTES, err));
    VAULT_TRY(take_keys(keyring->held, labels, label_count, answer.secret, err));
    *out = VAULT_TAKE(keyring);
    return VAULT_OK;
}

void keyring_held_close(struct keyring_held **held)
{
    if (!*held)
        return;
    /* One that is gone has wiped its keys, or the system has. */
    VAULT_AUTO(keyholder_done) struct keyholder_answer answer = {0};
    const struct keyholder_out question = {.kind = KEYHOLDER_CLOSE};
    const enum vault_code code = keyholder_ask((*held)->holder, &question, &answer, NULL);
    (void)code;
    held_free(held);
}

/* --- Asking --------------------------------------------------------------------------------- */

enum vault_code keyring_held_derive(const struct keyring_held *held, const char *label,
                                    size_t size_bytes, struct secret **out, struct vault_error *err)
{
    for (size_t i = 0; i < held->count && size_bytes == SECRET_KEY_BYTES; i++) {
        if (strcmp(held->keys[i].label, label) == 0)
            return secret_copy(secret_view(held->keys[i].key), out, err);
    }
    return vault_fail(err, VAULT_DENIED, "the keyholder was not asked for the key %s", label);
}

enum vault_code keyring_held_wrap(const struct keyring_held *held,
                                  const struct keyring_binding *binding, const struct secret *key,
                                  struct bytes wrapped, struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(keyholder_done) struct keyholder_answer answer = {0};
    VAULT_AUTO(buf_finish) struct buf plain = buf_limited(KEYHOLDER_PLAIN_MAX_BYTES);
    keyholder_write_binding(&plain, binding);
    buf_bytes(&plain, wrapped);
    VAULT_TRY(buf_check(&plain, err));
    const struct keyholder_out question = {KEYHOLDER_WRAP, buf_view(&plain), view_of(key)};
    VAULT_TRY(keyholder_ask(held->holder, &question, &answer, err));
    const struct bytes again = cursor_take(&answer.plain, KEYRING_WRAPPED_BYTES);
    VAULT_TRY(keyholder_read_whole(&answer, 0, err));
    buf_bytes(out, again);
    return buf_check(out, err);
}

enum vault_code keyring_held_unwrap(const struct keyring_held *held,
                                    const struct keyring_binding *binding, struct bytes wrapped,
                                    bool gives_way, struct secret **out, struct vault_error *err)
{
    VAULT_AUTO(keyholder_done) struct keyholder_answer answer = {0};
    VAULT_AUTO(buf_finish) struct buf plain = buf_limited(KEYHOLDER_PLAIN_MAX_BYTES);
    buf_byte(&plain, gives_way);
    keyholder_write_binding(&plain, binding);
    buf_bytes(&plain, wrapped);
    VAULT_TRY(buf_check(&plain, err));
    const struct keyholder_out question = {.kind = KEYHOLDER_UNWRAP, .plain = buf_view(&plain)};
    VAULT_TRY(keyholder_ask(held->holder, &question, &answer, err));
    VAULT_TRY(keyholder_read_whole(&answer, SECRET_KEY_BYTES, err));
    return secret_copy(answer.secret, out, err);
}

/* --- Roots ---------------------------------------------------------------------------------- */

/* A change of the roots: the vault's id and the roots as they are then come back. */
static enum vault_code change_roots(struct keyring_held *held, const struct keyholder_out *question,
                                    struct vault_error *err)
{
    VAULT_AUTO(keyholder_done) struct keyholder_answer answer = {0};
    VAULT_TRY(keyholder_ask(held->holder, question, &answer, err));
    cursor_take(&answer.plain, KEYRING_OWNER_BYTES);
    read_roots(held, &answer.plain);
    return keyholder_read_whole(&answer, 0, err);
}

enum vault_code keyring_held_rotate(struct keyring_held *held, const struct secret *secret,
                                    struct vault_error *err)
{
    const struct keyholder_out question = {.kind = KEYHOLDER_ROTATE, .secret = view_of(secret)};
    return change_roots(held, &question, err);
}

enum vault_code keyring_held_drop_former(struct keyring_held *held, struct vault_error *err)
{
    const struct keyholder_out question = {.kind = KEYHOLDER_DROP_FORMER};
    return change_roots(held, &question, err);
}

uint32_t keyring_held_root_version(const struct keyring_held *held)
{
    return atomic_load(&held->root_version);
}

size_t keyring_held_root_count(const struct keyring_held *held)
{
    return atomic_load(&held->root_count);
}

/* --- The log's keys ------------------------------------------------------------------------- */

static enum vault_code sign_afar(void *context, struct bytes message,
                                 uint8_t out[SIGN_SIGNATURE_BYTES], struct vault_error *err)
{
    const struct log_key *key = context;
    VAULT_AUTO(keyholder_done) struct keyholder_answer answer = {0};
    VAULT_AUTO(buf_finish) struct buf plain = buf_limited(KEYHOLDER_PLAIN_MAX_BYTES);
    buf_u32(&plain, key->generation);
    buf_bytes(&plain, message);
    VAULT_TRY(buf_check(&plain, err));
    const struct keyholder_out question = {.kind = KEYHOLDER_SIGN, .plain = buf_view(&plain)};
    VAULT_TRY(keyholder_ask(key->held->holder, &question, &answer, err));
    const struct bytes signature = cursor_take(&answer.plain, SIGN_SIGNATURE_BYTES);
    VAULT_TRY(keyholder_read_whole(&answer, 0, err));
    memcpy(out, signature.data, SIGN_SIGNATURE_BYTES);
    return VAULT_OK;
}

enum vault_code keyring_held_log_signer(struct keyring_held *held, const char *origin,
                                        uint32_t generation, struct note_signer *out,
                                        struct vault_error *err)
{
    struct log_key *key = &held->log_keys[generation - 1];
    VAULT_AUTO(sign_key_free) struct sign_key *pair = NULL;
    VAULT_TRY(
        sign_key_elsewhere(key->public_key, (struct sign_elsewhere){sign_afar, key}, &pair, err));
    return note_signer_of(bytes_of_text(origin), NOTE_ED25519, &pair, out, err);
}
