#include "test.h"

#include "vault/edge/http.h"

static void test_a_new_answer_is_an_empty_200(void **state)
{
    (void)state;
    struct http_answer answer = http_answer_new();
    assert_int_equal(answer.status, 200);
    assert_null(answer.content_type);
    assert_int_equal(answer.body.size, 0);
    assert_int_equal(answer.header_count, 0);
    assert_false(answer.close);
    http_answer_finish(&answer);
}

static void test_headers_are_added_in_order(void **state)
{
    (void)state;
    struct http_answer answer = http_answer_new();
    http_answer_header(&answer, "A", "%d", 1);
    http_answer_header(&answer, "B", "%s-%s", "x", "y");
    assert_int_equal(answer.header_count, 2);
    assert_string_equal(answer.headers[0].name, "A");
    assert_string_equal(answer.headers[0].value, "1");
    assert_string_equal(answer.headers[1].value, "x-y");
    http_answer_finish(&answer);
}

static void test_headers_past_the_limit_are_left_out(void **state)
{
    (void)state;
    struct http_answer answer = http_answer_new();
    for (int i = 0; i < HTTP_EXTRA_HEADERS_MAX + 3; i++)
        http_answer_header(&answer, "N", "%d", i);
    assert_int_equal(answer.header_count, HTTP_EXTRA_HEADERS_MAX);
    assert_string_equal(answer.headers[HTTP_EXTRA_HEADERS_MAX - 1].value, "15");
    http_answer_finish(&answer);
}

static void test_a_long_header_value_is_cut_and_ended(void **state)
{
    (void)state;
    struct http_answer answer = http_answer_new();
    char value[1000];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = 0;
    http_answer_header(&answer, "A", "%s", value);
    assert_int_equal(strlen(answer.headers[0].value), sizeof answer.headers[0].value - 1);
    http_answer_finish(&answer);
}

static void test_a_header_is_found_without_regard_to_case(void **state)
{
    (void)state;
    const struct http_request request = {
        .headers = {{BYTES("cookie"), BYTES("a=1")}, {BYTES("Cookie"), BYTES("a=2")}},
        .header_count = 2};
    const struct bytes found = http_request_header(&request, "Cookie");
    assert_int_equal(found.size, 3);
    assert_memory_equal(found.data, "a=1", 3);
    assert_null(http_request_header(&request, "Cook").data);
    assert_null(http_request_header(&request, "Cookies").data);
    assert_null(http_request_header(&request, "").data);
}

static void test_headers_past_the_count_are_not_there(void **state)
{
    (void)state;
    const struct http_request request = {.headers = {{BYTES("Origin"), BYTES("x")}}};
    assert_null(http_request_header(&request, "Origin").data);
}

static void test_a_parameter_is_found_by_its_exact_name(void **state)
{
    (void)state;
    const struct http_request request = {
        .query = {{BYTES("wait"), BYTES("30")}, {BYTES("empty"), BYTES("")}}, .query_count = 2};
    assert_int_equal(http_request_query(&request, "wait").size, 2);
    assert_null(http_request_query(&request, "Wait").data);
    assert_null(http_request_query(&request, "wai").data);
    assert_non_null(http_request_query(&request, "empty").data);
    assert_int_equal(http_request_query(&request, "empty").size, 0);
}

static void test_methods_have_exact_names(void **state)
{
    (void)state;
    assert_int_equal(http_method_of("GET"), HTTP_GET);
    assert_int_equal(http_method_of("HEAD"), HTTP_HEAD);
    assert_int_equal(http_method_of("DELETE"), HTTP_DELETE);
    assert_int_equal(http_method_of("PATCH"), HTTP_OTHER_METHOD);
    assert_int_equal(http_method_of("CONNECT"), HTTP_METHOD_COUNT);
    assert_int_equal(http_method_of("get"), HTTP_METHOD_COUNT);
    assert_int_equal(http_method_of(""), HTTP_METHOD_COUNT);
    assert_string_equal(http_method_name(HTTP_POST), "POST");
    assert_string_equal(http_method_name(HTTP_METHOD_COUNT), "?");
}

static void test_every_status_has_a_phrase(void **state)
{
    (void)state;
    assert_string_equal(http_status_phrase(303), "See Other");
    assert_string_equal(http_status_phrase(422), "Unprocessable Content");
    assert_string_equal(http_status_phrase(418), "Error");
}

int main(void)
{
    return TEST_RUN(
        test_a_new_answer_is_an_empty_200, test_headers_are_added_in_order,
        test_headers_past_the_limit_are_left_out, test_a_long_header_value_is_cut_and_ended,
        test_a_header_is_found_without_regard_to_case, test_headers_past_the_count_are_not_there,
        test_a_parameter_is_found_by_its_exact_name, test_methods_have_exact_names,
        test_every_status_has_a_phrase);
}
