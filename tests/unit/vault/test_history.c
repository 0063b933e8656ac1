/* A citizen's own history: every event once, newest first, and nobody else's. */
#include "vault_test.h"

#include "store/internal.h"
#include "vault/ledger/entry.h"
#include "vault/parts.h"
#include "vault/vault/history.h"

#define ASKED 70 /* more than are read at a time */

static struct vault_test test;

struct seen {
    size_t count;
    uint64_t last_n;
    size_t of[ENTRY_EVENT_COUNT];
    char basis[128]; /* of the newest release */
};

static enum vault_code see(void *context, const struct history_event *event,
                           struct vault_error *err)
{
    (void)err;
    struct seen *seen = context;
    if (seen->count++)
        assert_int_equal(event->n, seen->last_n - 1);
    seen->last_n = event->n;
    seen->of[event->event]++;
    if (event->event == ENTRY_RELEASE && !seen->basis[0])
        snprintf(seen->basis, sizeof seen->basis, "%.*s", (int)event->basis.size,
                 (const char *)event->basis.data);
    return VAULT_OK;
}

static struct seen list(uint64_t before, size_t limit)
{
    struct seen seen = {0};
    assert_done(history_list(test.vault, &test.citizen, before, limit, see, &seen, &test_error));
    return seen;
}

/* The consent alone, and that nothing of it is open before it is wanted. */
static bool wants_consent(void *context, const struct history_event *event)
{
    size_t *asked = context;
    ++*asked;
    assert_int_equal(event->what.size + event->basis.size + event->opening_text.size, 0);
    assert_true(event->entry_text.size > 0);
    return event->event == ENTRY_CONSENT;
}

static enum vault_code see_consent(void *context, const struct history_event *event,
                                   struct vault_error *err)
{
    (void)context;
    (void)err;
    assert_int_equal(event->event, ENTRY_CONSENT);
    assert_true(event->what.size > 0);
    return VAULT_OK;
}

static bool wants_nothing(void *context, const struct history_event *event)
{
    return !wants_consent(context, event) && false;
}

static void begin(void)
{
    char subject[SUBJECT_CHARS + 1];
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
    for (int i = 0; i < ASKED; i++)
        json_decref(ask_release(&test, subject));
}

static void test_every_event_is_there_once_and_the_newest_first(void **state)
{
    (void)state;
    begin();
    const struct seen seen = list(0, HISTORY_LIST_MAX);
    assert_int_equal(seen.count, ASKED + 1);
    assert_int_equal(seen.of[ENTRY_RELEASE], ASKED);
    assert_int_equal(seen.of[ENTRY_CONSENT], 1);
    assert_int_equal(seen.last_n, 1);
    assert_memory_equal(seen.basis, "consent ", 8);
    vault_close(&test.vault);
}

static void test_a_limit_and_a_beginning_cut_it(void **state)
{
    (void)state;
    begin();
    assert_int_equal(list(0, 5).count, 5);
    assert_int_equal(list(0, 5).last_n, ASKED + 1 - 4);
    assert_int_equal(list(4, 100).count, 3);
    assert_int_equal(list(1, 100).count, 0);
    vault_close(&test.vault);
}

static void test_only_what_is_wanted_is_opened(void **state)
{
    (void)state;
    size_t asked = 0;
    begin();
    assert_done(history_find(test.vault, &test.citizen, 0, HISTORY_LIST_MAX, wants_consent,
                             see_consent, &asked, &test_error));
    assert_int_equal(asked, ASKED + 1);
    assert_done(history_find(test.vault, &test.citizen, 0, HISTORY_LIST_MAX, wants_nothing, NULL,
                             &asked, &test_error));
    assert_int_equal(asked, 2 * (ASKED + 1));
    vault_close(&test.vault);
}

/* Behind the vault's back, in the index of openings. */
static void damage(const char *sql)
{
    VAULT_AUTO(shared_let_go) struct hold index = {0};
    assert_done(shared_hold(&test.vault->store->openings, &index, &test_error));
    VAULT_AUTO(statement_end) struct statement change = {0};
    assert_done(statement_begin(index.database, sql, &change, &test_error));
    assert_done(statement_run(&change, &test_error));
}

static bool count_all(void *context, const struct history_event *event)
{
    struct seen *seen = context;
    seen->count++;
    seen->last_n = event->n;
    return true;
}

static bool count_to_five(void *context, const struct history_event *event)
{
    return count_all(context, event) && ((struct seen *)context)->count < 5;
}

static struct seen walked(history_sees *sees, size_t gaps_wanted)
{
    struct seen seen = {0};
    size_t gaps = 99;
    assert_done(history_walk(test.vault, &test.citizen, sees, &seen, &gaps, &test_error));
    assert_int_equal(gaps, gaps_wanted);
    return seen;
}

static void test_who_counts_sees_all_and_stops_when_it_is_enough(void **state)
{
    (void)state;
    begin();
    assert_int_equal(walked(count_all, 0).count, ASKED + 1);
    assert_int_equal(walked(count_all, 0).last_n, 1);
    assert_int_equal(walked(count_to_five, 0).count, 5);
    test.citizen = citizen_id_new();
    assert_fails(VAULT_NOT_FOUND,
                 history_walk(test.vault, &test.citizen, count_all, NULL, NULL, &test_error));
    vault_close(&test.vault);
}

static void test_behind_what_cannot_be_read_there_is_more(void **state)
{
    (void)state;
    struct seen seen = {0};
    uint64_t at = 0;
    begin();
    assert_int_equal(list(0, 1).count, 1); /* all is filed */
    damage("DELETE FROM opening WHERE n BETWEEN 40 AND 42");
    damage("UPDATE opening SET sealed = zeroblob(60) WHERE n = 20");
    assert_fails(VAULT_CORRUPT, history_find_on(test.vault, &test.citizen, &at, HISTORY_LIST_MAX,
                                                NULL, see, &seen, &test_error));
    assert_int_equal(seen.last_n, 43);
    assert_int_equal(at, 42);
    seen.count = 0;
    at = 40;
    assert_fails(VAULT_CORRUPT, history_find_on(test.vault, &test.citizen, &at, HISTORY_LIST_MAX,
                                                NULL, see, &seen, &test_error));
    assert_int_equal(seen.last_n, 21);
    assert_int_equal(at, 20);
    /* Who counts does not open: what is missing is a gap to them, and a bad opening none. */
    assert_int_equal(walked(count_all, 3).count, ASKED + 1 - 3);
    damage("DELETE FROM opening WHERE n > 60");
    assert_int_equal(walked(count_all, 3 + ASKED + 1 - 60).count, 60 - 3);
    vault_close(&test.vault);
}

static void test_it_is_the_same_after_a_restart(void **state)
{
    (void)state;
    begin();
    reopen_test_vault(&test);
    assert_int_equal(list(0, HISTORY_LIST_MAX).count, ASKED + 1);
    vault_close(&test.vault);
}

static void test_another_citizen_has_another(void **state)
{
    (void)state;
    struct citizen_id other;
    struct seen seen = {0};
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(65536);
    begin();
    import_one(&test, "{\"reference\":\"T-2\",\"values\":{}}");
    assert_done(people_find(test.vault, "T-2", &other, &test_error));
    assert_done(history_list(test.vault, &other, 0, 100, see, &seen, &test_error));
    assert_int_equal(seen.count, 0);
    for (int part = 0; part < HISTORY_PART_COUNT; part++)
        assert_fails(VAULT_NOT_FOUND, history_take(test.vault, &other, 1, (enum history_part)part,
                                                   &out, &test_error));
    assert_int_equal(out.size, 0);
    vault_close(&test.vault);
}

static void test_who_is_not_there_has_none(void **state)
{
    (void)state;
    struct seen seen = {0};
    const struct citizen_id nobody = citizen_id_new();
    begin();
    assert_fails(VAULT_NOT_FOUND,
                 history_list(test.vault, &nobody, 0, 100, see, &seen, &test_error));
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(
        test_every_event_is_there_once_and_the_newest_first, test_a_limit_and_a_beginning_cut_it,
        test_only_what_is_wanted_is_opened, test_who_counts_sees_all_and_stops_when_it_is_enough,
        test_behind_what_cannot_be_read_there_is_more, test_it_is_the_same_after_a_restart,
        test_another_citizen_has_another, test_who_is_not_there_has_none);
}
