/*
 * Checkpoints. What is accepted begins with the very lines that size and root would be written as;
 * what verifies is what the log's key signs, and a cosignature that counts is the one that the
 * witness's key makes at that time.
 */
#include "log_fuzz.h"

#include "vault/ledger/checkpoint.h"

static struct note_signer signer;
static struct note_signer witness;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    signer = log_fuzz_log();
    witness = log_fuzz_signer("witness.example/a", NOTE_COSIGNATURE, 2);
    return 0;
}

static bool has_line(struct bytes note, const struct buf *line)
{
    return memmem(note.data, note.size, line->data, line->size) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct checkpoint checkpoint;
    char origin[NOTE_NAME_CHARS_MAX + 1];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(CHECKPOINT_MAX_BYTES);
    int64_t newest_s = -1;
    if (checkpoint_parse(input, &checkpoint, NULL) != VAULT_OK)
        return 0;
    REQUIRE(checkpoint.size <= TREE_MAX_SIZE);
    REQUIRE(checkpoint.origin.size > 0);
    if (checkpoint.origin.size < sizeof origin &&
        !memchr(checkpoint.origin.data, 0, checkpoint.origin.size)) {
        snprintf(origin, sizeof origin, "%.*s", (int)checkpoint.origin.size,
                 (const char *)checkpoint.origin.data);
        checkpoint_write_text(&text, origin, checkpoint.size, &checkpoint.root);
        REQUIRE(checkpoint.note.text.size >= text.size);
        REQUIRE(memcmp(checkpoint.note.text.data, text.data, text.size) == 0);
    }
    if (checkpoint_verify(&checkpoint, &signer.key, NULL) == VAULT_OK) {
        REQUIRE(bytes_equal(checkpoint.origin, bytes_of_text(signer.key.name)));
        REQUIRE(note_sign(checkpoint.note.text, &signer, &line, NULL) == VAULT_OK);
        REQUIRE(has_line(input, &line));
    }
    if (checkpoint_cosigned(&checkpoint, &witness.key, &newest_s, NULL) == VAULT_OK &&
        newest_s >= 0) {
        buf_clear(&line);
        REQUIRE(checkpoint_cosign(checkpoint.note.text, &witness, newest_s, &line, NULL) ==
                VAULT_OK);
        REQUIRE(has_line(input, &line));
    }
    return 0;
}
