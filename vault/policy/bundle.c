#include "vault/policy/bundle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "files.h"

const char *bundle_file(const struct bundle *bundle, size_t n, struct bytes *content)
{
    if (n >= bundle->file_count)
        return NULL;
    *content = buf_view(&bundle->files[n].content);
    return bundle->files[n].path;
}

void bundle_free(struct bundle **bundle)
{
    if (!*bundle)
        return;
    for (size_t i = 0; i < (*bundle)->file_count; i++) {
        buf_finish(&(*bundle)->files[i].content);
        free((*bundle)->files[i].path);
    }
    free((*bundle)->files);
    free(*bundle);
    *bundle = NULL;
}

enum vault_code bundle_refuse(struct policy_fault *fault, struct vault_error *err,
                              enum vault_code code, const char *file, const char *format, ...)
{
    char reason[sizeof fault->reason];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    if (fault) {
        *fault = (struct policy_fault){.line = 0};
        snprintf(fault->file, sizeof fault->file, "%s", file);
        snprintf(fault->reason, sizeof fault->reason, "%s", reason);
    }
    (void)vault_fail(err, code, "%s%s%s", file, *file ? ": " : "", reason);
    return code;
}

const uint8_t *bundle_previous(const struct bundle *bundle)
{
    return bundle->manifest.has_previous ? bundle->manifest.previous : NULL;
}

static bool has_suffix(const char *text, const char *suffix)
{
    const size_t size = strlen(text);
    return size >= strlen(suffix) && strcmp(text + size - strlen(suffix), suffix) == 0;
}

/* What a file is, by where it lies. */
static enum file_role role_of(const char *folder, const char *name)
{
    if (strcmp(folder, "rules") == 0 && has_suffix(name, ".json"))
        return FILE_RULES;
    if (strcmp(folder, "tests") == 0 && has_suffix(name, ".json"))
        return FILE_TESTS;
    if (*folder)
        return FILE_OTHER;
    if (strcmp(name, "catalogue.json") == 0)
        return FILE_CATALOGUE;
    if (strcmp(name, "manifest.json") == 0)
        return FILE_MANIFEST;
    return strcmp(name, "manifest.sig") == 0 ? FILE_SIGNATURE : FILE_OTHER;
}

enum vault_code bundle_new(struct bundle **out, struct vault_error *err)
{
    struct bundle *bundle = calloc(1, sizeof *bundle);
    struct bundle_file *files = calloc(POLICY_FILES_MAX, sizeof *files);
    if (!bundle || !files) {
        free(bundle);
        free(files);
        return bundle_refuse(NULL, err, VAULT_NO_MEMORY, "", "out of memory");
    }
    bundle->files = files;
    *out = bundle;
    return VAULT_OK;
}

enum vault_code bundle_add(struct bundle *bundle, const char *path, struct buf **content,
                           struct policy_fault *fault, struct vault_error *err)
{
    const char *name = strchr(path, '/');
    char folder[sizeof fault->file];
    if (bundle->file_count == POLICY_FILES_MAX)
        return bundle_refuse(fault, err, VAULT_TOO_LARGE, "", "a bundle has at most %d files",
                             POLICY_FILES_MAX);
    snprintf(folder, sizeof folder, "%.*s", (int)(name ? name - path : 0), path);
    const enum file_role role = role_of(folder, name ? name + 1 : path);
    if (role == FILE_OTHER && has_suffix(path, ".json"))
        return bundle_refuse(fault, err, VAULT_INVALID, path,
                             "would not be read here; rules are rules/NAME.json, tests "
                             "tests/NAME.json");
    struct bundle_file *file = &bundle->files[bundle->file_count];
    *file =
        (struct bundle_file){.content = buf_limited(POLICY_FILE_BYTES_MAX), .role = (uint8_t)role};
    file->path = strdup(path);
    if (!file->path)
        return bundle_refuse(fault, err, VAULT_NO_MEMORY, "", "out of memory");
    bundle->file_count++;
    *content = &file->content;
    return VAULT_OK;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct bundle_file *)a)->path, ((const struct bundle_file *)b)->path);
}

const struct bundle_file *bundle_file_of(const struct bundle *bundle, enum file_role role)
{
    for (size_t i = 0; i < bundle->file_count; i++) {
        if (bundle->files[i].role == role)
            return &bundle->files[i];
    }
    return NULL;
}

/* Without a manifest nothing but its name says what a file is for: one beside the rules or the
 * tests that is not read, or that is called .JSON, was meant to be read. */
static enum vault_code check_names(const struct bundle *bundle, struct policy_fault *fault,
                                   struct vault_error *err)
{
    for (size_t i = 0; i < bundle->file_count; i++) {
        const char *path = bundle->files[i].path;
        const size_t size = strlen(path);
        const bool json = size >= 5 && strcasecmp(path + size - 5, ".json") == 0;
        if (bundle->files[i].role == FILE_OTHER && (json || strchr(path, '/')))
            return bundle_refuse(fault, err, VAULT_INVALID, path,
                                 "would not be read here; rules are rules/NAME.json, tests "
                                 "tests/NAME.json");
    }
    return VAULT_OK;
}

/* A folder without a manifest is known by the manifest it would have. */
static enum vault_code name_unsigned(struct bundle *bundle, struct vault_error *err)
{
    bundle->manifest = (struct manifest){.name = "unsigned", .expires_s = INT64_MAX};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_FILE_BYTES_MAX);
    VAULT_TRY(manifest_write(bundle, &bundle->manifest, &text, err));
    sha256_of(bundle->manifest_hash, buf_view(&text));
    bundle->manifest.not_before_s = INT64_MIN;
    return VAULT_OK;
}

enum vault_code bundle_settle(struct bundle *bundle, struct policy_fault *fault,
                              struct vault_error *err)
{
    qsort(bundle->files, bundle->file_count, sizeof *bundle->files, by_path);
    const struct bundle_file *manifest = bundle_file_of(bundle, FILE_MANIFEST);
    if (manifest)
        VAULT_TRY(manifest_read(bundle, manifest, fault, err));
    if (!bundle_file_of(bundle, FILE_CATALOGUE))
        return bundle_refuse(fault, err, VAULT_INVALID, "catalogue.json",
                             "the folder has no such file");
    if (manifest)
        return VAULT_OK;
    if (bundle_file_of(bundle, FILE_SIGNATURE))
        return bundle_refuse(fault, err, VAULT_INVALID, "manifest.sig",
                             "is a signature without the manifest.json that it signs");
    VAULT_TRY(check_names(bundle, fault, err));
    return name_unsigned(bundle, err);
}
