/* Receipts of decisions: each as a file to keep, and as a page to read and to print; and whether
 * one that somebody shows is real. */
#include <stdio.h>
#include <string.h>

#include "pages_parts.h"
#include "pages_words.h"
#include "vault/base/clock.h"
#include "vault/base/codec.h"
#include "vault/crypto/jws.h"
#include "vault/crypto/note.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/receipt.h"

#define DEPTH_MAX 8
#define KEY_BYTES 512

static int64_t record_of(const char *id)
{
    uint64_t number;
    return digits_read(bytes_of_text(id), &number) ? (int64_t)number : 0;
}

void receipt_send(struct visit *visit, const char *id)
{
    char name[40];
    struct vault_error err;
    const int64_t seq = record_of(id);
    const enum vault_code code = receipt_write(visit->pages->vault, &visit->session.citizen, seq,
                                               &visit->answer->body, &err);
    snprintf(name, sizeof name, "receipt-%lld.json", (long long)seq);
    page_send_file(visit, code, &err, "application/json", name);
}

/* --- As a page ------------------------------------------------------------------------------ */

static const json_t *member(const json_t *object, const char *const path[])
{
    for (size_t i = 0; path[i]; i++)
        object = json_object_get(object, path[i]);
    return object;
}

#define MEMBER(object, ...) member(object, (const char *const[]){__VA_ARGS__, NULL})

/* What was decided, by the record's own word for it. */
static const char *event_text(const json_t *record)
{
    static const struct {
        const char *event;
        const char *text;
    } events[] = {
        {"give", "receipt.give"},       {"narrow", "receipt.narrow"},
        {"refuse", "receipt.refuse"},   {"withdraw", "receipt.withdraw"},
        {"suspend", "receipt.suspend"}, {"resume", "receipt.resume"},
        {"end", "receipt.end"},
    };
    const struct bytes event = json_text(json_object_get(record, "event"));
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (bytes_equal(event, bytes_of_text(events[i].event)))
            return events[i].text;
    }
    return "event.other";
}

static void put_date(struct visit *visit, const char *name, const json_t *instant)
{
    char date[WORDS_CHARS];
    int64_t instant_s;
    if (!json_is_string(instant) || instant_or_date_parse(json_text(instant), &instant_s, NULL))
        return;
    words_date(visit, instant_s, date);
    page_text(visit, visit->data, name, date);
}

static void put_fields(struct visit *visit, const struct policy *policy, const json_t *data)
{
    size_t i;
    json_t *item;
    json_t *list = page_list(visit, visit->data, "fields");
    json_array_foreach((json_t *)(uintptr_t)data, i, item)
    {
        struct consent_field field;
        const char *name = json_string_value(json_object_get(item, "dct:identifier"));
        const char *form = json_string_value(json_object_get(item, "form"));
        snprintf(field.name, sizeof field.name, "%s", name ? name : "");
        snprintf(field.form, sizeof field.form, "%s", form && strcmp(form, "any") != 0 ? form : "");
        json_t *line = page_item(visit, list);
        page_text(visit, line, "title", words_field_title(visit, policy, field.name));
        page_text(visit, line, "form_name", words_form(policy, &field));
    }
}

/* What was decided, out of what was signed. */
static void put_record(struct visit *visit, const struct policy *policy, const json_t *record)
{
    const json_t *controller = json_object_get(record, "dpv:hasDataController");
    const json_t *process = json_object_get(record, "dpv:hasProcess");
    const json_t *notice = json_object_get(record, "dpv:hasNotice");
    const json_t *name = json_object_get(controller, "dct:title");
    const char *service = json_string_value(json_object_get(controller, "dct:identifier"));
    const char *purpose = json_string_value(MEMBER(process, "dpv:hasPurpose", "dct:identifier"));
    const struct {
        const char *name;
        const json_t *value;
    } texts[] = {
        {"contact", json_object_get(controller, "dpv:hasContact")},
        {"consent", json_object_get(record, "dct:identifier")},
        {"version", json_object_get(record, "dct:hasVersion")},
        {"by", json_object_get(record, "by")},
        {"shown", json_object_get(notice, "dct:description")},
        {"shown_language", json_object_get(notice, "dct:language")},
        {"shown_hash", json_object_get(notice, "sha256")},
        {"policy_hash", MEMBER(record, "policy", "manifest")},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        page_text(visit, visit->data, texts[i].name, json_string_value(texts[i].value));
    page_text(visit, visit->data, "service", service);
    page_text(visit, visit->data, "service_name", name ? json_string_value(name) : service);
    page_text(visit, visit->data, "purpose_title",
              words_purpose_title(visit, policy, purpose ? purpose : ""));
    page_text(visit, visit->data, "event_text", event_text(record));
    put_fields(visit, policy, json_object_get(process, "dpv:hasPersonalData"));
    put_date(visit, "decided_at", json_object_get(record, "dct:issued"));
    put_date(visit, "until", json_object_get(process, "dct:valid"));
    if (json_is_integer(json_object_get(process, "uses")))
        page_number(visit, visit->data, "uses",
                    json_integer_value(json_object_get(process, "uses")));
    if (json_object_get(record, "policy"))
        page_number(visit, visit->data, "policy_version",
                    json_integer_value(MEMBER(record, "policy", "version")));
}

static void put_log(struct visit *visit, const json_t *log)
{
    page_text(visit, visit->data, "origin", json_string_value(json_object_get(log, "origin")));
    page_text(visit, visit->data, "leaf", json_string_value(json_object_get(log, "leaf")));
    page_number(visit, visit->data, "index", json_integer_value(json_object_get(log, "index")));
}

/* What is shown is what is signed: the page reads the file as whoever checks it does. */
static enum vault_code read_signed(struct visit *visit, int64_t seq, json_t **file,
                                   json_t **payload, struct vault_error *err)
{
    struct vault *vault = visit->pages->vault;
    struct note_key key;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(RECEIPT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf clear = buf_limited(JWS_PAYLOAD_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf vkey = buf_limited(KEY_BYTES);
    VAULT_TRY(receipt_write(vault, &visit->session.citizen, seq, &text, err));
    VAULT_TRY(json_parse(buf_view(&text), DEPTH_MAX, file, NULL, err));
    VAULT_TRY(vault_log_key(vault, &vkey, err));
    VAULT_TRY(note_key_parse(buf_view(&vkey), &key, err));
    VAULT_TRY(jws_verify(key.public_key, RECEIPT_TYPE, json_text(json_object_get(*file, "receipt")),
                         &clear, err));
    page_text(visit, visit->data, "log_key", buf_string(&vkey));
    return json_parse(buf_view(&clear), DEPTH_MAX, payload, NULL, err);
}

void receipt_show(struct visit *visit, const char *id)
{
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *file = NULL;
    VAULT_AUTO(json_free) json_t *payload = NULL;
    const int64_t seq = record_of(id);
    const enum vault_code code = read_signed(visit, seq, &file, &payload, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visit->pages->vault);
    put_record(visit, held.policy, json_object_get(payload, "dpv:hasRecordOfActivity"));
    put_log(visit, json_object_get(payload, "log"));
    page_text(visit, visit->data, "entry", json_string_value(json_object_get(file, "entry")));
    page_number(visit, visit->data, "record", seq);
    page_send(visit, 200, "receipt", "receipt.title");
}

/* --- Is it real? ---------------------------------------------------------------------------- */

/* For anybody: a receipt is proof only where it can be checked. */
void check_show(struct visit *visit, const char *id)
{
    (void)id;
    page_send(visit, 200, "check", "check.title");
}

/* The file, or, where none was chosen, the text. */
void check_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *payload = NULL;
    struct bytes receipt = form_value(&visit->form, "file");
    if (receipt.size == 0)
        receipt = form_value(&visit->form, "receipt");
    const enum vault_code code =
        receipt.size ? receipt_read(visit->pages->vault, receipt, &payload, &err) : VAULT_INVALID;
    if (code) {
        VAULT_AUTO(buf_finish) struct buf pasted = buf_limited(HTTP_BODY_BYTES_MAX);
        buf_bytes(&pasted, form_value(&visit->form, "receipt"));
        page_text(visit, visit->data, "pasted", pasted.size ? buf_string(&pasted) : NULL);
        page_wrong(visit, "file", receipt.size ? "error.receipt_wrong" : "error.receipt_empty");
        page_send(visit, 422, "check", "check.title");
        return;
    }
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visit->pages->vault);
    put_record(visit, held.policy, json_object_get(payload, "dpv:hasRecordOfActivity"));
    put_log(visit, json_object_get(payload, "log"));
    page_send(visit, 200, "check_made", "check.title");
}
