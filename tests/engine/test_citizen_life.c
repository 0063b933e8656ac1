#include "store_test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vault/store/account.h"
#include "vault/store/control_citizen.h"
#include "vault/store/openings.h"
#include "vault/store/request.h"
#include "vault/store/session.h"

#define MANY 300

static uint64_t population(void)
{
    uint64_t count = 0;
    assert_done(control_citizen_count(store, &count, &test_error));
    return count;
}

static void test_a_citizen_comes_with_their_first_values(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_value values[] = {value_of("identity.given_name", "\"Ada\""),
                                           value_of("identity.birth_date", "\"1815-12-10\"")};
    const struct citizen_new ada = {citizen_id_new(), "INSEE-1", values, 2};
    assert_done(citizen_create(store, &ada, 1, NOW_S, NULL, &test_error));
    reopen_store();
    struct citizen *citizen = hold(&ada.id);
    assert_true(citizen_exists(citizen));
    assert_value(citizen, "identity.given_name", "\"Ada\"");
    assert_value(citizen, "identity.birth_date", "\"1815-12-10\"");
    citizen_release(&citizen);
    struct control_citizen found;
    assert_done(control_citizen_by_reference(store, "INSEE-1", &found, &test_error));
    assert_true(citizen_id_equal(&found.id, &ada.id));
    assert_int_equal(found.created_s, NOW_S);
}

static void test_many_citizens_are_made_in_one_call(void **state)
{
    (void)state;
    fresh_store();
    static struct citizen_new citizens[MANY];
    static char references[MANY][16];
    const struct citizen_value value = value_of("test.number", "7");
    for (size_t i = 0; i < MANY; i++) {
        snprintf(references[i], sizeof references[i], "R-%zu", i);
        citizens[i] = (struct citizen_new){citizen_id_new(), references[i], &value, 1};
    }
    assert_done(citizen_create(store, citizens, MANY, NOW_S, NULL, &test_error));
    assert_int_equal(population(), MANY);
    reopen_store();
    for (size_t i = 0; i < MANY; i += 37) {
        VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&citizens[i].id);
        assert_value(citizen, "test.number", "7");
    }
}

static void test_none_and_too_many_are_refused(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_new ada = {.id = citizen_id_new()};
    assert_fails(VAULT_INVALID, citizen_create(store, &ada, 0, NOW_S, NULL, &test_error));
    assert_fails(VAULT_INVALID,
                 citizen_create(store, &ada, CITIZEN_CREATE_MAX + 1, NOW_S, NULL, &test_error));
    assert_int_equal(population(), 0);
}

static void test_one_that_clashes_keeps_all_from_being_made(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_new there = {.id = citizen_id_new(), .reference = "R-3"};
    assert_done(citizen_create(store, &there, 1, NOW_S, NULL, &test_error));
    struct citizen_new citizens[5];
    static const char *const references[] = {"R-1", "R-2", "R-3", "R-4", "R-5"};
    for (size_t i = 0; i < 5; i++)
        citizens[i] = (struct citizen_new){.id = citizen_id_new(), .reference = references[i]};
    size_t failed_at = 99;
    assert_fails(VAULT_CONFLICT,
                 citizen_create(store, citizens, 5, NOW_S, &failed_at, &test_error));
    assert_int_equal(failed_at, 2);
    assert_null(strstr(test_error.text, "R-3"));
    assert_int_equal(population(), 1);
    for (size_t i = 0; i < 5; i++)
        assert_false(exists(&citizens[i].id));
    /* Without it, the others are. */
    citizens[2] = citizens[4];
    assert_done(citizen_create(store, citizens, 4, NOW_S, &failed_at, &test_error));
    assert_int_equal(population(), 5);
}

static void test_the_same_id_twice_is_a_conflict(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id id = citizen_id_new();
    const struct citizen_new twice[] = {{.id = id}, {.id = id}};
    size_t failed_at = 99;
    assert_fails(VAULT_CONFLICT, citizen_create(store, twice, 2, NOW_S, &failed_at, &test_error));
    assert_int_equal(failed_at, 1);
    assert_done(citizen_create(store, twice, 1, NOW_S, NULL, &test_error));
    assert_fails(VAULT_CONFLICT, citizen_create(store, twice, 1, NOW_S, NULL, &test_error));
    assert_true(exists(&id));
}

static void test_a_value_over_its_limit_keeps_all_from_being_made(void **state)
{
    (void)state;
    fresh_store();
    static uint8_t large[CITIZEN_VALUE_MAX_BYTES + 1];
    memset(large, '7', sizeof large);
    char long_text[CITIZEN_FIELD_CHARS + 2];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = 0;
    const struct citizen_value good = value_of("test.number", "7");
    const struct {
        struct citizen_value value;
        enum vault_code code;
    } bad[] = {
        {{"test.number", {large, sizeof large}, NOW_S, "test"}, VAULT_TOO_LARGE},
        {{"test.number", {large, 0}, NOW_S, "test"}, VAULT_INVALID},
        {{long_text, {large, 1}, NOW_S, "test"}, VAULT_TOO_LARGE},
        {{"", {large, 1}, NOW_S, "test"}, VAULT_INVALID},
        {{"test.number", {large, 1}, NOW_S, long_text}, VAULT_TOO_LARGE},
        {{"test.number", {large, 1}, NOW_S, ""}, VAULT_INVALID},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct citizen_new citizens[] = {{citizen_id_new(), NULL, &good, 1},
                                               {citizen_id_new(), NULL, &bad[i].value, 1}};
        size_t failed_at = 99;
        assert_fails(bad[i].code,
                     citizen_create(store, citizens, 2, NOW_S, &failed_at, &test_error));
        assert_int_equal(failed_at, 1);
    }
    const struct citizen_value same_field[] = {good, good};
    const struct citizen_new twice[] = {{citizen_id_new(), NULL, &good, 1},
                                        {citizen_id_new(), NULL, same_field, 2}};
    assert_fails(VAULT_INVALID, citizen_create(store, twice, 2, NOW_S, NULL, &test_error));
    assert_false(exists(&twice[0].id));
    const struct citizen_new long_reference = {citizen_id_new(), long_text, NULL, 0};
    const struct citizen_new no_reference = {citizen_id_new(), "", NULL, 0};
    assert_fails(VAULT_TOO_LARGE,
                 citizen_create(store, &long_reference, 1, NOW_S, NULL, &test_error));
    assert_fails(VAULT_INVALID, citizen_create(store, &no_reference, 1, NOW_S, NULL, &test_error));
    assert_int_equal(population(), 0);
}

/* Everything the store can have of a citizen. */
static struct citizen_id citizen_with_everything(void)
{
    const struct citizen_value value = value_of("identity.given_name", "\"Ada\"");
    const struct citizen_new ada = {citizen_id_new(), "INSEE-1", &value, 1};
    assert_done(citizen_create(store, &ada, 1, NOW_S, NULL, &test_error));
    const struct account account = {.citizen = ada.id, .login = "ada"};
    assert_done(account_add(store, &account, &test_error));
    const struct session session = {.token_hash = {1}, .citizen = ada.id, .created_s = NOW_S};
    assert_done(session_add(store, &session, &test_error));
    const struct control_service service = {"library", BYTES("{}"), CONTROL_SERVICE_ACTIVE};
    assert_done(control_service_add(store, &service, &test_error));
    const struct request request = {.id = "r1", .service = "library", .expires_s = NOW_S + 9};
    assert_done(request_add(store, &request, BYTES("{}"), &test_error));
    assert_done(request_claim(store, "r1", &ada.id, &test_error));
    const struct openings_row openings[] = {
        {.citizen = ada.id, .n = 1, .index = 0, .sealed = BYTES("first")},
        {.citizen = ada.id, .n = 2, .index = 1, .sealed = BYTES("second")}};
    assert_done(openings_add(store, openings, 2, 2, &test_error));
    return ada.id;
}

static void assert_nothing_left_of(const struct citizen_id *id)
{
    struct control_citizen citizen;
    struct account account;
    struct session session;
    struct request request;
    const uint8_t token[SHA256_BYTES] = {1};
    uint8_t leaf[SHA256_BYTES];
    uint64_t n = 7;
    assert_false(exists(id));
    assert_fails(VAULT_NOT_FOUND, control_citizen_find(store, id, &citizen, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 control_citizen_by_reference(store, "INSEE-1", &citizen, &test_error));
    assert_fails(VAULT_NOT_FOUND, account_by_login(store, "ada", &account, &test_error));
    assert_fails(VAULT_NOT_FOUND, session_find(store, token, &session, &test_error));
    assert_fails(VAULT_NOT_FOUND, request_get(store, "r1", &request, NULL, &test_error));
    assert_done(openings_head(store, id, &n, leaf, &test_error));
    assert_int_equal(n, 0);
}

static void test_erasing_leaves_nothing_but_the_id(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_with_everything();
    uint64_t gone = 0;
    assert_true(exists(&ada));
    assert_done(citizen_erase(store, &ada, &gone, &test_error));
    assert_int_equal(gone, 2);
    assert_int_equal(population(), 0);
    assert_nothing_left_of(&ada);
    reopen_store();
    assert_nothing_left_of(&ada);
}

static void test_an_erased_id_is_never_given_again(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_with_everything();
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    const struct citizen_new again = {.id = ada};
    assert_fails(VAULT_CONFLICT, citizen_create(store, &again, 1, NOW_S, NULL, &test_error));
    const struct citizen_new other = {.id = citizen_id_new(), .reference = "INSEE-1"};
    assert_done(citizen_create(store, &other, 1, NOW_S, NULL, &test_error));
}

static void test_who_is_not_there_cannot_be_erased(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id stranger = citizen_id_new();
    uint64_t gone = 7;
    assert_fails(VAULT_NOT_FOUND, citizen_erase(store, &stranger, &gone, &test_error));
    assert_int_equal(gone, 7);
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, citizen_erase(store, &ada, NULL, &test_error));
    assert_int_equal(population(), 0);
}

static void test_a_held_citizen_is_erased_only_when_let_go(void **state)
{
    (void)state;
    const struct store_options impatient = {.open_citizens_max = 4, .acquire_wait_ms = 30};
    fresh_store_with(&impatient);
    const struct citizen_id ada = new_citizen();
    struct citizen *citizen = hold(&ada);
    assert_fails(VAULT_UNAVAILABLE, citizen_erase(store, &ada, NULL, &test_error));
    assert_true(citizen_exists(citizen));
    citizen_release(&citizen);
    assert_true(exists(&ada));
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
}

/*
 * Crashes: a child process works and tells by a pipe what is done; it is killed somewhere; what it
 * told must hold, and nothing may be half there.
 */

struct told {
    size_t count;
    struct citizen_id ids[4096];
};

static void tell(int to, const struct citizen_id *id)
{
    if (write(to, id, sizeof *id) != (ssize_t)sizeof *id)
        _exit(3);
}

/* Start work in a child, kill it once it told enough, and gather what it told. */
static void run_and_kill(void (*work)(int to), size_t enough, unsigned then_us, struct told *told)
{
    int ends[2];
    store_close(&store);
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        if (store_open(store_dir, keyring, NULL, &store, &test_error))
            _exit(2);
        work(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    struct citizen_id id;
    bool killed = false;
    for (told->count = 0; read(ends[0], &id, sizeof id) == (ssize_t)sizeof id;) {
        told->ids[told->count++] = id;
        if (told->count == enough && !killed) {
            usleep(then_us); /* to hit any point of the next step */
            kill(child, SIGKILL);
            killed = true;
        }
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(killed && WIFSIGNALED(status));
    open_store_with(NULL);
}

static void create_for_ever(int to)
{
    for (;;) {
        struct citizen_new citizens[8];
        const struct citizen_value value = value_of("test.number", "7");
        for (size_t i = 0; i < 8; i++)
            citizens[i] = (struct citizen_new){citizen_id_new(), NULL, &value, 1};
        if (citizen_create(store, citizens, 8, NOW_S, NULL, NULL))
            _exit(1);
        for (size_t i = 0; i < 8; i++)
            tell(to, &citizens[i].id);
    }
}

static enum vault_code assert_whole(void *context, const struct control_citizen *citizen,
                                    struct vault_error *err)
{
    (void)err;
    struct told *told = context;
    told->ids[told->count++] = citizen->id;
    return VAULT_OK;
}

static void test_a_crash_while_citizens_are_made_leaves_whole_ones_only(void **state)
{
    (void)state;
    static struct told told;
    static struct told there;
    for (unsigned i = 0; i < 12; i++) {
        fresh_store();
        run_and_kill(create_for_ever, 8, i * 700, &told);
        there.count = 0;
        assert_done(control_citizen_list(store, NULL, 1000, assert_whole, &there, &test_error));
        assert_int_equal(there.count, population());
        assert_int_equal(there.count % 8, 0);
        assert_true(there.count >= told.count);
        for (size_t k = 0; k < there.count; k++) {
            VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&there.ids[k]);
            assert_value(citizen, "test.number", "7");
        }
        for (size_t k = 0; k < told.count; k++)
            assert_true(exists(&told.ids[k]));
    }
}

static struct told to_erase;

static void erase_all(int to)
{
    for (size_t i = 0; i < to_erase.count; i++) {
        if (citizen_erase(store, &to_erase.ids[i], NULL, NULL))
            _exit(1);
        tell(to, &to_erase.ids[i]);
    }
    pause();
}

static void test_a_crash_while_erasing_leaves_each_whole_or_gone(void **state)
{
    (void)state;
    static struct told told;
    for (unsigned i = 0; i < 12; i++) {
        fresh_store();
        struct citizen_new citizens[24];
        const struct citizen_value value = value_of("test.number", "7");
        for (size_t k = 0; k < 24; k++) {
            citizens[k] = (struct citizen_new){citizen_id_new(), NULL, &value, 1};
            to_erase.ids[k] = citizens[k].id;
        }
        to_erase.count = 24;
        assert_done(citizen_create(store, citizens, 24, NOW_S, NULL, &test_error));
        run_and_kill(erase_all, 6, i * 300, &told);
        for (size_t k = 0; k < told.count; k++)
            assert_false(exists(&told.ids[k]));
        size_t left = 0;
        for (size_t k = 0; k < 24; k++) {
            VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&to_erase.ids[k]);
            if (!citizen_exists(citizen))
                continue;
            assert_value(citizen, "test.number", "7");
            left++;
        }
        assert_int_equal(left, population());
        assert_true(left + told.count <= 24);
    }
}

static struct citizen_id putting;

/* Each round is one transaction: the same number in two fields and in a record. */
static void put_for_ever(int to)
{
    struct citizen *citizen = NULL;
    if (citizen_acquire(store, &putting, &citizen, NULL))
        _exit(1);
    for (uint64_t i = 1;; i++) {
        char number[24];
        snprintf(number, sizeof number, "%llu", (unsigned long long)i);
        const struct citizen_value a = value_of("test.a", number);
        const struct citizen_value b = value_of("test.b", number);
        const struct citizen_record record = {
            .kind = "consent", .key = number, .json = bytes_of_text(number), .log_n = i};
        struct citizen_change change = {0};
        if (citizen_begin(citizen, &change, NULL) || citizen_value_put(citizen, &a, NULL) ||
            citizen_record_add(citizen, &record, NULL, NULL) ||
            citizen_value_put(citizen, &b, NULL) || citizen_commit(&change, NULL))
            _exit(1);
        struct citizen_id done = {0};
        memcpy(done.bytes, &i, sizeof i);
        tell(to, &done);
    }
}

static long long number_in(struct citizen *citizen, const char *field)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(100);
    const enum vault_code code = citizen_value_get(citizen, field, &json, NULL, &test_error);
    if (code == VAULT_NOT_FOUND)
        return 0;
    assert_int_equal(code, VAULT_OK);
    return strtoll(buf_string(&json), NULL, 10);
}

static void test_a_crash_while_values_are_put_loses_none_that_was_told(void **state)
{
    (void)state;
    static struct told told;
    for (unsigned i = 0; i < 15; i++) {
        fresh_store();
        putting = new_citizen();
        run_and_kill(put_for_ever, 5 + i, i * 130, &told);
        uint64_t last_told = 0;
        memcpy(&last_told, told.ids[told.count - 1].bytes, sizeof last_told);
        assert_int_equal(last_told, told.count);
        VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&putting);
        const long long a = number_in(citizen, "test.a");
        uint64_t log_n = 0;
        uint64_t count = 0;
        assert_done(citizen_log_n_max(citizen, &log_n, &test_error));
        assert_done(citizen_record_count(citizen, &count, &test_error));
        assert_true(a >= (long long)last_told && a <= (long long)last_told + 1);
        assert_int_equal(number_in(citizen, "test.b"), a);
        assert_int_equal(log_n, a);
        assert_int_equal(count, a);
        put(citizen, "test.a", "0");
    }
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(
        test_a_citizen_comes_with_their_first_values, test_many_citizens_are_made_in_one_call,
        test_none_and_too_many_are_refused, test_one_that_clashes_keeps_all_from_being_made,
        test_the_same_id_twice_is_a_conflict, test_a_value_over_its_limit_keeps_all_from_being_made,
        test_erasing_leaves_nothing_but_the_id, test_an_erased_id_is_never_given_again,
        test_who_is_not_there_cannot_be_erased, test_a_held_citizen_is_erased_only_when_let_go,
        test_a_crash_while_citizens_are_made_leaves_whole_ones_only,
        test_a_crash_while_erasing_leaves_each_whole_or_gone,
        test_a_crash_while_values_are_put_loses_none_that_was_told);
    finish_store();
    return failed;
}
