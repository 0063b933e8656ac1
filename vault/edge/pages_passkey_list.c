/* The list of somebody's passkeys, and what its forms do. */
#include "pages_passkey.h"

#include "pages_account.h"
#include "pages_parts.h"
#include "pages_words.h"
#include "vault/base/codec.h"

struct listing {
    struct visit *visit;
    json_t *list;
};

static enum vault_code put_passkey(void *context, const struct sign_in_passkey_shown *passkey,
                                   struct vault_error *err)
{
    const struct listing *listing = context;
    struct visit *visit = listing->visit;
    char date[WORDS_CHARS];
    VAULT_AUTO(buf_finish) struct buf credential = buf_limited(PASSKEY_CREDENTIAL_TEXT);
    json_t *item = page_item(visit, listing->list);
    base64url_encode(&credential, passkey->credential);
    VAULT_TRY(buf_check(&credential, err));
    page_text(visit, item, "credential", buf_string(&credential));
    page_number(visit, item, "number", (int64_t)json_array_size(listing->list));
    page_text(visit, item, "name",
              passkey->name[0] ? passkey->name : assets_text(visit->language, "passkey.unnamed"));
    words_date(visit, passkey->created_s, date);
    page_text(visit, item, "created", date);
    if (!passkey->used_s)
        return VAULT_OK;
    words_date(visit, passkey->used_s, date);
    page_text(visit, item, "used", date);
    return VAULT_OK;
}

enum vault_code passkeys_put(struct visit *visit, struct vault_error *err)
{
    struct listing listing = {visit, page_list(visit, visit->data, "passkeys")};
    struct sign_in_passkey_owner owner;
    const struct passkey_places *places = passkey_places_of(visit);
    const struct passkey_person person = passkey_person_of(visit);
    VAULT_TRY(sign_in_passkey_owner(visit->pages->vault, &person, &owner, err));
    page_text(visit, visit->data, "username", owner.login);
    page_text(visit, visit->data, "passkeys_home", places->home);
    page_text(visit, visit->data, "passkeys_offer", places->offer);
    VAULT_TRY(sign_in_passkey_list(visit->pages->vault, &person, put_passkey, &listing, err));
    if (json_array_size(listing.list))
        page_flag(visit, visit->data, "passkeys_shown");
    if (json_array_size(listing.list) > 1 || !person.mediator ||
        !mediator_needs_passkey(visit->pages->vault))
        page_flag(visit, visit->data, "passkeys_may_go");
    return VAULT_OK;
}

/* The credential that a form of the list names; empty if it names none. */
static void read_credential(const struct visit *visit, struct buf *out)
{
    if (base64url_decode(out, form_value(&visit->form, "credential"), NULL))
        buf_clear(out);
}

void passkey_rename_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    char label[PASSKEY_LABEL_BYTES + 1];
    VAULT_AUTO(buf_finish) struct buf credential = buf_limited(PASSKEY_CREDENTIAL_BYTES);
    read_credential(visit, &credential);
    if (!visit_field(visit, "label", label, sizeof label)) {
        page_error(visit, 400);
        return;
    }
    const struct passkey_person person = passkey_person_of(visit);
    const enum vault_code code =
        sign_in_passkey_rename(visit->pages->vault, &person, buf_view(&credential), label, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, passkey_places_of(visit)->home, NOTICE_PASSKEY_RENAMED);
}

void passkey_remove_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf credential = buf_limited(PASSKEY_CREDENTIAL_BYTES);
    if (!account_is_fresh(visit, passkey_places_of(visit)->home))
        return;
    read_credential(visit, &credential);
    const struct passkey_person person = passkey_person_of(visit);
    const enum vault_code code =
        sign_in_passkey_remove(visit->pages->vault, &person, buf_view(&credential), &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, passkey_places_of(visit)->home, NOTICE_PASSKEY_REMOVED);
}
