/* What a log and its witness say. A request that is accepted is written again byte for byte, and so
 * is the size in an answer. */
#include "log_fuzz.h"

#include <inttypes.h>

#include "vault/ledger/witness.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    return 0;
}

static void require_size(struct bytes input)
{
    uint64_t number = 0;
    char text[32];
    if (witness_size_parse(input, &number, NULL) != VAULT_OK)
        return;
    snprintf(text, sizeof text, "%" PRIu64 "\n", number);
    REQUIRE(bytes_equal(bytes_of_text(text), input));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct witness_request request;
    VAULT_AUTO(buf_finish) struct buf again = buf_limited(size + 1);
    require_size(input);
    if (witness_request_parse(input, &request, NULL) != VAULT_OK)
        return 0;
    REQUIRE(request.proof.count <= WITNESS_PROOF_MAX && request.old_size <= TREE_MAX_SIZE);
    witness_request_write(&request, &again);
    REQUIRE(bytes_equal(buf_view(&again), input));
    return 0;
}
