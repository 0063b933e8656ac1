/*
 * verify_tree - the auditor's walk over the tiles: every entry, every hash, up to the root.
 */
#pragma once

#include "vault/base/error.h"
#include "vault/ledger/verify.h"

/*
 * Read the tiles of the log in dir, whose checkpoint the report has, and give the verdicts on
 * format, hashes, completeness, entries, times, pruning and erasures. Parts that are missing are
 * stepped over by means of the hashes above them, if there are any.
 */
enum vault_code verify_tree(const struct verify_options *options, struct verify_report *report,
                            struct vault_error *err) VAULT_MUST_CHECK;
