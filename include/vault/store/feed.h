/*
 * feed - for each service, the changes of consents that concern it, in the log's order.
 *
 * It is filed from the access log together with the openings (openings.h): in the same transaction,
 * so that it neither misses a change nor has one twice, whatever crash comes. A row's n is its
 * entry's index in the log plus one: a service that has read up to n goes on from there. What a
 * change was about in detail is in the citizen's file, under the citizen's own count.
 *
 * When a citizen goes, their rows go, and each service that had any gets one that says so, with
 * nothing in it but what that service called them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/store/citizen.h"
#include "vault/store/control_service.h"

#define FEED_PURPOSE_CHARS 64
#define FEED_LIST_MAX      1000

enum feed_change { /* stored: never renumber */
                   FEED_NOTHING = 0,
                   FEED_CONSENT = 1, /* given or narrowed */
                   FEED_WITHDRAW = 2,
                   FEED_SUSPEND = 3,
                   FEED_RESUME = 4,
                   FEED_REFUSE =
                       5, /* filed only for a service that the citizen consented to once */
                   FEED_ERASE = 6,
};

struct feed_row {
    char service[CONTROL_SERVICE_ID_CHARS + 1];
    char purpose[FEED_PURPOSE_CHARS + 1]; /* empty: FEED_ERASE */
    enum feed_change change;
    uint64_t n;
    struct citizen_id citizen; /* FEED_ERASE: the bytes of the subject instead */
    uint64_t citizen_n;        /* the citizen's own count; 0: FEED_ERASE */
    int64_t time_ms;
};

typedef enum vault_code feed_each(void *context, const struct feed_row *row,
                                  struct vault_error *err);

/* A service's rows with after < n < before, in order, at most limit (1 to FEED_LIST_MAX). */
enum vault_code feed_list(struct store *store, const char *service, uint64_t after, uint64_t before,
                          size_t limit, feed_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The services that have rows of the citizen: each is called with a row of which service alone is
 * set. */
enum vault_code feed_services(struct store *store, const struct citizen_id *citizen,
                              feed_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Put the rows, FEED_ERASE each, in the place of all that the citizen has; durable on return. */
enum vault_code feed_erase(struct store *store, const struct citizen_id *citizen,
                           const struct feed_row rows[], size_t count, struct vault_error *err)
    VAULT_MUST_CHECK;
