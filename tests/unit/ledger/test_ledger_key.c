/* A ledger that goes on under a new key. */
#include "ledger_test.h"

#include <stdatomic.h>

static struct note_signer newer;

static bool is_signed_by(const struct checkpoint *checkpoint, const struct note_signer *by)
{
    return checkpoint_verify(checkpoint, &by->key, NULL) == VAULT_OK;
}

static struct ledger_options with_newer_key(void)
{
    struct ledger_options with = options();
    with.signer = &newer;
    with.former = &signer.key;
    with.former_count = 1;
    return with;
}

static void test_a_log_goes_on_under_a_new_key_and_the_old_one_signs_too_for_a_while(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    struct checkpoint checkpoint;
    make();
    append_many(300);
    stop();
    struct ledger_options with = with_newer_key();
    with.parting = &signer;
    assert_done(ledger_open(&with, &ledger, &test_error));
    append_many(1);
    assert_published(301);
    assert_done(ledger_checkpoint(ledger, &note, &test_error));
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_true(is_signed_by(&checkpoint, &signer));
    assert_true(is_signed_by(&checkpoint, &newer));
    stop();
    with.parting = NULL;
    assert_done(ledger_open(&with, &ledger, &test_error));
    append_many(1);
    assert_done(ledger_wait_published(ledger, 302, PATIENCE_MS, &test_error));
    buf_clear(&note);
    assert_done(ledger_checkpoint(ledger, &note, &test_error));
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_false(is_signed_by(&checkpoint, &signer));
    assert_true(is_signed_by(&checkpoint, &newer));
    stop();
}

static atomic_uint partings; /* how often the parting key signed */

static enum vault_code sign_and_count(void *context, struct bytes message,
                                      uint8_t out[SIGN_SIGNATURE_BYTES], struct vault_error *err)
{
    const struct note_signer *real = context;
    atomic_fetch_add(&partings, 1);
    return sign_message(real->pair, message, out, err);
}

/* Who keeps a key signs only what grows: a reader who had the newest state signed before the
 * publisher came with the one it began with would have it refused. */
static void test_a_parting_key_signs_each_state_once_and_not_for_each_reader(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    struct checkpoint checkpoint;
    struct sign_key *pair = NULL;
    struct note_signer parting;
    uint8_t public_key[SIGN_PUBLIC_BYTES];
    make();
    append_many(5);
    stop();
    sign_key_public(signer.pair, public_key);
    const struct sign_elsewhere elsewhere = {sign_and_count, &signer};
    assert_done(sign_key_elsewhere(public_key, elsewhere, &pair, &test_error));
    assert_done(
        note_signer_of(bytes_of_text(signer.key.name), NOTE_ED25519, &pair, &parting, &test_error));
    struct ledger_options with = with_newer_key();
    with.parting = &parting;
    atomic_store(&partings, 0);
    assert_done(ledger_open(&with, &ledger, &test_error));
    append_many(1);
    append_many(1);
    assert_published(7);
    for (unsigned i = 0; i < 10; i++) {
        buf_clear(&note);
        assert_done(ledger_checkpoint(ledger, &note, &test_error));
    }
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_true(is_signed_by(&checkpoint, &signer));
    assert_int_equal(atomic_load(&partings), 3); /* at the start, and of two batches */
    stop();
    note_signer_finish(&parting);
}

static void test_the_checkpoint_is_the_new_keys_before_anything_is_entered(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf proof = buf_limited(PROOF_MAX_BYTES);
    struct checkpoint checkpoint;
    make();
    append_many(5);
    stop();
    const struct ledger_options with = with_newer_key();
    assert_done(ledger_open(&with, &ledger, &test_error));
    assert_done(ledger_checkpoint(ledger, &note, &test_error));
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_true(is_signed_by(&checkpoint, &newer));
    assert_int_equal(checkpoint.size, 5);
    assert_done(ledger_prove(ledger, 2, &proof, &test_error));
    stop();
}

static void test_a_key_that_the_log_never_had_opens_nothing(void **state)
{
    (void)state;
    make();
    append_many(5);
    stop();
    struct ledger_options with = with_newer_key();
    with.former_count = 0;
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
    with.former = &newer.key;
    with.former_count = 1;
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
}

int main(void)
{
    if (!ledger_test_begin())
        return 1;
    newer = test_signer("log.example", NOTE_ED25519, 2);
    const int failed =
        TEST_RUN(test_a_log_goes_on_under_a_new_key_and_the_old_one_signs_too_for_a_while,
                 test_a_parting_key_signs_each_state_once_and_not_for_each_reader,
                 test_the_checkpoint_is_the_new_keys_before_anything_is_entered,
                 test_a_key_that_the_log_never_had_opens_nothing);
    note_signer_finish(&newer);
    return ledger_test_end(failed);
}
