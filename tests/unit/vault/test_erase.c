/* Erasing a person: what is left of them, what the log says of it, and what a crash leaves. */
#include "vault/vault/erase.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "vault/event.h"
#include "vault/keeper.h"
#include "vault/parts.h"
#include "vault/store/erasure.h"
#include "vault/store/openings.h"
#include "vault_test.h"

#define HELD_UP_MS 500

static struct vault_test test;
static atomic_bool holds_up; /* the next sync of the log's journal */

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_nsec = ms * 1000000};
    nanosleep(&pause, NULL);
}

static bool is_journal(int fd)
{
    char link[64];
    char path[PATH_MAX] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return readlink(link, path, sizeof path - 1) > 0 && strstr(path, "/journal/");
}

/* In place of the C library's. */
int fdatasync(int fd)
{
    if (atomic_load(&holds_up) && is_journal(fd)) {
        atomic_store(&holds_up, false);
        pause_ms(HELD_UP_MS);
    }
    return (int)syscall(SYS_fdatasync, fd);
}

static void begin(void)
{
    make_filled_vault(&test);
    import_one(&test, "{\"reference\":\"T-2\",\"values\":{}}");
}

static void release_times(unsigned count)
{
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    for (unsigned i = 0; i < count; i++)
        json_decref(ask_release(&test, subject));
}

/* The entries of a kind that the log has, and the count in the last of them. */
static uint64_t entries_of(enum entry_event kind, uint64_t *count)
{
    uint64_t found = 0;
    const uint64_t size = ledger_head(test.vault->ledger).size;
    assert_done(ledger_wait_published(test.vault->ledger, size, 10000, &test_error));
    for (uint64_t i = 0; i < size; i++) {
        struct entry entry;
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
        assert_done(ledger_entry(test.vault->ledger, i, &text, &test_error));
        assert_done(entry_parse(buf_view(&text), &entry, &test_error));
        if (entry.event != kind)
            continue;
        found++;
        *count = entry.count;
    }
    return found;
}

static bool is_told(void)
{
    bool found = true;
    struct erasure next;
    assert_done(erasure_next(test.vault->store, &next, &found, &test_error));
    return !found;
}

static void test_the_log_says_how_many_openings_went(void **state)
{
    (void)state;
    uint64_t count = 99;
    begin();
    give_consent(&test, -1);
    release_times(5);
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    assert_int_equal(entries_of(ENTRY_ERASE, &count), 1);
    assert_int_equal(count, 6);
    assert_true(is_told());
    vault_close(&test.vault);
}

static void test_what_is_left_of_a_person_is_their_entries(void **state)
{
    (void)state;
    struct citizen_id found;
    uint64_t n = 99;
    uint8_t leaf[SHA256_BYTES];
    begin();
    release_times(2);
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    assert_int_equal(ledger_head(test.vault->ledger).size, before + 1);
    assert_fails(VAULT_NOT_FOUND, people_find(test.vault, "T-1", &found, &test_error));
    assert_done(openings_head(test.vault->store, &test.citizen, &n, leaf, &test_error));
    assert_int_equal(n, 0);
    assert_done(people_find(test.vault, "T-2", &found, &test_error));
    vault_close(&test.vault);
}

static void test_a_release_after_it_gives_nothing(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    give_consent(&test, -1);
    subject_of_citizen(&test, subject);
    assert_int_equal(count_released(ask_release(&test, subject)), 2);
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    assert_int_equal(count_released(ask_release(&test, subject)), 0);
    vault_close(&test.vault);
}

static void test_nobody_is_erased_twice(void **state)
{
    (void)state;
    uint64_t count = 99;
    begin();
    const struct citizen_id stranger = citizen_id_new();
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    assert_fails(VAULT_NOT_FOUND, erase_citizen(test.vault, &test.citizen, &test_error));
    assert_fails(VAULT_NOT_FOUND, erase_citizen(test.vault, &stranger, &test_error));
    assert_int_equal(entries_of(ENTRY_ERASE, &count), 1);
    vault_close(&test.vault);
}

static void test_what_a_crash_left_untold_is_told_after_the_next_start(void **state)
{
    (void)state;
    uint64_t count = 99;
    begin();
    release_times(3);
    reopen_test_vault(&test); /* so that all three are filed */
    uint64_t known = 0;
    assert_done(
        openings_before(test.vault->store, INT64_MAX, 0, 100, &(uint64_t){0}, &known, &test_error));
    assert_int_equal(known, 3);
    keeper_stop(&test.vault->keeper);
    /* As far as a crash lets it come: the person is gone, and the log does not know. */
    assert_done(citizen_erase(test.vault->store, &test.citizen, NULL, &test_error));
    assert_int_equal(entries_of(ENTRY_ERASE, &count), 0);
    reopen_test_vault(&test);
    assert_done(erase_tell(test.vault, &test_error));
    assert_int_equal(entries_of(ENTRY_ERASE, &count), 1);
    assert_int_equal(count, 3);
    vault_close(&test.vault);
}

/* How many openings the journal has of the citizen, and of others. */
static void count_in_journal(uint64_t *theirs, uint64_t *others)
{
    struct ledger_record record;
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    const uint64_t size = ledger_head(test.vault->ledger).size;
    *theirs = *others = 0;
    assert_done(ledger_reader_open(test.vault->ledger, 0, &reader, &test_error));
    for (uint64_t i = 0; i < size; i++) {
        struct citizen_id owner;
        struct bytes sealed;
        uint64_t n;
        assert_done(ledger_reader_next(reader, 0, &record, &test_error));
        if (ledger_is_blank(record.opening))
            continue;
        assert_done(
            event_opening_owner(test.vault, record.opening, &owner, &n, &sealed, &test_error));
        *(citizen_id_equal(&owner, &test.citizen) ? theirs : others) += 1;
    }
}

static void test_the_journal_does_not_say_whose_the_entries_were(void **state)
{
    (void)state;
    uint64_t theirs;
    uint64_t others;
    begin();
    release_times(4);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    assert_done(people_export(test.vault, "T-2", &text, &test_error));
    count_in_journal(&theirs, &others);
    assert_int_equal(theirs, 4);
    assert_int_equal(others, 1);
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    count_in_journal(&theirs, &others);
    assert_int_equal(theirs, 0);
    assert_int_equal(others, 1);
    vault_close(&test.vault);
}

/* The entry was made, and the crash came before that was noted. */
static void test_an_erasure_that_the_log_has_is_not_entered_again(void **state)
{
    (void)state;
    uint64_t count = 99;
    begin();
    release_times(2);
    reopen_test_vault(&test);
    keeper_stop(&test.vault->keeper);
    assert_done(citizen_erase(test.vault->store, &test.citizen, NULL, &test_error));
    assert_done(erasure_entering(test.vault->store, &test.citizen,
                                 ledger_head(test.vault->ledger).size, &test_error));
    const struct event event = {.kind = ENTRY_ERASE, .count = 2};
    struct event_chain chain = {0};
    struct ledger_ticket ticket;
    struct citizen *citizen = NULL;
    assert_done(citizen_acquire(test.vault->store, &test.citizen, &citizen, &test_error));
    assert_done(event_of_citizen(test.vault, citizen, &event, &chain, &ticket, &test_error));
    citizen_release(&citizen);
    reopen_test_vault(&test);
    assert_done(erase_tell(test.vault, &test_error));
    assert_true(is_told());
    assert_int_equal(entries_of(ENTRY_ERASE, &count), 1);
    vault_close(&test.vault);
}

static void *release_on(void *context)
{
    char subject[SUBJECT_CHARS + 1];
    memcpy(subject, context, sizeof subject);
    for (unsigned i = 0; i < 100; i++)
        json_decref(ask_release(&test, subject));
    return NULL;
}

static void test_an_erasure_among_releases_counts_every_opening(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    pthread_t threads[4];
    uint64_t count = 99;
    uint64_t left = 99;
    begin();
    subject_of_citizen(&test, subject);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, release_on, subject), 0);
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    reopen_test_vault(&test);
    assert_int_equal(entries_of(ENTRY_ERASE, &count), 1);
    assert_done(openings_prune(test.vault->store, UINT64_MAX, 4096, &left, &test_error));
    assert_int_equal(left, 0);
    assert_true(count <= 400);
    vault_close(&test.vault);
}

static void *release_once(void *context)
{
    json_decref(ask_release(&test, context));
    return NULL;
}

/* The release had its place in the log, and was on its way to the disk. */
static void test_an_erasure_waits_for_what_is_not_durable_yet(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    pthread_t thread;
    uint64_t count = 99;
    uint64_t left = 99;
    begin();
    release_times(2);
    subject_of_citizen(&test, subject);
    atomic_store(&holds_up, true);
    assert_int_equal(pthread_create(&thread, NULL, release_once, subject), 0);
    while (atomic_load(&holds_up))
        pause_ms(1);
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    pthread_join(thread, NULL);
    reopen_test_vault(&test);
    assert_int_equal(entries_of(ENTRY_ERASE, &count), 1);
    assert_int_equal(count, 3);
    assert_done(openings_prune(test.vault->store, UINT64_MAX, 4096, &left, &test_error));
    assert_int_equal(left, 0);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_the_log_says_how_many_openings_went,
                    test_what_is_left_of_a_person_is_their_entries,
                    test_a_release_after_it_gives_nothing, test_nobody_is_erased_twice,
                    test_what_a_crash_left_untold_is_told_after_the_next_start,
                    test_the_journal_does_not_say_whose_the_entries_were,
                    test_an_erasure_that_the_log_has_is_not_entered_again,
                    test_an_erasure_among_releases_counts_every_opening,
                    test_an_erasure_waits_for_what_is_not_durable_yet);
}
