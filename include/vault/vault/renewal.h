/*
 * renewal - a service renews its own certificate, with one that still counts.
 *
 * Certificates can then be short-lived, and nobody has to think of them. What is signed is a
 * request for a key of the service's own, the same or a new one; the vault never holds it. A new
 * key counts beside the former ones until those end or are revoked: only so many at a time, so that
 * one who took a key cannot make keys without end, and the operator sees all of them (service
 * show). Each renewal is an entry of the log.
 */
#pragma once

#include "vault/vault/service.h"

#define RENEWAL_LIVE_KEYS_MAX 4
#define RENEWAL_PER_MINUTE    6 /* of one service */

/* Append the certificate, as PEM, and say when it ends. VAULT_INVALID if the request is none that
 * x509_sign_client() takes; VAULT_CONFLICT for a key that another has, that was revoked, or that is
 * one too many; VAULT_LIMITED, with *wait_s, at too many; VAULT_UNAVAILABLE if the vault was given
 * no authority to sign with. */
enum vault_code renewal_sign(struct vault *vault, const struct service *service,
                             struct bytes request, struct buf *certificate, int64_t *expires_s,
                             int64_t *wait_s, struct vault_error *err) VAULT_MUST_CHECK;
