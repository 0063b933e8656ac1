/*
 * erase - a person asks to be forgotten (GDPR, Article 17).
 *
 * First the person's key is destroyed, which makes their file and their openings unreadable
 * wherever copies of them are; then the file goes, the openings, login, sessions and requests; then
 * the log is told how many openings went, under a commitment that nobody can open. The entries
 * stay, as commitments without meaning, and the tree stays as it was. From the moment the key is
 * gone there is no way back, and a crash does not stop it: the next start goes on.
 */
#pragma once

#include "vault/base/error.h"
#include "vault/store/citizen.h"
#include "vault/vault/vault.h"

/* Durable on return, the log's entry too.
 * VAULT_NOT_FOUND    there is no such citizen, or erased already
 * VAULT_UNAVAILABLE  others held the citizen for the whole wait, and nothing was done; or the log
 *                    does not take the entry, which is then made later */
enum vault_code erase_citizen(struct vault *vault, const struct citizen_id *citizen,
                              struct vault_error *err) VAULT_MUST_CHECK;
