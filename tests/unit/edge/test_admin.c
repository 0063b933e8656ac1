#include "vault/edge/admin.h"
#include "vault/vault/sign_in_code.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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

static void begin_serving(void)
{
    begin();
    assert_done(admin_start(socket_path, &context, &admin, &test_error));
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

/* --- The socket ----------------------------------------------------------------------------- */

static int connect_now(void)
{
    int fd = -1;
    assert_done(admin_connect(socket_path, &fd, &test_error));
    return fd;
}

static enum vault_code ask_over(int fd, const char *text)
{
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(ADMIN_LINE_BYTES_MAX);
    buf_text(&line, text);
    json_free(&answer);
    return admin_ask(fd, &line, &answer, &test_error);
}

static void assert_serves(int fd)
{
    assert_done(ask_over(fd, "{\"command\":\"status\"}"));
    assert_true(json_is_true(json_object_get(answer, "ok")));
}

static void test_one_connection_carries_many_requests(void **state)
{
    (void)state;
    begin_serving();
    VAULT_AUTO(file_close) int fd = connect_now();
    assert_serves(fd);
    assert_done(ask_over(fd, "nonsense"));
    assert_true(json_is_false(json_object_get(answer, "ok")));
    assert_serves(fd);
    end();
}

/* All that is answered to these bytes, until the connection is closed. */
static const char *answered_to(const char *bytes, struct buf *out)
{
    uint8_t piece[4096];
    ssize_t size = 0;
    VAULT_AUTO(file_close) int fd = connect_now();
    buf_clear(out);
    assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
    shutdown(fd, SHUT_WR);
    while ((size = recv(fd, piece, sizeof piece, 0)) > 0)
        buf_append(out, piece, (size_t)size);
    assert_int_equal(size, 0);
    const char *text = buf_string(out);
    return text ? text : "";
}

static void test_the_figures_are_answered_in_http_and_nothing_else_is(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(1 << 20);
    begin_serving();
    const char *text = answered_to("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n", &out);
    assert_int_equal(
        strncmp(text, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4", 55), 0);
    assert_non_null(strstr(text, "\r\nConnection: close\r\n\r\n# HELP "));
    assert_non_null(strstr(text, "\nvault_sealed 0\n"));
    text = answered_to("GET /metrics HTTP/1.0\n\n", &out);
    assert_int_equal(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
    text = answered_to("GET / HTTP/1.1\r\n\r\n", &out);
    assert_int_equal(strncmp(text, "HTTP/1.1 404 Not Found\r\n", 24), 0);
    assert_null(strstr(text, "vault_"));
    text = answered_to("POST /metrics HTTP/1.1\r\n\r\n", &out);
    assert_int_equal(strncmp(text, "{\"ok\":false", 11), 0);
    end();
}

static void test_a_request_in_http_that_never_ends_is_not_answered(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(1 << 20);
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(1 << 16);
    begin_serving();
    assert_string_equal(answered_to("GET /metrics HTTP/1.1\r\nHost: x\r\n", &out), "");
    buf_text(&request, "GET /metrics HTTP/1.1\r\n");
    for (int i = 0; i < 100; i++)
        buf_format(&request, "X-%d: y\r\n", i);
    buf_text(&request, "\r\n");
    assert_string_equal(answered_to(buf_string(&request), &out), "");
    VAULT_AUTO(file_close) int fd = connect_now();
    assert_serves(fd);
    end();
}

static void test_the_socket_is_for_the_vaults_own_user(void **state)
{
    (void)state;
    struct stat status;
    begin_serving();
    assert_int_equal(lstat(socket_path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_uid, geteuid());
    end();
    assert_int_equal(lstat(socket_path, &status), -1);
}

/* A socket file as a killed process leaves it: bound once, and nobody behind it. */
static void leave_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void test_a_socket_that_a_dead_process_left_is_replaced(void **state)
{
    (void)state;
    int fd = -1;
    begin();
    leave_socket();
    assert_fails(VAULT_UNAVAILABLE, admin_connect(socket_path, &fd, &test_error));
    assert_done(admin_start(socket_path, &context, &admin, &test_error));
    fd = connect_now();
    assert_serves(fd);
    close(fd);
    end();
}

static void test_a_socket_that_answers_is_left_alone(void **state)
{
    (void)state;
    struct admin *other = NULL;
    begin_serving();
    assert_fails(VAULT_CONFLICT, admin_start(socket_path, &context, &other, &test_error));
    assert_non_null(strstr(test_error.text, socket_path));
    assert_null(other);
    VAULT_AUTO(file_close) int fd = connect_now();
    assert_serves(fd);
    end();
}

static void test_what_is_no_socket_is_left_alone(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(100);
    struct stat status;
    begin();
    assert_done(file_create(socket_path, BYTES("somebody's own"), 0600, &test_error));
    assert_fails(VAULT_CONFLICT, admin_start(socket_path, &context, &admin, &test_error));
    assert_done(file_read(socket_path, &content, &test_error));
    assert_true(bytes_equal(buf_view(&content), BYTES("somebody's own")));
    assert_int_equal(unlink(socket_path), 0);
    assert_int_equal(mkdir(socket_path, 0700), 0);
    assert_fails(VAULT_CONFLICT, admin_start(socket_path, &context, &admin, &test_error));
    assert_int_equal(rmdir(socket_path), 0);
    assert_int_equal(symlink("/dev/null", socket_path), 0);
    assert_fails(VAULT_CONFLICT, admin_start(socket_path, &context, &admin, &test_error));
    assert_int_equal(lstat(socket_path, &status), 0);
    assert_null(admin);
    end();
}

static void test_paths_that_no_socket_can_have_are_refused(void **state)
{
    (void)state;
    char path[512];
    int fd = -1;
    begin();
    snprintf(path, sizeof path, "/tmp/%0200d", 7);
    assert_fails(VAULT_INVALID, admin_start(path, &context, &admin, &test_error));
    assert_fails(VAULT_INVALID, admin_connect(path, &fd, &test_error));
    snprintf(path, sizeof path, "%s/not/there", test.dir);
    assert_true(admin_start(path, &context, &admin, &test_error) != VAULT_OK);
    assert_fails(VAULT_UNAVAILABLE, admin_connect(path, &fd, &test_error));
    assert_non_null(strstr(test_error.text, path));
    assert_int_equal(fd, -1);
    assert_null(admin);
    end();
}

static void *ask_often(void *counter)
{
    int fd = -1;
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(ADMIN_LINE_BYTES_MAX);
    buf_text(&line, "{\"command\":\"status\"}");
    if (admin_connect(socket_path, &fd, &err))
        return NULL;
    for (int i = 0; i < 10; i++) {
        VAULT_AUTO(json_free) json_t *mine = NULL;
        if (admin_ask(fd, &line, &mine, &err) == VAULT_OK)
            atomic_fetch_add((atomic_uint *)counter, json_is_true(json_object_get(mine, "ok")));
    }
    close(fd);
    return NULL;
}

static void test_several_clients_are_answered_at_once(void **state)
{
    (void)state;
    pthread_t threads[ADMIN_CONNECTIONS_MAX];
    atomic_uint answered = 0;
    begin_serving();
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &answered), 0);
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&answered), ADMIN_CONNECTIONS_MAX * 10);
    end();
}

static void test_one_client_too_many_is_turned_away(void **state)
{
    (void)state;
    int fds[ADMIN_CONNECTIONS_MAX];
    begin_serving();
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++) {
        fds[i] = connect_now();
        assert_serves(fds[i]);
    }
    const int extra = connect_now();
    assert_fails(VAULT_UNAVAILABLE, ask_over(extra, "{\"command\":\"status\"}"));
    close(extra);
    assert_serves(fds[0]);
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++)
        close(fds[i]);
    end();
}

static void send_raw(int fd, const char *text, size_t size)
{
    while (size) {
        const ssize_t put = send(fd, text, size, MSG_NOSIGNAL);
        if (put <= 0)
            return; /* the other end has had enough */
        text += put;
        size -= (size_t)put;
    }
}

/* Bytes until a line ends; the count. */
static size_t read_line(int fd, char *out, size_t room)
{
    size_t size = 0;
    while (size < room && recv(fd, out + size, 1, 0) == 1) {
        if (out[size] == '\n')
            break;
        size++;
    }
    return size;
}

static void test_lines_may_come_in_pieces_or_together(void **state)
{
    (void)state;
    static const char two[] = "{\"command\":\"a\"}\n{\"command\":\"b\"}\n";
    char line[4096];
    begin_serving();
    VAULT_AUTO(file_close) int fd = connect_now();
    send_raw(fd, two, sizeof two - 1);
    assert_true(read_line(fd, line, sizeof line) > 0);
    assert_true(read_line(fd, line, sizeof line) > 0);
    for (size_t i = 0; i < sizeof two - 1; i++)
        send_raw(fd, two + i, 1);
    assert_true(read_line(fd, line, sizeof line) > 0);
    assert_true(read_line(fd, line, sizeof line) > 0);
    end();
}

static void test_a_line_that_is_too_long_ends_the_connection(void **state)
{
    (void)state;
    static char many[65536];
    char byte;
    begin_serving();
    VAULT_AUTO(file_close) int fd = connect_now();
    memset(many, ' ', sizeof many);
    for (size_t sent = 0; sent <= ADMIN_LINE_BYTES_MAX; sent += sizeof many)
        send_raw(fd, many, sizeof many);
    assert_true(recv(fd, &byte, 1, 0) <= 0);
    VAULT_AUTO(file_close) int next = connect_now();
    assert_serves(next);
    end();
}

static void test_a_line_that_did_not_fit_is_not_sent(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(10);
    begin_serving();
    VAULT_AUTO(file_close) int fd = connect_now();
    buf_text(&line, "{\"command\":\"status\"}");
    assert_fails(VAULT_TOO_LARGE, admin_ask(fd, &line, &answer, &test_error));
    assert_serves(fd);
    end();
}

static void test_a_client_that_goes_in_the_middle_harms_nobody(void **state)
{
    (void)state;
    static const char half[] = "{\"command\":";
    static const char whole[] = "{\"command\":\"status\"}\n";
    begin_serving();
    for (int i = 0; i < ADMIN_CONNECTIONS_MAX * 2; i++) {
        int fd = -1;
        while (admin_connect(socket_path, &fd, &test_error))
            ;
        send_raw(fd, i % 2 ? half : whole, i % 2 ? sizeof half - 1 : sizeof whole - 1);
        close(fd);
    }
    enum vault_code code = VAULT_UNAVAILABLE;
    for (int i = 0; code && i < 1000; i++) { /* until the places are free again */
        VAULT_AUTO(file_close) int fd = connect_now();
        code = ask_over(fd, "{\"command\":\"status\"}");
    }
    assert_int_equal(code, VAULT_OK);
    end();
}

static void test_stopping_ends_the_connections_that_are_open(void **state)
{
    (void)state;
    begin_serving();
    VAULT_AUTO(file_close) int idle = connect_now();
    VAULT_AUTO(file_close) int used = connect_now();
    assert_serves(used);
    admin_stop(&admin);
    assert_null(admin);
    assert_fails(VAULT_UNAVAILABLE, ask_over(used, "{\"command\":\"status\"}"));
    assert_fails(VAULT_UNAVAILABLE, ask_over(idle, "{\"command\":\"status\"}"));
    int fd = -1;
    assert_fails(VAULT_UNAVAILABLE, admin_connect(socket_path, &fd, &test_error));
    admin_stop(&admin);
    end();
}

static void test_it_can_be_started_again_at_the_same_path(void **state)
{
    (void)state;
    begin_serving();
    for (int i = 0; i < 3; i++) {
        VAULT_AUTO(file_close) int fd = connect_now();
        assert_serves(fd);
        admin_stop(&admin);
        assert_done(admin_start(socket_path, &context, &admin, &test_error));
    }
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
        test_what_is_handed_over_is_a_file, test_status_and_doctor_say_which_sandbox_holds,
        test_one_connection_carries_many_requests,
        test_the_figures_are_answered_in_http_and_nothing_else_is,
        test_a_request_in_http_that_never_ends_is_not_answered,
        test_the_socket_is_for_the_vaults_own_user,
        test_a_socket_that_a_dead_process_left_is_replaced,
        test_a_socket_that_answers_is_left_alone, test_what_is_no_socket_is_left_alone,
        test_paths_that_no_socket_can_have_are_refused, test_several_clients_are_answered_at_once,
        test_one_client_too_many_is_turned_away, test_lines_may_come_in_pieces_or_together,
        test_a_line_that_is_too_long_ends_the_connection, test_a_line_that_did_not_fit_is_not_sent,
        test_a_client_that_goes_in_the_middle_harms_nobody,
        test_stopping_ends_the_connections_that_are_open,
        test_it_can_be_started_again_at_the_same_path);
}
