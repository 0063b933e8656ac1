/*
 * citizen_table - a table of citizens as rows of JSON for the import.
 *
 * The first row names the columns: "reference", which must be there, "login", "password" and
 * "language", and fields by their ids; beside a field there may be columns for when and where its
 * value comes from:
 *
 *     reference,login,identity.birth_date,identity.birth_date:source,identity.birth_date:as_of
 *     RM-000123,exemple-1,1990-05-17,civil register,2026-09-01T00:00:00Z
 *
 * An empty cell is no value. What a cell means is the type's of its field (vault/vault/people.h).
 */
#pragma once

#include "vault/base/csv.h"
#include "vault/base/json.h"

struct citizen_table {
    struct csv csv;
    json_t *columns; /* the names, in their order */
};

/* Read the first row. VAULT_INVALID, naming the column by its number, if it is no such row. */
enum vault_code citizen_table_open(struct citizen_table *table, FILE *file, struct vault_error *err)
    VAULT_MUST_CHECK;
void citizen_table_close(struct citizen_table *table);

/* Append the next row as JSON text; *found is false at the end. VAULT_INVALID or VAULT_TOO_LARGE:
 * this row is none, and the next one can be asked for. */
enum vault_code citizen_table_next(struct citizen_table *table, struct buf *out, bool *found,
                                   struct vault_error *err) VAULT_MUST_CHECK;
