#include "passkey_verify.h"

/* libfido2 1.12 declares functions with types that OpenSSL 3 hides as deprecated; none is called.
 */
typedef struct ec_key_st EC_KEY;
typedef struct rsa_st RSA;

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <stdio.h>
#include <string.h>

#include "cbor.h"
#include "vault/base/json.h"
#include "vault/crypto/hash.h"

#define CLIENT_DEPTH_MAX 3
#define FLAG_PRESENT     0x01
#define FLAG_VERIFIED    0x04
#define FLAG_ATTESTED    0x40
#define COUNTER_BYTES    4
#define AAGUID_BYTES     16

static const int algorithms[] = {COSE_ES256, COSE_EDDSA, COSE_RS256};

static enum vault_code denied(struct vault_error *err, const char *why)
{
    return vault_fail(err, VAULT_DENIED, "the passkey is not accepted: %s", why);
}

/* --- What the browser says ------------------------------------------------------------------ */

static bool is_text(const json_t *root, const char *name, const char *wanted)
{
    const json_t *value = json_object_get(root, name);
    return json_is_string(value) && bytes_equal(json_text(value), bytes_of_text(wanted));
}

enum vault_code passkey_read_client(const struct passkey_site *site, const char *type,
                                    struct bytes client_data,
                                    char challenge[PASSKEY_CHALLENGE_CHARS + 1],
                                    struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    if (client_data.size > PASSKEY_CLIENT_DATA_BYTES)
        return vault_fail(err, VAULT_INVALID, "the client data is too long");
    if (json_parse(client_data, CLIENT_DEPTH_MAX, &root, NULL, NULL) || !json_is_object(root))
        return vault_fail(err, VAULT_INVALID, "the client data is no JSON object");
    const json_t *text = json_object_get(root, "challenge");
    const json_t *crossed = json_object_get(root, "crossOrigin");
    if (!is_text(root, "type", type))
        return denied(err, "its client data is of another type");
    if (!is_text(root, "origin", site->origin))
        return denied(err, "it was asked for by another site");
    if ((crossed && !json_is_false(crossed)) || json_object_get(root, "topOrigin"))
        return denied(err, "it was asked for in a frame of another site");
    if (!json_is_string(text) || json_string_length(text) != PASSKEY_CHALLENGE_CHARS ||
        strlen(json_string_value(text)) != PASSKEY_CHALLENGE_CHARS)
        return denied(err, "it answers no challenge of ours");
    memcpy(challenge, json_string_value(text), PASSKEY_CHALLENGE_CHARS + 1);
    return VAULT_OK;
}

/* Authenticator data begin with the SHA-256 of the site's name (section 6.1). */
static bool is_for_site(const struct passkey_site *site, struct bytes authenticator_data)
{
    uint8_t hash[SHA256_BYTES];
    sha256_of(hash, bytes_of_text(site->rp_id));
    return authenticator_data.size > sizeof hash &&
           memcmp(authenticator_data.data, hash, sizeof hash) == 0;
}

/* Whether what is behind the fixed parts of authenticator data can be read without harm: the key of
 * a new passkey, and extensions (section 6.1). */
static bool is_bounded(struct bytes authenticator_data, bool is_new)
{
    struct cursor at = cursor_over(authenticator_data);
    cursor_take(&at, SHA256_BYTES);
    const uint8_t flags = cursor_u8(&at);
    cursor_take(&at, COUNTER_BYTES);
    if (is_new && (flags & FLAG_ATTESTED)) {
        cursor_take(&at, AAGUID_BYTES);
        cursor_take(&at, cursor_u16(&at));
    }
    return !at.truncated && cbor_is_bounded(cursor_take(&at, at.left));
}

/* --- A new one ------------------------------------------------------------------------------ */

static void free_credential(fido_cred_t **credential)
{
    fido_cred_free(credential);
}

/* libfido2 reads a key only if it was told its algorithm before. */
static fido_cred_t *read_credential(struct bytes authenticator_data)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        VAULT_AUTO(free_credential) fido_cred_t *credential = fido_cred_new();
        if (!credential || fido_cred_set_type(credential, algorithms[i]) != FIDO_OK)
            return NULL;
        if (fido_cred_set_authdata_raw(credential, authenticator_data.data,
                                       authenticator_data.size) == FIDO_OK)
            return VAULT_TAKE(credential);
    }
    return NULL;
}

static enum vault_code copy_credential(const fido_cred_t *credential, struct passkey *out,
                                       struct vault_error *err)
{
    const size_t id_bytes = fido_cred_id_len(credential);
    const size_t key_bytes = fido_cred_pubkey_len(credential);
    if (id_bytes == 0 || id_bytes > sizeof out->credential || key_bytes == 0 ||
        key_bytes > sizeof out->key)
        return vault_fail(err, VAULT_INVALID, "the new passkey has no credential or no key");
    memcpy(out->credential, fido_cred_id_ptr(credential), id_bytes);
    memcpy(out->key, fido_cred_pubkey_ptr(credential), key_bytes);
    out->credential_bytes = id_bytes;
    out->key_bytes = key_bytes;
    out->algorithm = fido_cred_type(credential);
    out->sign_count = fido_cred_sigcount(credential);
    return VAULT_OK;
}

enum vault_code passkey_verify_made(const struct passkey_site *site,
                                    struct bytes authenticator_data, struct passkey *out,
                                    struct vault_error *err)
{
    if (authenticator_data.size > PASSKEY_AUTHENTICATOR_BYTES)
        return vault_fail(err, VAULT_INVALID, "the authenticator data are too long");
    if (!is_for_site(site, authenticator_data))
        return denied(err, "it was made for another site");
    VAULT_AUTO(free_credential)
    fido_cred_t *credential =
        is_bounded(authenticator_data, true) ? read_credential(authenticator_data) : NULL;
    if (!credential)
        return vault_fail(err, VAULT_INVALID,
                          "the authenticator data hold no key of ES256, EdDSA or RS256");
    const uint8_t flags = fido_cred_flags(credential);
    if (!(flags & FLAG_PRESENT) || !(flags & FLAG_VERIFIED))
        return denied(err, "the person was not verified");
    return copy_credential(credential, out, err);
}

/* --- One that signs ------------------------------------------------------------------------- */

static void free_assertion(fido_assert_t **assertion)
{
    fido_assert_free(assertion);
}

static void free_es256(es256_pk_t **key)
{
    es256_pk_free(key);
}

static void free_eddsa(eddsa_pk_t **key)
{
    eddsa_pk_free(key);
}

static void free_rs256(rs256_pk_t **key)
{
    rs256_pk_free(key);
}

/* libfido2 has a type of key for each algorithm. */
static bool verify_signature(const fido_assert_t *assertion, const struct passkey *passkey)
{
    VAULT_AUTO(free_es256) es256_pk_t *es256 = NULL;
    VAULT_AUTO(free_eddsa) eddsa_pk_t *eddsa = NULL;
    VAULT_AUTO(free_rs256) rs256_pk_t *rs256 = NULL;
    const void *key = NULL;
    int read = FIDO_ERR_INVALID_ARGUMENT;
    if (passkey->algorithm == COSE_ES256 && (key = es256 = es256_pk_new()))
        read = es256_pk_from_ptr(es256, passkey->key, passkey->key_bytes);
    else if (passkey->algorithm == COSE_EDDSA && (key = eddsa = eddsa_pk_new()))
        read = eddsa_pk_from_ptr(eddsa, passkey->key, passkey->key_bytes);
    else if (passkey->algorithm == COSE_RS256 && (key = rs256 = rs256_pk_new()))
        read = rs256_pk_from_ptr(rs256, passkey->key, passkey->key_bytes);
    return read == FIDO_OK && fido_assert_verify(assertion, 0, passkey->algorithm, key) == FIDO_OK;
}

static bool fill_assertion(fido_assert_t *assertion, const struct passkey_site *site,
                           const struct sign_in_passkey_answer *answer)
{
    uint8_t hash[SHA256_BYTES];
    sha256_of(hash, answer->client_data);
    return fido_assert_set_count(assertion, 1) == FIDO_OK &&
           fido_assert_set_rp(assertion, site->rp_id) == FIDO_OK &&
           fido_assert_set_clientdata_hash(assertion, hash, sizeof hash) == FIDO_OK &&
           fido_assert_set_authdata_raw(assertion, 0, answer->authenticator_data.data,
                                        answer->authenticator_data.size) == FIDO_OK &&
           fido_assert_set_sig(assertion, 0, answer->signature.data, answer->signature.size) ==
               FIDO_OK &&
           fido_assert_set_up(assertion, FIDO_OPT_TRUE) == FIDO_OK &&
           fido_assert_set_uv(assertion, FIDO_OPT_TRUE) == FIDO_OK;
}

enum vault_code passkey_verify_used(const struct passkey_site *site, const struct passkey *passkey,
                                    const struct sign_in_passkey_answer *answer,
                                    uint32_t *sign_count, struct vault_error *err)
{
    if (answer->authenticator_data.size > PASSKEY_AUTHENTICATOR_BYTES ||
        !is_for_site(site, answer->authenticator_data))
        return denied(err, "it was used for another site");
    VAULT_AUTO(free_assertion) fido_assert_t *assertion = fido_assert_new();
    if (!assertion)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    if (!is_bounded(answer->authenticator_data, false) || !fill_assertion(assertion, site, answer))
        return denied(err, "its data cannot be read");
    if (!verify_signature(assertion, passkey))
        return denied(err, "its signature is wrong, or the person was not verified");
    *sign_count = fido_assert_sigcount(assertion, 0);
    return VAULT_OK;
}
