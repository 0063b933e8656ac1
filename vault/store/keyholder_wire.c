#include "keyholder_wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define HEAD_BYTES 7

enum vault_code keyholder_frame_make(struct keyholder_frame *out, struct vault_error *err)
{
    out->plain = buf_limited(KEYHOLDER_PLAIN_MAX_BYTES);
    buf_extend(&out->plain, KEYHOLDER_PLAIN_MAX_BYTES); /* a packet that came has its room */
    VAULT_TRY(buf_check(&out->plain, err));
    buf_clear(&out->plain);
    return secret_new(KEYHOLDER_SECRET_MAX_BYTES, &out->secret, err);
}

void keyholder_frame_wipe(struct keyholder_frame *frame)
{
    buf_clear(&frame->plain);
    explicit_bzero(secret_data(frame->secret), KEYHOLDER_SECRET_MAX_BYTES);
}

void keyholder_frame_finish(struct keyholder_frame *frame)
{
    buf_finish(&frame->plain);
    secret_free(&frame->secret);
}

static struct iovec part_of(struct bytes bytes)
{
    return (struct iovec){(void *)(uintptr_t)bytes.data,
                          bytes.size}; /* sendmsg() changes nothing */
}

/* Without memory of its own: nobody is asked, or answered, again. */
static void write_head(const struct keyholder_out *message, uint8_t out[HEAD_BYTES])
{
    const uint64_t plain = message->plain.size;
    const uint64_t secret = message->secret.size;
    const uint8_t head[HEAD_BYTES] = {
        message->kind,  (uint8_t)(plain >> 24), (uint8_t)(plain >> 16), (uint8_t)(plain >> 8),
        (uint8_t)plain, (uint8_t)(secret >> 8), (uint8_t)secret};
    memcpy(out, head, sizeof head);
}

enum vault_code keyholder_send(int socket, const struct keyholder_out *message,
                               struct vault_error *err)
{
    if (message->plain.size > KEYHOLDER_PLAIN_MAX_BYTES ||
        message->secret.size > KEYHOLDER_SECRET_MAX_BYTES)
        return vault_fail(err, VAULT_TOO_LARGE, "a message to or from a keyholder is too long");
    uint8_t head[HEAD_BYTES];
    write_head(message, head);
    struct iovec parts[] = {{head, sizeof head}, part_of(message->plain), part_of(message->secret)};
    const struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 3};
    while (sendmsg(socket, &packet, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR)
            return vault_fail_errno(err, "writing to the keyholder's socket");
    }
    return VAULT_OK;
}

/* Bytes of the packet that waits, as many as there is room for; 0 if the other end is closed. */
static ssize_t receive(int socket, struct iovec *parts, size_t count, int flags)
{
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t got = 0;
    do {
        got = recvmsg(socket, &packet, flags | MSG_TRUNC);
    } while (got < 0 && errno == EINTR);
    return got < 0 && errno == ECONNRESET ? 0 : got;
}

static enum vault_code no_message(struct vault_error *err)
{
    return vault_fail(err, VAULT_INVALID, "not a message to or from a keyholder");
}

/* What the message says of its own sizes, without taking it. */
static enum vault_code peek(int socket, struct keyholder_in *out, struct vault_error *err)
{
    uint8_t head[HEAD_BYTES];
    struct iovec part = {head, sizeof head};
    const ssize_t got = receive(socket, &part, 1, MSG_PEEK);
    if (got < 0)
        return vault_fail_errno(err, "reading from the keyholder's socket");
    if (got == 0)
        return vault_fail(err, VAULT_NOT_FOUND,
                          "the other end of the keyholder's socket is closed");
    struct cursor cursor = cursor_over((struct bytes){head, sizeof head});
    out->kind = cursor_u8(&cursor);
    out->plain.size = cursor_u32(&cursor);
    out->secret.size = cursor_u16(&cursor);
    if (got < HEAD_BYTES || out->plain.size > KEYHOLDER_PLAIN_MAX_BYTES ||
        out->secret.size > KEYHOLDER_SECRET_MAX_BYTES ||
        (size_t)got != HEAD_BYTES + out->plain.size + out->secret.size)
        return no_message(err);
    return VAULT_OK;
}

enum vault_code keyholder_receive(int socket, struct keyholder_frame *frame,
                                  struct keyholder_in *out, struct vault_error *err)
{
    uint8_t head[HEAD_BYTES];
    struct keyholder_in in = {0};
    VAULT_TRY(peek(socket, &in, err));
    buf_clear(&frame->plain);
    uint8_t *plain = buf_extend(&frame->plain, in.plain.size);
    VAULT_TRY(buf_check(&frame->plain, err));
    struct iovec parts[] = {
        {head, sizeof head}, {plain, in.plain.size}, {secret_data(frame->secret), in.secret.size}};
    if (receive(socket, parts, 3, 0) < HEAD_BYTES)
        return no_message(err);
    in.plain.data = plain;
    in.secret.data = secret_view(frame->secret).data;
    *out = in;
    return VAULT_OK;
}

void keyholder_write_binding(struct buf *out, const struct keyring_binding *binding)
{
    const size_t use_chars = strlen(binding->use);
    assert(use_chars <= KEYHOLDER_USE_CHARS);
    buf_append(out, binding->owner, sizeof binding->owner);
    buf_u32(out, binding->version);
    buf_byte(out, (uint8_t)use_chars);
    buf_text(out, binding->use);
}

void keyholder_read_binding(struct cursor *cursor, struct keyring_binding *out,
                            char use[KEYHOLDER_USE_CHARS + 1])
{
    cursor_copy(cursor, out->owner, sizeof out->owner);
    out->version = cursor_u32(cursor);
    const uint8_t use_chars = cursor_u8(cursor);
    memset(use, 0, KEYHOLDER_USE_CHARS + 1);
    if (use_chars > KEYHOLDER_USE_CHARS)
        cursor->truncated = true;
    else
        cursor_copy(cursor, use, use_chars);
    out->use = use;
}
