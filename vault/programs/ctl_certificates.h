/*
 * ctl_certificates - the certificates that a new vault begins with, where its configuration says.
 *
 * The listeners' are signed by a CA of their own, server-ca.pem beside the first of them, which is
 * what clients trust; services and auditors each get a CA that signs theirs. A pair of certificate
 * and key that is there already stays, since a city has its own; half a pair is an error.
 */
#pragma once

#include "vault/base/error.h"
#include "vault/edge/config.h"

/* Folders on the way are made, one deep. VAULT_IO names the file. */
enum vault_code ctl_make_certificates(const struct config *config, struct vault_error *err)
    VAULT_MUST_CHECK;
