/*
 * A vault looks at itself, while it serves and while it rests.
 */
#include "vault/vault/checkup.h"

#include <sys/stat.h>
#include <unistd.h>

#include "vault/parts.h"
#include "vault/store/openings.h"
#include "vault/store/setting.h"
#include "vault/vault/figures.h"
#include "vault_test.h"

#define TEXT_BYTES 8192

static struct vault_test test;
static char texts[TEXT_BYTES];
static size_t findings;
static struct store_checked checked;

static void note(void *context, const char *check, enum checkup_severity severity, const char *text)
{
    (void)context;
    const size_t used = strlen(texts);
    snprintf(texts + used, sizeof texts - used, "%s %s: %s\n", checkup_severity_name(severity),
             check, text);
    findings++;
}

static void check(struct vault *vault)
{
    const struct checkup checkup = {.each = note, .check = "vault"};
    texts[0] = 0;
    findings = 0;
    checked = (struct store_checked){0};
    assert_done(checkup_run(vault, &checkup, &test_error));
    for (unsigned shard = 0; shard < STORE_CHECK_SHARDS; shard++)
        assert_done(checkup_citizens(vault, shard, true, &checkup, &checked, &test_error));
    checkup_citizens_end(vault, &checkup, &checked);
}

static void check_resting(void)
{
    struct vault *vault = NULL;
    assert_done(vault_look(&test.options, &vault, &test_error));
    check(vault);
    vault_close(&vault);
}

static void assert_found(const char *words)
{
    if (!strstr(texts, words))
        fail_msg("expected '%s', found: %s", words, texts);
    assert_null(strstr(texts, "T-1"));
}

static void begin(void)
{
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
}

static void test_a_healthy_vault_gives_no_finding(void **state)
{
    (void)state;
    begin();
    check(test.vault);
    assert_string_equal(texts, "");
    assert_int_equal(checked.citizens, 2); /* with the decoy */
    vault_close(&test.vault);
    check_resting();
    assert_string_equal(texts, "");
    /* And opens as before. */
    open_test_vault(&test);
    vault_close(&test.vault);
}

static void let_in(enum control_certificate_kind kind, const char *owner, uint8_t key, int64_t days)
{
    const uint8_t spki[SHA256_BYTES] = {0xee, key};
    assert_done(service_add_key(test.vault, kind, owner, spki, test.now_ms / 1000 + days * 86400,
                                &test_error));
}

static size_t ending(void)
{
    struct figures figures;
    vault_figures(test.vault, &figures);
    return figures.clients_ending;
}

static void test_certificates_of_clients_that_end_are_told_and_counted(void **state)
{
    (void)state;
    begin();
    let_in(CONTROL_CERTIFICATE_AUDITOR, "ada", 1, 31);
    let_in(CONTROL_CERTIFICATE_SERVICE, LIBRARY, 2, 3); /* it has another one */
    check(test.vault);
    assert_string_equal(texts, "");
    assert_int_equal(ending(), 0);
    test.now_ms += 2 * 86400000LL;
    check(test.vault);
    assert_found("warning clients: the last certificate of the auditor ada ends on 2027-04-08");
    assert_int_equal(findings, 1);
    assert_int_equal(ending(), 1);
    let_in(CONTROL_CERTIFICATE_AUDITOR, "ada", 3, 397);
    check(test.vault);
    assert_string_equal(texts, "");
    assert_int_equal(ending(), 0);
    vault_close(&test.vault);
}

static void test_who_was_removed_or_left_long_ago_is_not_reminded(void **state)
{
    (void)state;
    begin();
    let_in(CONTROL_CERTIFICATE_AUDITOR, "ada", 1, 5);
    let_in(CONTROL_CERTIFICATE_AUDITOR, "bob", 2, 5);
    test.now_ms += 6 * 86400000LL;
    check(test.vault);
    assert_found("the last certificate of the auditor bob ended on");
    assert_int_equal(findings, 2);
    assert_done(service_remove_auditor(test.vault, "bob", &test_error));
    check(test.vault);
    assert_int_equal(findings, 1);
    test.now_ms += 30 * 86400000LL;
    check(test.vault);
    assert_string_equal(texts, "");
    vault_close(&test.vault);
}

static void test_a_vault_that_serves_cannot_be_looked_at_as_one_that_rests(void **state)
{
    (void)state;
    struct vault *vault = NULL;
    begin();
    assert_fails(VAULT_UNAVAILABLE, vault_look(&test.options, &vault, &test_error));
    vault_close(&test.vault);
}

static void test_another_key_opens_nothing(void **state)
{
    (void)state;
    struct vault *vault = NULL;
    uint8_t other[SECRET_KEY_BYTES];
    begin();
    vault_close(&test.vault);
    random_bytes(other, sizeof other);
    assert_done(
        file_replace(test.key_file, (struct bytes){other, sizeof other}, 0600, &test_error));
    assert_fails(VAULT_DENIED, vault_look(&test.options, &vault, &test_error));
}

static void test_a_log_that_is_not_the_remembered_one_is_found(void **state)
{
    (void)state;
    uint8_t head[8 + SHA256_BYTES] = {0};
    begin();
    struct setting setting = {"ledger.head", {head, sizeof head}};
    /* As many entries, and another root. */
    const uint64_t size = ledger_head(test.vault->ledger).size;
    head[7] = (uint8_t)size;
    vault_close(&test.vault);
    struct store *store = NULL;
    struct keyring *keyring = NULL;
    assert_done(keyring_open(test.dir, &test.options.provider, &keyring, &test_error));
    assert_done(store_open(test.dir, keyring, NULL, &store, &test_error));
    assert_done(setting_put(store, &setting, 1, &test_error));
    store_close(&store);
    check_resting();
    assert_found("error log: the access log: append-only");
    /* One entry less than there is. */
    head[7]--;
    assert_done(store_open(test.dir, keyring, NULL, &store, &test_error));
    assert_done(setting_put(store, &setting, 1, &test_error));
    store_close(&store);
    keyring_close(&keyring);
    check_resting();
    assert_found("error log: ");
    assert_found("error index: ");
}

static void test_an_index_that_is_behind_is_found(void **state)
{
    (void)state;
    begin();
    vault_close(&test.vault);
    struct store *store = NULL;
    struct keyring *keyring = NULL;
    assert_done(keyring_open(test.dir, &test.options.provider, &keyring, &test_error));
    assert_done(store_open(test.dir, keyring, NULL, &store, &test_error));
    assert_done(openings_reset(store, &test_error));
    store_close(&store);
    keyring_close(&keyring);
    check_resting();
    assert_found("error index: the index of openings has come to entry 0 of");
}

static void test_a_policy_that_ends_or_is_not_there_is_found(void **state)
{
    (void)state;
    make_test_vault(&test);
    check(test.vault);
    assert_found("warning policy: no policy is active");
    fill_test_vault(&test);
    test.now_ms = START_MS - 10000; /* before it began */
    check(test.vault);
    assert_found("error policy: the active policy is not in force");
    test.now_ms = START_MS;
    char command[PATH_MAX + 64];
    snprintf(command, sizeof command, "rm '%s'/policy/1-*/rules/library.json", test.dir);
    assert_int_equal(system(command), 0);
    check(test.vault);
    assert_found("error policy: the active policy does not load");
    vault_close(&test.vault);
    check_resting();
    assert_found("error policy: the active policy does not load");
}

static void test_a_clock_behind_the_log_is_found(void **state)
{
    (void)state;
    begin();
    vault_close(&test.vault);
    test.now_ms = START_MS - 5000;
    check_resting();
    assert_found("error log: the clock is behind");
}

static void test_a_root_that_is_kept_for_nothing_is_found(void **state)
{
    (void)state;
    begin();
    assert_done(keyring_rotate(test.vault->keyring, test.dir, &test.options.provider, &test_error));
    check(test.vault);
    assert_found("warning keys: 2 citizens' keys are still wrapped");
    vault_close(&test.vault);
    check_resting();
    assert_found("warning keys: 2 citizens' keys are still wrapped");
    assert_int_equal(findings, 1);
}

int main(void)
{
    return TEST_RUN(
        test_a_healthy_vault_gives_no_finding,
        test_certificates_of_clients_that_end_are_told_and_counted,
        test_who_was_removed_or_left_long_ago_is_not_reminded,
        test_a_vault_that_serves_cannot_be_looked_at_as_one_that_rests,
        test_another_key_opens_nothing, test_a_log_that_is_not_the_remembered_one_is_found,
        test_an_index_that_is_behind_is_found, test_a_policy_that_ends_or_is_not_there_is_found,
        test_a_clock_behind_the_log_is_found, test_a_root_that_is_kept_for_nothing_is_found);
}
