/*
 * What two readers could understand in two ways, sent over TLS to a real listener, each with a
 * canary behind it on the same connection. Nothing but what the table says reaches the handler, and
 * after it the canary alone or nothing.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "odd_requests.h"
#include "vault/base/codec.h"
#include "vault/edge/listener.h"

#define CANARY        "GET /canary HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define CANARY_SEEN   "GET /canary a= X= "
#define CALLS_MAX     8
#define SEEN_BYTES    512
#define ODD_COUNT     (sizeof odd_requests / sizeof odd_requests[0])
#define FILL_BYTE     0xff
#define FILL_BYTES    40960
#define PEER_CHARS    (2 * SHA256_BYTES)
#define ROUNDS        20
#define PIPELINED     5
#define REQUEST_BYTES 256

static struct identities all;
static struct tls *tls;
static struct listener *listener;
static struct client client;
static struct client second;
static struct reply reply;

/* --- What is behind the listener ------------------------------------------------------------ */

static struct {
    pthread_mutex_t mutex;
    char seen[CALLS_MAX][SEEN_BYTES];
    size_t count; /* counts on beyond what is kept */
} behind = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static const char *method_of(const struct http_request *request)
{
    return request->method == HTTP_OTHER_METHOD ? "OTHER" : http_method_name(request->method);
}

/* Keep what came. The answer says who asked and what. */
static void handle(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context;
    const struct bytes a = http_request_query(request, "a");
    const struct bytes x = http_request_header(request, "X");
    pthread_mutex_lock(&behind.mutex);
    if (behind.count < CALLS_MAX)
        snprintf(behind.seen[behind.count], SEEN_BYTES, "%s %s a=%.*s X=%.*s %.*s",
                 method_of(request), request->path, (int)a.size, (const char *)a.data, (int)x.size,
                 (const char *)x.data, (int)request->body.size, (const char *)request->body.data);
    behind.count++;
    pthread_mutex_unlock(&behind.mutex);
    answer->content_type = "text/plain";
    hex_encode(&answer->body, (struct bytes){request->peer_spki, SHA256_BYTES});
    buf_format(&answer->body, " %s a=%.*s", request->path, (int)a.size, (const char *)a.data);
}

static void begin(void)
{
    static bool made;
    if (!made)
        make_identities(&all);
    made = true;
    const struct tls_files files = {.certificate = all.server.certificate,
                                    .key = all.server.key,
                                    .clients_ca = all.clients_ca.certificate};
    assert_done(tls_open(&files, &tls, &test_error));
    const struct listener_options options = {
        .name = "tests", .address = "127.0.0.1", .tls = tls, .handler = handle};
    assert_done(listener_start(&options, &listener, &test_error));
}

static void end(void)
{
    client_close(&client);
    client_close(&second);
    listener_stop(&listener);
    tls_close(&tls);
}

/* --- The table ------------------------------------------------------------------------------ */

static void append_filled(struct buf *text, struct bytes raw)
{
    for (size_t i = 0; i < raw.size; i++) {
        for (size_t j = 1; raw.data[i] == FILL_BYTE && j < FILL_BYTES; j++)
            buf_byte(text, 'a');
        buf_byte(text, raw.data[i] == FILL_BYTE ? 'a' : raw.data[i]);
    }
}

/* Both at once; the other end may have had enough before all of it is sent. */
static void send_with_canary(const struct odd_request *odd)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(128 * 1024);
    behind.count = 0;
    client_open(&client, &all, &all.known, listener_port(listener));
    append_filled(&text, odd->raw);
    buf_text(&text, CANARY);
    assert_int_equal(text.problem, VAULT_OK);
    client_send(&client, (const char *)text.data, text.size);
}

static void assert_seen(const struct odd_request *odd, size_t count)
{
    if (behind.count != count)
        fail_msg("%s: %zu requests came of it, the first: %s", odd->name, behind.count,
                 behind.seen[0]);
    if (count && strcmp(behind.seen[0], odd->seen) != 0)
        fail_msg("%s: taken for: %s", odd->name, behind.seen[0]);
    if (count == 2 && strcmp(behind.seen[1], CANARY_SEEN) != 0)
        fail_msg("%s: and then: %s", odd->name, behind.seen[1]);
}

static void assert_closed(const struct odd_request *odd)
{
    if (!client_is_closed(&client))
        fail_msg("%s: more came: %.80s", odd->name, client.pending);
}

static void assert_refusal(const struct odd_request *odd, unsigned status)
{
    if (!client_read(&client, &reply, false))
        fail_msg("%s: closed without a word", odd->name);
    if (reply.status != status)
        fail_msg("%s: %u", odd->name, reply.status);
    assert_closed(odd);
    assert_seen(odd, 0);
}

/* What the library cannot read it answers by itself, or not at all. */
static void assert_cut(const struct odd_request *odd)
{
    while (client_read(&client, &reply, false)) {
        if (reply.status < 400)
            fail_msg("%s: %u", odd->name, reply.status);
    }
    assert_seen(odd, 0);
}

static void assert_answers(const struct odd_request *odd, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        do {
            if (!client_read(&client, &reply, false))
                fail_msg("%s: closed before answer %zu", odd->name, i);
        } while (reply.status == 100);
        if (reply.status != 200)
            fail_msg("%s: %u: %s", odd->name, reply.status, reply.body);
    }
    assert_seen(odd, count);
}

static void check(const struct odd_request *odd)
{
    send_with_canary(odd);
    switch (odd->expected) {
    case REFUSED:
        assert_refusal(odd, 400);
        break;
    case LARGE:
        assert_refusal(odd, 413);
        break;
    case CUT:
        assert_cut(odd);
        break;
    case ONE:
        assert_answers(odd, 2);
        break;
    case LAST:
        assert_answers(odd, 1);
        assert_closed(odd);
        break;
    }
    client_close(&client);
}

static void test_nothing_odd_is_misread(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i < ODD_COUNT; i++)
        check(&odd_requests[i]);
    end();
}

static void test_the_table_has_what_the_contract_asks_for(void **state)
{
    (void)state;
    assert_true(ODD_COUNT >= 21 + 60);
    for (size_t i = 0; i < ODD_COUNT; i++) {
        const bool comes_through =
            odd_requests[i].expected == ONE || odd_requests[i].expected == LAST;
        assert_int_equal(odd_requests[i].seen != NULL, comes_through);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(odd_requests[i].name, odd_requests[j].name);
    }
}

/* --- Who asks ------------------------------------------------------------------------------- */

/* The next answer is for this client, and for this request of its. */
static void assert_answer_for(struct client *to, const struct identity *as, const char *request)
{
    char peer[PEER_CHARS + 1];
    char wanted[REQUEST_BYTES];
    hex_string(peer, as->spki, sizeof as->spki);
    snprintf(wanted, sizeof wanted, "%s %s", peer, request);
    assert_true(client_read(to, &reply, false));
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, wanted);
}

static void test_requests_sent_at_once_are_all_of_who_sent_them(void **state)
{
    (void)state;
    begin();
    client_open(&client, &all, &all.known, listener_port(listener));
    client_open(&second, &all, &all.other, listener_port(listener));
    for (int round = 0; round < ROUNDS; round++) {
        client_say(&client, "GET /1?a=known HTTP/1.1\r\n" HOST "\r\n"
                            "POST /2?a=known HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"
                            "GET /3?a=known HTTP/1.1\r\n" HOST "\r\n");
        client_say(&second, "GET /1?a=other HTTP/1.1\r\n" HOST "\r\n"
                            "GET /2?a=other HTTP/1.1\r\n" HOST "\r\n");
        assert_answer_for(&second, &all.other, "/1 a=other");
        assert_answer_for(&client, &all.known, "/1 a=known");
        assert_answer_for(&client, &all.known, "/2 a=known");
        assert_answer_for(&second, &all.other, "/2 a=other");
        assert_answer_for(&client, &all.known, "/3 a=known");
    }
    end();
}

/* Byte by byte in turns, so that each request comes while the other's is half read. */
static void test_requests_that_come_interleaved_do_not_mix(void **state)
{
    (void)state;
    static const char one[] = "POST /1?a=known HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello";
    static const char two[] = "POST /2?a=other HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhallo";
    begin();
    client_open(&client, &all, &all.known, listener_port(listener));
    client_open(&second, &all, &all.other, listener_port(listener));
    assert_int_equal(sizeof one, sizeof two);
    for (size_t i = 0; i < sizeof one - 1; i++) {
        assert_true(client_send(&client, one + i, 1));
        assert_true(client_send(&second, two + i, 1));
    }
    assert_answer_for(&client, &all.known, "/1 a=known");
    assert_answer_for(&second, &all.other, "/2 a=other");
    end();
}

struct asker {
    const struct identity *as;
    const char *name;
    unsigned right;
};

/* Several requests at once, again and again; each answer must be the asker's own. */
static void *ask_often(void *context)
{
    struct asker *asker = context;
    char peer[PEER_CHARS + 1];
    struct client *mine = calloc(1, sizeof *mine);
    struct reply *answer = calloc(1, sizeof *answer);
    hex_string(peer, asker->as->spki, sizeof asker->as->spki);
    client_open(mine, &all, asker->as, listener_port(listener));
    for (int round = 0; round < ROUNDS; round++) {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(REQUEST_BYTES * PIPELINED);
        for (int i = 0; i < PIPELINED; i++)
            buf_format(&text, "GET /%d?a=%s HTTP/1.1\r\n" HOST "\r\n", i, asker->name);
        client_say(mine, buf_string(&text));
        for (int i = 0; i < PIPELINED; i++) {
            char wanted[REQUEST_BYTES];
            snprintf(wanted, sizeof wanted, "%s /%d a=%s", peer, i, asker->name);
            asker->right += client_read(mine, answer, false) && strcmp(answer->body, wanted) == 0;
        }
    }
    client_close(mine);
    free(answer);
    free(mine);
    return NULL;
}

static void test_clients_that_ask_at_the_same_time_do_not_mix(void **state)
{
    (void)state;
    enum { ASKERS = 6 };
    pthread_t threads[ASKERS];
    struct asker askers[ASKERS];
    begin();
    for (size_t i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){i % 2 ? &all.other : &all.known, i % 2 ? "other" : "known", 0};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &askers[i]), 0);
    }
    for (size_t i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(askers[i].right, ROUNDS * PIPELINED);
    }
    end();
}

/* What the gate refuses on one connection does nothing to another. */
static void test_a_refusal_ends_the_connection_it_came_on_and_no_other(void **state)
{
    (void)state;
    begin();
    client_open(&second, &all, &all.other, listener_port(listener));
    client_open(&client, &all, &all.known, listener_port(listener));
    client_say(&second, "POST /2?a=other HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nha");
    client_say(&client, "GET / HTTP/1.1\r\n" HOST HOST "\r\n");
    assert_true(client_read(&client, &reply, false));
    assert_int_equal(reply.status, 400);
    assert_true(client_is_closed(&client));
    client_say(&second, "llo");
    assert_answer_for(&second, &all.other, "/2 a=other");
    end();
}

int main(void)
{
    client.fd = -1;
    second.fd = -1;
    return TEST_RUN(test_nothing_odd_is_misread, test_the_table_has_what_the_contract_asks_for,
                    test_requests_sent_at_once_are_all_of_who_sent_them,
                    test_requests_that_come_interleaved_do_not_mix,
                    test_clients_that_ask_at_the_same_time_do_not_mix,
                    test_a_refusal_ends_the_connection_it_came_on_and_no_other);
}
