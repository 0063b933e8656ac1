#include "store_test.h"

#include "vault/store/setting.h"

static void put_one(const char *name, struct bytes value)
{
    const struct setting setting = {name, value};
    assert_done(setting_put(store, &setting, 1, &test_error));
}

static void assert_setting(const char *name, struct bytes expected)
{
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(SETTING_VALUE_MAX_BYTES);
    assert_done(setting_get(store, name, &value, &test_error));
    assert_true(bytes_equal(buf_view(&value), expected));
}

static enum vault_code get(const char *name)
{
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(100);
    return setting_get(store, name, &value, &test_error);
}

static void test_a_setting_is_kept_and_replaced(void **state)
{
    (void)state;
    fresh_store();
    put_one("policy.active", BYTES("one\0two"));
    put_one("log.size", BYTES(""));
    reopen_store();
    assert_setting("policy.active", BYTES("one\0two"));
    assert_setting("log.size", BYTES(""));
    put_one("policy.active", BYTES("three"));
    assert_setting("policy.active", BYTES("three"));
}

static void test_several_are_one_change(void **state)
{
    (void)state;
    fresh_store();
    const struct setting good[] = {{"log.size", BYTES("7")}, {"log.root", BYTES("abc")}};
    const struct setting bad[] = {{"log.size", BYTES("8")}, {"", BYTES("abc")}};
    assert_done(setting_put(store, good, 2, &test_error));
    assert_fails(VAULT_INVALID, setting_put(store, bad, 2, &test_error));
    assert_setting("log.size", BYTES("7"));
    assert_setting("log.root", BYTES("abc"));
}

static void test_what_was_not_put_is_not_found(void **state)
{
    (void)state;
    fresh_store();
    put_one("a", BYTES("1"));
    assert_fails(VAULT_NOT_FOUND, get("b"));
    assert_done(setting_remove(store, "b", &test_error));
    assert_done(setting_remove(store, "a", &test_error));
    assert_fails(VAULT_NOT_FOUND, get("a"));
}

static void test_limits_are_held(void **state)
{
    (void)state;
    fresh_store();
    static uint8_t large[SETTING_VALUE_MAX_BYTES + 1];
    char long_name[SETTING_NAME_CHARS + 2];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    const struct setting too_large = {"a", {large, sizeof large}};
    const struct setting too_long = {long_name, BYTES("1")};
    assert_fails(VAULT_TOO_LARGE, setting_put(store, &too_large, 1, &test_error));
    assert_fails(VAULT_TOO_LARGE, setting_put(store, &too_long, 1, &test_error));
    assert_fails(VAULT_NOT_FOUND, get("a"));
    for (int i = 0; i < SETTINGS_MAX; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%d", i);
        put_one(name, BYTES("1"));
    }
    const struct setting one_more = {"one-more", BYTES("1")};
    assert_fails(VAULT_LIMITED, setting_put(store, &one_more, 1, &test_error));
    put_one("n7", BYTES("2"));
    assert_setting("n7", BYTES("2"));
}

static void test_a_counter_counts_and_is_no_setting(void **state)
{
    (void)state;
    fresh_store();
    int64_t value = 77;
    assert_done(setting_count(store, "requests", 1, &value, &test_error));
    assert_int_equal(value, 1);
    assert_done(setting_count(store, "requests", 5, &value, &test_error));
    assert_int_equal(value, 6);
    assert_done(setting_count(store, "requests", -2, &value, &test_error));
    assert_int_equal(value, 4);
    reopen_store();
    assert_done(setting_count(store, "requests", 0, &value, &test_error));
    assert_int_equal(value, 4);
    assert_fails(VAULT_NOT_FOUND, get("requests"));
    assert_fails(VAULT_INVALID, setting_count(store, "", 1, &value, &test_error));
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(test_a_setting_is_kept_and_replaced, test_several_are_one_change,
                                test_what_was_not_put_is_not_found, test_limits_are_held,
                                test_a_counter_counts_and_is_no_setting);
    finish_store();
    return failed;
}
