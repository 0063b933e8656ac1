#include "lingering.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vault/base/clock.h"

#define PIECE_BYTES (64UL * 1024)

struct late {
    int fd;
    size_t left_bytes;
    int64_t until_ms;
};

struct lingering {
    int epoll_fd;
    size_t count;
    struct late all[LINGER_MAX]; /* the one whose time ends first, first */
};

enum vault_code lingering_new(struct lingering **out, struct vault_error *err)
{
    struct lingering *lingering = calloc(1, sizeof *lingering);
    if (!lingering)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    lingering->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (lingering->epoll_fd < 0) {
        free(lingering);
        return vault_fail_errno(err, "preparing to read on from who was refused");
    }
    *out = lingering;
    return VAULT_OK;
}

void lingering_free(struct lingering **lingering)
{
    if (!*lingering)
        return;
    for (size_t i = 0; i < (*lingering)->count; i++)
        close((*lingering)->all[i].fd);
    close((*lingering)->epoll_fd);
    free(*lingering);
    *lingering = NULL;
}

int lingering_fd(const struct lingering *lingering)
{
    return lingering->epoll_fd;
}

void lingering_take(struct lingering *lingering, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP};
    if (lingering->count == LINGER_MAX)
        return;
    const int own = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (own < 0)
        return;
    if (shutdown(own, SHUT_WR) != 0 || epoll_ctl(lingering->epoll_fd, EPOLL_CTL_ADD, own, &event)) {
        close(own);
        return;
    }
    lingering->all[lingering->count++] =
        (struct late){own, LINGER_BYTES_MAX, clock_monotonic_ms() + LINGER_MS};
}

/* False at its end: closed, broken, or enough. TCP throws away what it is not given a place for
 * (tcp(7), MSG_TRUNC). */
static bool goes_on(struct late *late)
{
    ssize_t got = 0;
    do {
        got = recv(late->fd, NULL, PIECE_BYTES, MSG_TRUNC | MSG_DONTWAIT);
        late->left_bytes -= got > 0 ? (size_t)got : 0;
    } while (got > 0 && late->left_bytes >= PIECE_BYTES);
    return got < 0 && (errno == EAGAIN || errno == EINTR);
}

void lingering_turn(struct lingering *lingering, bool came)
{
    if (lingering->count == 0)
        return;
    const int64_t now_ms = clock_monotonic_ms();
    if (!came && now_ms < lingering->all[0].until_ms)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < lingering->count; i++) {
        if (now_ms < lingering->all[i].until_ms && goes_on(&lingering->all[i]))
            lingering->all[kept++] = lingering->all[i];
        else
            close(lingering->all[i].fd);
    }
    lingering->count = kept;
}
