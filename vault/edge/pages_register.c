/* The public register of the policy: every version that ever decided, for people and programs. No
 * session is asked for; the JSON has no cookie and no language. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages_parts.h"
#include "pages_words.h"
#include "vault/edge/problem.h"
#include "vault/vault/policy_register.h"

#define RECORD_DEPTH  4
#define CONTENT_DEPTH 32
#define JSON_SUFFIX   ".json"
#define DIGITS_MAX    18
#define FOR_A_WHILE   "public, max-age=300"
#define CONTENT_ROOM  (2 * POLICY_REGISTER_BYTES_MAX)

/* --- For programs --------------------------------------------------------------------------- */

static void failed(struct visit *visit, enum vault_code code, const struct vault_error *err)
{
    const unsigned status = problem_status(code);
    if (status < 500)
        problem_write(visit->answer, status, err->text, visit->request->path);
    else
        problem_write(visit->answer, status, "the register cannot be read now",
                      visit->request->path);
}

static void send_json(struct visit *visit)
{
    visit->answer->content_type = "application/json";
    http_answer_header(visit->answer, "Cache-Control", FOR_A_WHILE);
}

struct listing {
    struct visit *visit;
    json_t *list;
    struct buf *out;
    bool any;
};

static enum vault_code write_version(void *context, const struct policy_registered *one,
                                     struct vault_error *err)
{
    struct listing *listing = context;
    buf_format(listing->out, "%s{\"active\":%s,\"href\":\"/policies/%llu.json\",\"record\":",
               listing->any ? ",\n" : "\n", one->is_active ? "true" : "false",
               (unsigned long long)one->version);
    buf_bytes(listing->out, one->record);
    buf_byte(listing->out, '}');
    listing->any = true;
    return buf_check(listing->out, err);
}

void policies_send(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    struct listing listing = {.visit = visit, .out = &visit->answer->body};
    buf_text(listing.out, "{\"versions\":[");
    enum vault_code code = policy_register_list(visit->pages->vault, write_version, &listing, &err);
    buf_text(listing.out, "]}\n");
    if (code == VAULT_OK)
        code = buf_check(listing.out, &err);
    if (code)
        failed(visit, code, &err);
    else
        send_json(visit);
}

static enum vault_code write_policy(struct visit *visit, uint64_t version, struct buf *out,
                                    struct vault_error *err)
{
    struct vault *vault = visit->pages->vault;
    buf_text(out, "{\"record\":");
    VAULT_TRY(policy_register_record(vault, version, out, err));
    buf_text(out, ",\"policy\":");
    VAULT_TRY(policy_register_content(vault, version, out, err));
    buf_text(out, "}\n");
    return buf_check(out, err);
}

static void send_policy(struct visit *visit, uint64_t version)
{
    struct vault_error err;
    const enum vault_code code = write_policy(visit, version, &visit->answer->body, &err);
    if (code)
        failed(visit, code, &err);
    else
        send_json(visit);
}

/* --- For people ----------------------------------------------------------------------------- */

static const char *member_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

/* Of {"fr","en"} the page's language. */
static void put_words(struct visit *visit, json_t *item, const char *name, const json_t *object,
                      const char *member)
{
    page_text(visit, item, name, member_text(json_object_get(object, member), visit->language));
}

static void put_changes(struct visit *visit, json_t *item, const json_t *changes)
{
    static const char *const kinds[] = {"gains",    "loses",       "weaker",
                                        "stricter", "obligations", "besides"};
    if (!json_is_object(changes))
        return;
    page_flag(visit, item, "compared");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        page_number(visit, item, kinds[i], json_integer_value(json_object_get(changes, kinds[i])));
}

static void put_signers(struct visit *visit, json_t *item, const json_t *signers)
{
    json_t *list = page_list(visit, item, "signers");
    for (size_t i = 0; i < json_array_size(signers); i++)
        page_text(visit, page_item(visit, list), "signer",
                  json_string_value(json_array_get(signers, i)));
}

static void put_record(struct visit *visit, json_t *item, const json_t *record)
{
    int64_t activated_s = 0;
    char date[WORDS_CHARS];
    const char *instant = member_text(record, "activated");
    page_number(visit, item, "version", json_integer_value(json_object_get(record, "version")));
    page_text(visit, item, "bundle", member_text(record, "name"));
    page_text(visit, item, "digest", member_text(record, "manifest_sha256"));
    if (instant_parse(bytes_of_text(instant), &activated_s, NULL) == VAULT_OK) {
        words_date(visit, activated_s, date);
        page_text(visit, item, "date", date);
        page_text(visit, item, "instant", instant);
        page_number(visit, item, "log_index",
                    json_integer_value(json_object_get(record, "log_index")));
    }
    if (json_is_true(json_object_get(record, "widens")))
        page_flag(visit, item, "widens");
    put_signers(visit, item, json_object_get(record, "signed_by"));
    put_changes(visit, item, json_object_get(record, "changes"));
}

static enum vault_code list_version(void *context, const struct policy_registered *one,
                                    struct vault_error *err)
{
    struct listing *listing = context;
    VAULT_AUTO(json_free) json_t *record = NULL;
    VAULT_TRY(json_parse(one->record, RECORD_DEPTH, &record, NULL, err));
    json_t *item = page_item(listing->visit, listing->list);
    put_record(listing->visit, item, record);
    if (one->is_active)
        page_flag(listing->visit, item, "is_active");
    return VAULT_OK;
}

void policies_show(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    struct listing listing = {visit, page_list(visit, visit->data, "versions"), NULL, false};
    const enum vault_code code =
        policy_register_list(visit->pages->vault, list_version, &listing, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_send(visit, 200, "policies", "register.title");
}

static void put_bases(struct visit *visit, json_t *item, const json_t *bases)
{
    static const char *const texts[POLICY_BASIS_COUNT] = {
        [POLICY_CONSENT] = "register.consent",
        [POLICY_CONTRACT] = "register.contract",
        [POLICY_LEGAL_OBLIGATION] = "register.legal_obligation",
        [POLICY_VITAL_INTERESTS] = "register.vital_interests",
        [POLICY_PUBLIC_TASK] = "register.public_task",
        [POLICY_LEGITIMATE_INTERESTS] = "register.legitimate_interests",
    };
    json_t *list = page_list(visit, item, "bases");
    for (size_t i = 0; i < json_array_size(bases); i++) {
        const struct bytes name = json_text(json_array_get(bases, i));
        for (unsigned basis = 0; basis < POLICY_BASIS_COUNT; basis++) {
            if (bytes_equal(name, bytes_of_text(policy_basis_name((enum policy_basis)basis))))
                page_text(visit, page_item(visit, list), "basis_text", texts[basis]);
        }
    }
}

static void put_field(struct visit *visit, json_t *list, const json_t *field)
{
    json_t *item = page_item(visit, list);
    put_words(visit, item, "title_words", field, "title");
    page_text(visit, item, "field", member_text(field, "id"));
    page_text(visit, item, "form_text",
              words_form_of(member_text(field, "type"), member_text(field, "form")));
    if (json_is_true(json_object_get(field, "special")))
        page_flag(visit, item, "special");
    put_bases(visit, item, json_object_get(field, "bases"));
}

static void put_service(struct visit *visit, json_t *list, const json_t *service)
{
    size_t i;
    json_t *field;
    json_t *item = page_item(visit, list);
    put_words(visit, item, "class_words", service, "title");
    page_text(visit, item, "class", member_text(service, "class"));
    page_text(visit, item, "service", member_text(service, "service"));
    json_t *fields = page_list(visit, item, "fields");
    json_array_foreach(json_object_get(service, "fields"), i, field)
    {
        put_field(visit, fields, field);
    }
}

static void put_purpose(struct visit *visit, json_t *list, const json_t *purpose)
{
    size_t i;
    json_t *service;
    json_t *item = page_item(visit, list);
    put_words(visit, item, "purpose_words", purpose, "title");
    put_words(visit, item, "why_words", purpose, "text");
    page_text(visit, item, "purpose", member_text(purpose, "id"));
    const int64_t days = json_integer_value(json_object_get(purpose, "consent_at_most_days"));
    if (days)
        page_number(visit, item, "days", days);
    json_t *services = page_list(visit, item, "services");
    json_array_foreach(json_object_get(purpose, "services"), i, service)
    {
        put_service(visit, services, service);
    }
    if (json_array_size(services))
        page_flag(visit, item, "asked");
}

static void put_content(struct visit *visit, const json_t *content)
{
    size_t i;
    json_t *item;
    json_t *purposes = page_list(visit, visit->data, "purposes");
    if (json_is_null(json_object_get(content, "purposes")))
        page_flag(visit, visit->data, "too_large");
    json_array_foreach(json_object_get(content, "purposes"), i, item)
    {
        put_purpose(visit, purposes, item);
    }
    json_t *reasons = page_list(visit, visit->data, "reasons");
    json_array_foreach(json_object_get(content, "reasons"), i, item)
    {
        json_t *reason = page_item(visit, reasons);
        page_text(visit, reason, "rule", member_text(item, "rule"));
        put_words(visit, reason, "why_words", item, "why");
    }
}

static enum vault_code put_policy(struct visit *visit, uint64_t version, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CONTENT_ROOM);
    VAULT_TRY(write_policy(visit, version, &text, err));
    VAULT_TRY(json_parse(buf_view(&text), CONTENT_DEPTH, &root, NULL, err));
    put_record(visit, visit->data, json_object_get(root, "record"));
    put_content(visit, json_object_get(root, "policy"));
    return VAULT_OK;
}

static void show_policy(struct visit *visit, uint64_t version)
{
    struct vault_error err;
    enum vault_code code = visit_begin(visit, VISIT_ANY_SIDE, &err);
    if (code == VAULT_OK)
        code = put_policy(visit, version, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_send(visit, 200, "policy", "register.version_title");
}

/* "12" is a page, "12.json" the same for programs: what is neither is no page. */
void policy_open(struct visit *visit, const char *id)
{
    const size_t digits = strspn(id, "0123456789");
    const bool is_number = digits > 0 && digits <= DIGITS_MAX;
    const uint64_t version = is_number ? strtoull(id, NULL, 10) : 0;
    if (strcmp(id + digits, JSON_SUFFIX) == 0)
        send_policy(visit, version);
    else
        show_policy(visit, id[digits] ? 0 : version);
}
