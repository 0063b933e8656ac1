/*
 * P20: a service that is denied a field cannot tell why. Whatever the reason that stands in the
 * log, the answer is the same to the byte, but for what no two answers have in common: the
 * release's id, the subject that the service itself gave, and the entry's place in the log.
 *
 * Three reasons do not come through the door: an objection and a suspension are not kept by the
 * vault, and no obligation is one that it cannot meet. An unknown field or purpose is a fault of
 * the request and is told as one.
 */
#include "opened.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault/store/citizen_value.h"

#define FIELD    "identity.birth_date"
#define BORN     "1990-05-17"
#define UNBORN   "2099-01-01" /* has no age */
#define MONTH_MS (31LL * 86400 * 1000)

static struct vault_test test;

static const char rules[] =
    "{\"format\":\"vault-rules/1\",\"policy\":\"denials\",\"rules\":["
    "{\"id\":\"core\",\"effect\":\"permit\",\"who\":{\"classes\":[\"employment.caseworker\"]},"
    "\"purposes\":[\"" SUPPORT "\"],\"fields\":[\"" FIELD "\"],\"basis\":\"consent\","
    "\"when\":{\"assurance_at_least\":\"substantial\"},\"release\":{\"default\":\"age_band\"}},"
    "{\"id\":\"never\",\"effect\":\"forbid\",\"who\":{\"services\":[\"forbidden-one\"]},"
    "\"purposes\":[\"" SUPPORT "\"],\"fields\":[\"" FIELD "\"]},"
    "{\"id\":\"not-to-all\",\"effect\":\"forbid\",\"who\":{\"services\":[\"doubtful-one\"]},"
    "\"purposes\":[\"" SUPPORT "\"],\"fields\":[\"" FIELD "\"],"
    "\"when\":{\"citizen_is_minor\":true}},"
    "{\"id\":\"later\",\"effect\":\"permit\",\"who\":{\"services\":[\"later-one\"]},"
    "\"purposes\":[\"" SUPPORT "\"],\"fields\":[\"" FIELD "\"],\"basis\":\"contract\","
    "\"in_force\":{\"from\":\"2040-01-01T00:00:00Z\"}}]}";

/* --- services --- */

static const struct {
    const char *id;
    const char *class;
    const char *purpose;
} services[] = {
    {"asking-one", "employment.caseworker", SUPPORT},
    {"forbidden-one", "employment.caseworker", SUPPORT},
    {"doubtful-one", "employment.caseworker", SUPPORT},
    {"later-one", "culture.library", SUPPORT},
    {"other-one", "culture.library", SUPPORT},
    {"elsewhere-one", "employment.caseworker", LENDING},
};

enum { ASKING, FORBIDDEN, DOUBTFUL, LATER, OTHER, ELSEWHERE, SERVICES };

static void key_of(size_t service, uint8_t key[SHA256_BYTES])
{
    memset(key, 0, SHA256_BYTES);
    key[0] = (uint8_t)(100 + service);
}

static void add_services(void)
{
    for (size_t i = 0; i < SERVICES; i++) {
        char text[512];
        uint8_t key[SHA256_BYTES];
        key_of(i, key);
        snprintf(text, sizeof text,
                 "{\"id\":\"%s\",\"name\":\"A\",\"contact\":\"a@b.example\",\"classes\":[\"%s\"],"
                 "\"purposes\":[\"%s\"],\"atoms\":[\"assurance_at_least\"]}",
                 services[i].id, services[i].class, services[i].purpose);
        assert_done(service_add(test.vault, bytes_of_text(text), &test_error));
        assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_SERVICE, services[i].id, key,
                                    INT64_MAX, &test_error));
    }
}

/* --- what comes before --- */

static struct consent_decision decision_for(size_t service, const struct consent_field *field)
{
    return (struct consent_decision){.service = services[service].id,
                                     .purpose = SUPPORT,
                                     .fields = field,
                                     .field_count = 1,
                                     .days = 30,
                                     .uses = CONSENT_UNLIMITED,
                                     .language = "fr",
                                     .text = "Le texte affiché."};
}

static void give_for(const struct citizen_id *citizen, const char *field, int64_t uses)
{
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    struct consent_field covered = {"", ""};
    snprintf(covered.name, sizeof covered.name, "%s", field);
    struct consent_decision decision = decision_for(ASKING, &covered);
    decision.uses = uses;
    assert_done(consent_give(test.vault, citizen, &decision, id, &seq, &test_error));
}

static void do_nothing(const struct citizen_id *citizen)
{
    (void)citizen;
}

static void give(const struct citizen_id *citizen)
{
    give_for(citizen, FIELD, CONSENT_UNLIMITED);
}

static void give_once(const struct citizen_id *citizen)
{
    give_for(citizen, FIELD, 1);
}

static void give_another_field(const struct citizen_id *citizen)
{
    give_for(citizen, "identity.name", CONSENT_UNLIMITED);
}

static void refuse(const struct citizen_id *citizen)
{
    static const struct consent_field covered = {FIELD, ""};
    const struct consent_decision decision = decision_for(ASKING, &covered);
    int64_t seq;
    assert_done(consent_refuse(test.vault, citizen, &decision, &seq, &test_error));
}

static void give_and_withdraw(const struct citizen_id *citizen)
{
    give(citizen);
    assert_done(consent_withdraw(test.vault, citizen, services[ASKING].id, SUPPORT, &test_error));
}

static void let_a_month_pass(const struct citizen_id *citizen)
{
    give(citizen);
    test.now_ms += MONTH_MS;
}

static void lose_the_policy(const struct citizen_id *citizen)
{
    give(citizen);
    active_policy_close(test.vault);
}

/* --- denials --- */

/* Who is under 15 does not give alone: the register is wrong only afterwards. */
static void give_and_be_unborn(const struct citizen_id *citizen)
{
    static const struct citizen_value value = {
        FIELD, {(const uint8_t *)"\"" UNBORN "\"", sizeof UNBORN + 1}, START_MS / 1000, "a test"};
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *held = NULL;
    give(citizen);
    assert_done(person_hold(test.vault, citizen, &held, &person, &test_error));
    assert_done(citizen_value_put(held, &value, &test_error));
}

static const struct denial {
    const char *reason; /* as the log has it */
    size_t service;
    void (*before)(const struct citizen_id *citizen);
    const char *assurance; /* NULL: the service says nothing */
    const char *form;      /* asked for; NULL: the most */
    const char *born;      /* NULL: the vault does not know */
    size_t asked_before;   /* how often, and with an answer */
} denials[] = {
    {"no_consent", ASKING, do_nothing, "high", NULL, BORN, 0},
    {"refused", ASKING, refuse, "high", NULL, BORN, 0},
    {"withdrawn", ASKING, give_and_withdraw, "high", NULL, BORN, 0},
    {"used_up", ASKING, give_once, "high", NULL, BORN, 1},
    {"out_of_scope", ASKING, give_another_field, "high", NULL, BORN, 0},
    {"conditions", ASKING, give, "low", NULL, BORN, 0},
    {"conditions", ASKING, give, NULL, NULL, BORN, 0},
    {"bad_form", ASKING, give, "high", "city", BORN, 0},
    {"no_value", ASKING, give, "high", NULL, NULL, 0},
    {"error", ASKING, give_and_be_unborn, "high", NULL, BORN, 0},
    {"forbidden", FORBIDDEN, do_nothing, "high", NULL, BORN, 0},
    {"forbidden_unknown", DOUBTFUL, do_nothing, "high", NULL, NULL, 0},
    {"no_rule", OTHER, do_nothing, "high", NULL, BORN, 0},
    {"not_in_force", LATER, do_nothing, "high", NULL, BORN, 0},
    {"purpose_not_registered", ELSEWHERE, do_nothing, "high", NULL, BORN, 0},
    {"expired", ASKING, let_a_month_pass, "high", NULL, BORN, 0},
    {"policy_unavailable", ASKING, lose_the_policy, "high", NULL, BORN, 0},
};

#define DENIALS (sizeof denials / sizeof *denials)

static void import_for(size_t number, const char *born, struct citizen_id *out)
{
    char reference[16];
    char row[256];
    char value[128] = "";
    snprintf(reference, sizeof reference, "D-%zu", number);
    if (born)
        snprintf(value, sizeof value, "\"" FIELD "\":{\"value\":\"%s\"}", born);
    snprintf(row, sizeof row, "{\"reference\":\"%s\",\"values\":{%s}}", reference, value);
    import_one(&test, row);
    assert_done(people_find(test.vault, reference, out, &test_error));
}

static void ask(const struct denial *denial, const char *subject, struct buf *body)
{
    const struct release_ask asked = {BYTES(FIELD), denial->form ? bytes_of_text(denial->form)
                                                                 : (struct bytes){0}};
    uint8_t key[SHA256_BYTES];
    key_of(denial->service, key);
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, key);
    VAULT_AUTO(json_free) json_t *context = json_object();
    if (denial->assurance)
        json_object_set_new(context, "assurance_at_least", json_string(denial->assurance));
    const struct release_request request = {.client_spki = key,
                                            .subject = bytes_of_text(subject),
                                            .purpose = BYTES(SUPPORT),
                                            .asks = &asked,
                                            .ask_count = 1,
                                            .context = context};
    enum release_fault fault;
    assert_done(release_perform(test.vault, hold.service, &request, body, &fault, &test_error));
}

static void subject_for(const struct denial *denial, const struct citizen_id *citizen,
                        char out[SUBJECT_CHARS + 1])
{
    uint8_t key[SHA256_BYTES];
    key_of(denial->service, key);
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, key);
    assert_done(subject_write(hold.service, citizen, out, &test_error));
}

/* --- the answer's bytes --- */

/* Leave out what stands between the text and the next of the ends. */
static void leave_out(char *body, const char *after, const char *ends)
{
    char *from = strstr(body, after);
    assert_non_null(from);
    from += strlen(after);
    char *end = from + strcspn(from, ends);
    memmove(from, end, strlen(end) + 1);
}

/* The answer without what every answer has of its own. */
static char *what_is_told(struct buf *body)
{
    char *text = strdup(buf_string(body));
    leave_out(text, "{\"release\":\"", "\"");
    leave_out(text, "\"subject\":\"", "\"");
    leave_out(text, "\"index\":", ",");
    leave_out(text, "\"leaf\":\"", "\"");
    return text;
}

static uint64_t index_in(const struct buf *body)
{
    VAULT_AUTO(json_free) json_t *answer = NULL;
    assert_done(json_parse(buf_view(body), 8, &answer, NULL, &test_error));
    const json_t *log = json_object_get(answer, "log");
    return (uint64_t)json_integer_value(json_object_get(log, "index"));
}

/* The reason stands in the log, for the citizen to read. */
static void assert_logged(const struct denial *denial, const struct citizen_id *citizen,
                          const struct buf *body)
{
    char expected[128];
    struct opened opened;
    open_entry(&test, index_in(body), citizen, &opened);
    snprintf(expected, sizeof expected, FIELD " - %s", denial->reason);
    assert_int_equal(opened.event, ENTRY_DENY);
    if (strncmp(opened.what, expected, strlen(expected)) != 0)
        fail_msg("the log says \"%s\", not \"%s\"", opened.what, expected);
}

static char *told_when_denied(size_t number)
{
    const struct denial *denial = &denials[number];
    struct citizen_id citizen;
    char subject[SUBJECT_CHARS + 1];
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    import_for(number, denial->born, &citizen);
    denial->before(&citizen);
    subject_for(denial, &citizen, subject);
    for (size_t i = 0; i < denial->asked_before; i++) {
        VAULT_AUTO(buf_finish) struct buf earlier = buf_limited(RELEASE_ANSWER_BYTES);
        ask(denial, subject, &earlier);
        assert_non_null(strstr(buf_string(&earlier), "\"form\":\"age_band\""));
    }
    ask(denial, subject, &body);
    assert_logged(denial, &citizen, &body);
    return what_is_told(&body);
}

static void begin(void)
{
    make_test_vault(&test);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    change_test_bundle(&test, "rules/employment.json", rules, 2);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    add_services();
}

static void test_no_reason_of_a_denial_shows_in_the_answer(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    ask(&denials[0], "aaaaaaaaaaaaaaaaaaaaaaaaaa", &body);
    char *nobody = what_is_told(&body);
    for (size_t i = 0; i < DENIALS; i++) {
        char *told = told_when_denied(i);
        if (strcmp(told, nobody) != 0)
            fail_msg("%s shows:\n%s\n%s", denials[i].reason, told, nobody);
        free(told);
    }
    free(nobody);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_no_reason_of_a_denial_shows_in_the_answer);
}
