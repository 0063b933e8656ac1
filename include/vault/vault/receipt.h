/*
 * receipt - what a citizen keeps of a decision: signed, and provable without the vault.
 *
 * A receipt is a file of JSON:
 *
 *     {"format":"vault-consent-receipt/1",
 *      "receipt":"JWS",        signed with the log's key (jws.h), of the type RECEIPT_TYPE
 *      "entry":"…",            the exact text of the decision's entry in the access log
 *      "proof":"…"}            that the entry is in the log: a C2SP tlog-proof
 *
 * What is signed is a consent receipt after ISO/IEC TS 27560:2023 in the terms of W3C's DPV
 * (profile dpv-27560): who decided (by the name that only the log's openings use), for whom, for
 * which purpose, which data in which form, until when, on which text, exactly as shown, with its
 * language and SHA-256, under which policy, and how it was decided. Its member "log" binds it to
 * the entry: index, leaf hash, and the opening whose commitments the entry holds. So whoever has
 * the file and the log's verifier key can check all of it offline (receipt_check.h).
 *
 * A receipt can be had for every record of a consent, for as long as the citizen is in the vault:
 * what is needed for it is kept beside the record and does not go with the openings.
 */
#pragma once

#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/ledger/receipt_check.h"
#include "vault/store/citizen.h"
#include "vault/vault/vault.h"

/* Append the receipt of the consent's record with that number.
 * VAULT_NOT_FOUND  there is no such citizen, or no such record of a consent, or the time in which
 *                  its entry could be read is over */
enum vault_code receipt_write(struct vault *vault, const struct citizen_id *citizen, int64_t seq,
                              struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;

/* Check a receipt's text against the log's key and those it had before (receipt_check.h). What was
 * signed is the caller's to free. VAULT_INVALID, among others, if it is none of this vault. */
enum vault_code receipt_read(struct vault *vault, struct bytes file, json_t **payload,
                             struct vault_error *err) VAULT_MUST_CHECK;
