/* vault-audit root: the root of any entries, for whoever wants to compute one by hand. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "vault/base/codec.h"

#define LINE_MAX_BYTES (BASE64_CHARS(UINT16_MAX) + 2) /* the longest entry a bundle can hold */

static void file_end(FILE **file)
{
    if (*file && *file != stdin)
        fclose(*file);
}

/* Add the entry of one line, without its newline. */
static bool add_line(struct tree_frontier *frontier, struct bytes line, struct buf *entry)
{
    buf_clear(entry);
    if (base64_decode(entry, line, NULL) != VAULT_OK)
        return false;
    const struct tree_hash leaf = tree_leaf(buf_view(entry));
    tree_frontier_add(frontier, &leaf, NULL, NULL);
    return true;
}

static int read_lines(FILE *file, const char *name, struct tree_frontier *frontier)
{
    VAULT_AUTO(buf_finish) struct buf room = buf_limited(LINE_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf entry = buf_limited(UINT16_MAX);
    char *line = (char *)buf_extend(&room, LINE_MAX_BYTES);
    if (!line)
        return AUDIT_EXIT_IO;
    while (fgets(line, (int)LINE_MAX_BYTES, file)) {
        struct bytes text = bytes_of_text(line);
        if (text.size && text.data[text.size - 1] == '\n')
            text.size--;
        else if (!feof(file))
            text.data = NULL; /* longer than any entry, or with a NUL in it */
        if (!text.data || !add_line(frontier, text, &entry)) {
            fprintf(stderr, "vault-audit: line %ju of %s is no entry in base64\n",
                    (uintmax_t)frontier->size + 1, name);
            return VERIFY_EXIT_INVALID;
        }
    }
    if (ferror(file)) {
        fprintf(stderr, "vault-audit: %s cannot be read\n", name);
        return AUDIT_EXIT_IO;
    }
    return 0;
}

int audit_root(int argc, char **argv)
{
    const char *name = NULL;
    struct tree_frontier frontier = {0};
    char hex[HEX_CHARS(TREE_HASH_BYTES) + 1];
    int code = audit_read_arguments(argc, argv, NULL, 0, &name, 1);
    if (code)
        return code;
    VAULT_AUTO(file_end) FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    if (!file) {
        struct vault_error err;
        return audit_failed(vault_fail_errno(&err, "opening %s", name), &err);
    }
    code = read_lines(file, name, &frontier);
    if (code)
        return code;
    const struct tree_hash root = tree_frontier_root(&frontier);
    hex_string(hex, root.bytes, sizeof root.bytes);
    puts(hex);
    return 0;
}
