/* An erasure on its way into the feeds of services. */
#include <stdlib.h>

#include "feed_parts.h"
#include "parts.h"
#include "vault/base/codec.h"
#include "vault/store/feed.h"
#include "vault/vault/subject.h"

struct telling {
    struct feed_row rows[CONTROL_SERVICES_MAX];
    size_t count;
};

static enum vault_code take_service(void *context, const struct feed_row *row,
                                    struct vault_error *err)
{
    (void)err;
    struct telling *telling = context;
    if (telling->count < CONTROL_SERVICES_MAX)
        telling->rows[telling->count++] = *row;
    return VAULT_OK;
}

/* Make it the row that says so; false for a service that is not registered any more. */
static enum vault_code make_row(struct vault *vault, const struct citizen_id *citizen,
                                const struct ledger_ticket *place, struct feed_row *row,
                                bool *is_served, struct vault_error *err)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    char subject[SUBJECT_CHARS + 1];
    const enum vault_code code = service_by_id(vault, bytes_of_text(row->service), &hold, err);
    *is_served = code == VAULT_OK;
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    VAULT_TRY(subject_write(hold.service, citizen, subject, err));
    row->change = FEED_ERASE;
    row->n = place->index + 1;
    row->time_ms = place->time_ms;
    return base32_decode_exact(row->citizen.bytes, sizeof row->citizen.bytes,
                               bytes_of_text(subject), err);
}

static enum vault_code tell(struct vault *vault, const struct citizen_id *citizen,
                            const struct ledger_ticket *place, struct telling *telling,
                            struct vault_error *err)
{
    size_t served = 0;
    VAULT_TRY(feed_services(vault->store, citizen, take_service, telling, err));
    for (size_t i = 0; i < telling->count; i++) {
        bool is_served = false;
        struct feed_row row = telling->rows[i];
        VAULT_TRY(make_row(vault, citizen, place, &row, &is_served, err));
        if (is_served)
            telling->rows[served++] = row;
    }
    VAULT_TRY(feed_erase(vault->store, citizen, telling->rows, served, err));
    for (size_t i = 0; i < served; i++)
        feed_ring(vault, telling->rows[i].service);
    return VAULT_OK;
}

enum vault_code feed_tell_erased(struct vault *vault, const struct citizen_id *citizen,
                                 const struct ledger_ticket *place, struct vault_error *err)
{
    struct telling *telling = calloc(1, sizeof *telling);
    if (!telling)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    const enum vault_code code = tell(vault, citizen, place, telling, err);
    free(telling);
    return code;
}
