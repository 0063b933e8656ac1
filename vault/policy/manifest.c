#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "load.h"
#include "reader.h"
#include "vault/base/clock.h"
#include "vault/base/codec.h"
#include "vault/base/json.h"

#define MANIFEST_FORMAT "vault-bundle/1"

static bool is_listed_role(uint8_t role)
{
    return role != FILE_MANIFEST && role != FILE_SIGNATURE;
}

/* The file of a path, or file_count. */
static size_t find_path(const struct bundle *bundle, struct bytes path)
{
    size_t i = 0;
    while (i < bundle->file_count && !bytes_equal(bytes_of_text(bundle->files[i].path), path))
        i++;
    return i;
}

static const struct reader_member file_members[] = {
    {"path", READ_STRING, true},
    {"size", READ_INTEGER, true},
    {"sha256", READ_STRING, true},
};

/* Hold one file to what the manifest says of it. */
static enum vault_code check_listed(struct reader *reader, const struct bundle *bundle,
                                    const json_t *entry, bool listed[])
{
    VAULT_TRY(reader_check_members(reader, entry, READER_MEMBERS(file_members)));
    const size_t i = find_path(bundle, json_text(json_object_get(entry, "path")));
    if (i == bundle->file_count || !is_listed_role(bundle->files[i].role))
        return reader_refuse(reader, VAULT_INVALID, "the folder has no file %.128s",
                             json_string_value(json_object_get(entry, "path")));
    if (listed[i])
        return reader_refuse(reader, VAULT_INVALID, "the file is listed twice");
    listed[i] = true;
    const struct bytes content = buf_view(&bundle->files[i].content);
    uint8_t wanted[SHA256_BYTES];
    uint8_t hash[SHA256_BYTES];
    sha256_of(hash, content);
    if (hex_decode_exact(wanted, sizeof wanted, json_text(json_object_get(entry, "sha256")), NULL))
        return reader_refuse(reader, VAULT_INVALID, "sha256 is 64 digits in lower-case hex");
    if (json_integer_value(json_object_get(entry, "size")) != (json_int_t)content.size ||
        memcmp(wanted, hash, sizeof hash) != 0)
        return reader_refuse(reader, VAULT_INVALID, "%s is not the file that was listed",
                             bundle->files[i].path);
    return VAULT_OK;
}

static enum vault_code check_files(struct reader *reader, const struct bundle *bundle,
                                   const json_t *list)
{
    bool listed[POLICY_FILES_MAX] = {false};
    const size_t mark = reader_enter(reader, "files");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const size_t inner = reader_enter_index(reader, i);
        VAULT_TRY(check_listed(reader, bundle, json_array_get(list, i), listed));
        reader_leave(reader, inner);
    }
    for (size_t i = 0; i < bundle->file_count; i++) {
        if (is_listed_role(bundle->files[i].role) && !listed[i])
            return reader_refuse(reader, VAULT_INVALID, "%s is in the folder but not listed",
                                 bundle->files[i].path);
    }
    reader_leave(reader, mark);
    return VAULT_OK;
}

static enum vault_code read_previous(struct reader *reader, const json_t *root,
                                     struct manifest *out)
{
    const json_t *previous = json_object_get(root, "previous");
    out->has_previous = previous != NULL;
    if (!previous || !hex_decode_exact(out->previous, SHA256_BYTES, json_text(previous), NULL))
        return VAULT_OK;
    reader_enter(reader, "previous");
    return reader_refuse(reader, VAULT_INVALID, "must be 64 digits in lower-case hex");
}

static const struct reader_member manifest_members[] = {
    {"format", READ_STRING, true},     {"bundle", READ_STRING, true},
    {"version", READ_INTEGER, true},   {"files", READ_LIST, true},
    {"not_before", READ_STRING, true}, {"expires", READ_STRING, false},
    {"previous", READ_STRING, false},
};

static enum vault_code read_root(struct reader *reader, const json_t *root, struct manifest *out)
{
    VAULT_TRY(reader_check_members(reader, root, READER_MEMBERS(manifest_members)));
    VAULT_TRY(reader_check_format(reader, root, MANIFEST_FORMAT));
    struct bytes name;
    VAULT_TRY(load_id(reader, root, "bundle", ID_PLAIN, &name));
    memcpy(out->name, name.data, name.size);
    const json_int_t version = json_integer_value(json_object_get(root, "version"));
    if (version < 0) {
        reader_enter(reader, "version");
        return reader_refuse(reader, VAULT_INVALID, "must not be negative");
    }
    out->version = (uint64_t)version;
    VAULT_TRY(load_instant(reader, root, "not_before", INT64_MIN, &out->not_before_s));
    VAULT_TRY(load_instant(reader, root, "expires", INT64_MAX, &out->expires_s));
    return read_previous(reader, root, out);
}

enum vault_code manifest_read(struct bundle *bundle, const struct bundle_file *file,
                              struct policy_fault *fault, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_AUTO(reader_finish)
    struct reader reader = reader_over(file->path, buf_view(&file->content), fault, err);
    VAULT_TRY(reader_parse(&reader, &root));
    struct manifest manifest = {.version = 0};
    VAULT_TRY(read_root(&reader, root, &manifest));
    bundle->has_manifest = true;
    bundle->manifest = manifest;
    sha256_of(bundle->manifest_hash, buf_view(&file->content));
    return check_files(&reader, bundle, json_object_get(root, "files"));
}

static void write_instant(struct buf *out, const char *name, int64_t instant_s)
{
    char text[INSTANT_CHARS + 1];
    instant_format(text, instant_s);
    buf_format(out, ",\n \"%s\":\"%s\"", name, text);
}

static void write_file(struct buf *out, const struct bundle_file *file, bool first)
{
    uint8_t hash[SHA256_BYTES];
    char hex[HEX_CHARS(SHA256_BYTES) + 1];
    sha256_of(hash, buf_view(&file->content));
    hex_string(hex, hash, sizeof hash);
    buf_text(out, first ? "\n  {\"path\":" : ",\n  {\"path\":");
    json_write_string(out, bytes_of_text(file->path));
    buf_format(out, ",\"size\":%zu,\"sha256\":\"%s\"}", file->content.size, hex);
}

enum vault_code manifest_write(const struct bundle *bundle, const struct manifest *manifest,
                               struct buf *out, struct vault_error *err)
{
    buf_text(out, "{\"format\":\"" MANIFEST_FORMAT "\",\n \"bundle\":");
    json_write_string(out, bytes_of_text(manifest->name));
    buf_format(out, ",\n \"version\":%llu,\n \"files\":[", (unsigned long long)manifest->version);
    bool first = true;
    for (size_t i = 0; i < bundle->file_count; i++) {
        if (!is_listed_role(bundle->files[i].role))
            continue;
        write_file(out, &bundle->files[i], first);
        first = false;
    }
    buf_text(out, "]");
    write_instant(out, "not_before", manifest->not_before_s);
    if (manifest->expires_s != INT64_MAX)
        write_instant(out, "expires", manifest->expires_s);
    if (manifest->has_previous) {
        char hex[HEX_CHARS(SHA256_BYTES) + 1];
        hex_string(hex, manifest->previous, SHA256_BYTES);
        buf_format(out, ",\n \"previous\":\"%s\"", hex);
    }
    buf_text(out, "}\n");
    return buf_check(out, err);
}
