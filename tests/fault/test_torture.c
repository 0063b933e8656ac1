/*
 * Every allocation and every call of the system of a start, a request, a decision, a batch, an
 * import, an erasure and a deposit fails once in turn: nothing leaks, nothing is half done, and no
 * answer has a value that the log has no entry of.
 *
 * All of them with VAULT_TESTS_LONG=1, each call in each way it can fail; else every n-th, from
 * another one each day. To look at one: VAULT_TESTS_SEED says which day, VAULT_TORTURE_ONLY which
 * operation, and VAULT_TORTURE_SHOW=1 where each failed.
 */
#include "torture_world.h"

#include <inttypes.h>
#include <time.h>

#include "vault/parts.h"
#include "vault/store/control_citizen.h"
#include "vault/vault/erase.h"

#define HANG_S     60 /* an operation that takes longer hangs */
#define WAYS       3  /* as many as a call has of failing */
#define ROW_CHARS  512
#define BATCH_SIZE 8

struct operation {
    const char *name;
    void (*prepare)(void);
    void (*run)(void);   /* while one thing fails */
    void (*check)(void); /* when nothing fails any more */
    unsigned sample[TORTURE_KINDS];
};

static const char *const kinds[TORTURE_KINDS] = {"memory", "calls"};

static struct {
    uint64_t injected;
    uint64_t survived;
    uint64_t lost;
} total;

static bool is_long;
static unsigned seed;
static enum vault_code code; /* what the operation said */

/* --- One after the other -------------------------------------------------------------------- */

static const char *now_name;
static enum torture_kind now_kind;
static unsigned now_nth;

/* Says what was failing when a sanitizer stops the program. */
void __asan_on_error(void);
void __asan_on_error(void)
{
    fprintf(stderr, "torture: %s, %s %u, seed %u: %s\n", now_name, kinds[now_kind], now_nth, seed,
            torture_struck() ? torture_struck() : "before it");
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_abort=1";
}

/* SQLCipher's attaching of a key frees nothing when it fails. A handle or a statement that were
 * lost would keep their descriptor, and those are counted. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libsqlcipher";
}

/* Whether there was an n-th to fail. */
static bool fail_nth(const struct operation *operation, enum torture_kind kind, unsigned nth,
                     unsigned *count)
{
    now_name = operation->name;
    now_kind = kind;
    now_nth = nth;
    if (operation->prepare)
        operation->prepare();
    alarm(HANG_S);
    code = VAULT_OK;
    test_error = (struct vault_error){0};
    torture_arm(kind, nth, nth + seed);
    operation->run();
    const unsigned seen = torture_disarm();
    const char *struck = torture_struck();
    alarm(0);
    if (struck && getenv("VAULT_TORTURE_SHOW"))
        fprintf(stderr, "%s, %s %u: %s (%d): %s %s\n", operation->name, kinds[kind], nth, struck,
                torture_error(), vault_code_name(code), code ? test_error.text : "");
    operation->check();
    *count = seen;
    total.injected += struck != NULL;
    total.survived += struck != NULL;
    return struck != NULL;
}

/* What runs behind may do more or less each time: two looks, and the smaller is what there is. */
static unsigned count_of(const struct operation *operation, enum torture_kind kind)
{
    unsigned first = 0;
    unsigned second = 0;
    fail_nth(operation, kind, UINT32_MAX, &first);
    fail_nth(operation, kind, UINT32_MAX, &second);
    return first < second ? first : second;
}

static void torture_kind(const struct operation *operation, enum torture_kind kind)
{
    const uint64_t before = total.injected;
    const unsigned most = count_of(operation, kind);
    const unsigned sample = operation->sample[kind];
    const unsigned step = is_long || most < sample ? 1 : most / sample;
    const unsigned rounds = is_long && kind == TORTURE_CALL ? WAYS : 1;
    unsigned count = 0;
    world_mark();
    for (unsigned round = 0; round < rounds; round++, seed++) {
        for (unsigned nth = 1 + seed % step; fail_nth(operation, kind, nth, &count) || nth <= most;
             nth += step)
            ;
    }
    const uint64_t injected = total.injected - before;
    total.lost += world_audit(injected);
    printf("%s, %s: %" PRIu64 " of %u failed\n", operation->name, kinds[kind], injected,
           most * rounds);
    assert_true(injected > 0);
}

static void torture(const struct operation *operation)
{
    static bool is_under_way;
    const char *only = getenv("VAULT_TORTURE_ONLY");
    if (only && strcmp(only, operation->name) != 0)
        return;
    assert_false(is_under_way); /* else the one before has failed, and left who knows what */
    is_under_way = true;
    for (enum torture_kind kind = 0; kind < TORTURE_KINDS; kind++)
        torture_kind(operation, kind);
    is_under_way = false;
}

/* --- A release ------------------------------------------------------------------------------ */

static char body[WORLD_BODY_BYTES];

static void start_again(void)
{
    vault_close(&world.test.vault);
    world_open();
    world_write_ask(body);
}

static void write_release(void)
{
    world_write_ask(body);
}

static void run_release(void)
{
    world_send(HTTP_POST, "/v1/releases", body);
    if (!torture_struck())
        world_settle();
}

/* Whatever fails here is not the service's fault. */
static void assert_answered_clearly(void)
{
    if (world.status != 200 && world.status != 500 && world.status != 503)
        fail_msg("answered %u: %s", world.status, buf_string(&world.body));
}

/* A failed one says so; and the next one works. */
static void check_release(void)
{
    world_read();
    assert_answered_clearly();
    world_go_on();
    assert_int_equal(world_released(), 2);
}

static void test_a_release(void **state)
{
    (void)state;
    const struct operation operation = {.name = "release",
                                        .prepare = write_release,
                                        .run = run_release,
                                        .check = check_release,
                                        .sample = {80, 30}};
    torture(&operation);
}

static void test_a_release_of_a_file_that_is_closed(void **state)
{
    (void)state;
    const struct operation operation = {.name = "release, cold",
                                        .prepare = start_again,
                                        .run = run_release,
                                        .check = check_release,
                                        .sample = {8, 8}};
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
                                        .sample = {20, 8}};
    torture(&operation);
}

/* --- A consent, and its withdrawal ---------------------------------------------------------- */

/* What is withdrawn already is withdrawn again without an entry. */
static void withdraw(void)
{
    code =
        consent_withdraw(world.test.vault, &world.test.citizen, CASEWORKER, SUPPORT, &test_error);
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
    code = consent_give(world.test.vault, &world.test.citizen, &decision, id, &seq, &test_error);
    world.acknowledged[ENTRY_CONSENT] += code == VAULT_OK;
}

/* Where OpenSSL gets no memory to decrypt a page, SQLCipher says that the page is damaged. */
static void assert_failed_clearly(void)
{
    if (code == VAULT_CORRUPT && strstr(test_error.text, "memory was short"))
        return;
    if (code != VAULT_OK && code != VAULT_IO && code != VAULT_UNAVAILABLE &&
        code != VAULT_NO_MEMORY)
        fail_msg("%s: %s", vault_code_name(code), test_error.text);
    if (code)
        assert_true(test_error.text[0] != 0);
}

static void prepare_give(void)
{
    withdraw();
    assert_done(code);
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
    assert_failed_clearly();
    world_go_on();
    const size_t now = world_released();
    assert_true(now == 2 || (code && now == 0));
    give();
    assert_done(code);
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
    assert_done(code);
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
    assert_failed_clearly();
    const bool acknowledged = code == VAULT_OK;
    world.acknowledged[ENTRY_WITHDRAW] += acknowledged;
    world_go_on();
    const size_t now = world_released();
    assert_true(now == 0 || (!acknowledged && now == 2));
    vault_close(&world.test.vault);
    world_open();
    assert_int_equal(world_released(), now);
    withdraw();
    assert_done(code);
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
    assert_done(code);
}

/* --- An import of two, and the erasure of one ----------------------------------------------- */

static unsigned made; /* people so far: R-1 to R-made */
static struct citizen_id to_erase;

static void import(unsigned from, unsigned count)
{
    char text[2][ROW_CHARS];
    struct bytes rows[2];
    struct people_result results[2] = {{0}};
    for (unsigned i = 0; i < count; i++) {
        snprintf(text[i], ROW_CHARS,
                 "{\"reference\":\"R-%u\",\"login\":\"testine-%u\",\"values\":"
                 "{\"identity.name\":{\"value\":\"Testine %u\"}}}",
                 from + i, from + i, from + i);
        rows[i] = bytes_of_text(text[i]);
    }
    code = people_import(world.test.vault, rows, count, results, &test_error);
    for (unsigned i = 0; i < count && !code; i++) {
        if (results[i].code && results[i].code != VAULT_CONFLICT)
            code = vault_fail(&test_error, results[i].code, "%s", results[i].text);
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
    assert_failed_clearly();
    world_go_on();
    if (code)
        import(made - 1, 2);
    assert_done(code);
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
    assert_done(code);
    snprintf(reference, sizeof reference, "R-%u", made);
    assert_done(people_find(world.test.vault, reference, &to_erase, &test_error));
}

static void run_erase(void)
{
    code = erase_citizen(world.test.vault, &to_erase, &test_error);
    if (!torture_struck())
        world_settle();
}

/* Gone, or whole; gone with the next call, and told to the log. */
static void check_erase(void)
{
    struct control_citizen found;
    assert_failed_clearly();
    world_go_on();
    const enum vault_code there =
        control_citizen_find(world.test.vault->store, &to_erase, &found, &test_error);
    assert_true(there == VAULT_NOT_FOUND || (code && there == VAULT_OK));
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
    assert_answered_clearly();
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

/* --- A batch of the log --------------------------------------------------------------------- */

static struct ledger_ticket tickets[BATCH_SIZE];

/* Entered one after the other and made durable together, then published. */
static void run_entries(void)
{
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger *ledger = world.test.vault->ledger;
    uint64_t entered = 0;
    for (unsigned i = 0; i < BATCH_SIZE && !code; i++, entered += !code)
        code = ledger_enqueue(ledger, &entry, (struct bytes){0}, &tickets[i], &test_error);
    for (unsigned i = 0; i < entered; i++) {
        const enum vault_code waited = ledger_wait(ledger, &tickets[i], &test_error);
        world.acknowledged[ENTRY_ADMIN] += waited == VAULT_OK;
        code = waited ? waited : code;
    }
    if (!torture_struck())
        world_settle();
}

static void check_entries(void)
{
    assert_failed_clearly();
    world_go_on();
    assert_int_equal(world_released(), 2);
}

static void test_a_batch_of_the_log(void **state)
{
    (void)state;
    const struct operation operation = {
        .name = "entries", .run = run_entries, .check = check_entries, .sample = {15, 15}};
    torture(&operation);
}

/* --- A start, and a stop -------------------------------------------------------------------- */

static void stop_before(void)
{
    vault_close(&world.test.vault);
}

/* As kill -9 leaves it: what is open is copied, and the copy is what is started. */
static void crash_before(void)
{
    char command[PATH_MAX * 4];
    assert_int_equal(world_released(), 2);
    snprintf(command, sizeof command, "rm -rf '%s.copy' && cp -a '%s' '%s.copy'", world.test.dir,
             world.test.dir, world.test.dir);
    assert_int_equal(system(command), 0); /* folders of our own */
    vault_close(&world.test.vault);
    snprintf(command, sizeof command, "rm -rf '%s' && mv '%s.copy' '%s'", world.test.dir,
             world.test.dir, world.test.dir);
    assert_int_equal(system(command), 0);
}

/* A start that fails says why, and leaves nothing open. */
static void run_start(void)
{
    struct vault *vault = NULL;
    code = vault_open(&world.test.options, &vault, &test_error);
    if (code)
        assert_null(vault);
    vault_close(&vault);
}

static void check_start(void)
{
    assert_failed_clearly();
    world_open();
    assert_int_equal(world_released(), 2);
}

static void test_a_start_and_a_stop(void **state)
{
    (void)state;
    const struct operation operation = {.name = "start and stop",
                                        .prepare = stop_before,
                                        .run = run_start,
                                        .check = check_start,
                                        .sample = {5, 8}};
    torture(&operation);
}

static void test_a_start_after_a_crash(void **state)
{
    (void)state;
    const struct operation operation = {.name = "start after a crash",
                                        .prepare = crash_before,
                                        .run = run_start,
                                        .check = check_start,
                                        .sample = {3, 5}};
    torture(&operation);
}

int main(void)
{
    const char *given = getenv("VAULT_TESTS_SEED");
    const char *how = getenv("VAULT_TESTS_LONG");
    is_long = how && strcmp(how, "1") == 0;
    seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)(time(NULL) / 86400);
    world_begin();
    const int failed = TEST_RUN(
        test_a_release, test_a_release_of_a_file_that_is_closed, test_a_batch_of_releases,
        test_a_consent_is_given_or_not, test_a_withdrawal_that_was_acknowledged_holds,
        test_an_import_is_made_up_for, test_an_erasure_is_whole, test_a_deposit_is_stored_or_not,
        test_a_batch_of_the_log, test_a_start_and_a_stop, test_a_start_after_a_crash);
    world_end();
    printf("torture: faults injected %" PRIu64 ", survived %" PRIu64 ", entries lost %" PRIu64 "\n",
           total.injected, total.survived, total.lost);
    return failed || total.lost != 0;
}
