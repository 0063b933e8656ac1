/*
 * body - a JSON body, read member by member; for the API modules of this floor alone.
 *
 * Each reader answers a problem and returns false at the first thing that is wrong, with a pointer
 * that names only members of the contract. Unknown and repeated members are shown by their object
 * and the offset in bytes, never by what they are called.
 */
#pragma once

#include "vault/base/json.h"
#include "vault/edge/route.h"

#define BODY_DEPTH_MAX 8

struct body {
    json_t *root; /* owned */
    struct bytes text;
    const char *path;
    const char *at; /* where root stands in the text, as a pointer; NULL: it is all of it */
    struct http_answer *answer;
};

/* Parse the request's body; it must be an object with no member but these (NULL ends the list). */
bool body_read(const struct route_call *call, struct http_answer *answer,
               const char *const members[], struct body *out);
void body_finish(struct body *body);

/* Whether an object inside has no member but these; pointer is where it stands, from root on. */
bool body_members(struct body *body, const json_t *object, const char *pointer,
                  const char *const members[]);

/* Answer a problem at a pointer, from root on. Always false. */
bool body_wrong(struct body *body, unsigned status, const char *pointer, const char *detail);

/* A text of at most chars_max bytes. Missing is fine if it is optional: then data is NULL. */
bool body_text(struct body *body, const char *member, bool required, size_t chars_max,
               struct bytes *out);

/* A whole number from least to most; missing or null leaves *out as it is. */
bool body_number(struct body *body, const char *member, int64_t least, int64_t most, int64_t *out);
