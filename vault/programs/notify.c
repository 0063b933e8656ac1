#include "notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vault/base/file.h"

#define MESSAGE_BYTES (VAULT_ERROR_TEXT_BYTES * 2)

/* A path, or a name of Linux's abstract sockets, which begins with '@'. */
static socklen_t address_of(const char *name, struct sockaddr_un *out)
{
    const size_t size = strlen(name);
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((name[0] != '/' && name[0] != '@') || size < 2 || size >= sizeof out->sun_path)
        return 0;
    memcpy(out->sun_path, name, size);
    if (name[0] == '@')
        out->sun_path[0] = 0;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

void notify_send(const char *format, ...)
{
    char message[MESSAGE_BYTES];
    struct sockaddr_un address;
    const char *name = getenv("NOTIFY_SOCKET");
    const socklen_t size = name ? address_of(name, &address) : 0;
    if (!size)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    VAULT_AUTO(file_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        (void)sendto(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
                     (const struct sockaddr *)&address, size);
}

/* sd_watchdog_enabled(3): microseconds, and for which process. */
int64_t notify_watchdog_ms(void)
{
    const char *wait = getenv("WATCHDOG_USEC");
    const char *process = getenv("WATCHDOG_PID");
    char *end = NULL;
    if (!wait || (process && strtol(process, NULL, 10) != getpid()))
        return 0;
    const long long us = strtoll(wait, &end, 10);
    if (*end || us <= 0)
        return 0;
    return us < 2000 ? 1 : us / 2000;
}
