#include "vault/edge/problem.h"

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

/* A path comes decoded and may hold any byte: what a URI cannot hold is encoded again. */
static void write_instance(struct buf *out, const char *path)
{
    buf_byte(out, '"');
    for (const char *c = path; *c; c++) {
        const unsigned char byte = (unsigned char)*c;
        if (byte <= 0x20 || byte >= 0x7f || byte == '"' || byte == '\\')
            buf_format(out, "%%%02X", byte);
        else
            buf_byte(out, byte);
    }
    buf_byte(out, '"');
}

void problem_write_at(struct http_answer *answer, unsigned status, const char *detail,
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
    if (status == 429 || status == 503)
        http_answer_header(answer, "Retry-After", "%d", RETRY_AFTER_S);
}

void problem_write(struct http_answer *answer, unsigned status, const char *detail,
                   const char *instance)
{
    problem_write_at(answer, status, detail, instance, NULL, -1);
}
