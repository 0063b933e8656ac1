/* What an operator looks at: services, citizens, auditors out. */
#include <string.h>

#include "admin_parts.h"
#include "vault/vault/inspect.h"
#include "vault/vault/service.h"

enum vault_code admin_run_service_show(const struct command_call *call)
{
    const char *id;
    VAULT_TRY(admin_text_of(call, "id", &id));
    return inspect_service(call->vault, id, call->result, call->err);
}

enum vault_code admin_run_citizen_show(const struct command_call *call)
{
    const char *reference;
    VAULT_TRY(admin_text_of(call, "reference", &reference));
    return inspect_citizen(call->vault, reference, call->result, call->err);
}

enum vault_code admin_run_citizen_list(const struct command_call *call)
{
    const char *after = json_string_value(json_object_get(call->request, "after"));
    return inspect_citizens(call->vault, after ? after : "", call->result, call->err);
}

enum vault_code admin_run_auditor_remove(const struct command_call *call)
{
    const char *name;
    VAULT_TRY(admin_text_of(call, "id", &name));
    return service_remove_auditor(call->vault, name, call->err);
}
