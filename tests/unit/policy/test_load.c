/* What a bundle must not be, and where the loader says it is wrong. */
#include "policy/model.h"
#include "sample.h"

/* Where the text first has this, as line and column from 1. */
static void position_of(const char *text, const char *part, size_t *line, size_t *column)
{
    const char *at = strstr(text, part);
    if (!at)
        fail_msg("the text has no %s", part);
    *line = *column = 1;
    for (const char *p = text; p < at; p++) {
        *column = *p == '\n' ? 1 : *column + 1;
        *line += *p == '\n';
    }
}

/* A part of the sample put another way, and the refusal that follows. */
struct refusal {
    const char *part;
    const char *other;
    const char *pointer;
    const char *at; /* what stands where the fault is shown; NULL: the other part */
};

static void assert_refused(const char *file, const char *text, const struct refusal *refusal)
{
    struct policy *policy = NULL;
    char *wrong = replaced(text, refusal->part, refusal->other);
    const bool catalogue = strcmp(file, "catalogue.json") == 0;
    const enum vault_code code = sample_try(catalogue ? wrong : SAMPLE_CATALOGUE,
                                            catalogue ? SAMPLE_RULES : wrong, NULL, &policy);
    if (code == VAULT_OK)
        fail_msg("%s was accepted", refusal->other);
    size_t line = 0;
    size_t column = 0;
    position_of(wrong, refusal->at ? refusal->at : refusal->other, &line, &column);
    if (strcmp(sample_fault.file, file) != 0 ||
        strcmp(sample_fault.pointer, refusal->pointer) != 0 || sample_fault.line != line ||
        sample_fault.column != column)
        fail_msg("%s: expected %s at %zu:%zu, got %s", refusal->other, refusal->pointer, line,
                 column, test_error.text);
    free(wrong);
}

static void assert_all_refused(const char *file, const char *text, const struct refusal refusals[],
                               size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_refused(file, text, &refusals[i]);
}

#define ALL(list) (list), sizeof(list) / sizeof *(list)

static void test_the_sample_loads(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    assert_int_equal(policy_count(policy, POLICY_FIELD), 9);
    assert_int_equal(policy_count(policy, POLICY_RULE), 1);
    assert_string_equal(policy_name(policy), "unsigned");
}

static void test_a_bundle_without_rules_loads(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, NULL);
    assert_int_equal(policy_count(policy, POLICY_RULE), 0);
}

static void test_an_empty_catalogue_loads(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy = sample_load("{\"format\":\"vault-catalogue/1\"}", NULL);
    assert_int_equal(policy_count(policy, POLICY_FIELD), 0);
}

static void test_text_that_is_no_json_is_refused_with_its_place(void **state)
{
    (void)state;
    struct policy *policy = NULL;
    assert_fails(VAULT_INVALID, sample_try("{\"format\":\n oops}", NULL, NULL, &policy));
    assert_int_equal(sample_fault.line, 2);
    assert_string_equal(sample_fault.file, "catalogue.json");
    assert_null(strstr(test_error.text, "oops"));
    assert_fails(VAULT_INVALID, sample_try("", NULL, NULL, &policy));
    assert_fails(VAULT_INVALID, sample_try("[]", NULL, NULL, &policy));
    assert_fails(VAULT_INVALID, sample_try("\xef\xbb\xbf{}", NULL, NULL, &policy));
    assert_fails(VAULT_INVALID, sample_try("{\"format\":\"\\u0000\"}", NULL, NULL, &policy));
}

static void test_a_duplicate_key_is_refused(void **state)
{
    (void)state;
    struct policy *policy = NULL;
    char *twice = replaced(SAMPLE_RULES, "\"basis\":\"consent\",",
                           "\"basis\":\"consent\",\"basis\":\"contract\",");
    assert_fails(VAULT_INVALID, sample_try(SAMPLE_CATALOGUE, twice, NULL, &policy));
    assert_non_null(strstr(test_error.text, "rules/plie.json, line 6"));
    free(twice);
}

static void test_nesting_over_sixteen_is_refused(void **state)
{
    (void)state;
    struct policy *policy = NULL;
    const char *deep = "{\"format\":[[[[[[[[[[[[[[[[";
    assert_fails(VAULT_TOO_LARGE, sample_try(deep, NULL, NULL, &policy));
    assert_int_equal(sample_fault.column, 11 + 15);
}

static void test_unknown_members_are_refused_at_their_name(void **state)
{
    (void)state;
    static const struct refusal in_catalogue[] = {
        {"\"types\":[\n", "\"colour\":1,\"types\":[\n", "/colour", "\"colour\""},
        {"{\"form\":\"month\"}", "{\"form\":\"month\",\"x\":1}", "/types/0/ladder/1/x", "\"x\":1"},
        {"\"sensitivity\":\"art9\"", "\"secret\":true", "/fields/7/secret", NULL},
        {"\"years\":18", "\"years\":18,\"plus\":1", "/fields/8/derive/plus", "\"plus\""},
        {"{\"id\":\"library\"}", "{\"id\":\"library\",\"boss\":1}", "/classes/1/boss", "\"boss\""},
        {"\"merge\":\"or\"", "\"merge\":\"or\",\"z\":0", "/obligations/0/z", "\"z\""},
        {"\"fr\":\"Nom\"", "\"fr\":\"Nom\",\"de\":\"Name\"", "/fields/1/title/de", "\"de\""},
    };
    static const struct refusal in_rules[] = {
        {"\"policy\":\"plie\",", "\"policy\":\"plie\",\"version\":1,", "/version", "\"version\""},
        {"\"basis\":\"consent\"", "\"unless\":{}", "/rules/0/unless", NULL},
        {"{\"classes\":[", "{\"groups\":[],\"classes\":[", "/rules/0/who/groups", "\"groups\""},
        {"\"until\":", "\"to\":", "/rules/0/in_force/to", "\"to\":"},
    };
    assert_all_refused("catalogue.json", SAMPLE_CATALOGUE, ALL(in_catalogue));
    assert_all_refused("rules/plie.json", SAMPLE_RULES, ALL(in_rules));
}

static void test_missing_members_are_refused(void **state)
{
    (void)state;
    static const struct refusal in_catalogue[] = {
        {"{\"id\":\"library\"}", "{}", "/classes/1", NULL},
        {"\"type\":\"text\",", "", "/fields/1", "{\"id\":\"identity.name\""},
    };
    static const struct refusal in_rules[] = {
        {"\"policy\":\"plie\",", "", "", "{\"format\""},
        {"\"effect\":\"permit\",", "", "/rules/0", "{\"id\":\"core\""},
        {"  \"basis\":\"consent\",\n", "", "/rules/0", "{\"id\":\"core\""},
        {"  \"purposes\":[\"employment.support\"],\n", "", "/rules/0", "{\"id\":\"core\""},
    };
    assert_all_refused("catalogue.json", SAMPLE_CATALOGUE, ALL(in_catalogue));
    assert_all_refused("rules/plie.json", SAMPLE_RULES, ALL(in_rules));
}

static void test_wrong_types_are_refused_at_their_value(void **state)
{
    (void)state;
    static const struct refusal in_catalogue[] = {
        {"\"vault-catalogue/1\"", "\"vault-catalogue/2\"", "/format", NULL},
        {"\"years\":18", "\"years\":\"18\"", "/fields/8/derive/years", "\"18\""},
        {"\"years\":18", "\"years\":18.5", "/fields/8/derive/years", "18.5"},
        {"\"to\":100", "\"to\":true", "/types/4/ladder/1/to", "true}"},
        {"{\"en\":\"Home\"}", "\"Home\"", "/fields/3/title", NULL},
        {"\"consent_at_most_days\":400", "\"consent_at_most_days\":0",
         "/purposes/0/consent_at_most_days", "0},{\"id\":\"library.card\""},
    };
    static const struct refusal in_rules[] = {
        {"{\"classes\":[\"employment.caseworker\"]}", "[\"employment.caseworker\"]", "/rules/0/who",
         NULL},
        {"{\"classes\":[\"employment.caseworker\"]}", "\"everyone\"", "/rules/0/who", NULL},
        {"[\"employment.support\"]", "{}", "/rules/0/purposes", NULL},
        {"\"employment.status\"]", "7]", "/rules/0/fields/1", NULL},
        {"\"notify_citizen\":true", "\"notify_citizen\":1", "/rules/0/must/notify_citizen",
         "1,\"r"},
        {"\"retain_at_most_days\":730", "\"retain_at_most_days\":true",
         "/rules/0/must/retain_at_most_days", "true}"},
        {"\"retain_at_most_days\":730", "\"retain_at_most_days\":-1",
         "/rules/0/must/retain_at_most_days", "-1"},
        {"\"citizen_is_minor\":false", "\"citizen_is_minor\":\"no\"",
         "/rules/0/when/citizen_is_minor", "\"no\""},
        {"\"2028-12-31T23:59:59Z\"", "\"2028-12-31\"", "/rules/0/in_force/until", NULL},
        {"\"2028-12-31T23:59:59Z\"", "\"2028-02-30T00:00:00Z\"", "/rules/0/in_force/until", NULL},
    };
    assert_all_refused("catalogue.json", SAMPLE_CATALOGUE, ALL(in_catalogue));
    assert_all_refused("rules/plie.json", SAMPLE_RULES, ALL(in_rules));
}

static void test_unknown_ids_are_refused(void **state)
{
    (void)state;
    static const struct refusal in_catalogue[] = {
        {"\"type\":\"text\"", "\"type\":\"poem\"", "/fields/1/type", "\"poem\""},
        {"{\"form\":\"initial\"}", "{\"form\":\"year\"}", "/types/1/ladder/1/form",
         "\"year\"},{\"form\":\"present\"}]},\n  {\"id\":\"identifier\""},
        {"\"id\":\"series\"", "\"id\":\"list\"", "/types/5/id", "\"list\""},
        {"\"from\":[\"identity.birth_date\"]", "\"from\":[\"identity.birthday\"]",
         "/fields/8/derive/from/0", "\"identity.birthday\""},
        {"\"op\":\"age_at_least\"", "\"op\":\"older_than\"", "/fields/8/derive/op",
         "\"older_than\""},
        {"\"merge\":\"min\"", "\"merge\":\"max\"", "/obligations/1/merge", "\"max\""},
        {"\"kind\":\"set\"", "\"kind\":\"bag\"", "/atoms/2/kind", "\"bag\""},
        {"\"art9\"", "\"high\"", "/fields/7/sensitivity", "\"high\"}"},
    };
    static const struct refusal in_rules[] = {
        {"\"effect\":\"permit\"", "\"effect\":\"allow\"", "/rules/0/effect", "\"allow\""},
        {"[\"employment.caseworker\"]", "[\"employment.boss\"]", "/rules/0/who/classes/0",
         "\"employment.boss\""},
        {"[\"employment.support\"]", "[\"employment.fun\"]", "/rules/0/purposes/0",
         "\"employment.fun\""},
        {"\"employment.status\"]", "\"employment.nothing\"]", "/rules/0/fields/1", NULL},
        {"\"employment.status\"]", "\"employment*\"]", "/rules/0/fields/1", NULL},
        {"\"employment.status\"]", "\"*\"]", "/rules/0/fields/1", NULL},
        {"\"basis\":\"consent\"", "\"basis\":\"because\"", "/rules/0/basis", "\"because\""},
        {"\"citizen_is_minor\":false", "\"citizen_is_tall\":false", "/rules/0/when/citizen_is_tall",
         "\"citizen_is_tall\""},
        {"\"substantial\"", "\"immense\"", "/rules/0/when/assurance_at_least", NULL},
        {"\"notify_citizen\"", "\"notify_mayor\"", "/rules/0/must/notify_mayor", NULL},
        {"{\"identity.birth_date\":", "{\"identity.birth_day\":",
         "/rules/0/release/identity.birth_day", "\"identity.birth_day\""},
    };
    assert_all_refused("catalogue.json", SAMPLE_CATALOGUE, ALL(in_catalogue));
    assert_all_refused("rules/plie.json", SAMPLE_RULES, ALL(in_rules));
}

static void test_ids_that_are_badly_written_are_refused(void **state)
{
    (void)state;
    static const char *const fields[] = {"name",           "Identity.name",  "identity.",
                                         ".name",          "identity..name", "identity.na-me",
                                         "identity.1name", "identity.name "};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"%s\",\"type\":\"text\"", fields[i]);
        assert_refused("catalogue.json", SAMPLE_CATALOGUE,
                       &(struct refusal){"\"identity.name\",\"type\":\"text\"", quoted,
                                         "/fields/1/id", quoted});
    }
    char name[70] = "a.";
    memset(name + 2, 'b', 63);
    char quoted[80];
    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    assert_refused("catalogue.json", SAMPLE_CATALOGUE,
                   &(struct refusal){"\"identity.card\"", quoted, "/fields/2/id", NULL});
    assert_refused("rules/plie.json", SAMPLE_RULES,
                   &(struct refusal){"\"core\"", "\"Core\"", "/rules/0/id", NULL});
}

static void test_what_stands_twice_is_refused(void **state)
{
    (void)state;
    static const struct refusal in_catalogue[] = {
        {"\"identity.card\"", "\"identity.name\"", "/fields/2/id",
         "\"identity.name\",\"type\":\"identifier\""},
        {"{\"id\":\"library\"}", "{\"id\":\"employment.caseworker\"}", "/classes/1/id",
         "\"employment.caseworker\"}"},
        {"\"substantial\",\"high\"", "\"substantial\",\"low\"", "/atoms/0/values/2", "\"low\"]"},
        {"\"id\":\"series\"", "\"id\":\"text\"", "/types/5/id",
         "\"text\",\"ladder\":[{\"form\":\"as_is\"},{\"form\":\"monthly\"}"},
    };
    assert_all_refused("catalogue.json", SAMPLE_CATALOGUE, ALL(in_catalogue));
}

static void test_a_rule_id_used_twice_is_refused_where_it_comes_again(void **state)
{
    (void)state;
    VAULT_AUTO(bundle_free)
    struct bundle *bundle = sample_bundle(SAMPLE_CATALOGUE, SAMPLE_RULES, NULL);
    sample_add(bundle, "rules/again.json", SAMPLE_RULES);
    struct policy *policy = NULL;
    assert_done(bundle_settle(bundle, &sample_fault, &test_error));
    assert_fails(VAULT_INVALID, policy_compile(bundle, &policy, &sample_fault, &test_error));
    assert_string_equal(sample_fault.file, "rules/plie.json");
    assert_string_equal(sample_fault.pointer, "/rules/0/id");
    assert_int_equal(sample_fault.line, 2);
    assert_non_null(strstr(sample_fault.reason, "rules/again.json"));
}

static void test_builtin_types_have_no_entry(void **state)
{
    (void)state;
    assert_refused("catalogue.json", SAMPLE_CATALOGUE,
                   &(struct refusal){"\"id\":\"series\",\"ladder\":[{\"form\":\"as_is\"},{\"form\":"
                                     "\"monthly\"},{\"form\":\"total\"},{\"form\":\"present\"}]",
                                     "\"id\":\"code\",\"ladder\":[{\"form\":\"as_is\"}]",
                                     "/types/5/id", "\"code\",\"ladder\""});
}

static void test_ladders_that_do_not_go_down_are_refused(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"{\"form\":\"month\"},{\"form\":\"year\"}", "{\"form\":\"year\"},{\"form\":\"month\"}",
         "/types/0/ladder/2", "{\"form\":\"month\"}"},
        {"{\"form\":\"month\"},{\"form\":\"year\"}", "{\"form\":\"year\"},{\"form\":\"year\"}",
         "/types/0/ladder/2", "{\"form\":\"year\"},{\"form\":\"age"},
        {"[0,15,18,26,30,50,65]", "[0,15,15]", "/types/0/ladder/3/bands/2", "15]"},
        {"[0,15,18,26,30,50,65]", "[]", "/types/0/ladder/3/bands", "[]"},
        {"\"bands\":[0,15,18,26,30,50,65]", "\"to\":3", "/types/0/ladder/3",
         "{\"form\":\"age_band\""},
        {"\"to\":100", "\"to\":0", "/types/4/ladder/1", "{\"form\":\"rounded\""},
        {",\"to\":100", "", "/types/4/ladder/1", "{\"form\":\"rounded\""},
        {"{\"form\":\"sign\"}", "{\"form\":\"sign\",\"bands\":[1]}", "/types/4/ladder/3", NULL},
    };
    assert_all_refused("catalogue.json", SAMPLE_CATALOGUE, ALL(refusals));
}

static void test_derivations_that_do_not_fit_are_refused(void **state)
{
    (void)state;
#define DERIVE "{\"op\":\"age_at_least\",\"from\":[\"identity.birth_date\"],\"years\":18}"
    static const struct refusal refusals[] = {
        {DERIVE, "{\"op\":\"age_at_least\",\"from\":[\"identity.name\"],\"years\":18}",
         "/fields/8/derive/from/0", "\"identity.name\"],\"years\""},
        {DERIVE, "{\"op\":\"age_at_least\",\"from\":[\"identity.birth_date\"]}", "/fields/8/derive",
         NULL},
        {DERIVE, "{\"op\":\"age_at_least\",\"from\":[],\"years\":18}", "/fields/8/derive/from",
         "[],\"years\""},
        {DERIVE, "{\"op\":\"age_at_least\",\"years\":18}", "/fields/8/derive", NULL},
        {DERIVE,
         "{\"op\":\"age_at_least\",\"from\":[\"identity.birth_date\"],\"years\":18,\"months\":1}",
         "/fields/8/derive", NULL},
        {DERIVE, "{\"op\":\"age_at_least\",\"from\":[\"identity.birth_date\"],\"years\":-1}",
         "/fields/8/derive/years", "-1"},
        {DERIVE, "{\"op\":\"age_band\",\"from\":[\"identity.birth_date\"],\"bands\":[0,18]}",
         "/fields/8/derive", NULL}, /* gives a text, not a boolean */
        {DERIVE, "{\"op\":\"in_set\",\"from\":[\"employment.status\"],\"values\":[\"a\",1]}",
         "/fields/8/derive/values/1", "1]}}"},
        {DERIVE, "{\"op\":\"equals\",\"from\":[\"income.yearly\"],\"value\":\"0\"}",
         "/fields/8/derive/value", "\"0\"}"},
        {DERIVE, "{\"op\":\"equals\",\"from\":[\"address.home\"],\"value\":\"0\"}",
         "/fields/8/derive/from/0", "\"address.home\"],"},
        {DERIVE, "{\"op\":\"any_of\",\"from\":[\"health.disability\",\"identity.name\"]}",
         "/fields/8/derive/from/1", "\"identity.name\"]}"},
        {DERIVE, "{\"op\":\"any_of\",\"from\":[\"identity.is_adult\"]}", "/fields/8/derive/from",
         "[\"identity.is_adult\"]}"},
    };
    assert_all_refused("catalogue.json", SAMPLE_CATALOGUE, ALL(refusals));
}

static void test_a_cycle_over_several_fields_is_refused(void **state)
{
    (void)state;
    assert_refused("catalogue.json", SAMPLE_CATALOGUE,
                   &(struct refusal){DERIVE "}",
                                     "{\"op\":\"all_of\",\"from\":[\"x.a\"]}},"
                                     "{\"id\":\"x.a\",\"type\":\"boolean\",\"derive\":{\"op\":"
                                     "\"all_of\",\"from\":[\"x.b\"]}},"
                                     "{\"id\":\"x.b\",\"type\":\"boolean\",\"derive\":{\"op\":"
                                     "\"all_of\",\"from\":[\"x.a\"]}}",
                                     "/fields/8/derive/from", "[\"x.a\"]}},"});
    assert_non_null(strstr(test_error.text, "x.a would be derived from itself"));
}

static void test_a_derivation_that_takes_too_much_is_refused(void **state)
{
    (void)state;
    /* Each field asks the one before twice: the tenth takes over a thousand values. */
    VAULT_AUTO(buf_finish) struct buf fields = buf_limited(65536);
    buf_text(&fields, DERIVE "}");
    for (int i = 0; i < 10; i++) {
        char before[32];
        snprintf(before, sizeof before, i ? "x.f%d" : "identity.is_adult", i - 1);
        buf_format(&fields,
                   ",{\"id\":\"x.f%d\",\"type\":\"boolean\",\"derive\":{\"op\":\"any_of\","
                   "\"from\":[\"%s\",\"%s\"]}}",
                   i, before, before);
    }
    struct policy *policy = NULL;
    char *wide = replaced(SAMPLE_CATALOGUE, DERIVE "}", buf_string(&fields));
    assert_fails(VAULT_TOO_LARGE, sample_try(wide, NULL, NULL, &policy));
    free(wide);
}

static void test_what_only_a_permit_may_have_is_refused_elsewhere(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"\"effect\":\"permit\"", "\"effect\":\"forbid\"", "/rules/0/release", "\"release\""},
        {"\"effect\":\"permit\"", "\"effect\":\"deposit\"", "/rules/0/release", "\"release\""},
    };
    assert_all_refused("rules/plie.json", SAMPLE_RULES, ALL(refusals));
}

static void test_a_form_that_a_covered_field_does_not_have_is_refused(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"\"identity.birth_date\":\"year\"", "\"identity.birth_date\":\"city\"",
         "/rules/0/release/identity.birth_date", "\"city\""},
        {"\"default\":\"as_is\"", "\"default\":\"as_is\",\"income.yearly\":\"city\"",
         "/rules/0/release/income.yearly", "\"city\""},
        {"\"default\":\"as_is\"", "\"default\":\"initial\"", "/rules/0/release/default",
         "\"initial\""},
        {"\"default\":\"as_is\"", "\"default\":\"nonsense\"", "/rules/0/release/default",
         "\"nonsense\""},
    };
    assert_all_refused("rules/plie.json", SAMPLE_RULES, ALL(refusals));
}

static void test_who_is_classes_or_services_not_both(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"{\"classes\":[\"employment.caseworker\"]}",
         "{\"classes\":[\"employment.caseworker\"],\"services\":[\"x\"]}", "/rules/0/who", NULL},
        {"{\"classes\":[\"employment.caseworker\"]}", "{}", "/rules/0/who", NULL},
        {"{\"classes\":[\"employment.caseworker\"]}", "{\"services\":[\"No Id\"]}",
         "/rules/0/who/services/0", "\"No Id\""},
    };
    assert_all_refused("rules/plie.json", SAMPLE_RULES, ALL(refusals));
}

static void test_article_nine_has_ten_points(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"\"basis\":\"consent\",", "\"basis\":\"consent\",\"article9\":\"9.2.k\",",
         "/rules/0/article9", "\"9.2.k\""},
        {"\"basis\":\"consent\",", "\"basis\":\"consent\",\"article9\":\"yes\",",
         "/rules/0/article9", "\"yes\""},
    };
    assert_all_refused("rules/plie.json", SAMPLE_RULES, ALL(refusals));
    char *valid = replaced(SAMPLE_RULES, "\"basis\":\"consent\",",
                           "\"basis\":\"consent\",\"article9\":\"9.2.j\",");
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, valid);
    assert_string_equal(policy->rules[0].article9, "9.2.j");
    free(valid);
}

static void test_empty_lists_and_wildcards_without_a_match_load(void **state)
{
    (void)state;
    char *empty = replaced(SAMPLE_RULES, "[\"identity.*\",\"employment.status\"]", "[]");
    char *nothing =
        replaced(SAMPLE_RULES, "[\"identity.*\",\"employment.status\"]", "[\"nothing.*\"]");
    char *stray_e = replaced(
        empty, "\"release\":{\"identity.birth_date\":\"year\",\"default\":\"as_is\"},", "");
    char *stray_n = replaced(
        nothing, "\"release\":{\"identity.birth_date\":\"year\",\"default\":\"as_is\"},", "");
    VAULT_AUTO(policy_free) struct policy *first = sample_load(SAMPLE_CATALOGUE, stray_e);
    VAULT_AUTO(policy_free) struct policy *second = sample_load(SAMPLE_CATALOGUE, stray_n);
    assert_int_equal(first->rules[0].fields.count, 0);
    assert_int_equal(second->rules[0].fields.count, 0);
    free(empty);
    free(nothing);
    free(stray_e);
    free(stray_n);
}

static void test_a_derived_field_is_as_sensitive_as_its_sources(void **state)
{
    (void)state;
    char *derived =
        replaced(SAMPLE_CATALOGUE, DERIVE, "{\"op\":\"any_of\",\"from\":[\"health.disability\"]}");
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(derived, NULL);
    assert_true(policy_field_is_special(
        policy, policy_find(policy, POLICY_FIELD, BYTES("identity.is_adult"))));
    free(derived);
    char *said = replaced(SAMPLE_CATALOGUE, "\"derive\":" DERIVE,
                          "\"sensitivity\":\"normal\",\"derive\":{\"op\":\"any_of\",\"from\":["
                          "\"health.disability\"]}");
    VAULT_AUTO(policy_free) struct policy *other = sample_load(said, NULL);
    assert_false(policy_field_is_special(
        other, policy_find(other, POLICY_FIELD, BYTES("identity.is_adult"))));
    free(said);
}

static void test_a_name_in_a_pointer_cannot_break_the_line(void **state)
{
    (void)state;
    struct policy *policy = NULL;
    assert_fails(VAULT_INVALID,
                 sample_try("{\"format\":\"vault-catalogue/1\",\"a\\nb\":1}", NULL, NULL, &policy));
    assert_string_equal(sample_fault.pointer, "/a?b");
    assert_null(strchr(test_error.text, '\n'));
}

static void test_messages_say_what_is_allowed_and_what_is_missing(void **state)
{
    (void)state;
    struct policy *policy = NULL;
    char *all = replaced(SAMPLE_RULES, "{\"classes\":[\"employment.caseworker\"]}", "\"all\"");
    char *none = replaced(SAMPLE_RULES, "\"format\":\"vault-rules/1\",", "");
    assert_fails(VAULT_INVALID, sample_try(SAMPLE_CATALOGUE, all, NULL, &policy));
    assert_string_equal(sample_fault.pointer, "/rules/0/who");
    assert_non_null(strstr(sample_fault.reason, "must be \"any\", {\"classes\":"));
    assert_fails(VAULT_INVALID, sample_try(SAMPLE_CATALOGUE, none, NULL, &policy));
    assert_non_null(strstr(sample_fault.reason, "\"format\" is missing"));
    free(all);
    free(none);
}

static enum vault_code try_set(size_t count, struct policy **out)
{
    VAULT_AUTO(buf_finish) struct buf field = buf_limited(POLICY_FILE_BYTES_MAX);
    buf_text(&field,
             "{\"id\":\"employment.any\",\"type\":\"boolean\",\"derive\":{\"op\":\"in_set\","
             "\"from\":[\"employment.status\"],\"values\":[");
    for (size_t i = 0; i < count; i++)
        buf_format(&field, "%s\"v%zu\"", i ? "," : "", i);
    buf_text(&field, "]}},{\"id\":\"identity.is_adult\"");
    char *text = replaced(SAMPLE_CATALOGUE, "{\"id\":\"identity.is_adult\"", buf_string(&field));
    const enum vault_code code = sample_try(text, SAMPLE_RULES, NULL, out);
    free(text);
    return code;
}

static void test_a_set_has_at_most_4096_elements(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    assert_done(try_set(4096, &policy));
    struct policy *none = NULL;
    assert_fails(VAULT_INVALID, try_set(4097, &none));
    assert_string_equal(sample_fault.reason, "must have 1 to 4096 elements");
}

int main(void)
{
    if (sample_start())
        return 1;
    return TEST_RUN(
        test_messages_say_what_is_allowed_and_what_is_missing, test_a_set_has_at_most_4096_elements,
        test_the_sample_loads, test_a_bundle_without_rules_loads, test_an_empty_catalogue_loads,
        test_text_that_is_no_json_is_refused_with_its_place, test_a_duplicate_key_is_refused,
        test_nesting_over_sixteen_is_refused, test_unknown_members_are_refused_at_their_name,
        test_missing_members_are_refused, test_wrong_types_are_refused_at_their_value,
        test_unknown_ids_are_refused, test_ids_that_are_badly_written_are_refused,
        test_what_stands_twice_is_refused,
        test_a_rule_id_used_twice_is_refused_where_it_comes_again, test_builtin_types_have_no_entry,
        test_ladders_that_do_not_go_down_are_refused, test_derivations_that_do_not_fit_are_refused,
        test_a_cycle_over_several_fields_is_refused,
        test_a_derivation_that_takes_too_much_is_refused,
        test_what_only_a_permit_may_have_is_refused_elsewhere,
        test_a_form_that_a_covered_field_does_not_have_is_refused,
        test_who_is_classes_or_services_not_both, test_article_nine_has_ten_points,
        test_empty_lists_and_wildcards_without_a_match_load,
        test_a_derived_field_is_as_sensitive_as_its_sources,
        test_a_name_in_a_pointer_cannot_break_the_line);
}
