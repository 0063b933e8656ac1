#include "place_channel.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptor.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"

enum question { BEGIN = 'B', CREATE = 'C', FINISH = 'F', ABANDON = 'A' };

#define MESSAGE_BYTES (FOLDER_NAME_CHARS + VAULT_ERROR_TEXT_BYTES)

/* One datagram, with a descriptor or without (-1). */
struct message {
    uint8_t kind;
    char text[MESSAGE_BYTES]; /* NUL-ended */
    int fd;
};

static bool send_message(int socket, const struct message *message)
{
    union descriptor_room room;
    struct iovec parts[] = {{(void *)(uintptr_t)&message->kind, 1},
                            {(void *)(uintptr_t)message->text, strlen(message->text)}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    if (message->fd >= 0)
        descriptor_give(&header, &room, message->fd);
    ssize_t put = -1;
    do
        put = sendmsg(socket, &header, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    return put >= 0;
}

/* False at the end, at silence, and for what is no message. */
static bool take_message(int socket, struct message *out)
{
    union descriptor_room room;
    *out = (struct message){.fd = -1};
    struct iovec parts[] = {{&out->kind, 1}, {out->text, sizeof out->text - 1}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    descriptor_expect(&header, &room);
    ssize_t got = -1;
    do
        got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got >= 0)
        out->fd = descriptor_take(&header);
    const bool is_message = got > 0 && !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
    if (!is_message)
        file_close(&out->fd);
    return is_message;
}

/* --- The end that asks ---------------------------------------------------------------------- */

struct asking {
    int socket;
};

static enum vault_code ask(struct asking *asking, enum question question, const char *name, int *fd,
                           struct vault_error *err)
{
    struct message message = {.kind = (uint8_t)question, .fd = -1};
    const struct timeval wait = {.tv_sec = question == FINISH ? PLACE_CHANNEL_FINISH_S
                                                              : PLACE_CHANNEL_WAIT_S};
    snprintf(message.text, sizeof message.text, "%s", name);
    setsockopt(asking->socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    if (!send_message(asking->socket, &message) || !take_message(asking->socket, &message))
        return vault_fail(err, VAULT_UNAVAILABLE,
                          "the vaultctl that makes the backup's files is gone or does not answer");
    const bool has_wanted = (message.fd >= 0) == (fd != NULL);
    if (message.kind == VAULT_OK && has_wanted) {
        if (fd)
            *fd = message.fd;
        return VAULT_OK;
    }
    file_close(&message.fd);
    if (message.kind == VAULT_OK || message.kind >= VAULT_CODE_COUNT ||
        !vault_error_may_say(message.text))
        return vault_fail(err, VAULT_UNAVAILABLE, "vaultctl's answer cannot be read");
    return vault_fail(err, (enum vault_code)message.kind, "%s", message.text);
}

static enum vault_code ask_begin(void *context, struct vault_error *err)
{
    return ask(context, BEGIN, "", NULL, err);
}

static enum vault_code ask_create(void *context, const char *name, int *fd, struct vault_error *err)
{
    return ask(context, CREATE, name, fd, err);
}

static enum vault_code ask_finish(void *context, struct vault_error *err)
{
    return ask(context, FINISH, "", NULL, err);
}

static void ask_abandon(void *context)
{
    (void)!ask(context, ABANDON, "", NULL, NULL);
}

static void close_asking(void *context)
{
    struct asking *asking = context;
    file_close(&asking->socket);
    free(asking);
}

static const struct backup_place_calls over_socket = {ask_begin, ask_create, ask_finish,
                                                      ask_abandon, close_asking};

enum vault_code place_channel_new(int *fd, struct backup_place *out, struct vault_error *err)
{
    struct asking *asking = calloc(1, sizeof *asking);
    if (!asking)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    asking->socket = *fd;
    *fd = -1;
    *out = (struct backup_place){&over_socket, asking};
    return VAULT_OK;
}

/* --- The end that serves -------------------------------------------------------------------- */

static enum vault_code answer(const struct backup_place *place, const struct message *question,
                              int *fd, struct vault_error *err)
{
    switch (question->kind) {
    case BEGIN:
        return place->calls->begin(place->context, err);
    case CREATE:
        return place->calls->create(place->context, question->text, fd, err);
    case FINISH:
        return place->calls->finish(place->context, err);
    case ABANDON:
        place->calls->abandon(place->context);
        return VAULT_OK;
    default:
        return vault_fail(err, VAULT_INVALID, "there is no such question");
    }
}

void place_channel_serve(int fd, const struct backup_place *place)
{
    struct message question;
    bool goes_on = true;
    while (goes_on && take_message(fd, &question)) {
        struct vault_error err = {0};
        struct message reply = {.fd = -1};
        file_close(&question.fd);
        const enum vault_code code = answer(place, &question, &reply.fd, &err);
        reply.kind = (uint8_t)code;
        snprintf(reply.text, sizeof reply.text, "%s", code ? err.text : "");
        goes_on = send_message(fd, &reply);
        file_close(&reply.fd);
    }
}
