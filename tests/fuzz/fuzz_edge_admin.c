/*
 * The operator's door: lines over a socket, and each answered by the vault. What makes copies,
 * reads folders, seals or goes on in the background is left to its own tests: those commands are
 * passed over.
 *
 * Lines put together again are what was sent. Each is answered by one line of JSON that says
 * whether it went well, and an error has nothing of the line.
 */
#include "fuzz_tools.h"

#include <sys/socket.h>

#include "edge/admin_line.h"
#include "edge/admin_parts.h"
#include "vault/crypto/password.h"
#include "vault_test.h"

#define INPUT_BYTES_MAX (64UL * 1024)
#define LINES_MAX       16U

enum vault_code __wrap_password_hash(struct bytes password, char out[PASSWORD_HASH_CHARS],
                                     struct vault_error *err);

enum vault_code __wrap_password_hash(struct bytes password, char out[PASSWORD_HASH_CHARS],
                                     struct vault_error *err)
{
    (void)password;
    (void)err;
    snprintf(out, PASSWORD_HASH_CHARS, "$argon2id$invented");
    return VAULT_OK;
}

static struct vault_test test;
static struct config config;
static struct admin_context context;
static struct sealing *sealing;

static enum vault_code open_test(void *unused, const struct secret *secret, struct vault **out,
                                 struct vault_error *err)
{
    (void)unused;
    (void)secret;
    (void)err;
    *out = test.vault;
    return VAULT_OK;
}

static void close_test(void *unused)
{
    (void)unused;
}

static void stop(void)
{
    sealing_free(&sealing);
    vault_close(&test.vault);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct sealing_calls calls = {NULL, open_test, close_test, NULL};
    (void)argc;
    (void)argv;
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    REQUIRE(sealing_new(&calls, &sealing, NULL) == VAULT_OK);
    REQUIRE(sealing_unseal(sealing, NULL, NULL) == VAULT_OK);
    config.certificate_days = 397;
    context = (struct admin_context){
        .sealing = sealing, .config = &config, .link_base = "https://vault.example:8442"};
    atexit(stop);
    return 0;
}

/* What would leave this process's own folder, take long, or change what the next input needs. */
static bool is_passed_over(struct bytes line)
{
    static const char *const words[] = {"backup", "policy", "seal",   "unseal",  "key",
                                        "reload", "log",    "doctor", "metrics", "citizen rekey"};
    VAULT_AUTO(json_free) json_t *request = NULL;
    if (json_parse(line, 16, &request, NULL, NULL) != VAULT_OK)
        return false;
    const char *command = json_string_value(json_object_get(request, "command"));
    for (size_t i = 0; command && i < sizeof words / sizeof words[0]; i++) {
        if (strncmp(command, words[i], strlen(words[i])) == 0)
            return true;
    }
    return false;
}

static void answer(struct bytes line)
{
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(ADMIN_LINE_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *root = NULL;
    if (is_passed_over(line))
        return;
    admin_answer(&context, line, &out);
    REQUIRE(buf_check(&out, NULL) == VAULT_OK && !memchr(out.data, '\n', out.size));
    REQUIRE(json_parse(buf_view(&out), 16, &root, NULL, NULL) == VAULT_OK);
    const json_t *ok = json_object_get(root, "ok");
    REQUIRE(json_is_boolean(ok));
    if (json_is_true(ok))
        return;
    const char *text = json_string_value(json_object_get(root, "error"));
    REQUIRE(text && text[0] && json_is_string(json_object_get(root, "code")));
    REQUIRE(!strstr(text, FUZZ_VALUE) && !strchr(text, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2];
    const struct bytes input = {data, size};
    struct vault_error err = {.text = ""};
    enum vault_code code = VAULT_OK;
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(INPUT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf all = buf_limited(2 * INPUT_BYTES_MAX);
    if (size == 0 || size > INPUT_BYTES_MAX)
        return 0;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    struct admin_reader reader = {.fd = ends[1], .pending = buf_limited(INPUT_BYTES_MAX + 1)};
    REQUIRE(admin_send(ends[0], input) && shutdown(ends[0], SHUT_WR) == 0);
    for (size_t i = 0; i < LINES_MAX && code == VAULT_OK; i++) {
        code = admin_read_line(&reader, &line, &err);
        if (code)
            break;
        buf_bytes(&all, buf_view(&line));
        buf_byte(&all, '\n');
        answer(buf_view(&line));
    }
    REQUIRE(code == VAULT_OK || code == VAULT_NOT_FOUND);
    REQUIRE(all.size <= size && (!all.size || memcmp(all.data, data, all.size) == 0));
    buf_finish(&reader.pending);
    close(ends[0]);
    close(ends[1]);
    return 0;
}
