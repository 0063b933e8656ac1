#include "vault/base/line.h"

void line_end(FILE **file)
{
    if (*file && *file != stdin)
        fclose(*file);
    *file = NULL;
}

enum vault_code line_read(FILE *file, struct buf *line, bool *found, struct vault_error *err)
{
    int byte = EOF;
    buf_clear(line);
    *found = false;
    while (!line->problem && (byte = getc_unlocked(file)) != EOF) {
        *found = true;
        if (byte == '\n')
            break;
        buf_byte(line, (uint8_t)byte);
    }
    VAULT_TRY(buf_check(line, err));
    if (byte == EOF && ferror(file))
        return vault_fail_errno(err, "reading");
    return VAULT_OK;
}
