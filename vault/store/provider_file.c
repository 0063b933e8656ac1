/*
 * The provider "file": a key in a file, made with the keyring. Better on another disk than the
 * vault, since whoever has both has everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "provider_kinds.h"
#include "vault/base/file.h"

static enum vault_code check_file(int fd, const char *path, const char *what,
                                  unsigned forbidden_mode, struct vault_error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return vault_fail_errno(err, "looking at the %s %s", what, path);
    if (!S_ISREG(status.st_mode) || status.st_size != SECRET_KEY_BYTES)
        return vault_fail(err, VAULT_DENIED, "%s is no %s: it should have %d bytes", path, what,
                          SECRET_KEY_BYTES);
    if (status.st_mode & forbidden_mode)
        return vault_fail(err, VAULT_DENIED,
                          "others than its owner may read the %s %s: chmod 600 it, and consider "
                          "the key known",
                          what, path);
    return VAULT_OK;
}

enum vault_code provider_key_file(const char *path, const char *what, unsigned forbidden_mode,
                                  struct secret **out, struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return vault_fail(err, VAULT_NOT_FOUND, "the %s %s is missing", what, path);
    if (fd < 0)
        return vault_fail_errno(err, "opening the %s %s", what, path);
    VAULT_TRY(check_file(fd, path, what, forbidden_mode, err));
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(secret_new(SECRET_KEY_BYTES, &key, err));
    if (read(fd, secret_data(key), SECRET_KEY_BYTES) != SECRET_KEY_BYTES)
        return vault_fail_errno(err, "reading the %s %s", what, path);
    *out = VAULT_TAKE(key);
    return VAULT_OK;
}

static enum vault_code create(const struct keyring_provider *options, struct buf *note,
                              struct provider *provider, struct vault_error *err)
{
    (void)note; /* where the file is, the configuration says */
    VAULT_AUTO(secret_free) struct secret *fresh = NULL;
    VAULT_TRY(provider_given(options->place, "the path of a key file", err));
    VAULT_TRY(secret_random(SECRET_KEY_BYTES, &fresh, err));
    const enum vault_code code = file_create(options->place, secret_view(fresh), 0600, err);
    if (code == VAULT_CONFLICT)
        return vault_fail(err, code,
                          "%s is there already: it may be another vault's key; move it away, or "
                          "name another file",
                          options->place);
    VAULT_TRY(code);
    provider->key = VAULT_TAKE(fresh);
    return VAULT_OK;
}

static void undo(const struct keyring_provider *options, struct provider *provider)
{
    (void)provider;
    unlink(options->place);
}

static enum vault_code open_key(const struct keyring_provider *options, struct bytes note,
                                struct provider *provider, struct vault_error *err)
{
    (void)note;
    VAULT_TRY(provider_given(options->place, "the path of a key file", err));
    return provider_key_file(options->place, "key file", 077, &provider->key, err);
}

const struct provider_kind provider_file = {
    .name = "file",
    .whose = "the provider's key, in the key file,",
    .create = create,
    .open = open_key,
    .undo = undo,
};
