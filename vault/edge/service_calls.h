/*
 * service_calls - every call of the service API in one table: how it is reached, what answers it,
 * and what its description says (GET /v1/openapi.json is made from it). Schemas and parameters are
 * those of openapi/components.json.
 */
#pragma once

#include "vault/edge/route.h"

#define SERVICE_PARAMETERS_MAX 4
#define SERVICE_PROBLEMS_MAX   12

struct service_call {
    struct route route;

    /* Tried first, as a starter (http.h); NULL: there is none. *call is gone on return. */
    enum http_progress (*start)(const struct route_call *call, struct http_answer *answer,
                                struct http_rest *rest);
    const char *operation; /* its name, for programs made from the description */
    const char *tag;       /* which of service_tags[] it stands under */
    const char *summary;
    const char *description;
    const char *step;                               /* what {id} stands for; NULL: it has none */
    const char *parameters[SERVICE_PARAMETERS_MAX]; /* beside that */
    const char *request;                            /* the schema of its body; NULL: none */
    unsigned status;                                /* of success */
    const char *answer;                             /* NULL: no body, or plain text for 200 */
    unsigned problems[SERVICE_PROBLEMS_MAX];
};

/* What the listener itself says of any request, before a call is reached. */
#define SERVICE_ANY_REQUEST 400, 413

struct service_tag {
    const char *name;
    const char *description;
};

extern const struct service_tag service_tags[];
extern const size_t service_tag_count;

extern const struct service_call service_calls[];
extern const size_t service_call_count;
