/*
 * GET /v1/me, and how often a service may call.
 */
#include "caller.h"
#include "vault/edge/service_api.h"
#include "vault/parts.h"
#include "vault/vault/quota.h"
#include "vault_test.h"

#define ME   "/v1/me"
#define JSON "application/json"

static struct vault_test test;
static struct service_api api;
static struct caller caller;

static const uint8_t slow_key[SHA256_BYTES] = {7};

static void begin(void)
{
    make_filled_vault(&test);
    api = (struct service_api){test.vault, "https://citizens.example:8444"};
    caller = caller_new(service_api_handle, &api, caseworker_key);
}

static void end(void)
{
    caller_finish(&caller);
    vault_close(&test.vault);
}

/* --- What it may know of itself ------------------------------------------------------------- */

static void test_a_service_sees_its_registration_and_what_policy_could_release(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, ME);
    assert_answered(&caller, 200, JSON);
    assert_members(caller.json, "id state classes purposes");
    assert_string_equal(caller_text(&caller, "/id"), CASEWORKER);
    assert_string_equal(caller_text(&caller, "/state"), "active");
    assert_int_equal(json_array_size(caller_value(&caller, "/classes")), 1);
    assert_members(caller_value(&caller, "/purposes"), SUPPORT);
    assert_members(caller_value(&caller, "/purposes/" SUPPORT), "fields");
    const json_t *fields = caller_value(&caller, "/purposes/" SUPPORT "/fields");
    assert_members(json_object_get(fields, "identity.birth_date"), "form basis");
    assert_string_equal(
        caller_text(&caller, "/purposes/" SUPPORT "/fields/identity.birth_date/form"), "year");
    assert_string_equal(
        caller_text(&caller, "/purposes/" SUPPORT "/fields/identity.birth_date/basis"), "consent");
    assert_null(json_object_get(fields, "identity.name"));
    end();
}

static void test_another_basis_than_consent_is_named(void **state)
{
    (void)state;
    begin();
    caller.key = library_key;
    caller_get(&caller, ME);
    assert_members(caller_value(&caller, "/purposes"), LENDING);
    assert_string_equal(
        caller_text(&caller, "/purposes/" LENDING "/fields/identity.is_adult/basis"),
        "public_task");
    assert_not_said(&caller, SUPPORT);
    end();
}

static void test_without_a_policy_no_purpose_has_a_field(void **state)
{
    (void)state;
    begin();
    active_policy_close(test.vault);
    caller_get(&caller, ME);
    assert_answered(&caller, 200, JSON);
    assert_members(caller_value(&caller, "/purposes/" SUPPORT "/fields"), "");
    end();
}

static void test_who_is_no_service_is_told_nothing(void **state)
{
    (void)state;
    static const uint8_t unknown[SHA256_BYTES] = {9};
    begin();
    caller.key = unknown;
    caller_get(&caller, ME);
    assert_problem(&caller, 403, NULL, -1);
    caller.key = NULL;
    caller_get(&caller, ME);
    assert_problem(&caller, 401, NULL, -1);
    end();
}

/* --- Quotas --------------------------------------------------------------------------------- */

static void add_slow(const char *quota)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(1024);
    buf_format(&json,
               "{\"id\":\"slow\",\"name\":\"Slow\",\"contact\":\"a@b.example\","
               "\"classes\":[\"culture.library\"],\"purposes\":[\"" LENDING "\"],\"quota\":%s}",
               quota);
    assert_done(service_add(test.vault, buf_view(&json), &test_error));
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_SERVICE, "slow", slow_key,
                                INT64_MAX, &test_error));
    caller.key = slow_key;
}

static void test_what_is_beyond_the_quota_is_429_and_says_when_to_come_again(void **state)
{
    (void)state;
    begin();
    add_slow("2");
    caller_get(&caller, ME);
    assert_answered(&caller, 200, JSON);
    caller_get(&caller, ME);
    assert_answered(&caller, 200, JSON);
    caller_get(&caller, ME);
    assert_problem(&caller, 429, NULL, -1);
    assert_in_range(atoi(caller_header(&caller, "Retry-After")), 20, 30);
    caller_post(&caller, "/v1/releases", "{}");
    assert_problem(&caller, 429, NULL, -1);
    caller_get(&caller, "/healthz");
    assert_int_equal(caller.answer.status, 200);
    caller.key = library_key; /* another service has its own */
    caller_get(&caller, ME);
    assert_answered(&caller, 200, JSON);
    end();
}

static void test_a_batch_counts_as_its_requests(void **state)
{
    (void)state;
#define ONE                                                                                        \
    "{\"subject\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\",\"purpose\":\"" LENDING                           \
    "\",\"fields\":[\"reader.token\"]}"
    begin();
    add_slow("4");
    caller_post(&caller, "/v1/releases/batch",
                "{\"requests\":[" ONE "," ONE "," ONE "," ONE "," ONE "," ONE "]}");
    assert_answered(&caller, 200, JSON);
    assert_int_equal(json_array_size(caller_value(&caller, "/answers")), 6);
    caller_get(&caller, ME);
    assert_problem(&caller, 429, NULL, -1);
    assert_in_range(atoi(caller_header(&caller, "Retry-After")), 35, 45);
    end();
}

static void test_a_quota_is_a_whole_number_from_1_on(void **state)
{
    (void)state;
    static const char *const wrong[] = {"0", "-1", "1.5", "\"10\"", "null", "100000001", "true"};
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char json[256];
        snprintf(json, sizeof json,
                 "{\"id\":\"s%zu\",\"name\":\"S\",\"contact\":\"a\",\"quota\":%s}", i, wrong[i]);
        assert_fails(VAULT_INVALID, service_add(test.vault, bytes_of_text(json), &test_error));
    }
    add_slow("100000000");
    caller_get(&caller, ME);
    assert_answered(&caller, 200, JSON);
    end();
}

int main(void)
{
    return TEST_RUN(test_a_service_sees_its_registration_and_what_policy_could_release,
                    test_another_basis_than_consent_is_named,
                    test_without_a_policy_no_purpose_has_a_field,
                    test_who_is_no_service_is_told_nothing,
                    test_what_is_beyond_the_quota_is_429_and_says_when_to_come_again,
                    test_a_batch_counts_as_its_requests, test_a_quota_is_a_whole_number_from_1_on);
}
