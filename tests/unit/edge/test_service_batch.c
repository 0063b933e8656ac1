/*
 * POST /v1/releases/batch as a service meets it.
 */
#include "caller.h"
#include "vault/edge/service_api.h"
#include "vault/parts.h"
#include "vault_test.h"

#define BATCH   "/v1/releases/batch"
#define JSON    "application/json"
#define NOBODY  "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define WHY     "\"purpose\":\"" SUPPORT "\""
#define CONTEXT "\"context\":{\"assurance_at_least\":\"high\"}"
#define STRANGE "{\"subject\":\"" NOBODY "\"," WHY ",\"fields\":[\"identity.birth_date\"]}"

static struct vault_test test;
static struct service_api api;
static struct caller caller;
static char subject[SUBJECT_CHARS + 1];

static void begin(void)
{
    make_filled_vault(&test);
    api = (struct service_api){test.vault, "https://citizens.example:8444"};
    caller = caller_new(service_api_handle, &api, caseworker_key);
    subject_of_citizen(&test, subject);
}

static void end(void)
{
    caller_finish(&caller);
    vault_close(&test.vault);
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

/* A request for the test's citizen. */
static void one(struct buf *body, const char *fields)
{
    buf_format(body, "{\"subject\":\"%s\"," WHY "," CONTEXT ",\"fields\":%s}", subject, fields);
}

static void post(struct buf *body)
{
    assert_done(buf_check(body, &test_error));
    caller_send(&caller, HTTP_POST, BATCH, buf_view(body));
}

static const json_t *element(size_t i)
{
    const json_t *found = json_array_get(caller_value(&caller, "/answers"), i);
    assert_non_null(found);
    return found;
}

static unsigned status_of(size_t i)
{
    return (unsigned)json_integer_value(json_object_get(element(i), "status"));
}

static const json_t *problem_of(size_t i)
{
    const json_t *problem = json_object_get(element(i), "problem");
    assert_members(element(i), "status problem");
    assert_int_equal(json_integer_value(json_object_get(problem, "status")), status_of(i));
    assert_string_equal(json_string_value(json_object_get(problem, "instance")), BATCH);
    return problem;
}

static const char *pointer_of(size_t i)
{
    return json_string_value(json_object_get(problem_of(i), "pointer"));
}

static void test_each_is_answered_by_itself_and_in_order(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(65536);
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    const uint64_t before = log_size();
    buf_text(&body, "{\"requests\":[");
    one(&body, "{\"identity.birth_date\":\"year\"}");
    buf_text(&body, "," STRANGE ",");
    one(&body, "[\"employment.status\"]");
    buf_text(&body, "]}");
    post(&body);
    assert_answered(&caller, 200, JSON);
    assert_members(caller.json, "answers");
    assert_int_equal(json_array_size(caller_value(&caller, "/answers")), 3);
    static const char *const released[] = {"identity.birth_date", "", "employment.status"};
    for (size_t i = 0; i < 3; i++) {
        const json_t *answer = json_object_get(element(i), "answer");
        assert_members(element(i), "status answer");
        assert_int_equal(status_of(i), 200);
        assert_members(answer, "release subject purpose released withheld obligations log");
        assert_members(json_object_get(answer, "released"), released[i]);
        const json_t *log = json_object_get(answer, "log");
        assert_int_equal(json_integer_value(json_object_get(log, "index")), before + i);
    }
    assert_int_equal(log_size(), before + 3);
    end();
}

static void test_a_fault_in_one_leaves_the_others_alone(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        unsigned status;
        const char *pointer;
    } faulty[] = {
        {"7", 400, "/requests/0"},
        {"[]", 400, "/requests/1"},
        {"{}", 400, "/requests/2/subject"},
        {"{\"subject\":\"short\"," WHY ",\"fields\":[\"identity.name\"]}", 400,
         "/requests/3/subject"},
        {"{\"subject\":\"" NOBODY "\",\"purpose\":\"no.such\",\"fields\":[\"identity.name\"]}", 422,
         "/requests/4/purpose"},
        {"{\"subject\":\"" NOBODY "\"," WHY ",\"fields\":[\"shoe.size\"]}", 422,
         "/requests/5/fields"},
        {"{\"subject\":\"" NOBODY "\"," WHY ",\"fields\":{}}", 400, "/requests/6/fields"},
        {"{\"subject\":\"" NOBODY "\"," WHY ",\"fields\":[\"identity.name\"],\"context\":1}", 400,
         "/requests/7/context"},
        {"{\"subject\":\"" NOBODY "\"," WHY ",\"fields\":[\"identity.name\"],\"zebra\":1}", 400,
         "/requests/8"},
    };
    const size_t count = sizeof faulty / sizeof faulty[0];
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(65536);
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    const uint64_t before = log_size();
    buf_text(&body, "{\"requests\":[");
    for (size_t i = 0; i < count; i++)
        buf_format(&body, "%s,", faulty[i].request);
    one(&body, "[\"identity.birth_date\"]");
    buf_text(&body, "]}");
    post(&body);
    assert_answered(&caller, 200, JSON);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(status_of(i), faulty[i].status);
        assert_string_equal(pointer_of(i), faulty[i].pointer);
    }
    assert_int_equal(status_of(count), 200);
    assert_int_equal(log_size(), before + 1);
    assert_not_said(&caller, "zebra");
    assert_not_said(&caller, "shoe");
    end();
}

/* The offset is that in the body which was sent. */
static void test_an_unknown_member_is_found_by_its_offset(void **state)
{
    (void)state;
    static const char body[] = "{\"requests\":[" STRANGE ",{\"subject\":\"" NOBODY "\"," WHY
                               ",\"fields\":[\"identity.name\"],\"zebra\":1}]}";
    begin();
    caller_post(&caller, BATCH, body);
    assert_answered(&caller, 200, JSON);
    assert_int_equal(status_of(0), 200);
    const json_t *offset = json_object_get(problem_of(1), "offset");
    assert_int_equal(json_integer_value(offset), strstr(body, "\"zebra\"") - body);
    assert_string_equal(pointer_of(1), "/requests/1");
    end();
}

static void many(size_t count)
{
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(65536);
    buf_text(&body, "{\"requests\":[");
    for (size_t i = 0; i < count; i++)
        buf_format(&body, "%s" STRANGE, i ? "," : "");
    buf_text(&body, "]}");
    post(&body);
}

static void test_there_are_1_to_100(void **state)
{
    (void)state;
    begin();
    const uint64_t before = log_size();
    many(0);
    assert_problem(&caller, 400, "/requests", -1);
    many(101);
    assert_problem(&caller, 400, "/requests", -1);
    assert_int_equal(log_size(), before);
    many(1);
    assert_answered(&caller, 200, JSON);
    many(100);
    assert_answered(&caller, 200, JSON);
    assert_int_equal(json_array_size(caller_value(&caller, "/answers")), 100);
    assert_int_equal(log_size(), before + 101);
    end();
}

static void test_a_body_that_is_no_batch_is_refused_whole(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *pointer;
        int64_t offset;
    } bodies[] = {
        {"{}", "/requests", -1},
        {"{\"requests\":{}}", "/requests", -1},
        {"{\"requests\":null}", "/requests", -1},
        {"{\"requests\":[" STRANGE "],\"zebra\":1}", "", sizeof STRANGE + 14},
        {"[" STRANGE "]", "", -1},
        {STRANGE, "", 1},
    };
    begin();
    const uint64_t before = log_size();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        caller_post(&caller, BATCH, bodies[i].body);
        assert_answered(&caller, 400, "application/problem+json");
        assert_string_equal(caller_text(&caller, "/pointer"), bodies[i].pointer);
        assert_not_said(&caller, "zebra");
    }
    assert_int_equal(log_size(), before);
    end();
}

/* A use that the first of a batch takes is not there for the second. */
static void test_a_consent_for_one_use_serves_one_of_a_batch(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(65536);
    begin();
    give_consent(&test, 1);
    buf_text(&body, "{\"requests\":[");
    one(&body, "[\"identity.birth_date\"]");
    buf_byte(&body, ',');
    one(&body, "[\"identity.birth_date\"]");
    buf_text(&body, "]}");
    post(&body);
    assert_members(json_object_get(json_object_get(element(0), "answer"), "released"),
                   "identity.birth_date");
    assert_members(json_object_get(json_object_get(element(1), "answer"), "released"), "");
    end();
}

static void test_a_log_that_stopped_answers_503_to_each(void **state)
{
    (void)state;
    begin();
    assert_done(ledger_stop(test.vault->ledger, &test_error));
    many(3);
    assert_answered(&caller, 200, JSON);
    for (size_t i = 0; i < 3; i++) {
        problem_of(i);
        assert_int_equal(status_of(i), 503);
    }
    end();
}

int main(void)
{
    return TEST_RUN(test_each_is_answered_by_itself_and_in_order,
                    test_a_fault_in_one_leaves_the_others_alone,
                    test_an_unknown_member_is_found_by_its_offset, test_there_are_1_to_100,
                    test_a_body_that_is_no_batch_is_refused_whole,
                    test_a_consent_for_one_use_serves_one_of_a_batch,
                    test_a_log_that_stopped_answers_503_to_each);
}
