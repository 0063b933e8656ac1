#include "programs/ctl.h"

#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

/* What a command is told by a daemon that answers so. The result is the caller's. */
static enum vault_code told(const char *answer, json_t **result)
{
    int ends[2];
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(64);
    buf_text(&request, "{\"command\":\"status\"}");
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(write(ends[0], answer, strlen(answer)), strlen(answer));
    const enum vault_code code = ctl_ask(ends[1], &request, result, &test_error);
    close(ends[0]);
    close(ends[1]);
    return code;
}

static void test_no_text_commands_the_terminal(void **state)
{
    (void)state;
    json_t *result = NULL;
    assert_done(told("{\"ok\":true,\"result\":{\"name\":\"a\\u001b[2J\\u0007\\u007f\","
                     "\"list\":[{\"deep\":\"b\\u009b2J\"}]}}\n",
                     &result));
    assert_string_equal(json_string_value(json_object_get(result, "name")), "a?[2J??");
    const json_t *first = json_array_get(json_object_get(result, "list"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "deep")), "b?2J");
    json_decref(result);
}

static void test_letters_lines_and_columns_stay(void **state)
{
    (void)state;
    json_t *result = NULL;
    assert_done(
        told("{\"ok\":true,\"result\":{\"text\":\"Inventée\\tici\\n« oui »\",\"none\":\"\"}}\n",
             &result));
    assert_string_equal(json_string_value(json_object_get(result, "text")),
                        "Inventée\tici\n« oui »");
    assert_string_equal(json_string_value(json_object_get(result, "none")), "");
    json_decref(result);
}

static void test_a_name_of_a_member_is_no_command(void **state)
{
    (void)state;
    json_t *result = NULL;
    assert_fails(VAULT_CORRUPT, told("{\"ok\":true,\"result\":{\"a\\u001b[2J\":1}}\n", &result));
    assert_null(result);
}

int main(void)
{
    json_start();
    return TEST_RUN(test_no_text_commands_the_terminal, test_letters_lines_and_columns_stay,
                    test_a_name_of_a_member_is_no_command);
}
