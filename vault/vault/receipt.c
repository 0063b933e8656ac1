#include "vault/vault/receipt.h"

#include <stdio.h>
#include <string.h>

#include "consent_json.h"
#include "event.h"
#include "parts.h"
#include "person.h"
#include "place.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"
#include "vault/crypto/jws.h"
#include "vault/ledger/proof.h"
#include "vault/vault/service.h"

#define RECORD_BYTES_MAX (48U * 1024)
#define RECORD_DEPTH_MAX 4

/* A decision and all that its receipt says. */
struct facts {
    struct vault *vault;
    struct citizen_id citizen;
    struct buf record; /* the stored record, as JSON */
    json_t *root;      /* the same, parsed */
    struct consent consent;
    uint64_t log_n;
    struct place place;
    struct buf entry; /* its text */
};

static void facts_finish(struct facts *facts)
{
    buf_finish(&facts->record);
    json_free(&facts->root);
    consent_finish(&facts->consent);
    place_finish(&facts->place);
    buf_finish(&facts->entry);
}

/* --- Gathering ------------------------------------------------------------------------------ */

static enum vault_code take_record(void *context, const struct citizen_record *record,
                                   struct vault_error *err)
{
    struct facts *facts = context;
    if (strcmp(record->kind, PERSON_CONSENT_KIND) != 0)
        return vault_fail(err, VAULT_NOT_FOUND, "that record is of no consent");
    facts->log_n = record->log_n;
    buf_bytes(&facts->record, record->json);
    return buf_check(&facts->record, err);
}

static enum vault_code gather(struct facts *facts, int64_t seq, struct vault_error *err)
{
    struct vault *vault = facts->vault;
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, &facts->citizen, &citizen, &person, err));
    VAULT_TRY(citizen_record_get(citizen, seq, take_record, facts, err));
    VAULT_TRY(json_parse(buf_view(&facts->record), RECORD_DEPTH_MAX, &facts->root, NULL, err));
    VAULT_TRY(consent_json_read(buf_view(&facts->record), &facts->consent, err));
    VAULT_TRY(place_find(vault, citizen, seq, facts->log_n, &facts->place, err));
    return event_entry_read(vault, facts->place.index, &facts->entry, err);
}

/* --- In the terms of DPV -------------------------------------------------------------------- */

static const char *const statuses[CONSENT_STORED_COUNT] = {
    [CONSENT_GIVEN] = "dpv:ConsentGiven",
    [CONSENT_REFUSED] = "dpv:ConsentRefused",
    [CONSENT_WITHDRAWN] = "dpv:ConsentWithdrawn",
    [CONSENT_SUSPENDED] = "dpv:ConsentStatusInvalidForProcessing",
};

static void write_member(struct buf *out, const char *name, const char *value)
{
    buf_format(out, ",\"%s\":", name);
    json_write_string(out, bytes_of_text(value));
}

static void write_instant(struct buf *out, const char *name, int64_t instant_s)
{
    char text[INSTANT_CHARS + 1];
    instant_format(text, instant_s);
    buf_format(out, ",\"%s\":\"%s\"", name, text);
}

static void write_controller(const struct facts *facts, struct buf *out)
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    const struct bytes id = bytes_of_text(facts->consent.service);
    const bool known = service_by_id_ever(facts->vault, id, &held, NULL) == VAULT_OK;
    buf_text(out, ",\"dpv:hasDataController\":{\"@type\":\"dpv:DataController\"");
    write_member(out, "dct:identifier", facts->consent.service);
    if (known) {
        write_member(out, "dct:title", held.service->name);
        write_member(out, "dpv:hasContact", held.service->contact);
    }
    buf_byte(out, '}');
}

static void write_process(const struct facts *facts, struct buf *out)
{
    const struct consent *consent = &facts->consent;
    buf_text(out, ",\"dpv:hasProcess\":{\"@type\":\"dpv:Process\","
                  "\"dpv:hasLegalBasis\":\"eu-gdpr:A6-1-a\","
                  "\"dpv:hasPurpose\":{\"@type\":\"dpv:Purpose\"");
    write_member(out, "dct:identifier", consent->purpose);
    buf_text(out, "},\"dpv:hasPersonalData\":[");
    for (size_t i = 0; i < consent->field_count; i++) {
        buf_format(out, "%s{\"@type\":\"dpv:PersonalData\"", i ? "," : "");
        write_member(out, "dct:identifier", consent->fields[i].name);
        write_member(out, "form", consent->fields[i].form[0] ? consent->fields[i].form : "any");
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
    if (consent->expires_s)
        write_instant(out, "dct:valid", consent->expires_s);
    if (consent->uses != CONSENT_UNLIMITED)
        buf_format(out, ",\"uses\":%lld", (long long)consent->uses);
    buf_byte(out, '}');
}

/* What was shown when this was decided; a change that shows nothing has none. */
static void write_notice(const struct facts *facts, struct buf *out)
{
    const json_t *text = json_object_get(facts->root, "text");
    if (!text)
        return;
    buf_text(out, ",\"dpv:hasNotice\":{\"@type\":\"dpv:ConsentNotice\",\"dct:language\":");
    json_write_string(out, json_text(json_object_get(text, "language")));
    buf_text(out, ",\"dct:description\":");
    json_write_string(out, json_text(json_object_get(text, "shown")));
    buf_text(out, ",\"sha256\":");
    json_write_string(out, json_text(json_object_get(text, "sha256")));
    buf_byte(out, '}');
}

static void write_policy(const struct facts *facts, struct buf *out)
{
    char hash[HEX_CHARS(SHA256_BYTES) + 1];
    if (!facts->consent.has_policy)
        return;
    hex_string(hash, facts->consent.policy_manifest, SHA256_BYTES);
    buf_format(out, ",\"policy\":{\"version\":%llu,\"manifest\":\"%s\"}",
               (unsigned long long)facts->consent.policy_version, hash);
}

static enum vault_code write_record(const struct facts *facts, struct buf *out,
                                    struct vault_error *err)
{
    const struct consent *consent = &facts->consent;
    char subject[BASE32_CHARS(PERMUTE_BLOCK_BYTES) + 1];
    VAULT_TRY(event_log_name(facts->vault, &facts->citizen, subject, err));
    buf_text(out, "{\"@type\":\"dpv:ConsentRecord\","
                  "\"dct:conformsTo\":\"https://w3id.org/dpv/schema/dpv-27560#record\"");
    write_member(out, "dct:identifier", consent->id);
    buf_format(out, ",\"dct:hasVersion\":\"%lld\"", (long long)consent->version);
    buf_text(out, ",\"dpv:hasDataSubject\":{\"@type\":\"dpv:DataSubject\"");
    write_member(out, "dct:identifier", subject);
    buf_byte(out, '}');
    write_controller(facts, out);
    buf_text(out, ",\"dpv:hasApplicableLaw\":\"eu-gdpr:GDPR\"");
    write_process(facts, out);
    write_notice(facts, out);
    write_member(out, "dpv:hasConsentStatus", statuses[consent->state]);
    write_member(out, "state", consent_state_name(consent->state));
    write_member(out, "event", consent_event_name(consent->event));
    write_instant(out, "dct:issued", consent->at_s);
    /* Who acts for somebody is no term of DPV's: then "by" says who. */
    if (!consent->by[0])
        write_member(out, "dpv:isIndicatedBy", "dpv:DataSubject");
    buf_text(out, ",\"dpv:hasIndicationMethod\":");
    json_write_string(out, json_text(json_object_get(facts->root, "how")));
    if (consent->by[0])
        write_member(out, "by", consent->by);
    if (consent->guardian[0]) /* they agreed to it, beside the data subject */
        write_member(out, "guardian", consent->guardian);
    write_policy(facts, out);
    buf_byte(out, '}');
    return buf_check(out, err);
}

static void write_place(const struct facts *facts, struct buf *out)
{
    char leaf[BASE64_CHARS(TREE_HASH_BYTES) + 1];
    base64_string(leaf, facts->place.leaf.bytes, sizeof facts->place.leaf.bytes);
    buf_text(out, ",\"log\":{\"origin\":");
    json_write_string(out, bytes_of_text(facts->vault->options.origin));
    buf_format(out, ",\"index\":%llu,\"leaf\":\"%s\",\"opening\":",
               (unsigned long long)facts->place.index, leaf);
    buf_join(out, &facts->place.opening);
    buf_byte(out, '}');
}

static enum vault_code write_payload(const struct facts *facts, struct buf *out,
                                     struct vault_error *err)
{
    buf_text(out, "{\"@context\":{\"dpv\":\"https://w3id.org/dpv#\","
                  "\"dct\":\"http://purl.org/dc/terms/\","
                  "\"eu-gdpr\":\"https://w3id.org/dpv/legal/eu/gdpr#\"},"
                  "\"@type\":\"dpv:ConsentReceipt\","
                  "\"dct:conformsTo\":\"https://w3id.org/dpv/schema/dpv-27560#receipt-record\"");
    buf_format(out, ",\"dct:identifier\":\"%s.%lld\"", facts->consent.id,
               (long long)facts->consent.version);
    write_instant(out, "dct:created", facts->place.time_ms / 1000);
    write_member(out, "dct:publisher", facts->vault->options.origin);
    buf_text(out, ",\"dpv:hasRecordOfActivity\":");
    VAULT_TRY(write_record(facts, out, err));
    write_place(facts, out);
    buf_byte(out, '}');
    return buf_check(out, err);
}

/* --- The file ------------------------------------------------------------------------------- */

static enum vault_code sign(const struct facts *facts, struct buf *out, struct vault_error *err)
{
    const struct note_signer *signer = &facts->vault->log_keys.signer;
    char kid[RECEIPT_KID_CHARS + 1];
    VAULT_AUTO(buf_finish) struct buf payload = buf_limited(JWS_PAYLOAD_MAX_BYTES);
    VAULT_TRY(write_payload(facts, &payload, err));
    receipt_kid(&signer->key, kid);
    return jws_sign(signer->pair, kid, RECEIPT_TYPE, buf_view(&payload), out, err);
}

enum vault_code receipt_write(struct vault *vault, const struct citizen_id *citizen, int64_t seq,
                              struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(facts_finish)
    struct facts facts = {.vault = vault,
                          .citizen = *citizen,
                          .record = buf_limited(RECORD_BYTES_MAX),
                          .entry = buf_limited(ENTRY_MAX_BYTES)};
    VAULT_AUTO(buf_finish) struct buf jws = buf_limited(JWS_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf proof = buf_limited(PROOF_MAX_BYTES);
    VAULT_TRY(gather(&facts, seq, err));
    VAULT_TRY(sign(&facts, &jws, err));
    VAULT_TRY(ledger_prove(vault->ledger, facts.place.index, &proof, err));
    buf_text(out, "{\"format\":\"" RECEIPT_FORMAT "\",\"receipt\":");
    json_write_string(out, buf_view(&jws));
    buf_text(out, ",\"entry\":");
    json_write_string(out, buf_view(&facts.entry));
    buf_text(out, ",\"proof\":");
    json_write_string(out, buf_view(&proof));
    buf_text(out, "}\n");
    return buf_check(out, err);
}

enum vault_code receipt_read(struct vault *vault, struct bytes file, json_t **payload,
                             struct vault_error *err)
{
    const struct log_keys *keys = &vault->log_keys;
    enum vault_code code = receipt_check(file, &keys->signer.key, payload, err);
    for (size_t i = 0; code && i < keys->former_count; i++)
        code = receipt_check(file, &keys->former[i], payload, NULL);
    return code;
}
