/*
 * pages_alerts - what the vault noticed in a citizen's accesses, in words.
 */
#pragma once

#include "pages_visit.h"

/* Put alerts (and alerts_shown): alert_text, its numbers and dates, service and service_name. The
 * codes are alert_list()'s. */
enum vault_code alerts_put(struct visit *visit, struct vault_error *err) VAULT_MUST_CHECK;
