/*
 * pages_event - one event of a citizen's history, in words.
 */
#pragma once

#include "pages_visit.h"
#include "vault/policy/policy.h"
#include "vault/vault/consent.h"
#include "vault/vault/history.h"

enum event_kind { EVENT_ALL, EVENT_ACCESS, EVENT_DECISION, EVENT_ACCOUNT, EVENT_KIND_COUNT };

enum event_kind event_kind_of(enum entry_event event);

/* Put an event at the end of a list: n, index, date, clock, instant, event_text with service and
 * service_name, purpose_title, by_operator, fields (and fields_shown), on. policy may be NULL. */
void event_put(struct visit *visit, const struct policy *policy, json_t *list,
               const struct history_event *event);

/* Put the lines of an opening's "what", "FIELD FORM" or "FIELD FORM OUTCOME", as fields in words,
 * and fields_shown if there are any. */
void event_put_fields(struct visit *visit, const struct policy *policy, json_t *item,
                      struct bytes what);

/* A service's or purpose's id out of an event, empty if there is none; and of a service, if there
 * is one, its id and name into an object. */
void event_name(char out[CONSENT_NAME_CHARS + 1], struct bytes name);
void event_put_service(struct visit *visit, json_t *item, const char *id);
