#include "vault/edge/gate.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define TARGET_CHARS_MAX  2048
#define LENGTH_DIGITS_MAX 12
#define LINE_END_BYTES    2

#define DIGITS            "0123456789"
#define HEX_DIGITS        DIGITS "abcdefABCDEF"
#define LETTERS           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

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

static bool bytes_are(struct bytes bytes, const char *text)
{
    return bytes.size == strlen(text) &&
           strncasecmp((const char *)bytes.data, text, bytes.size) == 0;
}

/* --- The target ----------------------------------------------------------------------------- */

/* The byte that "%XX" stands for, or -1 if that is not what stands there. */
static int decoded(const char *at)
{
    static const char digits[] = "0123456789abcdef";
    const char *high = at[1] ? strchr(digits, at[1] | 0x20) : NULL;
    const char *low = high && at[2] ? strchr(digits, at[2] | 0x20) : NULL;
    return low ? (int)((high - digits) * 16 + (low - digits)) : -1;
}

/* A path with these would be another one to whoever decodes first and splits it then (RFC 3986
 * section 2.2), and a NUL would end it. A query may have all but the NUL. */
static bool may_be_encoded(int byte, bool in_query)
{
    if (in_query)
        return byte > 0;
    return byte >= 0x20 && byte != 0x7f && byte != '/' && byte != '\\';
}

/* "." or "..", each dot encoded or not. */
static bool is_dot_step(const char *step, size_t size)
{
    size_t dots = 0;
    for (size_t i = 0; i < size; dots++) {
        if (step[i] == '.')
            i++;
        else if (step[i] == '%' && size - i >= 3 && decoded(step + i) == '.')
            i += 3;
        else
            return false;
    }
    return dots == 1 || dots == 2;
}

/* Readers before us may take such steps (RFC 3986 section 5.2.4), and we do not. */
static bool has_dot_step(const char *path)
{
    while (*path == '/') {
        const size_t size = strcspn(++path, "/?");
        if (is_dot_step(path, size))
            return true;
        path += size;
    }
    return false;
}

/* Origin form only (RFC 9112 section 3.2.1), and only characters a target may have. */
static bool target_is_origin_form(const char *target)
{
    bool in_query = false;
    if (target[0] != '/' || strlen(target) > TARGET_CHARS_MAX || has_dot_step(target))
        return false;
    for (const char *p = target; *p; p++) {
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || strchr("#\\\"<>^`{|}", *p))
            return false;
        in_query |= *p == '?';
        if (*p == '%' && !may_be_encoded(decoded(p), in_query))
            return false;
    }
    return true;
}

/* --- Headers -------------------------------------------------------------------------------- */

/* RFC 9112 section 6.2: digits and nothing else. False if it is no length at all. */
static bool read_length(struct bytes value, uint64_t *length)
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

/* Where the first byte from a place on is that is none of these characters. */
static size_t span(struct bytes value, size_t from, const char *characters)
{
    while (from < value.size && value.data[from] && strchr(characters, value.data[from]))
        from++;
    return from;
}

/* RFC 9112 section 3.2: a name or an address, and a port or none. Which one it is nobody here asks;
 * a list, a path or a user in it is what another reader may make something of. */
static bool host_is_plain(struct bytes value)
{
    size_t end;
    if (value.size && value.data[0] == '[') {
        end = span(value, 1, HEX_DIGITS ":.");
        if (end == 1 || end == value.size || value.data[end++] != ']')
            return false;
    } else {
        end = span(value, 0, LETTERS DIGITS "-._~");
    }
    const bool has_name = end > 0;
    if (end < value.size && value.data[end] == ':')
        end = span(value, end + 1, DIGITS);
    return has_name && end == value.size;
}

static bool encoding_is_chunked(struct bytes value)
{
    return bytes_are(value, "chunked");
}

static bool expectation_is_known(struct bytes value)
{
    return bytes_are(value, "100-continue");
}

static bool length_is_plain(struct bytes value)
{
    uint64_t length;
    return read_length(value, &length);
}

enum single {
    HOST,
    LENGTH,
    ENCODING,
    EXPECT,
    CONTENT_TYPE,
    IDEMPOTENCY_KEY,
    COOKIE,
    ORIGIN,
    SITE,
    SINGLE_COUNT
};

/* The headers that something is decided by. Each comes once: of two, another reader could believe
 * the other. */
static const struct {
    const char *name;
    bool (*fits)(struct bytes value); /* NULL: its reader decides */
    const char *fault;
} singles[SINGLE_COUNT] = {
    [HOST] = {"Host", host_is_plain, "the Host header is not a name with a port or without"},
    [LENGTH] = {"Content-Length", length_is_plain, "Content-Length is not a plain number"},
    [ENCODING] = {"Transfer-Encoding", encoding_is_chunked,
                  "the only transfer encoding here is chunked"},
    [EXPECT] = {"Expect", expectation_is_known, "the only expectation here is 100-continue"},
    [CONTENT_TYPE] = {"Content-Type", NULL, NULL},
    [IDEMPOTENCY_KEY] = {"Idempotency-Key", NULL, NULL},
    [COOKIE] = {"Cookie", NULL, NULL},
    [ORIGIN] = {"Origin", NULL, NULL},
    [SITE] = {"Sec-Fetch-Site", NULL, NULL},
};

static enum vault_code check_header(const struct http_pair *header,
                                    const struct http_pair *seen[SINGLE_COUNT],
                                    struct vault_error *err)
{
    if (!name_is_token(header->name))
        return vault_fail(err, VAULT_INVALID, "a header name is not a token");
    if (!value_is_clean(header->value))
        return vault_fail(err, VAULT_INVALID, "a header value has a control character");
    for (size_t i = 0; i < SINGLE_COUNT; i++) {
        if (!bytes_are(header->name, singles[i].name))
            continue;
        if (seen[i])
            return vault_fail(err, VAULT_INVALID, "there are two %s headers", singles[i].name);
        if (singles[i].fits && !singles[i].fits(header->value))
            return vault_fail(err, VAULT_INVALID, "%s", singles[i].fault);
        seen[i] = header;
    }
    return VAULT_OK;
}

/* RFC 9112 section 6.3: one way to tell where the body ends, or no body. */
static enum vault_code check_framing(const struct gate_line *line,
                                     const struct http_pair *seen[SINGLE_COUNT],
                                     struct vault_error *err)
{
    uint64_t length = 0;
    if (!seen[HOST])
        return vault_fail(err, VAULT_INVALID, "there is no Host header");
    if (seen[LENGTH] && seen[ENCODING])
        return vault_fail(err, VAULT_INVALID, "the length of the body is given more than once");
    if (seen[ENCODING] && strcmp(line->version, "HTTP/1.0") == 0)
        return vault_fail(err, VAULT_INVALID, "HTTP/1.0 has no transfer encodings");
    if (seen[LENGTH] && read_length(seen[LENGTH]->value, &length) && length > HTTP_BODY_BYTES_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "the body is over %u bytes", HTTP_BODY_BYTES_MAX);
    if (seen[EXPECT] && !seen[ENCODING] && length == 0)
        return vault_fail(err, VAULT_INVALID, "there is an expectation and no body to wait for");
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
    const struct http_pair *seen[SINGLE_COUNT] = {0};
    for (size_t i = 0; i < header_count; i++)
        VAULT_TRY(check_header(&headers[i], seen, err));
    return check_framing(line, seen, err);
}

enum vault_code gate_check_query(const struct http_pair parameters[], size_t count,
                                 struct vault_error *err)
{
    if (count >= HTTP_PARAMETERS_MAX)
        return vault_fail(err, VAULT_INVALID, "more than %d parameters", HTTP_PARAMETERS_MAX - 1);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (bytes_equal(parameters[i].name, parameters[j].name))
                return vault_fail(err, VAULT_INVALID, "a parameter of the query is there twice");
        }
    }
    return VAULT_OK;
}

/* --- What a parser hides -------------------------------------------------------------------- */

/* Whether a value lies behind its name in the same memory, with nothing but blanks between. */
static bool lies_behind(struct bytes name, struct bytes value)
{
    const uintptr_t end = (uintptr_t)name.data + name.size;
    const uintptr_t begin = (uintptr_t)value.data;
    if (begin <= end || begin - end > GATE_GAP_BYTES_MAX)
        return false;
    for (const uint8_t *p = name.data + name.size; (uintptr_t)p < begin; p++) {
        if (*p && *p != ' ' && *p != '\t')
            return false;
    }
    return true;
}

/* The parser makes two NULs of the end of a line; an empty one is nothing else. */
static bool lines_end(const uint8_t *at, size_t count)
{
    for (size_t i = 0; i < count * LINE_END_BYTES; i++) {
        if (at[i])
            return false;
    }
    return true;
}

enum vault_code gate_check_layout(const struct gate_place *place, const struct http_pair headers[],
                                  size_t header_count, struct vault_error *err)
{
    struct bytes last = bytes_of_text(place->version);
    if (place->method + strlen(place->method) + 1 != place->target ||
        place->target + place->target_size + 1 != place->version)
        return vault_fail(err, VAULT_INVALID, "the request line has more in it than three words");
    for (size_t i = 0; i < header_count; i++) {
        const uint8_t *end = last.data + last.size;
        if (headers[i].name.data != end + LINE_END_BYTES || !lines_end(end, 1) ||
            !lies_behind(headers[i].name, headers[i].value))
            return vault_fail(err, VAULT_INVALID, "a header is folded, or no line of its own");
        last = headers[i].value;
    }
    if (!lines_end(last.data + last.size, 2))
        return vault_fail(err, VAULT_INVALID, "a header is folded, or no line of its own");
    return VAULT_OK;
}
