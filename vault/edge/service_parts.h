/*
 * service_parts - what the calls of the service API share; for its modules alone.
 */
#pragma once

#include "body.h"
#include "vault/edge/route.h"
#include "vault/edge/service_api.h"
#include "vault/vault/repeat.h"
#include "vault/vault/service.h"

struct service_api *service_api_of(const struct route_call *call);

/* Who calls, and a request of their quota taken; or a problem, and false. */
bool service_identify(const struct route_call *call, struct http_answer *answer,
                      struct service_hold *out);

/* A problem of that code. The words of a fault inside the vault are for its operator, and go into
 * the program's log, not to a service. */
void service_answer_failure(const struct route_call *call, struct http_answer *answer,
                            enum vault_code code, const struct vault_error *err);

/* 503, since nobody outside has confirmed the log: "nothing is released", says what. Why exactly is
 * the operator's to know. */
void service_answer_shut(const struct route_call *call, struct http_answer *answer,
                         const char *what, const struct vault_error *err);

#define SERVICE_WAIT_MAX_S 60                 /* a call may be held open for so long */
#define SERVICE_PLACE_MAX  ((int64_t)1 << 53) /* in a feed: all that a JSON number holds exactly */

/* A query parameter that is a whole number from 0 to most; absent leaves *out as it is. A problem,
 * and false, for anything else. */
bool service_query_number(const struct route_call *call, struct http_answer *answer,
                          const char *name, int64_t most, int64_t *out);

/* service_repeat.c: the request's Idempotency-Key, in *key; *out is NULL if it has none. A problem,
 * and false, for one that cannot be. */
bool service_repeat_key(const struct route_call *call, const struct body *body,
                        struct repeat_key *key, const struct repeat_key **out);

bool service_has_repeat_key(const struct route_call *call);

/* A problem, and true, for a request that has one where there can be none. */
bool service_refuse_repeat_key(const struct route_call *call, struct http_answer *answer);

/* service_release.c: POST /v1/releases, POST /v1/releases/batch */
void service_post_release(const struct route_call *call, struct http_answer *answer);
enum http_progress service_start_release(const struct route_call *call, struct http_answer *answer,
                                         struct http_rest *rest);
void service_post_batch(const struct route_call *call, struct http_answer *answer);

/* service_request.c: POST /v1/access-requests, GET and DELETE /v1/access-requests/{id} */
void service_post_access_request(const struct route_call *call, struct http_answer *answer);
void service_get_access_request(const struct route_call *call, struct http_answer *answer);
void service_delete_access_request(const struct route_call *call, struct http_answer *answer);

/* service_me.c: GET /v1/me */
void service_get_me(const struct route_call *call, struct http_answer *answer);

/* service_renewal.c: POST /v1/me/certificate */
void service_post_certificate(const struct route_call *call, struct http_answer *answer);

/* service_feed.c: GET /v1/consents */
void service_get_consents(const struct route_call *call, struct http_answer *answer);

/* service_openapi.c: GET /v1/openapi.json */
void service_openapi_write(struct buf *out);
void service_get_openapi(const struct route_call *call, struct http_answer *answer);

/* service_deposit.c: PUT /v1/subjects/{subject}/fields */
void service_put_fields(const struct route_call *call, struct http_answer *answer);

/* service_evaluation.c: POST /access/v1/evaluation, POST /access/v1/evaluations,
 * GET /.well-known/authzen-configuration */
void service_post_evaluation(const struct route_call *call, struct http_answer *answer);
void service_post_evaluations(const struct route_call *call, struct http_answer *answer);
void service_get_authzen(const struct route_call *call, struct http_answer *answer);
