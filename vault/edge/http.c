#include "vault/edge/http.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"GET", HTTP_GET},
    {"HEAD", HTTP_HEAD},
    {"POST", HTTP_POST},
    {"PUT", HTTP_PUT},
    {"DELETE", HTTP_DELETE},
    {"OPTIONS", HTTP_OTHER_METHOD},
    {"TRACE", HTTP_OTHER_METHOD},
    {"PATCH", HTTP_OTHER_METHOD},
};

static const struct {
    unsigned status;
    const char *phrase;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {303, "See Other"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

_Static_assert(sizeof phrases / sizeof phrases[0] == HTTP_STATUS_COUNT, "each is counted");

unsigned http_status_at(size_t n)
{
    return n < HTTP_STATUS_COUNT ? phrases[n].status : 0;
}

size_t http_status_index(unsigned status)
{
    size_t i = 0;
    while (i < HTTP_STATUS_COUNT && phrases[i].status != status)
        i++;
    return i;
}

void http_answer_begin(struct http_answer *answer)
{
    answer->status = 200;
    answer->content_type = NULL;
    answer->body = buf_limited(HTTP_ANSWER_BYTES_MAX);
    answer->header_count = 0; /* of the rest nothing is read */
    answer->close = false;
}

struct http_answer http_answer_new(void)
{
    struct http_answer answer;
    http_answer_begin(&answer);
    return answer;
}

void http_answer_finish(struct http_answer *answer)
{
    explicit_bzero(answer->headers, answer->header_count * sizeof answer->headers[0]);
    buf_finish(&answer->body);
}

void http_answer_header(struct http_answer *answer, const char *name, const char *format, ...)
{
    if (answer->header_count == HTTP_EXTRA_HEADERS_MAX)
        return;
    struct http_header *header = &answer->headers[answer->header_count++];
    header->name = name;
    va_list args;
    va_start(args, format);
    vsnprintf(header->value, sizeof header->value, format, args);
    va_end(args);
}

struct bytes http_request_header(const struct http_request *request, const char *name)
{
    const size_t size = strlen(name);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_pair *header = &request->headers[i];
        if (header->name.size == size &&
            strncasecmp((const char *)header->name.data, name, size) == 0)
            return header->value;
    }
    return (struct bytes){0};
}

struct bytes http_request_query(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++) {
        if (bytes_equal(request->query[i].name, bytes_of_text(name)))
            return request->query[i].value;
    }
    return (struct bytes){0};
}

enum http_method http_method_of(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].method;
    }
    return HTTP_METHOD_COUNT;
}

const char *http_method_name(enum http_method method)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (methods[i].method == method)
            return methods[i].name;
    }
    return "?";
}

const char *http_status_phrase(unsigned status)
{
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        if (phrases[i].status == status)
            return phrases[i].phrase;
    }
    return "Error";
}
