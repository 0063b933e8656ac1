/*
 * What people rely on when the store fails. Every call of the store that a release, a consent, a
 * withdrawal, an import, an access request and an erasure makes fails once, in each way and with
 * each code, with the citizen's file just opened and with it open: no value leaves without its
 * entry, nothing is half done, what was acknowledged holds, and the same works afterwards.
 */
#include "inject.h"
#include "opened.h"
#include "vault/access_parts.h"
#include "vault/event.h"
#include "vault/indexer.h"
#include "vault/keeper.h"
#include "vault/parts.h"
#include "vault/store/account.h"
#include "vault/store/citizen_record.h"
#include "vault/store/citizen_value.h"
#include "vault/store/control_citizen.h"
#include "vault/store/openings.h"
#include "vault/vault/erase.h"
#include "vault_test.h"

#define ROW_CHARS 1024

static const enum vault_code codes[] = {VAULT_IO, VAULT_UNAVAILABLE, VAULT_NO_MEMORY,
                                        VAULT_CORRUPT};
#define CODES (sizeof codes / sizeof codes[0])

static struct vault_test test;
static char subject[SUBJECT_CHARS + 1];
static unsigned made; /* people imported so far, or requests opened */

static void begin(void)
{
    make_filled_vault(&test);
    subject_of_citizen(&test, subject);
    made = 1;
}

/* --- What was done -------------------------------------------------------------------------- */

static enum vault_code pass_over(void *context, const struct openings_row *opening,
                                 struct vault_error *err)
{
    (void)context;
    (void)opening;
    (void)err;
    return VAULT_OK;
}

/* Those of the citizen: what was stopped while their file did not take it (stop.h) has an entry
 * that is nobody's, and one of theirs once it does. */
static uint64_t entries_of(enum entry_event kind)
{
    uint64_t found = 0;
    const uint64_t size = ledger_head(test.vault->ledger).size;
    assert_done(ledger_wait_published(test.vault->ledger, size, 10000, &test_error));
    assert_done(indexer_wait(test.vault->indexer, size, 10000, &test_error));
    for (uint64_t i = 0; i < size; i++) {
        struct entry entry;
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
        assert_done(ledger_entry(test.vault->ledger, i, &text, &test_error));
        assert_done(entry_parse(buf_view(&text), &entry, &test_error));
        const bool is_theirs =
            kind == ENTRY_ERASE || /* whose opening is nobody's by then */
            openings_get(test.vault->store, i, pass_over, NULL, &test_error) == VAULT_OK;
        found += entry.event == kind && is_theirs;
    }
    return found;
}

static enum vault_code count_record(void *context, const struct citizen_record *record,
                                    struct vault_error *err)
{
    (void)record;
    (void)err;
    ++*(uint64_t *)context;
    return VAULT_OK;
}

/* Each decision of the citizen is one record and one entry, and the entries follow each other. */
static void assert_log_is_whole(void)
{
    uint64_t records = 0;
    uint64_t n = 0;
    uint8_t leaf[SHA256_BYTES];
    reopen_test_vault(&test);
    assert_int_equal(count_released(ask_release(&test, subject)) % 2, 0); /* held, so caught up */
    assert_done(indexer_wait(test.vault->indexer, ledger_head(test.vault->ledger).size, 10000,
                             &test_error));
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    assert_done(citizen_acquire(test.vault->store, &test.citizen, &citizen, &test_error));
    assert_done(citizen_record_list(citizen, "consent", 0, CITIZEN_RECORDS_MAX, count_record,
                                    &records, &test_error));
    assert_done(openings_head(test.vault->store, &test.citizen, &n, leaf, &test_error));
    const uint64_t decisions =
        entries_of(ENTRY_CONSENT) + entries_of(ENTRY_REFUSE) + entries_of(ENTRY_WITHDRAW);
    assert_int_equal(decisions, records);
    assert_int_equal(n, decisions + entries_of(ENTRY_RELEASE) + entries_of(ENTRY_DENY) +
                            entries_of(ENTRY_REQUEST));
}

static size_t released_now(void)
{
    return count_released(ask_release(&test, subject));
}

/* --- Each call fails once ------------------------------------------------------------------- */

struct operation {
    const char *name;
    void (*prepare)(void);
    enum vault_code (*run)(struct vault_error *err);
    void (*check)(enum vault_code code);
    bool makes_entries; /* of the one citizen */
};

struct fault {
    bool is_cold;
    enum inject_when when;
    unsigned first_code;
};

static unsigned fail_each(const struct operation *operation, const struct fault *fault)
{
    for (unsigned nth = 1;; nth++) {
        operation->prepare();
        if (fault->is_cold)
            reopen_test_vault(&test);
        inject_fail(nth, fault->when, codes[(nth + fault->first_code) % CODES]);
        const enum vault_code code = operation->run(&test_error);
        const char *struck = inject_struck();
        inject_stop();
        if (!struck) {
            assert_done(code);
            operation->check(code);
            return nth - 1;
        }
        operation->check(code);
    }
}

/* One code after the other, from call to call; or all of them for each call, if there is time. */
static void run_operation(const struct operation *operation)
{
    const char *is_long = getenv("VAULT_TESTS_LONG");
    const unsigned rounds = is_long && strcmp(is_long, "1") == 0 ? CODES : 1;
    unsigned failures = 0;
    begin();
    for (unsigned way = 0; way < 4; way++) {
        for (unsigned round = 0; round < rounds; round++) {
            const struct fault fault = {way & 1, way & 2 ? INJECT_AFTER : INJECT_BEFORE,
                                        way + round};
            failures += fail_each(operation, &fault);
        }
        if (operation->makes_entries)
            assert_log_is_whole();
    }
    print_message("%s: %u calls failed\n", operation->name, failures);
    assert_true(failures > 8);
    vault_close(&test.vault);
}

/* --- A release ------------------------------------------------------------------------------ */

static uint64_t log_size;
static size_t released;

static enum vault_code try_release(struct vault_error *err)
{
    const struct release_ask asks[] = {{BYTES("identity.birth_date"), {0}},
                                       {BYTES("employment.status"), {0}}};
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    VAULT_AUTO(json_free) json_t *context = json_pack("{s:s}", "assurance_at_least", "high");
    const struct release_request request = {.client_spki = caseworker_key,
                                            .subject = bytes_of_text(subject),
                                            .purpose = BYTES(SUPPORT),
                                            .asks = asks,
                                            .ask_count = 2,
                                            .context = context};
    enum release_fault fault;
    json_t *answer = NULL;
    log_size = ledger_head(test.vault->ledger).size;
    released = 0;
    VAULT_TRY(service_by_key(test.vault, caseworker_key, &hold, err));
    VAULT_TRY(release_perform(test.vault, hold.service, &request, &body, &fault, err));
    assert_done(json_parse(buf_view(&body), 8, &answer, NULL, &test_error));
    released = count_released(answer);
    return VAULT_OK;
}

/* How often a text has a word. */
static size_t occurrences(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        count++;
    return count;
}

/* What was answered is what was entered. */
static void check_release(enum vault_code code)
{
    struct opened opened;
    if (code == VAULT_OK) {
        assert_int_equal(ledger_head(test.vault->ledger).size, log_size + 1);
        open_entry(&test, log_size, &test.citizen, &opened);
        assert_int_equal(occurrences(opened.what, " released"), released);
        assert_int_equal(opened.event, released ? ENTRY_RELEASE : ENTRY_DENY);
    }
    assert_int_equal(released_now(), 2);
}

static void prepare_release(void)
{
    if (released_now() == 0)
        give_consent(&test, CONSENT_UNLIMITED);
}

static void test_no_value_leaves_without_its_entry(void **state)
{
    (void)state;
    const struct operation operation = {.name = "release",
                                        .prepare = prepare_release,
                                        .run = try_release,
                                        .check = check_release,
                                        .makes_entries = true};
    run_operation(&operation);
}

/* A consent for two uses, of which the one that fails may count, but never less than it gave. */
static size_t uses;

static void prepare_uses(void)
{
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    give_consent(&test, 2);
}

static void check_uses(enum vault_code code)
{
    uses = code == VAULT_OK && released > 0;
    for (unsigned i = 0; i < 3; i++)
        uses += released_now() > 0;
    assert_in_range(uses, 1, 2);
    if (code == VAULT_OK && released > 0)
        assert_int_equal(uses, 2);
}

static void test_two_uses_are_never_three(void **state)
{
    (void)state;
    const struct operation operation = {.name = "release of a counted consent",
                                        .prepare = prepare_uses,
                                        .run = try_release,
                                        .check = check_uses,
                                        .makes_entries = true};
    run_operation(&operation);
}

/* --- A consent, and its withdrawal ---------------------------------------------------------- */

static enum vault_code try_give(struct vault_error *err)
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
    return consent_give(test.vault, &test.citizen, &decision, id, &seq, err);
}

static enum vault_code try_withdraw(struct vault_error *err)
{
    return consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, err);
}

static void prepare_give(void)
{
    assert_done(try_withdraw(&test_error));
}

static void check_give(enum vault_code code)
{
    const size_t now = released_now();
    assert_true(now == 2 || (code && now == 0));
    assert_done(try_give(&test_error));
    assert_int_equal(released_now(), 2);
}

static void test_a_consent_is_given_or_not(void **state)
{
    (void)state;
    const struct operation operation = {.name = "consent",
                                        .prepare = prepare_give,
                                        .run = try_give,
                                        .check = check_give,
                                        .makes_entries = true};
    run_operation(&operation);
}

/* What is in force now is in force after a restart, whatever was told. */
static void check_withdraw(enum vault_code code)
{
    const size_t now = released_now();
    assert_true(now == 0 || (code && now == 2));
    reopen_test_vault(&test);
    assert_int_equal(released_now(), now);
    assert_done(try_withdraw(&test_error));
    assert_int_equal(released_now(), 0);
}

static void prepare_withdraw(void)
{
    give_consent(&test, CONSENT_UNLIMITED);
}

static void test_a_withdrawal_that_was_acknowledged_holds(void **state)
{
    (void)state;
    const struct operation operation = {.name = "withdrawal",
                                        .prepare = prepare_withdraw,
                                        .run = try_withdraw,
                                        .check = check_withdraw,
                                        .makes_entries = true};
    run_operation(&operation);
}

/* --- An import and an erasure --------------------------------------------------------------- */

static void write_row(char out[ROW_CHARS])
{
    snprintf(out, ROW_CHARS,
             "{\"reference\":\"R-%u\",\"login\":\"testine-%u\",\"values\":"
             "{\"identity.name\":{\"value\":\"Testine %u\"}}}",
             made, made, made);
}

static bool is_answered; /* whether the import said how each row went */
static uint64_t log_size;

static enum vault_code try_import(struct vault_error *err)
{
    char text[ROW_CHARS];
    struct people_result result;
    write_row(text);
    const struct bytes rows[] = {bytes_of_text(text)};
    log_size = ledger_head(test.vault->ledger).size;
    is_answered = false;
    VAULT_TRY(people_import(test.vault, rows, 1, &result, err));
    is_answered = true;
    return result.code ? vault_fail(err, result.code, "%s", result.text) : VAULT_OK;
}

static void prepare_import(void)
{
    made++;
}

static void assert_imported(void)
{
    char login[ROW_CHARS];
    char reference[ROW_CHARS];
    struct account account;
    struct citizen_id citizen;
    VAULT_AUTO(buf_finish) struct buf name = buf_limited(ROW_CHARS);
    VAULT_AUTO(citizen_release) struct citizen *held = NULL;
    snprintf(login, sizeof login, "testine-%u", made);
    snprintf(reference, sizeof reference, "R-%u", made);
    assert_done(people_find(test.vault, reference, &citizen, &test_error));
    assert_done(account_by_login(test.vault->store, login, &account, &test_error));
    assert_true(citizen_id_equal(&account.citizen, &citizen));
    assert_done(citizen_acquire(test.vault->store, &citizen, &held, &test_error));
    assert_done(citizen_value_get(held, "identity.name", &name, NULL, &test_error));
}

/* Whoever was made, though the disk did not confirm it, is in the log. */
static void assert_import_is_entered(void)
{
    char reference[ROW_CHARS];
    struct citizen_id citizen;
    snprintf(reference, sizeof reference, "R-%u", made);
    const enum vault_code code = people_find(test.vault, reference, &citizen, &test_error);
    if (is_answered && code == VAULT_OK)
        assert_true(ledger_head(test.vault->ledger).size > log_size);
}

/* A second import makes up for what the first left out, and makes nobody twice. */
static void check_import(enum vault_code code)
{
    uint64_t people = 0;
    assert_import_is_entered();
    if (code == VAULT_OK)
        assert_imported();
    else
        assert_true(code == VAULT_IO || code == VAULT_UNAVAILABLE || code == VAULT_NO_MEMORY ||
                    code == VAULT_CORRUPT);
    const enum vault_code again = try_import(&test_error);
    if (again && again != VAULT_CONFLICT)
        fail_msg("again: %s: %s", vault_code_name(again), test_error.text);
    assert_imported();
    assert_done(control_citizen_count(test.vault->store, &people, &test_error));
    assert_int_equal(people, made);
}

static void test_an_import_is_made_up_for(void **state)
{
    (void)state;
    const struct operation operation = {
        .name = "import", .prepare = prepare_import, .run = try_import, .check = check_import};
    run_operation(&operation);
}

static struct citizen_id to_erase;
static uint64_t erased;

static void prepare_erase(void)
{
    char reference[ROW_CHARS];
    made++;
    assert_done(try_import(&test_error));
    snprintf(reference, sizeof reference, "R-%u", made);
    assert_done(people_find(test.vault, reference, &to_erase, &test_error));
}

static enum vault_code try_erase(struct vault_error *err)
{
    return erase_citizen(test.vault, &to_erase, err);
}

/* Gone or whole; told to the log once, by whoever comes next. */
static void check_erase(enum vault_code code)
{
    struct control_citizen found;
    const enum vault_code there =
        control_citizen_find(test.vault->store, &to_erase, &found, &test_error);
    assert_true(there == VAULT_NOT_FOUND || (code && there == VAULT_OK));
    const enum vault_code again = try_erase(&test_error);
    assert_int_equal(again, there);
    assert_done(erase_tell(test.vault, &test_error));
    erased++;
    assert_int_equal(entries_of(ENTRY_ERASE), erased);
}

static void test_an_erasure_is_told_once(void **state)
{
    (void)state;
    const struct operation operation = {
        .name = "erasure", .prepare = prepare_erase, .run = try_erase, .check = check_erase};
    erased = 0;
    run_operation(&operation);
}

/* --- An access request ---------------------------------------------------------------------- */

static struct access_receipt receipt;

static void prepare_request(void)
{
    const struct access_ask ask = {
        .purpose = BYTES(SUPPORT),
        .fields = {{"identity.birth_date", "year"}, {"employment.status", ""}},
        .field_count = 2,
        .days = 90,
        .uses = CONSENT_UNLIMITED,
    };
    enum access_fault fault;
    assert_done(try_withdraw(&test_error));
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    assert_done(access_request_open(test.vault, hold.service, &ask, &receipt, &fault, &test_error));
}

static enum vault_code try_answer(struct vault_error *err)
{
    static const struct consent_field fields[] = {{"identity.birth_date", "year"},
                                                  {"employment.status", ""}};
    const struct consent_decision decision = {.service = CASEWORKER,
                                              .purpose = SUPPORT,
                                              .fields = fields,
                                              .field_count = 2,
                                              .days = 30,
                                              .uses = CONSENT_UNLIMITED,
                                              .language = "en",
                                              .text = "What was shown."};
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    VAULT_TRY(
        access_request_by_code(test.vault, &test.citizen, bytes_of_text(receipt.code), &view, err));
    return access_request_give(test.vault, &test.citizen, receipt.id, &decision, err);
}

/* Answered once, and the service is told what holds. */
static void check_request(enum vault_code code)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    assert_true(released_now() % 2 == 0); /* what was decided and not heard of is entered */
    const uint64_t given = entries_of(ENTRY_CONSENT);
    const enum vault_code again = try_answer(&test_error);
    /* Either try counts where it failed, and there are more of them here than a minute has. */
    access_code_forgive(test.vault, &test.citizen);
    access_code_forgive(test.vault, &test.citizen);
    assert_true(again == VAULT_OK || again == VAULT_NOT_FOUND || again == VAULT_CONFLICT);
    if (code == VAULT_OK)
        assert_true(again != VAULT_OK);
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    assert_done(access_request_state(test.vault, hold.service, receipt.id, 0, &text, &test_error));
    assert_non_null(strstr(buf_string(&text), "\"state\":\"granted\""));
    assert_int_equal(entries_of(ENTRY_CONSENT), again == VAULT_OK ? given + 1 : given);
    assert_int_equal(released_now(), 2);
}

static void test_a_request_is_answered_once(void **state)
{
    (void)state;
    const struct operation operation = {.name = "access request",
                                        .prepare = prepare_request,
                                        .run = try_answer,
                                        .check = check_request,
                                        .makes_entries = true};
    run_operation(&operation);
}

/* --- What runs behind ----------------------------------------------------------------------- */

static void test_the_index_goes_on_after_its_store_failed(void **state)
{
    (void)state;
    static const enum inject_when ways[] = {INJECT_BEFORE, INJECT_AFTER};
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    for (size_t way = 0; way < 2; way++) {
        for (size_t i = 0; i < CODES; i++) {
            const uint64_t before = inject_failures();
            inject_fail_next("openings_add", 1, ways[way], codes[i]);
            assert_int_equal(released_now(), 2);
            assert_done(indexer_wait(test.vault->indexer, ledger_head(test.vault->ledger).size,
                                     20000, &test_error));
            assert_int_equal(inject_failures(), before + 1);
        }
    }
    assert_log_is_whole();
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_no_value_leaves_without_its_entry, test_two_uses_are_never_three,
                    test_a_consent_is_given_or_not, test_a_withdrawal_that_was_acknowledged_holds,
                    test_an_import_is_made_up_for, test_an_erasure_is_told_once,
                    test_a_request_is_answered_once, test_the_index_goes_on_after_its_store_failed);
}
