/*
 * pages_guardian - what guardians and minors have on the pages of others.
 */
#pragma once

#include "pages_visit.h"
#include "vault/vault/guardian.h"

/* The minors of whom the reader is a guardian, and the reader's own guardians, for their home. */
enum vault_code guardian_put_minors(struct visit *visit, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code guardian_put_own(struct visit *visit, struct vault_error *err) VAULT_MUST_CHECK;

/* Beside a request of the visit's citizen: who agreed to it already, if one of two did. */
enum vault_code guardian_put_half(struct visit *visit, json_t *item, const char *request,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* Whether a half waits for the other, of that request. */
bool guardian_waits(struct visit *visit, const char *request);
