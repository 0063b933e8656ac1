/*
 * ulid - names that sort by time: 48 bits of milliseconds and 80 random bits, as 26 characters of
 * Crockford's base32 (the public ULID specification). For releases, consents and access requests;
 * the time is no secret, and the random part is not to be guessed.
 */
#pragma once

#include <stdint.h>

#define ULID_CHARS 26

void ulid_new(char out[ULID_CHARS + 1], int64_t now_ms);
