/*
 * verify_openings - what an auditor was given of the openings, held against the entries.
 *
 * A file of lines {"index":N,"fields":{KEY:{"salt","value"}}}. Each must be what the entry
 * committed to. Of a citizen's entries, as far as they are opened, each must come later than the
 * one that counts before it, and name its leaf hash. On one basis no release may come after a
 * withdrawal.
 */
#pragma once

#include "vault/base/error.h"
#include "vault/ledger/verify.h"

#define VERIFY_OPENING_LINE_MAX_BYTES (32UL * 1024)
#define VERIFY_OPENINGS_MAX           (16UL * 1024 * 1024)

enum vault_code verify_openings(const struct verify_options *options, struct verify_report *report,
                                struct vault_error *err) VAULT_MUST_CHECK;
