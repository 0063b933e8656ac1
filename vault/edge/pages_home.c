/* Home: what is asked and what a citizen has decided; and the file to keep of it. */
#include "pages_account.h"
#include "pages_alerts.h"
#include "pages_decided.h"
#include "pages_guardian.h"
#include "pages_parts.h"
#include "pages_words.h"
#include "vault/vault/statement.h"

static void put_services(struct visit *visit, const char *list_name)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(visit->data, list_name), i, item)
        decided_put_service(visit, item);
}

/* A password that the city gave is told until it is changed. */
static enum vault_code put_first_password(struct visit *visit, struct vault_error *err)
{
    char until[WORDS_CHARS];
    int64_t until_s = 0;
    VAULT_TRY(sign_in_first_until(visit->pages->vault, &visit->session, &until_s, err));
    if (until_s) {
        words_date(visit, until_s, until);
        page_text(visit, visit->data, "first_until", until);
    }
    return VAULT_OK;
}

void home_show(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    struct decided decided = {.visit = visit, .groups = page_list(visit, visit->data, "services")};
    enum vault_code code = decided_put(&decided, &err);
    if (code == VAULT_OK)
        code = guardian_put_own(visit, &err);
    if (code == VAULT_OK)
        code = guardian_put_minors(visit, &err);
    if (code == VAULT_OK)
        code = alerts_put_count(visit, &err);
    if (code == VAULT_OK)
        code = put_first_password(visit, &err);
    if (code == VAULT_OK)
        code = tries_put(visit, &err);
    if (code) {
        decided_failed(visit, code, &err);
        return;
    }
    put_services(visit, "requests");
    put_services(visit, "services");
    put_services(visit, "over");
    decided_put_over_count(visit);
    if (json_array_size(decided.groups))
        page_flag(visit, visit->data, "services_shown");
    page_flag(visit, visit->data, "is_home");
    page_send(visit, 200, "home", "home.title");
}

/* A file to keep. It is made by a POST, since that it was taken is an entry of the log. */
void statement_send(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    const enum vault_code code =
        statement_write(visit->pages->vault, &visit->session.citizen, &visit->answer->body, &err);
    page_send_file(visit, code, &err, "application/json", "statement.json");
}
