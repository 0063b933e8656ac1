/*
 * hash - SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

#define SHA256_BYTES 32

/* The hash of the parts, one after the other. Ends the process if OpenSSL fails, which happens only
 * when memory is out. */
void sha256(uint8_t out[SHA256_BYTES], const struct bytes parts[], size_t part_count);
void sha256_of(uint8_t out[SHA256_BYTES], struct bytes bytes);

/* The hash of something that is not at hand all at once: begin, add, end. The state keeps the end
 * of it until the next is begun. One thread at a time. The same word on failure. */
struct hasher;

struct hasher *hasher_new(void);
void hasher_free(struct hasher **hasher);
void hasher_begin(struct hasher *hasher);
void hasher_add(struct hasher *hasher, struct bytes part);
void hasher_end(struct hasher *hasher, uint8_t out[SHA256_BYTES]);

/* HMAC of the parts, one after the other. The same word on failure. */
void hmac_sha256(uint8_t out[SHA256_BYTES], struct bytes key, const struct bytes parts[],
                 size_t part_count);

/* The same under a key that is no secret of the vault's but a salt, drawn for one value. It takes
 * half the time, since the thread keeps the state, which has the last salt in it until the next. */
void hmac_sha256_salted(uint8_t out[SHA256_BYTES], struct bytes salt, struct bytes value);
