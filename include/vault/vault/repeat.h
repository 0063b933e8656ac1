/*
 * repeat - a request that may be sent again under a key of the service's choice (Idempotency-Key),
 * and is answered once.
 *
 * For REPEAT_KEPT_S the same key and request get the same answer; another request under that key is
 * a conflict. Two at once are one: the second waits for the first. Only answers that succeeded are
 * kept. That of a release is sealed under the citizen's own key, since it holds values, and opened
 * again only while all it holds may still be released on the same consent.
 */
#pragma once

#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/crypto/hash.h"

#define REPEAT_KEY_CHARS 64
#define REPEAT_KEPT_S    86400

struct repeat_key {
    struct bytes key;                   /* 1 to REPEAT_KEY_CHARS bytes, borrowed */
    uint8_t request_hash[SHA256_BYTES]; /* of all that is asked */
};
