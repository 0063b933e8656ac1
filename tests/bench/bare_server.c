/*
 * bare_server - what libmicrohttpd answers when it has nothing to do: mutual TLS, one answer.
 *
 *     bare_server threads|pool CERTIFICATE KEY CLIENT-CA ANSWER
 *
 * A client without a certificate of that CA is refused in the handshake. Whatever is asked, its
 * body is read, and the file ANSWER comes back as JSON. With "threads" each connection has a
 * thread; "pool" is what the library's manual advises for many connections, and what vaultd does: a
 * thread for each processor, with epoll. Prints "port N" when it listens, on 127.0.0.1, and serves
 * until its standard input ends.
 */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "vault/edge/tls.h"

#define FILE_BYTES      (64UL * 1024)
#define CONNECTIONS_MAX 10000
#define STACK_BYTES     (256UL * 1024)

struct text {
    char data[FILE_BYTES];
    size_t size;
};

static struct text certificate;
static struct text key;
static struct text client_ca;
static struct text answer;

static void read_text(struct text *out, const char *path)
{
    FILE *file = fopen(path, "re");
    bench_must_all(file != NULL, path);
    out->size = fread(out->data, 1, FILE_BYTES - 1, file);
    fclose(file);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *data_size, void **seen)
{
    (void)context, (void)path, (void)method, (void)version, (void)data;
    if (!*seen || *data_size) {
        *seen = connection;
        *data_size = 0;
        return MHD_YES;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer.size, answer.data, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    const enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

/* Without a client's certificate the library would serve just as well. */
static void require_certificate(void *context, struct MHD_Connection *connection,
                                void **connection_context, enum MHD_ConnectionNotificationCode code)
{
    (void)context, (void)connection_context;
    if (code != MHD_CONNECTION_NOTIFY_STARTED)
        return;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_session_t session = info->tls_session;
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
    gnutls_session_set_verify_cert(session, NULL, 0);
}

int main(int argc, char **argv)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char end;
    if (argc != 6)
        return 64;
    read_text(&certificate, argv[2]);
    read_text(&key, argv[3]);
    read_text(&client_ca, argv[4]);
    read_text(&answer, argv[5]);
    const bool is_pool = strcmp(argv[1], "pool") == 0;
    const unsigned flags =
        MHD_USE_TLS | MHD_USE_INTERNAL_POLLING_THREAD |
        (is_pool ? MHD_USE_EPOLL : MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_HTTPS_MEM_CERT, certificate.data, MHD_OPTION_HTTPS_MEM_KEY, key.data,
        MHD_OPTION_HTTPS_MEM_TRUST, client_ca.data, MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES,
        MHD_OPTION_NOTIFY_CONNECTION, require_certificate, NULL, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_THREAD_POOL_SIZE,
        is_pool ? (unsigned)sysconf(_SC_NPROCESSORS_ONLN) : 0U, MHD_OPTION_THREAD_STACK_SIZE,
        is_pool ? (size_t)0 : STACK_BYTES, MHD_OPTION_END);
    bench_must_all(daemon != NULL, "listening");
    printf("port %u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (read(STDIN_FILENO, &end, 1) > 0)
        continue;
    MHD_stop_daemon(daemon);
    return 0;
}
