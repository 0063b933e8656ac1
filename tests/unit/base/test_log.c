#include "test.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/base/log.h"

static int kept_stderr = -1;
static char path[PATH_MAX];

/* Standard error into a file, and back. */
static void capture(void)
{
    assert_done(file_join(path, sizeof path, test_folder(), "log", &test_error));
    fflush(stderr);
    kept_stderr = dup(STDERR_FILENO);
    VAULT_AUTO(file_close) int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDERR_FILENO);
}

static struct buf captured(void)
{
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    struct buf text = buf_limited(1 << 20);
    assert_done(file_read(path, &text, &test_error));
    return text;
}

/* The first line of a text, which loses it; data NULL if there is none. */
static struct bytes cut_line(struct bytes *text)
{
    if (!text->size)
        return (struct bytes){0};
    const uint8_t *end = memchr(text->data, '\n', text->size);
    assert_non_null(end);
    const struct bytes line = {text->data, (size_t)(end - text->data)};
    *text = (struct bytes){end + 1, text->size - line.size - 1};
    return line;
}

/* The n-th line as JSON, or NULL. */
static json_t *line_of(struct bytes text, size_t n)
{
    struct bytes line = cut_line(&text);
    while (line.data && n-- > 0)
        line = cut_line(&text);
    json_t *root = NULL;
    if (line.data)
        assert_done(json_parse(line, 1, &root, NULL, &test_error));
    return root;
}

static void assert_member(const json_t *line, const char *name, const char *expected)
{
    assert_true(bytes_equal(json_text(json_object_get(line, name)), bytes_of_text(expected)));
}

static void test_a_line_is_one_json_object(void **state)
{
    (void)state;
    capture();
    log_event(LOG_WARNING, "start", "listening on %s:%d", "127.0.0.1", 8443);
    VAULT_AUTO(buf_finish) struct buf text = captured();
    VAULT_AUTO(json_free) json_t *line = line_of(buf_view(&text), 0);
    assert_member(line, "level", "warning");
    assert_member(line, "event", "start");
    assert_member(line, "text", "listening on 127.0.0.1:8443");
    assert_int_equal(json_text(json_object_get(line, "time")).size, 20);
    assert_null(line_of(buf_view(&text), 1));
}

static void test_what_is_odd_in_a_text_breaks_no_line(void **state)
{
    (void)state;
    capture();
    log_event(LOG_ERROR, "test", "%s", "a\nb\"c\\d\x1b[2J");
    VAULT_AUTO(buf_finish) struct buf text = captured();
    VAULT_AUTO(json_free) json_t *line = line_of(buf_view(&text), 0);
    assert_member(line, "text", "a\nb\"c\\d\x1b[2J");
    assert_null(memchr(text.data, 0x1b, text.size));
    assert_null(line_of(buf_view(&text), 1));
}

static void test_lines_above_the_level_are_left_out(void **state)
{
    (void)state;
    capture();
    log_event(LOG_DEBUG, "test", "not by itself");
    log_set_level(LOG_ERROR);
    log_event(LOG_WARNING, "test", "not now");
    log_event(LOG_ERROR, "test", "this one");
    log_set_level(LOG_DEBUG);
    log_event(LOG_DEBUG, "test", "and this");
    log_set_level(LOG_INFO);
    VAULT_AUTO(buf_finish) struct buf text = captured();
    VAULT_AUTO(json_free) json_t *first = line_of(buf_view(&text), 0);
    VAULT_AUTO(json_free) json_t *second = line_of(buf_view(&text), 1);
    assert_member(first, "text", "this one");
    assert_member(second, "text", "and this");
    assert_null(line_of(buf_view(&text), 2));
}

static void test_a_text_too_long_is_cut_and_still_a_line(void **state)
{
    (void)state;
    char long_text[4000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = 0;
    capture();
    log_event(LOG_INFO, "test", "%s", long_text);
    VAULT_AUTO(buf_finish) struct buf text = captured();
    VAULT_AUTO(json_free) json_t *line = line_of(buf_view(&text), 0);
    const size_t size = json_text(json_object_get(line, "text")).size;
    assert_true(size >= VAULT_ERROR_TEXT_BYTES && size < sizeof long_text);
}

static void test_a_text_of_odd_characters_is_not_lost(void **state)
{
    (void)state;
    char odd[1000];
    memset(odd, 1, sizeof odd - 1); /* each is six characters when escaped */
    odd[sizeof odd - 1] = 0;
    capture();
    log_event(LOG_INFO, "test", "%s", odd);
    VAULT_AUTO(buf_finish) struct buf text = captured();
    VAULT_AUTO(json_free) json_t *line = line_of(buf_view(&text), 0);
    assert_non_null(line);
}

static void *write_many(void *context)
{
    (void)context;
    for (int i = 0; i < 100; i++)
        log_event(LOG_INFO, "flood", "line %d", i);
    return NULL;
}

/* Lines so far, and those of them that say how many were left out. */
static size_t count_lines(size_t *told)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1 << 20);
    assert_done(file_read(path, &text, &test_error));
    *told = 0;
    for (size_t lines = 0;; lines++) {
        VAULT_AUTO(json_free) json_t *line = line_of(buf_view(&text), lines);
        if (!line)
            return lines;
        const struct bytes words = json_text(json_object_get(line, "text"));
        *told += memmem(words.data, words.size, "lines were left out", 19) != NULL;
    }
}

static void test_a_flood_is_bounded_and_counted(void **state)
{
    (void)state;
    pthread_t threads[8];
    size_t told = 0;
    size_t lines = 0;
    capture();
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, NULL), 0);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    /* The next second has room again, and says what was left out. */
    for (int i = 0; i < 200 && !told; i++) {
        usleep(10000);
        log_event(LOG_INFO, "test", "afterwards");
        lines = count_lines(&told);
    }
    struct buf text = captured();
    buf_finish(&text);
    assert_true(told >= 1);
    assert_true(lines <= 4 * LOG_LINES_OF_AN_EVENT + 4);
}

/* Many of one event leave the others their place, and are told under their name. */
static void test_a_flood_of_one_event_hides_no_other(void **state)
{
    (void)state;
    capture();
    write_many(NULL);
    log_event(LOG_ERROR, "rare", "what matters");
    for (int i = 0; i < 11; i++) {
        usleep(100000);
        log_event(LOG_INFO, "test", "afterwards");
    }
    VAULT_AUTO(buf_finish) struct buf text = captured();
    assert_non_null(memmem(text.data, text.size, "what matters", 12));
    assert_non_null(memmem(text.data, text.size, "flood: ", 7));
}

static void test_more_events_than_are_counted_are_bounded_all_the_same(void **state)
{
    (void)state;
    size_t told = 0;
    capture();
    for (int i = 0; i < 2000; i++) {
        char event[16];
        snprintf(event, sizeof event, "event-%d", i % 100);
        log_event(LOG_INFO, event, "line");
    }
    const size_t lines = count_lines(&told);
    struct buf text = captured();
    buf_finish(&text);
    assert_true(lines <= 2 * LOG_LINES_PER_SECOND + 100);
}

static void test_a_line_names_the_request_that_its_thread_answers(void **state)
{
    (void)state;
    capture();
    log_event(LOG_INFO, "a", "before");
    log_set_request("01ARZ3NDEKTSV4RRFFQ69G5FAV");
    log_event(LOG_INFO, "b", "during");
    log_set_request(NULL);
    log_event(LOG_INFO, "c", "after");
    VAULT_AUTO(buf_finish) struct buf text = captured();
    VAULT_AUTO(json_free) json_t *before = line_of(buf_view(&text), 0);
    VAULT_AUTO(json_free) json_t *during = line_of(buf_view(&text), 1);
    VAULT_AUTO(json_free) json_t *after = line_of(buf_view(&text), 2);
    assert_null(json_object_get(before, "request"));
    assert_member(during, "request", "01ARZ3NDEKTSV4RRFFQ69G5FAV");
    assert_member(during, "text", "during");
    assert_null(json_object_get(after, "request"));
}

int main(void)
{
    json_start();
    return TEST_RUN(
        test_a_line_names_the_request_that_its_thread_answers, test_a_line_is_one_json_object,
        test_what_is_odd_in_a_text_breaks_no_line, test_lines_above_the_level_are_left_out,
        test_a_text_too_long_is_cut_and_still_a_line, test_a_text_of_odd_characters_is_not_lost,
        test_a_flood_is_bounded_and_counted, test_a_flood_of_one_event_hides_no_other,
        test_more_events_than_are_counted_are_bounded_all_the_same);
}
