/*
 * The whole way of a request: the HTTP library's parser, the gate, the routes and the service API
 * of a filled vault. An input is what a service sends on one connection, until it hangs up; each
 * SUBJECT in it (26 letters a) stands for what the service calls the vault's citizen.
 *
 * There is no TLS here, which would let nothing through: the listener is the real one, and what it
 * calls of TLS is answered by this file (--wrap in CMakeLists.txt).
 *
 * Whatever comes, nothing is answered with 500; each request that gets past the gate is one that
 * can be read in one way only; and there are not more of them than request lines were sent.
 */
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "edge/listener_parts.h"
#include "fuzz.h"
#include "vault/base/clock.h"
#include "vault/edge/service_api.h"
#include "vault_test.h"

#define INPUT_BYTES_MAX (256U * 1024)
#define WAIT_MS         20000 /* for an answer; nothing waits here */
#define SUBJECT         "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define QUOTA           "100000000"

static struct vault_test test;
static char subject[SUBJECT_CHARS + 1];
static struct service_api api;
static struct listener *listener;
static atomic_size_t calls; /* of this input */
static atomic_int offered = -1;

static void wrong(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerrordesc_np(errno));
    abort();
}

/* --- In the place of TLS -------------------------------------------------------------------- */

struct MHD_Daemon *__wrap_MHD_start_daemon(unsigned flags, uint16_t port,
                                           MHD_AcceptPolicyCallback accept, void *accept_context,
                                           MHD_AccessHandlerCallback handler, void *context, ...);
const union MHD_ConnectionInfo *__wrap_MHD_get_connection_info(struct MHD_Connection *connection,
                                                               enum MHD_ConnectionInfoType type,
                                                               ...);
const union MHD_ConnectionInfo *__real_MHD_get_connection_info(struct MHD_Connection *connection,
                                                               enum MHD_ConnectionInfoType type,
                                                               ...);
enum vault_code __wrap_tls_prepare(struct tls *tls, gnutls_session_t session, struct tls_peer *peer,
                                   struct vault_error *err);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);
int __real_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);
bool __wrap_tls_peer_may_ask(struct tls *tls, gnutls_session_t session, struct tls_peer *peer);
const char *__wrap_tls_certificate_pem(const struct tls *tls);
const char *__wrap_tls_key_pem(const struct tls *tls);

struct MHD_Daemon *__wrap_MHD_start_daemon(unsigned flags, uint16_t port,
                                           MHD_AcceptPolicyCallback accept, void *accept_context,
                                           MHD_AccessHandlerCallback handler, void *context, ...)
{
    va_list options;
    va_start(options, context);
    struct MHD_Daemon *daemon = MHD_start_daemon_va(flags & ~(unsigned)MHD_USE_TLS, port, accept,
                                                    accept_context, handler, context, options);
    va_end(options);
    return daemon;
}

const union MHD_ConnectionInfo *__wrap_MHD_get_connection_info(struct MHD_Connection *connection,
                                                               enum MHD_ConnectionInfoType type,
                                                               ...)
{
    static const union MHD_ConnectionInfo no_session;
    if (type == MHD_CONNECTION_INFO_GNUTLS_SESSION)
        return &no_session;
    return __real_MHD_get_connection_info(connection, type);
}

enum vault_code __wrap_tls_prepare(struct tls *tls, gnutls_session_t session, struct tls_peer *peer,
                                   struct vault_error *err)
{
    (void)tls;
    (void)session;
    (void)err;
    *peer = (struct tls_peer){.is_known = true};
    memcpy(peer->spki, caseworker_key, sizeof peer->spki);
    return VAULT_OK;
}

bool __wrap_tls_peer_may_ask(struct tls *tls, gnutls_session_t session, struct tls_peer *peer)
{
    (void)tls;
    (void)session;
    (void)peer;
    return true;
}

const char *__wrap_tls_certificate_pem(const struct tls *tls)
{
    (void)tls;
    return "";
}

const char *__wrap_tls_key_pem(const struct tls *tls)
{
    (void)tls;
    return "";
}

/* --- What gets past the gate ---------------------------------------------------------------- */

static size_t count_headers(const struct http_request *request, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct bytes here = request->headers[i].name;
        count +=
            here.size == strlen(name) && strncasecmp((const char *)here.data, name, here.size) == 0;
    }
    return count;
}

static void check_path(const char *path)
{
    if (path[0] != '/' || strchr(path, '\\') || strstr(path, "/../") || strstr(path, "/./"))
        wrong("a path that another reader would read otherwise");
    for (const char *c = path; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            wrong("a control character in a path");
    }
}

static void check_headers(const struct http_request *request)
{
    static const char *const once[] = {"Content-Length", "Transfer-Encoding", "Content-Type",
                                       "Idempotency-Key"};
    if (count_headers(request, "Host") != 1)
        wrong("not one host");
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
        if (count_headers(request, once[i]) > 1)
            wrong("a header twice");
    }
    const struct bytes length = http_request_header(request, "Content-Length");
    if (length.data && http_request_header(request, "Transfer-Encoding").data)
        wrong("two ways to tell where the body ends");
    if (length.data && strtoul((const char *)length.data, NULL, 10) != request->body.size)
        wrong("a body that is not as long as it says");
    if (!length.data && !http_request_header(request, "Transfer-Encoding").data &&
        request->body.size)
        wrong("a body that nothing announced");
}

static void handle(void *context, const struct http_request *request, struct http_answer *answer)
{
    atomic_fetch_add(&calls, 1);
    check_path(request->path);
    check_headers(request);
    if (!request->has_peer || memcmp(request->peer_spki, caseworker_key, SHA256_BYTES) != 0)
        wrong("a request of somebody else's");
    service_api_handle(context, request, answer);
    if (answer->status >= 500 && answer->status != 503)
        wrong("a 500");
}

/* --- A connection --------------------------------------------------------------------------- */

static size_t count_lines(struct bytes input)
{
    static const char version[] = " HTTP/1.";
    size_t count = 0;
    const uint8_t *at = input.data;
    const uint8_t *end = input.data + input.size;
    while ((at = memmem(at, (size_t)(end - at), version, sizeof version - 1))) {
        at += sizeof version - 1;
        count++;
    }
    return count;
}

static void name_the_subject(struct buf *input)
{
    uint8_t *end = input->data + input->size;
    for (uint8_t *at = input->data; at;) {
        at = memmem(at, (size_t)(end - at), SUBJECT, SUBJECT_CHARS);
        if (at) {
            memcpy(at, subject, SUBJECT_CHARS);
            at += SUBJECT_CHARS;
        }
    }
}

static bool was_read(int fd)
{
    int unread = 0;
    return ioctl(fd, SIOCOUTQ, &unread) == 0 && unread == 0;
}

/* Send all of it, hang up for sending once it was read, and take whatever comes until the other end
 * hangs up. Earlier, the library's loop without TLS may not see the end: it takes a read of less
 * than it has room for as all there was, and is not told again. With TLS it reads on. */
static void converse(int fd, struct bytes input)
{
    static char taken[64 * 1024];
    const int64_t until_ms = clock_monotonic_ms() + WAIT_MS;
    ssize_t got = 1;
    bool open = true;
    while (got > 0) {
        struct pollfd at = {.fd = fd, .events = (short)(POLLIN | (input.size ? POLLOUT : 0))};
        if (input.size == 0 && open && was_read(fd))
            open = shutdown(fd, SHUT_WR) == 0 && false;
        const int ready = poll(&at, 1, input.size == 0 && open ? 1 : WAIT_MS);
        if (ready == 0 && clock_monotonic_ms() >= until_ms)
            wrong("neither an answer nor an end");
        if (ready < 0) /* libFuzzer's own signal */
            continue;
        if (at.revents & POLLOUT) {
            const ssize_t put = send(fd, input.data, input.size, MSG_NOSIGNAL | MSG_DONTWAIT);
            input.data += put > 0 ? put : 0;
            input.size -= put > 0 ? (size_t)put : input.size; /* it has had enough */
        }
        if (at.revents & (POLLIN | POLLHUP | POLLERR))
            got = recv(fd, taken, sizeof taken, MSG_DONTWAIT);
    }
}

static bool is_idle(void)
{
    pthread_mutex_lock(&listener->mutex);
    const bool idle = !listener->connections;
    pthread_mutex_unlock(&listener->mutex);
    return idle;
}

/* What a loop takes is not the connection that came, but the other end of a pair: of that one can
 * ask whether it was read. The one that came is reset: ports that wait for a minute after each
 * would soon be all that there are. */
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    static const struct linger at_once = {.l_onoff = 1};
    const int came = __real_accept4(fd, address, size, flags);
    const int given = came >= 0 ? atomic_exchange(&offered, -1) : -1;
    if (given < 0)
        return came;
    setsockopt(came, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(came);
    return given;
}

/* Have a loop take the other end. */
static int connect_to_it(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(listener_port(listener)),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        wrong("no pair of sockets");
    atomic_store(&offered, ends[1]);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* It may be taken, and reset, before this thread goes on. */
    if (fd < 0 || (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 &&
                   errno != ECONNRESET))
        wrong("the connection was not taken");
    close(fd);
    return ends[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VAULT_AUTO(buf_finish) struct buf input = buf_limited(INPUT_BYTES_MAX);
    if (size == 0 || size > INPUT_BYTES_MAX)
        return 0;
    buf_bytes(&input, (struct bytes){data, size});
    name_the_subject(&input);
    atomic_store(&calls, 0);
    const int fd = connect_to_it();
    converse(fd, buf_view(&input));
    close(fd);
    while (!is_idle())
        sched_yield();
    if (atomic_load(&calls) > count_lines(buf_view(&input)))
        wrong("more requests than were sent");
    return 0;
}

/* --- The vault ------------------------------------------------------------------------------ */

static void let_ask_without_end(void)
{
    assert_done(service_update(
        test.vault,
        BYTES("{\"id\":\"" CASEWORKER
              "\",\"name\":\"An employment plan\",\"contact\":\"a@b.example\","
              "\"classes\":[\"employment.caseworker\"],\"purposes\":[\"" SUPPORT "\"],"
              "\"atoms\":[\"assurance_at_least\"],\"quota\":" QUOTA "}"),
        &test_error));
}

static void stop(void)
{
    listener_stop(&listener);
    vault_close(&test.vault);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    static char no_tls;
    make_filled_vault(&test);
    let_ask_without_end();
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
    vault_interrupt(test.vault); /* who waits is answered at once */
    api = (struct service_api){test.vault, "https://citizens.example:8444"};
    const struct listener_options options = {.name = "services",
                                             .address = "127.0.0.1",
                                             .tls = (struct tls *)&no_tls,
                                             .handler = handle,
                                             .context = &api};
    return listener_start(&options, &listener, &test_error) || atexit(stop) ? 1 : 0;
}
