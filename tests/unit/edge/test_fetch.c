/* Against servers of a thread each on the loopback, that answer as they are told, or never. */
#include "edge/fetch.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"
#include "vault/base/clock.h"

#define PATIENCE_MS 10000

/* Takes one connection and answers it with these bytes; NULL: never. */
struct server {
    int listening;
    char url[64];
    const char *answer;
    char request[4096];
    pthread_t thread;
};

static void *serve(void *context)
{
    struct server *server = context;
    const int fd = accept(server->listening, NULL, NULL);
    size_t size = 0;
    while (fd >= 0 && !strstr(server->request, "the body") && size < sizeof server->request - 1) {
        const ssize_t got = read(fd, server->request + size, sizeof server->request - 1 - size);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    if (fd >= 0 && write(fd, server->answer, strlen(server->answer)) < 0)
        perror("write");
    close(fd);
    return NULL;
}

static void start(struct server *server, const char *answer)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    *server = (struct server){.listening = socket(AF_INET, SOCK_STREAM, 0), .answer = answer};
    assert_int_equal(bind(server->listening, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(server->listening, 8), 0);
    assert_int_equal(getsockname(server->listening, (struct sockaddr *)&at, &size), 0);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u/add", ntohs(at.sin_port));
    if (answer)
        assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void end(struct server *server)
{
    if (server->answer)
        pthread_join(server->thread, NULL);
    close(server->listening);
}

static struct fetch fetch_of(const char *url, struct buf *answer)
{
    return (struct fetch){
        .url = url, .content_type = "text/plain", .body = BYTES("the body"), .answer = answer};
}

static void fetch_one(const char *url, struct fetch *fetch, struct buf *answer)
{
    VAULT_AUTO(fetcher_free) struct fetcher *fetcher = NULL;
    assert_done(fetcher_new(NULL, &fetcher, &test_error));
    *fetch = fetch_of(url, answer);
    fetch_all(fetcher, fetch, 1, PATIENCE_MS);
}

static void test_a_body_is_posted_and_the_answer_taken(void **state)
{
    (void)state;
    struct server server;
    struct fetch fetch;
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(100);
    start(&server, "HTTP/1.1 409 Conflict\r\nContent-Length: 4\r\n\r\n300\n");
    fetch_one(server.url, &fetch, &answer);
    end(&server);
    assert_int_equal(fetch.status, 409);
    assert_true(bytes_equal(buf_view(&answer), BYTES("300\n")));
    assert_non_null(strstr(server.request, "POST /add HTTP/1.1\r\n"));
    assert_non_null(strstr(server.request, "Content-Type: text/plain\r\n"));
    assert_null(strstr(server.request, "Expect"));
    assert_non_null(strstr(server.request, "\r\n\r\nthe body"));
}

static void test_an_answer_that_is_too_large_is_none(void **state)
{
    (void)state;
    struct server server;
    struct fetch fetch;
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(10);
    start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901");
    fetch_one(server.url, &fetch, &answer);
    end(&server);
    assert_int_equal(fetch.status, 0);
    assert_string_equal(fetch.problem, "its answer is too large");
}

static void test_half_an_answer_is_none(void **state)
{
    (void)state;
    struct server server;
    struct fetch fetch;
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(100);
    start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345");
    fetch_one(server.url, &fetch, &answer);
    end(&server);
    assert_int_equal(fetch.status, 0);
    assert_true(fetch.problem[0]);
}

static void test_a_redirect_is_an_answer_and_not_followed(void **state)
{
    (void)state;
    struct server server;
    struct server elsewhere;
    char answer_text[160];
    struct fetch fetch;
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(100);
    start(&elsewhere, NULL);
    snprintf(answer_text, sizeof answer_text,
             "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", elsewhere.url);
    start(&server, answer_text);
    fetch_one(server.url, &fetch, &answer);
    end(&server);
    assert_int_equal(fetch.status, 302);
    struct pollfd came = {.fd = elsewhere.listening, .events = POLLIN};
    assert_int_equal(poll(&came, 1, 0), 0);
    end(&elsewhere);
}

static void test_nobody_there_is_said(void **state)
{
    (void)state;
    struct server server;
    struct fetch fetch;
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(100);
    start(&server, NULL);
    end(&server);
    fetch_one(server.url, &fetch, &answer);
    assert_int_equal(fetch.status, 0);
    assert_true(fetch.problem[0]);
}

static void test_one_that_never_answers_does_not_keep_the_others(void **state)
{
    (void)state;
    struct server silent;
    struct server server;
    VAULT_AUTO(fetcher_free) struct fetcher *fetcher = NULL;
    VAULT_AUTO(buf_finish) struct buf one = buf_limited(100);
    VAULT_AUTO(buf_finish) struct buf two = buf_limited(100);
    start(&silent, NULL);
    start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    assert_done(fetcher_new(NULL, &fetcher, &test_error));
    struct fetch fetches[] = {fetch_of(silent.url, &one), fetch_of(server.url, &two)};
    const int64_t began_ms = clock_monotonic_ms();
    fetch_all(fetcher, fetches, 2, 700);
    const int64_t took_ms = clock_monotonic_ms() - began_ms;
    end(&server);
    end(&silent);
    assert_int_equal(fetches[0].status, 0);
    assert_int_equal(fetches[1].status, 200);
    assert_true(took_ms >= 600 && took_ms < 3000);
}

static void test_only_http_and_https_urls_will_do(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",          "witness.example", "ftp://witness.example/",
        "file:///x", "http://",         "http://user:word@w.example/",
        "https//w"};
    assert_true(fetch_url_is_valid("http://127.0.0.1:7380"));
    assert_true(fetch_url_is_valid("https://witness.example/prefix/"));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(fetch_url_is_valid(wrong[i]));
    assert_int_equal(fetch_url_port("http://127.0.0.1:7380"), 7380);
    assert_int_equal(fetch_url_port("https://witness.example/prefix/"), 443);
    assert_int_equal(fetch_url_port("http://witness.example"), 80);
    assert_int_equal(fetch_url_port(""), 0);
    assert_int_equal(fetch_url_port("https://witness.example:70000"), 0);
    static const char *const sheltered[] = {"https://witness.example/", "http://127.0.0.1:7380",
                                            "http://127.9.9.9",         "http://localhost/x",
                                            "http://[::1]:80/",         "HTTPS://w.example"};
    static const char *const open[] = {"http://witness.example/",
                                       "http://192.0.2.7:7380",
                                       "http://localhost.example",
                                       "http://127.0.0.1.example",
                                       "http://[2001:db8::1]/",
                                       "http://w.example/https://",
                                       ""};
    for (size_t i = 0; i < sizeof sheltered / sizeof sheltered[0]; i++)
        assert_true(fetch_url_is_sheltered(sheltered[i]));
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        assert_false(fetch_url_is_sheltered(open[i]));
    struct fetch fetch;
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(100);
    fetch_one("file:///dev/null", &fetch, &answer);
    assert_int_equal(fetch.status, 0);
}

int main(void)
{
    return TEST_RUN(test_a_body_is_posted_and_the_answer_taken,
                    test_an_answer_that_is_too_large_is_none, test_half_an_answer_is_none,
                    test_a_redirect_is_an_answer_and_not_followed, test_nobody_there_is_said,
                    test_one_that_never_answers_does_not_keep_the_others,
                    test_only_http_and_https_urls_will_do);
}
