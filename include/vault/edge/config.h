/*
 * config - what an operator may set: one JSON file, read once at the start.
 *
 * The keys are a table in config.c; --check-config prints from the same table what was understood.
 * An unknown key, a key of the wrong type and a missing one that has no default are errors that
 * name the key and its line. Paths are relative to the folder of the file. Nothing here is secret:
 * keys are in files that the configuration names.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/store/keyring.h"

#define CONFIG_FILE_BYTES_MAX (64U * 1024)
#define CONFIG_NAME_CHARS     128
#define CONFIG_PIN_BYTES_MAX  255
#define CONFIG_TRUST_MAX      8
#define CONFIG_TRUST_CHARS    320 /* a verifier key, and its end */

struct config_listener {
    char address[CONFIG_NAME_CHARS];
    int64_t port;
    char certificate[PATH_MAX];
    char key[PATH_MAX];
    char clients_ca[PATH_MAX];       /* empty: this listener asks for no certificate */
    int64_t connections_per_address; /* 0: no such limit, as everywhere but at the citizens' */
    int64_t requests_per_address;    /* in a minute; the same */
    char crl[PATH_MAX];              /* of that CA; empty: there is none */
    char ocsp[PATH_MAX];             /* the authority's answer about certificate; the same */
};

/* Who outside sees the access log (anchor.h), empty: nobody; and how long it keeps what. */
struct config_log {
    char witnesses[PATH_MAX];    /* a C2SP tlog-policy */
    char witnesses_ca[PATH_MAX]; /* of their https; empty: the system's */
    char keep[PATH_MAX];         /* a folder on another disk */
    char timestamps[CONFIG_NAME_CHARS];
    char timestamps_ca[PATH_MAX];
    bool plain_http; /* also to other machines */
    int64_t stale_s;
    int64_t warn_s;
    int64_t openings_months;
    char openings_reason[CONFIG_NAME_CHARS]; /* why they are kept for over a year */
    int64_t entries_months;                  /* 0: for ever */
};

/* Where the key comes from that opens the vault (store/keyring.h). Empty: not of this provider. */
struct config_keyring {
    char provider[CONFIG_NAME_CHARS];
    char key_file[PATH_MAX];            /* "file" */
    char credential[CONFIG_NAME_CHARS]; /* "credential" */
    char module[PATH_MAX];              /* "pkcs11" */
    char token[CONFIG_NAME_CHARS];
    char key[CONFIG_NAME_CHARS];
    char pin_file[PATH_MAX];    /* empty: the vault starts sealed, and a person gives the PIN */
    int64_t unwraps_per_minute; /* citizens' keys that the keyholder gives (store/keyholder.h) */
};

/* Whom citizens turn to: the city's data-protection officer. Empty: the city named none. */
struct config_dpo {
    char name[CONFIG_NAME_CHARS];
    char email[CONFIG_NAME_CHARS];
    char page[CONFIG_NAME_CHARS]; /* an address of https */
};

/* The relay that letters go to (mail.h). Empty: there is none, and nobody is offered any. */
struct config_mail {
    char relay[CONFIG_NAME_CHARS];
    char from[CONFIG_NAME_CHARS];
    char ca[PATH_MAX]; /* of its certificate; empty: the system's */
};

/* What no new password may be (vault_passwords). Empty: nothing beside what the vault knows. */
struct config_passwords {
    char words[PATH_MAX];
    char breached[PATH_MAX];
};

/* What mediators sign in with. */
struct config_mediators {
    char passkey[CONFIG_NAME_CHARS]; /* "offered", "required": vault_options.mediators_need_passkey
                                      */
};

struct config {
    char path[PATH_MAX];            /* of the file itself */
    char data[PATH_MAX];            /* the vault's folder */
    char origin[CONFIG_NAME_CHARS]; /* the log's name */
    struct config_keyring keyring;
    struct config_listener services;
    struct config_listener citizens;
    struct config_listener auditors;
    char citizens_host[CONFIG_NAME_CHARS];      /* the name that links are made with */
    char citizens_time_zone[CONFIG_NAME_CHARS]; /* of the city, as TZ is written */
    char security_contact[CONFIG_NAME_CHARS]; /* of who finds a fault, for security.txt; or empty */
    char accessibility_contact[CONFIG_NAME_CHARS]; /* of who cannot use a page; or empty */
    char admin_socket[PATH_MAX];
    char services_ca_key[PATH_MAX]; /* signs services' certificates */
    int64_t certificate_days;       /* that those last */
    char auditors_ca_key[PATH_MAX];
    char trust[CONFIG_TRUST_MAX][CONFIG_TRUST_CHARS]; /* who may sign policy bundles, and until when
                                                       */
    int64_t trust_count;
    int64_t signatures;          /* how many of them must */
    int64_t signatures_to_widen; /* how many for a bundle that widens what the active one gives */
    struct config_log log;
    struct config_dpo dpo;
    struct config_mail mail;
    struct config_passwords passwords;
    struct config_mediators mediators;
    int64_t open_citizens;           /* open files at most */
    bool allow_swap;                 /* go on when memory for keys cannot be locked */
    char sandbox[CONFIG_NAME_CHARS]; /* "on", "required", "off": confine.h */
};

/* VAULT_INVALID with the key and where it stands. */
enum vault_code config_read(const char *path, struct config *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The provider that the keyring's part names, without its secret; borrows from it. */
struct keyring_provider config_provider(const struct config_keyring *keyring);

/* What a person has to give at each start: "passphrase" or "PIN"; NULL: nothing, since there is no
 * such thing or a file has it. */
const char *config_provider_needs(const struct config_keyring *keyring);

/* The keyring's part alone, as JSON on one line: what an operator puts into the file. */
void config_print_keyring(const struct config_keyring *keyring, struct buf *out);

/* The PIN in the keyring's pin_file, which only its owner may read; *out stays NULL if there is no
 * such file configured. Where vaultd runs it is its keyholder's to read. Needs crypto_start(). */
enum vault_code config_read_pin(const struct config_keyring *keyring, struct secret **out,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* Whether the trusted keys can be used: one that cannot be read, or that stands there twice, would
 * show only when a bundle is activated. Needs crypto_start(), whose options are in the
 * configuration. VAULT_INVALID with the place in the list. */
enum vault_code config_check_trust(const struct config *config, struct vault_error *err)
    VAULT_MUST_CHECK;

/* What was understood, defaults included, as JSON. */
void config_print(const struct config *config, struct buf *out);
