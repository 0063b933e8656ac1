/*
 * listener - one port: connections, limits, deadlines; one handler for every request.
 *
 * A loop for each processor takes connections and reads and writes what comes and goes on them.
 * A request whose starter answers it without waiting (http.h) is answered by the loop itself, or
 * once its rest is there; for any other a worker calls the handler, which may wait without holding
 * anybody else up.
 *
 * What clients can hold is bounded: connections in all and from one address, requests from one
 * address, header and body bytes, and time. Over the limit of one address, connections are closed
 * at once, and requests answered with 429; over that of all, they wait until another ends. In a
 * turn a loop takes few new ones, so that ten thousand handshakes in a row leave the others served
 * (tests/bench/edge). The HTTP library's own time-out only counts silence, so a sweeper ends what
 * drips: a handshake and headers, a body, or an idle connection that has taken longer than the
 * deadline.
 *
 * Each request has an id, which its answer has as Request-Id, and so does what is logged while it
 * is answered (log.h). It is the listener's own: nothing that a client says gets there.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/edge/http.h"
#include "vault/edge/tls.h"

#define LISTENER_DEADLINE_S         25
#define LISTENER_CONNECTIONS_MAX    6000
#define LISTENER_HEADER_BYTES_MAX   (24U * 1024) /* all of a connection's memory but the body */
#define LISTENER_THREAD_STACK_BYTES (512U * 1024)

/* What came and went, for those who watch; added to without a lock, and read likewise. */
struct listener_counts {
    atomic_uint_fast64_t connections;                /* since the start */
    atomic_uint_fast64_t open;                       /* now */
    atomic_uint_fast64_t answers[HTTP_STATUS_COUNT]; /* http_status_at() */
};

struct listener_options {
    const char *name;         /* for the program's log, such as "services" */
    const char *address;      /* "127.0.0.1" or "::1" */
    uint16_t port;            /* 0: any free one */
    unsigned connections_max; /* 0: LISTENER_CONNECTIONS_MAX */
    unsigned per_address_max; /* of them, from one address; 0: no such limit */
    unsigned requests_max;    /* from one address in a minute; 0: no such limit */
    unsigned deadline_s;      /* 0: LISTENER_DEADLINE_S */
    struct tls *tls;          /* borrowed; must outlive the listener */
    http_handler *handler;
    http_starter *starter; /* NULL: every request is the handler's */
    void *context;         /* of both */
    int tick_fd;           /* an eventfd that is added to when a rest may have come; 0: none */
    void (*decorate)(struct http_answer *answer); /* headers for every answer, the gate's refusals
                                                     too; NULL: none */
    struct listener_counts *counts;               /* borrowed; NULL: nobody counts */
};

struct listener;

enum vault_code listener_start(const struct listener_options *options, struct listener **out,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* Take no more connections, end the open ones, wait for their handlers. */
void listener_stop(struct listener **listener);

/* The port it listens on. */
uint16_t listener_port(const struct listener *listener);
