#include "keyring_file.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/json.h"

#define FORMAT         "citizen-vault-keyring/1"
#define FILE_MAX_BYTES 4096

static const char *const file_members[] = {"format", "vault", "root", "wraps", "seed", "mac", NULL};
static const char *const wrap_members[] = {"by", "check", "sealed", NULL};

static void write_row(struct buf *text, const struct keyring_wrap_row *row)
{
    buf_format(text, "{\"by\":\"%s\",\"check\":\"", row->by);
    hex_encode(text, (struct bytes){row->check, sizeof row->check});
    buf_text(text, "\",\"sealed\":\"");
    base64_encode(text, (struct bytes){row->sealed, sizeof row->sealed});
    buf_text(text, "\"}");
}

/* All but the mac and the last brace. It is what the mac is over, too. */
static void write_body(struct buf *text, const struct keyring_file *file)
{
    buf_text(text, "{\"format\":\"" FORMAT "\",\n \"vault\":\"");
    hex_encode(text, (struct bytes){file->vault, sizeof file->vault});
    buf_format(text, "\",\n \"root\":%u,\n \"wraps\":[", file->root_version);
    for (size_t i = 0; i < KEYRING_WRAPS; i++) {
        if (i)
            buf_text(text, ",\n  ");
        write_row(text, &file->wraps[i]);
    }
    buf_text(text, "],\n \"seed\":\"");
    base64_encode(text, (struct bytes){file->seed, sizeof file->seed});
    buf_text(text, "\"");
}

enum vault_code keyring_file_write(const char *dir, const struct keyring_file *file, bool replace,
                                   struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, dir, KEYRING_FILE, err));
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(FILE_MAX_BYTES);
    write_body(&text, file);
    buf_text(&text, ",\n \"mac\":\"");
    base64_encode(&text, (struct bytes){file->mac, sizeof file->mac});
    buf_text(&text, "\"}\n");
    VAULT_TRY(buf_check(&text, err));
    return replace ? file_replace(path, buf_view(&text), 0600, err)
                   : file_create(path, buf_view(&text), 0600, err);
}

void keyring_file_mac(const struct keyring_file *file, const struct secret *key,
                      uint8_t out[SHA256_BYTES])
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(FILE_MAX_BYTES);
    write_body(&text, file);
    /* Always fits: every member has a fixed size. Without memory the mac is over a shorter text,
     * and does not match. */
    const struct bytes part = buf_view(&text);
    hmac_sha256(out, secret_view(key), &part, 1);
}

static bool read_bytes(const json_t *object, const char *member, bool is_hex, void *out,
                       size_t size)
{
    const struct bytes text = json_text(json_object_get(object, member));
    return (is_hex ? hex_decode_exact(out, size, text, NULL)
                   : base64_decode_exact(out, size, text, NULL)) == VAULT_OK;
}

static bool read_row(const json_t *object, struct keyring_wrap_row *row)
{
    const struct bytes by = json_text(json_object_get(object, "by"));
    if (json_unknown_member(object, wrap_members) || by.size == 0 || by.size > KEYRING_BY_CHARS)
        return false;
    memcpy(row->by, by.data, by.size);
    return read_bytes(object, "check", true, row->check, sizeof row->check) &&
           read_bytes(object, "sealed", false, row->sealed, sizeof row->sealed);
}

static bool read_members(const json_t *root, struct keyring_file *file)
{
    if (!json_is_object(root) || json_unknown_member(root, file_members) ||
        !bytes_equal(json_text(json_object_get(root, "format")), bytes_of_text(FORMAT)))
        return false;
    const json_int_t version = json_integer_value(json_object_get(root, "root"));
    const json_t *wraps = json_object_get(root, "wraps");
    if (version < 1 || version > UINT32_MAX || json_array_size(wraps) != KEYRING_WRAPS)
        return false;
    file->root_version = (uint32_t)version;
    for (size_t i = 0; i < KEYRING_WRAPS; i++) {
        if (!read_row(json_array_get(wraps, i), &file->wraps[i]))
            return false;
    }
    return read_bytes(root, "vault", true, file->vault, sizeof file->vault) &&
           read_bytes(root, "seed", false, file->seed, sizeof file->seed) &&
           read_bytes(root, "mac", false, file->mac, sizeof file->mac);
}

enum vault_code keyring_file_read(const char *dir, struct keyring_file *out,
                                  struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, dir, KEYRING_FILE, err));
    if (!file_exists(path))
        return vault_fail(err, VAULT_NOT_FOUND, "there is no keyring: %s is missing", path);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(FILE_MAX_BYTES);
    VAULT_TRY(file_read(path, &text, err));
    VAULT_AUTO(json_free) json_t *root = NULL;
    struct keyring_file file = {0};
    if (json_parse(buf_view(&text), 3, &root, NULL, NULL) != VAULT_OK || !read_members(root, &file))
        return vault_fail(err, VAULT_CORRUPT,
                          "the keyring %s is damaged: it is not in the form " FORMAT, path);
    *out = file;
    return VAULT_OK;
}
