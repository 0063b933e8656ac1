#include "vault/store/citizen_record.h"

#include "internal.h"

static enum vault_code record_check(const struct citizen_record *record, struct vault_error *err)
{
    VAULT_TRY(text_check(record->kind, 1, CITIZEN_KIND_CHARS, "a record's kind", err));
    VAULT_TRY(text_check(record->key, 0, CITIZEN_KEY_CHARS, "a record's key", err));
    if (record->log_n > INT64_MAX)
        return vault_fail(err, VAULT_INVALID, "a record's number in the log is out of range");
    return size_check(record->json.size, 1, CITIZEN_RECORD_MAX_BYTES, "a record", err);
}

/* Records are never removed, so that the largest seq is their count; log_n only grows with seq, so
 * that the last that has one has the largest. */
static enum vault_code learn_counts(struct citizen *citizen, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(citizen->database,
                              "SELECT (SELECT max(seq) FROM record), (SELECT log_n FROM record"
                              " WHERE log_n > 0 ORDER BY seq DESC LIMIT 1)",
                              &query, err));
    VAULT_TRY(statement_next(&query, &row, err));
    citizen->record_count = (uint64_t)column_integer(&query, 0);
    citizen->log_n_max = (uint64_t)column_integer(&query, 1);
    return VAULT_OK;
}

enum vault_code citizen_record_count(struct citizen *citizen, uint64_t *count,
                                     struct vault_error *err)
{
    if (citizen->record_count == CITIZEN_UNKNOWN)
        VAULT_TRY(learn_counts(citizen, err));
    *count = citizen->record_count;
    return VAULT_OK;
}

enum vault_code citizen_log_n_max(struct citizen *citizen, uint64_t *log_n, struct vault_error *err)
{
    if (citizen->log_n_max == CITIZEN_UNKNOWN)
        VAULT_TRY(learn_counts(citizen, err));
    *log_n = citizen->log_n_max;
    return VAULT_OK;
}

static enum vault_code record_insert(struct citizen *citizen, const struct citizen_record *record,
                                     uint64_t seq, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(citizen->database,
                              "INSERT INTO record (seq, kind, key, json, log_n)"
                              " VALUES (?1, ?2, ?3, ?4, ?5)",
                              &insert, err));
    bind_integer(&insert, 1, (int64_t)seq);
    bind_text(&insert, 2, record->kind);
    bind_text(&insert, 3, record->key);
    bind_text_bytes(&insert, 4, record->json);
    bind_integer(&insert, 5, (int64_t)record->log_n);
    return statement_run(&insert, err);
}

enum vault_code citizen_record_add(struct citizen *citizen, const struct citizen_record *record,
                                   int64_t *seq, struct vault_error *err)
{
    uint64_t count = 0;
    uint64_t log_n_max = 0;
    VAULT_TRY(record_check(record, err));
    VAULT_TRY(citizen_check_writable(citizen, err));
    VAULT_TRY(citizen_record_count(citizen, &count, err));
    VAULT_TRY(citizen_log_n_max(citizen, &log_n_max, err));
    if (count >= CITIZEN_RECORDS_MAX)
        return vault_fail(err, VAULT_LIMITED, "a citizen has at most %d records",
                          CITIZEN_RECORDS_MAX);
    if (record->log_n && record->log_n < log_n_max)
        return vault_fail(err, VAULT_INVALID,
                          "a record's number in the log is behind an earlier record's");
    VAULT_TRY(record_insert(citizen, record, count + 1, err));
    citizen->record_count = count + 1;
    if (record->log_n)
        citizen->log_n_max = record->log_n;
    if (seq)
        *seq = (int64_t)count + 1;
    return VAULT_OK;
}

/* Rows of seq, kind, key, json, log_n. */
static enum vault_code give_row(const struct statement *query, citizen_record_each *each,
                                void *context, struct vault_error *err)
{
    char kind[CITIZEN_KIND_CHARS + 1];
    char key[CITIZEN_KEY_CHARS + 1];
    column_text(query, 1, kind, sizeof kind);
    column_text(query, 2, key, sizeof key);
    const struct citizen_record record = {
        .seq = column_integer(query, 0),
        .kind = kind,
        .key = key,
        .json = column_bytes(query, 3),
        .log_n = (uint64_t)column_integer(query, 4),
    };
    return each(context, &record, err);
}

/* What the records that were given add up to. */
struct given {
    size_t rows;
    uint64_t seq;   /* the last */
    uint64_t log_n; /* the last that is not 0 */
};

static enum vault_code give_each(struct statement *query, citizen_record_each *each, void *context,
                                 struct given *given, struct vault_error *err)
{
    for (*given = (struct given){0};; given->rows++) {
        bool row = false;
        VAULT_TRY(statement_next(query, &row, err));
        if (!row)
            return VAULT_OK;
        VAULT_TRY(give_row(query, each, context, err));
        const uint64_t log_n = (uint64_t)column_integer(query, 4);
        given->seq = (uint64_t)column_integer(query, 0);
        given->log_n = log_n ? log_n : given->log_n;
    }
}

enum vault_code citizen_record_get(struct citizen *citizen, int64_t seq, citizen_record_each *each,
                                   void *context, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(citizen->database,
                              "SELECT seq, kind, key, json, log_n FROM record WHERE seq = ?1",
                              &query, err));
    bind_integer(&query, 1, seq);
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return vault_fail(err, VAULT_NOT_FOUND, "the citizen has no such record");
    return give_row(&query, each, context, err);
}

/* As learn_counts(): whoever opens a file lists all records anyway. */
static void learn_from_all(struct citizen *citizen, const struct given *all)
{
    if (citizen->record_count == CITIZEN_UNKNOWN)
        citizen->record_count = all->seq;
    if (citizen->log_n_max == CITIZEN_UNKNOWN)
        citizen->log_n_max = all->log_n;
}

enum vault_code citizen_record_list(struct citizen *citizen, const char *kind, int64_t after_seq,
                                    size_t limit, citizen_record_each *each, void *context,
                                    struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement query = {0};
    if (kind) {
        VAULT_TRY(statement_begin(citizen->database,
                                  "SELECT seq, kind, key, json, log_n FROM record"
                                  " WHERE kind = ?3 AND seq > ?1 ORDER BY seq LIMIT ?2",
                                  &query, err));
        bind_text(&query, 3, kind);
    } else {
        VAULT_TRY(statement_begin(citizen->database,
                                  "SELECT seq, kind, key, json, log_n FROM record"
                                  " WHERE seq > ?1 ORDER BY seq LIMIT ?2",
                                  &query, err));
    }
    bind_integer(&query, 1, after_seq);
    bind_integer(&query, 2, limit > CITIZEN_RECORDS_MAX ? CITIZEN_RECORDS_MAX : (int64_t)limit);
    struct given given;
    VAULT_TRY(give_each(&query, each, context, &given, err));
    if (!kind && after_seq == 0 && given.rows < limit)
        learn_from_all(citizen, &given);
    return VAULT_OK;
}

enum vault_code citizen_record_unlogged(struct citizen *citizen, uint64_t after_log_n,
                                        citizen_record_each *each, void *context,
                                        struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(citizen->database,
                              "SELECT seq, kind, key, json, log_n FROM record"
                              " WHERE log_n > ?1 ORDER BY seq",
                              &query, err));
    bind_integer(&query, 1, after_log_n > INT64_MAX ? INT64_MAX : (int64_t)after_log_n);
    struct given given;
    return give_each(&query, each, context, &given, err);
}
