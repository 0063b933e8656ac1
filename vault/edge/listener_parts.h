/*
 * listener_parts - a listener, its loops, their connections and requests; for its modules alone.
 *
 *     listener.c             reads, lets in and answers requests: what the HTTP library calls
 *     listener_connection.c  which connections there are, and by when each client has to have done
 *                            its part
 *     listener_loop.c        takes connections, and has their requests go on when they can
 *
 * A connection belongs to one loop, whose thread alone talks to the library about it. A worker
 * (workers.h) has a request between exchange_hand_over() and loop_take_back(), and touches nothing
 * but its request, its answer and what its handler knows.
 */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "addresses.h"
#include "lingering.h"
#include "vault/edge/listener.h"
#include "vault/vault/ulid.h"
#include "workers.h"

#define TARGET_BYTES_MAX   2049
#define LISTENER_LOOPS_MAX 16
#define SPARE_MAX          32 /* exchanges that a loop keeps for the next requests */

struct listener;
struct loop;

enum exchange_state {
    EXCHANGE_READING, /* the request is on its way */
    EXCHANGE_REFUSED, /* an answer is queued already */
    EXCHANGE_WAITING, /* nothing is to be done for now: it waits for a worker, or for its rest */
    EXCHANGE_ANSWERED /* the answer is whole, and to be sent */
};

/* One request, from its line to the end of its answer. */
struct exchange {
    struct job job; /* its handler's, first of all */
    struct connection *connection;
    struct MHD_Connection *mhd;
    struct exchange *next; /* of those that wait, or that come back to the loop */
    enum exchange_state state;
    char id[ULID_CHARS + 1];
    bool target_too_long;
    const char *target_read; /* the library's own: until its headers are handled */
    bool begun;
    bool answering;
    bool sending;
    struct buf body;
    struct http_rest rest; /* while it waits for one */

    /* Large: what is not written is not read, and not cleared either. */
    char target[TARGET_BYTES_MAX];
    struct http_request request;
    struct http_answer answer;
};

struct connection {
    struct loop *loop;
    struct connection *next;
    struct connection *previous;
    int fd;
    atomic_int_fast64_t deadline_ms; /* 0: a handler is at work: our time, not the client's */
    gnutls_session_t session;
    struct address_key address;
    struct tls_peer peer;
    struct exchange *exchange; /* NULL: between requests */
    bool refused;              /* it ends, and its client may still be sending */
};

struct loop {
    struct listener *listener;
    struct MHD_Daemon *daemon; /* run by the loop's thread */
    int epoll_fd;              /* the library's, the listening socket, and the two that follow */
    int wake_fd;               /* an eventfd: something came back, or the end */
    bool accepts;              /* the listening socket is looked at */
    unsigned sending;          /* answers on their way */
    unsigned empty_turns;      /* one after the other, in which nothing came */
    int64_t accept_again_ms;   /* none can be taken until then; 0: they can */
    pthread_t thread;
    bool runs;
    struct exchange *awaiting; /* for their rests, in the order in which they began */
    struct exchange **awaiting_end;
    unsigned handed_over;   /* to workers */
    struct exchange *spare; /* finished: for the next request, since they are large */
    unsigned spare_count;
    struct lingering *lingering; /* connections that ended, but not for their clients */

    pthread_mutex_t mutex;
    struct exchange *back; /* guarded by the mutex: from workers */
};

struct listener {
    struct listener_options options;
    int listen_fd;
    unsigned loop_count;
    struct loop loops[LISTENER_LOOPS_MAX];
    struct workers *workers;
    pthread_mutex_t mutex; /* guards the list: no request takes it while it serves */
    pthread_cond_t stop_changed;
    struct connection *connections;
    struct addresses *addresses; /* NULL: there is no limit for one */
    pthread_t sweeper;
    bool sweeping;
    atomic_bool stopping;       /* no connection is taken any more */
    atomic_bool ending;         /* the loops end as soon as no request waits */
    atomic_uint open;           /* connections */
    atomic_uint answering;      /* requests whose handler runs, or whose answer is on its way */
    atomic_bool awaits_answers; /* somebody waits for there to be none */
};

/* --- listener.c --- */

/* The library's daemon of a loop; NULL if there is no memory for it. */
struct MHD_Daemon *listener_daemon(struct loop *loop);

/* The connection's request is over, also where the library does not say so. */
void connection_drop_exchange(struct connection *connection);

/* --- listener_connection.c --- */

/* The client is to do something: a request to come whole, an answer to be taken. Or it is not. */
void connection_start_deadline(struct connection *connection);
void connection_stop_deadline(struct connection *connection);

/* NULL for one that could not be prepared. */
struct connection *connection_of(struct MHD_Connection *mhd);

/* The library says that one comes or goes; the context is the loop. */
void connection_notify(void *context, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code);

/* A thread of its own, which ends those past their deadline until the listener stops. */
void *connections_sweep(void *context);

/* The listener stops: end those that no handler is at work on. */
void connections_end(struct listener *listener);

/* --- listener_loop.c --- */

/* The loop's own thread: one that nothing is set in yet but what malloc() left, or NULL; and its
 * end, when nothing in it is to be freed any more. */
struct exchange *loop_exchange(struct loop *loop);
void loop_keep_exchange(struct loop *loop, struct exchange *exchange);

enum vault_code loops_start(struct listener *listener, struct vault_error *err) VAULT_MUST_CHECK;

/* The workers have ended. What waits for its rest is answered still. */
void loops_stop(struct listener *listener);

/* The loop's own thread: the request waits from now on, until it is answered; the library calls
 * with it again then. Its handler is called by a worker; or its rest says when. */
void loop_hand_over(struct exchange *exchange);
void loop_await(struct exchange *exchange);
