/* What the configuration says of the keyring. */
#include <string.h>
#include <sys/stat.h>

#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/edge/config.h"

struct keyring_provider config_provider(const struct config_keyring *keyring)
{
    const char *places[] = {keyring->key_file, keyring->credential, keyring->module};
    size_t i = 0;
    while (i < 2 && !*places[i])
        i++;
    return (struct keyring_provider){.name = keyring->provider,
                                     .place = places[i],
                                     .token = keyring->token,
                                     .key = keyring->key};
}

const char *config_provider_needs(const struct config_keyring *keyring)
{
    const struct keyring_provider provider = config_provider(keyring);
    return keyring->pin_file[0] ? NULL : keyring_provider_needs(&provider);
}

void config_print_keyring(const struct config_keyring *keyring, struct buf *out)
{
    const struct {
        const char *name;
        const char *value;
    } all[] = {{"key_file", keyring->key_file}, {"credential", keyring->credential},
               {"module", keyring->module},     {"token", keyring->token},
               {"key", keyring->key},           {"pin_file", keyring->pin_file}};
    buf_text(out, "\"keyring\": {\"provider\": ");
    json_write_string(out, bytes_of_text(keyring->provider));
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!*all[i].value)
            continue;
        buf_format(out, ", \"%s\": ", all[i].name);
        json_write_string(out, bytes_of_text(all[i].value));
    }
    buf_byte(out, '}');
}

enum vault_code config_read_pin(const struct config_keyring *keyring, struct secret **out,
                                struct vault_error *err)
{
    struct stat status;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CONFIG_PIN_BYTES_MAX + 2);
    if (!keyring->pin_file[0])
        return VAULT_OK;
    VAULT_TRY(file_read(keyring->pin_file, &text, err));
    if (stat(keyring->pin_file, &status) != 0 || status.st_mode & 077)
        return vault_fail(err, VAULT_DENIED,
                          "others than its owner may read the PIN in %s: chmod 600 it, and change "
                          "the PIN",
                          keyring->pin_file);
    while (text.size && (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == '\r'))
        text.size--;
    if (text.size == 0 || text.size > CONFIG_PIN_BYTES_MAX)
        return vault_fail(err, VAULT_INVALID, "there is no PIN in %s: one line of 1 to %d bytes",
                          keyring->pin_file, CONFIG_PIN_BYTES_MAX);
    return secret_copy(buf_view(&text), out, err);
}
