#include "log_key.h"

#include "event.h"
#include "parts.h"
#include "vault/store/setting.h"

#define MS_PER_DAY 86400000

_Static_assert(LOG_KEY_GENERATION_MAX <= KEYRING_LOG_KEYS, "the keyring has a key for each");

struct kept {
    uint32_t generation;
    int64_t since_ms;
};

static enum vault_code derive(const struct vault *vault, uint32_t generation,
                              struct note_signer *out, struct vault_error *err)
{
    return keyring_log_signer(vault->keyring, vault->options.origin, generation, out, err);
}

static enum vault_code read_kept(struct vault *vault, struct kept *out, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(SETTING_VALUE_MAX_BYTES);
    *out = (struct kept){.generation = 1};
    const enum vault_code code = setting_get(vault->store, LOG_KEY_SETTING, &value, err);
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    struct cursor cursor = cursor_over(buf_view(&value));
    const uint64_t generation = cursor_u64(&cursor);
    out->since_ms = (int64_t)cursor_u64(&cursor);
    if (cursor.truncated || cursor.left || generation < 1 || generation > LOG_KEY_GENERATION_MAX)
        return vault_fail(err, VAULT_CORRUPT, "what is remembered of the log's key is damaged");
    out->generation = (uint32_t)generation;
    return VAULT_OK;
}

static enum vault_code write_kept(struct vault *vault, const struct kept *kept,
                                  struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(SETTING_VALUE_MAX_BYTES);
    buf_u64(&value, kept->generation);
    buf_u64(&value, (uint64_t)kept->since_ms);
    VAULT_TRY(buf_check(&value, err));
    const struct setting setting = {LOG_KEY_SETTING, buf_view(&value)};
    return setting_put(vault->store, &setting, 1, err);
}

enum vault_code log_key_first(struct vault *vault, struct vault_error *err)
{
    vault->log_keys.generation = 1;
    vault->log_keys.is_entered = true;
    return derive(vault, 1, &vault->log_keys.signer, err);
}

static enum vault_code derive_former(struct vault *vault, struct vault_error *err)
{
    struct log_keys *keys = &vault->log_keys;
    for (uint32_t generation = 1; generation < keys->generation; generation++) {
        note_signer_finish(&keys->parting);
        VAULT_TRY(derive(vault, generation, &keys->parting, err));
        keys->former[keys->former_count++] = keys->parting.key;
    }
    return VAULT_OK;
}

enum vault_code log_key_open(struct vault *vault, struct vault_error *err)
{
    struct kept kept;
    struct log_keys *keys = &vault->log_keys;
    const int64_t now_ms = clock_now_ms(&vault->options.clock);
    VAULT_TRY(read_kept(vault, &kept, err));
    keys->generation = kept.generation;
    keys->is_entered = kept.generation == 1 || kept.since_ms > 0;
    keys->parts =
        kept.generation > 1 &&
        (!keys->is_entered || now_ms < kept.since_ms + (int64_t)LOG_KEY_PARTING_DAYS * MS_PER_DAY);
    VAULT_TRY(derive_former(vault, err));
    return derive(vault, kept.generation, &keys->signer, err);
}

void log_key_close(struct vault *vault)
{
    note_signer_finish(&vault->log_keys.signer);
    note_signer_finish(&vault->log_keys.parting);
}

enum vault_code log_key_enter(struct vault *vault, struct vault_error *err)
{
    struct log_keys *keys = &vault->log_keys;
    if (keys->is_entered)
        return VAULT_OK;
    VAULT_TRY(event_of_operator(vault, ENTRY_KEY, (struct bytes){0}, err));
    const struct kept kept = {keys->generation, clock_now_ms(&vault->options.clock)};
    VAULT_TRY(write_kept(vault, &kept, err));
    keys->is_entered = true;
    return VAULT_OK;
}

static enum vault_code renew(struct vault *vault, struct buf *vkey, struct vault_error *err)
{
    struct kept kept;
    struct note_signer next = {0};
    char text[NOTE_KEY_CHARS_MAX];
    VAULT_TRY(read_kept(vault, &kept, err));
    if (kept.generation == LOG_KEY_GENERATION_MAX)
        return vault_fail(err, VAULT_LIMITED,
                          "the log has had %u keys, which is as many as it can have",
                          LOG_KEY_GENERATION_MAX);
    if (kept.generation == vault->log_keys.generation) {
        kept = (struct kept){kept.generation + 1, 0};
        VAULT_TRY(write_kept(vault, &kept, err));
    }
    VAULT_TRY(derive(vault, kept.generation, &next, err));
    note_key_print(&next.key, text);
    note_signer_finish(&next);
    buf_text(vkey, text);
    return buf_check(vkey, err);
}

enum vault_code vault_renew_log_key(struct vault *vault, struct buf *vkey, struct vault_error *err)
{
    pthread_mutex_lock(&vault->keeping);
    const enum vault_code code = renew(vault, vkey, err);
    pthread_mutex_unlock(&vault->keeping);
    return code;
}
