#include "vault/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "citizen_file.h"
#include "internal.h"
#include "vault/base/file.h"

#define LOCK_FILE "store.lock"

enum vault_code size_check(size_t size, size_t min, size_t max, const char *what,
                           struct vault_error *err)
{
    if (size > max)
        return vault_fail(err, VAULT_TOO_LARGE, "%s has at most %zu bytes", what, max);
    if (size < min)
        return vault_fail(err, VAULT_INVALID, "%s is empty", what);
    return VAULT_OK;
}

enum vault_code text_check(const char *text, size_t min, size_t max, const char *what,
                           struct vault_error *err)
{
    return size_check(strnlen(text, max + 1), min, max, what, err);
}

static enum vault_code lock_file(int fd, const char *path, struct vault_error *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return VAULT_OK;
    if (errno != EWOULDBLOCK)
        return vault_fail_errno(err, "locking %s", path);
    return vault_fail(err, VAULT_UNAVAILABLE,
                      "another process has the store open: it holds the lock %s", path);
}

/* One process at a time. The descriptor holds the lock; it is the caller's to close in any case. */
static enum vault_code take_lock(const char *dir, int *fd, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, dir, LOCK_FILE, err));
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return *fd < 0 ? vault_fail_errno(err, "opening the lock %s", path) : lock_file(*fd, path, err);
}

static enum vault_code check_empty(const char *dir, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, dir, control_file.name, err));
    if (!file_is_missing(path))
        return vault_fail(err, VAULT_CONFLICT, "there is a store already: %s", path);
    return VAULT_OK;
}

static enum vault_code add_nobody(const char *dir, const struct keyring *keyring,
                                  struct vault_error *err)
{
    struct shared control = {0};
    enum vault_code code = shared_open(&control, &control_file, dir, keyring, err);
    if (!code)
        code = citizen_create_nobody(dir, keyring, control.database, err);
    shared_close(&control);
    return code;
}

enum vault_code store_create(const char *dir, const struct keyring *keyring,
                             struct vault_error *err)
{
    VAULT_TRY(folder_create(dir, err));
    VAULT_AUTO(file_close) int lock = -1;
    VAULT_TRY(take_lock(dir, &lock, err));
    VAULT_TRY(check_empty(dir, err));
    char absolute[PATH_MAX];
    if (!realpath(dir, absolute))
        return vault_fail_errno(err, "finding the folder %s", dir);
    VAULT_TRY(citizen_folders_create(absolute, err));
    VAULT_TRY(shared_create(&openings_file, absolute, keyring, err));
    VAULT_TRY(shared_create(&control_file, absolute, keyring, err));
    VAULT_TRY(add_nobody(absolute, keyring, err));
    return folder_sync(absolute, err);
}

static enum vault_code open_parts(struct store *store, const struct store_options *options,
                                  struct vault_error *err)
{
    VAULT_TRY(shared_open(&store->control, &control_file, store->dir, store->keyring, err));
    VAULT_TRY(shared_open(&store->openings, &openings_file, store->dir, store->keyring, err));
    VAULT_TRY(handles_start(&store->handles, options, err));
    VAULT_TRY(control_key_of_nobody(store, &store->nobody, err));
    return citizen_tidy(store, err);
}

/* Nothing of it open yet. */
static enum vault_code store_new(const char *dir, const struct keyring *keyring, struct store **out,
                                 struct vault_error *err)
{
    VAULT_AUTO(store_close) struct store *store = calloc(1, sizeof *store);
    if (!store)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    store->lock = -1;
    pthread_mutex_init(&store->living, NULL);
    store->keyring = keyring;
    if (!realpath(dir, store->dir))
        return vault_fail_errno(err, "finding the folder %s", dir);
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, store->dir, control_file.name, err));
    if (file_is_missing(path))
        return vault_fail(err, VAULT_NOT_FOUND, "there is no store in %s", dir);
    *out = VAULT_TAKE(store);
    return VAULT_OK;
}

enum vault_code store_open(const char *dir, const struct keyring *keyring,
                           const struct store_options *options, struct store **out,
                           struct vault_error *err)
{
    VAULT_AUTO(store_close) struct store *store = NULL;
    VAULT_TRY(store_new(dir, keyring, &store, err));
    VAULT_TRY(take_lock(store->dir, &store->lock, err));
    VAULT_TRY(open_parts(store, options ? options : &(const struct store_options){0}, err));
    *out = VAULT_TAKE(store);
    return VAULT_OK;
}

/* Whoever opens it to serve is kept out, and nothing is made. */
static enum vault_code take_look_lock(const char *dir, int *fd, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, dir, LOCK_FILE, err));
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*fd < 0)
        return errno == ENOENT ? VAULT_OK : vault_fail_errno(err, "opening the lock %s", path);
    if (flock(*fd, LOCK_SH | LOCK_NB) == 0)
        return VAULT_OK;
    return vault_fail(err, VAULT_UNAVAILABLE,
                      "another process has the store open: it holds the lock %s", path);
}

/* What is in a write-ahead log is not in its file yet. */
static enum vault_code check_closed(const char *dir, const struct shared_file *file,
                                    struct vault_error *err)
{
    char path[PATH_MAX];
    struct stat status;
    const int length = snprintf(path, sizeof path, "%s/%s-wal", dir, file->name);
    if (length < 0 || (size_t)length >= sizeof path)
        return vault_fail(err, VAULT_TOO_LARGE, "the path of %s is too long", file->what);
    if (stat(path, &status) != 0)
        return errno == ENOENT ? VAULT_OK : vault_fail_errno(err, "looking at %s", path);
    if (status.st_size == 0)
        return VAULT_OK;
    return vault_fail(err, VAULT_CONFLICT,
                      "%s was not closed as it should be; the next start of vaultd mends that",
                      file->what);
}

static enum vault_code look_at_parts(struct store *store, struct vault_error *err)
{
    VAULT_TRY(take_look_lock(store->dir, &store->lock, err));
    VAULT_TRY(check_closed(store->dir, &control_file, err));
    VAULT_TRY(check_closed(store->dir, &openings_file, err));
    VAULT_TRY(shared_open(&store->control, &control_file, store->dir, store->keyring, err));
    VAULT_TRY(shared_open(&store->openings, &openings_file, store->dir, store->keyring, err));
    return control_key_of_nobody(store, &store->nobody, err);
}

enum vault_code store_look(const char *dir, const struct keyring *keyring, struct store **out,
                           struct vault_error *err)
{
    VAULT_AUTO(store_close) struct store *store = NULL;
    VAULT_TRY(store_new(dir, keyring, &store, err));
    store->look = store->control.look = store->openings.look = true;
    VAULT_TRY(look_at_parts(store, err));
    *out = VAULT_TAKE(store);
    return VAULT_OK;
}

void store_close(struct store **store)
{
    struct store *closing = *store;
    *store = NULL;
    if (!closing)
        return;
    handles_finish(&closing->handles);
    shared_close(&closing->openings);
    shared_close(&closing->control);
    file_close(&closing->lock);
    pthread_mutex_destroy(&closing->living);
    free(closing);
}

struct store_stats store_stats(struct store *store)
{
    return handles_stats(&store->handles);
}
