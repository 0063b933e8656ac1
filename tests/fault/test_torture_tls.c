/*
 * Every allocation and every call of the system of a listener fails once in turn, from a client's
 * handshake to the end of its connection, and in a start and a stop: the client has its answer, an
 * error without a value, or a connection that is closed; nothing leaks, no connection stays; no
 * value has left without its entry; and the next request works.
 *
 * The client is a thread of the same program, of which nothing fails.
 */
#include "test_torture.h"
#include "torture_run.h"
#include "torture_world.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "vault/edge/listener.h"
#include "vault/indexer.h"
#include "vault/vault/service.h"

#define DEADLINE_S      1    /* of a connection that nothing happens on */
#define ENDED_MS        5000 /* after which every connection is gone */

/* GnuTLS keeps a generator of numbers for each thread that shook hands, also when the thread ends;
 * a listener has one thread for a processor, as long as it is there. */
#define GENERATOR_BYTES 192

static struct identities all;
static struct tls *tls;
static struct listener *listener;
static struct listener_counts counts;
static int durable_fd;

/* --- A listener before the vault ------------------------------------------------------------ */

static enum vault_code listen_now(struct vault_error *err)
{
    const struct tls_files files = {.certificate = all.server.certificate,
                                    .key = all.server.key,
                                    .clients_ca = all.clients_ca.certificate};
    VAULT_TRY(tls_open(&files, &tls, err));
    const struct listener_options options = {.name = "services",
                                             .address = "127.0.0.1",
                                             .deadline_s = DEADLINE_S,
                                             .per_address_max = 8,
                                             .tls = tls,
                                             .handler = service_api_handle,
                                             .starter = service_api_start,
                                             .context = &world.api,
                                             .tick_fd = durable_fd,
                                             .counts = &counts};
    return listener_start(&options, &listener, err);
}

static void listen_no_more(void)
{
    listener_stop(&listener);
    tls_close(&tls);
}

static void begin_listening(void)
{
    assert_done(listen_now(&test_error));
    world.kept_bytes += (size_t)sysconf(_SC_NPROCESSORS_ONLN) * GENERATOR_BYTES;
}

/* The caseworker is known by the certificate that the client has. */
static void make_listener(void)
{
    test_folder_keep(); /* the world's */
    make_identities(&all);
    durable_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(durable_fd > 0);
    assert_done(service_add_key(world.test.vault, CONTROL_CERTIFICATE_SERVICE, CASEWORKER,
                                all.known.spki, INT64_MAX, &test_error));
    world_close();
    world.test.options.durable_fd = durable_fd;
    world.begin = begin_listening;
    world.end = listen_no_more;
    world_open();
}

static void remove_listener(void)
{
    world_close();
    world.test.options.durable_fd = 0;
    world.begin = world.end = NULL;
    world_open();
    close(durable_fd);
}

/* --- A request ------------------------------------------------------------------------------ */

static struct client client;
static struct reply reply;
static bool answered;
static char body[WORLD_BODY_BYTES];

/* Bytes of an answer that broke off count as well: what left of it has an entry. */
static void keep_what_broke_off(void)
{
    const char *values = strstr(client.pending, "\"released\"");
    world.with_values += values && (strstr(values, "1990") || strstr(values, "seeking"));
}

/* False if there was no connection, or if it was closed. */
static bool ask(const char *target)
{
    char head[512];
    snprintf(head, sizeof head,
             "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n",
             target, strlen(body));
    client_dial(&client, "127.0.0.1", listener_port(listener));
    client.pending[0] = 0;
    const bool done = client_handshake(&client, &all, &all.known, NULL) &&
                      client_send(&client, head, strlen(head)) &&
                      client_send(&client, body, strlen(body)) &&
                      client_read(&client, &reply, false);
    if (!done)
        keep_what_broke_off();
    client_close(&client);
    return done;
}

/* Whether no connection is open any more. */
static bool have_ended(void)
{
    const struct timespec pause = {.tv_nsec = 1000 * 1000};
    for (unsigned i = 0; i < ENDED_MS && atomic_load(&counts.open); i++)
        nanosleep(&pause, NULL);
    return atomic_load(&counts.open) == 0;
}

static void write_request(void)
{
    world_write_ask(body);
}

static void run_request(const char *target)
{
    torture_spare(true);
    answered = ask(target);
    if (!torture_struck()) {
        assert_true(have_ended());
        world_settle();
    }
    torture_spare(false);
}

static void run_at_once(void)
{
    run_request("/v1/releases");
}

/* With a proof it is for a thread that may wait. */
static void run_by_a_worker(void)
{
    run_request("/v1/releases?proof=1");
}

static void take_answer(void)
{
    world_answered(reply.status, (struct bytes){(const uint8_t *)reply.body, reply.body_size});
    world_read();
}

static void check_request(void)
{
    if (answered) {
        take_answer();
        world_assert_answered();
    }
    assert_true(have_ended());
    world_go_on();
    assert_true(ask("/v1/releases"));
    take_answer();
    assert_int_equal(world.status, 200);
    assert_int_equal(world.values, 2);
}

static void test_a_request_that_is_answered_by_the_loop(void **state)
{
    (void)state;
    const struct operation operation = {.name = "request, by the loop",
                                        .prepare = write_request,
                                        .run = run_at_once,
                                        .check = check_request,
                                        .sample = {8, 10}};
    torture(&operation);
}

static void test_a_request_that_a_worker_answers(void **state)
{
    (void)state;
    const struct operation operation = {.name = "request, by a worker",
                                        .prepare = write_request,
                                        .run = run_by_a_worker,
                                        .check = check_request,
                                        .sample = {4, 5}};
    torture(&operation);
}

/* --- A start and a stop --------------------------------------------------------------------- */

static void run_listener(void)
{
    torture_code = listen_now(&torture_said);
    if (torture_code)
        assert_null(listener);
    listen_no_more();
}

static void check_listener(void)
{
    if (torture_code)
        assert_true(torture_said.text[0] != 0);
    begin_listening();
    world_go_on();
    write_request();
    assert_true(ask("/v1/releases"));
    take_answer();
    world_assert_answered();
    assert_int_equal(world.values, 2);
}

static void test_a_listener_starts_or_says_why_not(void **state)
{
    (void)state;
    const struct operation operation = {.name = "listener",
                                        .prepare = listen_no_more,
                                        .run = run_listener,
                                        .check = check_listener,
                                        .sample = {2, 4}};
    torture(&operation);
}

int test_listener(void)
{
    make_listener();
    const int failed =
        TEST_RUN(test_a_request_that_is_answered_by_the_loop, test_a_request_that_a_worker_answers,
                 test_a_listener_starts_or_says_why_not);
    remove_listener();
    return failed;
}
