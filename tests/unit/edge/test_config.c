#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/edge/config.h"
#include "vault/store/keyholder.h"

/* Public keys that are one byte repeated: nobody has the other half. */
#define CITY  "city+4bd3cff8+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
#define DPO   "dpo+7883c329+AQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC"
#define TRUST "[\"" CITY "\", \"" DPO "\"]"

static const char whole[] =
    "{\n"
    "  \"data\": \"vault\",\n"
    "  \"origin\": \"log.example/vault\",\n"
    "  \"keyring\": {\"key_file\": \"/srv/key\"},\n"
    "  \"services\": {\"port\": 8441, \"certificate\": \"s.pem\", \"key\": \"s.key\",\n"
    "    \"clients_ca\": \"ca.pem\", \"clients_ca_key\": \"ca.key\"},\n"
    "  \"citizens\": {\"port\": 8442, \"certificate\": \"c.pem\", \"key\": \"c.key\"},\n"
    "  \"auditors\": {\"port\": 8443, \"certificate\": \"a.pem\", \"key\": \"a.key\",\n"
    "    \"clients_ca\": \"aca.pem\", \"clients_ca_key\": \"aca.key\"},\n"
    "  \"admin\": {\"socket\": \"admin.sock\"},\n"
    "  \"policy\": {\"trust\": " TRUST "}\n"
    "}\n";

static char path[128];
static struct config config;

static enum vault_code read_text(const char *text)
{
    snprintf(path, sizeof path, "%s/vault.json", test_folder());
    assert_done(file_create(path, bytes_of_text(text), 0600, &test_error));
    return config_read(path, &config, &test_error);
}

/* The whole text with one piece replaced; the result is the caller's to finish. */
static struct buf changed(const char *from, const char *to)
{
    struct buf text = buf_limited(8192);
    const char *at = strstr(whole, from);
    assert_non_null(at);
    buf_append(&text, whole, (size_t)(at - whole));
    buf_text(&text, to);
    buf_text(&text, at + strlen(from));
    return text;
}

static void assert_refused(const char *from, const char *to, const char *names, const char *line)
{
    VAULT_AUTO(buf_finish) struct buf text = changed(from, to);
    assert_fails(VAULT_INVALID, read_text(buf_string(&text)));
    if (!strstr(test_error.text, names) || !strstr(test_error.text, line))
        fail_msg("not both '%s' and '%s' in: %s", names, line, test_error.text);
}

static void test_a_whole_configuration_is_understood(void **state)
{
    (void)state;
    assert_done(read_text(whole));
    assert_string_equal(config.origin, "log.example/vault");
    assert_int_equal(config.services.port, 8441);
    assert_int_equal(config.citizens.port, 8442);
    assert_int_equal(config.auditors.port, 8443);
    assert_int_equal(config.trust_count, 2);
    assert_string_equal(config.trust[1], DPO);
    assert_string_equal(config.citizens.clients_ca, "");
    assert_string_equal(config.services.crl, "");
    assert_int_equal(config.citizens.connections_per_address, 1000);
    assert_int_equal(config.citizens.requests_per_address, 12000);
    assert_int_equal(config.services.connections_per_address, 0);
    assert_int_equal(config.certificate_days, 397);
}

static void test_what_may_be_left_out_has_its_default(void **state)
{
    (void)state;
    assert_done(read_text(whole));
    assert_string_equal(config.services.address, "127.0.0.1");
    assert_string_equal(config.citizens.address, "127.0.0.1");
    assert_string_equal(config.citizens_host, "localhost");
    assert_int_equal(config.signatures, 1);
    assert_int_equal(config.signatures_to_widen, 2);
    assert_int_equal(config.open_citizens, 1000);
    assert_int_equal(config.keyring.unwraps_per_minute, KEYHOLDER_UNWRAPS_PER_MINUTE);
    assert_false(config.allow_swap);
}

static void test_relative_paths_are_from_the_files_folder(void **state)
{
    (void)state;
    assert_done(read_text(whole));
    char expected[256];
    snprintf(expected, sizeof expected, "%.*s/s.pem", (int)(strrchr(path, '/') - path), path);
    assert_string_equal(config.services.certificate, expected);
    assert_string_equal(config.keyring.key_file, "/srv/key");
}

static void test_a_missing_key_is_named(void **state)
{
    (void)state;
    assert_refused("\"data\": \"vault\",", "", "/data", "line 1");
    assert_refused("\"port\": 8442,", "", "/citizens/port", "line 7");
    assert_refused(",\n  \"policy\": {\"trust\": " TRUST "}", "", "/policy/trust", "line");
}

static void test_an_unknown_key_is_named(void **state)
{
    (void)state;
    assert_refused("\"data\"", "\"speed\": 1, \"data\"", "speed", "unknown");
    assert_refused("\"port\": 8442,", "\"port\": 8442, \"colour\": 1,", "citizens.colour",
                   "unknown");
    assert_refused("\"port\": 8442,", "\"port\": 8442, \"crl\": \"x\",", "citizens.crl", "unknown");
    assert_refused("\"port\": 8442,", "\"port\": 8442, \"clients_ca\": \"x\",",
                   "citizens.clients_ca", "unknown");
}

static void test_a_key_of_the_wrong_type_is_named_with_its_line(void **state)
{
    (void)state;
    assert_refused("\"vault\"", "7", "/data", "line 2");
    assert_refused("8442", "\"8442\"", "/citizens/port", "line 7");
    assert_refused("8442", "84.5", "/citizens/port", "line 7");
    assert_refused("\"data\"", "\"allow_swap\": 1, \"data\"", "/allow_swap", "line 2");
    assert_refused(TRUST, "\"x\"", "/policy/trust", "line 11");
    assert_refused("\"" CITY "\"", "7", "/policy/trust", "line 11");
    assert_refused("{\"socket\": \"admin.sock\"}", "\"admin.sock\"", "admin", "wrong type");
}

static void test_numbers_have_their_range(void **state)
{
    (void)state;
    assert_refused("8442", "65536", "/citizens/port", "0 to 65535");
    assert_refused("8442", "-1", "/citizens/port", "0 to 65535");
    assert_refused("\"trust\"", "\"signatures\": 0, \"trust\"", "/policy/signatures", "1 to 8");
    assert_refused("\"data\"", "\"limits\": {\"open_citizens\": 7}, \"data\"",
                   "/limits/open_citizens", "8 to 100000");
    VAULT_AUTO(buf_finish) struct buf zero = changed("8442", "0");
    assert_done(read_text(buf_string(&zero)));
    assert_int_equal(config.citizens.port, 0);
}

static void test_whom_to_tell_of_a_fault_is_an_address(void **state)
{
    (void)state;
    static const char *const wrong[] = {"me@ville.example", "http://ville.example", "mailto:a b",
                                        "https://ville.example\\nExpires: never"};
    char key[128];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(key, sizeof key, "\"security_contact\": \"%s\", \"port\": 8442,", wrong[i]);
        assert_refused("\"port\": 8442,", key, "/citizens/security_contact", "line 7");
        snprintf(key, sizeof key, "\"accessibility_contact\": \"%s\", \"port\": 8442,", wrong[i]);
        assert_refused("\"port\": 8442,", key, "/citizens/accessibility_contact", "line 7");
    }
    VAULT_AUTO(buf_finish)
    struct buf right =
        changed("\"port\": 8442,", "\"security_contact\": \"https://ville.example/securite\", "
                                   "\"port\": 8442,");
    assert_done(read_text(buf_string(&right)));
    assert_string_equal(config.security_contact, "https://ville.example/securite");
}

/* A key whose value is one of some words; before and after stand around it, where names it in an
 * error, and value is where it is read to. The first word is what it is where nobody says. */
static void check_words(const char *before, const char *after, const char *where,
                        const char *const words[], const char *const wrong[], const char *value)
{
    char key[128];
    for (; *wrong; wrong++) {
        snprintf(key, sizeof key, "%s%s%s, \"data\":", before, *wrong, after);
        VAULT_AUTO(buf_finish) struct buf with = changed("\"data\":", key);
        assert_fails(VAULT_INVALID, read_text(buf_string(&with)));
        assert_true(strstr(test_error.text, where) != NULL);
    }
    for (size_t i = 0; words[i]; i++) {
        snprintf(key, sizeof key, "%s%s%s, \"data\":", before, words[i], after);
        VAULT_AUTO(buf_finish) struct buf with = changed("\"data\":", key);
        assert_done(read_text(buf_string(&with)));
        assert_string_equal(value, words[i]);
    }
    VAULT_AUTO(buf_finish) struct buf without = changed("\"data\":", "\"data\":");
    assert_done(read_text(buf_string(&without)));
    assert_string_equal(value, words[0]);
}

static void test_the_sandbox_is_one_of_three_words(void **state)
{
    (void)state;
    static const char *const words[] = {"on", "required", "off", NULL};
    static const char *const wrong[] = {"", "yes", "Off", "required ", NULL};
    check_words("\"sandbox\": \"", "\"", "/sandbox", words, wrong, config.sandbox);
}

static void test_mediators_are_offered_a_passkey_or_need_one(void **state)
{
    (void)state;
    static const char *const words[] = {"offered", "required", NULL};
    static const char *const wrong[] = {"", "yes", "Required", "offered ", NULL};
    check_words("\"mediators\": {\"passkey\": \"", "\"}", "/mediators/passkey", words, wrong,
                config.mediators.passkey);
}

static void test_an_empty_or_long_text_is_refused(void **state)
{
    (void)state;
    char text[256];
    memset(text, 'o', sizeof text - 1);
    text[0] = '"';
    text[sizeof text - 2] = '"';
    text[sizeof text - 1] = 0;
    assert_refused("\"log.example/vault\"", "\"\"", "/origin", "empty");
    assert_refused("\"log.example/vault\"", text, "/origin", "too long");
    assert_refused("\"s.pem\"", "\"\"", "/services/certificate", "empty");
}

static void test_too_many_trusted_keys_are_refused(void **state)
{
    (void)state;
    assert_refused(TRUST, "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]",
                   "/policy/trust", "too many");
}

static void test_a_trusted_key_may_have_an_end(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = changed(CITY, CITY " until 2028-01-01T00:00:00Z");
    assert_done(read_text(buf_string(&text)));
    assert_string_equal(config.trust[0], CITY " until 2028-01-01T00:00:00Z");
    assert_done(config_check_trust(&config, &test_error));
}

static void assert_cannot_be_used(const char *from, const char *to, const char *says)
{
    VAULT_AUTO(buf_finish) struct buf text = changed(from, to);
    assert_done(read_text(buf_string(&text)));
    assert_fails(VAULT_INVALID, config_check_trust(&config, &test_error));
    if (!strstr(test_error.text, says))
        fail_msg("not '%s' in: %s", says, test_error.text);
}

static void test_a_trusted_key_that_cannot_be_used_is_refused(void **state)
{
    (void)state;
    assert_cannot_be_used(CITY, CITY " until 2028", "/policy/trust/0: the end of the key city");
    assert_cannot_be_used(DPO, DPO "A", "/policy/trust/1: ");
    assert_cannot_be_used(CITY, "", "/policy/trust/0: ");
    assert_cannot_be_used(CITY, DPO, "/policy/trust/1: the key of dpo is there twice");
    assert_cannot_be_used(DPO, CITY " until 2028-01-01T00:00:00Z", "city is there twice");
    assert_done(read_text(whole));
    assert_done(config_check_trust(&config, &test_error));
}

static void assert_signatures(const char *more, int64_t any, int64_t to_widen)
{
    char section[64];
    snprintf(section, sizeof section, "{%s, \"trust\"", more);
    VAULT_AUTO(buf_finish) struct buf text = changed("{\"trust\"", section);
    assert_done(read_text(buf_string(&text)));
    assert_int_equal(config.signatures, any);
    assert_int_equal(config.signatures_to_widen, to_widen);
}

static void test_how_many_must_sign_is_as_it_is_said(void **state)
{
    (void)state;
    assert_signatures("\"signatures\": 1", 1, 2);
    assert_signatures("\"signatures\": 2", 2, 2);
    assert_signatures("\"signatures_to_widen\": 1", 1, 1);
    assert_signatures("\"signatures_to_widen\": 2", 1, 2);
    VAULT_AUTO(buf_finish) struct buf lone = changed(", \"" DPO "\"", "");
    assert_done(read_text(buf_string(&lone)));
    assert_int_equal(config.signatures_to_widen, 1);
    VAULT_AUTO(buf_finish) struct buf none = changed(TRUST, "[]");
    assert_done(read_text(buf_string(&none)));
    assert_int_equal(config.signatures_to_widen, 1);
}

static void test_more_signatures_than_keys_are_refused(void **state)
{
    (void)state;
    assert_refused("{\"trust\"", "{\"signatures\": 3, \"trust\"",
                   "/policy/signatures is more than there are keys in policy.trust", "line 11");
    assert_refused("{\"trust\"", "{\"signatures_to_widen\": 3, \"trust\"",
                   "/policy/signatures_to_widen is more than there are keys in policy.trust",
                   "line 11");
    assert_refused("{\"trust\"", "{\"signatures_to_widen\": 0, \"trust\"",
                   "/policy/signatures_to_widen must be 1 to 8", "line 11");
    assert_refused("{\"trust\"", "{\"signatures_to_widen\": \"2\", \"trust\"",
                   "/policy/signatures_to_widen must be a whole number", "line 11");
    assert_refused("{\"trust\": " TRUST, "{\"trust\": [], \"signatures\": 2",
                   "/policy/signatures is more", "line 11");
}

static void test_widening_takes_no_fewer_signatures_than_the_rest(void **state)
{
    (void)state;
    assert_refused("{\"trust\"", "{\"signatures\": 2, \"signatures_to_widen\": 1, \"trust\"",
                   "/policy/signatures_to_widen is less than policy.signatures", "line 11");
}

static void test_what_is_no_json_object_is_refused(void **state)
{
    (void)state;
    assert_fails(VAULT_INVALID, read_text(""));
    assert_fails(VAULT_INVALID, read_text("[]"));
    assert_fails(VAULT_INVALID, read_text("{\"data\":\"a\",\"data\":\"b\"}"));
    assert_fails(VAULT_INVALID, read_text("{} x"));
    assert_non_null(strstr(test_error.text, "vault.json"));
}

static void test_a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    assert_fails(VAULT_NOT_FOUND, config_read("/nonexistent/vault.json", &config, &test_error));
    assert_non_null(strstr(test_error.text, "/nonexistent/vault.json"));
}

static void test_a_huge_file_is_refused(void **state)
{
    (void)state;
    char *text = malloc(CONFIG_FILE_BYTES_MAX + 2);
    memset(text, ' ', CONFIG_FILE_BYTES_MAX + 1);
    text[CONFIG_FILE_BYTES_MAX + 1] = 0;
    assert_fails(VAULT_TOO_LARGE, read_text(text));
    free(text);
}

static void test_a_failed_read_changes_nothing(void **state)
{
    (void)state;
    assert_done(read_text(whole));
    const struct config before = config;
    VAULT_AUTO(buf_finish) struct buf text = changed("8442", "-1");
    assert_fails(VAULT_INVALID, read_text(buf_string(&text)));
    assert_memory_equal(&before, &config, sizeof config);
}

static void test_what_is_printed_can_be_read_again(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf first = buf_limited(64 * 1024);
    VAULT_AUTO(buf_finish) struct buf second = buf_limited(64 * 1024);
    assert_done(read_text(whole));
    config_print(&config, &first);
    assert_done(buf_check(&first, &test_error));
    assert_done(read_text(buf_string(&first)));
    config_print(&config, &second);
    assert_string_equal(buf_string(&first), buf_string(&second));
    assert_non_null(strstr(buf_string(&first), "\"open_citizens\":1000"));
}

static void test_who_sees_the_log_may_be_left_out_or_empty_or_given(void **state)
{
    (void)state;
    assert_done(read_text(whole));
    assert_string_equal(config.log.witnesses, "");
    assert_string_equal(config.log.keep, "");
    assert_int_equal(config.log.stale_s, 14400);
    assert_int_equal(config.log.warn_s, 1800);
    VAULT_AUTO(buf_finish)
    struct buf given = changed("\"policy\"", "\"log\": {\"witnesses\": \"/w\", \"witnesses_ca\": "
                                             "\"\", \"keep\": \"kept\", \"timestamps\": "
                                             "\"http://tsa.example\", \"stale_s\": 60},\n"
                                             "  \"policy\"");
    assert_done(read_text(buf_string(&given)));
    assert_string_equal(config.log.witnesses, "/w");
    assert_string_equal(config.log.witnesses_ca, "");
    assert_non_null(strstr(config.log.keep, "/kept"));
    assert_string_equal(config.log.timestamps, "http://tsa.example");
    assert_int_equal(config.log.stale_s, 60);
    assert_refused("\"policy\"", "\"log\": {\"stale_s\": 0}, \"policy\"", "/log/stale_s", "line");
    assert_refused("\"policy\"", "\"log\": {\"witness\": \"/w\"}, \"policy\"", "log.witness", "");
}

static void test_mail_is_left_out_or_whole(void **state)
{
    (void)state;
    assert_done(read_text(whole));
    assert_string_equal(config.mail.relay, "");
    VAULT_AUTO(buf_finish)
    struct buf given = changed("\"policy\"", "\"mail\": {\"relay\": \"smtps://relay.example:465\", "
                                             "\"from\": \"coffre@ville.example\", \"ca\": "
                                             "\"relay.pem\"},\n  \"policy\"");
    assert_done(read_text(buf_string(&given)));
    assert_string_equal(config.mail.relay, "smtps://relay.example:465");
    assert_string_equal(config.mail.from, "coffre@ville.example");
    assert_non_null(strstr(config.mail.ca, "/relay.pem"));
    static const char *const wrong[][2] = {
        {"{\"from\": \"a@b.fr\"}", "/mail/relay"},
        {"{\"ca\": \"relay.pem\"}", "/mail/relay"},
        {"{\"relay\": \"smtp://relay.example\"}", "/mail/from"},
        {"{\"relay\": \"smtp://relay.example\", \"from\": \"The city <a@b.fr>\"}", "/mail/from"},
        {"{\"relay\": \"smtp://relay.example\", \"from\": \"a@b.fr\\r\\nBcc: c@d.fr\"}",
         "/mail/from"},
        {"{\"relay\": \"relay.example\", \"from\": \"a@b.fr\"}", "/mail/relay"},
        {"{\"relay\": \"smtp://me:secret@relay.example\", \"from\": \"a@b.fr\"}", "/mail/relay"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char section[256];
        snprintf(section, sizeof section, "\"mail\": %s, \"policy\"", wrong[i][0]);
        assert_refused("\"policy\"", section, wrong[i][1], "line");
    }
}

static void assert_provider(const char *keyring, const char *name, const char *place)
{
    VAULT_AUTO(buf_finish) struct buf text = changed("{\"key_file\": \"/srv/key\"}", keyring);
    assert_done(read_text(buf_string(&text)));
    const struct keyring_provider provider = config_provider(&config.keyring);
    assert_string_equal(provider.name, name);
    assert_string_equal(provider.place, place);
    assert_null(provider.secret);
}

static void test_each_key_provider_has_its_own_keys(void **state)
{
    (void)state;
    assert_provider("{\"key_file\": \"/srv/key\"}", "file", "/srv/key");
    assert_provider("{\"provider\": \"file\", \"key_file\": \"/srv/key\"}", "file", "/srv/key");
    assert_provider("{\"provider\": \"credential\", \"credential\": \"root\"}", "credential",
                    "root");
    assert_provider("{\"provider\": \"passphrase\"}", "passphrase", "");
    assert_provider("{\"provider\": \"pkcs11\", \"module\": \"/lib/hsm.so\", \"token\": \"t\","
                    " \"key\": \"k\"}",
                    "pkcs11", "/lib/hsm.so");
    assert_string_equal(config_provider(&config.keyring).token, "t");
    assert_string_equal(config_provider(&config.keyring).key, "k");
}

static void test_a_key_providers_keys_are_there_and_no_others(void **state)
{
    (void)state;
    static const char file[] = "{\"key_file\": \"/srv/key\"}";
    assert_refused(file, "{}", "/keyring/key_file is missing", "line");
    assert_refused(file, "{\"provider\": \"cloud\"}", "/keyring/provider", "line 4");
    assert_refused(file, "{\"provider\": \"cloud\", \"key_file\": \"k\"}", "key_file", "line 4");
    assert_refused(file, "{\"provider\": \"credential\"}", "/keyring/credential is missing",
                   "line");
    assert_refused(file, "{\"provider\": \"passphrase\", \"key_file\": \"k\"}",
                   "/keyring/key_file is not for", "line 4");
    assert_refused(file, "{\"key_file\": \"k\", \"pin_file\": \"p\"}",
                   "/keyring/pin_file is not for", "line 4");
    assert_refused(file,
                   "{\"provider\": \"pkcs11\", \"module\": \"/lib/hsm.so\", \"token\": \"t\"}",
                   "/keyring/key is missing", "line");
    assert_refused(file, "{\"passphrase\": \"x\"}", "keyring.passphrase", "");
}

static void test_the_keyrings_part_is_printed_as_it_is_read(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(4096);
    assert_provider("{\"provider\": \"credential\", \"credential\": \"root\"}", "credential",
                    "root");
    config_print_keyring(&config.keyring, &out);
    assert_string_equal(buf_string(&out),
                        "\"keyring\": {\"provider\": \"credential\", \"credential\": \"root\"}");
}

static void test_a_pin_is_one_line_that_only_its_owner_may_read(void **state)
{
    (void)state;
    struct secret *pin = NULL;
    struct config_keyring keyring = {.provider = "pkcs11"};
    assert_done(config_read_pin(&keyring, &pin, &test_error));
    assert_null(pin);
    snprintf(keyring.pin_file, sizeof keyring.pin_file, "%s/pin", test_folder());
    assert_fails(VAULT_NOT_FOUND, config_read_pin(&keyring, &pin, &test_error));
    assert_done(file_create(keyring.pin_file, BYTES("246810\n"), 0640, &test_error));
    assert_fails(VAULT_DENIED, config_read_pin(&keyring, &pin, &test_error));
    assert_null(strstr(test_error.text, "246810"));
    assert_done(file_replace(keyring.pin_file, BYTES("246810\r\n"), 0600, &test_error));
    assert_done(config_read_pin(&keyring, &pin, &test_error));
    assert_true(secret_equal(secret_view(pin), BYTES("246810")));
    secret_free(&pin);
    assert_done(file_replace(keyring.pin_file, BYTES("\n"), 0600, &test_error));
    assert_fails(VAULT_INVALID, config_read_pin(&keyring, &pin, &test_error));
    assert_null(pin);
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(
        test_who_sees_the_log_may_be_left_out_or_empty_or_given, test_mail_is_left_out_or_whole,
        test_each_key_provider_has_its_own_keys, test_a_key_providers_keys_are_there_and_no_others,
        test_the_keyrings_part_is_printed_as_it_is_read,
        test_a_pin_is_one_line_that_only_its_owner_may_read,
        test_a_whole_configuration_is_understood, test_what_may_be_left_out_has_its_default,
        test_relative_paths_are_from_the_files_folder, test_a_missing_key_is_named,
        test_an_unknown_key_is_named, test_a_key_of_the_wrong_type_is_named_with_its_line,
        test_numbers_have_their_range, test_whom_to_tell_of_a_fault_is_an_address,
        test_the_sandbox_is_one_of_three_words, test_mediators_are_offered_a_passkey_or_need_one,
        test_an_empty_or_long_text_is_refused, test_too_many_trusted_keys_are_refused,
        test_a_trusted_key_may_have_an_end, test_a_trusted_key_that_cannot_be_used_is_refused,
        test_how_many_must_sign_is_as_it_is_said, test_more_signatures_than_keys_are_refused,
        test_widening_takes_no_fewer_signatures_than_the_rest,
        test_what_is_no_json_object_is_refused, test_a_file_that_is_not_there_is_named,
        test_a_huge_file_is_refused, test_a_failed_read_changes_nothing,
        test_what_is_printed_can_be_read_again);
}
