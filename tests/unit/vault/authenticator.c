#include "authenticator.h"

#include <openssl/core_names.h>

#include "vault/crypto/hash.h"
#include "vault/crypto/secret.h"

#define ANSWER_BYTES_MAX 4096

void authenticator_open(struct authenticator *authenticator, enum authenticator_kind kind)
{
    *authenticator = (struct authenticator){
        .kind = kind,
        .count = 1,
        .flags = AUTHENTICATOR_PRESENT | AUTHENTICATOR_VERIFIED,
        .origin = "https://vault.example:8442",
        .rp_id = "vault.example",
        .client_data = buf_limited(ANSWER_BYTES_MAX),
        .data = buf_limited(ANSWER_BYTES_MAX),
        .signature = buf_limited(ANSWER_BYTES_MAX),
    };
    random_bytes(authenticator->credential, sizeof authenticator->credential);
    if (kind == AUTHENTICATOR_ES256)
        authenticator->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    else if (kind == AUTHENTICATOR_EDDSA)
        authenticator->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    else
        authenticator->key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    assert_non_null(authenticator->key);
}

void authenticator_close(struct authenticator *authenticator)
{
    EVP_PKEY_free(authenticator->key);
    buf_finish(&authenticator->client_data);
    buf_finish(&authenticator->data);
    buf_finish(&authenticator->signature);
}

static void write_number(struct buf *out, const EVP_PKEY *key, const char *name, int size)
{
    BIGNUM *number = NULL;
    uint8_t bytes[256];
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    assert_int_equal(BN_bn2binpad(number, bytes, size), size);
    buf_append(out, bytes, (size_t)size);
    BN_free(number);
}

/* RFC 8152 section 13, RFC 8230 section 4. */
static void write_cose(const struct authenticator *authenticator, struct buf *out)
{
    uint8_t raw[32];
    size_t size = sizeof raw;
    switch (authenticator->kind) {
    case AUTHENTICATOR_ES256:
        buf_append(out, "\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", 10);
        write_number(out, authenticator->key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
        buf_append(out, "\x22\x58\x20", 3);
        write_number(out, authenticator->key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
        break;
    case AUTHENTICATOR_EDDSA:
        buf_append(out, "\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20", 10);
        assert_int_equal(EVP_PKEY_get_raw_public_key(authenticator->key, raw, &size), 1);
        buf_append(out, raw, size);
        break;
    case AUTHENTICATOR_RS256:
        buf_append(out, "\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00", 11);
        write_number(out, authenticator->key, OSSL_PKEY_PARAM_RSA_N, 256);
        buf_append(out, "\x21\x43", 2);
        write_number(out, authenticator->key, OSSL_PKEY_PARAM_RSA_E, 3);
        break;
    }
}

static void write_client_data(struct authenticator *authenticator, const char *type,
                              const char *challenge)
{
    buf_clear(&authenticator->client_data);
    buf_format(&authenticator->client_data,
               "{\"type\":\"%s\",\"challenge\":\"%s\",\"origin\":\"%s\"%s}",
               authenticator->type ? authenticator->type : type, challenge, authenticator->origin,
               authenticator->client_more ? authenticator->client_more : ",\"crossOrigin\":false");
}

/* WebAuthn section 6.1. */
static void write_data(struct authenticator *authenticator, uint8_t flags)
{
    uint8_t hash[SHA256_BYTES];
    sha256_of(hash, bytes_of_text(authenticator->rp_id));
    buf_clear(&authenticator->data);
    buf_append(&authenticator->data, hash, sizeof hash);
    buf_byte(&authenticator->data, flags);
    buf_u32(&authenticator->data, authenticator->count);
}

static void give_answer(struct authenticator *authenticator)
{
    authenticator->answer = (struct sign_in_passkey_answer){
        .credential = {authenticator->credential, sizeof authenticator->credential},
        .client_data = buf_view(&authenticator->client_data),
        .authenticator_data = buf_view(&authenticator->data),
        .signature = buf_view(&authenticator->signature),
    };
}

void authenticator_create(struct authenticator *authenticator, const char *challenge)
{
    static const uint8_t no_model[16];
    write_client_data(authenticator, "webauthn.create", challenge);
    write_data(authenticator, authenticator->flags | AUTHENTICATOR_ATTESTED);
    buf_append(&authenticator->data, no_model, sizeof no_model);
    buf_u16(&authenticator->data, sizeof authenticator->credential);
    buf_append(&authenticator->data, authenticator->credential, sizeof authenticator->credential);
    write_cose(authenticator, &authenticator->data);
    buf_clear(&authenticator->signature);
    give_answer(authenticator);
}

void authenticator_sign(struct authenticator *authenticator, const char *challenge)
{
    uint8_t hash[SHA256_BYTES];
    uint8_t signature[512];
    size_t size = sizeof signature;
    const bool hashes = authenticator->kind != AUTHENTICATOR_EDDSA;
    VAULT_AUTO(buf_finish) struct buf signed_bytes = buf_limited(ANSWER_BYTES_MAX);
    authenticator->count += authenticator->count > 0;
    write_client_data(authenticator, "webauthn.get", challenge);
    write_data(authenticator, authenticator->flags);
    sha256_of(hash, buf_view(&authenticator->client_data));
    buf_bytes(&signed_bytes, buf_view(&authenticator->data));
    buf_append(&signed_bytes, hash, sizeof hash);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(
        EVP_DigestSignInit(context, NULL, hashes ? EVP_sha256() : NULL, NULL, authenticator->key),
        1);
    assert_int_equal(
        EVP_DigestSign(context, signature, &size, signed_bytes.data, signed_bytes.size), 1);
    EVP_MD_CTX_free(context);
    buf_clear(&authenticator->signature);
    buf_append(&authenticator->signature, signature, size);
    give_answer(authenticator);
}
