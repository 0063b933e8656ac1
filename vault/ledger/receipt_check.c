#include "vault/ledger/receipt_check.h"

#include <stdio.h>
#include <string.h>

#include "vault/base/codec.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/jws.h"
#include "vault/ledger/opening.h"
#include "vault/ledger/proof.h"

#define DEPTH_MAX       8
#define BASIS_MAX_BYTES 256
#define WHAT_MAX_BYTES  (16U * 1024)

#define BEGIN_MAX_BYTES 2048

void receipt_kid(const struct note_key *key, char out[RECEIPT_KID_CHARS + 1])
{
    char id[HEX_CHARS(NOTE_KEY_ID_BYTES) + 1];
    hex_string(id, key->id, sizeof key->id);
    snprintf(out, RECEIPT_KID_CHARS + 1, "%s+%s", key->name, id);
}

enum vault_code receipt_text_check(struct bytes text, const struct note_key *key,
                                   struct vault_error *err)
{
    char kid[RECEIPT_KID_CHARS + 1];
    VAULT_AUTO(buf_finish) struct buf begin = buf_limited(BEGIN_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf payload = buf_limited(JWS_PAYLOAD_MAX_BYTES);
    receipt_kid(key, kid);
    VAULT_TRY(jws_begin(kid, RECEIPT_TYPE, &begin, err));
    if (text.size <= begin.size || memcmp(text.data, begin.data, begin.size) != 0 ||
        base64url_decode(&payload, (struct bytes){text.data + begin.size, text.size - begin.size},
                         NULL))
        return vault_fail(err, VAULT_INVALID, "not what the signature of a receipt is over");
    return VAULT_OK;
}

struct receipt {
    json_t *file;
    json_t *payload;
    struct buf payload_text;
    struct buf storage; /* of the opening */
    struct entry entry;
    struct opening opening;
};

static void receipt_finish(struct receipt *receipt)
{
    json_free(&receipt->file);
    json_free(&receipt->payload);
    buf_finish(&receipt->payload_text);
    buf_finish(&receipt->storage);
}

static enum vault_code wrong(struct vault_error *err, const char *what)
{
    return vault_fail(err, VAULT_INVALID, "%s", what);
}

/* What a path of member names leads to. */
static const json_t *member(const json_t *object, const char *const path[])
{
    for (size_t i = 0; path[i]; i++)
        object = json_object_get(object, path[i]);
    return object;
}

#define MEMBER(object, ...) member(object, (const char *const[]){__VA_ARGS__, NULL})

/* --- The file and its signature ------------------------------------------------------------- */

static enum vault_code read_receipt(struct bytes file, const struct note_key *key,
                                    struct receipt *out, struct vault_error *err)
{
    static const char *const members[] = {"format", "receipt", "entry", "proof", NULL};
    VAULT_TRY(json_parse(file, DEPTH_MAX, &out->file, NULL, err));
    if (!json_is_object(out->file) || json_unknown_member(out->file, members) ||
        !bytes_equal(json_text(json_object_get(out->file, "format")),
                     bytes_of_text(RECEIPT_FORMAT)))
        return wrong(err, "this is no receipt of the form " RECEIPT_FORMAT);
    VAULT_TRY(jws_verify(key->public_key, RECEIPT_TYPE,
                         json_text(json_object_get(out->file, "receipt")), &out->payload_text,
                         err));
    VAULT_TRY(json_parse(buf_view(&out->payload_text), DEPTH_MAX, &out->payload, NULL, err));
    VAULT_TRY(entry_parse(json_text(json_object_get(out->file, "entry")), &out->entry, err));
    return opening_parse_json(MEMBER(out->payload, "log", "opening"), &out->storage, &out->opening,
                              err);
}

/* --- The log -------------------------------------------------------------------------------- */

static enum vault_code check_log(const struct receipt *receipt, const struct note_key *key,
                                 struct vault_error *err)
{
    struct proof proof;
    struct checkpoint checkpoint;
    struct tree_hash named;
    const struct bytes entry = json_text(json_object_get(receipt->file, "entry"));
    const json_t *log = json_object_get(receipt->payload, "log");
    const struct tree_hash leaf = tree_leaf(entry);
    VAULT_TRY(base64_decode_exact(named.bytes, sizeof named.bytes,
                                  json_text(json_object_get(log, "leaf")), err));
    if (memcmp(named.bytes, leaf.bytes, sizeof leaf.bytes) != 0)
        return wrong(err, "the entry is not the one that the receipt names");
    VAULT_TRY(proof_check(json_text(json_object_get(receipt->file, "proof")), key, entry, &proof,
                          &checkpoint, err));
    if (!json_is_integer(json_object_get(log, "index")) ||
        (uint64_t)json_integer_value(json_object_get(log, "index")) != proof.index)
        return wrong(err, "the proof is of another place in the log");
    return VAULT_OK;
}

/* --- What the entry says and commits to ----------------------------------------------------- */

/* The fields as the entry commits to them: a line each, "NAME FORM". */
static void write_what(const json_t *fields, struct buf *out)
{
    size_t i;
    json_t *field;
    json_array_foreach((json_t *)(uintptr_t)fields, i, field)
    {
        buf_text(out, i ? "\n" : "");
        buf_bytes(out, json_text(json_object_get(field, "dct:identifier")));
        buf_byte(out, ' ');
        buf_bytes(out, json_text(json_object_get(field, "form")));
    }
}

static bool event_fits(enum entry_event event, const json_t *record)
{
    static const struct {
        const char *name;
        enum entry_event event;
    } events[] = {
        {"give", ENTRY_CONSENT},      {"narrow", ENTRY_CONSENT},  {"refuse", ENTRY_REFUSE},
        {"withdraw", ENTRY_WITHDRAW}, {"suspend", ENTRY_SUSPEND}, {"resume", ENTRY_RESUME},
    };
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (bytes_equal(json_text(json_object_get(record, "event")), bytes_of_text(events[i].name)))
            return events[i].event == event;
    }
    return false;
}

static enum vault_code check_entry(const struct receipt *receipt, struct vault_error *err)
{
    const struct opening_field *opened = receipt->opening.fields;
    const json_t *record = json_object_get(receipt->payload, "dpv:hasRecordOfActivity");
    VAULT_AUTO(buf_finish) struct buf basis = buf_limited(BASIS_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf what = buf_limited(WHAT_MAX_BYTES);
    VAULT_TRY(opening_check(&receipt->opening, &receipt->entry, err));
    buf_text(&basis, "consent ");
    buf_bytes(&basis, json_text(json_object_get(record, "dct:identifier")));
    buf_byte(&basis, ' ');
    buf_bytes(&basis, json_text(json_object_get(record, "dct:hasVersion")));
    write_what(MEMBER(record, "dpv:hasProcess", "dpv:hasPersonalData"), &what);
    VAULT_TRY(buf_check(&basis, err));
    VAULT_TRY(buf_check(&what, err));
    if (!event_fits(receipt->entry.event, record))
        return wrong(err, "the entry is of another event");
    if (!bytes_equal(receipt->entry.service,
                     json_text(MEMBER(record, "dpv:hasDataController", "dct:identifier"))) ||
        !bytes_equal(receipt->entry.purpose, json_text(MEMBER(record, "dpv:hasProcess",
                                                              "dpv:hasPurpose", "dct:identifier"))))
        return wrong(err, "the entry is of another service or purpose");
    if (!opened[ENTRY_BASIS].present || !bytes_equal(opened[ENTRY_BASIS].value, buf_view(&basis)))
        return wrong(err, "the entry commits to another consent");
    if (!opened[ENTRY_WHAT].present || !bytes_equal(opened[ENTRY_WHAT].value, buf_view(&what)))
        return wrong(err, "the entry commits to other fields or forms");
    return VAULT_OK;
}

static enum vault_code check_text(const struct receipt *receipt, struct vault_error *err)
{
    const json_t *notice = MEMBER(receipt->payload, "dpv:hasRecordOfActivity", "dpv:hasNotice");
    uint8_t digest[SHA256_BYTES];
    char hash[HEX_CHARS(SHA256_BYTES) + 1];
    if (!notice)
        return VAULT_OK;
    sha256_of(digest, json_text(json_object_get(notice, "dct:description")));
    hex_string(hash, digest, sizeof digest);
    if (!bytes_equal(json_text(json_object_get(notice, "sha256")), bytes_of_text(hash)))
        return wrong(err, "the text that was shown does not have its hash");
    return VAULT_OK;
}

enum vault_code receipt_check(struct bytes file, const struct note_key *key, json_t **payload,
                              struct vault_error *err)
{
    VAULT_AUTO(receipt_finish)
    struct receipt receipt = {.payload_text = buf_limited(JWS_PAYLOAD_MAX_BYTES),
                              .storage = buf_limited(OPENING_MAX_BYTES)};
    if (file.size > RECEIPT_BYTES_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "a receipt has %lu bytes at most",
                          RECEIPT_BYTES_MAX);
    VAULT_TRY(read_receipt(file, key, &receipt, err));
    VAULT_TRY(check_log(&receipt, key, err));
    VAULT_TRY(check_entry(&receipt, err));
    VAULT_TRY(check_text(&receipt, err));
    *payload = VAULT_TAKE(receipt.payload);
    return VAULT_OK;
}
