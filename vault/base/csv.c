#include "vault/base/csv.h"

#include <jansson.h>
#include <string.h>

/* A byte, of those that were read ahead first. */
static int take_byte(struct csv *csv)
{
    if (csv->ahead_at < csv->ahead_count)
        return csv->ahead[csv->ahead_at++];
    return getc(csv->file);
}

void csv_start(struct csv *csv, FILE *file)
{
    static const uint8_t mark[CSV_MARK_BYTES] = {0xef, 0xbb, 0xbf};
    *csv = (struct csv){.file = file, .next_line = 1, .text = buf_limited(CSV_ROW_BYTES_MAX)};
    int c = 0;
    while (csv->ahead_count < CSV_MARK_BYTES && (c = getc(file)) != EOF) {
        csv->ahead[csv->ahead_count++] = (uint8_t)c;
        if (c != mark[csv->ahead_count - 1])
            return;
    }
    if (csv->ahead_count == CSV_MARK_BYTES)
        csv->ahead_at = CSV_MARK_BYTES;
}

void csv_finish(struct csv *csv)
{
    buf_finish(&csv->text);
}

static void give_back(struct csv *csv, int c)
{
    if (csv->ahead_at == csv->ahead_count)
        csv->ahead_at = csv->ahead_count = 1;
    csv->ahead[--csv->ahead_at] = (uint8_t)c;
}

/* The next byte; the end of a line is '\n', however it is written. */
static int take(struct csv *csv)
{
    int c = take_byte(csv);
    if (c == '\r') {
        const int next = take_byte(csv);
        if (next == '\n')
            c = next;
        else if (next != EOF)
            give_back(csv, next);
    }
    csv->next_line += c == '\n';
    return c;
}

/* What is left of the line, so that the next row begins after it. */
static void pass_over(struct csv *csv, int c)
{
    while (c != '\n' && c != EOF)
        c = take(csv);
}

/* The text of a cell in quotes, the first of which was taken. */
static enum vault_code take_quoted(struct csv *csv, int *behind, struct vault_error *err)
{
    for (int c = take(csv);; c = take(csv)) {
        if (c == EOF)
            return vault_fail(err, VAULT_INVALID, "a cell whose quote is not closed");
        if (c == '"') {
            c = take(csv);
            if (c != '"') {
                *behind = c;
                return VAULT_OK;
            }
        }
        buf_byte(&csv->text, (uint8_t)c);
    }
}

/* One cell; *behind is what ended it. */
static enum vault_code take_cell(struct csv *csv, int first, int *behind, struct vault_error *err)
{
    int c = first;
    if (c == '"') {
        VAULT_TRY(take_quoted(csv, &c, err));
        if (c != ',' && c != '\n' && c != EOF) {
            pass_over(csv, c);
            return vault_fail(err, VAULT_INVALID, "text behind the closing quote of a cell");
        }
    }
    while (c != ',' && c != '\n' && c != EOF) {
        if (c == '"') {
            pass_over(csv, c);
            return vault_fail(err, VAULT_INVALID,
                              "a quote inside a cell that does not begin "
                              "with one");
        }
        buf_byte(&csv->text, (uint8_t)c);
        c = take(csv);
    }
    *behind = c;
    return VAULT_OK;
}

/* Where each cell ends in the text, as it may still move. */
static enum vault_code take_cells(struct csv *csv, int first, size_t ends[],
                                  struct vault_error *err)
{
    int c = first;
    for (csv->count = 0;; c = take(csv)) {
        int behind = EOF;
        if (csv->count == CSV_CELLS_MAX) {
            pass_over(csv, c);
            return vault_fail(err, VAULT_TOO_LARGE, "more than %u cells in a row", CSV_CELLS_MAX);
        }
        VAULT_TRY(take_cell(csv, c, &behind, err));
        ends[csv->count++] = csv->text.size;
        if (behind != ',')
            return VAULT_OK;
    }
}

/* What can be a text of JSON, and of C. Each cell is by itself: two that are none can be one
 * together. */
static bool is_text(struct bytes cell)
{
    if (cell.size == 0)
        return true;
    json_t *text = json_stringn((const char *)cell.data, cell.size);
    const bool valid = text && !memchr(cell.data, 0, cell.size);
    json_decref(text);
    return valid;
}

enum vault_code csv_next(struct csv *csv, bool *found, struct vault_error *err)
{
    size_t ends[CSV_CELLS_MAX];
    int c = '\n';
    buf_clear(&csv->text);
    csv->count = 0;
    while (c == '\n') {
        csv->line = csv->next_line;
        c = take(csv);
    }
    if (ferror(csv->file))
        return vault_fail_errno(err, "reading the table");
    *found = c != EOF;
    if (c == EOF)
        return VAULT_OK;
    VAULT_TRY(take_cells(csv, c, ends, err));
    if (csv->text.problem)
        return vault_fail(err, VAULT_TOO_LARGE, "a row of more than %lu bytes", CSV_ROW_BYTES_MAX);
    for (size_t i = 0; i < csv->count; i++) {
        const size_t from = i ? ends[i - 1] : 0;
        csv->cells[i] = (struct bytes){csv->text.data + from, ends[i] - from};
        if (!is_text(csv->cells[i]))
            return vault_fail(err, VAULT_INVALID, "a cell that is not UTF-8, or has a zero in it");
    }
    return VAULT_OK;
}
