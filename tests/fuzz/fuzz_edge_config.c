/*
 * The configuration. What is understood is printed, and the print understood as the same; what is
 * not is said by its key and line, and by nothing that stands behind a key.
 */
#include "fuzz_tools.h"

#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/edge/config.h"

#define FILE_NAME       "vaultd.json"
#define PRINT_BYTES_MAX (1024UL * 1024)

static struct config config;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
    scratch_start();
    return 0;
}

static void print_again(struct buf *print, const char *path)
{
    struct vault_error err = {.text = ""};
    scratch_put(FILE_NAME, buf_view(print));
    if (config_read(path, &config, &err) != VAULT_OK) {
        fprintf(stderr, "what was printed is not understood: %s\n", err.text);
        abort();
    }
    buf_clear(print);
    config_print(&config, print);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[PATH_MAX];
    struct vault_error err = {.text = ""};
    VAULT_AUTO(buf_finish) struct buf first = buf_limited(PRINT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf second = buf_limited(PRINT_BYTES_MAX);
    scratch_path(path, FILE_NAME);
    scratch_put(FILE_NAME, (struct bytes){data, size});
    if (config_read(path, &config, &err) != VAULT_OK) {
        if (!strstr(err.text, "unknown key")) /* which is named */
            require_silent(&err);
        return 0;
    }
    REQUIRE(config.trust_count >= 0 && config.trust_count <= CONFIG_TRUST_MAX);
    REQUIRE(config.services.port >= 0 && config.services.port < 65536);
    if (config_check_trust(&config, &err) != VAULT_OK)
        require_silent(&err);
    config_print(&config, &first);
    REQUIRE(buf_check(&first, NULL) == VAULT_OK);
    buf_bytes(&second, buf_view(&first));
    print_again(&second, path);
    REQUIRE(bytes_equal(buf_view(&first), buf_view(&second)));
    return 0;
}
