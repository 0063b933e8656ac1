/*
 * exchange - one request of the client and its answer, tried again where that is safe.
 *
 * The calls of vault_client(3) build a body, exchange it, and read the answer's JSON. Here are the
 * connection, the kinds of failure and the pieces that reading shares.
 */
#pragma once

#include <curl/curl.h>
#include <jansson.h>

#include "vault/client.h"

#define EXCHANGE_ANSWER_MAX (1024U * 1024U)

struct vault_client {
    CURL *curl;
    char *address; /* without a slash at its end */
    unsigned timeout_s;
    unsigned tries;
};

/* What a second try does: nothing more than the first, because the call only looks (ANYHOW) or
 * because the vault knows it again by its Idempotency-Key (BY_KEY); or perhaps more (NEVER). */
enum exchange_repeat { EXCHANGE_NEVER, EXCHANGE_ANYHOW, EXCHANGE_BY_KEY };

struct exchange {
    const char *method;
    char path[256]; /* "/v1/me", with its query */
    json_t *body;   /* or NULL; the exchange's own from here on */
    enum exchange_repeat repeat;
    unsigned wait_s; /* so much longer than the time-out */
};

/* Send it and take the answer's JSON, which is the caller's to wipe and to give back; NULL where
 * the vault answers without a body. A body of NULL where one is meant is NO_MEMORY: `has_body`. */
enum vault_client_code exchange_json(struct vault_client *client, struct exchange *exchange,
                                     bool has_body, json_t **out, struct vault_client_error *err);

/* Overwrite the texts in it, then give it back. */
void exchange_wipe(json_t **answer);

/* Fill err; returns the code. */
enum vault_client_code exchange_fail(struct vault_client_error *err, enum vault_client_code code,
                                     const char *text);

/* FAILED, in the words for an answer that is not as the vault's description has it. */
enum vault_client_code exchange_not_understood(struct vault_client_error *err);

/* Copy a member that is a text; false if it is none or does not fit. */
bool exchange_text(const json_t *object, const char *name, char *out, size_t size);

/* A part of a path that came from outside: 1 to 63 of [A-Za-z0-9]. */
bool exchange_is_id(const char *id);

/* {name: form} of the fields; NULL for none, too many, or no memory. */
json_t *exchange_fields(const struct vault_client_field *fields, size_t count);

/* One block for all that a call returns, overwritten when it is given back. */
struct block {
    char *data;
    size_t size;
    size_t used;
};

bool block_make(struct block *block, size_t size);

/* Aligned room in it, or NULL when it is full. */
void *block_take(struct block *block, size_t size);

/* A copy of the text, or of the value's JSON; NULL for NULL and when the block is full. */
const char *block_text(struct block *block, const char *text);
const char *block_json(struct block *block, const json_t *value);

void block_free(char *data, size_t size);
