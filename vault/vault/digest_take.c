/* Whose time has come, and whether there is anything to say. */
#include <string.h>

#include "digest_row.h"
#include "parts.h"
#include "person.h"
#include "vault/base/codec.h"
#include "vault/vault/history.h"

#define DOUBLINGS_MAX 5 /* of DIGEST_AGAIN_S: more than a day by then */

/* --- Whether there is anything new ---------------------------------------------------------- */

struct news {
    uint64_t told_n;
    bool found;
};

/* Of what others may have done: a service always did; of a decision the opening says who made it.
 * Whether somebody signed in is not told: that is nearly always themselves. */
static bool may_be_new(void *context, const struct history_event *event)
{
    struct news *news = context;
    if (news->found || event->n <= news->told_n || event->event == ENTRY_LOGIN)
        return false;
    news->found = event->event == ENTRY_RELEASE || event->event == ENTRY_DENY ||
                  event->event == ENTRY_DEPOSIT;
    return !news->found;
}

static enum vault_code see_actor(void *context, const struct history_event *event,
                                 struct vault_error *err)
{
    struct news *news = context;
    (void)err;
    news->found |= event->actor.size > 0;
    return VAULT_OK;
}

/* A history with a gap in it, or a file that is damaged, is not this module's to tell of. */
static enum vault_code look_for_news(struct vault *vault, const struct digest *row, uint64_t now_n,
                                     bool *found, struct vault_error *err)
{
    struct news news = {.told_n = row->told_n};
    const uint64_t since = now_n > row->told_n ? now_n - row->told_n : 0;
    const size_t limit = since < HISTORY_LIST_MAX ? (size_t)since : HISTORY_LIST_MAX;
    const enum vault_code code =
        limit ? history_find(vault, &row->citizen, 0, limit, may_be_new, see_actor, &news, err)
              : VAULT_OK;
    *found = news.found;
    return code == VAULT_CORRUPT ? VAULT_OK : code;
}

/* --- Taking --------------------------------------------------------------------------------- */

static enum vault_code note(struct vault *vault, const struct digest *row, int64_t wait_s,
                            struct vault_error *err)
{
    struct digest noted = *row;
    noted.due_s = clock_now_s(&vault->options.clock) + wait_s;
    const enum vault_code code = digest_note(vault->store, &noted, err);
    return code == VAULT_NOT_FOUND ? VAULT_OK : code;
}

/* What ends a row's messages, as a letter carries it. */
static enum vault_code write_stop(const struct digest *row, char out[DIGEST_STOP_CHARS + 1],
                                  struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf stop = buf_limited(DIGEST_STOP_CHARS);
    base64url_encode(&stop, (struct bytes){row->stop, sizeof row->stop});
    VAULT_TRY(buf_check(&stop, err));
    memcpy(out, stop.data, DIGEST_STOP_CHARS);
    out[DIGEST_STOP_CHARS] = 0;
    return VAULT_OK;
}

enum vault_code digest_address(const struct citizen *citizen, const struct digest *row,
                               struct digest_letter *out, struct vault_error *err)
{
    VAULT_TRY(digest_read_row(citizen, row, &out->to, err));
    VAULT_TRY(write_stop(row, out->stop, err));
    out->row = *row;
    return VAULT_OK;
}

/* Noted while they are held: whoever changes what they want does so before or after. */
static enum vault_code write_letter(struct vault *vault, const struct digest *row,
                                    struct digest_letter *out, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, &row->citizen, &citizen, &person, err));
    VAULT_TRY(digest_address(citizen, row, out, err));
    out->row.told_n = person->chain.n;
    out->row.failures = 0;
    return note(vault, row, row->every_s, err);
}

/* One whose time has come: *taken is whether out is to be sent. Whoever's file cannot be read waits
 * like one who has nothing new, so that nobody waits behind them. */
static enum vault_code take(struct vault *vault, const struct digest *row,
                            struct digest_letter *out, bool *taken, struct vault_error *err)
{
    *taken = false;
    const enum vault_code code = write_letter(vault, row, out, err);
    if (code == VAULT_CORRUPT || code == VAULT_NOT_FOUND)
        return note(vault, row, row->every_s, err);
    VAULT_TRY(code);
    return look_for_news(vault, row, out->row.told_n, taken, err);
}

enum vault_code digest_take_each(struct vault *vault, const struct digest rows[], size_t due,
                                 digest_taker *take_row, struct digest_letter out[], size_t *count,
                                 struct vault_error *err)
{
    size_t taken = 0;
    for (size_t i = 0; i < due; i++) {
        bool is_taken = false;
        VAULT_TRY(take_row(vault, &rows[i], &out[taken], &is_taken, err));
        taken += is_taken;
    }
    *count = taken;
    return VAULT_OK;
}

enum vault_code digest_take(struct vault *vault, struct digest_letter out[], size_t room,
                            size_t *count, bool *more, struct vault_error *err)
{
    size_t due = 0;
    struct digest rows[DIGEST_TAKE_MAX];
    const int64_t now_s = clock_now_s(&vault->options.clock);
    VAULT_TRY(digest_drop_unused(vault->store, now_s, err));
    VAULT_TRY(digest_due(vault->store, now_s, rows, room < DIGEST_TAKE_MAX ? room : DIGEST_TAKE_MAX,
                         &due, err));
    *more = due == room;
    return digest_take_each(vault, rows, due, take, out, count, err);
}

enum vault_code digest_sent(struct vault *vault, const struct digest_letter *letter,
                            struct vault_error *err)
{
    return note(vault, &letter->row, letter->row.every_s, err);
}

enum vault_code digest_failed(struct vault *vault, const struct digest_letter *letter,
                              struct vault_error *err)
{
    struct digest row;
    const enum vault_code code = digest_get(vault->store, &letter->row.citizen, &row, err);
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    if (memcmp(row.stop, letter->row.stop, sizeof row.stop) != 0)
        return VAULT_OK;
    const unsigned doublings = row.failures < DOUBLINGS_MAX ? row.failures : DOUBLINGS_MAX;
    const int64_t wait_s = (int64_t)DIGEST_AGAIN_S << doublings;
    row.failures++;
    return note(vault, &row, wait_s < DIGEST_DAY_S ? wait_s : DIGEST_DAY_S, err);
}
