/*
 * server - what vaultd serves with: the vault and what comes and goes with its keys, a listener
 * each for citizens, services and auditors, the operator's socket, and the letters.
 *
 * The listeners are open whether or not the vault is: sealed, they say so (edge/sealing.h). What a
 * server needs from before it starts, the program puts in first: the configuration, the keyholder
 * and what the sandbox holds; everything else begins as zeros.
 */
#pragma once

#include "keyholder_process.h"
#include "vault/edge/admin.h"
#include "vault/edge/anchor.h"
#include "vault/edge/auditor_api.h"
#include "vault/edge/config.h"
#include "vault/edge/listener.h"
#include "vault/edge/mailer.h"
#include "vault/edge/metrics.h"
#include "vault/edge/pages.h"
#include "vault/edge/reload.h"
#include "vault/edge/sealing.h"
#include "vault/edge/service_api.h"

#define SERVER_LINK_BASE_CHARS 256

/* One port: who answers behind it, under which certificate, and what came and went. */
struct server_listener {
    struct sealed_handler handler;
    struct tls *tls;
    struct listener *open;
    struct listener_counts counts;
};

struct server {
    struct config config;
    struct keyholder_process keyholder;
    const char *trust[CONFIG_TRUST_MAX];
    char link_base[SERVER_LINK_BASE_CHARS];
    struct sealing *sealing;
    struct anchor *anchor;
    struct mailer *mailer; /* NULL: there is no relay */
    struct vault *vault;   /* under the sealing's lock, with the contexts' */
    struct admin *admin;
    struct admin_context admin_context;
    struct service_api services_context;
    struct pages pages_context;
    struct auditor_api auditors_context;
    struct reload reload;
    int durable_fd; /* what the log tells the services' listener */
    struct server_listener services;
    struct server_listener citizens;
    struct server_listener auditors;
    struct metrics metrics;
    struct sandbox_state sandbox;
};

/* Open the vault, or leave it sealed where a person has to give something first; then listen. What
 * a start that failed has opened is server_stop()'s. */
enum vault_code server_start(struct server *server, struct vault_error *err) VAULT_MUST_CHECK;

/* Answer what is being answered, and close everything but the keyholder. */
void server_stop(struct server *server);
