#include "opened.h"

#include "vault/crypto/seal.h"
#include "vault/event.h"
#include "vault/ledger/opening.h"
#include "vault/parts.h"

/* The opening as it was before it was sealed for the citizen (vault/vault/event.c). */
static void unseal(struct vault_test *test, const struct citizen_id *id, struct bytes blob,
                   struct buf *clear)
{
    struct citizen_id owner;
    uint64_t n;
    struct bytes sealed;
    uint8_t tag[CITIZEN_ID_BYTES + 8];
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    assert_done(event_opening_owner(test->vault, blob, &owner, &n, &sealed, &test_error));
    assert_memory_equal(owner.bytes, id->bytes, CITIZEN_ID_BYTES);
    memcpy(tag, owner.bytes, CITIZEN_ID_BYTES);
    for (size_t i = 0; i < 8; i++)
        tag[CITIZEN_ID_BYTES + i] = (uint8_t)(n >> (56 - 8 * i));
    assert_done(citizen_acquire(test->vault->store, id, &citizen, &test_error));
    assert_done(seal_open(citizen_seal_key(citizen), (struct bytes){tag, sizeof tag}, sealed, clear,
                          &test_error));
}

static void copy_text(char out[OPENED_CHARS], struct bytes text)
{
    assert_true(text.size < OPENED_CHARS);
    memcpy(out, text.data, text.size);
    out[text.size] = 0;
}

void open_entry(struct vault_test *test, uint64_t index, const struct citizen_id *citizen,
                struct opened *out)
{
    struct ledger_reader *reader = NULL;
    struct ledger_record record;
    struct entry entry;
    struct opening opening;
    VAULT_AUTO(buf_finish) struct buf clear = buf_limited(OPENING_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    assert_done(ledger_reader_open(test->vault->ledger, index, &reader, &test_error));
    assert_done(ledger_reader_next(reader, 10000, &record, &test_error));
    assert_int_equal(record.index, index);
    assert_done(entry_parse(record.entry, &entry, &test_error));
    unseal(test, citizen, record.opening, &clear);
    assert_done(opening_parse(buf_view(&clear), &storage, &opening, &test_error));
    assert_done(opening_check(&opening, &entry, &test_error));
    *out = (struct opened){.event = entry.event,
                           .has_policy = entry.has_policy,
                           .policy_version = entry.policy_version};
    memcpy(out->policy_hash, entry.policy_hash, sizeof out->policy_hash);
    copy_text(out->what, opening.fields[ENTRY_WHAT].value);
    copy_text(out->basis, opening.fields[ENTRY_BASIS].value);
    copy_text(out->answer, opening.fields[ENTRY_ANSWER].value);
    ledger_reader_close(&reader);
}
