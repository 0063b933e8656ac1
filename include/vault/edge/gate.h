/*
 * gate - nothing odd gets past the first step.
 *
 * The HTTP library of Debian 12 accepts requests that two readers can understand in two ways:
 * several Content-Length fields, a length beside chunks, spaces before a colon, several Host
 * fields, absolute targets. What cannot be read in one way only is refused with 400 and the
 * connection is closed, before any route is looked up. RFC 9112 sections 3.2, 5.1, 6.1 to 6.3.
 */
#pragma once

#include "vault/edge/http.h"

/* The request line as the library read it. */
struct gate_line {
    const char *method;
    const char *target; /* raw, with its query */
    const char *version;
};

/*
 * VAULT_INVALID with a reason that quotes nothing, or VAULT_TOO_LARGE when the declared body is
 * over HTTP_BODY_BYTES_MAX. On success the method is known to be registered.
 */
enum vault_code gate_check(const struct gate_line *line, const struct http_pair headers[],
                           size_t header_count, struct vault_error *err) VAULT_MUST_CHECK;
