/*
 * keyring.json. What is read of the form that is written is written back and read to the same,
 * byte for byte; what cannot be read is said without a byte of it.
 */
#include "fuzz_tools.h"

#include "store/keyring_file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
    scratch_start();
    return 0;
}

static void read_text(struct buf *out)
{
    char path[PATH_MAX];
    scratch_path(path, KEYRING_FILE);
    REQUIRE(file_read(path, out, NULL) == VAULT_OK);
}

static void write_back(const struct keyring_file *file)
{
    struct keyring_file again;
    VAULT_AUTO(buf_finish) struct buf first = buf_limited(64UL * 1024);
    VAULT_AUTO(buf_finish) struct buf second = buf_limited(64UL * 1024);
    REQUIRE(keyring_file_write(scratch_dir, file, true, NULL) == VAULT_OK);
    read_text(&first);
    REQUIRE(keyring_file_read(scratch_dir, &again, NULL) == VAULT_OK);
    REQUIRE(keyring_file_write(scratch_dir, &again, true, NULL) == VAULT_OK);
    read_text(&second);
    REQUIRE(bytes_equal(buf_view(&first), buf_view(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vault_error err = {.text = ""};
    struct keyring_file file;
    if (size > 64UL * 1024)
        return 0;
    scratch_put(KEYRING_FILE, (struct bytes){data, size});
    if (keyring_file_read(scratch_dir, &file, &err) != VAULT_OK) {
        require_silent(&err);
        return 0;
    }
    REQUIRE(file.format == 1 || file.format == 2);
    REQUIRE(file.root_count >= 1 && file.root_count <= KEYRING_ROOTS_MAX);
    REQUIRE(file.note_size <= sizeof file.note && strlen(file.provider) <= KEYRING_NAME_CHARS);
    for (size_t i = 1; i < file.root_count; i++)
        REQUIRE(file.roots[i].version == file.roots[i - 1].version + 1);
    if (file.format == 2)
        write_back(&file);
    return 0;
}
