/*
 * admin_command - what the files of the operator's commands share.
 */
#pragma once

#include "vault/base/json.h"
#include "vault/edge/admin.h"
#include "vault/vault/vault.h"

/* One request while it is answered. */
struct command_call {
    const struct admin_context *context;
    struct vault *vault; /* open; NULL for the commands that do without */
    const json_t *request;
    struct buf *result; /* JSON; empty stands for {} */
    struct vault_error *err;
};

/* A text of the request that is not empty. VAULT_INVALID names the member. */
enum vault_code command_text(const struct command_call *call, const char *member, const char **out)
    VAULT_MUST_CHECK;

/* admin_mediator.c */
enum vault_code command_structure_add(const struct command_call *call);
enum vault_code command_structure_remove(const struct command_call *call);
enum vault_code command_mediator_add(const struct command_call *call);
enum vault_code command_mediator_remove(const struct command_call *call);
enum vault_code command_mediator_list(const struct command_call *call);
