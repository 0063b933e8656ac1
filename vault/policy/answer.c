/* Deciding a question, and writing what came of it. */
#include <inttypes.h>

#include "question.h"
#include "vault/base/json.h"
#include "vault/policy/value.h"

static enum policy_reason given_value(void *context, uint16_t field, struct bytes *json)
{
    const struct question *question = context;
    *json = question->values[field];
    return json->data ? REASON_RELEASED : REASON_NO_VALUE;
}

static enum vault_code compute_value(const struct policy *policy, struct question *question,
                                     size_t ask, struct arena *arena,
                                     struct policy_outcome *outcome, struct bytes *value,
                                     struct vault_error *err)
{
    const struct policy_source source = {.context = question, .value = given_value};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_VALUE_BYTES_MAX);
    const enum policy_reason reason =
        policy_value_write(policy, question->request.asks[ask].field, outcome->form,
                           question->request.now_s, &source, &text);
    outcome->reason = (uint8_t)reason;
    if (reason != REASON_RELEASED)
        return VAULT_OK;
    value->size = text.size;
    value->data = (const uint8_t *)arena_text(arena, buf_view(&text));
    return value->data ? VAULT_OK : vault_fail(err, VAULT_NO_MEMORY, "out of memory");
}

enum vault_code question_decide(const struct policy *policy, const struct question *question,
                                struct arena *arena, struct policy_outcome outcomes[],
                                struct bytes values[], struct vault_error *err)
{
    struct question copy = *question;
    policy_decide(policy, &question->request, &question->stance, outcomes);
    for (size_t i = 0; i < question->request.ask_count && values; i++) {
        values[i] = (struct bytes){0};
        if (question->has_values && outcomes[i].reason == REASON_RELEASED)
            VAULT_TRY(compute_value(policy, &copy, i, arena, &outcomes[i], &values[i], err));
    }
    return VAULT_OK;
}

static void write_rules(const struct policy *policy, const struct question *question, size_t ask,
                        const struct policy_outcome *outcome, struct buf *out)
{
    uint16_t rules[POLICY_FIELD_RULES_MAX];
    const size_t count = policy_outcome_rules(policy, &question->request, ask, outcome, rules);
    buf_text(out, "\"by\":[");
    for (size_t i = 0; i < count; i++)
        buf_format(out, "%s\"%s\"", i ? "," : "", policy_id(policy, POLICY_RULE, rules[i]));
    buf_text(out, "],");
}

/* The obligations in the order of their ids, which is that of their numbers. */
static void write_must(const struct policy *policy, const struct question *question, size_t ask,
                       const struct policy_outcome *outcome, struct buf *out)
{
    bool first = true;
    for (size_t o = 0; o < policy_count(policy, POLICY_OBLIGATION); o++) {
        const uint16_t i = (uint16_t)o;
        if (!(outcome->must >> o & 1))
            continue;
        buf_format(out, "%s\"%s\":", first ? "\"must\":{" : ",",
                   policy_id(policy, POLICY_OBLIGATION, i));
        if (policy_obligation_is_number(policy, i))
            buf_format(out, "%" PRId64,
                       policy_outcome_must(policy, &question->request, ask, outcome, i));
        else
            buf_text(out, "true");
        first = false;
    }
    if (!first)
        buf_text(out, "},");
}

void answer_write_field(const struct policy *policy, const struct question *question, size_t ask,
                        const struct policy_outcome *outcome, struct bytes value, struct buf *out)
{
    buf_byte(out, '{');
    write_rules(policy, question, ask, outcome, out);
    if (outcome->reason == REASON_RELEASED) {
        const uint16_t field = question->request.asks[ask].field;
        buf_format(out, "\"form\":\"%s\",", policy_form_name(policy, field, outcome->form));
        write_must(policy, question, ask, outcome, out);
    }
    buf_format(out, "\"outcome\":\"%s\"", policy_reason_name(outcome->reason));
    if (value.data) {
        buf_text(out, ",\"value\":");
        buf_bytes(out, value);
    }
    buf_byte(out, '}');
}

void answer_write(const struct policy *policy, const struct question *question,
                  const struct policy_outcome outcomes[], const struct bytes values[],
                  struct buf *out)
{
    buf_text(out, "{\"fields\":{");
    for (size_t i = 0; i < question->request.ask_count; i++) {
        if (i)
            buf_byte(out, ',');
        json_write_string(out, bytes_of_text(question->names[i]));
        buf_byte(out, ':');
        answer_write_field(policy, question, i, &outcomes[i], values[i], out);
    }
    buf_text(out, "},\"id\":");
    json_write_string(out, bytes_of_text(question->id));
    buf_byte(out, '}');
}
