/*
 * pages_passkey - what other pages need of the passkeys'.
 */
#pragma once

#include "pages_visit.h"

/* Put the citizen's passkeys into the page, as "passkeys", and as "username" the login, by which
 * managers of passwords know which one a form is about. */
enum vault_code passkeys_put(struct visit *visit, struct vault_error *err) VAULT_MUST_CHECK;
