#include "test.h"

#include <stdio.h>

#include "vault/edge/route.h"

static struct {
    unsigned calls;
    const char *handler;
    char id[ROUTE_ID_CHARS_MAX + 1];
    void *context;
} seen;

static void note(const char *handler, const struct route_call *call, struct http_answer *answer)
{
    seen.calls++;
    seen.handler = handler;
    memcpy(seen.id, call->id, sizeof seen.id);
    seen.context = call->context;
    answer->status = 201;
}

static void on_list(const struct route_call *call, struct http_answer *answer)
{
    note("list", call, answer);
}

static void on_add(const struct route_call *call, struct http_answer *answer)
{
    note("add", call, answer);
}

static void on_one(const struct route_call *call, struct http_answer *answer)
{
    note("one", call, answer);
}

static void on_inner(const struct route_call *call, struct http_answer *answer)
{
    note("inner", call, answer);
}

static const struct route routes[] = {
    {HTTP_GET, "/things", on_list},
    {HTTP_POST, "/things", on_add},
    {HTTP_GET, "/things/{id}", on_one},
    {HTTP_PUT, "/things/{id}/parts", on_inner},
};

static struct http_answer answer;

static bool go(enum http_method method, const char *path)
{
    static int context;
    const struct http_request request = {.method = method, .path = path};
    memset(&seen, 0, sizeof seen);
    answer = http_answer_new();
    const bool called =
        route_dispatch(routes, sizeof routes / sizeof routes[0], &context, &request, &answer);
    assert_int_equal(called, seen.calls);
    if (called)
        assert_ptr_equal(seen.context, &context);
    return called;
}

static void assert_route(enum http_method method, const char *path, const char *handler,
                         const char *id)
{
    assert_true(go(method, path));
    assert_string_equal(seen.handler, handler);
    assert_string_equal(seen.id, id);
    assert_int_equal(answer.status, 201);
    http_answer_finish(&answer);
}

static void assert_no_route(enum http_method method, const char *path)
{
    assert_false(go(method, path));
    assert_int_equal(answer.status, 404);
    assert_string_equal(answer.content_type, "application/problem+json");
    assert_int_equal(answer.header_count, 0);
    http_answer_finish(&answer);
}

static void assert_other_methods(enum http_method method, const char *path, const char *allow)
{
    assert_false(go(method, path));
    assert_int_equal(answer.status, 405);
    assert_int_equal(answer.header_count, 1);
    assert_string_equal(answer.headers[0].name, "Allow");
    assert_string_equal(answer.headers[0].value, allow);
    http_answer_finish(&answer);
}

static void test_a_path_and_method_find_their_handler(void **state)
{
    (void)state;
    assert_route(HTTP_GET, "/things", "list", "");
    assert_route(HTTP_POST, "/things", "add", "");
    assert_route(HTTP_GET, "/things/7", "one", "7");
    assert_route(HTTP_PUT, "/things/7/parts", "inner", "7");
}

static void test_head_is_answered_where_get_is(void **state)
{
    (void)state;
    assert_route(HTTP_HEAD, "/things", "list", "");
    assert_route(HTTP_HEAD, "/things/x", "one", "x");
    assert_other_methods(HTTP_HEAD, "/things/7/parts", "PUT");
}

static void test_a_path_that_fits_nothing_is_not_found(void **state)
{
    (void)state;
    assert_no_route(HTTP_GET, "/");
    assert_no_route(HTTP_GET, "");
    assert_no_route(HTTP_GET, "/thing");
    assert_no_route(HTTP_GET, "/thingss");
    assert_no_route(HTTP_GET, "/Things");
    assert_no_route(HTTP_GET, "//things");
    assert_no_route(HTTP_GET, "/things/../things");
    assert_no_route(HTTP_OTHER_METHOD, "/nothing");
}

static void test_an_id_is_one_step_that_is_not_empty(void **state)
{
    (void)state;
    assert_no_route(HTTP_GET, "/things/");
    assert_no_route(HTTP_GET, "/things/7/");
    assert_no_route(HTTP_GET, "/things/7/8");
    assert_no_route(HTTP_PUT, "/things//parts");
    assert_no_route(HTTP_PUT, "/things/7/parts/");
    assert_no_route(HTTP_PUT, "/things/7/part");
    assert_other_methods(HTTP_PUT, "/things/7", "GET, HEAD");
    assert_route(HTTP_GET, "/things/..", "one", "..");
}

static void test_an_id_has_a_length(void **state)
{
    (void)state;
    char path[256];
    memset(path, 'a', sizeof path);
    memcpy(path, "/things/", 8);
    path[8 + ROUTE_ID_CHARS_MAX] = 0;
    assert_route(HTTP_GET, path, "one", path + 8);
    path[8 + ROUTE_ID_CHARS_MAX] = 'a';
    path[8 + ROUTE_ID_CHARS_MAX + 1] = 0;
    assert_no_route(HTTP_GET, path);
}

static void test_another_method_is_told_which_there_are(void **state)
{
    (void)state;
    assert_other_methods(HTTP_DELETE, "/things", "GET, HEAD, POST");
    assert_other_methods(HTTP_OTHER_METHOD, "/things/7", "GET, HEAD");
    assert_other_methods(HTTP_POST, "/things/7/parts", "PUT");
}

static void test_the_path_is_named_in_the_problem_as_text(void **state)
{
    (void)state;
    assert_false(go(HTTP_GET, "/\"},{<script>"));
    assert_non_null(strstr(buf_string(&answer.body), "/%22%7D%2C%7B%3Cscript%3E\""));
    http_answer_finish(&answer);
}

static void assert_no_route_at_all(void)
{
    const struct http_request request = {.method = HTTP_GET, .path = "/"};
    struct http_answer none = http_answer_new();
    assert_false(route_dispatch(NULL, 0, NULL, &request, &none));
    assert_int_equal(none.status, 404);
    http_answer_finish(&none);
}

static void test_an_empty_table_has_no_path(void **state)
{
    (void)state;
    assert_no_route_at_all();
}

int main(void)
{
    return TEST_RUN(test_a_path_and_method_find_their_handler, test_head_is_answered_where_get_is,
                    test_a_path_that_fits_nothing_is_not_found,
                    test_an_id_is_one_step_that_is_not_empty, test_an_id_has_a_length,
                    test_another_method_is_told_which_there_are,
                    test_the_path_is_named_in_the_problem_as_text, test_an_empty_table_has_no_path);
}
