/*
 * waiting_bench - how a request that waits for the log's disk should wait.
 *
 *     waiting_bench [--seconds S] [--rounds R] DIR
 *
 * Three servers of the HTTP library, without TLS, enter an entry into a log for each request and
 * answer when it is durable:
 *
 *     connection   a thread for each connection, which waits
 *     pool         as many threads as POOL, which wait, with the connections shared among them
 *     suspend      the same pool, which suspends the connection; another thread, which waits for
 *                  the entries in their order, resumes it
 *
 * vaultd has a fourth, which tests/bench/release measures: its loops' own threads suspend, and
 * resume all that a batch made durable (listener_loop.c).
 *
 * For 8, 64 and 256 connections they are measured in turns, R times; medians are printed, and the
 * ratio to the first. DIR is a folder on the disk to be measured; what is made in it is removed.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "vault/base/file.h"
#include "vault/ledger/ledger.h"

#define POOL            8
#define CONNECTIONS_MAX 256
#define ROUNDS_MAX      50
#define SAMPLES_MAX     200000
#define STACK_BYTES     (256U * 1024)

static const unsigned connection_counts[] = {8, 64, CONNECTIONS_MAX};
#define COUNTS (sizeof connection_counts / sizeof connection_counts[0])

static struct ledger *ledger;
static struct MHD_Response *answer_ok;
static atomic_bool running;

static void enter(struct ledger_ticket *ticket)
{
    static const uint8_t opening[256];
    const struct entry entry = {.event = ENTRY_ADMIN, .service = bytes_of_text("plie-rennes")};
    bench_must(ledger_enqueue(ledger, &entry, (struct bytes){opening, sizeof opening}, ticket,
                              &bench_error));
}

static void wait_for(const struct ledger_ticket *ticket)
{
    bench_must(ledger_wait(ledger, ticket, &bench_error));
}

/* --- Suspended requests, in the order of their entries --- */

struct waiting {
    struct ledger_ticket ticket;
    struct MHD_Connection *connection;
    bool is_durable;
    struct waiting *next;
};

static pthread_mutex_t queue_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;
static struct waiting *queue_head;
static struct waiting *queue_tail;
static bool queue_ends;

static void suspend(struct waiting *waiting)
{
    /* Entered and queued as one, so that the queue has the log's order. */
    pthread_mutex_lock(&queue_mutex);
    enter(&waiting->ticket);
    MHD_suspend_connection(waiting->connection);
    if (queue_tail)
        queue_tail->next = waiting;
    else
        queue_head = waiting;
    queue_tail = waiting;
    pthread_cond_signal(&queue_filled);
    pthread_mutex_unlock(&queue_mutex);
}

static struct waiting *next_waiting(void)
{
    pthread_mutex_lock(&queue_mutex);
    while (!queue_head && !queue_ends)
        pthread_cond_wait(&queue_filled, &queue_mutex);
    struct waiting *waiting = queue_head;
    if (waiting) {
        queue_head = waiting->next;
        if (!queue_head)
            queue_tail = NULL;
    }
    pthread_mutex_unlock(&queue_mutex);
    return waiting;
}

static void *resume_all(void *context)
{
    struct waiting *waiting;
    while ((waiting = next_waiting())) {
        wait_for(&waiting->ticket);
        waiting->is_durable = true;
        MHD_resume_connection(waiting->connection);
    }
    return context;
}

/* --- Servers --- */

struct way {
    const char *name;
    unsigned flags;
    unsigned pool;
    MHD_AccessHandlerCallback handler;
};

static enum MHD_Result waits(void *context, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **request)
{
    static int seen;
    struct ledger_ticket ticket;
    (void)context, (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    if (!*request) {
        *request = &seen;
        return MHD_YES;
    }
    enter(&ticket);
    wait_for(&ticket);
    return MHD_queue_response(connection, MHD_HTTP_OK, answer_ok);
}

static enum MHD_Result suspends(void *context, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_size, void **request)
{
    (void)context, (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    struct waiting *waiting = *request;
    if (!waiting) {
        *request = calloc(1, sizeof *waiting);
        return *request ? MHD_YES : MHD_NO;
    }
    if (waiting->is_durable)
        return MHD_queue_response(connection, MHD_HTTP_OK, answer_ok);
    waiting->connection = connection;
    suspend(waiting);
    return MHD_YES;
}

static void forget(void *context, struct MHD_Connection *connection, void **request,
                   enum MHD_RequestTerminationCode code)
{
    (void)context, (void)connection, (void)code;
    free(*request);
    *request = NULL;
}

static void forget_nothing(void *context, struct MHD_Connection *connection, void **request,
                           enum MHD_RequestTerminationCode code)
{
    (void)context, (void)connection, (void)code;
    *request = NULL;
}

static const struct way ways[] = {
    {"connection", MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, 0, waits},
    {"pool", MHD_USE_EPOLL, POOL, waits},
    {"suspend", MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, POOL, suspends},
};
#define WAYS (sizeof ways / sizeof ways[0])

static struct MHD_Daemon *start(const struct way *way, uint16_t *port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct MHD_OptionItem options[] = {
        {way->pool ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, way->pool, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_Daemon *daemon = MHD_start_daemon(
        way->flags | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, NULL, NULL, way->handler,
        NULL, MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT,
        2U * CONNECTIONS_MAX, MHD_OPTION_NOTIFY_COMPLETED,
        way->handler == suspends ? forget : forget_nothing, NULL, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK_BYTES, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    bench_must_all(daemon != NULL, "starting a server");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    bench_must_all(info != NULL, "asking for its port");
    *port = info->port;
    return daemon;
}

/* --- Clients --- */

struct client {
    pthread_t thread;
    uint16_t port;
    size_t count;
    float *waits_ms;
    size_t waits_max;
};

static bool ask(int fd)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: bench.example\r\n\r\n";
    char text[1024];
    size_t size = 0;
    if (write(fd, request, sizeof request - 1) != (ssize_t)sizeof request - 1)
        return false;
    while (size < 6 || memcmp(text + size - 6, "\r\n\r\nok", 6) != 0) {
        const ssize_t got = read(fd, text + size, sizeof text - size);
        if (got <= 0)
            return false;
        size += (size_t)got;
    }
    return true;
}

static void *be_client(void *context)
{
    struct client *client = context;
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(client->port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    VAULT_AUTO(file_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench_must_all(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0,
                   "connecting");
    while (atomic_load_explicit(&running, memory_order_relaxed)) {
        const double began = bench_now_s();
        bench_must_all(ask(fd), "asking");
        if (client->count < client->waits_max)
            client->waits_ms[client->count] = (float)((bench_now_s() - began) * 1000);
        client->count++;
    }
    return NULL;
}

struct run {
    double rate;
    double median_ms;
    double p99_ms;
};

static int by_rate(const void *a, const void *b)
{
    const double left = ((const struct run *)a)->rate;
    const double right = ((const struct run *)b)->rate;
    return (left > right) - (left < right);
}

static struct run load(uint16_t port, unsigned connections, double seconds)
{
    static float all[SAMPLES_MAX];
    static struct client clients[CONNECTIONS_MAX];
    const size_t share = SAMPLES_MAX / connections;
    size_t total = 0;
    size_t sampled = 0;
    atomic_store(&running, true);
    const double began = bench_now_s();
    for (unsigned i = 0; i < connections; i++) {
        clients[i] = (struct client){.port = port, .waits_ms = all + i * share, .waits_max = share};
        bench_must_all(pthread_create(&clients[i].thread, NULL, be_client, &clients[i]) == 0,
                       "a thread");
    }
    usleep((useconds_t)(seconds * 1e6));
    atomic_store(&running, false);
    for (unsigned i = 0; i < connections; i++)
        pthread_join(clients[i].thread, NULL);
    const double took = bench_now_s() - began;
    for (unsigned i = 0; i < connections; i++) {
        const size_t count = clients[i].count < share ? clients[i].count : share;
        memmove(all + sampled, clients[i].waits_ms, count * sizeof *all);
        sampled += count;
        total += clients[i].count;
    }
    qsort(all, sampled, sizeof *all, bench_by_float);
    return (struct run){(double)total / took, all[sampled / 2],
                        all[(size_t)((double)sampled * 0.99)]};
}

static struct run measure(const struct way *way, unsigned connections, double seconds)
{
    uint16_t port = 0;
    pthread_t resumer;
    queue_ends = false;
    bench_must_all(pthread_create(&resumer, NULL, resume_all, NULL) == 0, "a thread");
    struct MHD_Daemon *daemon = start(way, &port);
    const struct run run = load(port, connections, seconds);
    pthread_mutex_lock(&queue_mutex);
    queue_ends = true;
    pthread_cond_signal(&queue_filled);
    pthread_mutex_unlock(&queue_mutex);
    pthread_join(resumer, NULL);
    MHD_stop_daemon(daemon);
    return run;
}

static void compare(double seconds, unsigned rounds)
{
    static struct run runs[WAYS][COUNTS][ROUNDS_MAX];
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t n = 0; n < COUNTS; n++) {
            for (size_t way = 0; way < WAYS; way++)
                runs[way][n][round] = measure(&ways[way], connection_counts[n], seconds);
        }
    }
    printf("%-12s %12s %12s %10s %10s %7s\n", "", "connections", "requests/s", "p50 ms", "p99 ms",
           "ratio");
    for (size_t n = 0; n < COUNTS; n++) {
        double first = 0;
        for (size_t way = 0; way < WAYS; way++) {
            qsort(runs[way][n], rounds, sizeof(struct run), by_rate);
            const struct run *median = &runs[way][n][rounds / 2];
            first = way == 0 ? median->rate : first;
            printf("%-12s %12u %12.0f %10.3f %10.3f %7.2f\n", ways[way].name, connection_counts[n],
                   median->rate, median->median_ms, median->p99_ms, median->rate / first);
            char name[96];
            snprintf(name, sizeof name, "waiting: %s, %u connections", ways[way].name,
                     connection_counts[n]);
            bench_figure(name, median->rate / first, "times");
        }
    }
}

int main(int argc, char **argv)
{
    struct bench bench = {.name = "waiting_bench", .seconds = 1, .rounds = 5};
    if (!bench_begin(&bench, ROUNDS_MAX, argc, argv))
        return 64;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    ledger = bench_open_log(bench.dir, &signer);
    static char body[] = "ok";
    answer_ok = MHD_create_response_from_buffer(2, body, MHD_RESPMEM_PERSISTENT);
    bench_must_all(answer_ok != NULL, "an answer");
    compare(bench.seconds, bench.rounds);
    MHD_destroy_response(answer_ok);
    ledger_close(&ledger);
    return bench_end(&bench);
}
