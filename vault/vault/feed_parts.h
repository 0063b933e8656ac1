/*
 * feed_parts - what the feed of changes needs from who files and who erases; for the modules of
 * this floor alone.
 */
#pragma once

#include "vault/ledger/ledger.h"
#include "vault/store/citizen.h"
#include "vault/vault/vault.h"

/* A change was filed for the service: wake who waits for that. */
void feed_ring(struct vault *vault, const char *service);

/* The citizen is gone, by an entry at that place: each service that had them in its feed has one
 * row that says so, and nothing else. Durable on return. */
enum vault_code feed_tell_erased(struct vault *vault, const struct citizen_id *citizen,
                                 const struct ledger_ticket *place, struct vault_error *err)
    VAULT_MUST_CHECK;
