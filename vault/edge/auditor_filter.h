/*
 * auditor_filter - what of the log an address asks for.
 *
 *     from, to           a date (2027-03-08: that whole day, UTC) or an instant; to is behind the
 *                        last instant, from is the first
 *     service, purpose   an id
 *     event              as the log names it
 *     outcome            released, withheld, decided, done (log_search.h)
 *     after, before      a place in the log: entries behind it, oldest first, or ahead of it,
 * newest first limit              at most so many
 *
 * A parameter that is empty is as one that is not there, since that is what an empty field of a
 * form sends. One that is there twice, or that nobody knows, is refused: a misspelt filter must not
 * pass for none.
 */
#pragma once

#include "vault/edge/http.h"
#include "vault/vault/log_search.h"

#define AUDITOR_FOUND_MAX 1000 /* entries in one answer */

struct auditor_filter {
    struct log_filter filter; /* borrows from the request */
    struct log_range range;
    bool is_placed; /* after or before was given */
};

/* What is wrong with an address; status 0: nothing. */
struct auditor_fault {
    unsigned status;  /* 400 for what is malformed, 422 for what is well-formed and means nothing */
    const char *name; /* the parameter; "" if it is one that nobody knows */
    const char *detail; /* for programs */
    const char *text;   /* for people: of the catalogue */
};

/* Read the query; usual is how many entries are found without a limit, most is the largest. Names
 * in also (NULL ends them) are left to others. */
struct auditor_fault auditor_filter_read(const struct http_request *request, size_t usual,
                                         size_t most, const char *const also[],
                                         struct auditor_filter *out);
