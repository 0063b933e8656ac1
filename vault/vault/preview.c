#include "vault/vault/preview.h"

#include <assert.h>
#include <stdlib.h>

#include "parts.h"
#include "passage.h"
#include "vault/policy/value.h"
#include "vault/vault/active_policy.h"

/* What the rules give on consent to this service for this purpose. */
struct prospects {
    struct policy_prospect *list; /* owned */
    size_t count;
};

static void prospects_finish(struct prospects *prospects)
{
    free(prospects->list);
}

static enum vault_code find_prospects(const struct passage *passage, const char *purpose,
                                      struct prospects *out, struct vault_error *err)
{
    const struct policy *policy = passage->policy;
    const struct policy_actor actor = service_actor(passage->service, policy);
    const uint16_t index = policy_find(policy, POLICY_PURPOSE, bytes_of_text(purpose));
    out->list = calloc(policy_count(policy, POLICY_FIELD) + 1, sizeof *out->list);
    if (!out->list)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    if (index != POLICY_NONE)
        out->count = policy_prospects(policy, &actor, index, passage->now_s, out->list);
    return VAULT_OK;
}

/* The strictest of the two; POLICY_FORM_NONE if either gives none. */
static uint8_t form_of(const struct passage *passage, const struct prospects *prospects,
                       uint16_t index, const struct consent_field *field)
{
    uint8_t form =
        field->form[0] ? policy_form_find(passage->policy, index, bytes_of_text(field->form)) : 0;
    for (size_t i = 0; i < prospects->count; i++) {
        const struct policy_prospect *prospect = &prospects->list[i];
        if (prospect->field != index)
            continue;
        /* A larger number is stricter, and none is the largest. */
        return form > prospect->with_consent ? form : prospect->with_consent;
    }
    return POLICY_FORM_NONE;
}

static enum preview_outcome write_one(struct passage *passage, const struct prospects *prospects,
                                      const struct consent_field *field, struct buf *value)
{
    const uint16_t index = policy_find(passage->policy, POLICY_FIELD, bytes_of_text(field->name));
    const uint8_t form =
        index == POLICY_NONE ? POLICY_FORM_NONE : form_of(passage, prospects, index, field);
    if (form == POLICY_FORM_NONE)
        return PREVIEW_NOT_ALLOWED;
    switch (passage_write_value(passage, index, form, value)) {
    case REASON_RELEASED:
        return PREVIEW_SHOWN;
    case REASON_NO_VALUE:
        return PREVIEW_NO_VALUE;
    default:
        return PREVIEW_NOT_SO;
    }
}

/* What is written is told after the citizen is let go: whoever is told may ask the vault more. */
struct written {
    enum preview_outcome outcomes[CONSENT_FIELDS_MAX];
    struct buf values[CONSENT_FIELDS_MAX];
    size_t count;
};

static void written_finish(struct written *written)
{
    while (written->count)
        buf_finish(&written->values[--written->count]);
}

static enum vault_code write_all(struct passage *passage, const struct citizen_id *id,
                                 const struct preview_wish *wish, struct written *out,
                                 struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(prospects_finish) struct prospects prospects = {0};
    VAULT_TRY(passage_hold(passage, id, &citizen, err));
    if (!citizen_exists(citizen))
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such citizen");
    VAULT_TRY(find_prospects(passage, wish->purpose, &prospects, err));
    for (; out->count < wish->count; out->count++) {
        struct buf *value = &out->values[out->count];
        *value = buf_limited(POLICY_VALUE_BYTES_MAX);
        out->outcomes[out->count] =
            write_one(passage, &prospects, &wish->fields[out->count], value);
    }
    passage_forget_values(passage);
    return VAULT_OK;
}

enum vault_code preview_fields(struct vault *vault, const struct citizen_id *citizen,
                               const struct preview_wish *wish, preview_each *each, void *context,
                               struct vault_error *err)
{
    struct passage passage;
    static const struct release_request nothing = {0};
    VAULT_AUTO(written_finish) struct written written = {0};
    VAULT_AUTO(service_release) struct service_hold held = {0};
    VAULT_AUTO(active_policy_release) struct policy_hold policy = active_policy_hold(vault);
    assert(wish->count <= CONSENT_FIELDS_MAX);
    if (!policy.policy)
        return vault_fail(err, VAULT_UNAVAILABLE, "no policy is active");
    VAULT_TRY(service_by_id(vault, bytes_of_text(wish->service), &held, err));
    passage_begin(&passage, vault, held.service, &nothing, policy.policy);
    VAULT_TRY(write_all(&passage, citizen, wish, &written, err));
    for (size_t i = 0; i < written.count; i++) {
        const bool shown = written.outcomes[i] == PREVIEW_SHOWN;
        const struct bytes json = shown ? buf_view(&written.values[i]) : (struct bytes){0};
        VAULT_TRY(each(context, i, written.outcomes[i], json, err));
    }
    return VAULT_OK;
}
