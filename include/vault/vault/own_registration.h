/*
 * own_registration - what a service may know of itself: its registration, and per purpose which
 * fields the active policy could ever release to it.
 */
#pragma once

#include "vault/vault/service.h"

/*
 * Append it as JSON:
 *
 *     {"id","state","classes":[…],"purposes":{PURPOSE:{"fields":{FIELD:{"form","basis"}}}}}
 *
 * form is the most revealing one in which the field could come, and basis one on which it could
 * come so. No purpose has a field while no policy is active.
 */
enum vault_code own_registration_write(struct vault *vault, const struct service *service,
                                       struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;
