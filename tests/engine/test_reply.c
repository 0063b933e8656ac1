#include "store_test.h"

#include "vault/store/reply.h"

static struct reply reply_of(const char *service, uint8_t key)
{
    return (struct reply){
        .service = service, .key_hash = {key}, .request_hash = {0xaa, key}, .created_s = NOW_S};
}

static struct reply logged(const char *service, uint8_t key, uint64_t index)
{
    struct reply reply = reply_of(service, key);
    reply.is_logged = true;
    reply.index = index;
    reply.leaf[0] = (uint8_t)index;
    return reply;
}

static void keep(const struct reply *reply, const char *sealed)
{
    assert_done(reply_put(store, reply, bytes_of_text(sealed), &test_error));
}

static enum vault_code find_since(const char *service, uint8_t key, int64_t since_s,
                                  struct reply *out, const char *wanted)
{
    const uint8_t hash[SHA256_BYTES] = {key};
    VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(REPLY_SEALED_MAX_BYTES);
    VAULT_TRY(reply_find(store, service, hash, since_s, out, &sealed, &test_error));
    assert_true(bytes_equal(buf_view(&sealed), bytes_of_text(wanted)));
    return VAULT_OK;
}

static void assert_there(const char *service, uint8_t key, const char *wanted)
{
    struct reply found;
    assert_done(find_since(service, key, 0, &found, wanted));
}

static void assert_gone(const char *service, uint8_t key)
{
    struct reply found;
    assert_fails(VAULT_NOT_FOUND, find_since(service, key, 0, &found, ""));
}

static void test_what_is_put_is_found_by_its_service_and_key_alone(void **state)
{
    (void)state;
    struct reply found;
    fresh_store();
    const struct reply plain = reply_of("library", 1);
    const struct reply entered = logged("library", 2, 7);
    keep(&plain, "one");
    keep(&entered, "two");
    assert_done(find_since("library", 1, NOW_S, &found, "one"));
    assert_false(found.is_logged);
    assert_int_equal(found.request_hash[1], 1);
    assert_int_equal(found.created_s, NOW_S);
    assert_done(find_since("library", 2, NOW_S, &found, "two"));
    assert_true(found.is_logged);
    assert_int_equal(found.index, 7);
    assert_int_equal(found.leaf[0], 7);
    assert_gone("library", 3);
    assert_gone("travel", 1);
    store_close(&store);
    open_store_with(NULL);
    assert_there("library", 1, "one");
}

static void test_one_that_is_too_old_is_not_found_and_makes_room(void **state)
{
    (void)state;
    struct reply found;
    struct reply newer = reply_of("library", 1);
    fresh_store();
    keep(&newer, "old");
    assert_fails(VAULT_NOT_FOUND, find_since("library", 1, NOW_S + 1, &found, ""));
    newer.created_s = NOW_S + 5;
    keep(&newer, "new");
    assert_done(find_since("library", 1, NOW_S + 1, &found, "new"));
}

static void test_what_has_no_size_or_too_much_is_not_kept(void **state)
{
    (void)state;
    static uint8_t large[REPLY_SEALED_MAX_BYTES + 1];
    fresh_store();
    const struct reply reply = reply_of("library", 1);
    assert_fails(VAULT_INVALID, reply_put(store, &reply, (struct bytes){0}, &test_error));
    assert_fails(VAULT_TOO_LARGE,
                 reply_put(store, &reply, (struct bytes){large, sizeof large}, &test_error));
    assert_done(reply_put(store, &reply, (struct bytes){large, sizeof large - 1}, &test_error));
}

static void test_a_service_keeps_so_many_bytes_and_another_its_own(void **state)
{
    (void)state;
    static uint8_t large[REPLY_SEALED_MAX_BYTES];
    uint64_t gone = 0;
    fresh_store();
    for (int64_t i = 0; i < REPLY_SERVICE_MAX_BYTES / (int64_t)sizeof large; i++) {
        const struct reply reply = reply_of("library", (uint8_t)i);
        assert_done(reply_check_room(store, "library", &test_error));
        assert_done(reply_put(store, &reply, (struct bytes){large, sizeof large}, &test_error));
    }
    assert_fails(VAULT_LIMITED, reply_check_room(store, "library", &test_error));
    assert_done(reply_check_room(store, "travel", &test_error));
    assert_done(reply_prune(store, NOW_S + 1, 1, &gone, &test_error));
    assert_int_equal(gone, 1);
    assert_done(reply_check_room(store, "library", &test_error));
}

static void test_what_the_log_does_not_have_goes(void **state)
{
    (void)state;
    bool found = false;
    uint64_t index = 0;
    uint8_t leaf[SHA256_BYTES] = {5};
    fresh_store();
    assert_done(reply_last_index(store, &found, &index, &test_error));
    assert_false(found);
    for (uint8_t i = 4; i < 8; i++) {
        const struct reply reply = logged("library", i, i);
        keep(&reply, "sealed");
    }
    const struct reply plain = reply_of("library", 1);
    keep(&plain, "no entry");
    assert_done(reply_last_index(store, &found, &index, &test_error));
    assert_true(found);
    assert_int_equal(index, 7);
    assert_done(reply_settle(store, 5, leaf, &test_error)); /* as it was */
    assert_there("library", 5, "sealed");
    assert_done(reply_settle(store, 6, leaf, &test_error)); /* another entry */
    assert_gone("library", 6);
    assert_done(reply_forget_from(store, 7, &test_error));
    assert_gone("library", 7);
    assert_there("library", 4, "sealed");
    assert_there("library", 1, "no entry");
}

static void test_pruning_takes_the_oldest_and_no_more_than_asked(void **state)
{
    (void)state;
    uint64_t gone = 0;
    fresh_store();
    for (uint8_t i = 0; i < 5; i++) {
        struct reply reply = reply_of("library", i);
        reply.created_s = NOW_S + i;
        keep(&reply, "sealed");
    }
    assert_done(reply_prune(store, NOW_S + 3, 2, &gone, &test_error));
    assert_int_equal(gone, 2);
    assert_gone("library", 1);
    assert_there("library", 2, "sealed");
    assert_done(reply_prune(store, NOW_S + 3, 2, &gone, &test_error));
    assert_int_equal(gone, 1);
    assert_there("library", 3, "sealed");
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(test_what_is_put_is_found_by_its_service_and_key_alone,
                                test_one_that_is_too_old_is_not_found_and_makes_room,
                                test_what_has_no_size_or_too_much_is_not_kept,
                                test_a_service_keeps_so_many_bytes_and_another_its_own,
                                test_what_the_log_does_not_have_goes,
                                test_pruning_takes_the_oldest_and_no_more_than_asked);
    finish_store();
    return failed;
}
