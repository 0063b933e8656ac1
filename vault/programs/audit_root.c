/* vault-audit root: the root of any entries, for whoever wants to compute one by hand. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "audit.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/line.h"

#define LINE_MAX_BYTES (BASE64_CHARS(UINT16_MAX) + 1) /* the longest entry a bundle can hold */

/* Add the entry of one line, without its newline. */
static enum vault_code add_line(struct tree_frontier *frontier, struct bytes line,
                                struct buf *entry, struct vault_error *err)
{
    buf_clear(entry);
    VAULT_TRY(base64_decode(entry, line, err));
    const struct tree_hash leaf = tree_leaf(buf_view(entry));
    tree_frontier_add(frontier, &leaf, NULL, NULL);
    return VAULT_OK;
}

static int read_lines(FILE *file, const char *name, struct tree_frontier *frontier)
{
    struct vault_error err;
    bool found = true;
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(LINE_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf entry = buf_limited(UINT16_MAX);
    for (;;) {
        enum vault_code code = line_read(file, &line, &found, &err);
        if (code == VAULT_OK && !found)
            return 0;
        if (code == VAULT_OK)
            code = add_line(frontier, buf_view(&line), &entry, &err);
        if (code && code != VAULT_TOO_LARGE && code != VAULT_INVALID) {
            vault_error_context(&err, "%s", name);
            return audit_failed(code, &err);
        }
        if (code) {
            fprintf(stderr, "vault-audit: line %ju of %s is no entry in base64\n",
                    (uintmax_t)frontier->size + 1, name);
            return VERIFY_EXIT_INVALID;
        }
    }
}

/* A file, or a device as /dev/null is one; what comes through a pipe comes by "-". */
static enum vault_code open_lines(const char *name, FILE **out, struct vault_error *err)
{
    struct stat status;
    if (strcmp(name, "-") == 0) {
        *out = stdin;
        return VAULT_OK;
    }
    VAULT_AUTO(file_close) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0)
        return vault_fail_errno(err, "opening %s", name);
    if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))
        return vault_fail(err, VAULT_IO, "%s is not a regular file; - reads standard input", name);
    *out = fdopen(fd, "r");
    if (!*out)
        return vault_fail_errno(err, "opening %s", name);
    fd = -1; /* the stream's now */
    return VAULT_OK;
}

int audit_root(int argc, char **argv)
{
    const char *name = NULL;
    struct tree_frontier frontier = {0};
    char hex[HEX_CHARS(TREE_HASH_BYTES) + 1];
    int code = audit_read_arguments(argc, argv, NULL, 0, &name, 1);
    if (code)
        return code;
    struct vault_error err;
    VAULT_AUTO(line_end) FILE *file = NULL;
    const enum vault_code opened = open_lines(name, &file, &err);
    if (opened)
        return audit_failed(opened, &err);
    code = read_lines(file, name, &frontier);
    if (code)
        return code;
    const struct tree_hash root = tree_frontier_root(&frontier);
    hex_string(hex, root.bytes, sizeof root.bytes);
    puts(hex);
    return 0;
}
