/*
 * Both ends of a backup's place: a vaultctl, perhaps root's, that makes files for a vaultd that was
 * taken over; and a vaultd that is answered by whoever holds the other end. An input is a byte for
 * the end ('S' serves, 'A' asks), and packets: a byte for how many descriptors go with it, one for
 * the size, and the bytes. What asks, asks once for each packet, which one the packet's first byte
 * says.
 *
 * Nothing is made outside the folder, each question has one answer, a file comes with exactly one
 * descriptor, and none stays open. Errors are one line.
 */
#include "fuzz_tools.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "edge/place_channel.h"

#define PACKETS_MAX     6U
#define DESCRIPTORS_MAX 3U /* with one packet */
#define OPEN_MAX_SEEN   64

static struct backup_folder folder;
static struct backup_place place;
static int null_fd = -1;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char path[PATH_MAX];
    (void)argc;
    (void)argv;
    scratch_start();
    scratch_path(path, "backup");
    REQUIRE(backup_folder_at(path, &folder, &place, NULL) == VAULT_OK);
    null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(null_fd >= 0);
    return 0;
}

/* --- Sending --------------------------------------------------------------------------------- */

static void send_packet(int socket, struct bytes packet, size_t descriptors)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    } room = {.bytes = ""};
    struct iovec part = {(void *)(uintptr_t)packet.data, packet.size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptors) {
        message.msg_control = room.bytes;
        message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
        *CMSG_FIRSTHDR(&message) = (struct cmsghdr){.cmsg_len = CMSG_LEN(descriptors * sizeof(int)),
                                                    .cmsg_level = SOL_SOCKET,
                                                    .cmsg_type = SCM_RIGHTS};
        for (size_t i = 0; i < descriptors; i++)
            memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)) + i * sizeof(int), &null_fd, sizeof(int));
    }
    REQUIRE(sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)packet.size);
}

/* All of them, and nothing after; which questions they answer is noted. */
static size_t send_all(int socket, struct cursor *input, uint8_t first[PACKETS_MAX])
{
    size_t count = 0;
    while (input->left && count < PACKETS_MAX) {
        const size_t descriptors = cursor_u8(input) % (DESCRIPTORS_MAX + 1);
        const size_t size = cursor_u16(input) % 2048U;
        const struct bytes packet = cursor_take(input, size);
        if (input->truncated)
            break;
        first[count++] = packet.size ? packet.data[0] : 0;
        send_packet(socket, packet, descriptors);
    }
    shutdown(socket, SHUT_WR);
    return count;
}

/* --- The end that serves --------------------------------------------------------------------- */

static void take_answers(int socket, size_t asked)
{
    char text[VAULT_ERROR_TEXT_BYTES + 64];
    size_t answers = 0;
    ssize_t got = 0;
    while ((got = recv(socket, text, sizeof text - 1, MSG_DONTWAIT)) > 0) {
        text[got] = 0;
        REQUIRE((uint8_t)text[0] < VAULT_CODE_COUNT && (text[0] == VAULT_OK) == (got == 1));
        REQUIRE(!strpbrk(text + 1, "\n\r"));
        answers++;
    }
    REQUIRE(answers <= asked);
}

/* What was asked for is below the folder, by this name or that. */
static void require_nothing_elsewhere(void)
{
    DIR *dir = opendir(scratch_dir);
    REQUIRE(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        REQUIRE(entry->d_name[0] == '.' || strcmp(entry->d_name, "backup") == 0 ||
                strcmp(entry->d_name, "backup" BACKUP_PARTIAL) == 0);
    closedir(dir);
    REQUIRE(folder_remove(folder.folder, NULL) == VAULT_OK);
    REQUIRE(folder_remove(folder.made, NULL) == VAULT_OK);
}

static void serve(int ends[2], struct cursor *input)
{
    uint8_t questions[PACKETS_MAX];
    const size_t asked = send_all(ends[0], input, questions);
    place_channel_serve(ends[1], &place);
    take_answers(ends[0], asked);
    require_nothing_elsewhere();
}

/* --- The end that asks ----------------------------------------------------------------------- */

static void ask(int ends[2], struct cursor *input)
{
    uint8_t answers[PACKETS_MAX];
    struct backup_place asking;
    const size_t count = send_all(ends[0], input, answers);
    REQUIRE(place_channel_new(&ends[1], &asking, NULL) == VAULT_OK);
    for (size_t i = 0; i <= count; i++) {
        struct vault_error err = {.text = ""};
        int fd = -1;
        enum vault_code code = VAULT_OK;
        if (i < count && answers[i] & 1)
            code = asking.calls->begin(asking.context, &err);
        else
            code = asking.calls->create(asking.context, "a", &fd, &err);
        REQUIRE(code == VAULT_OK || (err.code == code && fd == -1));
        REQUIRE(code == VAULT_OK || vault_error_may_say(err.text));
        REQUIRE(i < count || code == VAULT_UNAVAILABLE);
        if (fd >= 0)
            REQUIRE(fcntl(fd, F_GETFD) & FD_CLOEXEC && close(fd) == 0);
    }
    asking.calls->close(asking.context);
}

static size_t count_open(void)
{
    size_t count = 0;
    for (int fd = 0; fd < OPEN_MAX_SEEN; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2];
    struct cursor input = cursor_over((struct bytes){data, size});
    const bool serves = cursor_u8(&input) == 'S';
    const size_t open_before = count_open();
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    if (serves)
        serve(ends, &input);
    else
        ask(ends, &input);
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    REQUIRE(count_open() == open_before);
    return 0;
}
