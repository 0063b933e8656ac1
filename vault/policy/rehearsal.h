/*
 * rehearsal - random requests about a bundle, as lines for "decide".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model.h"
#include "vault/base/buf.h"

struct rehearsal {
    const struct policy *policy;
    uint64_t state; /* of the random numbers: the seed, to begin with */
};

/* Append one request that is valid, without a newline. Most are about what some rule covers. */
void rehearsal_write(struct rehearsal *rehearsal, struct buf *out);
