#include "store_test.h"

#include "vault/store/account.h"

static struct account account_of(const struct citizen_id *citizen, const char *login)
{
    struct account account = {.citizen = *citizen, .language = "fr"};
    snprintf(account.login, sizeof account.login, "%s", login);
    snprintf(account.password_hash, sizeof account.password_hash, "$argon2id$first");
    return account;
}

static void test_an_account_is_found_by_login_and_by_citizen(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct account account = account_of(&ada, "ada");
    account.failed_tries = 9; /* not read */
    assert_done(account_add(store, &account, &test_error));
    struct account found;
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            assert_done(account_by_login(store, "ada", &found, &test_error));
        else
            assert_done(account_of_citizen(store, &ada, &found, &test_error));
        assert_true(citizen_id_equal(&found.citizen, &ada));
        assert_string_equal(found.login, "ada");
        assert_string_equal(found.password_hash, "$argon2id$first");
        assert_string_equal(found.language, "fr");
        assert_int_equal(found.failed_tries, 0);
        assert_int_equal(found.failed_at_s, 0);
    }
}

static void test_a_login_belongs_to_one_and_a_citizen_has_one(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id grace = new_citizen();
    const struct account first = account_of(&ada, "ada");
    const struct account same_login = account_of(&grace, "ada");
    const struct account same_citizen = account_of(&ada, "ada2");
    assert_done(account_add(store, &first, &test_error));
    assert_fails(VAULT_CONFLICT, account_add(store, &same_login, &test_error));
    assert_null(strstr(test_error.text, "ada"));
    assert_fails(VAULT_CONFLICT, account_add(store, &same_citizen, &test_error));
    const struct account other_case = account_of(&grace, "Ada");
    assert_done(account_add(store, &other_case, &test_error));
}

static void test_a_stranger_gets_no_account(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id stranger = citizen_id_new();
    const struct citizen_id erased = new_citizen();
    assert_done(citizen_erase(store, &erased, NULL, &test_error));
    const struct account one = account_of(&stranger, "stranger");
    const struct account two = account_of(&erased, "erased");
    struct account found;
    assert_fails(VAULT_NOT_FOUND, account_add(store, &one, &test_error));
    assert_fails(VAULT_NOT_FOUND, account_add(store, &two, &test_error));
    assert_fails(VAULT_NOT_FOUND, account_by_login(store, "stranger", &found, &test_error));
    assert_fails(VAULT_NOT_FOUND, account_of_citizen(store, &stranger, &found, &test_error));
}

static void test_what_is_not_there_is_not_changed(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id stranger = citizen_id_new();
    assert_fails(VAULT_NOT_FOUND, account_failed(store, &stranger, NOW_S, &test_error));
    assert_fails(VAULT_NOT_FOUND, account_succeeded(store, &stranger, &test_error));
    assert_fails(VAULT_NOT_FOUND, account_set_password(store, &stranger, "x", &test_error));
    assert_fails(VAULT_NOT_FOUND, account_set_language(store, &stranger, "en", &test_error));
}

static void assert_failed(const struct citizen_id *citizen, uint32_t tries, int64_t at_s)
{
    struct account found;
    assert_done(account_of_citizen(store, citizen, &found, &test_error));
    assert_int_equal(found.failed_tries, tries);
    assert_int_equal(found.failed_at_s, at_s);
}

static void test_failures_are_counted_until_a_success_or_a_new_password(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct account account = account_of(&ada, "ada");
    assert_done(account_add(store, &account, &test_error));
    assert_done(account_failed(store, &ada, NOW_S, &test_error));
    assert_done(account_failed(store, &ada, NOW_S + 5, &test_error));
    assert_failed(&ada, 2, NOW_S + 5);
    reopen_store();
    assert_failed(&ada, 2, NOW_S + 5);
    assert_done(account_succeeded(store, &ada, &test_error));
    assert_failed(&ada, 0, 0);
    assert_done(account_failed(store, &ada, NOW_S + 9, &test_error));
    assert_done(account_set_password(store, &ada, "$argon2id$second", &test_error));
    assert_failed(&ada, 0, 0);
    struct account found;
    assert_done(account_by_login(store, "ada", &found, &test_error));
    assert_string_equal(found.password_hash, "$argon2id$second");
}

static void assert_wrong(const struct citizen_id *citizen, uint32_t wrong, uint32_t before,
                         int64_t before_s)
{
    struct account found;
    assert_done(account_of_citizen(store, citizen, &found, &test_error));
    assert_int_equal(found.wrong_tries, wrong);
    assert_int_equal(found.before_tries, before);
    assert_int_equal(found.before_s, before_s);
}

/* Each try is counted before it is made, so that the last of them is the one that succeeded. */
static void test_what_was_tried_before_a_success_is_kept(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct account account = account_of(&ada, "ada");
    assert_done(account_add(store, &account, &test_error));
    assert_done(account_failed(store, &ada, NOW_S, &test_error));
    assert_done(account_tried(store, &ada, NOW_S + 1, &test_error));
    assert_failed(&ada, 1, NOW_S);
    assert_done(account_failed(store, &ada, NOW_S + 2, &test_error));
    assert_wrong(&ada, 3, 0, 0);
    assert_done(account_succeeded(store, &ada, &test_error));
    assert_wrong(&ada, 0, 2, NOW_S + 2);
    assert_done(account_tried(store, &ada, NOW_S + 3, &test_error));
    assert_done(account_succeeded(store, &ada, &test_error));
    assert_wrong(&ada, 0, 2, NOW_S + 2);
    const struct citizen_id stranger = citizen_id_new();
    assert_fails(VAULT_NOT_FOUND, account_tried(store, &stranger, NOW_S, &test_error));
}

static void test_a_first_password_has_an_end_until_another_is_set(void **state)
{
    (void)state;
    struct account found;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct account first = account_of(&ada, "ada");
    first.first_until_s = NOW_S + 30;
    assert_done(account_add(store, &first, &test_error));
    reopen_store();
    assert_done(account_by_login(store, "ada", &found, &test_error));
    assert_int_equal(found.first_until_s, NOW_S + 30);
    assert_done(account_set_password(store, &ada, "$argon2id$own", &test_error));
    assert_done(account_of_citizen(store, &ada, &found, &test_error));
    assert_int_equal(found.first_until_s, 0);
}

static void test_a_language_is_kept(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct account account = account_of(&ada, "ada");
    struct account found;
    assert_done(account_add(store, &account, &test_error));
    assert_done(account_set_language(store, &ada, "en", &test_error));
    assert_done(account_of_citizen(store, &ada, &found, &test_error));
    assert_string_equal(found.language, "en");
    assert_fails(VAULT_TOO_LARGE, account_set_language(store, &ada, "esperanto", &test_error));
}

static void test_limits_are_held(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct account empty = account_of(&ada, "");
    assert_fails(VAULT_INVALID, account_add(store, &empty, &test_error));
    char long_hash[PASSWORD_HASH_CHARS + 1];
    memset(long_hash, 'h', PASSWORD_HASH_CHARS);
    long_hash[PASSWORD_HASH_CHARS] = 0;
    const struct account account = account_of(&ada, "ada");
    assert_done(account_add(store, &account, &test_error));
    assert_fails(VAULT_TOO_LARGE, account_set_password(store, &ada, long_hash, &test_error));
    struct account found;
    assert_done(account_by_login(store, "ada", &found, &test_error));
    assert_string_equal(found.password_hash, "$argon2id$first");
}

int main(void)
{
    store_test_start();
    const int failed =
        TEST_RUN(test_an_account_is_found_by_login_and_by_citizen,
                 test_a_login_belongs_to_one_and_a_citizen_has_one, test_a_stranger_gets_no_account,
                 test_what_is_not_there_is_not_changed,
                 test_failures_are_counted_until_a_success_or_a_new_password,
                 test_what_was_tried_before_a_success_is_kept,
                 test_a_first_password_has_an_end_until_another_is_set, test_a_language_is_kept,
                 test_limits_are_held);
    finish_store();
    return failed;
}
