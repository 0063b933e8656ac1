#include "admin_backup.h"

#include "place_channel.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/vault/backup.h"

enum vault_code admin_backup_start(struct vault *vault, const struct config *config,
                                   const char *folder, int *given, struct vault_error *err)
{
    char anchors[PATH_MAX];
    char certificates[PATH_MAX];
    VAULT_TRY(file_join(anchors, sizeof anchors, config->data, "anchors", err));
    VAULT_TRY(file_join(certificates, sizeof certificates, config->data, "certs", err));
    /* What opens the keyring is not among them: a key does not belong beside what it opens. */
    const char *const files[] = {
        config->services.certificate, config->services.key,      config->services.clients_ca,
        config->citizens.certificate, config->citizens.key,      config->citizens.clients_ca,
        config->auditors.certificate, config->auditors.key,      config->auditors.clients_ca,
        config->services_ca_key,      config->auditors_ca_key,   config->log.witnesses,
        config->log.witnesses_ca,     config->log.timestamps_ca, config->mail.ca,
        config->services.crl,         config->auditors.crl,      anchors,
        config->passwords.words,      config->services.ocsp,     config->citizens.ocsp,
        config->auditors.ocsp,
    };
    struct backup_request request = {
        .folder = folder, .config = config->path, .certificates = certificates};
    _Static_assert(sizeof files / sizeof files[0] <= BACKUP_FILES_MAX, "all fit");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i][0])
            request.files[request.file_count++] = files[i];
    }
    if (*given >= 0)
        VAULT_TRY(place_channel_new(given, &request.place, err));
    return backup_start(vault, &request, err);
}

void admin_backup_status(struct vault *vault, struct buf *out)
{
    static const char *const states[] = {
        [BACKUP_NONE] = "none",
        [BACKUP_RUNNING] = "running",
        [BACKUP_DONE] = "done",
        [BACKUP_FAILED] = "failed",
    };
    struct backup_progress progress;
    backup_look(vault, &progress);
    buf_format(out,
               "{\"state\":\"%s\",\"step\":\"%s\",\"citizens\":%llu,\"citizens_done\":%llu,"
               "\"files\":%llu,\"bytes\":%llu,\"log\":%llu,\"code\":\"%s\",\"error\":",
               states[progress.state], progress.step, (unsigned long long)progress.citizens,
               (unsigned long long)progress.citizens_done, (unsigned long long)progress.files,
               (unsigned long long)progress.bytes, (unsigned long long)progress.log_size,
               vault_code_name(progress.error.code));
    json_write_string(out, bytes_of_text(progress.error.text));
    buf_byte(out, '}');
}
