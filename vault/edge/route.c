#include "vault/edge/route.h"

#include <string.h>

#include "vault/edge/problem.h"

#define ID_STEP "{id}"

/* Whether the path fits the pattern; then id holds what {id} stood for. */
static bool path_fits(const char *pattern, const char *path, char id[ROUTE_ID_CHARS_MAX + 1])
{
    const char *step = strstr(pattern, ID_STEP);
    id[0] = 0;
    if (!step)
        return strcmp(pattern, path) == 0;
    const size_t before = (size_t)(step - pattern);
    if (strncmp(pattern, path, before) != 0)
        return false;
    const char *value = path + before;
    const size_t size = strcspn(value, "/");
    if (size == 0 || size > ROUTE_ID_CHARS_MAX || strcmp(value + size, step + strlen(ID_STEP)) != 0)
        return false;
    memcpy(id, value, size);
    id[size] = 0;
    return true;
}

static bool method_fits(enum http_method wanted, enum http_method given)
{
    return wanted == given || (wanted == HTTP_GET && given == HTTP_HEAD);
}

static void answer_no_route(const char *allowed, const struct http_request *request,
                            struct http_answer *answer)
{
    if (!allowed[0]) {
        problem_write(answer, 404, "there is nothing here", request->path);
        return;
    }
    problem_write(answer, 405, "this path has other methods: see Allow", request->path);
    http_answer_header(answer, "Allow", "%s", allowed);
}

bool route_dispatch(const struct route routes[], size_t route_count, void *context,
                    const struct http_request *request, struct http_answer *answer)
{
    VAULT_AUTO(buf_finish) struct buf allowed = buf_limited(256);
    struct route_call call = {.context = context, .request = request};
    for (size_t i = 0; i < route_count; i++) {
        if (!path_fits(routes[i].pattern, request->path, call.id))
            continue;
        if (method_fits(routes[i].method, request->method)) {
            call.pattern = routes[i].pattern;
            routes[i].handle(&call, answer);
            return true;
        }
        buf_format(&allowed, "%s%s%s", allowed.size ? ", " : "", http_method_name(routes[i].method),
                   routes[i].method == HTTP_GET ? ", HEAD" : "");
    }
    const char *methods = buf_string(&allowed);
    answer_no_route(methods ? methods : "", request, answer);
    return false;
}

bool route_exists(const struct route routes[], size_t route_count, enum http_method method,
                  const char *path)
{
    char id[ROUTE_ID_CHARS_MAX + 1];
    for (size_t i = 0; i < route_count; i++) {
        if (method_fits(routes[i].method, method) && path_fits(routes[i].pattern, path, id))
            return true;
    }
    return false;
}
