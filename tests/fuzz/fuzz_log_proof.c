/* Proof files (tlog-proof). What is accepted is written back byte for byte, but for a line that
 * nothing vouches for. */
#include "log_fuzz.h"

#include "vault/ledger/proof.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    return 0;
}

/* The text without its second line, if that is the one. */
static void without_extra(struct bytes text, struct buf *out)
{
    const uint8_t *second = memchr(text.data, '\n', text.size);
    const size_t first_size = (size_t)(second + 1 - text.data);
    struct bytes rest = {second + 1, text.size - first_size};
    if (rest.size > 6 && memcmp(rest.data, "extra ", 6) == 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        REQUIRE(end);
        rest = (struct bytes){end + 1, rest.size - (size_t)(end + 1 - rest.data)};
    }
    buf_append(out, text.data, first_size);
    buf_bytes(out, rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    VAULT_AUTO(buf_finish) struct buf plain = buf_limited(PROOF_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf again = buf_limited(PROOF_MAX_BYTES);
    struct proof proof;
    if (proof_parse(input, &proof, NULL) != VAULT_OK)
        return 0;
    REQUIRE(proof.path.count <= TREE_MAX_LEVELS && proof.index < TREE_MAX_SIZE);
    without_extra(input, &plain);
    proof_write(&proof, &again);
    REQUIRE(bytes_equal(buf_view(&again), buf_view(&plain)));
    return 0;
}
