/* Trusted keys as text: which lines are one, and which are refused. */
#include "vault/policy/trust.h"

#include <stdio.h>

#include "sample.h"
#include "vault/base/clock.h"

#define END   "2028-01-01T00:00:00Z"
#define END_S INT64_C(1830297600)

static char dpo[NOTE_KEY_CHARS_MAX];
static char officer[NOTE_KEY_CHARS_MAX];

/* A key of that name and kind whose public half is one byte repeated: nobody has the other half. */
static void print_key(const char *name, enum note_kind kind, uint8_t byte,
                      char out[NOTE_KEY_CHARS_MAX])
{
    uint8_t public_key[SIGN_PUBLIC_BYTES];
    struct note_key key;
    memset(public_key, byte, sizeof public_key);
    assert_done(note_key_make(bytes_of_text(name), kind, public_key, &key, &test_error));
    note_key_print(&key, out);
}

static enum vault_code add(struct policy_trust *trust, const char *key, const char *rest)
{
    char line[512];
    snprintf(line, sizeof line, "%s%s", key, rest);
    return policy_trust_add(trust, bytes_of_text(line), &test_error);
}

/* Read a file of these parts, one behind the other. */
static enum vault_code read_parts(struct policy_trust *trust, const char *const parts[])
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(2048);
    *trust = (struct policy_trust){.count = 0};
    for (size_t i = 0; parts[i]; i++)
        buf_text(&text, parts[i]);
    assert_done(buf_check(&text, &test_error));
    return policy_trust_read(trust, buf_view(&text), &test_error);
}

#define READ(trust, ...) read_parts(trust, (const char *const[]){__VA_ARGS__, NULL})

static void test_a_key_alone_has_no_end(void **state)
{
    (void)state;
    struct policy_trust trust = {.count = 0};
    assert_done(add(&trust, dpo, ""));
    assert_int_equal(trust.count, 1);
    assert_string_equal(trust.keys[0].key.name, "dpo");
    assert_true(trust.keys[0].until_s == INT64_MAX);
}

static void test_a_key_with_an_end_has_that_end(void **state)
{
    (void)state;
    struct policy_trust trust = {.count = 0};
    assert_done(add(&trust, dpo, " until " END));
    assert_true(trust.keys[0].until_s == END_S);
}

static void test_an_end_that_is_no_time_is_refused_and_names_the_key(void **state)
{
    (void)state;
    static const char *const ends[] = {
        " until ",         " until tomorrow", " until 2028-01-01", " until 2028-02-30T00:00:00Z",
        " until " END " ", " until  " END "", " until " END "#",   " until " END " until " END,
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct policy_trust trust = {.count = 0};
        if (add(&trust, dpo, ends[i]) != VAULT_INVALID)
            fail_msg("\"%s\" was taken", ends[i]);
        assert_non_null(strstr(test_error.text, "the key dpo"));
        assert_int_equal(trust.count, 0);
    }
}

static void test_what_is_no_key_is_refused(void **state)
{
    (void)state;
    static const char *const rests[] = {"x", " ", " Until " END, "\tuntil " END, " " END, "\r"};
    struct policy_trust trust = {.count = 0};
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++)
        assert_fails(VAULT_INVALID, add(&trust, dpo, rests[i]));
    assert_fails(VAULT_INVALID, add(&trust, "", ""));
    assert_fails(VAULT_INVALID, add(&trust, "", " until " END));
    assert_fails(VAULT_INVALID, add(&trust, "dpo+00112233+AAAA", ""));
    assert_int_equal(trust.count, 0);
}

static void test_a_witness_key_signs_no_bundle(void **state)
{
    (void)state;
    char witness[NOTE_KEY_CHARS_MAX];
    struct policy_trust trust = {.count = 0};
    print_key("witness", NOTE_COSIGNATURE, 9, witness);
    assert_fails(VAULT_INVALID, add(&trust, witness, ""));
    assert_non_null(strstr(test_error.text, "witness is not a key that signs bundles"));
}

static void test_a_key_is_trusted_once_whatever_its_name_and_end(void **state)
{
    (void)state;
    char renamed[NOTE_KEY_CHARS_MAX];
    struct policy_trust trust = {.count = 0};
    print_key("somebody", NOTE_ED25519, 1, renamed); /* the same key as dpo's */
    assert_done(add(&trust, dpo, " until " END));
    assert_fails(VAULT_INVALID, add(&trust, dpo, ""));
    assert_fails(VAULT_INVALID, add(&trust, renamed, ""));
    assert_non_null(strstr(test_error.text, "somebody is there twice"));
    assert_done(add(&trust, officer, ""));
    assert_int_equal(trust.count, 2);
}

static void test_one_key_too_many_is_refused(void **state)
{
    (void)state;
    struct policy_trust trust = {.count = 0};
    char key[NOTE_KEY_CHARS_MAX];
    for (uint8_t i = 0; i < POLICY_TRUST_MAX; i++) {
        print_key("k", NOTE_ED25519, (uint8_t)(i + 20), key);
        assert_done(add(&trust, key, ""));
    }
    print_key("k", NOTE_ED25519, 10, key);
    assert_fails(VAULT_INVALID, add(&trust, key, ""));
    assert_non_null(strstr(test_error.text, "at most 16"));
    assert_int_equal(trust.count, POLICY_TRUST_MAX);
}

static void test_a_file_has_a_key_a_line_and_remarks(void **state)
{
    (void)state;
    struct policy_trust trust;
    assert_done(READ(&trust, "# who may sign\n\n", dpo, " until " END "\n#\n", officer, "\n"));
    assert_int_equal(trust.count, 2);
    assert_string_equal(trust.keys[0].key.name, "dpo");
    assert_true(trust.keys[0].until_s == END_S);
    assert_string_equal(trust.keys[1].key.name, "officer");
    assert_true(trust.keys[1].until_s == INT64_MAX);
    assert_done(READ(&trust, dpo, "\n", officer)); /* no newline at the end */
    assert_int_equal(trust.count, 2);
}

static void test_a_fault_in_a_file_is_named_by_its_line(void **state)
{
    (void)state;
    struct policy_trust trust;
    assert_fails(VAULT_INVALID, READ(&trust, "# one\n", dpo, "\n", officer, " until soon\n"));
    assert_non_null(strstr(test_error.text, "line 3: the end of the key officer"));
    assert_fails(VAULT_INVALID, READ(&trust, dpo, "\n ", officer, "\n"));
    assert_non_null(strstr(test_error.text, "line 2: "));
    assert_fails(VAULT_INVALID, READ(&trust, dpo, "\n", dpo, "\n"));
    assert_non_null(strstr(test_error.text, "line 2: the key of dpo is there twice"));
}

static void test_a_file_without_a_key_is_refused(void **state)
{
    (void)state;
    struct policy_trust trust;
    assert_fails(VAULT_DENIED, READ(&trust, ""));
    assert_fails(VAULT_DENIED, READ(&trust, "\n# ", dpo, "\n\n"));
    assert_non_null(strstr(test_error.text, "no key"));
}

static void test_widening_takes_two_where_there_are_two(void **state)
{
    (void)state;
    assert_int_equal(policy_signatures_to_widen(1, 1), 1);
    assert_int_equal(policy_signatures_to_widen(2, 1), 2);
    assert_int_equal(policy_signatures_to_widen(5, 1), 2);
    assert_int_equal(policy_signatures_to_widen(5, 3), 3);
    assert_int_equal(policy_signatures_to_widen(0, 1), 1);
}

int main(void)
{
    if (sample_start())
        return 1;
    print_key("dpo", NOTE_ED25519, 1, dpo);
    print_key("officer", NOTE_ED25519, 2, officer);
    return TEST_RUN(
        test_a_key_alone_has_no_end, test_a_key_with_an_end_has_that_end,
        test_an_end_that_is_no_time_is_refused_and_names_the_key, test_what_is_no_key_is_refused,
        test_a_witness_key_signs_no_bundle, test_a_key_is_trusted_once_whatever_its_name_and_end,
        test_one_key_too_many_is_refused, test_a_file_has_a_key_a_line_and_remarks,
        test_a_fault_in_a_file_is_named_by_its_line, test_a_file_without_a_key_is_refused,
        test_widening_takes_two_where_there_are_two);
}
