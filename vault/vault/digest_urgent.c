/* What is told at once: wrong tries, and what changed about signing in. */
#include "digest_row.h"
#include "parts.h"
#include "person.h"
#include "vault/vault/sign_in.h"

static enum vault_code note(struct vault *vault, const struct digest *row, int64_t urgent_s,
                            int64_t urged_s, struct vault_error *err)
{
    struct digest noted = *row;
    noted.urgent_s = urgent_s;
    noted.urged_s = urged_s;
    const enum vault_code code = digest_note_urgent(vault->store, &noted, err);
    return code == VAULT_NOT_FOUND ? VAULT_OK : code;
}

static enum vault_code write_letter(struct vault *vault, const struct digest *row,
                                    struct digest_letter *out, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, &row->citizen, &citizen, &person, err));
    VAULT_TRY(digest_address(citizen, row, out, err));
    return note(vault, row, 0, clock_now_s(&vault->options.clock), err);
}

/* Whoever's file cannot be read gets none: nobody waits behind them. */
static enum vault_code take(struct vault *vault, const struct digest *row,
                            struct digest_letter *out, bool *taken, struct vault_error *err)
{
    const enum vault_code code = write_letter(vault, row, out, err);
    *taken = code == VAULT_OK;
    if (code == VAULT_CORRUPT || code == VAULT_NOT_FOUND)
        return note(vault, row, 0, row->urged_s, err);
    return code;
}

enum vault_code digest_take_urgent(struct vault *vault, struct digest_letter out[], size_t room,
                                   size_t *count, bool *more, struct vault_error *err)
{
    size_t due = 0;
    struct digest rows[DIGEST_TAKE_MAX];
    const int64_t now_s = clock_now_s(&vault->options.clock);
    VAULT_TRY(digest_urge_tried(vault->store, SIGN_IN_TOLD_TRIES, now_s, DIGEST_URGENT_S,
                                DIGEST_DAY_S, err));
    VAULT_TRY(digest_urgent(vault->store, now_s, rows,
                            room < DIGEST_TAKE_MAX ? room : DIGEST_TAKE_MAX, &due, err));
    *more = due == room;
    return digest_take_each(vault, rows, due, take, out, count, err);
}

enum vault_code digest_urgent_failed(struct vault *vault, const struct digest_letter *letter,
                                     struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    return note(vault, &letter->row, now_s + DIGEST_AGAIN_S, letter->row.urged_s, err);
}
