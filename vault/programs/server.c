#include "server.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vault/base/file.h"
#include "vault/base/log.h"

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
        .clock_step_ms = LEDGER_CLOCK_STEP_MS,
        .anchor = anchor_hooks(server->anchor),
        .trouble = on_trouble,
        .signing = {config->services.clients_ca, config->services_ca_key, config->certificate_days},
        .durable_fd = server->durable_fd,
        .passwords = {config->passwords.words, config->passwords.breached},
        .mediators_need_passkey = strcmp(config->mediators.passkey, "required") == 0,
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

/* Its figures are told of by its name. */
static enum vault_code start_listener(struct server *server, const char *name,
                                      const struct config_listener *config,
                                      void (*decorate)(struct http_answer *),
                                      struct server_listener *listener, struct vault_error *err)
{
    const struct tls_files files = {config->certificate, config->key, config->clients_ca,
                                    config->crl, config->ocsp};
    struct metrics *metrics = &server->metrics;
    metrics->listeners[metrics->listener_count++] =
        (struct metrics_listener){name, &listener->counts};
    VAULT_TRY(tls_open(&files, &listener->tls, err));
    const struct listener_options options = {
        .name = name,
        .address = config->address,
        .port = (uint16_t)config->port,
        .per_address_max = (unsigned)config->connections_per_address,
        .requests_max = (unsigned)config->requests_per_address,
        .tls = listener->tls,
        .handler = sealed_handle,
        .starter = listener->handler.starter ? sealed_start : NULL,
        .context = &listener->handler,
        .tick_fd = listener->handler.tick_fd,
        .decorate = decorate,
        .counts = &listener->counts,
    };
    VAULT_TRY(listener_start(&options, &listener->open, err));
    log_event(LOG_INFO, "listen", "%s on %s port %u", name, config->address,
              listener_port(listener->open));
    return VAULT_OK;
}

static enum vault_code start_listeners(struct server *server, struct vault_error *err)
{
    const struct config *config = &server->config;
    VAULT_TRY(start_listener(server, "citizens", &config->citizens, pages_decorate,
                             &server->citizens, err));
    snprintf(server->link_base, sizeof server->link_base, "https://%s:%u", config->citizens_host,
             listener_port(server->citizens.open));
    VAULT_TRY(start_listener(server, "services", &config->services, NULL, &server->services, err));
    VAULT_TRY(start_listener(server, "auditors", &config->auditors, pages_decorate,
                             &server->auditors, err));
    server->reload = (struct reload){.parts = {{"services", server->services.tls},
                                               {"citizens", server->citizens.tls},
                                               {"auditors", server->auditors.tls}},
                                     .count = RELOAD_PARTS_MAX,
                                     .mutex = PTHREAD_MUTEX_INITIALIZER};
    return VAULT_OK;
}

/* Who answers behind each listener, and with what; the vault comes and goes. */
static void prepare_handlers(struct server *server)
{
    server->services_context.link_base = server->link_base;
    server->pages_context.base = server->link_base;
    server->pages_context.security_contact = server->config.security_contact;
    server->pages_context.accessibility_contact = server->config.accessibility_contact;
    server->pages_context.dpo = &server->config.dpo;
    server->pages_context.mailer = server->mailer;
    server->services.handler = (struct sealed_handler){.sealing = server->sealing,
                                                       .handler = service_api_handle,
                                                       .context = &server->services_context,
                                                       .starter = service_api_start,
                                                       .tick_fd = server->durable_fd};
    server->citizens.handler = (struct sealed_handler){
        .sealing = server->sealing, .handler = pages_handle, .context = &server->pages_context};
    server->auditors.handler = (struct sealed_handler){.sealing = server->sealing,
                                                       .handler = auditor_api_handle,
                                                       .context = &server->auditors_context};
}

/* Open the vault, or leave it sealed where a person has to give something first. */
static enum vault_code open_or_wait(struct server *server, struct vault_error *err)
{
    const char *needs = config_provider_needs(&server->config.keyring);
    if (!needs)
        return sealing_unseal(server->sealing, NULL, err);
    log_event(LOG_WARNING, "sealed", "the vault is sealed until its %s is given: vaultctl unseal",
              needs);
    return VAULT_OK;
}

/* The lock of the log is taken before any port is opened. */
enum vault_code server_start(struct server *server, struct vault_error *err)
{
    const struct sealing_calls calls = {server, open_all, close_all, interrupt_all};
    server->durable_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->durable_fd < 0)
        return vault_fail_errno(err, "making an event");
    VAULT_TRY(sealing_new(&calls, &server->sealing, err));
    VAULT_TRY(mailer_open_configured(&server->config.mail, server->link_base, server->sealing,
                                     &server->mailer, err));
    prepare_handlers(server);
    VAULT_TRY(open_or_wait(server, err));
    server->admin_context =
        (struct admin_context){server->sealing, &server->config,  server->link_base,
                               &server->reload, &server->metrics, &server->sandbox};
    server->metrics.mailer = server->mailer;
    server->metrics.started_s = clock_now_s(&clock_system);
    VAULT_TRY(start_listeners(server, err));
    VAULT_TRY(mailer_start(server->mailer, err)); /* in letters stands where the pages are */
    return admin_start(server->config.admin_socket, &server->admin_context, &server->admin, err);
}

void server_stop(struct server *server)
{
    if (server->sealing)
        sealing_interrupt(server->sealing);
    listener_stop(&server->services.open);
    listener_stop(&server->citizens.open);
    listener_stop(&server->auditors.open);
    admin_stop(&server->admin);
    mailer_close(&server->mailer);
    sealing_free(&server->sealing);
    if (server->durable_fd > 0)
        close(server->durable_fd);
    tls_close(&server->services.tls);
    tls_close(&server->citizens.tls);
    tls_close(&server->auditors.tls);
}
