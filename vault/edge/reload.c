#include "vault/edge/reload.h"

struct fresh {
    struct tls_credentials *parts[RELOAD_PARTS_MAX]; /* NULL: it says nothing new */
    bool any;
};

static void fresh_finish(struct fresh *fresh)
{
    for (size_t i = 0; i < RELOAD_PARTS_MAX; i++)
        tls_credentials_free(&fresh->parts[i]);
}

static enum vault_code read_all(const struct reload *reload, struct fresh *out,
                                struct vault_error *err)
{
    for (size_t i = 0; i < reload->count; i++) {
        bool changed = false;
        const enum vault_code code =
            tls_read_again(reload->parts[i].tls, &out->parts[i], &changed, err);
        if (code) {
            vault_error_context(err, "nothing is changed: %s", reload->parts[i].name);
            return code;
        }
        if (!changed)
            tls_credentials_free(&out->parts[i]);
        out->any = out->any || changed;
    }
    return VAULT_OK;
}

static enum vault_code run(struct reload *reload, struct vault *vault, struct buf *result,
                           struct vault_error *err)
{
    VAULT_AUTO(fresh_finish) struct fresh fresh = {0};
    VAULT_TRY(read_all(reload, &fresh, err));
    if (fresh.any)
        VAULT_TRY(vault_enter_change(vault, err));
    const char *separator = "";
    buf_text(result, "{\"changed\":[");
    for (size_t i = 0; i < reload->count; i++) {
        if (!fresh.parts[i])
            continue;
        tls_replace(reload->parts[i].tls, &fresh.parts[i]);
        buf_format(result, "%s\"%s\"", separator, reload->parts[i].name);
        separator = ",";
    }
    buf_text(result, "]}");
    return VAULT_OK;
}

enum vault_code reload_certificates(struct reload *reload, struct vault *vault, struct buf *result,
                                    struct vault_error *err)
{
    pthread_mutex_lock(&reload->mutex);
    const enum vault_code code = run(reload, vault, result, err);
    pthread_mutex_unlock(&reload->mutex);
    return code;
}
