#include "vault/edge/confine.h"

#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"
#include "vault/base/file.h"
#include "vault/ledger/quorum.h"

#define RULES_MAX   96
#define CONNECT_MAX (QUORUM_NAMES_MAX + 3)
#define DNS_PORT    53
#define READ_WRITE  (SANDBOX_READ | SANDBOX_WRITE)

/* What is needed, being put together. */
struct needs {
    struct sandbox_rule rules[RULES_MAX];
    char paths[RULES_MAX][PATH_MAX];
    size_t rule_count;
    uint16_t connect[CONNECT_MAX];
    size_t connect_count;
};

static void add(struct needs *needs, const char *path, unsigned rights)
{
    if (!path || !path[0] || needs->rule_count == RULES_MAX)
        return;
    char *place = needs->paths[needs->rule_count];
    snprintf(place, PATH_MAX, "%s", path);
    needs->rules[needs->rule_count++] = (struct sandbox_rule){place, rights};
}

/* The folder that a file is in. Of one at the top of all, the file: the rest is not meant. */
static void add_parent(struct needs *needs, const char *path, unsigned rights)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == folder)
        slash = NULL;
    if (slash)
        *slash = 0;
    add(needs, slash || folder[0] == '/' ? folder : ".", rights);
}

/* The same, and where the file is if its path is a link. */
static void add_folder_of(struct needs *needs, const char *path)
{
    char real[PATH_MAX];
    if (!path[0])
        return;
    add_parent(needs, path, SANDBOX_READ);
    if (realpath(path, real) && strcmp(real, path) != 0)
        add_parent(needs, real, SANDBOX_READ);
}

/* What an operator put elsewhere by a link is the vault's all the same. */
static void add_data(struct needs *needs, const char *data)
{
    static const char *const parts[] = {"log", "log/journal", "log/tile", "citizens", "policy"};
    char path[PATH_MAX];
    add(needs, data, READ_WRITE);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (file_join(path, sizeof path, data, parts[i], NULL) == VAULT_OK)
            add(needs, path, READ_WRITE);
    }
}

static void add_named(struct needs *needs, const struct config *config)
{
    const struct config_listener *listeners[] = {&config->services, &config->citizens,
                                                 &config->auditors};
    const char *const files[] = {
        config->path,          config->services_ca_key,  config->auditors_ca_key,
        config->log.witnesses, config->log.witnesses_ca, config->log.timestamps_ca,
        config->mail.ca,       config->passwords.words,  config->passwords.breached,
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        add_folder_of(needs, files[i]);
    for (size_t i = 0; i < sizeof listeners / sizeof listeners[0]; i++) {
        add_folder_of(needs, listeners[i]->certificate);
        add_folder_of(needs, listeners[i]->key);
        add_folder_of(needs, listeners[i]->clients_ca);
        add_folder_of(needs, listeners[i]->crl);
        add_folder_of(needs, listeners[i]->ocsp);
    }
    add(needs, config->log.keep, READ_WRITE);
    add_parent(needs, config->admin_socket, SANDBOX_SOCKETS);
}

static void add_machine(struct needs *needs)
{
    static const char *const paths[] = {
        "/dev/null",      "/dev/urandom",        "/proc/self",
        "/proc/swaps",    "/proc/stat",          "/sys/devices/system/cpu",
        "/etc/localtime", "/usr/share/zoneinfo",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        add(needs, paths[i], SANDBOX_READ);
}

/* --- Whom it calls -------------------------------------------------------------------------- */

static void add_url(struct needs *needs, const char *url)
{
    const uint16_t port = url[0] ? fetch_url_port(url) : 0;
    if (port && needs->connect_count < CONNECT_MAX)
        needs->connect[needs->connect_count++] = port;
}

/* A policy that cannot be read is told when it is opened, by whoever opens it. */
static void add_witnesses(struct needs *needs, const char *path)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(QUORUM_FILE_MAX_BYTES);
    VAULT_AUTO(quorum_free) struct quorum *quorum = NULL;
    if (!path[0] || file_read(path, &text, NULL) || quorum_parse(buf_view(&text), &quorum, NULL))
        return;
    for (size_t i = 0; i < quorum_witness_count(quorum); i++)
        add_url(needs, quorum_witness_url(quorum, i));
}

/* The C library loads what looks names up when it is first asked, and cannot any more later. */
static void load_name_services(void)
{
    struct addrinfo *found = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &found) == 0)
        freeaddrinfo(found);
}

static void add_calls(struct needs *needs, const struct config *config)
{
    static const char *const paths[] = {"/etc", "/run/systemd/resolve",
                                        "/usr/share/ca-certificates",
                                        "/usr/local/share/ca-certificates"};
    add_witnesses(needs, config->log.witnesses);
    add_url(needs, config->log.timestamps);
    add_url(needs, config->mail.relay);
    if (!config->log.witnesses[0] && !config->log.timestamps[0] && !config->mail.relay[0])
        return;
    needs->connect[needs->connect_count++] = DNS_PORT; /* of long answers; short ones go by UDP */
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        add(needs, paths[i], SANDBOX_READ);
    add_folder_of(needs, "/etc/resolv.conf");
}

/* --- The keyholder's own -------------------------------------------------------------------- */

/* Whether what lies there is what the rule lets in. */
static bool is_below(const char *path, const char *folder)
{
    char real[PATH_MAX];
    if (!realpath(folder, real))
        return false;
    const size_t size = strlen(real);
    return strncmp(path, real, size) == 0 &&
           (!path[size] || path[size] == '/' || strcmp(real, "/") == 0);
}

static const char *reads(const struct needs *needs, const char *path)
{
    char real[PATH_MAX];
    if (!path[0] || !realpath(path, real))
        return NULL;
    for (size_t i = 0; i < needs->rule_count; i++) {
        if ((needs->rules[i].rights & SANDBOX_READ) && is_below(real, needs->rules[i].path))
            return needs->rules[i].path;
    }
    return NULL;
}

/* What opens the keyring, where this process could read it. */
static enum vault_code check_apart(const struct needs *needs, const struct config *config,
                                   struct vault_error *err)
{
    const char *const files[] = {config->keyring.key_file, config->keyring.pin_file};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *folder = reads(needs, files[i]);
        if (folder)
            return vault_fail(err, VAULT_DENIED,
                              "%s lies where vaultd's worker may read, in %s: it is its "
                              "keyholder's alone in a folder of its own",
                              files[i], folder);
    }
    return VAULT_OK;
}

/* --- All of it ------------------------------------------------------------------------------ */

static bool has_abstract_manager(void)
{
    const char *name = getenv("NOTIFY_SOCKET"); /* sd_notify(3) */
    return name && name[0] == '@';
}

static void gather(struct needs *needs, const struct config *config)
{
    add_data(needs, config->data);
    add_named(needs, config);
    add_machine(needs);
    add_calls(needs, config);
}

enum vault_code confine_check_apart(const struct config *config, struct vault_error *err)
{
    struct needs *needs = calloc(1, sizeof *needs);
    if (!needs)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    gather(needs, config);
    const enum vault_code code = check_apart(needs, config, err);
    free(needs);
    return code;
}

static enum vault_code enter(const struct config *config, const struct needs *needs,
                             struct sandbox_state *out, struct vault_error *err)
{
    const bool is_required = strcmp(config->sandbox, "required") == 0;
    const uint16_t bind_ports[] = {(uint16_t)config->services.port, (uint16_t)config->citizens.port,
                                   (uint16_t)config->auditors.port};
    const struct sandbox_options options = {
        .profile = SANDBOX_WORKER,
        .needs_landlock = is_required,
        .needs_abstract_sockets = has_abstract_manager(),
        .rules = needs->rules,
        .rule_count = needs->rule_count,
        .bind_ports = bind_ports,
        .bind_count = sizeof bind_ports / sizeof bind_ports[0],
        .connect_ports = needs->connect,
        .connect_count = needs->connect_count,
    };
    if (is_required)
        VAULT_TRY(check_apart(needs, config, err));
    if (needs->connect_count)
        load_name_services();
    return sandbox_enter(&options, out, err);
}

enum vault_code confine_enter(const struct config *config, struct sandbox_state *out,
                              struct vault_error *err)
{
    if (strcmp(config->sandbox, "off") == 0)
        return VAULT_OK;
    struct needs *needs = calloc(1, sizeof *needs);
    if (!needs)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    gather(needs, config);
    const enum vault_code code = enter(config, needs, out, err);
    free(needs);
    if (code)
        vault_error_context(err, "\"sandbox\" is \"%s\" in the configuration", config->sandbox);
    return code;
}

enum vault_code confine_keyholder(const struct config *config, struct vault_error *err)
{
    struct sandbox_state state;
    if (strcmp(config->sandbox, "off") == 0)
        return VAULT_OK;
    struct needs *needs = calloc(1, sizeof *needs);
    if (!needs)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    add(needs, config->data, READ_WRITE);
    add_folder_of(needs, config->keyring.key_file);
    add_folder_of(needs, config->keyring.pin_file);
    add(needs, getenv("CREDENTIALS_DIRECTORY"), SANDBOX_READ); /* systemd.exec(5) */
    add_machine(needs);
    const struct sandbox_options options = {
        .profile = SANDBOX_KEYHOLDER,
        .needs_landlock = strcmp(config->sandbox, "required") == 0,
        .with_module = config->keyring.module[0] != 0,
        .with_threads = strcmp(config->keyring.provider, "passphrase") == 0,
        .rules = needs->rules,
        .rule_count = needs->rule_count,
    };
    const enum vault_code code = sandbox_enter(&options, &state, err);
    free(needs);
    return code;
}

void confine_describe(const struct sandbox_state *state, char text[CONFINE_TEXT_CHARS + 1])
{
    const size_t room = CONFINE_TEXT_CHARS + 1;
    if (!state->is_entered)
        snprintf(text, room,
                 "vaultd is in no sandbox: \"sandbox\" is \"off\" in its configuration");
    else if (state->landlock)
        snprintf(text, room, "vaultd is in its sandbox: seccomp, and Landlock by ABI %d",
                 state->landlock);
    else
        snprintf(text, room,
                 "vaultd is in its sandbox by seccomp alone: this kernel has no Landlock (Linux "
                 "5.19, and \"landlock\" in its parameter lsm=), so that any file of its user's "
                 "can be opened");
}
