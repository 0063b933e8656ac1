#include "citizen_table.h"

#include <string.h>

#define FIELD_CHARS 64

static bool is_member(const char *name)
{
    static const char *const members[] = {"reference", "login", "password", "language"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (strcmp(members[i], name) == 0)
            return true;
    }
    return false;
}

/* Which member of a value the column of a field is for; NULL for a column that is none. The id's
 * length is put into *size. */
static const char *part_of(const char *name, size_t *size)
{
    static const char *const parts[] = {"as_of", "source"};
    const char *colon = strchr(name, ':');
    *size = colon ? (size_t)(colon - name) : strlen(name);
    if (!memchr(name, '.', *size) || *size > FIELD_CHARS)
        return NULL;
    if (!colon)
        return "text";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(parts[i], colon + 1) == 0)
            return parts[i];
    }
    return NULL;
}

static enum vault_code add_column(struct citizen_table *table, struct bytes cell,
                                  struct vault_error *err)
{
    const size_t number = json_array_size(table->columns) + 1;
    json_t *text = json_stringn((const char *)cell.data, cell.size);
    const char *name = json_string_value(text);
    size_t size;
    if (!name || json_array_append_new(table->columns, text) != 0)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    if (!is_member(name) && !part_of(name, &size))
        return vault_fail(err, VAULT_INVALID,
                          "column %zu is named neither reference, login, password or language nor "
                          "after a field",
                          number);
    for (size_t i = 0; i + 1 < number; i++) {
        if (strcmp(json_string_value(json_array_get(table->columns, i)), name) == 0)
            return vault_fail(err, VAULT_INVALID, "columns %zu and %zu have one name", i + 1,
                              number);
    }
    return VAULT_OK;
}

static bool has_column(const struct citizen_table *table, const char *name)
{
    for (size_t i = 0; i < json_array_size(table->columns); i++) {
        if (strcmp(json_string_value(json_array_get(table->columns, i)), name) == 0)
            return true;
    }
    return false;
}

enum vault_code citizen_table_open(struct citizen_table *table, FILE *file, struct vault_error *err)
{
    bool found = false;
    csv_start(&table->csv, file);
    table->columns = json_array();
    VAULT_TRY(csv_next(&table->csv, &found, err));
    for (size_t i = 0; i < table->csv.count; i++)
        VAULT_TRY(add_column(table, table->csv.cells[i], err));
    if (!found || !has_column(table, "reference"))
        return vault_fail(err, VAULT_INVALID, "the first row does not name a column reference");
    return VAULT_OK;
}

void citizen_table_close(struct citizen_table *table)
{
    csv_finish(&table->csv);
    json_free(&table->columns);
}

/* The value of a field in the row's values, made if it is not there. */
static json_t *value_of(json_t *values, const char *name, size_t size)
{
    char field[FIELD_CHARS + 1] = "";
    memcpy(field, name, size);
    json_t *value = json_object_get(values, field);
    if (!value && json_object_set_new(values, field, json_object()) == 0)
        value = json_object_get(values, field);
    return value;
}

static void put_cell(json_t *row, json_t *values, const char *name, struct bytes cell)
{
    json_t *text = json_stringn((const char *)cell.data, cell.size);
    size_t size;
    if (is_member(name)) {
        json_object_set_new(row, name, text);
        return;
    }
    const char *part = part_of(name, &size);
    json_object_set_new(value_of(values, name, size), part, text);
}

/* A date or a source without a value says nothing. */
static void drop_empty_values(json_t *values)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(values, next, name, value)
    {
        if (!json_object_get(value, "text"))
            json_object_del(values, name);
    }
}

enum vault_code citizen_table_next(struct citizen_table *table, struct buf *out, bool *found,
                                   struct vault_error *err)
{
    *found = true;
    VAULT_TRY(csv_next(&table->csv, found, err));
    if (!*found)
        return VAULT_OK;
    if (table->csv.count != json_array_size(table->columns))
        return vault_fail(err, VAULT_INVALID, "%zu cells where there are %zu columns",
                          table->csv.count, json_array_size(table->columns));
    VAULT_AUTO(json_free) json_t *row = json_object();
    json_t *values = json_object();
    if (!row || json_object_set_new(row, "values", values) != 0)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < table->csv.count; i++) {
        if (table->csv.cells[i].size)
            put_cell(row, values, json_string_value(json_array_get(table->columns, i)),
                     table->csv.cells[i]);
    }
    drop_empty_values(values);
    json_write_value(out, row);
    return buf_check(out, err);
}
