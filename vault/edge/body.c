#include "body.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "vault/edge/problem.h"

#define POINTER_BYTES          320 /* a field of the policy may be in it */
#define CONTENT_TYPE_CHARS_MAX 128

bool body_wrong(struct body *body, unsigned status, const char *pointer, const char *detail)
{
    char whole[POINTER_BYTES];
    snprintf(whole, sizeof whole, "%s%s", body->at ? body->at : "", pointer);
    problem_write_at(body->answer, status, detail, body->path, whole, -1);
    return false;
}

/* "application/json" in whatever case, with parameters or without (RFC 9110 section 8.3); JSON has
 * one encoding (RFC 8259 section 8.1), so a charset may only be that. */
static bool is_json(struct bytes type)
{
    static const char wanted[] = "application/json";
    const size_t size = sizeof wanted - 1;
    char text[CONTENT_TYPE_CHARS_MAX + 1] = "";
    if (type.size < size || type.size > CONTENT_TYPE_CHARS_MAX)
        return false;
    memcpy(text, type.data, type.size);
    const char *rest = text + size;
    const char *charset = strcasestr(rest, "charset=");
    rest += strspn(rest, " \t");
    return strncasecmp(text, wanted, size) == 0 && (*rest == 0 || *rest == ';') &&
           (!charset || strcasecmp(charset, "charset=utf-8") == 0);
}

bool body_members(struct body *body, const json_t *object, const char *pointer,
                  const char *const members[])
{
    const char *unknown = json_unknown_member(object, members);
    if (!unknown)
        return true;
    char whole[POINTER_BYTES];
    VAULT_AUTO(buf_finish) struct buf place = buf_limited(POINTER_BYTES + body->text.size * 2);
    snprintf(whole, sizeof whole, "%s%s", body->at ? body->at : "", pointer);
    buf_text(&place, whole);
    json_pointer_name(&place, unknown);
    const char *at = buf_string(&place);
    const struct json_position position = json_locate_name(body->text, at ? at : whole);
    problem_write_at(body->answer, 400, "an object has a member that is not known here", body->path,
                     whole, (int64_t)position.offset);
    return false;
}

bool body_read(const struct route_call *call, struct http_answer *answer,
               const char *const members[], struct body *out)
{
    const struct http_request *request = call->request;
    struct json_position position;
    struct vault_error err;
    *out = (struct body){.text = request->body, .path = request->path, .answer = answer};
    if (!is_json(http_request_header(request, "Content-Type"))) {
        problem_write(answer, 415, "the body must be application/json", request->path);
        return false;
    }
    if (json_parse(request->body, BODY_DEPTH_MAX, &out->root, &position, &err)) {
        problem_write_at(answer, 400, err.text, request->path, "", (int64_t)position.offset);
        return false;
    }
    if (!json_is_object(out->root))
        return body_wrong(out, 400, "", "the body must be a JSON object");
    return body_members(out, out->root, "", members);
}

void body_finish(struct body *body)
{
    json_free(&body->root);
}

bool body_text(struct body *body, const char *member, bool required, size_t chars_max,
               struct bytes *out)
{
    char pointer[POINTER_BYTES];
    const json_t *value = json_object_get(body->root, member);
    snprintf(pointer, sizeof pointer, "/%s", member);
    *out = (struct bytes){0};
    if (!value)
        return !required || body_wrong(body, 400, pointer, "this member is missing");
    if (!json_is_string(value))
        return body_wrong(body, 400, pointer, "this must be a string");
    *out = json_text(value);
    if (out->size > chars_max || (required && out->size == 0))
        return body_wrong(body, 400, pointer, "this is empty or too long");
    return true;
}

bool body_number(struct body *body, const char *member, int64_t least, int64_t most, int64_t *out)
{
    char pointer[POINTER_BYTES];
    const json_t *value = json_object_get(body->root, member);
    snprintf(pointer, sizeof pointer, "/%s", member);
    if (!value || json_is_null(value))
        return true;
    const int64_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < least || number > most)
        return body_wrong(body, 400, pointer, "this must be a whole number in its range");
    *out = number;
    return true;
}
