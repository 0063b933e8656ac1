/*
 * Who may sign policies, and whether they did: lines of trust, a line "---", a manifest, a line
 * "---", and its signatures. The first byte says how many must have signed.
 *
 * Trusted keys are all different and written back to the same; a bundle is never signed by more
 * than are trusted; and what counts as signed is, by each that counts, over the very manifest.
 */
#include "fuzz_tools.h"

#include "policy/files.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/policy/signature.h"
#include "vault/policy/trust.h"

#define NOW_S 1804500000
#define MARK  "---\n"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
    return 0;
}

/* Up to a line "---", or all of it. */
static struct bytes take_text(struct bytes *rest)
{
    const size_t mark = sizeof MARK - 1;
    const uint8_t *at = rest->size ? memmem(rest->data, rest->size, MARK, mark) : NULL;
    const struct bytes text = {rest->data, at ? (size_t)(at - rest->data) : rest->size};
    const size_t used = text.size + (at ? mark : 0);
    *rest = (struct bytes){rest->data + used, rest->size - used};
    return text;
}

static void require_again(const struct policy_trust *trust)
{
    struct policy_trust again = {.count = 0};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_TRUST_FILE_BYTES_MAX);
    REQUIRE(trust->count >= 1 && trust->count <= POLICY_TRUST_MAX);
    for (size_t i = 0; i < trust->count; i++) {
        char key[NOTE_KEY_CHARS_MAX];
        char end[INSTANT_CHARS + 1];
        note_key_print(&trust->keys[i].key, key);
        buf_text(&text, key);
        if (trust->keys[i].until_s != INT64_MAX) {
            instant_format(end, trust->keys[i].until_s);
            buf_format(&text, " until %s", end);
        }
        buf_byte(&text, '\n');
    }
    REQUIRE(policy_trust_read(&again, buf_view(&text), NULL) == VAULT_OK);
    REQUIRE(again.count == trust->count);
    for (size_t i = 0; i < trust->count; i++) {
        REQUIRE(memcmp(&again.keys[i].key, &trust->keys[i].key, sizeof again.keys[i].key) == 0);
        REQUIRE(again.keys[i].until_s == trust->keys[i].until_s);
    }
}

static void check_signed(const struct policy_trust *trust, struct bytes manifest,
                         struct bytes signatures)
{
    struct buf *content = NULL;
    struct vault_error err = {.text = ""};
    bool signed_by[POLICY_TRUST_MAX] = {false};
    size_t count = 0;
    VAULT_AUTO(bundle_free) struct bundle *bundle = NULL;
    REQUIRE(bundle_new(&bundle, NULL) == VAULT_OK);
    REQUIRE(bundle_add(bundle, "manifest.json", &content, NULL, NULL) == VAULT_OK);
    buf_bytes(content, manifest);
    REQUIRE(bundle_add(bundle, "manifest.sig", &content, NULL, NULL) == VAULT_OK);
    buf_bytes(content, signatures);
    const enum vault_code code = policy_check_signatures(bundle, trust, &err);
    if (code)
        REQUIRE(err.text[0] && !strchr(err.text, '\n'));
    if (policy_signed_by(bundle, trust, signed_by, NULL) != VAULT_OK) {
        REQUIRE(code);
        return;
    }
    for (size_t i = 0; i < trust->count; i++)
        count += signed_by[i] && trust->now_s < trust->keys[i].until_s;
    REQUIRE((code == VAULT_OK) == (count >= trust->signatures));
    REQUIRE(code || (signatures.size > manifest.size &&
                     memcmp(signatures.data, manifest.data, manifest.size) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vault_error err = {.text = ""};
    if (size == 0 || size > POLICY_TRUST_FILE_BYTES_MAX)
        return 0;
    struct policy_trust trust = {.now_s = NOW_S, .signatures = 1 + data[0] % 3};
    struct bytes rest = {data + 1, size - 1};
    const enum vault_code code = policy_trust_read(&trust, take_text(&rest), &err);
    if (code) {
        require_silent(&err);
        return 0;
    }
    require_again(&trust);
    const struct bytes manifest = take_text(&rest);
    check_signed(&trust, manifest, rest);
    return 0;
}
