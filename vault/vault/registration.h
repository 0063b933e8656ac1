/*
 * registration - a service's registration as JSON, read into what the vault knows of a service
 * (service.h has the form), and what is kept of it when it is removed:
 *
 *     {"id":"plie-rennes","name":"Legal name","contact":"dpo@…","removed":1804500000}
 *
 * For the modules of this floor alone.
 */
#pragma once

#include "vault/vault/service.h"

/* Fill the service, but its state and key. VAULT_INVALID says where. */
enum vault_code registration_read(struct bytes text, struct service *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The same for what is left of one that was removed. One that an older program removed has its
 * whole registration there, and no time: it was removed before anything that is decided now. */
enum vault_code registration_read_remembered(struct bytes text, struct service *out,
                                             struct vault_error *err) VAULT_MUST_CHECK;

/* What citizens are still told of it, and when it went. */
void registration_write_remembered(const struct service *service, int64_t now_s, struct buf *out);

void registration_finish(struct service *service);
