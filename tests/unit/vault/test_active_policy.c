#include "vault/base/codec.h"
#include "vault_test.h"

static struct vault_test test;

static void write_file(const char *name, const char *text)
{
    char path[PATH_MAX];
    assert_done(file_join(path, sizeof path, test.bundle, name, &test_error));
    assert_done(file_replace(path, bytes_of_text(text), 0600, &test_error));
}

static uint64_t active_version(void)
{
    VAULT_AUTO(active_policy_release) struct policy_hold hold = active_policy_hold(test.vault);
    return hold.policy ? policy_version(hold.policy) : 0;
}

/* One that version 1 decides in. */
static void make_active_vault(void)
{
    make_test_vault(&test);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
}

/* A line more in a file of the copy that the vault keeps. */
static void damage_active(void)
{
    char command[PATH_MAX * 2];
    snprintf(command, sizeof command,
             "for f in '%s'/policy/*/catalogue.json; do echo >>\"$f\"; done", test.dir);
    assert_int_equal(system(command), 0);
}

static void test_a_signed_bundle_becomes_active_and_stays_so(void **state)
{
    (void)state;
    make_test_vault(&test);
    assert_int_equal(active_version(), 0);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 1);
    reopen_test_vault(&test);
    assert_int_equal(active_version(), 1);
    vault_close(&test.vault);
}

static void test_the_vault_keeps_its_own_copy(void **state)
{
    (void)state;
    char command[PATH_MAX + 16];
    make_active_vault();
    snprintf(command, sizeof command, "rm -r '%s'", test.bundle);
    assert_int_equal(system(command), 0);
    reopen_test_vault(&test);
    assert_int_equal(active_version(), 1);
    vault_close(&test.vault);
}

static void test_the_same_version_is_not_activated_twice(void **state)
{
    (void)state;
    make_active_vault();
    assert_fails(VAULT_CONFLICT, active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 1);
    vault_close(&test.vault);
}

static void test_a_changed_file_is_refused(void **state)
{
    (void)state;
    make_test_vault(&test);
    write_file("rules/library.json", "{}");
    assert_fails(VAULT_INVALID, active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 0);
    vault_close(&test.vault);
}

static void test_an_unsigned_bundle_is_refused(void **state)
{
    (void)state;
    char path[PATH_MAX];
    make_test_vault(&test);
    assert_done(file_join(path, sizeof path, test.bundle, "manifest.sig", &test_error));
    assert_int_equal(unlink(path), 0);
    assert_fails(VAULT_DENIED, active_policy_set(test.vault, test.bundle, &test_error));
    assert_done(file_join(path, sizeof path, test.bundle, "manifest.json", &test_error));
    assert_int_equal(unlink(path), 0);
    assert_fails(VAULT_DENIED, active_policy_set(test.vault, test.bundle, &test_error));
    vault_close(&test.vault);
}

static void test_a_strangers_signature_does_not_count(void **state)
{
    (void)state;
    make_test_vault(&test);
    vault_close(&test.vault);
    {
        static char vkey[NOTE_KEY_CHARS_MAX];
        VAULT_AUTO(secret_free) struct secret *seed = NULL;
        VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
        assert_done(secret_random(SIGN_SEED_BYTES, &seed, &test_error));
        assert_done(note_signer_make(BYTES("stranger"), NOTE_ED25519, seed, &signer, &test_error));
        note_key_print(&signer.key, vkey);
        test.trust[0] = vkey;
    }
    open_test_vault(&test);
    assert_fails(VAULT_DENIED, active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 0);
    vault_close(&test.vault);
}

static void test_without_a_trusted_signer_nothing_is_activated(void **state)
{
    (void)state;
    make_test_vault(&test);
    vault_close(&test.vault);
    test.options.trust_count = 0;
    open_test_vault(&test);
    assert_fails(VAULT_DENIED, active_policy_set(test.vault, test.bundle, &test_error));
    vault_close(&test.vault);
}

/* A test of the bundle's own that cannot hold: nothing is released without a consent. */
static const char failing_case[] =
    "{\"format\":\"vault-tests/1\",\"suite\":\"wrong\",\"given\":{\"now\":\"2027-03-01T10:00:00Z\","
    "\"service\":{\"id\":\"s\",\"classes\":[\"employment.caseworker\"],"
    "\"purposes\":[\"employment.support\"]},\"purpose\":\"employment.support\"},"
    "\"cases\":[{\"name\":\"wrong\",\"request\":{\"fields\":{\"employment.status\":null}},"
    "\"expect\":{\"employment.status\":\"released\"}}]}";

static void test_a_bundle_that_fails_its_own_tests_is_refused(void **state)
{
    (void)state;
    char path[PATH_MAX];
    make_active_vault();
    assert_done(file_join(path, sizeof path, test.bundle, "tests", &test_error));
    assert_done(folder_create(path, &test_error));
    write_file("tests/wrong.json", failing_case);
    sign_again(&test, 2);
    assert_fails(VAULT_INVALID, active_policy_set(test.vault, test.bundle, &test_error));
    assert_non_null(strstr(test_error.text, "test_fails"));
    assert_int_equal(active_version(), 1);
    vault_close(&test.vault);
}

static void test_a_damaged_active_policy_stops_releases_and_not_the_vault(void **state)
{
    (void)state;
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    vault_close(&test.vault);
    damage_active();
    open_test_vault(&test);
    assert_fails(VAULT_UNAVAILABLE, vault_ready(test.vault, &test_error));
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_fails(VAULT_CONFLICT, active_policy_set(test.vault, test.bundle, &test_error));
    sign_again(&test, 2);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_done(vault_ready(test.vault, &test_error));
    vault_close(&test.vault);
}

/* --- a new version --- */

/* Replace a part of a file of the bundle, which has no manifest then. */
static void change_bundle(const char *name, const char *part, const char *other)
{
    char command[PATH_MAX * 3];
    snprintf(command, sizeof command, "cd '%s' && rm manifest.* && sed -i 's/%s/%s/' %s",
             test.bundle, part, other, name);
    assert_int_equal(system(command), 0);
}

/* A signer that signs the bundle as this version; the verifier key comes back. */
static void sign_as(const char *name, uint64_t version, char vkey[NOTE_KEY_CHARS_MAX])
{
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    const struct policy_manifest manifest = {
        .name = "tests", .version = version, .not_before_s = START_MS / 1000 - 1};
    assert_done(secret_random(SIGN_SEED_BYTES, &seed, &test_error));
    assert_done(note_signer_make(bytes_of_text(name), NOTE_ED25519, seed, &signer, &test_error));
    note_key_print(&signer.key, vkey);
    assert_done(policy_sign(test.bundle, &signer, &manifest, &test_error));
}

/* The vault again, with these signers trusted besides the one of version 1; one is enough. */
static void trust_also(const char *one, const char *other)
{
    static const char *trust[3];
    trust[0] = test.vkey;
    trust[1] = one;
    trust[2] = other;
    test.options.trust = trust;
    test.options.trust_count = other ? 3 : 2;
    reopen_test_vault(&test);
}

static char dpo[NOTE_KEY_CHARS_MAX];
static char officer[NOTE_KEY_CHARS_MAX];

/* Version 2, by a second trusted signer. */
static void sign_by_dpo(void)
{
    sign_as("dpo", 2, dpo);
    trust_also(dpo, NULL);
}

static void test_a_bundle_with_an_error_is_refused_and_the_old_one_stays(void **state)
{
    (void)state;
    make_active_vault();
    change_bundle("rules/library.json", "\"public_task\"",
                  "\"public_task\", \"in_force\": {\"from\": \"2028-01-01T00:00:00Z\", "
                  "\"until\": \"2027-01-01T00:00:00Z\"}");
    sign_by_dpo();
    assert_fails(VAULT_INVALID, active_policy_set(test.vault, test.bundle, &test_error));
    assert_non_null(strstr(test_error.text, "never_applies"));
    assert_int_equal(active_version(), 1);
    vault_close(&test.vault);
}

static void test_what_widens_needs_two_signers_where_two_are_trusted(void **state)
{
    (void)state;
    make_active_vault();
    change_bundle("rules/employment.json", "\"identity.birth_date\": \"year\"",
                  "\"identity.birth_date\": \"month\"");
    sign_by_dpo();
    assert_fails(VAULT_DENIED, active_policy_set(test.vault, test.bundle, &test_error));
    assert_non_null(strstr(test_error.text, "1 weaker"));
    assert_int_equal(active_version(), 1);
    sign_as("officer", 2, officer);
    trust_also(dpo, officer);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 2);
    vault_close(&test.vault);
}

/* What cannot be compared with the one before counts as wider. */
static void test_after_a_damaged_one_two_signers_are_needed_where_two_are_trusted(void **state)
{
    (void)state;
    make_active_vault();
    damage_active();
    change_bundle("rules/employment.json", "730", "365");
    sign_by_dpo();
    assert_fails(VAULT_DENIED, active_policy_set(test.vault, test.bundle, &test_error));
    sign_as("officer", 2, officer);
    trust_also(dpo, officer);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 2);
    vault_close(&test.vault);
}

static void test_what_narrows_needs_no_second_signer(void **state)
{
    (void)state;
    make_active_vault();
    change_bundle("rules/employment.json", "\"identity.birth_date\": \"year\"",
                  "\"identity.birth_date\": \"age_band\"");
    sign_by_dpo();
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 2);
    vault_close(&test.vault);
}

static void test_a_lone_trusted_signer_may_widen(void **state)
{
    (void)state;
    make_test_vault(&test);
    change_bundle("rules/employment.json", "730", "365");
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    struct policy_manifest manifest = {
        .name = "tests", .version = 1, .not_before_s = START_MS / 1000 - 1};
    assert_done(secret_random(SIGN_SEED_BYTES, &seed, &test_error));
    assert_done(note_signer_make(BYTES("dpo"), NOTE_ED25519, seed, &signer, &test_error));
    note_key_print(&signer.key, dpo);
    test.trust[0] = dpo;
    reopen_test_vault(&test);
    assert_done(policy_sign(test.bundle, &signer, &manifest, &test_error));
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    change_bundle("rules/employment.json", "365", "730");
    manifest.version = 2;
    assert_done(policy_sign(test.bundle, &signer, &manifest, &test_error));
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 2);
    vault_close(&test.vault);
}

/* --- the record of what changes --- */

static struct policy_activation activated;

static json_t *read_record(void)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1024 * 1024);
    json_t *record = NULL;
    assert_done(file_read(activated.diff_path, &text, &test_error));
    assert_done(json_parse(buf_view(&text), 16, &record, NULL, &test_error));
    return record;
}

static void assert_not_compared(const char *why)
{
    VAULT_AUTO(json_free) json_t *record = read_record();
    assert_false(activated.passed.compared);
    assert_true(json_is_false(json_object_get(record, "compared")));
    assert_string_equal(json_string_value(json_object_get(record, "why")), why);
    assert_true(json_is_false(json_object_get(record, "same")));
    assert_int_equal(json_array_size(json_object_get(record, "changes")), 0);
}

static void test_the_first_activation_has_nothing_to_compare_with_and_says_so(void **state)
{
    (void)state;
    make_test_vault(&test);
    assert_done(active_policy_replace(test.vault, test.bundle, &activated, &test_error));
    assert_int_equal(activated.version, 1);
    assert_false(activated.was_damaged);
    assert_false(activated.passed.widens);
    assert_not_compared("first");
    vault_close(&test.vault);
}

static void test_what_changes_is_recorded_beside_the_copy(void **state)
{
    (void)state;
    char folder[PATH_MAX];
    make_active_vault();
    change_bundle("rules/employment.json", "\"identity.birth_date\": \"year\"",
                  "\"identity.birth_date\": \"age_band\"");
    sign_by_dpo();
    assert_done(active_policy_replace(test.vault, test.bundle, &activated, &test_error));
    assert_true(activated.passed.compared);
    assert_false(activated.passed.widens);
    assert_int_equal(activated.version, 2);
    assert_int_equal(activated.passed.changes[POLICY_STRICTER], 1);
    VAULT_AUTO(json_free) json_t *record = read_record();
    assert_int_equal(json_array_size(json_object_get(record, "changes")), 1);
    const json_t *change = json_array_get(json_object_get(record, "changes"), 0);
    assert_string_equal(json_string_value(json_object_get(change, "kind")), "stricter");
    assert_true(json_is_object(json_object_get(change, "witness")));
    /* The copy itself is as it was signed: the record lies beside it. */
    snprintf(folder, sizeof folder, "%s", activated.diff_path);
    char *suffix = strstr(folder, ".diff.json");
    assert_non_null(suffix);
    *suffix = 0;
    assert_true(file_exists(folder));
    assert_non_null(strstr(folder, "/policy/2-"));
    reopen_test_vault(&test);
    assert_int_equal(active_version(), 2);
    vault_close(&test.vault);
}

static void test_a_new_version_that_changes_nothing_says_the_same(void **state)
{
    (void)state;
    make_active_vault();
    sign_again(&test, 2);
    assert_done(active_policy_replace(test.vault, test.bundle, &activated, &test_error));
    VAULT_AUTO(json_free) json_t *record = read_record();
    assert_true(json_is_true(json_object_get(record, "same")));
    assert_null(json_object_get(record, "compared"));
    vault_close(&test.vault);
}

static void test_after_a_damaged_one_the_record_says_that_nothing_was_compared(void **state)
{
    (void)state;
    make_active_vault();
    damage_active();
    reopen_test_vault(&test);
    sign_again(&test, 2);
    assert_done(active_policy_replace(test.vault, test.bundle, &activated, &test_error));
    assert_true(activated.was_damaged);
    assert_true(activated.passed.widens);
    assert_not_compared("damaged");
    vault_close(&test.vault);
}

/* No record, no activation: something that is no file lies where it belongs. */
static void test_a_bundle_whose_changes_cannot_be_recorded_does_not_decide(void **state)
{
    (void)state;
    char command[PATH_MAX * 2];
    make_test_vault(&test);
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    assert_done(policy_load(test.bundle, &policy, NULL, &test_error));
    char hash[2 * SHA256_BYTES + 1];
    hex_string(hash, policy_manifest_hash(policy), SHA256_BYTES);
    snprintf(command, sizeof command, "mkdir -p '%s'/policy/1-%s.diff.json/x", test.dir, hash);
    assert_int_equal(system(command), 0);
    activated.version = 77;
    assert_fails(VAULT_IO, active_policy_replace(test.vault, test.bundle, &activated, &test_error));
    assert_int_equal(activated.version, 77);
    assert_int_equal(active_version(), 0);
    vault_close(&test.vault);
}

/* --- keys that end --- */

/* A trusted line: the key, until so many seconds after the start of the test. */
static const char *until(const char *vkey, int64_t after_s, char out[NOTE_KEY_CHARS_MAX + 32])
{
    char end[INSTANT_CHARS + 1];
    instant_format(end, START_MS / 1000 + after_s);
    snprintf(out, NOTE_KEY_CHARS_MAX + 32, "%s until %s", vkey, end);
    return out;
}

static char ending[NOTE_KEY_CHARS_MAX + 32];

static void test_a_key_activates_until_its_end_and_not_at_it(void **state)
{
    (void)state;
    make_test_vault(&test);
    test.trust[0] = until(test.vkey, 1, ending);
    reopen_test_vault(&test);
    test.now_ms = START_MS + 1000;
    assert_fails(VAULT_DENIED, active_policy_set(test.vault, test.bundle, &test_error));
    assert_non_null(strstr(test_error.text, "the key of test-dpo, which has signed, ended at "
                                            "2027-03-08T10:00:01Z"));
    assert_int_equal(active_version(), 0);
    test.now_ms = START_MS + 999;
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 1);
    vault_close(&test.vault);
}

static void test_what_a_key_signed_in_its_time_goes_on_deciding(void **state)
{
    (void)state;
    make_test_vault(&test);
    test.trust[0] = until(test.vkey, 1, ending);
    reopen_test_vault(&test);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    test.now_ms = START_MS + 3600 * 1000;
    assert_done(vault_ready(test.vault, &test_error));
    reopen_test_vault(&test);
    assert_int_equal(active_version(), 1);
    assert_done(vault_ready(test.vault, &test_error));
    sign_again(&test, 2);
    assert_fails(VAULT_DENIED, active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 1);
    vault_close(&test.vault);
}

static void test_what_a_key_signed_that_is_trusted_no_more_is_not_loaded_again(void **state)
{
    (void)state;
    make_active_vault();
    change_bundle("rules/employment.json", "730", "365");
    sign_as("dpo", 2, dpo);
    test.trust[0] = dpo;
    reopen_test_vault(&test);
    assert_int_equal(active_version(), 0);
    assert_fails(VAULT_UNAVAILABLE, vault_ready(test.vault, &test_error));
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 2);
    vault_close(&test.vault);
}

/* The old key ends an hour from now; the new one is trusted beside it before that. */
static void test_one_key_replaces_another_without_a_gap(void **state)
{
    (void)state;
    make_active_vault();
    change_bundle("rules/employment.json", "730", "365");
    sign_by_dpo();
    test.options.trust = (const char *const[]){until(test.vkey, 3600, ending), dpo};
    reopen_test_vault(&test);
    assert_int_equal(active_version(), 1);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    sign_again(&test, 3); /* by the old key, which holds still; 365 days are no wider */
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    test.now_ms = START_MS + 3600 * 1000;
    sign_again(&test, 4);
    assert_fails(VAULT_DENIED, active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 3);
    vault_close(&test.vault);
}

static void test_a_key_that_has_ended_is_not_one_of_the_two_that_widen(void **state)
{
    (void)state;
    make_active_vault();
    change_bundle("rules/employment.json", "730", "731");
    sign_as("dpo", 2, dpo);
    sign_as("officer", 2, officer);
    trust_also(dpo, officer);
    test.options.trust = (const char *const[]){test.vkey, dpo, until(officer, 0, ending)};
    reopen_test_vault(&test);
    assert_fails(VAULT_DENIED, active_policy_set(test.vault, test.bundle, &test_error));
    assert_non_null(strstr(test_error.text, "it widens what is released"));
    assert_non_null(strstr(test_error.text, "1 of the 2 signatures it needs; the key of officer"));
    test.now_ms = START_MS - 1;
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    vault_close(&test.vault);
}

static void test_how_many_widen_is_as_the_options_say(void **state)
{
    (void)state;
    make_active_vault();
    change_bundle("rules/employment.json", "730", "731");
    sign_as("dpo", 2, dpo);
    sign_as("officer", 2, officer);
    test.options.signatures_to_widen = 3;
    trust_also(dpo, officer);
    assert_fails(VAULT_DENIED, active_policy_set(test.vault, test.bundle, &test_error));
    assert_non_null(strstr(test_error.text, "2 of the 3"));
    test.options.signatures_to_widen = 1;
    change_bundle("rules/employment.json", "731", "732");
    sign_by_dpo();
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 2);
    vault_close(&test.vault);
}

/* Another bundle with good signatures, under the folder's name: it is not what was activated. */
static void test_another_bundle_in_the_place_of_the_active_one_is_not_loaded(void **state)
{
    (void)state;
    char command[PATH_MAX * 3];
    make_active_vault();
    vault_close(&test.vault);
    sign_again(&test, 2);
    snprintf(command, sizeof command, "cd '%s'/policy/1-*[0-9a-f] && rm -r * && cp -r '%s'/* .",
             test.dir, test.bundle);
    assert_int_equal(system(command), 0);
    open_test_vault(&test);
    assert_int_equal(active_version(), 0);
    assert_fails(VAULT_UNAVAILABLE, vault_ready(test.vault, &test_error));
    vault_close(&test.vault);
}

static void test_a_trusted_line_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    make_test_vault(&test);
    test.trust[0] = "dpo+00112233+AAAA";
    reopen_test_vault(&test);
    assert_fails(VAULT_INVALID, active_policy_set(test.vault, test.bundle, &test_error));
    assert_non_null(strstr(test_error.text, "trusted key 1"));
    vault_close(&test.vault);
}

static void test_an_older_version_is_refused(void **state)
{
    (void)state;
    make_active_vault();
    change_bundle("rules/employment.json", "730", "365");
    sign_as("dpo", 3, dpo);
    trust_also(dpo, NULL);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    change_bundle("rules/employment.json", "365", "364");
    sign_as("officer", 2, officer);
    trust_also(dpo, officer);
    assert_fails(VAULT_CONFLICT, active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 3);
    vault_close(&test.vault);
}

static void test_a_bundle_that_has_expired_is_refused(void **state)
{
    (void)state;
    make_test_vault(&test);
    change_bundle("rules/employment.json", "730", "365");
    const struct policy_manifest manifest = {.name = "tests",
                                             .version = 1,
                                             .not_before_s = START_MS / 1000 - 10,
                                             .expires_s = START_MS / 1000};
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    assert_done(secret_random(SIGN_SEED_BYTES, &seed, &test_error));
    assert_done(note_signer_make(BYTES("dpo"), NOTE_ED25519, seed, &signer, &test_error));
    note_key_print(&signer.key, dpo);
    assert_done(policy_sign(test.bundle, &signer, &manifest, &test_error));
    trust_also(dpo, NULL);
    assert_fails(VAULT_CONFLICT, active_policy_set(test.vault, test.bundle, &test_error));
    test.now_ms = START_MS - 1000;
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    vault_close(&test.vault);
}

/* The bundle anew, as a version that follows the manifest of this hash. */
static void sign_after(uint64_t version, const uint8_t previous[SHA256_BYTES])
{
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    const struct policy_manifest manifest = {.name = "tests",
                                             .version = version,
                                             .not_before_s = START_MS / 1000 - 1,
                                             .previous = previous};
    const struct bytes raw = {test.seed, sizeof test.seed};
    sign_again(&test, version); /* whose manifest is then replaced */
    change_bundle("rules/employment.json", "730", "730");
    assert_done(secret_copy(raw, &seed, &test_error));
    assert_done(note_signer_make(BYTES("test-dpo"), NOTE_ED25519, seed, &signer, &test_error));
    assert_done(policy_sign(test.bundle, &signer, &manifest, &test_error));
}

static void test_a_bundle_follows_the_one_that_it_names(void **state)
{
    (void)state;
    uint8_t hash[SHA256_BYTES] = {1};
    make_test_vault(&test);
    sign_after(1, hash); /* nothing is active: not compared */
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    sign_after(2, hash);
    assert_fails(VAULT_CONFLICT, active_policy_set(test.vault, test.bundle, &test_error));
    assert_non_null(strstr(test_error.text, "\"previous\" is not the active bundle's manifest, "));
    assert_int_equal(active_version(), 1);
    {
        VAULT_AUTO(active_policy_release) struct policy_hold hold = active_policy_hold(test.vault);
        memcpy(hash, policy_manifest_hash(hold.policy), sizeof hash);
    }
    sign_after(2, hash);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_int_equal(active_version(), 2);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_a_bundle_follows_the_one_that_it_names,
                    test_a_signed_bundle_becomes_active_and_stays_so,
                    test_the_vault_keeps_its_own_copy, test_the_same_version_is_not_activated_twice,
                    test_a_changed_file_is_refused, test_an_unsigned_bundle_is_refused,
                    test_a_strangers_signature_does_not_count,
                    test_without_a_trusted_signer_nothing_is_activated,
                    test_a_bundle_that_fails_its_own_tests_is_refused,
                    test_a_damaged_active_policy_stops_releases_and_not_the_vault,
                    test_a_bundle_with_an_error_is_refused_and_the_old_one_stays,
                    test_what_widens_needs_two_signers_where_two_are_trusted,
                    test_after_a_damaged_one_two_signers_are_needed_where_two_are_trusted,
                    test_what_narrows_needs_no_second_signer, test_a_lone_trusted_signer_may_widen,
                    test_the_first_activation_has_nothing_to_compare_with_and_says_so,
                    test_what_changes_is_recorded_beside_the_copy,
                    test_a_new_version_that_changes_nothing_says_the_same,
                    test_after_a_damaged_one_the_record_says_that_nothing_was_compared,
                    test_a_bundle_whose_changes_cannot_be_recorded_does_not_decide,
                    test_a_key_activates_until_its_end_and_not_at_it,
                    test_what_a_key_signed_in_its_time_goes_on_deciding,
                    test_what_a_key_signed_that_is_trusted_no_more_is_not_loaded_again,
                    test_one_key_replaces_another_without_a_gap,
                    test_a_key_that_has_ended_is_not_one_of_the_two_that_widen,
                    test_how_many_widen_is_as_the_options_say,
                    test_another_bundle_in_the_place_of_the_active_one_is_not_loaded,
                    test_a_trusted_line_that_cannot_be_read_is_named,
                    test_an_older_version_is_refused, test_a_bundle_that_has_expired_is_refused);
}
