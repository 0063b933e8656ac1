#include "vault/edge/listener.h"

#include <arpa/inet.h>
#include <assert.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "listener_parts.h"
#include "vault/base/clock.h"
#include "vault/base/log.h"
#include "vault/edge/gate.h"
#include "vault/edge/problem.h"
#include "vault/vault/ulid.h"

#define STOP_WAIT_MS     2000 /* for answers on their way when the listener stops */
#define TARGET_BYTES_MAX 2049

/* One request while it is read. The library gives it back on every call. */
struct exchange {
    char id[ULID_CHARS + 1];
    char target[TARGET_BYTES_MAX];
    bool target_too_long;
    const char *target_read; /* the library's own: until its headers are handled */
    bool begun;
    bool refused; /* an answer is queued already */
    bool too_large;
    bool answering;
    struct buf body;
    struct http_request request;
};

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
    end_answer(connection->listener, gone);
    buf_finish(&gone->body);
    free(gone);
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
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return NULL;
    ulid_new(exchange->id, clock_now_ms(&clock_system));
    exchange->body = buf_limited(HTTP_BODY_BYTES_MAX);
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

static enum MHD_Result send_answer(struct listener *listener, struct MHD_Connection *mhd,
                                   const struct exchange *exchange, struct http_answer *answer)
{
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
    const enum MHD_Result result = MHD_queue_response(mhd, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

/* What was refused is a line of the program's log, found by the id that the answer has. It quotes
 * nothing: the reason is the gate's, which quotes nothing either, and a handler's stays its own. */
static void log_refusal(const struct listener *listener, const struct exchange *exchange,
                        unsigned status, const char *reason)
{
    log_set_request(exchange->id);
    log_event(LOG_WARNING, "refused", "%s: %u%s%s", listener->options.name, status,
              *reason ? ": " : "", reason);
    log_set_request(NULL);
}

static enum MHD_Result refuse(struct listener *listener, struct MHD_Connection *mhd,
                              struct exchange *exchange, unsigned status, const char *detail)
{
    exchange->refused = true;
    log_refusal(listener, exchange, status, detail);
    struct http_answer answer = http_answer_new();
    problem_write(&answer, status, detail, exchange->target_too_long ? "" : exchange->target);
    answer.close = true;
    const enum MHD_Result result = send_answer(listener, mhd, exchange, &answer);
    http_answer_finish(&answer);
    return result;
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
    if (!tls_peer_may_ask(connection->listener->options.tls, connection->session,
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
    struct addresses *addresses = connection->listener->addresses;
    return !addresses || addresses_ask(addresses, &connection->address, clock_monotonic_ms());
}

/* All headers are here, no byte of the body is. */
static enum MHD_Result begin(struct connection *connection, struct MHD_Connection *mhd,
                             struct exchange *exchange, const char *path, const char *method,
                             const char *version)
{
    struct listener *listener = connection->listener;
    exchange->begun = true;
    struct http_request *request = &exchange->request;
    MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, collect_header, request);
    MHD_get_connection_values_n(mhd, MHD_GET_ARGUMENT_KIND, collect_parameter, request);
    if (exchange->target_too_long)
        return refuse(listener, mhd, exchange, 400, "the request target is too long");
    const struct gate_line line = {method, exchange->target, version};
    struct vault_error err;
    enum vault_code code = check_layout(&line, exchange, &err);
    if (code == VAULT_OK)
        code = gate_check(&line, request->headers, request->header_count, &err);
    if (code == VAULT_OK)
        code = gate_check_query(request->query, request->query_count, &err);
    if (code)
        return refuse(listener, mhd, exchange, code == VAULT_TOO_LARGE ? 413 : 400, err.text);
    if (!address_may_ask(connection))
        return refuse(listener, mhd, exchange, 429, "too many requests from your address");
    if (!identify_peer(connection, request))
        return refuse(listener, mhd, exchange, 403,
                      "this client certificate is not let in any more");
    request->method = http_method_of(method);
    request->path = path;
    return MHD_YES;
}

static enum MHD_Result finish(struct MHD_Connection *mhd, struct connection *connection,
                              struct exchange *exchange)
{
    struct listener *listener = connection->listener;
    if (exchange->too_large)
        return refuse(listener, mhd, exchange, 413, "the body is over 65536 bytes");
    const struct listener_options *options = &listener->options;
    struct http_answer answer = http_answer_new();
    exchange->request.body = buf_view(&exchange->body);
    connection_stop_deadline(connection);
    /* The library must not take the time that a handler waits for the client's silence; set again,
     * its clock begins anew. */
    MHD_set_connection_option(mhd, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
    begin_answer(connection->listener, exchange);
    log_set_request(exchange->id);
    options->handler(options->context, &exchange->request, &answer);
    log_set_request(NULL);
    MHD_set_connection_option(mhd, MHD_CONNECTION_OPTION_TIMEOUT, options->deadline_s);
    connection_start_deadline(connection);
    if (answer.body.problem)
        problem_write(&answer, 500, "the answer could not be built", exchange->target);
    if (answer.status >= 400 && answer.status < 500)
        log_refusal(listener, exchange, answer.status, "");
    const enum MHD_Result result = send_answer(listener, mhd, exchange, &answer);
    http_answer_finish(&answer);
    return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_size, void **request_context)
{
    (void)context;
    struct exchange *exchange = *request_context;
    struct connection *connection = connection_of(mhd);
    if (!exchange || !connection)
        return MHD_NO;
    if (!exchange->begun)
        return begin(connection, mhd, exchange, path, method, version);
    if (*data_size) {
        buf_append(&exchange->body, data, *data_size);
        exchange->too_large |= exchange->body.problem != VAULT_OK;
        *data_size = 0;
        return MHD_YES;
    }
    return exchange->refused ? MHD_YES : finish(mhd, connection, exchange);
}

/* --- Start and stop ------------------------------------------------------------------------- */

VAULT_PRINTF(2, 0) static void on_library_log(void *context, const char *format, va_list args)
{
    /* The library's words may quote a request: say that it spoke, not what. */
    (void)format;
    (void)args;
    const struct listener *listener = context;
    log_event(LOG_DEBUG, "http", "%s: the library refused or lost a connection",
              listener->options.name);
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

static struct MHD_Daemon *start_daemon(struct listener *listener, const union address *address)
{
    const struct listener_options *options = &listener->options;
    const unsigned connections =
        options->connections_max ? options->connections_max : LISTENER_CONNECTIONS_MAX;
    unsigned flags = MHD_USE_TLS | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                     MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    if (address->any.sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, listener,
        /* First in the list, or early errors go to standard error. */
        MHD_OPTION_EXTERNAL_LOGGER, on_library_log, listener, MHD_OPTION_SOCK_ADDR, &address->any,
        MHD_OPTION_HTTPS_MEM_CERT, tls_certificate_pem(options->tls), MHD_OPTION_HTTPS_MEM_KEY,
        tls_key_pem(options->tls), MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES,
        MHD_OPTION_NOTIFY_CONNECTION, connection_notify, listener, MHD_OPTION_URI_LOG_CALLBACK,
        on_request_line, listener, MHD_OPTION_NOTIFY_COMPLETED, on_completed, listener,
        MHD_OPTION_STRICT_FOR_CLIENT, 0, /* what it refuses, the gate does, with our words */
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT,
        options->deadline_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LISTENER_HEADER_BYTES_MAX,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)LISTENER_THREAD_STACK_BYTES, MHD_OPTION_END);
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
    if (!options->deadline_s)
        listener->options.deadline_s = LISTENER_DEADLINE_S;
    pthread_mutex_init(&listener->mutex, NULL);
    clock_condition_init(&listener->stop_changed);
    if (options->per_address_max || options->requests_max)
        VAULT_TRY(addresses_new(options->per_address_max, options->requests_max,
                                &listener->addresses, err));
    listener->daemon = start_daemon(listener, &address);
    if (!listener->daemon)
        return vault_fail(err, VAULT_IO,
                          "%s: cannot listen on %s port %u; is another program using it?",
                          options->name, options->address, options->port);
    if (pthread_create(&listener->sweeper, NULL, connections_sweep, listener) != 0)
        return vault_fail(err, VAULT_NO_MEMORY, "%s: cannot start a thread", options->name);
    listener->sweeping = true;
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
    if (gone->daemon)
        wait_for_answers(gone);
    connections_end(gone);
    if (gone->sweeping)
        pthread_join(gone->sweeper, NULL);
    if (gone->daemon)
        MHD_stop_daemon(gone->daemon);
    addresses_free(&gone->addresses);
    pthread_cond_destroy(&gone->stop_changed);
    pthread_mutex_destroy(&gone->mutex);
    free(gone);
}

uint16_t listener_port(const struct listener *listener)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}
