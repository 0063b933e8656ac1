/* After a restore no mandate is in force that may have been ended since the backup. */
#include <string.h>

#include "restore_parts.h"
#include "vault/vault/mandate.h"

struct ending {
    char ids[MANDATES_MAX][MANDATE_ID_CHARS + 1];
    size_t count;
    int64_t now_s;
};

static enum vault_code take_standing(void *context, const struct mandate *mandate,
                                     struct vault_error *err)
{
    struct ending *ending = context;
    (void)err;
    if (mandate_state_now(mandate, ending->now_s) == MANDATE_IN_FORCE &&
        ending->count < MANDATES_MAX)
        memcpy(ending->ids[ending->count++], mandate->id, sizeof mandate->id);
    return VAULT_OK;
}

enum vault_code restore_end_mandates(struct vault *vault, const struct citizen_id *citizen,
                                     struct vault_error *err)
{
    struct ending ending = {.now_s = clock_now_s(vault_clock(vault))};
    const enum vault_code code = mandate_list(vault, citizen, take_standing, &ending, err);
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    for (size_t i = 0; i < ending.count; i++)
        VAULT_TRY(mandate_end(vault, citizen, ending.ids[i], err));
    return VAULT_OK;
}
