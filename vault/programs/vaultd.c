/*
 * vaultd - the daemon's process: starts what serves (server.h), and waits to be told to stop.
 *
 * It stays in the foreground. SIGTERM and SIGINT end it cleanly: no new connections, what is being
 * answered is answered, the log is published and its end remembered. It ends by itself, with code
 * 74, when the log has stopped for good.
 *
 * It is two processes: this one, and its keyholder (store/keyholder.h), which has the root key.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "notify.h"
#include "options.h"
#include "server.h"
#include "vault/base/log.h"
#include "vault/edge/confine.h"

#define PROGRAM     "vaultd"
#define LOG_STOPPED 74
#define STATE_CHARS (VAULT_ERROR_TEXT_BYTES + 64)
#define TICK_MS     1000

static const char help[] =
    "usage: vaultd --config FILE\n"
    "       vaultd --check-config FILE\n"
    "\n"
    "The daemon of a Citizen Vault: serves citizens, registered services and auditors.\n"
    "\n"
    "  --config FILE        run with this configuration, in the foreground\n"
    "  --check-config FILE  print what is understood of a configuration, and end\n"
    "  --keyholder FILE     what vaultd starts as its second process, which has the root key\n"
    "  --help               print this\n"
    "  --version            print the version\n"
    "\n"
    "SIGTERM ends it cleanly, SIGHUP has it read its certificates again.\n"
    "'vaultctl init' makes a vault and its configuration.\n";

/* Give up what will not be needed, and say what holds. */
static enum vault_code enter_sandbox(struct server *server, struct vault_error *err)
{
    char text[CONFINE_TEXT_CHARS + 1];
    VAULT_TRY(confine_enter(&server->config, &server->sandbox, err));
    confine_describe(&server->sandbox, text);
    log_event(server->sandbox.landlock ? LOG_INFO : LOG_WARNING, "sandbox", "%s", text);
    return VAULT_OK;
}

/* Each open citizen and each connection costs descriptors: take as many as the system lets us have.
 */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_event(LOG_WARNING, "start", "the limit on open files stays as it is: %s",
                  strerrordesc_np(errno));
}

/* Block the signals that the daemon waits for, for this thread and all that it starts. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error to be answered */
}

/* Whether the log has stopped by itself; the reason goes into the program's log. */
static bool log_has_stopped(const struct server *server)
{
    struct vault *vault = sealing_enter(server->sealing);
    const bool has_stopped = vault && vault_has_stopped(vault);
    if (has_stopped) {
        struct vault_error why;
        const bool known = vault_ready(vault, &why) != VAULT_OK;
        log_event(LOG_ERROR, "stop", "the log has stopped; the next start recovers it: %s",
                  known ? why.text : "");
    }
    sealing_leave(server->sealing);
    return has_stopped;
}

/* SIGHUP: as "vaultctl reload", with the outcome in the program's log. */
static void reload(struct server *server)
{
    struct vault_error err = {0};
    VAULT_AUTO(buf_finish) struct buf result = buf_limited(1024);
    notify_send("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_monotonic_ms() * 1000);
    struct vault *vault = sealing_enter(server->sealing);
    const enum vault_code code =
        vault ? reload_certificates(&server->reload, vault, &result, &err)
              : vault_fail(&err, VAULT_UNAVAILABLE, "nothing is changed: the vault is sealed");
    sealing_leave(server->sealing);
    if (code)
        log_event(LOG_ERROR, "reload", "%s", err.text);
    else
        log_event(LOG_INFO, "reload", "the certificates were read again");
    notify_send("READY=1");
}

/* What the service manager shows; told when it changes. The reason is one for operators. */
static void tell_state(const struct server *server, char said[STATE_CHARS])
{
    char state[STATE_CHARS] = "sealed: vaultctl unseal opens it";
    struct vault_error why;
    struct vault *vault = sealing_enter(server->sealing);
    if (vault && vault_ready(vault, &why) == VAULT_OK)
        snprintf(state, sizeof state, "serving");
    else if (vault)
        snprintf(state, sizeof state, "serving, and nothing is released: %s", why.text);
    sealing_leave(server->sealing);
    if (strcmp(state, said) == 0)
        return;
    memcpy(said, state, sizeof state);
    notify_send("STATUS=%s", said);
}

/* Wait to be told to stop, or for the log to stop by itself. The watchdog is told from here, since
 * what is looked at takes the locks that everybody takes. */
static int wait_for_the_end(struct server *server, const sigset_t *signals)
{
    char said[STATE_CHARS] = "";
    const int64_t watchdog_ms = notify_watchdog_ms();
    const int64_t tick_ms = watchdog_ms && watchdog_ms < TICK_MS ? watchdog_ms : TICK_MS;
    const struct timespec tick = {.tv_sec = tick_ms / 1000, .tv_nsec = tick_ms % 1000 * 1000000};
    for (;;) {
        tell_state(server, said);
        if (watchdog_ms)
            notify_send("WATCHDOG=1");
        const int signal = sigtimedwait(signals, NULL, &tick);
        if (signal == SIGHUP)
            reload(server);
        else if (signal > 0) {
            log_event(LOG_INFO, "stop", "asked to stop");
            return 0;
        }
        if (log_has_stopped(server) || keyholder_process_is_gone(&server->keyholder))
            return LOG_STOPPED;
    }
}

/* A configuration that is not there is an input that cannot be read. */
static enum vault_code read_config(const char *path, struct config *out, struct vault_error *err)
{
    const enum vault_code code = config_read(path, out, err);
    return code == VAULT_NOT_FOUND ? VAULT_IO : code;
}

static int serve(const char *path)
{
    struct vault_error err = {0};
    sigset_t signals;
    struct server *server = calloc(1, sizeof *server);
    if (!server)
        return vault_code_exit(VAULT_NO_MEMORY);
    sandbox_close_inherited();
    enum vault_code code = read_config(path, &server->config, &err);
    if (code == VAULT_OK && setenv("TZ", server->config.citizens_time_zone, 1)) /* no thread yet */
        code = vault_fail(&err, VAULT_NO_MEMORY, "out of memory");
    if (code == VAULT_OK)
        code = program_start(server->config.allow_swap, &err);
    if (code == VAULT_OK)
        code = config_check_trust(&server->config, &err);
    if (code == VAULT_OK)
        code = keyholder_process_start(path, &server->keyholder, &err);
    block_signals(&signals);
    raise_descriptor_limit();
    if (code == VAULT_OK)
        code = enter_sandbox(server, &err);
    if (code == VAULT_OK)
        code = server_start(server, &err);
    int result = 0;
    if (code == VAULT_OK) {
        log_event(LOG_INFO, "ready", "serving");
        notify_send("READY=1");
        result = wait_for_the_end(server, &signals);
        notify_send("STOPPING=1\nSTATUS=stopping");
    } else {
        log_event(LOG_ERROR, "start", "%s", err.text);
        notify_send("STATUS=%s", err.text);
        result = vault_code_exit(code);
    }
    server_stop(server);
    keyholder_process_stop(&server->keyholder);
    free(server);
    return result;
}

static int check_config(const char *path)
{
    struct vault_error err = {0};
    struct config *config = calloc(1, sizeof *config);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CONFIG_FILE_BYTES_MAX * 2);
    if (!config)
        return vault_code_exit(VAULT_NO_MEMORY);
    enum vault_code code = program_start(true, &err); /* handles no key of the vault */
    if (code == VAULT_OK)
        code = read_config(path, config, &err);
    if (code == VAULT_OK)
        code = config_check_trust(config, &err);
    if (code == VAULT_OK) {
        config_print(config, &text);
        code = buf_check(&text, &err);
    }
    free(config);
    if (code)
        return program_failed(PROGRAM, code, &err);
    fwrite(text.data, 1, text.size, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},    {"check-config", required_argument, NULL, 'k'},
        {"keyholder", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},         {NULL, 0, NULL, 0},
    };
    const int option = getopt_long(argc, argv, "", options, NULL);
    const char *path = optarg;
    switch (option) {
    case 'h':
        fputs(help, stdout);
        return 0;
    case 'v':
        puts(PROGRAM " " VAULT_VERSION);
        return 0;
    case 'c':
    case 'k':
    case 'r':
        if (getopt_long(argc, argv, "", options, NULL) != -1 || optind != argc)
            return program_usage(PROGRAM, "one option at a time");
        return option == 'c'   ? serve(path)
               : option == 'k' ? check_config(path)
                               : keyholder_process_run(path);
    default:
        return program_usage(PROGRAM, "--config FILE is needed");
    }
}
