#include "store_test.h"

static struct citizen_id ada_id;

static struct citizen *ada(void)
{
    fresh_store();
    ada_id = new_citizen();
    return hold(&ada_id);
}

static int64_t add(struct citizen *citizen, const char *kind, const char *key, const char *json,
                   uint64_t log_n)
{
    const struct citizen_record record = {
        .kind = kind, .key = key, .json = bytes_of_text(json), .log_n = log_n};
    int64_t seq = 0;
    assert_done(citizen_record_add(citizen, &record, &seq, &test_error));
    return seq;
}

static enum vault_code gather(void *context, const struct citizen_record *record,
                              struct vault_error *err)
{
    (void)err;
    struct buf *text = context;
    buf_format(text, "%lld %s %s ", (long long)record->seq, record->kind, record->key);
    buf_bytes(text, record->json);
    buf_format(text, " %llu; ", (unsigned long long)record->log_n);
    return VAULT_OK;
}

static void assert_list(struct citizen *citizen, const char *kind, int64_t after, size_t limit,
                        const char *expected)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(10000);
    assert_done(citizen_record_list(citizen, kind, after, limit, gather, &text, &test_error));
    assert_string_equal(buf_string(&text), expected);
}

static void test_records_are_listed_by_kind_in_their_order(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    assert_int_equal(add(citizen, "consent", "c1", "{\"state\":\"given\"}", 1), 1);
    assert_int_equal(add(citizen, "objection", "o1", "{}", 2), 2);
    assert_int_equal(add(citizen, "consent", "c1", "{\"state\":\"withdrawn\"}", 3), 3);
    assert_list(citizen, "consent", 0, 100,
                "1 consent c1 {\"state\":\"given\"} 1; "
                "3 consent c1 {\"state\":\"withdrawn\"} 3; ");
    assert_list(citizen, "consent", 1, 100, "3 consent c1 {\"state\":\"withdrawn\"} 3; ");
    assert_list(citizen, "objection", 0, 100, "2 objection o1 {} 2; ");
    assert_list(citizen, "mandate", 0, 100, "");
    assert_list(citizen, NULL, 0, 2, "1 consent c1 {\"state\":\"given\"} 1; 2 objection o1 {} 2; ");
    assert_list(citizen, NULL, 3, 100, "");
    assert_list(citizen, NULL, 0, 0, "");
}

static void test_one_record_is_got_by_its_number(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    const int64_t seq = add(citizen, "consent", "", "{}", 0);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    assert_done(citizen_record_get(citizen, seq, gather, &text, &test_error));
    assert_string_equal(buf_string(&text), "1 consent  {} 0; ");
    assert_fails(VAULT_NOT_FOUND, citizen_record_get(citizen, 2, gather, &text, &test_error));
    assert_fails(VAULT_NOT_FOUND, citizen_record_get(citizen, 0, gather, &text, &test_error));
    assert_fails(VAULT_NOT_FOUND, citizen_record_get(citizen, -1, gather, &text, &test_error));
}

static void test_the_largest_number_in_the_log_is_known(void **state)
{
    (void)state;
    struct citizen *citizen = ada();
    uint64_t log_n = 7;
    assert_done(citizen_log_n_max(citizen, &log_n, &test_error));
    assert_int_equal(log_n, 0);
    (void)add(citizen, "consent", "c1", "{}", 4);
    (void)add(citizen, "consent", "c2", "{}", 4);
    (void)add(citizen, "note", "", "{}", 0);
    assert_done(citizen_log_n_max(citizen, &log_n, &test_error));
    assert_int_equal(log_n, 4);
    citizen_release(&citizen);
    reopen_store();
    citizen = hold(&ada_id);
    uint64_t count = 0;
    log_n = 0;
    assert_done(citizen_log_n_max(citizen, &log_n, &test_error));
    assert_done(citizen_record_count(citizen, &count, &test_error));
    assert_int_equal(log_n, 4);
    assert_int_equal(count, 3);
    citizen_release(&citizen);
}

/* The same whatever was listed before they are asked for: all records, some, or those of a kind. */
static void test_the_counts_do_not_depend_on_what_was_listed(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        int64_t after;
        size_t limit;
    } lists[] = {{NULL, 0, 10}, {NULL, 0, 3}, {NULL, 0, 1},       {NULL, 1, 10},
                 {NULL, 3, 10}, {NULL, 0, 4}, {"consent", 0, 10}, {"none", 0, 10}};
    struct citizen *citizen = ada();
    (void)add(citizen, "consent", "c1", "{}", 4);
    (void)add(citizen, "mandate", "m1", "{}", 6);
    (void)add(citizen, "note", "", "{}", 0);
    citizen_release(&citizen);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        uint64_t count = 0;
        uint64_t log_n = 0;
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
        reopen_store();
        citizen = hold(&ada_id);
        assert_done(citizen_record_list(citizen, lists[i].kind, lists[i].after, lists[i].limit,
                                        gather, &text, &test_error));
        assert_done(citizen_log_n_max(citizen, &log_n, &test_error));
        assert_done(citizen_record_count(citizen, &count, &test_error));
        assert_int_equal(log_n, 6);
        assert_int_equal(count, 3);
        citizen_release(&citizen);
    }
}

static void test_what_the_log_may_not_have_yet_is_listed(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    (void)add(citizen, "consent", "c1", "{}", 1);
    (void)add(citizen, "consent", "c2", "{}", 2);
    (void)add(citizen, "note", "", "{}", 0);
    (void)add(citizen, "consent", "c3", "{}", 3);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    assert_done(citizen_record_unlogged(citizen, 1, gather, &text, &test_error));
    assert_string_equal(buf_string(&text), "2 consent c2 {} 2; 4 consent c3 {} 3; ");
    buf_clear(&text);
    assert_done(citizen_record_unlogged(citizen, 3, gather, &text, &test_error));
    assert_done(citizen_record_unlogged(citizen, UINT64_MAX, gather, &text, &test_error));
    assert_int_equal(text.size, 0);
}

static void test_a_number_behind_an_earlier_one_is_refused(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    (void)add(citizen, "consent", "c1", "{}", 5);
    const struct citizen_record behind = {
        .kind = "consent", .key = "c2", .json = BYTES("{}"), .log_n = 4};
    assert_fails(VAULT_INVALID, citizen_record_add(citizen, &behind, NULL, &test_error));
    uint64_t count = 0;
    assert_done(citizen_record_count(citizen, &count, &test_error));
    assert_int_equal(count, 1);
}

static void test_records_over_their_limits_are_refused(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    static uint8_t large[CITIZEN_RECORD_MAX_BYTES + 1];
    char long_kind[CITIZEN_KIND_CHARS + 2];
    char long_key[CITIZEN_KEY_CHARS + 2];
    memset(large, '1', sizeof large);
    memset(long_kind, 'k', sizeof long_kind - 1);
    memset(long_key, 'k', sizeof long_key - 1);
    long_kind[sizeof long_kind - 1] = 0;
    long_key[sizeof long_key - 1] = 0;
    const struct {
        struct citizen_record record;
        enum vault_code code;
    } bad[] = {
        {{0, long_kind, "k", {large, 1}, 0}, VAULT_TOO_LARGE},
        {{0, "", "k", {large, 1}, 0}, VAULT_INVALID},
        {{0, "consent", long_key, {large, 1}, 0}, VAULT_TOO_LARGE},
        {{0, "consent", "k", {large, sizeof large}, 0}, VAULT_TOO_LARGE},
        {{0, "consent", "k", {large, 0}, 0}, VAULT_INVALID},
        {{0, "consent", "k", {large, 1}, (uint64_t)INT64_MAX + 1}, VAULT_INVALID},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fails(bad[i].code, citizen_record_add(citizen, &bad[i].record, NULL, &test_error));
    assert_list(citizen, NULL, 0, 10, "");
    const struct citizen_record largest = {
        .kind = "consent", .key = "", .json = {large, sizeof large - 1}};
    assert_done(citizen_record_add(citizen, &largest, NULL, &test_error));
}

static void test_a_thousand_records_come_back_in_order(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    struct citizen_change change = {0};
    VAULT_AUTO(buf_finish) struct buf expected = buf_limited(100000);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(100000);
    assert_done(citizen_begin(citizen, &change, &test_error));
    for (int i = 1; i <= 1000; i++) {
        (void)add(citizen, "consent", "c", "{}", (uint64_t)i);
        buf_format(&expected, "%d consent c {} %d; ", i, i);
    }
    assert_done(citizen_commit(&change, &test_error));
    int64_t after = 0;
    for (int page = 0; page < 10; page++, after += 100)
        assert_done(
            citizen_record_list(citizen, "consent", after, 100, gather, &text, &test_error));
    assert_string_equal(buf_string(&text), buf_string(&expected));
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(
        test_records_are_listed_by_kind_in_their_order, test_one_record_is_got_by_its_number,
        test_the_largest_number_in_the_log_is_known,
        test_the_counts_do_not_depend_on_what_was_listed,
        test_what_the_log_may_not_have_yet_is_listed,
        test_a_number_behind_an_earlier_one_is_refused, test_records_over_their_limits_are_refused,
        test_a_thousand_records_come_back_in_order);
    finish_store();
    return failed;
}
