/*
 * What a service manager says in the environment: where it listens, how often it wants to hear, and
 * from whom. The input is three lines. A wait is never negative nor longer than half of what was
 * said; and what is sent goes to the address that was named, or nowhere.
 */
#include "fuzz_tools.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "programs/notify.h"

#define VALUE_CHARS 512

ssize_t __wrap_sendto(int fd, const void *data, size_t size, int flags,
                      const struct sockaddr *address, socklen_t address_size);

static char name[VALUE_CHARS];

ssize_t __wrap_sendto(int fd, const void *data, size_t size, int flags,
                      const struct sockaddr *address, socklen_t address_size)
{
    const struct sockaddr_un *there = (const struct sockaddr_un *)(const void *)address;
    const size_t length = strlen(name);
    (void)fd;
    REQUIRE(flags & MSG_DONTWAIT);
    REQUIRE(size == strlen("READY=1") && memcmp(data, "READY=1", size) == 0);
    REQUIRE(address->sa_family == AF_UNIX);
    REQUIRE(address_size == offsetof(struct sockaddr_un, sun_path) + length);
    REQUIRE(length < sizeof there->sun_path && (name[0] == '/' || name[0] == '@'));
    REQUIRE(memcmp(there->sun_path + 1, name + 1, length - 1) == 0);
    REQUIRE(there->sun_path[0] == (name[0] == '@' ? 0 : '/'));
    return (ssize_t)size;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* An empty line is no variable. */
static void set(const char *variable, struct bytes value, char out[VALUE_CHARS])
{
    snprintf(out, VALUE_CHARS, "%.*s", (int)value.size, (const char *)value.data);
    REQUIRE((out[0] ? setenv(variable, out, 1) : unsetenv(variable)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char wait[VALUE_CHARS];
    char process[VALUE_CHARS];
    struct bytes rest = {data, size};
    if (size == 0 || size > 4096)
        return 0;
    set("NOTIFY_SOCKET", take_part(&rest, '\n'), name);
    set("WATCHDOG_USEC", take_part(&rest, '\n'), wait);
    set("WATCHDOG_PID", take_part(&rest, '\n'), process);
    notify_send("READY=%d", 1);
    const int64_t wait_ms = notify_watchdog_ms();
    REQUIRE(wait_ms >= 0);
    REQUIRE(wait_ms == 0 || wait_ms == 1 || wait_ms <= strtoll(wait, NULL, 10) / 2000);
    return 0;
}
