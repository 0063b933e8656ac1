/*
 * Files of an import: lines, rows of a table, and the table of citizens; the first byte says which.
 * Lines put together again are the file. Cells written in quotes are read as the same cells. A row
 * of citizens is an object of nothing but what an import takes, and no error has a cell in it.
 */
#include "fuzz_tools.h"

#include "programs/citizen_table.h"
#include "vault/base/line.h"

#define FILE_BYTES_MAX (64UL * 1024)
#define LINE_BYTES_MAX 256U

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    return 0;
}

static FILE *open_input(struct bytes input)
{
    FILE *file = fmemopen((void *)(uintptr_t)input.data, input.size, "r");
    REQUIRE(file);
    return file;
}

static void check_lines(struct bytes input)
{
    VAULT_AUTO(line_end) FILE *file = open_input(input);
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(LINE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf all = buf_limited(2 * FILE_BYTES_MAX);
    bool found = true;
    struct vault_error err = {.text = ""};
    for (;;) {
        const enum vault_code code = line_read(file, &line, &found, &err);
        if (code == VAULT_TOO_LARGE) {
            require_silent(&err);
            return;
        }
        REQUIRE(code == VAULT_OK);
        if (!found)
            break;
        buf_bytes(&all, buf_view(&line));
        buf_byte(&all, '\n');
    }
    all.size -= all.size > input.size; /* the last line may do without its end */
    REQUIRE(bytes_equal(buf_view(&all), input));
}

static void write_cell(struct buf *out, struct bytes cell)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < cell.size; i++) {
        if (cell.data[i] == '"')
            buf_byte(out, '"');
        buf_byte(out, cell.data[i]);
    }
    buf_byte(out, '"');
}

/* One row, written and read again: the same cells. Within quotes too the end of a line is read as
 * one byte, so that a cell that holds a return of its own is left out. */
static void check_row(const struct csv *row)
{
    struct csv again;
    bool found = false;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(4 * FILE_BYTES_MAX);
    if (row->text.size && memchr(row->text.data, '\r', row->text.size))
        return;
    for (size_t i = 0; i < row->count; i++) {
        buf_text(&text, i ? "," : "");
        write_cell(&text, row->cells[i]);
    }
    buf_text(&text, "\r\n");
    VAULT_AUTO(line_end) FILE *file = open_input(buf_view(&text));
    csv_start(&again, file);
    REQUIRE(csv_next(&again, &found, NULL) == VAULT_OK && found);
    REQUIRE(again.count == row->count);
    for (size_t i = 0; i < row->count; i++)
        REQUIRE(bytes_equal(again.cells[i], row->cells[i]));
    csv_finish(&again);
}

static void check_rows(struct bytes input)
{
    static struct csv csv;
    VAULT_AUTO(line_end) FILE *file = open_input(input);
    bool found = true;
    size_t last = 0;
    csv_start(&csv, file);
    for (size_t rows = 0; found; rows++) {
        struct vault_error err = {.text = ""};
        const enum vault_code code = csv_next(&csv, &found, &err);
        REQUIRE(rows <= input.size);
        REQUIRE(!found || csv.line > last);
        last = csv.line;
        if (code)
            require_silent(&err);
        else if (found)
            check_row(&csv);
        found = found || code; /* the next one can be asked for */
    }
    csv_finish(&csv);
}

static void check_citizen(struct bytes text)
{
    static const char *const members[] = {"reference", "login",  "password",
                                          "language",  "values", NULL};
    static const char *const parts[] = {"text", "as_of", "source", NULL};
    VAULT_AUTO(json_free) json_t *row = NULL;
    const char *name;
    json_t *value;
    REQUIRE(json_parse(text, 3, &row, NULL, NULL) == VAULT_OK && json_is_object(row));
    REQUIRE(!json_unknown_member(row, members));
    json_object_foreach(json_object_get(row, "values"), name, value)
    {
        REQUIRE(strchr(name, '.') && !json_unknown_member(value, parts));
        REQUIRE(json_is_string(json_object_get(value, "text")));
    }
}

static void check_citizens(struct bytes input)
{
    static struct citizen_table table;
    VAULT_AUTO(line_end) FILE *file = open_input(input);
    struct vault_error err = {.text = ""};
    bool found = true;
    if (citizen_table_open(&table, file, &err) != VAULT_OK) {
        require_silent(&err);
        found = false;
    }
    for (size_t rows = 0; found; rows++) {
        VAULT_AUTO(buf_finish) struct buf out = buf_limited(16 * FILE_BYTES_MAX);
        const enum vault_code code = citizen_table_next(&table, &out, &found, &err);
        REQUIRE(rows <= input.size);
        if (code)
            require_silent(&err);
        else if (found)
            check_citizen(buf_view(&out));
        found = found || code;
    }
    citizen_table_close(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > FILE_BYTES_MAX)
        return 0;
    const struct bytes input = {data + 1, size - 1};
    if (data[0] % 3 == 0)
        check_lines(input);
    else if (data[0] % 3 == 1)
        check_rows(input);
    else
        check_citizens(input);
    return 0;
}
