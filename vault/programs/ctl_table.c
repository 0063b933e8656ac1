/* What a list looks like to people. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "ctl.h"

#define COLUMNS_MAX 8
#define CELL_BYTES  512
#define GAP         2

/* A cell's text; what is no text is written as JSON has it. */
static void read_cell(const json_t *row, const struct ctl_column *column, char out[CELL_BYTES])
{
    const json_t *value = json_object_get(row, column->member);
    if (json_is_integer(value))
        snprintf(out, CELL_BYTES, "%lld", (long long)json_integer_value(value));
    else
        snprintf(out, CELL_BYTES, "%s", json_is_string(value) ? json_string_value(value) : "-");
    if (column->most_chars && column->most_chars < CELL_BYTES)
        out[column->most_chars] = 0;
}

/* Print it, or only measure it: how many places it takes on a terminal. A letter of another script
 * may take two, an accent none; a control character is shown as a question mark. */
static size_t put_cell(const char *cell, bool prints)
{
    mbstate_t state = {0};
    size_t places = 0;
    size_t left = strlen(cell);
    while (left) {
        wchar_t letter = 0;
        const size_t size = mbrtowc(&letter, cell, left, &state);
        if (size == 0 || size > left) /* cut within a character */
            break;
        const int width = wcwidth(letter);
        places += width < 0 ? 1 : (size_t)width;
        if (prints)
            printf("%.*s", width < 0 ? 1 : (int)size, width < 0 ? "?" : cell);
        cell += size;
        left -= size;
    }
    return places;
}

void ctl_print_table(const json_t *list, const struct ctl_column columns[], size_t column_count)
{
    size_t widest[COLUMNS_MAX] = {0};
    char cell[CELL_BYTES];
    setlocale(LC_CTYPE, "C.UTF-8");
    for (size_t i = 0; i < json_array_size(list); i++) {
        for (size_t c = 0; c < column_count && c < COLUMNS_MAX; c++) {
            read_cell(json_array_get(list, i), &columns[c], cell);
            const size_t places = put_cell(cell, false);
            widest[c] = places > widest[c] ? places : widest[c];
        }
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        for (size_t c = 0; c < column_count && c < COLUMNS_MAX; c++) {
            read_cell(json_array_get(list, i), &columns[c], cell);
            const size_t places = put_cell(cell, true);
            if (c + 1 < column_count)
                printf("%*s", (int)(widest[c] - places + GAP), "");
        }
        putchar('\n');
    }
}
