/* The operator's commands about those who act for citizens. */
#include "admin_parts.h"
#include "vault/vault/mediator.h"

enum vault_code admin_run_structure_add(const struct command_call *call)
{
    const char *id;
    const char *name;
    VAULT_TRY(admin_text_of(call, "id", &id));
    VAULT_TRY(admin_text_of(call, "name", &name));
    return mediator_register_structure(call->vault, id, name, call->err);
}

enum vault_code admin_run_structure_remove(const struct command_call *call)
{
    const char *id;
    VAULT_TRY(admin_text_of(call, "id", &id));
    return mediator_remove_structure(call->vault, id, call->err);
}

enum vault_code admin_run_mediator_add(const struct command_call *call)
{
    const char *structure;
    const char *login;
    const char *name;
    const char *password;
    VAULT_TRY(admin_text_of(call, "structure", &structure));
    VAULT_TRY(admin_text_of(call, "login", &login));
    VAULT_TRY(admin_text_of(call, "name", &name));
    VAULT_TRY(admin_text_of(call, "password", &password));
    return mediator_register(call->vault, structure, login, name, bytes_of_text(password),
                             call->err);
}

enum vault_code admin_run_mediator_remove(const struct command_call *call)
{
    const char *login;
    VAULT_TRY(admin_text_of(call, "login", &login));
    return mediator_unregister(call->vault, login, call->err);
}

enum vault_code admin_run_mediator_list(const struct command_call *call)
{
    return mediator_write_list(call->vault, call->result, call->err);
}
