#include "test.h"

#include "vault/edge/problem.h"

static struct http_answer answer;

/* The problem's JSON, which must be well formed. */
static json_t *problem(unsigned status, const char *detail, const char *instance,
                       const char *pointer, int64_t offset)
{
    json_t *root = NULL;
    answer = http_answer_new();
    buf_text(&answer.body, "what was there before");
    problem_write_at(&answer, status, detail, instance, pointer, offset);
    assert_int_equal(answer.status, status);
    assert_string_equal(answer.content_type, "application/problem+json");
    assert_done(json_parse(buf_view(&answer.body), 4, &root, NULL, &test_error));
    return root;
}

static const char *member(const json_t *root, const char *name)
{
    return json_string_value(json_object_get(root, name));
}

static void test_a_problem_has_the_members_of_rfc_9457(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *root = problem(404, "there is nothing here", "/x", NULL, -1);
    assert_string_equal(member(root, "type"), "about:blank");
    assert_string_equal(member(root, "title"), "Not Found");
    assert_int_equal(json_integer_value(json_object_get(root, "status")), 404);
    assert_string_equal(member(root, "detail"), "there is nothing here");
    assert_string_equal(member(root, "instance"), "/x");
    assert_int_equal(json_object_size(root), 5);
    http_answer_finish(&answer);
}

static void test_a_fault_in_json_has_its_place(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *root = problem(400, "d", "/v1/releases", "/fields/0", 17);
    assert_string_equal(member(root, "pointer"), "/fields/0");
    assert_int_equal(json_integer_value(json_object_get(root, "offset")), 17);
    http_answer_finish(&answer);
}

static void test_the_whole_text_is_a_place_too(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *root = problem(400, "d", "/", "", 0);
    assert_string_equal(member(root, "pointer"), "");
    assert_int_equal(json_integer_value(json_object_get(root, "offset")), 0);
    http_answer_finish(&answer);
}

static void test_what_a_path_holds_stays_text(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *root = problem(404, "d", "/\",\"x\":\"\n\\", NULL, -1);
    assert_string_equal(member(root, "instance"), "/%22%2C%22x%22%3A%22%0A%5C");
    assert_null(json_object_get(root, "x"));
    http_answer_finish(&answer);
}

static void test_try_again_says_when(void **state)
{
    (void)state;
    static const unsigned statuses[] = {429, 503};
    for (size_t i = 0; i < 2; i++) {
        VAULT_AUTO(json_free) json_t *root = problem(statuses[i], "d", "/", NULL, -1);
        assert_int_equal(answer.header_count, 1);
        assert_string_equal(answer.headers[0].name, "Retry-After");
        http_answer_finish(&answer);
    }
    VAULT_AUTO(json_free) json_t *other = problem(500, "d", "/", NULL, -1);
    assert_int_equal(answer.header_count, 0);
    http_answer_finish(&answer);
}

static void test_an_answer_that_grew_too_large_becomes_a_whole_problem(void **state)
{
    (void)state;
    answer = http_answer_new();
    answer.body.limit = 4096;
    answer.body.problem = VAULT_TOO_LARGE;
    problem_write(&answer, 500, "the answer could not be built", "/");
    assert_int_equal(answer.body.problem, VAULT_OK);
    assert_non_null(strstr(buf_string(&answer.body), "could not be built"));
    http_answer_finish(&answer);
}

static void test_every_code_has_a_status(void **state)
{
    (void)state;
    assert_int_equal(problem_status(VAULT_OK), 200);
    assert_int_equal(problem_status(VAULT_INVALID), 400);
    assert_int_equal(problem_status(VAULT_DENIED), 403);
    assert_int_equal(problem_status(VAULT_NOT_FOUND), 404);
    assert_int_equal(problem_status(VAULT_CONFLICT), 409);
    assert_int_equal(problem_status(VAULT_TOO_LARGE), 413);
    assert_int_equal(problem_status(VAULT_LIMITED), 429);
    assert_int_equal(problem_status(VAULT_UNAVAILABLE), 503);
    for (int code = 0; code < VAULT_CODE_COUNT; code++)
        assert_in_range(problem_status((enum vault_code)code), 200, 503);
    assert_int_equal(problem_status(VAULT_CODE_COUNT), 500);
}

int main(void)
{
    json_start();
    return TEST_RUN(test_a_problem_has_the_members_of_rfc_9457, test_a_fault_in_json_has_its_place,
                    test_the_whole_text_is_a_place_too, test_what_a_path_holds_stays_text,
                    test_try_again_says_when,
                    test_an_answer_that_grew_too_large_becomes_a_whole_problem,
                    test_every_code_has_a_status);
}
