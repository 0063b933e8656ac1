/*
 * policy_register - every policy version that ever decided, for everybody to read: when it was
 * activated, who signed it, what it changed, and who may ask what, why, in which form and on which
 * basis.
 *
 * Beside the vault's own copy VERSION-HASH of a bundle stand two files, written when it is
 * activated and never changed:
 *
 *     VERSION-HASH.register.json   what the bundle allows, in both languages
 *     VERSION-HASH.active.json     that it was activated, when, by whose signatures, and how it
 *                                  differs from the one before
 *
 * So a page about an old version reads a file; no bundle is compiled because somebody asks. A
 * bundle that was active before there was a register is entered at the next start, without a time.
 *
 *     {"version","name","manifest_sha256","activated":INSTANT|null,"log_index":N|null,
 *      "signed_by":[NAME…],"changes":{"gains","loses","weaker","stricter","obligations","besides"}
 *      |null,"widens":BOOL}
 *
 *     {"purposes":[{"id","title":{"fr","en"},"text":{"fr","en"},"consent_at_most_days":N|null,
 *        "services":[{"class","title":{"fr","en"},"service":ID|null,
 *           "fields":[{"id","title":{"fr","en"},"type","special":BOOL,"form","bases":[…]}]}]}],
 *      "reasons":[{"rule","why":{"fr","en"}}],"rules":{FILE: its JSON…}}
 *
 * A field is in the list of who could ever get it for that purpose, whatever the circumstances, in
 * the most revealing form that could come; the rules say under which conditions. "service" is there
 * where rules name one service and give it something other than its class has. A part that would be
 * too large for a register (over a mebibyte, or more pairs of a purpose and who asks than can be
 * gone through when a bundle is activated) is null.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/vault/vault.h"

#define POLICY_REGISTER_LIST_MAX  200 /* the newest */
#define POLICY_RECORD_BYTES_MAX   (8UL * 1024)
#define POLICY_REGISTER_BYTES_MAX (4UL * 1024 * 1024)

struct policy_registered {
    uint64_t version;
    bool is_active;
    struct bytes record; /* JSON as above; borrowed for the call */
};

typedef enum vault_code policy_registered_each(void *context, const struct policy_registered *one,
                                               struct vault_error *err);

/* The versions that were active, newest first, POLICY_REGISTER_LIST_MAX at the most. */
enum vault_code policy_register_list(struct vault *vault, policy_registered_each *each,
                                     void *context, struct vault_error *err) VAULT_MUST_CHECK;

/* Append the record and what it allows of one version, as JSON. VAULT_NOT_FOUND if no such version
 * was ever active. */
enum vault_code policy_register_record(struct vault *vault, uint64_t version, struct buf *out,
                                       struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code policy_register_content(struct vault *vault, uint64_t version, struct buf *out,
                                        struct vault_error *err) VAULT_MUST_CHECK;
