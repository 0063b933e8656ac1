/* The meaning of a bundle (contract, section 3), case by case. */
#include "vault/policy/decide.h"

#include "policy/model.h"
#include "sample.h"

#define AT_NOW "\"now\":\"2027-03-01T10:00:00Z\""
#define SERVICE                                                                                    \
    "\"service\":{\"id\":\"plie-rennes\",\"classes\":[\"employment.caseworker\"],"                 \
    "\"purposes\":[\"employment.support\"]},\"purpose\":\"employment.support\""
#define ATOMS "\"atoms\":{\"assurance_at_least\":\"high\",\"citizen_is_minor\":false}"
#define CONSENT                                                                                    \
    "{\"id\":\"c1\",\"service\":\"plie-rennes\",\"purpose\":\"employment.support\","               \
    "\"state\":\"given\",\"at\":\"2027-02-01T00:00:00Z\",\"expires\":\"2028-02-01T00:00:00Z\","    \
    "\"fields\":{\"employment.status\":null,\"identity.birth_date\":null,\"identity.name\":null}}"

/* A request for one field that is released as it stands; tests replace parts of it. */
#define REQUEST                                                                                    \
    "{\"id\":\"r\"," AT_NOW "," SERVICE ",\"fields\":{\"employment.status\":null}," ATOMS          \
    ",\"consents\":[" CONSENT "]}"

#define RULE(id, effect, rest)                                                                     \
    "{\"id\":\"" id "\",\"effect\":\"" effect                                                      \
    "\",\"who\":{\"classes\":[\"employment.caseworker\"]},"                                        \
    "\"purposes\":[\"employment.support\"],\"fields\":[\"employment.status\"]," rest "}"
#define PERMIT(id, basis, rest) RULE(id, "permit", "\"basis\":\"" basis "\"" rest)
#define FORBID(id, rest)        RULE(id, "forbid", rest)

/* The bundle: the sample's one rule, or these instead. */
static struct policy *rules_of(const char *rules)
{
    char text[4096];
    snprintf(text, sizeof text, "{\"format\":\"vault-rules/1\",\"policy\":\"p\",\"rules\":[%s]}",
             rules);
    return sample_load(SAMPLE_CATALOGUE, text);
}

/* What the field comes to, from a request with one part replaced. */
static void assert_field(const struct policy *policy, const char *part, const char *other,
                         const char *expected)
{
    char *request = replaced(REQUEST, part, other);
    char *answer = sample_answer(policy, request);
    const char *begin = "{\"fields\":{\"employment.status\":";
    char whole[1024];
    snprintf(whole, sizeof whole, "%s%s},\"id\":\"r\"}", begin, expected);
    if (strcmp(answer, whole) != 0)
        fail_msg("%s\n gave %s\n not  %s", request, answer, whole);
    free(request);
    free(answer);
}

static void assert_outcome(const struct policy *policy, const char *part, const char *other,
                           const char *outcome)
{
    char expected[128];
    snprintf(expected, sizeof expected, "{\"by\":[],\"outcome\":\"%s\"}", outcome);
    assert_field(policy, part, other, expected);
}

#define RELEASED_BY(rules) "{\"by\":[" rules "],\"form\":\"as_is\",\"outcome\":\"released\"}"
#define CORE_RELEASES                                                                              \
    "{\"by\":[\"core\"],\"form\":\"as_is\",\"must\":{\"notify_citizen\":true,"                     \
    "\"retain_at_most_days\":730},\"outcome\":\"released\"}"

static void test_a_permit_with_consent_and_conditions_releases(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    assert_field(policy, "\"r\"", "\"r\"", CORE_RELEASES);
}

static void test_no_rules_release_nothing(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, NULL);
    assert_outcome(policy, "\"r\"", "\"r\"", "no_rule");
}

static void test_each_reason_has_its_case(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    static const struct {
        const char *part;
        const char *other;
        const char *outcome;
    } cases[] = {
        {":null}," ATOMS, ":\"initial\"}," ATOMS, "bad_form"},
        {":null}," ATOMS, ":\"nonsense\"}," ATOMS, "bad_form"},
        {"\"purposes\":[\"employment.support\"]", "\"purposes\":[\"library.card\"]",
         "purpose_not_registered"},
        {"\"purposes\":[\"employment.support\"]", "\"purposes\":[]", "purpose_not_registered"},
        {"[\"employment.caseworker\"]", "[\"library\"]", "no_rule"},
        {"[\"employment.caseworker\"]", "[]", "no_rule"},
        {"[\"employment.caseworker\"]", "[\"unknown.class\"]", "no_rule"},
        {"2027-03-01T10", "2026-12-31T10", "not_in_force"},
        {"2027-03-01T10:00:00Z", "2028-12-31T23:59:59Z", "not_in_force"},
        {"\"high\"", "\"low\"", "conditions"},
        {"\"high\"", "7", "conditions"},
        {"\"citizen_is_minor\":false", "\"citizen_is_minor\":true", "conditions"},
        {"\"citizen_is_minor\":false", "\"citizen_is_minor\":\"false\"", "conditions"},
        {",\"citizen_is_minor\":false", "", "conditions"},
        {"\"consents\":[" CONSENT "]", "\"consents\":[]", "no_consent"},
        {",\"consents\":[" CONSENT "]", "", "no_consent"},
        {"\"at\":\"2027-02", "\"at\":\"2027-04", "no_consent"},
        {"{\"id\":\"c1\",\"service\":\"plie-rennes\"", "{\"id\":\"c1\",\"service\":\"other\"",
         "no_consent"},
        {"\"given\"", "\"refused\"", "refused"},
        {"\"given\"", "\"withdrawn\"", "withdrawn"},
        {"\"expires\":\"2028-02-01T00:00:00Z\"", "\"expires\":\"2027-03-01T10:00:00Z\"", "expired"},
        {"\"given\"", "\"suspended\"", "suspended"},
        {"\"given\"", "\"given\",\"uses_left\":0", "used_up"},
        {"\"employment.status\":null,\"identity", "\"identity", "out_of_scope"},
        {"\"employment.status\":null,\"identity", "\"employment.status\":\"city\",\"identity",
         "out_of_scope"},
        {"\"id\":\"r\"", "\"id\":\"r\",\"unmet\":[\"notify_citizen\"]", "obligation"},
        {"\"id\":\"r\"", "\"id\":\"r\",\"values\":{}", "no_value"},
        {"\"id\":\"r\"", "\"id\":\"r\",\"values\":{\"employment.status\":7}", "error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_outcome(policy, cases[i].part, cases[i].other, cases[i].outcome);
}

static void test_the_first_reason_that_fits_is_given(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy = rules_of(PERMIT("a", "consent", "") "," FORBID("b", "\"when\":{}"));
    assert_field(policy, "\"r\"", "\"r\"", "{\"by\":[\"b\"],\"outcome\":\"forbidden\"}");
    assert_outcome(policy, "\"purposes\":[\"employment.support\"]", "\"purposes\":[]",
                   "purpose_not_registered");
    assert_outcome(policy, ":null}," ATOMS, ":\"nonsense\"}," ATOMS, "bad_form");
    /* Refused and withdrawn come before expired, and that before suspended and used up. */
    VAULT_AUTO(policy_free) struct policy *plain = rules_of(PERMIT("a", "consent", ""));
    const char *part = "\"given\",\"at\":\"2027-02-01T00:00:00Z\",\"expires\":\"2028";
    assert_outcome(plain, part, "\"withdrawn\",\"at\":\"2027-02-01T00:00:00Z\",\"expires\":\"2027",
                   "withdrawn");
    assert_outcome(plain, part, "\"suspended\",\"at\":\"2027-02-01T00:00:00Z\",\"expires\":\"2027",
                   "expired");
    assert_outcome(plain, "\"given\"", "\"suspended\",\"uses_left\":0", "suspended");
}

static void test_an_unknown_field_is_said_to_be_unknown(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    char *request =
        replaced(REQUEST, "{\"employment.status\":null}", "{\"employment.x\":\"year\"}");
    char *answer = sample_answer(policy, request);
    assert_string_equal(answer, "{\"fields\":{\"employment.x\":{\"by\":[],\"outcome\":"
                                "\"unknown_field\"}},\"id\":\"r\"}");
    free(request);
    free(answer);
}

static void test_a_forbid_wins_over_any_number_of_permits(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy = rules_of(PERMIT("a", "contract", "") "," PERMIT(
        "b", "vital_interests", "") "," FORBID("no", "\"when\":{\"citizen_is_minor\":false}"));
    assert_field(policy, "\"r\"", "\"r\"", "{\"by\":[\"no\"],\"outcome\":\"forbidden\"}");
    assert_field(policy, "\"citizen_is_minor\":false", "\"citizen_is_minor\":true",
                 RELEASED_BY("\"a\",\"b\""));
}

static void test_what_is_unknown_counts_for_the_forbid_and_against_the_permit(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy = rules_of(
        PERMIT("a", "contract", "") "," FORBID("no", "\"when\":{\"citizen_is_minor\":true}"));
    assert_field(policy, ",\"citizen_is_minor\":false", "",
                 "{\"by\":[\"no\"],\"outcome\":\"forbidden_unknown\"}");
    assert_field(policy, "\"citizen_is_minor\":false", "\"citizen_is_minor\":[]",
                 "{\"by\":[\"no\"],\"outcome\":\"forbidden_unknown\"}");
    VAULT_AUTO(policy_free)
    struct policy *permit =
        rules_of(PERMIT("a", "contract", ",\"when\":{\"citizen_is_minor\":false}"));
    assert_outcome(permit, ",\"citizen_is_minor\":false", "", "conditions");
}

static void test_an_unknown_forbid_beside_a_sure_one_is_listed_too(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy = rules_of(
        FORBID("sure", "\"when\":{}") "," FORBID("maybe", "\"when\":{\"window\":\"summer\"}"));
    assert_field(policy, "\"r\"", "\"r\"",
                 "{\"by\":[\"maybe\",\"sure\"],\"outcome\":\"forbidden\"}");
}

static void test_the_form_is_the_strictest_of_all_that_apply(void **state)
{
    (void)state;
    static const char *const rules =
        "{\"id\":\"a\",\"effect\":\"permit\",\"who\":\"any\",\"purposes\":\"any\",\"fields\":"
        "\"any\","
        "\"basis\":\"contract\",\"release\":{\"identity.birth_date\":\"month\"}},"
        "{\"id\":\"b\",\"effect\":\"permit\",\"who\":\"any\",\"purposes\":\"any\",\"fields\":"
        "\"any\","
        "\"basis\":\"consent\",\"release\":{\"identity.birth_date\":\"as_is\"}}";
    VAULT_AUTO(policy_free) struct policy *policy = rules_of(rules);
    static const struct {
        const char *asked;
        const char *consented;
        const char *form;
    } cases[] = {
        {"null", "null", "month"},
        {"\"as_is\"", "null", "month"},
        {"\"year\"", "null", "year"},
        {"null", "\"year\"", "year"},
        {"\"month\"", "\"present\"", "present"},
        {"\"age_band\"", "\"as_is\"", "age_band"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char asked[128];
        char consented[128];
        char expected[256];
        snprintf(asked, sizeof asked, "\"fields\":{\"identity.birth_date\":%s}", cases[i].asked);
        snprintf(consented, sizeof consented, "\"identity.birth_date\":%s,\"identity.name\"",
                 cases[i].consented);
        snprintf(expected, sizeof expected,
                 "{\"fields\":{\"identity.birth_date\":{\"by\":[\"a\",\"b\"],\"form\":\"%s\","
                 "\"outcome\":\"released\"}},\"id\":\"r\"}",
                 cases[i].form);
        char *first = replaced(REQUEST, "\"fields\":{\"employment.status\":null}", asked);
        char *second = replaced(first, "\"identity.birth_date\":null,\"identity.name\"", consented);
        char *answer = sample_answer(policy, second);
        assert_string_equal(answer, expected);
        free(first);
        free(second);
        free(answer);
    }
}

static void test_a_consent_binds_only_where_a_permit_rests_on_it(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = rules_of(PERMIT("a", "contract", ""));
    assert_field(policy, "\"employment.status\":null,\"identity",
                 "\"employment.status\":"
                 "\"present\",\"identity",
                 RELEASED_BY("\"a\""));
    assert_field(policy, "\"given\"", "\"withdrawn\"", RELEASED_BY("\"a\""));
}

static void test_bases_and_objections(void **state)
{
    (void)state;
    static const char *const never_stopped[] = {"contract", "legal_obligation", "vital_interests"};
    static const char *const stopped[] = {"public_task", "legitimate_interests"};
#define OBJECTION(at)                                                                              \
    "\"id\":\"r\",\"objections\":[{\"service\":\"plie-rennes\",\"purpose\":"                       \
    "\"employment.support\",\"at\":\"" at "\"}]"
    for (size_t i = 0; i < 3; i++) {
        char rules[512];
        snprintf(rules, sizeof rules, PERMIT("a", "%s", ""), never_stopped[i]);
        VAULT_AUTO(policy_free) struct policy *policy = rules_of(rules);
        assert_field(policy, "\"id\":\"r\"", OBJECTION("2027-02-01T00:00:00Z"),
                     RELEASED_BY("\"a\""));
    }
    for (size_t i = 0; i < 2; i++) {
        char rules[512];
        snprintf(rules, sizeof rules, PERMIT("a", "%s", ""), stopped[i]);
        VAULT_AUTO(policy_free) struct policy *policy = rules_of(rules);
        assert_field(policy, "\"r\"", "\"r\"", RELEASED_BY("\"a\""));
        assert_outcome(policy, "\"id\":\"r\"", OBJECTION("2027-02-01T00:00:00Z"), "objection");
        assert_outcome(policy, "\"id\":\"r\"", OBJECTION("2027-03-01T10:00:00Z"), "objection");
        assert_field(policy, "\"id\":\"r\"", OBJECTION("2027-03-01T10:00:01Z"),
                     RELEASED_BY("\"a\""));
    }
}

static void test_the_permit_that_came_furthest_gives_the_reason(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy = rules_of(
        PERMIT("a", "contract", ",\"in_force\":{\"until\":\"2027-01-01T00:00:00Z\"}") "," PERMIT(
            "b", "contract", ",\"when\":{\"citizen_is_minor\":true}") "," PERMIT("c", "consent",
                                                                                 ""));
    assert_outcome(policy, ",\"consents\":[" CONSENT "]", "", "no_consent");
    assert_outcome(policy, "\"given\"", "\"given\",\"uses_left\":0", "used_up");
    VAULT_AUTO(policy_free)
    struct policy *two = rules_of(
        PERMIT("a", "contract", ",\"in_force\":{\"until\":\"2027-01-01T00:00:00Z\"}") "," PERMIT(
            "b", "contract", ",\"when\":{\"citizen_is_minor\":true}"));
    assert_outcome(two, "\"r\"", "\"r\"", "conditions");
}

static void test_obligations_are_the_union_and_the_smallest(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy =
        rules_of(PERMIT("a", "contract",
                        ",\"must\":{\"retain_at_most_days\":90,\"notify_citizen\":"
                        "false}") "," PERMIT("b", "contract",
                                             ",\"must\":{\"retain_at_most_days\":"
                                             "30}") "," PERMIT("c", "contract",
                                                               ",\"must\":{"
                                                               "\"notify_"
                                                               "citizen\":true},"
                                                               "\"when\":{"
                                                               "\"citizen_is_"
                                                               "minor\":true}"));
    assert_field(policy, "\"r\"", "\"r\"",
                 "{\"by\":[\"a\",\"b\"],\"form\":\"as_is\",\"must\":{\"retain_at_most_days\":30},"
                 "\"outcome\":\"released\"}");
    assert_field(policy, "\"id\":\"r\"", "\"id\":\"r\",\"unmet\":[\"notify_citizen\"]",
                 "{\"by\":[\"a\",\"b\"],\"form\":\"as_is\",\"must\":{\"retain_at_most_days\":30},"
                 "\"outcome\":\"released\"}");
    assert_outcome(policy, "\"id\":\"r\"", "\"id\":\"r\",\"unmet\":[\"retain_at_most_days\"]",
                   "obligation");
}

static void test_only_the_newest_record_counts(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = rules_of(PERMIT("a", "consent", ""));
#define RECORD(state, at)                                                                          \
    "{\"id\":\"x\",\"service\":\"plie-rennes\",\"purpose\":\"employment.support\",\"state\":"      \
    "\"" state "\",\"at\":\"" at "\"}"
#define LIST(first, second) "\"consents\":[" first "," second "]"
    const char *part = "\"consents\":[" CONSENT "]";
    assert_outcome(policy, part, LIST(CONSENT, RECORD("withdrawn", "2027-02-02T00:00:00Z")),
                   "withdrawn");
    assert_outcome(policy, part, LIST(RECORD("withdrawn", "2027-02-02T00:00:00Z"), CONSENT),
                   "withdrawn");
    assert_field(policy, part, LIST(CONSENT, RECORD("withdrawn", "2027-01-31T00:00:00Z")),
                 RELEASED_BY("\"a\""));
    assert_field(policy, part, LIST(RECORD("withdrawn", "2027-03-01T10:00:01Z"), CONSENT),
                 RELEASED_BY("\"a\""));
    assert_outcome(policy, part, LIST(RECORD("refused", "2027-02-02T00:00:00Z"), CONSENT),
                   "refused");
}

static void test_of_records_of_the_same_time_the_one_that_allows_less_counts(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = rules_of(PERMIT("a", "consent", ""));
    const char *part = "\"consents\":[" CONSENT "]";
    assert_outcome(policy, part, LIST(CONSENT, RECORD("withdrawn", "2027-02-01T00:00:00Z")),
                   "withdrawn");
    assert_outcome(policy, part,
                   LIST(RECORD("withdrawn", "2027-02-01T00:00:00Z"),
                        RECORD("refused", "2027-02-01T00:00:00Z")),
                   "refused");
#define OTHER(fields)                                                                              \
    "{\"id\":\"c2\",\"service\":\"plie-rennes\",\"purpose\":\"employment.support\","               \
    "\"state\":\"given\",\"at\":\"2027-02-01T00:00:00Z\",\"expires\":\"2028-02-01T00:00:00Z\","    \
    "\"fields\":{" fields "}}"
    assert_outcome(policy, part, LIST(CONSENT, OTHER("")), "out_of_scope");
    assert_field(policy, part, LIST(OTHER("\"employment.status\":\"present\""), CONSENT),
                 "{\"by\":[\"a\"],\"form\":\"present\",\"outcome\":\"released\"}");
}

static void test_a_service_of_two_classes_is_forbidden_by_either(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy = rules_of(
        PERMIT("a", "contract",
               "") ",{\"id\":\"no\",\"effect\":\"forbid\",\"who\":{\"classes\":[\"library\"]},"
                   "\"purposes\":\"any\",\"fields\":[\"employment.*\"]}");
    assert_field(policy, "\"r\"", "\"r\"", RELEASED_BY("\"a\""));
    assert_field(policy, "[\"employment.caseworker\"]", "[\"library\",\"employment.caseworker\"]",
                 "{\"by\":[\"no\"],\"outcome\":\"forbidden\"}");
    assert_field(policy, "[\"employment.caseworker\"]", "[\"employment.caseworker\",\"no.such\"]",
                 RELEASED_BY("\"a\""));
}

static void test_a_rule_for_several_of_the_classes_is_named_once(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy =
        rules_of("{\"id\":\"a\",\"effect\":\"permit\",\"who\":{\"classes\":[\"library\","
                 "\"employment.caseworker\",\"library\"]},\"purposes\":[\"employment.support\","
                 "\"employment.support\"],\"fields\":[\"employment.*\",\"employment.status\"],"
                 "\"basis\":\"contract\"}");
    assert_field(policy, "[\"employment.caseworker\"]",
                 "[\"library\",\"employment.caseworker\",\"library\"]", RELEASED_BY("\"a\""));
}

static void test_a_rule_for_a_service_covers_it_by_its_id(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy =
        rules_of("{\"id\":\"a\",\"effect\":\"permit\",\"who\":{\"services\":[\"plie-rennes\"]},"
                 "\"purposes\":\"any\",\"fields\":\"any\",\"basis\":\"contract\"}");
    assert_field(policy, "\"r\"", "\"r\"", RELEASED_BY("\"a\""));
    assert_outcome(policy, "\"service\":{\"id\":\"plie-rennes\"",
                   "\"service\":{\"id\":\"plie-nantes\"", "no_rule");
    /* Without one known class no rule covers it. */
    assert_outcome(policy, "[\"employment.caseworker\"]", "[\"no.such\"]", "no_rule");
}

static void test_any_covers_no_unknown_purpose_or_class(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy =
        rules_of("{\"id\":\"a\",\"effect\":\"permit\",\"who\":\"any\",\"purposes\":\"any\","
                 "\"fields\":\"any\",\"basis\":\"contract\"}");
    assert_field(policy, "\"r\"", "\"r\"", RELEASED_BY("\"a\""));
    assert_outcome(policy, "[\"employment.caseworker\"]", "[\"no.such\"]", "no_rule");
    assert_outcome(policy,
                   "\"purposes\":[\"employment.support\"]},\"purpose\":\"employment.support\"",
                   "\"purposes\":[\"no.such\"]},\"purpose\":\"no.such\"", "no_rule");
}

static void test_ordered_atoms_are_minima_and_sets_are_looked_into(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy = rules_of(
        PERMIT("a", "contract", ",\"when\":{\"assurance_at_least\":\"substantial\"}") "," PERMIT(
            "b", "contract", ",\"when\":{\"window\":\"office_hours\"}"));
    assert_field(policy, "\"high\"", "\"high\"", RELEASED_BY("\"a\""));
    assert_field(policy, "\"high\"", "\"substantial\"", RELEASED_BY("\"a\""));
    assert_outcome(policy, "\"high\"", "\"low\"", "conditions");
    assert_field(policy, "\"high\"", "\"low\",\"window\":[\"summer\",\"office_hours\"]",
                 RELEASED_BY("\"b\""));
    assert_outcome(policy, "\"high\"", "\"low\",\"window\":[]", "conditions");
    assert_outcome(policy, "\"high\"", "\"low\",\"window\":[\"office_hours\",\"winter\"]",
                   "conditions");
    assert_outcome(policy, "\"high\"", "\"low\",\"window\":\"office_hours\"", "conditions");
}

static void test_an_empty_set_is_known_to_be_empty(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy =
        rules_of(PERMIT("a", "contract", "") "," FORBID("no", "\"when\":{\"window\":\"summer\"}"));
    assert_field(policy, "\"high\"", "\"high\",\"window\":[]", RELEASED_BY("\"a\""));
    assert_field(policy, "\"high\"", "\"high\",\"window\":[\"office_hours\"]",
                 RELEASED_BY("\"a\""));
    assert_field(policy, "\"high\"", "\"high\",\"window\":[\"summer\"]",
                 "{\"by\":[\"no\"],\"outcome\":\"forbidden\"}");
    assert_field(policy, "\"high\"", "\"high\",\"window\":null",
                 "{\"by\":[\"no\"],\"outcome\":\"forbidden_unknown\"}");
}

static void test_a_deposit_rule_releases_nothing(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = rules_of(RULE("d", "deposit", "\"when\":{}"));
    assert_outcome(policy, "\"r\"", "\"r\"", "no_rule");
}

/* --- the calls themselves, with arrays as the vault has them --- */

struct asking {
    struct policy_atom_word atoms[POLICY_ATOM_WORDS_MAX];
    struct policy_ask asks[2];
    struct policy_request request;
    struct policy_consent_field fields[1];
    struct policy_consent consent;
    struct policy_stance stance;
};

static void ask(const struct policy *policy, struct asking *asking)
{
    const uint16_t status = policy_find(policy, POLICY_FIELD, BYTES("employment.status"));
    *asking = (struct asking){.asks = {{status, POLICY_FORM_ANY}, {POLICY_NONE, 0}}};
    policy_atoms_clear(policy, asking->atoms);
    policy_atom_set_ordered(policy, asking->atoms,
                            policy_find(policy, POLICY_ATOM, BYTES("assurance_at_least")),
                            BYTES("high"));
    policy_atom_set_boolean(policy, asking->atoms,
                            policy_find(policy, POLICY_ATOM, BYTES("citizen_is_minor")), false);
    asking->request = (struct policy_request){
        .actor = {.service = POLICY_NONE,
                  .class_count = 1,
                  .classes = {policy_find(policy, POLICY_CLASS, BYTES("employment.caseworker"))}},
        .purpose = policy_find(policy, POLICY_PURPOSE, BYTES("employment.support")),
        .purpose_registered = true,
        .now_s = 1803896000, /* 2027-03-01 */
        .atoms = asking->atoms,
        .asks = asking->asks,
        .ask_count = 2,
    };
    asking->fields[0] = (struct policy_consent_field){status, POLICY_FORM_ANY};
    asking->consent = (struct policy_consent){.at_s = 0,
                                              .expires_s = INT64_MAX,
                                              .uses_left = POLICY_USES_UNLIMITED,
                                              .fields = asking->fields,
                                              .field_count = 1};
    asking->stance = (struct policy_stance){.consents = &asking->consent, .consent_count = 1};
}

static void test_an_outcome_says_which_rules_and_obligations(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    struct asking asking;
    struct policy_outcome outcomes[2];
    uint16_t rules[POLICY_FIELD_RULES_MAX];
    ask(policy, &asking);
    policy_decide(policy, &asking.request, &asking.stance, outcomes);
    assert_int_equal(outcomes[0].reason, REASON_RELEASED);
    assert_int_equal(outcomes[0].form, 0);
    assert_int_equal(outcomes[0].bases, 1 << POLICY_CONSENT);
    assert_int_equal(policy_outcome_rules(policy, &asking.request, 0, &outcomes[0], rules), 1);
    assert_string_equal(policy_id(policy, POLICY_RULE, rules[0]), "core");
    const uint16_t days = policy_find(policy, POLICY_OBLIGATION, BYTES("retain_at_most_days"));
    assert_true(outcomes[0].must >> days & 1);
    assert_int_equal(policy_outcome_must(policy, &asking.request, 0, &outcomes[0], days), 730);
    assert_int_equal(outcomes[1].reason, REASON_UNKNOWN_FIELD);
    assert_int_equal(policy_outcome_rules(policy, &asking.request, 1, &outcomes[1], rules), 0);
}

static void test_once_turned_into_no_value_an_outcome_names_no_rule(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    struct asking asking;
    struct policy_outcome outcomes[2];
    uint16_t rules[POLICY_FIELD_RULES_MAX];
    ask(policy, &asking);
    policy_decide(policy, &asking.request, &asking.stance, outcomes);
    outcomes[0].reason = REASON_NO_VALUE;
    assert_int_equal(policy_outcome_rules(policy, &asking.request, 0, &outcomes[0], rules), 0);
}

static void test_no_policy_releases_nothing(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    struct asking asking;
    struct policy_outcome outcomes[2];
    ask(policy, &asking);
    policy_decide(NULL, &asking.request, &asking.stance, outcomes);
    assert_int_equal(outcomes[0].reason, REASON_POLICY_UNAVAILABLE);
    assert_int_equal(outcomes[1].reason, REASON_POLICY_UNAVAILABLE);
    assert_false(policy_may_deposit(NULL, &asking.request, 0));
}

static void test_outside_its_time_a_bundle_releases_nothing(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    struct asking asking;
    struct policy_outcome outcomes[2];
    ask(policy, &asking);
    const int64_t now_s = asking.request.now_s;
    policy->not_before_s = now_s + 1;
    policy_decide(policy, &asking.request, &asking.stance, outcomes);
    assert_int_equal(outcomes[0].reason, REASON_POLICY_UNAVAILABLE);
    assert_int_equal(outcomes[1].reason, REASON_POLICY_UNAVAILABLE);
    policy->not_before_s = now_s;
    policy->expires_s = now_s + 1;
    policy_decide(policy, &asking.request, &asking.stance, outcomes);
    assert_int_equal(outcomes[0].reason, REASON_RELEASED);
    policy->expires_s = now_s;
    policy_decide(policy, &asking.request, &asking.stance, outcomes);
    assert_int_equal(outcomes[0].reason, REASON_POLICY_UNAVAILABLE);
}

static void test_deposits_need_a_rule_in_force_with_its_conditions_met(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free)
    struct policy *policy =
        rules_of(RULE("d", "deposit",
                      "\"when\":{\"citizen_is_minor\":false},\"in_force\":{\"from\":\"2027-01-"
                      "01T00:00:00Z\"}") "," FORBID("no", "\"when\":{}"));
    const uint16_t status = policy_find(policy, POLICY_FIELD, BYTES("employment.status"));
    const uint16_t minor = policy_find(policy, POLICY_ATOM, BYTES("citizen_is_minor"));
    struct asking asking;
    ask(policy, &asking);
    assert_true(policy_may_deposit(policy, &asking.request, status));
    assert_false(policy_may_deposit(policy, &asking.request, (uint16_t)(status + 1)));
    assert_false(policy_may_deposit(policy, &asking.request, POLICY_NONE));
    policy_atom_set_boolean(policy, asking.atoms, minor, true);
    assert_false(policy_may_deposit(policy, &asking.request, status));
    policy_atoms_clear(policy, asking.atoms);
    assert_false(policy_may_deposit(policy, &asking.request, status));
    policy_atom_set_boolean(policy, asking.atoms, minor, false);
    asking.request.now_s = 0;
    assert_false(policy_may_deposit(policy, &asking.request, status));
    ask(policy, &asking);
    asking.request.purpose_registered = false;
    assert_false(policy_may_deposit(policy, &asking.request, status));
}

static void test_consent_fields_are_sorted_and_the_stricter_of_two_stays(void **state)
{
    (void)state;
    struct policy_consent_field fields[] = {
        {7, POLICY_FORM_ANY}, {3, 2}, {POLICY_NONE, 0}, {7, 1}, {3, 1}, {5, POLICY_FORM_NONE},
    };
    assert_int_equal(policy_consent_sort(fields, 6), 3);
    assert_int_equal(fields[0].field, 3);
    assert_int_equal(fields[0].form, 2);
    assert_int_equal(fields[1].field, 5);
    assert_int_equal(fields[1].form, POLICY_FORM_NONE);
    assert_int_equal(fields[2].field, 7);
    assert_int_equal(fields[2].form, 1);
    assert_int_equal(policy_consent_sort(fields, 0), 0);
}

int main(void)
{
    if (sample_start())
        return 1;
    return TEST_RUN(
        test_a_permit_with_consent_and_conditions_releases, test_no_rules_release_nothing,
        test_each_reason_has_its_case, test_the_first_reason_that_fits_is_given,
        test_an_unknown_field_is_said_to_be_unknown, test_a_forbid_wins_over_any_number_of_permits,
        test_what_is_unknown_counts_for_the_forbid_and_against_the_permit,
        test_an_unknown_forbid_beside_a_sure_one_is_listed_too,
        test_the_form_is_the_strictest_of_all_that_apply,
        test_a_consent_binds_only_where_a_permit_rests_on_it, test_bases_and_objections,
        test_the_permit_that_came_furthest_gives_the_reason,
        test_obligations_are_the_union_and_the_smallest, test_only_the_newest_record_counts,
        test_of_records_of_the_same_time_the_one_that_allows_less_counts,
        test_a_service_of_two_classes_is_forbidden_by_either,
        test_a_rule_for_several_of_the_classes_is_named_once,
        test_a_rule_for_a_service_covers_it_by_its_id, test_any_covers_no_unknown_purpose_or_class,
        test_ordered_atoms_are_minima_and_sets_are_looked_into,
        test_an_empty_set_is_known_to_be_empty, test_a_deposit_rule_releases_nothing,
        test_an_outcome_says_which_rules_and_obligations,
        test_once_turned_into_no_value_an_outcome_names_no_rule, test_no_policy_releases_nothing,
        test_outside_its_time_a_bundle_releases_nothing,
        test_deposits_need_a_rule_in_force_with_its_conditions_met,
        test_consent_fields_are_sorted_and_the_stricter_of_two_stays);
}
