/*
 * files - inside a struct bundle.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/crypto/hash.h"
#include "vault/policy/bundle.h"

enum file_role {
    FILE_CATALOGUE,
    FILE_RULES,
    FILE_TESTS,
    FILE_MANIFEST,
    FILE_SIGNATURE,
    FILE_OTHER
};

struct bundle_file {
    char *path; /* "rules/plie.json" */
    struct buf content;
    uint8_t role; /* enum file_role */
};

/* What manifest.json says. */
struct manifest {
    char name[POLICY_ID_CHARS_MAX + 1];
    uint64_t version;
    int64_t not_before_s;
    int64_t expires_s; /* INT64_MAX: no end */
    bool has_previous;
    uint8_t previous[SHA256_BYTES];
};

struct bundle {
    struct bundle_file *files; /* by path */
    size_t file_count;
    size_t bytes;
    bool has_manifest;
    struct manifest manifest; /* without a manifest: "unsigned", version 0, no limits of time */
    uint8_t manifest_hash[SHA256_BYTES];
};

/* A bundle without files; a file more, by its path in the folder, whose content is then to be
 * filled; and, when all are there, the check that they belong together, manifest included. */
enum vault_code bundle_new(struct bundle **out, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code bundle_add(struct bundle *bundle, const char *path, struct buf **content,
                           struct policy_fault *fault, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code bundle_settle(struct bundle *bundle, struct policy_fault *fault,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* Read the folder's files without holding them to anything. */
enum vault_code bundle_read_files(const char *folder, struct bundle **out,
                                  struct policy_fault *fault, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The one file of a role, or NULL. */
const struct bundle_file *bundle_file_of(const struct bundle *bundle, enum file_role role);

/* Read manifest.json and hold the files to it. If it is well-formed and only the files are not
 * those that it lists, bundle->has_manifest is set all the same. */
enum vault_code manifest_read(struct bundle *bundle, const struct bundle_file *file,
                              struct policy_fault *fault, struct vault_error *err) VAULT_MUST_CHECK;

/* Append the bytes of the manifest.json that lists the bundle's files under these words. */
enum vault_code manifest_write(const struct bundle *bundle, const struct manifest *manifest,
                               struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;

/* Fail for a file as a whole, or for the folder with file "". */
enum vault_code bundle_refuse(struct policy_fault *fault, struct vault_error *err,
                              enum vault_code code, const char *file, const char *format, ...)
    VAULT_PRINTF(5, 6);
