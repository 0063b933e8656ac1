/*
 * Two services put side by side all that they ever got about the same citizens: what they were
 * answered, with what headers, and in which order. From none of it do they learn who of the one is
 * who of the other.
 *
 * The two are as alike as can be: one class, one purpose, the same fields asked. What they share is
 * what is the same for everybody, and these, which service-api.md names: time, a place in the
 * access log (one log for all, in which each has only its own places), and the content of a value
 * where the rules release one as it is. What a citizen does for all services at once (pause
 * everything, be erased) each hears at that time.
 */
#include <math.h>

#include "caller.h"
#include "vault/edge/service_api.h"
#include "vault/indexer.h"
#include "vault/parts.h"
#include "vault_test.h"

#define PEOPLE     20
#define SERVICES   2
#define LEAVES_MAX 4096
#define LEAF_CHARS 96
#define OTHER      "library-annex"

static const uint8_t keys[SERVICES][SHA256_BYTES] = {{2}, {4}};

static struct vault_test test;
static struct service_api api;
static struct caller callers[SERVICES];
static struct citizen_id people[PEOPLE];

/* --- What was seen -------------------------------------------------------------------------- */

/* A text or number of an answer, and whom it was about. */
struct leaf {
    char text[LEAF_CHARS];
    char member[32]; /* its name in its object */
    unsigned citizen;
};

static struct leaf leaves[SERVICES][LEAVES_MAX];
static size_t leaf_count[SERVICES];

static void add_leaf(unsigned service, unsigned citizen, const char *member, const char *text)
{
    assert_true(leaf_count[service] < LEAVES_MAX);
    struct leaf *leaf = &leaves[service][leaf_count[service]++];
    *leaf = (struct leaf){.citizen = citizen};
    snprintf(leaf->text, sizeof leaf->text, "%s", text);
    snprintf(leaf->member, sizeof leaf->member, "%s", member);
}

static void gather(unsigned service, unsigned citizen, const char *member, const json_t *value)
{
    char number[32];
    const char *name;
    json_t *inside;
    size_t i;
    if (json_is_string(value))
        add_leaf(service, citizen, member, json_string_value(value));
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        add_leaf(service, citizen, member, number);
    }
    if (json_is_object(value))
        json_object_foreach((json_t *)(uintptr_t)value, name, inside)
            gather(service, citizen, name, inside);
    json_array_foreach(value, i, inside) gather(service, citizen, member, inside);
}

/* All of the last answer: headers too. */
static void gather_answer(unsigned service, unsigned citizen)
{
    const struct http_answer *answer = &callers[service].answer;
    for (size_t i = 0; i < answer->header_count; i++)
        add_leaf(service, citizen, answer->headers[i].name, answer->headers[i].value);
    if (callers[service].json)
        gather(service, citizen, "", callers[service].json);
}

/* --- What happens --------------------------------------------------------------------------- */

static void begin(void)
{
    static const char annex[] = "{\"id\":\"" OTHER "\",\"name\":\"An annex\",\"contact\":\"a@b\","
                                "\"classes\":[\"culture.library\"],\"purposes\":[\"" LENDING "\"]}";
    make_filled_vault(&test);
    api = (struct service_api){test.vault, "https://citizens.example:8444"};
    assert_done(service_add(test.vault, BYTES(annex), &test_error));
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_SERVICE, OTHER, keys[1], INT64_MAX,
                                &test_error));
    for (unsigned i = 0; i < PEOPLE; i++) {
        char row[256];
        char reference[16];
        snprintf(reference, sizeof reference, "P-%u", i);
        snprintf(row, sizeof row,
                 "{\"reference\":\"%s\",\"values\":{\"identity.name\":{\"value\":\"Person %u\"},"
                 "\"identity.birth_date\":{\"value\":\"1990-05-17\"}}}",
                 reference, i);
        import_one(&test, row);
        assert_done(people_find(test.vault, reference, &people[i], &test_error));
    }
    for (unsigned i = 0; i < SERVICES; i++) {
        callers[i] = caller_new(service_api_handle, &api, keys[i]);
        leaf_count[i] = 0;
    }
}

static void end(void)
{
    for (unsigned i = 0; i < SERVICES; i++)
        caller_finish(&callers[i]);
    vault_close(&test.vault);
}

/* The citizens come to each service in an order of its own. */
static unsigned visitor(unsigned service, unsigned n)
{
    return service ? (n * 7 + 3) % PEOPLE : (n * 3 + 11) % PEOPLE;
}

static void let_give(const char *code, unsigned citizen, unsigned service, const char *request)
{
    static const struct consent_field fields[] = {{"reader.token", "as_is"}};
    const struct consent_decision decision = {
        service ? OTHER : LIBRARY, LENDING, fields, 1,       30,
        CONSENT_UNLIMITED,         NULL,    "fr",   "Texte", NULL};
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    assert_done(access_request_by_code(test.vault, &people[citizen], bytes_of_text(code), &view,
                                       &test_error));
    assert_done(access_request_give(test.vault, &people[citizen], request, &decision, &test_error));
}

/* A request for consent, its answer, releases and a batch: all that a service does with a citizen.
 */
static void serve(unsigned service, unsigned citizen)
{
    static char body[1024];
    char path[128];
    char request[64];
    char subject[SUBJECT_CHARS + 1];
    struct caller *caller = &callers[service];
    caller_post(caller, "/v1/access-requests",
                "{\"purpose\":\"" LENDING "\",\"fields\":{\"reader.token\":\"as_is\"}}");
    assert_answered(caller, 201, "application/json");
    gather_answer(service, citizen);
    snprintf(request, sizeof request, "%s", caller_text(caller, "/id"));
    let_give(caller_text(caller, "/code"), citizen, service, request);
    test.now_ms += 1000;
    snprintf(path, sizeof path, "/v1/access-requests/%s", request);
    caller_get(caller, path);
    assert_answered(caller, 200, "application/json");
    gather_answer(service, citizen);
    snprintf(subject, sizeof subject, "%s", caller_text(caller, "/subject"));
    snprintf(body, sizeof body,
             "{\"subject\":\"%s\",\"purpose\":\"" LENDING
             "\",\"fields\":[\"reader.token\",\"reader.visitor\",\"identity.is_adult\"]}",
             subject);
    caller_post(caller, "/v1/releases?proof=0", body);
    assert_answered(caller, 200, "application/json");
    assert_int_equal(json_object_size(caller_value(caller, "/released")), 3);
    gather_answer(service, citizen);
    snprintf(body, sizeof body,
             "{\"requests\":[{\"subject\":\"%s\",\"purpose\":\"" LENDING
             "\",\"fields\":[\"reader.token\"]},{\"subject\":\"%s\",\"purpose\":\"no.such\","
             "\"fields\":[\"reader.token\"]}]}",
             subject, subject);
    caller_post(caller, "/v1/releases/batch", body);
    assert_answered(caller, 200, "application/json");
    gather_answer(service, citizen);
    caller_send(caller, HTTP_DELETE, path, (struct bytes){0});
    assert_problem(caller, 409, NULL, -1);
}

/* The feed's rows, each of them about the citizen whose subject it has. */
static void read_feed(unsigned service)
{
    size_t i;
    json_t *change;
    assert_done(indexer_wait(test.vault->indexer, ledger_head(test.vault->ledger).size, 10000,
                             &test_error));
    caller_get(&callers[service], "/v1/consents?after=0");
    assert_answered(&callers[service], 200, "application/json");
    json_array_foreach(caller_value(&callers[service], "/changes"), i, change)
    {
        const char *subject = json_string_value(json_object_get(change, "subject"));
        size_t j = 0;
        while (j < leaf_count[service] && strcmp(leaves[service][j].text, subject) != 0)
            j++;
        assert_true(j < leaf_count[service]);
        gather(service, leaves[service][j].citizen, "feed", change);
    }
    assert_int_equal(i, PEOPLE);
}

static void serve_everybody(void)
{
    for (unsigned n = 0; n < PEOPLE; n++) {
        for (unsigned service = 0; service < SERVICES; service++) {
            serve(service, visitor(service, n));
            test.now_ms += 1000;
        }
    }
    for (unsigned service = 0; service < SERVICES; service++)
        read_feed(service);
}

/* --- What it tells -------------------------------------------------------------------------- */

static bool is_instant(const struct leaf *leaf)
{
    return strcmp(leaf->member, "at") == 0 || strcmp(leaf->member, "expires") == 0 ||
           strcmp(leaf->member, "as_of") == 0;
}

/* Whether the service has the text about everybody: then it tells nobody from the others. */
static bool is_about_all(unsigned service, const char *text)
{
    bool of[PEOPLE] = {false};
    size_t count = 0;
    for (size_t i = 0; i < leaf_count[service]; i++) {
        const struct leaf *leaf = &leaves[service][i];
        if (!of[leaf->citizen] && strcmp(leaf->text, text) == 0) {
            of[leaf->citizen] = true;
            count++;
        }
    }
    return count == PEOPLE;
}

static const struct leaf *find(unsigned service, const char *text)
{
    for (size_t i = 0; i < leaf_count[service]; i++) {
        if (strcmp(leaves[service][i].text, text) == 0)
            return &leaves[service][i];
    }
    return NULL;
}

static void test_no_text_or_number_about_somebody_is_at_both_services(void **state)
{
    (void)state;
    size_t compared = 0;
    begin();
    serve_everybody();
    for (size_t i = 0; i < leaf_count[0]; i++) {
        const struct leaf *leaf = &leaves[0][i];
        if (is_instant(leaf) || is_about_all(0, leaf->text))
            continue;
        const struct leaf *same = find(1, leaf->text);
        if (same && !is_instant(same))
            fail_msg("\"%s\" (%s) of citizen %u is at the other service as %s of citizen %u",
                     leaf->text, leaf->member, leaf->citizen, same->member, same->citizen);
        compared++;
    }
    assert_true(compared > (size_t)PEOPLE * 10);
    end();
}

/* A citizen's rank among all by what stands under that name at a service, the first of it. */
static void rank(unsigned service, const char *member, unsigned ranks[PEOPLE])
{
    const struct leaf *first[PEOPLE] = {NULL};
    for (size_t i = 0; i < leaf_count[service]; i++) {
        const struct leaf *leaf = &leaves[service][i];
        if (!first[leaf->citizen] && strcmp(leaf->member, member) == 0)
            first[leaf->citizen] = leaf;
    }
    for (unsigned a = 0; a < PEOPLE; a++) {
        assert_non_null(first[a]);
        ranks[a] = 0;
        for (unsigned b = 0; b < PEOPLE; b++)
            ranks[a] += strcmp(first[b]->text, first[a]->text) < 0;
    }
}

/* Spearman's. Of 20 in random orders it is within 0.8 but once in 40,000 times. */
static double correlation(const unsigned a[PEOPLE], const unsigned b[PEOPLE])
{
    double squares = 0;
    for (unsigned i = 0; i < PEOPLE; i++) {
        const double apart = (double)a[i] - (double)b[i];
        squares += apart * apart;
    }
    return 1 - 6 * squares / ((double)PEOPLE * (PEOPLE * PEOPLE - 1));
}

static void test_nothing_puts_the_citizens_into_the_same_order_at_both(void **state)
{
    (void)state;
    static const char *const members[] = {"subject", "code", "leaf", "value", "link"};
    begin();
    serve_everybody();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        unsigned ranks[SERVICES][PEOPLE];
        for (unsigned service = 0; service < SERVICES; service++)
            rank(service, members[i], ranks[service]);
        const double r = correlation(ranks[0], ranks[1]);
        if (fabs(r) > 0.8)
            fail_msg("%s: the two orders are alike, r = %.2f", members[i], r);
    }
    end();
}

/* What follows time follows the order in which the citizens came to that service, and no order of
 * the vault's own: ids, the log, the feed. */
static void test_what_is_in_order_is_in_the_order_of_the_visits(void **state)
{
    (void)state;
    static const char *const members[] = {"id", "release", "index", "n"};
    begin();
    serve_everybody();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        for (unsigned service = 0; service < SERVICES; service++) {
            int64_t before = -1;
            char last[LEAF_CHARS] = "";
            for (unsigned n = 0; n < PEOPLE; n++) {
                size_t j = 0;
                while (j < leaf_count[service] &&
                       (leaves[service][j].citizen != visitor(service, n) ||
                        strcmp(leaves[service][j].member, members[i]) != 0))
                    j++;
                assert_true(j < leaf_count[service]);
                const char *text = leaves[service][j].text;
                const int64_t number = strtoll(text, NULL, 10);
                assert_true(i < 2 ? strcmp(text, last) > 0 : number > before);
                before = number;
                snprintf(last, sizeof last, "%s", text);
            }
        }
    }
    end();
}

/* An id has its time in front, and chance behind: nothing of a citizen's. */
static void test_what_is_behind_the_time_in_an_id_is_never_the_same(void **state)
{
    (void)state;
    static const char *tails[SERVICES * PEOPLE * 8];
    size_t count = 0;
    begin();
    serve_everybody();
    for (unsigned service = 0; service < SERVICES; service++) {
        for (size_t i = 0; i < leaf_count[service]; i++) {
            const struct leaf *leaf = &leaves[service][i];
            const bool is_id =
                strcmp(leaf->member, "id") == 0 || strcmp(leaf->member, "release") == 0;
            /* The request's own id is said again with its answer. */
            if (!is_id || find(service, leaf->text) != leaf)
                continue;
            assert_int_equal(strlen(leaf->text), 26);
            for (size_t j = 0; j < count; j++)
                assert_string_not_equal(tails[j], leaf->text + 10);
            assert_true(count < sizeof tails / sizeof tails[0]);
            tails[count++] = leaf->text + 10;
        }
    }
    assert_true(count >= (size_t)SERVICES * PEOPLE * 4); /* request, consent, two releases */
    end();
}

static void test_what_a_service_hears_of_itself_says_nothing_of_citizens(void **state)
{
    (void)state;
    begin();
    caller_get(&callers[0], "/v1/me");
    VAULT_AUTO(json_free) json_t *before = json_deep_copy(callers[0].json);
    const size_t headers = callers[0].answer.header_count;
    serve_everybody();
    caller_get(&callers[0], "/v1/me");
    assert_true(json_equal(before, callers[0].json));
    assert_int_equal(callers[0].answer.header_count, headers);
    end();
}

/* One service's subject is nobody at the other, and is refused as anybody unknown is. */
static void test_a_subject_of_the_other_service_is_like_one_that_nobody_has(void **state)
{
    (void)state;
    static const char form[] =
        "{\"subject\":\"%s\",\"purpose\":\"" LENDING "\",\"fields\":[\"reader.token\"]}";
    char body[256];
    begin();
    serve_everybody();
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, keys[0]);
    char subject[SUBJECT_CHARS + 1];
    assert_done(subject_write(hold.service, &people[0], subject, &test_error));
    snprintf(body, sizeof body, form, subject);
    caller_post(&callers[1], "/v1/releases", body);
    assert_answered(&callers[1], 200, "application/json");
    VAULT_AUTO(json_free) json_t *others = json_deep_copy(callers[1].json);
    snprintf(body, sizeof body, form, "aaaaaaaaaaaaaaaaaaaaaaaaaa");
    caller_post(&callers[1], "/v1/releases", body);
    static const char *const same[] = {"purpose", "released", "withheld", "obligations"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_true(json_equal(json_object_get(others, same[i]),
                               json_object_get(callers[1].json, same[i])));
    service_release(&hold);
    end();
}

int main(void)
{
    return TEST_RUN(test_no_text_or_number_about_somebody_is_at_both_services,
                    test_nothing_puts_the_citizens_into_the_same_order_at_both,
                    test_what_is_in_order_is_in_the_order_of_the_visits,
                    test_what_is_behind_the_time_in_an_id_is_never_the_same,
                    test_what_a_service_hears_of_itself_says_nothing_of_citizens,
                    test_a_subject_of_the_other_service_is_like_one_that_nobody_has);
}
