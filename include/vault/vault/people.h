/*
 * people - citizens come into the vault: one row of an import is one citizen.
 *
 *     {"reference":"RM-000123","login":"…","password":"…","language":"fr",
 *      "values":{"identity.birth_date":{"value":"1990-05-17","as_of":"2026-09-01T00:00:00Z",
 *                                       "source":"civil register"}}}
 *
 * A table has no JSON: "text" in the place of "value" is what a cell holds. It is the value of a
 * field of text, a date, a code or an identifier as it stands, and JSON for the other types.
 *
 * as_of is a date or an instant, not in the future; what is left out is now, from "import". What
 * people_export() wrote is a row as it stands: its values are taken, and what the citizen decided
 * is left, since it was decided in another vault.
 *
 * Only reference and values are required. Every value is checked against the active policy's
 * catalogue: its field must be there, be stored and not derived, and the value of its type. A row
 * is taken whole or not at all. A reference that is there already is VAULT_CONFLICT, and its
 * account is made if an interruption kept it from being made, so that an import can simply be run
 * again. A login that somebody else has is VAULT_INVALID.
 */
#pragma once

#include "vault/store/citizen.h"
#include "vault/vault/vault.h"

#define PEOPLE_ROW_BYTES_MAX    (256U * 1024)
#define PEOPLE_BATCH_MAX        100
#define PEOPLE_EXPORT_FORMAT    "vault-citizen/1"
#define PEOPLE_EXPORT_BYTES_MAX (8UL * 1024 * 1024)

/* What became of one row. */
struct people_result {
    enum vault_code code;
    char text[200]; /* why not, without values */
};

/*
 * Import rows of JSON text, 1 to PEOPLE_BATCH_MAX, each answered by itself in results. Durable, and
 * one entry of the log for the call, on return. Fails as a whole only when nothing was imported.
 */
enum vault_code people_import(struct vault *vault, const struct bytes rows[], size_t count,
                              struct people_result results[], struct vault_error *err)
    VAULT_MUST_CHECK;

/* A citizen by the city's reference: for the operator. VAULT_NOT_FOUND. */
enum vault_code people_find(struct vault *vault, const char *reference, struct citizen_id *out,
                            struct vault_error *err) VAULT_MUST_CHECK;

/*
 * Append all of a citizen, by the city's reference, as JSON (GDPR articles 15 and 20): every value
 * as an import takes it, every record of what the citizen decided as it was stored, the receipts of
 * the consents (receipt.h), and the entries of the log with what they stand for and the proof of
 * each (export_log.h).
 *
 *     {"format":"vault-citizen/1","reference":"…","values":{FIELD:{"value","as_of","source"}},
 *      "consents":[…],"mandates":[…],"objections":[…],"pauses":[…],"corrections":[…],"reports":[…],
 *      "messages":{"address","language","every_days","confirmed"},
 *      "receipts":{"complete":true,"list":[…]},"log":{"origin":"…","entries":[…],"complete":true}}
 *
 * It is PEOPLE_EXPORT_BYTES_MAX long at the most, which out must have room for: the log has what
 * is left of that, at least an eighth, and leaves out the oldest entries. vault-audit check-export
 * checks receipts and entries without the vault; the schema is vault/programs/schema/export.json.
 *
 * The citizen's log has an entry that the operator did it, durable on return.
 * VAULT_NOT_FOUND; VAULT_TOO_LARGE if values and decisions alone are longer than that.
 */
enum vault_code people_export(struct vault *vault, const char *reference, struct buf *out,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* The same for the citizens themselves: the entry says that they did it. */
enum vault_code people_export_own(struct vault *vault, const struct citizen_id *citizen,
                                  struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;

/* The newest value of each field that a citizen has, for their own eyes. Borrowed for the call. */
typedef enum vault_code people_each(void *context, const char *field, struct bytes json,
                                    int64_t as_of_s, const char *source, struct vault_error *err);
enum vault_code people_values(struct vault *vault, const struct citizen_id *citizen,
                              people_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;
