#include "vault/vault/history.h"

#include <stdlib.h>
#include <string.h>

#include "filed.h"
#include "indexer.h"
#include "parts.h"
#include "person.h"
#include "vault/ledger/proof.h"

#define FILED_WAIT_MS    1000
#define ROWS_AT_A_TIME   64
#define WALKED_AT_A_TIME 256 /* and others may hold the citizen in between */

struct rows {
    struct filed list[ROWS_AT_A_TIME];
    size_t count;
};

static void rows_finish(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        filed_finish(&rows->list[i]);
    rows->count = 0;
}

static enum vault_code take_row(void *context, const struct openings_row *row,
                                struct vault_error *err)
{
    struct rows *rows = context;
    return filed_keep(row, &rows->list[rows->count++], err);
}

static struct history_event event_of(const struct filed *row, const struct clear *clear)
{
    const struct opening_field *fields = clear->opening.fields;
    return (struct history_event){
        .n = row->n,
        .index = row->index,
        .time_ms = clear->entry.time_ms,
        .event = clear->entry.event,
        .service = clear->entry.service,
        .purpose = clear->entry.purpose,
        .actor = fields[ENTRY_ACTOR].value,
        .basis = fields[ENTRY_BASIS].value,
        .what = fields[ENTRY_WHAT].value,
        .entry_text = buf_view(&clear->entry_text),
        .opening_text = buf_view(&clear->opening_text),
    };
}

/* --- Many ----------------------------------------------------------------------------------- */

/* Who is told of which events. */
struct telling {
    struct vault *vault;
    struct citizen *citizen;
    history_wants *wants; /* NULL: every one */
    history_each *each;
    void *context;
};

/* A quiet moment is enough; under load the newest come with the next look. */
static void wait_until_filed(struct vault *vault)
{
    struct vault_error ignored;
    const uint64_t size = ledger_head(vault->ledger).size;
    if (indexer_wait(vault->indexer, size, FILED_WAIT_MS, &ignored)) /* shown next time */
        return;
}

static enum vault_code tell(const struct telling *telling, const struct filed *row,
                            struct vault_error *err)
{
    VAULT_AUTO(clear_finish) struct clear clear = {0};
    VAULT_TRY(clear_read_entry(telling->vault, row, &clear, err));
    struct history_event event = event_of(row, &clear);
    if (telling->wants && !telling->wants(telling->context, &event))
        return VAULT_OK;
    VAULT_TRY(clear_read_opening(telling->citizen, row, &clear, err));
    event = event_of(row, &clear);
    return telling->each(telling->context, &event, err);
}

static enum vault_code tell_rows(const struct telling *telling, const struct rows *rows,
                                 uint64_t *reached_n, struct vault_error *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        *reached_n = rows->list[i].n;
        VAULT_TRY(tell(telling, &rows->list[i], err));
    }
    return VAULT_OK;
}

/* Where one is missing, that one is as far as it comes. */
static enum vault_code tell_some(const struct telling *telling, uint64_t before_n, size_t limit,
                                 uint64_t *reached_n, struct vault_error *err)
{
    const struct citizen_id *id = citizen_id_of(telling->citizen);
    for (size_t left = limit; left > 0;) {
        VAULT_AUTO(rows_finish) struct rows rows = {0};
        const size_t wanted = left < ROWS_AT_A_TIME ? left : ROWS_AT_A_TIME;
        const enum vault_code code =
            openings_list(telling->vault->store, id, before_n, wanted, take_row, &rows, err);
        VAULT_TRY(tell_rows(telling, &rows, reached_n, code ? NULL : err));
        if (code == VAULT_CORRUPT && *reached_n)
            --*reached_n;
        if (code || rows.count < wanted)
            return code;
        before_n = *reached_n;
        left -= rows.count;
    }
    return VAULT_OK;
}

/* From *at_n on, which becomes how far it came. */
static enum vault_code find(struct vault *vault, const struct citizen_id *id, uint64_t *at_n,
                            size_t limit, struct telling *telling, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    const uint64_t before_n = *at_n;
    const uint64_t end_n = person->chain.n + 1;
    *at_n = before_n && before_n < end_n ? before_n : end_n;
    telling->vault = vault;
    telling->citizen = citizen;
    return tell_some(telling, before_n, limit, at_n, err);
}

enum vault_code history_find_on(struct vault *vault, const struct citizen_id *id,
                                uint64_t *before_n, size_t limit, history_wants *wants,
                                history_each *each, void *context, struct vault_error *err)
{
    struct telling telling = {.wants = wants, .each = each, .context = context};
    wait_until_filed(vault);
    return find(vault, id, before_n, limit, &telling, err);
}

enum vault_code history_find(struct vault *vault, const struct citizen_id *id, uint64_t before_n,
                             size_t limit, history_wants *wants, history_each *each, void *context,
                             struct vault_error *err)
{
    return history_find_on(vault, id, &before_n, limit, wants, each, context, err);
}

enum vault_code history_list(struct vault *vault, const struct citizen_id *id, uint64_t before_n,
                             size_t limit, history_each *each, void *context,
                             struct vault_error *err)
{
    return history_find(vault, id, before_n, limit, NULL, each, context, err);
}

/* --- All ------------------------------------------------------------------------------------ */

struct walk {
    history_sees *sees;
    void *context;
    bool is_enough;
};

static bool walk_by(void *context, const struct history_event *event)
{
    struct walk *walk = context;
    walk->is_enough = walk->is_enough || !walk->sees(walk->context, event);
    return false;
}

/* Nothing is opened, so nobody is told. */
static enum vault_code tell_nobody(void *context, const struct history_event *event,
                                   struct vault_error *err)
{
    (void)context;
    (void)event;
    (void)err;
    return VAULT_OK;
}

enum vault_code history_walk(struct vault *vault, const struct citizen_id *id, history_sees *sees,
                             void *context, size_t *gaps, struct vault_error *err)
{
    struct walk walk = {.sees = sees, .context = context};
    struct telling telling = {.wants = walk_by, .each = tell_nobody, .context = &walk};
    uint64_t at_n = 0;
    size_t passed = 0;
    bool goes_on;
    wait_until_filed(vault);
    do {
        const uint64_t before_n = at_n;
        const enum vault_code code = find(vault, id, &at_n, WALKED_AT_A_TIME, &telling, err);
        if (code != VAULT_CORRUPT)
            VAULT_TRY(code);
        passed += code == VAULT_CORRUPT;
        goes_on = at_n > 1 && at_n != before_n && passed < HISTORY_GAPS_MAX;
    } while (goes_on && !walk.is_enough);
    if (gaps)
        *gaps = passed;
    return VAULT_OK;
}

/* --- To take away --------------------------------------------------------------------------- */

static enum vault_code find_row(struct vault *vault, const struct citizen_id *id, uint64_t n,
                                struct rows *rows, struct vault_error *err)
{
    if (n > 0 && n < UINT64_MAX)
        VAULT_TRY(openings_list(vault->store, id, n + 1, 1, take_row, rows, err));
    if (rows->count != 1 || rows->list[0].n != n)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such event");
    return VAULT_OK;
}

static enum vault_code write_opening(const struct filed *row, const struct clear *clear,
                                     struct buf *out, struct vault_error *err)
{
    buf_format(out, "{\"index\":%llu,\"fields\":", (unsigned long long)row->index);
    buf_join(out, &clear->opening_text);
    buf_text(out, "}\n");
    return buf_check(out, err);
}

enum vault_code history_take(struct vault *vault, const struct citizen_id *id, uint64_t n,
                             enum history_part part, struct buf *out, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(rows_finish) struct rows rows = {0};
    VAULT_AUTO(clear_finish) struct clear clear = {0};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    wait_until_filed(vault);
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    VAULT_TRY(find_row(vault, id, n, &rows, err));
    VAULT_TRY(clear_read_entry(vault, &rows.list[0], &clear, err));
    VAULT_TRY(clear_read_opening(citizen, &rows.list[0], &clear, err));
    switch (part) {
    case HISTORY_PROOF:
        return ledger_prove(vault->ledger, rows.list[0].index, out, err);
    case HISTORY_OPENING:
        return write_opening(&rows.list[0], &clear, out, err);
    default:
        buf_join(out, &clear.entry_text);
        return buf_check(out, err);
    }
}
