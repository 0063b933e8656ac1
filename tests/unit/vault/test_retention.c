/* What the log knows in clear goes after its time, and the log says so. */
#include "vault/retention.h"

#include "vault/keeper.h"
#include "vault/ledger/tile.h"
#include "vault/ledger/verify.h"
#include "vault/parts.h"
#include "vault/store/mandate_index.h"
#include "vault/store/openings.h"
#include "vault/store/setting.h"
#include "vault/vault/mediator.h"
#include "vault_test.h"

#define DAY_MS              (86400 * 1000LL)
#define DURABLE_AT_A_TIME   2000
#define PUBLISHED_AT_A_TIME 20000

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
}

static void release_times(unsigned count)
{
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    for (unsigned i = 0; i < count; i++)
        json_decref(ask_release(&test, subject));
}

/* Everything that was entered is filed once the vault has been closed. */
static void go_on_after(int64_t days)
{
    test.now_ms += days * DAY_MS;
    reopen_test_vault(&test);
}

/* The same, and whatever is due then waits for run(), not for the vault's own keeper. */
static void go_on_without_keeper(int64_t days)
{
    test.options.openings_months = 1200;
    go_on_after(days);
    keeper_stop(&test.vault->keeper);
    test.options.openings_months = test.vault->options.openings_months = 0;
}

static struct entry last_prune(uint64_t *found)
{
    struct entry last = {0};
    const uint64_t size = ledger_head(test.vault->ledger).size;
    *found = 0;
    assert_done(ledger_wait_published(test.vault->ledger, size, 20000, &test_error));
    for (uint64_t i = size > 3000 ? size - 3000 : 0; i < size; i++) {
        struct entry entry;
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
        assert_done(ledger_entry(test.vault->ledger, i, &text, &test_error));
        assert_done(entry_parse(buf_view(&text), &entry, &test_error));
        if (entry.event != ENTRY_PRUNE)
            continue;
        (*found)++;
        last = (struct entry){.count = entry.count, .below = entry.below};
    }
    return last;
}

static uint64_t openings_left(void)
{
    uint64_t end = 0;
    uint64_t count = 0;
    assert_done(
        openings_before(test.vault->store, INT64_MAX, 0, 100000, &end, &count, &test_error));
    return count;
}

static void run(void)
{
    assert_done(retention_run(test.vault, &test_error));
}

static void test_openings_go_after_twelve_months_and_are_counted(void **state)
{
    (void)state;
    uint64_t found = 0;
    begin();
    release_times(5);
    go_on_after(200);
    release_times(3);
    go_on_after(160); /* 360 days after the first */
    run();
    assert_int_equal(openings_left(), 8);
    last_prune(&found);
    assert_int_equal(found, 0);
    go_on_after(10);
    run();
    assert_int_equal(openings_left(), 3);
    const struct entry entry = last_prune(&found);
    assert_int_equal(found, 1);
    assert_int_equal(entry.count, 5);
    assert_int_equal(entry.below, 0);
    run();
    last_prune(&found);
    assert_int_equal(found, 1);
    vault_close(&test.vault);
}

/* How many openings the journal still has. */
static uint64_t openings_in_journal(void)
{
    uint64_t found = 0;
    struct ledger_record record;
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    const uint64_t size = ledger_head(test.vault->ledger).size;
    assert_done(ledger_reader_open(test.vault->ledger, 0, &reader, &test_error));
    for (uint64_t i = 0; i < size; i++) {
        assert_done(ledger_reader_next(reader, 0, &record, &test_error));
        found += !ledger_is_blank(record.opening);
    }
    return found;
}

static void test_openings_go_from_the_journal_too(void **state)
{
    (void)state;
    begin();
    release_times(5);
    go_on_after(200);
    release_times(3);
    go_on_without_keeper(170);
    run();
    assert_int_equal(openings_in_journal(), 3);
    assert_int_equal(openings_left(), 3);
    reopen_test_vault(&test);
    assert_int_equal(openings_in_journal(), 3);
    vault_close(&test.vault);
}

static void test_a_pass_that_the_log_has_is_not_entered_again(void **state)
{
    (void)state;
    uint64_t found = 0;
    begin();
    release_times(4);
    go_on_without_keeper(400);
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(64);
    uint64_t end = 0;
    uint64_t count = 0;
    uint64_t gone = 0;
    assert_done(openings_before(test.vault->store, INT64_MAX, 0, 100, &end, &count, &test_error));
    assert_done(openings_prune(test.vault->store, end, 100, &gone, &test_error));
    const struct entry entry = {.event = ENTRY_PRUNE, .count = count};
    const uint64_t size = ledger_head(test.vault->ledger).size;
    assert_done(ledger_append(test.vault->ledger, &entry, (struct bytes){0}, NULL, &test_error));
    /* As after a crash, when the log's head is read anew: until then it may lag behind by one. */
    assert_done(ledger_wait_published(test.vault->ledger, size + 1, 20000, &test_error));
    const uint64_t numbers[] = {end, count, 0, size};
    for (unsigned i = 0; i < 4; i++)
        buf_u64(&value, numbers[i]);
    const struct setting pass = {"retention.pass", buf_view(&value)};
    assert_done(setting_put(test.vault->store, &pass, 1, &test_error));
    run();
    last_prune(&found);
    assert_int_equal(found, 1);
    vault_close(&test.vault);
}

static void test_the_months_are_the_configurations(void **state)
{
    (void)state;
    begin();
    release_times(2);
    test.options.openings_months = 6;
    go_on_after(180);
    run();
    assert_int_equal(openings_left(), 2);
    go_on_after(10);
    run();
    assert_int_equal(openings_left(), 0);
    vault_close(&test.vault);
}

static void test_a_citizens_chain_goes_on_after_their_openings_went(void **state)
{
    (void)state;
    uint64_t n = 0;
    uint8_t leaf[SHA256_BYTES];
    begin();
    release_times(4);
    go_on_after(400);
    run();
    assert_int_equal(openings_left(), 0);
    release_times(1);
    reopen_test_vault(&test);
    assert_done(openings_head(test.vault->store, &test.citizen, &n, leaf, &test_error));
    assert_int_equal(n, 5);
    assert_int_equal(openings_left(), 1);
    vault_close(&test.vault);
}

static void test_a_pass_that_a_crash_cut_short_is_finished(void **state)
{
    (void)state;
    uint64_t found = 0;
    begin();
    release_times(4);
    go_on_without_keeper(400);
    /* Planned, and half carried out. */
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(64);
    uint64_t end = 0;
    uint64_t count = 0;
    uint64_t gone = 0;
    assert_done(openings_before(test.vault->store, INT64_MAX, 0, 100, &end, &count, &test_error));
    buf_u64(&value, end);
    buf_u64(&value, count);
    buf_u64(&value, 0);
    buf_u64(&value, UINT64_MAX);
    const struct setting pass = {"retention.pass", buf_view(&value)};
    assert_done(setting_put(test.vault->store, &pass, 1, &test_error));
    assert_done(openings_prune(test.vault->store, end, 2, &gone, &test_error));
    run();
    const struct entry entry = last_prune(&found);
    assert_int_equal(found, 1);
    assert_int_equal(entry.count, 4);
    assert_int_equal(openings_left(), 0);
    run();
    last_prune(&found);
    assert_int_equal(found, 1);
    vault_close(&test.vault);
}

/* So many entries that concern nobody, quickly, but never more at a time than the slowest machine
 * publishes within the time that the log gives itself. */
static void enter_many(uint64_t count)
{
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger *ledger = test.vault->ledger;
    struct ledger_ticket ticket = {0};
    for (uint64_t i = 0; i < count; i++) {
        assert_done(ledger_enqueue(ledger, &entry, (struct bytes){0}, &ticket, &test_error));
        if ((i + 1) % DURABLE_AT_A_TIME == 0)
            assert_done(ledger_wait(ledger, &ticket, &test_error));
        if ((i + 1) % PUBLISHED_AT_A_TIME == 0)
            assert_done(ledger_wait_published(ledger, ticket.index + 1, 20000, &test_error));
    }
    assert_done(ledger_wait(ledger, &ticket, &test_error));
}

static void assert_verifies(uint64_t pruned_below)
{
    struct verify_report report;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(NOTE_KEY_CHARS_MAX);
    struct note_key key;
    assert_done(vault_log_key(test.vault, &text, &test_error));
    assert_done(note_key_parse(buf_view(&text), &key, &test_error));
    const struct verify_options options = {.dir = vault_log_folder(test.vault), .key = &key};
    assert_done(verify_run(&options, &report, &test_error));
    for (unsigned i = 0; i < VERIFY_CHECK_COUNT; i++) {
        if (report.verdicts[i].state == VERIFY_FAIL)
            fail_msg("%s", report.verdicts[i].detail);
    }
    assert_int_equal(report.verdicts[VERIFY_COMPLETE].state, VERIFY_PASS);
    assert_int_equal(report.pruned_below, pruned_below);
}

/* From the tiles that are left: how the log grew from that size on, and that the proof holds. */
static void assert_growth_is_proved(uint64_t from)
{
    VAULT_AUTO(tile_source_free) struct tile_source *tiles = NULL;
    struct tree_proof proof;
    struct tree_hash before;
    struct tree_hash after;
    const uint64_t size = ledger_published_size(test.vault->ledger);
    assert_done(tile_source_new(vault_log_folder(test.vault), size, &tiles, &test_error));
    const struct tree_source nodes = tile_source_nodes(tiles);
    assert_done(tree_root(&nodes, from, &before, &test_error));
    assert_done(tree_root(&nodes, size, &after, &test_error));
    assert_done(tree_prove_consistency(&nodes, from, size, &proof, &test_error));
    assert_done(tree_check_consistency(&proof, from, size, &before, &after, &test_error));
}

static void test_published_entries_go_in_whole_steps_and_the_rest_verifies(void **state)
{
    (void)state;
    uint64_t found = 0;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(LEDGER_OPENING_MAX_BYTES * 8);
    begin();
    enter_many(140000);
    test.options.entries_months = 36;
    go_on_after(1000);
    enter_many(1000);
    run();
    last_prune(&found);
    assert_int_equal(found, 0);
    go_on_after(200); /* more than 36 months after the first 140,000 */
    run();
    const struct entry entry = last_prune(&found);
    assert_int_equal(found, 1);
    assert_int_equal(entry.below, 2 * LEDGER_PRUNE_MULTIPLE);
    assert_fails(VAULT_NOT_FOUND, ledger_entry(test.vault->ledger, 70000, &text, &test_error));
    assert_fails(VAULT_NOT_FOUND, ledger_prove(test.vault->ledger, 70000, &text, &test_error));
    assert_done(ledger_entry(test.vault->ledger, 2 * LEDGER_PRUNE_MULTIPLE, &text, &test_error));
    assert_done(ledger_prove(test.vault->ledger, 2 * LEDGER_PRUNE_MULTIPLE, &text, &test_error));
    assert_verifies(2 * LEDGER_PRUNE_MULTIPLE);
    assert_growth_is_proved(2 * LEDGER_PRUNE_MULTIPLE);
    assert_growth_is_proved(2 * LEDGER_PRUNE_MULTIPLE + 77);
    reopen_test_vault(&test);
    run();
    last_prune(&found);
    assert_int_equal(found, 1);
    enter_many(300);
    assert_done(ledger_wait_published(test.vault->ledger, ledger_head(test.vault->ledger).size,
                                      20000, &test_error));
    assert_verifies(2 * LEDGER_PRUNE_MULTIPLE);
    vault_close(&test.vault);
}

static bool has_session(const uint8_t hash[SHA256_BYTES])
{
    struct mediator_session found;
    return mediator_session_find(test.vault->store, hash, &found, &test_error) == VAULT_OK;
}

static void test_what_is_over_goes_by_itself(void **state)
{
    (void)state;
    static const uint8_t hashes[1][SHA256_BYTES] = {{7}};
    const struct mediator mediator = {
        .login = "ada", .name = "Ada", .structure = {.id = "hub"}, .password_hash = "a hash"};
    struct mediator_session session = {
        .token_hash = {1}, .login = "ada", .created_s = START_MS / 1000, .seen_s = START_MS / 1000};
    struct citizen_id whose;
    begin();
    struct store *store = test.vault->store;
    assert_done(structure_add(store, "hub", "A digital hub", &test_error));
    assert_done(mediator_add(store, &mediator, &test_error));
    assert_done(mediator_session_add(store, &session, &test_error));
    assert_done(
        mandate_codes_put(store, &test.citizen, hashes, 1, START_MS / 1000 + 60, &test_error));
    assert_done(keeper_run(test.vault, &test_error));
    assert_true(has_session(session.token_hash));
    assert_done(mandate_code_find(store, hashes[0], 0, &whose, &test_error));
    test.now_ms += (MEDIATOR_IDLE_S + 1) * 1000LL;
    assert_done(keeper_run(test.vault, &test_error));
    assert_false(has_session(session.token_hash));
    assert_fails(VAULT_NOT_FOUND, mandate_code_find(store, hashes[0], 0, &whose, &test_error));
    vault_close(&test.vault);
}

static void test_every_chore_can_be_done(void **state)
{
    (void)state;
    begin();
    release_times(2);
    go_on_after(400);
    assert_done(keeper_run(test.vault, &test_error));
    assert_int_equal(openings_left(), 0);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(
        test_openings_go_after_twelve_months_and_are_counted, test_openings_go_from_the_journal_too,
        test_a_pass_that_the_log_has_is_not_entered_again, test_the_months_are_the_configurations,
        test_a_citizens_chain_goes_on_after_their_openings_went,
        test_a_pass_that_a_crash_cut_short_is_finished,
        test_published_entries_go_in_whole_steps_and_the_rest_verifies,
        test_what_is_over_goes_by_itself, test_every_chore_can_be_done);
}
