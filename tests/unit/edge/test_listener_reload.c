/*
 * New certificates for a listener while clients come and go, and ask.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "vault/edge/listener.h"

#define SIMPLE   "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define CLIENTS  4
#define ROUNDS   5 /* connections of a client */
#define REQUESTS 5 /* on each */

static struct identities all;
static struct identity used; /* the listener's files */
static struct tls *tls;
static struct listener *listener;
static atomic_bool running;

static void handle(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context;
    answer->content_type = "text/plain";
    buf_text(&answer->body, request->has_peer ? "known" : "unknown");
}

static void put_server(const struct identity *server)
{
    put_file(server->certificate, used.certificate);
    put_file(server->key, used.key);
}

static void begin(void)
{
    make_identities(&all);
    snprintf(used.certificate, PATH_MAX, "%.*s.used", PATH_MAX - 8, all.server.certificate);
    snprintf(used.key, PATH_MAX, "%.*s.used", PATH_MAX - 8, all.server.key);
    put_server(&all.server);
    const struct tls_files files = {used.certificate, used.key, all.clients_ca.certificate, NULL,
                                    NULL};
    assert_done(tls_open(&files, &tls, &test_error));
    const struct listener_options options = {
        .name = "tests", .address = "127.0.0.1", .tls = tls, .handler = handle};
    assert_done(listener_start(&options, &listener, &test_error));
}

static void end(void)
{
    listener_stop(&listener);
    tls_close(&tls);
}

/* How many requests were answered, of all that were made. */
static void *come_and_ask(void *context)
{
    unsigned *answered = context;
    struct client *client = calloc(1, sizeof *client);
    struct reply *reply = calloc(1, sizeof *reply);
    for (int round = 0; round < ROUNDS; round++) {
        client_open(client, &all, &all.known, listener_port(listener));
        for (int i = 0; i < REQUESTS; i++) {
            client_say(client, SIMPLE);
            *answered += client_read(client, reply, false) && strcmp(reply->body, "known") == 0;
        }
        client_close(client);
    }
    free(reply);
    free(client);
    return NULL;
}

/* What is read is put in force, whether it says something new or not. */
static void *read_again_and_again(void *context)
{
    unsigned *times = context;
    while (atomic_load(&running)) {
        bool changed;
        struct tls_credentials *fresh = NULL;
        struct vault_error err;
        if (tls_read_again(tls, &fresh, &changed, &err) == VAULT_OK) {
            tls_replace(tls, &fresh);
            ++*times;
        }
    }
    return NULL;
}

static void test_nobody_is_lost_while_certificates_are_replaced(void **state)
{
    (void)state;
    pthread_t clients[CLIENTS];
    pthread_t reader;
    unsigned answered[CLIENTS] = {0};
    unsigned times = 0;
    begin();
    atomic_store(&running, true);
    assert_int_equal(pthread_create(&reader, NULL, read_again_and_again, &times), 0);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&clients[i], NULL, come_and_ask, &answered[i]), 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i], NULL);
        assert_int_equal(answered[i], ROUNDS * REQUESTS);
    }
    atomic_store(&running, false);
    pthread_join(reader, NULL);
    assert_true(times > 1);
    end();
}

static void test_the_next_handshake_has_the_new_certificate_and_open_ones_go_on(void **state)
{
    (void)state;
    static struct client kept;
    static struct client next;
    static struct reply reply;
    bool changed;
    struct tls_credentials *fresh = NULL;
    begin();
    client_open(&kept, &all, &all.known, listener_port(listener));
    client_say(&kept, SIMPLE);
    assert_true(client_read(&kept, &reply, false));
    put_server(&all.misused); /* of another authority, which the client does not trust */
    assert_done(tls_read_again(tls, &fresh, &changed, &test_error));
    assert_true(changed);
    tls_replace(tls, &fresh);
    client_dial(&next, "127.0.0.1", listener_port(listener));
    assert_false(client_handshake(&next, &all, &all.known, NULL));
    client_close(&next);
    client_say(&kept, SIMPLE);
    assert_true(client_read(&kept, &reply, false));
    assert_string_equal(reply.body, "known");
    client_close(&kept);
    end();
}

int main(void)
{
    return TEST_RUN(test_nobody_is_lost_while_certificates_are_replaced,
                    test_the_next_handshake_has_the_new_certificate_and_open_ones_go_on);
}
