#include "vault/vault/subject.h"

#include "vault/base/codec.h"
#include "vault_test.h"

static struct vault_test test;
static struct service_hold caseworker;
static struct service_hold library;

static void hold_both(void)
{
    caseworker = hold_service(&test, caseworker_key);
    library = hold_service(&test, library_key);
}

static void begin(void)
{
    make_filled_vault(&test);
    hold_both();
}

/* Every begin() is a copy of one vault; this one has a seed of its own. */
static void begin_another(void)
{
    make_test_vault(&test);
    fill_test_vault(&test);
    hold_both();
}

static void end(void)
{
    service_release(&caseworker);
    service_release(&library);
    vault_close(&test.vault);
}

static void write_as(const struct service_hold *service, const struct citizen_id *id,
                     char out[SUBJECT_CHARS + 1])
{
    assert_done(subject_write(service->service, id, out, &test_error));
    assert_int_equal(strlen(out), SUBJECT_CHARS);
    assert_int_equal(strspn(out, "abcdefghijklmnopqrstuvwxyz234567"), SUBJECT_CHARS);
}

static struct citizen_id read_as(const struct service_hold *service, const char *text)
{
    struct citizen_id id;
    assert_done(subject_read(service->service, bytes_of_text(text), &id, &test_error));
    return id;
}

static void test_a_subject_turns_back_for_its_service(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    for (int i = 0; i < 200; i++) {
        const struct citizen_id id = i ? citizen_id_new() : test.citizen;
        write_as(&caseworker, &id, subject);
        const struct citizen_id back = read_as(&caseworker, subject);
        assert_true(citizen_id_equal(&back, &id));
    }
    end();
}

static void test_a_subject_is_the_same_after_a_restart_and_a_suspension(void **state)
{
    (void)state;
    char first[SUBJECT_CHARS + 1];
    char again[SUBJECT_CHARS + 1];
    begin();
    write_as(&caseworker, &test.citizen, first);
    service_release(&caseworker);
    service_release(&library);
    reopen_test_vault(&test);
    caseworker = hold_service(&test, caseworker_key);
    write_as(&caseworker, &test.citizen, again);
    assert_string_equal(first, again);
    /* Something changed: the registry is made anew. */
    assert_done(service_add(
        test.vault, BYTES("{\"id\":\"bus\",\"name\":\"Buses\",\"contact\":\"a@b.example\"}"),
        &test_error));
    service_release(&caseworker);
    caseworker = hold_service(&test, caseworker_key);
    write_as(&caseworker, &test.citizen, again);
    assert_string_equal(first, again);
    end();
}

static void test_two_services_have_no_subject_in_common(void **state)
{
    (void)state;
    char mine[SUBJECT_CHARS + 1];
    char theirs[SUBJECT_CHARS + 1];
    begin();
    write_as(&caseworker, &test.citizen, mine);
    write_as(&library, &test.citizen, theirs);
    assert_string_not_equal(mine, theirs);
    const struct citizen_id mistaken = read_as(&library, mine);
    assert_false(citizen_id_equal(&mistaken, &test.citizen));
    end();
}

/* Or whoever holds two vaults' lists could put them together. */
static void test_two_vaults_have_no_subject_in_common(void **state)
{
    (void)state;
    char here[SUBJECT_CHARS + 1];
    char there[SUBJECT_CHARS + 1];
    begin();
    const struct citizen_id id = test.citizen;
    write_as(&caseworker, &id, here);
    end();
    begin_another();
    write_as(&caseworker, &id, there);
    assert_string_not_equal(here, there);
    end();
}

static void test_neighbouring_ids_have_nothing_in_common(void **state)
{
    (void)state;
    char first[SUBJECT_CHARS + 1];
    char second[SUBJECT_CHARS + 1];
    struct citizen_id id = {{0}};
    size_t same = 0;
    begin();
    write_as(&caseworker, &id, first);
    id.bytes[CITIZEN_ID_BYTES - 1] = 1;
    write_as(&caseworker, &id, second);
    for (size_t i = 0; i < SUBJECT_CHARS; i++)
        same += first[i] == second[i];
    assert_true(same < SUBJECT_CHARS / 2);
    end();
}

/* A subject shows nothing of the id: neither as it stands nor in its usual spelling. */
static void test_a_subject_is_not_the_id(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    char plain[BASE32_CHARS(CITIZEN_ID_BYTES) + 1];
    begin();
    write_as(&caseworker, &test.citizen, subject);
    base32_string(plain, test.citizen.bytes, CITIZEN_ID_BYTES);
    assert_string_not_equal(subject, plain);
    end();
}

static void test_what_has_not_the_shape_of_a_subject_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "a",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaa",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                        "AAAAAAAAAAAAAAAAAAAAAAAAAA",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaa1",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaa0",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaa8",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaa=",
                                        "aaaaaaaaaaaaa aaaaaaaaaaaa",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaa\n",
                                        "aaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9"};
    struct citizen_id id = {{7}};
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_fails(VAULT_INVALID,
                     subject_read(caseworker.service, bytes_of_text(wrong[i]), &id, &test_error));
        assert_null(strstr(test_error.text, "aaaa"));
    }
    assert_fails(
        VAULT_INVALID,
        subject_read(caseworker.service, BYTES("aaaaaaaaaaaaaaaaaaaaaaaaa\0"), &id, &test_error));
    assert_int_equal(id.bytes[0], 7);
    end();
}

/* Three of four texts of the shape are no block. They are somebody's all the same, so that none is
 * found out earlier; always the same somebody, and never a citizen. */
static void test_every_text_of_the_shape_is_some_id(void **state)
{
    (void)state;
    static const char *const odd[] = {"zzzzzzzzzzzzzzzzzzzzzzzzzz", "77777777777777777777777777",
                                      "aaaaaaaaaaaaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaac",
                                      "aaaaaaaaaaaaaaaaaaaaaaaaad"};
    char subject[SUBJECT_CHARS + 1];
    struct citizen_id seen[sizeof odd / sizeof odd[0]];
    begin();
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        seen[i] = read_as(&caseworker, odd[i]);
        const struct citizen_id again = read_as(&caseworker, odd[i]);
        assert_true(citizen_id_equal(&seen[i], &again));
        write_as(&caseworker, &seen[i], subject);
        assert_string_not_equal(subject, odd[i]);
        for (size_t j = 0; j < i; j++)
            assert_false(citizen_id_equal(&seen[i], &seen[j]));
    }
    end();
}

/* The last character of a subject carries three bits: with others, it is not the citizen's. */
static void test_a_subject_has_one_spelling(void **state)
{
    (void)state;
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    char subject[SUBJECT_CHARS + 1];
    size_t found = 0;
    begin();
    write_as(&caseworker, &test.citizen, subject);
    for (size_t i = 0; i < sizeof alphabet - 1; i++) {
        subject[SUBJECT_CHARS - 1] = alphabet[i];
        const struct citizen_id id = read_as(&caseworker, subject);
        found += citizen_id_equal(&id, &test.citizen);
    }
    assert_int_equal(found, 1);
    end();
}

int main(void)
{
    return TEST_RUN(test_a_subject_turns_back_for_its_service,
                    test_a_subject_is_the_same_after_a_restart_and_a_suspension,
                    test_two_services_have_no_subject_in_common,
                    test_two_vaults_have_no_subject_in_common,
                    test_neighbouring_ids_have_nothing_in_common, test_a_subject_is_not_the_id,
                    test_what_has_not_the_shape_of_a_subject_is_refused,
                    test_every_text_of_the_shape_is_some_id, test_a_subject_has_one_spelling);
}
