/*
 * POST /v1/me/certificate
 */
#include <stdio.h>

#include "caller.h"
#include "vault/base/file.h"
#include "vault/crypto/x509.h"
#include "vault/edge/service_api.h"
#include "vault/parts.h"
#include "vault/vault/renewal.h"
#include "vault_test.h"

#define RENEW "/v1/me/certificate"
#define JSON  "application/json"
#define DAYS  7
#define DAY_S 86400

static struct vault_test test;
static struct service_api api;
static struct caller caller;
static char ca_file[PATH_MAX];
static char ca_key_file[PATH_MAX];

static void put_authority(void)
{
    VAULT_AUTO(buf_finish) struct buf certificate = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf key = buf_limited(X509_PEM_BYTES_MAX);
    const struct x509_period period = {START_MS / 1000, 400};
    assert_done(x509_make_ca("The services", period, &certificate, &key, &test_error));
    snprintf(ca_file, sizeof ca_file, "%.*s/../ca.pem", PATH_MAX - 16, test.dir);
    snprintf(ca_key_file, sizeof ca_key_file, "%.*s/../ca.key", PATH_MAX - 16, test.dir);
    assert_done(file_create(ca_file, buf_view(&certificate), 0600, &test_error));
    assert_done(file_create(ca_key_file, buf_view(&key), 0600, &test_error));
}

static void begin(void)
{
    make_filled_vault(&test);
    put_authority();
    vault_close(&test.vault);
    test.options.signing = (struct vault_signing){ca_file, ca_key_file, DAYS};
    open_test_vault(&test);
    api = (struct service_api){test.vault, "https://citizens.example:8444"};
    caller = caller_new(service_api_handle, &api, caseworker_key);
}

static void end(void)
{
    caller_finish(&caller);
    vault_close(&test.vault);
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

/* A request for a fresh key, as a body. */
static void make_body(struct buf *body, const char *name)
{
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf key = buf_limited(X509_PEM_BYTES_MAX);
    assert_done(x509_make_request(name, &request, &key, &test_error));
    buf_clear(body);
    buf_text(body, "{\"csr\":");
    json_write_string(body, buf_view(&request));
    buf_byte(body, '}');
}

/* Send a request as whoever calls; the key that then counts. */
static void renew_by(struct buf *body, uint8_t spki[SHA256_BYTES])
{
    int64_t expires_s;
    caller_post(&caller, RENEW, buf_string(body));
    assert_answered(&caller, 201, JSON);
    assert_done(x509_read(bytes_of_text(caller_text(&caller, "/certificate")), spki, &expires_s,
                          &test_error));
}

static void renew(const char *name, uint8_t spki[SHA256_BYTES])
{
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(X509_PEM_BYTES_MAX);
    make_body(&body, name);
    renew_by(&body, spki);
}

static void assert_not_renewed(unsigned status)
{
    const uint64_t before = log_size();
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(X509_PEM_BYTES_MAX);
    make_body(&body, "x");
    caller_post(&caller, RENEW, buf_string(&body));
    assert_problem(&caller, status, NULL, -1);
    assert_int_equal(log_size(), before);
}

static void assert_counts(const uint8_t *key, bool counts)
{
    caller.key = key;
    caller_get(&caller, "/v1/me");
    assert_int_equal(caller.answer.status, counts ? 200 : 403);
}

static void test_a_new_key_counts_at_once_and_the_former_one_too(void **state)
{
    (void)state;
    uint8_t spki[SHA256_BYTES];
    begin();
    const uint64_t before = log_size();
    renew("anything", spki);
    assert_members(caller.json, "certificate expires");
    assert_string_equal(caller_text(&caller, "/expires"), "2027-03-15T10:00:00Z");
    assert_int_equal(log_size(), before + 1);
    assert_counts(spki, true);
    assert_string_equal(caller_text(&caller, "/id"), CASEWORKER);
    assert_counts(caseworker_key, true);
    end();
}

/* Whose it is says the certificate that asks, not the request. */
static void test_a_certificate_is_for_who_asks_whatever_the_request_says(void **state)
{
    (void)state;
    uint8_t spki[SHA256_BYTES];
    begin();
    caller.key = library_key;
    renew(CASEWORKER, spki);
    assert_counts(spki, true);
    assert_string_equal(caller_text(&caller, "/id"), LIBRARY);
    end();
}

static void test_a_key_can_be_renewed_again_and_again(void **state)
{
    (void)state;
    struct control_certificate found;
    uint8_t first[SHA256_BYTES];
    uint8_t again[SHA256_BYTES];
    int64_t expires_s;
    begin();
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(X509_PEM_BYTES_MAX);
    make_body(&body, "x");
    renew_by(&body, first);
    test.now_ms += 3LL * DAY_S * 1000;
    caller_post(&caller, RENEW, buf_string(&body));
    assert_answered(&caller, 201, JSON);
    assert_done(x509_read(bytes_of_text(caller_text(&caller, "/certificate")), again, &expires_s,
                          &test_error));
    assert_memory_equal(first, again, sizeof first);
    assert_done(control_certificate_find(test.vault->store, CONTROL_CERTIFICATE_SERVICE, first,
                                         &found, &test_error));
    assert_int_equal(found.expires_s, expires_s);
    assert_int_equal(expires_s, START_MS / 1000 + (3 + DAYS) * DAY_S);
    end();
}

/* The library's key of the test never ends, so one place is taken. */
static void test_only_so_many_keys_count_at_a_time(void **state)
{
    (void)state;
    uint8_t spki[SHA256_BYTES];
    begin();
    for (int i = 0; i < RENEWAL_LIVE_KEYS_MAX - 1; i++)
        renew("x", spki);
    assert_not_renewed(409);
    test.now_ms += (DAYS + 1LL) * DAY_S * 1000; /* those are over */
    renew("x", spki);
    assert_counts(spki, true);
    end();
}

static void test_only_so_many_are_signed_in_a_minute(void **state)
{
    (void)state;
    begin();
    caller_post(&caller, RENEW, "{\"csr\":\"x\"}");
    for (int i = 1; i < RENEWAL_PER_MINUTE; i++)
        caller_post(&caller, RENEW, "{\"csr\":\"x\"}");
    assert_problem(&caller, 400, "/csr", -1);
    assert_not_renewed(429);
    end();
}

static void test_a_key_that_was_revoked_or_is_anothers_is_not_signed(void **state)
{
    (void)state;
    uint8_t spki[SHA256_BYTES];
    begin();
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(X509_PEM_BYTES_MAX);
    make_body(&body, "x");
    renew_by(&body, spki);
    caller.key = library_key;
    caller_post(&caller, RENEW, buf_string(&body));
    assert_problem(&caller, 409, NULL, -1);
    assert_done(service_revoke_key(test.vault, CONTROL_CERTIFICATE_SERVICE, spki, &test_error));
    caller.key = caseworker_key;
    caller_post(&caller, RENEW, buf_string(&body));
    assert_problem(&caller, 409, NULL, -1);
    assert_counts(spki, false);
    end();
}

static void test_who_is_suspended_revoked_or_unknown_renews_nothing(void **state)
{
    (void)state;
    static const uint8_t nobody[SHA256_BYTES] = {9};
    begin();
    assert_done(service_set_state(test.vault, CASEWORKER, CONTROL_SERVICE_SUSPENDED, &test_error));
    assert_not_renewed(403);
    assert_done(service_set_state(test.vault, CASEWORKER, CONTROL_SERVICE_ACTIVE, &test_error));
    assert_done(
        service_revoke_key(test.vault, CONTROL_CERTIFICATE_SERVICE, caseworker_key, &test_error));
    assert_not_renewed(403);
    caller.key = nobody;
    assert_not_renewed(403);
    caller.key = NULL;
    assert_not_renewed(401);
    end();
}

static void test_what_is_no_request_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        unsigned status;
        const char *pointer;
    } wrong[] = {{"{}", 400, "/csr"},
                 {"{\"csr\":1}", 400, "/csr"},
                 {"{\"csr\":\"\"}", 400, "/csr"},
                 {"{\"csr\":\"-----BEGIN CERTIFICATE REQUEST-----\\nAAAA\\n\"}", 400, "/csr"},
                 {"[]", 400, ""}};
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        caller_post(&caller, RENEW, wrong[i].body);
        assert_problem(&caller, wrong[i].status, wrong[i].pointer, -1);
    }
    caller_post(&caller, RENEW, "{\"csr\":\"x\",\"days\":9999}");
    assert_int_equal(caller.answer.status, 400);
    end();
}

static void test_without_an_authority_nothing_is_signed(void **state)
{
    (void)state;
    begin();
    assert_int_equal(unlink(ca_key_file), 0);
    assert_not_renewed(503);
    assert_not_said(&caller, "ca.key");
    caller_finish(&caller);
    vault_close(&test.vault);
    test.options.signing = (struct vault_signing){.days = DAYS};
    open_test_vault(&test);
    api.vault = test.vault;
    caller = caller_new(service_api_handle, &api, caseworker_key);
    assert_not_renewed(503);
    end();
}

int main(void)
{
    return TEST_RUN(
        test_a_new_key_counts_at_once_and_the_former_one_too,
        test_a_certificate_is_for_who_asks_whatever_the_request_says,
        test_a_key_can_be_renewed_again_and_again, test_only_so_many_keys_count_at_a_time,
        test_only_so_many_are_signed_in_a_minute,
        test_a_key_that_was_revoked_or_is_anothers_is_not_signed,
        test_who_is_suspended_revoked_or_unknown_renews_nothing, test_what_is_no_request_is_refused,
        test_without_an_authority_nothing_is_signed);
}
