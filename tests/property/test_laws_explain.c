/*
 * P12: what an answer gives as its reasons are its reasons. The rules that it names decide, without
 * the others; and what an explanation calls missing is what was missing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "laws.h"
#include "test.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/policy/explain.h"
#include "vault/policy/line.h"

#define DEFAULT_SEED 79000

/* --- the rules named --- */

static bool is_named(const json_t *of_field, const json_t *rule)
{
    const json_t *by = json_object_get(of_field, "by");
    for (size_t i = 0; i < json_array_size(by); i++) {
        if (json_equal(json_array_get(by, i), json_object_get(rule, "id")))
            return true;
    }
    return false;
}

/* The world with those of its rules that the answer names. */
static json_t *with_named(const json_t *world, const json_t *of_field)
{
    json_t *copy = json_deep_copy(world);
    for (size_t i = json_array_size(rules_of(copy)); i-- > 0;) {
        if (!is_named(of_field, json_array_get(rules_of(copy), i)))
            json_array_remove(rules_of(copy), i);
    }
    return copy;
}

/* The rules that an answer names give it, all of it, without any other. */
static bool the_rules_named_are_enough(const json_t *world, const json_t *request,
                                       struct random *random)
{
    (void)random;
    VAULT_AUTO(json_free) json_t *whole = answer_of(world, request);
    const char *name;
    json_t *of_field;
    bool holds = true;
    json_object_foreach(json_object_get(whole, "fields"), name, of_field)
    {
        if (!json_array_size(json_object_get(of_field, "by"))) {
            holds = holds && !is_released(of_field);
            continue;
        }
        VAULT_AUTO(json_free) json_t *less = with_named(world, of_field);
        VAULT_AUTO(json_free) json_t *answer = answer_of(less, request);
        holds = holds && json_equal(of_field, field_of(answer, name));
    }
    return holds;
}

static bool is_forbidden(const json_t *of_field)
{
    return bytes_equal(outcome_of(of_field), bytes_of_text("forbidden")) ||
           bytes_equal(outcome_of(of_field), bytes_of_text("forbidden_unknown"));
}

/* The answer without one of the rules that it named, at that place. */
static bool is_answer_without(const json_t *of_field, size_t place, const json_t *after)
{
    VAULT_AUTO(json_free) json_t *left = json_deep_copy(json_object_get(of_field, "by"));
    json_array_remove(left, place);
    if (json_array_size(left))
        return is_forbidden(of_field) == is_forbidden(after) &&
               is_released(of_field) == is_released(after) &&
               json_equal(left, json_object_get(after, "by"));
    /* It was the only one: a forbid gives way to what stood behind it, a release ends. */
    return is_forbidden(of_field) ? !is_forbidden(after) : !is_released(after);
}

/* Each of them is needed: without one the answer is by the others, or another. */
static bool each_rule_named_is_needed(const json_t *world, const json_t *request,
                                      struct random *random)
{
    VAULT_AUTO(json_free) json_t *whole = answer_of(world, request);
    const char *name;
    json_t *of_field;
    bool holds = true;
    json_object_foreach(json_object_get(whole, "fields"), name, of_field)
    {
        const json_t *by = json_object_get(of_field, "by");
        const size_t place = random_below(random, json_array_size(by));
        if (!json_array_size(by))
            continue;
        VAULT_AUTO(json_free) json_t *less = json_deep_copy(world);
        for (size_t i = json_array_size(rules_of(less)); i-- > 0;) {
            const json_t *rule = json_array_get(rules_of(less), i);
            if (json_equal(json_object_get(rule, "id"), json_array_get(by, place)))
                json_array_remove(rules_of(less), i);
        }
        VAULT_AUTO(json_free) json_t *answer = answer_of(less, request);
        holds = holds && is_answer_without(of_field, place, field_of(answer, name));
    }
    return holds;
}

/* --- what is missing --- */

/* The atom to be such that "NAME must WHAT; …" holds. */
static void satisfy_atom(json_t *atoms, const char *name, const char *what)
{
    char value[64];
    if (strncmp(what, "be true", 7) == 0 || strncmp(what, "be false", 8) == 0) {
        json_object_set_new(atoms, name, json_boolean(what[3] == 't'));
    } else if (sscanf(what, "be at least %63[^;]", value) == 1) {
        json_object_set_new(atoms, name, json_string(value));
    } else if (sscanf(what, "include %63[^;]", value) == 1) {
        /* A list with what does not exist is as good as none: begin anew. */
        json_object_set_new(atoms, name, json_pack("[s]", value));
    } else {
        fail_msg("not understood: %s must %s", name, what);
    }
}

/* A consent, given this very second, to all that is asked, in place of all others. */
static void satisfy_consent(json_t *request)
{
    json_object_set_new(request, "consents",
                        json_pack("[{s:s,s:O,s:O,s:s,s:O,s:s,s:{}}]", "id", "new", "service",
                                  json_object_get(json_object_get(request, "service"), "id"),
                                  "purpose", json_object_get(request, "purpose"), "state", "given",
                                  "at", json_object_get(request, "now"), "expires",
                                  "2099-01-01T00:00:00Z", "fields"));
    json_t *fields =
        json_object_get(json_array_get(json_object_get(request, "consents"), 0), "fields");
    const char *name;
    json_t *form;
    json_object_foreach(json_object_get(request, "fields"), name, form)
        json_object_set_new(fields, name, json_null());
}

static void satisfy(json_t *request, const char *missing)
{
    char name[64];
    char what[200];
    if (strncmp(missing, "a consent covering ", 19) == 0)
        satisfy_consent(request);
    else if (strncmp(missing, "that the citizen does not object", 32) == 0)
        json_array_clear(json_object_get(request, "objections"));
    else if (sscanf(missing, "%63s must %199[^\n]", name, what) == 2)
        satisfy_atom(json_object_get(request, "atoms"), name, what);
    else
        fail_msg("not understood: %s", missing);
}

/* Satisfy all that the explanation says the first of the nearest rules misses. Whether there is
 * such a rule. */
static bool satisfy_first(json_t *request, char *prose)
{
    static const char begin[] = "What would permit it, and what was missing:\n";
    static const char missing[] = "    missing: ";
    char *rest = strstr(prose, begin);
    if (!rest)
        return false;
    rest += strlen(begin);
    char *line = strtok_r(NULL, "\n", &rest); /* the rule */
    for (line = strtok_r(NULL, "\n", &rest); line && strncmp(line, missing, strlen(missing)) == 0;
         line = strtok_r(NULL, "\n", &rest))
        satisfy(request, line + strlen(missing));
    return true;
}

static void explain_into(const json_t *world, const json_t *request, struct buf *prose)
{
    VAULT_AUTO(policy_free) struct policy *policy = world_load(world, 1, NULL);
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(POLICY_LINE_BYTES_MAX);
    json_write_value(&line, request);
    assert_done(policy_explain(policy, buf_view(&line), POLICY_EN, prose, &test_error));
}

/* The reasons between which the explanation tells what a permit in force lacks. */
static bool is_told_in_full(const json_t *of_field)
{
    static const char *const reasons[] = {"conditions", "objection", "no_consent",
                                          "refused",    "withdrawn", "expired",
                                          "suspended",  "used_up",   "out_of_scope"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (bytes_equal(outcome_of(of_field), bytes_of_text(reasons[i])))
            return true;
    }
    return false;
}

static json_t *without_forbids(const json_t *world)
{
    json_t *copy = json_deep_copy(world);
    for (size_t i = json_array_size(rules_of(copy)); i-- > 0;) {
        if (strcmp(effect_of(json_array_get(rules_of(copy), i)), "forbid") == 0)
            json_array_remove(rules_of(copy), i);
    }
    return copy;
}

static size_t satisfied;

/* What the explanation says a permit misses is all that it misses: with that, it releases. Without
 * forbids, which may come in the way when more is known. */
static bool what_is_missing_is_all_that_is_missing(const json_t *world, const json_t *request,
                                                   struct random *random)
{
    (void)random;
    VAULT_AUTO(json_free) json_t *open = without_forbids(world);
    VAULT_AUTO(json_free) json_t *whole = answer_of(open, request);
    const char *name;
    json_t *of_field;
    bool holds = true;
    json_object_foreach(json_object_get(whole, "fields"), name, of_field)
    {
        if (!is_told_in_full(of_field))
            continue;
        VAULT_AUTO(buf_finish) struct buf prose = buf_limited(POLICY_LINE_BYTES_MAX);
        VAULT_AUTO(json_free) json_t *alone = json_deep_copy(request);
        json_object_set_new(
            alone, "fields",
            json_pack("{s:O}", name, json_object_get(json_object_get(request, "fields"), name)));
        explain_into(open, alone, &prose);
        char *text = strdup(buf_string(&prose));
        const bool told = satisfy_first(alone, text);
        free(text);
        VAULT_AUTO(json_free) json_t *answer = answer_of(open, alone);
        holds = holds && told && is_released(field_of(answer, name));
        satisfied++;
    }
    return holds;
}

static void test_reasons_are_reasons_in_random_worlds(void **state)
{
    (void)state;
    static const struct law laws[] = {
        {"P12 the rules named are enough", the_rules_named_are_enough},
        {"P12 each rule named is needed", each_rule_named_is_needed},
        {"P12 what is missing", what_is_missing_is_all_that_is_missing},
    };
    laws_try(laws, sizeof laws / sizeof *laws, DEFAULT_SEED);
    printf("%zu denials explained and satisfied\n", satisfied);
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_reasons_are_reasons_in_random_worlds);
}
