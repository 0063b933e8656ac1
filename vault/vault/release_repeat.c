/*
 * A release that may be asked for again under a key.
 *
 * The answer is put away after its entry has its place in the log's queue and before anybody waits
 * for the disk: the two become durable side by side, and the answer leaves only when both are. Of a
 * crash in between it leaves the entry alone, and then a repetition is a request like any other; or
 * the answer alone, which kept_recover() finds.
 */
#include <string.h>

#include "kept.h"
#include "parts.h"
#include "passage.h"
#include "vault/crypto/seal.h"
#include "vault/vault/active_policy.h"

#define DEPTH_MAX 12

/* Before the answer stands the id of the consent that it rests on, or as many hyphens. */
enum vault_code passage_seal(struct passage *passage, const struct buf *body,
                             struct vault_error *err)
{
    static const char none[CONSENT_ID_CHARS + 1] = "--------------------------";
    VAULT_AUTO(buf_finish) struct buf plain = buf_limited(KEPT_PLAIN_BYTES_MAX);
    const bool consented = passage->consent && passage->bases >> POLICY_CONSENT & 1;
    buf_append(&plain, consented ? passage->consent->id : none, CONSENT_ID_CHARS);
    buf_join(&plain, body);
    VAULT_TRY(buf_check(&plain, err));
    return seal(citizen_seal_key(passage->citizen), passage->associated, buf_view(&plain),
                passage->sealed, err);
}

static enum vault_code ended(struct vault_error *err)
{
    return vault_fail(err, VAULT_CONFLICT,
                      "what was released under this Idempotency-Key may not be released any more");
}

/* Whether a field that came in that form may still come, in that one or a more revealing one. */
static bool may_still(const struct passage *passage, size_t i, const json_t *released)
{
    const struct policy_outcome *outcome = &passage->outcomes[i];
    const struct bytes form = json_text(json_object_get(released, "form"));
    const uint8_t came = passage->policy && passage->asks[i].field != POLICY_NONE
                             ? policy_form_find(passage->policy, passage->asks[i].field, form)
                             : POLICY_FORM_NONE;
    return came != POLICY_FORM_NONE && outcome->reason == REASON_RELEASED && outcome->form <= came;
}

/* Everything that the answer holds is decided anew, on the same consent: that another ground alone
 * would do today makes no replay of it (api.md). */
static bool all_may_still(const struct passage *passage, const json_t *released,
                          const uint8_t consent[CONSENT_ID_CHARS])
{
    size_t found = 0;
    if (json_object_size(released) == 0)
        return true;
    if (consent[0] != '-' && (!passage_consent_stands(passage) ||
                              memcmp(passage->consent->id, consent, CONSENT_ID_CHARS) != 0))
        return false;
    for (size_t i = 0; i < passage->request->ask_count; i++) {
        const struct bytes name = passage->request->asks[i].field;
        const json_t *value = json_object_getn(released, (const char *)name.data, name.size);
        if (value && !may_still(passage, i, value))
            return false;
        found += value != NULL;
    }
    return found == json_object_size(released);
}

/* While the citizen is held. */
static enum vault_code open_again(struct passage *passage, const struct kept *kept,
                                  struct buf *body, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf plain = buf_limited(KEPT_PLAIN_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf whole = buf_limited(KEPT_PLAIN_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *answer = NULL;
    if (seal_open(citizen_seal_key(passage->citizen), kept_associated(kept),
                  buf_view(&kept->sealed), &plain, err) ||
        plain.size < CONSENT_ID_CHARS)
        return ended(err); /* whoever it was about is gone, or has another key */
    const struct bytes text = {plain.data + CONSENT_ID_CHARS, plain.size - CONSENT_ID_CHARS};
    buf_bytes(&whole, text);
    buf_byte(&whole, '}');
    VAULT_TRY(buf_check(&whole, err));
    VAULT_TRY(json_parse(buf_view(&whole), DEPTH_MAX, &answer, NULL, err));
    VAULT_TRY(passage_decide(passage, err));
    if (!all_may_still(passage, json_object_get(answer, "released"), plain.data))
        return ended(err);
    buf_bytes(body, text);
    return buf_check(body, err);
}

static enum vault_code answer_again(struct passage *passage, const struct kept *kept,
                                    struct buf *body, struct ledger_ticket *ticket,
                                    enum release_fault *fault, struct vault_error *err)
{
    struct citizen_id id;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(passage_admit(passage, &id, fault, err));
    VAULT_TRY(passage_hold(passage, &id, &citizen, err));
    VAULT_TRY(open_again(passage, kept, body, err));
    *ticket = (struct ledger_ticket){.index = kept->reply.index};
    memcpy(ticket->leaf.bytes, kept->reply.leaf, sizeof ticket->leaf.bytes);
    return VAULT_OK;
}

static enum vault_code answer_first(struct passage *passage, struct kept *kept, struct buf *body,
                                    struct ledger_ticket *ticket, enum release_fault *fault,
                                    struct vault_error *err)
{
    struct citizen_id id;
    VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(REPLY_SEALED_MAX_BYTES);
    VAULT_TRY(passage_admit(passage, &id, fault, err));
    passage->associated = kept_associated(kept);
    passage->sealed = &sealed;
    const enum vault_code code = passage_go(passage, &id, body, ticket, err);
    passage->sealed = NULL;
    VAULT_TRY(code);
    return kept_put(kept, buf_view(&sealed), ticket, err);
}

enum vault_code release_enter_once(struct vault *vault, const struct service *service,
                                   const struct release_request *request, struct buf *body,
                                   struct ledger_ticket *ticket, enum release_fault *fault,
                                   struct vault_error *err)
{
    VAULT_AUTO(kept_end) struct kept kept = {0};
    VAULT_AUTO(active_policy_release) struct policy_hold held = {0};
    struct passage passage;
    *fault = RELEASE_NO_FAULT;
    VAULT_TRY(kept_begin(vault, service, request->repeat, &kept, err));
    held = active_policy_hold(vault);
    passage_begin(&passage, vault, service, request, held.policy);
    return kept.found ? answer_again(&passage, &kept, body, ticket, fault, err)
                      : answer_first(&passage, &kept, body, ticket, fault, err);
}
