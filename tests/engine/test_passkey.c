#include "store_test.h"

#include "vault/store/passkey.h"
#include "vault/store/session.h"
#include "vault/store/structure.h"

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

#define OF(who)          (&(struct passkey_owner){.citizen = &(who)})
#define OF_MEDIATOR(who) (&(struct passkey_owner){.mediator = (who)})

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
    for (uint8_t i = PASSKEYS_EACH; i > 0; i--)
        add(&ada, i);
    const struct passkey more = passkey_of(&ada, 99);
    assert_fails(VAULT_LIMITED, passkey_add(store, &more, &test_error));
    add(&bob, 99);
    assert_done(passkey_list(store, OF(ada), count_one, &count, &test_error));
    assert_int_equal(count, PASSKEYS_EACH);
}

static void test_only_its_own_citizen_renames_and_removes_it(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id bob = new_citizen();
    struct passkey found;
    add(&ada, 1);
    assert_fails(VAULT_NOT_FOUND,
                 passkey_rename(store, OF(bob), credential(1), "mine", &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 passkey_remove(store, OF(bob), credential(1), NOW_S, &test_error));
    assert_done(passkey_rename(store, OF(ada), credential(1), "Clé", &test_error));
    assert_done(passkey_find(store, credential(1), &found, &test_error));
    assert_string_equal(found.name, "Clé");
    assert_done(passkey_remove(store, OF(ada), credential(1), NOW_S, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 passkey_remove(store, OF(ada), credential(1), NOW_S, &test_error));
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

/* --- A mediator's --------------------------------------------------------------------------- */

static void add_mediator(const char *login, int64_t first_until_s)
{
    struct mediator mediator = {.password_hash = "a hash", .first_until_s = first_until_s};
    snprintf(mediator.login, sizeof mediator.login, "%s", login);
    snprintf(mediator.name, sizeof mediator.name, "Somebody Invented");
    snprintf(mediator.structure.id, sizeof mediator.structure.id, "hub");
    assert_done(mediator_add(store, &mediator, &test_error));
}

static struct passkey passkey_of_mediator(const char *login, uint8_t number)
{
    const struct citizen_id nobody = {{0}};
    struct passkey passkey = passkey_of(&nobody, number);
    snprintf(passkey.mediator, sizeof passkey.mediator, "%s", login);
    return passkey;
}

static enum vault_code add_of_mediator(const char *login, uint8_t number)
{
    const struct passkey passkey = passkey_of_mediator(login, number);
    return passkey_add(store, &passkey, &test_error);
}

static void begin_with_mediators(void)
{
    fresh_store();
    assert_done(structure_add(store, "hub", "A digital hub", &test_error));
    add_mediator("ada", 0);
    add_mediator("bob", NOW_S + 100);
}

static struct mediator mediator_of(const char *login)
{
    struct mediator found;
    assert_done(mediator_get(store, login, &found, &test_error));
    return found;
}

static struct mediator_session sit(const char *login, uint8_t token)
{
    struct mediator_session session = {.token_hash = {token}, .created_s = NOW_S, .seen_s = NOW_S};
    snprintf(session.login, sizeof session.login, "%s", login);
    assert_done(mediator_session_add(store, &session, &test_error));
    return session;
}

static void test_a_mediators_is_theirs_and_no_citizens(void **state)
{
    (void)state;
    begin_with_mediators();
    const struct citizen_id nobody = {{0}};
    const struct citizen_id citizen = new_citizen();
    struct passkey found;
    int count = 0;
    assert_done(add_of_mediator("ada", 1));
    add(&citizen, 2);
    reopen_store();
    assert_done(passkey_find(store, credential(1), &found, &test_error));
    assert_string_equal(found.mediator, "ada");
    assert_true(citizen_id_equal(&found.citizen, &nobody));
    assert_done(passkey_find(store, credential(2), &found, &test_error));
    assert_string_equal(found.mediator, "");
    assert_done(passkey_list(store, OF(nobody), count_one, &count, &test_error));
    assert_done(passkey_list(store, OF_MEDIATOR("bob"), count_one, &count, &test_error));
    assert_int_equal(count, 0);
    assert_done(passkey_list(store, OF_MEDIATOR("ada"), count_one, &count, &test_error));
    assert_int_equal(count, 1);
    assert_fails(VAULT_NOT_FOUND,
                 passkey_remove(store, OF(citizen), credential(1), NOW_S, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 passkey_remove(store, OF_MEDIATOR("ada"), credential(2), NOW_S, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 passkey_rename(store, OF_MEDIATOR("bob"), credential(1), "mine", &test_error));
    assert_fails(VAULT_CONFLICT, add_of_mediator("ada", 2));
    assert_fails(VAULT_NOT_FOUND, add_of_mediator("nobody", 3));
}

static void test_a_mediators_are_counted_bounded_and_dated(void **state)
{
    (void)state;
    begin_with_mediators();
    assert_int_equal(mediator_of("ada").passkeys_s, 0);
    for (uint8_t i = 1; i <= PASSKEYS_EACH; i++)
        assert_done(add_of_mediator("ada", i));
    assert_fails(VAULT_LIMITED, add_of_mediator("ada", 99));
    assert_done(add_of_mediator("bob", 99));
    assert_int_equal(mediator_of("ada").passkeys, PASSKEYS_EACH);
    assert_int_equal(mediator_of("bob").passkeys, 1);
    assert_int_equal(mediator_of("ada").passkeys_s, NOW_S + PASSKEYS_EACH);
    assert_done(passkey_remove(store, OF_MEDIATOR("ada"), credential(1), NOW_S + 500, &test_error));
    assert_int_equal(mediator_of("ada").passkeys, PASSKEYS_EACH - 1);
    assert_int_equal(mediator_of("ada").passkeys_s, NOW_S + 500);
}

static void test_a_mediators_go_with_them_and_by_a_first_password(void **state)
{
    (void)state;
    struct passkey found;
    begin_with_mediators();
    const struct citizen_id citizen = new_citizen();
    add(&citizen, 9);
    assert_done(add_of_mediator("ada", 1));
    assert_done(add_of_mediator("bob", 2));
    assert_done(mediator_set_password(store, "ada", "their own", NOW_S, 0, NULL, &test_error));
    assert_int_equal(mediator_of("ada").passkeys, 1);
    assert_done(
        mediator_set_password(store, "ada", "a first", NOW_S, NOW_S + 9, NULL, &test_error));
    assert_int_equal(mediator_of("ada").passkeys, 0);
    assert_int_equal(mediator_of("bob").passkeys, 1);
    assert_done(mediator_remove(store, "bob", &test_error));
    assert_fails(VAULT_NOT_FOUND, passkey_find(store, credential(2), &found, &test_error));
    assert_done(add_of_mediator("ada", 3));
    assert_done(structure_remove(store, "hub", &test_error));
    assert_fails(VAULT_NOT_FOUND, passkey_find(store, credential(3), &found, &test_error));
    assert_done(passkey_find(store, credential(9), &found, &test_error));
}

static enum vault_code add_first(const char *login, uint8_t number, uint8_t token)
{
    const uint8_t hash[SHA256_BYTES] = {token};
    const struct passkey passkey = passkey_of_mediator(login, number);
    return passkey_add_first(store, &passkey, "of nobody", hash, &test_error);
}

static void test_a_first_one_takes_the_place_of_the_first_password(void **state)
{
    (void)state;
    struct mediator_session found;
    begin_with_mediators();
    sit("ada", 1);
    const struct mediator_session kept = sit("bob", 2);
    const struct mediator_session other = sit("bob", 3);
    assert_fails(VAULT_CONFLICT, add_first("ada", 1, 1));   /* their own password */
    assert_fails(VAULT_CONFLICT, add_first("bob", 100, 2)); /* at a time when it is over */
    assert_fails(VAULT_NOT_FOUND, add_first("bob", 1, 1));  /* another's session */
    assert_int_equal(mediator_of("bob").first_until_s, NOW_S + 100);
    assert_int_equal(mediator_of("bob").passkeys, 0);
    assert_done(add_first("bob", 1, 2));
    reopen_store();
    assert_int_equal(mediator_of("bob").first_until_s, 0);
    assert_string_equal(mediator_of("bob").password_hash, "of nobody");
    assert_int_equal(mediator_of("bob").passkeys, 1);
    assert_done(mediator_session_find(store, kept.token_hash, &found, &test_error));
    assert_true(found.by_passkey);
    assert_fails(VAULT_NOT_FOUND,
                 mediator_session_find(store, other.token_hash, &found, &test_error));
    assert_fails(VAULT_CONFLICT, add_first("bob", 2, 2)); /* once */
    assert_int_equal(mediator_of("ada").passkeys, 0);
}

static void test_a_mediators_session_is_proved_and_answers_a_challenge_once(void **state)
{
    (void)state;
    const uint8_t next[SHA256_BYTES] = {7};
    struct mediator_session found;
    begin_with_mediators();
    const struct mediator_session session = sit("ada", 1);
    assert_done(mediator_session_spend(store, session.token_hash, 5, &test_error));
    assert_fails(VAULT_CONFLICT, mediator_session_spend(store, session.token_hash, 5, &test_error));
    assert_fails(VAULT_CONFLICT, mediator_session_spend(store, next, 6, &test_error));
    assert_done(
        mediator_session_proved(store, session.token_hash, next, NOW_S + 9, true, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 mediator_session_find(store, session.token_hash, &found, &test_error));
    assert_fails(VAULT_NOT_FOUND, mediator_session_proved(store, session.token_hash, next, NOW_S,
                                                          true, &test_error));
    assert_fails(VAULT_CONFLICT, mediator_session_spend(store, next, 5, &test_error));
    assert_done(
        mediator_session_proved(store, next, session.token_hash, NOW_S + 10, false, &test_error));
    assert_done(mediator_session_find(store, session.token_hash, &found, &test_error));
    assert_int_equal(found.proved_s, NOW_S + 10);
    assert_int_equal(found.created_s, NOW_S);
    assert_true(found.by_passkey); /* once, and for as long as it goes on */
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
        test_a_session_answers_a_challenge_once, test_a_mediators_is_theirs_and_no_citizens,
        test_a_mediators_are_counted_bounded_and_dated,
        test_a_mediators_go_with_them_and_by_a_first_password,
        test_a_first_one_takes_the_place_of_the_first_password,
        test_a_mediators_session_is_proved_and_answers_a_challenge_once);
    finish_store();
    return failed;
}
