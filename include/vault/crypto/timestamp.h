/*
 * timestamp - time stamps of RFC 3161: an authority's signed word that a text existed at a time.
 *
 *     request   TimeStampReq over SHA-256 of the text, with a nonce, asking for certificates
 *     answer    TimeStampResp; "openssl ts -verify -data TEXT -in ANSWER -CAfile CA" takes it
 */
#pragma once

#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

#define TIMESTAMP_REQUEST_MAX_BYTES 1024U
#define TIMESTAMP_ANSWER_MAX_BYTES  (64UL * 1024)

/* Append a request, DER. */
enum vault_code timestamp_request(struct bytes text, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/*
 * Check the answer to a request: granted, over this text and with the request's nonce, and signed
 * by an authority for time stamps under one of the certificates in a PEM file. *time_s is the time
 * that it gives. VAULT_DENIED if not; VAULT_NOT_FOUND if the file cannot be read.
 */
enum vault_code timestamp_check(struct bytes answer, struct bytes request, const char *ca_path,
                                int64_t *time_s, struct vault_error *err) VAULT_MUST_CHECK;
