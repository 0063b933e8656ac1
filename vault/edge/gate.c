#include "vault/edge/gate.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define TARGET_CHARS_MAX  2048
#define LENGTH_DIGITS_MAX 12

/* RFC 9110 section 5.6.2: the characters of a token. */
static bool is_token_char(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool name_is_token(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (!is_token_char(name.data[i]))
            return false;
    }
    return name.size > 0;
}

/* Visible characters, spaces and tabs; bytes above 0x7f are opaque (RFC 9110 section 5.5). */
static bool value_is_clean(struct bytes value)
{
    for (size_t i = 0; i < value.size; i++) {
        if ((value.data[i] < 0x20 && value.data[i] != '\t') || value.data[i] == 0x7f)
            return false;
    }
    return true;
}

static bool name_is(const struct http_pair *header, const char *name)
{
    return header->name.size == strlen(name) &&
           strncasecmp((const char *)header->name.data, name, header->name.size) == 0;
}

/* Origin form only (RFC 9112 section 3.2.1), and only characters a target may have. */
static bool target_is_origin_form(const char *target)
{
    if (target[0] != '/' || strlen(target) > TARGET_CHARS_MAX)
        return false;
    if (strstr(target, "%00")) /* the library would end the path there */
        return false;
    for (const char *p = target; *p; p++) {
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || strchr("#\\\"<>^`{|}", *p))
            return false;
    }
    return true;
}

/* RFC 9112 section 6.2: digits and nothing else. False if it is no length at all. */
static bool length_is_plain(struct bytes value, uint64_t *length)
{
    if (value.size == 0 || value.size > LENGTH_DIGITS_MAX)
        return false;
    *length = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
        *length = *length * 10 + (value.data[i] - '0');
    }
    return true;
}

struct seen {
    unsigned hosts;
    unsigned lengths;
    unsigned encodings;
    uint64_t length;
};

static enum vault_code check_header(const struct http_pair *header, struct seen *seen,
                                    struct vault_error *err)
{
    if (!name_is_token(header->name))
        return vault_fail(err, VAULT_INVALID, "a header name is not a token");
    if (!value_is_clean(header->value))
        return vault_fail(err, VAULT_INVALID, "a header value has a control character");
    if (name_is(header, "Host") && ++seen->hosts && header->value.size == 0)
        return vault_fail(err, VAULT_INVALID, "the Host header is empty");
    if (name_is(header, "Content-Length") && ++seen->lengths &&
        !length_is_plain(header->value, &seen->length))
        return vault_fail(err, VAULT_INVALID, "Content-Length is not a plain number");
    if (name_is(header, "Transfer-Encoding") && ++seen->encodings &&
        !(header->value.size == 7 &&
          strncasecmp((const char *)header->value.data, "chunked", 7) == 0))
        return vault_fail(err, VAULT_INVALID, "the only transfer encoding here is chunked");
    return VAULT_OK;
}

enum vault_code gate_check(const struct gate_line *line, const struct http_pair headers[],
                           size_t header_count, struct vault_error *err)
{
    if (http_method_of(line->method) == HTTP_METHOD_COUNT)
        return vault_fail(err, VAULT_INVALID, "the method is not a registered one");
    if (!target_is_origin_form(line->target))
        return vault_fail(err, VAULT_INVALID, "the request target is not in origin form");
    if (strcmp(line->version, "HTTP/1.1") != 0 && strcmp(line->version, "HTTP/1.0") != 0)
        return vault_fail(err, VAULT_INVALID, "the protocol version is not HTTP/1.1 or HTTP/1.0");
    if (header_count >= HTTP_HEADERS_MAX)
        return vault_fail(err, VAULT_INVALID, "more than %d headers", HTTP_HEADERS_MAX - 1);
    struct seen seen = {0};
    for (size_t i = 0; i < header_count; i++)
        VAULT_TRY(check_header(&headers[i], &seen, err));
    if (seen.hosts != 1)
        return vault_fail(err, VAULT_INVALID, "there must be one Host header");
    if (seen.lengths > 1 || seen.encodings > 1 || (seen.lengths && seen.encodings))
        return vault_fail(err, VAULT_INVALID, "the length of the body is given more than once");
    if (seen.encodings && strcmp(line->version, "HTTP/1.0") == 0)
        return vault_fail(err, VAULT_INVALID, "HTTP/1.0 has no transfer encodings");
    if (seen.lengths && seen.length > HTTP_BODY_BYTES_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "the body is over %u bytes", HTTP_BODY_BYTES_MAX);
    return VAULT_OK;
}
