/*
 * ctl - vaultctl's commands, one file for each group, and what they share.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/base/json.h"

#define CTL_PROGRAM "vaultctl"

/* How a command reaches the daemon, and how it prints. */
struct ctl {
    const char *socket; /* NULL: from the configuration */
    const char *config; /* NULL: none given */
    bool json;
};

/* A command: the arguments behind GROUP VERB, argv[0] being the verb. Returns the exit code. */
typedef int ctl_run(const struct ctl *ctl, int argc, char **argv);

ctl_run ctl_init;
ctl_run ctl_status;
ctl_run ctl_metrics;
ctl_run ctl_backup;
ctl_run ctl_verify_backup;
ctl_run ctl_restore;
ctl_run ctl_service_add;
ctl_run ctl_service_update;
ctl_run ctl_service_cert_add;
ctl_run ctl_service_cert_revoke;
ctl_run ctl_service_suspend;
ctl_run ctl_service_resume;
ctl_run ctl_service_remove;
ctl_run ctl_service_list;
ctl_run ctl_service_show;
ctl_run ctl_service_subjects;
ctl_run ctl_auditor_add;
ctl_run ctl_auditor_remove;
ctl_run ctl_citizen_import;
ctl_run ctl_citizen_add;
ctl_run ctl_citizen_list;
ctl_run ctl_citizen_show;
ctl_run ctl_citizen_export;
ctl_run ctl_citizen_schema;
ctl_run ctl_citizen_erase;
ctl_run ctl_citizen_sign_out;
ctl_run ctl_citizen_activation_code;
ctl_run ctl_citizen_rekey;
ctl_run ctl_citizen_guardian;
ctl_run ctl_correction_list;
ctl_run ctl_correction_close;
ctl_run ctl_report_list;
ctl_run ctl_report_show;
ctl_run ctl_report_close;
ctl_run ctl_key_rotate;
ctl_run ctl_key_rewrap;
ctl_run ctl_key_recover;
ctl_run ctl_key_provider;
ctl_run ctl_doctor;
ctl_run ctl_reload;
ctl_run ctl_seal;
ctl_run ctl_unseal;
ctl_run ctl_log_new_key;
ctl_run ctl_log_prune;
ctl_run ctl_log_status;
ctl_run ctl_log_witness;
ctl_run ctl_structure_add;
ctl_run ctl_structure_remove;
ctl_run ctl_mediator_add;
ctl_run ctl_mediator_reset;
ctl_run ctl_mediator_remove;
ctl_run ctl_mediator_list;
ctl_run ctl_policy_activate;
ctl_run ctl_policy_key;
ctl_run ctl_policy_sign;
ctl_run ctl_policy_verify;

/* Say that the arguments are wrong. Returns the exit code. */
int ctl_usage(const char *what);
int ctl_failed(enum vault_code code, const struct vault_error *err);

/* The city's references of citizens, one a line, from standard input: they are no arguments, since
 * every process can read those. A list of 1 to CTL_REFERENCES_MAX texts, the caller's to free. */
#define CTL_REFERENCES_MAX 10000
enum vault_code ctl_read_references(json_t **out, struct vault_error *err) VAULT_MUST_CHECK;

/* A list of objects as a table for people: a line each, columns two spaces apart and as wide as
 * their widest cell is on a terminal. Nothing in a cell is a command for that. */
struct ctl_column {
    const char *member;
    size_t most_chars; /* bytes of it that are shown; 0: all */
};
void ctl_print_table(const json_t *list, const struct ctl_column columns[], size_t column_count);

/* Connect to the daemon's socket. */
enum vault_code ctl_connect(const struct ctl *ctl, int *fd, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Ask the daemon one thing; *result is the answer's result, the caller's to free. An error that the
 * daemon answers comes back as its code and words. No text in either is a command for a terminal:
 * such letters are question marks. */
enum vault_code ctl_ask(int fd, const struct buf *request, json_t **result, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The same with a descriptor that goes along, and stays the caller's; -1: none. */
enum vault_code ctl_ask_with(int fd, const struct buf *request, int given, json_t **result,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* The failure that an answer names: its code (VAULT_CORRUPT if it is none), and its words, or the
 * other ones if a terminal would obey them. */
enum vault_code ctl_said(const json_t *answer, const char *otherwise, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The same, of a command and its texts; the last member's name is NULL. */
struct ctl_member {
    const char *name;
    const char *value;
};
enum vault_code ctl_ask_texts(int fd, const char *command, const struct ctl_member members[],
                              json_t **result, struct vault_error *err) VAULT_MUST_CHECK;
