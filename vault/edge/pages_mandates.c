/* My mandates: which structures may act for me, giving and ending one, and codes to print. */
#include <string.h>

#include "pages_account.h"
#include "pages_parts.h"
#include "pages_terms.h"
#include "pages_words.h"
#include "vault/vault/guardian.h"

struct listing {
    struct visit *visit;
    json_t *list;
};

static enum vault_code put_mandate(void *context, const struct mandate *mandate,
                                   struct vault_error *err)
{
    (void)err;
    const struct listing *listing = context;
    terms_put_mandate(listing->visit, page_item(listing->visit, listing->list), mandate);
    return VAULT_OK;
}

static enum vault_code put_structure(void *context, const struct structure *structure,
                                     struct vault_error *err)
{
    (void)err;
    const struct listing *listing = context;
    json_t *item = page_item(listing->visit, listing->list);
    page_text(listing->visit, item, "structure", structure->id);
    page_text(listing->visit, item, "structure_name", structure->name);
    if (bytes_equal(form_value(&listing->visit->form, "structure"), bytes_of_text(structure->id)))
        page_flag(listing->visit, item, "chosen");
    return VAULT_OK;
}

/* What a guardian would have to agree to is not offered. */
static enum vault_code put_terms(struct visit *visit, struct vault_error *err)
{
    struct guardian_rule rule;
    struct guardian_half half;
    bool waits = false;
    VAULT_TRY(
        guardian_ask(visit->pages->vault, &visit->session.citizen, "", &rule, &waits, &half, err));
    if (!rule.both)
        page_flag(visit, visit->data, "values_offered");
    terms_put(visit);
    return VAULT_OK;
}

static void show(struct visit *visit, unsigned status)
{
    struct vault_error err;
    struct vault *vault = visit->pages->vault;
    struct listing mandates = {visit, page_list(visit, visit->data, "mandates")};
    struct listing structures = {visit, page_list(visit, visit->data, "structures")};
    enum vault_code code =
        mandate_list(vault, &visit->session.citizen, put_mandate, &mandates, &err);
    if (code == VAULT_OK)
        code = mediator_structures(vault, put_structure, &structures, &err);
    if (code == VAULT_OK)
        code = put_terms(visit, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    if (json_array_size(mandates.list))
        page_flag(visit, visit->data, "mandates_shown");
    if (json_array_size(structures.list)) {
        page_flag(visit, visit->data, "structures_shown");
        page_flag(visit, visit->data, "keeps");
    }
    page_flag(visit, visit->data, "is_mandates");
    page_send(visit, status, "mandates", "mandates.title");
}

void mandates_show(struct visit *visit, const char *id)
{
    (void)id;
    show(visit, 200);
}

static bool refused(struct visit *visit, enum vault_code code)
{
    if (code != VAULT_DENIED)
        return terms_refused(visit, code);
    page_wrong(visit, "values", "error.mandate_values");
    return true;
}

void mandate_give_do(struct visit *visit, const char *id)
{
    (void)id;
    char given[MANDATE_ID_CHARS + 1];
    struct mandate_terms terms;
    struct vault_error err;
    if (visit_stays(visit)) {
        show(visit, 200);
        return;
    }
    if (!account_is_fresh(visit, "/mandates"))
        return;
    if (!terms_read(visit, &terms)) {
        show(visit, 422);
        return;
    }
    const enum vault_code code =
        mandate_give(visit->pages->vault, &visit->session.citizen, &terms, given, &err);
    if (code == VAULT_OK)
        page_redirect_with(visit, "/mandates", NOTICE_MANDATE_GIVEN);
    else if (refused(visit, code))
        show(visit, 422);
    else
        page_failed(visit, code, &err);
}

void mandate_end_do(struct visit *visit, const char *id)
{
    struct vault_error err;
    const enum vault_code code =
        mandate_end(visit->pages->vault, &visit->session.citizen, id, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, "/mandates", NOTICE_MANDATE_ENDED);
}

/* Shown this once: what is kept of a code cannot be turned back into it. */
void mandate_codes_do(struct visit *visit, const char *id)
{
    (void)id;
    char codes[MANDATE_CODES][MANDATE_CODE_CHARS + 1];
    struct vault_error err;
    if (!account_is_fresh(visit, "/mandates"))
        return;
    const enum vault_code code =
        mandate_print_codes(visit->pages->vault, &visit->session.citizen, codes, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    json_t *list = page_list(visit, visit->data, "codes");
    for (size_t i = 0; i < MANDATE_CODES; i++)
        page_text(visit, page_item(visit, list), "code", codes[i]);
    explicit_bzero(codes, sizeof codes);
    page_send(visit, 200, "mandate_codes", "codes.title");
}
