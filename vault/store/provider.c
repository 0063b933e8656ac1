#include "provider.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault/base/file.h"

struct provider_kind {
    const char *name;
    enum vault_code (*create)(const char *place, struct secret **key, struct vault_error *err);
    void (*undo)(const char *place);
    enum vault_code (*fetch)(const char *place, struct secret **key, struct vault_error *err);
};

static enum vault_code key_file_create(const char *path, struct secret **key,
                                       struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *fresh = NULL;
    VAULT_TRY(secret_random(SECRET_KEY_BYTES, &fresh, err));
    VAULT_TRY(file_create(path, secret_view(fresh), 0600, err));
    *key = VAULT_TAKE(fresh);
    return VAULT_OK;
}

static void key_file_undo(const char *path)
{
    unlink(path);
}

static enum vault_code key_file_check(int fd, const char *path, struct vault_error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return vault_fail_errno(err, "looking at the key file %s", path);
    if (!S_ISREG(status.st_mode) || status.st_size != SECRET_KEY_BYTES)
        return vault_fail(err, VAULT_DENIED, "%s is no key file: it should have %d bytes", path,
                          SECRET_KEY_BYTES);
    if (status.st_mode & 077)
        return vault_fail(err, VAULT_DENIED,
                          "others than its owner may read the key file %s: chmod 600 it, and "
                          "consider the key known",
                          path);
    return VAULT_OK;
}

static enum vault_code key_file_fetch(const char *path, struct secret **key,
                                      struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return vault_fail(err, VAULT_NOT_FOUND, "the key file %s is missing", path);
    if (fd < 0)
        return vault_fail_errno(err, "opening the key file %s", path);
    VAULT_TRY(key_file_check(fd, path, err));
    VAULT_AUTO(secret_free) struct secret *read_key = NULL;
    VAULT_TRY(secret_new(SECRET_KEY_BYTES, &read_key, err));
    if (read(fd, secret_data(read_key), SECRET_KEY_BYTES) != SECRET_KEY_BYTES)
        return vault_fail_errno(err, "reading the key file %s", path);
    *key = VAULT_TAKE(read_key);
    return VAULT_OK;
}

static const struct provider_kind kinds[] = {
    {"file", key_file_create, key_file_undo, key_file_fetch},
};

static const struct provider_kind *kind_of(const struct keyring_provider *provider)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, provider->name) == 0)
            return &kinds[i];
    }
    return NULL;
}

static enum vault_code unknown(struct vault_error *err)
{
    return vault_fail(err, VAULT_INVALID, "there is no such key provider; there is: file");
}

enum vault_code provider_create(const struct keyring_provider *provider, struct secret **key,
                                struct vault_error *err)
{
    const struct provider_kind *kind = kind_of(provider);
    return kind ? kind->create(provider->place, key, err) : unknown(err);
}

void provider_undo(const struct keyring_provider *provider)
{
    const struct provider_kind *kind = kind_of(provider);
    if (kind)
        kind->undo(provider->place);
}

enum vault_code provider_fetch(const struct keyring_provider *provider, struct secret **key,
                               struct vault_error *err)
{
    const struct provider_kind *kind = kind_of(provider);
    return kind ? kind->fetch(provider->place, key, err) : unknown(err);
}
