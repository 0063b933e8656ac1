/*
 * load - the load client of every comparison: HTTP/1.1 over TLS, one thread, many connections.
 *
 *     load [OPTION...] PORT CONNECTIONS SECONDS REQUESTS
 *
 * REQUESTS is a file of lines "METHOD PATH [BODY]", asked in turn of 127.0.0.1 as "localhost". Each
 * connection has one request under way, and asks the next when the answer has come whole. A tenth
 * of the time goes before anything is counted. It prints one line of JSON:
 *
 *     {"answers": how many, "seconds": of what was counted, "rate": answers per second,
 *      "p50_us": , "p99_us": from when a request was due until its answer was there,
 *      "status": {"200": how many, ...},
 *      "server_cpu_us": of all --pid, for an answer, "client_cpu_us": of this program, the same}
 *
 * With --rate the requests are due at that rate whatever the answers do, and one that finds no free
 * connection waits with its time running. It needs a processor of its own: client_cpu_us times rate
 * near a million says that the client was what was measured.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define CONNECTIONS_MAX 10000
#define REQUESTS_MAX    200000
#define REQUEST_BYTES   4096
#define ANSWER_BYTES    (256UL * 1024)
#define HEADERS_BYTES   2048
#define SAMPLES_MAX     4000000
#define PIDS_MAX        16
#define EVENTS_MAX      64
#define STATUS_MAX      600

static const struct option known_options[] = {
    {"ca", required_argument, NULL, 'a'},  {"cert", required_argument, NULL, 'c'},
    {"key", required_argument, NULL, 'k'}, {"header", required_argument, NULL, 'h'},
    {"pid", required_argument, NULL, 'p'}, {"rate", required_argument, NULL, 'r'},
    {"new", no_argument, NULL, 'n'},       {NULL, 0, NULL, 0},
};

static struct {
    const char *ca;
    const char *certificate;
    const char *key;
    char headers[HEADERS_BYTES];
    clockid_t servers[PIDS_MAX];
    size_t server_count;
    double rate;
    bool renews; /* each request has a connection of its own */
    struct sockaddr_in address;
    size_t connection_count;
    double seconds;
} asked;

static struct {
    char *text[REQUESTS_MAX];
    size_t count;
    size_t next;
} requests;

struct connection {
    int fd;
    SSL *tls;
    const char *request;
    size_t sent;
    size_t have;
    double due_s;
    char *answer;
};

static struct connection connections[CONNECTIONS_MAX];
/* Those without a request, the longest idle first: used in turn, so that the server ends none. */
static size_t idle[CONNECTIONS_MAX];
static size_t idle_first;
static size_t idle_count;
static int poll_fd;
static SSL_CTX *context;

static struct {
    bool is_on;
    uint32_t *sample_us;
    size_t count;
    size_t status[STATUS_MAX];
} counted;

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "failed");
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* --- What is asked -------------------------------------------------------------------------- */

static void read_requests(const char *path)
{
    char line[REQUEST_BYTES];
    char whole[REQUEST_BYTES + HEADERS_BYTES];
    FILE *file = fopen(path, "re");
    if (!file)
        die(path);
    while (requests.count < REQUESTS_MAX && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *target = strchr(line, ' ');
        if (!target)
            die("a request without a path");
        *target++ = 0;
        char *body = strchr(target, ' ');
        if (body)
            *body++ = 0;
        snprintf(whole, sizeof whole,
                 "%s %s HTTP/1.1\r\nHost: localhost:%u\r\n%s%sContent-Length: %zu\r\n\r\n%s", line,
                 target, ntohs(asked.address.sin_port), asked.headers,
                 body ? "Content-Type: application/json\r\n" : "", body ? strlen(body) : 0,
                 body ? body : "");
        requests.text[requests.count++] = strdup(whole);
    }
    fclose(file);
    if (!requests.count)
        die("no request in the file");
}

static void make_context(void)
{
    context = SSL_CTX_new(TLS_client_method());
    if (!context || (asked.ca && SSL_CTX_load_verify_locations(context, asked.ca, NULL) != 1))
        die("the CA");
    if (asked.certificate &&
        (SSL_CTX_use_certificate_chain_file(context, asked.certificate) != 1 ||
         SSL_CTX_use_PrivateKey_file(context, asked.key, SSL_FILETYPE_PEM) != 1))
        die("the client's certificate and key");
    SSL_CTX_set_verify(context, asked.ca ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
}

/* --- A connection --------------------------------------------------------------------------- */

static void watch(const struct connection *connection, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)(connection - connections)};
    if (epoll_ctl(poll_fd, operation, connection->fd, &event) != 0)
        die("epoll");
}

static void dial(struct connection *connection)
{
    static char host[] = "localhost"; /* OpenSSL takes it as it would take what it may change */
    const int on = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (const struct sockaddr *)&asked.address, sizeof asked.address) != 0)
        die("connecting");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    connection->tls = SSL_new(context);
    if (!connection->tls || SSL_set_fd(connection->tls, connection->fd) != 1 ||
        SSL_set1_host(connection->tls, host) != 1)
        die("a connection");
    SSL_set_tlsext_host_name(connection->tls, host);
    SSL_set_connect_state(connection->tls);
    watch(connection, EPOLL_CTL_ADD, EPOLLIN);
}

static void hang_up(struct connection *connection)
{
    SSL_shutdown(connection->tls);
    SSL_free(connection->tls);
    close(connection->fd);
    connection->tls = NULL;
}

/* False: it waits, and the poll knows for what. */
static bool is_done(struct connection *connection, int result)
{
    if (result > 0)
        return true;
    switch (SSL_get_error(connection->tls, result)) {
    case SSL_ERROR_WANT_READ:
        watch(connection, EPOLL_CTL_MOD, EPOLLIN);
        return false;
    case SSL_ERROR_WANT_WRITE:
        watch(connection, EPOLL_CTL_MOD, EPOLLOUT);
        return false;
    default:
        die("a connection that the server ended");
        return false;
    }
}

/* The handshake is part of the first write. */
static bool has_sent(struct connection *connection)
{
    const size_t size = strlen(connection->request);
    while (connection->sent < size) {
        const int result = SSL_write(connection->tls, connection->request + connection->sent,
                                     (int)(size - connection->sent));
        if (!is_done(connection, result))
            return false;
        connection->sent += (size_t)result;
    }
    return true;
}

static bool is_whole(const struct connection *connection)
{
    const char *answer = connection->answer;
    const char *end = strstr(answer, "\r\n\r\n");
    if (!end)
        return false;
    const char *length = strcasestr(answer, "\r\nContent-Length:");
    if (length && length < end)
        return connection->have >= (size_t)(end + 4 - answer) +
                                       strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
    return strcmp(answer + connection->have - 5, "0\r\n\r\n") == 0; /* the last chunk */
}

static bool has_answer(struct connection *connection)
{
    while (!is_whole(connection)) {
        const int result = SSL_read(connection->tls, connection->answer + connection->have,
                                    (int)(ANSWER_BYTES - 1 - connection->have));
        if (!is_done(connection, result))
            return false;
        connection->have += (size_t)result;
        connection->answer[connection->have] = 0;
    }
    return true;
}

static void count_answer(const struct connection *connection)
{
    const unsigned long status = strtoul(connection->answer + strlen("HTTP/1.1 "), NULL, 10);
    if (!counted.is_on || counted.count == SAMPLES_MAX)
        return;
    counted.sample_us[counted.count++] = (uint32_t)((bench_now_s() - connection->due_s) * 1e6);
    counted.status[status < STATUS_MAX ? status : 0]++;
}

static void ask(struct connection *connection, double due_s)
{
    connection->request = requests.text[requests.next++ % requests.count];
    connection->sent = 0;
    connection->have = 0;
    connection->answer[0] = 0;
    connection->due_s = due_s;
    if (!connection->tls)
        dial(connection);
}

/* As far as it goes without waiting. */
static void drive(struct connection *connection)
{
    while (has_sent(connection) && has_answer(connection)) {
        count_answer(connection);
        if (asked.renews)
            hang_up(connection);
        if (asked.rate > 0) {
            connection->request = NULL;
            idle[(idle_first + idle_count++) % CONNECTIONS_MAX] =
                (size_t)(connection - connections);
            return;
        }
        ask(connection, bench_now_s());
    }
}

/* --- The whole ------------------------------------------------------------------------------ */

static double servers_cpu_s(void)
{
    double sum = 0;
    for (size_t i = 0; i < asked.server_count; i++)
        sum += bench_clock_s(asked.servers[i]);
    return sum;
}

static void wait_and_drive(double until_s)
{
    struct epoll_event events[EVENTS_MAX];
    const double left_s = until_s - bench_now_s();
    const struct timespec wait = {
        .tv_sec = (time_t)(left_s > 0 ? left_s : 0),
        .tv_nsec = (long)((left_s > 0 ? left_s - (double)(time_t)left_s : 0) * 1e9)};
    const int count = epoll_pwait2(poll_fd, events, EVENTS_MAX, &wait, NULL);
    for (int i = 0; i < count; i++) {
        struct connection *connection = &connections[events[i].data.u64];
        if (connection->request)
            drive(connection);
    }
}

/* Ask until then; paced, what is due by then. */
static void run_until(double end_s, double *due_s)
{
    while (bench_now_s() < end_s) {
        while (asked.rate > 0 && idle_count && *due_s <= bench_now_s()) {
            struct connection *connection = &connections[idle[idle_first]];
            idle_first = (idle_first + 1) % CONNECTIONS_MAX;
            idle_count--;
            ask(connection, *due_s);
            *due_s += 1 / asked.rate;
            drive(connection);
        }
        wait_and_drive(asked.rate > 0 && idle_count && *due_s < end_s ? *due_s : end_s);
    }
}

static int by_size(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a;
    const uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void report(double seconds, double servers_s, double client_s)
{
    const double count = counted.count ? (double)counted.count : 1;
    qsort(counted.sample_us, counted.count, sizeof *counted.sample_us, by_size);
    printf(
        "{\"answers\":%zu,\"seconds\":%.3f,\"rate\":%.1f,\"p50_us\":%u,\"p99_us\":%u,\"status\":{",
        counted.count, seconds, (double)counted.count / seconds,
        counted.sample_us[counted.count / 2], counted.sample_us[counted.count * 99 / 100]);
    const char *comma = "";
    for (size_t i = 0; i < STATUS_MAX; i++) {
        if (counted.status[i]) {
            printf("%s\"%zu\":%zu", comma, i, counted.status[i]);
            comma = ",";
        }
    }
    printf("},\"server_cpu_us\":%.2f,\"client_cpu_us\":%.2f}\n", servers_s * 1e6 / count,
           client_s * 1e6 / count);
}

static void run(void)
{
    counted.sample_us = calloc(SAMPLES_MAX, sizeof *counted.sample_us);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    double due_s = bench_now_s();
    for (size_t i = 0; i < asked.connection_count; i++) {
        connections[i].answer = malloc(ANSWER_BYTES);
        if (!counted.sample_us || !connections[i].answer)
            die("memory");
        ask(&connections[i], due_s);
        drive(&connections[i]);
    }
    run_until(bench_now_s() + asked.seconds / 10, &due_s);
    const double began_s = bench_now_s();
    const double servers_s = servers_cpu_s();
    const double client_s = bench_clock_s(CLOCK_PROCESS_CPUTIME_ID);
    counted.is_on = true;
    due_s = began_s;
    run_until(began_s + asked.seconds, &due_s);
    report(bench_now_s() - began_s, servers_cpu_s() - servers_s,
           bench_clock_s(CLOCK_PROCESS_CPUTIME_ID) - client_s);
}

static int usage(void)
{
    fputs("usage: load [--ca FILE] [--cert FILE --key FILE] [--header 'Name: value']... [--pid "
          "PID]...\n"
          "            [--rate PER-SECOND] [--new] PORT CONNECTIONS SECONDS REQUESTS\n",
          stderr);
    return 64;
}

static bool take_option(int option)
{
    const size_t used = strlen(asked.headers);
    switch (option) {
    case 'a':
        asked.ca = optarg;
        return true;
    case 'c':
        asked.certificate = optarg;
        return true;
    case 'k':
        asked.key = optarg;
        return true;
    case 'h':
        return snprintf(asked.headers + used, sizeof asked.headers - used, "%s\r\n", optarg) <
               (int)(sizeof asked.headers - used);
    case 'p':
        return asked.server_count < PIDS_MAX &&
               clock_getcpuclockid((pid_t)strtol(optarg, NULL, 10),
                                   &asked.servers[asked.server_count++]) == 0;
    case 'r':
        asked.rate = strtod(optarg, NULL);
        return asked.rate > 0;
    case 'n':
        asked.renews = true;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "", known_options, NULL)) != -1) {
        if (!take_option(option))
            return usage();
    }
    if (argc - optind != 4)
        return usage();
    asked.address =
        (struct sockaddr_in){.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(argv[optind], NULL, 10)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    asked.connection_count = strtoul(argv[optind + 1], NULL, 10);
    asked.seconds = strtod(argv[optind + 2], NULL);
    if (!asked.connection_count || asked.connection_count > CONNECTIONS_MAX || asked.seconds <= 0)
        return usage();
    read_requests(argv[optind + 3]);
    make_context();
    run();
    return counted.count ? 0 : 1;
}
