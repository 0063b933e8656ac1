/*
 * permute - a keyed permutation of 16-byte blocks: AES-256, one block (FIPS 197).
 *
 * Names that must look random, be different for each key and still be turned back without a table
 * are one block under a key of their own. Not for data: equal blocks give equal blocks.
 */
#pragma once

#include <stdint.h>

#include "vault/base/error.h"
#include "vault/crypto/secret.h"

#define PERMUTE_BLOCK_BYTES 16

enum vault_code permute(const struct secret *key, const uint8_t block[PERMUTE_BLOCK_BYTES],
                        uint8_t out[PERMUTE_BLOCK_BYTES], struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code permute_back(const struct secret *key, const uint8_t block[PERMUTE_BLOCK_BYTES],
                             uint8_t out[PERMUTE_BLOCK_BYTES], struct vault_error *err)
    VAULT_MUST_CHECK;
