#include "vault/vault/statement.h"

#include <stdio.h>

#include "event.h"
#include "parts.h"
#include "person.h"
#include "vault/base/codec.h"
#include "vault/base/json.h"
#include "vault/crypto/permute.h"
#include "vault/crypto/secret.h"
#include "vault/ledger/opening.h"

#define NAME_SUFFIX "/statement"

/* What is stated, of one moment. */
struct facts {
    char name[BASE32_CHARS(PERMUTE_BLOCK_BYTES) + 1]; /* what the log calls the citizen */
    uint8_t salt[OPENING_SALT_BYTES];
    uint64_t n;
    struct ledger_head head;
};

/* Their number and the log as it is once that entry is durable. */
static enum vault_code gather(struct vault *vault, const struct citizen_id *id, struct facts *out,
                              struct vault_error *err)
{
    const struct event event = {.kind = ENTRY_EXPORT,
                                .basis = bytes_of_text("own session"),
                                .what = bytes_of_text("statement")};
    struct ledger_ticket ticket;
    {
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        struct person *person = NULL;
        VAULT_TRY(person_hold(vault, id, &citizen, &person, err));
        VAULT_TRY(event_of_citizen(vault, citizen, &event, &person->chain, &ticket, err));
        out->n = person->chain.n;
    }
    VAULT_TRY(ledger_wait(vault->ledger, &ticket, err));
    out->head = ledger_head(vault->ledger);
    random_bytes(out->salt, sizeof out->salt);
    return event_log_name(vault, id, out->name, err);
}

static void write_text(const struct facts *facts, const char *name, struct buf *out)
{
    uint8_t commitment[ENTRY_COMMITMENT_BYTES];
    opening_commitment(commitment, facts->salt, bytes_of_text(facts->name));
    buf_format(out, "%s\n", name);
    base64_encode(out, (struct bytes){commitment, sizeof commitment});
    buf_format(out, "\n%llu\n%llu\n", (unsigned long long)facts->n,
               (unsigned long long)facts->head.size);
    base64_encode(out, (struct bytes){facts->head.root.bytes, sizeof facts->head.root.bytes});
    buf_byte(out, '\n');
}

static enum vault_code make_signer(struct vault *vault, struct note_signer *out,
                                   struct vault_error *err)
{
    char name[NOTE_NAME_CHARS_MAX + 1];
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    snprintf(name, sizeof name, "%s" NAME_SUFFIX, vault->options.origin);
    VAULT_TRY(keyring_derive(vault->keyring, STATEMENT_KEY_LABEL, SIGN_SEED_BYTES, &seed, err));
    return note_signer_make(bytes_of_text(name), NOTE_ED25519, seed, out, err);
}

enum vault_code statement_write(struct vault *vault, const struct citizen_id *citizen,
                                struct buf *out, struct vault_error *err)
{
    struct facts facts;
    char key[NOTE_KEY_CHARS_MAX];
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(STATEMENT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(STATEMENT_BYTES_MAX);
    VAULT_TRY(make_signer(vault, &signer, err));
    VAULT_TRY(gather(vault, citizen, &facts, err));
    write_text(&facts, signer.key.name, &text);
    VAULT_TRY(buf_check(&text, err));
    buf_bytes(&note, buf_view(&text));
    buf_byte(&note, '\n');
    VAULT_TRY(note_sign(buf_view(&text), &signer, &note, err));
    note_key_print(&signer.key, key);
    buf_text(out, "{\"statement\":");
    json_write_string(out, buf_view(&note));
    buf_text(out, ",\"key\":");
    json_write_string(out, bytes_of_text(key));
    buf_text(out, ",\"subject\":{\"salt\":\"");
    base64_encode(out, (struct bytes){facts.salt, sizeof facts.salt});
    buf_format(out, "\",\"value\":\"%s\"}}\n", facts.name);
    return buf_check(out, err);
}
