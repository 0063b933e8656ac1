/*
 * The indexer follows the log: whatever was entered is filed, after a clean stop, after none, and
 * from nothing; and what it remembers of the log does not let an older one back in.
 */
#include "vault/indexer.h"

#include <time.h>

#include "refused_memory.h"
#include "vault/event.h"
#include "vault/heads.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault/store/openings.h"
#include "vault/store/setting.h"
#include "vault_test.h"

#define WAIT_S 10

static struct vault_test test;
static char log_dir[PATH_MAX + 8];
static char kept_dir[PATH_MAX]; /* for a copy */

static void begin(void)
{
    make_filled_vault(&test);
    snprintf(log_dir, sizeof log_dir, "%s/log", test.dir);
    snprintf(kept_dir, sizeof kept_dir, "%s.kept", test.key_file);
}

/* The folder's copy, in the place of what is there. Test data only, and no path from outside. */
static void copy_folder(const char *from, const char *to)
{
    char command[PATH_MAX * 3];
    snprintf(command, sizeof command, "rm -rf '%s' && cp -r '%s' '%s'", to, from, to);
    assert_int_equal(system(command), 0);
}

static void release_times(unsigned count)
{
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    for (unsigned i = 0; i < count; i++)
        json_decref(ask_release(&test, subject));
}

static uint64_t filed_position(void)
{
    uint64_t position = 0;
    assert_done(openings_position(test.vault->store, &position, &test_error));
    return position;
}

/* Until the indexer has filed what the log has now. */
static void wait_until_filed(void)
{
    const struct timespec a_moment = {.tv_nsec = 2000000};
    const uint64_t size = ledger_head(test.vault->ledger).size;
    for (int i = 0; i < WAIT_S * 500 && filed_position() < size; i++)
        nanosleep(&a_moment, NULL);
    assert_int_equal(filed_position(), size);
}

struct seen {
    uint64_t next_n; /* newest first: what the next one must be */
    uint64_t last_index;
    size_t count;
};

static enum vault_code see(void *context, const struct openings_row *row, struct vault_error *err)
{
    (void)err;
    struct seen *seen = context;
    assert_int_equal(row->n, seen->next_n);
    assert_true(row->index < seen->last_index);
    assert_true(row->sealed.size > 0);
    assert_true(row->time_ms >= START_MS);
    seen->next_n--;
    seen->last_index = row->index;
    seen->count++;
    return VAULT_OK;
}

/* The citizen has this many openings, with no gap. */
static void assert_filed(const struct citizen_id *citizen, uint64_t count)
{
    struct seen seen = {.next_n = count, .last_index = UINT64_MAX};
    assert_done(
        openings_list(test.vault->store, citizen, 0, OPENINGS_LIST_MAX, see, &seen, &test_error));
    assert_int_equal(seen.count, count);
}

/* --- Filing --------------------------------------------------------------------------------- */

static void test_everything_is_filed_while_the_vault_runs(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    release_times(60);
    wait_until_filed();
    assert_filed(&test.citizen, 61);
    vault_close(&test.vault);
}

static void test_heads_are_forgotten_once_filed(void **state)
{
    (void)state;
    const struct timespec a_moment = {.tv_nsec = 2000000};
    struct event_chain chain;
    uint64_t n;
    uint8_t leaf[SHA256_BYTES];
    begin();
    release_times(3);
    wait_until_filed();
    for (int i = 0; i < WAIT_S * 500 && heads_get(test.vault->heads, &test.citizen, &chain); i++)
        nanosleep(&a_moment, NULL);
    assert_false(heads_get(test.vault->heads, &test.citizen, &chain));
    assert_done(openings_head(test.vault->store, &test.citizen, &n, leaf, &test_error));
    assert_int_equal(n, 3);
    vault_close(&test.vault);
}

static void test_a_clean_stop_files_what_is_left(void **state)
{
    (void)state;
    begin();
    release_times(20);
    const uint64_t size = ledger_head(test.vault->ledger).size;
    reopen_test_vault(&test);
    assert_int_equal(filed_position(), size);
    assert_filed(&test.citizen, 20);
    vault_close(&test.vault);
}

static void test_entries_that_concern_nobody_move_the_position_too(void **state)
{
    (void)state;
    begin();
    json_decref(ask_release(&test, "aaaaaaaaaaaaaaaaaaaaaaaaaa")); /* a decoy's: no opening */
    assert_done(event_of_operator(test.vault, ENTRY_ADMIN, (struct bytes){0}, &test_error));
    wait_until_filed();
    assert_filed(&test.citizen, 0);
    vault_close(&test.vault);
}

/* The folder is copied while the vault has it open, with entries that nobody filed: what a crash
 * leaves. Then the copy opens. */
static void test_after_a_crash_all_that_was_acknowledged_is_filed(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    release_times(10);
    indexer_stop(&test.vault->indexer);
    const uint64_t filed = filed_position();
    release_times(30);
    const uint64_t size = ledger_head(test.vault->ledger).size;
    assert_int_equal(size, filed + 30);
    assert_int_equal(filed_position(), filed);
    assert_done(ledger_wait_published(test.vault->ledger, size, WAIT_S * 1000, &test_error));
    copy_folder(test.dir, kept_dir);
    vault_close(&test.vault);
    test.options.dir = kept_dir;
    open_test_vault(&test);
    assert_int_equal(filed_position(), ledger_head(test.vault->ledger).size);
    assert_filed(&test.citizen, 41);
    release_times(2);
    wait_until_filed();
    assert_filed(&test.citizen, 43);
    vault_close(&test.vault);
}

/* An index that was lost is made again from the log, here from nothing. */
static void test_an_index_that_was_lost_is_built_again(void **state)
{
    (void)state;
    begin();
    release_times(30);
    wait_until_filed();
    vault_close(&test.vault);
    open_test_vault(&test);
    indexer_stop(&test.vault->indexer);
    assert_done(openings_reset(test.vault->store, &test_error));
    assert_int_equal(filed_position(), 0);
    assert_done(indexer_start(test.vault, &test.vault->indexer, &test_error));
    assert_int_equal(filed_position(), ledger_head(test.vault->ledger).size);
    assert_filed(&test.citizen, 30);
    release_times(1);
    wait_until_filed();
    assert_filed(&test.citizen, 31);
    vault_close(&test.vault);
}

/* More than one batch of the indexer's, and several citizens among each other. */
static void test_many_events_of_many_citizens_are_filed_each_where_it_belongs(void **state)
{
    (void)state;
    enum { CITIZENS = 5, EVENTS = 1300 };
    struct citizen_id ids[CITIZENS];
    struct ledger_ticket ticket;
    const struct event event = {
        .kind = ENTRY_LOGIN, .basis = BYTES("own session"), .what = BYTES("password")};
    begin();
    for (int i = 0; i < CITIZENS; i++) {
        char row[64];
        char reference[16];
        snprintf(reference, sizeof reference, "M-%d", i);
        snprintf(row, sizeof row, "{\"reference\":\"%s\",\"values\":{}}", reference);
        import_one(&test, row);
        assert_done(people_find(test.vault, reference, &ids[i], &test_error));
    }
    for (int i = 0; i < EVENTS; i++) {
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        struct person *person = NULL;
        assert_done(person_hold(test.vault, &ids[i % CITIZENS], &citizen, &person, &test_error));
        assert_done(
            event_of_citizen(test.vault, citizen, &event, &person->chain, &ticket, &test_error));
    }
    assert_done(ledger_wait(test.vault->ledger, &ticket, &test_error));
    wait_until_filed();
    for (int i = 0; i < CITIZENS; i++)
        assert_filed(&ids[i], EVENTS / CITIZENS);
    vault_close(&test.vault);
}

/* --- A journal that is not ours ------------------------------------------------------------- */

static void test_an_opening_that_is_forged_stops_the_start_and_is_not_filed(void **state)
{
    (void)state;
    static const uint8_t forged[200] = {1};
    struct entry entry = {.event = ENTRY_LOGIN};
    begin();
    release_times(1);
    wait_until_filed();
    for (int key = 0; key < ENTRY_KEY_COUNT; key++)
        entry.commitments[key].present =
            key == ENTRY_SUBJECT || key == ENTRY_BASIS || key == ENTRY_WHAT;
    assert_done(ledger_append(test.vault->ledger, &entry, (struct bytes){forged, sizeof forged},
                              NULL, &test_error));
    vault_close(&test.vault);
    struct vault *refused = NULL;
    assert_fails(VAULT_CORRUPT, vault_open(&test.options, &refused, &test_error));
    assert_null(refused);
}

/* --- What is remembered --------------------------------------------------------------------- */

static struct ledger_head remembered(void)
{
    struct ledger_head head;
    assert_done(indexer_remembered(test.vault, &head, &test_error));
    return head;
}

static void test_a_new_vault_remembers_nothing(void **state)
{
    (void)state;
    make_test_vault(&test);
    assert_done(setting_remove(test.vault->store, "ledger.head", &test_error));
    const struct ledger_head head = remembered();
    assert_int_equal(head.size, 0);
    for (size_t i = 0; i < sizeof head.root.bytes; i++)
        assert_int_equal(head.root.bytes[i], 0);
    vault_close(&test.vault);
}

static void test_after_a_clean_stop_the_memory_is_exact(void **state)
{
    (void)state;
    begin();
    release_times(5);
    const struct ledger_head last = ledger_head(test.vault->ledger);
    reopen_test_vault(&test);
    const struct ledger_head head = remembered();
    assert_int_equal(head.size, last.size);
    assert_memory_equal(head.root.bytes, last.root.bytes, sizeof head.root.bytes);
    vault_close(&test.vault);
}

static void test_the_memory_follows_the_log_while_it_runs(void **state)
{
    (void)state;
    const struct timespec a_moment = {.tv_nsec = 10000000};
    begin();
    release_times(1);
    const uint64_t size = ledger_head(test.vault->ledger).size;
    for (int i = 0; i < WAIT_S * 100 && remembered().size < size; i++)
        nanosleep(&a_moment, NULL);
    assert_int_equal(remembered().size, size);
    vault_close(&test.vault);
}

static void test_a_memory_of_the_wrong_size_is_damage_and_not_forgetting(void **state)
{
    (void)state;
    static const uint8_t bytes[64];
    static const size_t sizes[] = {0, 1, 8, 39, 41, 64};
    struct ledger_head head = {.size = 7};
    begin();
    indexer_stop(&test.vault->indexer);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const struct setting setting = {"ledger.head", {bytes, sizes[i]}};
        assert_done(setting_put(test.vault->store, &setting, 1, &test_error));
        assert_fails(VAULT_CORRUPT, indexer_remembered(test.vault, &head, &test_error));
        assert_int_equal(head.size, 7);
    }
    vault_close(&test.vault);
}

/* A vault whose memory cannot be read would never start again. */
static void test_a_memory_is_written_whole_or_not_at_all(void **state)
{
    (void)state;
    unsigned nth = 0;
    begin();
    for (bool was_refused = true; was_refused; nth++) {
        release_times(1);
        refuse_memory(nth, 1);
        indexer_stop(&test.vault->indexer);
        was_refused = refused_memory_left() == 0;
        assert_in_range(remembered().size, 1, ledger_head(test.vault->ledger).size);
        assert_done(indexer_start(test.vault, &test.vault->indexer, &test_error));
    }
    assert_true(nth > 1);
    vault_close(&test.vault);
}

/* A state before a withdrawal, say. */
static void test_a_log_older_than_the_memory_does_not_open(void **state)
{
    (void)state;
    struct vault *refused = NULL;
    begin();
    release_times(2);
    vault_close(&test.vault);
    copy_folder(log_dir, kept_dir);
    open_test_vault(&test);
    release_times(2);
    vault_close(&test.vault);
    copy_folder(kept_dir, log_dir);
    assert_fails(VAULT_CORRUPT, vault_open(&test.options, &refused, &test_error));
    assert_fails(VAULT_CORRUPT,
                 vault_open(&test.options, &refused, &test_error)); /* and stays so */
    assert_null(refused);
}

/* As long as the one it replaces, and with the same key, but of another history. */
static void test_a_log_that_went_another_way_does_not_open(void **state)
{
    (void)state;
    struct vault *refused = NULL;
    char moved[PATH_MAX + 8];
    char moved_log[PATH_MAX + 16];
    begin();
    release_times(2);
    vault_close(&test.vault);
    snprintf(moved, sizeof moved, "%s.way", kept_dir);
    copy_folder(test.dir, moved);
    open_test_vault(&test);
    release_times(2);
    vault_close(&test.vault);
    test.options.dir = moved;
    open_test_vault(&test);
    release_times(2);
    vault_close(&test.vault);
    test.options.dir = test.dir;
    snprintf(moved_log, sizeof moved_log, "%s/log", moved);
    copy_folder(moved_log, log_dir);
    assert_fails(VAULT_CORRUPT, vault_open(&test.options, &refused, &test_error));
    assert_null(refused);
}

int main(void)
{
    return TEST_RUN(test_everything_is_filed_while_the_vault_runs,
                    test_heads_are_forgotten_once_filed, test_a_clean_stop_files_what_is_left,
                    test_entries_that_concern_nobody_move_the_position_too,
                    test_after_a_crash_all_that_was_acknowledged_is_filed,
                    test_an_index_that_was_lost_is_built_again,
                    test_many_events_of_many_citizens_are_filed_each_where_it_belongs,
                    test_an_opening_that_is_forged_stops_the_start_and_is_not_filed,
                    test_a_new_vault_remembers_nothing, test_after_a_clean_stop_the_memory_is_exact,
                    test_the_memory_follows_the_log_while_it_runs,
                    test_a_memory_of_the_wrong_size_is_damage_and_not_forgetting,
                    test_a_memory_is_written_whole_or_not_at_all,
                    test_a_log_older_than_the_memory_does_not_open,
                    test_a_log_that_went_another_way_does_not_open);
}
