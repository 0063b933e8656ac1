/* The log gets a new key: told before, entered once, signed beside the old one for a while. */
#include "vault/log_key.h"

#include "vault/ledger/checkpoint.h"
#include "vault/parts.h"
#include "vault/store/setting.h"
#include "vault_test.h"

#define DAY_MS (86400 * 1000LL)

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
}

static void current_key(struct note_key *out)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(NOTE_KEY_CHARS_MAX);
    assert_done(vault_log_key(test.vault, &text, &test_error));
    assert_done(note_key_parse(buf_view(&text), out, &test_error));
}

static void renew(struct note_key *out)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(NOTE_KEY_CHARS_MAX);
    assert_done(vault_renew_log_key(test.vault, &text, &test_error));
    assert_done(note_key_parse(buf_view(&text), out, &test_error));
}

static bool is_same(const struct note_key *a, const struct note_key *b)
{
    return memcmp(a->public_key, b->public_key, sizeof a->public_key) == 0;
}

static bool checkpoint_is_signed_by(const struct note_key *key)
{
    struct checkpoint checkpoint;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    assert_done(ledger_checkpoint(test.vault->ledger, &note, &test_error));
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    return checkpoint_verify(&checkpoint, key, NULL) == VAULT_OK;
}

static uint64_t key_entries(void)
{
    uint64_t found = 0;
    const uint64_t size = ledger_head(test.vault->ledger).size;
    assert_done(ledger_wait_published(test.vault->ledger, size, 10000, &test_error));
    for (uint64_t i = 0; i < size; i++) {
        struct entry entry;
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
        assert_done(ledger_entry(test.vault->ledger, i, &text, &test_error));
        assert_done(entry_parse(buf_view(&text), &entry, &test_error));
        found += entry.event == ENTRY_KEY;
    }
    return found;
}

static void test_the_new_key_is_told_before_it_signs(void **state)
{
    (void)state;
    struct note_key first;
    struct note_key next;
    struct note_key now;
    begin();
    current_key(&first);
    renew(&next);
    assert_false(is_same(&first, &next));
    assert_string_equal(first.name, next.name);
    current_key(&now);
    assert_true(is_same(&first, &now));
    assert_int_equal(key_entries(), 0);
    reopen_test_vault(&test);
    current_key(&now);
    assert_true(is_same(&next, &now));
    assert_int_equal(key_entries(), 1);
    reopen_test_vault(&test);
    assert_int_equal(key_entries(), 1);
    vault_close(&test.vault);
}

static void test_asked_again_it_is_the_same_key(void **state)
{
    (void)state;
    struct note_key next;
    struct note_key again;
    begin();
    renew(&next);
    renew(&again);
    assert_true(is_same(&next, &again));
    reopen_test_vault(&test);
    current_key(&again);
    assert_true(is_same(&next, &again));
    vault_close(&test.vault);
}

static void test_the_old_key_signs_too_for_thirty_days(void **state)
{
    (void)state;
    struct note_key first;
    struct note_key next;
    begin();
    current_key(&first);
    renew(&next);
    reopen_test_vault(&test);
    assert_true(checkpoint_is_signed_by(&first));
    assert_true(checkpoint_is_signed_by(&next));
    test.now_ms += 29 * DAY_MS;
    reopen_test_vault(&test);
    assert_true(checkpoint_is_signed_by(&first));
    test.now_ms += 2 * DAY_MS;
    reopen_test_vault(&test);
    assert_false(checkpoint_is_signed_by(&first));
    assert_true(checkpoint_is_signed_by(&next));
    vault_close(&test.vault);
}

static void test_a_log_has_so_many_keys_and_no_more(void **state)
{
    (void)state;
    struct note_key next;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(NOTE_KEY_CHARS_MAX);
    begin();
    for (unsigned i = 0; i < LEDGER_FORMER_MAX; i++) {
        renew(&next);
        reopen_test_vault(&test);
    }
    assert_fails(VAULT_LIMITED, vault_renew_log_key(test.vault, &text, &test_error));
    assert_int_equal(key_entries(), LEDGER_FORMER_MAX);
    vault_close(&test.vault);
}

static void test_a_memory_of_the_key_that_is_damaged_opens_nothing(void **state)
{
    (void)state;
    begin();
    const struct setting damaged = {"log.key", BYTES("short")};
    assert_done(setting_put(test.vault->store, &damaged, 1, &test_error));
    vault_close(&test.vault);
    assert_fails(VAULT_CORRUPT, vault_open(&test.options, &test.vault, &test_error));
    assert_non_null(strstr(test_error.text, "log's key"));
}

int main(void)
{
    return TEST_RUN(test_the_new_key_is_told_before_it_signs, test_asked_again_it_is_the_same_key,
                    test_the_old_key_signs_too_for_thirty_days,
                    test_a_log_has_so_many_keys_and_no_more,
                    test_a_memory_of_the_key_that_is_damaged_opens_nothing);
}
