/* Bundles of entries. The entries that are read, put together again, are the bytes that were read;
 * what is left over is no entry. */
#include "log_fuzz.h"

#include "vault/ledger/tile.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct cursor bundle = cursor_over(input);
    struct bytes entry;
    VAULT_AUTO(buf_finish) struct buf again = buf_limited(size);
    while (tile_bundle_next(&bundle, &entry)) {
        tile_bundle_append(&again, entry);
    }
    REQUIRE(!again.problem);
    REQUIRE(again.size <= size && memcmp(again.data ? again.data : data, data, again.size) == 0);
    const size_t left = size - again.size;
    if (left >= 2) {
        const size_t said = (size_t)data[again.size] << 8 | data[again.size + 1];
        REQUIRE(said > left - 2);
    }
    return 0;
}
