/*
 * pages_preview - beside each field of a list, what a service would see of it today. For pages of
 * the citizen's own session alone: a mediator sees values by mandate_values(), or none.
 */
#pragma once

#include "pages_visit.h"
#include "vault/vault/consent.h"

/* Put it into the lines of a list, one for each field and in their order. Where it cannot be found
 * out, the lines say so. */
void preview_put(struct visit *visit, json_t *lines, const char *service, const char *purpose,
                 const struct consent_field fields[], size_t count);
