/* The operator's commands about those who act for citizens. */
#include <string.h>

#include "admin_parts.h"
#include "vault/base/clock.h"
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

/* What the operator hands over, and until when it is good. */
static void write_first(const struct command_call *call, struct mediator_first *first)
{
    char until[INSTANT_CHARS + 1];
    instant_format(until, first->until_s);
    buf_format(call->result, "{\"first_password\":\"%s\",\"until\":\"%s\",", first->password,
               until);
    buf_format(call->result, "\"address\":\"%s/mediator\"}", call->context->link_base);
    explicit_bzero(first, sizeof *first);
}

enum vault_code admin_run_mediator_add(const struct command_call *call)
{
    const char *structure;
    const char *login;
    const char *name;
    struct mediator_first first;
    VAULT_TRY(admin_text_of(call, "structure", &structure));
    VAULT_TRY(admin_text_of(call, "login", &login));
    VAULT_TRY(admin_text_of(call, "name", &name));
    VAULT_TRY(mediator_register(call->vault, structure, login, name, &first, call->err));
    write_first(call, &first);
    return VAULT_OK;
}

enum vault_code admin_run_mediator_reset(const struct command_call *call)
{
    const char *login;
    struct mediator_first first;
    VAULT_TRY(admin_text_of(call, "login", &login));
    VAULT_TRY(mediator_reset(call->vault, login, &first, call->err));
    write_first(call, &first);
    return VAULT_OK;
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
