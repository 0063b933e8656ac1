/*
 * statement - how much the log has about one citizen, signed, for them to keep.
 *
 * A citizen's entries are numbered from 1 and name the one before, so that one missing from the
 * middle shows. That the newest is not missing shows against a statement which was kept: a C2SP
 * signed note by a key of its own, "ORIGIN/statement", whose text is
 *
 *     ORIGIN/statement
 *     BASE64          commitment (opening.h) to what the log calls the citizen
 *     N               how many entries concern them, this statement's own included
 *     SIZE            of the log
 *     BASE64          its root at that size
 *
 * It is handed out as JSON, with what proves whose it is and the key it is signed with:
 *
 *     {"statement":NOTE,"key":VKEY,"subject":{"salt":BASE64,"value":NAME}}
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/store/citizen.h"
#include "vault/vault/vault.h"

#define STATEMENT_BYTES_MAX 4096

/* Append it. That it was taken is an entry of the citizen's, durable on return. */
enum vault_code statement_write(struct vault *vault, const struct citizen_id *citizen,
                                struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;
