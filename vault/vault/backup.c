#include "vault/vault/backup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backup_job.h"
#include "parts.h"
#include "vault/base/file.h"
#include "vault/store/control_citizen.h"

#define SPOOL "backup" BACKUP_PARTIAL

/* --- Its thread ------------------------------------------------------------------------------- */

static void *run(void *context)
{
    struct backup_job *job = context;
    struct vault_error err = {0};
    job->hasher = hasher_new();
    const enum vault_code code = backup_copy(job, &err);
    contents_abandon(&job->manifest);
    hasher_free(&job->hasher);
    secret_free(&job->key);
    buf_finish(&job->keyring);
    if (code)
        job->place.calls->abandon(job->place.context);
    job->place.calls->close(job->place.context);
    (void)!folder_remove(job->spool, NULL);
    atomic_store(&job->vault->backing_up, false);
    pthread_mutex_lock(&job->mutex);
    job->progress.state = code ? BACKUP_FAILED : BACKUP_DONE;
    job->progress.log_size = job->facts.log.size;
    job->progress.error = err;
    pthread_mutex_unlock(&job->mutex);
    return NULL;
}

/* --- From outside --------------------------------------------------------------------------- */

enum vault_code backup_check_none(struct vault *vault, struct vault_error *err)
{
    if (atomic_load(&vault->backing_up))
        return vault_fail(err, VAULT_CONFLICT,
                          "a backup is being made: try again when it is done, or give it up with "
                          "'vaultctl backup --cancel'");
    return VAULT_OK;
}

static void job_free(struct backup_job **job)
{
    struct backup_job *gone = VAULT_TAKE(*job);
    if (!gone)
        return;
    atomic_store(&gone->cancelled, true);
    if (!gone->joined)
        pthread_join(gone->thread, NULL);
    else if (gone->place.calls) /* it was never begun, and no thread lets go of it */
        gone->place.calls->close(gone->place.context);
    if (gone->joined && gone->spool[0])
        (void)!folder_remove(gone->spool, NULL);
    pthread_mutex_destroy(&gone->mutex);
    contents_abandon(&gone->manifest);
    free(gone);
}

static enum vault_code make_place(struct backup_job *job, struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_TRY(folder_remove(job->spool, err)); /* of one that a crash interrupted */
    VAULT_TRY(folder_create(job->spool, err));
    VAULT_TRY(job->place.calls->begin(job->place.context, err));
    VAULT_TRY(job->place.calls->create(job->place.context, MANIFEST_FILE, &fd, err));
    return contents_begin(&job->manifest, &fd, err);
}

static enum vault_code fill(struct backup_job *job, const struct backup_request *request,
                            struct vault_error *err)
{
    const struct vault *vault = job->vault;
    if (!job->place.calls)
        VAULT_TRY(backup_folder_at(request->folder, &job->folder, &job->place, err));
    if (request->file_count > BACKUP_FILES_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "too many files to back up");
    VAULT_TRY(file_join(job->spool, sizeof job->spool, vault->options.dir, SPOOL, err));
    snprintf(job->config, sizeof job->config, "%s", request->config);
    snprintf(job->certificates, sizeof job->certificates, "%s",
             request->certificates ? request->certificates : "");
    for (size_t i = 0; i < request->file_count; i++)
        snprintf(job->files[job->file_count++], PATH_MAX, "%s", request->files[i]);
    job->progress.state = BACKUP_RUNNING;
    job->progress.step = "beginning";
    job->prefix = "";
    job->keyring = buf_limited(BACKUP_SEALED_MAX_BYTES);
    return control_citizen_count(vault->store, &job->progress.citizens, err);
}

static enum vault_code start(struct vault *vault, const struct backup_request *request,
                             struct vault_error *err)
{
    VAULT_AUTO(job_free) struct backup_job *owned = calloc(1, sizeof *owned);
    struct backup_job *job = owned;
    if (!job) {
        if (request->place.calls)
            request->place.calls->close(request->place.context);
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    }
    job->vault = vault;
    job->joined = true;
    job->place = request->place;
    pthread_mutex_init(&job->mutex, NULL);
    VAULT_TRY(backup_check_none(vault, err));
    VAULT_TRY(fill(job, request, err));
    VAULT_TRY(make_place(job, err));
    atomic_store(&vault->backing_up, true);
    if (pthread_create(&job->thread, NULL, run, job) != 0) {
        atomic_store(&vault->backing_up, false);
        return vault_fail(err, VAULT_NO_MEMORY, "cannot start a thread");
    }
    job->joined = false;
    pthread_mutex_lock(&vault->mutex);
    struct backup_job *former = vault->backup;
    vault->backup = VAULT_TAKE(owned);
    pthread_mutex_unlock(&vault->mutex);
    job_free(&former); /* its thread is at its end */
    return VAULT_OK;
}

enum vault_code backup_start(struct vault *vault, const struct backup_request *request,
                             struct vault_error *err)
{
    pthread_mutex_lock(&vault->keeping);
    const enum vault_code code = start(vault, request, err);
    pthread_mutex_unlock(&vault->keeping);
    return code;
}

void backup_look(struct vault *vault, struct backup_progress *out)
{
    *out = (struct backup_progress){.step = ""};
    pthread_mutex_lock(&vault->mutex);
    struct backup_job *job = vault->backup;
    if (job) {
        pthread_mutex_lock(&job->mutex);
        *out = job->progress;
        pthread_mutex_unlock(&job->mutex);
    }
    pthread_mutex_unlock(&vault->mutex);
}

void backup_cancel(struct vault *vault)
{
    pthread_mutex_lock(&vault->mutex);
    if (vault->backup)
        atomic_store(&vault->backup->cancelled, true);
    pthread_mutex_unlock(&vault->mutex);
}

void backup_close(struct vault *vault)
{
    job_free(&vault->backup);
}
