/*
 * pages_terms - the terms of a mandate on a page: what can be chosen, and what was. The citizen's
 * page and the mediators' have the same form.
 */
#pragma once

#include "pages_visit.h"
#include "vault/vault/mandate.h"

/* Put the purposes and periods to choose from; what the form sent stays chosen. */
void terms_put(struct visit *visit);

/* Read what was chosen. False if something is missing: that is put as the form's error. */
bool terms_read(struct visit *visit, struct mandate_terms *out);

/* Say why a mandate was not given. False if it is not for the form to say. */
bool terms_refused(struct visit *visit, enum vault_code code);

/* One mandate in words, with its state. */
void terms_put_mandate(struct visit *visit, json_t *item, const struct mandate *mandate);
