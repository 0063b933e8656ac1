/*
 * P11: the forms of the permits that apply, of the consent and of the service who asks are merged
 * into the strictest: in any order, in any grouping, one twice as well as once.
 */
#include <stdio.h>
#include <stdlib.h>

#include "laws.h"
#include "test.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"

#define DEFAULT_SEED 77000
#define PARTS        3

/* --- permits --- */

/* The world with every forbid, and of the permits those that fall into the part: each into one of
 * the parts at least, and one in three into two. */
static json_t *part_of(const json_t *world, unsigned part, uint64_t seed)
{
    struct random random = {seed};
    json_t *copy = json_deep_copy(world);
    json_t *rules = json_array();
    for (size_t i = 0; i < json_array_size(rules_of(world)); i++) {
        json_t *rule = json_array_get(rules_of(copy), i);
        const size_t one = random_below(&random, PARTS);
        const size_t other = random_chance(&random, 33) ? random_below(&random, PARTS) : one;
        if (strcmp(effect_of(rule), "permit") != 0 || one == part || other == part)
            json_array_append(rules, rule);
    }
    json_object_set_new(copy, "rules", rules);
    return copy;
}

static void merge_obligations(json_t *must, const json_t *of_field)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(of_field, "must"), name, value)
    {
        const json_t *before = json_object_get(must, name);
        if (!before ||
            (json_is_integer(value) && json_integer_value(value) < json_integer_value(before)))
            json_object_set(must, name, value);
    }
}

/* What the parts say of a field, merged. */
struct merged {
    bool released;
    size_t step;
    json_t *must;
};

static bool is_merged(const json_t *world, const char *name, const json_t *of_field,
                      const struct merged *merged)
{
    const json_t *must = json_object_get(of_field, "must");
    if (is_released(of_field) != merged->released)
        return false;
    return !merged->released ||
           (step_of(world, name, of_field) == merged->step &&
            (must ? json_equal(must, merged->must) : json_object_size(merged->must) == 0));
}

/* What the whole says of each field is the merger of what parts of it say: released by one of them,
 * the strictest form, all obligations. Since the strictest of numbers has no order, neither has
 * this; and since a rule may lie in two parts, it counts once as well as twice. */
static bool the_whole_is_the_merger_of_its_parts(const json_t *world, const json_t *request,
                                                 struct random *random)
{
    const uint64_t seed = random_next(random);
    VAULT_AUTO(json_free) json_t *whole = answer_of(world, request);
    json_t *answers[PARTS];
    const char *name;
    json_t *of_field;
    bool holds = true;
    for (unsigned i = 0; i < PARTS; i++) {
        VAULT_AUTO(json_free) json_t *part = part_of(world, i, seed);
        answers[i] = answer_of(part, request);
    }
    json_object_foreach(json_object_get(whole, "fields"), name, of_field)
    {
        VAULT_AUTO(json_free) json_t *must = json_object();
        struct merged merged = {.must = must};
        for (unsigned i = 0; i < PARTS; i++) {
            const json_t *part = field_of(answers[i], name);
            if (!is_released(part))
                continue;
            const size_t step = step_of(world, name, part);
            merged.released = true;
            merged.step = step > merged.step ? step : merged.step;
            merge_obligations(must, part);
        }
        holds = holds && is_merged(world, name, of_field, &merged);
    }
    for (unsigned i = 0; i < PARTS; i++)
        json_free(&answers[i]);
    return holds;
}

/* Each permit a second time under another id: only the ids show it. */
static bool permits_twice_give_what_they_give_once(const json_t *world, const json_t *request,
                                                   struct random *random)
{
    (void)random;
    VAULT_AUTO(json_free) json_t *changed = json_deep_copy(world);
    VAULT_AUTO(json_free) json_t *first = answer_of(world, request);
    const size_t count = json_array_size(rules_of(world));
    const char *name;
    json_t *of_field;
    bool holds = true;
    for (size_t i = 0; i < count; i++) {
        char id[32];
        json_t *again = json_deep_copy(json_array_get(rules_of(world), i));
        snprintf(id, sizeof id, "again%zu", i);
        json_object_set_new(again, "id", json_string(id));
        json_array_append_new(rules_of(changed), again);
    }
    VAULT_AUTO(json_free) json_t *second = answer_of(changed, request);
    if (!first || !second)
        return true;
    json_object_foreach(json_object_get(first, "fields"), name, of_field)
    {
        VAULT_AUTO(json_free) json_t *one = json_deep_copy(of_field);
        VAULT_AUTO(json_free) json_t *other = json_deep_copy(field_of(second, name));
        const size_t by = json_array_size(json_object_get(one, "by"));
        holds = holds && json_array_size(json_object_get(other, "by")) == 2 * by;
        json_object_del(one, "by");
        json_object_del(other, "by");
        holds = holds && json_equal(one, other);
    }
    return holds;
}

/* --- who asks, and who consents --- */

/* The form is the stricter of what is allowed and what is asked for. */
static bool the_form_asked_for_is_merged(const json_t *world, const json_t *request,
                                         struct random *random)
{
    (void)random;
    VAULT_AUTO(json_free) json_t *asked = json_deep_copy(request);
    VAULT_AUTO(json_free) json_t *whole = answer_of(world, request);
    const char *name;
    json_t *form;
    bool holds = true;
    json_object_foreach(json_object_get(request, "fields"), name, form)
        json_object_set_new(json_object_get(asked, "fields"), name, json_null());
    VAULT_AUTO(json_free) json_t *most = answer_of(world, asked);
    json_object_foreach(json_object_get(request, "fields"), name, form)
    {
        const json_t *of_field = field_of(whole, name);
        if (!is_released(of_field))
            continue;
        const size_t allowed = step_of(world, name, field_of(most, name));
        const size_t wished = json_is_null(form) ? 0 : step_of_form(world, name, form);
        holds = holds && is_released(field_of(most, name)) &&
                step_of(world, name, of_field) == (wished > allowed ? wished : allowed);
    }
    return holds;
}

/* With consents to this form of each of their fields. */
static json_t *with_consents_to(const json_t *request, const char *form)
{
    json_t *asked = json_deep_copy(request);
    json_t *consents = json_object_get(asked, "consents");
    for (size_t i = 0; i < json_array_size(consents); i++) {
        json_t *fields = json_object_get(json_array_get(consents, i), "fields");
        const char *name;
        json_t *before;
        json_object_foreach(fields, name, before)
            json_object_set_new(fields, name, json_string(form));
    }
    return asked;
}

/* With consents that leave open what they named a form for. A form that the ladder does not have
 * stays: it covers nothing, and to leave that open would make it cover more. */
static json_t *with_open_consents(const json_t *world, const json_t *request)
{
    json_t *asked = json_deep_copy(request);
    json_t *consents = json_object_get(asked, "consents");
    for (size_t i = 0; i < json_array_size(consents); i++) {
        json_t *fields = json_object_get(json_array_get(consents, i), "fields");
        const char *name;
        json_t *form;
        json_object_foreach(fields, name, form)
        {
            if (!json_is_null(form) && step_of_form(world, name, form) != POLICY_FORM_NONE)
                json_object_set_new(fields, name, json_null());
        }
    }
    return asked;
}

/* A consent that names a form gives nothing weaker than one that leaves it open. */
static bool a_consents_form_weakens_nothing(const json_t *world, const json_t *request,
                                            struct random *random)
{
    (void)random;
    VAULT_AUTO(json_free) json_t *asked = with_open_consents(world, request);
    VAULT_AUTO(json_free) json_t *whole = answer_of(world, request);
    VAULT_AUTO(json_free) json_t *most = answer_of(world, asked);
    const char *name;
    json_t *of_field;
    bool holds = true;
    json_object_foreach(json_object_get(whole, "fields"), name, of_field)
    {
        if (is_released(of_field))
            holds = holds && is_released(field_of(most, name)) &&
                    step_of(world, name, of_field) >= step_of(world, name, field_of(most, name));
    }
    return holds;
}

/* Whether one of the permits that gave the field rests on consent. */
static bool rests_on_consent(const json_t *world, const json_t *of_field)
{
    const json_t *by = json_object_get(of_field, "by");
    bool consent = false;
    for (size_t i = 0; i < json_array_size(rules_of(world)); i++) {
        const json_t *rule = json_array_get(rules_of(world), i);
        if (!bytes_equal(json_text(json_object_get(rule, "basis")), bytes_of_text("consent")))
            continue;
        for (size_t j = 0; j < json_array_size(by); j++)
            consent = consent || json_equal(json_array_get(by, j), json_object_get(rule, "id"));
    }
    return consent;
}

/* Where all that the citizen has agreed to is "present", a consent gives no more than that,
 * whatever else permits the field beside it. */
static bool a_consent_to_the_least_gives_the_least(const json_t *world, const json_t *request,
                                                   struct random *random)
{
    (void)random;
    VAULT_AUTO(json_free) json_t *asked = with_consents_to(request, "present");
    VAULT_AUTO(json_free) json_t *answer = answer_of(world, asked);
    const char *name;
    json_t *of_field;
    bool holds = true;
    json_object_foreach(json_object_get(answer, "fields"), name, of_field)
    {
        if (is_released(of_field) && rests_on_consent(world, of_field))
            holds = holds && bytes_equal(json_text(json_object_get(of_field, "form")),
                                         bytes_of_text("present"));
    }
    return holds;
}

static void test_forms_merge_to_the_strictest_in_random_worlds(void **state)
{
    (void)state;
    static const struct law laws[] = {
        {"P11 the merger of parts", the_whole_is_the_merger_of_its_parts},
        {"P11 permits twice", permits_twice_give_what_they_give_once},
        {"P11 the form asked for", the_form_asked_for_is_merged},
        {"P11 the consent's form", a_consents_form_weakens_nothing},
        {"P11 a consent to the least", a_consent_to_the_least_gives_the_least},
    };
    laws_try(laws, sizeof laws / sizeof *laws, DEFAULT_SEED);
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_forms_merge_to_the_strictest_in_random_worlds);
}
