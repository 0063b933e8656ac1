#include "vault/crypto/hpke.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "hpke_parts.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/hash.h"

#define VERSION_LABEL "HPKE-v1"
#define NONCE_BYTES   12
#define TAG_BYTES     16
#define KEM_ID        0x20 /* DHKEM(X25519, HKDF-SHA256) */
#define KDF_ID        0x01 /* HKDF-SHA256 */

const struct hpke_aead hpke_aes_128_gcm = {1, 16, "AES-128-GCM"};
const struct hpke_aead hpke_aes_256_gcm = {2, 32, "AES-256-GCM"};

/* The key of one message. Its nonce is used once, since the key is. */
struct message_key {
    struct secret *key;
    struct secret *nonce;
};

static void message_key_free(struct message_key *message)
{
    secret_free(&message->key);
    secret_free(&message->nonce);
}

static void pair_free(EVP_PKEY **pair)
{
    EVP_PKEY_free(*pair);
}

static void agreement_free(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

static void cipher_free(EVP_CIPHER **cipher)
{
    EVP_CIPHER_free(*cipher);
}

static void context_free(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}

/* --- The key derivation (RFC 9180, section 4) ----------------------------------------------- */

static const uint8_t kem_suite[] = {'K', 'E', 'M', 0, KEM_ID};

/* LabeledExtract. No salt is a key of zeros (RFC 5869, section 2.2). */
static enum vault_code extract(struct bytes salt, struct bytes suite, const char *label,
                               struct bytes input, struct secret **out, struct vault_error *err)
{
    static const uint8_t zeros[SHA256_BYTES];
    const struct bytes parts[] = {bytes_of_text(VERSION_LABEL), suite, bytes_of_text(label), input};
    VAULT_AUTO(secret_free) struct secret *pseudorandom = NULL;
    VAULT_TRY(secret_new(SHA256_BYTES, &pseudorandom, err));
    hmac_sha256(secret_data(pseudorandom), salt.size ? salt : (struct bytes){zeros, sizeof zeros},
                parts, sizeof parts / sizeof parts[0]);
    *out = VAULT_TAKE(pseudorandom);
    return VAULT_OK;
}

/* LabeledExpand to at most one hash. */
static enum vault_code expand(const struct secret *pseudorandom, struct bytes suite,
                              const char *label, struct bytes info, size_t size_bytes,
                              struct secret **out, struct vault_error *err)
{
    assert(size_bytes <= SHA256_BYTES);
    static const uint8_t first = 1;
    const uint8_t length[] = {0, (uint8_t)size_bytes};
    const struct bytes parts[] = {{length, sizeof length},
                                  bytes_of_text(VERSION_LABEL),
                                  suite,
                                  bytes_of_text(label),
                                  info,
                                  {&first, 1}};
    VAULT_AUTO(secret_free) struct secret *whole = NULL;
    VAULT_TRY(secret_new(SHA256_BYTES, &whole, err));
    hmac_sha256(secret_data(whole), secret_view(pseudorandom), parts,
                sizeof parts / sizeof parts[0]);
    return secret_copy((struct bytes){secret_data(whole), size_bytes}, out, err);
}

/* ExtractAndExpand of the key agreement's result: section 4.1. */
static enum vault_code shared_secret(const struct secret *agreed,
                                     const uint8_t encapsulated[HPKE_KEY_BYTES],
                                     const uint8_t recipient[HPKE_KEY_BYTES], struct secret **out,
                                     struct vault_error *err)
{
    uint8_t context[2 * HPKE_KEY_BYTES];
    const struct bytes suite = {kem_suite, sizeof kem_suite};
    VAULT_AUTO(secret_free) struct secret *pseudorandom = NULL;
    memcpy(context, encapsulated, HPKE_KEY_BYTES);
    memcpy(context + HPKE_KEY_BYTES, recipient, HPKE_KEY_BYTES);
    VAULT_TRY(
        extract((struct bytes){0}, suite, "eae_prk", secret_view(agreed), &pseudorandom, err));
    return expand(pseudorandom, suite, "shared_secret", (struct bytes){context, sizeof context},
                  SHA256_BYTES, out, err);
}

/* What the keys are bound to: the mode and the hashes of no pre-shared key and of info. */
static enum vault_code schedule_context(struct bytes suite, struct bytes info,
                                        uint8_t out[1 + 2 * SHA256_BYTES], struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *no_key = NULL;
    VAULT_AUTO(secret_free) struct secret *of_info = NULL;
    VAULT_TRY(extract((struct bytes){0}, suite, "psk_id_hash", (struct bytes){0}, &no_key, err));
    VAULT_TRY(extract((struct bytes){0}, suite, "info_hash", info, &of_info, err));
    out[0] = 0;
    memcpy(out + 1, secret_view(no_key).data, SHA256_BYTES);
    memcpy(out + 1 + SHA256_BYTES, secret_view(of_info).data, SHA256_BYTES);
    return VAULT_OK;
}

/* KeySchedule: section 5.1. */
static enum vault_code schedule(const struct hpke_aead *aead, const struct secret *shared,
                                struct bytes info, struct message_key *out, struct vault_error *err)
{
    const uint8_t name[] = {'H', 'P', 'K', 'E', 0, KEM_ID, 0, KDF_ID, 0, (uint8_t)aead->id};
    const struct bytes suite = {name, sizeof name};
    uint8_t bound[1 + 2 * SHA256_BYTES];
    const struct bytes context = {bound, sizeof bound};
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    VAULT_AUTO(message_key_free) struct message_key message = {0};
    VAULT_TRY(schedule_context(suite, info, bound, err));
    VAULT_TRY(extract(secret_view(shared), suite, "secret", (struct bytes){0}, &secret, err));
    VAULT_TRY(expand(secret, suite, "key", context, aead->key_bytes, &message.key, err));
    VAULT_TRY(expand(secret, suite, "base_nonce", context, NONCE_BYTES, &message.nonce, err));
    *out = (struct message_key){VAULT_TAKE(message.key), VAULT_TAKE(message.nonce)};
    return VAULT_OK;
}

/* --- X25519 (RFC 7748) ---------------------------------------------------------------------- */

enum vault_code hpke_public(const struct secret *private_key, uint8_t out[HPKE_KEY_BYTES],
                            struct vault_error *err)
{
    const struct bytes raw = secret_view(private_key);
    assert(raw.size == HPKE_KEY_BYTES);
    VAULT_AUTO(pair_free)
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, raw.data, raw.size);
    uint8_t public_key[HPKE_KEY_BYTES];
    size_t size = sizeof public_key;
    if (!pair || EVP_PKEY_get_raw_public_key(pair, public_key, &size) != 1)
        return crypto_fail(err, VAULT_NO_MEMORY, "making a key pair");
    memcpy(out, public_key, sizeof public_key);
    return VAULT_OK;
}

/* OpenSSL refuses the result that is all zeros, which a public key of small order gives. */
static enum vault_code agree(const struct secret *private_key,
                             const uint8_t public_key[HPKE_KEY_BYTES], struct secret **out,
                             struct vault_error *err)
{
    const struct bytes raw = secret_view(private_key);
    size_t size = HPKE_KEY_BYTES;
    VAULT_AUTO(secret_free) struct secret *agreed = NULL;
    VAULT_TRY(secret_new(HPKE_KEY_BYTES, &agreed, err));
    VAULT_AUTO(pair_free)
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, raw.data, raw.size);
    VAULT_AUTO(pair_free)
    EVP_PKEY *peer =
        EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, public_key, HPKE_KEY_BYTES);
    VAULT_AUTO(agreement_free)
    EVP_PKEY_CTX *context = own ? EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL) : NULL;
    if (!own || !peer || !context)
        return crypto_fail(err, VAULT_NO_MEMORY, "agreeing on a key");
    if (EVP_PKEY_derive_init(context) != 1 || EVP_PKEY_derive_set_peer(context, peer) != 1 ||
        EVP_PKEY_derive(context, secret_data(agreed), &size) != 1)
        return crypto_fail(err, VAULT_INVALID, "agreeing on a key");
    *out = VAULT_TAKE(agreed);
    return VAULT_OK;
}

/* --- The message ---------------------------------------------------------------------------- */

static bool encrypt(const struct hpke_aead *aead, const struct message_key *message,
                    struct bytes associated, struct bytes plain, uint8_t *place)
{
    int length = 0;
    VAULT_AUTO(cipher_free) EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, aead->name, NULL);
    VAULT_AUTO(context_free) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    return cipher && context &&
           EVP_EncryptInit_ex2(context, cipher, secret_view(message->key).data,
                               secret_view(message->nonce).data, NULL) == 1 &&
           EVP_EncryptUpdate(context, NULL, &length, associated.data, (int)associated.size) == 1 &&
           EVP_EncryptUpdate(context, place, &length, plain.data, (int)plain.size) == 1 &&
           EVP_EncryptFinal_ex(context, place + plain.size, &length) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, place + plain.size) == 1;
}

static bool decrypt(const struct hpke_aead *aead, const struct message_key *message,
                    struct bytes associated, struct bytes cipher_text, uint8_t *place)
{
    int length = 0;
    uint8_t tag[TAG_BYTES];
    const size_t size = cipher_text.size - TAG_BYTES;
    memcpy(tag, cipher_text.data + size, TAG_BYTES);
    VAULT_AUTO(cipher_free) EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, aead->name, NULL);
    VAULT_AUTO(context_free) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    return cipher && context &&
           EVP_DecryptInit_ex2(context, cipher, secret_view(message->key).data,
                               secret_view(message->nonce).data, NULL) == 1 &&
           EVP_DecryptUpdate(context, NULL, &length, associated.data, (int)associated.size) == 1 &&
           EVP_DecryptUpdate(context, place, &length, cipher_text.data, (int)size) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1 &&
           EVP_DecryptFinal_ex(context, place + size, &length) == 1;
}

enum vault_code hpke_seal_with(const struct hpke_aead *aead, const struct secret *ephemeral,
                               const uint8_t recipient[HPKE_KEY_BYTES], struct bytes info,
                               struct bytes associated, struct bytes plain, struct buf *out,
                               struct vault_error *err)
{
    assert(plain.size >= 1 && plain.size <= INT_MAX && associated.size <= INT_MAX);
    uint8_t encapsulated[HPKE_KEY_BYTES];
    VAULT_AUTO(secret_free) struct secret *agreed = NULL;
    VAULT_AUTO(secret_free) struct secret *shared = NULL;
    VAULT_AUTO(message_key_free) struct message_key message = {0};
    VAULT_TRY(hpke_public(ephemeral, encapsulated, err));
    VAULT_TRY(agree(ephemeral, recipient, &agreed, err));
    VAULT_TRY(shared_secret(agreed, encapsulated, recipient, &shared, err));
    VAULT_TRY(schedule(aead, shared, info, &message, err));
    const size_t before = out->size;
    buf_append(out, encapsulated, sizeof encapsulated);
    uint8_t *place = buf_extend(out, plain.size + TAG_BYTES);
    if (!place)
        return buf_check(out, err);
    if (encrypt(aead, &message, associated, plain, place))
        return VAULT_OK;
    out->size = before;
    return crypto_fail(err, VAULT_NO_MEMORY, "sealing to a public key");
}

enum vault_code hpke_open_with(const struct hpke_aead *aead, const struct secret *private_key,
                               struct bytes info, struct bytes associated, struct bytes sealed,
                               struct secret **out, struct vault_error *err)
{
    static const char wrong[] = "a text that was sealed to a public key does not open";
    uint8_t recipient[HPKE_KEY_BYTES];
    VAULT_AUTO(secret_free) struct secret *agreed = NULL;
    VAULT_AUTO(secret_free) struct secret *shared = NULL;
    VAULT_AUTO(secret_free) struct secret *plain = NULL;
    VAULT_AUTO(message_key_free) struct message_key message = {0};
    if (sealed.size <= HPKE_OVERHEAD_BYTES || sealed.size > HPKE_OVERHEAD_BYTES + SECRET_MAX_BYTES)
        return vault_fail(err, VAULT_CORRUPT, "%s: its size is wrong", wrong);
    const struct bytes cipher_text = {sealed.data + HPKE_KEY_BYTES, sealed.size - HPKE_KEY_BYTES};
    VAULT_TRY(hpke_public(private_key, recipient, err));
    const enum vault_code code = agree(private_key, sealed.data, &agreed, err);
    if (code)
        return code == VAULT_INVALID ? vault_fail(err, VAULT_CORRUPT, "%s", wrong) : code;
    VAULT_TRY(shared_secret(agreed, sealed.data, recipient, &shared, err));
    VAULT_TRY(schedule(aead, shared, info, &message, err));
    VAULT_TRY(secret_new(sealed.size - HPKE_OVERHEAD_BYTES, &plain, err));
    if (!decrypt(aead, &message, associated, cipher_text, secret_data(plain)))
        return crypto_fail(err, VAULT_CORRUPT, wrong);
    *out = VAULT_TAKE(plain);
    return VAULT_OK;
}

enum vault_code hpke_seal(const uint8_t recipient[HPKE_KEY_BYTES], struct bytes info,
                          struct bytes associated, struct bytes plain, struct buf *out,
                          struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *ephemeral = NULL;
    VAULT_TRY(secret_random(HPKE_KEY_BYTES, &ephemeral, err));
    return hpke_seal_with(&hpke_aes_256_gcm, ephemeral, recipient, info, associated, plain, out,
                          err);
}

enum vault_code hpke_open(const struct secret *private_key, struct bytes info,
                          struct bytes associated, struct bytes sealed, struct secret **out,
                          struct vault_error *err)
{
    return hpke_open_with(&hpke_aes_256_gcm, private_key, info, associated, sealed, out, err);
}
