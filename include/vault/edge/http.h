/*
 * http - a request and its answer, without a socket.
 *
 * What the routes see: a request that the gate has let through whole, with its body, and an answer
 * to fill. No type of the HTTP library appears here, so that every route can be called by a test or
 * a fuzzer without a connection.
 *
 * A request borrows everything; it lives while its handler runs. An answer owns its body.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

#define HTTP_BODY_BYTES_MAX    (64U * 1024) /* of a request; more is 413 */
#define HTTP_ANSWER_BYTES_MAX  (8U * 1024 * 1024)
#define HTTP_HEADERS_MAX       64
#define HTTP_PARAMETERS_MAX    64
#define HTTP_EXTRA_HEADERS_MAX 16
#define HTTP_PEER_HASH_BYTES   32

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OTHER_METHOD, /* registered, but used by no route: OPTIONS, TRACE, PATCH */
    HTTP_METHOD_COUNT
};

struct http_pair {
    struct bytes name;
    struct bytes value;
};

struct http_request {
    enum http_method method;
    const char *path; /* decoded, begins with '/', without the query */
    struct http_pair headers[HTTP_HEADERS_MAX];
    size_t header_count;
    struct http_pair query[HTTP_PARAMETERS_MAX]; /* decoded */
    size_t query_count;
    struct bytes body;
    bool has_peer;                           /* a client certificate was verified */
    uint8_t peer_spki[HTTP_PEER_HASH_BYTES]; /* SHA-256 of its public key */
};

struct http_header {
    const char *name; /* a literal */
    char value[512];
};

struct http_answer {
    unsigned status;
    const char *content_type; /* a literal, or NULL when there is no body */
    struct buf body;
    struct http_header headers[HTTP_EXTRA_HEADERS_MAX];
    size_t header_count;
    bool close; /* end the connection after this answer */
};

typedef void http_handler(void *context, const struct http_request *request,
                          struct http_answer *answer);

/*
 * A handler may wait, so a thread is its own while it does. What can mostly be answered without
 * waiting has a starter as well, which is tried first: it must not wait, for a disk, a lock that is
 * held for long, or another process. It says how far it came:
 *
 * HTTP_ANSWERED    the answer is whole
 * HTTP_AWAITS      it will be when *rest says so: something was begun that goes on by itself
 * HTTP_WOULD_WAIT  nothing was done: the handler is to be called instead; what was written into the
 *                  answer is dropped
 */
enum http_progress { HTTP_ANSWERED, HTTP_AWAITS, HTTP_WOULD_WAIT };

struct http_rest {
    /* Whether the answer is whole now. Does not wait. Not called again once it is. */
    bool (*is_whole)(struct http_rest *rest, struct http_answer *answer);
    void *context;                /* owned: free()d when it is whole */
    void (*leave)(void *entered); /* likewise called then, for who stands in front; may be NULL */
    void *entered;
};

typedef enum http_progress http_starter(void *context, const struct http_request *request,
                                        struct http_answer *answer, struct http_rest *rest);

/* An empty 200. */
struct http_answer http_answer_new(void);
void http_answer_begin(struct http_answer *answer); /* the same, in its place */
void http_answer_finish(struct http_answer *answer);

/* Add a header. The value is cut at the field's size, so callers keep values short. */
void http_answer_header(struct http_answer *answer, const char *name, const char *format, ...)
    VAULT_PRINTF(3, 4);

/* The value of a header, its name compared without case; data is NULL if it is not there. */
struct bytes http_request_header(const struct http_request *request, const char *name);

/* The value of a query parameter; data is NULL if it is not there. */
struct bytes http_request_query(const struct http_request *request, const char *name);

/* The method of a name such as "GET", HTTP_METHOD_COUNT if no RFC registers it or it is CONNECT. */
enum http_method http_method_of(const char *name);
const char *http_method_name(enum http_method method);
const char *http_status_phrase(unsigned status);

/* The n-th status that any answer here has, from 0; and back: HTTP_STATUS_COUNT for any other. */
#define HTTP_STATUS_COUNT 16
unsigned http_status_at(size_t n);
size_t http_status_index(unsigned status);
