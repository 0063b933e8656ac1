/* What an operator may look at, and that it is no more than that. */
#include "vault/vault/inspect.h"

#include "vault/parts.h"
#include "vault_test.h"

static struct vault_test test;
static struct buf out;

static void begin(void)
{
    make_filled_vault(&test);
    out = buf_limited(256U * 1024);
}

static void end(void)
{
    buf_finish(&out);
    vault_close(&test.vault);
}

static json_t *seen(void)
{
    json_t *root = NULL;
    assert_done(json_parse(buf_view(&out), 8, &root, NULL, &test_error));
    buf_clear(&out);
    return root;
}

static const char *text_at(const json_t *root, const char *name)
{
    return json_string_value(json_object_get(root, name));
}

static void test_a_service_is_shown_with_its_keys_and_their_states(void **state)
{
    (void)state;
    begin();
    assert_done(
        service_revoke_key(test.vault, CONTROL_CERTIFICATE_SERVICE, caseworker_key, &test_error));
    assert_done(inspect_service(test.vault, CASEWORKER, &out, &test_error));
    VAULT_AUTO(json_free) json_t *root = seen();
    assert_string_equal(text_at(root, "state"), "active");
    assert_string_equal(text_at(json_object_get(root, "service"), "id"), CASEWORKER);
    const json_t *keys = json_object_get(root, "certificates");
    assert_int_equal(json_array_size(keys), 1);
    assert_string_equal(text_at(json_array_get(keys, 0), "state"), "revoked");
    assert_int_equal(strlen(text_at(json_array_get(keys, 0), "key")), 64);
    end();
}

static void test_a_registration_of_many_lines_is_shown_on_one(void **state)
{
    (void)state;
    static const char registration[] =
        "{\"id\":\"" CASEWORKER "\",\n \"name\":\"Plan\",\n \"contact\":\"dpo@plan.example\",\n"
        " \"classes\":[\"employment.caseworker\"],\n \"purposes\":[],\n \"atoms\":[]}\n";
    begin();
    assert_done(service_update(test.vault, bytes_of_text(registration), &test_error));
    assert_done(inspect_service(test.vault, CASEWORKER, &out, &test_error));
    assert_null(memchr(out.data, '\n', out.size));
    VAULT_AUTO(json_free) json_t *root = seen();
    assert_string_equal(text_at(json_object_get(root, "service"), "name"), "Plan");
    end();
}

static void test_a_removed_or_unknown_service_is_not_found(void **state)
{
    (void)state;
    begin();
    assert_fails(VAULT_NOT_FOUND, inspect_service(test.vault, "nobody", &out, &test_error));
    assert_done(service_set_state(test.vault, CASEWORKER, CONTROL_SERVICE_SUSPENDED, &test_error));
    assert_done(inspect_service(test.vault, CASEWORKER, &out, &test_error));
    VAULT_AUTO(json_free) json_t *root = seen();
    assert_string_equal(text_at(root, "state"), "suspended");
    assert_done(service_remove(test.vault, CASEWORKER, &test_error));
    assert_fails(VAULT_NOT_FOUND, inspect_service(test.vault, CASEWORKER, &out, &test_error));
    end();
}

static void test_a_citizen_is_shown_without_any_value(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    import_one(&test, "{\"reference\":\"T-2\",\"values\":{}}");
    assert_done(inspect_citizen(test.vault, "T-1", &out, &test_error));
    assert_null(strstr(buf_string(&out), "1990"));
    assert_null(strstr(buf_string(&out), CASEWORKER));
    assert_null(strstr(buf_string(&out), "argon2"));
    VAULT_AUTO(json_free) json_t *root = seen();
    assert_int_equal(json_object_size(root), 5);
    assert_string_equal(text_at(root, "reference"), "T-1");
    assert_string_equal(text_at(root, "login"), "testine");
    assert_true(json_is_true(json_object_get(root, "password")));
    assert_int_equal(json_integer_value(json_object_get(root, "passkeys")), 0);
    assert_done(inspect_citizen(test.vault, "T-2", &out, &test_error));
    VAULT_AUTO(json_free) json_t *other = seen();
    assert_true(json_is_null(json_object_get(other, "login")));
    assert_true(json_is_false(json_object_get(other, "password")));
    assert_fails(VAULT_NOT_FOUND, inspect_citizen(test.vault, "T-3", &out, &test_error));
    end();
}

static void test_looking_is_no_entry_of_the_log(void **state)
{
    (void)state;
    begin();
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_done(inspect_service(test.vault, CASEWORKER, &out, &test_error));
    assert_done(inspect_citizen(test.vault, "T-1", &out, &test_error));
    assert_done(inspect_citizens(test.vault, "", &out, &test_error));
    assert_int_equal(ledger_head(test.vault->ledger).size, before);
    end();
}

static void import_many(size_t count)
{
    static char rows[PEOPLE_BATCH_MAX][64];
    struct bytes texts[PEOPLE_BATCH_MAX];
    struct people_result results[PEOPLE_BATCH_MAX];
    for (size_t done = 0; done < count; done += PEOPLE_BATCH_MAX) {
        for (size_t i = 0; i < PEOPLE_BATCH_MAX; i++) {
            snprintf(rows[i], sizeof rows[i], "{\"reference\":\"M-%zu\",\"values\":{}}", done + i);
            texts[i] = bytes_of_text(rows[i]);
        }
        assert_done(people_import(test.vault, texts, PEOPLE_BATCH_MAX, results, &test_error));
    }
}

static void test_all_citizens_are_listed_once_over_as_many_calls_as_it_takes(void **state)
{
    (void)state;
    char next[128] = "";
    size_t count = 0;
    size_t calls = 0;
    VAULT_AUTO(json_free) json_t *names = json_object();
    begin();
    import_many(600);
    do {
        assert_done(inspect_citizens(test.vault, next, &out, &test_error));
        VAULT_AUTO(json_free) json_t *root = seen();
        const json_t *citizens = json_object_get(root, "citizens");
        assert_true(json_array_size(citizens) <= INSPECT_CITIZENS_MAX);
        for (size_t i = 0; i < json_array_size(citizens); i++, count++)
            assert_int_equal(json_object_set_new(names,
                                                 text_at(json_array_get(citizens, i), "reference"),
                                                 json_true()),
                             0);
        const char *behind = text_at(root, "next");
        snprintf(next, sizeof next, "%s", behind ? behind : "");
        calls++;
    } while (next[0]);
    assert_int_equal(calls, 2);
    assert_int_equal(count, 601);
    assert_int_equal(json_object_size(names), 601);
    end();
}

static void test_a_place_to_go_on_from_that_is_none_is_refused(void **state)
{
    (void)state;
    begin();
    assert_fails(VAULT_INVALID, inspect_citizens(test.vault, "zz", &out, &test_error));
    assert_fails(VAULT_INVALID, inspect_citizens(test.vault, "00", &out, &test_error));
    end();
}

static void test_an_auditor_who_is_removed_is_none_any_more_with_any_key(void **state)
{
    (void)state;
    const uint8_t first[SHA256_BYTES] = {21};
    const uint8_t second[SHA256_BYTES] = {22};
    const uint8_t other[SHA256_BYTES] = {23};
    begin();
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_AUDITOR, "one", first, INT64_MAX,
                                &test_error));
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_AUDITOR, "one", second, INT64_MAX,
                                &test_error));
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_AUDITOR, "two", other, INT64_MAX,
                                &test_error));
    assert_done(service_remove_auditor(test.vault, "one", &test_error));
    assert_fails(VAULT_DENIED, service_auditor_by_key(test.vault, first, NULL, &test_error));
    assert_fails(VAULT_DENIED, service_auditor_by_key(test.vault, second, NULL, &test_error));
    assert_done(service_auditor_by_key(test.vault, other, NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, service_remove_auditor(test.vault, "one", &test_error));
    assert_fails(VAULT_NOT_FOUND, service_remove_auditor(test.vault, "nobody", &test_error));
    end();
}

int main(void)
{
    return TEST_RUN(test_a_registration_of_many_lines_is_shown_on_one,
                    test_a_service_is_shown_with_its_keys_and_their_states,
                    test_a_removed_or_unknown_service_is_not_found,
                    test_a_citizen_is_shown_without_any_value, test_looking_is_no_entry_of_the_log,
                    test_all_citizens_are_listed_once_over_as_many_calls_as_it_takes,
                    test_a_place_to_go_on_from_that_is_none_is_refused,
                    test_an_auditor_who_is_removed_is_none_any_more_with_any_key);
}
