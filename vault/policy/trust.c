#include "vault/policy/trust.h"

#include <string.h>

#include "vault/base/clock.h"

#define UNTIL         " until "
#define USUAL_SIGNERS 2

/* A key, and its end if there is one behind it. */
static enum vault_code parse(struct bytes line, struct policy_key *out, struct vault_error *err)
{
    const size_t word = strlen(UNTIL);
    const uint8_t *at = line.size ? memmem(line.data, line.size, UNTIL, word) : NULL;
    const size_t key_size = at ? (size_t)(at - line.data) : line.size;
    VAULT_TRY(note_key_parse((struct bytes){line.data, key_size}, &out->key, err));
    if (out->key.kind != NOTE_ED25519)
        return vault_fail(err, VAULT_INVALID, "%s is not a key that signs bundles", out->key.name);
    out->until_s = INT64_MAX;
    if (!at)
        return VAULT_OK;
    const struct bytes end = {at + word, line.size - key_size - word};
    if (instant_parse(end, &out->until_s, NULL))
        return vault_fail(err, VAULT_INVALID,
                          "the end of the key %s is not written as 2028-01-01T00:00:00Z",
                          out->key.name);
    return VAULT_OK;
}

enum vault_code policy_trust_add(struct policy_trust *trust, struct bytes line,
                                 struct vault_error *err)
{
    struct policy_key key;
    VAULT_TRY(parse(line, &key, err));
    for (size_t i = 0; i < trust->count; i++) {
        if (memcmp(trust->keys[i].key.public_key, key.key.public_key, SIGN_PUBLIC_BYTES) == 0)
            return vault_fail(err, VAULT_INVALID, "the key of %s is there twice", key.key.name);
    }
    if (trust->count == POLICY_TRUST_MAX)
        return vault_fail(err, VAULT_INVALID, "at most %d keys can be trusted", POLICY_TRUST_MAX);
    trust->keys[trust->count++] = key;
    return VAULT_OK;
}

enum vault_code policy_trust_read(struct policy_trust *trust, struct bytes text,
                                  struct vault_error *err)
{
    struct bytes rest = text;
    for (size_t number = 1; rest.size; number++) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        const struct bytes line = {rest.data, end ? (size_t)(end - rest.data) : rest.size};
        const size_t used = line.size + (end != NULL);
        rest = (struct bytes){rest.data + used, rest.size - used};
        if (line.size == 0 || line.data[0] == '#')
            continue;
        const enum vault_code code = policy_trust_add(trust, line, err);
        if (code) {
            vault_error_context(err, "line %zu", number);
            return code;
        }
    }
    if (trust->count == 0)
        return vault_fail(err, VAULT_DENIED, "no key is in it, so nobody is trusted");
    return VAULT_OK;
}

size_t policy_signatures_to_widen(size_t keys, size_t signatures)
{
    const size_t usual = keys < USUAL_SIGNERS ? keys : USUAL_SIGNERS;
    return signatures > usual ? signatures : usual;
}
