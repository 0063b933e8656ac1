/*
 * pages_alerts - what the vault noticed in a citizen's accesses, in words.
 */
#pragma once

#include "pages_visit.h"
#include "vault/vault/alert.h"

/* Put alerts (and alerts_shown): alert_text, its numbers and dates, service and service_name. */
void alerts_put(const struct alert_watch *watch, struct visit *visit);

/* Put how many there are, in words (alerts_text), if there are any: for home. */
enum vault_code alerts_put_count(struct visit *visit, struct vault_error *err) VAULT_MUST_CHECK;
