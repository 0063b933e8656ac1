/* The values of a release, and its answer. */
#include <string.h>

#include "parts.h"
#include "passage.h"
#include "vault/base/codec.h"
#include "vault/ledger/proof.h"
#include "vault/policy/value.h"

/* --- Values --------------------------------------------------------------------------------- */

static void note_origin(struct passage *passage, const struct citizen_value_about *about)
{
    if (passage->as_of_s && passage->as_of_s <= about->as_of_s)
        return;
    passage->as_of_s = about->as_of_s;
    memcpy(passage->source, about->source, sizeof passage->source);
}

static enum policy_reason stored_value(void *context, uint16_t field, struct bytes *json)
{
    struct passage *passage = context;
    struct citizen_value_about about;
    const char *name = policy_id(passage->policy, POLICY_FIELD, field);
    if (passage->value_count == PASSAGE_SOURCES_MAX)
        return REASON_ERROR;
    struct buf *value = &passage->values[passage->value_count++];
    *value = buf_limited(CITIZEN_VALUE_MAX_BYTES);
    const enum vault_code code = citizen_value_get(passage->citizen, name, value, &about, NULL);
    if (code == VAULT_NOT_FOUND)
        return REASON_NO_VALUE;
    if (code)
        return REASON_ERROR;
    note_origin(passage, &about);
    *json = buf_view(value);
    return REASON_RELEASED;
}

/* The same for one (service, field, epoch, citizen) and nothing else. */
static bool pseudonym(void *context, const struct policy_pseudonym *what,
                      uint8_t out[POLICY_PSEUDONYM_BYTES])
{
    struct passage *passage = context;
    static const uint8_t end = 0;
    const struct bytes separator = {&end, 1};
    const struct citizen_id *citizen = citizen_id_of(passage->citizen);
    const struct bytes parts[] = {
        bytes_of_text(passage->service->id),
        separator,
        bytes_of_text(what->field),
        separator,
        what->epoch,
        separator,
        {citizen->bytes, sizeof citizen->bytes},
        what->source,
    };
    uint8_t mac[SHA256_BYTES];
    hmac_sha256(mac, secret_view(passage->vault->pseudonym_key), parts,
                sizeof parts / sizeof parts[0]);
    memcpy(out, mac, POLICY_PSEUDONYM_BYTES);
    return true;
}

void passage_forget_values(struct passage *passage)
{
    while (passage->value_count)
        buf_finish(&passage->values[--passage->value_count]);
    passage->as_of_s = 0;
}

enum policy_reason passage_write_value(struct passage *passage, uint16_t field, uint8_t form,
                                       struct buf *out)
{
    const struct policy_source source = {passage, stored_value, pseudonym};
    passage_forget_values(passage);
    const enum policy_reason reason =
        policy_value_write(passage->policy, field, form, passage->now_s, &source, out);
    /* Nobody has no values, not even computed ones; what it takes to find that out is the same. */
    const bool exists = citizen_exists(passage->citizen);
    return reason == REASON_RELEASED && !exists ? REASON_NO_VALUE : reason;
}

/* Write one member of "released"; or change the outcome to why there is no value. */
static void write_released(struct passage *passage, size_t i, bool *first, struct buf *body)
{
    const struct policy *policy = passage->policy;
    struct policy_outcome *outcome = &passage->outcomes[i];
    const uint16_t field = passage->asks[i].field;
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(POLICY_VALUE_BYTES_MAX);
    const enum policy_reason reason = passage_write_value(passage, field, outcome->form, &value);
    outcome->reason = (uint8_t)reason;
    if (outcome->reason != REASON_RELEASED)
        return;
    char as_of[DATE_CHARS + 1];
    date_format(as_of, date_of_instant(passage->as_of_s ? passage->as_of_s : passage->now_s));
    buf_texts(body, *first ? "\"" : ",\"", policy_id(policy, POLICY_FIELD, field),
              "\":{\"form\":\"", policy_form_name(policy, field, outcome->form), "\",\"value\":");
    buf_join(body, &value);
    buf_texts(body, ",\"as_of\":\"", as_of, "\",\"source\":");
    json_write_string(body, bytes_of_text(passage->as_of_s ? passage->source : "vault"));
    buf_byte(body, '}');
    passage->bases |= outcome->bases;
    *first = false;
}

/* --- The answer ----------------------------------------------------------------------------- */

static void write_withheld(const struct passage *passage, struct buf *body)
{
    bool first = true;
    for (size_t i = 0; i < passage->request->ask_count; i++) {
        if (passage->outcomes[i].reason == REASON_RELEASED)
            continue;
        buf_text(body, first ? "" : ",");
        json_write_string(body, passage->request->asks[i].field);
        first = false;
    }
}

/* The obligations of all that was released: the smallest number, or yes. */
static void write_obligations(const struct passage *passage, struct buf *body)
{
    const struct policy *policy = passage->policy;
    const size_t count = policy ? policy_count(policy, POLICY_OBLIGATION) : 0;
    bool first = true;
    for (uint16_t obligation = 0; obligation < count; obligation++) {
        bool owed = false;
        int64_t number = INT64_MAX;
        for (size_t i = 0; i < passage->request->ask_count; i++) {
            const struct policy_outcome *outcome = &passage->outcomes[i];
            if (outcome->reason != REASON_RELEASED || !(outcome->must >> obligation & 1))
                continue;
            owed = true;
            if (policy_obligation_is_number(policy, obligation)) {
                const int64_t here =
                    policy_outcome_must(policy, &passage->decision, i, outcome, obligation);
                number = here < number ? here : number;
            }
        }
        if (!owed)
            continue;
        buf_texts(body, first ? "\"" : ",\"", policy_id(policy, POLICY_OBLIGATION, obligation),
                  "\":");
        if (policy_obligation_is_number(policy, obligation))
            buf_format(body, "%lld", (long long)number);
        else
            buf_text(body, "true");
        first = false;
    }
}

/* The place is not known before the entry, which commits to the hash of this. */
void passage_write_answer(struct passage *passage, struct buf *body)
{
    bool first = true;
    buf_texts(body, "{\"release\":\"", passage->id, "\",\"subject\":");
    json_write_string(body, passage->request->subject);
    buf_text(body, ",\"purpose\":");
    json_write_string(body, passage->request->purpose);
    buf_text(body, ",\"released\":{");
    for (size_t i = 0; i < passage->request->ask_count; i++) {
        if (passage->outcomes[i].reason == REASON_RELEASED)
            write_released(passage, i, &first, body);
    }
    buf_text(body, "},\"withheld\":[");
    write_withheld(passage, body);
    buf_text(body, "],\"obligations\":{");
    write_obligations(passage, body);
    buf_byte(body, '}');
}

enum vault_code release_write_place(struct vault *vault, const struct ledger_ticket *ticket,
                                    bool wants_proof, struct buf *body, struct vault_error *err)
{
    char leaf[BASE64_CHARS(SHA256_BYTES) + 1];
    base64_string(leaf, ticket->leaf.bytes, sizeof ticket->leaf.bytes);
    buf_text(body, ",\"log\":{\"origin\":");
    json_write_string(body, bytes_of_text(vault->options.origin));
    buf_text(body, ",\"index\":");
    buf_decimal(body, ticket->index);
    buf_texts(body, ",\"leaf\":\"", leaf, "\"");
    if (wants_proof) {
        VAULT_AUTO(buf_finish) struct buf proof = buf_limited(PROOF_MAX_BYTES);
        VAULT_TRY(ledger_prove(vault->ledger, ticket->index, &proof, err));
        buf_text(body, ",\"proof\":");
        json_write_string(body, buf_view(&proof));
    }
    buf_text(body, "}}");
    return buf_check(body, err);
}
