/* The data there are, each with its source and date, and putting right what is wrong. */
#include <stdio.h>
#include <string.h>

#include "pages_parts.h"
#include "pages_words.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/correction.h"
#include "vault/vault/people.h"
#include "vault/vault/service.h"

#define VALUE_DEPTH_MAX   16
#define VALUE_SHOWN_BYTES (16U * 1024)
#define VALUE_TYPED_BYTES 1000U
#define VALUE_JSON_BYTES  (4U * VALUE_TYPED_BYTES * 6) /* four members, every byte escaped */

struct listing {
    struct visit *visit;
    const struct policy *policy;
    json_t *list;
    const char *only; /* this field alone; NULL: all */
};

/* --- All of it ------------------------------------------------------------------------------ */

static bool can_be_typed(const struct policy *policy, const char *field)
{
    const uint16_t index =
        policy ? policy_find(policy, POLICY_FIELD, bytes_of_text(field)) : POLICY_NONE;
    return index != POLICY_NONE && !policy_field_is_derived(policy, index) &&
           policy_field_type(policy, index) != POLICY_SERIES;
}

static enum vault_code put_value(void *context, const char *field, struct bytes json,
                                 int64_t as_of_s, const char *source, struct vault_error *err)
{
    const struct listing *listing = context;
    char date[WORDS_CHARS];
    VAULT_AUTO(json_free) json_t *value = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(VALUE_SHOWN_BYTES);
    if (listing->only && strcmp(listing->only, field) != 0)
        return VAULT_OK;
    VAULT_TRY(json_parse(json, VALUE_DEPTH_MAX, &value, NULL, err));
    words_value(listing->visit, value, &text);
    words_date(listing->visit, as_of_s, date);
    json_t *item = page_item(listing->visit, listing->list);
    page_text(listing->visit, item, "field", field);
    page_text(listing->visit, item, "title",
              words_field_title(listing->visit, listing->policy, field));
    page_text(listing->visit, item, "value", buf_string(&text));
    page_text(listing->visit, item, "as_of", date);
    page_text(listing->visit, item, "source", source);
    if (!correction_is_own(field, source)) {
        page_flag(listing->visit, item, "askable");
    } else {
        page_flag(listing->visit, item, "is_own");
        if (can_be_typed(listing->policy, field))
            page_flag(listing->visit, item, "editable");
    }
    if (json_object_set_new(item, "stored", VAULT_TAKE(value)))
        listing->visit->data_lost = true;
    return VAULT_OK;
}

/* What was asked of a field that is shown. */
static enum vault_code put_correction(void *context, const struct correction *correction,
                                      struct vault_error *err)
{
    const struct listing *listing = context;
    char date[WORDS_CHARS];
    size_t i;
    json_t *item;
    (void)err;
    const bool waits = correction->state == CORRECTION_WAITS;
    if (correction->state == CORRECTION_DONE)
        return VAULT_OK; /* the value that is shown is another one */
    words_date(listing->visit, waits ? correction->asked_s : correction->ended_s, date);
    json_array_foreach(listing->list, i, item)
    {
        const char *field = json_string_value(json_object_get(item, "field"));
        if (!field || strcmp(field, correction->field) != 0)
            continue;
        page_text(listing->visit, item, waits ? "waits_since" : "closed_at", date);
        if (waits)
            json_object_del(item, "askable");
    }
    return VAULT_OK;
}

static enum vault_code list_values(struct listing *listing, struct vault_error *err)
{
    struct visit *visit = listing->visit;
    const struct citizen_id *citizen = &visit->session.citizen;
    listing->list = page_list(visit, visit->data, "values");
    VAULT_TRY(people_values(visit->pages->vault, citizen, put_value, listing, err));
    return correction_list(visit->pages->vault, citizen, put_correction, listing, err);
}

void data_show(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visit->pages->vault);
    struct listing listing = {.visit = visit, .policy = held.policy};
    const enum vault_code code = list_values(&listing, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    if (json_array_size(listing.list))
        page_flag(visit, visit->data, "values_shown");
    page_flag(visit, visit->data, "is_data");
    page_send(visit, 200, "data", "data.title");
}

/* --- One of them, to be corrected ----------------------------------------------------------- */

/* What a form has of an address; the number may be left out. */
static const char *const address_parts[] = {"number", "street", "postcode", "city"};

#define ADDRESS_PARTS (sizeof address_parts / sizeof address_parts[0])

static enum policy_type type_of(const struct policy *policy, const char *field)
{
    return policy_field_type(policy, policy_find(policy, POLICY_FIELD, bytes_of_text(field)));
}

/* What stands in the form: what was typed, or else what is stored. */
static void put_inputs(const struct listing *listing, json_t *item, bool typed)
{
    struct visit *visit = listing->visit;
    const json_t *stored = json_object_get(item, "stored");
    const enum policy_type type = type_of(listing->policy, listing->only);
    char text[VALUE_TYPED_BYTES + 1];
    page_flag(visit, visit->data,
              type == POLICY_ADDRESS   ? "is_address"
              : type == POLICY_BOOLEAN ? "is_boolean"
              : type == POLICY_DATE    ? "is_date"
              : type == POLICY_NUMBER  ? "is_number"
                                       : "is_text");
    for (size_t i = 0; type == POLICY_ADDRESS && i < ADDRESS_PARTS; i++) {
        const char *now = json_string_value(json_object_get(stored, address_parts[i]));
        const bool there = typed && visit_field(visit, address_parts[i], text, sizeof text);
        page_text(visit, visit->data, address_parts[i], there ? text : now);
    }
    if (type == POLICY_BOOLEAN) {
        const bool there = typed && visit_field(visit, "value", text, sizeof text);
        const bool is_yes = there ? strcmp(text, "true") == 0 : json_is_true(stored);
        page_flag(visit, visit->data, is_yes ? "is_yes" : "is_no");
    } else if (type != POLICY_ADDRESS) {
        const bool there = typed && visit_field(visit, "value", text, sizeof text);
        page_text(visit, visit->data, "typed",
                  there ? text : json_string_value(json_object_get(item, "value")));
    }
}

/* Who to turn to, if the source is a service that is registered. */
static void put_source(struct visit *visit, const char *source)
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    if (service_by_id_ever(visit->pages->vault, bytes_of_text(source), &held, NULL))
        return;
    page_text(visit, visit->data, "source_name", held.service->name);
    page_text(visit, visit->data, "source_contact", held.service->contact);
}

static void show_one(const struct listing *listing, unsigned status)
{
    struct visit *visit = listing->visit;
    json_t *item = json_array_get(listing->list, 0);
    if (!item) {
        page_error(visit, 404);
        return;
    }
    if (json_object_update(visit->data, item)) {
        page_error(visit, 503);
        return;
    }
    page_flag(visit, visit->data, "is_data");
    if (json_object_get(item, "editable")) {
        put_inputs(listing, item, visit->request->method == HTTP_POST);
        page_flag(visit, visit->data, "keeps");
    } else if (!json_object_get(item, "is_own")) {
        put_source(visit, json_string_value(json_object_get(item, "source")));
    }
    /* The page's title is the heading's name in the catalogue. */
    page_text(visit, visit->data, "field_title", json_string_value(json_object_get(item, "title")));
    page_send(visit, status, "correct", "correct.title");
}

static void show_field(struct visit *visit, const char *field, unsigned status)
{
    struct vault_error err;
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visit->pages->vault);
    struct listing listing = {.visit = visit, .policy = held.policy, .only = field};
    const enum vault_code code = list_values(&listing, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        show_one(&listing, status);
}

void correction_show(struct visit *visit, const char *field)
{
    show_field(visit, field, 200);
}

/* --- What was typed, as JSON of the field's type --------------------------------------------- */

static struct bytes trimmed(struct bytes text)
{
    while (text.size && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.size--;
    }
    while (text.size && strchr(" \t\r\n", text.data[text.size - 1]))
        text.size--;
    return text;
}

static void write_address(const struct visit *visit, struct buf *out)
{
    bool first = true;
    buf_byte(out, '{');
    for (size_t i = 0; i < ADDRESS_PARTS; i++) {
        const struct bytes part = trimmed(form_value(&visit->form, address_parts[i]));
        if (part.size == 0 && i == 0)
            continue;
        buf_format(out, "%s\"%s\":", first ? "" : ",", address_parts[i]);
        json_write_string(out, part);
        first = false;
    }
    buf_byte(out, '}');
}

static void write_typed(const struct visit *visit, enum policy_type type, struct buf *out)
{
    const struct bytes value = trimmed(form_value(&visit->form, "value"));
    if (type == POLICY_ADDRESS)
        write_address(visit, out);
    else if (type == POLICY_NUMBER || type == POLICY_BOOLEAN)
        buf_bytes(out, value);
    else
        json_write_string(out, value);
}

static bool is_short(const struct visit *visit)
{
    bool is = form_value(&visit->form, "value").size <= VALUE_TYPED_BYTES;
    for (size_t i = 0; i < ADDRESS_PARTS; i++)
        is = is && form_value(&visit->form, address_parts[i]).size <= VALUE_TYPED_BYTES;
    return is;
}

/* VAULT_INVALID for what is no value of the field's type. */
static enum vault_code correct(struct visit *visit, const char *field, struct vault_error *err)
{
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visit->pages->vault);
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(VALUE_JSON_BYTES);
    if (!held.policy)
        return vault_fail(err, VAULT_UNAVAILABLE, "no policy is active");
    if (!can_be_typed(held.policy, field))
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such field to be typed");
    if (!is_short(visit))
        return vault_fail(err, VAULT_INVALID, "what was typed is too long");
    write_typed(visit, type_of(held.policy, field), &json);
    VAULT_TRY(buf_check(&json, err));
    return correction_make(visit->pages->vault, &visit->session.citizen, field, buf_view(&json),
                           err);
}

void correction_do(struct visit *visit, const char *field)
{
    struct vault_error err;
    if (visit_stays(visit)) {
        show_field(visit, field, 200);
        return;
    }
    const enum vault_code code = correct(visit, field, &err);
    if (code == VAULT_OK) {
        page_redirect_with(visit, "/data", NOTICE_CORRECTED);
    } else if (code == VAULT_INVALID) {
        page_wrong(visit, "value", "error.value_wrong");
        show_field(visit, field, 422);
    } else {
        page_failed(visit, code, &err);
    }
}

void correction_ask_do(struct visit *visit, const char *field)
{
    struct vault_error err;
    const enum vault_code code =
        correction_ask(visit->pages->vault, &visit->session.citizen, field, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, "/data", NOTICE_CORRECTION_ASKED);
}
