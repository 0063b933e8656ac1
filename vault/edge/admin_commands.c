#include <string.h>

#include "admin_command.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/log.h"
#include "vault/crypto/x509.h"
#include "vault/edge/admin.h"
#include "vault/store/control_service.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/erase.h"
#include "vault/vault/keys.h"
#include "vault/vault/people.h"
#include "vault/vault/service.h"
#include "vault/vault/subject.h"

#define REQUEST_DEPTH_MAX     6
#define CERTIFICATE_DAYS      397
#define CERTIFICATE_BYTES_MAX (64U * 1024)

enum vault_code command_text(const struct command_call *call, const char *member, const char **out)
{
    const json_t *value = json_object_get(call->request, member);
    if (!json_is_string(value) || json_string_length(value) == 0)
        return vault_fail(call->err, VAULT_INVALID, "%s is missing", member);
    *out = json_string_value(value);
    return VAULT_OK;
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
    return code;
}

static enum vault_code run_service_add(const struct command_call *call)
{
    const char *registration;
    VAULT_TRY(command_text(call, "registration", &registration));
    return service_add(call->vault, bytes_of_text(registration), call->err);
}

/* A kind of client that has a CA of its own. */
struct client_kind {
    enum control_certificate_kind kind;
    const char *ca_path;
    const char *ca_key_path;
};

/* Sign the request in csr for a client's own key: the vault never holds that. The certificate is
 * the answer's result. */
static enum vault_code sign_request(const struct command_call *call, const struct client_kind *kind,
                                    const char *name, uint8_t spki[SHA256_BYTES],
                                    int64_t *expires_s)
{
    const char *request;
    VAULT_AUTO(buf_finish) struct buf ca_certificate = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf ca_key = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf certificate = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_TRY(command_text(call, "csr", &request));
    VAULT_TRY(file_read(kind->ca_path, &ca_certificate, call->err));
    VAULT_TRY(file_read(kind->ca_key_path, &ca_key, call->err));
    const struct x509_ca ca = {buf_view(&ca_certificate), buf_view(&ca_key)};
    const struct x509_period period = {clock_now_s(vault_clock(call->vault)), CERTIFICATE_DAYS};
    VAULT_TRY(
        x509_sign_client(&ca, bytes_of_text(request), name, period, &certificate, spki, call->err));
    VAULT_TRY(x509_read(buf_view(&certificate), spki, expires_s, call->err));
    buf_text(call->result, "{\"certificate\":");
    json_write_string(call->result, buf_view(&certificate));
    buf_byte(call->result, '}');
    return VAULT_OK;
}

static enum vault_code run_service_cert_add(const struct command_call *call)
{
    const struct config *config = call->context->config;
    const struct client_kind kind = {CONTROL_CERTIFICATE_SERVICE, config->services.clients_ca,
                                     config->services_ca_key};
    const char *id;
    uint8_t spki[SHA256_BYTES];
    int64_t expires_s;
    VAULT_AUTO(service_release) struct service_hold service = {0};
    VAULT_TRY(command_text(call, "id", &id));
    VAULT_TRY(service_by_id(call->vault, bytes_of_text(id), &service, call->err));
    VAULT_TRY(sign_request(call, &kind, id, spki, &expires_s));
    return service_add_key(call->vault, kind.kind, id, spki, expires_s, call->err);
}

static enum vault_code run_auditor_add(const struct command_call *call)
{
    const struct config *config = call->context->config;
    const struct client_kind kind = {CONTROL_CERTIFICATE_AUDITOR, config->auditors.clients_ca,
                                     config->auditors_ca_key};
    const char *name;
    uint8_t spki[SHA256_BYTES];
    int64_t expires_s;
    VAULT_TRY(command_text(call, "id", &name));
    VAULT_TRY(sign_request(call, &kind, name, spki, &expires_s));
    return service_add_key(call->vault, kind.kind, name, spki, expires_s, call->err);
}

static enum vault_code run_service_cert_revoke(const struct command_call *call)
{
    const char *certificate;
    uint8_t spki[SHA256_BYTES];
    int64_t expires_s;
    VAULT_TRY(command_text(call, "certificate", &certificate));
    VAULT_TRY(x509_read(bytes_of_text(certificate), spki, &expires_s, call->err));
    return service_revoke_key(call->vault, CONTROL_CERTIFICATE_SERVICE, spki, call->err);
}

static enum vault_code set_state(const struct command_call *call, enum control_service_state state)
{
    const char *id;
    VAULT_TRY(command_text(call, "id", &id));
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
    return set_state(call, CONTROL_SERVICE_REMOVED);
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
    VAULT_TRY(command_text(call, "id", &id));
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
    VAULT_TRY(command_text(call, "reference", &reference));
    return people_export(call->vault, reference, call->result, call->err);
}

static enum vault_code run_citizen_erase(const struct command_call *call)
{
    const char *reference;
    struct citizen_id citizen;
    VAULT_TRY(command_text(call, "reference", &reference));
    VAULT_TRY(people_find(call->vault, reference, &citizen, call->err));
    return erase_citizen(call->vault, &citizen, call->err);
}

/* --- Keys ----------------------------------------------------------------------------------- */

/* What a person gave for the provider, if anything. */
static enum vault_code secret_of(const struct command_call *call, struct secret **out)
{
    const struct bytes text = json_text(json_object_get(call->request, "secret"));
    if (text.size > SECRET_MAX_BYTES)
        return vault_fail(call->err, VAULT_TOO_LARGE, "the secret is too long");
    return text.size ? secret_copy(text, out, call->err)
                     : config_read_pin(&call->context->config->keyring, out, call->err);
}

static enum vault_code run_key_rotate(const struct command_call *call)
{
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    VAULT_TRY(secret_of(call, &secret));
    return keys_rotate(call->vault, secret, call->err);
}

static enum vault_code run_key_rewrap(const struct command_call *call)
{
    struct keys_progress progress;
    VAULT_TRY(keys_rewrap(call->vault, &progress, call->err));
    buf_format(call->result, "{\"seen\":%llu,\"rewrapped\":%llu,\"done\":%s}",
               (unsigned long long)progress.seen, (unsigned long long)progress.rewrapped,
               progress.done ? "true" : "false");
    return VAULT_OK;
}

static enum vault_code run_citizen_rekey(const struct command_call *call)
{
    const char *reference;
    struct citizen_id citizen;
    VAULT_TRY(command_text(call, "reference", &reference));
    VAULT_TRY(people_find(call->vault, reference, &citizen, call->err));
    return keys_rekey(call->vault, &citizen, call->err);
}

static enum vault_code run_seal(const struct command_call *call)
{
    VAULT_TRY(sealing_seal(call->context->sealing, call->err));
    log_event(LOG_WARNING, "seal", "the vault is sealed");
    return VAULT_OK;
}

static enum vault_code run_unseal(const struct command_call *call)
{
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    VAULT_TRY(secret_of(call, &secret));
    VAULT_TRY(sealing_unseal(call->context->sealing, secret, call->err));
    log_event(LOG_INFO, "unseal", "the vault is open");
    return VAULT_OK;
}

/* What the provider needs from a person, so that the tool can ask for it. */
static enum vault_code run_key_needs(const struct command_call *call)
{
    const struct config_keyring *keyring = &call->context->config->keyring;
    const struct keyring_provider provider = config_provider(keyring);
    const char *needs = keyring->pin_file[0] ? NULL : keyring_provider_needs(&provider);
    buf_text(call->result, "{\"needs\":");
    json_write_string(call->result, bytes_of_text(needs ? needs : ""));
    buf_byte(call->result, '}');
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

/* What changed, as "1 gains, 0 loses…" for the program's log: counts, nothing of anybody. */
static void log_activation(const struct policy_activation *activation)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1024);
    const struct policy_passed *passed = &activation->passed;
    if (activation->was_damaged)
        buf_text(&text, "not compared, the one before is damaged");
    else if (!passed->compared)
        buf_text(&text, "the first one");
    for (size_t kind = 0; passed->compared && kind < POLICY_CHANGE_KINDS; kind++)
        buf_format(&text, "%s%zu %s", kind ? ", " : "", passed->changes[kind],
                   policy_change_name((enum policy_change_kind)kind));
    if (passed->besides)
        buf_format(&text, ", %zu besides", passed->besides);
    const char *words = buf_string(&text);
    log_event(LOG_INFO, "policy", "version %llu decides: %s%s",
              (unsigned long long)activation->version, words ? words : "",
              passed->widens ? "; wider than before" : "");
}

static void write_activation(const struct policy_activation *activation, struct buf *out)
{
    const struct policy_passed *passed = &activation->passed;
    buf_format(out, "{\"version\":%llu,\"compared\":%s,", (unsigned long long)activation->version,
               passed->compared ? "true" : "false");
    if (!passed->compared)
        buf_format(out, "\"why\":\"%s\",", activation->was_damaged ? "damaged" : "first");
    buf_format(out, "\"widens\":%s,\"changes\":{", passed->widens ? "true" : "false");
    for (size_t kind = 0; kind < POLICY_CHANGE_KINDS; kind++)
        buf_format(out, "%s\"%s\":%zu", kind ? "," : "",
                   policy_change_name((enum policy_change_kind)kind), passed->changes[kind]);
    buf_format(out, ",\"besides\":%zu},\"diff\":", passed->besides);
    json_write_string(out, bytes_of_text(activation->diff_path));
    buf_byte(out, '}');
}

static enum vault_code run_policy_activate(const struct command_call *call)
{
    const char *folder;
    struct policy_activation activation;
    VAULT_TRY(command_text(call, "folder", &folder));
    VAULT_TRY(active_policy_replace(call->vault, folder, &activation, call->err));
    log_activation(&activation);
    write_activation(&activation, call->result);
    return VAULT_OK;
}

static const struct {
    const char *name;
    enum vault_code (*run)(const struct command_call *call);
    bool while_sealed; /* it goes in and out by itself */
} commands[] = {
    {"status", run_status, true},
    {"service add", run_service_add, false},
    {"service cert-add", run_service_cert_add, false},
    {"service cert-revoke", run_service_cert_revoke, false},
    {"service suspend", run_service_suspend, false},
    {"service resume", run_service_resume, false},
    {"service remove", run_service_remove, false},
    {"service list", run_service_list, false},
    {"service subjects", run_service_subjects, false},
    {"auditor add", run_auditor_add, false},
    {"citizen import", run_citizen_import, false},
    {"citizen export", run_citizen_export, false},
    {"citizen erase", run_citizen_erase, false},
    {"mediator add-structure", command_structure_add, false},
    {"mediator remove-structure", command_structure_remove, false},
    {"mediator add", command_mediator_add, false},
    {"mediator remove", command_mediator_remove, false},
    {"mediator list", command_mediator_list, false},
    {"log new-key", run_log_new_key, false},
    {"log prune", run_log_prune, false},
    {"policy activate", run_policy_activate, false},
    {"citizen rekey", run_citizen_rekey, false},
    {"key rotate", run_key_rotate, false},
    {"key rewrap", run_key_rewrap, false},
    {"key needs", run_key_needs, true},
    {"seal", run_seal, true},
    {"unseal", run_unseal, true},
};

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
    struct vault_error err = {0};
    VAULT_AUTO(json_free) json_t *request = NULL;
    VAULT_AUTO(buf_finish) struct buf result = buf_limited(ADMIN_LINE_BYTES_MAX / 2);
    struct command_call call = {.context = context, .result = &result, .err = &err};
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
