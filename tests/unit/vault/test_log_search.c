/* Looking through the log: what is asked for and nothing else, in either direction, and never more
 * work than is allowed. */
#include "vault/vault/log_search.h"

#include "vault/parts.h"
#include "vault/retention.h"
#include "vault/store/setting.h"
#include "vault_test.h"

#define DAY_MS     700 /* a short one: a leap of the clock would be entries of its own */
#define LISTED_MAX 40000

static struct vault_test test;
static uint64_t first_own; /* the first entry that this file made */

/* What a search found. */
static struct {
    size_t count;
    uint64_t index[LISTED_MAX];
    struct log_searched how;
} found;

static enum vault_code take(void *context, const struct log_line *line, struct vault_error *err)
{
    (void)context;
    (void)err;
    const struct tree_hash leaf = tree_leaf(line->text);
    assert_true(found.count < LISTED_MAX);
    assert_memory_equal(leaf.bytes, line->leaf.bytes, sizeof leaf.bytes);
    found.index[found.count++] = line->index;
    return VAULT_OK;
}

static const struct log_range everything = {.below = UINT64_MAX, .limit = LISTED_MAX};

static void search(const struct log_filter *filter, const struct log_range *range)
{
    found.count = 0;
    assert_done(log_search(test.vault, filter, range, take, NULL, &found.how, &test_error));
    assert_int_equal(found.count, found.how.found);
}

static void enter(enum entry_event event, const char *service, const char *purpose)
{
    struct entry entry = {
        .event = event, .service = bytes_of_text(service), .purpose = bytes_of_text(purpose)};
    struct ledger_ticket ticket;
    if (entry_event_has_subject(event)) {
        entry.commitments[ENTRY_SUBJECT].present = true;
        entry.commitments[ENTRY_BASIS].present = true;
        entry.commitments[ENTRY_WHAT].present = true;
    }
    assert_done(ledger_append(test.vault->ledger, &entry, (struct bytes){0}, &ticket, &test_error));
}

static void publish(void)
{
    const uint64_t size = ledger_head(test.vault->ledger).size;
    assert_done(ledger_wait_published(test.vault->ledger, size, 20000, &test_error));
}

/* Ten short days; on each a release and a denial to one service, and a consent to the other. */
static void begin(void)
{
    make_filled_vault(&test);
    test.now_ms += DAY_MS;
    first_own = ledger_head(test.vault->ledger).size;
    for (int day = 0; day < 10; day++) {
        enter(ENTRY_RELEASE, CASEWORKER, SUPPORT);
        enter(ENTRY_DENY, CASEWORKER, "employment.other");
        enter(ENTRY_CONSENT, LIBRARY, LENDING);
        test.now_ms += DAY_MS;
    }
    publish();
}

static void end(void)
{
    vault_close(&test.vault);
}

static void test_all_of_it_in_the_logs_order_and_the_other_way_round(void **state)
{
    (void)state;
    begin();
    const struct log_filter filter = log_filter_all();
    struct log_range range = everything;
    search(&filter, &range);
    assert_int_equal(found.count, first_own + 30);
    assert_int_equal(found.how.tree_size, first_own + 30);
    assert_false(found.how.more);
    for (size_t i = 0; i < found.count; i++)
        assert_int_equal(found.index[i], i);
    range.newest_first = true;
    search(&filter, &range);
    for (size_t i = 0; i < found.count; i++)
        assert_int_equal(found.index[i], first_own + 29 - i);
    end();
}

static void test_each_part_of_the_filter_counts(void **state)
{
    (void)state;
    begin();
    struct log_filter filter = log_filter_all();
    filter.service = bytes_of_text(CASEWORKER);
    filter.event = ENTRY_RELEASE;
    search(&filter, &everything);
    assert_int_equal(found.count, 10);
    filter.event = ENTRY_EVENT_COUNT;
    filter.outcome = LOG_WITHHELD;
    search(&filter, &everything);
    assert_int_equal(found.count, 10);
    filter.purpose = bytes_of_text(SUPPORT);
    search(&filter, &everything);
    assert_int_equal(found.count, 0);
    filter = log_filter_all();
    filter.purpose = bytes_of_text(LENDING);
    search(&filter, &everything);
    assert_int_equal(found.count, 10);
    filter.outcome = LOG_RELEASED;
    search(&filter, &everything);
    assert_int_equal(found.count, 0);
    filter = log_filter_all();
    filter.service = BYTES("librar"); /* a beginning is not the whole */
    search(&filter, &everything);
    assert_int_equal(found.count, 0);
    end();
}

static void test_a_period_begins_and_ends_to_the_millisecond(void **state)
{
    (void)state;
    begin();
    struct log_filter filter = log_filter_all();
    filter.from_ms = START_MS + DAY_MS;
    filter.before_ms = START_MS + 3 * DAY_MS;
    search(&filter, &everything);
    assert_int_equal(found.count, 6);
    assert_int_equal(found.index[0], first_own);
    assert_int_equal(found.how.read, 6); /* what is outside is not even looked at */
    filter.from_ms++;
    filter.before_ms++;
    search(&filter, &everything);
    assert_int_equal(found.count, 6);
    assert_int_equal(found.index[0], first_own + 3);
    filter.before_ms = filter.from_ms;
    search(&filter, &everything);
    assert_int_equal(found.count, 0);
    filter.from_ms = INT64_MAX - 1;
    filter.before_ms = INT64_MAX;
    search(&filter, &everything);
    assert_int_equal(found.count, 0);
    assert_false(found.how.more);
    end();
}

static void test_one_page_goes_on_where_the_other_ended(void **state)
{
    (void)state;
    for (int newest_first = 0; newest_first < 2; newest_first++) {
        size_t seen = 0;
        begin();
        struct log_filter filter = log_filter_all();
        struct log_range range = {.newest_first = newest_first, .below = UINT64_MAX, .limit = 4};
        filter.purpose = bytes_of_text(LENDING);
        uint64_t last = 0;
        do {
            search(&filter, &range);
            for (size_t i = 0; i < found.count; i++, seen++) {
                if (seen)
                    assert_int_equal(found.index[i], newest_first ? last - 3 : last + 3);
                last = found.index[i];
            }
            range.from = newest_first ? 0 : found.how.next;
            range.below = newest_first ? found.how.next : UINT64_MAX;
        } while (found.how.more);
        assert_int_equal(seen, 10);
        end();
    }
}

static void test_no_search_reads_more_than_its_share(void **state)
{
    (void)state;
    struct ledger_ticket ticket = {0};
    begin();
    for (unsigned i = 0; i < LOG_SEARCH_ENTRIES_MAX + 700; i++) {
        const struct entry entry = {.event = ENTRY_ADMIN};
        enum vault_code code;
        while ((code = ledger_enqueue(test.vault->ledger, &entry, (struct bytes){0}, &ticket,
                                      &test_error)) == VAULT_LIMITED)
            continue;
        assert_done(code);
    }
    assert_done(ledger_wait(test.vault->ledger, &ticket, &test_error));
    enter(ENTRY_RELEASE, LIBRARY, LENDING);
    publish();
    struct log_filter filter = log_filter_all();
    struct log_range range = everything;
    range.from = first_own + 30;
    filter.event = ENTRY_RELEASE;
    search(&filter, &range);
    assert_int_equal(found.count, 0);
    assert_int_equal(found.how.read, LOG_SEARCH_ENTRIES_MAX);
    assert_true(found.how.more);
    assert_int_equal(found.how.next, range.from + LOG_SEARCH_ENTRIES_MAX);
    range.from = found.how.next;
    search(&filter, &range);
    assert_int_equal(found.count, 1);
    assert_false(found.how.more);
    end();
}

static void test_what_was_pruned_is_not_looked_for(void **state)
{
    (void)state;
    begin();
    uint8_t below[8] = {[7] = 5};
    const struct setting pruned = {RETENTION_PRUNED_SETTING, {below, sizeof below}};
    assert_done(setting_put(test.vault->store, &pruned, 1, &test_error));
    const struct log_filter filter = log_filter_all();
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(PATH_MAX);
    search(&filter, &everything);
    assert_int_equal(found.index[0], 5);
    assert_int_equal(found.how.first, 5);
    assert_fails(VAULT_NOT_FOUND, log_entry_text(test.vault, 4, &out, &test_error));
    assert_fails(VAULT_NOT_FOUND, log_entry_proof(test.vault, 4, &out, &test_error));
    end();
}

static void test_damage_is_said(void **state)
{
    (void)state;
    char path[PATH_MAX * 2];
    begin();
    const struct log_filter filter = log_filter_all();
    struct log_searched how;
    snprintf(path, sizeof path, "%s/tile/entries/000.p/%llu", test.vault->log_dir,
             (unsigned long long)first_own + 30);
    assert_done(file_replace(path, BYTES("\0\3abc"), 0600, &test_error));
    assert_fails(VAULT_CORRUPT,
                 log_search(test.vault, &filter, &everything, take, NULL, &how, &test_error));
    assert_int_equal(unlink(path), 0);
    assert_fails(VAULT_CORRUPT,
                 log_search(test.vault, &filter, &everything, take, NULL, &how, &test_error));
    end();
}

static void test_an_entry_is_taken_away_with_its_proof(void **state)
{
    (void)state;
    begin();
    struct entry entry;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf proof = buf_limited(64UL * 1024);
    assert_done(log_entry_text(test.vault, first_own, &text, &test_error));
    assert_done(entry_parse(buf_view(&text), &entry, &test_error));
    assert_int_equal(entry.event, ENTRY_RELEASE);
    assert_done(log_entry_proof(test.vault, first_own, &proof, &test_error));
    assert_memory_equal(proof.data, "c2sp.org/tlog-proof@v1\n", 23);
    buf_clear(&text);
    assert_fails(VAULT_NOT_FOUND,
                 log_entry_text(test.vault, found.how.tree_size + 100000, &text, &test_error));
    assert_fails(VAULT_NOT_FOUND, log_entry_proof(test.vault, UINT64_MAX, &proof, &test_error));
    end();
}

static void test_every_event_has_an_outcome_and_every_outcome_a_name(void **state)
{
    (void)state;
    bool used[LOG_OUTCOME_COUNT] = {false};
    for (int event = 0; event < ENTRY_EVENT_COUNT; event++) {
        const enum log_outcome outcome = log_outcome_of((enum entry_event)event);
        assert_true(outcome < LOG_OUTCOME_COUNT);
        used[outcome] = true;
    }
    for (int i = 0; i < LOG_OUTCOME_COUNT; i++) {
        const char *name = log_outcome_name((enum log_outcome)i);
        assert_true(used[i]);
        assert_int_equal(log_outcome_of_name(bytes_of_text(name)), i);
    }
    assert_int_equal(log_outcome_of_name(BYTES("release")), LOG_OUTCOME_COUNT);
    assert_int_equal(log_outcome_of_name(BYTES("")), LOG_OUTCOME_COUNT);
}

int main(void)
{
    return TEST_RUN(
        test_all_of_it_in_the_logs_order_and_the_other_way_round,
        test_each_part_of_the_filter_counts, test_a_period_begins_and_ends_to_the_millisecond,
        test_one_page_goes_on_where_the_other_ended, test_no_search_reads_more_than_its_share,
        test_what_was_pruned_is_not_looked_for, test_damage_is_said,
        test_an_entry_is_taken_away_with_its_proof,
        test_every_event_has_an_outcome_and_every_outcome_a_name);
}
