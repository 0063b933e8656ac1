/* What a citizen is given to keep: signed, about them alone, and entered. */
#include "vault/vault/statement.h"

#include "vault/base/codec.h"
#include "vault/event.h"
#include "vault/ledger/opening.h"
#include "vault/parts.h"
#include "vault_test.h"

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
}

static json_t *take(void)
{
    json_t *root = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(STATEMENT_BYTES_MAX * 2);
    assert_done(statement_write(test.vault, &test.citizen, &text, &test_error));
    assert_done(json_parse(buf_view(&text), 4, &root, NULL, &test_error));
    return root;
}

static const char *text_of(const json_t *root, const char *name)
{
    const char *text = json_string_value(json_object_get(root, name));
    assert_non_null(text);
    return text;
}

/* Line number of the note's text, from 0. */
static struct bytes line_of(struct bytes text, unsigned number)
{
    const uint8_t *at = text.data;
    for (; number > 0; number--)
        at = (const uint8_t *)memchr(at, '\n', (size_t)(text.data + text.size - at)) + 1;
    const uint8_t *end = memchr(at, '\n', (size_t)(text.data + text.size - at));
    return (struct bytes){at, (size_t)(end - at)};
}

static uint64_t number_in(struct bytes line)
{
    char text[32] = "";
    assert_true(line.size < sizeof text);
    memcpy(text, line.data, line.size);
    return strtoull(text, NULL, 10);
}

static void test_it_is_signed_by_a_key_of_its_own(void **state)
{
    (void)state;
    struct note_key key;
    struct note note;
    bool is_signed = false;
    begin();
    VAULT_AUTO(json_free) json_t *root = take();
    assert_done(note_key_parse(bytes_of_text(text_of(root, "key")), &key, &test_error));
    assert_non_null(strstr(key.name, "/statement"));
    assert_done(note_parse(bytes_of_text(text_of(root, "statement")), &note, &test_error));
    assert_done(note_verify(&note, &key, &is_signed, &test_error));
    assert_true(is_signed);
    assert_true(bytes_equal(line_of(note.text, 0), bytes_of_text(key.name)));
    vault_close(&test.vault);
}

static void test_it_counts_the_citizens_entries_and_has_the_logs_root(void **state)
{
    (void)state;
    struct note note;
    uint8_t root_bytes[TREE_HASH_BYTES];
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    const uint64_t before = ledger_head(test.vault->ledger).size;
    VAULT_AUTO(json_free) json_t *root = take();
    const struct ledger_head head = ledger_head(test.vault->ledger);
    assert_int_equal(head.size, before + 1);
    assert_done(note_parse(bytes_of_text(text_of(root, "statement")), &note, &test_error));
    assert_int_equal(number_in(line_of(note.text, 2)), 2); /* the consent, and this */
    assert_int_equal(number_in(line_of(note.text, 3)), head.size);
    assert_done(
        base64_decode_exact(root_bytes, sizeof root_bytes, line_of(note.text, 4), &test_error));
    assert_memory_equal(root_bytes, head.root.bytes, sizeof root_bytes);
    vault_close(&test.vault);
}

static void test_whose_it_is_shows_with_the_salt_and_not_without(void **state)
{
    (void)state;
    struct note note;
    uint8_t salt[OPENING_SALT_BYTES];
    uint8_t stated[ENTRY_COMMITMENT_BYTES];
    uint8_t commitment[ENTRY_COMMITMENT_BYTES];
    begin();
    VAULT_AUTO(json_free) json_t *root = take();
    VAULT_AUTO(json_free) json_t *again = take();
    const json_t *subject = json_object_get(root, "subject");
    const char *name = text_of(subject, "value");
    assert_done(note_parse(bytes_of_text(text_of(root, "statement")), &note, &test_error));
    assert_done(base64_decode_exact(stated, sizeof stated, line_of(note.text, 1), &test_error));
    assert_done(base64_decode_exact(salt, sizeof salt, bytes_of_text(text_of(subject, "salt")),
                                    &test_error));
    opening_commitment(commitment, salt, bytes_of_text(name));
    assert_memory_equal(commitment, stated, sizeof stated);
    assert_null(strstr(text_of(root, "statement"), name));
    assert_string_equal(name, text_of(json_object_get(again, "subject"), "value"));
    assert_string_not_equal(text_of(subject, "salt"),
                            text_of(json_object_get(again, "subject"), "salt"));
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_it_is_signed_by_a_key_of_its_own,
                    test_it_counts_the_citizens_entries_and_has_the_logs_root,
                    test_whose_it_is_shows_with_the_salt_and_not_without);
}
