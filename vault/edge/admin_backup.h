/*
 * admin_backup - the operator's backup: which files it takes besides, and how it is told.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/edge/config.h"
#include "vault/vault/vault.h"

/* Begin a backup with all files that the configuration names, but for the provider's own. *given is
 * the socket of whoever makes the files in the folder (place_channel.h), and is taken; -1: this
 * process does. Codes as backup_start(). */
enum vault_code admin_backup_start(struct vault *vault, const struct config *config,
                                   const char *folder, int *given, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Append {"state","step","citizens","citizens_done","files","bytes","log","code","error"}. */
void admin_backup_status(struct vault *vault, struct buf *out);
