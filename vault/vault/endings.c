#include "endings.h"

#include <string.h>

#include "parts.h"

/* Certificates come by owner: the last of the one under way, and those that are to be told. */
struct walk {
    int64_t now_s;
    struct ending last; /* owner empty: none yet */
    struct ending *found;
    size_t count;
};

static void judge(struct walk *walk)
{
    const int64_t left_s = walk->last.expires_s - walk->now_s;
    const bool is_soon = left_s <= ENDINGS_SOON_S && left_s > -ENDINGS_SOON_S;
    if (walk->last.owner[0] && is_soon && walk->count < ENDINGS_MAX)
        walk->found[walk->count++] = walk->last;
    walk->last = (struct ending){0};
}

static enum vault_code take(void *context, const struct control_certificate *certificate,
                            struct vault_error *err)
{
    (void)err;
    struct walk *walk = context;
    if (certificate->state != CONTROL_CERTIFICATE_ACTIVE)
        return VAULT_OK;
    if (strcmp(walk->last.owner, certificate->owner) != 0)
        judge(walk);
    walk->last.kind = certificate->kind;
    memcpy(walk->last.owner, certificate->owner, sizeof walk->last.owner);
    if (certificate->expires_s > walk->last.expires_s)
        walk->last.expires_s = certificate->expires_s;
    return VAULT_OK;
}

/* Its certificates stay with a service that was removed. */
static enum vault_code was_removed(struct vault *vault, const struct ending *ending, bool *removed,
                                   struct vault_error *err)
{
    enum control_service_state state = CONTROL_SERVICE_ACTIVE;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(CONTROL_SERVICE_JSON_MAX_BYTES);
    if (ending->kind == CONTROL_CERTIFICATE_SERVICE)
        VAULT_TRY(control_service_get(vault->store, ending->owner, &json, &state, err));
    *removed = state == CONTROL_SERVICE_REMOVED;
    return VAULT_OK;
}

enum vault_code endings_find(struct vault *vault, struct ending out[ENDINGS_MAX], size_t *count,
                             struct vault_error *err)
{
    static const enum control_certificate_kind kinds[] = {CONTROL_CERTIFICATE_SERVICE,
                                                          CONTROL_CERTIFICATE_AUDITOR};
    struct walk walk = {.now_s = clock_now_s(&vault->options.clock), .found = out};
    size_t kept = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        VAULT_TRY(control_certificate_list(vault->store, kinds[i], NULL, take, &walk, err));
        judge(&walk);
    }
    for (size_t i = 0; i < walk.count; i++) {
        bool removed = false;
        VAULT_TRY(was_removed(vault, &out[i], &removed, err));
        if (!removed)
            out[kept++] = out[i];
    }
    *count = kept;
    return VAULT_OK;
}

enum vault_code endings_count(struct vault *vault, size_t *count, struct vault_error *err)
{
    struct ending found[ENDINGS_MAX];
    return endings_find(vault, found, count, err);
}
