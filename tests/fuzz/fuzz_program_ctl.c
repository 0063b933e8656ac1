/*
 * What a vaultd that was taken over answers its operator, who may be root: the first byte is how
 * many descriptors come with it, the rest is what comes over the admin socket.
 *
 * An answer is a result or an error; an error is one line, and neither it nor a table has anything
 * in it that is a command for the operator's terminal. No descriptor stays open.
 */
#include "fuzz_tools.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "programs/ctl.h"

#define INPUT_BYTES_MAX (64UL * 1024)
#define DESCRIPTORS_MAX 3U
#define OPEN_SEEN       64

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    return 0;
}

/* The first byte carries the descriptors. */
static void send_answer(int socket, size_t descriptors, struct bytes answer)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    } room = {.bytes = ""};
    struct iovec part = {(void *)(uintptr_t)answer.data, answer.size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptors && answer.size) {
        message.msg_control = room.bytes;
        message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
        *CMSG_FIRSTHDR(&message) = (struct cmsghdr){.cmsg_len = CMSG_LEN(descriptors * sizeof(int)),
                                                    .cmsg_level = SOL_SOCKET,
                                                    .cmsg_type = SCM_RIGHTS};
        for (size_t i = 0; i < descriptors; i++)
            memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)) + i * sizeof(int), &socket, sizeof(int));
    }
    REQUIRE(sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)answer.size);
    shutdown(socket, SHUT_WR);
}

static void check_table(const json_t *list)
{
    static const struct ctl_column columns[] = {{"id", 8}, {"name", 0}, {"n", 0}};
    char *shown = NULL;
    size_t size = 0;
    FILE *terminal = stdout;
    stdout = open_memstream(&shown, &size);
    REQUIRE(stdout);
    ctl_print_table(list, columns, sizeof columns / sizeof columns[0]);
    REQUIRE(fclose(stdout) == 0);
    stdout = terminal;
    for (char *line = shown, *end = NULL; (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        REQUIRE(vault_error_may_say(line));
    }
    free(shown);
}

/* A text of more lines and columns is shown as such. */
static void check_texts(const json_t *value)
{
    const char *name;
    json_t *member;
    size_t i;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(INPUT_BYTES_MAX);
    for (const char *at = json_string_value(value); at && *at; at++)
        buf_byte(&text, *at == '\n' || *at == '\t' ? ' ' : (uint8_t)*at);
    REQUIRE(!text.size || vault_error_may_say(buf_string(&text)));
    json_array_foreach(value, i, member) check_texts(member);
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        REQUIRE(vault_error_may_say(name));
        check_texts(member);
    }
}

static size_t count_open(void)
{
    size_t count = 0;
    for (int fd = 0; fd < OPEN_SEEN; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2];
    struct vault_error err = {.text = ""};
    VAULT_AUTO(json_free) json_t *result = NULL;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(64);
    struct cursor input = cursor_over((struct bytes){data, size});
    const size_t descriptors = cursor_u8(&input) % (DESCRIPTORS_MAX + 1);
    const size_t open_before = count_open();
    if (input.truncated || size > INPUT_BYTES_MAX)
        return 0;
    buf_text(&request, "{\"command\":\"status\"}");
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    send_answer(ends[0], descriptors, cursor_take(&input, input.left));
    const enum vault_code code = ctl_ask(ends[1], &request, &result, &err);
    close(ends[0]);
    close(ends[1]);
    REQUIRE(count_open() == open_before);
    if (code == VAULT_OK) {
        REQUIRE(result);
        check_texts(result);
        check_table(result);
        return 0;
    }
    REQUIRE(!result && code < VAULT_CODE_COUNT && vault_error_may_say(err.text));
    return 0;
}
