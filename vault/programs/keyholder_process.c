#include "keyholder_process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/base/log.h"
#include "vault/edge/config.h"
#include "vault/edge/confine.h"

#define EVENT        "keyholder"
#define SOCKET       3 /* in the keyholder */
#define END_WAIT_MS  5000
#define LOOK_EACH_MS 5

/* In the child, between fork and exec: nothing but system calls. */
static _Noreturn void become_keyholder(int socket, const char *config_path)
{
    char program[] = "vaultd";
    char option[] = "--keyholder";
    char *const arguments[] = {program, option, (char *)(uintptr_t)config_path, NULL};
    const int nowhere = open("/dev/null", O_RDONLY);
    if (nowhere >= 0 && dup2(nowhere, STDIN_FILENO) >= 0 && dup2(socket, SOCKET) >= 0 &&
        fcntl(SOCKET, F_SETFD, 0) == 0 && close_range(SOCKET + 1, ~0U, 0) == 0)
        execv("/proc/self/exe", arguments);
    _exit(vault_code_exit(VAULT_IO));
}

enum vault_code keyholder_process_start(const char *config_path, struct keyholder_process *out,
                                        struct vault_error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return vault_fail_errno(err, "making the keyholder's socket");
    VAULT_AUTO(file_close) int theirs = pair[1];
    const pid_t pid = fork();
    if (pid == 0)
        become_keyholder(theirs, config_path);
    if (pid < 0) {
        close(pair[0]);
        return vault_fail_errno(err, "starting the keyholder");
    }
    out->pid = pid;
    return keyholder_of(pair[0], &out->holder, err);
}

static bool has_ended(struct keyholder_process *process)
{
    if (!process->pid || waitpid(process->pid, NULL, WNOHANG) == 0)
        return false;
    process->pid = 0;
    return true;
}

bool keyholder_process_is_gone(struct keyholder_process *process)
{
    const bool is_gone = has_ended(process) || keyholder_is_lost(process->holder);
    if (is_gone)
        log_event(LOG_ERROR, EVENT,
                  "it has ended or does not answer; the next start begins another");
    return is_gone;
}

void keyholder_process_stop(struct keyholder_process *process)
{
    const struct timespec pause = {.tv_nsec = LOOK_EACH_MS * 1000000L};
    const int64_t end_ms = clock_monotonic_ms() + END_WAIT_MS;
    keyholder_free(&process->holder);
    while (process->pid && !has_ended(process) && clock_monotonic_ms() < end_ms)
        nanosleep(&pause, NULL);
}

/* --- In the keyholder ----------------------------------------------------------------------- */

static void tell(bool is_trouble, const char *text)
{
    log_event(is_trouble ? LOG_WARNING : LOG_INFO, EVENT, "%s", text);
}

static void leave_ending_to_the_socket(void)
{
    static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGXFSZ};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
}

static enum vault_code read_pin(const void *context, struct secret **out, struct vault_error *err)
{
    const struct config *config = context;
    return config_read_pin(&config->keyring, out, err);
}

static enum vault_code run(const char *config_path, struct config *config, struct vault_error *err)
{
    VAULT_TRY(config_read(config_path, config, err));
    VAULT_TRY(program_start(config->allow_swap, err));
    VAULT_TRY(confine_keyholder(config, err));
    const struct keyholder_options options = {
        .dir = config->data,
        .origin = config->origin,
        .provider = config_provider(&config->keyring),
        .unwraps_per_minute = (uint32_t)config->keyring.unwraps_per_minute,
        .read_secret = read_pin,
        .context = config,
        .tell = tell,
    };
    return keyholder_serve(SOCKET, &options, err);
}

int keyholder_process_run(const char *config_path)
{
    struct vault_error err = {0};
    struct config *config = calloc(1, sizeof *config);
    if (!config)
        return vault_code_exit(VAULT_NO_MEMORY);
    leave_ending_to_the_socket();
    const enum vault_code code = run(config_path, config, &err);
    if (code)
        log_event(LOG_ERROR, EVENT, "%s", err.text);
    free(config);
    return vault_code_exit(code);
}
