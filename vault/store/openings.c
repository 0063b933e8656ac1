#include "vault/store/openings.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define GIVE_WAY_EACH 16 /* openings: a fifth of a millisecond */

static const char *const steps[] = {
    "CREATE TABLE position ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  next_index INTEGER NOT NULL CHECK (next_index >= 0)) STRICT;"
    "INSERT INTO position VALUES (1, 0);"
    "CREATE TABLE head ("
    "  citizen BLOB PRIMARY KEY CHECK (length(citizen) = 16),"
    "  n INTEGER NOT NULL CHECK (n >= 1),"
    "  leaf BLOB NOT NULL CHECK (length(leaf) = 32)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE opening ("
    "  log_index INTEGER PRIMARY KEY,"
    "  citizen BLOB NOT NULL CHECK (length(citizen) = 16),"
    "  n INTEGER NOT NULL,"
    "  time_ms INTEGER NOT NULL,"
    "  leaf BLOB NOT NULL CHECK (length(leaf) = 32),"
    "  sealed BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX opening_by_citizen ON opening (citizen, n);"
    "PRAGMA application_id = 1129738096;"
    "PRAGMA user_version = 1",

    /* Before each of these indexes of the log a stretch of openings is lost (openings_skip). */
    ("CREATE TABLE gap (at INTEGER PRIMARY KEY) STRICT;"
     "PRAGMA user_version = 2"),

    /* The changes that concern each service (feed.h). */
    ("CREATE TABLE feed ("
     "  service TEXT NOT NULL,"
     "  n INTEGER NOT NULL CHECK (n >= 1),"
     "  change INTEGER NOT NULL CHECK (change BETWEEN 1 AND 6),"
     "  purpose TEXT NOT NULL,"
     "  citizen BLOB NOT NULL CHECK (length(citizen) = 16),"
     "  citizen_n INTEGER NOT NULL,"
     "  time_ms INTEGER NOT NULL,"
     "  PRIMARY KEY (service, n)) STRICT, WITHOUT ROWID;"
     "CREATE INDEX feed_by_citizen ON feed (citizen, service);"
     "PRAGMA user_version = 3"),

    /* How many entries of each kind the log has on each day (figures.h). */
    ("CREATE TABLE figure ("
     "  day INTEGER NOT NULL,"
     "  event INTEGER NOT NULL,"
     "  service TEXT NOT NULL,"
     "  count INTEGER NOT NULL CHECK (count >= 1),"
     "  PRIMARY KEY (day, event, service)) STRICT, WITHOUT ROWID;"
     "CREATE TABLE figure_position ("
     "  one INTEGER PRIMARY KEY CHECK (one = 1),"
     "  next_index INTEGER NOT NULL CHECK (next_index >= 0)) STRICT;"
     "INSERT INTO figure_position VALUES (1, 0);"
     "PRAGMA user_version = 4"),
};

/* The log keeps its copies until they are settled here: a commit need not wait for the disk. The
 * same pages are written again and again: 16 MB of them are gathered before they go to their
 * places. */
static const struct database_kind openings_kind = {
    .application_id = 1129738096, /* "CVop" */
    .settings = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384;"
                "PRAGMA wal_autocheckpoint = 4000",
    .steps = steps,
    .step_count = sizeof steps / sizeof steps[0],
};

const struct shared_file openings_file = {
    .name = "openings.db",
    .what = "the index of openings",
    .label = STORE_OPENINGS_KEY_LABEL,
    .kind = &openings_kind,
};

static enum vault_code position_get(struct database *database, uint64_t *next_index,
                                    struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(database, "SELECT next_index FROM position", &query, err));
    VAULT_TRY(statement_next(&query, &row, err));
    if (!row)
        return vault_fail(err, VAULT_CORRUPT, "the index of openings has no position");
    *next_index = (uint64_t)column_integer(&query, 0);
    return VAULT_OK;
}

static enum vault_code position_set(struct database *database, uint64_t next_index,
                                    struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement update = {0};
    VAULT_TRY(statement_begin(database, "UPDATE position SET next_index = ?1", &update, err));
    bind_integer(&update, 1, (int64_t)next_index);
    return statement_run(&update, err);
}

static enum vault_code head_get(struct database *database, const struct citizen_id *citizen,
                                uint64_t *n, uint8_t leaf[SHA256_BYTES], struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(
        statement_begin(database, "SELECT n, leaf FROM head WHERE citizen = ?1", &query, err));
    bind_blob(&query, 1, citizen->bytes, sizeof citizen->bytes);
    VAULT_TRY(statement_next(&query, &row, err));
    *n = row ? (uint64_t)column_integer(&query, 0) : 0;
    if (row)
        column_blob(&query, 1, leaf, SHA256_BYTES);
    else
        memset(leaf, 0, SHA256_BYTES);
    return VAULT_OK;
}

static enum vault_code head_set(struct database *database, const struct openings_row *opening,
                                struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement put = {0};
    VAULT_TRY(statement_begin(database,
                              "INSERT INTO head (citizen, n, leaf) VALUES (?1, ?2, ?3)"
                              " ON CONFLICT (citizen) DO UPDATE"
                              " SET n = excluded.n, leaf = excluded.leaf",
                              &put, err));
    bind_blob(&put, 1, opening->citizen.bytes, sizeof opening->citizen.bytes);
    bind_integer(&put, 2, (int64_t)opening->n);
    bind_blob(&put, 3, opening->leaf, sizeof opening->leaf);
    return statement_run(&put, err);
}

static enum vault_code opening_insert(struct database *database, const struct openings_row *opening,
                                      struct vault_error *err)
{
    VAULT_TRY(size_check(opening->sealed.size, 1, OPENINGS_SEALED_MAX_BYTES, "an opening", err));
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(database,
                              "INSERT INTO opening (log_index, citizen, n, time_ms, leaf, sealed)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                              &insert, err));
    bind_integer(&insert, 1, (int64_t)opening->index);
    bind_blob(&insert, 2, opening->citizen.bytes, sizeof opening->citizen.bytes);
    bind_integer(&insert, 3, (int64_t)opening->n);
    bind_integer(&insert, 4, opening->time_ms);
    bind_blob(&insert, 5, opening->leaf, sizeof opening->leaf);
    bind_bytes(&insert, 6, opening->sealed);
    return statement_run(&insert, err);
}

/* Whether openings are lost before one of these entries and behind the other. */
static enum vault_code gap_between(struct database *database, uint64_t earlier, uint64_t later,
                                   bool *found, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(database, "SELECT 1 FROM gap WHERE at > ?1 AND at <= ?2 LIMIT 1",
                              &query, err));
    bind_integer(&query, 1, (int64_t)earlier);
    bind_integer(&query, 2, (int64_t)later);
    return statement_next(&query, found, err);
}

/* Whether the citizen's count may leap to this opening: over a gap it may. */
static enum vault_code may_leap(struct database *database, const struct openings_row *opening,
                                uint64_t n, bool *may, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    *may = false;
    if (opening->n <= n)
        return VAULT_OK;
    VAULT_TRY(statement_begin(
        database, "SELECT log_index FROM opening WHERE citizen = ?1 AND n = ?2", &query, err));
    bind_blob(&query, 1, opening->citizen.bytes, sizeof opening->citizen.bytes);
    bind_integer(&query, 2, (int64_t)n);
    VAULT_TRY(statement_next(&query, &row, err));
    const uint64_t earlier = row ? (uint64_t)column_integer(&query, 0) : 0;
    return gap_between(database, earlier, opening->index, may, err);
}

/* Thousands are filed at a time, while releases want the processor, too. */
static void give_way(size_t done)
{
    if (done % GIVE_WAY_EACH == 0)
        sched_yield();
}

/* Move a citizen's head over their openings of a batch, which are in the log's order. No gap is
 * within a batch: it ends where openings are skipped. */
static enum vault_code head_move(struct database *database,
                                 const struct openings_row *const openings[], size_t count,
                                 struct vault_error *err)
{
    uint64_t n = 0;
    uint8_t leaf[SHA256_BYTES];
    const struct openings_row *first = openings[0];
    VAULT_TRY(head_get(database, &first->citizen, &n, leaf, err));
    bool follows = n == 0 || first->n == n + 1;
    if (!follows)
        VAULT_TRY(may_leap(database, first, n, &follows, err));
    for (size_t i = 0; i < count; i++) {
        const uint64_t now = openings[i]->n;
        if (!follows || now < 1 || now > INT64_MAX || now != first->n + i)
            return vault_fail(err, VAULT_INVALID,
                              "the opening of entry %llu does not follow its citizen's last",
                              (unsigned long long)openings[i]->index);
    }
    return head_set(database, openings[count - 1], err);
}

/* Each citizen's together, in the log's order. */
static int by_citizen(const void *a, const void *b)
{
    const struct openings_row *one = *(const struct openings_row *const *)a;
    const struct openings_row *other = *(const struct openings_row *const *)b;
    const int order = memcmp(one->citizen.bytes, other->citizen.bytes, sizeof one->citizen.bytes);
    return order ? order : (one->index > other->index) - (one->index < other->index);
}

static void rows_free(const struct openings_row ***rows)
{
    free(*rows);
}

/* Who was asked about a hundred times since the last batch has one head that moves, once. */
static enum vault_code heads_move(struct database *database, const struct openings_row openings[],
                                  size_t count, struct vault_error *err)
{
    size_t moved = 0;
    VAULT_AUTO(rows_free) const struct openings_row **rows = calloc(count + 1, sizeof(void *));
    if (!rows)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        rows[i] = &openings[i];
    qsort(rows, count, sizeof(void *), by_citizen);
    for (size_t first = 0, end = 0; first < count; first = end) {
        while (end < count && citizen_id_equal(&rows[first]->citizen, &rows[end]->citizen))
            end++;
        VAULT_TRY(head_move(database, rows + first, end - first, err));
        give_way(moved++);
    }
    return VAULT_OK;
}

/* The stretch of the log that a batch claims, and that its openings stand in. */
static enum vault_code batch_check(const struct openings_row openings[], size_t count,
                                   uint64_t from, uint64_t to, struct vault_error *err)
{
    if (to < from)
        return vault_fail(err, VAULT_CONFLICT, "the index of openings has come further already");
    if (count > OPENINGS_BATCH_MAX || to > INT64_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "at most %d openings are taken in at a time",
                          OPENINGS_BATCH_MAX);
    uint64_t least = from;
    for (size_t i = 0; i < count; i++) {
        if (openings[i].index < least || openings[i].index >= to)
            return vault_fail(err, VAULT_INVALID,
                              "the opening of entry %llu is out of order or out of its batch",
                              (unsigned long long)openings[i].index);
        least = openings[i].index + 1;
    }
    return VAULT_OK;
}

enum vault_code openings_add(struct store *store, const struct openings_row openings[],
                             size_t count, uint64_t next_index, struct vault_error *err)
{
    uint64_t from = 0;
    VAULT_AUTO(shared_let_go) struct hold index = {0};
    VAULT_TRY(shared_hold(&store->openings, &index, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(index.database, &change, err));
    VAULT_TRY(position_get(index.database, &from, err));
    VAULT_TRY(batch_check(openings, count, from, next_index, err));
    VAULT_TRY(heads_move(index.database, openings, count, err));
    for (size_t i = 0; i < count; i++) {
        VAULT_TRY(opening_insert(index.database, &openings[i], err));
        VAULT_TRY(feed_file(index.database, &openings[i].feed, err));
        give_way(i);
    }
    VAULT_TRY(position_set(index.database, next_index, err));
    return transaction_commit(&change, err);
}

enum vault_code openings_skip(struct store *store, uint64_t next_index, struct vault_error *err)
{
    uint64_t from = 0;
    VAULT_AUTO(shared_let_go) struct hold index = {0};
    VAULT_TRY(shared_hold(&store->openings, &index, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(index.database, &change, err));
    VAULT_TRY(position_get(index.database, &from, err));
    if (next_index < from || next_index > INT64_MAX)
        return vault_fail(err, VAULT_CONFLICT, "the index of openings has come further already");
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(statement_begin(index.database, "INSERT OR IGNORE INTO gap (at) VALUES (?1)", &insert,
                              err));
    bind_integer(&insert, 1, (int64_t)next_index);
    VAULT_TRY(statement_run(&insert, err));
    VAULT_TRY(position_set(index.database, next_index, err));
    return transaction_commit(&change, err);
}

enum vault_code openings_position(struct store *store, uint64_t *next_index,
                                  struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold index = {0};
    VAULT_TRY(shared_hold(&store->openings, &index, err));
    return position_get(index.database, next_index, err);
}

enum vault_code openings_head(struct store *store, const struct citizen_id *citizen, uint64_t *n,
                              uint8_t leaf[SHA256_BYTES], struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold index = {0};
    VAULT_TRY(shared_hold(&store->openings, &index, err));
    return head_get(index.database, citizen, n, leaf, err);
}

/* Rows of log_index, citizen, n, time_ms, leaf, sealed. */
static enum vault_code give_each(struct statement *query, uint64_t *given, openings_each *each,
                                 void *context, struct vault_error *err)
{
    for (*given = 0;; (*given)++) {
        bool row = false;
        struct openings_row opening;
        VAULT_TRY(statement_next(query, &row, err));
        if (!row)
            return VAULT_OK;
        opening.index = (uint64_t)column_integer(query, 0);
        column_blob(query, 1, opening.citizen.bytes, sizeof opening.citizen.bytes);
        opening.n = (uint64_t)column_integer(query, 2);
        opening.time_ms = column_integer(query, 3);
        column_blob(query, 4, opening.leaf, sizeof opening.leaf);
        opening.sealed = column_bytes(query, 5);
        VAULT_TRY(each(context, &opening, err));
    }
}

/* Hands openings on while each is the one that must come. */
struct follower {
    struct database *database;
    uint64_t expected; /* the next one's n */
    uint64_t later;    /* the index of the one before, which came later */
    openings_each *each;
    void *context;
};

static enum vault_code follow(void *context, const struct openings_row *opening,
                              struct vault_error *err)
{
    struct follower *follower = context;
    bool follows = opening->n == follower->expected;
    if (!follows && opening->n < follower->expected)
        VAULT_TRY(gap_between(follower->database, opening->index, follower->later, &follows, err));
    if (!follows)
        return vault_fail(err, VAULT_CORRUPT,
                          "the index of openings is damaged: a citizen's openings do not follow "
                          "each other");
    follower->expected = opening->n - 1;
    follower->later = opening->index;
    return follower->each(follower->context, opening, err);
}

enum vault_code openings_list(struct store *store, const struct citizen_id *citizen,
                              uint64_t before_n, size_t limit, openings_each *each, void *context,
                              struct vault_error *err)
{
    uint64_t given = 0;
    uint64_t last_n = 0;
    uint8_t last_leaf[SHA256_BYTES];
    VAULT_AUTO(shared_let_go) struct hold index = {0};
    VAULT_TRY(shared_hold(&store->openings, &index, err));
    VAULT_TRY(head_get(index.database, citizen, &last_n, last_leaf, err));
    struct follower follower = {index.database, last_n, INT64_MAX, each, context};
    if (before_n && before_n <= last_n)
        follower.expected = before_n - 1;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(index.database,
                              "SELECT log_index, citizen, n, time_ms, leaf, sealed FROM opening"
                              " WHERE citizen = ?1 AND n < ?2 ORDER BY n DESC LIMIT ?3",
                              &query, err));
    bind_blob(&query, 1, citizen->bytes, sizeof citizen->bytes);
    bind_integer(&query, 2, before_n && before_n < INT64_MAX ? (int64_t)before_n : INT64_MAX);
    bind_integer(&query, 3, limit < OPENINGS_LIST_MAX ? (int64_t)limit : OPENINGS_LIST_MAX);
    return give_each(&query, &given, follow, &follower, err);
}

enum vault_code openings_get(struct store *store, uint64_t index, openings_each *each,
                             void *context, struct vault_error *err)
{
    uint64_t given = 0;
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(held.database,
                              "SELECT log_index, citizen, n, time_ms, leaf, sealed FROM opening"
                              " WHERE log_index = ?1",
                              &query, err));
    bind_integer(&query, 1, index < INT64_MAX ? (int64_t)index : -1);
    VAULT_TRY(give_each(&query, &given, each, context, err));
    if (!given)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no opening of this entry");
    return VAULT_OK;
}

enum vault_code openings_settle(struct store *store, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    return database_checkpoint(held.database, err);
}

enum vault_code openings_prune(struct store *store, uint64_t index, size_t limit, uint64_t *gone,
                               struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    VAULT_AUTO(statement_end) struct statement remove = {0};
    VAULT_TRY(statement_begin(held.database,
                              "DELETE FROM opening WHERE log_index IN"
                              " (SELECT log_index FROM opening WHERE log_index < ?1"
                              "  ORDER BY log_index LIMIT ?2)",
                              &remove, err));
    bind_integer(&remove, 1, index < INT64_MAX ? (int64_t)index : INT64_MAX);
    bind_integer(&remove, 2, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
    VAULT_TRY(statement_run(&remove, err));
    *gone = (uint64_t)database_changes(held.database);
    return VAULT_OK;
}

static enum vault_code run(struct database *database, const char *sql,
                           const struct citizen_id *citizen, struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement statement = {0};
    VAULT_TRY(statement_begin(database, sql, &statement, err));
    if (citizen)
        bind_blob(&statement, 1, citizen->bytes, sizeof citizen->bytes);
    return statement_run(&statement, err);
}

enum vault_code openings_reset(struct store *store, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(held.database, &change, err));
    VAULT_TRY(run(held.database, "DELETE FROM opening", NULL, err));
    VAULT_TRY(run(held.database, "DELETE FROM head", NULL, err));
    VAULT_TRY(run(held.database, "DELETE FROM feed", NULL, err));
    VAULT_TRY(run(held.database, "DELETE FROM figure", NULL, err));
    VAULT_TRY(run(held.database, "UPDATE figure_position SET next_index = 0", NULL, err));
    VAULT_TRY(position_set(held.database, 0, err));
    return transaction_commit(&change, err);
}

enum vault_code openings_count(struct store *store, const struct citizen_id *citizen,
                               uint64_t *count, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(held.database, "SELECT count(*) FROM opening WHERE citizen = ?1",
                              &query, err));
    bind_blob(&query, 1, citizen->bytes, sizeof citizen->bytes);
    VAULT_TRY(statement_next(&query, &row, err));
    *count = row ? (uint64_t)column_integer(&query, 0) : 0;
    return VAULT_OK;
}

/* In the log's order, so that only what is old is looked at, however much there is. */
enum vault_code openings_before(struct store *store, int64_t time_ms, uint64_t from, size_t limit,
                                uint64_t *end, uint64_t *count, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(held.database,
                              "SELECT log_index, time_ms FROM opening WHERE log_index >= ?1"
                              " ORDER BY log_index LIMIT ?2",
                              &query, err));
    bind_integer(&query, 1, (int64_t)from);
    bind_integer(&query, 2, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
    *end = from;
    for (*count = 0;; (*count)++) {
        bool row = false;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row || column_integer(&query, 1) >= time_ms)
            return VAULT_OK;
        *end = (uint64_t)column_integer(&query, 0) + 1;
    }
}

enum vault_code openings_forget(struct store *store, const struct citizen_id *citizen,
                                uint64_t *gone, struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold held = {0};
    VAULT_TRY(shared_hold(&store->openings, &held, err));
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(held.database, &change, err));
    VAULT_TRY(run(held.database, "DELETE FROM opening WHERE citizen = ?1", citizen, err));
    const int64_t removed = database_changes(held.database);
    VAULT_TRY(run(held.database, "DELETE FROM head WHERE citizen = ?1", citizen, err));
    VAULT_TRY(transaction_commit(&change, err));
    *gone = (uint64_t)removed;
    return VAULT_OK;
}
