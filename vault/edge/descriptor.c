#include "descriptor.h"

#include <string.h>
#include <unistd.h>

void descriptor_give(struct msghdr *message, union descriptor_room *room, int fd)
{
    descriptor_expect(message, room);
    struct cmsghdr *item = CMSG_FIRSTHDR(message);
    *item = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(item), &fd, sizeof fd);
}

void descriptor_expect(struct msghdr *message, union descriptor_room *room)
{
    memset(room, 0, sizeof *room);
    message->msg_control = room->bytes;
    message->msg_controllen = sizeof room->bytes;
}

/* The room's padding is enough for a second one. */
int descriptor_take(struct msghdr *message)
{
    int fd = -1;
    const struct cmsghdr *item = CMSG_FIRSTHDR(message);
    if (!item || item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
        return -1;
    memcpy(&fd, CMSG_DATA(item), sizeof fd);
    for (size_t at = sizeof fd; CMSG_LEN(at + sizeof fd) <= item->cmsg_len; at += sizeof fd) {
        int surplus = -1;
        memcpy(&surplus, CMSG_DATA(item) + at, sizeof surplus);
        close(surplus);
    }
    return fd;
}
