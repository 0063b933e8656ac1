/* The operator's commands about guardians, each by the city's references. */
#include "admin_parts.h"
#include "vault/vault/guardian.h"
#include "vault/vault/people.h"

static enum vault_code find(const struct command_call *call, const char *member,
                            struct citizen_id *out)
{
    const char *reference;
    VAULT_TRY(admin_text_of(call, member, &reference));
    const enum vault_code code = people_find(call->vault, reference, out, call->err);
    if (code)
        vault_error_context(call->err, "the %s", member);
    return code;
}

enum vault_code admin_run_guardian_add(const struct command_call *call)
{
    struct citizen_id minor;
    struct citizen_id guardian;
    VAULT_TRY(find(call, "minor", &minor));
    VAULT_TRY(find(call, "guardian", &guardian));
    return guardian_add(call->vault, &minor, &guardian, call->err);
}

enum vault_code admin_run_guardian_remove(const struct command_call *call)
{
    struct citizen_id minor;
    struct citizen_id guardian;
    VAULT_TRY(find(call, "minor", &minor));
    VAULT_TRY(find(call, "guardian", &guardian));
    return guardian_remove(call->vault, &minor, &guardian, call->err);
}

enum vault_code admin_run_guardian_list(const struct command_call *call)
{
    struct citizen_id citizen;
    VAULT_TRY(find(call, "citizen", &citizen));
    return guardian_write_list(call->vault, &citizen, call->result, call->err);
}
