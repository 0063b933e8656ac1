/*
 * line - lines of a stream as they are, with a limit.
 *
 * A line may hold any byte but its end, zeros too: whoever reads it sees all of it, so that nothing
 * can hide behind a zero. The last line may do without an end.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

/* Close by attribute: VAULT_AUTO(line_end) FILE *file. Standard input stays open. */
void line_end(FILE **file);

/*
 * Put the next line into the buffer, in place of what it held and without the newline; the buffer's
 * ceiling is the limit. *found is false, and the buffer empty, if there is none left.
 *
 * VAULT_TOO_LARGE, VAULT_IO, VAULT_NO_MEMORY
 */
enum vault_code line_read(FILE *file, struct buf *line, bool *found, struct vault_error *err)
    VAULT_MUST_CHECK;
