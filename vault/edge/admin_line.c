#include "admin_line.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "descriptor.h"
#include "vault/base/file.h"

struct admin_reader admin_reader_of(int fd, size_t line_bytes_max)
{
    return (struct admin_reader){.fd = fd, .given = -1, .pending = buf_limited(line_bytes_max)};
}

void admin_reader_finish(struct admin_reader *reader)
{
    file_close(&reader->given);
    buf_finish(&reader->pending);
}

/* Bytes, as recv(2), and the descriptor that came with them. */
static ssize_t take(struct admin_reader *reader, void *chunk, size_t size)
{
    union descriptor_room room;
    struct iovec part = {chunk, size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    descriptor_expect(&header, &room);
    const ssize_t got = recvmsg(reader->fd, &header, MSG_CMSG_CLOEXEC);
    const int given = got > 0 ? descriptor_take(&header) : -1;
    if (given >= 0) {
        file_close(&reader->given);
        reader->given = given;
    }
    return got;
}

enum vault_code admin_read_line(struct admin_reader *reader, struct buf *line,
                                struct vault_error *err)
{
    size_t seen = 0; /* of what is pending: no end of a line is in it */
    buf_clear(line);
    for (;;) {
        const size_t unseen = reader->pending.size - seen;
        const uint8_t *end = unseen ? memchr(reader->pending.data + seen, '\n', unseen) : NULL;
        if (end) {
            const size_t size = (size_t)(end - reader->pending.data);
            const size_t left = reader->pending.size - size - 1;
            buf_append(line, reader->pending.data, size);
            memmove(reader->pending.data, end + 1, left);
            explicit_bzero(reader->pending.data + left, reader->pending.size - left);
            reader->pending.size = left;
            return buf_check(line, err);
        }
        seen = reader->pending.size;
        uint8_t chunk[16384];
        const ssize_t got = take(reader, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return vault_fail(err, VAULT_UNAVAILABLE, "the other end of the socket is silent");
        if (got == 0)
            return vault_fail(err, VAULT_NOT_FOUND, "the connection ended");
        buf_append(&reader->pending, chunk, (size_t)got);
        explicit_bzero(chunk, (size_t)got);
        VAULT_TRY(buf_check(&reader->pending, err));
    }
}

static enum vault_code send_all(int fd, const uint8_t *data, size_t size, struct vault_error *err)
{
    while (size > 0) {
        const ssize_t put = send(fd, data, size, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return vault_fail(err, VAULT_UNAVAILABLE, "the other end of the socket is gone");
        data += put;
        size -= (size_t)put;
    }
    return VAULT_OK;
}

bool admin_send(int fd, struct bytes bytes)
{
    return send_all(fd, bytes.data, bytes.size, NULL) == VAULT_OK;
}

/* The first byte carries it. */
static enum vault_code send_with(int fd, const uint8_t *first, int given, struct vault_error *err)
{
    union descriptor_room room;
    struct iovec part = {(void *)(uintptr_t)first, 1};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    descriptor_give(&header, &room, given);
    ssize_t put = -1;
    do
        put = sendmsg(fd, &header, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    return put == 1 ? VAULT_OK
                    : vault_fail(err, VAULT_UNAVAILABLE, "the other end of the socket is gone");
}

enum vault_code admin_write_line_with(int fd, const struct buf *line, int given,
                                      struct vault_error *err)
{
    static const uint8_t end = '\n';
    const size_t sent = given >= 0 && line->size ? 1 : 0;
    if (sent)
        VAULT_TRY(send_with(fd, line->data, given, err));
    VAULT_TRY(send_all(fd, line->data + sent, line->size - sent, err));
    return send_all(fd, &end, 1, err);
}

enum vault_code admin_write_line(int fd, const struct buf *line, struct vault_error *err)
{
    return admin_write_line_with(fd, line, -1, err);
}
