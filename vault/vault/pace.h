/*
 * pace - how often somebody may do something: a bucket for each, which fills again with time.
 *
 * A full bucket holds one minute's worth. Who takes what is there is let through; a taking that is
 * worth more than what is left is let through too, and its debt is waited for before the next one.
 * Only in memory, and bounded: a bucket that is full again makes room for another, and while there
 * is none, newcomers wait.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

#define PACE_KEY_BYTES      64
#define PACE_PER_MINUTE_MAX 100000000

struct pace;

/* Room for so many buckets. */
enum vault_code pace_new(size_t room, struct pace **out, struct vault_error *err) VAULT_MUST_CHECK;
void pace_free(struct pace **pace);

/* Take amount from the key's bucket (1 to PACE_KEY_BYTES bytes) of per_minute (from 1 on), at a
 * time that only goes forward. True if it may; else *wait_ms is when to come again. */
bool pace_take(struct pace *pace, struct bytes key, int64_t per_minute, int64_t amount,
               int64_t now_ms, int64_t *wait_ms);

/* Take even what is not there: the debt is waited for by the next one. */
void pace_owe(struct pace *pace, struct bytes key, int64_t per_minute, int64_t amount,
              int64_t now_ms);

/* Give back what was taken and not used. */
void pace_return(struct pace *pace, struct bytes key, int64_t amount);
