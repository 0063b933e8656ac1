/*
 * subject - what a service calls a citizen: 26 characters that mean nothing to any other service.
 *
 * A subject is the citizen's id under a permutation whose key belongs to the (vault, service) pair.
 * The vault turns it back without a table; a service can neither turn it back nor compare it with
 * another service's; every text of the right shape is some id, so that an unknown subject is not
 * found earlier than a known one.
 */
#pragma once

#include "vault/store/citizen.h"
#include "vault/vault/service.h"

#define SUBJECT_CHARS 26 /* [a-z2-7], without a final NUL */

enum vault_code subject_write(const struct service *service, const struct citizen_id *citizen,
                              char out[SUBJECT_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* VAULT_INVALID if the text does not have the shape of a subject. */
enum vault_code subject_read(const struct service *service, struct bytes text,
                             struct citizen_id *out, struct vault_error *err) VAULT_MUST_CHECK;
