#include "retention.h"

#include "event.h"
#include "parts.h"
#include "vault/store/look.h"
#include "vault/store/openings.h"
#include "vault/store/setting.h"

#define PASS_SETTING    "retention.pass" /* a pass that was begun */
#define AT_A_TIME       4096
#define PUBLISH_WAIT_MS 20000

/* What a pass does. */
struct pass {
    uint64_t openings_end; /* openings of entries below this go */
    uint64_t count;        /* so many of them */
    uint64_t below;        /* and published entries below this */
    uint64_t entering_at;  /* how long the log was when this was about to be entered */
};

#define NOT_YET UINT64_MAX

static enum vault_code get_numbers(struct vault *vault, const char *name, uint64_t numbers[],
                                   size_t count, bool *found, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(SETTING_VALUE_MAX_BYTES);
    const enum vault_code code = setting_get(vault->store, name, &value, err);
    *found = code == VAULT_OK;
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    struct cursor cursor = cursor_over(buf_view(&value));
    for (size_t i = 0; i < count; i++)
        numbers[i] = cursor_u64(&cursor);
    return cursor.truncated || cursor.left
               ? vault_fail(err, VAULT_CORRUPT, "what is remembered of the retention is damaged")
               : VAULT_OK;
}

static enum vault_code put_numbers(struct vault *vault, const char *name, const uint64_t numbers[],
                                   size_t count, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(SETTING_VALUE_MAX_BYTES);
    for (size_t i = 0; i < count; i++)
        buf_u64(&value, numbers[i]);
    VAULT_TRY(buf_check(&value, err));
    const struct setting setting = {name, buf_view(&value)};
    return setting_put(vault->store, &setting, 1, err);
}

enum vault_code retention_pruned(struct vault *vault, uint64_t *below, struct vault_error *err)
{
    bool found = false;
    *below = 0;
    return get_numbers(vault, RETENTION_PRUNED_SETTING, below, 1, &found, err);
}

/* The first instant of the day that is so many months before now; a day past the 28th, which not
 * every month has, counts as the 28th. */
static int64_t months_ago_ms(const struct vault *vault, unsigned months)
{
    struct date date = date_of_instant(clock_now_s(&vault->options.clock));
    const int month = date.year * 12 + date.month - 1 - (int)months;
    date.year = month / 12;
    date.month = month % 12 + 1;
    if (date.day > 28)
        date.day = 28;
    return instant_of_date(date) * 1000;
}

/* Openings from before this go. */
static int64_t openings_end_ms(const struct vault *vault)
{
    const unsigned months = vault->options.openings_months;
    return months_ago_ms(vault, months ? months : VAULT_OPENINGS_MONTHS);
}

static enum vault_code find_openings(struct vault *vault, int64_t before_ms, struct pass *pass,
                                     struct vault_error *err)
{
    uint64_t count = AT_A_TIME;
    while (count == AT_A_TIME) {
        VAULT_TRY(openings_before(vault->store, before_ms, pass->openings_end, AT_A_TIME,
                                  &pass->openings_end, &count, err));
        pass->count += count;
    }
    return VAULT_OK;
}

static enum vault_code time_of(struct vault *vault, uint64_t index, int64_t *time_ms,
                               struct vault_error *err)
{
    struct entry entry;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
    VAULT_TRY(ledger_entry(vault->ledger, index, &text, err));
    VAULT_TRY(entry_parse(buf_view(&text), &entry, err));
    *time_ms = entry.time_ms;
    return VAULT_OK;
}

/* How far whole steps of published entries are from before a time. Times never decrease, so that
 * the last entry of a step speaks for all of it. */
static enum vault_code find_entries(struct vault *vault, int64_t before_ms, struct pass *pass,
                                    struct vault_error *err)
{
    const uint64_t published = ledger_published_size(vault->ledger);
    while (pass->below + LEDGER_PRUNE_MULTIPLE < published) {
        int64_t time_ms = 0;
        VAULT_TRY(time_of(vault, pass->below + LEDGER_PRUNE_MULTIPLE - 1, &time_ms, err));
        if (time_ms >= before_ms)
            break;
        pass->below += LEDGER_PRUNE_MULTIPLE;
    }
    return VAULT_OK;
}

static enum vault_code remove_openings(struct vault *vault, const struct pass *pass,
                                       struct vault_error *err)
{
    uint64_t gone = AT_A_TIME;
    while (gone == AT_A_TIME)
        VAULT_TRY(openings_prune(vault->store, pass->openings_end, AT_A_TIME, &gone, err));
    return openings_settle(vault->store, err);
}

/* What looks at openings were for goes with the openings. */
static enum vault_code remove_looks(struct vault *vault, struct vault_error *err)
{
    uint64_t gone = AT_A_TIME;
    while (gone == AT_A_TIME)
        VAULT_TRY(look_prune(vault->store, openings_end_ms(vault), AT_A_TIME, &gone, err));
    return VAULT_OK;
}

static bool is_below(void *context, uint64_t index, struct bytes opening)
{
    const struct pass *pass = context;
    (void)opening;
    return index < pass->openings_end;
}

static enum vault_code put_pass(struct vault *vault, const struct pass *pass,
                                struct vault_error *err)
{
    const uint64_t numbers[] = {pass->openings_end, pass->count, pass->below, pass->entering_at};
    return put_numbers(vault, PASS_SETTING, numbers, 4, err);
}

/* Make the entry, once: if a crash came while that was done before, the log may have it. */
static enum vault_code enter(struct vault *vault, struct pass *pass, struct vault_error *err)
{
    bool is_entered = false;
    const struct entry entry = {.event = ENTRY_PRUNE, .count = pass->count, .below = pass->below};
    if (pass->entering_at != NOT_YET)
        VAULT_TRY(event_was_entered(vault, ENTRY_PRUNE, pass->entering_at, pass->count, pass->below,
                                    &is_entered, NULL, err));
    if (is_entered)
        return VAULT_OK;
    pass->entering_at = ledger_head(vault->ledger).size;
    VAULT_TRY(put_pass(vault, pass, err));
    return ledger_append(vault->ledger, &entry, (struct bytes){0}, NULL, err);
}

/* The entry comes before the published files go, so that nobody misses what no entry explains. */
static enum vault_code carry_out(struct vault *vault, struct pass *pass, uint64_t pruned,
                                 struct vault_error *err)
{
    VAULT_TRY(remove_openings(vault, pass, err));
    VAULT_TRY(ledger_blank(vault->ledger, is_below, pass, err));
    VAULT_TRY(enter(vault, pass, err));
    if (pass->below > pruned) {
        const uint64_t size = ledger_head(vault->ledger).size;
        VAULT_TRY(ledger_wait_published(vault->ledger, size, PUBLISH_WAIT_MS, err));
        VAULT_TRY(ledger_prune(vault->ledger, pruned, pass->below, err));
        VAULT_TRY(put_numbers(vault, RETENTION_PRUNED_SETTING, &pass->below, 1, err));
    }
    return setting_remove(vault->store, PASS_SETTING, err);
}

static enum vault_code plan(struct vault *vault, uint64_t pruned, struct pass *pass,
                            struct vault_error *err)
{
    const struct vault_options *options = &vault->options;
    *pass = (struct pass){.below = pruned, .entering_at = NOT_YET};
    VAULT_TRY(find_openings(vault, openings_end_ms(vault), pass, err));
    if (options->entries_months)
        VAULT_TRY(find_entries(vault, months_ago_ms(vault, options->entries_months), pass, err));
    return VAULT_OK;
}

static enum vault_code run(struct vault *vault, struct vault_error *err)
{
    bool begun = false;
    uint64_t pruned = 0;
    uint64_t numbers[4] = {0};
    struct pass pass;
    VAULT_TRY(remove_looks(vault, err));
    VAULT_TRY(retention_pruned(vault, &pruned, err));
    VAULT_TRY(get_numbers(vault, PASS_SETTING, numbers, 4, &begun, err));
    if (begun) {
        pass = (struct pass){numbers[0], numbers[1], numbers[2], numbers[3]};
        return carry_out(vault, &pass, pruned, err);
    }
    VAULT_TRY(plan(vault, pruned, &pass, err));
    if (pass.count == 0 && pass.below == pruned)
        return VAULT_OK;
    VAULT_TRY(put_pass(vault, &pass, err));
    return carry_out(vault, &pass, pruned, err);
}

enum vault_code retention_run(struct vault *vault, struct vault_error *err)
{
    pthread_mutex_lock(&vault->keeping);
    enum vault_code code = backup_check_none(vault, err);
    if (code == VAULT_OK)
        code = run(vault, err);
    pthread_mutex_unlock(&vault->keeping);
    return code;
}
