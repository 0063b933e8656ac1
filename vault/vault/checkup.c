#include "vault/vault/checkup.h"

#include <stdarg.h>
#include <stdio.h>

#include "endings.h"
#include "indexer.h"
#include "parts.h"
#include "vault/base/codec.h"
#include "vault/ledger/verify.h"
#include "vault/policy/policy.h"
#include "vault/store/openings.h"

#define BEHIND_MS        10000 /* longer than this nothing waits to be published or filed */
#define EXPIRES_SOON_S   (30 * (int64_t)86400)
#define CLOCK_BEHIND_MAX 1000 /* ms */

const char *checkup_severity_name(enum checkup_severity severity)
{
    static const char *const names[CHECKUP_SEVERITY_COUNT] = {"notice", "warning", "error"};
    return names[severity];
}

void checkup_tell(const struct checkup *checkup, enum checkup_severity severity, const char *format,
                  ...)
{
    char text[CHECKUP_TEXT_CHARS + 1];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    checkup->each(checkup->context, checkup->check, severity, text);
}

static void tell_error(void *context, const char *text)
{
    checkup_tell(context, CHECKUP_ERROR, "%s", text);
}

/* --- The checks ----------------------------------------------------------------------------- */

static enum vault_code check_store(struct vault *vault, const struct checkup *checkup,
                                   struct vault_error *err)
{
    struct checkup to = *checkup;
    return store_check_shared(vault->store, tell_error, &to, err);
}

/* Of a log that is not served by this process: every hash, and that it ends where the vault
 * remembers. Of one that is, the ledger itself answers, and whoever asked verifies the files. */
static enum vault_code check_resting_log(struct vault *vault, const struct checkup *checkup,
                                         struct vault_error *err)
{
    struct verify_known known = {.name = "what the vault remembers"};
    struct verify_report report;
    VAULT_TRY(indexer_remembered(vault, &known.head, err));
    const struct verify_options options = {
        .dir = vault->log_dir,
        .key = &vault->log_keys.signer.key,
        .former = vault->log_keys.former,
        .former_count = vault->log_keys.former_count,
        .known = &known,
        .known_count = known.head.size ? 1 : 0,
        .max_age_s = VERIFY_MAX_AGE_DEFAULT_S,
        .now_s = clock_now_s(&vault->options.clock),
    };
    VAULT_TRY(verify_run(&options, &report, err));
    bool failed = false;
    for (enum verify_check check = VERIFY_FORMAT; check < VERIFY_CHECK_COUNT; check++) {
        if (report.verdicts[check].state != VERIFY_FAIL)
            continue;
        failed = true;
        checkup_tell(checkup, CHECKUP_ERROR, "the access log: %s: %s; restore it from a backup",
                     verify_check_name(check), report.verdicts[check].detail);
    }
    if (!failed && report.has_checkpoint && report.head.size != known.head.size)
        checkup_tell(checkup, CHECKUP_ERROR,
                     "the access log has %llu published entries and the vault remembers %llu: one "
                     "of the two is older; restore both from one backup",
                     (unsigned long long)report.head.size, (unsigned long long)known.head.size);
    if (report.last_time_ms > clock_now_ms(&vault->options.clock) + CLOCK_BEHIND_MAX)
        checkup_tell(checkup, CHECKUP_ERROR,
                     "the clock is behind the access log's last entry: set it right before vaultd "
                     "is started");
    return VAULT_OK;
}

static enum vault_code check_log(struct vault *vault, const struct checkup *checkup,
                                 struct vault_error *err)
{
    struct vault_error why;
    if (!vault->ledger)
        return check_resting_log(vault, checkup, err);
    if (ledger_health(vault->ledger, &why))
        checkup_tell(checkup, CHECKUP_ERROR, "the access log takes no entries: %s", why.text);
    else if (ledger_wait_published(vault->ledger, ledger_head(vault->ledger).size, BEHIND_MS, &why))
        checkup_tell(checkup, CHECKUP_ERROR,
                     "entries of the access log wait for over %d s to be published: %s",
                     BEHIND_MS / 1000, why.text);
    if (vault_anchored(vault, &why))
        checkup_tell(checkup, CHECKUP_ERROR, "nothing is released: %s", why.text);
    return VAULT_OK;
}

static enum vault_code check_index(struct vault *vault, const struct checkup *checkup,
                                   struct vault_error *err)
{
    struct ledger_head head = {.size = 0};
    uint64_t filed = 0;
    if (vault->ledger) {
        struct vault_error why;
        head = ledger_head(vault->ledger);
        if (indexer_wait(vault->indexer, head.size, BEHIND_MS, &why))
            checkup_tell(checkup, CHECKUP_ERROR, "%s: citizens do not see their newest entries",
                         why.text);
        return VAULT_OK;
    }
    VAULT_TRY(indexer_remembered(vault, &head, err));
    VAULT_TRY(openings_position(vault->store, &filed, err));
    if (filed != head.size)
        checkup_tell(
            checkup, CHECKUP_ERROR,
            "the index of openings has come to entry %llu of %llu: restore openings.db and "
            "control.db from one backup",
            (unsigned long long)filed, (unsigned long long)head.size);
    return VAULT_OK;
}

static enum vault_code check_policy(struct vault *vault, const struct checkup *checkup,
                                    struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    struct vault_error why;
    struct policy *policy = NULL;
    const enum vault_code code = active_policy_look(vault, &policy, &why);
    if (code == VAULT_NO_MEMORY)
        return vault_fail(err, code, "%s", why.text);
    if (code == VAULT_NOT_FOUND)
        checkup_tell(checkup, CHECKUP_WARNING,
                     "no policy is active, and nothing is released: vaultctl policy activate");
    else if (code)
        checkup_tell(checkup, CHECKUP_ERROR,
                     "the active policy does not load, and nothing is released after the next "
                     "start: %s; activate a newer one",
                     why.text);
    else if (!policy_is_available(policy, now_s))
        checkup_tell(checkup, CHECKUP_ERROR,
                     "the active policy is not in force now, and nothing is released: activate a "
                     "newer one");
    else if (!policy_is_available(policy, now_s + EXPIRES_SOON_S))
        checkup_tell(checkup, CHECKUP_WARNING,
                     "the active policy expires within 30 days, and then nothing is released: "
                     "activate a newer one");
    policy_free(&policy);
    return VAULT_OK;
}

/* Nobody else reminds an auditor, and a service whose renewal fails may not notice in time. */
static enum vault_code check_clients(struct vault *vault, const struct checkup *checkup,
                                     struct vault_error *err)
{
    struct ending found[ENDINGS_MAX];
    size_t count = 0;
    VAULT_TRY(endings_find(vault, found, &count, err));
    for (size_t i = 0; i < count; i++) {
        const bool is_service = found[i].kind == CONTROL_CERTIFICATE_SERVICE;
        const bool is_over = found[i].expires_s <= clock_now_s(&vault->options.clock);
        char when[INSTANT_CHARS + 1];
        instant_format(when, found[i].expires_s);
        checkup_tell(checkup, CHECKUP_WARNING, "the last certificate of the %s %s %s on %s: %s",
                     is_service ? "service" : "auditor", found[i].owner, is_over ? "ended" : "ends",
                     when,
                     is_service ? "it renews it, or sends a request for vaultctl service cert-add"
                                : "they send a request for vaultctl auditor add");
    }
    return VAULT_OK;
}

/* In the order in which they are worth reading. */
static const struct {
    const char *name;
    enum vault_code (*run)(struct vault *vault, const struct checkup *checkup,
                           struct vault_error *err);
} checks[] = {
    {"store", check_store},   {"log", check_log},         {"index", check_index},
    {"policy", check_policy}, {"clients", check_clients},
};

enum vault_code checkup_run(struct vault *vault, const struct checkup *checkup,
                            struct vault_error *err)
{
    struct checkup one = *checkup;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        struct vault_error why;
        one.check = checks[i].name;
        const enum vault_code code = checks[i].run(vault, &one, &why);
        if (code == VAULT_NO_MEMORY)
            return vault_fail(err, code, "%s", why.text);
        if (code)
            checkup_tell(&one, CHECKUP_ERROR, "this could not be checked: %s", why.text);
    }
    return VAULT_OK;
}

enum vault_code checkup_citizens(struct vault *vault, unsigned shard, bool pages,
                                 const struct checkup *checkup, struct store_checked *out,
                                 struct vault_error *err)
{
    struct checkup to = *checkup;
    to.check = "citizens";
    return store_check_citizens(vault->store, shard, pages, tell_error, &to, out, err);
}

void checkup_citizens_end(struct vault *vault, const struct checkup *checkup,
                          const struct store_checked *all)
{
    struct checkup keys = *checkup;
    struct checkup citizens = *checkup;
    keys.check = "keys";
    citizens.check = "citizens";
    if (all->former_keys)
        checkup_tell(&keys, CHECKUP_WARNING,
                     "%llu citizens' keys are still wrapped by a former root key: vaultctl key "
                     "rewrap",
                     (unsigned long long)all->former_keys);
    else if (keyring_root_count(vault->keyring) > 1)
        checkup_tell(&keys, CHECKUP_WARNING,
                     "a former root key is kept though nothing is wrapped by it any more: vaultctl "
                     "key rewrap lets it go");
    if (all->unchecked)
        checkup_tell(&citizens, CHECKUP_NOTICE,
                     "%llu citizens' files wait for a change to be finished, as they do when they "
                     "are next opened, and were not looked into",
                     (unsigned long long)all->unchecked);
}
