/* A ledger whose journal forgot its beginning, and openings that go. */
#include "ledger_test.h"

#include <stdlib.h>

/* A log of so many entries whose journal has forgotten its beginning. */
static uint64_t make_forgetful(uint64_t count)
{
    static const uint8_t opening[LEDGER_OPENING_MAX_BYTES];
    const struct entry entry = {.event = ENTRY_ADMIN};
    make();
    for (uint64_t i = 0; i < count; i++)
        assert_done(ledger_append(ledger, &entry, (struct bytes){opening, sizeof opening}, NULL,
                                  &test_error));
    assert_done(ledger_wait_published(ledger, count, PATIENCE_MS, &test_error));
    assert_done(ledger_forget(ledger, count, &test_error));
    uint64_t begins_at = 0;
    struct ledger_reader *reader = NULL;
    while (ledger_reader_open(ledger, begins_at, &reader, NULL) == VAULT_NOT_FOUND)
        begins_at++;
    ledger_reader_close(&reader);
    assert_true(begins_at > 0 && begins_at <= count / TILE_WIDTH * TILE_WIDTH);
    return begins_at;
}

static void test_a_log_goes_on_without_the_beginning_of_its_journal(void **state)
{
    (void)state;
    make_forgetful(700);
    assert_published(700);
    stop();
    open_log();
    assert_int_equal(ledger_head(ledger).size, 700);
    append_many(400);
    assert_published(1100);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(PROOF_MAX_BYTES);
    assert_done(ledger_prove(ledger, 0, &text, &test_error));
    stop();
}

/* Tiles of the second level are begun, and one is full, when the journal forgets. */
static void test_the_edge_comes_from_the_tiles_where_the_journal_begins_later(void **state)
{
    (void)state;
    make();
    append_many(66000);
    assert_done(ledger_wait_published(ledger, 66000, PATIENCE_MS, &test_error));
    for (unsigned i = 0; i < 16; i++) {
        append_many(3000);
        assert_done(
            ledger_wait_published(ledger, 66000 + 3000 * (i + 1), PATIENCE_MS, &test_error));
    }
    const uint64_t size = ledger_head(ledger).size;
    assert_done(ledger_forget(ledger, size, &test_error));
    struct ledger_reader *reader = NULL;
    assert_fails(VAULT_NOT_FOUND, ledger_reader_open(ledger, 0, &reader, &test_error));
    stop();
    open_log();
    append_many(70000);
    assert_published(size + 70000);
    stop();
}

static void test_only_what_is_filed_and_published_is_forgotten(void **state)
{
    (void)state;
    const uint64_t begins_at = make_forgetful(700);
    struct ledger_reader *reader = NULL;
    assert_done(ledger_forget(ledger, UINT64_MAX, &test_error));
    assert_done(ledger_reader_open(ledger, begins_at, &reader, &test_error));
    ledger_reader_close(&reader);
    stop();
}

static void test_what_is_remembered_from_before_the_journal_is_held_against_the_tiles(void **state)
{
    (void)state;
    struct ledger_head early;
    make();
    append_many(10);
    early = ledger_head(ledger);
    stop();
    open_log();
    static const uint8_t opening[LEDGER_OPENING_MAX_BYTES];
    const struct entry entry = {.event = ENTRY_ADMIN};
    for (uint64_t i = 0; i < 700; i++)
        assert_done(ledger_append(ledger, &entry, (struct bytes){opening, sizeof opening}, NULL,
                                  &test_error));
    assert_done(ledger_wait_published(ledger, 710, PATIENCE_MS, &test_error));
    assert_done(ledger_forget(ledger, 710, &test_error));
    stop();
    struct ledger_options with = options();
    with.remembered = &early;
    with.remembered_count = 1;
    assert_done(ledger_open(&with, &ledger, &test_error));
    stop();
    early.root.bytes[0] ^= 1;
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
    assert_non_null(strstr(test_error.text, "10 entries"));
}

static void test_missing_tiles_are_said_where_the_journal_cannot_replace_them(void **state)
{
    (void)state;
    char path[PATH_MAX];
    const struct ledger_options with = options();
    make_forgetful(700);
    stop();
    path_in_log(path, "tile/1/000.p/2");
    assert_int_equal(unlink(path), 0);
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
    assert_non_null(strstr(test_error.text, "tiles are missing"));
}

static void test_without_its_checkpoint_a_forgetful_log_does_not_start(void **state)
{
    (void)state;
    char path[PATH_MAX];
    const struct ledger_options with = options();
    make_forgetful(700);
    stop();
    path_in_log(path, "checkpoint");
    assert_int_equal(unlink(path), 0);
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
    assert_non_null(strstr(test_error.text, "begins with entry"));
}

static bool goes_below(void *context, uint64_t index, struct bytes opening)
{
    assert_true(opening.size > 0);
    return index < *(const uint64_t *)context;
}

static bool opening_is_blank(uint64_t index)
{
    struct ledger_record record;
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    assert_done(ledger_reader_open(ledger, index, &reader, &test_error));
    assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_int_equal(record.index, index);
    return ledger_is_blank(record.opening);
}

/* How many of the journal's files hold the text. */
static int files_with(const char *text)
{
    char command[PATH_MAX * 2];
    char counted[32] = "";
    snprintf(command, sizeof command, "grep -la '%s' '%s'/journal/* | wc -l", text, dir);
    FILE *pipe = popen(command, "r"); // NOLINT(cert-env33-c): no path from outside
    assert_non_null(pipe);
    assert_non_null(fgets(counted, sizeof counted, pipe));
    assert_int_equal(pclose(pipe), 0);
    return (int)strtol(counted, NULL, 10);
}

static void test_openings_are_overwritten_in_the_journal_and_the_log_stays(void **state)
{
    (void)state;
    uint64_t below = 3;
    make();
    for (unsigned i = 0; i < 3; i++)
        append("an opening that goes");
    for (unsigned i = 0; i < 2; i++)
        append("an opening that stays");
    assert_int_equal(files_with("that goes"), 1);
    assert_done(ledger_blank(ledger, goes_below, &below, &test_error));
    assert_int_equal(files_with("that goes"), 0);
    assert_int_equal(files_with("that stays"), 1);
    append("an opening that is new");
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(opening_is_blank(i), i < 3);
    assert_published(6);
    stop();
    open_log();
    assert_int_equal(ledger_head(ledger).size, 6);
    assert_true(opening_is_blank(2));
    below = 6;
    assert_done(ledger_blank(ledger, goes_below, &below, &test_error));
    assert_done(ledger_blank(ledger, goes_below, &below, &test_error));
    assert_int_equal(files_with("an opening"), 0);
    append_many(300);
    assert_published(306);
    stop();
}

/* A full bundle ends where a segment does, and that segment is forgotten before the next bundle. */
static void test_publishing_goes_on_where_the_last_segment_is_forgotten(void **state)
{
    (void)state;
    uint64_t none = 0;
    struct ledger_reader *reader = NULL;
    make();
    append_many(TILE_WIDTH);
    assert_published(TILE_WIDTH);
    for (unsigned i = 1; i <= 3; i++) {
        assert_done(ledger_blank(ledger, goes_below, &none, &test_error));
        append_many(1);
        assert_published(TILE_WIDTH + i);
    }
    assert_done(ledger_forget(ledger, TILE_WIDTH, &test_error));
    assert_fails(VAULT_NOT_FOUND, ledger_reader_open(ledger, 0, &reader, &test_error));
    append_many(TILE_WIDTH);
    assert_published(2 * TILE_WIDTH + 3);
    stop();
}

static void test_a_reader_goes_on_while_openings_are_overwritten(void **state)
{
    (void)state;
    uint64_t below = UINT64_MAX;
    struct ledger_record record;
    make();
    append_many(10);
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    assert_done(ledger_reader_open(ledger, 0, &reader, &test_error));
    for (uint64_t i = 0; i < 5; i++)
        assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_done(ledger_blank(ledger, goes_below, &below, &test_error));
    append_many(5);
    for (uint64_t i = 5; i < 15; i++) {
        assert_done(ledger_reader_next(reader, 0, &record, &test_error));
        assert_int_equal(record.index, i);
    }
    ledger_reader_close(&reader);
    stop();
}

int main(void)
{
    return LEDGER_TEST_RUN(
        test_a_log_goes_on_without_the_beginning_of_its_journal,
        test_the_edge_comes_from_the_tiles_where_the_journal_begins_later,
        test_only_what_is_filed_and_published_is_forgotten,
        test_what_is_remembered_from_before_the_journal_is_held_against_the_tiles,
        test_missing_tiles_are_said_where_the_journal_cannot_replace_them,
        test_without_its_checkpoint_a_forgetful_log_does_not_start,
        test_openings_are_overwritten_in_the_journal_and_the_log_stays,
        test_publishing_goes_on_where_the_last_segment_is_forgotten,
        test_a_reader_goes_on_while_openings_are_overwritten);
}
