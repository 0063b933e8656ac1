/*
 * The calls on sockets that fail, what waits for them, and randomness.
 *
 * Left out is what a kernel does not do. A socket that does not wait is not interrupted, and one
 * that has bytes, or room, does not say EAGAIN: whoever is told of what is new only, as the HTTP
 * library is, would never be told of it. That one has none, or no room, is what most requests come
 * to by themselves. To take a descriptor from an epoll, or to change what is waited for, fails only
 * for one that is not in it; an eventfd that does not wait is full after 2^64 - 2; setsockopt,
 * getsockopt, getsockname and shutdown fail for what is no such socket, or is no more connected,
 * and then it is the next recv() or send() that counts.
 */
#include "torture_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PARTS_MAX 8

/* --- What comes and goes -------------------------------------------------------------------- */

FAILS(recv, ECONNRESET, HALF);

ssize_t recv(int fd, void *data, size_t size, int flags)
{
    bool half = false;
    if (STRIKES(recv, &half) && !half)
        return -1;
    return syscall(SYS_recvfrom, fd, data, half && size > 1 ? size / 2 : size, flags, NULL, NULL);
}

FAILS(send, ECONNRESET, EPIPE, HALF);

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    bool half = false;
    if (STRIKES(send, &half) && !half)
        return -1;
    return syscall(SYS_sendto, fd, data, half && size > 1 ? size / 2 : size, flags, NULL, 0);
}

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

/* The first half of what there is to send. */
static ssize_t send_half(int fd, const struct msghdr *message, int flags)
{
    struct iovec parts[PARTS_MAX];
    struct msghdr shorter = *message;
    size_t size = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++)
        size += message->msg_iov[i].iov_len;
    size_t left = size > 1 ? size / 2 : size;
    shorter.msg_iov = parts;
    shorter.msg_iovlen = 0;
    for (size_t i = 0; i < message->msg_iovlen && i < PARTS_MAX && left; i++) {
        parts[i] = message->msg_iov[i];
        if (parts[i].iov_len > left)
            parts[i].iov_len = left;
        left -= parts[i].iov_len;
        shorter.msg_iovlen++;
    }
    return syscall(SYS_sendmsg, fd, &shorter, flags);
}

/* A packet is sent as a whole, or not; and it may have to wait. */
FAILS(sendmsg, ECONNRESET, EPIPE, HALF);
FAILS(sendmsg_packet, EPIPE, ENOBUFS, EINTR);

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    bool half = false;
    if (is_stream(fd) ? STRIKES(sendmsg, &half) : CALL_STRIKES(sendmsg_packet)) {
        if (!half)
            return -1;
        return send_half(fd, message, flags);
    }
    return syscall(SYS_sendmsg, fd, message, flags);
}

FAILS(recvmsg, ECONNRESET, EINTR);

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return CALL_STRIKES(recvmsg) ? -1 : syscall(SYS_recvmsg, fd, message, flags);
}

/* --- Sockets -------------------------------------------------------------------------------- */

FAILS(socket, EMFILE, ENOBUFS);

int socket(int domain, int type, int protocol)
{
    return CALL_STRIKES(socket) ? -1 : (int)syscall(SYS_socket, domain, type, protocol);
}

FAILS(bind, EADDRINUSE);

int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    return CALL_STRIKES(bind) ? -1 : (int)syscall(SYS_bind, fd, address.__sockaddr__, size);
}

FAILS(listen, EADDRINUSE);

int listen(int fd, int backlog)
{
    return CALL_STRIKES(listen) ? -1 : (int)syscall(SYS_listen, fd, backlog);
}

/* The connection stays where it is, as when there is no descriptor for it. */
FAILS(accept4, EMFILE, ENOMEM, ECONNABORTED);

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *size, int flags)
{
    return CALL_STRIKES(accept4) ? -1
                                 : (int)syscall(SYS_accept4, fd, address.__sockaddr__, size, flags);
}

FAILS(socketpair, EMFILE, ENFILE);

int socketpair(int domain, int type, int protocol, int out[2])
{
    return CALL_STRIKES(socketpair) ? -1
                                    : (int)syscall(SYS_socketpair, domain, type, protocol, out);
}

/* --- Waiting -------------------------------------------------------------------------------- */

FAILS(epoll_create1, EMFILE, ENOMEM);

int epoll_create1(int flags)
{
    return CALL_STRIKES(epoll_create1) ? -1 : (int)syscall(SYS_epoll_create1, flags);
}

FAILS(epoll_ctl, ENOMEM, ENOSPC);

int epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    if (operation == EPOLL_CTL_ADD && CALL_STRIKES(epoll_ctl))
        return -1;
    return (int)syscall(SYS_epoll_ctl, epoll_fd, operation, fd, event);
}

FAILS(epoll_wait, EINTR);

int epoll_wait(int epoll_fd, struct epoll_event *events, int count_max, int wait_ms)
{
    if (CALL_STRIKES(epoll_wait))
        return -1;
    return (int)syscall(SYS_epoll_wait, epoll_fd, events, count_max, wait_ms);
}

FAILS(eventfd, EMFILE, ENOMEM);

int eventfd(unsigned value, int flags)
{
    return CALL_STRIKES(eventfd) ? -1 : (int)syscall(SYS_eventfd2, value, flags);
}

FAILS(poll, EINTR, ENOMEM);

int poll(struct pollfd *fds, nfds_t count, int wait_ms)
{
    return CALL_STRIKES(poll) ? -1 : (int)syscall(SYS_poll, fds, count, wait_ms);
}

/* --- Randomness ----------------------------------------------------------------------------- */

/* As a filter of calls or an old kernel refuses it, and as a signal ends it. */
FAILS(getrandom, ENOSYS, EINTR);

ssize_t getrandom(void *out, size_t size, unsigned flags)
{
    return CALL_STRIKES(getrandom) ? -1 : syscall(SYS_getrandom, out, size, flags);
}

FAILS(getentropy, ENOSYS, EIO);

int getentropy(void *out, size_t size)
{
    if (CALL_STRIKES(getentropy))
        return -1;
    return syscall(SYS_getrandom, out, size, 0) == (long)size ? 0 : -1;
}
