/* What libfido2 and the checks around it accept, and above all what not. */
#include "authenticator.h"

#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/passkey_verify.h"

/* As long as a challenge is; what it holds is not looked at here. */
static const char challenge[] =
    "Zm9yLXRlc3RzLWFsb25lLXRoaXMtY2hhbGxlbmdlLWlzLW5vdC1vbmUtb2YtYW55Ym9keS1hdC0";

static struct passkey_site site;
static struct authenticator key;
static struct passkey passkey;

static void begin(enum authenticator_kind kind)
{
    assert_int_equal(strlen(challenge), PASSKEY_CHALLENGE_CHARS);
    assert_done(passkey_site_of("https://vault.example:8442", &site, &test_error));
    memset(&passkey, 0, sizeof passkey);
    authenticator_open(&key, kind);
    authenticator_create(&key, challenge);
}

static enum vault_code made(void)
{
    return passkey_verify_made(&site, key.answer.authenticator_data, &passkey, &test_error);
}

static enum vault_code used(void)
{
    uint32_t count = 0;
    const enum vault_code code =
        passkey_verify_used(&site, &passkey, &key.answer, &count, &test_error);
    if (code == VAULT_OK)
        assert_int_equal(count, key.count);
    return code;
}

static enum vault_code client(const char *type)
{
    char read[PASSKEY_CHALLENGE_CHARS + 1] = "";
    const enum vault_code code =
        passkey_read_client(&site, type, key.answer.client_data, read, &test_error);
    assert_string_equal(read, code ? "" : challenge);
    return code;
}

static enum vault_code client_text(const char *text)
{
    key.answer.client_data = bytes_of_text(text);
    return client(PASSKEY_USED);
}

static void test_each_algorithm_is_read_and_verified(void **state)
{
    (void)state;
    static const int algorithms[] = {-7, -8, -257};
    for (int kind = AUTHENTICATOR_ES256; kind <= AUTHENTICATOR_RS256; kind++) {
        begin((enum authenticator_kind)kind);
        assert_done(client(PASSKEY_MADE));
        assert_done(made());
        assert_int_equal(passkey.algorithm, algorithms[kind]);
        assert_int_equal(passkey.sign_count, 1);
        assert_true(bytes_equal(passkey_credential(&passkey), key.answer.credential));
        authenticator_sign(&key, challenge);
        assert_done(client(PASSKEY_USED));
        assert_done(used());
        authenticator_close(&key);
    }
}

static void test_client_data_of_another_type_or_site_is_denied(void **state)
{
    (void)state;
    begin(AUTHENTICATOR_ES256);
    assert_fails(VAULT_DENIED, client(PASSKEY_USED));
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, client(PASSKEY_MADE));
    key.origin = "https://vault.example";
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, client(PASSKEY_USED));
    key.origin = "https://vault.example:8442.elsewhere.example";
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, client(PASSKEY_USED));
    key.origin = "http://vault.example:8442";
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, client(PASSKEY_USED));
    authenticator_close(&key);
}

static void test_a_frame_of_another_site_is_denied(void **state)
{
    (void)state;
    begin(AUTHENTICATOR_ES256);
    key.client_more = ",\"crossOrigin\":true";
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, client(PASSKEY_USED));
    key.client_more = ",\"topOrigin\":\"https://elsewhere.example\"";
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, client(PASSKEY_USED));
    key.client_more = ",\"other_keys_can_be_added_here\":\"and are\"";
    authenticator_sign(&key, challenge);
    assert_done(client(PASSKEY_USED));
    authenticator_close(&key);
}

static void test_what_is_no_client_data_is_refused(void **state)
{
    (void)state;
    static char longest[PASSKEY_CLIENT_DATA_BYTES + 2];
    begin(AUTHENTICATOR_ES256);
    memset(longest, ' ', sizeof longest - 1);
    assert_fails(VAULT_INVALID, client_text(""));
    assert_fails(VAULT_INVALID, client_text("{"));
    assert_fails(VAULT_INVALID, client_text("[]"));
    assert_fails(VAULT_INVALID, client_text("null"));
    assert_fails(VAULT_INVALID, client_text("{\"type\":\"a\",\"type\":\"webauthn.get\"}"));
    assert_fails(VAULT_INVALID, client_text("{\"a\":{\"b\":{\"c\":{}}}}"));
    assert_fails(VAULT_INVALID, client_text(longest));
    assert_fails(VAULT_DENIED, client_text("{}"));
    assert_fails(VAULT_DENIED, client_text("{\"type\":7}"));
    assert_fails(VAULT_DENIED, client_text("{\"type\":\"webauthn.get\",\"challenge\":\"c\","
                                           "\"origin\":\"https://vault.example:8442\"}"));
    assert_fails(VAULT_DENIED, client_text("{\"type\":\"webauthn.get\",\"challenge\":5,"
                                           "\"origin\":\"https://vault.example:8442\"}"));
    authenticator_close(&key);
}

static void test_a_key_made_for_another_site_is_denied(void **state)
{
    (void)state;
    begin(AUTHENTICATOR_ES256);
    key.rp_id = "elsewhere.example";
    authenticator_create(&key, challenge);
    assert_fails(VAULT_DENIED, made());
    authenticator_close(&key);
}

static void test_a_key_made_without_verifying_the_person_is_denied(void **state)
{
    (void)state;
    begin(AUTHENTICATOR_ES256);
    key.flags = AUTHENTICATOR_PRESENT;
    authenticator_create(&key, challenge);
    assert_fails(VAULT_DENIED, made());
    key.flags = AUTHENTICATOR_VERIFIED;
    authenticator_create(&key, challenge);
    assert_fails(VAULT_DENIED, made());
    authenticator_close(&key);
}

/* Cut anywhere, and with any one byte of the key's CBOR changed: refused, or the key is another. */
static void test_damaged_authenticator_data_give_no_key(void **state)
{
    (void)state;
    uint8_t bytes[512];
    begin(AUTHENTICATOR_ES256);
    const struct bytes whole = key.answer.authenticator_data;
    for (size_t size = 0; size < whole.size; size++) {
        key.answer.authenticator_data.size = size;
        assert_true(made() != VAULT_OK);
    }
    assert_true(whole.size >= 77 && whole.size < sizeof bytes);
    memset(bytes, 0, sizeof bytes);
    for (size_t i = whole.size - 77; i < whole.size - 67; i++) {
        memcpy(bytes, whole.data, whole.size);
        bytes[i] ^= 0xff;
        key.answer.authenticator_data = (struct bytes){bytes, whole.size};
        assert_fails(VAULT_INVALID, made());
    }
    static uint8_t longest[PASSKEY_AUTHENTICATOR_BYTES + 1];
    key.answer.authenticator_data = (struct bytes){longest, sizeof longest};
    assert_fails(VAULT_INVALID, made());
    authenticator_close(&key);
}

/* libcbor would make room for as many elements as a list says that it has. */
static void test_a_list_that_says_it_has_more_than_there_is_gives_no_key(void **state)
{
    static const uint8_t extensions[] = {0xa1, 0x61, 'x', 0x9a, 0x2e, 0x00, 0x00, 0x00};
    uint8_t bytes[512];
    (void)state;
    begin(AUTHENTICATOR_ES256);
    const struct bytes whole = key.answer.authenticator_data;
    assert_true(whole.size > 77 && whole.size + sizeof extensions <= sizeof bytes);
    memcpy(bytes, whole.data, whole.size);
    memcpy(bytes + whole.size, extensions, sizeof extensions);
    bytes[SHA256_BYTES] |= 0x80; /* extensions follow */
    key.answer.authenticator_data = (struct bytes){bytes, whole.size + sizeof extensions};
    assert_fails(VAULT_INVALID, made());
    bytes[whole.size - 77] = 0xba; /* the key's map: so many pairs as the next four bytes say */
    key.answer.authenticator_data.size = whole.size;
    assert_fails(VAULT_INVALID, made());
    key.answer.authenticator_data = whole;
    assert_done(made());
    authenticator_sign(&key, challenge);
    const size_t fixed = SHA256_BYTES + 5;
    memcpy(bytes, key.answer.authenticator_data.data, fixed);
    memcpy(bytes + fixed, extensions, sizeof extensions);
    bytes[SHA256_BYTES] |= 0x80;
    key.answer.authenticator_data = (struct bytes){bytes, fixed + sizeof extensions};
    assert_fails(VAULT_DENIED, used());
    authenticator_close(&key);
}

static void test_a_signature_holds_for_these_bytes_and_this_key_alone(void **state)
{
    (void)state;
    struct authenticator other;
    begin(AUTHENTICATOR_ES256);
    assert_done(made());
    authenticator_open(&other, AUTHENTICATOR_ES256);
    authenticator_sign(&other, challenge);
    key.answer = other.answer;
    assert_fails(VAULT_DENIED, used());
    authenticator_sign(&key, challenge);
    assert_done(used());
    key.client_data.data[key.client_data.size - 2] ^= 1;
    assert_fails(VAULT_DENIED, used());
    authenticator_sign(&key, challenge);
    key.data.data[36] ^= 1; /* the counter */
    assert_fails(VAULT_DENIED, used());
    authenticator_sign(&key, challenge);
    key.signature.data[9] ^= 1;
    assert_fails(VAULT_DENIED, used());
    key.answer.signature.size = 0;
    assert_fails(VAULT_DENIED, used());
    key.answer.authenticator_data.size = 10;
    assert_fails(VAULT_DENIED, used());
    authenticator_close(&other);
    authenticator_close(&key);
}

static void test_using_it_for_another_site_or_unverified_is_denied(void **state)
{
    (void)state;
    begin(AUTHENTICATOR_ES256);
    assert_done(made());
    key.rp_id = "elsewhere.example";
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, used());
    key.rp_id = "vault.example";
    key.flags = AUTHENTICATOR_PRESENT;
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, used());
    key.flags = AUTHENTICATOR_VERIFIED;
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, used());
    authenticator_close(&key);
}

static void test_a_key_is_not_read_as_one_of_another_algorithm(void **state)
{
    (void)state;
    begin(AUTHENTICATOR_ES256);
    assert_done(made());
    authenticator_sign(&key, challenge);
    passkey.algorithm = -8;
    assert_fails(VAULT_DENIED, used());
    passkey.algorithm = -257;
    assert_fails(VAULT_DENIED, used());
    passkey.algorithm = 0;
    assert_fails(VAULT_DENIED, used());
    passkey.algorithm = -7;
    passkey.key_bytes = 63;
    assert_fails(VAULT_DENIED, used());
    authenticator_close(&key);
}

static void test_the_site_is_what_browsers_call_it(void **state)
{
    (void)state;
    struct passkey_site read;
    char name[PASSKEY_ORIGIN_CHARS + 9];
    assert_done(passkey_site_of("https://vault.example", &read, &test_error));
    assert_string_equal(read.origin, "https://vault.example");
    assert_string_equal(read.rp_id, "vault.example");
    assert_done(passkey_site_of("https://vault.example:443", &read, &test_error));
    assert_string_equal(read.origin, "https://vault.example");
    assert_done(passkey_site_of("https://localhost:8441", &read, &test_error));
    assert_string_equal(read.origin, "https://localhost:8441");
    assert_string_equal(read.rp_id, "localhost");
    assert_fails(VAULT_INVALID, passkey_site_of("http://vault.example", &read, &test_error));
    assert_fails(VAULT_INVALID, passkey_site_of("https://", &read, &test_error));
    assert_fails(VAULT_INVALID, passkey_site_of("https://:8441", &read, &test_error));
    assert_fails(VAULT_INVALID, passkey_site_of("https://vault.example/x", &read, &test_error));
    assert_fails(VAULT_INVALID, passkey_site_of("https://vault.example:", &read, &test_error));
    assert_fails(VAULT_INVALID,
                 passkey_site_of("https://vault.example:8441:443", &read, &test_error));
    assert_fails(VAULT_INVALID, passkey_site_of("https://[::1]:8441", &read, &test_error));
    memset(name, 'a', sizeof name - 1);
    memcpy(name, "https://", 8);
    name[sizeof name - 1] = 0;
    assert_fails(VAULT_INVALID, passkey_site_of(name, &read, &test_error));
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(
        test_each_algorithm_is_read_and_verified,
        test_client_data_of_another_type_or_site_is_denied, test_a_frame_of_another_site_is_denied,
        test_what_is_no_client_data_is_refused, test_a_key_made_for_another_site_is_denied,
        test_a_key_made_without_verifying_the_person_is_denied,
        test_damaged_authenticator_data_give_no_key,
        test_a_list_that_says_it_has_more_than_there_is_gives_no_key,
        test_a_signature_holds_for_these_bytes_and_this_key_alone,
        test_using_it_for_another_site_or_unverified_is_denied,
        test_a_key_is_not_read_as_one_of_another_algorithm, test_the_site_is_what_browsers_call_it);
}
