#include "ctl_certificates.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/crypto/x509.h"

#define CA_DAYS     3650
#define SERVER_DAYS 397

struct pair {
    struct buf certificate;
    struct buf key;
};

static struct pair pair_new(void)
{
    return (struct pair){buf_limited(X509_PEM_BYTES_MAX), buf_limited(X509_PEM_BYTES_MAX)};
}

static void pair_finish(struct pair *pair)
{
    buf_finish(&pair->certificate);
    buf_finish(&pair->key);
}

/* The folder that a file of the configuration is in; its paths are absolute. */
static void folder_of(char out[PATH_MAX], const char *file)
{
    snprintf(out, PATH_MAX, "%s", file);
    char *slash = strrchr(out, '/');
    assert(slash);
    *slash = 0;
}

static enum vault_code make_folder_of(const char *file, struct vault_error *err)
{
    char folder[PATH_MAX];
    folder_of(folder, file);
    return folder_create(folder[0] ? folder : "/", err);
}

static enum vault_code beside(char out[PATH_MAX], const char *file, const char *name,
                              struct vault_error *err)
{
    char folder[PATH_MAX];
    folder_of(folder, file);
    return file_join(out, PATH_MAX, folder, name, err);
}

static enum vault_code write_pair(const char *certificate_path, const char *key_path,
                                  const struct pair *pair, struct vault_error *err)
{
    VAULT_TRY(make_folder_of(certificate_path, err));
    VAULT_TRY(make_folder_of(key_path, err));
    VAULT_TRY(file_create(certificate_path, buf_view(&pair->certificate), 0644, err));
    return file_create(key_path, buf_view(&pair->key), 0600, err);
}

static bool pair_exists(const char *certificate_path, const char *key_path)
{
    return file_exists(certificate_path) && file_exists(key_path);
}

static enum vault_code make_authority(const char *common_name, const char *certificate_path,
                                      const char *key_path, struct pair *out,
                                      struct vault_error *err)
{
    const struct x509_period period = {clock_now_s(&clock_system), CA_DAYS};
    VAULT_TRY(x509_make_ca(common_name, period, &out->certificate, &out->key, err));
    return write_pair(certificate_path, key_path, out, err);
}

static enum vault_code make_client_ca(const char *common_name, const char *certificate_path,
                                      const char *key_path, struct vault_error *err)
{
    VAULT_AUTO(pair_finish) struct pair made = pair_new();
    if (pair_exists(certificate_path, key_path))
        return VAULT_OK;
    return make_authority(common_name, certificate_path, key_path, &made, err);
}

/* A listener's certificate, by a CA that is there for nothing else and that clients trust. */
static enum vault_code make_server(const struct config_listener *listener, const char *host,
                                   struct pair *ca, struct vault_error *err)
{
    char ca_certificate[PATH_MAX];
    char ca_key[PATH_MAX];
    VAULT_AUTO(pair_finish) struct pair made = pair_new();
    const char *const hosts[] = {host, "localhost", "127.0.0.1"};
    const struct x509_period period = {clock_now_s(&clock_system), SERVER_DAYS};
    if (pair_exists(listener->certificate, listener->key))
        return VAULT_OK;
    if (ca->certificate.size == 0) {
        VAULT_TRY(beside(ca_certificate, listener->certificate, "server-ca.pem", err));
        VAULT_TRY(beside(ca_key, listener->key, "server-ca.key", err));
        VAULT_TRY(make_authority("Citizen Vault servers", ca_certificate, ca_key, ca, err));
    }
    const struct x509_ca signer = {buf_view(&ca->certificate), buf_view(&ca->key)};
    VAULT_TRY(x509_make_server(&signer, hosts, sizeof hosts / sizeof hosts[0], period,
                               &made.certificate, &made.key, err));
    return write_pair(listener->certificate, listener->key, &made, err);
}

enum vault_code ctl_make_certificates(const struct config *config, struct vault_error *err)
{
    VAULT_AUTO(pair_finish) struct pair ca = pair_new();
    VAULT_TRY(make_server(&config->services, config->citizens_host, &ca, err));
    VAULT_TRY(make_server(&config->citizens, config->citizens_host, &ca, err));
    VAULT_TRY(make_server(&config->auditors, config->citizens_host, &ca, err));
    VAULT_TRY(make_client_ca("Citizen Vault services", config->services.clients_ca,
                             config->services_ca_key, err));
    return make_client_ca("Citizen Vault auditors", config->auditors.clients_ca,
                          config->auditors_ca_key, err);
}
