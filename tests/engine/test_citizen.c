#include "store_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault/base/clock.h"

static const struct store_options four_open = {.open_citizens_max = 4, .acquire_wait_ms = 20000};

static void test_a_new_citizen_exists_and_an_unknown_id_does_not(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id stranger = citizen_id_new();
    assert_true(exists(&ada));
    assert_false(exists(&stranger));
    VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&stranger);
    assert_true(citizen_id_equal(citizen_id_of(citizen), &stranger));
}

static void test_ids_are_random(void **state)
{
    (void)state;
    const struct citizen_id a = citizen_id_new();
    const struct citizen_id b = citizen_id_new();
    assert_false(citizen_id_equal(&a, &b));
    assert_true(citizen_id_equal(&a, &a));
}

static void test_an_unknown_id_has_nothing_and_takes_nothing(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id stranger = citizen_id_new();
    VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&stranger);
    const struct citizen_value value = value_of("identity.given_name", "\"Nobody\"");
    const struct citizen_record record = {.kind = "consent", .key = "k", .json = BYTES("{}")};
    struct citizen_change change = {0};
    assert_fails(VAULT_NOT_FOUND, citizen_value_put(citizen, &value, &test_error));
    assert_fails(VAULT_NOT_FOUND, citizen_record_add(citizen, &record, NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, citizen_begin(citizen, &change, &test_error));
    assert_null(change.citizen);
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(100);
    assert_fails(VAULT_NOT_FOUND,
                 citizen_value_get(citizen, "identity.given_name", &json, NULL, &test_error));
    uint64_t log_n = 7;
    assert_done(citizen_log_n_max(citizen, &log_n, &test_error));
    assert_int_equal(log_n, 0);
}

static void test_an_unknown_id_takes_a_place_among_the_open_files(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id stranger = citizen_id_new();
    assert_false(exists(&stranger));
    assert_false(exists(&stranger));
    const struct store_stats stats = store_stats(store);
    assert_int_equal(stats.open_citizens, 1);
    assert_int_equal(stats.misses, 1);
    assert_int_equal(stats.hits, 1);
}

static void test_who_must_not_wait_gets_what_is_open_and_free(void **state)
{
    (void)state;
    fresh_store();
    struct citizen *at_once = NULL;
    const struct citizen_id ids[] = {new_citizen(), citizen_id_new()}; /* somebody, and nobody */
    for (size_t i = 0; i < 2; i++) {
        assert_fails(VAULT_UNAVAILABLE,
                     citizen_acquire_open(store, &ids[i], &at_once, &test_error));
        assert_null(at_once);
        struct citizen *citizen = hold(&ids[i]);
        assert_fails(VAULT_UNAVAILABLE,
                     citizen_acquire_open(store, &ids[i], &at_once, &test_error));
        citizen_release(&citizen);
        assert_done(citizen_acquire_open(store, &ids[i], &at_once, &test_error));
        assert_true(citizen_id_equal(citizen_id_of(at_once), &ids[i]));
        citizen_release(&at_once);
        citizen = hold(&ids[i]); /* and it was given back */
        citizen_release(&citizen);
    }
}

static void test_the_decoy_has_a_seal_key_that_is_nobody_elses(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id stranger = citizen_id_new();
    VAULT_AUTO(citizen_release) struct citizen *real = hold(&ada);
    VAULT_AUTO(citizen_release) struct citizen *decoy = hold(&stranger);
    assert_int_equal(secret_view(citizen_seal_key(real)).size, SECRET_KEY_BYTES);
    assert_int_equal(secret_view(citizen_seal_key(decoy)).size, SECRET_KEY_BYTES);
    assert_false(
        secret_equal(secret_view(citizen_seal_key(real)), secret_view(citizen_seal_key(decoy))));
}

static void test_a_seal_key_is_the_same_after_reopening(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    uint8_t before[SECRET_KEY_BYTES];
    struct citizen *citizen = hold(&ada);
    memcpy(before, secret_view(citizen_seal_key(citizen)).data, sizeof before);
    citizen_release(&citizen);
    reopen_store();
    citizen = hold(&ada);
    assert_memory_equal(before, secret_view(citizen_seal_key(citizen)).data, sizeof before);
    citizen_release(&citizen);
}

static void test_an_id_asked_for_before_it_was_made_exists_afterwards(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_new ada = {.id = citizen_id_new()};
    assert_false(exists(&ada.id));
    assert_done(citizen_create(store, &ada, 1, NOW_S, NULL, &test_error));
    assert_true(exists(&ada.id));
}

struct creation {
    struct citizen_new citizen;
    enum vault_code code;
};

static void *create_in_thread(void *context)
{
    struct creation *creation = context;
    creation->code = citizen_create(store, &creation->citizen, 1, NOW_S, NULL, NULL);
    return NULL;
}

static void test_an_id_held_while_it_is_made_exists_for_the_next_holder(void **state)
{
    (void)state;
    fresh_store();
    struct creation creation = {.citizen = {.id = citizen_id_new()}};
    struct citizen *citizen = hold(&creation.citizen.id);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, create_in_thread, &creation), 0);
    pthread_join(thread, NULL);
    assert_int_equal(creation.code, VAULT_OK);
    assert_false(citizen_exists(citizen));
    citizen_release(&citizen);
    assert_true(exists(&creation.citizen.id));
}

static void test_the_place_released_last_is_closed_last(void **state)
{
    (void)state;
    fresh_store_with(&four_open);
    struct citizen_id ids[5];
    for (size_t i = 0; i < 5; i++)
        ids[i] = new_citizen();
    for (size_t i = 0; i < 4; i++)
        assert_true(exists(&ids[i]));
    assert_true(exists(&ids[0])); /* the oldest is 1 now */
    assert_true(exists(&ids[4]));
    const struct store_stats before = store_stats(store);
    assert_int_equal(before.open_citizens, 4);
    assert_int_equal(before.evictions, 1);
    assert_true(exists(&ids[0]));
    assert_int_equal(store_stats(store).hits, before.hits + 1);
    assert_true(exists(&ids[1]));
    assert_int_equal(store_stats(store).misses, before.misses + 1);
}

static void test_the_number_of_open_files_never_passes_its_bound(void **state)
{
    (void)state;
    fresh_store_with(&four_open);
    struct citizen_id ids[20];
    for (size_t i = 0; i < 20; i++)
        ids[i] = new_citizen();
    for (size_t i = 0; i < 100; i++) {
        VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&ids[i * 7 % 20]);
        put(citizen, "identity.given_name", "\"Ada\"");
        assert_true(store_stats(store).open_citizens <= 4);
    }
    for (size_t i = 0; i < 20; i++) {
        VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&ids[i]);
        assert_value(citizen, "identity.given_name", "\"Ada\"");
    }
}

static void test_a_held_citizen_is_not_given_to_another(void **state)
{
    (void)state;
    const struct store_options impatient = {.open_citizens_max = 4, .acquire_wait_ms = 30};
    fresh_store_with(&impatient);
    const struct citizen_id ada = new_citizen();
    struct citizen *citizen = hold(&ada);
    struct citizen *second = NULL;
    const int64_t start = clock_monotonic_ms();
    assert_fails(VAULT_UNAVAILABLE, citizen_acquire(store, &ada, &second, &test_error));
    assert_true(clock_monotonic_ms() - start >= 29);
    assert_null(second);
    citizen_release(&citizen);
    citizen = hold(&ada);
    citizen_release(&citizen);
}

static void test_when_every_place_is_held_the_next_waits_and_is_refused(void **state)
{
    (void)state;
    const struct store_options impatient = {.open_citizens_max = 2, .acquire_wait_ms = 30};
    fresh_store_with(&impatient);
    const struct citizen_id ids[] = {new_citizen(), new_citizen(), new_citizen()};
    struct citizen *first = hold(&ids[0]);
    struct citizen *second = hold(&ids[1]);
    struct citizen *third = NULL;
    assert_fails(VAULT_UNAVAILABLE, citizen_acquire(store, &ids[2], &third, &test_error));
    citizen_release(&second);
    third = hold(&ids[2]);
    citizen_release(&third);
    citizen_release(&first);
}

static int destroyed;

static void count_destroyed(void *data)
{
    destroyed += *(int *)data;
}

static void test_what_the_domain_remembers_lives_as_long_as_the_file_is_open(void **state)
{
    (void)state;
    fresh_store_with(&four_open);
    const struct citizen_id ada = new_citizen();
    int one = 1;
    int ten = 10;
    destroyed = 0;
    struct citizen *citizen = hold(&ada);
    assert_null(citizen_cache(citizen));
    citizen_cache_set(citizen, &one, count_destroyed);
    citizen_release(&citizen);
    citizen = hold(&ada);
    assert_ptr_equal(citizen_cache(citizen), &one);
    citizen_cache_set(citizen, &one, count_destroyed);
    assert_int_equal(destroyed, 0);
    citizen_cache_set(citizen, &ten, count_destroyed);
    assert_int_equal(destroyed, 1);
    citizen_release(&citizen);
    for (size_t i = 0; i < 4; i++) {
        const struct citizen_id other = citizen_id_new();
        assert_false(exists(&other));
    }
    assert_int_equal(destroyed, 11);
    citizen = hold(&ada);
    assert_null(citizen_cache(citizen));
    citizen_cache_set(citizen, &one, count_destroyed);
    citizen_release(&citizen);
    store_close(&store);
    assert_int_equal(destroyed, 12);
}

static void test_several_changes_are_one(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct citizen *citizen = hold(&ada);
    struct citizen_change change = {0};
    assert_done(citizen_begin(citizen, &change, &test_error));
    put(citizen, "identity.given_name", "\"Ada\"");
    put(citizen, "identity.family_name", "\"Byron\"");
    assert_done(citizen_commit(&change, &test_error));
    assert_null(change.citizen);
    citizen_rollback(&change);
    citizen_release(&citizen);
    reopen_store();
    citizen = hold(&ada);
    assert_value(citizen, "identity.given_name", "\"Ada\"");
    assert_value(citizen, "identity.family_name", "\"Byron\"");
    citizen_release(&citizen);
}

static void leave_half_way(struct citizen *citizen)
{
    VAULT_AUTO(citizen_rollback) struct citizen_change change = {0};
    assert_done(citizen_begin(citizen, &change, &test_error));
    put(citizen, "identity.given_name", "\"Grace\"");
    const struct citizen_record record = {
        .kind = "consent", .key = "k", .json = BYTES("{}"), .log_n = 3};
    assert_done(citizen_record_add(citizen, &record, NULL, &test_error));
    assert_value(citizen, "identity.given_name", "\"Grace\"");
}

static void test_changes_not_committed_are_undone(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&ada);
    put(citizen, "identity.given_name", "\"Ada\"");
    leave_half_way(citizen);
    assert_value(citizen, "identity.given_name", "\"Ada\"");
    uint64_t count = 7;
    uint64_t log_n = 7;
    assert_done(citizen_record_count(citizen, &count, &test_error));
    assert_done(citizen_log_n_max(citizen, &log_n, &test_error));
    assert_int_equal(count, 0);
    assert_int_equal(log_n, 0);
}

static void test_releasing_undoes_an_open_change(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct citizen *citizen = hold(&ada);
    struct citizen_change change = {0};
    assert_done(citizen_begin(citizen, &change, &test_error));
    put(citizen, "identity.given_name", "\"Ada\"");
    citizen_release(&citizen);
    citizen = hold(&ada);
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(100);
    assert_fails(VAULT_NOT_FOUND,
                 citizen_value_get(citizen, "identity.given_name", &json, NULL, &test_error));
    put(citizen, "identity.given_name", "\"Grace\"");
    citizen_release(&citizen);
}

/* What 32 threads do to a few citizens, some of whom do not exist. */

#define THREADS   32
#define PEOPLE    24
#define ROUNDS    60
#define STRANGERS 8

struct crowd {
    struct citizen_id ids[PEOPLE]; /* the last STRANGERS do not exist */
    long inside[PEOPLE];           /* changed by holders only, without any lock of its own */
    _Atomic int failed;
};

struct worker {
    struct crowd *crowd;
    unsigned number;
};

static void forget(void *data)
{
    free(data);
}

static bool visit(struct crowd *crowd, size_t person, bool write)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    if (citizen_acquire(store, &crowd->ids[person], &citizen, NULL))
        return false;
    crowd->inside[person]++;
    const bool should_exist = person < PEOPLE - STRANGERS;
    bool good = citizen_exists(citizen) == should_exist;
    if (!citizen_cache(citizen)) {
        size_t *remembered = malloc(sizeof *remembered);
        *remembered = person;
        citizen_cache_set(citizen, remembered, forget);
    }
    good &= *(size_t *)citizen_cache(citizen) == person;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(100);
    const enum vault_code got = citizen_value_get(citizen, "test.number", &json, NULL, NULL);
    good &= got == (should_exist ? VAULT_OK : VAULT_NOT_FOUND);
    const struct citizen_value value = value_of("test.number", "7");
    if (write && should_exist)
        good &= citizen_value_put(citizen, &value, NULL) == VAULT_OK;
    return good;
}

static void *work(void *context)
{
    const struct worker *worker = context;
    for (unsigned i = 0; i < ROUNDS; i++) {
        const size_t person = (worker->number * 31 + i * 17) % PEOPLE;
        if (!visit(worker->crowd, person, (i + worker->number) % 16 == 0))
            worker->crowd->failed++;
    }
    return NULL;
}

static void test_32_threads_get_along_with_6_places(void **state)
{
    (void)state;
    const struct store_options options = {.open_citizens_max = 6, .acquire_wait_ms = 60000};
    fresh_store_with(&options);
    static struct crowd crowd;
    memset(&crowd, 0, sizeof crowd);
    for (size_t i = 0; i < PEOPLE; i++) {
        const struct citizen_value value = value_of("test.number", "7");
        const struct citizen_new citizen = {citizen_id_new(), NULL, &value, 1};
        crowd.ids[i] = citizen.id;
        if (i < PEOPLE - STRANGERS)
            assert_done(citizen_create(store, &citizen, 1, NOW_S, NULL, &test_error));
    }
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){&crowd, i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.failed, 0);
    long visits = 0;
    for (size_t i = 0; i < PEOPLE; i++)
        visits += crowd.inside[i];
    assert_int_equal(visits, THREADS * ROUNDS);
    const struct store_stats stats = store_stats(store);
    assert_true(stats.open_citizens <= 6);
    assert_int_equal(stats.hits + stats.misses, THREADS * ROUNDS);
}

int main(void)
{
    store_test_start();
    const int failed =
        TEST_RUN(test_a_new_citizen_exists_and_an_unknown_id_does_not, test_ids_are_random,
                 test_an_unknown_id_has_nothing_and_takes_nothing,
                 test_an_unknown_id_takes_a_place_among_the_open_files,
                 test_who_must_not_wait_gets_what_is_open_and_free,
                 test_the_decoy_has_a_seal_key_that_is_nobody_elses,
                 test_a_seal_key_is_the_same_after_reopening,
                 test_an_id_asked_for_before_it_was_made_exists_afterwards,
                 test_an_id_held_while_it_is_made_exists_for_the_next_holder,
                 test_the_place_released_last_is_closed_last,
                 test_the_number_of_open_files_never_passes_its_bound,
                 test_a_held_citizen_is_not_given_to_another,
                 test_when_every_place_is_held_the_next_waits_and_is_refused,
                 test_what_the_domain_remembers_lives_as_long_as_the_file_is_open,
                 test_several_changes_are_one, test_changes_not_committed_are_undone,
                 test_releasing_undoes_an_open_change, test_32_threads_get_along_with_6_places);
    finish_store();
    return failed;
}
