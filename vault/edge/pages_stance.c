/* What a citizen does about what they gave, or what needs no consent: one button each. */
#include <stdio.h>

#include "pages_parts.h"
#include "vault/vault/consent.h"
#include "vault/vault/stance.h"

/* One thing done to a (service, purpose). */
typedef enum vault_code act_function(struct vault *vault, const struct citizen_id *citizen,
                                     const char *service, const char *purpose,
                                     struct vault_error *err);

/* Nothing is looked up first: what narrows works even where reading does not. */
static void act(struct visit *visit, act_function *function, const char *address,
                enum notice notice)
{
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    struct vault_error err;
    if (!visit_field(visit, "service", service, sizeof service) ||
        !visit_field(visit, "purpose", purpose, sizeof purpose) ||
        !entry_id_is_valid(bytes_of_text(service))) {
        page_error(visit, 400);
        return;
    }
    const enum vault_code code =
        function(visit->pages->vault, &visit->session.citizen, service, purpose, &err);
    char place[VISIT_ADDRESS_CHARS + 1];
    snprintf(place, sizeof place, "%s%s", address, address[1] ? service : "");
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, place, notice);
}

static enum vault_code suspend(struct vault *vault, const struct citizen_id *citizen,
                               const char *service, const char *purpose, struct vault_error *err)
{
    return consent_suspend(vault, citizen, service, purpose, CONSENT_BY_CITIZEN, err);
}

void withdraw_do(struct visit *visit, const char *id)
{
    (void)id;
    act(visit, consent_withdraw, "/", NOTICE_WITHDRAWN);
}

void suspend_do(struct visit *visit, const char *id)
{
    (void)id;
    act(visit, suspend, "/services/", NOTICE_SUSPENDED);
}

void resume_do(struct visit *visit, const char *id)
{
    (void)id;
    act(visit, consent_resume, "/services/", NOTICE_RESUMED);
}

void object_do(struct visit *visit, const char *id)
{
    (void)id;
    act(visit, stance_object, "/services/", NOTICE_OBJECTED);
}

void lift_do(struct visit *visit, const char *id)
{
    (void)id;
    act(visit, stance_lift, "/services/", NOTICE_LIFTED);
}

void pause_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    const enum vault_code code =
        stance_pause(visit->pages->vault, &visit->session.citizen, NULL, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, "/", NOTICE_PAUSED);
}

void restrict_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    const enum vault_code code =
        stance_restrict(visit->pages->vault, &visit->session.citizen, NULL, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, "/", NOTICE_RESTRICTED);
}

void resume_all_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    const enum vault_code code =
        stance_resume(visit->pages->vault, &visit->session.citizen, NULL, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, "/", NOTICE_RESUMED);
}
