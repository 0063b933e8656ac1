#include "pages_unasked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages_words.h"
#include "vault/vault/service.h"
#include "vault/vault/stance.h"

#define SERVICES_BYTES_MAX (512U * 1024)
#define SERVICES_DEPTH_MAX 3

/* A citizen may object where the law lets them: GDPR article 21. */
#define OBJECTABLE         (1U << POLICY_PUBLIC_TASK | 1U << POLICY_LEGITIMATE_INTERESTS)
#define UNASKED            ((1U << POLICY_BASIS_COUNT) - 1U - (1U << POLICY_CONSENT))

/* Of the bases of one use the one that is told: the weakest for the service first, since that is
 * what can be objected to. */
static const struct {
    enum policy_basis basis;
    const char *text;
} bases[] = {
    {POLICY_LEGITIMATE_INTERESTS, "basis.legitimate_interests"},
    {POLICY_PUBLIC_TASK, "basis.public_task"},
    {POLICY_CONTRACT, "basis.contract"},
    {POLICY_LEGAL_OBLIGATION, "basis.legal_obligation"},
    {POLICY_VITAL_INTERESTS, "basis.vital_interests"},
};

/* The citizen's objections, while their pages are made. */
struct objections {
    struct objection *list; /* owned */
    size_t count;
    size_t room;
};

struct listing {
    struct visit *visit;
    const struct policy *policy;
    struct policy_prospect *prospects; /* room for every field */
    struct objections objections;
    json_t *list;
};

static void listing_finish(struct listing *listing)
{
    free(listing->prospects);
    free(listing->objections.list);
}

static enum vault_code take_objection(void *context, const struct objection *objection,
                                      struct vault_error *err)
{
    struct objections *objections = context;
    if (objections->count == objections->room) {
        const size_t room = objections->room ? 2 * objections->room : 16;
        struct objection *longer = calloc(room, sizeof *longer);
        if (!longer)
            return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
        if (objections->list)
            memcpy(longer, objections->list, objections->count * sizeof *longer);
        free(objections->list);
        objections->list = longer;
        objections->room = room;
    }
    objections->list[objections->count++] = *objection;
    return VAULT_OK;
}

static const struct objection *objection_to(const struct objections *objections,
                                            const char *service, const char *purpose)
{
    for (size_t i = 0; i < objections->count; i++) {
        const struct objection *objection = &objections->list[i];
        if (objection->stands && strcmp(objection->service, service) == 0 &&
            strcmp(objection->purpose, purpose) == 0)
            return objection;
    }
    return NULL;
}

static void put_field(const struct listing *listing, json_t *fields,
                      const struct policy_prospect *prospect)
{
    const struct policy *policy = listing->policy;
    struct consent_field field;
    json_t *line = page_item(listing->visit, fields);
    snprintf(field.name, sizeof field.name, "%s", policy_id(policy, POLICY_FIELD, prospect->field));
    snprintf(field.form, sizeof field.form, "%s",
             policy_form_name(policy, prospect->field, prospect->most));
    page_text(listing->visit, line, "title", words_field_title(listing->visit, policy, field.name));
    page_text(listing->visit, line, "form_name", words_form(policy, &field));
}

static const char *basis_text(unsigned set)
{
    size_t i = 0;
    while (!(set >> bases[i].basis & 1))
        i++;
    return bases[i].text;
}

static void put_stance(const struct listing *listing, json_t *item, const char *service,
                       const char *purpose, unsigned set)
{
    struct visit *visit = listing->visit;
    const struct objection *objection = objection_to(&listing->objections, service, purpose);
    if (objection) {
        char date[WORDS_CHARS];
        words_date(visit, objection->at_s, date);
        page_flag(visit, item, "objected_shown");
        page_text(visit, item, "objected_at", date);
    } else if (set & OBJECTABLE) {
        page_flag(visit, item, "objectable_shown");
    }
}

static void put_use(const struct listing *listing, const struct service *service,
                    const char *purpose, size_t count)
{
    struct visit *visit = listing->visit;
    unsigned set = 0;
    for (size_t i = 0; i < count; i++)
        set |= listing->prospects[i].bases & UNASKED;
    if (!set)
        return;
    json_t *item = page_item(visit, listing->list);
    json_t *fields = page_list(visit, item, "fields");
    for (size_t i = 0; i < count; i++) {
        if (listing->prospects[i].bases & UNASKED)
            put_field(listing, fields, &listing->prospects[i]);
    }
    page_text(visit, item, "service", service->id);
    page_text(visit, item, "service_name", service->name);
    page_text(visit, item, "contact", service->contact);
    page_text(visit, item, "purpose", purpose);
    page_text(visit, item, "purpose_title", words_purpose_title(visit, listing->policy, purpose));
    page_text(visit, item, "basis_text", basis_text(set));
    put_stance(listing, item, service->id, purpose, set);
    page_flag(visit, visit->data, "unasked_shown");
}

static void put_service(const struct listing *listing, const struct service *service)
{
    const struct policy_actor actor = service_actor(service, listing->policy);
    for (size_t i = 0; i < service->purposes.count; i++) {
        const char *name = service->purposes.names[i];
        const uint16_t purpose = policy_find(listing->policy, POLICY_PURPOSE, bytes_of_text(name));
        if (purpose == POLICY_NONE)
            continue;
        const size_t count = policy_prospects(listing->policy, &actor, purpose,
                                              visit_now_s(listing->visit), listing->prospects);
        put_use(listing, service, name, count);
    }
}

static void put_by_id(const struct listing *listing, const char *id)
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    if (service_by_id(listing->visit->pages->vault, bytes_of_text(id), &held, NULL) == VAULT_OK &&
        held.service->active)
        put_service(listing, held.service);
}

static enum vault_code put_all(const struct listing *listing, struct vault_error *err)
{
    size_t i;
    json_t *item;
    VAULT_AUTO(json_free) json_t *services = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(SERVICES_BYTES_MAX);
    VAULT_TRY(service_list(listing->visit->pages->vault, &text, err));
    VAULT_TRY(json_parse(buf_view(&text), SERVICES_DEPTH_MAX, &services, NULL, err));
    json_array_foreach(services, i, item)
        put_by_id(listing, json_string_value(json_object_get(item, "id")));
    return VAULT_OK;
}

enum vault_code stance_put(struct visit *visit, const struct policy *policy, const char *service,
                           struct vault_error *err)
{
    bool paused;
    bool restricted;
    VAULT_AUTO(listing_finish)
    struct listing listing = {
        .visit = visit,
        .policy = policy,
        .list = page_list(visit, visit->data, "unasked"),
    };
    VAULT_TRY(stance_read(visit->pages->vault, &visit->session.citizen, &paused, &restricted,
                          take_objection, &listing.objections, err));
    if (paused)
        page_flag(visit, visit->data, "paused_shown");
    if (restricted)
        page_flag(visit, visit->data, "restricted_shown");
    if (!policy)
        return VAULT_OK;
    listing.prospects = calloc(policy_count(policy, POLICY_FIELD) + 1, sizeof *listing.prospects);
    if (!listing.prospects)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    if (!service)
        return put_all(&listing, err);
    put_by_id(&listing, service);
    return VAULT_OK;
}
