#include "vault/vault/quota.h"

#include "pace.h"
#include "parts.h"
#include "vault/base/clock.h"

bool quota_take(struct vault *vault, const struct service *service, int64_t *wait_s)
{
    int64_t wait_ms = 0;
    if (pace_take(vault->quotas, bytes_of_text(service->id), service->quota, 1,
                  clock_monotonic_ms(), &wait_ms))
        return true;
    *wait_s = (wait_ms + 999) / 1000;
    return false;
}

void quota_return(struct vault *vault, const struct service *service)
{
    pace_return(vault->quotas, bytes_of_text(service->id), 1);
}

void quota_owe(struct vault *vault, const struct service *service, int64_t amount)
{
    pace_owe(vault->quotas, bytes_of_text(service->id), service->quota, amount,
             clock_monotonic_ms());
}
