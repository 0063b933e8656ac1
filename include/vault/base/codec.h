/*
 * codec - bytes as text and back: hex, base64, base64url, base32.
 *
 * Decoders accept exactly what the encoder of the same name writes (one spelling for each value:
 * no white space, no missing or surplus padding, no stray low bits, hex in lower case), because
 * ids and proofs are compared as text.
 *
 *   hex        0-9a-f
 *   base64     RFC 4648 section 4, with padding
 *   base64url  RFC 4648 section 5, without padding
 *   base32     RFC 4648 section 6, in lower case, without padding
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

/* How many characters the text of size bytes has, without a final NUL. */
#define HEX_CHARS(size)    ((size)*2)
#define BASE64_CHARS(size) (((size) + 2) / 3 * 4)
#define BASE32_CHARS(size) (((size)*8 + 4) / 5)

/* A decimal number as people and addresses write it: 1 to 18 digits, which any 63-bit number holds,
 * and nothing else. False, and *out 0, if it is none. */
#define DIGITS_CHARS_MAX   18
bool digits_read(struct bytes text, uint64_t *out);

void hex_encode(struct buf *out, struct bytes bytes);
void base64_encode(struct buf *out, struct bytes bytes);
void base64url_encode(struct buf *out, struct bytes bytes);
void base32_encode(struct buf *out, struct bytes bytes);

/* Append the bytes that the text stands for. VAULT_INVALID, and nothing appended, if it is not
 * exactly what the encoder writes. */
enum vault_code hex_decode(struct buf *out, struct bytes text, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code base64_decode(struct buf *out, struct bytes text, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code base64url_decode(struct buf *out, struct bytes text, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code base32_decode(struct buf *out, struct bytes text, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The same into a fixed place of exactly size bytes; text of another length is VAULT_INVALID. */
enum vault_code hex_decode_exact(void *out, size_t size_bytes, struct bytes text,
                                 struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code base64_decode_exact(void *out, size_t size_bytes, struct bytes text,
                                    struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code base32_decode_exact(void *out, size_t size_bytes, struct bytes text,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* Into a fixed string, with a final NUL: out has HEX_CHARS(size) + 1 characters, and so on. */
void hex_string(char *out, const void *data, size_t size_bytes);
void base64_string(char *out, const void *data, size_t size_bytes);
void base32_string(char *out, const void *data, size_t size_bytes);
