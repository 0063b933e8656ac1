/*
 * vaultd - the daemon: opens the vault, listens, and waits to be told to stop.
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
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>

#include "keyholder_process.h"
#include "notify.h"
#include "options.h"
#include "vault/base/file.h"
#include "vault/base/log.h"
#include "vault/edge/admin.h"
#include "vault/edge/anchor.h"
#include "vault/edge/auditor_api.h"
#include "vault/edge/config.h"
#include "vault/edge/confine.h"
#include "vault/edge/listener.h"
#include "vault/edge/mailer.h"
#include "vault/edge/metrics.h"
#include "vault/edge/pages.h"
#include "vault/edge/reload.h"
#include "vault/edge/sealing.h"
#include "vault/edge/service_api.h"

#define PROGRAM         "vaultd"
#define LOG_STOPPED     74
#define LINK_BASE_CHARS 256
#define STATE_CHARS     (VAULT_ERROR_TEXT_BYTES + 64)
#define TICK_MS         1000

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

struct server {
    struct config config;
    struct keyholder_process keyholder;
    const char *trust[CONFIG_TRUST_MAX];
    char link_base[LINK_BASE_CHARS];
    struct sealing *sealing;
    struct anchor *anchor;
    struct mailer *mailer; /* NULL: there is no relay */
    struct vault *vault;   /* under the sealing's lock, with the contexts' */
    struct admin *admin;
    struct admin_context admin_context;
    struct service_api services_context;
    struct pages pages_context;
    struct auditor_api auditors_context;
    struct sealed_handler services_handler;
    struct sealed_handler citizens_handler;
    struct sealed_handler auditors_handler;
    struct tls *services_tls;
    struct tls *citizens_tls;
    struct tls *auditors_tls;
    struct reload reload;
    int durable_fd; /* what the log tells the services' listener */
    struct listener *services;
    struct listener *citizens;
    struct listener *auditors;
    struct listener_counts counts[METRICS_LISTENERS_MAX];
    struct metrics metrics;
    struct sandbox_state sandbox;
};

static void on_trouble(const char *part, const char *text)
{
    log_event(LOG_ERROR, part, "%s", text);
}

static enum vault_code open_anchor(struct server *server, struct vault_error *err)
{
    const struct config *config = &server->config;
    char state_path[PATH_MAX];
    VAULT_TRY(file_join(state_path, sizeof state_path, config->data, "anchors", err));
    const struct anchor_options options = {
        .state_path = state_path,
        .policy_path = config->log.witnesses,
        .witnesses_ca = config->log.witnesses_ca,
        .keep_dir = config->log.keep,
        .timestamps_url = config->log.timestamps,
        .timestamps_ca = config->log.timestamps_ca,
        .plain_http = config->log.plain_http,
        .stale_s = config->log.stale_s,
        .warn_s =
            config->log.warn_s < config->log.stale_s ? config->log.warn_s : config->log.stale_s,
        .clock = clock_system,
    };
    return anchor_open(&options, &server->anchor, err);
}

static enum vault_code open_vault(struct server *server, const struct secret *secret,
                                  struct vault_error *err)
{
    const struct config *config = &server->config;
    for (int64_t i = 0; i < config->trust_count; i++)
        server->trust[i] = config->trust[i];
    struct keyring_provider provider = config_provider(&config->keyring);
    provider.secret = secret;
    const struct vault_options options = {
        .dir = config->data,
        .origin = config->origin,
        .provider = provider,
        .keyholder = server->keyholder.holder,
        .open_citizens_max = (size_t)config->open_citizens,
        .trust = server->trust,
        .trust_count = (size_t)config->trust_count,
        .signatures = (size_t)config->signatures,
        .signatures_to_widen = (size_t)config->signatures_to_widen,
        .openings_months = (unsigned)config->log.openings_months,
        .entries_months = (unsigned)config->log.entries_months,
        .clock = clock_system,
        .anchor = anchor_hooks(server->anchor),
        .trouble = on_trouble,
        .signing = {config->services.clients_ca, config->services_ca_key, config->certificate_days},
        .durable_fd = server->durable_fd,
        .passwords = {config->passwords.words, config->passwords.breached},
    };
    return vault_open(&options, &server->vault, err);
}

/* Everything that comes and goes with the keys. */
static enum vault_code open_all(void *context, const struct secret *secret, struct vault **out,
                                struct vault_error *err)
{
    struct server *server = context;
    VAULT_TRY(open_anchor(server, err));
    VAULT_TRY(open_vault(server, secret, err));
    VAULT_TRY(anchor_start(server->anchor, server->vault, err));
    server->services_context.vault = server->vault;
    server->pages_context.vault = server->vault;
    server->auditors_context.vault = server->vault;
    *out = server->vault;
    return VAULT_OK;
}

static void close_all(void *context)
{
    struct server *server = context;
    vault_close(&server->vault);
    anchor_close(&server->anchor);
    server->services_context.vault = NULL;
    server->pages_context.vault = NULL;
    server->auditors_context.vault = NULL;
}

static void interrupt_all(void *context)
{
    const struct server *server = context;
    if (server->vault)
        vault_interrupt(server->vault);
}

/* Where a listener's figures go, by its name. */
static struct listener_counts *counts_for(struct server *server, const char *name)
{
    const size_t i = server->metrics.listener_count++;
    server->metrics.listeners[i] = (struct metrics_listener){name, &server->counts[i]};
    return &server->counts[i];
}

static enum vault_code start_listener(const struct config_listener *config, const char *name,
                                      struct listener_counts *counts,
                                      struct sealed_handler *handler,
                                      void (*decorate)(struct http_answer *), struct tls **tls,
                                      struct listener **out, struct vault_error *err)
{
    const struct tls_files files = {config->certificate, config->key, config->clients_ca,
                                    config->crl, config->ocsp};
    VAULT_TRY(tls_open(&files, tls, err));
    const struct listener_options options = {
        .name = name,
        .address = config->address,
        .port = (uint16_t)config->port,
        .per_address_max = (unsigned)config->connections_per_address,
        .requests_max = (unsigned)config->requests_per_address,
        .tls = *tls,
        .handler = sealed_handle,
        .starter = handler->starter ? sealed_start : NULL,
        .context = handler,
        .tick_fd = handler->tick_fd,
        .decorate = decorate,
        .counts = counts,
    };
    VAULT_TRY(listener_start(&options, out, err));
    log_event(LOG_INFO, "listen", "%s on %s port %u", name, config->address, listener_port(*out));
    return VAULT_OK;
}

static enum vault_code start_listeners(struct server *server, struct vault_error *err)
{
    const struct config *config = &server->config;
    VAULT_TRY(start_listener(&config->citizens, "citizens", counts_for(server, "citizens"),
                             &server->citizens_handler, pages_decorate, &server->citizens_tls,
                             &server->citizens, err));
    snprintf(server->link_base, sizeof server->link_base, "https://%s:%u", config->citizens_host,
             listener_port(server->citizens));
    VAULT_TRY(start_listener(&config->services, "services", counts_for(server, "services"),
                             &server->services_handler, NULL, &server->services_tls,
                             &server->services, err));
    return start_listener(&config->auditors, "auditors", counts_for(server, "auditors"),
                          &server->auditors_handler, pages_decorate, &server->auditors_tls,
                          &server->auditors, err);
}

/* Open the vault, or leave it sealed where a person has to give something first. */
static enum vault_code open_or_wait(struct server *server, struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *pin = NULL;
    VAULT_TRY(config_read_pin(&server->config.keyring, &pin, err));
    struct keyring_provider provider = config_provider(&server->config.keyring);
    provider.secret = pin;
    const char *needs = keyring_provider_needs(&provider);
    if (!needs)
        return sealing_unseal(server->sealing, pin, err);
    log_event(LOG_WARNING, "sealed", "the vault is sealed until its %s is given: vaultctl unseal",
              needs);
    return VAULT_OK;
}

/* The lock of the log is taken before any port is opened. */
static enum vault_code start(struct server *server, struct vault_error *err)
{
    const struct sealing_calls calls = {server, open_all, close_all, interrupt_all};
    server->durable_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->durable_fd < 0)
        return vault_fail_errno(err, "making an event");
    VAULT_TRY(sealing_new(&calls, &server->sealing, err));
    VAULT_TRY(mailer_open_configured(&server->config.mail, server->link_base, server->sealing,
                                     &server->mailer, err));
    server->services_context.link_base = server->link_base;
    server->pages_context.base = server->link_base;
    server->pages_context.security_contact = server->config.security_contact;
    server->pages_context.accessibility_contact = server->config.accessibility_contact;
    server->pages_context.dpo = &server->config.dpo;
    server->pages_context.mailer = server->mailer;
    server->services_handler = (struct sealed_handler){.sealing = server->sealing,
                                                       .handler = service_api_handle,
                                                       .context = &server->services_context,
                                                       .starter = service_api_start,
                                                       .tick_fd = server->durable_fd};
    server->citizens_handler = (struct sealed_handler){
        .sealing = server->sealing, .handler = pages_handle, .context = &server->pages_context};
    server->auditors_handler = (struct sealed_handler){.sealing = server->sealing,
                                                       .handler = auditor_api_handle,
                                                       .context = &server->auditors_context};
    VAULT_TRY(open_or_wait(server, err));
    server->admin_context =
        (struct admin_context){server->sealing, &server->config,  server->link_base,
                               &server->reload, &server->metrics, &server->sandbox};
    server->metrics.mailer = server->mailer;
    server->metrics.started_s = clock_now_s(&clock_system);
    VAULT_TRY(start_listeners(server, err));
    VAULT_TRY(mailer_start(server->mailer, err)); /* in letters stands where the pages are */
    server->reload = (struct reload){.parts = {{"services", server->services_tls},
                                               {"citizens", server->citizens_tls},
                                               {"auditors", server->auditors_tls}},
                                     .count = RELOAD_PARTS_MAX,
                                     .mutex = PTHREAD_MUTEX_INITIALIZER};
    return admin_start(server->config.admin_socket, &server->admin_context, &server->admin, err);
}

static void stop(struct server *server)
{
    if (server->sealing)
        sealing_interrupt(server->sealing);
    listener_stop(&server->services);
    listener_stop(&server->citizens);
    listener_stop(&server->auditors);
    admin_stop(&server->admin);
    mailer_close(&server->mailer);
    sealing_free(&server->sealing);
    if (server->durable_fd > 0)
        close(server->durable_fd);
    tls_close(&server->services_tls);
    tls_close(&server->citizens_tls);
    tls_close(&server->auditors_tls);
    keyholder_process_stop(&server->keyholder);
}

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
        code = start(server, &err);
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
    stop(server);
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
