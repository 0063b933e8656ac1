/*
 * cbor - whether CBOR from outside (RFC 8949) may be given to the library that reads it; for the
 * modules of this floor alone.
 *
 * libcbor makes room for as many elements as an array or a map says that it has, before it looks
 * whether they are there: nine bytes are enough to ask for gigabytes. So what an authenticator sent
 * is walked over first, which allocates nothing. What CTAP2 does not let authenticators send
 * (its section 8, canonical CBOR) is not let through either: lengths that are left open, tags, and
 * nesting deeper than CBOR_DEPTH_MAX.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/buf.h"

#define CBOR_DEPTH_MAX 4

/* Whether the bytes are whole items, one behind the other, none of which says that it has more than
 * there is. No bytes are no items, which is fine. */
bool cbor_is_bounded(struct bytes items);
