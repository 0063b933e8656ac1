/*
 * trust - who may sign bundles, until when, and how many of them must.
 *
 * A trusted key is a line of text: a verifier key (vault/crypto/note.h) and, if it has an end, that
 * end. The configuration's policy.trust is a list of such lines, "vaultctl policy verify --trust"
 * reads a file of them:
 *
 *     dpo+1f2e3d4c+Aabb…=
 *     officer+5a6b7c8d+Accd…= until 2028-01-01T00:00:00Z
 *
 * An end is exclusive: from that second on the key's signature does not count. It concerns the
 * activating of a bundle, not what has been activated: that goes on deciding until the bundle's own
 * "expires", and is loaded again at every start, since it was signed while the key held. Keys are
 * thus replaced without a gap: trust the new one beside the old one, let the old one end. A key
 * that was stolen is taken out of the list instead: what it alone has signed is then not loaded
 * again.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/crypto/note.h"

#define POLICY_TRUST_MAX            16
#define POLICY_TRUST_FILE_BYTES_MAX (16U * 1024)

/* For struct policy_trust: a time at which no key has ended yet. */
#define POLICY_BEFORE_EVERY_END     INT64_MIN

struct policy_key {
    struct note_key key;
    int64_t until_s; /* exclusive; INT64_MAX: no end */
};

/* A plain value; {0} trusts nobody. */
struct policy_trust {
    struct policy_key keys[POLICY_TRUST_MAX];
    size_t count;
    size_t signatures; /* how many keys must have signed, 1 and more */
    int64_t now_s;     /* keys that have ended by then do not count */
};

/* Add the key of a line. VAULT_INVALID: not a key, or one of another kind than Ed25519; an end that
 * is no time; a key that is trusted already, under whatever name; one too many. */
enum vault_code policy_trust_add(struct policy_trust *trust, struct bytes line,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* Add the keys of a file's text, one a line; empty lines and such that begin with # are passed
 * over. VAULT_INVALID with the line's number; VAULT_DENIED if there is no key: nobody is trusted.
 */
enum vault_code policy_trust_read(struct policy_trust *trust, struct bytes text,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* How many must sign what widens an active bundle, where nobody says otherwise: two, or all if
 * there are fewer keys, and never fewer than must sign any bundle. */
size_t policy_signatures_to_widen(size_t keys, size_t signatures);
