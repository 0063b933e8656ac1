#include "ctl_provider.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "vault/base/file.h"

#define SECRET_CHARS_MAX 1024

struct provider_option {
    const char *option;
    const char *provider; /* NULL: any */
    size_t offset;
    size_t room;
    bool is_path;
    bool is_needed;
};

#define MEMBER(name)                                                                               \
    offsetof(struct config_keyring, name), sizeof(((struct config_keyring *)0)->name)

static const struct provider_option options[] = {
    {"--provider", NULL, MEMBER(provider), false, false},
    {"--key-file", "file", MEMBER(key_file), true, true},
    {"--credential", "credential", MEMBER(credential), false, true},
    {"--module", "pkcs11", MEMBER(module), true, true},
    {"--token", "pkcs11", MEMBER(token), false, true},
    {"--key", "pkcs11", MEMBER(key), false, true},
    {"--pin-file", "pkcs11", MEMBER(pin_file), true, false},
};

#define OPTION_COUNT (sizeof options / sizeof options[0])

static char *value_of(struct config_keyring *keyring, const struct provider_option *option)
{
    return (char *)keyring + option->offset;
}

bool ctl_provider_option(int argc, char **argv, int *i, struct config_keyring *keyring)
{
    for (size_t at = 0; at < OPTION_COUNT; at++) {
        if (strcmp(options[at].option, argv[*i]) != 0)
            continue;
        if (*i + 1 >= argc || strlen(argv[*i + 1]) >= options[at].room || !*argv[*i + 1])
            return false;
        snprintf(value_of(keyring, &options[at]), options[at].room, "%s", argv[++*i]);
        return true;
    }
    return false;
}

/* The configuration is read from wherever vaultd is started. */
static enum vault_code make_absolute(char *path, size_t room, struct vault_error *err)
{
    char here[PATH_MAX];
    char given[PATH_MAX];
    if (!*path || *path == '/')
        return VAULT_OK;
    if (!getcwd(here, sizeof here))
        return vault_fail_errno(err, "finding the current folder");
    snprintf(given, sizeof given, "%s", path);
    return file_join(path, room, here, given, err);
}

/* Of the key that is named by nobody: beside the vault's folder, which vaultd's worker may read. */
static enum vault_code own_folder(const char *vault_dir, char out[PATH_MAX],
                                  struct vault_error *err)
{
    const int length = snprintf(out, PATH_MAX, "%s-key", vault_dir);
    return length >= 0 && length < PATH_MAX
               ? VAULT_OK
               : vault_fail(err, VAULT_TOO_LARGE, "the folder's path is too long");
}

static enum vault_code key_in(const char *folder, char out[PATH_MAX], struct vault_error *err)
{
    return file_join(out, PATH_MAX, folder, "root.key", err);
}

enum vault_code ctl_provider_make_place(const struct config_keyring *keyring, const char *vault_dir,
                                        struct vault_error *err)
{
    char folder[PATH_MAX];
    char own[PATH_MAX];
    VAULT_TRY(own_folder(vault_dir, folder, err));
    VAULT_TRY(key_in(folder, own, err));
    return strcmp(own, keyring->key_file) == 0 ? folder_create(folder, err) : VAULT_OK;
}

enum vault_code ctl_provider_settle(struct config_keyring *keyring, const char *vault_dir,
                                    struct vault_error *err)
{
    if (!keyring->provider[0])
        snprintf(keyring->provider, sizeof keyring->provider, "file");
    if (strcmp(keyring->provider, "file") == 0 && !keyring->key_file[0] && vault_dir) {
        char folder[PATH_MAX];
        VAULT_TRY(own_folder(vault_dir, folder, err));
        VAULT_TRY(key_in(folder, keyring->key_file, err));
    }
    bool is_known = strcmp(keyring->provider, "passphrase") == 0;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct provider_option *option = &options[i];
        char *value = value_of(keyring, option);
        const bool is_its_own =
            option->provider && strcmp(option->provider, keyring->provider) == 0;
        is_known |= is_its_own;
        if (is_its_own && option->is_needed && !*value)
            return vault_fail(err, VAULT_INVALID, "the provider %s needs %s", keyring->provider,
                              option->option);
        if (option->provider && !is_its_own && *value)
            return vault_fail(err, VAULT_INVALID, "%s is not for the provider %s", option->option,
                              keyring->provider);
        if (option->is_path)
            VAULT_TRY(make_absolute(value, option->room, err));
    }
    if (!is_known)
        return vault_fail(err, VAULT_INVALID,
                          "--provider is file, credential, passphrase or pkcs11");
    return VAULT_OK;
}

/* --- What a person gives -------------------------------------------------------------------- */

/* A line, byte by byte: nothing is read ahead, and no copy stays in a buffer of stdio's. */
static enum vault_code read_line(int fd, const char *what, struct secret **out,
                                 struct vault_error *err)
{
    size_t size = 0;
    VAULT_AUTO(secret_free) struct secret *line = NULL;
    VAULT_TRY(secret_new(SECRET_CHARS_MAX, &line, err));
    for (;;) {
        uint8_t byte = 0;
        const ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return vault_fail_errno(err, "reading the %s", what);
        if (got == 0 || byte == '\n')
            break;
        if (size == SECRET_CHARS_MAX)
            return vault_fail(err, VAULT_TOO_LARGE, "the %s is over %d bytes", what,
                              SECRET_CHARS_MAX);
        secret_data(line)[size++] = byte;
    }
    if (size && secret_data(line)[size - 1] == '\r')
        size--;
    if (size == 0)
        return vault_fail(err, VAULT_INVALID,
                          "no %s came in: type it on a terminal, or give it as a line of standard "
                          "input",
                          what);
    return secret_copy((struct bytes){secret_data(line), size}, out, err);
}

static enum vault_code ask(int terminal, const char *prompt, const char *what, struct secret **out,
                           struct vault_error *err)
{
    struct termios before;
    if (tcgetattr(terminal, &before) != 0)
        return vault_fail_errno(err, "asking for the %s", what);
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    dprintf(terminal, "%s%s: ", prompt, what);
    tcsetattr(terminal, TCSAFLUSH, &silent);
    const enum vault_code code = read_line(terminal, what, out, err);
    tcsetattr(terminal, TCSAFLUSH, &before);
    dprintf(terminal, "\n");
    return code;
}

enum vault_code ctl_read_secret(const char *what, bool is_new, struct secret **out,
                                struct vault_error *err)
{
    if (!isatty(STDIN_FILENO))
        return read_line(STDIN_FILENO, what, out, err);
    VAULT_AUTO(file_close) int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    VAULT_AUTO(secret_free) struct secret *first = NULL;
    VAULT_AUTO(secret_free) struct secret *second = NULL;
    if (terminal < 0)
        return vault_fail_errno(err, "opening the terminal");
    VAULT_TRY(ask(terminal, is_new ? "New " : "", what, &first, err));
    if (is_new)
        VAULT_TRY(ask(terminal, "Again, the ", what, &second, err));
    if (is_new && !secret_equal(secret_view(first), secret_view(second)))
        return vault_fail(err, VAULT_INVALID, "the two are not the same");
    *out = VAULT_TAKE(first);
    return VAULT_OK;
}

enum vault_code ctl_provider_secret(const struct config_keyring *keyring, bool is_new,
                                    struct secret **out, struct vault_error *err)
{
    const struct keyring_provider provider = config_provider(keyring);
    const char *needs = keyring_provider_needs(&provider);
    if (!needs)
        return VAULT_OK;
    if (keyring->pin_file[0])
        return config_read_pin(keyring, out, err);
    /* A PIN is the token's, and was chosen before. */
    return ctl_read_secret(needs, is_new && strcmp(needs, "passphrase") == 0, out, err);
}
