/*
 * descriptor - one descriptor on its way with a message over a UNIX socket (SCM_RIGHTS, unix(7)).
 */
#pragma once

#include <sys/socket.h>

/* Where it travels; as long as the message's header is used. */
union descriptor_room {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

/* Send it with the message, which has a byte at least. It stays the sender's. */
void descriptor_give(struct msghdr *message, union descriptor_room *room, int fd);

/* Be ready to receive one; then the one that came, which is the receiver's, or -1. Any more that
 * came with it are closed. */
void descriptor_expect(struct msghdr *message, union descriptor_room *room);
int descriptor_take(struct msghdr *message);
