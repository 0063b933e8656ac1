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

/* Check a receipt's text; what was signed is the caller's to free. VAULT_INVALID, or the code of
 * the part that does not hold, and says which. */
enum vault_code receipt_check(struct bytes file, const struct note_key *key, json_t **payload,
                              struct vault_error *err) VAULT_MUST_CHECK;
