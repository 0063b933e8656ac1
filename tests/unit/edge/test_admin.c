#include "vault/edge/admin.h"
#include "vault/vault/sign_in_code.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "vault/base/codec.h"
#include "vault/crypto/x509.h"
#include "vault/parts.h"
#include "vault/store/keyring.h"
#include "vault_test.h"

#define ANSWER_BYTES (1024 * 1024)

static struct vault_test test;
static struct config config;
static struct admin_context context;
static struct admin *admin;
static char socket_path[PATH_MAX];
static json_t *answer;

static void put_ca(const char *name, char certificate_path[PATH_MAX], char key_path[PATH_MAX])
{
    VAULT_AUTO(buf_finish) struct buf certificate = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf key = buf_limited(X509_PEM_BYTES_MAX);
    const struct x509_period period = {START_MS / 1000, 1000};
    assert_done(x509_make_ca(name, period, &certificate, &key, &test_error));
    snprintf(certificate_path, PATH_MAX, "%s.%s.pem", test.key_file, name);
    snprintf(key_path, PATH_MAX, "%s.%s.key", test.key_file, name);
    assert_done(file_create(certificate_path, buf_view(&certificate), 0600, &test_error));
    assert_done(file_create(key_path, buf_view(&key), 0600, &test_error));
}

/* The vault is there when it is unsealed, and stays when it is sealed: that is the test's to open
 * and close. */
static struct sealing *sealing;

static enum vault_code open_test(void *unused, const struct secret *secret, struct vault **out,
                                 struct vault_error *err)
{
    (void)unused;
    if (secret && !secret_equal(secret_view(secret), BYTES("an invented PIN")))
        return vault_fail(err, VAULT_DENIED, "it is not the one");
    *out = test.vault;
    return VAULT_OK;
}

static void close_test(void *unused)
{
    (void)unused;
}

static const struct sealing_calls calls = {NULL, open_test, close_test, NULL};

static void begin(void)
{
    make_filled_vault(&test);
    put_ca("services", config.services.clients_ca, config.services_ca_key);
    config.certificate_days = 397;
    put_ca("auditors", config.auditors.clients_ca, config.auditors_ca_key);
    sealing_free(&sealing);
    assert_done(sealing_new(&calls, &sealing, &test_error));
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    context = (struct admin_context){
        .sealing = sealing, .config = &config, .link_base = "https://vault.example:8442"};
    snprintf(socket_path, sizeof socket_path, "%s.socket", test.key_file);
}

static void end(void)
{
    admin_stop(&admin);
    json_free(&answer);
    sealing_free(&sealing);
    vault_close(&test.vault);
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

/* --- The commands --------------------------------------------------------------------------- */

static void ask_bytes(struct bytes line)
{
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(ADMIN_LINE_BYTES_MAX);
    json_free(&answer);
    admin_answer(&context, line, &out);
    assert_null(memchr(out.data, '\n', out.size)); /* one line, whatever it says */
    assert_done(json_parse(buf_view(&out), 16, &answer, NULL, &test_error));
}

static void ask(const char *line)
{
    ask_bytes(bytes_of_text(line));
}

static json_t *result_of(const char *line)
{
    ask(line);
    if (!json_is_true(json_object_get(answer, "ok")))
        fail_msg("%s: %s", line, json_string_value(json_object_get(answer, "error")));
    assert_int_equal(json_object_size(answer), 2);
    assert_non_null(json_object_get(answer, "result"));
    return json_object_get(answer, "result");
}

static void assert_answer_fails(const char *code, const char *words)
{
    assert_true(json_is_false(json_object_get(answer, "ok")));
    assert_int_equal(json_object_size(answer), 3);
    assert_string_equal(json_string_value(json_object_get(answer, "code")), code);
    const char *error = json_string_value(json_object_get(answer, "error"));
    assert_non_null(error);
    if (!strstr(error, words))
        fail_msg("\"%s\" does not say \"%s\"", error, words);
}

static void assert_refused(const char *line, const char *code, const char *words)
{
    ask(line);
    assert_answer_fails(code, words);
}

static void test_a_new_root_wraps_everything_again_and_is_logged(void **state)
{
    (void)state;
    begin();
    const uint64_t before = log_size();
    result_of("{\"command\":\"key rotate\"}");
    assert_int_equal(keyring_root_count(test.vault->keyring), 2);
    const json_t *result = result_of("{\"command\":\"key rewrap\"}");
    assert_true(json_is_true(json_object_get(result, "done")));
    assert_int_equal(json_integer_value(json_object_get(result, "rewrapped")), 2);
    assert_int_equal(keyring_root_count(test.vault->keyring), 1);
    assert_int_equal(keyring_root_version(test.vault->keyring), 2);
    assert_int_equal(log_size(), before + 2);
    end();
}

static void test_without_a_citizen_no_key_is_replaced(void **state)
{
    (void)state;
    begin();
    const uint64_t before = log_size();
    assert_refused("{\"command\":\"citizen rekey\"}", "invalid", "reference");
    assert_refused("{\"command\":\"citizen rekey\",\"reference\":\"nobody\"}", "not_found", "");
    assert_int_equal(log_size(), before);
    end();
}

static void test_sealed_every_command_but_a_few_is_refused(void **state)
{
    (void)state;
    begin();
    result_of("{\"command\":\"seal\"}");
    assert_refused("{\"command\":\"seal\"}", "conflict", "already");
    assert_refused("{\"command\":\"service list\"}", "unavailable", "unseal");
    assert_refused("{\"command\":\"key rotate\"}", "unavailable", "unseal");
    const json_t *result = result_of("{\"command\":\"status\"}");
    assert_true(json_is_true(json_object_get(result, "sealed")));
    assert_true(json_is_false(json_object_get(result, "ready")));
    assert_refused("{\"command\":\"unseal\",\"secret\":\"a wrong one\"}", "denied", "");
    assert_null(strstr(json_string_value(json_object_get(answer, "error")), "wrong"));
    result_of("{\"command\":\"unseal\",\"secret\":\"an invented PIN\"}");
    result_of("{\"command\":\"service list\"}");
    end();
}

static void test_what_a_person_has_to_give_is_told(void **state)
{
    (void)state;
    begin();
    snprintf(config.keyring.provider, sizeof config.keyring.provider, "passphrase");
    const json_t *result = result_of("{\"command\":\"key needs\"}");
    assert_string_equal(json_string_value(json_object_get(result, "needs")), "passphrase");
    snprintf(config.keyring.provider, sizeof config.keyring.provider, "file");
    result = result_of("{\"command\":\"key needs\"}");
    assert_string_equal(json_string_value(json_object_get(result, "needs")), "");
    end();
}

static void test_lines_that_are_no_request_say_why_and_quote_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *code;
    } wrong[] = {
        {"", "invalid"},
        {"zebra", "invalid"},
        {"{\"command\":\"status\"", "invalid"},
        {"{\"command\":\"status\"} zebra", "invalid"},
        {"{\"command\":\"status\",\"command\":\"zebra\"}", "invalid"},
        {"{\"command\":[[[[[[\"zebra\"]]]]]]}", "too_large"},
        {"[]", "invalid"},
        {"\"status\"", "invalid"},
        {"null", "invalid"},
        {"{}", "invalid"},
        {"{\"command\":null}", "invalid"},
        {"{\"command\":7}", "invalid"},
        {"{\"command\":\"\"}", "invalid"},
        {"{\"command\":\"zebra\"}", "invalid"},
        {"{\"command\":\"STATUS\"}", "invalid"},
        {"{\"command\":\"status \"}", "invalid"},
    };
    begin();
    const uint64_t before = log_size();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_refused(wrong[i].line, wrong[i].code, "");
        assert_null(strstr(json_string_value(json_object_get(answer, "error")), "zebra"));
    }
    ask_bytes(BYTES("{\"command\":\"status\"}\0"));
    assert_answer_fails("invalid", "");
    ask_bytes(BYTES("{\"command\":\"\xff\"}"));
    assert_answer_fails("invalid", "");
    assert_int_equal(log_size(), before);
    end();
}

static void test_status_tells_how_the_vault_is(void **state)
{
    (void)state;
    begin();
    const json_t *status = result_of("{\"command\":\"status\"}");
    assert_true(json_is_true(json_object_get(status, "ready")));
    assert_int_equal(json_integer_value(json_object_get(status, "citizens")), 1);
    end();
}

static void test_a_service_is_added_once_and_logged(void **state)
{
    (void)state;
    static const char line[] =
        "{\"command\":\"service add\",\"registration\":\"{\\\"id\\\":\\\"bus\\\","
        "\\\"name\\\":\\\"Buses\\\",\\\"contact\\\":\\\"a@b.example\\\"}\"}";
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    begin();
    const uint64_t before = log_size();
    assert_int_equal(json_object_size(result_of(line)), 0);
    assert_done(service_by_id(test.vault, BYTES("bus"), &hold, &test_error));
    assert_string_equal(hold.service->name, "Buses");
    assert_int_equal(log_size(), before + 1);
    assert_refused(line, "conflict", "");
    assert_int_equal(log_size(), before + 1);
    service_release(&hold);
    end();
}

static void test_a_service_without_a_registration_is_refused(void **state)
{
    (void)state;
    begin();
    assert_refused("{\"command\":\"service add\"}", "invalid", "registration");
    assert_refused("{\"command\":\"service add\",\"registration\":\"\"}", "invalid",
                   "registration");
    assert_refused("{\"command\":\"service add\",\"registration\":{\"id\":\"bus\"}}", "invalid",
                   "registration");
    assert_refused("{\"command\":\"service add\",\"registration\":\"{}\"}", "invalid", "id");
    assert_refused("{\"command\":\"service add\",\"registration\":\"nonsense\"}", "invalid", "");
    end();
}

/* A request for a certificate, as one line's command. */
static void ask_certificate(const char *command, const char *id, const char *csr)
{
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(ADMIN_LINE_BYTES_MAX);
    buf_format(&line, "{\"command\":\"%s\",\"id\":", command);
    json_write_string(&line, bytes_of_text(id));
    buf_text(&line, ",\"csr\":");
    json_write_string(&line, bytes_of_text(csr));
    buf_byte(&line, '}');
    ask(buf_string(&line));
}

static const char *make_csr(struct buf *request)
{
    VAULT_AUTO(buf_finish) struct buf key = buf_limited(X509_PEM_BYTES_MAX);
    *request = buf_limited(X509_PEM_BYTES_MAX);
    assert_done(x509_make_request("anything", request, &key, &test_error));
    return buf_string(request);
}

static void read_certificate(uint8_t spki[SHA256_BYTES], int64_t *expires_s)
{
    const json_t *result = json_object_get(answer, "result");
    const json_t *certificate = json_object_get(result, "certificate");
    assert_true(json_is_true(json_object_get(answer, "ok")));
    assert_int_equal(json_object_size(result), 1);
    assert_done(x509_read(json_text(certificate), spki, expires_s, &test_error));
}

static void test_a_signed_key_is_the_services_from_then_on(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf request = {0};
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    uint8_t spki[SHA256_BYTES];
    int64_t expires_s;
    begin();
    const char *csr = make_csr(&request);
    ask_certificate("service cert-add", LIBRARY, csr);
    read_certificate(spki, &expires_s);
    assert_int_equal(expires_s, START_MS / 1000 + 397 * 86400);
    assert_done(service_by_key(test.vault, spki, &hold, &test_error));
    assert_string_equal(hold.service->id, LIBRARY);
    assert_fails(VAULT_DENIED, service_auditor_by_key(test.vault, spki, NULL, &test_error));
    /* Again for its own key is fine, for somebody else's is not. */
    ask_certificate("service cert-add", LIBRARY, csr);
    read_certificate(spki, &expires_s);
    ask_certificate("service cert-add", CASEWORKER, csr);
    assert_answer_fails("conflict", "");
    service_release(&hold);
    end();
}

/* The operator has no certificate of what a service renewed by itself, but sees the key. */
static void test_a_key_is_revoked_by_its_hash(void **state)
{
    (void)state;
    struct service_hold hold = {0};
    char line[256];
    char hash[HEX_CHARS(SHA256_BYTES) + 1];
    begin();
    hex_string(hash, library_key, SHA256_BYTES);
    snprintf(line, sizeof line, "{\"command\":\"service cert-revoke\",\"key\":\"%.10s\"}", hash);
    ask(line);
    assert_answer_fails("invalid", "");
    hash[0] = hash[0] == '0' ? '1' : '0';
    snprintf(line, sizeof line, "{\"command\":\"service cert-revoke\",\"key\":\"%s\"}", hash);
    ask(line);
    assert_answer_fails("not_found", "");
    ask("{\"command\":\"service cert-revoke\",\"key\":1}");
    assert_answer_fails("invalid", "key");
    hex_string(hash, library_key, SHA256_BYTES);
    snprintf(line, sizeof line, "{\"command\":\"service cert-revoke\",\"key\":\"%s\"}", hash);
    ask(line);
    assert_fails(VAULT_DENIED, service_by_key(test.vault, library_key, &hold, &test_error));
    end();
}

static void test_an_auditors_key_is_an_auditors(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf request = {0};
    struct service_hold hold = {0};
    uint8_t spki[SHA256_BYTES];
    int64_t expires_s;
    begin();
    ask_certificate("auditor add", "ana", make_csr(&request));
    read_certificate(spki, &expires_s);
    assert_done(service_auditor_by_key(test.vault, spki, NULL, &test_error));
    assert_fails(VAULT_DENIED, service_by_key(test.vault, spki, &hold, &test_error));
    end();
}

static void test_certificates_are_not_given_for_nothing(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf request = {0};
    begin();
    const uint64_t before = log_size();
    const char *csr = make_csr(&request);
    ask_certificate("service cert-add", "nobody", csr);
    assert_answer_fails("not_found", "service");
    ask_certificate("service cert-add", "", csr);
    assert_answer_fails("invalid", "id is missing");
    ask_certificate("service cert-add", LIBRARY, "");
    assert_answer_fails("invalid", "csr is missing");
    ask_certificate("service cert-add", LIBRARY, "nonsense");
    assert_answer_fails("invalid", "");
    ask_certificate("auditor add", "", csr);
    assert_answer_fails("invalid", "id is missing");
    ask_certificate("auditor add", "Not A Name", csr);
    assert_answer_fails("invalid", "");
    ask_certificate("auditor add", "ana", "-----BEGIN CERTIFICATE REQUEST-----");
    assert_answer_fails("invalid", "");
    assert_int_equal(unlink(config.services_ca_key), 0);
    ask_certificate("service cert-add", LIBRARY, csr);
    assert_answer_fails("not_found", config.services_ca_key);
    assert_int_equal(log_size(), before);
    end();
}

static void test_an_enrolment_list_is_given_in_order_and_logged(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    import_one(&test, "{\"reference\":\"T-2\",\"values\":{}}");
    subject_of_citizen(&test, subject);
    const uint64_t before = log_size();
    const json_t *list = result_of("{\"command\":\"service subjects\",\"id\":\"" CASEWORKER
                                   "\",\"references\":[\"T-2\",\"T-1\"]}");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_array_get(list, 1)), subject);
    assert_string_not_equal(json_string_value(json_array_get(list, 0)), subject);
    assert_int_equal(log_size(), before + 1);
    end();
}

static void test_an_enrolment_list_that_is_wrong_gives_nobody(void **state)
{
    (void)state;
    begin();
    const uint64_t before = log_size();
    assert_refused("{\"command\":\"service subjects\",\"references\":[\"T-1\"]}", "invalid", "id");
    assert_refused("{\"command\":\"service subjects\",\"id\":\"nobody\",\"references\":[\"T-1\"]}",
                   "not_found", "service");
    assert_refused("{\"command\":\"service subjects\",\"id\":\"" LIBRARY "\"}", "invalid",
                   "references");
    assert_refused("{\"command\":\"service subjects\",\"id\":\"" LIBRARY
                   "\",\"references\":\"T-1\"}",
                   "invalid", "references");
    assert_refused("{\"command\":\"service subjects\",\"id\":\"" LIBRARY
                   "\",\"references\":[\"T-1\",7]}",
                   "invalid", "references");
    assert_refused("{\"command\":\"service subjects\",\"id\":\"" LIBRARY
                   "\",\"references\":[\"T-1\",\"T-9\"]}",
                   "not_found", "");
    assert_int_equal(log_size(), before);
    end();
}

static void test_each_row_of_an_import_is_answered(void **state)
{
    (void)state;
    static const char *const codes[] = {"ok", "conflict", "invalid"};
    begin();
    const json_t *results = result_of("{\"command\":\"citizen import\",\"rows\":["
                                      "\"{\\\"reference\\\":\\\"T-2\\\",\\\"values\\\":{}}\","
                                      "\"{\\\"reference\\\":\\\"T-1\\\",\\\"values\\\":{}}\","
                                      "\"nonsense\"]}");
    assert_int_equal(json_array_size(results), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *row = json_array_get(results, i);
        assert_int_equal(json_object_size(row), 2);
        assert_string_equal(json_string_value(json_object_get(row, "code")), codes[i]);
        assert_int_equal(json_string_length(json_object_get(row, "error")) == 0, i == 0);
    }
    end();
}

static void test_who_is_erased_is_gone_and_only_once(void **state)
{
    (void)state;
    struct citizen_id citizen;
    begin();
    const uint64_t before = log_size();
    assert_refused("{\"command\":\"citizen erase\"}", "invalid", "reference");
    assert_refused("{\"command\":\"citizen erase\",\"reference\":\"T-9\"}", "not_found", "");
    assert_int_equal(log_size(), before);
    result_of("{\"command\":\"citizen erase\",\"reference\":\"T-1\"}");
    assert_int_equal(log_size(), before + 1);
    assert_fails(VAULT_NOT_FOUND, people_find(test.vault, "T-1", &citizen, &test_error));
    assert_refused("{\"command\":\"citizen erase\",\"reference\":\"T-1\"}", "not_found", "");
    end();
}

static void test_an_activation_code_is_made_for_who_has_a_login(void **state)
{
    (void)state;
    begin();
    assert_refused("{\"command\":\"citizen activation-code\"}", "invalid", "reference");
    assert_refused("{\"command\":\"citizen activation-code\",\"reference\":\"T-9\"}", "not_found",
                   "");
    const uint64_t before = log_size();
    const json_t *sent =
        result_of("{\"command\":\"citizen activation-code\",\"reference\":\"T-1\"}");
    assert_string_equal(json_string_value(json_object_get(sent, "login")), "testine");
    assert_string_equal(json_string_value(json_object_get(sent, "address")),
                        "https://vault.example:8442/activate");
    assert_int_equal(json_string_length(json_object_get(sent, "code")), SIGN_IN_CODE_CHARS);
    assert_int_equal(log_size(), before + 1);
    end();
}

static void test_the_log_is_pruned_when_asked(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    subject_of_citizen(&test, subject);
    json_decref(ask_release(&test, subject));
    const uint64_t before = log_size();
    result_of("{\"command\":\"log prune\"}");
    assert_int_equal(log_size(), before);
    test.now_ms += 400 * 86400000LL;
    /* The opening is filed a moment after its entry. */
    for (int i = 0; i < 500 && log_size() == before; i++) {
        result_of("{\"command\":\"log prune\"}");
        usleep(20000);
    }
    assert_int_equal(log_size(), before + 1);
    end();
}

static void test_a_new_key_of_the_log_is_told(void **state)
{
    (void)state;
    begin();
    const json_t *result = result_of("{\"command\":\"log new-key\"}");
    const char *key = json_string_value(json_object_get(result, "key"));
    assert_non_null(key);
    assert_int_equal(json_object_size(result), 1);
    struct note_key parsed;
    assert_done(note_key_parse(bytes_of_text(key), &parsed, &test_error));
    end();
}

static void test_an_import_has_1_to_100_rows_of_text(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(65536);
    begin();
    assert_refused("{\"command\":\"citizen import\"}", "invalid", "rows");
    assert_refused("{\"command\":\"citizen import\",\"rows\":[]}", "invalid", "rows");
    assert_refused("{\"command\":\"citizen import\",\"rows\":{}}", "invalid", "rows");
    assert_refused("{\"command\":\"citizen import\",\"rows\":[{}]}", "invalid", "rows");
    assert_refused("{\"command\":\"citizen import\",\"rows\":[\"{}\",null]}", "invalid", "rows");
    buf_text(&line, "{\"command\":\"citizen import\",\"rows\":[");
    for (int i = 0; i < PEOPLE_BATCH_MAX + 1; i++)
        buf_format(&line, "%s\"{}\"", i ? "," : "");
    buf_text(&line, "]}");
    assert_refused(buf_string(&line), "invalid", "rows");
    end();
}

static void test_a_policy_is_activated_from_its_folder(void **state)
{
    (void)state;
    char line[PATH_MAX + 64];
    begin();
    assert_refused("{\"command\":\"policy activate\"}", "invalid", "folder");
    assert_refused("{\"command\":\"policy activate\",\"folder\":\"/nowhere\"}", "not_found", "");
    snprintf(line, sizeof line, "{\"command\":\"policy activate\",\"folder\":\"%s\"}", test.bundle);
    assert_refused(line, "conflict", "");
    vault_close(&test.vault);
    make_test_vault(&test);
    sealing_free(&sealing);
    assert_done(sealing_new(&calls, &sealing, &test_error));
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    context.sealing = sealing;
    snprintf(line, sizeof line, "{\"command\":\"policy activate\",\"folder\":\"%s\"}", test.bundle);
    const json_t *result = result_of(line);
    assert_int_equal(json_integer_value(json_object_get(result, "version")), 1);
    assert_true(json_is_false(json_object_get(result, "compared")));
    assert_string_equal(json_string_value(json_object_get(result, "why")), "first");
    assert_true(file_exists(json_string_value(json_object_get(result, "diff"))));
    assert_done(vault_ready(test.vault, &test_error));
    end();
}

/* A file without a name, with that in it, handed over with a request; what is left of it. */
static void ask_with_file(const char *content, const char *line, struct buf *out)
{
    int fd = memfd_create("handed", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_done(file_write_all(fd, bytes_of_text(content), &test_error));
    admin_answer_with(&context, bytes_of_text(line), &fd, out);
    file_close(&fd);
}

static void test_a_bundle_that_is_handed_over_is_held_to_what_was_said_of_it(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "[{\"name\":\"../escaped\",\"bytes\":1}]",
        "[{\"name\":\"/tmp/escaped\",\"bytes\":1}]",
        "[{\"name\":\"catalogue.json\",\"bytes\":-1}]",
        "[{\"name\":\"catalogue.json\",\"bytes\":99999999}]",
        "[{\"name\":\"catalogue.json\",\"bytes\":9}]",
        "[{\"bytes\":1}]",
        "[7]",
        "[{\"name\":\"a\",\"bytes\":1},{\"name\":\"a\",\"bytes\":1}]",
        "[{\"name\":\"catalogue.json\",\"bytes\":2}]", /* no bundle */
    };
    char line[512];
    char incoming[PATH_MAX];
    begin();
    snprintf(config.data, sizeof config.data, "%s", test_folder());
    snprintf(incoming, sizeof incoming, "%s/incoming", config.data);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf out = buf_limited(4096);
        snprintf(line, sizeof line,
                 "{\"command\":\"policy activate\",\"folder\":\"/given\",\"files\":%s}", wrong[i]);
        ask_with_file("{}", line, &out);
        assert_true(strncmp(buf_string(&out), "{\"ok\":false", 11) == 0);
        assert_false(file_exists(incoming));
    }
    end();
}

static void test_what_is_handed_over_is_a_file(void **state)
{
    (void)state;
    int ends[2];
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(4096);
    begin();
    snprintf(config.data, sizeof config.data, "%s", test_folder());
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    admin_answer_with(&context,
                      BYTES("{\"command\":\"policy activate\",\"folder\":\"/given\","
                            "\"files\":[{\"name\":\"a\",\"bytes\":1}]}"),
                      &ends[0], &out);
    assert_true(strstr(buf_string(&out), "no file") != NULL);
    close(ends[0]);
    close(ends[1]);
    end();
}

static void test_status_and_doctor_say_which_sandbox_holds(void **state)
{
    (void)state;
    const struct sandbox_state states[] = {
        {.is_entered = false}, {.is_entered = true}, {.is_entered = true, .landlock = 4}};
    begin();
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        context.sandbox = &states[i];
        const json_t *sandbox = json_object_get(result_of("{\"command\":\"status\"}"), "sandbox");
        assert_int_equal(json_is_true(json_object_get(sandbox, "seccomp")), states[i].is_entered);
        assert_int_equal(json_integer_value(json_object_get(sandbox, "landlock")),
                         states[i].landlock);
        const json_t *found = json_object_get(result_of("{\"command\":\"doctor\"}"), "findings");
        size_t n;
        const json_t *finding;
        const char *severity = "";
        json_array_foreach(found, n, finding)
        {
            if (strcmp(json_string_value(json_object_get(finding, "check")), "sandbox") == 0)
                severity = json_string_value(json_object_get(finding, "severity"));
        }
        assert_string_equal(severity, states[i].landlock ? "notice" : "warning");
    }
    context.sandbox = NULL;
    end();
}

int main(void)
{
    return TEST_RUN(
        test_a_new_root_wraps_everything_again_and_is_logged,
        test_without_a_citizen_no_key_is_replaced, test_sealed_every_command_but_a_few_is_refused,
        test_what_a_person_has_to_give_is_told,
        test_lines_that_are_no_request_say_why_and_quote_nothing,
        test_status_tells_how_the_vault_is, test_a_service_is_added_once_and_logged,
        test_a_service_without_a_registration_is_refused,
        test_a_signed_key_is_the_services_from_then_on, test_a_key_is_revoked_by_its_hash,
        test_an_auditors_key_is_an_auditors, test_certificates_are_not_given_for_nothing,
        test_an_enrolment_list_is_given_in_order_and_logged,
        test_an_enrolment_list_that_is_wrong_gives_nobody, test_each_row_of_an_import_is_answered,
        test_a_new_key_of_the_log_is_told, test_an_activation_code_is_made_for_who_has_a_login,
        test_the_log_is_pruned_when_asked, test_who_is_erased_is_gone_and_only_once,
        test_an_import_has_1_to_100_rows_of_text, test_a_policy_is_activated_from_its_folder,
        test_a_bundle_that_is_handed_over_is_held_to_what_was_said_of_it,
        test_what_is_handed_over_is_a_file, test_status_and_doctor_say_which_sandbox_holds);
}
