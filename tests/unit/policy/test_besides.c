/* What two bundles differ in beside the contract's changes: deposits, computations, ladders, ends.
 * "changes" stays as the contract has it; "same" is said only where every answer is the same,
 * values included. */
#include "policy/besides.h"

#include "policy/model.h"
#include "sample.h"
#include "vault/policy/decide.h"
#include "vault/policy/diff.h"
#include "vault/policy/gate.h"

/* A deposit rule behind the sample's permit, and two of them. */
#define DEPOSIT(id, who, fields, more)                                                             \
    ",{\"id\":\"" id "\",\"effect\":\"deposit\",\"why\":{\"en\":\"w\"},\"who\":" who               \
    ",\"purposes\":[\"library.card\"],\"fields\":" fields more "}"
#define LIBRARY "{\"classes\":[\"library\"]}"
#define WORKER  "{\"classes\":[\"employment.caseworker\"]}"
#define STATUS  "[\"employment.status\"]"
#define AMONG   "[\"paid\",\"self\"]"

/* Derived fields of the kinds that the sample's catalogue lacks. */
#define MORE_FIELDS                                                                                \
    "{\"id\":\"income.class\",\"type\":\"code\",\"derive\":{\"op\":\"band\",\"from\":"             \
    "[\"income.yearly\"],\"table\":[{\"from\":0,\"is\":\"A\"},{\"from\":1000,\"is\":\"B\"}]}},\n"  \
    "  {\"id\":\"identity.token\",\"type\":\"code\",\"derive\":{\"op\":\"pseudonym\","             \
    "\"from\":[],\"epoch\":\"2027\"}},\n"                                                          \
    "  {\"id\":\"employment.any\",\"type\":\"boolean\",\"derive\":{\"op\":\"in_set\","             \
    "\"from\":[\"employment.status\"],\"values\":" AMONG "}},\n"                                   \
    "  {\"id\":\"employment.one\",\"type\":\"boolean\",\"derive\":{\"op\":\"equals\","             \
    "\"from\":[\"employment.status\"],\"value\":\"paid\"}},\n"                                     \
    "  {\"id\":\"employment.both\",\"type\":\"boolean\",\"derive\":{\"op\":\"any_of\","            \
    "\"from\":[\"employment.any\",\"employment.one\"]}},\n  "

static char *catalogue;

/* Two bundles, their diff, and its JSON. */
struct pair {
    struct policy *old;
    struct policy *new;
    struct policy_diff *diff;
    json_t *json;
};

static void pair_finish(struct pair *pair)
{
    json_free(&pair->json);
    policy_diff_free(&pair->diff);
    policy_free(&pair->old);
    policy_free(&pair->new);
}

static void compare(struct pair *pair)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(4 * 1024 * 1024);
    VAULT_AUTO(buf_finish) struct buf words = buf_limited(4 * 1024 * 1024);
    assert_done(policy_diff_make(pair->old, pair->new, &pair->diff, &test_error));
    policy_diff_write_json(pair->diff, &text);
    assert_done(buf_check(&text, &test_error));
    assert_done(json_parse(buf_view(&text), 16, &pair->json, NULL, &test_error));
    for (int language = 0; language < POLICY_LANGUAGE_COUNT; language++)
        policy_diff_write(pair->diff, (enum policy_language)language, &words);
    assert_done(buf_check(&words, &test_error));
    assert_int_equal(json_array_size(json_object_get(pair->json, "besides")),
                     policy_diff_besides(pair->diff));
}

/* The two catalogues, each with the sample's rules. */
static struct pair catalogues(const char *part, const char *other)
{
    struct pair pair = {0};
    char *changed = replaced(catalogue, part, other);
    pair.old = sample_load(catalogue, SAMPLE_RULES);
    pair.new = sample_load(changed, SAMPLE_RULES);
    free(changed);
    compare(&pair);
    return pair;
}

/* Two sets of rules, each behind the sample's. */
static struct pair rules(const char *old, const char *new)
{
    struct pair pair = {0};
    const char *more[2] = {old, new};
    struct policy **out[2] = {&pair.old, &pair.new};
    for (size_t i = 0; i < 2; i++) {
        char end[4096];
        snprintf(end, sizeof end, "%s" END_OF_RULES, more[i]);
        char *text = replaced(SAMPLE_RULES, END_OF_RULES, end);
        *out[i] = sample_load(catalogue, text);
        free(text);
    }
    compare(&pair);
    return pair;
}

/* One difference besides and no change, as the contract's reader sees it. */
static const json_t *only_one(const struct pair *pair, const char *kind, bool widens)
{
    const json_t *besides = json_object_get(pair->json, "besides");
    const bool same = strcmp(kind, "derive") != 0 && strcmp(kind, "type") != 0;
    assert_true(json_is_true(json_object_get(pair->json, "same")) == same);
    assert_int_equal(json_array_size(json_object_get(pair->json, "changes")), 0);
    assert_true(policy_diff_is_same(pair->diff) == same);
    assert_int_equal(json_array_size(besides), 1);
    const json_t *one = json_array_get(besides, 0);
    assert_string_equal(json_string_value(json_object_get(one, "kind")), kind);
    assert_true(json_is_true(json_object_get(one, "widens")) == widens);
    assert_true(policy_diff_widens(pair->diff) == widens);
    return one;
}

static void assert_one(const char *part, const char *other, const char *kind, const char *what,
                       bool widens)
{
    VAULT_AUTO(pair_finish) struct pair pair = catalogues(part, other);
    const json_t *one = only_one(&pair, kind, widens);
    assert_string_equal(json_string_value(json_object_get(one, "what")), what);
}

static void assert_none(const char *part, const char *other)
{
    VAULT_AUTO(pair_finish) struct pair pair = catalogues(part, other);
    assert_null(json_object_get(pair.json, "besides"));
    assert_int_equal(json_object_size(pair.json), 2);
    assert_true(json_is_true(json_object_get(pair.json, "same")));
    assert_false(policy_diff_widens(pair.diff));
}

static void test_the_same_bundle_has_the_contracts_two_members_and_no_more(void **state)
{
    (void)state;
    assert_none("\"fr\":\"Nom\"", "\"fr\":\"Nom\"");
    assert_none("\"fr\":\"Nom\"", "\"fr\":\"Nom de famille\"");
}

static void test_a_derived_field_that_is_computed_otherwise_is_wider(void **state)
{
    (void)state;
    assert_one("\"years\":18", "\"years\":16", "derive", "identity.is_adult", true);
    assert_one("{\"from\":1000,\"is\":\"B\"}", "{\"from\":900,\"is\":\"B\"}", "derive",
               "income.class", true);
    assert_one("{\"from\":1000,\"is\":\"B\"}", "{\"from\":1000,\"is\":\"C\"}", "derive",
               "income.class", true);
    assert_one("\"epoch\":\"2027\"", "\"epoch\":\"2028\"", "derive", "identity.token", true);
    assert_one(",\"epoch\":\"2027\"", "", "derive", "identity.token", true);
    assert_one(AMONG, "[\"paid\"]", "derive", "employment.any", true);
    assert_one("\"value\":\"paid\"", "\"value\":\"self\"", "derive", "employment.one", true);
    assert_one("\"op\":\"any_of\"", "\"op\":\"all_of\"", "derive", "employment.both", true);
    assert_one("[\"employment.any\",\"employment.one\"]", "[\"employment.any\"]", "derive",
               "employment.both", true);
}

static void test_a_computation_says_what_it_was_and_what_it_is(void **state)
{
    (void)state;
    VAULT_AUTO(pair_finish) struct pair pair = catalogues("\"years\":18", "\"years\":16");
    const json_t *one = only_one(&pair, "derive", true);
    const json_t *old = json_object_get(one, "old");
    const json_t *new = json_object_get(one, "new");
    assert_int_equal(json_integer_value(json_object_get(old, "years")), 18);
    assert_int_equal(json_integer_value(json_object_get(new, "years")), 16);
    assert_string_equal(json_string_value(json_object_get(new, "op")), "age_at_least");
    assert_int_equal(json_array_size(json_object_get(new, "from")), 1);
}

static void test_what_was_stored_and_is_computed_now_is_wider(void **state)
{
    (void)state;
    static const char derive[] = ",\"derive\":{\"op\":\"equals\",\"from\":[\"employment.status\"],"
                                 "\"value\":\"paid\"}";
    VAULT_AUTO(pair_finish) struct pair pair = catalogues(derive, "");
    assert_true(json_is_null(json_object_get(only_one(&pair, "derive", true), "new")));
}

static void test_order_among_sources_and_values_is_no_difference(void **state)
{
    (void)state;
    assert_none("[\"employment.any\",\"employment.one\"]",
                "[\"employment.one\",\"employment.any\"]");
    assert_none(AMONG, "[\"self\",\"paid\"]");
}

static void test_another_type_is_wider(void **state)
{
    (void)state;
    assert_one("\"id\":\"income.class\",\"type\":\"code\"",
               "\"id\":\"income.class\",\"type\":\"text\"", "type", "income.class", true);
}

static void test_a_field_that_is_no_special_category_any_more_is_wider(void **state)
{
    (void)state;
    static const char is_special[] = ",\"sensitivity\":\"art9\"";
    assert_one(is_special, "", "sensitivity", "health.disability", true);
    assert_one("\"id\":\"address.home\",\"type\":\"address\"",
               "\"id\":\"address.home\",\"type\":\"address\",\"sensitivity\":\"art9\"",
               "sensitivity", "address.home", false);
}

static void test_finer_roundings_are_wider_and_coarser_ones_are_not(void **state)
{
    (void)state;
    assert_one("\"to\":100", "\"to\":10", "form", "number", true);
    assert_one("\"to\":100", "\"to\":1000", "form", "number", false);
    assert_one("\"to\":100", "\"to\":150", "form", "number", true);
}

/* --- forms that somebody can ask for, or has consented to --- */

/* The only change there is, and its witness's answer on a side as decide gives it. */
static const json_t *only_change(const struct pair *pair, const char *kind)
{
    const json_t *changes = json_object_get(pair->json, "changes");
    assert_true(json_is_false(json_object_get(pair->json, "same")));
    assert_false(policy_diff_is_same(pair->diff));
    assert_int_equal(json_array_size(changes), 1);
    const json_t *one = json_array_get(changes, 0);
    assert_string_equal(json_string_value(json_object_get(one, "kind")), kind);
    return one;
}

static const char *member(const json_t *change, const char *side, const char *name)
{
    return json_string_value(json_object_get(json_object_get(change, side), name));
}

static json_t *decided(const struct policy *policy, const json_t *change)
{
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(65536);
    json_t *whole = NULL;
    json_write_value(&line, json_object_get(change, "witness"));
    char *text = sample_answer(policy, buf_string(&line));
    assert_done(json_parse(bytes_of_text(text), 16, &whole, NULL, &test_error));
    free(text);
    return whole;
}

static void assert_witness_differs(const struct pair *pair, const json_t *change)
{
    VAULT_AUTO(json_free) json_t *old = decided(pair->old, change);
    VAULT_AUTO(json_free) json_t *new = decided(pair->new, change);
    const char *field = json_string_value(json_object_get(change, "field"));
    assert_false(json_equal(old, new));
    assert_true(json_equal(json_object_get(json_object_get(old, "fields"), field),
                           json_object_get(change, "old")));
    assert_true(json_equal(json_object_get(json_object_get(new, "fields"), field),
                           json_object_get(change, "new")));
}

static void assert_form(const char *part, const char *other, const char *kind, const char *old,
                        const char *new)
{
    VAULT_AUTO(pair_finish) struct pair pair = catalogues(part, other);
    const json_t *change = only_change(&pair, kind);
    assert_string_equal(member(change, "old", "outcome"), old);
    assert_string_equal(member(change, "new", "outcome"), new);
    assert_witness_differs(&pair, change);
}

#define MONTH "{\"form\":\"month\"},"
#define CODE  "\"id\":\"employment.status\",\"type\":\"code\""

static void test_a_consent_to_a_form_that_is_gone_is_lost(void **state)
{
    (void)state;
    assert_form(MONTH, "", "loses", "released", "out_of_scope");
    assert_form("{\"form\":\"age_band\",\"bands\":[0,15,18,26,30,50,65]},", "", "loses", "released",
                "out_of_scope");
}

static void test_a_consent_to_a_form_that_comes_is_a_gain(void **state)
{
    (void)state;
    assert_form(CODE, "\"id\":\"employment.status\",\"type\":\"text\"", "gains", "out_of_scope",
                "released");
}

static void test_asking_for_a_form_that_is_gone_is_a_loss_where_no_consent_is_needed(void **state)
{
    (void)state;
    char *without = replaced(catalogue, MONTH, "");
    char *contract = replaced(SAMPLE_RULES, "\"consent\"", "\"contract\"");
    VAULT_AUTO(pair_finish)
    struct pair pair = {.old = sample_load(catalogue, contract),
                        .new = sample_load(without, contract)};
    compare(&pair);
    const json_t *change = only_change(&pair, "loses");
    const json_t *asked = json_object_get(json_object_get(change, "witness"), "fields");
    assert_string_equal(json_string_value(json_object_get(asked, "identity.birth_date")), "month");
    assert_string_equal(member(change, "new", "outcome"), "bad_form");
    assert_witness_differs(&pair, change);
    free(without);
    free(contract);
}

static void test_a_form_of_a_field_that_nobody_receives_is_no_change(void **state)
{
    (void)state;
    assert_one("{\"form\":\"street\"},", "", "form", "address", false);
}

/* --- bands that mean something else --- */

static void assert_bands(const char *bands, const char *kind, const char *old, const char *new)
{
    VAULT_AUTO(pair_finish) struct pair pair = catalogues("[0,15,18,26,30,50,65]", bands);
    const json_t *change = only_change(&pair, kind);
    assert_string_equal(member(change, "old", "form"), "age_band");
    assert_string_equal(member(change, "old", "value"), old);
    if (new)
        assert_string_equal(member(change, "new", "value"), new);
    else
        assert_string_equal(member(change, "new", "outcome"), "error");
    assert_witness_differs(&pair, change);
}

static void test_the_witness_of_other_bands_has_a_value_that_shows_them(void **state)
{
    (void)state;
    assert_bands("[0,15,18,26,30,40,50,65]", "weaker", "30-49", "30-39");
    assert_bands("[0,18,30,65]", "stricter", "0-14", "0-17");
    assert_bands("[0,15,18,25,30,50,65]", "weaker", "18-25", "18-24");
}

static void test_bands_that_only_begin_later_are_shown_by_what_lies_under_them(void **state)
{
    (void)state;
    assert_bands("[15,18,26,30,50,65]", "stricter", "0-14", NULL);
}

static void test_people_read_the_values(void **state)
{
    (void)state;
    VAULT_AUTO(pair_finish) struct pair pair = catalogues("[0,15,18,26,30,50,65]", "[0,18,30,65]");
    VAULT_AUTO(buf_finish) struct buf words = buf_limited(65536);
    policy_diff_write(pair.diff, POLICY_EN, &words);
    assert_non_null(strstr(buf_string(&words),
                           "in the form \"age_band: \"0-17\"\" instead of \"age_band: \"0-14\"\""));
}

/* --- names that one bundle does not have --- */

static void test_an_atom_that_one_bundle_lacks_is_left_aside_there(void **state)
{
    (void)state;
    char *less = replaced(catalogue, "  {\"id\":\"citizen_is_minor\",\"kind\":\"boolean\"},\n", "");
    char *rule = replaced(SAMPLE_RULES, ",\"citizen_is_minor\":false}", "}");
    VAULT_AUTO(pair_finish)
    struct pair pair = {.old = sample_load(catalogue, SAMPLE_RULES),
                        .new = sample_load(less, rule)};
    const json_t *change;
    size_t i;
    compare(&pair);
    assert_true(policy_diff_count(pair.diff, POLICY_GAINS) > 0);
    json_array_foreach(json_object_get(pair.json, "changes"), i, change)
    {
        assert_string_equal(member(change, "new", "outcome"), "released");
        assert_string_equal(member(change, "old", "outcome"), "conditions");
    }
    /* And where the witness names it: the rule of the bundle that lacks it wants more. */
    char *high = replaced(rule, "substantial", "high");
    VAULT_AUTO(pair_finish)
    struct pair back = {.old = sample_load(less, high),
                        .new = sample_load(catalogue, SAMPLE_RULES)};
    compare(&back);
    size_t gains = 0;
    json_array_foreach(json_object_get(back.json, "changes"), i, change)
    {
        if (strcmp(json_string_value(json_object_get(change, "kind")), "gains") != 0)
            continue;
        const json_t *atoms = json_object_get(json_object_get(change, "witness"), "atoms");
        assert_true(json_is_false(json_object_get(atoms, "citizen_is_minor")));
        assert_string_equal(member(change, "old", "outcome"), "conditions");
        assert_string_equal(member(change, "new", "outcome"), "released");
        gains++;
    }
    assert_true(gains > 0);
    free(high);
    free(less);
    free(rule);
}

static void test_a_field_and_a_purpose_that_one_bundle_lacks_are_answered_there(void **state)
{
    (void)state;
    static const char field[] = "{\"id\":\"identity.card\",\"type\":\"identifier\",\"title\":"
                                "{\"en\":\"Card\"}},\n  ";
    assert_form(field, "", "loses", "released", "unknown_field");
    char *purpose = replaced(catalogue, "employment.support", "employment.other");
    char *rule = replaced(SAMPLE_RULES, "employment.support", "employment.other");
    VAULT_AUTO(pair_finish)
    struct pair pair = {.old = sample_load(catalogue, SAMPLE_RULES),
                        .new = sample_load(purpose, rule)};
    const json_t *change;
    size_t i;
    compare(&pair);
    json_array_foreach(json_object_get(pair.json, "changes"), i, change)
    {
        const bool gains = strcmp(json_string_value(json_object_get(change, "kind")), "gains") == 0;
        assert_string_equal(member(change, gains ? "new" : "old", "outcome"), "released");
        assert_string_equal(member(change, gains ? "old" : "new", "outcome"), "no_rule");
    }
    free(purpose);
    free(rule);
}

static void test_a_form_that_comes_is_wider_and_one_that_goes_is_not(void **state)
{
    (void)state;
    assert_one("{\"form\":\"monthly\"},", "", "form", "series", false);
    char *without = replaced(catalogue, "{\"form\":\"monthly\"},", "");
    struct pair pair = {.old = sample_load(without, SAMPLE_RULES),
                        .new = sample_load(catalogue, SAMPLE_RULES)};
    free(without);
    compare(&pair);
    const json_t *one = only_one(&pair, "form", true);
    assert_true(json_is_null(json_object_get(one, "old")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(one, "new"), "form")),
                        "monthly");
    pair_finish(&pair);
}

static void test_longer_consents_are_wider(void **state)
{
    (void)state;
    static const char days[] = ",\"consent_at_most_days\":400";
    assert_one(days, ",\"consent_at_most_days\":401", "consent_at_most_days", "employment.support",
               true);
    assert_one(days, ",\"consent_at_most_days\":30", "consent_at_most_days", "employment.support",
               false);
    assert_one(days, "", "consent_at_most_days", "employment.support", true);
}

static void test_a_bundle_that_lives_longer_is_wider(void **state)
{
    (void)state;
    static const struct {
        int64_t old_s;
        int64_t new_s;
        bool widens;
    } ends[] = {{1900000000, 1900000001, true},
                {1900000000, INT64_MAX, true},
                {1900000001, 1900000000, false},
                {INT64_MAX, 1900000000, false}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        VAULT_AUTO(pair_finish)
        struct pair pair = {.old = sample_load(catalogue, SAMPLE_RULES),
                            .new = sample_load(catalogue, SAMPLE_RULES)};
        pair.old->expires_s = ends[i].old_s;
        pair.new->expires_s = ends[i].new_s;
        compare(&pair);
        only_one(&pair, "expires", ends[i].widens);
    }
}

/* --- deposits --- */

static const json_t *answer_of(const json_t *entry, const char *side)
{
    return json_object_get(json_object_get(entry, side), "deposit");
}

static void test_who_may_write_more_is_listed_with_a_witness(void **state)
{
    (void)state;
    VAULT_AUTO(pair_finish) struct pair pair = rules("", DEPOSIT("d", LIBRARY, STATUS, ""));
    const json_t *one = only_one(&pair, "deposit", true);
    assert_true(json_is_false(answer_of(one, "old")));
    assert_true(json_is_true(answer_of(one, "new")));
    assert_string_equal(json_string_value(json_object_get(one, "field")), "employment.status");
    assert_string_equal(json_string_value(json_object_get(one, "purpose")), "library.card");
    assert_string_equal(json_string_value(json_array_get(json_object_get(one, "rules"), 0)), "d");
    const json_t *classes = json_object_get(json_object_get(one, "who"), "classes");
    assert_string_equal(json_string_value(json_array_get(classes, 0)), "library");
    /* The witness is a line that decide takes. */
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(65536);
    json_write_value(&line, json_object_get(one, "witness"));
    char *answer = sample_answer(pair.new, buf_string(&line));
    assert_non_null(strstr(answer, "\"employment.status\":{\"by\":[],\"outcome\":\"no_rule\"}"));
    free(answer);
}

static void test_who_may_write_less_is_listed_and_is_not_wider(void **state)
{
    (void)state;
    VAULT_AUTO(pair_finish) struct pair pair = rules(DEPOSIT("d", LIBRARY, STATUS, ""), "");
    const json_t *one = only_one(&pair, "deposit", false);
    assert_true(json_is_true(answer_of(one, "old")));
    assert_true(json_is_false(answer_of(one, "new")));
}

static void test_a_deposit_without_its_condition_is_wider_and_the_witness_shows_it(void **state)
{
    (void)state;
    VAULT_AUTO(pair_finish)
    struct pair pair = rules(DEPOSIT("d", LIBRARY, STATUS, ",\"when\":{\"window\":\"summer\"}"),
                             DEPOSIT("d", LIBRARY, STATUS, ""));
    const json_t *one = only_one(&pair, "deposit", true);
    assert_true(json_is_false(answer_of(one, "old")));
    assert_true(json_is_true(answer_of(one, "new")));
}

static void test_a_deposit_that_lasts_longer_is_wider(void **state)
{
    (void)state;
    VAULT_AUTO(pair_finish)
    struct pair pair =
        rules(DEPOSIT("d", LIBRARY, STATUS, ",\"in_force\":{\"until\":\"2028-01-01T00:00:00Z\"}"),
              DEPOSIT("d", LIBRARY, STATUS, ",\"in_force\":{\"until\":\"2029-01-01T00:00:00Z\"}"));
    only_one(&pair, "deposit", true);
}

static void test_the_same_deposits_in_other_words_are_no_difference(void **state)
{
    (void)state;
    VAULT_AUTO(pair_finish)
    struct pair pair = rules(DEPOSIT("d", LIBRARY, STATUS, ""),
                             DEPOSIT("e", LIBRARY, STATUS, ",\"when\":{\"window\":\"summer\"}")
                                 DEPOSIT("f", LIBRARY, STATUS, ""));
    assert_null(json_object_get(pair.json, "besides"));
    assert_false(policy_diff_widens(pair.diff));
}

static void test_a_permit_does_not_pass_for_a_deposit(void **state)
{
    (void)state;
    VAULT_AUTO(pair_finish)
    struct pair pair =
        rules("", ",{\"id\":\"p\",\"effect\":\"permit\",\"why\":{\"en\":\"w\"},\"who\":" LIBRARY
                  ",\"purposes\":[\"library.card\"],\"fields\":" STATUS ",\"basis\":\"contract\"}");
    assert_int_equal(policy_diff_count(pair.diff, POLICY_GAINS), 1);
    assert_null(json_object_get(pair.json, "besides"));
}

static void test_a_deposit_for_another_class_is_both_won_and_lost(void **state)
{
    (void)state;
    VAULT_AUTO(pair_finish)
    struct pair pair = rules(DEPOSIT("d", LIBRARY, STATUS, ""), DEPOSIT("d", WORKER, STATUS, ""));
    assert_int_equal(policy_diff_besides(pair.diff), 2);
    assert_true(policy_diff_is_same(pair.diff));
    assert_true(policy_diff_widens(pair.diff));
}

static void test_a_deposit_for_a_named_service_names_it(void **state)
{
    (void)state;
    VAULT_AUTO(pair_finish)
    struct pair pair = rules("", DEPOSIT("d", "{\"services\":[\"lending\"]}", STATUS, ""));
    const json_t *one = only_one(&pair, "deposit", true);
    const json_t *services = json_object_get(json_object_get(one, "who"), "services");
    assert_string_equal(json_string_value(json_array_get(services, 0)), "lending");
}

/* --- held against every request there is --- */

#define WORLDS 150

static uint64_t draws;

static size_t draw(size_t below)
{
    draws = draws * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(draws >> 33) % below;
}

/* Up to three deposit rules over few words; about the same, so that many worlds are alike. */
static void draw_rules(char out[2048])
{
    static const char *const who[] = {LIBRARY, WORKER, "\"any\"", "{\"services\":[\"lending\"]}"};
    static const char *const when[] = {
        "", ",\"when\":{\"window\":\"summer\"}", ",\"when\":{\"citizen_is_minor\":false}",
        ",\"when\":{\"assurance_at_least\":\"high\"}",
        ",\"when\":{\"assurance_at_least\":\"low\",\"citizen_is_minor\":true}"};
    static const char *const until[] = {"", "",
                                        ",\"in_force\":{\"until\":\"2028-01-01T00:00:00Z\"}"};
    const size_t count = draw(4);
    out[0] = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(out);
        snprintf(out + length, 2048 - length,
                 ",{\"id\":\"d%zu\",\"effect\":\"deposit\",\"why\":{\"en\":\"w\"},\"who\":%s,"
                 "\"purposes\":[\"library.card\"],\"fields\":" STATUS "%s%s}",
                 i, who[draw(4)], when[draw(5)], until[draw(3)]);
    }
}

/* One of all requests, by number. */
#define REQUESTS (3 * 2 * 4 * 3 * 3 * 2)

static bool may_deposit(const struct policy *policy, size_t number)
{
    static const char *const levels[] = {NULL, "low", "substantial", "high"};
    struct policy_atom_word atoms[POLICY_ATOM_WORDS_MAX];
    struct policy_request request = {
        .actor = {.service = POLICY_NONE}, .purpose_registered = true, .atoms = atoms};
    const struct bytes summer = BYTES("summer");
    const size_t classes = number % 3 + 1;
    const size_t service = number / 3 % 2;
    const size_t level = number / 6 % 4;
    const size_t minor = number / 24 % 3;
    const size_t window = number / 72 % 3;
    request.now_s = number / 216 ? INT64_C(1830297600) : INT64_C(1830297599);
    request.purpose = policy_find(policy, POLICY_PURPOSE, BYTES("library.card"));
    for (uint16_t c = 0; c < 2; c++) {
        if (classes >> c & 1)
            request.actor.classes[request.actor.class_count++] = c;
    }
    if (service)
        request.actor.service = policy_find(policy, POLICY_SERVICE, BYTES("lending"));
    policy_atoms_clear(policy, atoms);
    if (levels[level])
        policy_atom_set_ordered(policy, atoms,
                                policy_find(policy, POLICY_ATOM, BYTES("assurance_at_least")),
                                bytes_of_text(levels[level]));
    if (minor)
        policy_atom_set_boolean(
            policy, atoms, policy_find(policy, POLICY_ATOM, BYTES("citizen_is_minor")), minor == 1);
    if (window)
        policy_atom_set_values(policy, atoms, policy_find(policy, POLICY_ATOM, BYTES("window")),
                               &summer, window - 1);
    return policy_may_deposit(policy, &request,
                              policy_find(policy, POLICY_FIELD, BYTES("employment.status")));
}

static void test_deposits_are_told_exactly(void **state)
{
    (void)state;
    size_t alike = 0;
    size_t wider = 0;
    for (size_t world = 0; world < WORLDS; world++) {
        char old[2048];
        char new[2048];
        draws = world;
        draw_rules(old);
        draw_rules(new);
        VAULT_AUTO(pair_finish) struct pair pair = rules(old, new);
        bool gains = false;
        bool loses = false;
        for (size_t i = 0; i < REQUESTS; i++) {
            const bool before = may_deposit(pair.old, i);
            const bool after = may_deposit(pair.new, i);
            gains = gains || (!before && after);
            loses = loses || (before && !after);
        }
        if (policy_diff_widens(pair.diff) != gains ||
            (policy_diff_besides(pair.diff) > 0) != (gains || loses))
            fail_msg("world %zu: %s\nagainst %s", world, old, new);
        const json_t *entry;
        size_t i;
        json_array_foreach(json_object_get(pair.json, "besides"), i, entry)
        {
            const bool widens = json_is_true(json_object_get(entry, "widens"));
            assert_true(json_is_true(answer_of(entry, "new")) == widens);
            assert_true(json_is_true(answer_of(entry, "old")) == !widens);
        }
        alike += !gains && !loses;
        wider += gains;
    }
    assert_true(alike > 5 && wider > 50); /* else the worlds show nothing */
}

/* --- for people, and for the gate --- */

static void test_people_read_it_in_both_languages(void **state)
{
    (void)state;
    VAULT_AUTO(pair_finish) struct pair pair = rules("", DEPOSIT("d", LIBRARY, STATUS, ""));
    VAULT_AUTO(buf_finish) struct buf english = buf_limited(65536);
    VAULT_AUTO(buf_finish) struct buf french = buf_limited(65536);
    policy_diff_write(pair.diff, POLICY_EN, &english);
    policy_diff_write(pair.diff, POLICY_FR, &french);
    assert_non_null(strstr(buf_string(&english), "Both policies answer every request"));
    assert_non_null(strstr(buf_string(&english), "DEPOSIT: a service of the class library may now "
                                                 "write *Status* (employment.status)"));
    assert_non_null(strstr(buf_string(&english), "1 differences besides the answers, 1 of them"));
    assert_non_null(strstr(buf_string(&french), "peut désormais écrire"));
    VAULT_AUTO(pair_finish) struct pair other = catalogues("\"years\":18", "\"years\":16");
    buf_clear(&english);
    policy_diff_write(other.diff, POLICY_EN, &english);
    assert_non_null(strstr(buf_string(&english), "COMPUTED: identity.is_adult is computed "
                                                 "otherwise: {\"from\":[\"identity.birth_date\"]"));
    assert_non_null(strstr(buf_string(&english), "this is wider, or cannot be compared"));
    assert_non_null(strstr(buf_string(&english), "values may be others"));
    assert_null(strstr(buf_string(&english), "every request in the same way"));
}

static void test_the_gate_counts_what_is_wider_besides(void **state)
{
    (void)state;
    char *changed = replaced(SAMPLE_CATALOGUE, "\"years\":18", "\"years\":16");
    VAULT_AUTO(policy_free) struct policy *active = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(changed, SAMPLE_RULES);
    VAULT_AUTO(bundle_free) struct bundle *bundle = sample_bundle(changed, SAMPLE_RULES, NULL);
    VAULT_AUTO(buf_finish) struct buf diff = buf_limited(65536);
    struct policy_passed passed;
    free(changed);
    assert_done(bundle_settle(bundle, NULL, &test_error));
    const struct policy_candidate candidate = {.bundle = bundle,
                                               .policy = policy,
                                               .active = active,
                                               .now_s = 1804500000,
                                               .seed = 1,
                                               .diff = &diff};
    assert_done(policy_gate_pass(&candidate, &passed, &test_error));
    assert_true(passed.compared);
    assert_true(passed.widens);
    assert_int_equal(passed.besides, 1);
    for (size_t kind = 0; kind < POLICY_CHANGE_KINDS; kind++)
        assert_int_equal(passed.changes[kind], 0);
    assert_non_null(strstr(buf_string(&diff), "\"kind\":\"derive\""));
}

int main(void)
{
    if (sample_start())
        return 1;
    catalogue = replaced(SAMPLE_CATALOGUE, "{\"id\":\"identity.is_adult\"",
                         MORE_FIELDS "{\"id\":\"identity.is_adult\"");
    const int failed = TEST_RUN(
        test_the_same_bundle_has_the_contracts_two_members_and_no_more,
        test_a_derived_field_that_is_computed_otherwise_is_wider,
        test_a_computation_says_what_it_was_and_what_it_is,
        test_what_was_stored_and_is_computed_now_is_wider,
        test_order_among_sources_and_values_is_no_difference, test_another_type_is_wider,
        test_a_field_that_is_no_special_category_any_more_is_wider,
        test_finer_roundings_are_wider_and_coarser_ones_are_not,
        test_a_consent_to_a_form_that_is_gone_is_lost,
        test_a_consent_to_a_form_that_comes_is_a_gain,
        test_asking_for_a_form_that_is_gone_is_a_loss_where_no_consent_is_needed,
        test_a_form_of_a_field_that_nobody_receives_is_no_change,
        test_the_witness_of_other_bands_has_a_value_that_shows_them,
        test_bands_that_only_begin_later_are_shown_by_what_lies_under_them,
        test_people_read_the_values, test_an_atom_that_one_bundle_lacks_is_left_aside_there,
        test_a_field_and_a_purpose_that_one_bundle_lacks_are_answered_there,
        test_a_form_that_comes_is_wider_and_one_that_goes_is_not, test_longer_consents_are_wider,
        test_a_bundle_that_lives_longer_is_wider, test_who_may_write_more_is_listed_with_a_witness,
        test_who_may_write_less_is_listed_and_is_not_wider,
        test_a_deposit_without_its_condition_is_wider_and_the_witness_shows_it,
        test_a_deposit_that_lasts_longer_is_wider,
        test_the_same_deposits_in_other_words_are_no_difference,
        test_a_permit_does_not_pass_for_a_deposit,
        test_a_deposit_for_another_class_is_both_won_and_lost,
        test_a_deposit_for_a_named_service_names_it, test_deposits_are_told_exactly,
        test_people_read_it_in_both_languages, test_the_gate_counts_what_is_wider_besides);
    free(catalogue);
    return failed;
}
