/* Looking names up, and what could ever be released. */
#include "vault/policy/policy.h"

#include "policy/model.h"
#include "sample.h"

static struct policy *policy;

static uint16_t field(const char *id)
{
    const uint16_t index = policy_find(policy, POLICY_FIELD, bytes_of_text(id));
    assert_int_not_equal(index, POLICY_NONE);
    return index;
}

static void test_every_id_is_found_again_in_the_order_of_its_bytes(void **state)
{
    (void)state;
    for (int kind = 0; kind < POLICY_KIND_COUNT; kind++) {
        const uint16_t count = (uint16_t)policy_count(policy, (enum policy_kind)kind);
        for (uint16_t i = 0; i < count; i++) {
            const char *id = policy_id(policy, (enum policy_kind)kind, i);
            assert_int_equal(policy_find(policy, (enum policy_kind)kind, bytes_of_text(id)), i);
            if (i > 0)
                assert_true(strcmp(policy_id(policy, (enum policy_kind)kind, i - 1), id) < 0);
        }
    }
}

static void test_a_name_that_is_not_there_is_none(void **state)
{
    (void)state;
    static const char *const names[] = {"",    "identity",      "identity.nam",  "identity.names",
                                        "zzz", "IDENTITY.NAME", "address.home\n"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(policy_find(policy, POLICY_FIELD, bytes_of_text(names[i])), POLICY_NONE);
    assert_int_equal(policy_find(policy, POLICY_FIELD, BYTES("address.home\0")), POLICY_NONE);
    assert_int_equal(policy_find(policy, POLICY_FIELD, (struct bytes){NULL, 0}), POLICY_NONE);
    assert_int_equal(policy_find(policy, POLICY_SERVICE, BYTES("plie-rennes")), POLICY_NONE);
}

static void test_titles_come_in_the_language_or_else_in_the_other(void **state)
{
    (void)state;
    const uint16_t birth = field("identity.birth_date");
    assert_string_equal(policy_title(policy, POLICY_FIELD, birth, POLICY_FR), "Date de naissance");
    assert_string_equal(policy_title(policy, POLICY_FIELD, birth, POLICY_EN), "Date of birth");
    assert_string_equal(policy_title(policy, POLICY_FIELD, field("identity.name"), POLICY_EN),
                        "Nom");
    assert_string_equal(policy_title(policy, POLICY_FIELD, field("identity.card"), POLICY_FR),
                        "Card");
    const uint16_t library = policy_find(policy, POLICY_PURPOSE, BYTES("library.card"));
    assert_null(policy_title(policy, POLICY_PURPOSE, library, POLICY_FR));
    assert_null(policy_text(policy, POLICY_PURPOSE, library, POLICY_EN));
    assert_null(policy_title(policy, POLICY_RULE, 0, POLICY_EN));
    assert_string_equal(policy_text(policy, POLICY_RULE, 0, POLICY_FR), "One caseworker");
}

static void test_fields_say_their_type_and_forms(void **state)
{
    (void)state;
    const uint16_t birth = field("identity.birth_date");
    assert_int_equal(policy_field_type(policy, birth), POLICY_DATE);
    assert_string_equal(policy_type_name(policy_field_type(policy, birth)), "date");
    assert_int_equal(policy_form_count(policy, birth), 5);
    assert_int_equal(policy_form_find(policy, birth, BYTES("year")), 2);
    assert_string_equal(policy_form_name(policy, birth, 2), "year");
    assert_int_equal(policy_form_find(policy, birth, BYTES("city")), POLICY_FORM_NONE);
    assert_int_equal(policy_form_find(policy, birth, BYTES("")), POLICY_FORM_NONE);
    const uint16_t status = field("employment.status");
    assert_int_equal(policy_form_count(policy, status), 2);
    assert_true(policy_field_is_special(policy, field("health.disability")));
    assert_false(policy_field_is_special(policy, status));
}

static void test_a_derived_field_names_its_sources(void **state)
{
    (void)state;
    size_t count = 9;
    const uint16_t *from = policy_field_sources(policy, field("identity.is_adult"), &count);
    assert_int_equal(count, 1);
    assert_int_equal(from[0], field("identity.birth_date"));
    assert_true(policy_field_is_derived(policy, field("identity.is_adult")));
    assert_null(policy_field_sources(policy, field("identity.name"), &count));
    assert_int_equal(count, 0);
}

static void test_purposes_and_obligations(void **state)
{
    (void)state;
    assert_int_equal(policy_purpose_consent_days(
                         policy, policy_find(policy, POLICY_PURPOSE, BYTES("employment.support"))),
                     400);
    assert_int_equal(policy_purpose_consent_days(
                         policy, policy_find(policy, POLICY_PURPOSE, BYTES("library.card"))),
                     0);
    assert_false(policy_obligation_is_number(
        policy, policy_find(policy, POLICY_OBLIGATION, BYTES("notify_citizen"))));
    assert_true(policy_obligation_is_number(
        policy, policy_find(policy, POLICY_OBLIGATION, BYTES("retain_at_most_days"))));
    assert_string_equal(policy_basis_name(POLICY_PUBLIC_TASK), "public_task");
}

static void test_an_atom_of_the_wrong_kind_or_value_is_unknown(void **state)
{
    (void)state;
    struct policy_atom_word atoms[POLICY_ATOM_WORDS_MAX];
    const uint16_t minor = policy_find(policy, POLICY_ATOM, BYTES("citizen_is_minor"));
    const uint16_t level = policy_find(policy, POLICY_ATOM, BYTES("assurance_at_least"));
    const uint16_t window = policy_find(policy, POLICY_ATOM, BYTES("window"));
    const struct bytes summer[] = {BYTES("summer"), BYTES("summer")};
    const struct bytes winter[] = {BYTES("winter")};
    policy_atoms_clear(policy, atoms);
    policy_atom_set_boolean(policy, atoms, minor, true);
    policy_atom_set_ordered(policy, atoms, level, BYTES("substantial"));
    policy_atom_set_values(policy, atoms, window, summer, 2);
    /* citizen_is_minor 1, low and substantial 2, summer 1. */
    assert_int_equal(__builtin_popcountll(atoms[0].is_true), 4);
    assert_int_equal(~atoms[0].is_unknown & ((UINT64_C(1) << 6) - 1), 0x3f);
    policy_atom_set_ordered(policy, atoms, minor, BYTES("substantial"));
    policy_atom_set_boolean(policy, atoms, level, true);
    policy_atom_set_values(policy, atoms, window, winter, 1);
    assert_int_equal(atoms[0].is_true, 0);
    assert_true(atoms[0].is_unknown == UINT64_MAX);
    policy_atom_set_values(policy, atoms, window, NULL, 0);
    assert_int_equal(atoms[0].is_true, 0);
    assert_int_equal(__builtin_popcountll(~atoms[0].is_unknown), 2);
}

static struct policy_actor caseworker(void)
{
    return (struct policy_actor){
        .service = POLICY_NONE,
        .class_count = 1,
        .classes = {policy_find(policy, POLICY_CLASS, BYTES("employment.caseworker"))}};
}

static void test_prospects_are_the_fields_that_a_permit_covers(void **state)
{
    (void)state;
    struct policy_prospect prospects[16];
    const struct policy_actor actor = caseworker();
    const uint16_t purpose = policy_find(policy, POLICY_PURPOSE, BYTES("employment.support"));
    assert_int_equal(policy_prospects(policy, &actor, purpose, 0, prospects), 5);
    assert_int_equal(prospects[0].field, field("employment.status"));
    assert_int_equal(prospects[1].field, field("identity.birth_date"));
    assert_int_equal(prospects[1].most, 2);
    assert_int_equal(prospects[1].least, 2);
    assert_int_equal(prospects[1].with_consent, 2);
    assert_int_equal(prospects[1].bases, 1 << POLICY_CONSENT);
    assert_int_equal(prospects[1].must, 3);
    /* After the rule's end there is nothing, nor for another purpose, nor without a class. */
    assert_int_equal(policy_prospects(policy, &actor, purpose, INT64_C(1861919999), prospects), 0);
    assert_int_equal(policy_prospects(policy, &actor, (uint16_t)(purpose + 1), 0, prospects), 0);
    assert_int_equal(policy_prospects(policy, &actor, POLICY_NONE, 0, prospects), 0);
    const struct policy_actor nobody = {.service = POLICY_NONE};
    assert_int_equal(policy_prospects(policy, &nobody, purpose, 0, prospects), 0);
}

/* What is left of the sample's five fields when a forbid is added. */
static size_t prospects_beside(const char *forbid)
{
    struct policy_prospect prospects[16];
    char more[1024];
    snprintf(more, sizeof more, ",\n{\"id\":\"no\",\"effect\":\"forbid\",%s}" END_OF_RULES, forbid);
    char *rules = replaced(SAMPLE_RULES, END_OF_RULES, more);
    VAULT_AUTO(policy_free) struct policy *other = sample_load(SAMPLE_CATALOGUE, rules);
    const struct policy_actor actor = caseworker();
    free(rules);
    return policy_prospects(other, &actor,
                            policy_find(other, POLICY_PURPOSE, BYTES("employment.support")), 0,
                            prospects);
}

static void test_what_a_forbid_always_takes_away_is_no_prospect(void **state)
{
    (void)state;
#define ALL_FIELDS "\"who\":\"any\",\"purposes\":\"any\",\"fields\":\"any\""
    assert_int_equal(prospects_beside(ALL_FIELDS), 0);
    assert_int_equal(
        prospects_beside("\"who\":\"any\",\"purposes\":\"any\",\"fields\":[\"identity.name\"]"), 4);
    assert_int_equal(prospects_beside(ALL_FIELDS ",\"when\":{\"citizen_is_minor\":true}"), 5);
    assert_int_equal(prospects_beside(ALL_FIELDS ",\"when\":{\"citizen_is_minor\":false}"), 0);
    assert_int_equal(prospects_beside(ALL_FIELDS ",\"when\":{\"assurance_at_least\":\"low\"}"), 0);
    assert_int_equal(prospects_beside(ALL_FIELDS ",\"when\":{\"assurance_at_least\":\"high\"}"), 5);
    assert_int_equal(prospects_beside(ALL_FIELDS ",\"when\":{\"window\":\"summer\"}"), 5);
    assert_int_equal(
        prospects_beside(ALL_FIELDS ",\"in_force\":{\"until\":\"2028-06-01T00:00:00Z\"}"), 5);
    assert_int_equal(
        prospects_beside(ALL_FIELDS ",\"in_force\":{\"from\":\"2027-01-01T00:00:00Z\"}"), 0);
}

/* The number that may be promised for the birth date when a rule is added to the sample's. */
static int64_t promised_beside(const char *rule)
{
    char more[1024];
    snprintf(more, sizeof more, ",\n{\"id\":\"more\",%s}" END_OF_RULES, rule);
    char *rules = replaced(SAMPLE_RULES, END_OF_RULES, more);
    VAULT_AUTO(policy_free) struct policy *other = sample_load(SAMPLE_CATALOGUE, rules);
    const struct policy_actor actor = caseworker();
    free(rules);
    return policy_prospect_number(
        other, &actor, policy_find(other, POLICY_PURPOSE, BYTES("employment.support")),
        policy_find(other, POLICY_FIELD, BYTES("identity.birth_date")), 0,
        policy_find(other, POLICY_OBLIGATION, BYTES("retain_at_most_days")));
}

static void test_only_the_largest_number_of_the_permits_on_consent_is_promised(void **state)
{
    (void)state;
#define BESIDE(effect, more)                                                                       \
    "\"effect\":\"" effect "\",\"who\":\"any\",\"purposes\":[\"employment.support\"],"             \
    "\"fields\":[\"identity.birth_date\"]" more
#define PERMIT(more) BESIDE("permit", ",\"why\":{\"en\":\"w\"}" more)
    assert_int_equal(promised_beside(BESIDE("forbid", ",\"when\":{\"citizen_is_minor\":true}")),
                     730);
    assert_int_equal(
        promised_beside(PERMIT(",\"basis\":\"consent\",\"must\":{\"retain_at_most_days\":30}")),
        730);
    assert_int_equal(
        promised_beside(PERMIT(",\"basis\":\"consent\",\"must\":{\"retain_at_most_days\":900}")),
        900);
    assert_int_equal(promised_beside(PERMIT(",\"basis\":\"public_task\"")), 730);
    /* One that sets no number, or nothing at all that could be released: no promise. */
    assert_int_equal(promised_beside(PERMIT(",\"basis\":\"consent\"")), 0);
    assert_int_equal(promised_beside(BESIDE("forbid", "")), 0);
}

int main(void)
{
    if (sample_start())
        return 1;
    policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    const int result =
        TEST_RUN(test_every_id_is_found_again_in_the_order_of_its_bytes,
                 test_a_name_that_is_not_there_is_none,
                 test_titles_come_in_the_language_or_else_in_the_other,
                 test_fields_say_their_type_and_forms, test_a_derived_field_names_its_sources,
                 test_purposes_and_obligations, test_an_atom_of_the_wrong_kind_or_value_is_unknown,
                 test_prospects_are_the_fields_that_a_permit_covers,
                 test_what_a_forbid_always_takes_away_is_no_prospect,
                 test_only_the_largest_number_of_the_permits_on_consent_is_promised);
    policy_free(&policy);
    return result;
}
