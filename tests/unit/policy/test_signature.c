/* Who stands behind a bundle: any byte changed anywhere is refused, and so is a signature too few.
 */
#include "vault/policy/signature.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample.h"
#include "vault/base/file.h"

static const char *const files[] = {"catalogue.json", "rules/plie.json", "manifest.json",
                                    "manifest.sig"};

static char folder[PATH_MAX];
static char dpo[NOTE_KEY_CHARS_MAX];
static char officer[NOTE_KEY_CHARS_MAX];
static const char *const both[] = {dpo, officer};

static void write_file(const char *name, struct bytes content)
{
    char path[PATH_MAX];
    assert_done(file_join(path, sizeof path, folder, name, &test_error));
    FILE *file = fopen(path, "wb"); /* thousands of times: file_replace() would wait for the disk */
    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.size, file), content.size);
    assert_int_equal(fclose(file), 0);
}

static void sign_as(const char *name, char vkey[NOTE_KEY_CHARS_MAX])
{
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    const struct policy_manifest manifest = {
        .name = "tests", .version = 4, .not_before_s = 1800000000, .expires_s = 1900000000};
    assert_done(secret_random(SIGN_SEED_BYTES, &seed, &test_error));
    assert_done(note_signer_make(bytes_of_text(name), NOTE_ED25519, seed, &signer, &test_error));
    note_key_print(&signer.key, vkey);
    assert_done(policy_sign(folder, &signer, &manifest, &test_error));
}

/* A signed bundle in a folder of its own. */
static void make_bundle(void)
{
    char rules[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/bundle", test_folder());
    snprintf(rules, sizeof rules, "%s/rules", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(mkdir(rules, 0700), 0);
    write_file("catalogue.json", bytes_of_text(SAMPLE_CATALOGUE));
    write_file("rules/plie.json", bytes_of_text(SAMPLE_RULES));
    sign_as("dpo", dpo);
}

/* Load, trusting these keys at a time. */
static enum vault_code load_at(const char *const lines[], size_t count, size_t signatures,
                               int64_t now_s)
{
    struct policy_trust trust = {.signatures = signatures, .now_s = now_s};
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    for (size_t i = 0; i < count; i++)
        assert_done(policy_trust_add(&trust, bytes_of_text(lines[i]), &test_error));
    return policy_load_signed(folder, &trust, &policy, NULL, &test_error);
}

static enum vault_code load(const char *const vkeys[], size_t count, size_t signatures)
{
    return load_at(vkeys, count, signatures, 0);
}

static void test_a_signed_bundle_loads_with_what_its_manifest_says(void **state)
{
    (void)state;
    make_bundle();
    struct policy_trust trust = {.signatures = 1};
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    assert_done(policy_trust_add(&trust, bytes_of_text(dpo), &test_error));
    assert_done(policy_load_signed(folder, &trust, &policy, NULL, &test_error));
    assert_string_equal(policy_name(policy), "tests");
    assert_int_equal(policy_version(policy), 4);
    assert_false(policy_is_available(policy, 1799999999));
    assert_true(policy_is_available(policy, 1800000000));
    assert_true(policy_is_available(policy, 1899999999));
    assert_false(policy_is_available(policy, 1900000000));
}

static void test_any_byte_changed_is_refused(void **state)
{
    (void)state;
    make_bundle();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[PATH_MAX];
        VAULT_AUTO(buf_finish) struct buf content = buf_limited(65536);
        assert_done(file_join(path, sizeof path, folder, files[i], &test_error));
        assert_done(file_read(path, &content, &test_error));
        for (size_t at = 0; at < content.size; at++) {
            content.data[at] ^= (uint8_t)(1U << (at % 8));
            write_file(files[i], buf_view(&content));
            if (load(both, 1, 1) == VAULT_OK)
                fail_msg("%s, byte %zu", files[i], at);
            content.data[at] ^= (uint8_t)(1U << (at % 8));
        }
        write_file(files[i], buf_view(&content));
    }
    assert_done(load(both, 1, 1));
}

static void test_any_file_cut_short_is_refused(void **state)
{
    (void)state;
    make_bundle();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[PATH_MAX];
        VAULT_AUTO(buf_finish) struct buf content = buf_limited(65536);
        assert_done(file_join(path, sizeof path, folder, files[i], &test_error));
        assert_done(file_read(path, &content, &test_error));
        for (size_t size = 0; size < content.size; size += 17) {
            write_file(files[i], (struct bytes){content.data, size});
            if (load(both, 1, 1) == VAULT_OK)
                fail_msg("%s, cut to %zu bytes", files[i], size);
        }
        write_file(files[i], buf_view(&content));
    }
}

static void test_as_many_signers_as_are_wanted(void **state)
{
    (void)state;
    make_bundle();
    assert_int_equal(load(both, 1, 2), VAULT_DENIED);
    sign_as("officer", officer);
    assert_done(load(both, 2, 2));
    assert_done(load(both, 2, 1));
    assert_int_equal(load(both, 2, 3), VAULT_DENIED);
    assert_int_equal(load(both, 0, 1), VAULT_DENIED);
    assert_int_equal(load(both, 2, 0), VAULT_INVALID);
}

#define END_S INT64_C(1830297600)
#define UNTIL " until 2028-01-01T00:00:00Z"

static char dpo_until[NOTE_KEY_CHARS_MAX + 32];
static char officer_until[NOTE_KEY_CHARS_MAX + 32];

/* The bundle, signed by both, and both keys with an end. */
static void make_ending(void)
{
    make_bundle();
    sign_as("officer", officer);
    snprintf(dpo_until, sizeof dpo_until, "%s" UNTIL, dpo);
    snprintf(officer_until, sizeof officer_until, "%s" UNTIL, officer);
}

static void test_a_key_counts_until_its_end_and_not_at_it(void **state)
{
    (void)state;
    make_ending();
    const char *const ends[] = {dpo_until};
    assert_done(load_at(ends, 1, 1, END_S - 1));
    assert_fails(VAULT_DENIED, load_at(ends, 1, 1, END_S));
    assert_string_equal(test_error.text,
                        "the bundle has 0 of the 1 signatures it needs; the key of dpo, which has "
                        "signed, ended at 2028-01-01T00:00:00Z");
    assert_fails(VAULT_DENIED, load_at(ends, 1, 1, INT64_MAX));
    assert_done(load_at(ends, 1, 1, POLICY_BEFORE_EVERY_END));
}

static void test_every_ended_signer_is_named(void **state)
{
    (void)state;
    make_ending();
    const char *const ends[] = {dpo_until, officer_until};
    assert_done(load_at(ends, 2, 2, END_S - 1));
    assert_fails(VAULT_DENIED, load_at(ends, 2, 1, END_S));
    assert_non_null(strstr(test_error.text, "the key of dpo, which has signed, ended at"));
    assert_non_null(strstr(test_error.text, ", the key of officer, which has signed, ended at"));
}

static void test_an_ended_key_that_has_not_signed_is_not_named(void **state)
{
    (void)state;
    static char third[NOTE_KEY_CHARS_MAX];
    make_ending();
    sign_as("third", third);
    make_ending(); /* dpo and officer anew: third's signature is gone */
    char third_until[NOTE_KEY_CHARS_MAX + 32];
    snprintf(third_until, sizeof third_until, "%s" UNTIL, third);
    const char *const ends[] = {third_until, dpo};
    assert_fails(VAULT_DENIED, load_at(ends, 2, 2, END_S));
    assert_null(strstr(test_error.text, "third"));
    assert_non_null(strstr(test_error.text, "1 of the 2"));
}

/* Rotation: the old key ends, the new one is trusted beside it, and a bundle signed by both or by
 * the new one alone is never without a valid signature. */
static void test_two_keys_hold_at_once_while_one_replaces_the_other(void **state)
{
    (void)state;
    make_ending();
    const char *const keys[] = {dpo_until, officer};
    assert_done(load_at(keys, 2, 2, END_S - 1));
    assert_done(load_at(keys, 2, 1, END_S - 1));
    assert_done(load_at(keys, 2, 1, END_S));
    assert_fails(VAULT_DENIED, load_at(keys, 2, 2, END_S));
}

/* An end is no excuse: a signature that does not hold spoils all, whenever its key ended. */
static void test_a_broken_signature_by_an_ended_key_still_spoils_all(void **state)
{
    (void)state;
    make_ending();
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(65536);
    char path[PATH_MAX];
    assert_done(file_join(path, sizeof path, folder, "manifest.sig", &test_error));
    assert_done(file_read(path, &note, &test_error));
    char *line = strstr((char *)note.data, "\xe2\x80\x94 dpo ");
    assert_non_null(line);
    char *letter = line + strlen("\xe2\x80\x94 dpo ") + 20;
    *letter = *letter == 'A' ? 'B' : 'A';
    write_file("manifest.sig", buf_view(&note));
    const char *const keys[] = {dpo_until, officer};
    assert_fails(VAULT_DENIED, load_at(keys, 2, 1, END_S));
    assert_done(load_at(keys + 1, 1, 1, END_S));
}

static void test_a_bundle_that_never_may_decide_is_not_signed(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    const struct policy_manifest manifest = {
        .name = "tests", .version = 4, .not_before_s = 1800000000, .expires_s = 1800000000};
    make_bundle();
    char path[PATH_MAX];
    for (size_t i = 2; i < 4; i++) {
        assert_done(file_join(path, sizeof path, folder, files[i], &test_error));
        assert_int_equal(unlink(path), 0);
    }
    assert_done(secret_random(SIGN_SEED_BYTES, &seed, &test_error));
    assert_done(note_signer_make(BYTES("dpo"), NOTE_ED25519, seed, &signer, &test_error));
    assert_fails(VAULT_INVALID, policy_sign(folder, &signer, &manifest, &test_error));
    assert_false(file_exists(path));
}

/* --- signing --- */

static enum vault_code sign_with(const struct note_signer *signer, const char *name)
{
    const struct policy_manifest manifest = {
        .name = name, .version = 4, .not_before_s = 1800000000, .expires_s = 1900000000};
    return policy_sign(folder, signer, &manifest, &test_error);
}

static void make_signer(const char *name, struct note_signer *out)
{
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    assert_done(secret_random(SIGN_SEED_BYTES, &seed, &test_error));
    assert_done(note_signer_make(bytes_of_text(name), NOTE_ED25519, seed, out, &test_error));
}

static void remove_manifest(void)
{
    char path[PATH_MAX];
    for (size_t i = 2; i < 4; i++) {
        assert_done(file_join(path, sizeof path, folder, files[i], &test_error));
        assert_int_equal(unlink(path), 0);
    }
}

static size_t signature_lines(void)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(65536);
    char path[PATH_MAX];
    size_t count = 0;
    assert_done(file_join(path, sizeof path, folder, "manifest.sig", &test_error));
    assert_done(file_read(path, &note, &test_error));
    for (const char *at = buf_string(&note); (at = strstr(at, "\xe2\x80\x94 ")); at++)
        count++;
    return count;
}

static void test_signing_again_replaces_the_keys_own_line(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish) struct note_signer one = {0};
    VAULT_AUTO(note_signer_finish) struct note_signer two = {0};
    char keys[2][NOTE_KEY_CHARS_MAX];
    const char *const trusted[] = {keys[0], keys[1]};
    make_bundle();
    remove_manifest();
    make_signer("one", &one);
    make_signer("two", &two);
    note_key_print(&one.key, keys[0]);
    note_key_print(&two.key, keys[1]);
    assert_done(sign_with(&one, "tests"));
    assert_done(sign_with(&two, "tests"));
    for (size_t i = 0; i < 3; i++) {
        assert_done(sign_with(i % 2 ? &two : &one, "tests"));
        assert_int_equal(signature_lines(), 2);
        assert_done(load(trusted, 2, 2));
    }
}

static void test_what_could_not_decide_is_not_signed(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    make_bundle();
    remove_manifest();
    make_signer("one", &signer);
    write_file("rules/plie.json", BYTES("{\"format\":\"vault-rules/1\"}"));
    assert_fails(VAULT_INVALID, sign_with(&signer, "tests"));
    assert_non_null(strstr(test_error.text, "rules/plie.json, line 1"));
    char path[PATH_MAX];
    assert_done(file_join(path, sizeof path, folder, "manifest.json", &test_error));
    assert_false(file_exists(path));
}

static void test_a_name_that_no_loader_takes_is_not_signed(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "Tests",
        "7",
        "a b",
        "a/b",
        "a\n",
        "a2345678901234567890123456789012345678901234567890123456789012345"};
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    make_bundle();
    remove_manifest();
    make_signer("one", &signer);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_fails(VAULT_INVALID, sign_with(&signer, names[i]));
    assert_done(
        sign_with(&signer, "a234567890123456789012345678901234567890123456789012345678901234"));
}

/* --- what is verification's to find, and what is not --- */

static void test_whatever_verification_finds_wrong_is_denied(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"manifest.sig", ""},      {"manifest.sig", "no note"},
        {"manifest.json", ""},     {"manifest.json", "{\"format\":\"vault-bundle/1\"}\n"},
        {"rules/plie.json", "{}"}, {"rules/more.json", "{}"},
        {"more.json", "{}"},       {"README.md", "new"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char path[PATH_MAX];
        make_bundle();
        write_file(wrong[i][0], bytes_of_text(wrong[i][1]));
        if (load(both, 1, 1) != VAULT_DENIED)
            fail_msg("%s, %zu", wrong[i][0], i);
        assert_int_equal(test_error.code, VAULT_DENIED);
        assert_done(file_join(path, sizeof path, folder, wrong[i][0], &test_error));
        assert_int_equal(unlink(path), 0);
        if (i < 5)
            assert_fails(VAULT_DENIED, load(both, 1, 1));
        else
            assert_done(load(both, 1, 1));
    }
}

static void test_a_missing_file_is_named(void **state)
{
    (void)state;
    char path[PATH_MAX];
    make_bundle();
    assert_done(file_join(path, sizeof path, folder, "catalogue.json", &test_error));
    assert_int_equal(unlink(path), 0);
    assert_fails(VAULT_DENIED, load(both, 1, 1));
    assert_non_null(strstr(test_error.text, "the folder has no file catalogue.json"));
}

static void test_what_is_no_bundle_is_not_denied_but_invalid(void **state)
{
    (void)state;
    char kept[PATH_MAX];
    make_bundle();
    memcpy(kept, folder, sizeof kept);
    snprintf(folder, sizeof folder, "%s/rules", kept);
    assert_fails(VAULT_INVALID, load(both, 1, 1));
    snprintf(folder, sizeof folder, "%s/nowhere", kept);
    assert_fails(VAULT_NOT_FOUND, load(both, 1, 1));
}

/* The manifest says what it likes, and the signature under it holds. */
static void sign_text(const struct note_signer *signer, struct bytes text)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(65536);
    buf_bytes(&note, text);
    buf_text(&note, "\n");
    assert_done(note_sign(text, signer, &note, &test_error));
    write_file("manifest.json", text);
    write_file("manifest.sig", buf_view(&note));
}

static void test_what_is_rightly_signed_and_does_not_load_is_invalid(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    char key[NOTE_KEY_CHARS_MAX];
    const char *const trusted[] = {key};
    make_bundle();
    make_signer("one", &signer);
    note_key_print(&signer.key, key);
    sign_text(&signer, BYTES("{\"format\":\"vault-bundle/2\"}\n"));
    assert_fails(VAULT_INVALID, load(trusted, 1, 1));
}

int main(void)
{
    if (sample_start())
        return 1;
    return TEST_RUN(
        test_a_signed_bundle_loads_with_what_its_manifest_says, test_any_byte_changed_is_refused,
        test_any_file_cut_short_is_refused, test_as_many_signers_as_are_wanted,
        test_a_key_counts_until_its_end_and_not_at_it, test_every_ended_signer_is_named,
        test_an_ended_key_that_has_not_signed_is_not_named,
        test_two_keys_hold_at_once_while_one_replaces_the_other,
        test_a_broken_signature_by_an_ended_key_still_spoils_all,
        test_a_bundle_that_never_may_decide_is_not_signed,
        test_signing_again_replaces_the_keys_own_line, test_what_could_not_decide_is_not_signed,
        test_a_name_that_no_loader_takes_is_not_signed,
        test_whatever_verification_finds_wrong_is_denied, test_a_missing_file_is_named,
        test_what_is_no_bundle_is_not_denied_but_invalid,
        test_what_is_rightly_signed_and_does_not_load_is_invalid);
}
