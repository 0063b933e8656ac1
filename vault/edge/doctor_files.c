/* What the configuration names is there, and nobody else's to open. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor_parts.h"
#include "vault/base/file.h"
#include "vault/edge/confine.h"

#define OTHERS 077U /* may do anything */
#define WRITES 022U /* may write */

/* What must be in the vault's folder. What is not the log's is its owner's alone. */
static const struct {
    const char *name;
    bool is_folder;
} own_files[] = {
    {"keyring.json", false}, {"control.db", false}, {"openings.db", false},
    {"citizens", true},      {"log", true},         {"policy", true},
};

/* What new passwords are held against. */
static void check_passwords(const struct config_passwords *passwords, const struct checkup *out)
{
    const char *const files[] = {passwords->words, passwords->breached};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i][0] && access(files[i], R_OK) != 0)
            checkup_tell(out, CHECKUP_ERROR, "%s: %s: vaultd does not start without it", files[i],
                         strerrordesc_np(errno));
    }
    if (!passwords->breached[0])
        checkup_tell(out, CHECKUP_NOTICE,
                     "passwords.breached names no filter: a password that leaked elsewhere can be "
                     "set here (the handbook's signing-in.md)");
}

void doctor_check_config(const struct doctor *doctor, const struct checkup *out)
{
    struct stat status;
    struct vault_error err;
    if (stat(doctor->config_path, &status) != 0)
        checkup_tell(out, CHECKUP_ERROR, "%s cannot be read: %s", doctor->config_path,
                     strerrordesc_np(errno));
    else if (status.st_mode & WRITES)
        checkup_tell(out, CHECKUP_ERROR,
                     "%s can be written by others than its owner, who then decide what vaultd "
                     "trusts: chmod go-w",
                     doctor->config_path);
    if (config_check_trust(doctor->config, &err))
        checkup_tell(out, CHECKUP_ERROR, "%s: no bundle can be activated until it is put right",
                     err.text);
    else if (doctor->config->trust_count == 0)
        checkup_tell(out, CHECKUP_WARNING,
                     "policy.trust is empty: nobody can sign a bundle, and none can be activated");
    check_passwords(&doctor->config->passwords, out);
}

static void check_folder(const char *path, const struct stat *status, const struct checkup *out)
{
    if (!S_ISDIR(status->st_mode))
        checkup_tell(out, CHECKUP_ERROR, "%s is no folder", path);
    else if (status->st_mode & OTHERS)
        checkup_tell(out, CHECKUP_WARNING,
                     "%s can be opened by others than its owner: chmod go-rwx", path);
}

void doctor_check_files(const struct doctor *doctor, const struct checkup *out)
{
    const char *data = doctor->config->data;
    struct stat top;
    if (stat(data, &top) != 0) {
        checkup_tell(out, CHECKUP_ERROR, "the vault's folder %s: %s", data, strerrordesc_np(errno));
        return;
    }
    check_folder(data, &top, out);
    for (size_t i = 0; i < sizeof own_files / sizeof own_files[0]; i++) {
        char path[PATH_MAX];
        struct stat status;
        if (file_join(path, sizeof path, data, own_files[i].name, NULL))
            continue;
        if (lstat(path, &status) != 0) {
            checkup_tell(out, CHECKUP_ERROR, "%s: %s: restore it from a backup", path,
                         strerrordesc_np(errno));
            continue;
        }
        if (own_files[i].is_folder)
            check_folder(path, &status, out);
        else if (!S_ISREG(status.st_mode))
            checkup_tell(out, CHECKUP_ERROR, "%s is no regular file", path);
        else if (status.st_mode & OTHERS)
            checkup_tell(out, CHECKUP_ERROR,
                         "%s can be opened by others than its owner: chmod go-rwx", path);
        if (status.st_uid != top.st_uid)
            checkup_tell(out, CHECKUP_ERROR,
                         "%s belongs to another user than the vault's folder: chown it", path);
    }
}

/* How much of a path is its folder's. */
static size_t folder_chars(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static bool same_folder(const char *a, const char *b)
{
    const size_t size = folder_chars(a);
    return size == folder_chars(b) && strncmp(a, b, size) == 0;
}

/* Whoever may write the folder of a key can put another in its place. */
static void check_folder_of(const char *path, const struct checkup *out)
{
    char folder[PATH_MAX];
    struct stat status;
    snprintf(folder, sizeof folder, "%.*s", (int)folder_chars(path), path);
    if (stat(folder, &status) == 0 && (status.st_mode & WRITES) && !(status.st_mode & S_ISVTX))
        checkup_tell(out, CHECKUP_ERROR,
                     "the folder %s, where a key is, can be written by others than its owner: "
                     "chmod go-w",
                     folder);
}

static void check_key_file(const char *path, const char *what, const struct checkup *out)
{
    struct stat status;
    if (!path[0])
        return;
    if (stat(path, &status) != 0) {
        checkup_tell(out, CHECKUP_ERROR, "%s, %s: %s", path, what, strerrordesc_np(errno));
        return;
    }
    if (!S_ISREG(status.st_mode))
        checkup_tell(out, CHECKUP_ERROR, "%s, %s, is no regular file", path, what);
    else if (status.st_mode & OTHERS)
        checkup_tell(out, CHECKUP_ERROR,
                     "%s, %s, can be opened by others than its owner: chmod go-rwx; if anybody "
                     "did, make another key",
                     path, what);
}

/* A worker that was taken over opens the keyring with what it can read. */
static void check_apart(const struct config *config, const struct checkup *out)
{
    struct vault_error err;
    if (strcmp(config->sandbox, "off") != 0 && confine_check_apart(config, &err) == VAULT_DENIED)
        checkup_tell(out, CHECKUP_WARNING, "%s: move it there, and name it so in \"keyring\"",
                     err.text);
}

void doctor_check_key_files(const struct doctor *doctor, const struct checkup *out)
{
    const struct config *config = doctor->config;
    const struct {
        const char *path;
        const char *what;
    } keys[] = {
        {config->keyring.key_file, "the key that opens the vault"},
        {config->keyring.pin_file, "the token's PIN"},
        {config->services.key, "the services' listener's key"},
        {config->citizens.key, "the citizens' listener's key"},
        {config->auditors.key, "the auditors' listener's key"},
        {config->services_ca_key, "the key of the services' CA"},
        {config->auditors_ca_key, "the key of the auditors' CA"},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        bool file_seen = false;
        bool folder_seen = false;
        for (size_t j = 0; j < i; j++) {
            file_seen = file_seen || strcmp(keys[j].path, keys[i].path) == 0;
            folder_seen = folder_seen || same_folder(keys[j].path, keys[i].path);
        }
        if (!file_seen)
            check_key_file(keys[i].path, keys[i].what, out);
        if (!folder_seen)
            check_folder_of(keys[i].path, out);
    }
    check_apart(config, out);
}
