/*
 * secret - bytes that must not leave the process: keys, seeds, passwords while they are checked.
 *
 * They live in OpenSSL's secure heap: locked into memory, left out of core dumps, between guard
 * pages, wiped when freed. The heap has a fixed size (SECRET_HEAP_BYTES) and no fall-back: when it
 * is full, making a secret fails.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

#define SECRET_HEAP_BYTES (1024UL * 1024) /* some 8,000 keys of 32 bytes */
#define SECRET_KEY_BYTES  32
#define SECRET_MAX_BYTES  4096

struct secret;

/* A secret of size zero bytes, 1 to SECRET_MAX_BYTES. VAULT_NO_MEMORY when the heap is full. */
enum vault_code secret_new(size_t size_bytes, struct secret **out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* A copy of bytes; the caller wipes the original. */
enum vault_code secret_copy(struct bytes bytes, struct secret **out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Fresh random bytes. */
enum vault_code secret_random(size_t size_bytes, struct secret **out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Wipe and free; NULL inside is fine. */
void secret_free(struct secret **secret);

struct bytes secret_view(const struct secret *secret); /* borrowed */
uint8_t *secret_data(struct secret *secret);           /* to write into */

/* Whether two have the same bytes, in time that depends on the sizes only. */
bool secret_equal(struct bytes a, struct bytes b);

/* Random bytes that are no key: ids, nonces, salts, tokens. Up to 1,024 of them wait in the
 * thread's own memory, which is not locked. Ends the process if there is no randomness for a second
 * (insist.h), since nothing sound can follow. */
void random_bytes(void *out, size_t size_bytes);
