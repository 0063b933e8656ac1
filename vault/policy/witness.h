/*
 * witness - a request that shows a change, as a line for "decide".
 */
#pragma once

#include "contrast.h"
#include "vault/base/buf.h"

struct change_place;
struct policy_diff;

#define WITNESS_VALUE_BYTES_MAX 256

/* Append the line for what a contrast found at a place; value is JSON for the field, or empty. */
void witness_write(const struct policy_diff *diff, const struct change_place *place,
                   const struct contrast *contrast, struct bytes value, struct buf *out);

/*
 * Append a value of which the form shows something else on each side: a border of its bands, a
 * number that is rounded. false if the form means the same on both. A value for which both sides
 * have an answer is taken before one for which one side has none (it lies under its first band).
 */
bool witness_value(const struct contrast *contrast, enum form form, struct buf *out);
