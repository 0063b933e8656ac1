/*
 * listener_parts - a listener and its connections: listener_connection.c knows which there are and
 * by when each client has to have done its part, listener.c reads and answers what comes on them.
 * For the two alone.
 */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "addresses.h"
#include "vault/edge/listener.h"

struct exchange; /* listener.c: one request while it is read and answered */

struct connection {
    struct listener *listener;
    struct connection *next;
    struct connection *previous;
    int fd;
    atomic_int_fast64_t deadline_ms; /* 0: a handler is at work: our time, not the client's */
    gnutls_session_t session;
    struct address_key address;
    struct tls_peer peer;
    struct exchange *exchange; /* NULL: between requests */
};

struct listener {
    struct listener_options options;
    struct MHD_Daemon *daemon;
    pthread_mutex_t mutex; /* guards the list and stopping: no request takes it while it serves */
    pthread_cond_t stop_changed;
    struct connection *connections;
    struct addresses *addresses; /* NULL: there is no limit for one */
    pthread_t sweeper;
    bool sweeping;
    bool stopping;
    atomic_uint answering;      /* requests whose handler runs, or whose answer is on its way */
    atomic_bool awaits_answers; /* somebody waits for there to be none */
};

/* The client is to do something: a request to come whole, an answer to be taken. Or it is not. */
void connection_start_deadline(struct connection *connection);
void connection_stop_deadline(struct connection *connection);

/* listener.c: the connection's request is over, also where the library does not say so. */
void connection_drop_exchange(struct connection *connection);

/* NULL for one that could not be prepared. */
struct connection *connection_of(struct MHD_Connection *mhd);

/* The library says that one comes or goes; the context is the listener. */
void connection_notify(void *context, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code);

/* A thread of its own, which ends those past their deadline until the listener stops. */
void *connections_sweep(void *context);

/* The listener stops: end those that no handler is at work on. */
void connections_end(struct listener *listener);
