/*
 * A consent for N uses gives N releases: exactly, however many ask at once; and never more,
 * whatever goes wrong between counting a use and answering. A use is on disk before the value that
 * it was for can leave, so a failure in between loses a use and not the limit.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "inject.h"
#include "vault/event.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault_test.h"

#define THREADS 64
#define USES    20

static struct vault_test test;
static char subject[SUBJECT_CHARS + 1];
static pthread_barrier_t together;

/* Of entries of releases, how many more are let into the log before one is refused; 0: all are. */
static unsigned refuse_each;
static atomic_uint entering;
static atomic_uint refused;

enum vault_code __real_ledger_enqueue(struct ledger *ledger, const struct entry *entry,
                                      struct bytes opening, struct ledger_ticket *out,
                                      struct vault_error *err);
enum vault_code __wrap_ledger_enqueue(struct ledger *ledger, const struct entry *entry,
                                      struct bytes opening, struct ledger_ticket *out,
                                      struct vault_error *err);

enum vault_code __wrap_ledger_enqueue(struct ledger *ledger, const struct entry *entry,
                                      struct bytes opening, struct ledger_ticket *out,
                                      struct vault_error *err)
{
    if (refuse_each && entry->event == ENTRY_RELEASE &&
        atomic_fetch_add(&entering, 1) % refuse_each == refuse_each - 1) {
        atomic_fetch_add(&refused, 1);
        return vault_fail(err, VAULT_UNAVAILABLE, "the log has no room, for a test");
    }
    return __real_ledger_enqueue(ledger, entry, opening, out, err);
}

static void begin(void)
{
    make_filled_vault(&test);
    subject_of_citizen(&test, subject);
    give_consent(&test, USES);
    refuse_each = 0;
    atomic_store(&entering, 0);
    atomic_store(&refused, 0);
    assert_int_equal(pthread_barrier_init(&together, NULL, THREADS), 0);
}

static void end(void)
{
    pthread_barrier_destroy(&together);
    vault_close(&test.vault);
}

/* One request, by whatever thread: whether it was answered with values. */
static bool ask_once(const struct service *service, bool *failed)
{
    static const struct release_ask asks[] = {{{(const uint8_t *)"employment.status", 17}, {0}}};
    struct vault_error err;
    enum release_fault fault;
    json_t *answer = NULL;
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    VAULT_AUTO(json_free) json_t *context = json_pack("{s:s}", "assurance_at_least", "high");
    const struct release_request request = {.client_spki = caseworker_key,
                                            .subject = bytes_of_text(subject),
                                            .purpose = BYTES(SUPPORT),
                                            .asks = asks,
                                            .ask_count = 1,
                                            .context = context};
    *failed = release_perform(test.vault, service, &request, &body, &fault, &err) != VAULT_OK;
    if (*failed)
        return false;
    if (json_parse(buf_view(&body), 8, &answer, NULL, &err))
        abort(); /* in a thread of its own a test cannot fail otherwise */
    return count_released(answer) > 0;
}

struct reader {
    pthread_t thread;
    const struct service *service;
    unsigned requests;
    unsigned permille; /* of this thread's calls of the store that fail */
    uint64_t seed;
    size_t released;
    size_t failures;
};

static void *read_on(void *context)
{
    struct reader *reader = context;
    pthread_barrier_wait(&together);
    if (reader->permille)
        inject_fail_some(reader->permille, reader->seed);
    for (unsigned i = 0; i < reader->requests; i++) {
        bool failed = false;
        reader->released += ask_once(reader->service, &failed);
        reader->failures += failed;
    }
    if (reader->permille)
        inject_fail_some(0, 0);
    return NULL;
}

/* All threads at once; how many requests were answered with values. */
static size_t read_all(unsigned requests, unsigned permille, size_t *failures)
{
    static struct reader readers[THREADS];
    size_t released = 0;
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    *failures = 0;
    for (size_t i = 0; i < THREADS; i++) {
        readers[i] = (struct reader){
            .service = hold.service, .requests = requests, .permille = permille, .seed = i + 1};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(readers[i].thread, NULL);
        released += readers[i].released;
        *failures += readers[i].failures;
    }
    return released;
}

static size_t releases_in_the_log(void)
{
    size_t found = 0;
    const uint64_t size = ledger_head(test.vault->ledger).size;
    for (uint64_t i = 0; i < size; i++) {
        struct entry entry;
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
        assert_done(event_entry_read(test.vault, i, &text, &test_error));
        assert_done(entry_parse(buf_view(&text), &entry, &test_error));
        found += entry.event == ENTRY_RELEASE;
    }
    return found;
}

static int64_t uses_counted(void)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    return person_consent(person, BYTES(CASEWORKER), BYTES(SUPPORT))->used;
}

static void test_n_uses_are_exactly_n_releases_under_64_at_once(void **state)
{
    (void)state;
    size_t failures = 0;
    begin();
    assert_int_equal(read_all(3, 0, &failures), USES);
    assert_int_equal(failures, 0);
    assert_int_equal(releases_in_the_log(), USES);
    assert_int_equal(uses_counted(), USES);
    reopen_test_vault(&test);
    assert_int_equal(uses_counted(), USES);
    end();
}

/* The log refuses every third: that use is gone, and nothing was released on it. */
static void test_a_use_whose_entry_is_refused_is_spent_for_nothing(void **state)
{
    (void)state;
    size_t failures = 0;
    begin();
    refuse_each = 3;
    const size_t released = read_all(3, 0, &failures);
    refuse_each = 0;
    assert_int_equal(atomic_load(&refused), USES / 3);
    assert_int_equal(failures, USES / 3);
    assert_int_equal(released, USES - USES / 3);
    assert_int_equal(releases_in_the_log(), released);
    assert_int_equal(uses_counted(), USES);
    assert_int_equal(read_all(1, 0, &failures), 0);
    end();
}

/* The store fails at random, before a change is made and after it was made. */
static void test_whatever_fails_between_never_more_than_n_are_released(void **state)
{
    (void)state;
    size_t failures = 0;
    size_t more = 0;
    begin();
    const size_t released = read_all(3, 100, &failures);
    inject_stop();
    assert_true(inject_failures() > 0);
    assert_true(failures > 0);
    /* What is left of the uses, now that nothing fails. */
    const size_t rest = read_all(1, 0, &more);
    assert_int_equal(more, 0);
    assert_int_equal(uses_counted(), USES);
    assert_in_range(releases_in_the_log(), released + rest, USES);
    assert_true(released + rest > 0);
    assert_int_equal(read_all(1, 0, &more), 0);
    end();
}

int main(void)
{
    return TEST_RUN(test_n_uses_are_exactly_n_releases_under_64_at_once,
                    test_a_use_whose_entry_is_refused_is_spent_for_nothing,
                    test_whatever_fails_between_never_more_than_n_are_released);
}
