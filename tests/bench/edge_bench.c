/*
 * edge_bench - what strangers and greedy services cost the others.
 *
 *     edge_bench PORT CA SERVICE GREEDY VAULTD-PID
 *
 * SERVICE and GREEDY stand for two services' files, NAME.pem and NAME.key; the second has a small
 * quota. One thread asks for /v1/me over a kept connection, one request after the other, for some
 * seconds at a time: alone, then while
 *
 *     idle         5,000 connections are held open, each asking for /healthz now and then, since
 * the listener ends what is silent; what one costs vaultd in memory is printed too opening 10,000
 * connections are opened, each for one request, as fast as it goes greedy       four threads of the
 * other service ask without pause, far over its quota slow         200 connections have asked for
 * more than they read
 *
 * It prints how long a request took, in the middle and at the 99th of 100, and the ratio to alone.
 * tests/bench/edge makes the vault and starts it. Everything is on one machine: client and vaultd
 * share its processors, and a ratio says so too.
 */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define IDLE         5000
#define OPENINGS     10000
#define SLOW         200
#define THREADS      4
#define TOUCH_S      8.0 /* well within the listener's deadline */
#define MEASURE_S    5.0
#define SAMPLES_MAX  1000000
#define ANSWER_BYTES (64UL * 1024)
#define ASK_ME       "GET /v1/me HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define ASK_HEALTH   "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define ASK_ALL      "GET /v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"

static struct sockaddr_in server;
static gnutls_certificate_credentials_t known;
static gnutls_certificate_credentials_t greedy;
static const char *status_file;

/* --- A connection --------------------------------------------------------------------------- */

struct connection {
    int fd;
    gnutls_session_t session;
    double touched_s;
};

static void hang_up(struct connection *connection)
{
    if (connection->session)
        gnutls_deinit(connection->session);
    if (connection->fd >= 0)
        close(connection->fd);
    *connection = (struct connection){.fd = -1};
}

static bool dial(struct connection *out, gnutls_certificate_credentials_t as)
{
    const int on = 1;
    int result;
    *out = (struct connection){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (out->fd < 0 || connect(out->fd, (const struct sockaddr *)&server, sizeof server) != 0)
        return false;
    setsockopt(out->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (gnutls_init(&out->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL) < 0)
        return false;
    gnutls_set_default_priority(out->session);
    gnutls_credentials_set(out->session, GNUTLS_CRD_CERTIFICATE, as);
    gnutls_session_set_verify_cert(out->session, "localhost", 0);
    gnutls_transport_set_int(out->session, out->fd);
    do
        result = gnutls_handshake(out->session);
    while (result < 0 && !gnutls_error_is_fatal(result));
    out->touched_s = bench_now_s();
    return result == 0;
}

/* One request and its whole answer; its status, or 0 if the other end is gone. */
static unsigned ask(struct connection *connection, const char *request)
{
    static _Thread_local char answer[ANSWER_BYTES];
    size_t have = 0;
    size_t whole = 0;
    if (gnutls_record_send(connection->session, request, strlen(request)) < 0)
        return 0;
    while (whole == 0 || have < whole) {
        const ssize_t got =
            gnutls_record_recv(connection->session, answer + have, sizeof answer - 1 - have);
        if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
            continue;
        if (got <= 0)
            return 0;
        have += (size_t)got;
        answer[have] = 0;
        const char *end = strstr(answer, "\r\n\r\n");
        const char *length = strstr(answer, "Content-Length: ");
        if (end && whole == 0)
            whole = (size_t)(end + 4 - answer) +
                    (length && length < end ? strtoul(length + 16, NULL, 10) : 0);
    }
    connection->touched_s = bench_now_s();
    return (unsigned)strtoul(answer + strlen("HTTP/1.1 "), NULL, 10);
}

static void must_dial(struct connection *out, gnutls_certificate_credentials_t as)
{
    bench_must_all(dial(out, as), "connecting to vaultd");
}

static long resident_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *file = fopen(status_file, "re");
    bench_must_all(file != NULL, status_file);
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    }
    if (file)
        fclose(file);
    return kib;
}

/* --- Who is served -------------------------------------------------------------------------- */

struct served {
    double median_ms;
    double worst_ms; /* of 99 in 100 */
    double per_s;
};

static struct served serve(void)
{
    static double samples[SAMPLES_MAX];
    struct connection connection;
    size_t count = 0;
    must_dial(&connection, known);
    const double begin = bench_now_s();
    while (bench_now_s() - begin < MEASURE_S && count < SAMPLES_MAX) {
        const double before = bench_now_s();
        bench_must_all(ask(&connection, ASK_ME) == 200, "the service that keeps its quota");
        samples[count++] = (bench_now_s() - before) * 1000;
    }
    const double took = bench_now_s() - begin;
    hang_up(&connection);
    qsort(samples, count, sizeof samples[0], bench_by_double);
    return (struct served){samples[count / 2], samples[count * 99 / 100], (double)count / took};
}

static struct served alone;

static void print_served(const char *what, const struct served *served)
{
    char name[96];
    printf("%-34s %8.3f ms %8.3f ms %8.0f /s   %5.1f times alone, at the 99th %5.1f\n", what,
           served->median_ms, served->worst_ms, served->per_s, served->median_ms / alone.median_ms,
           served->worst_ms / alone.worst_ms);
    snprintf(name, sizeof name, "edge: a service's requests, %s", what);
    bench_figure(name, served->per_s, "/s");
    snprintf(name, sizeof name, "edge: the slowest of 100, %s", what);
    bench_figure(name, served->worst_ms, "ms");
}

/* --- Idle connections ----------------------------------------------------------------------- */

static atomic_bool running;

struct idlers {
    pthread_t thread;
    struct connection *own;
    size_t wanted;
    atomic_size_t open;
    size_t lost;
};

/* Open what is wanted, and let none be silent for too long. */
static void *keep_open(void *context)
{
    struct idlers *idlers = context;
    size_t oldest = 0;
    while (atomic_load(&running)) {
        const size_t open = atomic_load(&idlers->open);
        const double now = bench_now_s();
        if (open && now - idlers->own[oldest].touched_s > TOUCH_S) {
            struct connection *connection = &idlers->own[oldest];
            if (ask(connection, ASK_HEALTH) != 200) {
                idlers->lost++;
                hang_up(connection);
                must_dial(connection, known);
            }
            oldest = (oldest + 1) % open;
        } else if (open < idlers->wanted) {
            must_dial(&idlers->own[open], known);
            atomic_store(&idlers->open, open + 1);
        } else {
            usleep(1000);
        }
    }
    for (size_t i = 0; i < atomic_load(&idlers->open); i++)
        hang_up(&idlers->own[i]);
    return NULL;
}

static void measure_idle(void)
{
    static struct connection connections[IDLE];
    struct idlers idlers[THREADS];
    size_t open = 0;
    size_t lost = 0;
    const long before = resident_kib();
    const double begin = bench_now_s();
    atomic_store(&running, true);
    for (size_t i = 0; i < THREADS; i++) {
        idlers[i] =
            (struct idlers){.own = connections + i * (IDLE / THREADS), .wanted = IDLE / THREADS};
        bench_must_all(pthread_create(&idlers[i].thread, NULL, keep_open, &idlers[i]) == 0,
                       "a thread");
    }
    while (open < IDLE) {
        usleep(10000);
        open = 0;
        for (size_t i = 0; i < THREADS; i++)
            open += atomic_load(&idlers[i].open);
    }
    const double took = bench_now_s() - begin;
    const long with = resident_kib();
    const struct served served = serve();
    atomic_store(&running, false);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(idlers[i].thread, NULL);
        lost += idlers[i].lost;
    }
    print_served("with 5,000 idle connections", &served);
    printf("    opened in %.1f s, %zu lost; vaultd %.1f MiB before, %.1f MiB with: %.1f KiB each\n",
           took, lost, (double)before / 1024, (double)with / 1024, (double)(with - before) / IDLE);
    bench_figure("edge: memory of an idle connection", (double)(with - before) / IDLE, "KiB");
}

/* --- Opening ---------------------------------------------------------------------------------- */

static atomic_size_t opened;

static void *open_many(void *context)
{
    (void)context;
    while (atomic_fetch_add(&opened, 1) < OPENINGS) {
        struct connection connection;
        must_dial(&connection, known);
        bench_must_all(ask(&connection, ASK_HEALTH) == 200, "a new connection");
        hang_up(&connection);
    }
    return NULL;
}

static void measure_opening(void)
{
    pthread_t threads[THREADS];
    const double begin = bench_now_s();
    for (size_t i = 0; i < THREADS; i++)
        bench_must_all(pthread_create(&threads[i], NULL, open_many, NULL) == 0, "a thread");
    const struct served served = serve();
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const double took = bench_now_s() - begin;
    const long after = resident_kib();
    print_served("while 10,000 connect", &served);
    printf(
        "    10,000 connections, each with its handshake, in %.1f s; vaultd has %.1f MiB after\n",
        took, (double)after / 1024);
}

/* --- A service over its quota ------------------------------------------------------------------
 */

static atomic_size_t taken;
static atomic_size_t too_many;

static void *ask_greedily(void *context)
{
    (void)context;
    struct connection connection;
    must_dial(&connection, greedy);
    while (atomic_load(&running)) {
        const unsigned status = ask(&connection, ASK_ME);
        bench_must_all(status == 200 || status == 429, "the service over its quota");
        atomic_fetch_add(status == 200 ? &taken : &too_many, 1);
    }
    hang_up(&connection);
    return NULL;
}

static void measure_greedy(void)
{
    pthread_t threads[THREADS];
    atomic_store(&running, true);
    for (size_t i = 0; i < THREADS; i++)
        bench_must_all(pthread_create(&threads[i], NULL, ask_greedily, NULL) == 0, "a thread");
    const struct served served = serve();
    atomic_store(&running, false);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    print_served("beside one over its quota", &served);
    printf("    that one was answered %zu times, and told %zu times that it was too much\n",
           atomic_load(&taken), atomic_load(&too_many));
}

/* --- Slow readers ----------------------------------------------------------------------------- */

/* Asked for so much that the answers do not fit on the way, and not read. */
static void ask_and_not_read(struct connection *connection)
{
    const int small = 4096;
    must_dial(connection, known);
    setsockopt(connection->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 20; i++)
        gnutls_record_send(connection->session, ASK_ALL, strlen(ASK_ALL));
}

static void measure_slow(void)
{
    static struct connection slow[SLOW];
    const long before = resident_kib();
    for (size_t i = 0; i < SLOW; i++)
        ask_and_not_read(&slow[i]);
    const struct served served = serve();
    const long with = resident_kib();
    for (size_t i = 0; i < SLOW; i++)
        hang_up(&slow[i]);
    print_served("beside 200 that do not read", &served);
    printf("    vaultd %.1f MiB before, %.1f MiB with\n", (double)before / 1024,
           (double)with / 1024);
}

/* --- All ----------------------------------------------------------------------------------------
 */

static gnutls_certificate_credentials_t read_credentials(const char *ca, const char *name)
{
    char certificate[PATH_MAX];
    char key[PATH_MAX];
    gnutls_certificate_credentials_t out;
    snprintf(certificate, sizeof certificate, "%s.pem", name);
    snprintf(key, sizeof key, "%s.key", name);
    bench_must_all(
        gnutls_certificate_allocate_credentials(&out) == 0 &&
            gnutls_certificate_set_x509_trust_file(out, ca, GNUTLS_X509_FMT_PEM) > 0 &&
            gnutls_certificate_set_x509_key_file(out, certificate, key, GNUTLS_X509_FMT_PEM) == 0,
        name);
    return out;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    bench_must_all(getrlimit(RLIMIT_NOFILE, &limit) == 0, "the limit on open files");
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    bench_must_all(limit.rlim_max > IDLE + 100, "5,000 connections need as many descriptors");
}

int main(int argc, char **argv)
{
    static char path[64];
    if (argc != 6) {
        fputs("usage: edge_bench PORT CA SERVICE GREEDY VAULTD-PID\n", stderr);
        return 64;
    }
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    known = read_credentials(argv[2], argv[3]);
    greedy = read_credentials(argv[2], argv[4]);
    snprintf(path, sizeof path, "/proc/%s/status", argv[5]);
    status_file = path;
    raise_descriptor_limit();
    alone = serve();
    print_served("alone", &alone);
    measure_idle();
    measure_opening();
    measure_greedy();
    measure_slow();
    gnutls_certificate_free_credentials(known);
    gnutls_certificate_free_credentials(greedy);
    return 0;
}
