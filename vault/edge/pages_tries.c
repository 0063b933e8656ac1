/* That wrong passwords were tried for somebody, told to them on their pages. */
#include "pages_account.h"
#include "pages_words.h"

#define TOLD_S (30 * (int64_t)86400) /* how long those before a sign-in are told */

static void put(struct visit *visit, const char *text, uint32_t count, int64_t at_s)
{
    char date[WORDS_CHARS];
    char clock[WORDS_CLOCK_CHARS + 1];
    words_date(visit, at_s, date);
    words_clock(at_s, clock);
    page_text(visit, visit->data, "tries_text", text);
    page_number(visit, visit->data, "tries", count);
    page_text(visit, visit->data, "tried_date", date);
    page_text(visit, visit->data, "tried_clock", clock);
}

/* Those that go on before those that came to an end. */
static void put_tries(struct visit *visit, const struct sign_in_tries *tries)
{
    if (tries->since >= SIGN_IN_TOLD_TRIES)
        put(visit, "tries.since", tries->since, tries->since_s);
    else if (tries->before >= SIGN_IN_TOLD_TRIES && visit_now_s(visit) < tries->before_s + TOLD_S)
        put(visit, "tries.before", tries->before, tries->before_s);
}

/* A password that opens nothing is never right, so that tries have no end but time. */
static void put_vain_tries(struct visit *visit, const struct sign_in_tries *tries)
{
    if (tries->since >= SIGN_IN_TOLD_TRIES && visit_now_s(visit) < tries->since_s + TOLD_S)
        put(visit, "tries.vain", tries->since, tries->since_s);
    page_text(visit, visit->data, "tries_address", "/mediator/security");
    page_flag(visit, visit->data, "needs_passkey");
}

static void put_date(struct visit *visit, const char *name, int64_t at_s)
{
    char date[WORDS_CHARS];
    if (!at_s)
        return;
    words_date(visit, at_s, date);
    page_text(visit, visit->data, name, date);
}

static enum vault_code put_of_mediator(struct visit *visit, struct vault_error *err)
{
    struct mediator_account account;
    VAULT_TRY(mediator_account(visit->pages->vault, &visit->mediator, &account, err));
    put_date(visit, "passkeys_date", account.passkeys_s);
    if (mediator_needs_passkey(visit->pages->vault)) {
        put_vain_tries(visit, &account.tries);
        return VAULT_OK;
    }
    put_tries(visit, &account.tries);
    page_text(visit, visit->data, "tries_address", "/mediator/password");
    put_date(visit, "password_date", account.password_s);
    return VAULT_OK;
}

enum vault_code tries_put(struct visit *visit, struct vault_error *err)
{
    struct sign_in_tries tries;
    if (visit->is_mediator)
        return put_of_mediator(visit, err);
    VAULT_TRY(sign_in_tries(visit->pages->vault, &visit->session, &tries, err));
    put_tries(visit, &tries);
    page_text(visit, visit->data, "tries_address", "/security#password-title");
    return VAULT_OK;
}
