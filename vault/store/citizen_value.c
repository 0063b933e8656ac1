#include "vault/store/citizen_value.h"

#include "internal.h"

enum vault_code value_check(const struct citizen_value *value, struct vault_error *err)
{
    VAULT_TRY(text_check(value->field, 1, CITIZEN_FIELD_CHARS, "a field's name", err));
    VAULT_TRY(text_check(value->source, 1, CITIZEN_SOURCE_CHARS, "a source", err));
    return size_check(value->json.size, 1, CITIZEN_VALUE_MAX_BYTES, "a value", err);
}

/* The order of a field's versions, the one that counts first. */
#define NEWEST_FIRST " ORDER BY as_of_s DESC, version DESC"

/* The last version of a field that was put; 0 if it has none. */
static enum vault_code last_version(struct database *file, const char *field, int64_t *version,
                                    struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(
        statement_begin(file, "SELECT max(version) FROM value WHERE field = ?1", &query, err));
    bind_text(&query, 1, field);
    VAULT_TRY(statement_next(&query, &row, err));
    *version = row ? column_integer(&query, 0) : 0;
    return VAULT_OK;
}

static enum vault_code check_room(struct database *file, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(file, "SELECT count(DISTINCT field) FROM value", &query, err));
    VAULT_TRY(statement_next(&query, &row, err));
    if (row && column_integer(&query, 0) >= CITIZEN_FIELDS_MAX)
        return vault_fail(err, VAULT_LIMITED, "a citizen has at most %d fields",
                          CITIZEN_FIELDS_MAX);
    return VAULT_OK;
}

static enum vault_code drop_oldest(struct database *file, const char *field,
                                   struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement drop = {0};
    VAULT_TRY(statement_begin(file,
                              ("DELETE FROM value WHERE field = ?1 AND version IN"
                               " (SELECT version FROM value WHERE field = ?1" NEWEST_FIRST
                               "  LIMIT -1 OFFSET ?2)"),
                              &drop, err));
    bind_text(&drop, 1, field);
    bind_integer(&drop, 2, CITIZEN_VALUE_VERSIONS);
    return statement_run(&drop, err);
}

static enum vault_code insert_version(struct database *file, const struct citizen_value *value,
                                      int64_t version, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(file,
                              "INSERT INTO value (field, version, json, as_of_s, source)"
                              " VALUES (?1, ?2, ?3, ?4, ?5)",
                              &insert, err));
    bind_text(&insert, 1, value->field);
    bind_integer(&insert, 2, version);
    bind_text_bytes(&insert, 3, value->json);
    bind_integer(&insert, 4, value->as_of_s);
    bind_text(&insert, 5, value->source);
    return statement_run(&insert, err);
}

enum vault_code value_insert_first(struct database *file, const struct citizen_value *value,
                                   struct vault_error *err)
{
    const enum vault_code code = insert_version(file, value, 1, err);
    if (code == VAULT_CONFLICT)
        return vault_fail(err, VAULT_INVALID, "a new citizen has two values for one field");
    return code;
}

static enum vault_code value_insert(struct database *file, const struct citizen_value *value,
                                    struct vault_error *err)
{
    int64_t version = 0;
    VAULT_TRY(last_version(file, value->field, &version, err));
    if (version == 0)
        VAULT_TRY(check_room(file, err));
    version++;
    VAULT_TRY(insert_version(file, value, version, err));
    return version > CITIZEN_VALUE_VERSIONS ? drop_oldest(file, value->field, err) : VAULT_OK;
}

enum vault_code citizen_value_put(struct citizen *citizen, const struct citizen_value *value,
                                  struct vault_error *err)
{
    VAULT_TRY(value_check(value, err));
    VAULT_TRY(citizen_check_writable(citizen, err));
    if (citizen->changing)
        return value_insert(citizen->database, value, err);
    VAULT_AUTO(citizen_rollback) struct citizen_change change = {0};
    VAULT_TRY(citizen_begin(citizen, &change, err));
    VAULT_TRY(value_insert(citizen->database, value, err));
    return citizen_commit(&change, err);
}

static void read_about(const struct statement *query, int column, struct citizen_value_about *about)
{
    about->version = column_integer(query, column);
    about->as_of_s = column_integer(query, column + 1);
    column_text(query, column + 2, about->source, sizeof about->source);
}

/* Out of the file, and kept from there. json is borrowed until the query ends, empty where there is
 * no value. */
static enum vault_code read_newest(struct citizen *citizen, const char *field,
                                   struct statement *query, struct bytes *json,
                                   struct citizen_value_about *about, struct vault_error *err)
{
    bool row = false;
    VAULT_TRY(statement_begin(citizen->database,
                              ("SELECT json, version, as_of_s, source FROM value"
                               " WHERE field = ?1" NEWEST_FIRST " LIMIT 1"),
                              query, err));
    bind_text(query, 1, field);
    VAULT_TRY(statement_next(query, &row, err));
    if (row) {
        *json = column_bytes(query, 0);
        read_about(query, 1, about);
    }
    if (!citizen->changing)
        value_keep(&citizen->kept, field, *json, about);
    return VAULT_OK;
}

enum vault_code citizen_value_get(struct citizen *citizen, const char *field, struct buf *json,
                                  struct citizen_value_about *about, struct vault_error *err)
{
    struct bytes found = {0};
    struct citizen_value_about found_about = {0};
    VAULT_AUTO(statement_end) struct statement query = {0};
    if (!value_kept(citizen->kept, field, &found, &found_about))
        VAULT_TRY(read_newest(citizen, field, &query, &found, &found_about, err));
    if (found.size == 0)
        return vault_fail(err, VAULT_NOT_FOUND, "the citizen has no value for this field");
    buf_bytes(json, found);
    VAULT_TRY(buf_check(json, err));
    if (about)
        *about = found_about;
    return VAULT_OK;
}

/* Rows of field, json, version, as_of_s, source. */
static enum vault_code give_each(struct statement *query, citizen_value_each *each, void *context,
                                 struct vault_error *err)
{
    for (;;) {
        bool row = false;
        VAULT_TRY(statement_next(query, &row, err));
        if (!row)
            return VAULT_OK;
        char field[CITIZEN_FIELD_CHARS + 1];
        struct citizen_value_about about;
        column_text(query, 0, field, sizeof field);
        read_about(query, 2, &about);
        VAULT_TRY(each(context, field, column_bytes(query, 1), &about, err));
    }
}

enum vault_code citizen_value_list(struct citizen *citizen, citizen_value_each *each, void *context,
                                   struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(citizen->database,
                              ("SELECT field, json, version, as_of_s, source FROM value AS v"
                               " WHERE version = (SELECT version FROM value"
                               "  WHERE field = v.field" NEWEST_FIRST " LIMIT 1)"
                               " ORDER BY field"),
                              &query, err));
    return give_each(&query, each, context, err);
}

enum vault_code citizen_value_versions(struct citizen *citizen, const char *field,
                                       citizen_value_each *each, void *context,
                                       struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(citizen->database,
                              ("SELECT field, json, version, as_of_s, source FROM value"
                               " WHERE field = ?1" NEWEST_FIRST),
                              &query, err));
    bind_text(&query, 1, field);
    return give_each(&query, each, context, err);
}
