#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener_parts.h"
#include "vault/base/clock.h"
#include "vault/base/log.h"
#include "vault/edge/problem.h"

/* A handshake costs some tenths of a millisecond, twice: while thousands want one, those who are
 * served already wait for so many of them in a turn, and not for all. */
#define ACCEPTED_A_TURN 2

#define EVENTS_MAX      5
#define LOOK_MS         200  /* at what awaits: its rest may have failed in silence */
#define IDLE_MS         1000 /* between looks at whether there is room for connections again */
#define LAST_TURN_MS    1

/* In a handshake the library wants its turn at once, again and again, until the client has sent
 * what comes next: anybody could so have a loop that never rests. After so many turns in which
 * nothing came it waits for something to come, or this long; but for answers on their way, which go
 * out a piece a turn. */
#define EMPTY_TURNS_MAX 16
#define EMPTY_TURN_MS   20
#define LAST_TURNS_MAX  200 /* for answers that are on their way when the listener stops */

enum source { FROM_LIBRARY, FROM_SOCKET, FROM_WORKERS, FROM_TICKS, FROM_LINGERING };

/* --- Requests ------------------------------------------------------------------------------- */

struct exchange *loop_exchange(struct loop *loop)
{
    struct exchange *exchange = loop->spare;
    if (!exchange)
        return malloc(sizeof *exchange);
    loop->spare = exchange->next;
    loop->spare_count--;
    return exchange;
}

void loop_keep_exchange(struct loop *loop, struct exchange *exchange)
{
    if (loop->spare_count == SPARE_MAX) {
        free(exchange);
        return;
    }
    exchange->next = loop->spare;
    loop->spare = exchange;
    loop->spare_count++;
}

static void free_spare(struct loop *loop)
{
    while (loop->spare) {
        struct exchange *gone = loop->spare;
        loop->spare = gone->next;
        free(gone);
    }
}

/* --- Requests that wait --------------------------------------------------------------------- */

static void suspend(struct exchange *exchange)
{
    exchange->state = EXCHANGE_WAITING;
    MHD_suspend_connection(exchange->mhd);
}

static void go_on(struct exchange *exchange)
{
    exchange->state = EXCHANGE_ANSWERED;
    MHD_resume_connection(exchange->mhd);
}

/* A worker's: the request goes back to the loop, and is not the worker's any more. */
static void take_back(struct exchange *exchange)
{
    struct loop *loop = exchange->connection->loop;
    pthread_mutex_lock(&loop->mutex);
    const bool is_first = !loop->back;
    exchange->next = loop->back;
    loop->back = exchange;
    pthread_mutex_unlock(&loop->mutex);
    if (is_first)
        eventfd_write(loop->wake_fd, 1);
}

static void call_handler(struct job *job)
{
    struct exchange *exchange = (struct exchange *)job;
    const struct listener_options *options = &exchange->connection->loop->listener->options;
    log_set_request(exchange->id);
    options->handler(options->context, &exchange->request, &exchange->answer);
    log_set_request(NULL);
    take_back(exchange);
}

void loop_hand_over(struct exchange *exchange)
{
    struct loop *loop = exchange->connection->loop;
    suspend(exchange);
    exchange->job.run = call_handler;
    loop->handed_over++;
    if (workers_give(loop->listener->workers, &exchange->job))
        return;
    problem_write(&exchange->answer, 503, "the vault cannot do this now: try again later",
                  exchange->request.path);
    take_back(exchange);
}

void loop_await(struct exchange *exchange)
{
    struct loop *loop = exchange->connection->loop;
    suspend(exchange);
    exchange->next = NULL;
    *loop->awaiting_end = exchange;
    loop->awaiting_end = &exchange->next;
}

/* Whether there was one: the library has something to send then. */
static bool take_all_back(struct loop *loop)
{
    pthread_mutex_lock(&loop->mutex);
    struct exchange *next = loop->back;
    loop->back = NULL;
    pthread_mutex_unlock(&loop->mutex);
    const bool any = next != NULL;
    while (next) {
        struct exchange *exchange = next;
        next = exchange->next;
        loop->handed_over--;
        go_on(exchange);
    }
    return any;
}

static bool is_whole(struct exchange *exchange)
{
    struct http_rest *rest = &exchange->rest;
    log_set_request(exchange->id);
    const bool whole = rest->is_whole(rest, &exchange->answer);
    log_set_request(NULL);
    if (!whole)
        return false;
    free(rest->context);
    if (rest->leave)
        rest->leave(rest->entered);
    return true;
}

/* Likewise. What began first is whole first: the first that is not ends the look. */
static bool look_at_awaiting(struct loop *loop)
{
    bool any = false;
    while (loop->awaiting && is_whole(loop->awaiting)) {
        struct exchange *exchange = loop->awaiting;
        loop->awaiting = exchange->next;
        if (!loop->awaiting)
            loop->awaiting_end = &loop->awaiting;
        go_on(exchange);
        any = true;
    }
    return any;
}

/* --- Turns ---------------------------------------------------------------------------------- */

static bool has_room(const struct listener *listener)
{
    return atomic_load(&listener->open) < listener->options.connections_max &&
           !atomic_load(&listener->stopping);
}

/* One that could not be taken is tried again after a while. */
static bool may_accept(struct loop *loop)
{
    if (loop->accept_again_ms && clock_monotonic_ms() >= loop->accept_again_ms)
        loop->accept_again_ms = 0;
    return !loop->accept_again_ms && has_room(loop->listener);
}

static bool watch(const struct loop *loop, int fd, uint32_t events, enum source source)
{
    struct epoll_event event = {.events = events, .data.u32 = source};
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Connections that find no room wait in the system's queue. */
static void set_accepting(struct loop *loop, bool accepts)
{
    if (loop->accepts == accepts)
        return;
    if (accepts)
        loop->accepts = watch(loop, loop->listener->listen_fd, EPOLLIN, FROM_SOCKET);
    else if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, loop->listener->listen_fd, NULL) == 0)
        loop->accepts = false;
}

static void accept_some(struct loop *loop)
{
    for (unsigned i = 0; i < ACCEPTED_A_TURN && has_room(loop->listener); i++) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        const int fd = accept4(loop->listener->listen_fd, (struct sockaddr *)&address, &size,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                loop->accept_again_ms = clock_monotonic_ms() + IDLE_MS;
            return;
        }
        MHD_add_connection(loop->daemon, fd, (const struct sockaddr *)&address, size);
    }
}

/* *wants_turn: the library wants its own at once, whatever comes. */
static int wait_ms(const struct loop *loop, bool *wants_turn)
{
    MHD_UNSIGNED_LONG_LONG library_ms = 0;
    int own_ms = loop->awaiting ? LOOK_MS : IDLE_MS;
    if (atomic_load(&loop->listener->ending))
        own_ms = LAST_TURN_MS;
    const bool has_time = MHD_get_timeout(loop->daemon, &library_ms) == MHD_YES;
    *wants_turn = has_time && library_ms == 0;
    if (!has_time || library_ms > (MHD_UNSIGNED_LONG_LONG)own_ms)
        return own_ms;
    if (!loop->sending && loop->empty_turns > EMPTY_TURNS_MAX && library_ms < EMPTY_TURN_MS)
        return own_ms < EMPTY_TURN_MS ? own_ms : EMPTY_TURN_MS;
    return (int)library_ms;
}

/* The library has its turn when something came for it, or its time has. A tick alone, which may be
 * for what another loop awaits, does not cost one. */
static void turn(struct loop *loop)
{
    struct epoll_event events[EVENTS_MAX];
    bool has_new = false;
    eventfd_t ignored;
    bool wants_turn = false;
    const int wait = wait_ms(loop, &wants_turn);
    const int count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, wait);
    const bool is_due = count <= 0 || wants_turn;
    bool came = false; /* anything for the library */
    bool came_late = false;
    for (int i = 0; i < count; i++) {
        has_new |= events[i].data.u32 == FROM_SOCKET;
        came |= events[i].data.u32 == FROM_LIBRARY;
        came_late |= events[i].data.u32 == FROM_LINGERING;
        if (events[i].data.u32 == FROM_WORKERS)
            eventfd_read(loop->wake_fd, &ignored);
    }
    came |= take_all_back(loop);
    came |= look_at_awaiting(loop);
    if (has_new)
        accept_some(loop);
    came |= has_new;
    loop->empty_turns = came ? 0 : loop->empty_turns + 1;
    if (is_due || came)
        MHD_run_wait(loop->daemon, 0);
    lingering_turn(loop->lingering, came_late);
    set_accepting(loop, may_accept(loop));
}

/* The end: what waits is answered, and what is answered goes out, if the clients take it. */
static bool is_over(const struct loop *loop, unsigned *last_turns)
{
    const struct listener *listener = loop->listener;
    if (!atomic_load(&listener->ending))
        return false;
    if (loop->handed_over || loop->awaiting)
        return false;
    return !atomic_load(&listener->answering) || (*last_turns)++ >= LAST_TURNS_MAX;
}

static void *run(void *context)
{
    struct loop *loop = context;
    unsigned last_turns = 0;
    while (!is_over(loop, &last_turns))
        turn(loop);
    return NULL;
}

/* --- Start and stop ------------------------------------------------------------------------- */

static enum vault_code loop_start(struct loop *loop, struct listener *listener,
                                  struct vault_error *err)
{
    const struct listener_options *options = &listener->options;
    const union MHD_DaemonInfo *info = NULL;
    pthread_attr_t attributes;
    loop->listener = listener;
    loop->awaiting_end = &loop->awaiting;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    VAULT_TRY(lingering_new(&loop->lingering, err));
    loop->daemon = listener_daemon(loop);
    if (loop->daemon)
        info = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info || !watch(loop, info->epoll_fd, EPOLLIN, FROM_LIBRARY) ||
        !watch(loop, loop->wake_fd, EPOLLIN, FROM_WORKERS) ||
        !watch(loop, lingering_fd(loop->lingering), EPOLLIN, FROM_LINGERING) ||
        (options->tick_fd > 0 && !watch(loop, options->tick_fd, EPOLLIN | EPOLLET, FROM_TICKS)))
        return vault_fail_errno(err, "%s: preparing to serve", options->name);
    set_accepting(loop, true);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, LISTENER_THREAD_STACK_BYTES);
    loop->runs = pthread_create(&loop->thread, &attributes, run, loop) == 0;
    pthread_attr_destroy(&attributes);
    return loop->runs
               ? VAULT_OK
               : vault_fail(err, VAULT_NO_MEMORY, "%s: cannot start a thread", options->name);
}

static unsigned loops_wanted(void)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors < 1)
        return 1;
    return processors < LISTENER_LOOPS_MAX ? (unsigned)processors : LISTENER_LOOPS_MAX;
}

enum vault_code loops_start(struct listener *listener, struct vault_error *err)
{
    const unsigned wanted = loops_wanted();
    while (listener->loop_count < wanted) {
        struct loop *loop = &listener->loops[listener->loop_count++];
        pthread_mutex_init(&loop->mutex, NULL);
        VAULT_TRY(loop_start(loop, listener, err));
    }
    return VAULT_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void loops_stop(struct listener *listener)
{
    atomic_store(&listener->ending, true);
    for (unsigned i = 0; i < listener->loop_count; i++) {
        struct loop *loop = &listener->loops[i];
        if (loop->runs) {
            eventfd_write(loop->wake_fd, 1);
            pthread_join(loop->thread, NULL);
        }
        if (loop->daemon)
            MHD_stop_daemon(loop->daemon);
        lingering_free(&loop->lingering);
        free_spare(loop);
        close_fd(loop->wake_fd);
        close_fd(loop->epoll_fd);
        pthread_mutex_destroy(&loop->mutex);
    }
}
