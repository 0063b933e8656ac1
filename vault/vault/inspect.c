#include "vault/vault/inspect.h"

#include <string.h>

#include "parts.h"
#include "vault/base/clock.h"
#include "vault/base/codec.h"
#include "vault/base/json.h"
#include "vault/store/account.h"
#include "vault/store/control_citizen.h"
#include "vault/store/control_service.h"
#include "vault/store/passkey.h"
#include "vault/vault/service.h"

struct list {
    struct buf *out;
    size_t count;
    struct citizen_id last;
};

static void write_instant(struct buf *out, const char *name, int64_t at_s)
{
    char text[INSTANT_CHARS + 1];
    instant_format(text, at_s);
    buf_format(out, ",\"%s\":\"%s\"", name, text);
}

/* --- Services ------------------------------------------------------------------------------- */

static enum vault_code write_certificate(void *context,
                                         const struct control_certificate *certificate,
                                         struct vault_error *err)
{
    struct list *list = context;
    char key[HEX_CHARS(SHA256_BYTES) + 1];
    const bool is_active = certificate->state == CONTROL_CERTIFICATE_ACTIVE;
    hex_string(key, certificate->spki, sizeof certificate->spki);
    buf_format(list->out, "%s{\"key\":\"%s\",\"state\":\"%s\"", list->count++ ? "," : "", key,
               is_active ? "active" : "revoked");
    write_instant(list->out, "added", certificate->added_s);
    write_instant(list->out, "expires", certificate->expires_s);
    buf_byte(list->out, '}');
    return buf_check(list->out, err);
}

enum vault_code inspect_service(struct vault *vault, const char *id, struct buf *out,
                                struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(CONTROL_SERVICE_JSON_MAX_BYTES);
    enum control_service_state state;
    VAULT_AUTO(json_free) json_t *registration = NULL;
    struct list list = {.out = out};
    VAULT_TRY(control_service_get(vault->store, id, &json, &state, err));
    if (state == CONTROL_SERVICE_REMOVED)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such service");
    VAULT_TRY(json_parse(buf_view(&json), SERVICE_DEPTH_MAX, &registration, NULL, err));
    buf_text(out, "{\"service\":");
    json_write_value(out, registration); /* on one line, however the file was */
    buf_format(out, ",\"state\":\"%s\",\"certificates\":[",
               state == CONTROL_SERVICE_ACTIVE ? "active" : "suspended");
    VAULT_TRY(control_certificate_list(vault->store, CONTROL_CERTIFICATE_SERVICE, id,
                                       write_certificate, &list, err));
    buf_text(out, "]}");
    return buf_check(out, err);
}

/* --- Citizens ------------------------------------------------------------------------------- */

static enum vault_code count_one(void *context, const struct passkey *passkey,
                                 struct vault_error *err)
{
    (void)passkey;
    (void)err;
    ++*(size_t *)context;
    return VAULT_OK;
}

static void write_citizen(const struct control_citizen *citizen, struct buf *out)
{
    buf_text(out, "{\"reference\":");
    json_write_string(out, bytes_of_text(citizen->reference));
    write_instant(out, "since", citizen->created_s);
}

enum vault_code inspect_citizen(struct vault *vault, const char *reference, struct buf *out,
                                struct vault_error *err)
{
    struct control_citizen citizen;
    struct account account = {0};
    size_t passkeys = 0;
    VAULT_TRY(control_citizen_by_reference(vault->store, reference, &citizen, err));
    const struct passkey_owner owner = {.citizen = &citizen.id};
    VAULT_TRY(passkey_list(vault->store, &owner, count_one, &passkeys, err));
    const enum vault_code code = account_of_citizen(vault->store, &citizen.id, &account, err);
    if (code && code != VAULT_NOT_FOUND)
        return code;
    write_citizen(&citizen, out);
    buf_text(out, ",\"login\":");
    if (code)
        buf_text(out, "null");
    else
        json_write_string(out, bytes_of_text(account.login));
    buf_format(out, ",\"passkeys\":%zu,\"password\":%s}", passkeys,
               account.password_hash[0] ? "true" : "false");
    explicit_bzero(account.password_hash, sizeof account.password_hash);
    return buf_check(out, err);
}

static enum vault_code list_citizen(void *context, const struct control_citizen *citizen,
                                    struct vault_error *err)
{
    struct list *list = context;
    buf_text(list->out, list->count++ ? "," : "");
    write_citizen(citizen, list->out);
    buf_byte(list->out, '}');
    list->last = citizen->id;
    return buf_check(list->out, err);
}

enum vault_code inspect_citizens(struct vault *vault, const char *after, struct buf *out,
                                 struct vault_error *err)
{
    struct citizen_id from;
    struct list list = {.out = out};
    char next[HEX_CHARS(CITIZEN_ID_BYTES) + 1];
    if (*after)
        VAULT_TRY(hex_decode_exact(from.bytes, sizeof from.bytes, bytes_of_text(after), err));
    buf_text(out, "{\"citizens\":[");
    VAULT_TRY(control_citizen_list(vault->store, *after ? &from : NULL, INSPECT_CITIZENS_MAX,
                                   list_citizen, &list, err));
    hex_string(next, list.last.bytes, sizeof list.last.bytes);
    if (list.count == INSPECT_CITIZENS_MAX)
        buf_format(out, "],\"next\":\"%s\"}", next);
    else
        buf_text(out, "],\"next\":null}");
    return buf_check(out, err);
}
