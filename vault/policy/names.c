#include <stdlib.h>
#include <string.h>

#include "model.h"

const char *const form_names[FORM_COUNT] = {
    [FORM_AS_IS] = "as_is",
    [FORM_MONTH] = "month",
    [FORM_YEAR] = "year",
    [FORM_AGE_BAND] = "age_band",
    [FORM_INITIAL] = "initial",
    [FORM_LAST4] = "last4",
    [FORM_PSEUDONYM] = "pseudonym",
    [FORM_STREET] = "street",
    [FORM_POSTCODE] = "postcode",
    [FORM_CITY] = "city",
    [FORM_DEPARTMENT] = "department",
    [FORM_ROUNDED] = "rounded",
    [FORM_BAND] = "band",
    [FORM_SIGN] = "sign",
    [FORM_MONTHLY] = "monthly",
    [FORM_TOTAL] = "total",
    [FORM_PRESENT] = "present",
};

const char *const type_names[POLICY_TYPE_COUNT] = {
    [POLICY_BOOLEAN] = "boolean",
    [POLICY_CODE] = "code",
    [POLICY_TEXT] = "text",
    [POLICY_DATE] = "date",
    [POLICY_IDENTIFIER] = "identifier",
    [POLICY_ADDRESS] = "address",
    [POLICY_NUMBER] = "number",
    [POLICY_SERIES] = "series",
};

const char *const basis_names[POLICY_BASIS_COUNT] = {
    [POLICY_CONSENT] = "consent",
    [POLICY_CONTRACT] = "contract",
    [POLICY_LEGAL_OBLIGATION] = "legal_obligation",
    [POLICY_VITAL_INTERESTS] = "vital_interests",
    [POLICY_PUBLIC_TASK] = "public_task",
    [POLICY_LEGITIMATE_INTERESTS] = "legitimate_interests",
};

size_t name_index(const char *const names[], size_t count, struct bytes text)
{
    size_t i = 0;
    while (i < count && !bytes_equal(bytes_of_text(names[i]), text))
        i++;
    return i;
}

enum form form_of_name(struct bytes name)
{
    const size_t index = name_index(form_names, FORM_COUNT, name);
    return (enum form)index;
}

uint8_t ladder_find(const struct ladder *ladder, enum form form)
{
    for (size_t i = 0; i < ladder->count; i++) {
        if (ladder->steps[i].form == form)
            return (uint8_t)i;
    }
    return POLICY_FORM_NONE;
}

static bool same_bands(const struct bands *a, const struct bands *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->from, b->from, a->count * sizeof *a->from) == 0);
}

/* Whether every end of one list of bands is one of the other's: it joins bands and cuts none. */
static bool joins_bands(const struct bands *coarse, const struct bands *fine)
{
    size_t i = 0;
    for (size_t j = 0; j < fine->count && i < coarse->count; j++)
        i += coarse->from[i] == fine->from[j];
    return i == coarse->count;
}

bool step_is_same(const struct step *old, const struct step *new)
{
    return old->to == new->to &&same_bands(&old->bands, &new->bands);
}

bool step_is_coarser(const struct step *old, const struct step *new)
{
    if (new->form == FORM_ROUNDED)
        return new->to > old->to &&new->to % old->to == 0;
    return joins_bands(&new->bands, &old->bands);
}

const struct ladder *field_ladder(const struct policy *policy, uint16_t field)
{
    return &policy->ladders[policy->fields[field].type];
}

size_t policy_count(const struct policy *policy, enum policy_kind kind)
{
    return policy->names[kind].count;
}

static int compare(struct bytes text, const char *id)
{
    const size_t size = strlen(id);
    const int order = memcmp(text.data, id, text.size < size ? text.size : size);
    return order ? order : (text.size > size) - (text.size < size);
}

uint16_t policy_find(const struct policy *policy, enum policy_kind kind, struct bytes id)
{
    const struct names *names = &policy->names[kind];
    size_t low = 0;
    size_t high = id.size ? names->count : 0;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const int order = compare(id, names->ids[middle]);
        if (order == 0)
            return (uint16_t)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return POLICY_NONE;
}

const char *policy_id(const struct policy *policy, enum policy_kind kind, uint16_t index)
{
    return policy->names[kind].ids[index];
}

static const char *in_language(const struct words *words, uint16_t index,
                               enum policy_language language)
{
    if (!words)
        return NULL;
    const char *text = words[index].in[language];
    return text ? text : words[index].in[language == POLICY_FR ? POLICY_EN : POLICY_FR];
}

const char *policy_title(const struct policy *policy, enum policy_kind kind, uint16_t index,
                         enum policy_language language)
{
    return in_language(policy->titles[kind], index, language);
}

const char *policy_text(const struct policy *policy, enum policy_kind kind, uint16_t index,
                        enum policy_language language)
{
    return in_language(policy->texts[kind], index, language);
}

const char *policy_name(const struct policy *policy)
{
    return policy->name;
}

uint64_t policy_version(const struct policy *policy)
{
    return policy->version;
}

const uint8_t *policy_manifest_hash(const struct policy *policy)
{
    return policy->manifest_hash;
}

bool policy_is_available(const struct policy *policy, int64_t now_s)
{
    return now_s >= policy->not_before_s && now_s < policy->expires_s;
}

const char *policy_basis_name(enum policy_basis basis)
{
    return basis_names[basis];
}

const char *policy_type_name(enum policy_type type)
{
    return type_names[type];
}

enum policy_type policy_field_type(const struct policy *policy, uint16_t field)
{
    return policy->fields[field].type;
}

bool policy_field_is_special(const struct policy *policy, uint16_t field)
{
    return policy->fields[field].special;
}

bool policy_field_is_derived(const struct policy *policy, uint16_t field)
{
    return policy->fields[field].derivation != NULL;
}

const uint16_t *policy_field_sources(const struct policy *policy, uint16_t field, size_t *count)
{
    const struct derivation *derivation = policy->fields[field].derivation;
    *count = derivation ? derivation->from_count : 0;
    return derivation ? derivation->from : NULL;
}

size_t policy_form_count(const struct policy *policy, uint16_t field)
{
    return field_ladder(policy, field)->count;
}

uint8_t policy_form_find(const struct policy *policy, uint16_t field, struct bytes name)
{
    const enum form form = form_of_name(name);
    return form == FORM_COUNT ? POLICY_FORM_NONE : ladder_find(field_ladder(policy, field), form);
}

const char *policy_form_name(const struct policy *policy, uint16_t field, uint8_t form)
{
    return form_names[field_ladder(policy, field)->steps[form].form];
}

unsigned policy_purpose_consent_days(const struct policy *policy, uint16_t purpose)
{
    return policy->consent_days[purpose];
}

bool policy_obligation_is_number(const struct policy *policy, uint16_t obligation)
{
    return policy->obligation_is_number[obligation];
}

bool spans_have(const struct spans *spans, uint16_t number)
{
    for (size_t i = 0; i < spans->count && spans->spans[i].from <= number; i++) {
        if (number < spans->spans[i].to)
            return true;
    }
    return false;
}

bool spans_are_all(const struct spans *spans, size_t count)
{
    return spans->count == 1 && spans->spans[0].from == 0 && spans->spans[0].to == count;
}

uint8_t rule_form(const struct policy *policy, const struct rule *rule, uint16_t field)
{
    for (size_t i = 0; i < rule->release_count; i++) {
        if (rule->releases[i].field == field)
            return rule->releases[i].form;
    }
    if (rule->default_form == FORM_COUNT)
        return 0;
    return ladder_find(field_ladder(policy, field), rule->default_form);
}

static int by_number(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

size_t rules_unique(uint16_t rules[], size_t count)
{
    size_t kept = 0;
    qsort(rules, count, sizeof *rules, by_number);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || rules[kept - 1] != rules[i])
            rules[kept++] = rules[i];
    }
    return kept;
}
