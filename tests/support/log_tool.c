/*
 * log_tool - logs for the tests of vault-audit from outside.
 *
 *     log_tool DIR COUNT [SEED [FORMER]]
 *                                  make the log in DIR if there is none, add COUNT entries, of the
 *                                  services test-0, test-1, …, and print its verifier key;
 *                                  FORMER is the seed of the key before
 *     log_tool cosign DIR SEED NAME TIME
 *                                  cosign DIR's checkpoint as a witness, and print the witness's
 * key
 *
 * SEED is a number below 256; the key is made of it. The log's name is log.example/test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/ledger.h"

#define NAME "log.example/test"

static struct vault_error error;

static enum vault_code make_signer(const char *name, enum note_kind kind, const char *seed_text,
                                   struct note_signer *out)
{
    uint8_t raw[SIGN_SEED_BYTES];
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    memset(raw, (int)strtoul(seed_text, NULL, 10), sizeof raw);
    VAULT_TRY(secret_copy((struct bytes){raw, sizeof raw}, &seed, &error));
    return note_signer_make(bytes_of_text(name), kind, seed, out, &error);
}

static void print_key(const struct note_signer *signer)
{
    char key[NOTE_KEY_CHARS_MAX];
    note_key_print(&signer->key, key);
    puts(key);
}

static enum vault_code add_entries(const char *dir, unsigned long count,
                                   const struct note_signer *signer, const struct note_key *former)
{
    const struct ledger_options options = {.dir = dir,
                                           .signer = signer,
                                           .former = former,
                                           .former_count = former ? 1 : 0,
                                           .clock = clock_system};
    struct entry entry = {.event = ENTRY_ADMIN};
    char service[32];
    VAULT_AUTO(ledger_close) struct ledger *ledger = NULL;
    struct ledger_ticket ticket;
    const enum vault_code made = ledger_create(&options, &error);
    if (made && made != VAULT_CONFLICT)
        return made;
    VAULT_TRY(ledger_open(&options, &ledger, &error));
    for (unsigned long i = 0; i < count;) {
        snprintf(service, sizeof service, "test-%lu", i);
        entry.service = bytes_of_text(service);
        const enum vault_code code =
            ledger_enqueue(ledger, &entry, (struct bytes){0}, &ticket, &error);
        if (code && code != VAULT_LIMITED)
            return code;
        i += code == VAULT_OK;
    }
    return ledger_stop(ledger, &error);
}

static enum vault_code cosign(const char *dir, const struct note_signer *witness, const char *time)
{
    char path[4096];
    struct checkpoint checkpoint;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf whole = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_TRY(file_join(path, sizeof path, dir, "checkpoint", &error));
    VAULT_TRY(file_read(path, &note, &error));
    VAULT_TRY(checkpoint_parse(buf_view(&note), &checkpoint, &error));
    buf_bytes(&whole, buf_view(&note));
    VAULT_TRY(
        checkpoint_cosign(checkpoint.note.text, witness, strtol(time, NULL, 10), &whole, &error));
    return file_replace(path, buf_view(&whole), 0600, &error);
}

static enum vault_code run(int argc, char **argv)
{
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    VAULT_AUTO(note_signer_finish) struct note_signer former = {0};
    json_start();
    VAULT_TRY(crypto_start(true, &error));
    if (argc == 6 && strcmp(argv[1], "cosign") == 0) {
        VAULT_TRY(make_signer(argv[4], NOTE_COSIGNATURE, argv[3], &signer));
        VAULT_TRY(cosign(argv[2], &signer, argv[5]));
    } else if (argc >= 3 && argc <= 5) {
        VAULT_TRY(make_signer(NAME, NOTE_ED25519, argc >= 4 ? argv[3] : "1", &signer));
        if (argc == 5)
            VAULT_TRY(make_signer(NAME, NOTE_ED25519, argv[4], &former));
        VAULT_TRY(add_entries(argv[1], strtoul(argv[2], NULL, 10), &signer,
                              argc == 5 ? &former.key : NULL));
    } else {
        return vault_fail(&error, VAULT_INVALID, "usage: log_tool DIR COUNT [SEED [FORMER]]");
    }
    print_key(&signer);
    return VAULT_OK;
}

int main(int argc, char **argv)
{
    const enum vault_code code = run(argc, argv);
    if (code)
        fprintf(stderr, "log_tool: %s\n", error.text);
    return vault_code_exit(code);
}
