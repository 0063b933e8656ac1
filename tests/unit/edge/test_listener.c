#include "vault/edge/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define SIMPLE      "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define LIMIT       65536 /* bytes of a body */

#define LARGE_BYTES (6UL * 1024 * 1024) /* of an answer */

static struct identities all;
static struct tls *tls;
static struct listener *listener;
static struct client client;
static struct client second;
static struct reply reply;

/* --- What is behind the listener ------------------------------------------------------------ */

static struct {
    atomic_uint calls;
    uint8_t spki[SHA256_BYTES];
    bool has_peer;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool waiting; /* a handler is at work on /slow */
    bool go_on;
} behind = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void wait_until_told(void)
{
    pthread_mutex_lock(&behind.mutex);
    behind.waiting = true;
    pthread_cond_broadcast(&behind.changed);
    while (!behind.go_on)
        pthread_cond_wait(&behind.changed, &behind.mutex);
    pthread_mutex_unlock(&behind.mutex);
}

static void wait_for_slow_handler(void)
{
    pthread_mutex_lock(&behind.mutex);
    while (!behind.waiting)
        pthread_cond_wait(&behind.changed, &behind.mutex);
    pthread_mutex_unlock(&behind.mutex);
}

static void let_slow_handler_go(void)
{
    pthread_mutex_lock(&behind.mutex);
    behind.go_on = true;
    pthread_cond_broadcast(&behind.changed);
    pthread_mutex_unlock(&behind.mutex);
}

/* "METHOD PATH a=VALUE SIZE SUM", so that what arrived can be compared with what was sent. */
static void handle(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct bytes a = http_request_query(request, "a");
    static const uint8_t many[4096];
    unsigned sum = 0;
    atomic_fetch_add(&behind.calls, 1);
    pthread_mutex_lock(&behind.mutex);
    behind.has_peer = request->has_peer;
    memcpy(behind.spki, request->peer_spki, sizeof behind.spki);
    pthread_mutex_unlock(&behind.mutex);
    if (strcmp(request->path, "/slow") == 0)
        wait_until_told();
    for (size_t i = 0; i < request->body.size; i++)
        sum += request->body.data[i];
    answer->content_type = "text/plain";
    answer->close = strcmp(request->path, "/close") == 0;
    for (size_t i = 0; strcmp(request->path, "/large") == 0 && i < LARGE_BYTES / sizeof many; i++)
        buf_bytes(&answer->body, (struct bytes){many, sizeof many});
    if (strcmp(request->path, "/broken") == 0)
        answer->body = buf_limited(2);
    if (strcmp(request->path, "/nothing") == 0) {
        answer->status = 204;
        answer->content_type = NULL;
        return;
    }
    http_answer_header(answer, "X-Context", "%s", (const char *)context);
    buf_format(&answer->body, "%s %s a=%.*s %zu %u", http_method_name(request->method),
               request->path, (int)a.size, (const char *)a.data, request->body.size, sum);
}

static void decorate(struct http_answer *answer)
{
    http_answer_header(answer, "X-Decorated", "%u", answer->status);
}

static struct listener_options options(void)
{
    static char context[] = "the context";
    return (struct listener_options){.name = "tests",
                                     .address = "127.0.0.1",
                                     .tls = tls,
                                     .handler = handle,
                                     .context = context,
                                     .decorate = decorate};
}

static void begin_with(const struct listener_options *with, bool ask_for_certificate)
{
    static bool made;
    if (!made)
        make_identities(&all);
    made = true;
    const struct tls_files files = {.certificate = all.server.certificate,
                                    .key = all.server.key,
                                    .clients_ca =
                                        ask_for_certificate ? all.clients_ca.certificate : NULL};
    assert_done(tls_open(&files, &tls, &test_error));
    struct listener_options chosen = *with;
    chosen.tls = tls;
    assert_done(listener_start(&chosen, &listener, &test_error));
    atomic_store(&behind.calls, 0);
    behind.waiting = false;
    behind.go_on = false;
}

static void begin(void)
{
    const struct listener_options usual = options();
    begin_with(&usual, true);
}

static void end(void)
{
    client_close(&client);
    client_close(&second);
    listener_stop(&listener);
    tls_close(&tls);
}

static void connect_known(void)
{
    client_open(&client, &all, &all.known, listener_port(listener));
}

static void assert_reply(unsigned status, const char *body)
{
    char value[512];
    char wanted[16];
    if (!client_read(&client, &reply, false))
        fail_msg("the connection was closed");
    if (reply.status != status)
        fail_msg("%u, not %u: %s", reply.status, status, reply.body);
    if (body)
        assert_string_equal(reply.body, body);
    snprintf(wanted, sizeof wanted, "%u", status);
    assert_non_null(reply_header(&reply, "X-Decorated", value));
    assert_string_equal(value, wanted);
}

/* --- The handshake -------------------------------------------------------------------------- */

static void test_a_client_is_known_by_its_key(void **state)
{
    (void)state;
    begin();
    connect_known();
    client_say(&client, SIMPLE);
    assert_reply(200, "GET /hello a= 0 0");
    assert_true(behind.has_peer);
    assert_memory_equal(behind.spki, all.known.spki, SHA256_BYTES);
    end();
}

/* Nothing of HTTP is spoken with it: neither in the handshake nor after it. */
static void assert_not_served_since(const struct identity *as, unsigned calls)
{
    client_dial(&client, "127.0.0.1", listener_port(listener));
    if (client_handshake(&client, &all, as, NULL))
        client_send(&client, SIMPLE, sizeof SIMPLE - 1); /* it may be closed by now */
    assert_true(client_is_closed(&client));
    assert_int_equal(atomic_load(&behind.calls), calls);
    client_close(&client);
}

static void assert_not_served(const struct identity *as)
{
    assert_not_served_since(as, 0);
}

static void test_without_a_certificate_nothing_is_served(void **state)
{
    (void)state;
    begin();
    assert_not_served(NULL);
    end();
}

static void test_certificates_that_do_not_fit_end_the_handshake(void **state)
{
    (void)state;
    begin();
    assert_not_served(&all.expired);
    assert_not_served(&all.early);
    assert_not_served(&all.stranger);
    assert_not_served(&all.misused);
    assert_not_served(&all.clients_ca);
    assert_not_served(&all.server);
    end();
}

static void test_only_tls_1_3_is_spoken(void **state)
{
    (void)state;
    static const char *const older[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.2",
                                        "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.1",
                                        "LEGACY:-VERS-ALL:+VERS-TLS1.0"};
    begin();
    for (size_t i = 0; i < sizeof older / sizeof older[0]; i++) {
        client_dial(&client, "127.0.0.1", listener_port(listener));
        assert_false(client_handshake(&client, &all, &all.known, older[i]));
        client_close(&client);
    }
    connect_known();
    assert_int_equal(gnutls_protocol_get_version(client.session), GNUTLS_TLS1_3);
    end();
}

/* Without TLS: an alert of TLS may come before the end, and nothing else. */
static void wait_until_closed(struct client *one)
{
    while (!client_is_closed(one)) {
        assert_int_equal(one->pending[0], 0x15);
        one->pending_size = 0;
    }
}

static void test_http_without_tls_gets_no_http_back(void **state)
{
    (void)state;
    begin();
    client_dial(&client, "127.0.0.1", listener_port(listener));
    client_say(&client, SIMPLE);
    wait_until_closed(&client);
    assert_int_equal(atomic_load(&behind.calls), 0);
    end();
}

static void test_every_connection_is_a_full_handshake(void **state)
{
    (void)state;
    begin();
    connect_known();
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    assert_false(gnutls_session_get_flags(client.session) & GNUTLS_SFLAGS_SESSION_TICKET);
    assert_false(gnutls_session_is_resumed(client.session));
    end();
}

/* On a connection that is kept alive too, and without its handler being called. */
static void test_who_is_not_let_in_any_more_is_refused_at_the_next_request(void **state)
{
    (void)state;
    char ca[PATH_MAX];
    bool changed;
    struct tls_credentials *fresh = NULL;
    begin();
    listener_stop(&listener);
    tls_close(&tls);
    snprintf(ca, sizeof ca, "%.*s.used", PATH_MAX - 8, all.clients_ca.certificate);
    put_file(all.clients_ca.certificate, ca);
    const struct tls_files files = {all.server.certificate, all.server.key, ca, NULL, NULL};
    assert_done(tls_open(&files, &tls, &test_error));
    struct listener_options usual = options();
    assert_done(listener_start(&usual, &listener, &test_error));
    connect_known();
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    put_file(all.server_ca.certificate, ca);
    assert_done(tls_read_again(tls, &fresh, &changed, &test_error));
    tls_replace(tls, &fresh);
    client_say(&client, SIMPLE SIMPLE);
    assert_reply(403, NULL);
    assert_true(client_is_closed(&client));
    assert_int_equal(atomic_load(&behind.calls), 1);
    client_close(&client);
    assert_not_served_since(&all.known, 1);
    end();
}

static void test_a_listener_for_all_asks_for_no_certificate(void **state)
{
    (void)state;
    const struct listener_options usual = options();
    begin_with(&usual, false);
    client_open(&client, &all, NULL, listener_port(listener));
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    assert_false(behind.has_peer);
    assert_false(gnutls_certificate_client_get_request_status(client.session));
    client_close(&client);
    connect_known(); /* who has one is not known by it either */
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    assert_false(behind.has_peer);
    end();
}

/* --- Requests and answers ------------------------------------------------------------------- */

static void test_a_connection_carries_many_requests(void **state)
{
    (void)state;
    begin();
    connect_known();
    for (int i = 0; i < 3; i++) {
        client_say(&client, "POST /a?a=b%20c HTTP/1.1\r\nHost: localhost\r\n"
                            "Content-Length: 3\r\n\r\nxyz");
        assert_reply(200, "POST /a a=b c 3 363");
        assert_memory_equal(behind.spki, all.known.spki, SHA256_BYTES);
    }
    assert_int_equal(atomic_load(&behind.calls), 3);
    end();
}

static void test_requests_sent_at_once_are_answered_in_order(void **state)
{
    (void)state;
    begin();
    connect_known();
    client_say(&client, "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                        "POST /2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\na"
                        "GET /3 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_reply(200, "GET /1 a= 0 0");
    assert_reply(200, "POST /2 a= 1 97");
    assert_reply(200, "GET /3 a= 0 0");
    end();
}

static void test_an_answers_headers_and_kind_reach_the_client(void **state)
{
    (void)state;
    char value[512];
    begin();
    connect_known();
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    assert_string_equal(reply_header(&reply, "X-Context", value), "the context");
    assert_string_equal(reply_header(&reply, "Content-Type", value), "text/plain");
    client_say(&client, "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_reply(204, "");
    assert_null(reply_header(&reply, "Content-Type", value));
    end();
}

static void test_head_is_get_without_the_body(void **state)
{
    (void)state;
    char value[512];
    begin();
    connect_known();
    client_say(&client, "HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(client_read(&client, &reply, true));
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_header(&reply, "Content-Length", value), "18");
    assert_int_equal(client.pending_size, 0);
    client_say(&client, SIMPLE);
    assert_reply(200, "GET /hello a= 0 0");
    end();
}

static void test_an_answer_that_says_so_is_the_last(void **state)
{
    (void)state;
    char value[512];
    begin();
    connect_known();
    client_say(&client, "GET /close HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_reply(200, "GET /close a= 0 0");
    assert_string_equal(reply_header(&reply, "Connection", value), "close");
    assert_true(client_is_closed(&client));
    end();
}

static void test_an_answer_that_did_not_fit_is_a_500(void **state)
{
    (void)state;
    begin();
    connect_known();
    client_say(&client, "GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(client_read(&client, &reply, false));
    assert_int_equal(reply.status, 500);
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    end();
}

/* --- Bodies --------------------------------------------------------------------------------- */

static void send_bytes(size_t size)
{
    static char many[LIMIT];
    memset(many, 'a', sizeof many);
    while (size) {
        const size_t now = size < sizeof many ? size : sizeof many;
        if (!client_send(&client, many, now))
            return; /* refused already */
        size -= now;
    }
}

static void post_by_length(size_t size)
{
    char head[128];
    snprintf(head, sizeof head,
             "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", size);
    client_say(&client, head);
}

/* In chunks of uneven sizes. */
static void post_by_chunks(size_t size)
{
    client_say(&client,
               "POST /body HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t chunk = 1; size; chunk = chunk * 3 + 1) {
        char head[32];
        const size_t now = chunk < size ? chunk : size;
        snprintf(head, sizeof head, "%zx\r\n", now);
        client_say(&client, head);
        send_bytes(now);
        client_say(&client, "\r\n");
        size -= now;
    }
    client_say(&client, "0\r\n\r\n");
}

static void test_a_body_arrives_whole_up_to_the_limit(void **state)
{
    (void)state;
    char wanted[64];
    static const size_t sizes[] = {0, 1, 100, LIMIT - 1, LIMIT};
    begin();
    connect_known();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        snprintf(wanted, sizeof wanted, "POST /body a= %zu %zu", sizes[i], sizes[i] * 'a');
        post_by_length(sizes[i]);
        send_bytes(sizes[i]);
        assert_reply(200, wanted);
        post_by_chunks(sizes[i]);
        assert_reply(200, wanted);
    }
    end();
}

static void assert_too_large(void)
{
    char value[512];
    assert_reply(413, NULL);
    assert_string_equal(reply_header(&reply, "Content-Type", value), "application/problem+json");
    assert_string_equal(reply_header(&reply, "Connection", value), "close");
    assert_true(client_is_closed(&client));
    assert_int_equal(atomic_load(&behind.calls), 0);
    client_close(&client);
}

static void test_a_body_that_says_it_is_too_large_is_not_waited_for(void **state)
{
    (void)state;
    static const size_t sizes[] = {LIMIT + 1, 1000000, 999999999999};
    begin();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        connect_known();
        post_by_length(sizes[i]);
        assert_too_large();
    }
    end();
}

/* Who only then sends what it had to say is not cut off with a reset before it has read why. */
static void test_a_body_that_comes_after_its_refusal_is_thrown_away(void **state)
{
    (void)state;
    static char piece[LIMIT];
    begin();
    connect_known();
    struct pollfd there = {.fd = client.fd, .events = POLLIN};
    post_by_length(10 * sizeof piece);
    assert_int_equal(poll(&there, 1, CLIENT_WAIT_S * 1000), 1);
    for (int i = 0; i < 10; i++) {
        memset(piece, 'a', sizeof piece);
        assert_true(client_send(&client, piece, sizeof piece));
        usleep(5000); /* a reset would come meanwhile */
    }
    assert_too_large();
    end();
}

static void test_a_body_that_grows_too_large_in_chunks_is_refused(void **state)
{
    (void)state;
    begin();
    connect_known();
    post_by_chunks(LIMIT + 1);
    assert_too_large();
    end();
}

/* --- What the gate refuses ------------------------------------------------------------------ */

static void assert_refused(const char *request)
{
    char value[512];
    connect_known();
    client_say(&client, request);
    if (!client_read(&client, &reply, false))
        fail_msg("closed without a word: %s", request);
    if (reply.status != 400)
        fail_msg("%u: %s", reply.status, request);
    assert_string_equal(reply_header(&reply, "Content-Type", value), "application/problem+json");
    assert_string_equal(reply_header(&reply, "X-Decorated", value), "400");
    assert_true(client_is_closed(&client));
    client_close(&client);
}

static void test_what_can_be_read_in_two_ways_is_refused_and_the_connection_closed(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "get / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /a%00b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /a\"b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        /* A length beside chunks, in parentheses so that the pieces are meant to be one. */
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
         "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nA(b): c\r\n\r\n",
    };
    begin();
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_refused(odd[i]);
    assert_int_equal(atomic_load(&behind.calls), 0);
    end();
}

/* The HTTP library answers these by itself, or not at all; nothing may come of them. */
static void test_what_the_library_cannot_read_does_nothing(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/3.0\r\nHost: localhost\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1x\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon here\r\nHost: localhost\r\n\r\n",
        "\x16\x03\x01 nonsense\r\n\r\n",
    };
    begin();
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        connect_known();
        client_say(&client, broken[i]);
        while (client_read(&client, &reply, false))
            assert_true(reply.status >= 400);
        client_close(&client);
    }
    assert_int_equal(atomic_load(&behind.calls), 0);
    end();
}

/* The other end may have had enough before all of it is sent. */
static void say_with_filler(const char *before, size_t size, const char *after)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(LIMIT);
    buf_text(&text, before);
    for (size_t i = 0; i < size; i++)
        buf_byte(&text, 'a');
    buf_text(&text, after);
    client_send(&client, (const char *)text.data, text.size);
}

static void test_a_target_has_at_most_2048_characters(void **state)
{
    (void)state;
    begin();
    connect_known();
    say_with_filler("GET /", 2047, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_reply(200, NULL);
    say_with_filler("GET /", 2048, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_reply(400, NULL);
    assert_true(client_is_closed(&client));
    client_close(&client);
    connect_known();
    say_with_filler("GET /", 12000, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_reply(400, NULL);
    assert_null(strstr(reply.body, "aaaa"));
    assert_int_equal(atomic_load(&behind.calls), 1);
    end();
}

/* The library gives such a request up without a word to us: nothing of it may be left, which the
 * sanitizer finds at the end. */
static void test_a_query_that_fills_the_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(LIMIT);
    buf_text(&text, "GET /?");
    for (int i = 0; i < 1500; i++)
        buf_byte(&text, '&');
    buf_text(&text, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    begin();
    for (int i = 0; i < 3; i++) {
        connect_known();
        client_say(&client, buf_string(&text));
        while (client_read(&client, &reply, false))
            assert_true(reply.status >= 400);
        client_close(&client);
    }
    connect_known();
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    assert_int_equal(atomic_load(&behind.calls), 1);
    end();
}

static void test_headers_over_their_limits_are_refused(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf many = buf_limited(LIMIT);
    begin();
    connect_known();
    buf_text(&many, "GET / HTTP/1.1\r\nHost: localhost\r\n");
    for (int i = 0; i < 63; i++)
        buf_format(&many, "X-%d: a\r\n", i);
    buf_text(&many, "\r\n");
    client_say(&client, buf_string(&many));
    assert_reply(400, NULL);
    client_close(&client);
    connect_known();
    say_with_filler("GET / HTTP/1.1\r\nHost: localhost\r\nX: ", 60000, "\r\n\r\n");
    while (client_read(&client, &reply, false))
        assert_true(reply.status >= 400);
    assert_int_equal(atomic_load(&behind.calls), 0);
    end();
}

/* --- Time ----------------------------------------------------------------------------------- */

static void begin_impatient(void)
{
    struct listener_options impatient = options();
    impatient.deadline_s = 1;
    begin_with(&impatient, true);
}

static void pause_ms(long ms)
{
    const struct timespec time = {.tv_nsec = ms * 1000000};
    nanosleep(&time, NULL);
}

/* Send a byte now and then until the other end has had enough. */
static void drip_until_closed(char byte)
{
    for (int i = 0; i < CLIENT_WAIT_S * 20; i++) {
        if (!client_send(&client, &byte, 1))
            return;
        pause_ms(50);
    }
    fail_msg("still open after %d s of dripping", CLIENT_WAIT_S);
}

static void test_headers_that_drip_are_ended(void **state)
{
    (void)state;
    begin_impatient();
    connect_known();
    client_say(&client, "GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
    drip_until_closed('a');
    assert_int_equal(atomic_load(&behind.calls), 0);
    end();
}

static void test_a_body_that_drips_is_ended(void **state)
{
    (void)state;
    begin_impatient();
    connect_known();
    post_by_length(60000);
    drip_until_closed('a');
    assert_int_equal(atomic_load(&behind.calls), 0);
    end();
}

static void test_a_handshake_that_never_comes_is_ended(void **state)
{
    (void)state;
    begin_impatient();
    client_dial(&client, "127.0.0.1", listener_port(listener));
    client_dial(&second, "127.0.0.1", listener_port(listener));
    assert_true(client_send(&second, "\x16\x03\x01\x02", 4)); /* the first bytes of one */
    wait_until_closed(&client);
    wait_until_closed(&second);
    end();
}

static void test_a_handshake_that_drips_is_ended(void **state)
{
    (void)state;
    begin_impatient();
    client_dial(&client, "127.0.0.1", listener_port(listener));
    assert_true(client_send(&client, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
    drip_until_closed('a');
    assert_int_equal(atomic_load(&behind.calls), 0);
    end();
}

static void test_an_answer_that_is_not_taken_is_ended(void **state)
{
    (void)state;
    const int small = 4096;
    begin_impatient();
    connect_known();
    setsockopt(client.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    client_say(&client, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    drip_until_closed('a'); /* more and more of a next request, and nothing read */
    assert_int_equal(atomic_load(&behind.calls), 1);
    end();
}

/* A handler's time is ours: while it works nothing is counted against its client. */
static void test_a_handler_may_take_longer_than_a_client_may(void **state)
{
    (void)state;
    begin_impatient();
    client_dial(&second, "127.0.0.1", listener_port(listener));
    connect_known();
    client_say(&client, "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wait_for_slow_handler();
    wait_until_closed(&second); /* so the deadline of both is over */
    let_slow_handler_go();
    assert_reply(200, "GET /slow a= 0 0");
    end();
}

/* --- Start and stop ------------------------------------------------------------------------- */

static void test_stopping_ends_idle_connections_and_takes_no_more(void **state)
{
    (void)state;
    begin();
    const uint16_t port = listener_port(listener);
    connect_known();
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    client_dial(&second, "127.0.0.1", port);
    listener_stop(&listener);
    assert_null(listener);
    assert_true(client_is_closed(&client));
    wait_until_closed(&second);
    end();
}

static void *stop_it(void *context)
{
    (void)context;
    listener_stop(&listener);
    return NULL;
}

static void test_stopping_waits_for_the_answer_that_is_being_made(void **state)
{
    (void)state;
    pthread_t stopping;
    begin();
    connect_known();
    client_open(&second, &all, &all.known, listener_port(listener));
    client_say(&client, "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wait_for_slow_handler();
    assert_int_equal(pthread_create(&stopping, NULL, stop_it, NULL), 0);
    assert_true(client_is_closed(&second)); /* so stopping is under way */
    let_slow_handler_go();
    pthread_join(stopping, NULL);
    assert_int_equal(atomic_load(&behind.calls), 1);
    end();
}

static void test_a_port_in_use_is_refused_and_named(void **state)
{
    (void)state;
    struct listener *other = NULL;
    begin();
    struct listener_options same = options();
    same.port = listener_port(listener);
    char port[8];
    snprintf(port, sizeof port, "%u", same.port);
    assert_fails(VAULT_IO, listener_start(&same, &other, &test_error));
    assert_non_null(strstr(test_error.text, port));
    assert_non_null(strstr(test_error.text, "tests"));
    assert_null(other);
    end();
}

static void test_what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",          "localhost",  "127.0.0.1:80", "127.0.0",
                                        "999.0.0.1", "127.0.0.1 ", ":::",          "*"};
    struct listener *other = NULL;
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct listener_options bad = options();
        bad.address = wrong[i];
        assert_fails(VAULT_INVALID, listener_start(&bad, &other, &test_error));
        assert_null(other);
    }
    end();
}

static void test_a_listener_can_be_at_an_address_of_ipv6(void **state)
{
    (void)state;
    struct listener_options six = options();
    six.address = "::1";
    begin_with(&six, true);
    client_dial(&client, "::1", listener_port(listener));
    assert_true(client_handshake(&client, &all, &all.known, NULL));
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    end();
}

static void test_over_the_limit_of_connections_one_waits_for_another_to_end(void **state)
{
    (void)state;
    static struct client third;
    const struct timeval soon = {.tv_usec = 300000};
    char byte;
    struct listener_options few = options();
    few.connections_max = 2;
    begin_with(&few, true);
    connect_known();
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    client_open(&second, &all, &all.known, listener_port(listener));
    client_dial(&third, "127.0.0.1", listener_port(listener));
    setsockopt(third.fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    assert_true(recv(third.fd, &byte, 1, 0) <= 0);
    client_close(&third);
    client_close(&second);
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    end();
}

/* From another address of loopback. */
static void dial_from(struct client *from, const char *address)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(listener_port(listener)),
                                   .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in own = {.sin_family = AF_INET};
    assert_int_equal(inet_pton(AF_INET, address, &own.sin_addr), 1);
    client_dial(from, "127.0.0.1", listener_port(listener)); /* for the rest of it */
    close(from->fd);
    from->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(from->fd, (const struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(connect(from->fd, (const struct sockaddr *)&to, sizeof to), 0);
}

static void test_an_address_has_only_so_many_connections(void **state)
{
    (void)state;
    static struct client third;
    struct listener_options few = options();
    few.per_address_max = 2;
    begin_with(&few, true);
    connect_known();
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    client_open(&second, &all, &all.known, listener_port(listener));
    client_dial(&third, "127.0.0.1", listener_port(listener));
    wait_until_closed(&third); /* at once, not when its time is over */
    client_close(&third);
    client_dial(&third, "127.0.0.1", listener_port(listener));
    wait_until_closed(&third);
    client_close(&third);
    dial_from(&third, "127.0.0.2"); /* for which the first dialling was one too many */
    assert_true(client_handshake(&third, &all, &all.known, NULL));
    client_close(&third);
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    client_close(&second);
    for (int i = 0; i < CLIENT_WAIT_S * 20; i++) { /* until the other end has heard of it */
        client_dial(&second, "127.0.0.1", listener_port(listener));
        if (client_handshake(&second, &all, &all.known, NULL))
            break;
        client_close(&second);
        pause_ms(50);
    }
    assert_int_equal(gnutls_record_send(second.session, SIMPLE, sizeof SIMPLE - 1),
                     sizeof SIMPLE - 1);
    end();
}

static void test_an_address_makes_only_so_many_requests_a_minute(void **state)
{
    (void)state;
    char value[512];
    struct listener_options few = options();
    few.requests_max = 3;
    begin_with(&few, true);
    for (int i = 0; i < 3; i++) {
        connect_known(); /* another connection is no other address */
        client_say(&client, SIMPLE);
        assert_reply(200, NULL);
        client_close(&client);
    }
    connect_known();
    client_say(&client, SIMPLE);
    assert_reply(429, NULL);
    assert_non_null(reply_header(&reply, "Retry-After", value));
    assert_true(client_is_closed(&client));
    assert_int_equal(atomic_load(&behind.calls), 3);
    client_close(&client);
    dial_from(&client, "127.0.0.2");
    assert_true(client_handshake(&client, &all, &all.known, NULL));
    client_say(&client, SIMPLE);
    assert_reply(200, NULL);
    end();
}

static void *ask_often(void *context)
{
    struct client *mine = calloc(1, sizeof *mine);
    struct reply *answer = calloc(1, sizeof *answer);
    unsigned *answered = context;
    client_open(mine, &all, &all.known, listener_port(listener));
    for (int i = 0; i < 20; i++) {
        client_say(mine, SIMPLE);
        *answered += client_read(mine, answer, false) && answer->status == 200;
    }
    client_close(mine);
    free(answer);
    free(mine);
    return NULL;
}

static void test_many_clients_are_served_at_once(void **state)
{
    (void)state;
    enum { CLIENTS = 8 };
    pthread_t threads[CLIENTS];
    unsigned answered[CLIENTS] = {0};
    const struct listener_options usual = options();
    begin_with(&usual, true);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &answered[i]), 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(answered[i], 20);
    }
    end();
}

int main(void)
{
    client.fd = -1;
    second.fd = -1;
    return TEST_RUN(
        test_a_client_is_known_by_its_key, test_without_a_certificate_nothing_is_served,
        test_certificates_that_do_not_fit_end_the_handshake, test_only_tls_1_3_is_spoken,
        test_http_without_tls_gets_no_http_back, test_every_connection_is_a_full_handshake,
        test_who_is_not_let_in_any_more_is_refused_at_the_next_request,
        test_a_listener_for_all_asks_for_no_certificate, test_a_connection_carries_many_requests,
        test_requests_sent_at_once_are_answered_in_order,
        test_an_answers_headers_and_kind_reach_the_client, test_head_is_get_without_the_body,
        test_an_answer_that_says_so_is_the_last, test_an_answer_that_did_not_fit_is_a_500,
        test_a_body_arrives_whole_up_to_the_limit,
        test_a_body_that_says_it_is_too_large_is_not_waited_for,
        test_a_body_that_comes_after_its_refusal_is_thrown_away,
        test_a_body_that_grows_too_large_in_chunks_is_refused,
        test_what_can_be_read_in_two_ways_is_refused_and_the_connection_closed,
        test_what_the_library_cannot_read_does_nothing, test_a_target_has_at_most_2048_characters,
        test_a_query_that_fills_the_memory_leaves_nothing_behind,
        test_headers_over_their_limits_are_refused, test_headers_that_drip_are_ended,
        test_a_body_that_drips_is_ended, test_a_handshake_that_never_comes_is_ended,
        test_a_handshake_that_drips_is_ended, test_an_answer_that_is_not_taken_is_ended,
        test_a_handler_may_take_longer_than_a_client_may,
        test_stopping_ends_idle_connections_and_takes_no_more,
        test_stopping_waits_for_the_answer_that_is_being_made,
        test_a_port_in_use_is_refused_and_named, test_what_is_no_address_is_refused,
        test_a_listener_can_be_at_an_address_of_ipv6,
        test_over_the_limit_of_connections_one_waits_for_another_to_end,
        test_an_address_has_only_so_many_connections,
        test_an_address_makes_only_so_many_requests_a_minute, test_many_clients_are_served_at_once);
}
