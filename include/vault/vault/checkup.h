/*
 * checkup - whether a vault is whole: keys, store, log, policy; and nothing is changed.
 *
 * Of a vault that serves, or of one that rests: that is opened by vault_look(), which reads files
 * as they stand, takes no log's lock and starts no thread. Each check tells what it finds in words:
 * what is wrong, and what to do; never whose it is. An error is about the means alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/store/check.h"
#include "vault/vault/vault.h"

enum checkup_severity {
    CHECKUP_NOTICE,  /* worth knowing, and as it should be */
    CHECKUP_WARNING, /* will be wrong, or is less than it should be */
    CHECKUP_ERROR,
    CHECKUP_SEVERITY_COUNT
};

const char *checkup_severity_name(enum checkup_severity severity);

#define CHECKUP_TEXT_CHARS 400

/* Where findings go. */
struct checkup {
    void (*each)(void *context, const char *check, enum checkup_severity severity,
                 const char *text);
    void *context;
    const char *check; /* the one under way */
};

void checkup_tell(const struct checkup *checkup, enum checkup_severity severity, const char *format,
                  ...) VAULT_PRINTF(3, 4);

/*
 * Open what rests. The codes are vault_open()'s, and VAULT_CONFLICT if it was not closed as it
 * should be: then its files do not hold all of it, and the next start mends that. Close it by
 * vault_close(). Only the functions here take it.
 */
enum vault_code vault_look(const struct vault_options *options, struct vault **out,
                           struct vault_error *err) VAULT_MUST_CHECK;

/* All checks but the citizens', one after the other. */
enum vault_code checkup_run(struct vault *vault, const struct checkup *checkup,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* The citizens of one of STORE_CHECK_SHARDS shards; adds to *out. With pages their files' too. */
enum vault_code checkup_citizens(struct vault *vault, unsigned shard, bool pages,
                                 const struct checkup *checkup, struct store_checked *out,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* What is to be said when all shards have been looked at. */
void checkup_citizens_end(struct vault *vault, const struct checkup *checkup,
                          const struct store_checked *all);
