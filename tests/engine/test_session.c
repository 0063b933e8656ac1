#include "store_test.h"

#include "vault/store/session.h"

static struct session session_of(const struct citizen_id *citizen, uint8_t token, int64_t at_s)
{
    return (struct session){.token_hash = {token, 0xaa},
                            .citizen = *citizen,
                            .created_s = at_s,
                            .seen_s = at_s,
                            .csrf_secret = {token, 0xcc}};
}

static void add(const struct citizen_id *citizen, uint8_t token, int64_t at_s)
{
    const struct session session = session_of(citizen, token, at_s);
    assert_done(session_add(store, &session, &test_error));
}

static enum vault_code find(uint8_t token, struct session *out)
{
    const uint8_t hash[SHA256_BYTES] = {token, 0xaa};
    return session_find(store, hash, out, &test_error);
}

static bool is_there(uint8_t token)
{
    struct session session;
    return find(token, &session) == VAULT_OK;
}

static void test_a_session_is_found_by_its_token_alone(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct session found;
    add(&ada, 1, NOW_S);
    assert_done(find(1, &found));
    assert_true(citizen_id_equal(&found.citizen, &ada));
    assert_int_equal(found.created_s, NOW_S);
    assert_int_equal(found.seen_s, NOW_S);
    assert_int_equal(found.reauthenticated_s, 0);
    assert_int_equal(found.csrf_secret[1], 0xcc);
    assert_fails(VAULT_NOT_FOUND, find(2, &found));
    reopen_store();
    assert_true(is_there(1));
}

static void test_a_token_is_used_once_and_only_for_who_exists(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id stranger = citizen_id_new();
    add(&ada, 1, NOW_S);
    const struct session again = session_of(&ada, 1, NOW_S);
    const struct session strange = session_of(&stranger, 2, NOW_S);
    assert_fails(VAULT_CONFLICT, session_add(store, &again, &test_error));
    assert_fails(VAULT_NOT_FOUND, session_add(store, &strange, &test_error));
}

static void test_seeing_and_reauthenticating_move_the_times(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct session found;
    const uint8_t token[SHA256_BYTES] = {1, 0xaa};
    const uint8_t renewed[SHA256_BYTES] = {2, 0xaa};
    const uint8_t unknown[SHA256_BYTES] = {9};
    add(&ada, 1, NOW_S);
    assert_done(session_seen(store, token, NOW_S + 10, &test_error));
    assert_done(find(1, &found));
    assert_int_equal(found.seen_s, NOW_S + 10);
    assert_int_equal(found.reauthenticated_s, 0);
    assert_done(session_reauthenticated(store, token, renewed, NOW_S + 20, &test_error));
    assert_fails(VAULT_NOT_FOUND, find(1, &found));
    assert_done(find(2, &found));
    assert_int_equal(found.seen_s, NOW_S + 20);
    assert_int_equal(found.reauthenticated_s, NOW_S + 20);
    assert_int_equal(found.created_s, NOW_S);
    assert_fails(VAULT_NOT_FOUND, session_seen(store, unknown, NOW_S, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 session_reauthenticated(store, unknown, token, NOW_S, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 session_reauthenticated(store, token, renewed, NOW_S, &test_error));
}

static void test_a_citizen_has_only_so_many_and_the_longest_unseen_goes(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id grace = new_citizen();
    const uint8_t first[SHA256_BYTES] = {1, 0xaa};
    add(&grace, 200, NOW_S);
    for (uint8_t i = 1; i <= SESSIONS_PER_CITIZEN; i++)
        add(&ada, i, NOW_S + i);
    assert_done(session_seen(store, first, NOW_S + 100, &test_error));
    add(&ada, 100, NOW_S + 101);
    assert_true(is_there(1));
    assert_false(is_there(2));
    assert_true(is_there(3));
    assert_true(is_there(100));
    assert_true(is_there(200));
}

static void test_ending_one_or_all_but_one(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id grace = new_citizen();
    const uint8_t second[SHA256_BYTES] = {2, 0xaa};
    for (uint8_t i = 1; i <= 4; i++)
        add(&ada, i, NOW_S);
    add(&grace, 9, NOW_S);
    assert_done(session_remove(store, (const uint8_t[SHA256_BYTES]){1, 0xaa}, &test_error));
    assert_done(session_remove(store, (const uint8_t[SHA256_BYTES]){1, 0xaa}, &test_error));
    assert_false(is_there(1));
    assert_done(session_remove_all(store, &ada, second, &test_error));
    assert_true(is_there(2));
    assert_false(is_there(3));
    assert_done(session_remove_all(store, &ada, NULL, &test_error));
    assert_false(is_there(2));
    assert_true(is_there(9));
}

static enum vault_code gather(void *context, const struct session *session, struct vault_error *err)
{
    (void)err;
    buf_byte(context, session->token_hash[0]);
    return VAULT_OK;
}

static void test_a_citizens_sessions_are_listed_last_seen_first(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id grace = new_citizen();
    add(&ada, 1, NOW_S + 1);
    add(&ada, 2, NOW_S + 3);
    add(&ada, 3, NOW_S + 2);
    add(&grace, 4, NOW_S + 4);
    VAULT_AUTO(buf_finish) struct buf tokens = buf_limited(10);
    assert_done(session_list(store, &ada, gather, &tokens, &test_error));
    assert_true(bytes_equal(buf_view(&tokens), BYTES("\2\3\1")));
}

static void test_old_and_idle_sessions_are_pruned(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    uint64_t count = 77;
    const uint8_t second[SHA256_BYTES] = {2, 0xaa};
    add(&ada, 1, NOW_S);
    add(&ada, 2, NOW_S);
    add(&ada, 3, NOW_S + 50);
    assert_done(session_seen(store, second, NOW_S + 60, &test_error));
    assert_done(session_prune(store, NOW_S, NOW_S + 10, &count, &test_error));
    assert_int_equal(count, 1);
    assert_false(is_there(1));
    assert_true(is_there(2));
    assert_done(session_prune(store, NOW_S + 1, NOW_S + 10, &count, &test_error));
    assert_int_equal(count, 1);
    assert_false(is_there(2));
    assert_true(is_there(3));
    assert_done(session_prune(store, NOW_S + 1, NOW_S + 10, &count, &test_error));
    assert_int_equal(count, 0);
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(
        test_a_session_is_found_by_its_token_alone,
        test_a_token_is_used_once_and_only_for_who_exists,
        test_seeing_and_reauthenticating_move_the_times,
        test_a_citizen_has_only_so_many_and_the_longest_unseen_goes, test_ending_one_or_all_but_one,
        test_a_citizens_sessions_are_listed_last_seen_first, test_old_and_idle_sessions_are_pruned);
    finish_store();
    return failed;
}
