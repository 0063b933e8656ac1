#include "erased_list.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault/base/codec.h"
#include "vault/base/file.h"

#define LINE_CHARS (HEX_CHARS(SHA256_BYTES) + 1)
#define AT_A_TIME  512 /* lines */

static void name_of(uint8_t out[SHA256_BYTES], const struct secret *key,
                    const struct citizen_id *citizen)
{
    const struct bytes id = {citizen->bytes, sizeof citizen->bytes};
    hmac_sha256(out, secret_view(key), &id, 1);
}

static void line_of(char out[LINE_CHARS + 1], const uint8_t name[SHA256_BYTES])
{
    hex_string(out, name, SHA256_BYTES);
    out[LINE_CHARS - 1] = '\n';
    out[LINE_CHARS] = 0;
}

/* Told of whole lines, one after the other. */
typedef enum vault_code line_taker(void *context, const char *line, struct vault_error *err);

/* Half a line at the end is passed over. *whole is how many bytes whole lines are. */
static enum vault_code each_line(int fd, const char *path, line_taker *take, void *context,
                                 off_t *whole, struct vault_error *err)
{
    char lines[LINE_CHARS * AT_A_TIME];
    for (*whole = 0;;) {
        const ssize_t got = pread(fd, lines, sizeof lines, *whole);
        if (got < 0)
            return vault_fail_errno(err, "reading %s", path);
        const size_t count = (size_t)got / LINE_CHARS;
        for (size_t i = 0; i < count; i++)
            VAULT_TRY(take(context, lines + i * LINE_CHARS, err));
        *whole += (off_t)(count * LINE_CHARS);
        if (count == 0)
            return VAULT_OK;
    }
}

struct search {
    const char *line;
    bool found;
};

static enum vault_code compare(void *context, const char *line, struct vault_error *err)
{
    struct search *search = context;
    (void)err;
    search->found = search->found || memcmp(search->line, line, LINE_CHARS) == 0;
    return VAULT_OK;
}

enum vault_code erased_list_add(const char *log_dir, const struct secret *key,
                                const struct citizen_id *citizen, struct vault_error *err)
{
    char path[PATH_MAX];
    char line[LINE_CHARS + 1];
    uint8_t name[SHA256_BYTES];
    off_t whole = 0;
    struct search search = {.line = line};
    VAULT_TRY(file_join(path, sizeof path, log_dir, ERASED_LIST_FILE, err));
    name_of(name, key, citizen);
    line_of(line, name);
    VAULT_AUTO(file_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return vault_fail_errno(err, "opening %s", path);
    VAULT_TRY(each_line(fd, path, compare, &search, &whole, err));
    if (search.found)
        return VAULT_OK;
    if (ftruncate(fd, whole) != 0 || pwrite(fd, line, LINE_CHARS, whole) != LINE_CHARS ||
        fsync(fd) != 0)
        return vault_fail_errno(err, "writing %s", path);
    return folder_sync(log_dir, err);
}

void erased_list_free(struct erased_list *list)
{
    free(list->names);
    *list = (struct erased_list){0};
}

static enum vault_code make_room(struct erased_list *list, struct vault_error *err)
{
    if (list->count < list->room)
        return VAULT_OK;
    const size_t room = list->room ? list->room * 2 : 1024;
    if (room > 2 * (size_t)ERASED_LIST_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "more than %d erasures cannot be read",
                          ERASED_LIST_MAX);
    uint8_t(*names)[SHA256_BYTES] = calloc(room, sizeof *names);
    if (!names)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    if (list->count)
        memcpy(names, list->names, list->count * sizeof *names);
    free(list->names);
    list->names = names;
    list->room = room;
    return VAULT_OK;
}

static enum vault_code take_line(void *context, const char *line, struct vault_error *err)
{
    struct erased_list *list = context;
    VAULT_AUTO(buf_finish) struct buf name = buf_limited(SHA256_BYTES);
    const struct bytes hex = {(const uint8_t *)line, HEX_CHARS(SHA256_BYTES)};
    if (line[LINE_CHARS - 1] != '\n' || hex_decode(&name, hex, NULL) != VAULT_OK ||
        name.size != SHA256_BYTES)
        return vault_fail(err, VAULT_CORRUPT, "the list %s is damaged: a line is none",
                          ERASED_LIST_FILE);
    VAULT_TRY(make_room(list, err));
    memcpy(list->names[list->count++], name.data, SHA256_BYTES);
    return VAULT_OK;
}

enum vault_code erased_list_read(const char *log_dir, struct erased_list *list, size_t *lines,
                                 struct vault_error *err)
{
    char path[PATH_MAX];
    off_t whole = 0;
    VAULT_TRY(file_join(path, sizeof path, log_dir, ERASED_LIST_FILE, err));
    VAULT_AUTO(file_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno != ENOENT)
        return vault_fail_errno(err, "opening %s", path);
    if (fd >= 0)
        VAULT_TRY(each_line(fd, path, take_line, list, &whole, err));
    if (lines)
        *lines = (size_t)whole / LINE_CHARS;
    return VAULT_OK;
}

static int by_name(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_BYTES);
}

void erased_list_sort(struct erased_list *list)
{
    if (list->count)
        qsort(list->names, list->count, sizeof *list->names, by_name);
}

bool erased_list_has(const struct erased_list *list, const struct secret *key,
                     const struct citizen_id *citizen)
{
    uint8_t name[SHA256_BYTES];
    name_of(name, key, citizen);
    return list->count &&
           bsearch(name, list->names, list->count, sizeof *list->names, by_name) != NULL;
}

enum vault_code erased_list_write(const char *log_dir, const struct erased_list *list,
                                  struct vault_error *err)
{
    char path[PATH_MAX];
    char line[LINE_CHARS + 1];
    VAULT_TRY(file_join(path, sizeof path, log_dir, ERASED_LIST_FILE, err));
    VAULT_AUTO(file_close)
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return vault_fail_errno(err, "making %s", path);
    for (size_t i = 0; i < list->count; i++) {
        if (i && memcmp(list->names[i - 1], list->names[i], SHA256_BYTES) == 0)
            continue;
        line_of(line, list->names[i]);
        VAULT_TRY(file_write_all(fd, (struct bytes){(const uint8_t *)line, LINE_CHARS}, err));
    }
    return fsync(fd) == 0 ? VAULT_OK : vault_fail_errno(err, "syncing %s", path);
}
