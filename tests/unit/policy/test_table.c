/* The compiled form: what a cell holds, and the limits of section 6. */
#include "policy/table.h"

#include "policy/model.h"
#include "sample.h"

/* A catalogue of so many of each, named f.x0…, p0…, c0…, a0…. */
static void catalogue_of(struct buf *out, size_t fields, size_t purposes, size_t classes,
                         size_t atoms)
{
    buf_text(out, "{\"format\":\"vault-catalogue/1\",\"fields\":[");
    for (size_t i = 0; i < fields; i++)
        buf_format(out, "%s{\"id\":\"f.x%zu\",\"type\":\"code\"}", i ? "," : "", i);
    buf_text(out, "],\"purposes\":[");
    for (size_t i = 0; i < purposes; i++)
        buf_format(out, "%s{\"id\":\"p%zu\"}", i ? "," : "", i);
    buf_text(out, "],\"classes\":[");
    for (size_t i = 0; i < classes; i++)
        buf_format(out, "%s{\"id\":\"c%zu\"}", i ? "," : "", i);
    buf_text(out, "],\"atoms\":[");
    for (size_t i = 0; i < atoms; i++)
        buf_format(out, "%s{\"id\":\"a%zu\",\"kind\":\"boolean\"}", i ? "," : "", i);
    buf_text(out, "]}");
}

static void rules_begin(struct buf *out)
{
    buf_text(out, "{\"format\":\"vault-rules/1\",\"policy\":\"p\",\"rules\":[");
}

static void add_rule(struct buf *out, size_t number, const char *who, const char *purposes,
                     const char *fields, const char *rest)
{
    buf_format(out,
               "%s{\"id\":\"r%zu\",\"effect\":\"permit\",\"basis\":\"contract\",\"who\":%s,"
               "\"purposes\":%s,\"fields\":%s%s}",
               number ? "," : "", number, who, purposes, fields, rest);
}

static enum vault_code try_texts(struct buf *catalogue, struct buf *rules, struct policy **out)
{
    return sample_try(buf_string(catalogue), buf_string(rules), NULL, out);
}

/* The rules stand on one line, one behind the other. */
static void assert_fault_at_rule(size_t number)
{
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/rules/%zu", number);
    assert_string_equal(sample_fault.file, "rules/plie.json");
    assert_string_equal(sample_fault.pointer, pointer);
    assert_int_equal(sample_fault.line, 1);
    assert_true(sample_fault.column > 60 * number);
}

static void test_sixty_four_rules_fit_a_cell_and_one_more_does_not(void **state)
{
    (void)state;
    for (size_t count = 64; count <= 65; count++) {
        VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(1048576);
        VAULT_AUTO(buf_finish) struct buf rules = buf_limited(1048576);
        VAULT_AUTO(policy_free) struct policy *policy = NULL;
        catalogue_of(&catalogue, 2, 2, 2, 0);
        rules_begin(&rules);
        for (size_t i = 0; i < count; i++)
            add_rule(&rules, i, "{\"classes\":[\"c1\"]}", "[\"p0\"]", "[\"f.x1\"]", "");
        buf_text(&rules, "]}");
        const enum vault_code code = try_texts(&catalogue, &rules, &policy);
        assert_int_equal(code, count == 64 ? VAULT_OK : VAULT_TOO_LARGE);
        if (policy)
            assert_int_equal(policy->table.worst.rules, 64);
        else
            assert_fault_at_rule(64);
    }
}

static void test_a_cell_counts_the_rules_for_any_class_purpose_and_field(void **state)
{
    (void)state;
    /* 16 rules by each of four ways that lead to (c1, p1, f.x1); then one more. */
    static const char *const who[] = {"{\"classes\":[\"c1\"]}", "\"any\"", "{\"classes\":[\"c1\"]}",
                                      "\"any\""};
    static const char *const purposes[] = {"[\"p1\"]", "[\"p1\"]", "\"any\"", "\"any\""};
    static const char *const fields[] = {"[\"f.x1\"]", "\"any\"", "\"any\"", "[\"f.*\",\"f.x1\"]"};
    for (size_t count = 64; count <= 65; count++) {
        VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(1048576);
        VAULT_AUTO(buf_finish) struct buf rules = buf_limited(1048576);
        VAULT_AUTO(policy_free) struct policy *policy = NULL;
        catalogue_of(&catalogue, 3, 3, 3, 0);
        rules_begin(&rules);
        for (size_t i = 0; i < count; i++)
            add_rule(&rules, i, who[i % 4], purposes[i % 4], fields[i % 4], "");
        buf_text(&rules, "]}");
        assert_int_equal(try_texts(&catalogue, &rules, &policy),
                         count == 64 ? VAULT_OK : VAULT_TOO_LARGE);
        if (policy) {
            assert_int_equal(policy->table.worst.rules, 64);
            assert_int_equal(policy->table.worst.actor, 1);
            assert_int_equal(policy->table.worst.purpose, 1);
            assert_int_equal(policy->table.worst.field, 1);
        } else {
            assert_non_null(strstr(test_error.text, "65 rules stand for c1, p1, f.x1"));
            assert_fault_at_rule(64);
        }
    }
}

static void test_twelve_atoms_fit_a_cell_and_one_more_does_not(void **state)
{
    (void)state;
    for (size_t count = 12; count <= 13; count++) {
        VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(1048576);
        VAULT_AUTO(buf_finish) struct buf rules = buf_limited(1048576);
        VAULT_AUTO(policy_free) struct policy *policy = NULL;
        catalogue_of(&catalogue, 2, 1, 2, 20);
        rules_begin(&rules);
        for (size_t i = 0; i < count; i++) {
            char when[64];
            snprintf(when, sizeof when, ",\"when\":{\"a%zu\":true}", i);
            add_rule(&rules, i, i % 2 ? "\"any\"" : "{\"classes\":[\"c1\"]}", "[\"p0\"]",
                     "[\"f.x0\"]", when);
        }
        /* Atoms of another cell do not count. */
        add_rule(&rules, count, "\"any\"", "\"any\"", "[\"f.x1\"]",
                 ",\"when\":{\"a15\":true,\"a16\":false}");
        buf_text(&rules, "]}");
        assert_int_equal(try_texts(&catalogue, &rules, &policy),
                         count == 12 ? VAULT_OK : VAULT_TOO_LARGE);
        if (policy)
            continue;
        assert_non_null(strstr(test_error.text, "13 atoms decide for c1, p0, f.x0"));
        assert_fault_at_rule(12);
    }
}

static void test_a_service_has_a_cell_of_its_own(void **state)
{
    (void)state;
    for (size_t count = 64; count <= 65; count++) {
        VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(1048576);
        VAULT_AUTO(buf_finish) struct buf rules = buf_limited(1048576);
        VAULT_AUTO(policy_free) struct policy *policy = NULL;
        catalogue_of(&catalogue, 1, 1, 1, 0);
        rules_begin(&rules);
        for (size_t i = 0; i < count; i++)
            add_rule(&rules, i, "{\"services\":[\"star\"]}", "[\"p0\"]", "[\"f.x0\"]", "");
        buf_text(&rules, "]}");
        assert_int_equal(try_texts(&catalogue, &rules, &policy),
                         count == 64 ? VAULT_OK : VAULT_TOO_LARGE);
        if (policy)
            continue;
        assert_non_null(strstr(test_error.text, "for star, p0, f.x0"));
        assert_fault_at_rule(64);
    }
}

static void test_any_is_one_row_however_large_the_catalogue(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(POLICY_FILE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf rules = buf_limited(1048576);
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    catalogue_of(&catalogue, POLICY_FIELDS_MAX, POLICY_PURPOSES_MAX, POLICY_CLASSES_MAX,
                 POLICY_ATOMS_MAX);
    rules_begin(&rules);
    add_rule(&rules, 0, "\"any\"", "\"any\"", "\"any\"", "");
    add_rule(&rules, 1, "{\"classes\":[\"c7\"]}", "[\"p7\"]", "[\"f.x7\"]", "");
    buf_text(&rules, "]}");
    assert_done(try_texts(&catalogue, &rules, &policy));
    if (!policy)
        return;
    assert_int_equal(policy->table.row_count, 2);
    assert_int_equal(policy->table.reference_count, 2);
    assert_int_equal(policy->table.worst.rules, 2);
}

static void test_a_list_of_everything_is_any(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(1048576);
    VAULT_AUTO(buf_finish) struct buf rules = buf_limited(1048576);
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    catalogue_of(&catalogue, 3, 2, 2, 0);
    rules_begin(&rules);
    add_rule(&rules, 0, "{\"classes\":[\"c1\",\"c0\"]}", "[\"p1\",\"p0\"]",
             "[\"f.x2\",\"f.x0\",\"f.x1\"]", "");
    buf_text(&rules, "]}");
    assert_done(try_texts(&catalogue, &rules, &policy));
    if (!policy)
        return;
    assert_int_equal(policy->table.row_count, 1);
    assert_int_equal(policy->table.reference_count, 1);
}

/* One more of each than the contract allows. */
static void test_a_catalogue_over_a_limit_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t fields;
        size_t purposes;
        size_t classes;
        size_t atoms;
        const char *pointer;
    } cases[] = {
        {POLICY_FIELDS_MAX + 1, 1, 1, 1, "/fields"},
        {1, POLICY_PURPOSES_MAX + 1, 1, 1, "/purposes"},
        {1, 1, POLICY_CLASSES_MAX + 1, 1, "/classes"},
        {1, 1, 1, POLICY_ATOMS_MAX + 1, "/atoms"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(POLICY_FILE_BYTES_MAX);
        struct policy *policy = NULL;
        catalogue_of(&catalogue, cases[i].fields, cases[i].purposes, cases[i].classes,
                     cases[i].atoms);
        assert_fails(VAULT_TOO_LARGE, sample_try(buf_string(&catalogue), NULL, NULL, &policy));
        assert_string_equal(sample_fault.pointer, cases[i].pointer);
    }
}

#define RULES_PER_FILE 16384

static struct buf *add_rule_file(struct bundle *bundle, size_t number)
{
    struct buf *rules = NULL;
    char path[32];
    snprintf(path, sizeof path, "rules/%zu.json", number);
    assert_done(bundle_add(bundle, path, &rules, NULL, &test_error));
    rules_begin(rules);
    return rules;
}

/* Rules in as many files as they need, each for a field of its own. */
static void add_many_rules(struct bundle *bundle, size_t count)
{
    struct buf *rules = NULL;
    for (size_t i = 0; i < count; i++) {
        if (i % RULES_PER_FILE == 0)
            rules = add_rule_file(bundle, i / RULES_PER_FILE);
        buf_format(rules,
                   "%s{\"id\":\"r%zu\",\"effect\":\"forbid\",\"who\":{\"classes\":[\"c%zu\"]},"
                   "\"purposes\":[\"p%zu\"],\"fields\":[\"f.x%zu\"]}",
                   i % RULES_PER_FILE ? "," : "", i, i % 64, i / 64 % 64, i / 4096 % 64);
        if (i % RULES_PER_FILE == RULES_PER_FILE - 1 || i + 1 == count)
            buf_text(rules, "]}");
    }
}

static enum vault_code try_many_rules(size_t count, struct policy **out)
{
    VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(POLICY_FILE_BYTES_MAX);
    catalogue_of(&catalogue, 64, 64, 64, 0);
    VAULT_AUTO(bundle_free)
    struct bundle *bundle = sample_bundle(buf_string(&catalogue), NULL, NULL);
    add_many_rules(bundle, count);
    VAULT_TRY(bundle_settle(bundle, &sample_fault, &test_error));
    return policy_compile(bundle, out, &sample_fault, &test_error);
}

static void test_as_many_rules_as_the_contract_allows_load(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    assert_done(try_many_rules(POLICY_RULES_MAX, &policy));
    if (!policy)
        return;
    assert_int_equal(policy_count(policy, POLICY_RULE), POLICY_RULES_MAX);
    assert_int_equal(policy->table.reference_count, POLICY_RULES_MAX);
}

static void test_one_rule_more_is_refused(void **state)
{
    (void)state;
    struct policy *policy = NULL;
    assert_fails(VAULT_TOO_LARGE, try_many_rules(POLICY_RULES_MAX + 1, &policy));
    assert_string_equal(sample_fault.file, "rules/3.json");
    assert_string_equal(sample_fault.pointer, "/rules");
}

static void test_rules_that_expand_too_far_are_refused(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(POLICY_FILE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf rules = buf_limited(POLICY_FILE_BYTES_MAX);
    struct policy *policy = NULL;
    catalogue_of(&catalogue, 4096, 1024, 8, 0);
    /* All purposes and fields but one, by name, for half of the classes: 16.7 million cells. */
    VAULT_AUTO(buf_finish) struct buf purposes = buf_limited(POLICY_FILE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf fields = buf_limited(POLICY_FILE_BYTES_MAX);
    for (int i = 0; i < 1023; i++)
        buf_format(&purposes, "%s\"p%d\"", i ? "," : "[", i);
    for (int i = 0; i < 4095; i++)
        buf_format(&fields, "%s\"f.x%d\"", i ? "," : "[", i);
    buf_text(&purposes, "]");
    buf_text(&fields, "]");
    rules_begin(&rules);
    add_rule(&rules, 0, "{\"classes\":[\"c0\",\"c1\",\"c2\",\"c3\",\"c4\"]}", buf_string(&purposes),
             buf_string(&fields), "");
    buf_text(&rules, "]}");
    assert_fails(VAULT_TOO_LARGE, try_texts(&catalogue, &rules, &policy));
    assert_non_null(strstr(test_error.text, "any"));
    assert_fault_at_rule(0);
}

static void test_the_rule_too_many_is_the_one_that_stands_last_whatever_its_id(void **state)
{
    (void)state;
    for (size_t count = 66; count <= 300;
         count += 234) { /* the latter is more than a cell counts */
        VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(1048576);
        VAULT_AUTO(buf_finish) struct buf rules = buf_limited(1048576);
        struct policy *policy = NULL;
        catalogue_of(&catalogue, 2, 2, 2, 0);
        rules_begin(&rules);
        add_rule(&rules, 0, "{\"classes\":[\"c0\"]}", "[\"p0\"]", "[\"f.x0\"]", "");
        for (size_t i = 1; i < count; i++)
            add_rule(&rules, 1000 - i, "\"any\"", "\"any\"", "[\"f.x1\"]", "");
        buf_text(&rules, "]}");
        assert_fails(VAULT_TOO_LARGE, try_texts(&catalogue, &rules, &policy));
        assert_fault_at_rule(65);
    }
}

static void test_the_rule_that_names_a_service_too_many_is_shown(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(1048576);
    VAULT_AUTO(buf_finish) struct buf rules = buf_limited(POLICY_FILE_BYTES_MAX);
    struct policy *policy = NULL;
    catalogue_of(&catalogue, 2, 2, 2, 0);
    rules_begin(&rules);
    for (size_t i = 0; i < POLICY_SERVICES_MAX + 2; i++) {
        char who[64];
        snprintf(who, sizeof who, "{\"services\":[\"s1\",\"s%zu\"]}", i);
        add_rule(&rules, i, who, "[\"p0\"]", "[\"f.x1\"]", "");
    }
    buf_text(&rules, "]}");
    assert_fails(VAULT_TOO_LARGE, try_texts(&catalogue, &rules, &policy));
    assert_fault_at_rule(POLICY_SERVICES_MAX);
}

static void test_atoms_of_one_kind_share_words_and_none_is_cut(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1048576);
    buf_text(&text, "{\"format\":\"vault-catalogue/1\",\"atoms\":[");
    for (int i = 0; i < 40; i++) {
        buf_format(&text, "%s{\"id\":\"a%d\",\"kind\":\"ordered\",\"values\":[", i ? "," : "", i);
        for (int j = 0; j < 5; j++)
            buf_format(&text, "%s\"v%d\"", j ? "," : "", j);
        buf_text(&text, "]}");
    }
    buf_text(&text, "]}");
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(buf_string(&text), NULL);
    assert_int_equal(policy_atom_words(policy), 4); /* 12 of 5 bits in each */
    uint64_t used[4] = {0};
    for (size_t i = 0; i < 40; i++) {
        const struct atom *atom = &policy->atoms[i];
        assert_int_equal(__builtin_popcountll(atom_bits(atom)), 5);
        assert_int_equal(used[atom->word] & atom_bits(atom), 0);
        used[atom->word] |= atom_bits(atom);
    }
}

static void test_an_atom_may_have_sixty_four_values(void **state)
{
    (void)state;
    for (int count = 64; count <= 65; count++) {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(1048576);
        VAULT_AUTO(policy_free) struct policy *policy = NULL;
        buf_text(&text,
                 "{\"format\":\"vault-catalogue/1\",\"atoms\":[{\"id\":\"a\",\"kind\":\"set\","
                 "\"values\":[");
        for (int j = 0; j < count; j++)
            buf_format(&text, "%s\"v%d\"", j ? "," : "", j);
        buf_text(&text, "]}]}");
        assert_int_equal(sample_try(buf_string(&text), NULL, NULL, &policy),
                         count == 64 ? VAULT_OK : VAULT_INVALID);
        if (policy)
            assert_true(atom_bits(&policy->atoms[0]) == UINT64_MAX);
    }
}

int main(void)
{
    if (sample_start())
        return 1;
    return TEST_RUN(
        test_sixty_four_rules_fit_a_cell_and_one_more_does_not,
        test_a_cell_counts_the_rules_for_any_class_purpose_and_field,
        test_twelve_atoms_fit_a_cell_and_one_more_does_not, test_a_service_has_a_cell_of_its_own,
        test_any_is_one_row_however_large_the_catalogue, test_a_list_of_everything_is_any,
        test_a_catalogue_over_a_limit_is_refused, test_as_many_rules_as_the_contract_allows_load,
        test_one_rule_more_is_refused, test_rules_that_expand_too_far_are_refused,
        test_the_rule_too_many_is_the_one_that_stands_last_whatever_its_id,
        test_the_rule_that_names_a_service_too_many_is_shown,
        test_atoms_of_one_kind_share_words_and_none_is_cut,
        test_an_atom_may_have_sixty_four_values);
}
