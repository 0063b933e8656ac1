/*
 * code - codes that people read out, type and print: access requests', mandates', and those to sign
 * in with. For the modules of this floor alone.
 *
 * They are few enough letters to try all, so what is kept of one is under a key of the vault's.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/buf.h"
#include "vault/crypto/hash.h"
#include "vault/vault/vault.h"

#define CODE_GROUP       4 /* letters between hyphens */
#define CODE_LETTERS_MAX 24
#define CODE_CHARS(n)    ((n) + (n) / CODE_GROUP - 1)

/* Draw a code of that many letters, a multiple of CODE_GROUP: out has CODE_CHARS() and a NUL. */
void code_draw(size_t letters, char *out);

/* The letters of a code as somebody typed it, with small letters, spaces, without hyphens. False if
 * it cannot be one of so many letters. */
bool code_read(struct bytes typed, size_t letters, uint8_t out[CODE_LETTERS_MAX]);

/* The hash of a code as somebody typed it, with small letters, spaces, without hyphens. False if it
 * cannot be one of so many letters. */
bool code_hash(const struct vault *vault, size_t letters, struct bytes typed,
               uint8_t out[SHA256_BYTES]);
