/*
 * admin_parts - what the operator's commands share; one file for each family, and the table of all
 * in admin_commands.c.
 */
#pragma once

#include "vault/edge/admin.h"

/* One request while it is answered. */
struct command_call {
    const struct admin_context *context;
    struct vault *vault; /* open; NULL for the commands that do without */
    const json_t *request;
    int *given;         /* the descriptor that came with it; -1: none. Whoever takes it puts -1 */
    struct buf *result; /* JSON; empty stands for {} */
    struct vault_error *err;
};

/* The n-th command's name, from 0; NULL behind the last: for who wants to try each. */
const char *admin_command_name(size_t n);

/* A member of the request, which must be a text that is not empty. */
enum vault_code admin_text_of(const struct command_call *call, const char *member, const char **out)
    VAULT_MUST_CHECK;

typedef enum vault_code admin_run(const struct command_call *call);

/* admin_metrics.c */
admin_run admin_run_metrics; /* while sealed, too */

/* admin_keys.c */
admin_run admin_run_key_rotate;
admin_run admin_run_key_rewrap;
admin_run admin_run_key_needs; /* while sealed, too */
admin_run admin_run_citizen_rekey;
admin_run admin_run_seal;
admin_run admin_run_unseal;

/* admin_inspect.c */
admin_run admin_run_service_show;
admin_run admin_run_citizen_show;
admin_run admin_run_citizen_list;
admin_run admin_run_auditor_remove;

/* admin_policy.c */
admin_run admin_run_policy_activate;

/* admin_doctor.c */
admin_run admin_run_doctor;
admin_run admin_run_doctor_citizens;
admin_run admin_run_doctor_end;

/* admin_rights.c */
admin_run admin_run_correction_list;
admin_run admin_run_correction_close;
admin_run admin_run_report_list;
admin_run admin_run_report_show;
admin_run admin_run_report_close;

/* admin_mediator.c */
admin_run admin_run_structure_add;
admin_run admin_run_structure_remove;
admin_run admin_run_mediator_add;
admin_run admin_run_mediator_reset;
admin_run admin_run_mediator_remove;
admin_run admin_run_mediator_list;

/* admin_guardian.c */
admin_run admin_run_guardian_add;
admin_run admin_run_guardian_remove;
admin_run admin_run_guardian_list;
