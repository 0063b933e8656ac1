/*
 * vault-audit check-export: that what a citizen exported is what the access log holds.
 *
 * Every receipt is checked as check-receipt does. Every entry is checked three ways: its proof
 * shows it in the log of the key; its commitments are to what its opening says; and its subject is
 * the same person as of all others, with the next number and the hash of the entry before, so that
 * none is missing between the oldest and the newest. The values in the export are nowhere in the
 * log, and nothing here vouches for them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "vault/base/codec.h"
#include "vault/base/json.h"
#include "vault/ledger/opening.h"
#include "vault/ledger/proof.h"
#include "vault/ledger/receipt_check.h"

#define FILE_MAX_BYTES (18UL * 1024 * 1024)
#define DEPTH_MAX      8
#define EXPORT_FORMAT  "vault-citizen/1"
#define NAME_MAX_BYTES 128

/* What is known when an export was gone through. */
struct tally {
    const struct note_key *key;
    struct buf name; /* whom all of it is about; empty: not known yet */
    size_t receipts;
    size_t entries;
    uint64_t newest;
    uint64_t oldest;
    struct tree_hash previous; /* what the entry looked at last says of the one before it */
    bool has_previous;
};

static enum vault_code wrong(struct vault_error *err, const char *what)
{
    return vault_fail(err, VAULT_INVALID, "%s", what);
}

static enum vault_code check_name(struct tally *tally, struct bytes name, struct vault_error *err)
{
    if (tally->name.size == 0)
        buf_bytes(&tally->name, name);
    VAULT_TRY(buf_check(&tally->name, err));
    return name.size && bytes_equal(buf_view(&tally->name), name)
               ? VAULT_OK
               : wrong(err, "it is about another person than the rest of the export");
}

/* --- Receipts ------------------------------------------------------------------------------- */

static enum vault_code check_receipt(struct tally *tally, const json_t *receipt,
                                     struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(RECEIPT_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *payload = NULL;
    json_write_value(&text, receipt);
    VAULT_TRY(buf_check(&text, err));
    VAULT_TRY(receipt_check(buf_view(&text), tally->key, &payload, err));
    tally->receipts++;
    const json_t *record = json_object_get(payload, "dpv:hasRecordOfActivity");
    const json_t *subject = json_object_get(record, "dpv:hasDataSubject");
    return check_name(tally, json_text(json_object_get(subject, "dct:identifier")), err);
}

/* --- Entries -------------------------------------------------------------------------------- */

/* "NAME N PREVIOUS", as opening.h says. */
static enum vault_code check_subject(struct tally *tally, struct bytes subject, uint64_t n,
                                     struct vault_error *err)
{
    char number[24];
    const uint8_t *space = subject.size ? memchr(subject.data, ' ', subject.size) : NULL;
    const int length = snprintf(number, sizeof number, " %" PRIu64 " ", n);
    const size_t name_size = space ? (size_t)(space - subject.data) : 0;
    const size_t begins = name_size + (size_t)length;
    if (!space || subject.size <= begins ||
        memcmp(subject.data + name_size, number, (size_t)length) != 0)
        return wrong(err, "its subject does not have its number");
    VAULT_TRY(check_name(tally, (struct bytes){subject.data, name_size}, err));
    const struct bytes previous = {subject.data + begins, subject.size - begins};
    tally->has_previous = !bytes_equal(previous, bytes_of_text("-"));
    if (tally->has_previous == (n == 1))
        return wrong(err, "only a person's first entry has none before it");
    return tally->has_previous ? base64_decode_exact(tally->previous.bytes,
                                                     sizeof tally->previous.bytes, previous, err)
                               : VAULT_OK;
}

/* Listed from the newest: this entry is the one that the last named as the one before it. */
static enum vault_code check_chain(const struct tally *tally, struct bytes entry, uint64_t n,
                                   struct vault_error *err)
{
    const struct tree_hash leaf = tree_leaf(entry);
    if (tally->entries == 0)
        return VAULT_OK;
    if (n + 1 != tally->oldest)
        return wrong(err, "an entry is missing before it");
    return tally->has_previous && memcmp(leaf.bytes, tally->previous.bytes, sizeof leaf.bytes) == 0
               ? VAULT_OK
               : wrong(err, "it is not the one that the next entry names");
}

static bool read_number(const json_t *value, uint64_t *out)
{
    *out = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static enum vault_code check_opening(struct tally *tally, const json_t *item, struct bytes text,
                                     uint64_t n, struct vault_error *err)
{
    struct entry entry;
    struct opening opening = {0};
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    VAULT_TRY(entry_parse(text, &entry, err));
    VAULT_TRY(opening_parse_json(json_object_get(item, "opening"), &storage, &opening, err));
    VAULT_TRY(opening_check(&opening, &entry, err));
    for (int key = 0; key < ENTRY_KEY_COUNT; key++) {
        if (entry.commitments[key].present != opening.fields[key].present)
            return wrong(err, "it commits to something that its opening does not have");
    }
    return check_subject(tally, opening.fields[ENTRY_SUBJECT].value, n, err);
}

static enum vault_code check_entry(struct tally *tally, const json_t *item, struct vault_error *err)
{
    uint64_t n;
    uint64_t index;
    struct proof proof;
    struct checkpoint checkpoint;
    const struct bytes text = json_text(json_object_get(item, "entry"));
    if (!read_number(json_object_get(item, "n"), &n) || n == 0 ||
        !read_number(json_object_get(item, "index"), &index) || !text.data)
        return wrong(err, "it has no number, place or text");
    VAULT_TRY(proof_check(json_text(json_object_get(item, "proof")), tally->key, text, &proof,
                          &checkpoint, err));
    if (proof.index != index)
        return wrong(err, "the proof is of another place in the log");
    VAULT_TRY(check_chain(tally, text, n, err));
    VAULT_TRY(check_opening(tally, item, text, n, err));
    if (tally->entries++ == 0)
        tally->newest = n;
    tally->oldest = n;
    return VAULT_OK;
}

/* --- All ------------------------------------------------------------------------------------ */

static enum vault_code check_each(struct tally *tally, const json_t *list, const char *what,
                                  enum vault_code (*check)(struct tally *tally, const json_t *item,
                                                           struct vault_error *err),
                                  struct vault_error *err)
{
    if (!json_is_array(list))
        return wrong(err, "the export has no list of receipts or of entries");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const enum vault_code code = check(tally, json_array_get(list, i), err);
        if (code) {
            vault_error_context(err, "%s %zu of the list", what, i + 1);
            return code;
        }
    }
    return VAULT_OK;
}

static enum vault_code check_export(struct tally *tally, struct bytes file, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_TRY(json_parse(file, DEPTH_MAX, &root, NULL, err));
    const json_t *log = json_object_get(root, "log");
    if (!bytes_equal(json_text(json_object_get(root, "format")), bytes_of_text(EXPORT_FORMAT)))
        return wrong(err, "this is no export of the form " EXPORT_FORMAT);
    VAULT_TRY(check_each(tally, json_object_get(json_object_get(root, "receipts"), "list"),
                         "receipt", check_receipt, err));
    VAULT_TRY(check_each(tally, json_object_get(log, "entries"), "entry", check_entry, err));
    if (json_is_true(json_object_get(log, "complete")) != (tally->oldest == 1))
        return wrong(err, "the export says that it goes back to the first entry, and does not");
    return VAULT_OK;
}

static void print_tally(const struct tally *tally)
{
    printf("the export holds: %zu receipts, ", tally->receipts);
    if (tally->entries)
        printf("entries %" PRIu64 " to %" PRIu64 " of one person in %s\n", tally->oldest,
               tally->newest, tally->key->name);
    else
        printf("no entries\n");
}

int audit_check_export(int argc, char **argv)
{
    const char *name = NULL;
    const char *key_text = NULL;
    struct audit_option options[] = {{"--key", &key_text, 1, 0}};
    struct note_key key;
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf file = buf_limited(FILE_MAX_BYTES);
    int code = audit_read_arguments(argc, argv, options, 1, &name, 1);
    if (code == 0)
        code = audit_read_key(key_text, &key);
    if (code)
        return code;
    struct tally tally = {.key = &key, .name = buf_limited(NAME_MAX_BYTES)};
    enum vault_code checked = audit_read_file(name, &file, &err);
    if (checked == VAULT_OK)
        checked = check_export(&tally, buf_view(&file), &err);
    if (checked == VAULT_OK)
        print_tally(&tally);
    buf_finish(&tally.name);
    return checked ? audit_failed(checked, &err) : 0;
}
