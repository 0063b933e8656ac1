#include "vault/edge/listener.h"

#include <arpa/inet.h>
#include <assert.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener_parts.h"
#include "vault/base/clock.h"
#include "vault/base/log.h"
#include "vault/edge/gate.h"
#include "vault/edge/problem.h"

#define STOP_WAIT_MS 2000 /* for answers on their way when the listener stops */
#define LISTEN_BACKLOG                                                                             \
    4096 /* connections that wait for room; the system may have a lower limit                      \
          */

static const char cannot_now[] = "the vault cannot do this now: try again later";

/* --- A request ------------------------------------------------------------------------------ */

static void end_answer(struct listener *listener, const struct exchange *exchange)
{
    if (!exchange->answering || atomic_fetch_sub(&listener->answering, 1) > 1 ||
        !atomic_load(&listener->awaits_answers))
        return;
    pthread_mutex_lock(&listener->mutex);
    pthread_cond_broadcast(&listener->stop_changed);
    pthread_mutex_unlock(&listener->mutex);
}

void connection_drop_exchange(struct connection *connection)
{
    struct exchange *gone = VAULT_TAKE(connection->exchange);
    if (!gone)
        return;
    end_answer(connection->loop->listener, gone);
    connection->loop->sending -= gone->sending;
    buf_finish(&gone->body);
    http_answer_finish(&gone->answer);
    loop_keep_exchange(connection->loop, gone);
}

/* The request line has been read: the first the library tells of a request. It does not tell of the
 * end of each: one whose query fills the connection's memory is given up in silence. */
static void *on_request_line(void *context, const char *target, struct MHD_Connection *mhd)
{
    (void)context;
    struct connection *connection = connection_of(mhd);
    if (!connection)
        return NULL;
    connection_drop_exchange(connection);
    connection_start_deadline(connection);
    struct exchange *exchange = loop_exchange(connection->loop);
    if (!exchange)
        return NULL;
    memset(exchange, 0, offsetof(struct exchange, target));
    exchange->target[0] = 0;
    exchange->request.header_count = exchange->request.query_count = 0;
    exchange->request.has_peer = false;
    ulid_new(exchange->id, clock_now_ms(&clock_system));
    exchange->body = buf_limited(HTTP_BODY_BYTES_MAX);
    http_answer_begin(&exchange->answer);
    exchange->connection = connection;
    exchange->mhd = mhd;
    const size_t size = strlen(target);
    exchange->target_read = target;
    exchange->target_too_long = size >= sizeof exchange->target;
    if (!exchange->target_too_long)
        memcpy(exchange->target, target, size + 1);
    connection->exchange = exchange;
    return exchange;
}

static void begin_answer(struct listener *listener, struct exchange *exchange)
{
    exchange->answering = true;
    atomic_fetch_add(&listener->answering, 1);
}

static void on_completed(void *context, struct MHD_Connection *mhd, void **request_context,
                         enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)code;
    struct connection *connection = connection_of(mhd);
    *request_context = NULL;
    if (!connection)
        return;
    connection_drop_exchange(connection);
    connection_start_deadline(connection); /* for the next request to come whole */
}

static void free_body(void *context)
{
    struct buf *body = context;
    buf_finish(body);
    free(body);
}

/* The library takes the body over and has it wiped and freed once it is sent. */
static struct MHD_Response *response_of(struct http_answer *answer)
{
    struct buf *body = malloc(sizeof *body);
    if (!body)
        return NULL;
    *body = answer->body;
    answer->body = buf_limited(answer->body.limit);
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        body->size, body->data, free_body, body);
    if (!response)
        free_body(body);
    return response;
}

static void count_answer(const struct listener *listener, unsigned status)
{
    const size_t index = http_status_index(status);
    assert(index < HTTP_STATUS_COUNT);
    if (listener->options.counts)
        atomic_fetch_add_explicit(&listener->options.counts->answers[index], 1,
                                  memory_order_relaxed);
}

/* What leaves the exchange does so once: its answer is an empty one then. */
static enum MHD_Result send_answer(struct exchange *exchange)
{
    const struct listener *listener = exchange->connection->loop->listener;
    struct http_answer *answer = &exchange->answer;
    answer->close |= atomic_load(&listener->stopping); /* or the next request comes on it */
    if (listener->options.decorate)
        listener->options.decorate(answer);
    count_answer(listener, answer->status);
    struct MHD_Response *response = response_of(answer);
    if (!response)
        return MHD_NO;
    if (answer->content_type)
        MHD_add_response_header(response, "Content-Type", answer->content_type);
    MHD_add_response_header(response, "Request-Id", exchange->id);
    for (size_t i = 0; i < answer->header_count; i++)
        MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
    if (answer->close)
        MHD_add_response_header(response, "Connection", "close");
    const enum MHD_Result result = MHD_queue_response(exchange->mhd, answer->status, response);
    MHD_destroy_response(response);
    exchange->connection->loop->sending += !exchange->sending;
    exchange->sending = true;
    return result;
}

/* What was refused is a line of the program's log, found by the id that the answer has. It quotes
 * nothing: the reason is the gate's, which quotes nothing either, and a handler's stays its own. */
static void log_refusal(const struct exchange *exchange, unsigned status, const char *reason)
{
    const struct listener *listener = exchange->connection->loop->listener;
    log_set_request(exchange->id);
    log_event(LOG_WARNING, "refused", "%s: %u%s%s", listener->options.name, status,
              *reason ? ": " : "", reason);
    log_set_request(NULL);
}

static enum MHD_Result refuse(struct exchange *exchange, unsigned status, const char *detail)
{
    exchange->state = EXCHANGE_REFUSED;
    exchange->connection->refused = true;
    log_refusal(exchange, status, detail);
    problem_write(&exchange->answer, status, detail,
                  exchange->target_too_long ? "" : exchange->target);
    exchange->answer.close = true;
    return send_answer(exchange);
}

static enum MHD_Result collect_header(void *context, enum MHD_ValueKind kind, const char *name,
                                      size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    struct http_request *request = context;
    if (request->header_count < HTTP_HEADERS_MAX)
        request->headers[request->header_count++] = (struct http_pair){
            {(const uint8_t *)name, name_size}, {(const uint8_t *)value, value_size}};
    return MHD_YES;
}

static enum MHD_Result collect_parameter(void *context, enum MHD_ValueKind kind, const char *name,
                                         size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    struct http_request *request = context;
    if (request->query_count < HTTP_PARAMETERS_MAX)
        request->query[request->query_count++] = (struct http_pair){
            {(const uint8_t *)name, name_size}, {(const uint8_t *)value, value_size}};
    return MHD_YES;
}

/* Who speaks: verified in the handshake, and held against what has been in force since. */
static bool identify_peer(struct connection *connection, struct http_request *request)
{
    const struct tls_peer *peer = &connection->peer;
    if (!tls_peer_may_ask(connection->loop->listener->options.tls, connection->session,
                          &connection->peer))
        return false;
    request->has_peer = peer->is_known;
    memcpy(request->peer_spki, peer->spki, sizeof request->peer_spki);
    return true;
}

/* From 1.0 on the library refuses what it used to hide. Before, it decodes the target in place once
 * it has told of it: its end is where it ended as it came. */
static enum vault_code check_layout(const struct gate_line *line, const struct exchange *exchange,
                                    struct vault_error *err)
{
    const struct http_request *request = &exchange->request;
    if (strncmp(MHD_get_version(), "0.", 2) != 0)
        return VAULT_OK;
    const struct gate_place place = {line->method, exchange->target_read, strlen(line->target),
                                     line->version};
    return gate_check_layout(&place, request->headers, request->header_count, err);
}

static bool address_may_ask(const struct connection *connection)
{
    struct addresses *addresses = connection->loop->listener->addresses;
    return !addresses || addresses_ask(addresses, &connection->address, clock_monotonic_ms());
}

/* All headers are here, no byte of the body is. */
static enum MHD_Result begin(struct exchange *exchange, const char *path, const char *method,
                             const char *version)
{
    struct connection *connection = exchange->connection;
    struct http_request *request = &exchange->request;
    exchange->begun = true;
    MHD_get_connection_values_n(exchange->mhd, MHD_HEADER_KIND, collect_header, request);
    MHD_get_connection_values_n(exchange->mhd, MHD_GET_ARGUMENT_KIND, collect_parameter, request);
    if (exchange->target_too_long)
        return refuse(exchange, 400, "the request target is too long");
    const struct gate_line line = {method, exchange->target, version};
    struct vault_error err;
    enum vault_code code = check_layout(&line, exchange, &err);
    if (code == VAULT_OK)
        code = gate_check(&line, request->headers, request->header_count, &err);
    if (code == VAULT_OK)
        code = gate_check_query(request->query, request->query_count, &err);
    if (code)
        return refuse(exchange, code == VAULT_TOO_LARGE ? 413 : 400, err.text);
    if (!address_may_ask(connection))
        return refuse(exchange, 429, "too many requests from your address");
    if (!identify_peer(connection, request))
        return connection->peer.unread
                   ? refuse(exchange, 503, cannot_now)
                   : refuse(exchange, 403, "this client certificate is not let in any more");
    request->method = http_method_of(method);
    request->path = path;
    return MHD_YES;
}

static enum http_progress start_handler(struct exchange *exchange)
{
    const struct listener_options *options = &exchange->connection->loop->listener->options;
    if (!options->starter)
        return HTTP_WOULD_WAIT;
    log_set_request(exchange->id);
    const enum http_progress progress =
        options->starter(options->context, &exchange->request, &exchange->answer, &exchange->rest);
    log_set_request(NULL);
    if (progress == HTTP_WOULD_WAIT) {
        http_answer_finish(&exchange->answer);
        http_answer_begin(&exchange->answer);
    }
    return progress;
}

/* The answer is whole. */
static enum MHD_Result finish(struct exchange *exchange)
{
    struct http_answer *answer = &exchange->answer;
    connection_start_deadline(exchange->connection);
    if (answer->body.problem)
        problem_write(answer, 500, "the answer could not be built", exchange->target);
    if (answer->status >= 400 && answer->status < 500)
        log_refusal(exchange, answer->status, "");
    return send_answer(exchange);
}

/* The request is whole. Nothing of the library's is touched by who answers it elsewhere: what the
 * request borrows of it stays while the connection waits. */
static enum MHD_Result answer(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;
    if (exchange->body.problem)
        return exchange->body.problem == VAULT_TOO_LARGE
                   ? refuse(exchange, 413, "the body is over 65536 bytes")
                   : refuse(exchange, 503, cannot_now);
    exchange->request.body = buf_view(&exchange->body);
    connection_stop_deadline(connection);
    begin_answer(connection->loop->listener, exchange);
    switch (start_handler(exchange)) {
    case HTTP_ANSWERED:
        return finish(exchange);
    case HTTP_AWAITS:
        loop_await(exchange);
        return MHD_YES;
    case HTTP_WOULD_WAIT:
        loop_hand_over(exchange);
        return MHD_YES;
    }
    return MHD_NO;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_size, void **request_context)
{
    (void)context, (void)mhd;
    struct exchange *exchange = *request_context;
    if (!exchange)
        return MHD_NO;
    if (!exchange->begun)
        return begin(exchange, path, method, version);
    if (*data_size) {
        buf_append(&exchange->body, data, *data_size);
        *data_size = 0;
        return MHD_YES;
    }
    switch (exchange->state) {
    case EXCHANGE_READING:
        return answer(exchange);
    case EXCHANGE_ANSWERED:
        return finish(exchange);
    case EXCHANGE_REFUSED:
    case EXCHANGE_WAITING:
        break;
    }
    return MHD_YES;
}

/* --- Start and stop ------------------------------------------------------------------------- */

VAULT_PRINTF(2, 0) static void on_library_log(void *context, const char *format, va_list args)
{
    /* The library's words may quote a request: say that it spoke, not what. */
    (void)format;
    (void)args;
    const struct loop *loop = context;
    log_event(LOG_DEBUG, "http", "%s: the library refused or lost a connection",
              loop->listener->options.name);
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static enum vault_code parse_address(const struct listener_options *options, union address *out,
                                     struct vault_error *err)
{
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, options->address, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(options->port);
        return VAULT_OK;
    }
    if (inet_pton(AF_INET6, options->address, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(options->port);
        return VAULT_OK;
    }
    return vault_fail(err, VAULT_INVALID, "%s: not an IP address: %s", options->name,
                      options->address);
}

/* The socket is the listener's own, so that each loop takes few connections at a time. */
static enum vault_code open_socket(struct listener *listener, const union address *address,
                                   struct vault_error *err)
{
    static const int yes = 1;
    const struct listener_options *options = &listener->options;
    const int family = address->any.sa_family;
    const socklen_t size = family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
    const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    listener->listen_fd = fd;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        (family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) == 0) &&
        bind(fd, &address->any, size) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
        return VAULT_OK;
    return vault_fail(err, VAULT_IO,
                      "%s: cannot listen on %s port %u; is another program using it?",
                      options->name, options->address, options->port);
}

struct MHD_Daemon *listener_daemon(struct loop *loop)
{
    const struct listener_options *options = &loop->listener->options;
    const unsigned flags = MHD_USE_TLS | MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
                           MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, loop,
        /* First in the list, or early errors go to standard error. */
        MHD_OPTION_EXTERNAL_LOGGER, on_library_log, loop, MHD_OPTION_HTTPS_MEM_CERT,
        tls_certificate_pem(options->tls), MHD_OPTION_HTTPS_MEM_KEY, tls_key_pem(options->tls),
        MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES, MHD_OPTION_NOTIFY_CONNECTION,
        connection_notify, loop, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, loop,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, loop, MHD_OPTION_STRICT_FOR_CLIENT,
        0, /* what it refuses, the gate does, with our words */
        MHD_OPTION_CONNECTION_LIMIT, options->connections_max, MHD_OPTION_CONNECTION_TIMEOUT,
        options->deadline_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LISTENER_HEADER_BYTES_MAX,
        MHD_OPTION_END);
}

static enum vault_code start_sweeper(struct listener *listener, struct vault_error *err)
{
    listener->sweeping = pthread_create(&listener->sweeper, NULL, connections_sweep, listener) == 0;
    return listener->sweeping ? VAULT_OK
                              : vault_fail(err, VAULT_NO_MEMORY, "%s: cannot start a thread",
                                           listener->options.name);
}

enum vault_code listener_start(const struct listener_options *options, struct listener **out,
                               struct vault_error *err)
{
    assert(options->tls && options->handler);
    union address address;
    VAULT_TRY(parse_address(options, &address, err));
    VAULT_AUTO(listener_stop) struct listener *listener = calloc(1, sizeof *listener);
    if (!listener)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    listener->options = *options;
    listener->listen_fd = -1;
    if (!options->deadline_s)
        listener->options.deadline_s = LISTENER_DEADLINE_S;
    if (!options->connections_max)
        listener->options.connections_max = LISTENER_CONNECTIONS_MAX;
    pthread_mutex_init(&listener->mutex, NULL);
    clock_condition_init(&listener->stop_changed);
    if (options->per_address_max || options->requests_max)
        VAULT_TRY(addresses_new(options->per_address_max, options->requests_max,
                                &listener->addresses, err));
    VAULT_TRY(open_socket(listener, &address, err));
    VAULT_TRY(workers_new(listener->options.connections_max, LISTENER_THREAD_STACK_BYTES,
                          &listener->workers, err));
    VAULT_TRY(start_sweeper(listener, err));
    VAULT_TRY(loops_start(listener, err));
    *out = VAULT_TAKE(listener);
    return VAULT_OK;
}

/* What is being answered is answered still, for a moment at the most. */
static void wait_for_answers(struct listener *listener)
{
    const struct timespec until = clock_deadline(STOP_WAIT_MS);
    int waited = 0;
    pthread_mutex_lock(&listener->mutex);
    atomic_store(&listener->awaits_answers,
                 true); /* before looking, so that no last one is missed */
    while (atomic_load(&listener->answering) && waited == 0)
        waited = pthread_cond_timedwait(&listener->stop_changed, &listener->mutex, &until);
    pthread_mutex_unlock(&listener->mutex);
}

void listener_stop(struct listener **listener)
{
    struct listener *gone = VAULT_TAKE(*listener);
    if (!gone)
        return;
    wait_for_answers(gone);
    connections_end(gone);
    if (gone->sweeping)
        pthread_join(gone->sweeper, NULL);
    if (gone->workers)
        workers_end(gone->workers);
    loops_stop(gone);
    workers_free(&gone->workers);
    if (gone->listen_fd >= 0)
        close(gone->listen_fd);
    addresses_free(&gone->addresses);
    pthread_cond_destroy(&gone->stop_changed);
    pthread_mutex_destroy(&gone->mutex);
    free(gone);
}

uint16_t listener_port(const struct listener *listener)
{
    union address address = {0};
    socklen_t size = sizeof address;
    if (getsockname(listener->listen_fd, &address.any, &size) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}
