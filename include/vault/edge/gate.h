/*
 * gate - nothing odd gets past the first step.
 *
 * The HTTP library of Debian 12 accepts requests that two readers can understand in two ways:
 * several Content-Length fields, a length beside chunks, spaces before a colon, several Host
 * fields, absolute targets. What cannot be read in one way only is refused with 400 and the
 * connection is closed, before any route is looked up. RFC 9112 sections 3.2, 5.1, 6.1 to 6.3.
 *
 * Some of it that library does not even show: it takes a folded line for a part of the header's
 * name, so that a folded Content-Length is none and its body the next request, and ends a value at
 * a NUL. But it leaves what it read where it was, and so gate_check_layout() sees that something
 * lies between the pieces. Measured, request by request, by tests/unit/edge/test_odd_requests.c.
 */
#pragma once

#include "vault/edge/http.h"

#define GATE_GAP_BYTES_MAX (24U * 1024) /* blanks before a value */

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

/* A query, decoded: no parameter twice, and not too many. VAULT_INVALID. */
enum vault_code gate_check_query(const struct http_pair parameters[], size_t count,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* Where the parser has the words of the request line. The target is decoded where it is, so its
 * size is told: as it came. */
struct gate_place {
    const char *method;
    const char *target;
    size_t target_size;
    const char *version;
};

/*
 * Whether line and headers, where a parser of libmicrohttpd 0.9 left them, are all that the client
 * sent: words with one NUL behind each, values behind their names with nothing but blanks between,
 * and two NULs for the end of each line, so that a line that ends otherwise is refused as well.
 * VAULT_INVALID if there is more.
 */
enum vault_code gate_check_layout(const struct gate_place *place, const struct http_pair headers[],
                                  size_t header_count, struct vault_error *err) VAULT_MUST_CHECK;
