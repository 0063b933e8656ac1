#include "vault/vault/evaluation.h"

#include <assert.h>

#include "parts.h"
#include "passage.h"
#include "vault/vault/active_policy.h"

#define ANSWER_BYTES 32

/* Nobody is allowed nothing: what the rules give on another basis than consent, they would give of
 * anybody. */
static bool is_allowed(struct passage *passage)
{
    struct policy_outcome *outcome = &passage->outcomes[0];
    if (outcome->reason == REASON_RELEASED && !citizen_exists(passage->citizen))
        outcome->reason = REASON_NO_VALUE;
    return outcome->reason == REASON_RELEASED;
}

static enum vault_code decide_and_enter(struct passage *passage, const struct citizen_id *id,
                                        bool *allowed, struct ledger_ticket *ticket,
                                        struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(ANSWER_BYTES);
    VAULT_TRY(passage_hold(passage, id, &citizen, err));
    VAULT_TRY(passage_decide(passage, err));
    const bool decision = is_allowed(passage);
    buf_format(&answer, "{\"decision\":%s", decision ? "true" : "false");
    VAULT_TRY(passage_enter(passage, &answer, ticket, err));
    *allowed = decision;
    return VAULT_OK;
}

enum vault_code evaluation_enter(struct vault *vault, const struct service *service,
                                 const struct release_request *request, bool *allowed,
                                 struct ledger_ticket *ticket, enum release_fault *fault,
                                 struct vault_error *err)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    struct citizen_id citizen;
    struct passage passage;
    assert(request->ask_count == 1 && !request->repeat && !request->wants_proof);
    passage_begin(&passage, vault, service, request, held.policy);
    passage.only_asks = true;
    VAULT_TRY(passage_admit(&passage, &citizen, fault, err));
    return decide_and_enter(&passage, &citizen, allowed, ticket, err);
}

enum vault_code evaluation_complete(struct vault *vault, const struct ledger_ticket *ticket,
                                    struct vault_error *err)
{
    return ledger_wait(vault->ledger, ticket, err);
}
