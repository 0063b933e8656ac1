/*
 * confine - vaultd's own sandbox (base/sandbox.h): which files and ports it needs, by its
 * configuration and by nothing else.
 *
 *     read and write  the vault's folder with what lies below, where links in it lead, log.keep
 *     read            the folders of the certificates, keys, lists and policies that the
 *                     configuration names, so that a file that is put in another's place is read
 *                     again at a reload
 *     sockets         in the folder of admin.socket
 *     ports           bound: the listeners'. Connected to: those in the URLs of the witnesses,
 *                     the time stamps and the mail relay, as they stand at the start, and the one
 *                     of DNS
 *
 * Folders that an operator names later, of a backup and of a policy bundle, are not among them:
 * vaultctl opens what is in those, and hands it over (place_channel.h, admin_policy.c).
 *
 * The system's own files that name services and authorities of https need are readable only where
 * somebody is to be called.
 *
 * What opens the keyring is the keyholder's to read, which has a narrower one of its own.
 */
#pragma once

#include "vault/base/error.h"
#include "vault/base/sandbox.h"
#include "vault/edge/config.h"

/* Enter it, as config->sandbox says; *out is as it was with "off". Before any thread is started.
 * The codes of sandbox_enter(). */
enum vault_code confine_enter(const struct config *config, struct sandbox_state *out,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_DENIED where the key file or the PIN's file lies in what the worker may read, who could
 * open the keyring without the keyholder then. Where the sandbox is required, confine_enter()
 * refuses that; else it is the doctor's to say. */
enum vault_code confine_check_apart(const struct config *config, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The keyholder's (store/keyholder.h): the vault's folder, the key's and the credentials, and no
 * port. A PKCS #11 module opens what it likes: with one seccomp holds alone, and the list is the
 * worker's. */
enum vault_code confine_keyholder(const struct config *config, struct vault_error *err)
    VAULT_MUST_CHECK;

/* What holds, in words for an operator; text has CONFINE_TEXT_CHARS + 1. */
#define CONFINE_TEXT_CHARS 255
void confine_describe(const struct sandbox_state *state, char text[CONFINE_TEXT_CHARS + 1]);
