/*
 * vaultctl init: a complete vault in a folder, ready to run: keyring, store, log, certificate
 * authorities, a server certificate and the configuration.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_certificates.h"
#include "ctl_provider.h"
#include "options.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/crypto/note.h"
#include "vault/edge/config.h"
#include "vault/policy/trust.h"
#include "vault/vault/vault.h"

#define FIRST_PORT       8440
#define LAST_FIRST_PORT  65533
#define CONFIG_BYTES_MAX (64U * 1024)

struct init {
    const char *dir; /* NULL: all is as the configuration that is given says */
    long port;       /* of the services; citizens and auditors have the next two */
    const char *signers[CONFIG_TRUST_MAX];
    size_t signer_count;
    struct config config; /* what is made */
};

static const char help[] =
    "usage: vaultctl init --dir DIR [options]\n"
    "       vaultctl --config FILE init\n"
    "\n"
    "Make a vault in DIR: keys, encrypted store, access log, certificate authorities, a server\n"
    "certificate and DIR/vaultd.json. The recovery secret is printed once: write it down and lock\n"
    "it away; it opens the vault when the provider of its key is lost.\n"
    "\n"
    "With --config make the vault that this configuration tells of, where it says. Certificates\n"
    "that are there already stay; an option of the list below is none then.\n"
    "\n"
    "  --dir DIR               where; a new or an empty folder\n"
    "  --origin NAME           the access log's name "
    "(citizen-vault.local/log)\n" CTL_PROVIDER_OPTIONS
    "  --host NAME             the host name of the citizens' pages (localhost)\n"
    "  --port N                port for services; citizens N+1, auditors N+2 (8440)\n"
    "  --policy-signer VKEY    who may sign policy bundles; may be repeated, all must sign;\n"
    "                          \"VKEY until 2028-01-01T00:00:00Z\" for a key that ends then\n"
    "  --allow-swap            run even where memory for keys cannot be locked\n";

static void write_listener(struct buf *out, const char *name, long port, const char *more)
{
    buf_format(out,
               "  \"%s\": {\"address\": \"127.0.0.1\", \"port\": %ld,\n"
               "    \"certificate\": \"certs/server.pem\", \"key\": \"certs/server.key\"%s},\n",
               name, port, more);
}

static void write_config(const struct init *init, struct buf *out)
{
    buf_text(out, "{\n  \"data\": \".\",\n  \"origin\": ");
    json_write_string(out, bytes_of_text(init->config.origin));
    buf_format(out, ",\n  \"allow_swap\": %s,\n  ", init->config.allow_swap ? "true" : "false");
    config_print_keyring(&init->config.keyring, out);
    buf_text(out, ",\n");
    write_listener(out, "services", init->port,
                   ",\n    \"clients_ca\": \"certs/services-ca.pem\","
                   " \"clients_ca_key\": \"certs/services-ca.key\"");
    VAULT_AUTO(buf_finish) struct buf host = buf_limited(1024);
    buf_text(&host, ",\n    \"host\": ");
    json_write_string(&host, bytes_of_text(init->config.citizens_host));
    write_listener(out, "citizens", init->port ? init->port + 1 : 0, buf_string(&host));
    write_listener(out, "auditors", init->port ? init->port + 2 : 0,
                   ",\n    \"clients_ca\": \"certs/auditors-ca.pem\","
                   " \"clients_ca_key\": \"certs/auditors-ca.key\"");
    buf_text(out, "  \"admin\": {\"socket\": \"admin.sock\"},\n  \"policy\": {\"trust\": [");
    for (size_t i = 0; i < init->signer_count; i++) {
        buf_text(out, i ? ", " : "");
        json_write_string(out, bytes_of_text(init->signers[i]));
    }
    const size_t signatures = init->signer_count ? init->signer_count : 1;
    buf_format(out, "],\n    \"signatures\": %zu, \"signatures_to_widen\": %zu},\n", signatures,
               policy_signatures_to_widen(init->signer_count, signatures));
    buf_text(out, "  \"limits\": {\"open_citizens\": 1000}\n}\n");
}

static enum vault_code write_config_file(const struct init *init, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CONFIG_BYTES_MAX);
    write_config(init, &text);
    VAULT_TRY(buf_check(&text, err));
    return file_create(init->config.path, buf_view(&text), 0600, err);
}

/* Where everything is in a folder of its own. The same names stand in write_config(). */
static enum vault_code place_in_folder(struct init *init, struct vault_error *err)
{
    struct config *config = &init->config;
    const struct {
        char *out;
        const char *name;
    } places[] = {
        {config->path, "vaultd.json"},
        {config->services.certificate, "certs/server.pem"},
        {config->services.key, "certs/server.key"},
        {config->services.clients_ca, "certs/services-ca.pem"},
        {config->services_ca_key, "certs/services-ca.key"},
        {config->citizens.certificate, "certs/server.pem"},
        {config->citizens.key, "certs/server.key"},
        {config->auditors.certificate, "certs/server.pem"},
        {config->auditors.key, "certs/server.key"},
        {config->auditors.clients_ca, "certs/auditors-ca.pem"},
        {config->auditors_ca_key, "certs/auditors-ca.key"},
    };
    VAULT_TRY(folder_create(init->dir, err));
    if (!realpath(init->dir, config->data))
        return vault_fail_errno(err, "%s", init->dir);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        VAULT_TRY(file_join(places[i].out, PATH_MAX, config->data, places[i].name, err));
    return ctl_provider_settle(&config->keyring, config->data, err);
}

static enum vault_code make_vault(struct init *init, struct secret **recovery,
                                  struct vault_error *err)
{
    const struct config *config = &init->config;
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    if (init->dir)
        VAULT_TRY(place_in_folder(init, err));
    VAULT_TRY(folder_create(config->data, err));
    VAULT_TRY(ctl_provider_make_place(&config->keyring, config->data, err));
    VAULT_TRY(ctl_provider_secret(&config->keyring, true, &secret, err));
    struct keyring_provider provider = config_provider(&config->keyring);
    provider.secret = secret;
    const struct vault_options options = {
        .dir = config->data,
        .origin = config->origin,
        .provider = provider,
        .clock = clock_system,
    };
    VAULT_TRY(vault_create(&options, recovery, err));
    VAULT_TRY(ctl_make_certificates(config, err));
    return init->dir ? write_config_file(init, err) : VAULT_OK;
}

static enum vault_code check(const struct init *init, struct vault_error *err)
{
    struct policy_trust trust = {.count = 0};
    if (!note_name_is_valid(bytes_of_text(init->config.origin)))
        return vault_fail(err, VAULT_INVALID, "an origin has no spaces and no '+'");
    if (!init->dir)
        return config_check_trust(&init->config, err);
    for (size_t i = 0; i < init->signer_count; i++) {
        const enum vault_code code = policy_trust_add(&trust, bytes_of_text(init->signers[i]), err);
        if (code) {
            vault_error_context(err, "--policy-signer");
            return code;
        }
    }
    return VAULT_OK;
}

/* A value that fits where it goes. */
static bool take(char out[CONFIG_NAME_CHARS], const char *value)
{
    return snprintf(out, CONFIG_NAME_CHARS, "%s", value) < CONFIG_NAME_CHARS;
}

/* One of init's own options with its value, or without one; false if it is none, or wrong. */
static bool own_option(int argc, char **argv, int *i, struct init *init)
{
    const char *option = argv[*i];
    char *end = NULL;
    if (strcmp(option, "--allow-swap") == 0)
        return init->config.allow_swap = true;
    if (*i + 1 >= argc)
        return false;
    const char *value = argv[++*i];
    if (strcmp(option, "--dir") == 0)
        init->dir = value;
    else if (strcmp(option, "--origin") == 0)
        return take(init->config.origin, value);
    else if (strcmp(option, "--host") == 0)
        return take(init->config.citizens_host, value);
    else if (strcmp(option, "--port") == 0)
        init->port = strtol(value, &end, 10);
    else if (strcmp(option, "--policy-signer") == 0 && init->signer_count < CONFIG_TRUST_MAX)
        init->signers[init->signer_count++] = value;
    else
        return false;
    return !end || (!*end && *value && init->port >= 0 && init->port <= LAST_FIRST_PORT);
}

static bool read_options(int argc, char **argv, struct init *init, bool *wants_help)
{
    for (int i = 1; i < argc; i++) {
        *wants_help = strcmp(argv[i], "--help") == 0;
        if (*wants_help)
            return true;
        if (!ctl_provider_option(argc, argv, &i, &init->config.keyring) &&
            !own_option(argc, argv, &i, init))
            return false;
    }
    return init->dir;
}

static void print_made(const struct ctl *ctl, const struct config *config, struct secret *recovery)
{
    const char *words = (const char *)secret_view(recovery).data;
    if (ctl->json)
        printf("{\"config\":\"%s\",\"recovery\":\"%s\"}\n", config->path, words);
    else
        printf("The vault is in %s.\n"
               "Recovery secret, shown only now; write it down and lock it away:\n\n    %s\n\n"
               "Start it with:  vaultd --config %s\n",
               config->data, words, config->path);
}

static int init_run(const struct ctl *ctl, struct init *init)
{
    struct vault_error err;
    VAULT_AUTO(secret_free) struct secret *recovery = NULL;
    enum vault_code code = VAULT_OK;
    if (!init->dir)
        code = config_read(ctl->config, &init->config, &err);
    if (code == VAULT_OK)
        code = program_start(init->config.allow_swap, &err);
    if (code == VAULT_OK)
        code = check(init, &err);
    if (code == VAULT_OK)
        code = make_vault(init, &recovery, &err);
    if (code)
        return ctl_failed(code, &err);
    print_made(ctl, &init->config, recovery);
    return 0;
}

int ctl_init(const struct ctl *ctl, int argc, char **argv)
{
    bool wants_help = false;
    const bool by_config = ctl->config && argc == 1;
    struct init *init = calloc(1, sizeof *init);
    if (!init)
        return vault_code_exit(VAULT_NO_MEMORY);
    init->port = FIRST_PORT;
    (void)take(init->config.origin, "citizen-vault.local/log");
    (void)take(init->config.citizens_host, "localhost");
    int result = 0;
    if (!by_config &&
        (!read_options(argc, argv, init, &wants_help) || (ctl->config && !wants_help)))
        result =
            ctl_usage("init: --dir DIR is needed, and options as in 'vaultctl init --help'; or "
                      "--config FILE before it, and no option");
    else if (wants_help)
        fputs(help, stdout);
    else
        result = init_run(ctl, init);
    free(init);
    return result;
}
