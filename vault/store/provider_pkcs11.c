/*
 * The provider "pkcs11": an AES key that a token makes, keeps, and never gives out (Cryptoki
 * v2.40). The root goes in and comes back wrapped with AES-256-GCM. The module is loaded only while
 * the vault opens or its root changes; the note in the keyring is the key's id.
 *
 * A wrapped root: nonce 12 bytes, ciphertext, tag 16 bytes, as seal.h lays it out.
 */
#define CRYPTOKI_GNU
#include <assert.h>
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>

#include "provider_kinds.h"

#define ID_BYTES    16
#define NONCE_BYTES 12
#define TAG_BITS    128
#define SLOTS_MAX   64
#define LABEL_CHARS 32

struct token {
    void *module;
    struct ck_function_list *calls;
    bool initialized; /* by us, so that it is ours to finish */
    ck_session_handle_t session;
    bool has_session;
    ck_object_handle_t key;
    uint8_t id[ID_BYTES];
};

/* What a token says, in our codes and words. */
static const struct {
    ck_rv_t result;
    enum vault_code code;
    const char *words;
} results[] = {
    {CKR_PIN_INCORRECT, VAULT_DENIED, "it does not accept the PIN"},
    {CKR_PIN_INVALID, VAULT_DENIED, "it does not accept the PIN"},
    {CKR_PIN_LEN_RANGE, VAULT_DENIED, "it does not accept the PIN"},
    {CKR_PIN_EXPIRED, VAULT_DENIED, "its PIN has expired"},
    {CKR_PIN_LOCKED, VAULT_DENIED, "its PIN is locked after too many wrong ones"},
    {CKR_USER_PIN_NOT_INITIALIZED, VAULT_DENIED, "it has no PIN for users yet"},
    {CKR_ENCRYPTED_DATA_INVALID, VAULT_CORRUPT, "what its key wrapped does not open"},
    {CKR_ENCRYPTED_DATA_LEN_RANGE, VAULT_CORRUPT, "what its key wrapped does not open"},
    {CKR_MECHANISM_INVALID, VAULT_INVALID, "it cannot do AES-GCM with 256 bits"},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, VAULT_INVALID, "its key may not encrypt and decrypt"},
    {CKR_DEVICE_MEMORY, VAULT_IO, "it has no room"},
    {CKR_TOKEN_WRITE_PROTECTED, VAULT_IO, "it is write-protected"},
    {CKR_HOST_MEMORY, VAULT_NO_MEMORY, "out of memory"},
};

static enum vault_code token_fail(ck_rv_t result, const char *doing, struct vault_error *err)
{
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        if (results[i].result == result)
            return vault_fail(err, results[i].code, "the token, %s: %s", doing, results[i].words);
    }
    return vault_fail(err, VAULT_UNAVAILABLE, "the token, %s: error 0x%lx", doing,
                      (unsigned long)result);
}

static void token_close(struct token **token)
{
    struct token *gone = VAULT_TAKE(*token);
    if (!gone)
        return;
    if (gone->has_session) {
        gone->calls->C_Logout(gone->session);
        gone->calls->C_CloseSession(gone->session);
    }
    if (gone->initialized)
        gone->calls->C_Finalize(NULL);
    if (gone->module)
        dlclose(gone->module);
    free(gone);
}

/* --- Finding the token ---------------------------------------------------------------------- */

static enum vault_code load(struct token *token, const char *path, struct vault_error *err)
{
    union {
        void *found;
        ck_rv_t (*call)(struct ck_function_list **list);
    } entry;
    token->module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!token->module)
        return vault_fail(err, VAULT_UNAVAILABLE, "the PKCS #11 module %s cannot be loaded", path);
    entry.found = dlsym(token->module, "C_GetFunctionList");
    if (!entry.found || entry.call(&token->calls) != CKR_OK)
        return vault_fail(err, VAULT_INVALID, "%s is no PKCS #11 module", path);
    struct ck_c_initialize_args threads = {.flags = CKF_OS_LOCKING_OK};
    const ck_rv_t result = token->calls->C_Initialize(&threads);
    if (result && result != CKR_CRYPTOKI_ALREADY_INITIALIZED)
        return token_fail(result, "starting its module", err);
    token->initialized = result == CKR_OK;
    return VAULT_OK;
}

/* Labels on tokens are padded with blanks. */
static bool label_is(const unsigned char label[LABEL_CHARS], const char *wanted)
{
    const size_t size = strlen(wanted);
    if (size > LABEL_CHARS || memcmp(label, wanted, size) != 0)
        return false;
    for (size_t i = size; i < LABEL_CHARS; i++) {
        if (label[i] != ' ')
            return false;
    }
    return true;
}

static enum vault_code find_slot(const struct token *token, const char *label, ck_slot_id_t *out,
                                 struct vault_error *err)
{
    ck_slot_id_t slots[SLOTS_MAX];
    unsigned long count = SLOTS_MAX;
    unsigned found = 0;
    const ck_rv_t result = token->calls->C_GetSlotList(1, slots, &count);
    if (result)
        return token_fail(result, "listing the slots", err);
    for (unsigned long i = 0; i < count; i++) {
        struct ck_token_info info;
        if (token->calls->C_GetTokenInfo(slots[i], &info) || !label_is(info.label, label))
            continue;
        *out = slots[i];
        found++;
    }
    if (found == 0)
        return vault_fail(err, VAULT_UNAVAILABLE, "there is no token \"%s\" in any slot", label);
    if (found > 1)
        return vault_fail(err, VAULT_CONFLICT, "there are several tokens \"%s\"", label);
    return VAULT_OK;
}

static enum vault_code log_in(struct token *token, const struct keyring_provider *options,
                              bool to_write, struct vault_error *err)
{
    ck_slot_id_t slot = 0;
    VAULT_TRY(find_slot(token, options->token, &slot, err));
    ck_rv_t result = token->calls->C_OpenSession(
        slot, CKF_SERIAL_SESSION | (to_write ? CKF_RW_SESSION : 0), NULL, NULL, &token->session);
    if (result)
        return token_fail(result, "opening a session", err);
    token->has_session = true;
    VAULT_AUTO(secret_free) struct secret *pin = NULL; /* Cryptoki does not say const */
    VAULT_TRY(secret_copy(secret_view(options->secret), &pin, err));
    result =
        token->calls->C_Login(token->session, CKU_USER, secret_data(pin), secret_view(pin).size);
    if (result && result != CKR_USER_ALREADY_LOGGED_IN)
        return token_fail(result, "logging in", err);
    return VAULT_OK;
}

static enum vault_code token_open(const struct keyring_provider *options, bool to_write,
                                  struct token **out, struct vault_error *err)
{
    VAULT_TRY(provider_given(options->place, "the path of a PKCS #11 module", err));
    VAULT_TRY(provider_given(options->token, "a token's label", err));
    VAULT_TRY(provider_given(options->key, "a key's label", err));
    VAULT_AUTO(token_close) struct token *token = calloc(1, sizeof *token);
    if (!token)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(load(token, options->place, err));
    VAULT_TRY(log_in(token, options, to_write, err));
    *out = VAULT_TAKE(token);
    return VAULT_OK;
}

/* --- Its key -------------------------------------------------------------------------------- */

#define ATTRIBUTE(kind, place)                                                                     \
    {                                                                                              \
        (kind), &(place), sizeof(place)                                                            \
    }

struct label {
    char text[LABEL_CHARS * 4 + 1];
};

static enum vault_code label_copy(const char *text, struct label *out, struct vault_error *err)
{
    const size_t size = strlen(text);
    if (size >= sizeof out->text)
        return vault_fail(err, VAULT_TOO_LARGE, "a key's label is too long");
    memcpy(out->text, text, size + 1);
    return VAULT_OK;
}

/* How many secret keys have the label, and the id if there is one; 0, 1 or 2 for more. */
static enum vault_code find_keys(struct token *token, const char *label, const uint8_t *id,
                                 unsigned long *count, struct vault_error *err)
{
    struct label name;
    uint8_t wanted[ID_BYTES] = {0};
    ck_object_class_t secret_key = CKO_SECRET_KEY;
    ck_object_handle_t found[2];
    VAULT_TRY(label_copy(label, &name, err));
    if (id)
        memcpy(wanted, id, sizeof wanted);
    struct ck_attribute template[] = {
        ATTRIBUTE(CKA_CLASS, secret_key),
        {CKA_LABEL, name.text, strlen(name.text)},
        ATTRIBUTE(CKA_ID, wanted),
    };
    ck_rv_t result = token->calls->C_FindObjectsInit(token->session, template, id ? 3 : 2);
    if (result)
        return token_fail(result, "looking for the key", err);
    result = token->calls->C_FindObjects(token->session, found, 2, count);
    token->calls->C_FindObjectsFinal(token->session);
    if (result)
        return token_fail(result, "looking for the key", err);
    if (*count)
        token->key = found[0];
    return VAULT_OK;
}

static enum vault_code make_key(struct token *token, const char *label, struct vault_error *err)
{
    struct label name;
    unsigned char yes = 1;
    unsigned char no = 0;
    unsigned long size = SECRET_KEY_BYTES;
    struct ck_mechanism generate = {CKM_AES_KEY_GEN, NULL, 0};
    VAULT_TRY(label_copy(label, &name, err));
    struct ck_attribute template[] = {
        {CKA_LABEL, name.text, strlen(name.text)},
        ATTRIBUTE(CKA_ID, token->id),
        ATTRIBUTE(CKA_VALUE_LEN, size),
        ATTRIBUTE(CKA_TOKEN, yes),
        ATTRIBUTE(CKA_PRIVATE, yes),
        ATTRIBUTE(CKA_SENSITIVE, yes),
        ATTRIBUTE(CKA_EXTRACTABLE, no),
        ATTRIBUTE(CKA_ENCRYPT, yes),
        ATTRIBUTE(CKA_DECRYPT, yes),
    };
    const ck_rv_t result = token->calls->C_GenerateKey(
        token->session, &generate, template, sizeof template / sizeof template[0], &token -> key);
    return result ? token_fail(result, "making a key", err) : VAULT_OK;
}

static enum vault_code create(const struct keyring_provider *options, struct buf *note,
                              struct provider *provider, struct vault_error *err)
{
    unsigned long count = 0;
    VAULT_AUTO(token_close) struct token *token = NULL;
    VAULT_TRY(token_open(options, true, &token, err));
    VAULT_TRY(find_keys(token, options->key, NULL, &count, err));
    if (count)
        return vault_fail(err, VAULT_CONFLICT,
                          "the token has a key \"%s\" already; name another label", options->key);
    random_bytes(token->id, sizeof token->id);
    buf_append(note, token->id, sizeof token->id);
    VAULT_TRY(buf_check(note, err));
    VAULT_TRY(make_key(token, options->key, err));
    provider->token = VAULT_TAKE(token);
    return VAULT_OK;
}

static void undo(const struct keyring_provider *options, struct provider *provider)
{
    (void)options;
    struct token *token = provider->token;
    token->calls->C_DestroyObject(token->session, token->key);
}

static enum vault_code open_key(const struct keyring_provider *options, struct bytes note,
                                struct provider *provider, struct vault_error *err)
{
    unsigned long count = 0;
    VAULT_AUTO(token_close) struct token *token = NULL;
    if (note.size != ID_BYTES)
        return vault_fail(err, VAULT_CORRUPT,
                          "the keyring is damaged: it does not name the token's key");
    VAULT_TRY(token_open(options, false, &token, err));
    memcpy(token->id, note.data, ID_BYTES);
    VAULT_TRY(find_keys(token, options->key, token->id, &count, err));
    if (count == 0)
        return vault_fail(err, VAULT_NOT_FOUND,
                          "the token has no key \"%s\" that is this keyring's", options->key);
    if (count > 1)
        return vault_fail(err, VAULT_CONFLICT, "the token has this keyring's key \"%s\" twice",
                          options->key);
    provider->token = VAULT_TAKE(token);
    return VAULT_OK;
}

/* --- Wrapping ------------------------------------------------------------------------------- */

/* Cryptoki takes everything without const. */
struct gcm {
    uint8_t nonce[NONCE_BYTES];
    uint8_t associated[256];
    struct ck_gcm_params params;
    struct ck_mechanism mechanism;
};

static void gcm_of(struct gcm *gcm, const uint8_t nonce[NONCE_BYTES], struct bytes associated)
{
    assert(associated.size <= sizeof gcm->associated);
    memcpy(gcm->nonce, nonce, NONCE_BYTES);
    memcpy(gcm->associated, associated.data, associated.size);
    gcm->params = (struct ck_gcm_params){
        .iv_ptr = gcm->nonce,
        .iv_len = NONCE_BYTES,
        .iv_bits = NONCE_BYTES * 8,
        .aad_ptr = gcm->associated,
        .aad_len = associated.size,
        .tag_bits = TAG_BITS,
    };
    gcm->mechanism = (struct ck_mechanism){CKM_AES_GCM, &gcm->params, sizeof gcm->params};
}

static enum vault_code wrap(const struct token *token, struct bytes associated,
                            const struct secret *root, uint8_t out[KEYRING_SEALED_BYTES],
                            struct vault_error *err)
{
    struct gcm gcm;
    uint8_t sealed[KEYRING_SEALED_BYTES];
    unsigned long size = sizeof sealed - NONCE_BYTES;
    VAULT_AUTO(secret_free) struct secret *plain = NULL;
    VAULT_TRY(secret_copy(secret_view(root), &plain, err));
    random_bytes(sealed, NONCE_BYTES);
    gcm_of(&gcm, sealed, associated);
    ck_rv_t result = token->calls->C_EncryptInit(token->session, &gcm.mechanism, token->key);
    if (!result)
        result = token->calls->C_Encrypt(token->session, secret_data(plain), SECRET_KEY_BYTES,
                                         sealed + NONCE_BYTES, &size);
    if (result)
        return token_fail(result, "wrapping the root key", err);
    if (size != sizeof sealed - NONCE_BYTES || memcmp(gcm.nonce, sealed, NONCE_BYTES) != 0)
        return vault_fail(err, VAULT_INVALID,
                          "the token, wrapping the root key: it takes no nonce of ours");
    memcpy(out, sealed, sizeof sealed);
    return VAULT_OK;
}

static enum vault_code unwrap(const struct token *token, struct bytes associated,
                              const uint8_t wrapped[KEYRING_SEALED_BYTES], struct secret **out,
                              struct vault_error *err)
{
    struct gcm gcm;
    uint8_t sealed[KEYRING_SEALED_BYTES];
    unsigned long size = KEYRING_SEALED_BYTES; /* some tokens want room for more than comes */
    VAULT_AUTO(secret_free) struct secret *room = NULL;
    VAULT_TRY(secret_new(KEYRING_SEALED_BYTES, &room, err));
    memcpy(sealed, wrapped, sizeof sealed);
    gcm_of(&gcm, sealed, associated);
    ck_rv_t result = token->calls->C_DecryptInit(token->session, &gcm.mechanism, token->key);
    if (!result)
        result = token->calls->C_Decrypt(token->session, sealed + NONCE_BYTES,
                                         sizeof sealed - NONCE_BYTES, secret_data(room), &size);
    if (result == CKR_GENERAL_ERROR) /* what SoftHSM says of a wrong tag */
        result = CKR_ENCRYPTED_DATA_INVALID;
    if (result)
        return token_fail(result, "unwrapping the root key", err);
    if (size != SECRET_KEY_BYTES)
        return vault_fail(err, VAULT_CORRUPT, "the token, unwrapping the root key: it is no key");
    return secret_copy((struct bytes){secret_data(room), SECRET_KEY_BYTES}, out, err);
}

static struct bytes name_of_key(const struct token *token)
{
    return (struct bytes){token->id, sizeof token->id};
}

const struct provider_kind provider_pkcs11 = {
    .name = "pkcs11",
    .whose = "the token's key",
    .needs = "PIN",
    .create = create,
    .open = open_key,
    .undo = undo,
    .wrap = wrap,
    .unwrap = unwrap,
    .name_of_key = name_of_key,
    .close = token_close,
};
