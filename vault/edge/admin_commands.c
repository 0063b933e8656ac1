#include <string.h>

#include "admin_backup.h"
#include "admin_parts.h"
#include "vault/base/clock.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/log.h"
#include "vault/crypto/x509.h"
#include "vault/edge/admin.h"
#include "vault/store/control_service.h"
#include "vault/vault/backup.h"
#include "vault/vault/erase.h"
#include "vault/vault/people.h"
#include "vault/vault/service.h"
#include "vault/vault/sign_in_code.h"
#include "vault/vault/signing.h"
#include "vault/vault/subject.h"

#define REQUEST_DEPTH_MAX     6
#define AUDITOR_DAYS          397
#define CERTIFICATE_BYTES_MAX (64U * 1024)

enum vault_code admin_text_of(const struct command_call *call, const char *member, const char **out)
{
    const json_t *value = json_object_get(call->request, member);
    if (!json_is_string(value) || json_string_length(value) == 0)
        return vault_fail(call->err, VAULT_INVALID, "%s is missing", member);
    *out = json_string_value(value);
    return VAULT_OK;
}

/* Into the object that ends there. */
static void add_sandbox(const struct sandbox_state *state, struct buf *result)
{
    if (!state || result->size == 0 || result->data[result->size - 1] != '}')
        return;
    result->size--;
    buf_format(result, ",\"sandbox\":{\"seccomp\":%s,\"landlock\":%d}}",
               state->is_entered ? "true" : "false", state->landlock);
}

/* Answers while it is sealed, too. */
static enum vault_code run_status(const struct command_call *call)
{
    enum vault_code code = VAULT_OK;
    struct vault *vault = sealing_enter(call->context->sealing);
    if (vault)
        code = vault_status(vault, call->result, call->err);
    else
        buf_text(call->result, "{\"ready\":false,\"reason\":\"the vault is sealed\","
                               "\"sealed\":true}");
    sealing_leave(call->context->sealing);
    if (code == VAULT_OK)
        add_sandbox(call->context->sandbox, call->result);
    return code;
}

static enum vault_code run_service_add(const struct command_call *call)
{
    const char *registration;
    VAULT_TRY(admin_text_of(call, "registration", &registration));
    return service_add(call->vault, bytes_of_text(registration), call->err);
}

static enum vault_code run_service_update(const struct command_call *call)
{
    const char *registration;
    VAULT_TRY(admin_text_of(call, "registration", &registration));
    return service_update(call->vault, bytes_of_text(registration), call->err);
}

/* Sign the request in csr for a client of that kind and name, and let its key in. The certificate
 * is the answer's result. */
static enum vault_code let_in(const struct command_call *call, enum control_certificate_kind kind,
                              const struct vault_signing *signing, const char *name)
{
    const char *request;
    VAULT_AUTO(signing_finish) struct signing_made made = {0};
    VAULT_TRY(admin_text_of(call, "csr", &request));
    VAULT_TRY(signing_sign(signing, name, clock_now_s(vault_clock(call->vault)),
                           bytes_of_text(request), &made, call->err));
    buf_text(call->result, "{\"certificate\":");
    json_write_string(call->result, buf_view(&made.certificate));
    buf_byte(call->result, '}');
    return service_add_key(call->vault, kind, name, made.spki, made.expires_s, call->err);
}

static enum vault_code run_service_cert_add(const struct command_call *call)
{
    const struct config *config = call->context->config;
    const struct vault_signing signing = {config->services.clients_ca, config->services_ca_key,
                                          config->certificate_days};
    const char *id;
    VAULT_AUTO(service_release) struct service_hold service = {0};
    VAULT_TRY(admin_text_of(call, "id", &id));
    VAULT_TRY(service_by_id(call->vault, bytes_of_text(id), &service, call->err));
    return let_in(call, CONTROL_CERTIFICATE_SERVICE, &signing, id);
}

static enum vault_code run_auditor_add(const struct command_call *call)
{
    const struct config *config = call->context->config;
    const struct vault_signing signing = {config->auditors.clients_ca, config->auditors_ca_key,
                                          AUDITOR_DAYS};
    const char *name;
    VAULT_TRY(admin_text_of(call, "id", &name));
    return let_in(call, CONTROL_CERTIFICATE_AUDITOR, &signing, name);
}

/* By the certificate; or by the key's hash as "service show" has it, since what a service renewed
 * by itself the operator has no certificate of. */
static enum vault_code read_key(const struct command_call *call, uint8_t spki[SHA256_BYTES])
{
    const char *text;
    int64_t expires_s;
    if (json_object_get(call->request, "key")) {
        VAULT_TRY(admin_text_of(call, "key", &text));
        return hex_decode_exact(spki, SHA256_BYTES, bytes_of_text(text), call->err);
    }
    VAULT_TRY(admin_text_of(call, "certificate", &text));
    return x509_read(bytes_of_text(text), spki, &expires_s, call->err);
}

static enum vault_code run_service_cert_revoke(const struct command_call *call)
{
    uint8_t spki[SHA256_BYTES];
    VAULT_TRY(read_key(call, spki));
    return service_revoke_key(call->vault, CONTROL_CERTIFICATE_SERVICE, spki, call->err);
}

static enum vault_code set_state(const struct command_call *call, enum control_service_state state)
{
    const char *id;
    VAULT_TRY(admin_text_of(call, "id", &id));
    return service_set_state(call->vault, id, state, call->err);
}

static enum vault_code run_service_suspend(const struct command_call *call)
{
    return set_state(call, CONTROL_SERVICE_SUSPENDED);
}

static enum vault_code run_service_resume(const struct command_call *call)
{
    return set_state(call, CONTROL_SERVICE_ACTIVE);
}

static enum vault_code run_service_remove(const struct command_call *call)
{
    const char *id;
    VAULT_TRY(admin_text_of(call, "id", &id));
    return service_remove(call->vault, id, call->err);
}

static enum vault_code run_service_list(const struct command_call *call)
{
    return service_list(call->vault, call->result, call->err);
}

/* What a service calls citizens that the operator names: its enrolment list. */
static enum vault_code run_service_subjects(const struct command_call *call)
{
    const char *id;
    const json_t *references = json_object_get(call->request, "references");
    VAULT_AUTO(service_release) struct service_hold service = {0};
    VAULT_TRY(admin_text_of(call, "id", &id));
    if (!json_is_array(references))
        return vault_fail(call->err, VAULT_INVALID, "references is a list of texts");
    VAULT_TRY(service_by_id(call->vault, bytes_of_text(id), &service, call->err));
    buf_byte(call->result, '[');
    for (size_t i = 0; i < json_array_size(references); i++) {
        const char *reference = json_string_value(json_array_get(references, i));
        struct citizen_id citizen;
        char subject[SUBJECT_CHARS + 1];
        if (!reference)
            return vault_fail(call->err, VAULT_INVALID, "references is a list of texts");
        VAULT_TRY(people_find(call->vault, reference, &citizen, call->err));
        VAULT_TRY(subject_write(service.service, &citizen, subject, call->err));
        buf_format(call->result, "%s\"%s\"", i ? "," : "", subject);
    }
    buf_byte(call->result, ']');
    return service_enrolled(call->vault, id, call->err);
}

static enum vault_code read_rows(const struct command_call *call,
                                 struct bytes rows[PEOPLE_BATCH_MAX], size_t *count)
{
    const json_t *list = json_object_get(call->request, "rows");
    *count = json_array_size(list);
    if (*count == 0 || *count > PEOPLE_BATCH_MAX)
        return vault_fail(call->err, VAULT_INVALID, "rows is a list of 1 to %d texts",
                          PEOPLE_BATCH_MAX);
    for (size_t i = 0; i < *count; i++) {
        rows[i] = json_text(json_array_get(list, i));
        if (!rows[i].data)
            return vault_fail(call->err, VAULT_INVALID, "rows is a list of texts");
    }
    return VAULT_OK;
}

static enum vault_code run_citizen_import(const struct command_call *call)
{
    struct bytes rows[PEOPLE_BATCH_MAX];
    struct people_result results[PEOPLE_BATCH_MAX];
    size_t count;
    VAULT_TRY(read_rows(call, rows, &count));
    VAULT_TRY(people_import(call->vault, rows, count, results, call->err));
    buf_byte(call->result, '[');
    for (size_t i = 0; i < count; i++) {
        buf_format(call->result, "%s{\"code\":\"%s\",\"error\":", i ? "," : "",
                   vault_code_name(results[i].code));
        json_write_string(call->result, bytes_of_text(results[i].text));
        buf_byte(call->result, '}');
    }
    buf_byte(call->result, ']');
    return VAULT_OK;
}

static enum vault_code run_citizen_export(const struct command_call *call)
{
    const char *reference;
    VAULT_TRY(admin_text_of(call, "reference", &reference));
    return people_export(call->vault, reference, call->result, call->err);
}

static enum vault_code run_citizen_erase(const struct command_call *call)
{
    const char *reference;
    struct citizen_id citizen;
    VAULT_TRY(admin_text_of(call, "reference", &reference));
    VAULT_TRY(people_find(call->vault, reference, &citizen, call->err));
    return erase_citizen(call->vault, &citizen, call->err);
}

static enum vault_code run_citizen_sign_out(const struct command_call *call)
{
    const char *reference;
    struct citizen_id citizen;
    VAULT_TRY(admin_text_of(call, "reference", &reference));
    VAULT_TRY(people_find(call->vault, reference, &citizen, call->err));
    return sign_out_citizen(call->vault, &citizen, call->err);
}

/* For the letter by which somebody comes in. */
static enum vault_code run_activation_code(const struct command_call *call)
{
    const char *reference;
    struct sign_in_activation sent;
    char expires[INSTANT_CHARS + 1];
    VAULT_TRY(admin_text_of(call, "reference", &reference));
    VAULT_TRY(sign_in_activation_make(call->vault, reference, &sent, call->err));
    instant_format(expires, sent.expires_s);
    buf_text(call->result, "{\"login\":");
    json_write_string(call->result, bytes_of_text(sent.login));
    buf_format(call->result, ",\"code\":\"%s\",\"expires\":\"%.10s\",\"address\":\"%s/activate\"}",
               sent.code, expires, call->context->link_base);
    explicit_bzero(&sent, sizeof sent);
    return VAULT_OK;
}

static enum vault_code run_log_prune(const struct command_call *call)
{
    return vault_prune_log(call->vault, call->err);
}

static enum vault_code run_log_new_key(const struct command_call *call)
{
    buf_text(call->result, "{\"key\":\"");
    VAULT_TRY(vault_renew_log_key(call->vault, call->result, call->err));
    buf_text(call->result, "\"}");
    return VAULT_OK;
}

static enum vault_code run_backup(const struct command_call *call)
{
    const char *folder;
    VAULT_TRY(admin_text_of(call, "folder", &folder));
    return admin_backup_start(call->vault, call->context->config, folder, call->given, call->err);
}

static enum vault_code run_backup_status(const struct command_call *call)
{
    admin_backup_status(call->vault, call->result);
    return VAULT_OK;
}

static enum vault_code run_backup_cancel(const struct command_call *call)
{
    backup_cancel(call->vault);
    return VAULT_OK;
}

static enum vault_code run_reload(const struct command_call *call)
{
    return reload_certificates(call->context->reload, call->vault, call->result, call->err);
}

static const struct {
    const char *name;
    enum vault_code (*run)(const struct command_call *call);
    bool while_sealed; /* it goes in and out by itself */
} commands[] = {
    {"status", run_status, true},
    {"metrics", admin_run_metrics, true},
    {"service add", run_service_add, false},
    {"service update", run_service_update, false},
    {"service cert-add", run_service_cert_add, false},
    {"service cert-revoke", run_service_cert_revoke, false},
    {"service suspend", run_service_suspend, false},
    {"service resume", run_service_resume, false},
    {"service remove", run_service_remove, false},
    {"service list", run_service_list, false},
    {"service show", admin_run_service_show, false},
    {"service subjects", run_service_subjects, false},
    {"auditor add", run_auditor_add, false},
    {"auditor remove", admin_run_auditor_remove, false},
    {"citizen list", admin_run_citizen_list, false},
    {"citizen show", admin_run_citizen_show, false},
    {"citizen import", run_citizen_import, false},
    {"citizen export", run_citizen_export, false},
    {"citizen erase", run_citizen_erase, false},
    {"citizen sign-out", run_citizen_sign_out, false},
    {"citizen guardian-add", admin_run_guardian_add, false},
    {"citizen guardian-remove", admin_run_guardian_remove, false},
    {"citizen guardian-list", admin_run_guardian_list, false},
    {"citizen activation-code", run_activation_code, false},
    {"correction list", admin_run_correction_list, false},
    {"correction close", admin_run_correction_close, false},
    {"report list", admin_run_report_list, false},
    {"report show", admin_run_report_show, false},
    {"report close", admin_run_report_close, false},
    {"mediator add-structure", admin_run_structure_add, false},
    {"mediator remove-structure", admin_run_structure_remove, false},
    {"mediator add", admin_run_mediator_add, false},
    {"mediator reset", admin_run_mediator_reset, false},
    {"mediator remove", admin_run_mediator_remove, false},
    {"mediator list", admin_run_mediator_list, false},
    {"log new-key", run_log_new_key, false},
    {"log prune", run_log_prune, false},
    {"policy activate", admin_run_policy_activate, false},
    {"backup", run_backup, false},
    {"backup status", run_backup_status, false},
    {"backup cancel", run_backup_cancel, false},
    {"citizen rekey", admin_run_citizen_rekey, false},
    {"key rotate", admin_run_key_rotate, false},
    {"key rewrap", admin_run_key_rewrap, false},
    {"key needs", admin_run_key_needs, true},
    {"seal", admin_run_seal, true},
    {"unseal", admin_run_unseal, true},
    {"doctor", admin_run_doctor, false},
    {"doctor citizens", admin_run_doctor_citizens, false},
    {"doctor end", admin_run_doctor_end, false},
    {"reload", run_reload, false},
};

const char *admin_command_name(size_t n)
{
    return n < sizeof commands / sizeof commands[0] ? commands[n].name : NULL;
}

/* With the vault open for as long as the command runs. */
static enum vault_code run_inside(struct command_call *call,
                                  enum vault_code (*command)(const struct command_call *call))
{
    call->vault = sealing_enter(call->context->sealing);
    const enum vault_code code =
        call->vault ? command(call)
                    : vault_fail(call->err, VAULT_UNAVAILABLE,
                                 "the vault is sealed: 'vaultctl unseal' opens it");
    sealing_leave(call->context->sealing);
    return code;
}

static enum vault_code run(struct command_call *call)
{
    const char *name = json_string_value(json_object_get(call->request, "command"));
    for (size_t i = 0; name && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].while_sealed ? commands[i].run(call)
                                            : run_inside(call, commands[i].run);
    }
    return vault_fail(call->err, VAULT_INVALID, "there is no such command");
}

void admin_answer(const struct admin_context *context, struct bytes line, struct buf *out)
{
    int none = -1;
    admin_answer_with(context, line, &none, out);
}

void admin_answer_with(const struct admin_context *context, struct bytes line, int *given,
                       struct buf *out)
{
    struct vault_error err = {0};
    VAULT_AUTO(json_free) json_t *request = NULL;
    VAULT_AUTO(buf_finish) struct buf result = buf_limited(ADMIN_LINE_BYTES_MAX / 2);
    struct command_call call = {.context = context, .given = given, .result = &result, .err = &err};
    enum vault_code code = json_parse(line, REQUEST_DEPTH_MAX, &request, NULL, &err);
    call.request = request;
    if (code == VAULT_OK)
        code = run(&call);
    if (code == VAULT_OK)
        code = buf_check(&result, &err);
    if (code) {
        buf_format(out, "{\"ok\":false,\"code\":\"%s\",\"error\":", vault_code_name(code));
        json_write_string(out, bytes_of_text(err.text));
        buf_byte(out, '}');
        return;
    }
    buf_text(out, "{\"ok\":true,\"result\":");
    if (result.size)
        buf_bytes(out, buf_view(&result));
    else
        buf_text(out, "{}");
    buf_byte(out, '}');
}
