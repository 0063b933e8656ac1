/* Counting the log: every entry once, however often and from wherever it is asked for. */
#include "vault/vault/log_figures.h"

#include "vault/keeper.h"
#include "vault/ledger/entry.h"
#include "vault/parts.h"
#include "vault/store/openings.h"
#include "vault_test.h"

#define DAY_MS 86400000LL

static struct vault_test test;
static uint64_t sum;
static uint64_t releases;

static void begin(void)
{
    char subject[SUBJECT_CHARS + 1];
    make_filled_vault(&test);
    keeper_stop(&test.vault->keeper);
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
    for (int day = 0; day < 3; day++) {
        for (int i = 0; i <= day; i++)
            json_decref(ask_release(&test, subject));
        test.now_ms += DAY_MS;
    }
}

static void publish(void)
{
    const uint64_t size = ledger_head(test.vault->ledger).size;
    assert_done(ledger_wait_published(test.vault->ledger, size, 20000, &test_error));
}

static struct log_figures_state count(size_t most)
{
    struct log_figures_state state;
    publish();
    assert_done(log_figures_count(test.vault, most, &state, &test_error));
    return state;
}

static enum vault_code add_up(void *context, const struct figures_row *row, struct vault_error *err)
{
    (void)context;
    (void)err;
    sum += row->count;
    if (row->event == ENTRY_RELEASE) {
        assert_string_equal(row->service, CASEWORKER);
        releases += row->count;
    }
    return VAULT_OK;
}

static void list(int32_t from, int32_t to)
{
    sum = releases = 0;
    assert_done(figures_list(test.vault->store, from, to, add_up, NULL, &test_error));
}

static void test_each_entry_is_counted_on_its_day(void **state)
{
    (void)state;
    begin();
    const int32_t first = log_figures_day(START_MS);
    const struct log_figures_state counted = count(LOG_FIGURES_AT_ONCE);
    assert_int_equal(counted.counted, counted.tree_size);
    list(0, INT32_MAX);
    assert_int_equal(sum, counted.tree_size);
    assert_int_equal(releases, 6);
    for (int day = 0; day < 3; day++) {
        list(first + day, first + day);
        assert_int_equal(releases, day + 1);
    }
    vault_close(&test.vault);
}

static void test_asking_again_counts_nothing_again(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 3; i++)
        count(LOG_FIGURES_AT_ONCE);
    reopen_test_vault(&test);
    const struct log_figures_state counted = count(LOG_FIGURES_AT_ONCE);
    list(0, INT32_MAX);
    assert_int_equal(sum, counted.counted);
    assert_int_equal(releases, 6);
    vault_close(&test.vault);
}

static void test_no_call_counts_more_than_it_may_and_says_how_far_it_came(void **state)
{
    (void)state;
    struct ledger_ticket ticket = {0};
    begin();
    for (unsigned i = 0; i < FIGURES_BATCH_MAX + 10; i++) {
        const struct entry entry = {.event = ENTRY_ADMIN};
        enum vault_code code;
        while ((code = ledger_enqueue(test.vault->ledger, &entry, (struct bytes){0}, &ticket,
                                      &test_error)) == VAULT_LIMITED)
            continue;
        assert_done(code);
    }
    assert_done(ledger_wait(test.vault->ledger, &ticket, &test_error));
    const uint64_t before = count(0).counted; /* by the keeper, at the start */
    assert_int_equal(count(1).counted, before + FIGURES_BATCH_MAX);
    list(0, INT32_MAX);
    assert_int_equal(sum, before + FIGURES_BATCH_MAX);
    const struct log_figures_state all = count(LOG_FIGURES_AT_ONCE);
    assert_int_equal(all.counted, all.tree_size);
    list(0, INT32_MAX);
    assert_int_equal(sum, all.tree_size);
    vault_close(&test.vault);
}

static void test_what_was_thrown_away_is_counted_again(void **state)
{
    (void)state;
    begin();
    count(LOG_FIGURES_AT_ONCE);
    assert_done(openings_reset(test.vault->store, &test_error));
    const struct log_figures_state all = count(LOG_FIGURES_AT_ONCE);
    list(0, INT32_MAX);
    assert_int_equal(sum, all.tree_size);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_each_entry_is_counted_on_its_day, test_asking_again_counts_nothing_again,
                    test_no_call_counts_more_than_it_may_and_says_how_far_it_came,
                    test_what_was_thrown_away_is_counted_again);
}
