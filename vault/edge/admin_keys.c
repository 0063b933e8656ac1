/* The operator's commands about keys. */
#include "admin_parts.h"
#include "vault/base/log.h"
#include "vault/vault/keys.h"
#include "vault/vault/people.h"

/* What a person gave for the provider, if anything; a PIN in a file is the keyholder's to read. */
static enum vault_code secret_of(const struct command_call *call, struct secret **out)
{
    const struct bytes text = json_text(json_object_get(call->request, "secret"));
    if (text.size > SECRET_MAX_BYTES)
        return vault_fail(call->err, VAULT_TOO_LARGE, "the secret is too long");
    return text.size ? secret_copy(text, out, call->err) : VAULT_OK;
}

enum vault_code admin_run_key_rotate(const struct command_call *call)
{
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    VAULT_TRY(secret_of(call, &secret));
    return keys_rotate(call->vault, secret, call->err);
}

enum vault_code admin_run_key_rewrap(const struct command_call *call)
{
    struct keys_progress progress;
    VAULT_TRY(keys_rewrap(call->vault, &progress, call->err));
    buf_format(call->result, "{\"seen\":%llu,\"rewrapped\":%llu,\"done\":%s}",
               (unsigned long long)progress.seen, (unsigned long long)progress.rewrapped,
               progress.done ? "true" : "false");
    return VAULT_OK;
}

enum vault_code admin_run_citizen_rekey(const struct command_call *call)
{
    const char *reference;
    struct citizen_id citizen;
    VAULT_TRY(admin_text_of(call, "reference", &reference));
    VAULT_TRY(people_find(call->vault, reference, &citizen, call->err));
    return keys_rekey(call->vault, &citizen, call->err);
}

enum vault_code admin_run_seal(const struct command_call *call)
{
    VAULT_TRY(sealing_seal(call->context->sealing, call->err));
    log_event(LOG_WARNING, "seal", "the vault is sealed");
    return VAULT_OK;
}

enum vault_code admin_run_unseal(const struct command_call *call)
{
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    VAULT_TRY(secret_of(call, &secret));
    VAULT_TRY(sealing_unseal(call->context->sealing, secret, call->err));
    log_event(LOG_INFO, "unseal", "the vault is open");
    return VAULT_OK;
}

/* What the provider needs from a person, so that the tool can ask for it. */
enum vault_code admin_run_key_needs(const struct command_call *call)
{
    const char *needs = config_provider_needs(&call->context->config->keyring);
    buf_text(call->result, "{\"needs\":");
    json_write_string(call->result, bytes_of_text(needs ? needs : ""));
    buf_byte(call->result, '}');
    return VAULT_OK;
}
