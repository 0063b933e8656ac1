#include "vault/vault/backup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backup_job.h"
#include "parts.h"
#include "vault/base/file.h"
#include "vault/store/control_citizen.h"

#define PARTIAL ".partial"

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
    if (code)
        (void)!folder_remove(job->made, NULL);
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
    pthread_mutex_destroy(&gone->mutex);
    contents_abandon(&gone->manifest);
    free(gone);
}

/* An interrupted backup's folder has a manifest; anything else is not ours to remove. */
static enum vault_code make_place(struct backup_job *job, struct vault_error *err)
{
    if (!folder_is_free(job->folder))
        return vault_fail(err, VAULT_CONFLICT, "there is something at %s", job->folder);
    if (file_exists(job->made) && !contents_is_there(job->made) && !folder_is_free(job->made))
        return vault_fail(err, VAULT_CONFLICT, "%s is in the way, and is no unfinished backup",
                          job->made);
    VAULT_TRY(folder_remove(job->made, err));
    if (mkdir(job->made, 0700) != 0)
        return vault_fail_errno(err, "making the folder %s", job->made);
    return contents_begin(&job->manifest, job->made, err);
}

static enum vault_code fill(struct backup_job *job, const struct backup_request *request,
                            struct vault_error *err)
{
    if (request->folder[0] != '/' || strlen(request->folder) + sizeof PARTIAL > sizeof job->folder)
        return vault_fail(err, VAULT_INVALID, "a backup's folder is given as an absolute path");
    if (request->file_count > BACKUP_FILES_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "too many files to back up");
    snprintf(job->folder, sizeof job->folder, "%s", request->folder);
    snprintf(job->made, sizeof job->made, "%s" PARTIAL, request->folder);
    snprintf(job->config, sizeof job->config, "%s", request->config);
    snprintf(job->certificates, sizeof job->certificates, "%s",
             request->certificates ? request->certificates : "");
    for (size_t i = 0; i < request->file_count; i++)
        snprintf(job->files[job->file_count++], PATH_MAX, "%s", request->files[i]);
    job->progress.state = BACKUP_RUNNING;
    job->progress.step = "beginning";
    job->prefix = "";
    return control_citizen_count(job->vault->store, &job->progress.citizens, err);
}

static enum vault_code start(struct vault *vault, const struct backup_request *request,
                             struct vault_error *err)
{
    VAULT_TRY(backup_check_none(vault, err));
    struct backup_job *job = calloc(1, sizeof *job);
    if (!job)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    job->vault = vault;
    job->joined = true;
    pthread_mutex_init(&job->mutex, NULL);
    VAULT_AUTO(job_free) struct backup_job *owned = job;
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
