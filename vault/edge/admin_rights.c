/* The operator's commands about what citizens asked the city to see to. */
#include "admin_parts.h"
#include "vault/vault/correction.h"
#include "vault/vault/report.h"

enum vault_code admin_run_correction_list(const struct command_call *call)
{
    return correction_open_list(call->vault, call->result, call->err);
}

enum vault_code admin_run_correction_close(const struct command_call *call)
{
    const char *id;
    VAULT_TRY(admin_text_of(call, "id", &id));
    return correction_close(call->vault, id, call->err);
}

enum vault_code admin_run_report_list(const struct command_call *call)
{
    return report_open_list(call->vault, call->result, call->err);
}

enum vault_code admin_run_report_show(const struct command_call *call)
{
    const char *id;
    VAULT_TRY(admin_text_of(call, "id", &id));
    return report_show(call->vault, id, call->result, call->err);
}

enum vault_code admin_run_report_close(const struct command_call *call)
{
    const char *id;
    VAULT_TRY(admin_text_of(call, "id", &id));
    return report_close(call->vault, id, call->err);
}
