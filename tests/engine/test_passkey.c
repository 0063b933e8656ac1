#include "store_test.h"

#include "vault/store/passkey.h"
#include "vault/store/session.h"

static struct passkey passkey_of(const struct citizen_id *citizen, uint8_t number)
{
    return (struct passkey){.credential = {number, 0xee},
                            .credential_bytes = 16,
                            .citizen = *citizen,
                            .user = {0x55},
                            .algorithm = -7,
                            .key = {number, 0xaa},
                            .key_bytes = 64,
                            .name = "Téléphone",
                            .created_s = NOW_S + number,
                            .challenge_ms = 1000};
}

static struct bytes credential(uint8_t number)
{
    static uint8_t bytes[16];
    memset(bytes, 0, sizeof bytes);
    bytes[0] = number;
    bytes[1] = 0xee;
    return (struct bytes){bytes, sizeof bytes};
}

static void add(const struct citizen_id *citizen, uint8_t number)
{
    const struct passkey passkey = passkey_of(citizen, number);
    assert_done(passkey_add(store, &passkey, &test_error));
}

static enum vault_code use(uint8_t number, int64_t challenge_ms, uint32_t count)
{
    return passkey_used(store, credential(number), challenge_ms, count, NOW_S + 9, &test_error);
}

static void test_a_passkey_is_found_by_its_credential_with_all_it_has(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct passkey found;
    add(&ada, 1);
    reopen_store();
    assert_done(passkey_find(store, credential(1), &found, &test_error));
    assert_true(citizen_id_equal(&found.citizen, &ada));
    assert_true(bytes_equal(passkey_credential(&found), credential(1)));
    assert_int_equal(found.user[0], 0x55);
    assert_int_equal(found.algorithm, -7);
    assert_int_equal(found.key_bytes, 64);
    assert_int_equal(found.key[1], 0xaa);
    assert_string_equal(found.name, "Téléphone");
    assert_int_equal(found.created_s, NOW_S + 1);
    assert_int_equal(found.used_s, 0);
    assert_fails(VAULT_NOT_FOUND, passkey_find(store, credential(2), &found, &test_error));
}

static void test_a_credential_is_one_citizens_alone(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id bob = new_citizen();
    const struct citizen_id stranger = citizen_id_new();
    add(&ada, 1);
    const struct passkey same = passkey_of(&bob, 1);
    const struct passkey strange = passkey_of(&stranger, 2);
    assert_fails(VAULT_CONFLICT, passkey_add(store, &same, &test_error));
    assert_fails(VAULT_NOT_FOUND, passkey_add(store, &strange, &test_error));
}

static void test_what_is_too_long_or_empty_is_not_kept(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct passkey passkey = passkey_of(&ada, 1);
    passkey.credential_bytes = 0;
    assert_fails(VAULT_INVALID, passkey_add(store, &passkey, &test_error));
    passkey.credential_bytes = PASSKEY_CREDENTIAL_BYTES + 1;
    assert_fails(VAULT_TOO_LARGE, passkey_add(store, &passkey, &test_error));
    passkey.credential_bytes = PASSKEY_CREDENTIAL_BYTES;
    passkey.key_bytes = PASSKEY_KEY_BYTES + 1;
    assert_fails(VAULT_TOO_LARGE, passkey_add(store, &passkey, &test_error));
    passkey.key_bytes = PASSKEY_KEY_BYTES;
    assert_done(passkey_add(store, &passkey, &test_error));
}

static void test_a_challenge_counts_once_and_an_earlier_one_no_more(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct passkey found;
    add(&ada, 1);
    assert_fails(VAULT_CONFLICT, use(1, 1000, 0));
    assert_done(use(1, 1001, 0));
    assert_fails(VAULT_CONFLICT, use(1, 1001, 0));
    reopen_store();
    assert_fails(VAULT_CONFLICT, use(1, 1001, 0));
    assert_fails(VAULT_CONFLICT, use(1, 1000, 0));
    assert_done(use(1, 1002, 0));
    assert_fails(VAULT_CONFLICT, use(2, 1002, 0));
    assert_done(passkey_find(store, credential(1), &found, &test_error));
    assert_int_equal(found.used_s, NOW_S + 9);
    assert_int_equal(found.challenge_ms, 1002);
}

static void test_a_counter_grows_or_there_is_none(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct passkey found;
    add(&ada, 1);
    assert_done(use(1, 2000, 7));
    assert_fails(VAULT_CONFLICT, use(1, 3000, 7));
    assert_fails(VAULT_CONFLICT, use(1, 3000, 6));
    assert_fails(VAULT_CONFLICT, use(1, 3000, 0));
    assert_done(use(1, 3000, UINT32_MAX));
    assert_done(passkey_find(store, credential(1), &found, &test_error));
    assert_int_equal(found.sign_count, UINT32_MAX);
}

static enum vault_code count_one(void *context, const struct passkey *passkey,
                                 struct vault_error *err)
{
    (void)err;
    int *count = context;
    assert_int_equal(passkey->credential[0], ++*count);
    return VAULT_OK;
}

static void test_a_citizen_has_only_so_many_listed_oldest_first(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id bob = new_citizen();
    int count = 0;
    for (uint8_t i = PASSKEYS_PER_CITIZEN; i > 0; i--)
        add(&ada, i);
    const struct passkey more = passkey_of(&ada, 99);
    assert_fails(VAULT_LIMITED, passkey_add(store, &more, &test_error));
    add(&bob, 99);
    assert_done(passkey_list(store, &ada, count_one, &count, &test_error));
    assert_int_equal(count, PASSKEYS_PER_CITIZEN);
}

static void test_only_its_own_citizen_renames_and_removes_it(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id bob = new_citizen();
    struct passkey found;
    add(&ada, 1);
    assert_fails(VAULT_NOT_FOUND, passkey_rename(store, &bob, credential(1), "mine", &test_error));
    assert_fails(VAULT_NOT_FOUND, passkey_remove(store, &bob, credential(1), &test_error));
    assert_done(passkey_rename(store, &ada, credential(1), "Clé", &test_error));
    assert_done(passkey_find(store, credential(1), &found, &test_error));
    assert_string_equal(found.name, "Clé");
    assert_done(passkey_remove(store, &ada, credential(1), &test_error));
    assert_fails(VAULT_NOT_FOUND, passkey_remove(store, &ada, credential(1), &test_error));
    assert_fails(VAULT_NOT_FOUND, passkey_find(store, credential(1), &found, &test_error));
}

static void test_passkeys_go_with_their_citizen(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct passkey found;
    add(&ada, 1);
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, passkey_find(store, credential(1), &found, &test_error));
}

static void test_a_session_answers_a_challenge_once(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct session session = {.token_hash = {1}, .citizen = ada, .created_s = NOW_S};
    const uint8_t other[SHA256_BYTES] = {2};
    assert_done(session_add(store, &session, &test_error));
    assert_done(session_spend_challenge(store, session.token_hash, 5, &test_error));
    assert_fails(VAULT_CONFLICT,
                 session_spend_challenge(store, session.token_hash, 5, &test_error));
    assert_fails(VAULT_CONFLICT,
                 session_spend_challenge(store, session.token_hash, 4, &test_error));
    assert_fails(VAULT_CONFLICT, session_spend_challenge(store, other, 6, &test_error));
    assert_done(session_spend_challenge(store, session.token_hash, 6, &test_error));
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(
        test_a_passkey_is_found_by_its_credential_with_all_it_has,
        test_a_credential_is_one_citizens_alone, test_what_is_too_long_or_empty_is_not_kept,
        test_a_challenge_counts_once_and_an_earlier_one_no_more,
        test_a_counter_grows_or_there_is_none, test_a_citizen_has_only_so_many_listed_oldest_first,
        test_only_its_own_citizen_renames_and_removes_it, test_passkeys_go_with_their_citizen,
        test_a_session_answers_a_challenge_once);
    finish_store();
    return failed;
}
