/*
 * access_parts - what the two sides of an access request share: access_request.c opens it and lets
 * the citizen answer, access_state.c tells the service.
 */
#pragma once

#include "person.h"
#include "vault/vault/access_request.h"

/* The consent that answered the request, if there is one. */
const struct consent *access_answer_of(struct person *person, const struct request *request);

/* Mark the request as answered by the record of that number. */
enum vault_code access_mark_answered(struct vault *vault, const struct request *request,
                                     enum consent_state state, int64_t seq, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Make the mark that a crash kept from being made; the request is then read again. */
enum vault_code access_settle(struct vault *vault, struct request *request, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Something became of it: wake who waits for that. */
void access_ring(struct vault *vault, const char *id);
