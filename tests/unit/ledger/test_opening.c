#include "vault/ledger/opening.h"

#include "test.h"
#include "vault/base/codec.h"
#include "vault/crypto/crypto.h"

#define SALT_TEXT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static struct opening an_opening(struct entry *entry)
{
    struct opening opening = {0};
    opening_commit(&opening, entry, ENTRY_SUBJECT, BYTES("citizen-0001 7 -"));
    opening_commit(&opening, entry, ENTRY_BASIS, BYTES("consent 01J0000 3"));
    opening_commit(&opening, entry, ENTRY_WHAT, BYTES("{\"a\":\"\xc3\xa9\"}\n"));
    return opening;
}

/* The same by hand: openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f over "value". */
static void test_a_commitment_is_hmac_sha_256_under_the_salt(void **state)
{
    (void)state;
    uint8_t salt[OPENING_SALT_BYTES];
    for (uint8_t i = 0; i < sizeof salt; i++)
        salt[i] = i;
    uint8_t commitment[ENTRY_COMMITMENT_BYTES];
    opening_commitment(commitment, salt, BYTES("value"));
    char hex[HEX_CHARS(sizeof commitment) + 1];
    hex_string(hex, commitment, sizeof commitment);
    assert_string_equal(hex, "864b4c7a15be9448736988ee5390bcdd2944f1a49edd4773ee7269e663a299cf");
}

static void test_the_same_value_is_never_committed_to_twice_alike(void **state)
{
    (void)state;
    struct entry entry = {0};
    struct opening opening = {0};
    opening_commit(&opening, &entry, ENTRY_ACTOR, BYTES("x"));
    opening_commit(&opening, &entry, ENTRY_ANSWER, BYTES("x"));
    assert_memory_not_equal(entry.commitments[ENTRY_ACTOR].hash,
                            entry.commitments[ENTRY_ANSWER].hash, ENTRY_COMMITMENT_BYTES);
    assert_memory_not_equal(opening.fields[ENTRY_ACTOR].salt, opening.fields[ENTRY_ANSWER].salt,
                            OPENING_SALT_BYTES);
}

static void test_what_is_written_opens_the_entry_again(void **state)
{
    (void)state;
    struct entry entry = {0};
    const struct opening opening = an_opening(&entry);
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(OPENING_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    assert_done(opening_write(&opening, &json, &test_error));
    struct opening back;
    assert_done(opening_parse(buf_view(&json), &storage, &back, &test_error));
    assert_true(back.fields[ENTRY_SUBJECT].present);
    assert_false(back.fields[ENTRY_ACTOR].present);
    assert_true(bytes_equal(back.fields[ENTRY_WHAT].value, BYTES("{\"a\":\"\xc3\xa9\"}\n")));
    assert_done(opening_check(&back, &entry, &test_error));
}

static void test_an_opening_of_nothing_is_an_empty_object(void **state)
{
    (void)state;
    const struct opening nothing = {0};
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(OPENING_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    assert_done(opening_write(&nothing, &json, &test_error));
    assert_string_equal(buf_string(&json), "{}");
    struct opening back;
    assert_done(opening_parse(buf_view(&json), &storage, &back, &test_error));
    assert_false(back.fields[ENTRY_SUBJECT].present);
}

static void test_another_value_salt_or_key_does_not_open(void **state)
{
    (void)state;
    struct entry entry = {0};
    const struct opening good = an_opening(&entry);
    struct opening bad = good;
    bad.fields[ENTRY_BASIS].value = BYTES("consent 01J0000 4");
    assert_fails(VAULT_DENIED, opening_check(&bad, &entry, NULL));
    bad = good;
    bad.fields[ENTRY_SUBJECT].salt[31] ^= 1;
    assert_fails(VAULT_DENIED, opening_check(&bad, &entry, NULL));
    bad = (struct opening){.fields = {[ENTRY_ACTOR] = good.fields[ENTRY_SUBJECT]}};
    assert_fails(VAULT_DENIED, opening_check(&bad, &entry, NULL));
    bad = (struct opening){.fields = {[ENTRY_WHAT] = good.fields[ENTRY_SUBJECT]}};
    assert_fails(VAULT_DENIED, opening_check(&bad, &entry, NULL));
    assert_done(opening_check(&good, &entry, &test_error));
}

static void test_a_part_of_the_keys_may_be_opened(void **state)
{
    (void)state;
    struct entry entry = {0};
    const struct opening good = an_opening(&entry);
    const struct opening part = {.fields = {[ENTRY_WHAT] = good.fields[ENTRY_WHAT]}};
    assert_done(opening_check(&part, &entry, &test_error));
}

static void test_only_salts_and_values_of_known_keys_are_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "[]",
        "null",
        "{\"time\":{\"salt\":\"" SALT_TEXT "\",\"value\":\"x\"}}",
        "{\"what\":\"x\"}",
        "{\"what\":{}}",
        "{\"what\":{\"salt\":\"" SALT_TEXT "\"}}",
        "{\"what\":{\"value\":\"x\"}}",
        "{\"what\":{\"salt\":\"AAEC\",\"value\":\"x\"}}",
        "{\"what\":{\"salt\":\"" SALT_TEXT "\",\"value\":7}}",
        "{\"what\":{\"salt\":\"" SALT_TEXT "\",\"value\":\"x\",\"more\":1}}",
        "{\"what\":{\"salt\":\"" SALT_TEXT "\",\"value\":\"x\"},"
        "\"what\":{\"salt\":\"" SALT_TEXT "\",\"value\":\"y\"}}",
        "{\"what\":{\"salt\":\"" SALT_TEXT "\",\"value\":\"x\"}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
        struct opening opening;
        assert_fails(VAULT_INVALID,
                     opening_parse(bytes_of_text(wrong[i]), &storage, &opening, &test_error));
    }
}

static void test_the_limits_hold(void **state)
{
    (void)state;
    static uint8_t large[OPENING_MAX_BYTES + 1];
    memset(large, ' ', sizeof large);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(4 * OPENING_MAX_BYTES);
    struct opening opening;
    assert_fails(VAULT_INVALID,
                 opening_parse((struct bytes){large, sizeof large}, &out, &opening, NULL));

    struct entry entry = {0};
    opening = (struct opening){0};
    opening_commit(&opening, &entry, ENTRY_WHAT,
                   (struct bytes){large, OPENING_VALUE_MAX_BYTES + 1});
    assert_fails(VAULT_TOO_LARGE, opening_write(&opening, &out, NULL));
    for (unsigned i = 0; i < 3; i++)
        opening_commit(&opening, &entry, (enum entry_key)i,
                       (struct bytes){large, OPENING_VALUE_MAX_BYTES});
    opening.fields[ENTRY_WHAT].present = false;
    assert_fails(VAULT_TOO_LARGE, opening_write(&opening, &out, NULL));
}

static void test_a_second_opening_takes_the_place_of_the_first(void **state)
{
    (void)state;
    struct entry entry = {0};
    const struct opening opening = an_opening(&entry);
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(OPENING_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    assert_done(opening_write(&opening, &json, &test_error));
    struct opening back;
    for (unsigned i = 0; i < 100; i++)
        assert_done(opening_parse(buf_view(&json), &storage, &back, &test_error));
    assert_true(storage.size < 100);
    assert_done(opening_check(&back, &entry, &test_error));
}

int main(void)
{
    json_start();
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(
        test_a_commitment_is_hmac_sha_256_under_the_salt,
        test_the_same_value_is_never_committed_to_twice_alike,
        test_what_is_written_opens_the_entry_again, test_an_opening_of_nothing_is_an_empty_object,
        test_another_value_salt_or_key_does_not_open, test_a_part_of_the_keys_may_be_opened,
        test_only_salts_and_values_of_known_keys_are_read, test_the_limits_hold,
        test_a_second_opening_takes_the_place_of_the_first);
}
