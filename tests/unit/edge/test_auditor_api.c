#include "auditor.h"
#include "vault/parts.h"

#define TEXT "text/plain; charset=utf-8"
#define TILE "application/octet-stream"
#define HTML "text/html; charset=utf-8"

static struct vault_test test;
static struct auditor_api api;
static struct caller caller;

static const char *const served[] = {"/healthz", "/readyz", "/log/checkpoint"};

static void begin(void)
{
    auditor_open(&test, "auditor", &api, &caller);
}

static void end(void)
{
    caller_finish(&caller);
    vault_close(&test.vault);
}

static void assert_nothing_for(const uint8_t *key)
{
    static const char *const others[] = {"/",        "/nothing",    "/log/",     "/v1/releases",
                                         "/entries", "/v1/entries", "/style.css"};
    caller.key = key;
    for (size_t i = 0; i < sizeof served / sizeof served[0]; i++) {
        caller_get(&caller, served[i]);
        assert_problem(&caller, 403, NULL, -1);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        caller_get(&caller, others[i]);
        assert_problem(&caller, 403, NULL, -1);
    }
}

static void test_only_auditors_are_answered(void **state)
{
    (void)state;
    static const uint8_t unknown[SHA256_BYTES] = {9};
    begin();
    assert_nothing_for(NULL);
    assert_nothing_for(unknown);
    assert_nothing_for(caseworker_key);
    end();
}

static void test_an_auditor_whose_certificate_is_revoked_is_refused_at_once(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, "/healthz");
    assert_answered(&caller, 200, TEXT);
    assert_done(control_certificate_revoke(test.vault->store, CONTROL_CERTIFICATE_AUDITOR,
                                           auditor_key, &test_error));
    assert_nothing_for(auditor_key);
    end();
}

static void test_an_auditor_reads_the_published_log(void **state)
{
    (void)state;
    begin();
    const uint64_t size = ledger_head(test.vault->ledger).size;
    char path[128];
    assert_done(ledger_wait_published(test.vault->ledger, size, 10000, &test_error));
    caller_get(&caller, "/log/checkpoint");
    assert_answered(&caller, 200, TEXT);
    static const char origin[] = "unit.vault.example/log\n";
    assert_memory_equal(caller.answer.body.data, origin, sizeof origin - 1);
    snprintf(path, sizeof path, "/log/tile/0/000.p/%llu", (unsigned long long)size);
    caller_get(&caller, path);
    assert_answered(&caller, 200, TILE);
    assert_int_equal(caller.answer.body.size, size * SHA256_BYTES);
    snprintf(path, sizeof path, "/log/tile/entries/000.p/%llu", (unsigned long long)size);
    caller_get(&caller, path);
    assert_answered(&caller, 200, TILE);
    assert_not_said(&caller, "Testine");
    assert_not_said(&caller, "T-1");
    end();
}

static void test_nothing_else_of_the_logs_folder_is_read(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/log/",
        "/log/journal",
        "/log/new",
        "/log/../keyring.json",
        "/log/tile/../checkpoint",
        "/log//checkpoint",
        "/log/tile/0/999",
        "/log/tile/entries/000.p/0",
        "/log/checkpoint/",
        "/log/CHECKPOINT",
        "/log/tile/0/000.p/257",
        "/log/tile/64/000",
    };
    begin();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        caller_get(&caller, paths[i]);
        assert_problem(&caller, 404, NULL, -1);
    }
    end();
}

static void test_there_is_nothing_here_of_the_services(void **state)
{
    (void)state;
    static const char *const calls[] = {"/v1/releases", "/v1/access-requests", "/v1/me", "/v1/"};
    static const char *const pages[] = {"/sign-in", "/log", "/healthz/", "/status", "/v1"};
    begin();
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        caller_get(&caller, calls[i]);
        assert_problem(&caller, 404, NULL, -1);
        caller_post(&caller, calls[i], "{}");
        assert_problem(&caller, 404, NULL, -1);
    }
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        caller_get(&caller, pages[i]);
        assert_answered(&caller, 404, HTML);
        caller_post(&caller, pages[i], "{}");
        assert_answered(&caller, 404, HTML);
    }
    end();
}

static void test_everything_is_only_read(void **state)
{
    (void)state;
    static const enum http_method writing[] = {HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER_METHOD};
    begin();
    for (size_t i = 0; i < sizeof served / sizeof served[0]; i++) {
        for (size_t j = 0; j < sizeof writing / sizeof writing[0]; j++) {
            const bool is_page = strncmp(served[i], "/log/", 5) != 0;
            caller_send(&caller, writing[j], served[i], BYTES("{}"));
            if (is_page)
                assert_answered(&caller, 405, HTML);
            else
                assert_problem(&caller, 405, NULL, -1);
            assert_string_equal(caller_header(&caller, "Allow"), "GET, HEAD");
        }
        caller_send(&caller, HTTP_HEAD, served[i], (struct bytes){0});
        assert_answered(&caller, 200, TEXT);
    }
    end();
}

static void test_a_vault_without_a_policy_is_not_ready_but_its_log_is_read(void **state)
{
    (void)state;
    begin();
    active_policy_close(test.vault);
    caller_get(&caller, "/readyz");
    assert_problem(&caller, 503, NULL, -1);
    assert_string_not_equal(caller_header(&caller, "Retry-After"), "");
    caller_get(&caller, "/healthz");
    assert_answered(&caller, 200, TEXT);
    caller_get(&caller, "/log/checkpoint");
    assert_answered(&caller, 200, TEXT);
    end();
}

int main(void)
{
    return TEST_RUN(test_only_auditors_are_answered,
                    test_an_auditor_whose_certificate_is_revoked_is_refused_at_once,
                    test_an_auditor_reads_the_published_log,
                    test_nothing_else_of_the_logs_folder_is_read,
                    test_there_is_nothing_here_of_the_services, test_everything_is_only_read,
                    test_a_vault_without_a_policy_is_not_ready_but_its_log_is_read);
}
