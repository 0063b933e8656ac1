#include "vault_test.h"

#include "vault/parts.h"

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
}

static enum vault_code by_key(const uint8_t *key)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    return service_by_key(test.vault, key, &hold, &test_error);
}

static void test_a_registered_key_names_its_service(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    assert_string_equal(hold.service->id, CASEWORKER);
    assert_true(service_has(&hold.service->purposes, BYTES(SUPPORT)));
    assert_false(service_has(&hold.service->purposes, BYTES(LENDING)));
    service_release(&hold);
    vault_close(&test.vault);
}

static void test_an_unknown_key_is_denied(void **state)
{
    (void)state;
    const uint8_t unknown[SHA256_BYTES] = {9};
    begin();
    assert_fails(VAULT_DENIED, by_key(unknown));
    vault_close(&test.vault);
}

static void test_a_suspension_acts_on_the_next_look_up(void **state)
{
    (void)state;
    begin();
    assert_done(by_key(caseworker_key));
    assert_done(control_service_set_state(test.vault->store, CASEWORKER, CONTROL_SERVICE_SUSPENDED,
                                          &test_error));
    assert_fails(VAULT_DENIED, by_key(caseworker_key));
    assert_done(by_key(library_key));
    assert_done(control_service_set_state(test.vault->store, CASEWORKER, CONTROL_SERVICE_ACTIVE,
                                          &test_error));
    assert_done(by_key(caseworker_key));
    vault_close(&test.vault);
}

static void test_a_revocation_acts_on_the_next_look_up(void **state)
{
    (void)state;
    begin();
    assert_done(control_certificate_revoke(test.vault->store, CONTROL_CERTIFICATE_SERVICE,
                                           caseworker_key, &test_error));
    assert_fails(VAULT_DENIED, by_key(caseworker_key));
    assert_fails(VAULT_CONFLICT,
                 service_add_key(test.vault, CONTROL_CERTIFICATE_SERVICE, CASEWORKER,
                                 caseworker_key, INT64_MAX, &test_error));
    vault_close(&test.vault);
}

static void test_what_is_held_stays_as_it_was(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    assert_done(service_remove(test.vault, CASEWORKER, &test_error));
    assert_fails(VAULT_DENIED, by_key(caseworker_key));
    assert_string_equal(hold.service->id, CASEWORKER);
    service_release(&hold);
    vault_close(&test.vault);
}

static void test_registrations_that_are_wrong_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"id\":\"a\",\"name\":\"n\"}",
        "{\"id\":\"A\",\"name\":\"n\",\"contact\":\"c\"}",
        "{\"id\":\"a b\",\"name\":\"n\",\"contact\":\"c\"}",
        "{\"id\":\"a\",\"name\":\"\",\"contact\":\"c\"}",
        "{\"id\":\"a\",\"name\":\"n\",\"contact\":\"c\",\"classes\":\"x\"}",
        "{\"id\":\"a\",\"name\":\"n\",\"contact\":\"c\",\"classes\":[1]}",
        "{\"id\":\"a\",\"name\":\"n\",\"contact\":\"c\",\"purposes\":[\"NO\"]}",
        "{\"id\":\"a\",\"name\":\"n\",\"contact\":\"c\",\"secret\":1}",
        "{\"id\":\"a\",\"id\":\"b\",\"name\":\"n\",\"contact\":\"c\"}",
    };
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(VAULT_INVALID, service_add(test.vault, bytes_of_text(wrong[i]), &test_error));
    assert_fails(VAULT_CONFLICT,
                 service_add(test.vault,
                             BYTES("{\"id\":\"" LIBRARY "\",\"name\":\"n\",\"contact\":\"c\"}"),
                             &test_error));
    vault_close(&test.vault);
}

static void test_an_auditors_key_is_no_services_key(void **state)
{
    (void)state;
    const uint8_t key[SHA256_BYTES] = {3};
    begin();
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_AUDITOR, "auditor", key, INT64_MAX,
                                &test_error));
    assert_done(service_auditor_by_key(test.vault, key, NULL, &test_error));
    assert_fails(VAULT_DENIED, by_key(key));
    assert_fails(VAULT_DENIED,
                 service_auditor_by_key(test.vault, caseworker_key, NULL, &test_error));
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_a_registered_key_names_its_service, test_an_unknown_key_is_denied,
                    test_a_suspension_acts_on_the_next_look_up,
                    test_a_revocation_acts_on_the_next_look_up, test_what_is_held_stays_as_it_was,
                    test_registrations_that_are_wrong_are_refused,
                    test_an_auditors_key_is_no_services_key);
}
