/*
 * bundle - the files of a bundle's folder, read once.
 *
 * Whatever is done with a bundle (check its signature, load it, run its tests) is done with these
 * bytes, so that a folder that changes meanwhile changes nothing: what was signed is what decides.
 *
 *     catalogue.json            fields, forms, purposes, classes, atoms, obligations
 *     rules/NAME.json           any number; file names and order mean nothing
 *     tests/NAME.json           any number
 *     manifest.json             lists every file but itself and its signature
 *     manifest.sig              the signed note over the exact bytes of manifest.json
 *
 * Other files (a README.md) are carried along: a manifest lists them too. A file whose name ends in
 * .json where none is expected is refused, since it looks as if it counted; in a folder without a
 * manifest so is one called .JSON, and any other in rules and tests. So is anything that is not a
 * regular file or one of the two folders.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/policy/policy.h"

struct bundle;

/*
 * Read the folder. With a manifest.json in it, every file is held to it: all listed files there,
 * none more, sizes and hashes as listed. fault may be NULL.
 *
 * VAULT_INVALID, VAULT_TOO_LARGE  with the place in err and *fault
 * VAULT_NOT_FOUND, VAULT_IO, VAULT_NO_MEMORY
 */
enum vault_code bundle_read(const char *folder, struct bundle **out, struct policy_fault *fault,
                            struct vault_error *err) VAULT_MUST_CHECK;

void bundle_free(struct bundle **bundle);

/* Its files as they were read, from 0: the path in the folder, NULL behind the last. Borrowed. */
const char *bundle_file(const struct bundle *bundle, size_t n, struct bytes *content);

/* The hash of the manifest that this bundle's manifest follows, SHA256_BYTES, borrowed; NULL if it
 * names none. */
const uint8_t *bundle_previous(const struct bundle *bundle);

/* Resolve, check and compile what was read; the policy does not borrow from the bundle. */
enum vault_code policy_compile(const struct bundle *bundle, struct policy **out,
                               struct policy_fault *fault, struct vault_error *err)
    VAULT_MUST_CHECK;
