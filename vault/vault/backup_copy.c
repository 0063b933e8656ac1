/* What a backup is made of, copied while the vault goes on: the store, the index and the log at one
 * size, the policy, the keyring, and sealed what lies beside. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup_job.h"
#include "erased_list.h"
#include "event.h"
#include "indexer.h"
#include "parts.h"
#include "retention.h"
#include "vault/base/file.h"
#include "vault/crypto/seal.h"
#include "vault/ledger/copy.h"
#include "vault/store/control_citizen.h"
#include "vault/store/store_copy.h"

#define INDEX_WAIT_MS 30000

/* --- How it does ---------------------------------------------------------------------------- */

static void say(struct backup_job *job, const char *step)
{
    pthread_mutex_lock(&job->mutex);
    job->progress.step = step;
    pthread_mutex_unlock(&job->mutex);
}

static enum vault_code goes_on(void *context, uint64_t bytes, struct vault_error *err)
{
    struct backup_job *job = context;
    pthread_mutex_lock(&job->mutex);
    job->progress.bytes += bytes;
    pthread_mutex_unlock(&job->mutex);
    return atomic_load(&job->cancelled)
               ? vault_fail(err, VAULT_UNAVAILABLE, "the backup was given up")
               : VAULT_OK;
}

static enum vault_code add(struct backup_job *job, const char *name, uint64_t size,
                           const uint8_t hash[SHA256_BYTES], struct vault_error *err)
{
    pthread_mutex_lock(&job->mutex);
    job->progress.files++;
    pthread_mutex_unlock(&job->mutex);
    return contents_add(&job->manifest, name, size, hash, err);
}

/* --- Single files --------------------------------------------------------------------------- */

static enum vault_code create(const struct backup_job *job, const char *name, int *out,
                              struct vault_error *err)
{
    return job->place.calls->create(job->place.context, name, out, err);
}

/* A file_taker: a copy, and its line in the manifest. */
static enum vault_code take(void *context, const char *name, int fd, uint64_t size_bytes,
                            struct vault_error *err)
{
    struct backup_job *job = context;
    char full[FOLDER_NAME_CHARS + 1];
    uint8_t hash[SHA256_BYTES];
    VAULT_AUTO(file_close) int to = -1;
    const int length = snprintf(full, sizeof full, "%s%s", job->prefix, name);
    if (length < 0 || (size_t)length >= sizeof full)
        return vault_fail(err, VAULT_TOO_LARGE, "a file's name is too long to be backed up");
    VAULT_TRY(create(job, full, &to, err));
    const struct backup_pour pour = {fd, to, size_bytes, "a file", goes_on, job};
    VAULT_TRY(backup_pour(&pour, job->hasher, hash, err));
    return add(job, full, size_bytes, hash, err);
}

/* A database that was copied beside the vault: into the backup, and away from here. */
static enum vault_code take_spooled(struct backup_job *job, const char *name,
                                    struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, job->spool, name, err));
    VAULT_TRY(folder_give(path, name, take, job, err));
    return unlink(path) == 0 ? VAULT_OK : vault_fail_errno(err, "removing %s", path);
}

static enum vault_code put(struct backup_job *job, const char *name, struct bytes content,
                           struct vault_error *err)
{
    uint8_t hash[SHA256_BYTES];
    VAULT_AUTO(file_close) int to = -1;
    VAULT_TRY(create(job, name, &to, err));
    VAULT_TRY(file_write_all(to, content, err));
    hasher_begin(job->hasher);
    hasher_add(job->hasher, content);
    hasher_end(job->hasher, hash);
    VAULT_TRY(goes_on(job, content.size, err));
    return add(job, name, content.size, hash, err);
}

/* "sealed/inside/certs/server.key" or "sealed/outside/etc/vaultd.json" */
static enum vault_code sealed_name(const struct backup_job *job, const char *path,
                                   char out[FOLDER_NAME_CHARS + 1], struct vault_error *err)
{
    char real[PATH_MAX];
    char data[PATH_MAX];
    if (!realpath(path, real) || !realpath(job->vault->options.dir, data))
        return vault_fail_errno(err, "finding %s", path);
    const size_t size = strlen(data);
    const bool inside = strncmp(real, data, size) == 0 && real[size] == '/';
    const int length =
        snprintf(out, FOLDER_NAME_CHARS + 1, BACKUP_SEALED "%s%s",
                 inside ? BACKUP_INSIDE : BACKUP_OUTSIDE, inside ? real + size + 1 : real + 1);
    if (length < 0 || length > FOLDER_NAME_CHARS)
        return vault_fail(err, VAULT_TOO_LARGE, "the path %.80s is too long", path);
    return VAULT_OK;
}

static enum vault_code add_sealed(struct backup_job *job, const char *path, struct vault_error *err)
{
    char name[FOLDER_NAME_CHARS + 1];
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(BACKUP_SEALED_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf bound = buf_limited(FOLDER_NAME_CHARS + 64);
    VAULT_AUTO(buf_finish)
    struct buf sealed = buf_limited(BACKUP_SEALED_MAX_BYTES + SEAL_OVERHEAD_BYTES);
    VAULT_TRY(sealed_name(job, path, name, err));
    VAULT_TRY(file_read_regular(path, &content, err));
    backup_bind(name, &bound);
    VAULT_TRY(seal(job->key, buf_view(&bound), buf_view(&content), &sealed, err));
    const enum vault_code code = put(job, name, buf_view(&sealed), err);
    return code == VAULT_CONFLICT ? VAULT_OK : code; /* named twice in the configuration */
}

static enum vault_code add_certificate(void *context, const char *name, int fd, uint64_t size_bytes,
                                       struct vault_error *err)
{
    struct backup_job *job = context;
    char path[PATH_MAX];
    (void)fd;
    (void)size_bytes;
    VAULT_TRY(file_join(path, sizeof path, job->certificates, name, err));
    return add_sealed(job, path, err);
}

static enum vault_code add_all_sealed(struct backup_job *job, struct vault_error *err)
{
    say(job, "configuration and certificates");
    VAULT_TRY(add_sealed(job, job->config, err));
    for (size_t i = 0; i < job->file_count; i++) {
        if (!file_is_missing(job->files[i]))
            VAULT_TRY(add_sealed(job, job->files[i], err));
    }
    return job->certificates[0] && !file_is_missing(job->certificates)
               ? folder_walk(job->certificates, "", add_certificate, job, err)
               : VAULT_OK;
}

/* --- The store ------------------------------------------------------------------------------ */

static enum vault_code copy_steps(struct backup_job *job, struct store_copy *copy, bool almost,
                                  struct vault_error *err)
{
    bool done = false;
    while (!done) {
        VAULT_TRY(goes_on(job, 0, err));
        VAULT_TRY(store_copy_step(copy, almost, &done, err));
    }
    return VAULT_OK;
}

static enum vault_code copy_control(struct backup_job *job, struct vault_error *err)
{
    struct store_copy *copy = NULL;
    say(job, "control store");
    VAULT_TRY(store_copy_begin(job->vault->store, STORE_CONTROL, job->spool, &copy, err));
    const enum vault_code code = copy_steps(job, copy, false, err);
    store_copy_end(&copy);
    return code;
}

static enum vault_code copy_citizen(struct backup_job *job, const struct citizen_id *id,
                                    struct vault_error *err)
{
    bool gone = false;
    VAULT_TRY(store_copy_citizen(job->vault->store, id, take, job, &gone, err));
    job->facts.gone += gone;
    pthread_mutex_lock(&job->mutex);
    job->progress.citizens_done++;
    pthread_mutex_unlock(&job->mutex);
    return VAULT_OK;
}

/* Those whom the copied control store knows. */
static enum vault_code copy_citizens(struct backup_job *job, struct vault_error *err)
{
    size_t count = 0;
    struct citizen_id last;
    const struct citizen_id *after = NULL;
    VAULT_AUTO(store_frozen_close) struct store_frozen *frozen = NULL;
    struct citizen_id ids[STORE_COPY_IDS_MAX];
    say(job, "citizens");
    VAULT_TRY(store_frozen_open(job->spool, job->vault->keyring, &frozen, err));
    do {
        VAULT_TRY(store_frozen_ids(frozen, after, ids, &count, err));
        for (size_t i = 0; i < count; i++)
            VAULT_TRY(copy_citizen(job, &ids[i], err));
        if (count)
            last = ids[count - 1];
        after = &last;
    } while (count);
    return VAULT_OK;
}

/* --- The end: index and log at one size ----------------------------------------------------- */

/* The index stands still for as long as its last pages take, and the log's journal is turned. */
static enum vault_code meet(struct backup_job *job, struct store_copy *openings,
                            struct vault_error *err)
{
    struct vault *vault = job->vault;
    VAULT_TRY(indexer_limit(vault->indexer, 0, INDEX_WAIT_MS, err));
    VAULT_TRY(ledger_turn(vault->ledger, &job->facts.log, err));
    VAULT_TRY(indexer_limit(vault->indexer, job->facts.log.size, INDEX_WAIT_MS, err));
    VAULT_TRY(indexer_wait(vault->indexer, job->facts.log.size, INDEX_WAIT_MS, err));
    return copy_steps(job, openings, false, err);
}

static enum vault_code copy_list(struct backup_job *job, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, job->vault->log_dir, ERASED_LIST_FILE, err));
    return !file_is_missing(path) ? folder_give(path, ERASED_LIST_FILE, take, job, err) : VAULT_OK;
}

/* With keeping held: nobody is being erased, so that the list and the log tell of the same. */
static enum vault_code copy_end(struct backup_job *job, struct store_copy *openings,
                                struct vault_error *err)
{
    struct vault *vault = job->vault;
    VAULT_TRY(erase_tell_held(vault, err));
    enum vault_code code = meet(job, openings, err);
    const enum vault_code lifted =
        indexer_limit(vault->indexer, UINT64_MAX, INDEX_WAIT_MS, code ? NULL : err);
    code = code ? code : lifted;
    if (code == VAULT_OK)
        code = copy_list(job, err);
    return code ? code : ledger_copy_journal(vault->ledger, job->facts.log.size, take, job, err);
}

static enum vault_code copy_openings_and_log(struct backup_job *job, struct vault_error *err)
{
    struct vault *vault = job->vault;
    struct store_copy *openings = NULL;
    say(job, "index of openings");
    VAULT_TRY(store_copy_begin(vault->store, STORE_OPENINGS, job->spool, &openings, err));
    enum vault_code code = copy_steps(job, openings, true, err);
    if (code == VAULT_OK)
        code = retention_pruned(vault, &job->facts.pruned_below, err);
    say(job, "access log");
    job->prefix = BACKUP_LOG "/";
    if (code == VAULT_OK)
        code = ledger_copy_published(vault->log_dir, job->facts.pruned_below, take, job, err);
    if (code == VAULT_OK) {
        pthread_mutex_lock(&vault->keeping);
        code = copy_end(job, openings, err);
        pthread_mutex_unlock(&vault->keeping);
    }
    job->prefix = "";
    store_copy_end(&openings);
    return code ? code : take_spooled(job, "openings.db", err);
}

/* --- All of it ------------------------------------------------------------------------------ */

static enum vault_code copy_policy(struct backup_job *job, struct vault_error *err)
{
    say(job, "policy");
    pthread_mutex_lock(&job->vault->activating);
    const enum vault_code code = folder_walk(job->vault->policy_dir, BACKUP_POLICY, take, job, err);
    pthread_mutex_unlock(&job->vault->activating);
    return code;
}

static enum vault_code read_keyring(const char *dir, struct buf *out, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, dir, KEYRING_FILE, err));
    return file_read_regular(path, out, err);
}

/* An offline command may have replaced it meanwhile. */
static enum vault_code check_keyring(const struct backup_job *job, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf now = buf_limited(BACKUP_SEALED_MAX_BYTES);
    VAULT_TRY(read_keyring(job->vault->options.dir, &now, err));
    if (!bytes_equal(buf_view(&job->keyring), buf_view(&now)))
        return vault_fail(err, VAULT_CONFLICT,
                          "the keyring was changed while the backup was made: make it again");
    return VAULT_OK;
}

static enum vault_code copy_keyring(struct backup_job *job, struct vault_error *err)
{
    VAULT_TRY(read_keyring(job->vault->options.dir, &job->keyring, err));
    return put(job, KEYRING_FILE, buf_view(&job->keyring), err);
}

static void fill_facts(struct backup_job *job)
{
    const struct vault *vault = job->vault;
    struct contents_facts *facts = &job->facts;
    facts->time_ms = clock_now_ms(&vault->options.clock);
    snprintf(facts->origin, sizeof facts->origin, "%s", vault->options.origin);
    facts->keys[facts->key_count++] = vault->log_keys.signer.key;
    for (size_t i = 0; i < vault->log_keys.former_count; i++)
        facts->keys[facts->key_count++] = vault->log_keys.former[i];
}

enum vault_code backup_copy(struct backup_job *job, struct vault_error *err)
{
    struct vault *vault = job->vault;
    VAULT_TRY(keyring_derive(vault->keyring, BACKUP_LABEL, SECRET_KEY_BYTES, &job->key, err));
    VAULT_TRY(event_of_operator(vault, ENTRY_ADMIN, (struct bytes){0}, err));
    job->facts.from = ledger_head(vault->ledger).size;
    VAULT_TRY(copy_keyring(job, err));
    VAULT_TRY(copy_control(job, err));
    VAULT_TRY(copy_citizens(job, err));
    VAULT_TRY(take_spooled(job, "control.db", err));
    VAULT_TRY(copy_policy(job, err));
    VAULT_TRY(copy_openings_and_log(job, err));
    VAULT_TRY(add_all_sealed(job, err));
    VAULT_TRY(check_keyring(job, err));
    say(job, "making it last");
    fill_facts(job);
    VAULT_TRY(contents_end(&job->manifest, &job->facts, job->key, err));
    contents_abandon(&job->manifest);
    VAULT_TRY(goes_on(job, 0, err));
    return job->place.calls->finish(job->place.context, err);
}
