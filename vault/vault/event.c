#include "event.h"

#include <assert.h>
#include <string.h>

#include "heads.h"
#include "indexer.h"
#include "parts.h"
#include "vault/base/codec.h"
#include "vault/crypto/permute.h"
#include "vault/crypto/seal.h"
#include "vault/ledger/opening.h"

/*
 * An opening in the journal: a tag that only the vault can read, saying whose it is and which of
 * theirs, and the opening sealed under the citizen's key and bound to the same two.
 */
#define TAG_PLAIN_BYTES     (CITIZEN_ID_BYTES + 8)
#define TAG_SEALED_BYTES    (TAG_PLAIN_BYTES + SEAL_OVERHEAD_BYTES)
#define SUBJECT_VALUE_BYTES 128
#define BLOB_BYTES_MAX      (OPENING_MAX_BYTES + 256)
#define PUBLISH_WAIT_MS     20000

static void fill_entry(struct entry *entry, const struct event *event)
{
    *entry = (struct entry){.event = event->kind};
    if (event->service)
        entry->service = bytes_of_text(event->service);
    if (event->purpose)
        entry->purpose = bytes_of_text(event->purpose);
    if (event->client_spki) {
        entry->has_client = true;
        memcpy(entry->client, event->client_spki, ENTRY_CLIENT_BYTES);
    }
    entry->count = event->count;
    entry->has_policy = event->has_policy;
    entry->policy_version = event->policy_version;
    memcpy(entry->policy_hash, event->policy_hash, ENTRY_POLICY_BYTES);
}

enum vault_code event_log_name(struct vault *vault, const struct citizen_id *citizen,
                               char out[static BASE32_CHARS(PERMUTE_BLOCK_BYTES) + 1],
                               struct vault_error *err)
{
    uint8_t name[PERMUTE_BLOCK_BYTES];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(BASE32_CHARS(PERMUTE_BLOCK_BYTES) + 1);
    VAULT_TRY(permute(vault->log_name_key, citizen->bytes, name, err));
    base32_encode(&text, (struct bytes){name, sizeof name});
    VAULT_TRY(buf_check(&text, err));
    memcpy(out, text.data, text.size);
    out[text.size] = 0;
    return VAULT_OK;
}

/* "CITIZEN N PREVIOUS", as opening.h wants it; the citizen under the log's own name for them. */
static enum vault_code subject_value(struct vault *vault, const struct citizen_id *citizen,
                                     const struct event_chain *chain, struct buf *out,
                                     struct vault_error *err)
{
    char name[BASE32_CHARS(PERMUTE_BLOCK_BYTES) + 1];
    VAULT_TRY(event_log_name(vault, citizen, name, err));
    buf_texts(out, name, " ");
    buf_decimal(out, chain->n + 1);
    buf_byte(out, ' ');
    if (chain->n)
        base64_encode(out, (struct bytes){chain->leaf.bytes, sizeof chain->leaf.bytes});
    else
        buf_byte(out, '-');
    return buf_check(out, err);
}

static void commit_all(struct opening *opening, struct entry *entry, struct bytes subject,
                       const struct event *event)
{
    opening_commit(opening, entry, ENTRY_SUBJECT, subject);
    opening_commit(opening, entry, ENTRY_BASIS, event->basis);
    opening_commit(opening, entry, ENTRY_WHAT, event->what);
    if (event->actor.size)
        opening_commit(opening, entry, ENTRY_ACTOR, event->actor);
    if (event->answer.size)
        opening_commit(opening, entry, ENTRY_ANSWER, event->answer);
}

static void owner_bytes(uint8_t out[TAG_PLAIN_BYTES], const struct citizen_id *citizen, uint64_t n)
{
    memcpy(out, citizen->bytes, CITIZEN_ID_BYTES);
    for (size_t i = 0; i < 8; i++)
        out[CITIZEN_ID_BYTES + i] = (uint8_t)(n >> (56 - 8 * i));
}

static enum vault_code seal_opening(struct vault *vault, const struct citizen *citizen, uint64_t n,
                                    const struct opening *opening, struct buf *out,
                                    struct vault_error *err)
{
    uint8_t owner[TAG_PLAIN_BYTES];
    owner_bytes(owner, citizen_id_of(citizen), n);
    const struct bytes tag = {owner, sizeof owner};
    VAULT_AUTO(buf_finish) struct buf clear = buf_limited(OPENING_MAX_BYTES);
    VAULT_TRY(opening_write(opening, &clear, err));
    VAULT_TRY(seal(vault->tag_key, (struct bytes){0}, tag, out, err));
    return seal(citizen_seal_key(citizen), tag, buf_view(&clear), out, err);
}

enum vault_code event_of_citizen(struct vault *vault, const struct citizen *citizen,
                                 const struct event *event, struct event_chain *chain,
                                 struct ledger_ticket *out, struct vault_error *err)
{
    struct entry entry;
    struct opening opening = {0};
    VAULT_AUTO(buf_finish) struct buf subject = buf_limited(SUBJECT_VALUE_BYTES);
    VAULT_AUTO(buf_finish) struct buf blob = buf_limited(BLOB_BYTES_MAX);
    fill_entry(&entry, event);
    VAULT_TRY(subject_value(vault, citizen_id_of(citizen), chain, &subject, err));
    commit_all(&opening, &entry, buf_view(&subject), event);
    VAULT_TRY(seal_opening(vault, citizen, chain->n + 1, &opening, &blob, err));
    if (event->opening)
        VAULT_TRY(opening_write(&opening, event->opening, err));
    const bool exists = citizen_exists(citizen);
    const struct bytes kept = exists ? buf_view(&blob) : (struct bytes){0};
    VAULT_TRY(ledger_enqueue(vault->ledger, &entry, kept, out, err));
    if (!exists)
        return VAULT_OK;
    chain->n++;
    chain->leaf = out->leaf;
    if (vault->indexer && event->kind != ENTRY_RELEASE && event->kind != ENTRY_DENY)
        indexer_hurry(vault->indexer, out->index + 1);
    return heads_put(vault->heads, citizen_id_of(citizen), chain, out->index, err);
}

enum vault_code event_of_nobody(struct vault *vault, const struct event *event,
                                struct vault_error *err)
{
    struct entry entry;
    struct opening opening = {0};
    const struct event_chain chain = {0};
    const struct citizen_id nobody = citizen_id_new();
    VAULT_AUTO(buf_finish) struct buf subject = buf_limited(SUBJECT_VALUE_BYTES);
    fill_entry(&entry, event);
    VAULT_TRY(subject_value(vault, &nobody, &chain, &subject, err));
    commit_all(&opening, &entry, buf_view(&subject), event);
    return ledger_append(vault->ledger, &entry, (struct bytes){0}, NULL, err);
}

enum vault_code event_of_operator(struct vault *vault, enum entry_event kind, struct bytes service,
                                  struct vault_error *err)
{
    const struct entry entry = {.event = kind, .service = service};
    assert(!entry_event_has_subject(kind));
    return ledger_append(vault->ledger, &entry, (struct bytes){0}, NULL, err);
}

enum vault_code event_was_entered(struct vault *vault, enum entry_event kind, uint64_t from,
                                  uint64_t count, uint64_t below, bool *found,
                                  struct ledger_ticket *place, struct vault_error *err)
{
    const uint64_t size = ledger_head(vault->ledger).size;
    VAULT_TRY(ledger_wait_published(vault->ledger, size, PUBLISH_WAIT_MS, err));
    *found = false;
    for (uint64_t i = from; i < size && !*found; i++) {
        struct entry entry;
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
        VAULT_TRY(ledger_entry(vault->ledger, i, &text, err));
        VAULT_TRY(entry_parse(buf_view(&text), &entry, err));
        *found = entry.event == kind && entry.count == count && entry.below == below;
        if (*found && place)
            *place = (struct ledger_ticket){.index = i, .time_ms = entry.time_ms};
    }
    return VAULT_OK;
}

enum vault_code event_opening_owner(struct vault *vault, struct bytes opening,
                                    struct citizen_id *citizen, uint64_t *n, struct bytes *sealed,
                                    struct vault_error *err)
{
    if (opening.size <= TAG_SEALED_BYTES)
        return vault_fail(err, VAULT_CORRUPT, "an opening in the log is too short");
    VAULT_AUTO(buf_finish) struct buf owner = buf_limited(TAG_PLAIN_BYTES);
    const struct bytes tag = {opening.data, TAG_SEALED_BYTES};
    VAULT_TRY(seal_open(vault->tag_key, (struct bytes){0}, tag, &owner, err));
    struct cursor cursor = cursor_over(buf_view(&owner));
    cursor_copy(&cursor, citizen->bytes, CITIZEN_ID_BYTES);
    *n = cursor_u64(&cursor);
    *sealed = (struct bytes){opening.data + TAG_SEALED_BYTES, opening.size - TAG_SEALED_BYTES};
    return VAULT_OK;
}

enum vault_code event_opening_read(struct citizen *citizen, uint64_t n, struct bytes sealed,
                                   struct buf *out, struct vault_error *err)
{
    uint8_t owner[TAG_PLAIN_BYTES];
    owner_bytes(owner, citizen_id_of(citizen), n);
    return citizen_open_sealed(citizen, (struct bytes){owner, sizeof owner}, sealed, out, err);
}

enum vault_code event_entry_read(struct vault *vault, uint64_t index, struct buf *out,
                                 struct vault_error *err)
{
    struct ledger_record record;
    struct ledger_reader *reader = NULL;
    const enum vault_code published = ledger_entry(vault->ledger, index, out, err);
    if (published != VAULT_NOT_FOUND)
        return published;
    VAULT_TRY(ledger_reader_open(vault->ledger, index, &reader, err));
    const enum vault_code code = ledger_reader_next(reader, 0, &record, err);
    if (code == VAULT_OK)
        buf_bytes(out, record.entry);
    ledger_reader_close(&reader);
    return code ? code : buf_check(out, err);
}
