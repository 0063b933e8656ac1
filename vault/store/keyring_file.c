#include "keyring_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>

#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/insist.h"
#include "vault/base/json.h"

#define FORMAT_1       "citizen-vault-keyring/1"
#define FORMAT_2       "citizen-vault-keyring/2"
#define BY_RECOVERY    "recovery"
#define FILE_MAX_BYTES 4096
#define DEPTH_MAX      3

static const char *const members_1[] = {"format", "vault", "root", "wraps", "seed", "mac", NULL};
static const char *const wrap_members[] = {"by", "check", "sealed", NULL};
static const char *const members_2[] = {"format", "vault", "provider", "recovery",
                                        "roots",  "seed",  "mac",      NULL};
static const char *const provider_members[] = {"name", "check", "note", NULL};
static const char *const root_members[] = {"version", "provider", "recovery", NULL};

/* --- Writing -------------------------------------------------------------------------------- */

static void write_base64(struct buf *text, const char *before, const void *data, size_t size)
{
    buf_text(text, before);
    buf_byte(text, '"');
    base64_encode(text, (struct bytes){data, size});
    buf_byte(text, '"');
}

static void write_wrap_1(struct buf *text, const char *by, const uint8_t *check,
                         const uint8_t *sealed)
{
    buf_format(text, "{\"by\":\"%s\",\"check\":\"", by);
    hex_encode(text, (struct bytes){check, KEYRING_CHECK_BYTES});
    buf_byte(text, '"');
    write_base64(text, ",\"sealed\":", sealed, KEYRING_SEALED_BYTES);
    buf_byte(text, '}');
}

/* As it was written, since its mac is over it. */
static void write_body_1(struct buf *text, const struct keyring_file *file)
{
    const struct keyring_file_root *root = &file->roots[0];
    buf_text(text, "{\"format\":\"" FORMAT_1 "\",\n \"vault\":\"");
    hex_encode(text, (struct bytes){file->vault, sizeof file->vault});
    buf_format(text, "\",\n \"root\":%u,\n \"wraps\":[", root->version);
    write_wrap_1(text, file->provider, file->check, root->by_provider);
    buf_text(text, ",\n  ");
    write_wrap_1(text, BY_RECOVERY, file->recovery_check, root->by_recovery);
    write_base64(text, "],\n \"seed\":", file->seed, sizeof file->seed);
}

static void write_root(struct buf *text, const struct keyring_file_root *root)
{
    buf_format(text, "{\"version\":%u", root->version);
    write_base64(text, ",\"provider\":", root->by_provider, sizeof root->by_provider);
    write_base64(text, ",\n   \"recovery\":", root->by_recovery, sizeof root->by_recovery);
    buf_byte(text, '}');
}

static void write_body_2(struct buf *text, const struct keyring_file *file)
{
    buf_text(text, "{\"format\":\"" FORMAT_2 "\",\n \"vault\":\"");
    hex_encode(text, (struct bytes){file->vault, sizeof file->vault});
    buf_format(text, "\",\n \"provider\":{\"name\":\"%s\",\"check\":\"", file->provider);
    hex_encode(text, (struct bytes){file->check, sizeof file->check});
    write_base64(text, "\",\"note\":", file->note, file->note_size);
    write_base64(text, "},\n \"recovery\":", file->recovery, sizeof file->recovery);
    buf_text(text, ",\n \"roots\":[");
    for (size_t i = 0; i < file->root_count; i++) {
        buf_text(text, i ? ",\n  " : "");
        write_root(text, &file->roots[i]);
    }
    write_base64(text, "],\n \"seed\":", file->seed, sizeof file->seed);
}

/* All but the mac and the last brace. It is what the mac is over, too. */
static void write_body(struct buf *text, const struct keyring_file *file)
{
    if (file->format == 1)
        write_body_1(text, file);
    else
        write_body_2(text, file);
}

enum vault_code keyring_file_write(const char *dir, const struct keyring_file *file, bool replace,
                                   struct vault_error *err)
{
    assert(file->format == 2);
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, dir, KEYRING_FILE, err));
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(FILE_MAX_BYTES);
    write_body(&text, file);
    write_base64(&text, ",\n \"mac\":", file->mac, sizeof file->mac);
    buf_text(&text, "}\n");
    VAULT_TRY(buf_check(&text, err));
    return replace ? file_replace(path, buf_view(&text), 0600, err)
                   : file_create(path, buf_view(&text), 0600, err);
}

void keyring_file_mac(const struct keyring_file *file, const struct secret *key,
                      uint8_t out[SHA256_BYTES])
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(FILE_MAX_BYTES);
    unsigned tries = 0;
    write_body(&text, file); /* always fits: every member has a limit */
    while (text.problem) {   /* a mac over a shorter text would be kept, and never match again */
        insist_again(&tries, "the keyring");
        buf_clear(&text);
        write_body(&text, file);
    }
    const struct bytes part = buf_view(&text);
    hmac_sha256(out, secret_view(key), &part, 1);
}

/* --- Reading -------------------------------------------------------------------------------- */

static bool read_hex(const json_t *object, const char *member, void *out, size_t size)
{
    return hex_decode_exact(out, size, json_text(json_object_get(object, member)), NULL) ==
           VAULT_OK;
}

/* What is false here is said to be damage, and no memory is none. */
static bool read_base64(const json_t *object, const char *member, void *out, size_t size)
{
    const struct bytes text = json_text(json_object_get(object, member));
    unsigned tries = 0;
    enum vault_code code;
    while ((code = base64_decode_exact(out, size, text, NULL)) == VAULT_NO_MEMORY)
        insist_again(&tries, "the keyring");
    return code == VAULT_OK;
}

static bool read_version(const json_t *value, uint32_t *out)
{
    const json_int_t version = json_integer_value(value);
    *out = version >= 1 && version <= UINT32_MAX ? (uint32_t)version : 0;
    return *out != 0;
}

static bool read_name(const json_t *value, char out[KEYRING_NAME_CHARS + 1])
{
    const struct bytes name = json_text(value);
    if (name.size == 0 || name.size > KEYRING_NAME_CHARS)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        const bool is_digit = name.data[i] >= '0' && name.data[i] <= '9';
        if (!is_digit && (name.data[i] < 'a' || name.data[i] > 'z'))
            return false;
    }
    memcpy(out, name.data, name.size);
    return true;
}

static bool read_wrap_1(const json_t *object, char by[KEYRING_NAME_CHARS + 1], uint8_t *check,
                        uint8_t *sealed)
{
    return !json_unknown_member(object, wrap_members) &&
           read_name(json_object_get(object, "by"), by) &&
           read_hex(object, "check", check, KEYRING_CHECK_BYTES) &&
           read_base64(object, "sealed", sealed, KEYRING_SEALED_BYTES);
}

static bool read_members_1(const json_t *object, struct keyring_file *file)
{
    char recovery[KEYRING_NAME_CHARS + 1] = "";
    struct keyring_file_root *root = &file->roots[0];
    const json_t *wraps = json_object_get(object, "wraps");
    file->root_count = 1;
    return !json_unknown_member(object, members_1) && json_array_size(wraps) == 2 &&
           read_version(json_object_get(object, "root"), &root->version) &&
           read_wrap_1(json_array_get(wraps, 0), file->provider, file->check, root->by_provider) &&
           read_wrap_1(json_array_get(wraps, 1), recovery, file->recovery_check,
                       root->by_recovery) &&
           strcmp(recovery, BY_RECOVERY) == 0;
}

static bool read_note(const json_t *object, struct keyring_file *file)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(KEYRING_NOTE_MAX_BYTES);
    const json_t *text = json_object_get(object, "note");
    unsigned tries = 0;
    enum vault_code code;
    while ((code = base64_decode(&note, json_text(text), NULL)) == VAULT_NO_MEMORY) {
        insist_again(&tries, "the keyring");
        buf_clear(&note);
    }
    if (!json_is_string(text) || code)
        return false;
    file->note_size = note.size;
    if (note.size)
        memcpy(file->note, note.data, note.size);
    return true;
}

static bool read_provider(const json_t *object, struct keyring_file *file)
{
    return !json_unknown_member(object, provider_members) &&
           read_name(json_object_get(object, "name"), file->provider) &&
           read_hex(object, "check", file->check, sizeof file->check) && read_note(object, file);
}

/* Versions rise by one. */
static bool read_roots(const json_t *list, struct keyring_file *file)
{
    file->root_count = json_array_size(list);
    if (file->root_count < 1 || file->root_count > KEYRING_ROOTS_MAX)
        return false;
    for (size_t i = 0; i < file->root_count; i++) {
        const json_t *object = json_array_get(list, i);
        struct keyring_file_root *root = &file->roots[i];
        if (json_unknown_member(object, root_members) ||
            !read_version(json_object_get(object, "version"), &root->version) ||
            (i && root->version != file->roots[i - 1].version + 1) ||
            !read_base64(object, "provider", root->by_provider, sizeof root->by_provider) ||
            !read_base64(object, "recovery", root->by_recovery, sizeof root->by_recovery))
            return false;
    }
    return true;
}

static bool read_members_2(const json_t *object, struct keyring_file *file)
{
    return !json_unknown_member(object, members_2) &&
           read_provider(json_object_get(object, "provider"), file) &&
           read_base64(object, "recovery", file->recovery, sizeof file->recovery) &&
           read_roots(json_object_get(object, "roots"), file);
}

static bool read_members(const json_t *root, struct keyring_file *file)
{
    const struct bytes format = json_text(json_object_get(root, "format"));
    if (!json_is_object(root))
        return false;
    if (bytes_equal(format, bytes_of_text(FORMAT_1)))
        file->format = 1;
    else if (bytes_equal(format, bytes_of_text(FORMAT_2)))
        file->format = 2;
    else
        return false;
    return read_hex(root, "vault", file->vault, sizeof file->vault) &&
           read_base64(root, "seed", file->seed, sizeof file->seed) &&
           read_base64(root, "mac", file->mac, sizeof file->mac) &&
           (file->format == 1 ? read_members_1(root, file) : read_members_2(root, file));
}

enum vault_code keyring_file_read(const char *dir, struct keyring_file *out,
                                  struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, dir, KEYRING_FILE, err));
    if (file_is_missing(path))
        return vault_fail(err, VAULT_NOT_FOUND, "there is no keyring: %s is missing", path);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(FILE_MAX_BYTES);
    VAULT_TRY(file_read(path, &text, err));
    VAULT_AUTO(json_free) json_t *root = NULL;
    struct keyring_file file = {0};
    if (json_parse(buf_view(&text), DEPTH_MAX, &root, NULL, NULL) != VAULT_OK ||
        !read_members(root, &file))
        return vault_fail(
            err, VAULT_CORRUPT,
            "the keyring %s is damaged: it is not in the form " FORMAT_2 " nor " FORMAT_1, path);
    *out = file;
    return VAULT_OK;
}

enum vault_code keyring_file_lock(const char *dir, int *fd, struct vault_error *err)
{
    *fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return vault_fail_errno(err, "opening the vault's folder %s", dir);
    while (flock(*fd, LOCK_EX) != 0) {
        if (errno != EINTR)
            return vault_fail_errno(err, "locking the vault's folder %s", dir);
    }
    return VAULT_OK;
}
