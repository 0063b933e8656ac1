/*
 * Every allocation and every call of the system of a request, a batch, a decision, a deposit, an
 * import and an erasure fails once in turn: nothing leaks, nothing is half done, and no answer has
 * a value that the log has no entry of.
 *
 * torture_run.h says how many of them, and how to look at one.
 */
#include "test_torture.h"
#include "torture_run.h"
#include "torture_world.h"

#include "vault/parts.h"
#include "vault/store/control_citizen.h"
#include "vault/vault/erase.h"

#define ROW_CHARS 512

/* --- A release ------------------------------------------------------------------------------ */

static char body[WORLD_BODY_BYTES];

void release_write(void)
{
    world_write_ask(body);
}

void release_start_again(void)
{
    world_close();
    world_open();
    release_write();
}

void release_run(void)
{
    world_send(HTTP_POST, "/v1/releases", body);
    if (!torture_struck())
        world_settle();
}

/* A failed one says so; and the next one works. */
static void check_release(void)
{
    world_read();
    world_assert_answered();
    world_go_on();
    assert_int_equal(world_released(), 2);
}

static void test_a_release(void **state)
{
    (void)state;
    const struct operation operation = {.name = "release",
                                        .prepare = release_write,
                                        .run = release_run,
                                        .check = check_release,
                                        .sample = {20, 12}};
    torture(&operation);
}

static void test_a_release_of_a_file_that_is_closed(void **state)
{
    (void)state;
    const struct operation operation = {.name = "release, cold",
                                        .prepare = release_start_again,
                                        .run = release_run,
                                        .check = check_release,
                                        .sample = {6, 6}};
    torture(&operation);
}

/* --- A batch -------------------------------------------------------------------------------- */

static char requests[WORLD_BODY_BYTES * 4];

static void write_batch(void)
{
    world_write_ask(body);
    snprintf(requests, sizeof requests, "{\"requests\":[%s,%s,%s]}", body, body, body);
}

static void run_batch(void)
{
    world_send(HTTP_POST, "/v1/releases/batch", requests);
    if (!torture_struck())
        world_settle();
}

static void test_a_batch_of_releases(void **state)
{
    (void)state;
    const struct operation operation = {.name = "batch",
                                        .prepare = write_batch,
                                        .run = run_batch,
                                        .check = check_release,
                                        .sample = {12, 8}};
    torture(&operation);
}

/* --- A consent, and its withdrawal ---------------------------------------------------------- */

/* What is withdrawn already is withdrawn again without an entry. */
static void withdraw(void)
{
    torture_code =
        consent_withdraw(world.test.vault, &world.test.citizen, CASEWORKER, SUPPORT, &torture_said);
}

static void give(void)
{
    static const struct consent_field fields[] = {{"identity.birth_date", "year"},
                                                  {"employment.status", ""}};
    const struct consent_decision decision = {.service = CASEWORKER,
                                              .purpose = SUPPORT,
                                              .fields = fields,
                                              .field_count = 2,
                                              .days = 30,
                                              .uses = CONSENT_UNLIMITED,
                                              .language = "fr",
                                              .text = "Le texte affiché."};
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    torture_code =
        consent_give(world.test.vault, &world.test.citizen, &decision, id, &seq, &torture_said);
    world.acknowledged[ENTRY_CONSENT] += torture_code == VAULT_OK;
}

static void prepare_give(void)
{
    withdraw();
    assert_done(torture_code);
    world.acknowledged[ENTRY_WITHDRAW]++;
}

static void run_give(void)
{
    give();
    if (!torture_struck())
        world_settle();
}

static void check_give(void)
{
    torture_assert_said();
    world_go_on();
    const size_t now = world_released();
    assert_true(now == 2 || (torture_code && now == 0));
    give();
    assert_done(torture_code);
    assert_int_equal(world_released(), 2);
}

static void test_a_consent_is_given_or_not(void **state)
{
    (void)state;
    const struct operation operation = {.name = "consent",
                                        .prepare = prepare_give,
                                        .run = run_give,
                                        .check = check_give,
                                        .sample = {12, 8}};
    torture(&operation);
}

static void prepare_withdraw(void)
{
    give();
    assert_done(torture_code);
}

static void run_withdraw(void)
{
    withdraw();
    if (!torture_struck())
        world_settle();
}

/* What is in force now is in force after a start, and what was acknowledged stays withdrawn. */
static void check_withdraw(void)
{
    torture_assert_said();
    const bool acknowledged = torture_code == VAULT_OK;
    world.acknowledged[ENTRY_WITHDRAW] += acknowledged;
    world_go_on();
    const size_t now = world_released();
    assert_true(now == 0 || (!acknowledged && now == 2));
    world_close();
    world_open();
    assert_int_equal(world_released(), now);
    withdraw();
    assert_done(torture_code);
    assert_int_equal(world_released(), 0);
}

static void test_a_withdrawal_that_was_acknowledged_holds(void **state)
{
    (void)state;
    const struct operation operation = {.name = "withdrawal",
                                        .prepare = prepare_withdraw,
                                        .run = run_withdraw,
                                        .check = check_withdraw,
                                        .sample = {4, 5}};
    torture(&operation);
    give();
    assert_done(torture_code);
}

/* --- An import of two, and the erasure of one ----------------------------------------------- */

static unsigned made; /* people so far: R-1 to R-made */
static struct citizen_id to_erase;

static void import(unsigned from, unsigned count)
{
    char text[2][ROW_CHARS];
    struct bytes rows[2] = {{0}};
    struct people_result results[2] = {{0}};
    for (unsigned i = 0; i < count; i++) {
        snprintf(text[i], ROW_CHARS,
                 "{\"reference\":\"R-%u\",\"login\":\"testine-%u\",\"values\":"
                 "{\"identity.name\":{\"value\":\"Testine %u\"}}}",
                 from + i, from + i, from + i);
        rows[i] = bytes_of_text(text[i]);
    }
    torture_code = people_import(world.test.vault, rows, count, results, &torture_said);
    for (unsigned i = 0; i < count && !torture_code; i++) {
        if (results[i].code && results[i].code != VAULT_CONFLICT)
            torture_code = vault_fail(&torture_said, results[i].code, "%s", results[i].text);
    }
}

static void prepare_import(void)
{
    made += 2;
}

static void run_import(void)
{
    import(made - 1, 2);
    if (!torture_struck())
        world_settle();
}

/* Both are there; or they are after the same again, and nobody is there twice. */
static void check_import(void)
{
    uint64_t people = 0;
    torture_assert_said();
    world_go_on();
    if (torture_code)
        import(made - 1, 2);
    assert_done(torture_code);
    for (unsigned i = made - 1; i <= made; i++) {
        char reference[ROW_CHARS];
        VAULT_AUTO(buf_finish) struct buf all = buf_limited(1024UL * 1024);
        snprintf(reference, sizeof reference, "R-%u", i);
        assert_done(people_find(world.test.vault, reference, &to_erase, &test_error));
        assert_done(people_export(world.test.vault, reference, &all, &test_error));
        assert_non_null(strstr(buf_string(&all), "Testine "));
    }
    assert_done(control_citizen_count(world.test.vault->store, &people, &test_error));
    assert_int_equal(people, made + 1);
}

static void test_an_import_is_made_up_for(void **state)
{
    (void)state;
    const struct operation operation = {.name = "import of two",
                                        .prepare = prepare_import,
                                        .run = run_import,
                                        .check = check_import,
                                        .sample = {5, 6}};
    torture(&operation);
}

static void prepare_erase(void)
{
    char reference[ROW_CHARS];
    import(++made, 1);
    assert_done(torture_code);
    snprintf(reference, sizeof reference, "R-%u", made);
    assert_done(people_find(world.test.vault, reference, &to_erase, &test_error));
}

static void run_erase(void)
{
    torture_code = erase_citizen(world.test.vault, &to_erase, &torture_said);
    if (!torture_struck())
        world_settle();
}

/* Gone, or whole; gone with the next call, and told to the log. */
static void check_erase(void)
{
    struct control_citizen found;
    torture_assert_said();
    world_go_on();
    const enum vault_code there =
        control_citizen_find(world.test.vault->store, &to_erase, &found, &test_error);
    assert_true(there == VAULT_NOT_FOUND || (torture_code && there == VAULT_OK));
    assert_int_equal(erase_citizen(world.test.vault, &to_erase, &test_error), there);
    assert_done(erase_tell(world.test.vault, &test_error));
    world.acknowledged[ENTRY_ERASE]++;
    assert_int_equal(world_released(), 2);
}

static void test_an_erasure_is_whole(void **state)
{
    (void)state;
    const struct operation operation = {.name = "erasure",
                                        .prepare = prepare_erase,
                                        .run = run_erase,
                                        .check = check_erase,
                                        .sample = {5, 6}};
    torture(&operation);
}

/* --- A deposit ------------------------------------------------------------------------------ */

static unsigned deposited;

static void write_deposit(void)
{
    deposited++;
    snprintf(body, sizeof body, "{\"fields\":{\"employment.status\":{\"value\":\"training-%u\"}}}",
             deposited);
}

static void run_deposit(void)
{
    char path[128];
    snprintf(path, sizeof path, "/v1/subjects/%s/fields", world.subject);
    world_send(HTTP_PUT, path, body);
    if (!torture_struck())
        world_settle();
}

/* What is released is what was there before, or what was brought; that, if it was acknowledged. */
static void check_deposit(void)
{
    static unsigned last;
    char wanted[64];
    world_read();
    const bool acknowledged = world.status == 200;
    world.acknowledged[ENTRY_DEPOSIT] += acknowledged;
    world_assert_answered();
    world_go_on();
    assert_int_equal(world_released(), 2);
    const json_t *status =
        json_object_get(json_object_get(world.json, "released"), "employment.status");
    const char *value = json_string_value(json_object_get(status, "value"));
    assert_non_null(value);
    snprintf(wanted, sizeof wanted, "training-%u", deposited);
    if (strcmp(value, wanted) == 0) {
        last = deposited;
        return;
    }
    assert_false(acknowledged);
    snprintf(wanted, sizeof wanted, "training-%u", last);
    assert_string_equal(value, last ? wanted : "seeking");
}

static void test_a_deposit_is_stored_or_not(void **state)
{
    (void)state;
    const struct operation operation = {.name = "deposit",
                                        .prepare = write_deposit,
                                        .run = run_deposit,
                                        .check = check_deposit,
                                        .sample = {12, 8}};
    torture(&operation);
}

int test_requests(void)
{
    return TEST_RUN(test_a_release, test_a_release_of_a_file_that_is_closed,
                    test_a_batch_of_releases, test_a_consent_is_given_or_not,
                    test_a_withdrawal_that_was_acknowledged_holds, test_an_import_is_made_up_for,
                    test_an_erasure_is_whole, test_a_deposit_is_stored_or_not);
}

static const struct part {
    const char *name;
    int (*run)(void);
} parts[] = {
    {"requests", test_requests}, {"chores", test_chores},       {"start", test_start},
    {"restart", test_restart},   {"keyholder", test_keyholder}, {"listener", test_listener},
};

static bool is_named(const struct part *part, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], part->name) == 0)
            return true;
    }
    return argc == 1;
}

/* Of the parts that are named, or all. A name that is no part's is a failure. */
int main(int argc, char **argv)
{
    const int count = sizeof parts / sizeof parts[0];
    int failed = 0;
    int run = 0;
    torture_run_begin();
    for (int i = 0; i < count; i++) {
        if (!is_named(&parts[i], argc, argv))
            continue;
        failed += parts[i].run();
        run++;
    }
    return !torture_run_end() || failed || run != (argc == 1 ? count : argc - 1);
}
