/*
 * backup_parts - what making, checking and restoring a backup share.
 */
#pragma once

#include "contents.h"
#include "vault/base/buf.h"
#include "vault/crypto/secret.h"
#include "vault/ledger/verify.h"

#define BACKUP_SEALED  "sealed/"
#define BACKUP_INSIDE  "inside/"  /* below that: names in the vault's folder */
#define BACKUP_OUTSIDE "outside/" /* absolute paths without their first slash */
#define BACKUP_LOG     "log"
#define BACKUP_POLICY  "policy"
#define BACKUP_CHUNK   (64U * 1024)

/* Hash exactly so many bytes of fd, copying them to another (-1: to nowhere). goes_on (may be NULL)
 * is asked after each chunk. VAULT_CORRUPT if there are fewer. */
typedef enum vault_code backup_goes_on(void *context, uint64_t bytes, struct vault_error *err);

struct backup_pour {
    int from;
    int to;
    uint64_t size;
    const char *name; /* for words */
    backup_goes_on *goes_on;
    void *context;
};

enum vault_code backup_pour(const struct backup_pour *pour, struct hasher *hasher,
                            uint8_t hash[SHA256_BYTES], struct vault_error *err) VAULT_MUST_CHECK;

/* What a sealed file is bound to: its name. */
void backup_bind(const char *name, struct buf *out);

/* VAULT_CORRUPT unless all that vault-audit verify checks of the published files holds. */
enum vault_code backup_check_published(const char *dir, const struct note_key *key,
                                       const struct note_key *former, size_t former_count,
                                       struct verify_report *report, struct vault_error *err)
    VAULT_MUST_CHECK;
