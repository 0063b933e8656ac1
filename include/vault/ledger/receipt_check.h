/*
 * receipt_check - that a citizen's receipt is the vault's, and that the access log holds exactly
 * that decision.
 *
 * What a receipt is stands in vault/vault/receipt.h. Four things hold one together, and each is
 * looked at: the log's key signed it; the entry beside it is the leaf that it names; the proof
 * shows that leaf in the log; and its consent, service, purpose, fields and state are what the
 * entry says and commits to. The text that was shown has the hash that stands beside it. Nothing of
 * the vault is needed for it but the log's public key.
 */
#pragma once

#include "vault/base/json.h"
#include "vault/crypto/note.h"

#define RECEIPT_FORMAT    "vault-consent-receipt/1"
#define RECEIPT_TYPE      "consent-receipt+jws"
#define RECEIPT_BYTES_MAX (1024UL * 1024)

/* What the receipts that a key signs call it, NUL-ended. */
#define RECEIPT_KID_CHARS (NOTE_NAME_CHARS_MAX + 1 + 2 * NOTE_KEY_ID_BYTES)
void receipt_kid(const struct note_key *key, char out[RECEIPT_KID_CHARS + 1]);

/* Whether a text is what the signature of a receipt by this key is over (RFC 7515 section 5.1), and
 * nothing else that the key may sign. VAULT_INVALID if not. */
enum vault_code receipt_text_check(struct bytes text, const struct note_key *key,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* Check a receipt's text; what was signed is the caller's to free. VAULT_INVALID, or the code of
 * the part that does not hold, and says which. */
enum vault_code receipt_check(struct bytes file, const struct note_key *key, json_t **payload,
                              struct vault_error *err) VAULT_MUST_CHECK;
