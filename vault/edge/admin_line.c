#include "admin_line.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum vault_code admin_read_line(struct admin_reader *reader, struct buf *line,
                                struct vault_error *err)
{
    buf_clear(line);
    for (;;) {
        const uint8_t *end =
            reader->pending.size ? memchr(reader->pending.data, '\n', reader->pending.size) : NULL;
        if (end) {
            const size_t size = (size_t)(end - reader->pending.data);
            const size_t left = reader->pending.size - size - 1;
            buf_append(line, reader->pending.data, size);
            memmove(reader->pending.data, end + 1, left);
            explicit_bzero(reader->pending.data + left, reader->pending.size - left);
            reader->pending.size = left;
            return buf_check(line, err);
        }
        uint8_t chunk[16384];
        const ssize_t got = recv(reader->fd, chunk, sizeof chunk, 0);
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

enum vault_code admin_write_line(int fd, const struct buf *line, struct vault_error *err)
{
    static const uint8_t end = '\n';
    VAULT_TRY(send_all(fd, line->data, line->size, err));
    return send_all(fd, &end, 1, err);
}
