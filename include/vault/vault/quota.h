/*
 * quota - how many requests a minute a service may make, over all its connections.
 *
 * The number is in its registration ("quota"), else SERVICE_QUOTA_DEFAULT. A minute's worth may
 * come at once. Counted in memory: a restart begins anew.
 */
#pragma once

#include "vault/vault/service.h"

/* One request. False if it is too much; then *wait_s, at least 1, is when to come again. */
bool quota_take(struct vault *vault, const struct service *service, int64_t *wait_s);

/* A request that was taken turned out not to be made now. */
void quota_return(struct vault *vault, const struct service *service);

/* A request turned out to be worth so many more: let through whole, and waited for afterwards. */
void quota_owe(struct vault *vault, const struct service *service, int64_t amount);
