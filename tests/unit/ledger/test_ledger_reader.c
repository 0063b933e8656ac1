/* Readers of a ledger: entries with their openings, and waiting for more. */
#include "ledger_test.h"

#include <pthread.h>

static void test_a_reader_gets_entries_with_their_openings_in_order(void **state)
{
    (void)state;
    make();
    for (unsigned i = 0; i < 50; i++) {
        char opening[16];
        snprintf(opening, sizeof opening, "opening %u", i);
        append(opening);
    }
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    assert_done(ledger_reader_open(ledger, 20, &reader, &test_error));
    for (unsigned i = 20; i < 50; i++) {
        char opening[16];
        struct ledger_record record;
        snprintf(opening, sizeof opening, "opening %u", i);
        assert_done(ledger_reader_next(reader, 0, &record, &test_error));
        assert_int_equal(record.index, i);
        assert_true(bytes_equal(record.opening, bytes_of_text(opening)));
        const struct tree_hash leaf = tree_leaf(record.entry);
        assert_true(tree_hash_equal(&leaf, &record.leaf));
    }
    struct ledger_record record;
    assert_fails(VAULT_NOT_FOUND, ledger_reader_next(reader, 0, &record, &test_error));
    append("late");
    assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_true(bytes_equal(record.opening, BYTES("late")));
    ledger_reader_close(&reader);
    stop();
}

/* However much a segment has before it. */
static void test_a_reader_of_what_is_new_reads_nothing_of_what_is_published(void **state)
{
    (void)state;
    make();
    append_many(TILE_WIDTH);
    assert_published(TILE_WIDTH);
    append_many(3);
    change_first_entries();
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    struct ledger_record record;
    assert_done(ledger_reader_open(ledger, TILE_WIDTH + 1, &reader, &test_error));
    assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_int_equal(record.index, TILE_WIDTH + 1);
    assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_int_equal(record.index, TILE_WIDTH + 2);
    ledger_reader_close(&reader);
    stop();
}

static void *append_later(void *context)
{
    (void)context;
    usleep(50 * 1000);
    append("later");
    return NULL;
}

static void test_a_reader_waits_for_more(void **state)
{
    (void)state;
    make();
    pthread_t thread;
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    struct ledger_record record;
    assert_done(ledger_reader_open(ledger, 0, &reader, &test_error));
    assert_fails(VAULT_NOT_FOUND, ledger_reader_next(reader, 10, &record, &test_error));
    assert_int_equal(pthread_create(&thread, NULL, append_later, NULL), 0);
    assert_done(ledger_reader_next(reader, PATIENCE_MS, &record, &test_error));
    assert_true(bytes_equal(record.opening, BYTES("later")));
    pthread_join(thread, NULL);
    ledger_reader_close(&reader);
    stop();
}

static void *stop_later(void *context)
{
    (void)context;
    usleep(50 * 1000);
    assert_done(ledger_stop(ledger, &test_error));
    return NULL;
}

/* Nobody waits for what cannot come any more. */
static void test_a_reader_that_waits_is_told_of_the_end(void **state)
{
    (void)state;
    make();
    pthread_t thread;
    struct vault_error said;
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    struct ledger_record record;
    assert_done(ledger_reader_open(ledger, 0, &reader, &test_error));
    assert_int_equal(pthread_create(&thread, NULL, stop_later, NULL), 0);
    const int64_t began_ms = clock_monotonic_ms();
    assert_fails(VAULT_UNAVAILABLE, ledger_reader_next(reader, PATIENCE_MS, &record, &said));
    assert_true(clock_monotonic_ms() - began_ms < PATIENCE_MS);
    pthread_join(thread, NULL);
    ledger_reader_close(&reader);
    ledger_close(&ledger);
}

static void test_a_reader_follows_from_segment_to_segment(void **state)
{
    (void)state;
    static uint8_t opening[LEDGER_OPENING_MAX_BYTES];
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_record record;
    make();
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    assert_done(ledger_reader_open(ledger, 0, &reader, &test_error));
    for (unsigned i = 0; i < 300; i++) {
        opening[0] = (uint8_t)i;
        assert_done(ledger_append(ledger, &entry, (struct bytes){opening, sizeof opening}, NULL,
                                  &test_error));
        if (i % 2)
            assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    }
    for (unsigned i = 150; i < 300; i++) {
        assert_done(ledger_reader_next(reader, 0, &record, &test_error));
        assert_int_equal(record.index, i);
        assert_int_equal(record.opening.data[0], (uint8_t)i);
    }
    ledger_reader_close(&reader);
    stop();
    open_log();
    assert_int_equal(ledger_head(ledger).size, 300);
    assert_done(ledger_reader_open(ledger, 299, &reader, &test_error));
    assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_int_equal(record.index, 299);
    ledger_reader_close(&reader);
    stop();
}

int main(void)
{
    return LEDGER_TEST_RUN(test_a_reader_gets_entries_with_their_openings_in_order,
                           test_a_reader_of_what_is_new_reads_nothing_of_what_is_published,
                           test_a_reader_waits_for_more,
                           test_a_reader_that_waits_is_told_of_the_end,
                           test_a_reader_follows_from_segment_to_segment);
}
