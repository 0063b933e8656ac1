/*
 * access_parts - what the modules of access requests share: access_request.c opens one and lets the
 * citizen answer, access_state.c tells the service, access_code.c knows the codes.
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

/* A fresh code; and what is kept of one that somebody typed, false if it cannot be one. */
void access_code_draw(char out[ACCESS_REQUEST_CODE_CHARS + 1]);
bool access_code_hash(const struct vault *vault, struct bytes typed, uint8_t out[SHA256_BYTES]);

/* A citizen tries a code: VAULT_LIMITED after too many wrong ones. One that was right is forgiven.
 */
enum vault_code access_code_try(struct vault *vault, const struct citizen_id *citizen,
                                struct vault_error *err) VAULT_MUST_CHECK;
void access_code_forgive(struct vault *vault, const struct citizen_id *citizen);
