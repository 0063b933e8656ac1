/*
 * access_request - a service asks for a citizen's consent, without knowing yet whose.
 *
 * The service gets a code and a link to show. Whoever signs in and opens it is the citizen who is
 * asked; from then on the request is theirs. Only a granted answer tells the service who: by the
 * subject. States: request.h on the store floor.
 */
#pragma once

#include "vault/base/json.h"
#include "vault/store/request.h"
#include "vault/vault/consent.h"
#include "vault/vault/repeat.h"
#include "vault/vault/service.h"

#define ACCESS_REQUEST_CODE_CHARS      9 /* XXXX-XXXX, without a final NUL */
#define ACCESS_REQUEST_MESSAGE_CHARS   1000
#define ACCESS_REQUEST_REFERENCE_CHARS 64
#define ACCESS_REQUEST_DAYS            14 /* to answer */
#define ACCESS_REQUEST_LANGUAGES       2
#define ACCESS_REQUEST_TRIES_EACH      10  /* wrong codes a minute: of one citizen */
#define ACCESS_REQUEST_TRIES_ALL       300 /* and of all together */

/* What is asked. Texts are borrowed. */
struct access_ask {
    struct bytes purpose;
    struct consent_field fields[CONSENT_FIELDS_MAX];
    size_t field_count;
    int64_t days;            /* 0: as long as the policy allows */
    int64_t uses;            /* CONSENT_UNLIMITED or 1 and more */
    struct bytes message_fr; /* may be empty */
    struct bytes message_en;
    struct bytes reference;
};

struct access_receipt {
    char id[REQUEST_ID_CHARS + 1];
    char code[ACCESS_REQUEST_CODE_CHARS + 1];
    int64_t expires_s;
};

enum access_fault {
    ACCESS_NO_FAULT,
    ACCESS_UNKNOWN_PURPOSE,
    ACCESS_UNKNOWN_FIELD,
    ACCESS_NEVER_RELEASED, /* the policy would not release a field to this service on consent */
    ACCESS_BAD_PERIOD,
};

/* VAULT_INVALID with *fault; VAULT_DENIED if the purpose is not in the registration;
 * VAULT_LIMITED if the service has too many pending. */
enum vault_code access_request_open(struct vault *vault, const struct service *service,
                                    const struct access_ask *ask, struct access_receipt *out,
                                    enum access_fault *fault, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The same, once for a key (repeat.h): the same key and request have the same receipt.
 * VAULT_CONFLICT if the key was used for another request. */
enum vault_code access_request_open_once(struct vault *vault, const struct service *service,
                                         const struct access_ask *ask, const struct repeat_key *key,
                                         struct access_receipt *out, enum access_fault *fault,
                                         struct vault_error *err) VAULT_MUST_CHECK;

/* Append the service's view of its own request as JSON; while it is pending, wait_ms at the most
 * for that to change. VAULT_NOT_FOUND; VAULT_LIMITED if too many calls wait. */
enum vault_code access_request_state(struct vault *vault, const struct service *service,
                                     const char *id, int64_t wait_ms, struct buf *out,
                                     struct vault_error *err) VAULT_MUST_CHECK;

/* The service takes its own pending request back; twice is fine. VAULT_NOT_FOUND; VAULT_CONFLICT if
 * it was answered or ran out. */
enum vault_code access_request_cancel(struct vault *vault, const struct service *service,
                                      const char *id, struct vault_error *err) VAULT_MUST_CHECK;

/* A request as a citizen sees it. */
struct access_view {
    struct request request;
    struct buf json;    /* owned */
    struct json_t *ask; /* owned: {"purpose","fields","days","uses","message","reference"} */
};

void access_view_finish(struct access_view *view);

/*
 * A signed-in citizen opens a request by its code, which claims it, or by its id when it is theirs.
 * Small letters, missing hyphens and spaces in a code are understood. The first opening is an event
 * in their log. VAULT_NOT_FOUND if there is no such pending request, or it is somebody else's;
 * VAULT_LIMITED after too many wrong codes.
 */
enum vault_code access_request_by_code(struct vault *vault, const struct citizen_id *citizen,
                                       struct bytes code, struct access_view *out,
                                       struct vault_error *err) VAULT_MUST_CHECK;

/* The same by somebody who acts for the citizen; VAULT_NOT_FOUND too if they may not answer it. */
enum vault_code access_request_open_by(struct vault *vault, const struct citizen_id *citizen,
                                       const struct actor *actor, struct bytes code,
                                       struct access_view *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* One of theirs by its id. VAULT_NOT_FOUND likewise. */
enum vault_code access_request_by_id(struct vault *vault, const struct citizen_id *citizen,
                                     const char *id, struct access_view *out,
                                     struct vault_error *err) VAULT_MUST_CHECK;

/* The citizen's pending ones. The view is the callee's only for the call. */
typedef enum vault_code access_request_each(void *context, const struct access_view *view,
                                            struct vault_error *err);
enum vault_code access_request_list(struct vault *vault, const struct citizen_id *citizen,
                                    access_request_each *each, void *context,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/*
 * The citizen's answer. To give, decision says which fields and how long; it must not go beyond
 * what was asked (VAULT_INVALID). VAULT_CONFLICT if it was answered or ran out meanwhile. Where two
 * must agree (guardian.h), it stays pending after the first, and the service is told nothing.
 */
enum vault_code access_request_give(struct vault *vault, const struct citizen_id *citizen,
                                    const char *id, const struct consent_decision *decision,
                                    struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code access_request_refuse(struct vault *vault, const struct citizen_id *citizen,
                                      const char *id, const struct consent_decision *decision,
                                      struct vault_error *err) VAULT_MUST_CHECK;
