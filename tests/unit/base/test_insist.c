#include "vault/base/insist.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "refused_memory.h"
#include "test.h"
#include "vault/base/json.h"

static void test_memory_that_comes_back_is_given(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        refuse_memory(0, i);
        void *memory = insist_malloc(16, "a test");
        assert_non_null(memory);
        assert_int_equal(refused_memory_left(), 0);
        free(memory);
    }
}

static void test_without_memory_the_process_ends_and_says_of_what(void **state)
{
    (void)state;
    int said[2];
    char text[128] = "";
    assert_int_equal(pipe(said), 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(said[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        refuse_memory(0, INSIST_MS * 2);
        free(insist_malloc(16, "a test"));
        _exit(0);
    }
    int status = 0;
    close(said[1]);
    assert_true(read(said[0], text, sizeof text - 1) > 0);
    close(said[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_string_equal(text, "a test: no memory, or no randomness, for a second\n");
}

static void test_waiting_is_counted(void **state)
{
    (void)state;
    unsigned tries = 0;
    insist_again(&tries, "a test");
    insist_again(&tries, "a test");
    assert_int_equal(tries, 2);
}

/* jansson alone loses a byte of a name or a value, or writes past its end. */
static void test_no_refusal_changes_what_is_read_of_json(void **state)
{
    (void)state;
    static const char text[] = "{\"a name that is long enough to grow\":"
                               "[\"a value of thirty-one characters\",1234567890123456789]}";
    unsigned nth = 0;
    json_start();
    for (bool was_refused = true; was_refused; nth++) {
        VAULT_AUTO(json_free) json_t *root = NULL;
        VAULT_AUTO(buf_finish) struct buf again = buf_limited(sizeof text);
        refuse_memory(nth, 1);
        assert_done(json_parse(BYTES(text), 4, &root, NULL, &test_error));
        was_refused = refused_memory_left() == 0;
        json_write_value(&again, root);
        assert_string_equal(buf_string(&again), text);
    }
    assert_true(nth > 10);
}

int main(void)
{
    return TEST_RUN(test_memory_that_comes_back_is_given,
                    test_without_memory_the_process_ends_and_says_of_what, test_waiting_is_counted,
                    test_no_refusal_changes_what_is_read_of_json);
}
