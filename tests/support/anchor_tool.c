/*
 * anchor_tool - a log with witnesses, without the vault around it.
 *
 *     anchor_tool key SEED            print the public key of the log of this seed, in hex
 *     anchor_tool DIR ORIGIN SEED COUNT POLICY STATE
 *                                     make the log in DIR if there is none, add COUNT entries, have
 *                                     the witnesses of the policy cosign it, and say how it stands
 *
 * SEED is a number below 256; the key is made of it. Ends with 1 if a witness contradicts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/codec.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/edge/anchor.h"
#include "vault/ledger/ledger.h"

#define PATIENCE_MS 10000

static struct vault_error error;

static enum vault_code make_signer(const char *name, const char *seed_text, struct note_signer *out)
{
    uint8_t raw[SIGN_SEED_BYTES];
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    memset(raw, (int)strtoul(seed_text, NULL, 10), sizeof raw);
    VAULT_TRY(secret_copy((struct bytes){raw, sizeof raw}, &seed, &error));
    return note_signer_make(bytes_of_text(name), NOTE_ED25519, seed, out, &error);
}

static enum vault_code print_key(const char *seed)
{
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    char hex[HEX_CHARS(SIGN_PUBLIC_BYTES) + 1];
    VAULT_TRY(make_signer("key", seed, &signer));
    hex_string(hex, signer.key.public_key, SIGN_PUBLIC_BYTES);
    puts(hex);
    return VAULT_OK;
}

static enum vault_code cosign(const struct ledger_options *options, unsigned long count,
                              const struct vault_anchor *hooks)
{
    const struct entry entry = {.event = ENTRY_ADMIN};
    VAULT_AUTO(ledger_close) struct ledger *ledger = NULL;
    VAULT_AUTO(buf_finish) struct buf how = buf_limited(65536);
    const enum vault_code made = ledger_create(options, &error);
    if (made && made != VAULT_CONFLICT)
        return made;
    VAULT_TRY(ledger_open(options, &ledger, &error));
    for (unsigned long i = 0; i < count; i++)
        VAULT_TRY(ledger_append(ledger, &entry, (struct bytes){0}, NULL, &error));
    VAULT_TRY(ledger_wait_published(ledger, count, PATIENCE_MS, &error));
    VAULT_TRY(ledger_present(ledger, PATIENCE_MS, &error));
    hooks->describe(hooks->context, &how);
    puts(buf_string(&how));
    VAULT_TRY(hooks->check(hooks->context, &error));
    return ledger_stop(ledger, &error);
}

static enum vault_code run(char **argv)
{
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    VAULT_AUTO(anchor_close) struct anchor *anchor = NULL;
    char vkey[NOTE_KEY_CHARS_MAX];
    const struct anchor_options anchor_with = {.state_path = argv[6],
                                               .policy_path = argv[5],
                                               .witnesses_ca = "",
                                               .keep_dir = "",
                                               .timestamps_url = "",
                                               .timestamps_ca = "",
                                               .stale_s = 3600,
                                               .warn_s = 3600,
                                               .clock = clock_system};
    VAULT_TRY(make_signer(argv[2], argv[3], &signer));
    VAULT_TRY(anchor_open(&anchor_with, &anchor, &error));
    const struct vault_anchor *hooks = anchor_hooks(anchor);
    const struct ledger_options options = {.dir = argv[1],
                                           .signer = &signer,
                                           .clock = clock_system,
                                           .anchor = {hooks->present, hooks->context}};
    note_key_print(&signer.key, vkey);
    puts(vkey);
    return cosign(&options, strtoul(argv[4], NULL, 10), hooks);
}

int main(int argc, char **argv)
{
    json_start();
    enum vault_code code = crypto_start(true, &error);
    if (code == VAULT_OK)
        code = argc == 3   ? print_key(argv[2])
               : argc == 7 ? run(argv)
                           : vault_fail(&error, VAULT_INVALID, "usage: see anchor_tool.c");
    if (code)
        fprintf(stderr, "anchor_tool: %s\n", error.text);
    return code ? 1 : 0;
}
