/*
 * recovery - the recovery secret as text for paper: RECOVERY_GROUPS groups of six characters and a
 * check character each, in Crockford's base 32 (no I, L, O or U), with hyphens between.
 *
 * The check is a polynomial over GF(32) of the group's place and its characters: it finds every
 * single wrong character and every two neighbours exchanged, and most groups in another's place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/secret.h"

#define RECOVERY_BYTES 30
#define RECOVERY_CHARS 63 /* without the final NUL */

/* The text of RECOVERY_BYTES bytes, NUL-ended. */
void recovery_write(char out[RECOVERY_CHARS + 1], const uint8_t bytes[RECOVERY_BYTES]);

/* Back. Letters of either case, I and L for 1, O for 0; hyphens and white space are passed over.
 * VAULT_INVALID, naming the first group that is wrong. */
enum vault_code recovery_read(struct bytes text, struct secret **out, struct vault_error *err)
    VAULT_MUST_CHECK;
