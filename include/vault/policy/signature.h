/*
 * signature - who stands behind a bundle.
 *
 * manifest.sig is a signed note (vault/crypto/note.h) whose text is manifest.json, byte for byte.
 * The manifest lists every other file with its hash, so a signature under it is one under the whole
 * folder. A bundle counts when enough of the trusted keys (trust.h) have signed and have not ended
 * yet. A signature by a trusted key that does not hold spoils all.
 */
#pragma once

#include "vault/crypto/note.h"
#include "vault/policy/bundle.h"
#include "vault/policy/policy.h"
#include "vault/policy/trust.h"

/* VAULT_DENIED unless the bundle is signed by enough; the text then names the keys that have
 * signed and have ended, with their ends. VAULT_INVALID if manifest.sig is no signed note, or trust
 * asks for no signature. */
enum vault_code policy_check_signatures(const struct bundle *bundle,
                                        const struct policy_trust *trust, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Which of the trusted keys have signed the bundle, those that have ended too, as trust lists them.
 * VAULT_INVALID, VAULT_DENIED as above. */
enum vault_code policy_signed_by(const struct bundle *bundle, const struct policy_trust *trust,
                                 bool signed_by[POLICY_TRUST_MAX], struct vault_error *err)
    VAULT_MUST_CHECK;

/*
 * Read the files, check the signatures over the manifest's very bytes, hold the files to it, then
 * compile: as policy_load(), but nothing unsigned gets in.
 *
 * VAULT_DENIED   verification finds something wrong: the signatures as above, or manifest.sig is no
 *                signed note; manifest or signature missing; a file changed, added, removed,
 * swapped VAULT_INVALID  the folder is no bundle at all, or rightly signed but does not load
 * VAULT_TOO_LARGE, VAULT_NOT_FOUND, VAULT_IO, VAULT_NO_MEMORY as policy_load()
 */
enum vault_code policy_load_signed(const char *folder, const struct policy_trust *trust,
                                   struct policy **out, struct policy_fault *fault,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* What a new manifest says. */
struct policy_manifest {
    const char *name;
    uint64_t version;
    int64_t not_before_s;
    int64_t expires_s;       /* exclusive; 0: no end */
    const uint8_t *previous; /* SHA256_BYTES, of the manifest before; NULL: not said */
};

/*
 * Put the signer's signature under the folder. A folder without a manifest gets one in the given
 * words; one whose manifest fits its files keeps it and gains a signature, in the place of an
 * earlier one by the same key. The bundle is loaded and compiled first: VAULT_INVALID,
 * VAULT_TOO_LARGE if it cannot be, or if the name is none that a manifest may have. VAULT_INVALID
 * too if the files are not those that the manifest lists: such a manifest is for its owner to
 * remove, with its signatures, before a new version is signed.
 */
enum vault_code policy_sign(const char *folder, const struct note_signer *signer,
                            const struct policy_manifest *manifest, struct vault_error *err)
    VAULT_MUST_CHECK;
