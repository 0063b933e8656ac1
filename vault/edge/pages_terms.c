#include "pages_terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages_words.h"
#include "vault/vault/active_policy.h"

#define FIELD_CHARS 32

static const char *const state_texts[MANDATE_STATE_COUNT] = {
    [MANDATE_IN_FORCE] = "mandate.in_force", [MANDATE_ENDED] = "mandate.ended",
    [MANDATE_EXPIRED] = "mandate.expired",   [MANDATE_IDLE] = "mandate.idle",
    [MANDATE_NONE] = "mandate.ended",
};

static bool is_sent(const struct visit *visit, const char *name, const char *value)
{
    return bytes_equal(form_value(&visit->form, name), bytes_of_text(value));
}

static void put_purposes(struct visit *visit)
{
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visit->pages->vault);
    json_t *list = page_list(visit, visit->data, "purposes");
    const size_t count = held.policy ? policy_count(held.policy, POLICY_PURPOSE) : 0;
    for (uint16_t i = 0; i < count && i < MANDATE_PURPOSES_MAX; i++) {
        char name[FIELD_CHARS];
        const char *id = policy_id(held.policy, POLICY_PURPOSE, i);
        json_t *item = page_item(visit, list);
        snprintf(name, sizeof name, "purpose_%u", (unsigned)i);
        page_text(visit, item, "name", name);
        page_text(visit, item, "purpose", id);
        page_text(visit, item, "purpose_title", words_purpose_title(visit, held.policy, id));
        if (is_sent(visit, name, id))
            page_flag(visit, item, "checked");
    }
}

static void put_periods(struct visit *visit)
{
    json_t *list = page_list(visit, visit->data, "periods");
    bool chosen = false;
    for (size_t i = 0; i < MANDATE_PERIODS_COUNT; i++) {
        char days[FIELD_CHARS];
        snprintf(days, sizeof days, "%lld", (long long)mandate_periods[i]);
        chosen = chosen || is_sent(visit, "period", days);
    }
    for (size_t i = 0; i < MANDATE_PERIODS_COUNT; i++) {
        char days[FIELD_CHARS];
        char radio[FIELD_CHARS];
        char words[WORDS_CHARS];
        json_t *item = page_item(visit, list);
        snprintf(days, sizeof days, "%lld", (long long)mandate_periods[i]);
        snprintf(radio, sizeof radio, i ? "period-%zu" : "period", i + 1);
        words_period(visit, mandate_periods[i], words);
        page_text(visit, item, "days", days);
        page_text(visit, item, "radio", radio);
        page_text(visit, item, "label", words);
        if (is_sent(visit, "period", days) || (i == 0 && !chosen))
            page_flag(visit, item, "checked");
    }
}

void terms_put(struct visit *visit)
{
    char label[MANDATE_LABEL_BYTES + 1];
    put_purposes(visit);
    put_periods(visit);
    if (is_sent(visit, "values", "yes"))
        page_flag(visit, visit->data, "values_chosen");
    if (visit_field(visit, "label", label, sizeof label))
        page_text(visit, visit->data, "label_sent", label);
}

static void read_purposes(const struct visit *visit, struct mandate_terms *out)
{
    for (size_t i = 0; i < MANDATE_PURPOSES_MAX; i++) {
        char name[FIELD_CHARS];
        snprintf(name, sizeof name, "purpose_%zu", i);
        if (visit_field(visit, name, out->purposes[out->purpose_count], sizeof out->purposes[0]))
            out->purpose_count++;
    }
}

bool terms_read(struct visit *visit, struct mandate_terms *out)
{
    char days[FIELD_CHARS] = "";
    *out = (struct mandate_terms){0};
    read_purposes(visit, out);
    if (!visit_field(visit, "structure", out->structure, sizeof out->structure))
        out->structure[0] = 0;
    if (form_value(&visit->form, "label").size &&
        !visit_field(visit, "label", out->label, sizeof out->label))
        page_wrong(visit, "label", "error.label_long");
    if (visit_field(visit, "period", days, sizeof days))
        out->days = strtoll(days, NULL, 10);
    out->values = is_sent(visit, "values", "yes");
    if (out->purpose_count == 0)
        page_wrong(visit, "purpose_0", "error.purpose_missing");
    if (out->days < 1)
        page_wrong(visit, "period", "error.period_missing");
    return !json_object_get(visit->data, "errors");
}

bool terms_refused(struct visit *visit, enum vault_code code)
{
    if (code == VAULT_CONFLICT)
        page_wrong(visit, "structure", "error.mandate_there");
    else if (code == VAULT_NOT_FOUND)
        page_wrong(visit, "structure", "error.structure_missing");
    else if (code == VAULT_INVALID)
        page_wrong(visit, "purpose_0", "error.purpose_missing");
    else if (code == VAULT_DENIED)
        page_wrong(visit, "code",
                   is_sent(visit, "values", "yes") ? "error.mandate_code_values"
                                                   : "error.mandate_code");
    else
        return false;
    return true;
}

/* One that the rules have no more has fallen away from the mandate. */
static void put_purpose(struct visit *visit, const struct policy *policy, json_t *item,
                        const char *purpose)
{
    page_text(visit, item, "purpose_title", words_purpose_title(visit, policy, purpose));
    if (!policy || policy_find(policy, POLICY_PURPOSE, bytes_of_text(purpose)) == POLICY_NONE)
        page_flag(visit, item, "purpose_gone");
}

void terms_put_mandate(struct visit *visit, json_t *item, const struct mandate *mandate)
{
    char words[WORDS_CHARS];
    char name[STRUCTURE_NAME_BYTES + 1];
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visit->pages->vault);
    const enum mandate_state state = mandate_state_now(mandate, visit_now_s(visit));
    json_t *list = page_list(visit, item, "mandate_purposes");
    mediator_structure_name(visit->pages->vault, mandate->terms.structure, name);
    page_text(visit, item, "mandate", mandate->id);
    page_text(visit, item, "structure_name", name);
    page_text(visit, item, "label", mandate->terms.label[0] ? mandate->terms.label : mandate->id);
    words_date(visit, mandate->given_s, words);
    page_text(visit, item, "given", words);
    words_date(visit, mandate->expires_s, words);
    page_text(visit, item, "until", words);
    page_text(visit, item, "state", state_texts[state]);
    page_text(visit, item, "values_text",
              mandate->terms.values ? "mandate.with_values" : "mandate.without_values");
    if (mandate_state_allows(state))
        page_flag(visit, item, "in_force");
    for (size_t i = 0; i < mandate->terms.purpose_count; i++)
        put_purpose(visit, held.policy, page_item(visit, list), mandate->terms.purposes[i]);
}
