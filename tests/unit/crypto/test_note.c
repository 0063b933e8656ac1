#include "vault/crypto/note.h"

#include <stdio.h>

#include "test.h"
#include "vault/crypto/crypto.h"

/* The example of Go's golang.org/x/mod/sumdb/note, which signed-note comes from. */
#define NEUMANN_PRIVATE                                                                            \
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define NEUMANN_PUBLIC "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define NEUMANN_TEXT                                                                               \
    "If you think cryptography is the answer to your problem,\n"                                   \
    "then you don't know what your problem is.\n"
#define NEUMANN_LINE                                                                               \
    "— PeterNeumann "                                                                            \
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=" \
    "\n"
#define ENOCH_PUBLIC "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
#define ENOCH_LINE                                                                                 \
    "— EnochRoot "                                                                               \
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=" \
    "\n"

static struct note_key key_of(const char *text)
{
    struct note_key key;
    assert_done(note_key_parse(bytes_of_text(text), &key, &test_error));
    return key;
}

static struct note note_of(const char *text)
{
    struct note note;
    assert_done(note_parse(bytes_of_text(text), &note, &test_error));
    return note;
}

static bool is_signed_by(const char *text, const char *public_key)
{
    const struct note note = note_of(text);
    const struct note_key key = key_of(public_key);
    bool is_signed = false;
    assert_done(note_verify(&note, &key, &is_signed, &test_error));
    return is_signed;
}

static void test_the_example_of_the_format_verifies(void **state)
{
    (void)state;
    const struct note note = note_of(NEUMANN_TEXT "\n" NEUMANN_LINE ENOCH_LINE);
    assert_int_equal(note.signature_count, 2);
    assert_int_equal(note.text.size, strlen(NEUMANN_TEXT));
    assert_true(is_signed_by(NEUMANN_TEXT "\n" NEUMANN_LINE ENOCH_LINE, NEUMANN_PUBLIC));
    assert_true(is_signed_by(NEUMANN_TEXT "\n" NEUMANN_LINE ENOCH_LINE, ENOCH_PUBLIC));
}

static void test_signing_writes_the_line_of_the_example(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    assert_done(note_signer_parse(bytes_of_text(NEUMANN_PRIVATE), &signer, &test_error));
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(1024);
    assert_done(note_sign(bytes_of_text(NEUMANN_TEXT), &signer, &line, &test_error));
    assert_string_equal(buf_string(&line), NEUMANN_LINE);
}

static void test_a_public_key_prints_as_it_was_read(void **state)
{
    (void)state;
    char text[NOTE_KEY_CHARS_MAX];
    const struct note_key key = key_of(NEUMANN_PUBLIC);
    note_key_print(&key, text);
    assert_string_equal(text, NEUMANN_PUBLIC);
}

static void test_a_private_key_prints_as_it_is_read_again(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_AUTO(note_signer_finish) struct note_signer made = {0};
    VAULT_AUTO(note_signer_finish) struct note_signer read = {0};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1024);
    assert_done(secret_random(SIGN_SEED_BYTES, &seed, &test_error));
    assert_done(
        note_signer_make(BYTES("rennes.example/dpo"), NOTE_ED25519, seed, &made, &test_error));
    assert_done(note_signer_print(&made, seed, &text, &test_error));
    assert_done(note_signer_parse(buf_view(&text), &read, &test_error));
    assert_memory_equal(read.key.public_key, made.key.public_key, SIGN_PUBLIC_BYTES);
    assert_string_equal(read.key.name, "rennes.example/dpo");
}

static void test_a_key_of_a_witness_is_read_but_signs_no_text(void **state)
{
    (void)state;
    const struct note_key plain = key_of(NEUMANN_PUBLIC);
    struct note_key witness;
    char text[NOTE_KEY_CHARS_MAX];
    assert_done(note_key_make(BYTES("PeterNeumann"), NOTE_COSIGNATURE, plain.public_key, &witness,
                              &test_error));
    assert_memory_not_equal(witness.id, plain.id, sizeof plain.id);
    note_key_print(&witness, text);
    assert_int_equal(key_of(text).kind, NOTE_COSIGNATURE);
    assert_false(is_signed_by(NEUMANN_TEXT "\n" NEUMANN_LINE, text));
}

static void test_a_stranger_s_signature_is_ignored(void **state)
{
    (void)state;
    assert_false(is_signed_by(NEUMANN_TEXT "\n" ENOCH_LINE, NEUMANN_PUBLIC));
    assert_true(is_signed_by(NEUMANN_TEXT "\n" ENOCH_LINE NEUMANN_LINE, NEUMANN_PUBLIC));
}

static void test_a_known_key_under_other_text_spoils_the_note(void **state)
{
    (void)state;
    const struct note note = note_of("Something else.\n\n" NEUMANN_LINE);
    const struct note_key key = key_of(NEUMANN_PUBLIC);
    bool is_signed = true;
    assert_fails(VAULT_DENIED, note_verify(&note, &key, &is_signed, &test_error));
    assert_string_equal(test_error.text, "the signature of PeterNeumann does not hold");
    assert_true(is_signed); /* untouched on failure */
}

static void test_one_bad_line_of_a_known_key_spoils_a_good_one(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, "%s\n%s%s", NEUMANN_TEXT, NEUMANN_LINE, NEUMANN_LINE);
    /* The last line again with another signature under the same id. */
    char *at = strstr(strstr(text, "ZJku") + 1, "ZJku");
    at[0] = 'Y';
    const struct note note = note_of(text);
    const struct note_key key = key_of(NEUMANN_PUBLIC);
    bool is_signed = false;
    assert_fails(VAULT_DENIED, note_verify(&note, &key, &is_signed, &test_error));
}

static void test_the_text_may_have_empty_lines_and_signature_like_lines(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    assert_done(note_signer_parse(bytes_of_text(NEUMANN_PRIVATE), &signer, &test_error));
    VAULT_AUTO(buf_finish) struct buf whole = buf_limited(4096);
    const char *text = "One\n\n" NEUMANN_LINE "\nTwo — é\n";
    buf_text(&whole, text);
    buf_text(&whole, "\n");
    assert_done(note_sign(bytes_of_text(text), &signer, &whole, &test_error));
    const struct note note = note_of(buf_string(&whole));
    assert_true(bytes_equal(note.text, bytes_of_text(text)));
    assert_true(is_signed_by(buf_string(&whole), NEUMANN_PUBLIC));
}

static void test_what_is_no_note_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\n",
        "\n\n",
        NEUMANN_TEXT,
        NEUMANN_TEXT "\n",
        NEUMANN_TEXT NEUMANN_LINE,
        "\n" NEUMANN_LINE,
        NEUMANN_TEXT "\n- PeterNeumann x08go/ZJ\n",
        NEUMANN_TEXT "\n— PeterNeumann\n",
        NEUMANN_TEXT "\n— PeterNeumann x08g\n",
        NEUMANN_TEXT "\n— Peter+Neumann x08go/ZJ\n",
        NEUMANN_TEXT "\n—  x08go/ZJ\n",
        NEUMANN_TEXT "\n— PeterNeumann x08go/ZJ\r\n",
        NEUMANN_TEXT "\n— PeterNeumann x08go/ZJ",
        NEUMANN_TEXT "\n— PeterNeumann x08go/Z\n",
        "a\ttab\n\n" NEUMANN_LINE,
        "bad \xc3\x28 UTF-8\n\n" NEUMANN_LINE,
        "overlong \xc0\xaf\n\n" NEUMANN_LINE,
        "surrogate \xed\xa0\x80\n\n" NEUMANN_LINE,
        "too high \xf4\x90\x80\x80\n\n" NEUMANN_LINE,
        NEUMANN_TEXT "\n— a\xc2\xa0name x08go/ZJ\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct note note;
        if (note_parse(bytes_of_text(texts[i]), &note, &test_error) != VAULT_INVALID)
            fail_msg("text %zu was taken for a note", i);
    }
}

static void test_a_byte_cut_off_anywhere_leaves_no_good_note(void **state)
{
    (void)state;
    const struct bytes whole = bytes_of_text(NEUMANN_TEXT "\n" NEUMANN_LINE);
    const struct note_key key = key_of(NEUMANN_PUBLIC);
    for (size_t size = 0; size < whole.size; size++) {
        struct note note;
        bool is_signed = false;
        if (note_parse((struct bytes){whole.data, size}, &note, NULL) == VAULT_OK)
            assert_true(note_verify(&note, &key, &is_signed, NULL) != VAULT_OK || !is_signed);
    }
}

static void test_a_byte_changed_anywhere_leaves_no_good_note(void **state)
{
    (void)state;
    const char *original = NEUMANN_TEXT "\n" NEUMANN_LINE;
    const struct note_key key = key_of(NEUMANN_PUBLIC);
    char text[1024];
    for (size_t i = 0; i < strlen(original); i++) {
        snprintf(text, sizeof text, "%s", original);
        text[i] = (char)(text[i] ^ 1);
        struct note note;
        bool is_signed = false;
        if (note_parse(bytes_of_text(text), &note, NULL) == VAULT_OK &&
            note_verify(&note, &key, &is_signed, NULL) == VAULT_OK && is_signed)
            fail_msg("byte %zu does not matter", i);
    }
}

static void test_too_many_signatures_are_refused(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    buf_text(&text, NEUMANN_TEXT "\n");
    for (size_t i = 0; i < NOTE_SIGNATURES_MAX; i++)
        buf_text(&text, ENOCH_LINE);
    struct note note;
    assert_done(note_parse(buf_view(&text), &note, &test_error));
    buf_text(&text, ENOCH_LINE);
    assert_fails(VAULT_TOO_LARGE, note_parse(buf_view(&text), &note, &test_error));
}

static void test_a_note_over_the_limit_is_refused(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(2 * NOTE_MAX_BYTES);
    memset(buf_extend(&text, NOTE_MAX_BYTES), 'x', NOTE_MAX_BYTES);
    buf_text(&text, "\n\n" ENOCH_LINE);
    struct note note;
    assert_fails(VAULT_TOO_LARGE, note_parse(buf_view(&text), &note, &test_error));
}

static void test_what_is_no_public_key_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a3+",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another id */
        "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  /* another name */
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpcZQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another kind */
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T=",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        NEUMANN_PRIVATE,
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct note_key key;
        if (note_key_parse(bytes_of_text(texts[i]), &key, &test_error) != VAULT_INVALID)
            fail_msg("text %zu was taken for a key", i);
    }
}

static void test_what_is_no_private_key_is_refused_and_not_quoted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "PRIVATE+KEY+",
        NEUMANN_PUBLIC,
        "PRIVATE+KEY+PeterNeumann+c74f20a4+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDF",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct note_signer signer;
        assert_fails(VAULT_INVALID,
                     note_signer_parse(bytes_of_text(texts[i]), &signer, &test_error));
        assert_null(strstr(test_error.text, "AYEKFALV"));
    }
}

static void test_a_text_without_its_last_newline_is_not_signed(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    assert_done(note_signer_parse(bytes_of_text(NEUMANN_PRIVATE), &signer, &test_error));
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(1024);
    assert_fails(VAULT_INVALID, note_sign(BYTES("no end"), &signer, &line, &test_error));
    assert_fails(VAULT_INVALID, note_sign(BYTES("a\0b\n"), &signer, &line, &test_error));
    assert_fails(VAULT_INVALID, note_sign(BYTES(""), &signer, &line, &test_error));
    assert_int_equal(line.size, 0);
}

static void test_names_that_no_key_may_have(void **state)
{
    (void)state;
    assert_true(note_name_is_valid(BYTES("rennes.example/vault")));
    assert_true(note_name_is_valid(BYTES("délégué")));
    assert_false(note_name_is_valid(BYTES("")));
    assert_false(note_name_is_valid(BYTES("a b")));
    assert_false(note_name_is_valid(BYTES("a+b")));
    assert_false(note_name_is_valid(BYTES("a\nb")));
    assert_false(note_name_is_valid(BYTES("a\xe3\x80\x80z"))); /* an ideographic space */
    assert_false(note_name_is_valid(BYTES("a\xff")));
    char name[NOTE_NAME_CHARS_MAX + 1];
    memset(name, 'n', sizeof name);
    assert_true(note_name_is_valid((struct bytes){(uint8_t *)name, NOTE_NAME_CHARS_MAX}));
    assert_false(note_name_is_valid((struct bytes){(uint8_t *)name, sizeof name}));
}

static void test_a_signature_of_another_length_is_not_read(void **state)
{
    (void)state;
    const struct note note = note_of(NEUMANN_TEXT "\n" NEUMANN_LINE);
    uint8_t raw[72];
    assert_done(note_signature_read(&note.signatures[0], raw, 64, &test_error));
    assert_fails(VAULT_INVALID, note_signature_read(&note.signatures[0], raw, 72, &test_error));
}

int main(void)
{
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(
        test_the_example_of_the_format_verifies, test_signing_writes_the_line_of_the_example,
        test_a_public_key_prints_as_it_was_read, test_a_private_key_prints_as_it_is_read_again,
        test_a_key_of_a_witness_is_read_but_signs_no_text, test_a_stranger_s_signature_is_ignored,
        test_a_known_key_under_other_text_spoils_the_note,
        test_one_bad_line_of_a_known_key_spoils_a_good_one,
        test_the_text_may_have_empty_lines_and_signature_like_lines,
        test_what_is_no_note_is_refused, test_a_byte_cut_off_anywhere_leaves_no_good_note,
        test_a_byte_changed_anywhere_leaves_no_good_note, test_too_many_signatures_are_refused,
        test_a_note_over_the_limit_is_refused, test_what_is_no_public_key_is_refused,
        test_what_is_no_private_key_is_refused_and_not_quoted,
        test_a_text_without_its_last_newline_is_not_signed, test_names_that_no_key_may_have,
        test_a_signature_of_another_length_is_not_read);
}
