#include "vault/crypto/jws.h"

#include "test.h"
#include "vault/base/codec.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"

#define TYP  "test+jws"
#define ROOM (600UL * 1024)

static struct sign_key *key;
static uint8_t public_key[SIGN_PUBLIC_BYTES];

static int begin(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    json_start();
    assert_done(crypto_start(true, &test_error));
    assert_done(secret_random(SIGN_SEED_BYTES, &seed, &test_error));
    assert_done(sign_key_of_seed(seed, &key, &test_error));
    sign_key_public(key, public_key);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sign_key_free(&key);
    return 0;
}

static struct buf signed_text(const char *payload)
{
    struct buf out = buf_limited(ROOM);
    assert_done(jws_sign(key, "k", TYP, bytes_of_text(payload), &out, &test_error));
    return out;
}

static enum vault_code verify(struct bytes compact, const char *typ)
{
    VAULT_AUTO(buf_finish) struct buf payload = buf_limited(ROOM);
    const enum vault_code code = jws_verify(public_key, typ, compact, &payload, &test_error);
    if (code)
        assert_int_equal(payload.size, 0);
    return code;
}

/* RFC 8037, appendix A.4: the key is that of A.1. */
static void test_the_vector_of_the_standard_holds(void **state)
{
    (void)state;
    static const char compact[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                                  "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
                                  "hVsPt9g7sVvpAr_MuM0KAg";
    VAULT_AUTO(buf_finish) struct buf x = buf_limited(64);
    VAULT_AUTO(buf_finish) struct buf payload = buf_limited(ROOM);
    assert_done(
        base64url_decode(&x, BYTES("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"), &test_error));
    assert_done(jws_verify(x.data, NULL, bytes_of_text(compact), &payload, &test_error));
    assert_string_equal(buf_string(&payload), "Example of Ed25519 signing");
}

static void test_what_was_signed_comes_back(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf compact = signed_text("{\"a\":1}");
    VAULT_AUTO(buf_finish) struct buf payload = buf_limited(ROOM);
    assert_done(jws_verify(public_key, TYP, buf_view(&compact), &payload, &test_error));
    assert_string_equal(buf_string(&payload), "{\"a\":1}");
}

static void test_no_byte_of_it_can_be_changed(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf compact = signed_text("{\"a\":1}");
    for (size_t i = 0; i < compact.size; i++) {
        const uint8_t before = compact.data[i];
        compact.data[i] = before == 'A' ? 'B' : 'A';
        assert_int_not_equal(verify(buf_view(&compact), TYP), VAULT_OK);
        compact.data[i] = before;
    }
    for (size_t size = 0; size < compact.size; size++)
        assert_int_not_equal(verify((struct bytes){compact.data, size}, TYP), VAULT_OK);
    assert_done(verify(buf_view(&compact), TYP));
}

static void test_another_key_or_type_is_refused(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf compact = signed_text("{}");
    assert_fails(VAULT_INVALID, verify(buf_view(&compact), "other+jws"));
    public_key[0] ^= 1;
    assert_fails(VAULT_DENIED, verify(buf_view(&compact), TYP));
    public_key[0] ^= 1;
}

/* A header of somebody else's making, signed with the right key, is refused all the same. */
static void test_only_our_kind_of_header_is_read(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"HS256\"}",
        "{\"alg\":\"eddsa\"}",
        "{\"typ\":\"test+jws\"}",
        "{\"alg\":\"EdDSA\",\"crit\":[\"b64\"],\"b64\":false}",
        "{\"alg\":\"EdDSA\",\"jwk\":{}}",
        "{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\"}",
        "{\"alg\":\"EdDSA\",\"kid\":7}",
        "[\"EdDSA\"]",
        "",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        uint8_t signature[SIGN_SIGNATURE_BYTES];
        VAULT_AUTO(buf_finish) struct buf compact = buf_limited(ROOM);
        base64url_encode(&compact, bytes_of_text(headers[i]));
        buf_text(&compact, ".e30");
        assert_done(sign_message(key, buf_view(&compact), signature, &test_error));
        buf_byte(&compact, '.');
        base64url_encode(&compact, (struct bytes){signature, sizeof signature});
        assert_fails(VAULT_INVALID, verify(buf_view(&compact), NULL));
    }
}

static void test_what_is_no_such_text_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", ".", "..", "...", "a.b", "a.b.c.d", "a b.c.d", "=.=.="};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(VAULT_INVALID, verify(bytes_of_text(wrong[i]), TYP));
}

static void test_too_much_is_refused(void **state)
{
    (void)state;
    static uint8_t much[JWS_PAYLOAD_MAX_BYTES + 1];
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(ROOM);
    assert_fails(VAULT_TOO_LARGE,
                 jws_sign(key, "k", TYP, (struct bytes){much, sizeof much}, &out, &test_error));
    assert_int_equal(out.size, 0);
    assert_done(jws_sign(key, "k", TYP, (struct bytes){much, sizeof much - 1}, &out, &test_error));
    assert_done(verify(buf_view(&out), TYP));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_vector_of_the_standard_holds),
        cmocka_unit_test(test_what_was_signed_comes_back),
        cmocka_unit_test(test_no_byte_of_it_can_be_changed),
        cmocka_unit_test(test_another_key_or_type_is_refused),
        cmocka_unit_test(test_only_our_kind_of_header_is_read),
        cmocka_unit_test(test_what_is_no_such_text_is_refused),
        cmocka_unit_test(test_too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
