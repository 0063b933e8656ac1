#include "store_test.h"

#include "vault/store/structure.h"

static void add_mediator(const char *login, const char *structure)
{
    struct mediator mediator = {.password_hash = "a hash"};
    snprintf(mediator.login, sizeof mediator.login, "%s", login);
    snprintf(mediator.name, sizeof mediator.name, "Somebody Invented");
    snprintf(mediator.structure.id, sizeof mediator.structure.id, "%s", structure);
    assert_done(mediator_add(store, &mediator, &test_error));
}

static void begin(void)
{
    fresh_store();
    assert_done(structure_add(store, "hub", "A digital hub", &test_error));
    assert_done(structure_add(store, "centre", "A social centre", &test_error));
    add_mediator("ada", "hub");
    add_mediator("bob", "centre");
}

static struct mediator_session session_of(const char *login, uint8_t token, int64_t at_s)
{
    struct mediator_session session = {
        .token_hash = {token, 0xab}, .created_s = at_s, .seen_s = at_s};
    snprintf(session.login, sizeof session.login, "%s", login);
    return session;
}

static bool is_there(uint8_t token)
{
    const uint8_t hash[SHA256_BYTES] = {token, 0xab};
    struct mediator_session found;
    return mediator_session_find(store, hash, &found, &test_error) == VAULT_OK;
}

static enum vault_code count_one(void *context, const struct structure *structure,
                                 struct vault_error *err)
{
    (void)structure;
    (void)err;
    ++*(size_t *)context;
    return VAULT_OK;
}

static void test_a_mediator_is_found_with_their_structure(void **state)
{
    (void)state;
    struct mediator found;
    begin();
    reopen_store();
    assert_done(mediator_get(store, "ada", &found, &test_error));
    assert_string_equal(found.name, "Somebody Invented");
    assert_string_equal(found.structure.id, "hub");
    assert_string_equal(found.structure.name, "A digital hub");
    assert_true(found.structure.active);
    assert_fails(VAULT_NOT_FOUND, mediator_get(store, "nobody", &found, &test_error));
    assert_fails(VAULT_NOT_FOUND, mediator_get(store, "Ada", &found, &test_error));
}

static void test_ids_and_logins_are_given_once(void **state)
{
    (void)state;
    struct mediator again = {.login = "ada", .name = "Another", .structure = {.id = "centre"}};
    struct mediator lost = {.login = "eve", .name = "Eve", .structure = {.id = "nowhere"}};
    begin();
    assert_fails(VAULT_CONFLICT, structure_add(store, "hub", "Another", &test_error));
    assert_fails(VAULT_INVALID, structure_add(store, "", "No id", &test_error));
    assert_fails(VAULT_INVALID, structure_add(store, "x", "", &test_error));
    assert_fails(VAULT_CONFLICT, mediator_add(store, &again, &test_error));
    assert_fails(VAULT_NOT_FOUND, mediator_add(store, &lost, &test_error));
}

static void test_a_removed_structure_takes_its_mediators_along_and_keeps_its_id(void **state)
{
    (void)state;
    struct mediator found;
    struct structure structure;
    size_t count = 0;
    const struct mediator_session session = session_of("ada", 1, NOW_S);
    const struct mediator_session other = session_of("bob", 2, NOW_S);
    begin();
    assert_done(mediator_session_add(store, &session, &test_error));
    assert_done(mediator_session_add(store, &other, &test_error));
    assert_done(structure_remove(store, "hub", &test_error));
    assert_fails(VAULT_NOT_FOUND, mediator_get(store, "ada", &found, &test_error));
    assert_false(is_there(1));
    assert_true(is_there(2));
    assert_fails(VAULT_NOT_FOUND, structure_remove(store, "hub", &test_error));
    assert_fails(VAULT_CONFLICT, structure_add(store, "hub", "Another", &test_error));
    assert_done(structure_get(store, "hub", &structure, &test_error));
    assert_false(structure.active);
    assert_done(structure_list(store, count_one, &count, &test_error));
    assert_int_equal(count, 1);
}

static void test_a_removed_mediator_is_out_at_once(void **state)
{
    (void)state;
    const struct mediator_session session = session_of("ada", 1, NOW_S);
    begin();
    assert_done(mediator_session_add(store, &session, &test_error));
    assert_done(mediator_remove(store, "ada", &test_error));
    assert_false(is_there(1));
    assert_fails(VAULT_NOT_FOUND, mediator_remove(store, "ada", &test_error));
    assert_fails(VAULT_NOT_FOUND, mediator_session_add(store, &session, &test_error));
    assert_fails(VAULT_NOT_FOUND, mediator_failed(store, "ada", NOW_S, &test_error));
}

static void test_failed_tries_are_counted_and_cleared(void **state)
{
    (void)state;
    struct mediator found;
    begin();
    assert_done(mediator_failed(store, "ada", NOW_S, &test_error));
    assert_done(mediator_failed(store, "ada", NOW_S + 1, &test_error));
    assert_done(mediator_get(store, "ada", &found, &test_error));
    assert_int_equal(found.failed_tries, 2);
    assert_int_equal(found.failed_at_s, NOW_S + 1);
    assert_done(mediator_failed(store, "ada", 0, &test_error));
    assert_done(mediator_get(store, "ada", &found, &test_error));
    assert_int_equal(found.failed_tries, 0);
    assert_int_equal(found.before_tries, 1); /* the last was the one that succeeded */
    assert_int_equal(found.before_s, NOW_S + 1);
    assert_done(mediator_failed(store, "ada", NOW_S + 9, &test_error));
    assert_done(mediator_failed(store, "ada", 0, &test_error));
    assert_done(mediator_get(store, "ada", &found, &test_error));
    assert_int_equal(found.before_s, NOW_S + 1);
}

static void test_a_set_password_says_whose_it_is_and_ends_other_sessions(void **state)
{
    (void)state;
    struct mediator found;
    const struct mediator_session kept = session_of("ada", 1, NOW_S);
    const struct mediator_session ended = session_of("ada", 2, NOW_S);
    const struct mediator_session others = session_of("bob", 3, NOW_S);
    begin();
    assert_done(mediator_session_add(store, &kept, &test_error));
    assert_done(mediator_session_add(store, &ended, &test_error));
    assert_done(mediator_session_add(store, &others, &test_error));
    assert_done(mediator_failed(store, "ada", NOW_S, &test_error));
    assert_done(
        mediator_set_password(store, "ada", "second", NOW_S + 5, 0, kept.token_hash, &test_error));
    assert_true(is_there(1) && !is_there(2) && is_there(3));
    assert_done(mediator_get(store, "ada", &found, &test_error));
    assert_string_equal(found.password_hash, "second");
    assert_int_equal(found.first_until_s, 0);
    assert_int_equal(found.failed_tries, 0);
    assert_done(
        mediator_set_password(store, "ada", "third", NOW_S + 6, NOW_S + 7, NULL, &test_error));
    assert_true(!is_there(1) && is_there(3));
    reopen_store();
    assert_done(mediator_get(store, "ada", &found, &test_error));
    assert_int_equal(found.first_until_s, NOW_S + 7);
    assert_int_equal(found.password_s, NOW_S + 6);
    assert_fails(VAULT_NOT_FOUND,
                 mediator_set_password(store, "nobody", "x", NOW_S, 0, NULL, &test_error));
    assert_fails(VAULT_INVALID,
                 mediator_set_password(store, "ada", "", NOW_S, 0, NULL, &test_error));
}

static void test_the_session_not_seen_for_longest_makes_room(void **state)
{
    (void)state;
    begin();
    for (uint8_t i = 0; i <= MEDIATOR_SESSIONS_MAX; i++) {
        const struct mediator_session session = session_of("ada", i, NOW_S + i);
        assert_done(mediator_session_add(store, &session, &test_error));
    }
    assert_false(is_there(0));
    assert_true(is_there(1));
    const uint8_t hash[SHA256_BYTES] = {1, 0xab};
    assert_done(mediator_session_remove(store, hash, &test_error));
    assert_done(mediator_session_remove(store, hash, &test_error));
    assert_false(is_there(1));
}

static void test_all_others_of_the_same_mediator_end(void **state)
{
    (void)state;
    begin();
    for (uint8_t i = 1; i <= 4; i++) {
        const struct mediator_session session = session_of(i < 4 ? "ada" : "bob", i, NOW_S + i);
        assert_done(mediator_session_add(store, &session, &test_error));
    }
    const uint8_t gone[SHA256_BYTES] = {9, 0xab};
    const uint8_t second[SHA256_BYTES] = {2, 0xab};
    assert_done(mediator_session_remove_others(store, gone, &test_error));
    assert_true(is_there(1) && is_there(2) && is_there(3) && is_there(4));
    assert_done(mediator_session_remove_others(store, second, &test_error));
    assert_true(!is_there(1) && is_there(2) && !is_there(3) && is_there(4));
}

static void test_sessions_go_after_their_time(void **state)
{
    (void)state;
    uint64_t count = 0;
    begin();
    for (uint8_t i = 1; i <= 3; i++) {
        const struct mediator_session session = session_of("ada", i, NOW_S + i);
        assert_done(mediator_session_add(store, &session, &test_error));
    }
    const uint8_t second[SHA256_BYTES] = {2, 0xab};
    assert_done(mediator_session_seen(store, second, NOW_S + 50, &test_error));
    assert_done(mediator_session_prune(store, NOW_S + 2, 0, &count, &test_error)); /* too old */
    assert_int_equal(count, 1);
    assert_done(mediator_session_prune(store, 0, NOW_S + 50, &count, &test_error)); /* idle */
    assert_int_equal(count, 1);
    assert_true(!is_there(1) && is_there(2) && !is_there(3));
}

int main(void)
{
    store_test_start();
    return TEST_RUN(
        test_a_mediator_is_found_with_their_structure, test_ids_and_logins_are_given_once,
        test_a_removed_structure_takes_its_mediators_along_and_keeps_its_id,
        test_a_removed_mediator_is_out_at_once, test_failed_tries_are_counted_and_cleared,
        test_a_set_password_says_whose_it_is_and_ends_other_sessions,
        test_the_session_not_seen_for_longest_makes_room, test_all_others_of_the_same_mediator_end,
        test_sessions_go_after_their_time);
}
