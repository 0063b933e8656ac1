/*
 * consent_feed - what changed of the consents that a service has, in order, for the service.
 *
 *     {"changes":[{"n":12,"change":"given","subject":"…26…","purpose":"employment.support",
 *                  "fields":{"identity.birth_date":"year"},"at":"2027-03-02T10:00:00Z"}],"next":12}
 *
 * Changes: given, narrowed, withdrawn, suspended, resumed, erased. n grows with each; a service
 * asks again with the last answer's "next" and misses nothing, and what it asks for twice it gets
 * twice. fields are those of the consent as that change left it; for one that is withdrawn, those
 * it had. What is erased has no purpose (null) and no fields.
 *
 * A refusal is in the feed only where it ended a consent, as a withdrawal: a citizen who never gave
 * one is nobody to the service.
 */
#pragma once

#include "vault/vault/service.h"

#define CONSENT_FEED_MAX          100 /* changes in one answer */
#define CONSENT_FEED_ANSWER_BYTES (2UL * 1024 * 1024)

/* Append the service's changes with n > after to out, waiting for a first one for at most wait_ms.
 * VAULT_LIMITED if too many calls wait. */
enum vault_code consent_feed_read(struct vault *vault, const struct service *service,
                                  uint64_t after, int64_t wait_ms, struct buf *out,
                                  struct vault_error *err) VAULT_MUST_CHECK;
