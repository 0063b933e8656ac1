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
#include "ctl_provider.h"
#include "options.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/crypto/note.h"
#include "vault/crypto/x509.h"
#include "vault/edge/config.h"
#include "vault/policy/trust.h"
#include "vault/vault/vault.h"

#define CA_DAYS          3650
#define SERVER_DAYS      397
#define FIRST_PORT       8440
#define LAST_FIRST_PORT  65533
#define CONFIG_BYTES_MAX (64U * 1024)

struct init {
    const char *dir;
    const char *origin;
    const char *host;
    struct config_keyring keyring;
    long port; /* of the services; citizens and auditors have the next two */
    bool allow_swap;
    const char *signers[CONFIG_TRUST_MAX];
    size_t signer_count;
    char absolute[PATH_MAX];
    char certs[PATH_MAX];
};

static const char help[] =
    "usage: vaultctl init --dir DIR [options]\n"
    "\n"
    "Make a vault in DIR: keys, encrypted store, access log, certificate authorities, a server\n"
    "certificate and DIR/vaultd.json. The recovery secret is printed once: write it down and lock\n"
    "it away; it opens the vault when the provider of its key is lost.\n"
    "\n"
    "  --dir DIR               where; a new or an empty folder\n"
    "  --origin NAME           the access log's name "
    "(citizen-vault.local/log)\n" CTL_PROVIDER_OPTIONS
    "  --host NAME             the host name of the citizens' pages (localhost)\n"
    "  --port N                port for services; citizens N+1, auditors N+2 (8440)\n"
    "  --policy-signer VKEY    who may sign policy bundles; may be repeated, all must sign;\n"
    "                          \"VKEY until 2028-01-01T00:00:00Z\" for a key that ends then\n"
    "  --allow-swap            run even where memory for keys cannot be locked\n";

static enum vault_code write_pem(const struct init *init, const char *name, const struct buf *pem,
                                 mode_t mode, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, init->certs, name, err));
    return file_create(path, buf_view(pem), mode, err);
}

static enum vault_code make_ca(const struct init *init, const char *common_name, const char *file,
                               struct buf *certificate, struct buf *key, struct vault_error *err)
{
    char name[64];
    const struct x509_period period = {clock_now_s(&clock_system), CA_DAYS};
    VAULT_TRY(x509_make_ca(common_name, period, certificate, key, err));
    snprintf(name, sizeof name, "%s.pem", file);
    VAULT_TRY(write_pem(init, name, certificate, 0644, err));
    snprintf(name, sizeof name, "%s.key", file);
    return write_pem(init, name, key, 0600, err);
}

static enum vault_code make_client_ca(const struct init *init, const char *common_name,
                                      const char *file, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf certificate = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf key = buf_limited(X509_PEM_BYTES_MAX);
    return make_ca(init, common_name, file, &certificate, &key, err);
}

/* The servers' certificate, by a CA that is there for nothing else and that clients trust. */
static enum vault_code make_server(const struct init *init, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf ca_certificate = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf ca_key = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf certificate = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf key = buf_limited(X509_PEM_BYTES_MAX);
    const char *const hosts[] = {init->host, "localhost", "127.0.0.1"};
    const struct x509_period period = {clock_now_s(&clock_system), SERVER_DAYS};
    VAULT_TRY(make_ca(init, "Citizen Vault servers", "server-ca", &ca_certificate, &ca_key, err));
    const struct x509_ca ca = {buf_view(&ca_certificate), buf_view(&ca_key)};
    VAULT_TRY(x509_make_server(&ca, hosts, sizeof hosts / sizeof hosts[0], period, &certificate,
                               &key, err));
    VAULT_TRY(write_pem(init, "server.pem", &certificate, 0644, err));
    return write_pem(init, "server.key", &key, 0600, err);
}

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
    json_write_string(out, bytes_of_text(init->origin));
    buf_format(out, ",\n  \"allow_swap\": %s,\n  ", init->allow_swap ? "true" : "false");
    config_print_keyring(&init->keyring, out);
    buf_text(out, ",\n");
    write_listener(out, "services", init->port,
                   ",\n    \"clients_ca\": \"certs/services-ca.pem\","
                   " \"clients_ca_key\": \"certs/services-ca.key\"");
    VAULT_AUTO(buf_finish) struct buf host = buf_limited(1024);
    buf_text(&host, ",\n    \"host\": ");
    json_write_string(&host, bytes_of_text(init->host));
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
    char path[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CONFIG_BYTES_MAX);
    write_config(init, &text);
    VAULT_TRY(buf_check(&text, err));
    VAULT_TRY(file_join(path, sizeof path, init->absolute, "vaultd.json", err));
    return file_create(path, buf_view(&text), 0600, err);
}

static enum vault_code make_vault(struct init *init, struct secret **recovery,
                                  struct vault_error *err)
{
    VAULT_TRY(folder_create(init->dir, err));
    if (!realpath(init->dir, init->absolute))
        return vault_fail_errno(err, "%s", init->dir);
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    VAULT_TRY(ctl_provider_settle(&init->keyring, init->absolute, err));
    VAULT_TRY(ctl_provider_secret(&init->keyring, true, &secret, err));
    VAULT_TRY(file_join(init->certs, sizeof init->certs, init->absolute, "certs", err));
    struct keyring_provider provider = config_provider(&init->keyring);
    provider.secret = secret;
    const struct vault_options options = {
        .dir = init->absolute,
        .origin = init->origin,
        .provider = provider,
        .clock = clock_system,
    };
    VAULT_TRY(vault_create(&options, recovery, err));
    VAULT_TRY(folder_create(init->certs, err));
    VAULT_TRY(make_server(init, err));
    VAULT_TRY(make_client_ca(init, "Citizen Vault services", "services-ca", err));
    VAULT_TRY(make_client_ca(init, "Citizen Vault auditors", "auditors-ca", err));
    return write_config_file(init, err);
}

static enum vault_code check(const struct init *init, struct vault_error *err)
{
    struct policy_trust trust = {.count = 0};
    if (!note_name_is_valid(bytes_of_text(init->origin)))
        return vault_fail(err, VAULT_INVALID, "an origin has no spaces and no '+'");
    for (size_t i = 0; i < init->signer_count; i++) {
        const enum vault_code code = policy_trust_add(&trust, bytes_of_text(init->signers[i]), err);
        if (code) {
            vault_error_context(err, "--policy-signer");
            return code;
        }
    }
    return VAULT_OK;
}

/* One of init's own options with its value, or without one; false if it is none, or wrong. */
static bool own_option(int argc, char **argv, int *i, struct init *init)
{
    const char *option = argv[*i];
    char *end = NULL;
    if (strcmp(option, "--allow-swap") == 0) {
        init->allow_swap = true;
        return true;
    }
    if (*i + 1 >= argc)
        return false;
    const char *value = argv[++*i];
    if (strcmp(option, "--dir") == 0)
        init->dir = value;
    else if (strcmp(option, "--origin") == 0)
        init->origin = value;
    else if (strcmp(option, "--host") == 0)
        init->host = value;
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
        if (!ctl_provider_option(argc, argv, &i, &init->keyring) &&
            !own_option(argc, argv, &i, init))
            return false;
    }
    return init->dir;
}

int ctl_init(const struct ctl *ctl, int argc, char **argv)
{
    struct init init = {
        .origin = "citizen-vault.local/log", .host = "localhost", .port = FIRST_PORT};
    VAULT_AUTO(secret_free) struct secret *recovery = NULL;
    struct vault_error err;
    bool wants_help = false;
    if (!read_options(argc, argv, &init, &wants_help))
        return ctl_usage("init: --dir DIR is needed, and options as in 'vaultctl init --help'");
    if (wants_help) {
        fputs(help, stdout);
        return 0;
    }
    enum vault_code code = program_start(init.allow_swap, &err);
    if (code == VAULT_OK)
        code = check(&init, &err);
    if (code == VAULT_OK)
        code = make_vault(&init, &recovery, &err);
    if (code)
        return ctl_failed(code, &err);
    const char *words = (const char *)secret_view(recovery).data;
    if (ctl->json)
        printf("{\"config\":\"%s/vaultd.json\",\"recovery\":\"%s\"}\n", init.absolute, words);
    else
        printf("The vault is in %s.\n"
               "Recovery secret, shown only now; write it down and lock it away:\n\n    %s\n\n"
               "Start it with:  vaultd --config %s/vaultd.json\n",
               init.absolute, words, init.absolute);
    return 0;
}
