#include "auditor.h"

#include "vault/parts.h"

const uint8_t auditor_key[SHA256_BYTES] = {3};

void auditor_open(struct vault_test *test, const char *name, struct auditor_api *api,
                  struct caller *caller)
{
    make_filled_vault(test);
    assert_done(service_add_key(test->vault, CONTROL_CERTIFICATE_AUDITOR, name, auditor_key,
                                INT64_MAX, &test_error));
    *api = (struct auditor_api){test->vault};
    *caller = caller_new(auditor_api_handle, api, auditor_key);
    caller->content_type = NULL;
}

void auditor_releases(struct vault_test *test, size_t times, char subject[SUBJECT_CHARS + 1])
{
    give_consent(test, CONSENT_UNLIMITED);
    subject_of_citizen(test, subject);
    for (size_t i = 0; i < times; i++)
        assert_int_equal(count_released(ask_release(test, subject)), 2);
    const uint64_t size = ledger_head(test->vault->ledger).size;
    assert_done(ledger_wait_published(test->vault->ledger, size, 10000, &test_error));
}
