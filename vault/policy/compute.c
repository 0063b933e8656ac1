/* The operations of derived fields (contract, sections 2 and 8). */
#include <string.h>

#include "values.h"
#include "vault/base/json.h"

/* The values of a derivation's sources, all there. */
struct sources {
    json_t *values[DERIVE_SOURCES_MAX];
    size_t count;
};

static void sources_finish(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        json_decref(sources->values[i]);
}

/* A source without a value comes before one that fails. */
static enum policy_reason collect(const struct evaluation *evaluation,
                                  const struct derivation *derivation, struct sources *out)
{
    enum policy_reason worst = REASON_RELEASED;
    for (size_t i = 0; i < derivation->from_count && worst != REASON_NO_VALUE; i++) {
        const enum policy_reason reason =
            value_of_field(evaluation, derivation->from[i], &out->values[out->count]);
        if (reason == REASON_RELEASED)
            out->count++;
        else
            worst = reason;
    }
    return worst;
}

static json_t *age_at_least(const struct evaluation *evaluation,
                            const struct derivation *derivation, const struct sources *sources)
{
    const int age = age_on(evaluation->today, sources->values[0]);
    return age < 0 ? NULL : json_boolean(age >= derivation->number);
}

static json_t *months_at_least(const struct evaluation *evaluation,
                               const struct derivation *derivation, const struct sources *sources)
{
    struct date from;
    if (date_parse(json_text(sources->values[0]), &from, NULL) != VAULT_OK ||
        date_compare(from, evaluation->today) > 0)
        return NULL;
    return json_boolean(date_months_between(from, evaluation->today) >= derivation->number);
}

static json_t *age_band(const struct evaluation *evaluation, const struct derivation *derivation,
                        const struct sources *sources)
{
    char name[BAND_NAME_CHARS];
    const int age = age_on(evaluation->today, sources->values[0]);
    return age >= 0 && band_name(&derivation->bands, age, name) ? json_string(name) : NULL;
}

static json_t *band(const struct evaluation *evaluation, const struct derivation *derivation,
                    const struct sources *sources)
{
    (void)evaluation;
    const int64_t number = json_integer_value(sources->values[0]);
    size_t i = derivation->bands.count;
    while (i > 0 && number < derivation->bands.from[i - 1])
        i--;
    return i ? json_string(derivation->labels[i - 1]) : NULL;
}

/* in_set and equals: one spelling for each value, so that JSON texts can be compared. */
static json_t *is_among(const struct evaluation *evaluation, const struct derivation *derivation,
                        const struct sources *sources)
{
    (void)evaluation;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_VALUE_BYTES_MAX);
    json_write_value(&text, sources->values[0]);
    bool found = false;
    for (size_t i = 0; i < derivation->value_count; i++)
        found = found || bytes_equal(buf_view(&text), bytes_of_text(derivation->values[i]));
    return text.problem ? NULL : json_boolean(found);
}

static json_t *any_of(const struct evaluation *evaluation, const struct derivation *derivation,
                      const struct sources *sources)
{
    (void)evaluation;
    (void)derivation;
    bool any = false;
    for (size_t i = 0; i < sources->count; i++)
        any = any || json_is_true(sources->values[i]);
    return json_boolean(any);
}

static json_t *all_of(const struct evaluation *evaluation, const struct derivation *derivation,
                      const struct sources *sources)
{
    (void)evaluation;
    (void)derivation;
    bool all = true;
    for (size_t i = 0; i < sources->count; i++)
        all = all && json_is_true(sources->values[i]);
    return json_boolean(all);
}

static json_t *present(const struct evaluation *evaluation, const struct derivation *derivation,
                       const struct sources *sources)
{
    (void)evaluation;
    (void)derivation;
    return json_boolean(sources->count > 0);
}

static json_t *pseudonym(const struct evaluation *evaluation, const struct derivation *derivation,
                         const struct sources *sources)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(64);
    json_t *result = NULL;
    if (!pseudonym_write(evaluation, derivation->epoch, sources->count ? sources->values[0] : NULL,
                         &text) ||
        json_parse(buf_view(&text), 1, &result, NULL, NULL) != VAULT_OK)
        return NULL;
    return result;
}

typedef json_t *compute(const struct evaluation *evaluation, const struct derivation *derivation,
                        const struct sources *sources);

static compute *const computes[DERIVE_COUNT] = {
    [DERIVE_AGE_AT_LEAST] = age_at_least,
    [DERIVE_MONTHS_AT_LEAST] = months_at_least,
    [DERIVE_AGE_BAND] = age_band,
    [DERIVE_BAND] = band,
    [DERIVE_IN_SET] = is_among,
    [DERIVE_EQUALS] = is_among,
    [DERIVE_ANY_OF] = any_of,
    [DERIVE_ALL_OF] = all_of,
    [DERIVE_PRESENT] = present,
    [DERIVE_PSEUDONYM] = pseudonym,
};

enum policy_reason value_derive(const struct evaluation *evaluation,
                                const struct derivation *derivation, json_t **out)
{
    VAULT_AUTO(sources_finish) struct sources sources = {.count = 0};
    const enum policy_reason reason = collect(evaluation, derivation, &sources);
    const bool missing_is_answer =
        derivation->operation == DERIVE_PRESENT && reason == REASON_NO_VALUE;
    if (reason != REASON_RELEASED && !missing_is_answer)
        return reason;
    json_t *value = computes[derivation->operation](evaluation, derivation, &sources);
    if (!value)
        return REASON_ERROR;
    *out = value;
    return REASON_RELEASED;
}
