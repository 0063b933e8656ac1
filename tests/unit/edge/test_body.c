/*
 * The readers of a JSON body, one by one: what they take, and what problem they answer.
 */
#include "edge/body.h"

#include <stdio.h>

#include "caller.h"

/* Read a body with these readers: a text of 1 to 5 bytes that must be there, one that may, a number
 * from -3 to 12, and an object with a member of its own. */
struct readings {
    struct bytes must;
    struct bytes may;
    int64_t number;
    bool taken;
};

static struct caller caller;
static struct readings readings;
static char must[8];

static void read_all(void *context, const struct http_request *request, struct http_answer *answer)
{
    static const char *const members[] = {"must", "may", "number", "inner", NULL};
    static const char *const inner[] = {"a~/b", NULL};
    const struct route_call call = {.context = context, .request = request};
    VAULT_AUTO(body_finish) struct body body = {0};
    readings = (struct readings){.number = 7};
    readings.taken = body_read(&call, answer, members, &body) &&
                     body_text(&body, "must", true, 5, &readings.must) &&
                     body_text(&body, "may", false, 5, &readings.may) &&
                     body_number(&body, "number", -3, 12, &readings.number) &&
                     (!json_object_get(body.root, "inner") ||
                      body_members(&body, json_object_get(body.root, "inner"), "/inner", inner));
    if (!readings.taken)
        return;
    snprintf(must, sizeof must, "%.*s", (int)readings.must.size, (const char *)readings.must.data);
    answer->status = 204;
    answer->content_type = "none";
}

static void begin(void)
{
    json_start();
    caller = caller_new(read_all, NULL, NULL);
}

static void assert_taken(const char *body)
{
    caller_post(&caller, "/x", body);
    assert_answered(&caller, 204, "none");
    assert_true(readings.taken);
}

static void assert_wrong(const char *body, const char *pointer)
{
    caller_post(&caller, "/x", body);
    assert_problem(&caller, 400, pointer, -1);
    assert_false(readings.taken);
}

static void assert_wrong_at(const char *body, const char *pointer, int64_t offset)
{
    caller_post(&caller, "/x", body);
    assert_problem(&caller, 400, pointer, offset);
    assert_false(readings.taken);
}

static void test_a_body_is_read_member_by_member(void **state)
{
    (void)state;
    begin();
    assert_taken("{\"must\":\"abc\"}");
    assert_string_equal(must, "abc");
    assert_null(readings.may.data);
    assert_int_equal(readings.number, 7);
    assert_taken(" {\"number\" : -3,\n\"may\":\"\",\"must\":\"a\"} ");
    assert_string_equal(must, "a");
    assert_non_null(readings.may.data);
    assert_int_equal(readings.may.size, 0);
    assert_int_equal(readings.number, -3);
    caller_finish(&caller);
}

static void test_a_text_must_be_one_and_not_too_long(void **state)
{
    (void)state;
    begin();
    assert_wrong("{}", "/must");
    assert_wrong("{\"must\":\"\"}", "/must");
    assert_wrong("{\"must\":\"abcdef\"}", "/must");
    assert_wrong("{\"must\":null}", "/must");
    assert_wrong("{\"must\":7}", "/must");
    assert_wrong("{\"must\":true}", "/must");
    assert_wrong("{\"must\":[\"abc\"]}", "/must");
    assert_wrong("{\"must\":{\"abc\":1}}", "/must");
    assert_wrong("{\"must\":\"a\",\"may\":\"abcdef\"}", "/may");
    assert_wrong("{\"must\":\"a\",\"may\":null}", "/may");
    assert_wrong("{\"must\":\"a\",\"may\":false}", "/may");
    assert_taken("{\"must\":\"abcde\",\"may\":\"abcde\"}");
    caller_finish(&caller);
}

/* A length is in bytes, as it is stored. */
static void test_a_text_is_measured_in_bytes(void **state)
{
    (void)state;
    begin();
    assert_taken("{\"must\":\"\\u00e9\\u00e9\"}");
    assert_wrong("{\"must\":\"\\u00e9\\u00e9\\u00e9\"}", "/must");
    caller_finish(&caller);
}

static void test_a_number_must_be_whole_and_in_its_range(void **state)
{
    (void)state;
    begin();
    assert_taken("{\"must\":\"a\",\"number\":12}");
    assert_int_equal(readings.number, 12);
    assert_taken("{\"must\":\"a\",\"number\":0}");
    assert_int_equal(readings.number, 0);
    assert_taken("{\"must\":\"a\",\"number\":null}");
    assert_int_equal(readings.number, 7);
    assert_wrong("{\"must\":\"a\",\"number\":13}", "/number");
    assert_wrong("{\"must\":\"a\",\"number\":-4}", "/number");
    assert_wrong("{\"must\":\"a\",\"number\":1.0}", "/number");
    assert_wrong("{\"must\":\"a\",\"number\":1e0}", "/number");
    assert_wrong("{\"must\":\"a\",\"number\":\"1\"}", "/number");
    assert_wrong("{\"must\":\"a\",\"number\":true}", "/number");
    assert_wrong("{\"must\":\"a\",\"number\":[]}", "/number");
    assert_wrong("{\"must\":\"a\",\"number\":9223372036854775807}", "/number");
    caller_finish(&caller);
}

static void test_a_number_that_no_machine_holds_is_no_json_here(void **state)
{
    (void)state;
    begin();
    caller_post(&caller, "/x", "{\"must\":\"a\",\"number\":9223372036854775808}");
    assert_answered(&caller, 400, "application/problem+json");
    assert_string_equal(caller_text(&caller, "/pointer"), "");
    assert_false(readings.taken);
    caller_finish(&caller);
}

static void test_an_unknown_member_is_shown_by_where_it_stands(void **state)
{
    (void)state;
    begin();
    assert_wrong_at("{\"zebra\":1}", "", 1);
    assert_wrong_at("{\"must\":\"a\", \"zebra\":1}", "", 13);
    assert_wrong_at("{\"must\":\"a\",\"\":1}", "", 12);
    assert_wrong_at("{\"must\":\"a\",\"inner\":{\"zebra\":1}}", "/inner", 21);
    assert_wrong_at("{\"must\":\"a\",\"inner\":{\"a~/b\":1,\"~1~0\\\"\":2}}", "/inner", 30);
    assert_not_said(&caller, "~1~0");
    assert_taken("{\"must\":\"a\",\"inner\":{\"a~/b\":1}}");
    assert_taken("{\"must\":\"a\",\"inner\":{}}");
    caller_finish(&caller);
}

/* The member of that name inside a value comes first in the text, but is not the one. */
static void test_the_place_is_that_of_the_member_and_not_of_its_namesake(void **state)
{
    (void)state;
    begin();
    assert_wrong_at("{\"inner\":{\"zebra\":\"zebra\"},\"zebra\":1}", "", 27);
    assert_wrong_at("{\"must\":\"\\\"zebra\\\":\",\"zebra\":1}", "", 21);
    caller_finish(&caller);
}

static void test_a_very_long_name_is_found_too(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(65536);
    begin();
    buf_text(&body, "{\"must\":\"a\",\"");
    for (int i = 0; i < 30000; i++)
        buf_byte(&body, i % 2 ? '~' : '/');
    buf_text(&body, "\":1}");
    caller_send(&caller, HTTP_POST, "/x", buf_view(&body));
    assert_problem(&caller, 400, "", 12);
    assert_true(caller.answer.body.size < 500);
    caller_finish(&caller);
}

static void test_nesting_has_a_limit(void **state)
{
    (void)state;
    begin();
    assert_wrong("{\"must\":[[[[[[[]]]]]]]}", "/must"); /* eight levels are read */
    assert_wrong_at("{\"must\":[[[[[[[[]]]]]]]]}", "", 15);
    caller_finish(&caller);
}

static void test_what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const others[] = {"[]",  "[{\"must\":\"a\"}]", "\"must\"", "1", "true",
                                         "null"};
    begin();
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_wrong(others[i], "");
    caller_finish(&caller);
}

static void test_what_is_not_said_to_be_json_is_not_looked_at(void **state)
{
    (void)state;
    begin();
    caller.content_type = NULL;
    caller_post(&caller, "/x", "{\"must\":\"a\"}");
    assert_problem(&caller, 415, NULL, -1);
    caller.content_type = "application/jsonl";
    caller_post(&caller, "/x", "nonsense");
    assert_problem(&caller, 415, NULL, -1);
    caller.content_type = "application/json;x";
    assert_taken("{\"must\":\"a\"}");
    caller_finish(&caller);
}

static void test_a_body_of_the_greatest_size_is_read(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(HTTP_BODY_BYTES_MAX);
    begin();
    buf_text(&body, "{\"must\":\"a\"}");
    while (body.size < HTTP_BODY_BYTES_MAX)
        buf_byte(&body, ' ');
    caller_send(&caller, HTTP_POST, "/x", buf_view(&body));
    assert_answered(&caller, 204, "none");
    caller_finish(&caller);
}

int main(void)
{
    return TEST_RUN(test_a_body_is_read_member_by_member, test_a_text_must_be_one_and_not_too_long,
                    test_a_text_is_measured_in_bytes, test_a_number_must_be_whole_and_in_its_range,
                    test_a_number_that_no_machine_holds_is_no_json_here,
                    test_an_unknown_member_is_shown_by_where_it_stands,
                    test_the_place_is_that_of_the_member_and_not_of_its_namesake,
                    test_a_very_long_name_is_found_too, test_nesting_has_a_limit,
                    test_what_is_no_object_is_refused,
                    test_what_is_not_said_to_be_json_is_not_looked_at,
                    test_a_body_of_the_greatest_size_is_read);
}
