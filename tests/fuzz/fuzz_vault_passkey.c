/*
 * What a browser and an authenticator say. The first byte says what: the browser's client data; a
 * new passkey; a signature by one whose key is in the vault, or by one whose key there is any
 * bytes.
 *
 * A new passkey is what stands in its bytes, at the places of section 6.1 of WebAuthn; client data
 * that are taken are of our page and for this use; and no signature holds, since nobody has the
 * keys.
 */
#include "fuzz_tools.h"

#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/passkey_verify.h"

#define GUID_BYTES 16

static struct passkey_site site;
static const int algorithms[] = {-7, -8, -257, 0};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
    REQUIRE(passkey_site_of("https://vault.example:8442", &site, NULL) == VAULT_OK);
    return 0;
}

static void check_client(struct bytes input, const char *type)
{
    struct vault_error err = {.text = ""};
    char challenge[PASSKEY_CHALLENGE_CHARS + 1] = "";
    VAULT_AUTO(json_free) json_t *root = NULL;
    if (passkey_read_client(&site, type, input, challenge, &err) != VAULT_OK) {
        require_silent(&err);
        REQUIRE(!challenge[0]);
        return;
    }
    REQUIRE(json_parse(input, 3, &root, NULL, NULL) == VAULT_OK);
    REQUIRE(strcmp(json_string_value(json_object_get(root, "type")), type) == 0);
    REQUIRE(strcmp(json_string_value(json_object_get(root, "origin")), site.origin) == 0);
    REQUIRE(strcmp(json_string_value(json_object_get(root, "challenge")), challenge) == 0);
    REQUIRE(strlen(challenge) == PASSKEY_CHALLENGE_CHARS);
    REQUIRE(!json_is_true(json_object_get(root, "crossOrigin")));
}

/* Behind the hash of our own site's name, which nobody would find by chance. */
static void put_site(struct buf *out, struct bytes input)
{
    uint8_t hash[SHA256_BYTES];
    sha256_of(hash, bytes_of_text(site.rp_id));
    buf_append(out, hash, sizeof hash);
    buf_bytes(out, input);
}

static void check_made(struct bytes input)
{
    struct vault_error err = {.text = ""};
    struct passkey made = {0};
    VAULT_AUTO(buf_finish) struct buf data = buf_limited(2 * PASSKEY_AUTHENTICATOR_BYTES);
    put_site(&data, input);
    if (passkey_verify_made(&site, buf_view(&data), &made, &err) != VAULT_OK) {
        require_silent(&err);
        return;
    }
    struct cursor parts = cursor_over(buf_view(&data));
    cursor_take(&parts, SHA256_BYTES);
    REQUIRE((cursor_u8(&parts) & 0x45) == 0x45);
    REQUIRE(cursor_u32(&parts) == made.sign_count);
    cursor_take(&parts, GUID_BYTES);
    REQUIRE(cursor_u16(&parts) == made.credential_bytes);
    REQUIRE(bytes_equal(cursor_take(&parts, made.credential_bytes), passkey_credential(&made)));
    REQUIRE(made.algorithm == -7 || made.algorithm == -8 || made.algorithm == -257);
    REQUIRE(made.key_bytes > 0 && made.key_bytes <= sizeof made.key);
}

/* One byte for the algorithm and one for how much of the input is the key. */
static void check_used(struct bytes input)
{
    struct vault_error err = {.text = ""};
    uint32_t count = 0;
    struct cursor parts = cursor_over(input);
    struct passkey passkey = {.algorithm = algorithms[cursor_u8(&parts) % 4]};
    const struct bytes key = cursor_take(&parts, cursor_u8(&parts));
    const struct bytes signature = cursor_take(&parts, cursor_u8(&parts));
    VAULT_AUTO(buf_finish) struct buf data = buf_limited(2 * PASSKEY_AUTHENTICATOR_BYTES);
    if (key.size > sizeof passkey.key || parts.truncated)
        return;
    if (key.size)
        memcpy(passkey.key, key.data, key.size);
    passkey.key_bytes = key.size;
    put_site(&data, cursor_take(&parts, parts.left));
    const struct sign_in_passkey_answer answer = {.client_data = bytes_of_text("{}"),
                                                  .authenticator_data = buf_view(&data),
                                                  .signature = signature};
    REQUIRE(passkey_verify_used(&site, &passkey, &answer, &count, &err) == VAULT_DENIED);
    require_silent(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > PASSKEY_AUTHENTICATOR_BYTES)
        return 0;
    const struct bytes input = {data + 1, size - 1};
    if (data[0] % 4 == 0)
        check_client(input, PASSKEY_MADE);
    else if (data[0] % 4 == 1)
        check_client(input, PASSKEY_USED);
    else if (data[0] % 4 == 2)
        check_made(input);
    else
        check_used(input);
    return 0;
}
