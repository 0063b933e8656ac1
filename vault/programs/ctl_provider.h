/*
 * ctl_provider - vaultctl's options that name a key provider, and what a person gives for it.
 */
#pragma once

#include <stdbool.h>

#include "ctl.h"
#include "vault/base/error.h"
#include "vault/crypto/secret.h"
#include "vault/edge/config.h"

#define CTL_PROVIDER_OPTIONS                                                                       \
    "  --provider NAME         where the key is that opens the vault: file, credential,\n"         \
    "                          passphrase or pkcs11 (file)\n"                                      \
    "  --key-file FILE         of file: a fresh key goes there; better on another disk than the\n" \
    "                          vault, since whoever has both has everything\n"                     \
    "  --credential NAME       of credential: a systemd credential of 32 bytes, there already\n"   \
    "  --module FILE           of pkcs11: the module; a fresh key is made on the token\n"          \
    "  --token LABEL, --key LABEL\n"                                                               \
    "  --pin-file FILE         of pkcs11: the PIN; without it a person gives it at each start\n"   \
    "  A passphrase or PIN is asked for on the terminal, or read as a line of standard input.\n"

/* Take the provider's option at argv[*i] with its value, and move *i to that; false if it is none
 * of them, or too long. */
bool ctl_provider_option(int argc, char **argv, int *i, struct config_keyring *keyring);

/* Fill in what follows from others, make paths absolute, and see that what is there belongs
 * together. vault_dir is for the key file's default, beside it; NULL: there is none. */
enum vault_code ctl_provider_settle(struct config_keyring *keyring, const char *vault_dir,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* Make the folder of the key file's default, if that is where it will be; of any other the folder
 * is there, or its path is a mistake. */
enum vault_code ctl_provider_make_place(const struct config_keyring *keyring, const char *vault_dir,
                                        struct vault_error *err) VAULT_MUST_CHECK;

/* A secret: from the terminal without echo, twice if it is new, or one line of standard input. what
 * is "passphrase" and the like. VAULT_INVALID if there is none. */
enum vault_code ctl_read_secret(const char *what, bool is_new, struct secret **out,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* The secret that the provider needs, from its PIN file or a person; *out stays NULL if none. */
enum vault_code ctl_provider_secret(const struct config_keyring *keyring, bool is_new,
                                    struct secret **out, struct vault_error *err) VAULT_MUST_CHECK;

/* What opens a backup: the provider of --config or of options, or the recovery secret; with both,
 * the recovery secret opens it and the provider is what a restored vault is to have. */
struct ctl_opener {
    struct config_keyring keyring;
    bool is_given;
    bool by_recovery;
    struct secret *secret;   /* of the provider, if it needs one */
    struct secret *recovery; /* as text */
};

#define CTL_OPENER_OPTIONS                                                                         \
    "  --recovery              open it with the recovery secret, which is asked for on the\n"      \
    "                          terminal, or read as a line of standard input\n"

/* As ctl_provider_option(). */
bool ctl_opener_option(int argc, char **argv, int *i, struct ctl_opener *opener);

/* Take the provider of ctl->config where options name none, begin with keys, and ask for what a
 * person has to give. dir: of the vault that is to be restored; NULL: none is. */
enum vault_code ctl_opener_settle(const struct ctl *ctl, struct ctl_opener *opener, const char *dir,
                                  struct vault_error *err) VAULT_MUST_CHECK;
void ctl_opener_finish(struct ctl_opener *opener);

/* A backup_shows that draws on a terminal; and away with what was drawn. */
void ctl_show(void *context, const char *step, uint64_t done, uint64_t all);
