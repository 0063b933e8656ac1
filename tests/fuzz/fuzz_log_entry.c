/* Entries. What is accepted keeps the rules, and is the text that would be written for it; only a
 * prune entry's last two lines may have changed places. */
#include "log_fuzz.h"

#include "vault/ledger/entry.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    uint8_t text[ENTRY_MAX_BYTES];
    struct entry entry;
    struct entry again;
    if (entry_parse(input, &entry, NULL) != VAULT_OK)
        return 0;
    REQUIRE(entry_check(&entry, NULL) == VAULT_OK);
    const struct bytes written = {text, entry_write(&entry, text)};
    REQUIRE(written.size == size);
    REQUIRE(entry.event == ENTRY_PRUNE || bytes_equal(written, input));
    REQUIRE(entry_parse(written, &again, NULL) == VAULT_OK);
    REQUIRE(again.below == entry.below && again.count == entry.count);
    REQUIRE(again.time_ms == entry.time_ms && again.event == entry.event);
    return 0;
}
