#include "kept.h"

#include <string.h>

#include "parts.h"
#include "vault/store/openings.h"

struct bytes kept_associated(const struct kept *kept)
{
    return (struct bytes){kept->associated, sizeof kept->associated};
}

static void hash_key(const struct service *service, const struct repeat_key *key,
                     uint8_t out[SHA256_BYTES])
{
    static const uint8_t end = 0;
    const struct bytes parts[] = {bytes_of_text(service->id), {&end, 1}, key->key};
    sha256(out, parts, sizeof parts / sizeof parts[0]);
}

static enum vault_code find(struct kept *kept, const struct repeat_key *key,
                            struct vault_error *err)
{
    struct vault *vault = kept->vault;
    const int64_t since_s = clock_now_s(&vault->options.clock) - REPEAT_KEPT_S;
    struct reply found;
    const enum vault_code code = reply_find(vault->store, kept->reply.service, kept->reply.key_hash,
                                            since_s + 1, &found, &kept->sealed, err);
    if (code == VAULT_NOT_FOUND)
        return reply_check_room(vault->store, kept->reply.service, err);
    if (code)
        return code;
    if (memcmp(found.request_hash, key->request_hash, SHA256_BYTES) != 0)
        return vault_fail(err, VAULT_CONFLICT, "this Idempotency-Key was used for another request");
    kept->found = true;
    kept->reply = found;
    return VAULT_OK;
}

enum vault_code kept_begin(struct vault *vault, const struct service *service,
                           const struct repeat_key *key, struct kept *out, struct vault_error *err)
{
    VAULT_AUTO(kept_end)
    struct kept kept = {.vault = vault, .sealed = buf_limited(REPLY_SEALED_MAX_BYTES)};
    kept.reply.service = service->id;
    hash_key(service, key, kept.reply.key_hash);
    memcpy(kept.reply.request_hash, key->request_hash, SHA256_BYTES);
    memcpy(kept.associated, kept.reply.key_hash, SHA256_BYTES);
    memcpy(kept.associated + SHA256_BYTES, key->request_hash, SHA256_BYTES);
    kept.lock = &vault->repeating[kept.reply.key_hash[0] % VAULT_REPEATING];
    pthread_mutex_lock(kept.lock);
    VAULT_TRY(find(&kept, key, err));
    *out = kept;
    kept = (struct kept){0};
    return VAULT_OK;
}

void kept_end(struct kept *kept)
{
    if (kept->lock)
        pthread_mutex_unlock(kept->lock);
    buf_finish(&kept->sealed);
    *kept = (struct kept){0};
}

enum vault_code kept_put(struct kept *kept, struct bytes sealed, const struct ledger_ticket *ticket,
                         struct vault_error *err)
{
    struct reply *reply = &kept->reply;
    reply->created_s = clock_now_s(&kept->vault->options.clock);
    reply->is_logged = ticket != NULL;
    if (ticket) {
        reply->index = ticket->index;
        memcpy(reply->leaf, ticket->leaf.bytes, SHA256_BYTES);
    }
    return reply_put(kept->vault->store, reply, sealed, err);
}

/* What the index has filed was on the disk. From there on each entry is held against what is kept,
 * and what would come behind the last one is not there. */
static enum vault_code settle_from(struct vault *vault, uint64_t position, uint64_t last,
                                   struct vault_error *err)
{
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    VAULT_TRY(ledger_reader_open(vault->ledger, position, &reader, err));
    for (uint64_t i = position; i <= last; i++) {
        struct ledger_record record;
        const enum vault_code code = ledger_reader_next(reader, 0, &record, err);
        if (code == VAULT_NOT_FOUND)
            return reply_forget_from(vault->store, i, err);
        if (code)
            return code;
        VAULT_TRY(reply_settle(vault->store, record.index, record.leaf.bytes, err));
    }
    return VAULT_OK;
}

enum vault_code kept_recover(struct vault *vault, struct vault_error *err)
{
    bool found = false;
    uint64_t last = 0;
    uint64_t position = 0;
    VAULT_TRY(reply_last_index(vault->store, &found, &last, err));
    VAULT_TRY(openings_position(vault->store, &position, err));
    return found && last >= position ? settle_from(vault, position, last, err) : VAULT_OK;
}
