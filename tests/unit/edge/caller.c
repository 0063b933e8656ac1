#include "caller.h"

#include <stdio.h>

#define ANSWER_DEPTH_MAX 24 /* the description of the API has schemas in schemas */

struct caller caller_new(http_handler *handler, void *context, const uint8_t *key)
{
    return (struct caller){.handler = handler,
                           .context = context,
                           .key = key,
                           .content_type = "application/json",
                           .answer = http_answer_new()};
}

static void forget_answer(struct caller *caller)
{
    http_answer_finish(&caller->answer);
    json_free(&caller->json);
}

void caller_finish(struct caller *caller)
{
    forget_answer(caller);
}

static void read_answer(struct caller *caller)
{
    const char *type = caller->answer.content_type;
    assert_int_equal(caller->answer.body.problem, VAULT_OK);
    if (type && strstr(type, "json") && !strstr(type, "ndjson"))
        assert_done(json_parse(buf_view(&caller->answer.body), ANSWER_DEPTH_MAX, &caller->json,
                               NULL, &test_error));
}

/* What stands behind '?', which is not decoded. */
static void read_query(struct caller *caller, struct http_request *request)
{
    char *query = strchr(caller->path, '?');
    if (!query)
        return;
    *query++ = 0;
    for (char *next = query; next;) {
        char *name = strsep(&next, "&");
        char *value = name + strcspn(name, "=");
        const struct bytes name_bytes = {(const uint8_t *)name, (size_t)(value - name)};
        request->query[request->query_count++] =
            (struct http_pair){name_bytes, bytes_of_text(*value ? value + 1 : value)};
    }
}

void caller_send(struct caller *caller, enum http_method method, const char *path,
                 struct bytes body)
{
    struct http_request request = {.method = method, .path = caller->path, .body = body};
    snprintf(caller->path, sizeof caller->path, "%s", path);
    read_query(caller, &request);
    request.headers[request.header_count++] = (struct http_pair){
        BYTES("Host"), caller->host ? bytes_of_text(caller->host) : BYTES("vault.example:8443")};
    if (caller->content_type)
        request.headers[request.header_count++] =
            (struct http_pair){BYTES("content-TYPE"), bytes_of_text(caller->content_type)};
    if (caller->idempotency_key)
        request.headers[request.header_count++] =
            (struct http_pair){BYTES("idempotency-key"), bytes_of_text(caller->idempotency_key)};
    if (caller->site)
        request.headers[request.header_count++] =
            (struct http_pair){BYTES("Sec-Fetch-Site"), bytes_of_text(caller->site)};
    if (caller->origin)
        request.headers[request.header_count++] =
            (struct http_pair){BYTES("Origin"), bytes_of_text(caller->origin)};
    if (caller->request_id)
        request.headers[request.header_count++] =
            (struct http_pair){BYTES("x-request-id"), bytes_of_text(caller->request_id)};
    request.has_peer = caller->key != NULL;
    if (caller->key)
        memcpy(request.peer_spki, caller->key, sizeof request.peer_spki);
    forget_answer(caller);
    caller->answer = http_answer_new();
    caller->handler(caller->context, &request, &caller->answer);
    read_answer(caller);
}

void caller_get(struct caller *caller, const char *path)
{
    caller_send(caller, HTTP_GET, path, (struct bytes){0});
}

void caller_post(struct caller *caller, const char *path, const char *body)
{
    caller_send(caller, HTTP_POST, path, bytes_of_text(body));
}

const char *caller_header(const struct caller *caller, const char *name)
{
    for (size_t i = 0; i < caller->answer.header_count; i++) {
        if (strcmp(caller->answer.headers[i].name, name) == 0)
            return caller->answer.headers[i].value;
    }
    return "";
}

const json_t *caller_value(const struct caller *caller, const char *pointer)
{
    const json_t *value = caller->json;
    while (*pointer == '/') {
        char name[128];
        const size_t size = strcspn(pointer + 1, "/");
        snprintf(name, sizeof name, "%.*s", (int)size, pointer + 1);
        value = json_object_get(value, name);
        pointer += 1 + size;
    }
    if (!value)
        fail_msg("%s: the answer has no such member", caller->path);
    return value;
}

const char *caller_text(const struct caller *caller, const char *pointer)
{
    const char *text = json_string_value(caller_value(caller, pointer));
    if (!text)
        fail_msg("%s: %s is no text", caller->path, pointer);
    return text;
}

void assert_answered(const struct caller *caller, unsigned status, const char *content_type)
{
    const struct http_answer *answer = &caller->answer;
    if (answer->status != status)
        fail_msg("%s answered %u, not %u: %.*s", caller->path, answer->status, status,
                 (int)answer->body.size, (const char *)answer->body.data);
    assert_string_equal(answer->content_type, content_type);
}

void assert_problem(const struct caller *caller, unsigned status, const char *pointer,
                    int64_t offset)
{
    char members[128];
    assert_answered(caller, status, "application/problem+json");
    snprintf(members, sizeof members, "type title status detail instance%s%s",
             pointer ? " pointer" : "", offset >= 0 ? " offset" : "");
    assert_members(caller->json, members);
    assert_string_equal(caller_text(caller, "/type"), "about:blank");
    assert_string_equal(caller_text(caller, "/title"), http_status_phrase(status));
    assert_int_equal(json_integer_value(caller_value(caller, "/status")), status);
    assert_string_equal(caller_text(caller, "/instance"), caller->path);
    assert_string_not_equal(caller_text(caller, "/detail"), "");
    if (pointer)
        assert_string_equal(caller_text(caller, "/pointer"), pointer);
    if (offset >= 0)
        assert_int_equal(json_integer_value(caller_value(caller, "/offset")), offset);
}

void assert_not_said(const struct caller *caller, const char *text)
{
    const struct buf *body = &caller->answer.body;
    if (body->size && memmem(body->data, body->size, text, strlen(text)))
        fail_msg("%s: the answer says \"%s\"", caller->path, text);
}

void assert_members(const json_t *object, const char *names)
{
    size_t count = 0;
    assert_true(json_is_object(object));
    while (*names) {
        char name[64];
        const size_t size = strcspn(names, " ");
        snprintf(name, sizeof name, "%.*s", (int)size, names);
        if (!json_object_get(object, name))
            fail_msg("there is no member %s", name);
        names += size + strspn(names + size, " ");
        count++;
    }
    assert_int_equal(json_object_size(object), count);
}

const char *caller_page(struct caller *caller)
{
    const char *text = buf_string(&caller->answer.body);
    assert_non_null(text);
    return text;
}

void assert_page_says(struct caller *caller, const char *text)
{
    if (!strstr(caller_page(caller), text))
        fail_msg("%s: the page does not say %s", caller->path, text);
}
