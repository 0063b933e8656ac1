/*
 * report - the list of findings while it is made, and how it is shown.
 */
#pragma once

#include "model.h"
#include "vault/policy/check.h"

struct found {
    struct policy_finding finding;
    struct found *next;
};

struct policy_report {
    struct arena arena;
    const struct policy *policy; /* only while the report is made */
    struct found *list;
    size_t count;
    bool no_memory;
    struct policy_finding *findings; /* sorted, once the report is made */
    size_t errors;
    struct policy_cases cases;
    struct worst worst;
    const char *name;
    uint64_t version;
    const char *hash; /* hex */
    size_t rule_count;
    const char **rule_ids;   /* for each rule number */
    const char *worst_actor; /* NULL if no rule covers anything */
    bool worst_is_service;
    const char *worst_purpose;
    const char *worst_field;
};

/* Add a finding about these rules; the text is printf's. */
void report_add(struct policy_report *report, bool is_error, const char *kind,
                const uint16_t rules[], size_t count, const char *format, ...) VAULT_PRINTF(6, 7);

/* Sort what was found, and take along what the report shows of the policy. */
enum vault_code report_settle(struct policy_report *report, struct vault_error *err)
    VAULT_MUST_CHECK;
