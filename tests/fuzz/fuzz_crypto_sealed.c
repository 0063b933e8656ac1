/*
 * What is sealed: values and keys (seal.h), to a public key (hpke.h), and the recovery secret on
 * paper. The first byte says which. What comes from a disk opens only if it is what was sealed:
 * nothing that is invented does, and of what is sealed here no change of a byte.
 */
#include "fuzz_tools.h"

#include "vault/crypto/crypto.h"
#include "vault/crypto/hpke.h"
#include "vault/crypto/seal.h"

#define SEALED_BYTES_MAX 4096U

static struct secret *key;
static uint8_t public_key[HPKE_KEY_BYTES];

static void forget_key(void)
{
    secret_free(&key);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
    REQUIRE(secret_random(SECRET_KEY_BYTES, &key, NULL) == VAULT_OK);
    REQUIRE(hpke_public(key, public_key, NULL) == VAULT_OK);
    atexit(forget_key);
    return 0;
}

static enum vault_code open_sealed(bool to_key, struct bytes about, struct bytes sealed,
                                   struct secret **out, struct vault_error *err)
{
    return to_key ? hpke_open(key, bytes_of_text("fuzz"), about, sealed, out, err)
                  : seal_open_secret(key, about, sealed, out, err);
}

static void require_opens_alone(bool to_key, struct bytes about, struct bytes plain, size_t at)
{
    VAULT_AUTO(secret_free) struct secret *opened = NULL;
    VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(2 * SEALED_BYTES_MAX);
    REQUIRE((to_key ? hpke_seal(public_key, bytes_of_text("fuzz"), about, plain, &sealed, NULL)
                    : seal(key, about, plain, &sealed, NULL)) == VAULT_OK);
    REQUIRE(open_sealed(to_key, about, buf_view(&sealed), &opened, NULL) == VAULT_OK);
    REQUIRE(bytes_equal(secret_view(opened), plain));
    secret_free(&opened);
    sealed.data[at % sealed.size] ^= (uint8_t)(1U << at % 8);
    REQUIRE(open_sealed(to_key, about, buf_view(&sealed), &opened, NULL) == VAULT_CORRUPT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vault_error err = {.text = ""};
    VAULT_AUTO(secret_free) struct secret *opened = NULL;
    struct cursor input = cursor_over((struct bytes){data, size});
    const bool to_key = cursor_u8(&input) & 1;
    const size_t at = cursor_u16(&input);
    const struct bytes about = cursor_take(&input, cursor_u8(&input));
    const struct bytes sealed = cursor_take(&input, input.left);
    if (input.truncated || sealed.size == 0 || sealed.size > SEALED_BYTES_MAX)
        return 0;
    REQUIRE(open_sealed(to_key, about, sealed, &opened, &err) == VAULT_CORRUPT && !opened);
    require_silent(&err);
    /* X25519 takes no notice of the highest bit of a public key (RFC 7748 section 5). */
    const bool is_no_change = to_key && at % (sealed.size + HPKE_OVERHEAD_BYTES) == 31;
    if (!is_no_change)
        require_opens_alone(to_key, about, sealed, at);
    return 0;
}
