/*
 * The HTTP of vault-audit witness. All of it is the library's thread, but the watch over requests
 * that take too long, which is the caller's.
 */
#include "audit_witness.h"

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "vault/base/clock.h"
#include "vault/base/log.h"

#define TLS_PRIORITIES                                                                             \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1" /* the vault's */
#define CONNECTIONS_MAX  64U
#define PER_ADDRESS_MAX  16U
#define IDLE_S           10U
#define REQUEST_MS       20000
#define CONNECTION_BYTES (32UL * 1024)
#define HOST_CHARS       128
#define ADD_PATH         "/add-checkpoint"

/* A connection, and since when it owes a whole request. */
struct watched {
    bool is_open;
    int fd;
    int64_t since_ms;
};

struct witness_server {
    struct witness *witness;
    struct MHD_Daemon *daemon;
    pthread_mutex_t watching;
    struct watched watched[CONNECTIONS_MAX];
};

/* --- Requests that take too long ------------------------------------------------------------ */

static struct watched *free_place(struct witness_server *server)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (!server->watched[i].is_open)
            return &server->watched[i];
    }
    return NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **place,
                          enum MHD_ConnectionNotificationCode what)
{
    struct witness_server *server = context;
    pthread_mutex_lock(&server->watching);
    struct watched *watched =
        what == MHD_CONNECTION_NOTIFY_STARTED ? free_place(server) : (struct watched *)*place;
    if (watched && what == MHD_CONNECTION_NOTIFY_STARTED)
        *watched = (struct watched){
            true,
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
            clock_monotonic_ms()};
    else if (watched)
        watched->is_open = false;
    *place = watched;
    pthread_mutex_unlock(&server->watching);
}

/* The next request has the same time again. */
static void watch_anew(struct witness_server *server, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct watched *watched = info ? info->socket_context : NULL;
    pthread_mutex_lock(&server->watching);
    if (watched)
        watched->since_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&server->watching);
}

void witness_server_watch(struct witness_server *server)
{
    const int64_t before_ms = clock_monotonic_ms() - REQUEST_MS;
    pthread_mutex_lock(&server->watching);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        const struct watched *watched = &server->watched[i];
        if (watched->is_open && watched->since_ms < before_ms)
            shutdown(watched->fd, SHUT_RDWR); /* the library sees that it has ended */
    }
    pthread_mutex_unlock(&server->watching);
}

/* --- Requests -------------------------------------------------------------------------------- */

static const char *const content_types[] = {"text/plain; charset=utf-8", WITNESS_SIZE_TYPE};

/* Answer, with one more header if it is named. */
static enum MHD_Result answer_with(struct MHD_Connection *connection, unsigned status,
                                   const char *type, struct bytes body, const char *header,
                                   const char *value)
{
    /* The library takes a body that is not const, and copies it. */
    void *copied = (void *)(uintptr_t)body.data;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.size, body.size ? copied : NULL, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    enum MHD_Result queued = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (queued == MHD_YES && header)
        queued = MHD_add_response_header(response, header, value);
    if (queued == MHD_YES)
        queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              struct bytes body)
{
    return answer_with(connection, status, type, body, NULL, NULL);
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *text)
{
    return answer(connection, status, content_types[0], bytes_of_text(text));
}

static enum MHD_Result add_checkpoint(struct witness_server *server,
                                      struct MHD_Connection *connection, struct bytes body)
{
    struct vault_error why = {0};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(WITNESS_ANSWER_MAX_BYTES);
    const unsigned status = witness_add_checkpoint(server->witness, body, &text, &why);
    if (status >= 422)
        log_event(status == 422 ? LOG_WARNING : LOG_ERROR, "witness", "%u: %s", status, why.text);
    if (status == 200 || status == 409)
        return answer(connection, status, content_types[status == 409], buf_view(&text));
    buf_format(&text, "%s\n", status == 500 ? "the witness cannot write" : why.text);
    return answer(connection, status, content_types[0], buf_view(&text));
}

static enum MHD_Result get_checkpoint(struct witness_server *server,
                                      struct MHD_Connection *connection, const char *path)
{
    static const char suffix[] = "/checkpoint";
    const size_t size = strlen(path);
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    if (size < sizeof suffix || strcmp(path + size + 1 - sizeof suffix, suffix) != 0 ||
        witness_last(server->witness,
                     (struct bytes){(const uint8_t *)path + 1, size - sizeof suffix}, &note,
                     NULL) != VAULT_OK)
        return say(connection, 404, "there is nothing here\n");
    return answer(connection, 200, content_types[0], buf_view(&note));
}

/* Whether the client says that more will come than is read. */
static bool announces_too_much(struct MHD_Connection *connection)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    return length && strtoull(length, NULL, 10) > WITNESS_REQUEST_MAX_BYTES;
}

static bool is_get(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static enum MHD_Result begin(struct MHD_Connection *connection, const char *path,
                             const char *method, void **context)
{
    const bool is_add = strcmp(path, ADD_PATH) == 0;
    if (is_add ? strcmp(method, "POST") != 0 : !is_get(method) && strcmp(method, "POST") != 0)
        return answer_with(connection, 405, content_types[0], bytes_of_text("not by this method\n"),
                           MHD_HTTP_HEADER_ALLOW, is_add ? "POST" : "GET, HEAD");
    if (announces_too_much(connection))
        return say(connection, 413, "too large\n");
    struct buf *body = malloc(sizeof *body);
    if (!body)
        return MHD_NO;
    *body = buf_limited(WITNESS_REQUEST_MAX_BYTES);
    *context = body;
    return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *size, void **request)
{
    (void)version;
    struct witness_server *server = context;
    struct buf *body = *request;
    if (!body)
        return begin(connection, path, method, request);
    if (*size) {
        buf_append(body, data, *size);
        *size = 0;
        return body->problem ? MHD_NO : MHD_YES; /* too large, without a word of warning */
    }
    if (is_get(method))
        return get_checkpoint(server, connection, path);
    return strcmp(path, ADD_PATH) == 0 ? add_checkpoint(server, connection, buf_view(body))
                                       : say(connection, 404, "there is nothing here\n");
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode why)
{
    (void)why;
    struct buf *body = VAULT_TAKE(*request);
    watch_anew(context, connection);
    if (body)
        buf_finish(body);
    free(body);
}

/* "HOST:PORT" or "[HOST]:PORT", both as numbers. */
static bool read_address(const char *text, struct sockaddr_storage *out)
{
    char host[HOST_CHARS];
    const char *colon = strrchr(text, ':');
    const size_t size = colon ? (size_t)(colon - text) : 0;
    const bool brackets = size > 2 && text[0] == '[' && text[size - 1] == ']';
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (size == 0 || size >= sizeof host || !colon[1])
        return false;
    snprintf(host, sizeof host, "%.*s", (int)(size - (brackets ? 2 : 0)), text + brackets);
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return false;
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

/* The texts are the library's to read until the daemon ends. */
static enum vault_code listen_at(struct witness_server *server, const char *address,
                                 const struct witness_pair *pair, struct vault_error *err)
{
    struct sockaddr_storage at = {0};
    const bool has_tls = pair->certificate.size > 0;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, pair->certificate.data},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, pair->key.data},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    if (!read_address(address, &at))
        return vault_fail(err, VAULT_INVALID, "--listen is ADDRESS:PORT, in numbers");
    const unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                           (has_tls ? (unsigned)MHD_USE_TLS : 0U) |
                           (at.ss_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0U);
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_ARRAY,
        has_tls ? tls : &tls[3], MHD_OPTION_END);
    if (!server->daemon)
        return vault_fail_errno(err, "listening on %s%s", address,
                                has_tls ? ", with that certificate and key" : "");
    return VAULT_OK;
}

uint16_t witness_address_port(const char *address)
{
    struct sockaddr_storage at;
    if (!read_address(address, &at))
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&at)->sin6_port
                                          : ((const struct sockaddr_in *)&at)->sin_port);
}

enum vault_code witness_server_start(struct witness *witness, const char *address,
                                     const struct witness_pair *pair, struct witness_server **out,
                                     struct vault_error *err)
{
    VAULT_AUTO(witness_server_stop) struct witness_server *server = calloc(1, sizeof *server);
    if (!server)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    server->witness = witness;
    pthread_mutex_init(&server->watching, NULL);
    VAULT_TRY(listen_at(server, address, pair, err));
    *out = VAULT_TAKE(server);
    return VAULT_OK;
}

unsigned witness_server_port(const struct witness_server *server)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void witness_server_stop(struct witness_server **server)
{
    struct witness_server *gone = VAULT_TAKE(*server);
    if (!gone)
        return;
    if (gone->daemon)
        MHD_stop_daemon(gone->daemon);
    pthread_mutex_destroy(&gone->watching);
    free(gone);
}
