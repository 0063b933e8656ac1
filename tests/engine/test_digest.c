#include "store_test.h"

#include "vault/store/digest.h"

static struct citizen_id ada;

static void begin(void)
{
    fresh_store();
    ada = new_citizen();
}

static struct digest digest_of(const struct citizen_id *citizen, bool confirmed, int64_t due_s)
{
    struct digest digest = {.citizen = *citizen,
                            .address = "sealed, and nothing is read from it here",
                            .address_bytes = 40,
                            .language = "fr",
                            .every_s = 86400,
                            .confirmed = confirmed,
                            .tries = 2,
                            .failures = 3,
                            .told_n = 7,
                            .due_s = due_s};
    memset(digest.code_hash, 0xa5, sizeof digest.code_hash);
    memcpy(digest.stop, citizen->bytes, sizeof digest.stop); /* one that nobody else has */
    return digest;
}

static void put_digest(const struct digest *digest)
{
    assert_done(digest_put(store, digest, &test_error));
}

static void test_what_was_put_is_there_until_it_is_dropped(void **state)
{
    (void)state;
    struct digest found;
    begin();
    const struct digest digest = digest_of(&ada, false, NOW_S);
    put_digest(&digest);
    reopen_store();
    assert_done(digest_get(store, &ada, &found, &test_error));
    assert_true(citizen_id_equal(&found.citizen, &ada));
    assert_int_equal(found.address_bytes, 40);
    assert_memory_equal(found.address, digest.address, 40);
    assert_int_equal(found.every_s, 86400);
    assert_string_equal(found.language, "fr");
    assert_false(found.confirmed);
    assert_memory_equal(found.code_hash, digest.code_hash, sizeof found.code_hash);
    assert_memory_equal(found.stop, digest.stop, sizeof found.stop);
    assert_int_equal(found.tries, 2);
    assert_int_equal(found.failures, 3);
    assert_int_equal(found.told_n, 7);
    assert_int_equal(found.due_s, NOW_S);
    assert_done(digest_drop(store, &ada, &test_error));
    assert_done(digest_drop(store, &ada, &test_error));
    assert_fails(VAULT_NOT_FOUND, digest_get(store, &ada, &found, &test_error));
}

static void test_a_citizen_has_one_at_most(void **state)
{
    (void)state;
    struct digest found;
    begin();
    struct digest digest = digest_of(&ada, false, NOW_S);
    put_digest(&digest);
    memset(digest.address, 'x', sizeof digest.address);
    digest.address_bytes = sizeof digest.address;
    digest.stop[0] ^= 1;
    digest.confirmed = true;
    put_digest(&digest);
    assert_done(digest_get(store, &ada, &found, &test_error));
    assert_int_equal(found.address_bytes, sizeof found.address);
    assert_memory_equal(found.address, digest.address, sizeof found.address);
    assert_true(found.confirmed);
}

static void test_what_is_due_is_found_by_its_time(void **state)
{
    (void)state;
    struct digest found[2];
    size_t count = 9;
    begin();
    const struct citizen_id others[] = {new_citizen(), new_citizen(), new_citizen()};
    const struct digest digests[] = {
        digest_of(&ada, true, NOW_S), digest_of(&others[0], true, NOW_S - 10),
        digest_of(&others[1], true, NOW_S + 1), digest_of(&others[2], false, NOW_S - 20)};
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
        put_digest(&digests[i]);
    assert_done(digest_due(store, NOW_S, found, 2, &count, &test_error));
    assert_int_equal(count, 2);
    assert_true(citizen_id_equal(&found[0].citizen, &others[0]));
    assert_true(citizen_id_equal(&found[1].citizen, &ada));
    assert_done(digest_due(store, NOW_S, found, 1, &count, &test_error));
    assert_int_equal(count, 1);
    assert_done(digest_due(store, NOW_S - 11, found, 2, &count, &test_error));
    assert_int_equal(count, 0);
}

static void test_who_was_told_is_due_later_and_who_stopped_stays_stopped(void **state)
{
    (void)state;
    struct digest found;
    begin();
    struct digest digest = digest_of(&ada, true, NOW_S);
    put_digest(&digest);
    digest.told_n = 12;
    digest.failures = 0;
    digest.due_s = NOW_S + 100;
    digest.every_s = 1; /* what a note does not change */
    assert_done(digest_note(store, &digest, &test_error));
    assert_done(digest_get(store, &ada, &found, &test_error));
    assert_int_equal(found.told_n, 12);
    assert_int_equal(found.failures, 0);
    assert_int_equal(found.due_s, NOW_S + 100);
    assert_int_equal(found.every_s, 86400);
    found.confirmed = false;
    put_digest(&found);
    assert_fails(VAULT_NOT_FOUND, digest_note(store, &digest, &test_error));
    assert_done(digest_drop(store, &ada, &test_error));
    assert_fails(VAULT_NOT_FOUND, digest_note(store, &digest, &test_error));
    assert_fails(VAULT_NOT_FOUND, digest_get(store, &ada, &found, &test_error));
}

static void test_a_note_of_what_was_changed_meanwhile_is_not_taken(void **state)
{
    (void)state;
    begin();
    const struct digest before = digest_of(&ada, true, NOW_S);
    struct digest now = before;
    now.stop[0] ^= 1;
    put_digest(&now);
    assert_fails(VAULT_NOT_FOUND, digest_note(store, &before, &test_error));
    assert_done(digest_note(store, &now, &test_error));
}

static void assert_urgent(int64_t now_s, size_t wanted)
{
    struct digest found[2];
    size_t count = 9;
    assert_done(digest_urgent(store, now_s, found, 2, &count, &test_error));
    assert_int_equal(count, wanted);
    if (count)
        assert_true(citizen_id_equal(&found[0].citizen, &ada));
}

static void test_what_is_urgent_is_due_at_once_and_then_after_a_while(void **state)
{
    (void)state;
    struct digest digest;
    begin();
    assert_done(digest_urge(store, &ada, NOW_S, 100, &test_error)); /* who wants none */
    digest = digest_of(&ada, false, NOW_S);
    put_digest(&digest);
    assert_done(digest_urge(store, &ada, NOW_S, 100, &test_error)); /* or has not confirmed yet */
    assert_urgent(NOW_S + 1000, 0);
    digest = digest_of(&ada, true, NOW_S + 1000);
    put_digest(&digest);
    assert_urgent(NOW_S + 1000, 0);
    assert_done(digest_urge(store, &ada, NOW_S, 100, &test_error));
    assert_done(digest_urge(store, &ada, NOW_S + 50, 100, &test_error));
    reopen_store();
    assert_urgent(NOW_S - 1, 0);
    assert_urgent(NOW_S, 1);
    digest.urged_s = NOW_S;
    assert_done(digest_note_urgent(store, &digest, &test_error));
    assert_urgent(NOW_S + 1000, 0);
    assert_done(digest_urge(store, &ada, NOW_S + 10, 100, &test_error));
    assert_urgent(NOW_S + 99, 0);
    assert_urgent(NOW_S + 100, 1);
    digest.stop[0] ^= 1;
    assert_fails(VAULT_NOT_FOUND, digest_note_urgent(store, &digest, &test_error));
}

static void test_who_is_tried_many_times_is_told_so_once_in_a_while(void **state)
{
    (void)state;
    struct digest digest;
    begin();
    struct account account = {.login = "ada", .language = "fr"};
    account.citizen = ada;
    assert_done(account_add(store, &account, &test_error));
    digest = digest_of(&ada, true, NOW_S + 1000);
    put_digest(&digest);
    assert_done(account_tried(store, &ada, NOW_S, &test_error));
    assert_done(digest_urge_tried(store, 2, NOW_S, 100, 1000, &test_error));
    assert_urgent(NOW_S, 0);
    assert_done(account_failed(store, &ada, NOW_S, &test_error));
    assert_done(digest_urge_tried(store, 2, NOW_S + 1, 100, 1000, &test_error));
    assert_urgent(NOW_S + 1, 1);
    digest.urged_s = NOW_S + 1;
    assert_done(digest_note_urgent(store, &digest, &test_error));
    assert_done(digest_urge_tried(store, 2, NOW_S + 1001, 100, 1000, &test_error));
    assert_urgent(NOW_S + 1001, 0); /* nothing was tried since */
    assert_done(account_failed(store, &ada, NOW_S + 900, &test_error));
    assert_done(digest_urge_tried(store, 2, NOW_S + 1000, 100, 1000, &test_error));
    assert_urgent(NOW_S + 1000, 0); /* not so soon */
    assert_done(digest_urge_tried(store, 2, NOW_S + 1001, 100, 1000, &test_error));
    assert_urgent(NOW_S + 1001, 1);
    assert_fails(VAULT_INVALID, digest_urge_tried(store, 0, NOW_S, 1, 1, &test_error));
}

static void test_its_name_ends_one_and_no_other(void **state)
{
    (void)state;
    struct digest found;
    begin();
    const struct citizen_id other = new_citizen();
    const struct digest digests[] = {digest_of(&ada, true, NOW_S), digest_of(&other, true, NOW_S)};
    put_digest(&digests[0]);
    put_digest(&digests[1]);
    assert_done(digest_drop_named(store, digests[0].stop, &test_error));
    assert_done(digest_drop_named(store, digests[0].stop, &test_error));
    assert_fails(VAULT_NOT_FOUND, digest_get(store, &ada, &found, &test_error));
    assert_done(digest_get(store, &other, &found, &test_error));
    assert_done(digest_drop_all(store, &test_error));
    assert_fails(VAULT_NOT_FOUND, digest_get(store, &other, &found, &test_error));
    assert_done(digest_drop_all(store, &test_error));
}

static void test_an_address_whose_code_went_unused_goes(void **state)
{
    (void)state;
    struct digest found;
    begin();
    const struct citizen_id other = new_citizen();
    const struct digest unused = digest_of(&ada, false, NOW_S);
    const struct digest confirmed = digest_of(&other, true, NOW_S - 1);
    put_digest(&unused);
    put_digest(&confirmed);
    assert_done(digest_drop_unused(store, NOW_S - 1, &test_error));
    assert_done(digest_get(store, &ada, &found, &test_error));
    assert_done(digest_drop_unused(store, NOW_S, &test_error));
    assert_fails(VAULT_NOT_FOUND, digest_get(store, &ada, &found, &test_error));
    assert_done(digest_get(store, &other, &found, &test_error));
}

static void test_what_cannot_be_one_is_refused(void **state)
{
    (void)state;
    size_t count;
    struct digest found[1];
    begin();
    const struct citizen_id stranger = citizen_id_new();
    struct digest digest = digest_of(&stranger, true, NOW_S);
    assert_fails(VAULT_NOT_FOUND, digest_put(store, &digest, &test_error));
    digest = digest_of(&ada, true, NOW_S);
    digest.address_bytes = 0;
    assert_fails(VAULT_INVALID, digest_put(store, &digest, &test_error));
    digest = digest_of(&ada, true, NOW_S);
    digest.every_s = 0;
    assert_fails(VAULT_INVALID, digest_put(store, &digest, &test_error));
    digest = digest_of(&ada, true, NOW_S);
    digest.language[0] = 0;
    assert_fails(VAULT_INVALID, digest_put(store, &digest, &test_error));
    assert_fails(VAULT_NOT_FOUND, digest_get(store, &ada, &digest, &test_error));
    assert_fails(VAULT_INVALID, digest_due(store, NOW_S, found, 0, &count, &test_error));
}

static void test_an_erased_citizen_leaves_no_address(void **state)
{
    (void)state;
    struct digest found;
    begin();
    const struct digest digest = digest_of(&ada, true, NOW_S);
    put_digest(&digest);
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, digest_get(store, &ada, &found, &test_error));
}

int main(void)
{
    store_test_start();
    return TEST_RUN(test_what_is_urgent_is_due_at_once_and_then_after_a_while,
                    test_who_is_tried_many_times_is_told_so_once_in_a_while,
                    test_what_was_put_is_there_until_it_is_dropped, test_a_citizen_has_one_at_most,
                    test_what_is_due_is_found_by_its_time,
                    test_who_was_told_is_due_later_and_who_stopped_stays_stopped,
                    test_a_note_of_what_was_changed_meanwhile_is_not_taken,
                    test_its_name_ends_one_and_no_other,
                    test_an_address_whose_code_went_unused_goes, test_what_cannot_be_one_is_refused,
                    test_an_erased_citizen_leaves_no_address);
}
