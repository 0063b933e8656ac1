#include "contents.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vault/base/codec.h"
#include "vault/base/file.h"

#define LINE_CHARS_MAX 1200

static enum vault_code path_of(char out[PATH_MAX], const char *dir, struct vault_error *err)
{
    return file_join(out, PATH_MAX, dir, MANIFEST_FILE, err);
}

bool contents_is_there(const char *dir)
{
    char path[PATH_MAX];
    return path_of(path, dir, NULL) == VAULT_OK && file_exists(path);
}

/* --- Writing -------------------------------------------------------------------------------- */

static enum vault_code write_line(struct contents_writer *writer, struct vault_error *err,
                                  const char *format, ...) VAULT_PRINTF(3, 4);

static enum vault_code write_line(struct contents_writer *writer, struct vault_error *err,
                                  const char *format, ...)
{
    char line[LINE_CHARS_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof line)
        return vault_fail(err, VAULT_TOO_LARGE, "a line of the manifest is too long");
    hasher_add(writer->hasher, (struct bytes){(const uint8_t *)line, (size_t)length});
    if (fwrite(line, 1, (size_t)length, writer->file) != (size_t)length)
        return vault_fail_errno(err, "writing the manifest");
    return VAULT_OK;
}

enum vault_code contents_begin(struct contents_writer *writer, int *fd, struct vault_error *err)
{
    FILE *file = fdopen(*fd, "w");
    if (!file)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    *fd = -1;
    *writer = (struct contents_writer){.file = file, .hasher = hasher_new()};
    hasher_begin(writer->hasher);
    return write_line(writer, err, "%s\n", MANIFEST_FIRST);
}

void contents_abandon(struct contents_writer *writer)
{
    if (writer->file)
        fclose(writer->file);
    hasher_free(&writer->hasher);
    *writer = (struct contents_writer){0};
}

enum vault_code contents_add(struct contents_writer *writer, const char *name, uint64_t size_bytes,
                             const uint8_t hash[SHA256_BYTES], struct vault_error *err)
{
    char hex[HEX_CHARS(SHA256_BYTES) + 1];
    hex_string(hex, hash, SHA256_BYTES);
    if (!folder_name_is_safe(name))
        return vault_fail(err, VAULT_INVALID, "a file's name cannot be backed up: %.*s",
                          (int)strcspn(name, "\n\r"), name);
    writer->files++;
    return write_line(writer, err, "file %" PRIu64 " %s %s\n", size_bytes, hex, name);
}

static enum vault_code write_facts(struct contents_writer *writer,
                                   const struct contents_facts *facts, struct vault_error *err)
{
    char root[BASE64_CHARS(TREE_HASH_BYTES) + 1];
    base64_string(root, facts->log.root.bytes, sizeof facts->log.root.bytes);
    VAULT_TRY(write_line(writer, err, "time %" PRId64 "\nfrom %" PRIu64 "\nlog %" PRIu64 " %s\n",
                         facts->time_ms, facts->from, facts->log.size, root));
    VAULT_TRY(write_line(writer, err, "pruned %" PRIu64 "\ngone %" PRIu64 "\norigin %s\n",
                         facts->pruned_below, facts->gone, facts->origin));
    for (size_t i = 0; i < facts->key_count; i++) {
        char key[NOTE_KEY_CHARS_MAX];
        note_key_print(&facts->keys[i], key);
        VAULT_TRY(write_line(writer, err, "key %s\n", key));
    }
    return write_line(writer, err, "end %" PRIu64 "\n", writer->files);
}

static void mac_of(struct hasher *hasher, const struct secret *key, uint8_t out[SHA256_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    hasher_end(hasher, hash);
    const struct bytes parts[] = {bytes_of_text(MANIFEST_FIRST), {hash, sizeof hash}};
    hmac_sha256(out, secret_view(key), parts, 2);
}

enum vault_code contents_end(struct contents_writer *writer, const struct contents_facts *facts,
                             const struct secret *key, struct vault_error *err)
{
    uint8_t mac[SHA256_BYTES];
    char hex[HEX_CHARS(SHA256_BYTES) + 1];
    VAULT_TRY(write_facts(writer, facts, err));
    mac_of(writer->hasher, key, mac);
    hex_string(hex, mac, sizeof mac);
    if (fprintf(writer->file, "mac %s\n", hex) < 0 || fflush(writer->file) != 0 ||
        fsync(fileno(writer->file)) != 0)
        return vault_fail_errno(err, "writing the manifest");
    return VAULT_OK;
}

/* --- Reading -------------------------------------------------------------------------------- */

struct reading {
    struct contents_facts *facts;
    contents_each *each;
    void *context;
    uint64_t files;
    bool has_end;
};

static enum vault_code no_manifest(struct vault_error *err)
{
    return vault_fail(err, VAULT_INVALID,
                      "the manifest cannot be read: it is damaged, or a newer program wrote it");
}

static bool number_of(const char *text, uint64_t *out, char **end)
{
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *out = strtoull(text, end, 10);
    return errno == 0;
}

static enum vault_code read_file(struct reading *reading, const char *text, struct vault_error *err)
{
    uint64_t size = 0;
    uint8_t hash[SHA256_BYTES];
    char *end = NULL;
    if (!number_of(text, &size, &end) || *end != ' ' ||
        strlen(end + 1) < HEX_CHARS(SHA256_BYTES) + 2)
        return no_manifest(err);
    const struct bytes hex = {(const uint8_t *)end + 1, HEX_CHARS(SHA256_BYTES)};
    const char *name = end + 1 + HEX_CHARS(SHA256_BYTES) + 1;
    if (hex_decode_exact(hash, sizeof hash, hex, NULL) != VAULT_OK || name[-1] != ' ' ||
        !folder_name_is_safe(name))
        return no_manifest(err);
    reading->files++;
    return reading->each ? reading->each(reading->context, name, size, hash, err) : VAULT_OK;
}

static enum vault_code read_log(struct reading *reading, const char *text, struct vault_error *err)
{
    struct ledger_head *log = &reading->facts->log;
    char *end = NULL;
    if (!number_of(text, &log->size, &end) || *end != ' ' ||
        base64_decode_exact(log->root.bytes, sizeof log->root.bytes, bytes_of_text(end + 1),
                            NULL) != VAULT_OK)
        return no_manifest(err);
    return VAULT_OK;
}

static enum vault_code read_key(struct reading *reading, const char *text, struct vault_error *err)
{
    struct contents_facts *facts = reading->facts;
    if (facts->key_count > LEDGER_FORMER_MAX ||
        note_key_parse(bytes_of_text(text), &facts->keys[facts->key_count], NULL) != VAULT_OK)
        return no_manifest(err);
    facts->key_count++;
    return VAULT_OK;
}

static enum vault_code read_line(struct reading *reading, char *line, struct vault_error *err)
{
    struct contents_facts *facts = reading->facts;
    uint64_t time_ms = 0;
    const struct {
        const char *word;
        uint64_t *number;
    } numbers[] = {
        {"time", &time_ms},     {"from", &facts->from}, {"pruned", &facts->pruned_below},
        {"gone", &facts->gone}, {"end", &facts->files},
    };
    char *end = NULL;
    char *rest = strchr(line, ' ');
    if (!rest)
        return no_manifest(err);
    *rest++ = 0;
    if (strcmp(line, "file") == 0)
        return read_file(reading, rest, err);
    if (strcmp(line, "log") == 0)
        return read_log(reading, rest, err);
    if (strcmp(line, "key") == 0)
        return read_key(reading, rest, err);
    if (strcmp(line, "origin") == 0 && strlen(rest) < sizeof facts->origin) {
        memcpy(facts->origin, rest, strlen(rest) + 1);
        return VAULT_OK;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(line, numbers[i].word) != 0)
            continue;
        if (!number_of(rest, numbers[i].number, &end) || *end)
            return no_manifest(err);
        facts->time_ms = i == 0 ? (int64_t)time_ms : facts->time_ms;
        reading->has_end = reading->has_end || numbers[i].number == &facts->files;
        return VAULT_OK;
    }
    return no_manifest(err);
}

static void close_stream(FILE **file)
{
    if (*file)
        fclose(*file);
}

static enum vault_code check_mac(struct hasher *hasher, const struct secret *key, const char *line,
                                 struct vault_error *err)
{
    uint8_t mac[SHA256_BYTES];
    uint8_t stated[SHA256_BYTES];
    mac_of(hasher, key, mac);
    if (hex_decode_exact(stated, sizeof stated, bytes_of_text(line), NULL) != VAULT_OK ||
        !secret_equal((struct bytes){mac, sizeof mac}, (struct bytes){stated, sizeof stated}))
        return vault_fail(err, VAULT_DENIED,
                          "the manifest is not as this vault wrote it: it was changed, or it is "
                          "another vault's backup");
    return VAULT_OK;
}

/* Line by line up to the mac, which is the last. */
static enum vault_code read_lines(FILE *file, struct reading *reading, const struct secret *key,
                                  struct hasher *hasher, struct vault_error *err)
{
    char line[LINE_CHARS_MAX + 2];
    for (bool first = true; fgets(line, sizeof line, file); first = false) {
        const size_t length = strlen(line);
        if (length == 0 || line[length - 1] != '\n')
            return no_manifest(err);
        line[length - 1] = 0;
        if (strncmp(line, "mac ", 4) == 0)
            return reading->has_end && reading->files == reading->facts->files && fgetc(file) == EOF
                       ? check_mac(hasher, key, line + 4, err)
                       : no_manifest(err);
        line[length - 1] = '\n';
        hasher_add(hasher, (struct bytes){(const uint8_t *)line, length});
        line[length - 1] = 0;
        if (first ? strcmp(line, MANIFEST_FIRST) != 0 : reading->has_end)
            return no_manifest(err);
        if (!first)
            VAULT_TRY(read_line(reading, line, err));
    }
    if (ferror(file))
        return vault_fail_errno(err, "reading the manifest");
    return vault_fail(err, VAULT_INVALID,
                      "the manifest does not reach its end: the backup was "
                      "not finished, or was cut");
}

enum vault_code contents_read(const char *dir, const struct secret *key,
                              struct contents_facts *facts, contents_each *each, void *context,
                              struct vault_error *err)
{
    int fd = -1;
    char path[PATH_MAX];
    struct reading reading = {.facts = facts, .each = each, .context = context};
    *facts = (struct contents_facts){0};
    VAULT_TRY(path_of(path, dir, err));
    if (file_is_missing(path))
        return vault_fail(err, VAULT_NOT_FOUND, "there is no backup in %s: it has no %s", dir,
                          MANIFEST_FILE);
    VAULT_TRY(file_open_regular(path, &fd, err));
    VAULT_AUTO(close_stream) FILE *file = fdopen(fd, "r");
    if (!file) {
        close(fd);
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    }
    VAULT_AUTO(hasher_free) struct hasher *hasher = hasher_new();
    hasher_begin(hasher);
    return read_lines(file, &reading, key, hasher, err);
}
