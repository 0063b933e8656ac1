/*
 * sample - a small bundle for the unit tests of this floor, made from texts in memory.
 *
 * Tests change a text by replacing a part of it, so that each shows only what it is about.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "policy/files.h"
#include "test.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/policy/bundle.h"
#include "vault/policy/line.h"

#define SAMPLE_CATALOGUE                                                                           \
    "{\"format\":\"vault-catalogue/1\",\n"                                                         \
    " \"types\":[\n"                                                                               \
    "  {\"id\":\"date\",\"ladder\":[{\"form\":\"as_is\"},{\"form\":\"month\"},"                    \
    "{\"form\":\"year\"},{\"form\":\"age_band\",\"bands\":[0,15,18,26,30,50,65]},"                 \
    "{\"form\":\"present\"}]},\n"                                                                  \
    "  {\"id\":\"text\",\"ladder\":[{\"form\":\"as_is\"},{\"form\":\"initial\"},"                  \
    "{\"form\":\"present\"}]},\n"                                                                  \
    "  {\"id\":\"identifier\",\"ladder\":[{\"form\":\"as_is\"},{\"form\":\"last4\"},"              \
    "{\"form\":\"pseudonym\"},{\"form\":\"present\"}]},\n"                                         \
    "  {\"id\":\"address\",\"ladder\":[{\"form\":\"as_is\"},{\"form\":\"street\"},"                \
    "{\"form\":\"postcode\"},{\"form\":\"city\"},{\"form\":\"department\"},"                       \
    "{\"form\":\"present\"}]},\n"                                                                  \
    "  {\"id\":\"number\",\"ladder\":[{\"form\":\"as_is\"},{\"form\":\"rounded\",\"to\":100},"     \
    "{\"form\":\"band\",\"bands\":[0,1,1000,2000]},{\"form\":\"sign\"},"                           \
    "{\"form\":\"present\"}]},\n"                                                                  \
    "  {\"id\":\"series\",\"ladder\":[{\"form\":\"as_is\"},{\"form\":\"monthly\"},"                \
    "{\"form\":\"total\"},{\"form\":\"present\"}]}],\n"                                            \
    " \"fields\":[\n"                                                                              \
    "  {\"id\":\"identity.birth_date\",\"type\":\"date\","                                         \
    "\"title\":{\"fr\":\"Date de naissance\",\"en\":\"Date of birth\"}},\n"                        \
    "  {\"id\":\"identity.name\",\"type\":\"text\",\"title\":{\"fr\":\"Nom\"}},\n"                 \
    "  {\"id\":\"identity.card\",\"type\":\"identifier\",\"title\":{\"en\":\"Card\"}},\n"          \
    "  {\"id\":\"address.home\",\"type\":\"address\",\"title\":{\"en\":\"Home\"}},\n"              \
    "  {\"id\":\"income.yearly\",\"type\":\"number\",\"title\":{\"en\":\"Income\"}},\n"            \
    "  {\"id\":\"water.readings\",\"type\":\"series\",\"title\":{\"en\":\"Water\"}},\n"            \
    "  {\"id\":\"employment.status\",\"type\":\"code\",\"title\":{\"en\":\"Status\"}},\n"          \
    "  {\"id\":\"health.disability\",\"type\":\"boolean\",\"title\":{\"en\":\"Disability\"},"      \
    "\"sensitivity\":\"art9\"},\n"                                                                 \
    "  {\"id\":\"identity.is_adult\",\"type\":\"boolean\",\"title\":{\"en\":\"Adult\"},"           \
    "\"derive\":{\"op\":\"age_at_least\",\"from\":[\"identity.birth_date\"],\"years\":18}}],\n"    \
    " \"purposes\":[{\"id\":\"employment.support\","                                               \
    "\"title\":{\"fr\":\"Accompagnement\",\"en\":\"Support\"},"                                    \
    "\"text\":{\"en\":\"Following one person\"},\"consent_at_most_days\":400},"                    \
    "{\"id\":\"library.card\"}],\n"                                                                \
    " \"classes\":[{\"id\":\"employment.caseworker\",\"title\":{\"en\":\"Caseworker\"}},"          \
    "{\"id\":\"library\"}],\n"                                                                     \
    " \"atoms\":[{\"id\":\"assurance_at_least\",\"kind\":\"ordered\","                             \
    "\"values\":[\"low\",\"substantial\",\"high\"]},\n"                                            \
    "  {\"id\":\"citizen_is_minor\",\"kind\":\"boolean\"},\n"                                      \
    "  {\"id\":\"window\",\"kind\":\"set\",\"values\":[\"office_hours\",\"summer\"]}],\n"          \
    " \"obligations\":[{\"id\":\"notify_citizen\",\"merge\":\"or\"},"                              \
    "{\"id\":\"retain_at_most_days\",\"merge\":\"min\"}]}\n"

/* One permit; what a test needs besides is put in front of END_OF_RULES. */
#define SAMPLE_RULES                                                                               \
    "{\"format\":\"vault-rules/1\",\"policy\":\"plie\",\"title\":{\"en\":\"Plan\"},"               \
    "\"owner\":\"dpo@city.example\",\"rules\":[\n"                                                 \
    " {\"id\":\"core\",\"effect\":\"permit\",\"why\":{\"en\":\"One caseworker\"},\n"               \
    "  \"who\":{\"classes\":[\"employment.caseworker\"]},\n"                                       \
    "  \"purposes\":[\"employment.support\"],\n"                                                   \
    "  \"fields\":[\"identity.*\",\"employment.status\"],\n"                                       \
    "  \"basis\":\"consent\",\n"                                                                   \
    "  \"when\":{\"assurance_at_least\":\"substantial\",\"citizen_is_minor\":false},\n"            \
    "  \"release\":{\"identity.birth_date\":\"year\",\"default\":\"as_is\"},\n"                    \
    "  \"must\":{\"notify_citizen\":true,\"retain_at_most_days\":730},\n"                          \
    "  \"in_force\":{\"from\":\"2027-01-01T00:00:00Z\","                                           \
    "\"until\":\"2028-12-31T23:59:59Z\"}}" END_OF_RULES

#define END_OF_RULES "]}\n"

/* The text with the first occurrence of one part replaced by another; to be freed. */
__attribute__((unused)) static char *replaced(const char *text, const char *part, const char *other)
{
    const char *at = strstr(text, part);
    if (!at)
        fail_msg("the sample has no %s", part);
    const size_t size = strlen(text) - strlen(part) + strlen(other) + 1;
    char *result = calloc(1, size);
    snprintf(result, size, "%.*s%s%s", (int)(at - text), text, other, at + strlen(part));
    return result;
}

__attribute__((unused)) static void sample_add(struct bundle *bundle, const char *path,
                                               const char *text)
{
    struct buf *content = NULL;
    assert_done(bundle_add(bundle, path, &content, NULL, &test_error));
    buf_text(content, text);
}

/* A bundle of these texts; rules and tests may be NULL. Not settled yet. */
__attribute__((unused)) static struct bundle *sample_bundle(const char *catalogue,
                                                            const char *rules, const char *tests)
{
    struct bundle *bundle = NULL;
    assert_done(bundle_new(&bundle, &test_error));
    sample_add(bundle, "catalogue.json", catalogue);
    if (rules)
        sample_add(bundle, "rules/plie.json", rules);
    if (tests)
        sample_add(bundle, "tests/plie.json", tests);
    return bundle;
}

static struct policy_fault sample_fault __attribute__((unused));

__attribute__((unused)) static enum vault_code sample_try(const char *catalogue, const char *rules,
                                                          const char *tests, struct policy **out)
{
    VAULT_AUTO(bundle_free) struct bundle *bundle = sample_bundle(catalogue, rules, tests);
    sample_fault = (struct policy_fault){.line = 0};
    VAULT_TRY(bundle_settle(bundle, &sample_fault, &test_error));
    return policy_compile(bundle, out, &sample_fault, &test_error);
}

__attribute__((unused)) static struct policy *sample_load(const char *catalogue, const char *rules)
{
    struct policy *policy = NULL;
    assert_done(sample_try(catalogue, rules, NULL, &policy));
    return policy;
}

/* The answer to a line, to be freed. */
__attribute__((unused)) static char *sample_answer(const struct policy *policy, const char *line)
{
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(1048576);
    policy_line_answer(policy, bytes_of_text(line), &answer);
    return strdup(buf_string(&answer));
}

__attribute__((unused)) static int sample_start(void)
{
    json_start();
    return crypto_start(true, NULL) ? 1 : 0;
}
