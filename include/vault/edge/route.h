/*
 * route - which handler answers which method and path: one table per listener.
 *
 * A pattern is a path of which one step may be {id}, which stands for one non-empty step. A path
 * that no pattern fits is 404; a path with other methods is 405 and names them in Allow. A route
 * that answers GET answers HEAD too, the listener leaving the body out.
 */
#pragma once

#include "vault/edge/http.h"

#define ROUTE_ID_CHARS_MAX 128

struct route_call {
    void *context; /* the listener's */
    const struct http_request *request;
    const char *pattern;             /* of the route: what may be named where the path may not */
    char id[ROUTE_ID_CHARS_MAX + 1]; /* what {id} stood for, or empty */
};

struct route {
    enum http_method method;
    const char *pattern;
    void (*handle)(const struct route_call *call, struct http_answer *answer);
};

/* Find the route and call it, or make the answer a problem. False if no route was called. */
bool route_dispatch(const struct route routes[], size_t route_count, void *context,
                    const struct http_request *request, struct http_answer *answer);

/* Whether a route answers that method on that path. */
bool route_exists(const struct route routes[], size_t route_count, enum http_method method,
                  const char *path);
