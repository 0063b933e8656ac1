#include "vault/edge/problem.h"

#include <string.h>

#define RETRY_AFTER_S 5

static const unsigned statuses[VAULT_CODE_COUNT] = {
    [VAULT_OK] = 200,        [VAULT_INVALID] = 400,     [VAULT_DENIED] = 403,
    [VAULT_NOT_FOUND] = 404, [VAULT_CONFLICT] = 409,    [VAULT_TOO_LARGE] = 413,
    [VAULT_LIMITED] = 429,   [VAULT_UNAVAILABLE] = 503, [VAULT_CORRUPT] = 500,
    [VAULT_NO_MEMORY] = 503, [VAULT_IO] = 503,
};

unsigned problem_status(enum vault_code code)
{
    return (unsigned)code < VAULT_CODE_COUNT ? statuses[code] : 500;
}

/* A path as a URI reference has it (RFC 3986): what is not plain is percent-encoded again, so that
 * no byte of it can be anything but text. */
static void write_instance(struct buf *body, const char *path)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    buf_byte(body, '"');
    for (const char *c = path; *c && *c != '?'; c++) {
        if (strchr(plain, *c))
            buf_byte(body, (uint8_t)*c);
        else
            buf_format(body, "%%%02X", (unsigned char)*c);
    }
    buf_byte(body, '"');
}

static void write_problem(struct http_answer *answer, unsigned status, const char *detail,
                          const char *instance, const char *pointer, int64_t offset)
{
    buf_clear(&answer->body);
    answer->status = status;
    answer->content_type = "application/problem+json";
    struct buf *body = &answer->body;
    buf_format(body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":",
               http_status_phrase(status), status);
    json_write_string(body, bytes_of_text(detail));
    buf_text(body, ",\"instance\":");
    write_instance(body, instance);
    if (pointer) {
        buf_text(body, ",\"pointer\":");
        json_write_string(body, bytes_of_text(pointer));
    }
    if (offset >= 0)
        buf_format(body, ",\"offset\":%lld", (long long)offset);
    buf_text(body, "}\n");
}

void problem_write_at(struct http_answer *answer, unsigned status, const char *detail,
                      const char *instance, const char *pointer, int64_t offset)
{
    write_problem(answer, status, detail, instance, pointer, offset);
    if (status == 429 || status == 503)
        http_answer_header(answer, "Retry-After", "%d", RETRY_AFTER_S);
}

void problem_write_later(struct http_answer *answer, unsigned status, int64_t wait_s,
                         const char *detail, const char *instance)
{
    write_problem(answer, status, detail, instance, NULL, -1);
    http_answer_header(answer, "Retry-After", "%lld", (long long)wait_s);
}

void problem_write(struct http_answer *answer, unsigned status, const char *detail,
                   const char *instance)
{
    problem_write_at(answer, status, detail, instance, NULL, -1);
}
