/*
 * What only the running vault can see of itself, for vaultctl doctor: findings as a list, some of
 * the citizens at a time, so that the operator sees how far it is.
 */
#include <string.h>

#include "admin_parts.h"
#include "vault/edge/confine.h"
#include "vault/edge/doctor.h"
#include "vault/edge/metrics.h"

struct list {
    struct buf *out;
    size_t count;
};

static void add(void *context, const char *check, enum checkup_severity severity, const char *text)
{
    struct list *list = context;
    buf_format(list->out,
               "%s{\"check\":\"%s\",\"severity\":\"%s\",\"text\":", list->count++ ? "," : "", check,
               checkup_severity_name(severity));
    json_write_string(list->out, bytes_of_text(text));
    buf_byte(list->out, '}');
}

static void judge_sandbox(const struct sandbox_state *state, const struct checkup *out)
{
    char text[CONFINE_TEXT_CHARS + 1];
    if (!state)
        return;
    confine_describe(state, text);
    checkup_tell(out, state->landlock ? CHECKUP_NOTICE : CHECKUP_WARNING, "%s", text);
}

static void judge_mail(const struct metrics *metrics, struct list *list)
{
    const struct checkup checkup = {.each = add, .context = list, .check = "mail"};
    if (!metrics || !metrics->mailer)
        return;
    const struct mailer_figures figures = mailer_figures(metrics->mailer);
    doctor_judge_mail(&figures, &checkup);
}

enum vault_code admin_run_doctor(const struct command_call *call)
{
    struct list list = {.out = call->result};
    struct checkup checkup = {.each = add, .context = &list, .check = "limits"};
    const struct doctor_limits limits = doctor_limits_here();
    buf_text(call->result, "{\"findings\":[");
    doctor_judge_limits(&limits, call->context->config, &checkup);
    checkup.check = "sandbox";
    judge_sandbox(call->context->sandbox, &checkup);
    judge_mail(call->context->metrics, &list);
    VAULT_TRY(checkup_run(call->vault, &checkup, call->err));
    buf_text(call->result, "]}");
    return VAULT_OK;
}

enum vault_code admin_run_doctor_citizens(const struct command_call *call)
{
    const json_t *shard = json_object_get(call->request, "shard");
    const bool pages = !json_is_false(json_object_get(call->request, "pages"));
    struct list list = {.out = call->result};
    const struct checkup checkup = {.each = add, .context = &list};
    struct store_checked checked = {0};
    if (!json_is_integer(shard) || json_integer_value(shard) < 0 ||
        json_integer_value(shard) >= STORE_CHECK_SHARDS)
        return vault_fail(call->err, VAULT_INVALID, "shard is a number below %d",
                          STORE_CHECK_SHARDS);
    buf_text(call->result, "{\"findings\":[");
    VAULT_TRY(checkup_citizens(call->vault, (unsigned)json_integer_value(shard), pages, &checkup,
                               &checked, call->err));
    buf_format(call->result, "],\"citizens\":%llu,\"former_keys\":%llu,\"unchecked\":%llu}",
               (unsigned long long)checked.citizens, (unsigned long long)checked.former_keys,
               (unsigned long long)checked.unchecked);
    return VAULT_OK;
}

static uint64_t number_of(const struct command_call *call, const char *member)
{
    const int64_t value = json_integer_value(json_object_get(call->request, member));
    return value > 0 ? (uint64_t)value : 0;
}

enum vault_code admin_run_doctor_end(const struct command_call *call)
{
    struct list list = {.out = call->result};
    const struct checkup checkup = {.each = add, .context = &list};
    const struct store_checked all = {.citizens = number_of(call, "citizens"),
                                      .former_keys = number_of(call, "former_keys"),
                                      .unchecked = number_of(call, "unchecked")};
    buf_text(call->result, "{\"findings\":[");
    checkup_citizens_end(call->vault, &checkup, &all);
    buf_text(call->result, "]}");
    return VAULT_OK;
}
