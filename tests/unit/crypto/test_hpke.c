/* RFC 9180, appendix A.1.1: base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. */
#include "test.h"

#include "crypto/hpke_parts.h"
#include "vault/crypto/crypto.h"

#define SK_E "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736"
#define PK_E "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
#define SK_R "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"
#define PK_R "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"
#define INFO "4f6465206f6e2061204772656369616e2055726e"
#define AAD  "436f756e742d30"
#define PT   "4265617574792069732074727574682c20747275746820626561757479"
#define CT                                                                                         \
    "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"

static struct secret *secret_of(const char *hex)
{
    struct secret *out = NULL;
    VAULT_AUTO(buf_finish) struct buf raw = test_hex(hex);
    assert_done(secret_copy(buf_view(&raw), &out, &test_error));
    return out;
}

static void test_the_public_keys_are_those_of_the_vector(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{SK_E, PK_E}, {SK_R, PK_R}};
    for (size_t i = 0; i < 2; i++) {
        uint8_t got[HPKE_KEY_BYTES];
        VAULT_AUTO(secret_free) struct secret *key = secret_of(pairs[i][0]);
        VAULT_AUTO(buf_finish) struct buf wanted = test_hex(pairs[i][1]);
        assert_done(hpke_public(key, got, &test_error));
        assert_memory_equal(got, wanted.data, sizeof got);
    }
}

static void test_the_vector_is_sealed_byte_for_byte(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *ephemeral = secret_of(SK_E);
    VAULT_AUTO(buf_finish) struct buf recipient = test_hex(PK_R);
    VAULT_AUTO(buf_finish) struct buf info = test_hex(INFO);
    VAULT_AUTO(buf_finish) struct buf associated = test_hex(AAD);
    VAULT_AUTO(buf_finish) struct buf plain = test_hex(PT);
    VAULT_AUTO(buf_finish) struct buf wanted = test_hex(PK_E CT);
    VAULT_AUTO(buf_finish) struct buf got = buf_limited(200);
    assert_done(hpke_seal_with(&hpke_aes_128_gcm, ephemeral, recipient.data, buf_view(&info),
                               buf_view(&associated), buf_view(&plain), &got, &test_error));
    assert_true(bytes_equal(buf_view(&got), buf_view(&wanted)));
}

static void test_the_vector_opens(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = secret_of(SK_R);
    VAULT_AUTO(secret_free) struct secret *plain = NULL;
    VAULT_AUTO(buf_finish) struct buf info = test_hex(INFO);
    VAULT_AUTO(buf_finish) struct buf associated = test_hex(AAD);
    VAULT_AUTO(buf_finish) struct buf sealed = test_hex(PK_E CT);
    VAULT_AUTO(buf_finish) struct buf wanted = test_hex(PT);
    assert_done(hpke_open_with(&hpke_aes_128_gcm, key, buf_view(&info), buf_view(&associated),
                               buf_view(&sealed), &plain, &test_error));
    assert_true(bytes_equal(secret_view(plain), buf_view(&wanted)));
}

/* A key pair, and a text sealed to it as the vault does. */
static struct secret *private_key;
static uint8_t public_key[HPKE_KEY_BYTES];
static struct buf sealed;

static void seal_something(void)
{
    secret_free(&private_key);
    buf_finish(&sealed);
    sealed = buf_limited(200);
    assert_done(secret_random(HPKE_KEY_BYTES, &private_key, &test_error));
    assert_done(hpke_public(private_key, public_key, &test_error));
    assert_done(hpke_seal(public_key, BYTES("what"), BYTES("whose"), BYTES("a text of 17 byte"),
                          &sealed, &test_error));
}

static enum vault_code try_open(const struct secret *key, struct bytes info,
                                struct bytes associated, struct bytes text)
{
    VAULT_AUTO(secret_free) struct secret *plain = NULL;
    const enum vault_code code = hpke_open(key, info, associated, text, &plain, &test_error);
    assert_true((plain != NULL) == (code == VAULT_OK));
    return code;
}

static void test_what_is_sealed_opens_with_the_private_key(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *plain = NULL;
    seal_something();
    assert_int_equal(sealed.size, 17 + HPKE_OVERHEAD_BYTES);
    assert_done(hpke_open(private_key, BYTES("what"), BYTES("whose"), buf_view(&sealed), &plain,
                          &test_error));
    assert_true(bytes_equal(secret_view(plain), BYTES("a text of 17 byte")));
}

static void test_sealing_twice_gives_two_texts(void **state)
{
    (void)state;
    seal_something();
    VAULT_AUTO(buf_finish) struct buf again = buf_limited(200);
    assert_done(hpke_seal(public_key, BYTES("what"), BYTES("whose"), BYTES("a text of 17 byte"),
                          &again, &test_error));
    assert_memory_not_equal(sealed.data, again.data, HPKE_KEY_BYTES);
    assert_memory_not_equal(sealed.data + HPKE_KEY_BYTES, again.data + HPKE_KEY_BYTES, 17);
}

static void test_it_opens_for_nothing_else(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *stranger = NULL;
    seal_something();
    const struct bytes text = buf_view(&sealed);
    assert_done(secret_random(HPKE_KEY_BYTES, &stranger, &test_error));
    assert_fails(VAULT_CORRUPT, try_open(stranger, BYTES("what"), BYTES("whose"), text));
    assert_fails(VAULT_CORRUPT, try_open(private_key, BYTES("what!"), BYTES("whose"), text));
    assert_fails(VAULT_CORRUPT, try_open(private_key, BYTES("what"), BYTES("whos"), text));
    assert_fails(VAULT_CORRUPT, try_open(private_key, BYTES(""), BYTES(""), text));
    assert_done(try_open(private_key, BYTES("what"), BYTES("whose"), text));
}

static void test_a_changed_byte_or_a_cut_does_not_open(void **state)
{
    (void)state;
    seal_something();
    for (size_t i = 0; i < sealed.size; i++) {
        if (i == HPKE_KEY_BYTES - 1)
            continue; /* X25519 does not look at the highest bit; the context does */
        sealed.data[i] ^= 4;
        assert_fails(VAULT_CORRUPT,
                     try_open(private_key, BYTES("what"), BYTES("whose"), buf_view(&sealed)));
        sealed.data[i] ^= 4;
    }
    sealed.data[HPKE_KEY_BYTES - 1] ^= 0x80;
    assert_fails(VAULT_CORRUPT,
                 try_open(private_key, BYTES("what"), BYTES("whose"), buf_view(&sealed)));
    sealed.data[HPKE_KEY_BYTES - 1] ^= 0x80;
    for (size_t size = 0; size < sealed.size; size++)
        assert_fails(VAULT_CORRUPT, try_open(private_key, BYTES("what"), BYTES("whose"),
                                             (struct bytes){sealed.data, size}));
}

static void test_a_public_key_of_small_order_is_refused(void **state)
{
    (void)state;
    static const uint8_t zero[HPKE_KEY_BYTES];
    seal_something();
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(200);
    assert_fails(VAULT_INVALID,
                 hpke_seal(zero, BYTES("what"), BYTES("whose"), BYTES("x"), &out, &test_error));
    assert_int_equal(out.size, 0);
    memset(sealed.data, 0, HPKE_KEY_BYTES);
    assert_fails(VAULT_CORRUPT,
                 try_open(private_key, BYTES("what"), BYTES("whose"), buf_view(&sealed)));
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    const int failed = TEST_RUN(
        test_the_public_keys_are_those_of_the_vector, test_the_vector_is_sealed_byte_for_byte,
        test_the_vector_opens, test_what_is_sealed_opens_with_the_private_key,
        test_sealing_twice_gives_two_texts, test_it_opens_for_nothing_else,
        test_a_changed_byte_or_a_cut_does_not_open, test_a_public_key_of_small_order_is_refused);
    secret_free(&private_key);
    buf_finish(&sealed);
    return failed;
}
