/*
 * staple - an authority's answer whether a server's certificate is revoked (OCSP, RFC 6960).
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "client.h"

/* An answer of that CA about that certificate, from a day before until then; where it is goes to
 * out, in DER. */
void make_staple(const struct identity *ca, const struct identity *server, bool is_good,
                 int64_t until_s, char out[PATH_MAX]);
