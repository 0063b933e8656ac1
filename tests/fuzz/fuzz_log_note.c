/*
 * Signed notes. What is accepted can be put together again byte for byte from its parts, and no
 * signature holds but the one that the key makes over exactly this text.
 */
#include "log_fuzz.h"

#include "vault/base/codec.h"

static struct note_signer signer;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    signer = log_fuzz_log();
    return 0;
}

static void require_same_bytes(const struct note *note, struct bytes input)
{
    VAULT_AUTO(buf_finish) struct buf again = buf_limited(NOTE_MAX_BYTES);
    buf_bytes(&again, note->text);
    buf_text(&again, "\n");
    for (size_t i = 0; i < note->signature_count; i++) {
        const struct note_signature *line = &note->signatures[i];
        VAULT_AUTO(buf_finish) struct buf raw = buf_limited(NOTE_MAX_BYTES);
        REQUIRE(base64_decode(&raw, line->base64, NULL) == VAULT_OK);
        REQUIRE(raw.size > NOTE_KEY_ID_BYTES);
        REQUIRE(memcmp(raw.data, line->key_id, NOTE_KEY_ID_BYTES) == 0);
        buf_text(&again, "\xe2\x80\x94 ");
        buf_bytes(&again, line->name);
        buf_text(&again, " ");
        base64_encode(&again, buf_view(&raw));
        buf_text(&again, "\n");
    }
    REQUIRE(bytes_equal(buf_view(&again), input));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct note note;
    bool is_signed = false;
    if (note_parse(input, &note, NULL) != VAULT_OK)
        return 0;
    REQUIRE(note.signature_count > 0 && note.signature_count <= NOTE_SIGNATURES_MAX);
    REQUIRE(note_text_check(note.text, NULL) == VAULT_OK);
    require_same_bytes(&note, input);
    if (note_verify(&note, &signer.key, &is_signed, NULL) != VAULT_OK || !is_signed)
        return 0;
    uint8_t there[SIGN_SIGNATURE_BYTES];
    uint8_t right[SIGN_SIGNATURE_BYTES];
    size_t from = 0;
    const struct note_signature *line = note_next_signature(&note, &signer.key, &from);
    REQUIRE(line && note_signature_read(line, there, sizeof there, NULL) == VAULT_OK);
    REQUIRE(sign_message(signer.pair, note.text, right, NULL) == VAULT_OK);
    REQUIRE(memcmp(there, right, sizeof right) == 0);
    return 0;
}
