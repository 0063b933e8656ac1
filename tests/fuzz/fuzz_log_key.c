/* Public keys as text ("vkey"). What is accepted is printed as it was read, and has the id that its
 * name and key give. */
#include "log_fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    char text[NOTE_KEY_CHARS_MAX];
    struct note_key key;
    struct note_key again;
    if (note_key_parse(input, &key, NULL) != VAULT_OK)
        return 0;
    note_key_print(&key, text);
    REQUIRE(bytes_equal(bytes_of_text(text), input));
    REQUIRE(note_key_make(bytes_of_text(key.name), key.kind, key.public_key, &again, NULL) ==
            VAULT_OK);
    REQUIRE(memcmp(again.id, key.id, sizeof key.id) == 0);
    return 0;
}
