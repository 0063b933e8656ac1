/*
 * keeper - what the vault does by itself, behind the requests' backs: requests expire; sessions,
 * ended requests, kept answers and codes go; openings go after their time; an erasure that the log
 * does not have is told. What is removed goes in pieces, so that nobody waits long for the store.
 *
 * One thread; a chore that fails is said once as trouble, and tried again when it is due.
 */
#pragma once

#include "vault/vault/vault.h"

struct keeper;

enum vault_code keeper_start(struct vault *vault, struct keeper **out, struct vault_error *err)
    VAULT_MUST_CHECK;
void keeper_stop(struct keeper **keeper);

/* Every chore, now. The first failure is returned, and the others are done all the same. */
enum vault_code keeper_run(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;
