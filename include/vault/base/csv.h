/*
 * csv - tables as text, row by row: RFC 4180.
 *
 * Cells are separated by commas, rows end with a line's end (CRLF or LF), and a cell that holds a
 * comma, a quote or a line's end stands in quotes, in which two quotes are one. Everything is
 * UTF-8 without zeros; a byte order mark before the first row is passed over, and so are empty
 * lines. A row that breaks the rules is refused by itself: the next one begins after the line that
 * it was refused on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

#define CSV_ROW_BYTES_MAX (256UL * 1024)
#define CSV_CELLS_MAX     1024U
#define CSV_MARK_BYTES    3U

struct csv {
    FILE *file;                    /* borrowed */
    uint8_t ahead[CSV_MARK_BYTES]; /* read, but not taken yet */
    size_t ahead_count;
    size_t ahead_at;
    size_t line; /* of the row that was read last, from 1 */
    size_t next_line;
    struct buf text; /* of that row's cells, one behind the other */
    struct bytes cells[CSV_CELLS_MAX];
    size_t count;
};

/* Begin to read; csv_finish() wipes what was read. */
void csv_start(struct csv *csv, FILE *file);
void csv_finish(struct csv *csv);

/*
 * The next row: count cells, borrowed until the next call. *found is false at the end.
 *
 * VAULT_INVALID    a quote in the middle of a cell, text behind a closing quote, a cell whose quote
 *                  is not closed, no UTF-8, or a zero: the text says which, without the cell
 * VAULT_TOO_LARGE  a row over CSV_ROW_BYTES_MAX or CSV_CELLS_MAX
 * VAULT_IO         the file cannot be read
 */
enum vault_code csv_next(struct csv *csv, bool *found, struct vault_error *err) VAULT_MUST_CHECK;
