#include "store_test.h"

#include "vault/store/control_service.h"

static void add(const char *id, const char *json)
{
    const struct control_service service = {id, bytes_of_text(json), CONTROL_SERVICE_ACTIVE};
    assert_done(control_service_add(store, &service, &test_error));
}

static void assert_service(const char *id, const char *json, enum control_service_state state)
{
    enum control_service_state got = CONTROL_SERVICE_REMOVED;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CONTROL_SERVICE_JSON_MAX_BYTES);
    assert_done(control_service_get(store, id, &text, &got, &test_error));
    assert_string_equal(buf_string(&text), json);
    assert_int_equal(got, state);
}

static void test_a_service_is_registered_changed_and_suspended(void **state)
{
    (void)state;
    fresh_store();
    add("library", "{\"name\":\"Library\"}");
    assert_service("library", "{\"name\":\"Library\"}", CONTROL_SERVICE_ACTIVE);
    assert_done(
        control_service_set_state(store, "library", CONTROL_SERVICE_SUSPENDED, &test_error));
    assert_done(
        control_service_update(store, "library", BYTES("{\"name\":\"Books\"}"), &test_error));
    reopen_store();
    assert_service("library", "{\"name\":\"Books\"}", CONTROL_SERVICE_SUSPENDED);
    assert_done(control_service_set_state(store, "library", CONTROL_SERVICE_ACTIVE, &test_error));
    assert_service("library", "{\"name\":\"Books\"}", CONTROL_SERVICE_ACTIVE);
}

static void test_an_id_is_given_once_and_stays_taken(void **state)
{
    (void)state;
    fresh_store();
    add("library", "{}");
    const struct control_service again = {"library", BYTES("{\"x\":1}"), CONTROL_SERVICE_ACTIVE};
    assert_fails(VAULT_CONFLICT, control_service_add(store, &again, &test_error));
    assert_done(control_service_remove(store, "library", BYTES("{}"), &test_error));
    assert_fails(VAULT_CONFLICT, control_service_add(store, &again, &test_error));
    assert_fails(VAULT_CONFLICT,
                 control_service_set_state(store, "library", CONTROL_SERVICE_ACTIVE, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 control_service_update(store, "library", BYTES("{}"), &test_error));
    assert_service("library", "{}", CONTROL_SERVICE_REMOVED);
}

static void test_a_service_that_is_removed_is_remembered_as_it_is_told(void **state)
{
    (void)state;
    fresh_store();
    add("library", "{\"name\":\"Library\"}");
    const uint64_t before = control_service_generation(store);
    assert_done(control_service_remove(store, "library", BYTES("{\"was\":1}"), &test_error));
    assert_true(control_service_generation(store) != before);
    assert_fails(VAULT_CONFLICT,
                 control_service_remove(store, "library", BYTES("{}"), &test_error));
    assert_fails(VAULT_NOT_FOUND, control_service_remove(store, "x", BYTES("{}"), &test_error));
    assert_fails(VAULT_INVALID, control_service_remove(store, "library", BYTES(""), &test_error));
    reopen_store();
    assert_service("library", "{\"was\":1}", CONTROL_SERVICE_REMOVED);
}

static void test_unknown_services_are_not_found(void **state)
{
    (void)state;
    fresh_store();
    enum control_service_state got = CONTROL_SERVICE_ACTIVE;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(100);
    assert_fails(VAULT_NOT_FOUND, control_service_get(store, "x", &text, &got, &test_error));
    assert_fails(VAULT_NOT_FOUND, control_service_update(store, "x", BYTES("{}"), &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 control_service_set_state(store, "x", CONTROL_SERVICE_ACTIVE, &test_error));
}

static void test_limits_are_held(void **state)
{
    (void)state;
    fresh_store();
    static uint8_t large[CONTROL_SERVICE_JSON_MAX_BYTES + 1];
    char long_id[CONTROL_SERVICE_ID_CHARS + 2];
    memset(long_id, 'i', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = 0;
    const struct control_service bad[] = {{"x", {large, sizeof large}, CONTROL_SERVICE_ACTIVE},
                                          {"x", {large, 0}, CONTROL_SERVICE_ACTIVE},
                                          {long_id, BYTES("{}"), CONTROL_SERVICE_ACTIVE},
                                          {"", BYTES("{}"), CONTROL_SERVICE_ACTIVE}};
    const enum vault_code codes[] = {VAULT_TOO_LARGE, VAULT_INVALID, VAULT_TOO_LARGE,
                                     VAULT_INVALID};
    for (size_t i = 0; i < 4; i++)
        assert_fails(codes[i], control_service_add(store, &bad[i], &test_error));
    add("x", "{}");
    assert_fails(
        VAULT_TOO_LARGE,
        control_service_update(store, "x", (struct bytes){large, sizeof large}, &test_error));
    assert_service("x", "{}", CONTROL_SERVICE_ACTIVE);
}

static enum vault_code gather_services(void *context, const struct control_service *service,
                                       struct vault_error *err)
{
    (void)err;
    buf_format(context, "%s %d %.*s; ", service->id, (int)service->state, (int)service->json.size,
               (const char *)service->json.data);
    return VAULT_OK;
}

static void test_services_are_listed_by_id(void **state)
{
    (void)state;
    fresh_store();
    add("travel-card", "{\"a\":1}");
    add("library", "{}");
    assert_done(control_service_remove(store, "library", BYTES("{}"), &test_error));
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    assert_done(control_service_list(store, gather_services, &text, &test_error));
    assert_string_equal(buf_string(&text), "library 3 {}; travel-card 1 {\"a\":1}; ");
}

static struct control_certificate certificate_of(enum control_certificate_kind kind,
                                                 const char *owner, uint8_t spki)
{
    struct control_certificate certificate = {
        .kind = kind, .spki = {spki}, .added_s = NOW_S + spki, .expires_s = NOW_S + 1000};
    snprintf(certificate.owner, sizeof certificate.owner, "%s", owner);
    return certificate;
}

static void add_certificate(enum control_certificate_kind kind, const char *owner, uint8_t spki)
{
    const struct control_certificate certificate = certificate_of(kind, owner, spki);
    assert_done(control_certificate_add(store, &certificate, &test_error));
}

static enum vault_code find(enum control_certificate_kind kind, uint8_t spki,
                            struct control_certificate *out)
{
    const uint8_t hash[SHA256_BYTES] = {spki};
    return control_certificate_find(store, kind, hash, out, &test_error);
}

static void test_a_certificate_is_found_by_its_key_and_kind(void **state)
{
    (void)state;
    fresh_store();
    add("library", "{}");
    add_certificate(CONTROL_CERTIFICATE_SERVICE, "library", 1);
    add_certificate(CONTROL_CERTIFICATE_AUDITOR, "court-of-accounts", 2);
    struct control_certificate found;
    assert_done(find(CONTROL_CERTIFICATE_SERVICE, 1, &found));
    assert_string_equal(found.owner, "library");
    assert_int_equal(found.state, CONTROL_CERTIFICATE_ACTIVE);
    assert_int_equal(found.added_s, NOW_S + 1);
    assert_int_equal(found.expires_s, NOW_S + 1000);
    assert_done(find(CONTROL_CERTIFICATE_AUDITOR, 2, &found));
    assert_string_equal(found.owner, "court-of-accounts");
    /* An auditor's certificate opens no door of a service, nor the other way round. */
    assert_fails(VAULT_NOT_FOUND, find(CONTROL_CERTIFICATE_SERVICE, 2, &found));
    assert_fails(VAULT_NOT_FOUND, find(CONTROL_CERTIFICATE_AUDITOR, 1, &found));
}

static void test_a_revoked_certificate_stays_revoked(void **state)
{
    (void)state;
    fresh_store();
    add("library", "{}");
    add_certificate(CONTROL_CERTIFICATE_SERVICE, "library", 1);
    const uint8_t hash[SHA256_BYTES] = {1};
    const uint8_t unknown[SHA256_BYTES] = {9};
    struct control_certificate found;
    for (int i = 0; i < 2; i++) {
        assert_done(
            control_certificate_revoke(store, CONTROL_CERTIFICATE_SERVICE, hash, &test_error));
        assert_done(find(CONTROL_CERTIFICATE_SERVICE, 1, &found));
        assert_int_equal(found.state, CONTROL_CERTIFICATE_REVOKED);
    }
    const struct control_certificate again =
        certificate_of(CONTROL_CERTIFICATE_SERVICE, "library", 1);
    assert_fails(VAULT_CONFLICT, control_certificate_add(store, &again, &test_error));
    assert_fails(VAULT_NOT_FOUND, control_certificate_revoke(store, CONTROL_CERTIFICATE_SERVICE,
                                                             unknown, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 control_certificate_revoke(store, CONTROL_CERTIFICATE_AUDITOR, hash, &test_error));
}

static void test_a_key_that_counts_can_be_given_another_end(void **state)
{
    (void)state;
    fresh_store();
    add("library", "{}");
    add_certificate(CONTROL_CERTIFICATE_SERVICE, "library", 1);
    const uint8_t hash[SHA256_BYTES] = {1};
    const uint8_t unknown[SHA256_BYTES] = {9};
    struct control_certificate found;
    const uint64_t generation = control_service_generation(store);
    assert_done(control_certificate_extend(store, CONTROL_CERTIFICATE_SERVICE, hash, NOW_S + 9000,
                                           &test_error));
    assert_true(control_service_generation(store) != generation);
    assert_done(find(CONTROL_CERTIFICATE_SERVICE, 1, &found));
    assert_int_equal(found.expires_s, NOW_S + 9000);
    assert_int_equal(found.added_s, NOW_S + 1);
    assert_fails(VAULT_NOT_FOUND, control_certificate_extend(store, CONTROL_CERTIFICATE_SERVICE,
                                                             unknown, 1, &test_error));
    assert_fails(VAULT_NOT_FOUND, control_certificate_extend(store, CONTROL_CERTIFICATE_AUDITOR,
                                                             hash, 1, &test_error));
    assert_done(control_certificate_revoke(store, CONTROL_CERTIFICATE_SERVICE, hash, &test_error));
    assert_fails(VAULT_NOT_FOUND, control_certificate_extend(store, CONTROL_CERTIFICATE_SERVICE,
                                                             hash, 1, &test_error));
    assert_done(find(CONTROL_CERTIFICATE_SERVICE, 1, &found));
    assert_int_equal(found.expires_s, NOW_S + 9000);
}

static void test_certificates_need_an_owner(void **state)
{
    (void)state;
    fresh_store();
    const struct control_certificate stranger =
        certificate_of(CONTROL_CERTIFICATE_SERVICE, "nobody", 1);
    const struct control_certificate empty = certificate_of(CONTROL_CERTIFICATE_AUDITOR, "", 2);
    assert_fails(VAULT_NOT_FOUND, control_certificate_add(store, &stranger, &test_error));
    assert_fails(VAULT_INVALID, control_certificate_add(store, &empty, &test_error));
    add("library", "{}");
    assert_done(control_service_remove(store, "library", BYTES("{}"), &test_error));
    const struct control_certificate removed =
        certificate_of(CONTROL_CERTIFICATE_SERVICE, "library", 3);
    assert_fails(VAULT_NOT_FOUND, control_certificate_add(store, &removed, &test_error));
}

static enum vault_code gather_certificates(void *context,
                                           const struct control_certificate *certificate,
                                           struct vault_error *err)
{
    (void)err;
    buf_format(context, "%s/%d ", certificate->owner, (int)certificate->spki[0]);
    return VAULT_OK;
}

static void test_certificates_are_listed_by_owner(void **state)
{
    (void)state;
    fresh_store();
    add("library", "{}");
    add("travel-card", "{}");
    add_certificate(CONTROL_CERTIFICATE_SERVICE, "travel-card", 1);
    add_certificate(CONTROL_CERTIFICATE_SERVICE, "library", 3);
    add_certificate(CONTROL_CERTIFICATE_SERVICE, "library", 2);
    add_certificate(CONTROL_CERTIFICATE_AUDITOR, "library", 4);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    assert_done(control_certificate_list(store, CONTROL_CERTIFICATE_SERVICE, NULL,
                                         gather_certificates, &text, &test_error));
    assert_string_equal(buf_string(&text), "library/2 library/3 travel-card/1 ");
    buf_clear(&text);
    assert_done(control_certificate_list(store, CONTROL_CERTIFICATE_SERVICE, "library",
                                         gather_certificates, &text, &test_error));
    assert_string_equal(buf_string(&text), "library/2 library/3 ");
}

static void change_everything(int step)
{
    const uint8_t hash[SHA256_BYTES] = {1};
    switch (step) {
    case 0:
        add("library", "{}");
        break;
    case 1:
        add_certificate(CONTROL_CERTIFICATE_SERVICE, "library", 1);
        break;
    case 2:
        assert_done(control_service_update(store, "library", BYTES("{}"), &test_error));
        break;
    case 3:
        assert_done(
            control_certificate_revoke(store, CONTROL_CERTIFICATE_SERVICE, hash, &test_error));
        break;
    default:
        assert_done(
            control_service_set_state(store, "library", CONTROL_SERVICE_SUSPENDED, &test_error));
        break;
    }
}

static void test_every_change_moves_the_generation(void **state)
{
    (void)state;
    fresh_store();
    for (int step = 0; step < 5; step++) {
        const uint64_t before = control_service_generation(store);
        change_everything(step);
        assert_true(control_service_generation(store) != before);
    }
}

static void test_looking_and_failing_leave_the_generation(void **state)
{
    (void)state;
    fresh_store();
    add("library", "{}");
    add_certificate(CONTROL_CERTIFICATE_SERVICE, "library", 1);
    const uint64_t before = control_service_generation(store);
    const struct control_service again = {"library", BYTES("{}"), CONTROL_SERVICE_ACTIVE};
    struct control_certificate found;
    assert_fails(VAULT_CONFLICT, control_service_add(store, &again, &test_error));
    assert_service("library", "{}", CONTROL_SERVICE_ACTIVE);
    assert_done(find(CONTROL_CERTIFICATE_SERVICE, 1, &found));
    assert_true(control_service_generation(store) == before);
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(
        test_a_service_is_registered_changed_and_suspended,
        test_an_id_is_given_once_and_stays_taken,
        test_a_service_that_is_removed_is_remembered_as_it_is_told,
        test_unknown_services_are_not_found, test_limits_are_held, test_services_are_listed_by_id,
        test_a_certificate_is_found_by_its_key_and_kind, test_a_revoked_certificate_stays_revoked,
        test_a_key_that_counts_can_be_given_another_end, test_certificates_need_an_owner,
        test_certificates_are_listed_by_owner, test_every_change_moves_the_generation,
        test_looking_and_failing_leave_the_generation);
    finish_store();
    return failed;
}
