/*
 * pages_decided - what a citizen has decided, for home, a service's page and a withdrawal's.
 *
 * Into the page's data go live and over, the consents that are in force or can be again and the
 * others, each with its fields, its dates and what comes of it now; requests, what waits for an
 * answer; and unasked (pages_unasked.h).
 */
#pragma once

#include "pages_visit.h"
#include "vault/policy/policy.h"

/* What is looked for among the citizen's decisions, and where it is put. */
struct decided {
    struct visit *visit;
    const struct policy *policy; /* while decided_put() runs */
    const char *service;         /* NULL: of every service */
    const char *purpose;         /* NULL: for every purpose */
    json_t *groups;              /* live ones by service; NULL: all in live */
    json_t *live;
    json_t *over;
};

/* VAULT_CORRUPT: what is decided cannot be read. */
enum vault_code decided_put(struct decided *decided, struct vault_error *err) VAULT_MUST_CHECK;

/* How many are over, and whether there are any. */
void decided_put_over_count(struct visit *visit);

/* A service's name and address, beside its id in the object, also of one that was removed. One that
 * was never there keeps its id for a name. */
void decided_put_service(struct visit *visit, json_t *object);

/* Answer what went wrong. What is decided cannot be read: it can still be stopped, all of it. */
void decided_failed(struct visit *visit, enum vault_code code, const struct vault_error *err);
