/*
 * Idempotency-Key: 1 to 64 printable characters of ASCII. Two requests are the same if their JSON
 * says the same, however it is written.
 */
#include <strings.h>

#include "service_parts.h"
#include "vault/base/json.h"
#include "vault/edge/problem.h"

#define HEADER              "Idempotency-Key"
#define CANONICAL_BYTES_MAX (512UL * 1024)

static size_t count_headers(const struct http_request *request)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct bytes name = request->headers[i].name;
        count += name.size == sizeof HEADER - 1 &&
                 strncasecmp((const char *)name.data, HEADER, name.size) == 0;
    }
    return count;
}

static bool is_printable(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7e)
            return false;
    }
    return text.size >= 1 && text.size <= REPEAT_KEY_CHARS;
}

bool service_repeat_key(const struct route_call *call, const struct body *body,
                        struct repeat_key *key, const struct repeat_key **out)
{
    VAULT_AUTO(buf_finish) struct buf canonical = buf_limited(CANONICAL_BYTES_MAX);
    const size_t count = count_headers(call->request);
    *out = NULL;
    if (count == 0)
        return true;
    key->key = http_request_header(call->request, HEADER);
    if (count > 1 || !is_printable(key->key)) {
        problem_write(body->answer, 400,
                      "Idempotency-Key is said once and has 1 to 64 printable characters",
                      body->path);
        return false;
    }
    buf_format(&canonical, "%s\n", body->path);
    json_write_value(&canonical, body->root);
    if (canonical.problem) {
        problem_write(body->answer, 413, "this is too large to be kept: send it without a key",
                      body->path);
        return false;
    }
    sha256_of(key->request_hash, buf_view(&canonical));
    *out = key;
    return true;
}

bool service_has_repeat_key(const struct route_call *call)
{
    return count_headers(call->request) > 0;
}

bool service_refuse_repeat_key(const struct route_call *call, struct http_answer *answer)
{
    if (!service_has_repeat_key(call))
        return false;
    problem_write(answer, 400, "a batch takes no Idempotency-Key: send its requests one by one",
                  call->request->path);
    return true;
}
