/* Requests that are answered without a thread of their own, or are not. */
#include "vault/edge/listener.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define CLIENTS_MAX 4
#define IDLE_MS     400

static struct identities all;
static struct tls *tls;
static struct listener *listener;
static struct client clients[CLIENTS_MAX];
static struct reply reply;
static int tick_fd;

/* --- What is behind the listener ------------------------------------------------------------ */

static struct {
    atomic_uint started;
    atomic_uint handled;
    atomic_uint left;
    atomic_bool is_there; /* what the rests wait for */
} behind;

static bool rest_is_whole(struct http_rest *rest, struct http_answer *answer)
{
    if (!atomic_load(&behind.is_there))
        return false;
    answer->content_type = "text/plain";
    buf_format(&answer->body, "the rest of %s", (const char *)rest->context);
    return true;
}

static void leave(void *entered)
{
    atomic_fetch_add((atomic_uint *)entered, 1);
}

/* By the path: at once, later, or not without waiting. */
static enum http_progress start(void *context, const struct http_request *request,
                                struct http_answer *answer, struct http_rest *rest)
{
    (void)context;
    atomic_fetch_add(&behind.started, 1);
    answer->content_type = "text/plain";
    if (strcmp(request->path, "/now") == 0) {
        buf_text(&answer->body, "at once");
        return HTTP_ANSWERED;
    }
    if (strcmp(request->path, "/later") == 0) {
        *rest = (struct http_rest){.is_whole = rest_is_whole,
                                   .context = strdup(request->path),
                                   .leave = leave,
                                   .entered = &behind.left};
        return HTTP_AWAITS;
    }
    answer->status = 500;
    buf_text(&answer->body, "this is dropped");
    return HTTP_WOULD_WAIT;
}

static void handle(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context;
    atomic_fetch_add(&behind.handled, 1);
    answer->content_type = "text/plain";
    buf_format(&answer->body, "handled %s", request->path);
}

static void begin_with(int ticks)
{
    static bool made;
    if (!made)
        make_identities(&all);
    made = true;
    memset(&behind, 0, sizeof behind);
    const struct tls_files files = {.certificate = all.server.certificate,
                                    .key = all.server.key,
                                    .clients_ca = all.clients_ca.certificate};
    assert_done(tls_open(&files, &tls, &test_error));
    const struct listener_options options = {.name = "tests",
                                             .address = "127.0.0.1",
                                             .tls = tls,
                                             .handler = handle,
                                             .starter = start,
                                             .tick_fd = ticks};
    assert_done(listener_start(&options, &listener, &test_error));
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        client_open(&clients[i], &all, &all.known, listener_port(listener));
}

static void begin(void)
{
    tick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(tick_fd > 0);
    begin_with(tick_fd);
}

static void end(void)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        client_close(&clients[i]);
    listener_stop(&listener);
    tls_close(&tls);
    if (tick_fd > 0)
        close(tick_fd);
    tick_fd = 0;
}

static void ask(struct client *client, const char *path)
{
    char text[128];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    client_say(client, text);
}

static void assert_reply(struct client *client, const char *body)
{
    assert_true(client_read(client, &reply, false));
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, body);
}

static void wait_until_started(unsigned count)
{
    while (atomic_load(&behind.started) < count)
        usleep(1000);
}

static void let_it_come(void)
{
    atomic_store(&behind.is_there, true);
    if (tick_fd > 0)
        assert_int_equal(eventfd_write(tick_fd, 1), 0);
}

/* --- Tests ---------------------------------------------------------------------------------- */

static void test_what_is_answered_at_once_needs_no_handler(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < 3; i++) {
        ask(&clients[0], "/now");
        assert_reply(&clients[0], "at once");
    }
    assert_int_equal(atomic_load(&behind.handled), 0);
    end();
}

static void test_what_would_wait_is_the_handlers_as_if_it_had_not_been_tried(void **state)
{
    (void)state;
    begin();
    ask(&clients[0], "/slowly");
    assert_reply(&clients[0], "handled /slowly");
    assert_int_equal(atomic_load(&behind.started), 1);
    assert_int_equal(atomic_load(&behind.handled), 1);
    end();
}

static void test_an_answer_comes_with_its_rest_and_not_before(void **state)
{
    (void)state;
    begin();
    ask(&clients[0], "/later");
    wait_until_started(1);
    usleep(20000); /* time enough to do it wrongly */
    assert_int_equal(atomic_load(&behind.left), 0);
    let_it_come();
    assert_reply(&clients[0], "the rest of /later");
    assert_int_equal(atomic_load(&behind.left), 1);
    assert_int_equal(atomic_load(&behind.handled), 0);
    end();
}

static void test_who_waits_holds_nobody_up(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i + 1 < CLIENTS_MAX; i++)
        ask(&clients[i], "/later");
    wait_until_started(CLIENTS_MAX - 1);
    for (unsigned i = 0; i < 10; i++) {
        ask(&clients[CLIENTS_MAX - 1], i % 2 ? "/now" : "/slowly");
        assert_reply(&clients[CLIENTS_MAX - 1], i % 2 ? "at once" : "handled /slowly");
    }
    let_it_come();
    for (size_t i = 0; i + 1 < CLIENTS_MAX; i++)
        assert_reply(&clients[i], "the rest of /later");
    assert_int_equal(atomic_load(&behind.left), CLIENTS_MAX - 1);
    end();
}

static void test_a_connection_goes_on_after_it_waited(void **state)
{
    (void)state;
    begin();
    ask(&clients[0], "/later");
    ask(&clients[0], "/now"); /* there before the first is answered */
    wait_until_started(1);
    let_it_come();
    assert_reply(&clients[0], "the rest of /later");
    assert_reply(&clients[0], "at once");
    ask(&clients[0], "/later");
    assert_reply(&clients[0], "the rest of /later");
    end();
}

static void test_a_rest_that_nobody_tells_of_is_looked_for_all_the_same(void **state)
{
    (void)state;
    begin_with(0);
    ask(&clients[0], "/later");
    wait_until_started(1);
    let_it_come();
    assert_reply(&clients[0], "the rest of /later");
    end();
}

static void test_a_client_that_goes_while_it_waits_leaves_nothing_behind(void **state)
{
    (void)state;
    begin();
    ask(&clients[0], "/later");
    wait_until_started(1);
    client_close(&clients[0]);
    let_it_come();
    ask(&clients[1], "/later");
    assert_reply(&clients[1], "the rest of /later");
    while (atomic_load(&behind.left) < 2)
        usleep(1000);
    end();
}

static void *come_late(void *unused)
{
    (void)unused;
    usleep(100000);
    let_it_come();
    return NULL;
}

static void test_stopping_waits_for_what_was_begun(void **state)
{
    (void)state;
    pthread_t late;
    begin();
    ask(&clients[0], "/later");
    wait_until_started(1);
    assert_int_equal(pthread_create(&late, NULL, come_late, NULL), 0);
    listener_stop(&listener);
    assert_int_equal(atomic_load(&behind.left), 1);
    pthread_join(late, NULL);
    assert_reply(&clients[0], "the rest of /later");
    end();
}

/* Until there is nobody any more. */
static void *keep_asking(void *context)
{
    static const char text[] = "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static _Thread_local struct reply mine;
    struct client *client = context;
    while (client_send(client, text, sizeof text - 1) && client_read(client, &mine, false))
        continue;
    return NULL;
}

static void test_stopping_does_not_wait_for_those_who_go_on_asking(void **state)
{
    (void)state;
    pthread_t asking[CLIENTS_MAX];
    begin();
    let_it_come();
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        assert_int_equal(pthread_create(&asking[i], NULL, keep_asking, &clients[i]), 0);
    wait_until_started(100);
    listener_stop(&listener);
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        pthread_join(asking[i], NULL);
    assert_int_equal(atomic_load(&behind.left), atomic_load(&behind.started));
    end();
}

/* Nor does one who begins a handshake and goes no further keep the loop at work. */
static void test_a_handshake_that_waits_for_its_client_costs_nothing(void **state)
{
    (void)state;
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"; /* and no more */
    const struct timespec pause = {.tv_nsec = IDLE_MS * 1000L * 1000};
    struct client slow;
    begin();
    client_dial(&slow, "127.0.0.1", listener_port(listener));
    assert_true(client_send(&slow, hello, sizeof hello - 1));
    nanosleep(&pause, NULL);
    const clock_t before = clock();
    nanosleep(&pause, NULL);
    assert_true(clock() - before < CLOCKS_PER_SEC / 1000 * IDLE_MS / 4);
    ask(&clients[0], "/now");
    assert_true(client_read(&clients[0], &reply, false));
    assert_int_equal(reply.status, 200);
    client_close(&slow);
    end();
}

int main(void)
{
    return TEST_RUN(test_what_is_answered_at_once_needs_no_handler,
                    test_what_would_wait_is_the_handlers_as_if_it_had_not_been_tried,
                    test_an_answer_comes_with_its_rest_and_not_before,
                    test_who_waits_holds_nobody_up, test_a_connection_goes_on_after_it_waited,
                    test_a_rest_that_nobody_tells_of_is_looked_for_all_the_same,
                    test_a_client_that_goes_while_it_waits_leaves_nothing_behind,
                    test_stopping_waits_for_what_was_begun,
                    test_stopping_does_not_wait_for_those_who_go_on_asking,
                    test_a_handshake_that_waits_for_its_client_costs_nothing);
}
