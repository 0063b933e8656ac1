#include "listener_parts.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "vault/base/clock.h"
#include "vault/base/log.h"

#define SWEEP_INTERVAL_S 1

static int64_t deadline_from_now(const struct listener *listener)
{
    return clock_monotonic_ms() + listener->options.deadline_s * 1000LL;
}

void connection_start_deadline(struct connection *connection)
{
    atomic_store(&connection->deadline_ms, deadline_from_now(connection->loop->listener));
}

void connection_stop_deadline(struct connection *connection)
{
    atomic_store(&connection->deadline_ms, 0);
}

struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void connection_link(struct connection *connection)
{
    struct listener *listener = connection->loop->listener;
    struct listener_counts *counts = listener->options.counts;
    if (counts) {
        atomic_fetch_add_explicit(&counts->connections, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&counts->open, 1, memory_order_relaxed);
    }
    atomic_fetch_add(&listener->open, 1);
    connection_start_deadline(connection);
    pthread_mutex_lock(&listener->mutex);
    connection->next = listener->connections;
    if (connection->next)
        connection->next->previous = connection;
    listener->connections = connection;
    pthread_mutex_unlock(&listener->mutex);
}

static void connection_unlink(struct connection *connection)
{
    struct listener *listener = connection->loop->listener;
    if (listener->options.counts)
        atomic_fetch_sub_explicit(&listener->options.counts->open, 1, memory_order_relaxed);
    atomic_fetch_sub(&listener->open, 1);
    pthread_mutex_lock(&listener->mutex);
    if (connection->next)
        connection->next->previous = connection->previous;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        listener->connections = connection->next;
    pthread_mutex_unlock(&listener->mutex);
}

/* False if there are as many from its address as may be. */
static bool address_enters(const struct listener *listener, struct MHD_Connection *mhd,
                           struct address_key *out)
{
    if (!listener->addresses)
        return true;
    *out = address_key_of(
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
    return addresses_enter(listener->addresses, out, clock_monotonic_ms());
}

static void address_leaves(const struct listener *listener, const struct address_key *address)
{
    if (listener->addresses)
        addresses_leave(listener->addresses, address, clock_monotonic_ms());
}

/* A connection that cannot be prepared must not be served: without a context every request on it
 * is refused, and its session, left without credentials, does not get through a handshake. */
static void connection_started(struct loop *loop, struct MHD_Connection *mhd, void **socket_context)
{
    const struct listener *listener = loop->listener;
    const int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct address_key address = {{0}};
    if (!address_enters(listener, mhd, &address)) {
        log_event(LOG_WARNING, "limit", "%s: an address has all the connections it may have",
                  listener->options.name);
        shutdown(fd, SHUT_RDWR);
        return;
    }
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        shutdown(fd, SHUT_RDWR);
        address_leaves(listener, &address);
        return;
    }
    connection->loop = loop;
    connection->fd = fd;
    connection->address = address;
    connection->session =
        (gnutls_session_t)MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)
            ->tls_session;
    struct vault_error err;
    if (tls_prepare(listener->options.tls, connection->session, &connection->peer, &err)) {
        log_event(LOG_ERROR, "tls", "%s: %s", listener->options.name, err.text);
        shutdown(connection->fd, SHUT_RDWR);
        address_leaves(listener, &address);
        free(connection);
        return;
    }
    connection_link(connection);
    *socket_context = connection;
}

void connection_notify(void *context, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_started(context, mhd, socket_context);
        return;
    }
    struct connection *connection = *socket_context;
    if (connection) {
        connection_unlink(connection);
        connection_drop_exchange(connection);
        if (connection->refused)
            lingering_take(connection->loop->lingering, connection->fd);
        address_leaves(connection->loop->listener, &connection->address);
        tls_peer_finish(&connection->peer);
        free(connection);
    }
    *socket_context = NULL;
}

void *connections_sweep(void *context)
{
    struct listener *listener = context;
    pthread_mutex_lock(&listener->mutex);
    while (!atomic_load(&listener->stopping)) {
        const struct timespec until = clock_deadline(SWEEP_INTERVAL_S * 1000);
        pthread_cond_timedwait(&listener->stop_changed, &listener->mutex, &until);
        const int64_t now = clock_monotonic_ms();
        for (struct connection *c = listener->connections; c; c = c->next) {
            const int64_t deadline_ms = atomic_load(&c->deadline_ms);
            if (deadline_ms && deadline_ms < now)
                shutdown(c->fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&listener->mutex);
    return NULL;
}

void connections_end(struct listener *listener)
{
    pthread_mutex_lock(&listener->mutex);
    atomic_store(&listener->stopping, true);
    for (struct connection *c = listener->connections; c; c = c->next) {
        if (atomic_load(&c->deadline_ms)) /* no handler is at work on it */
            shutdown(c->fd, SHUT_RDWR);
    }
    pthread_cond_signal(&listener->stop_changed);
    pthread_mutex_unlock(&listener->mutex);
}
