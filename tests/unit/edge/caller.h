/*
 * caller - calls an http_handler as the listener does, without a connection, and reads its answer.
 */
#pragma once

#include <stdbool.h>

#include "test.h"
#include "vault/base/json.h"
#include "vault/edge/http.h"

struct caller {
    http_handler *handler;
    void *context;
    const uint8_t *key;          /* SHA-256 of the client's public key; NULL: no certificate */
    const char *content_type;    /* of the next requests; NULL: none is said */
    const char *idempotency_key; /* NULL: none is said */
    const char *site;            /* what a browser says of where it comes from; NULL: nothing */
    const char *origin;          /* NULL: none is said */
    const char *request_id;      /* X-Request-ID; NULL: none is said */
    const char *host;            /* NULL: "vault.example:8443" */
    char path[512];              /* without its query */
    struct http_answer answer;   /* the last one */
    json_t *json;                /* its body, if it is JSON */
};

/* A caller who says "application/json" and shows that key. */
struct caller caller_new(http_handler *handler, void *context, const uint8_t *key);
void caller_finish(struct caller *caller);

/* Send a request; the answer before it is gone. The path may have a query, plain characters only.
 */
void caller_send(struct caller *caller, enum http_method method, const char *path,
                 struct bytes body);
void caller_get(struct caller *caller, const char *path);
void caller_post(struct caller *caller, const char *path, const char *body);

const char *caller_header(const struct caller *caller, const char *name);

/* A text of the answer's JSON by its pointer, such as "/log/origin"; it must be there. */
const json_t *caller_value(const struct caller *caller, const char *pointer);
const char *caller_text(const struct caller *caller, const char *pointer);

void assert_answered(const struct caller *caller, unsigned status, const char *content_type);

/* The answer is a problem of this status: its members are exactly those of the contract, and say
 * what the status line says. Pointer NULL: it has none; offset below 0: it has none. */
void assert_problem(const struct caller *caller, unsigned status, const char *pointer,
                    int64_t offset);

/* The answer's body does not hold the text. */
void assert_not_said(const struct caller *caller, const char *text);

/* The object has exactly these members, named with a space between. */
void assert_members(const json_t *object, const char *names);

/* The answer's body as text, and that it says something. */
const char *caller_page(struct caller *caller);
void assert_page_says(struct caller *caller, const char *text);
