/* The operator's command that makes another policy decide. */
#include "admin_parts.h"
#include "vault/base/log.h"
#include "vault/vault/active_policy.h"

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

enum vault_code admin_run_policy_activate(const struct command_call *call)
{
    const char *folder;
    struct policy_activation activation;
    VAULT_TRY(admin_text_of(call, "folder", &folder));
    VAULT_TRY(active_policy_replace(call->vault, folder, &activation, call->err));
    log_activation(&activation);
    write_activation(&activation, call->result);
    return VAULT_OK;
}
