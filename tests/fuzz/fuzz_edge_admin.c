/*
 * The operator's door: lines over a socket, and each answered by the vault. What makes copies,
 * reads folders, seals or goes on in the background is left to its own tests: those commands are
 * passed over.
 *
 * Lines put together again are what was sent. Each is answered by one line of JSON that says
 * whether it went well, and an error has nothing of the line. A line of HTTP is the last one: it
 * has one answer or none, as long as its head says, and nothing of the request is in it.
 */
#include "fuzz_tools.h"

#include <sys/socket.h>

#include "edge/admin_line.h"
#include "edge/admin_metrics.h"
#include "edge/admin_parts.h"
#include "vault/crypto/password.h"
#include "vault/edge/metrics.h"
#include "vault_test.h"

#define INPUT_BYTES_MAX (64UL * 1024)
#define LINES_MAX       16U
#define INPUTS_A_VAULT  50U /* what commands left makes those that come after it slower */

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

static void begin_vault(void)
{
    static const struct sealing_calls calls = {NULL, open_test, close_test, NULL};
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    REQUIRE(sealing_new(&calls, &sealing, NULL) == VAULT_OK);
    REQUIRE(sealing_unseal(sealing, NULL, NULL) == VAULT_OK);
    context.sealing = sealing;
}

static void end_vault(void)
{
    sealing_free(&sealing);
    vault_close(&test.vault);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    begin_vault();
    config.certificate_days = 397;
    context.config = &config;
    context.link_base = "https://vault.example:8442";
    atexit(end_vault);
    return 0;
}

/* What would leave this process's own folder, take long, or change what the next input needs. */
static bool is_passed_over(struct bytes line)
{
    static const char *const words[] = {"backup", "policy", "seal",   "unseal",       "key",
                                        "reload", "log",    "doctor", "citizen rekey"};
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

static void begin_again_at_times(void)
{
    static size_t inputs;
    if (++inputs % INPUTS_A_VAULT)
        return;
    end_vault();
    begin_vault();
}

/* Whoever scrapes the figures (Prometheus): the request goes on in the lines that follow. */
static void answer_http(struct admin_reader *reader, struct bytes line, int client)
{
    static char taken[METRICS_BYTES_MAX + 1024];
    size_t size = 0;
    size_t told = 0;
    admin_answer_http(&context, reader, line);
    for (ssize_t got = 1; got > 0; size += got > 0 ? (size_t)got : 0)
        got = recv(client, taken + size, sizeof taken - 1 - size, MSG_DONTWAIT);
    taken[size] = 0;
    if (size == 0)
        return; /* the request did not end */
    const bool is_metrics = bytes_begin_with(line, "GET /metrics HTTP/1.");
    const char *length = strstr(taken, "\r\nContent-Length: ");
    const char *body = strstr(taken, "\r\n\r\n");
    REQUIRE(strncmp(taken, is_metrics ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 404 ", 13) == 0);
    REQUIRE(length && body && length < body && sscanf(length + 18, "%zu", &told) == 1);
    REQUIRE(told == size - (size_t)(body + 4 - taken));
    REQUIRE(strlen(taken) == size && !strstr(taken, FUZZ_VALUE));
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
    begin_again_at_times();
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    struct admin_reader reader = {.fd = ends[1], .pending = buf_limited(INPUT_BYTES_MAX + 1)};
    REQUIRE(admin_send(ends[0], input) && shutdown(ends[0], SHUT_WR) == 0);
    for (size_t i = 0; i < LINES_MAX && code == VAULT_OK; i++) {
        code = admin_read_line(&reader, &line, &err);
        if (code)
            break;
        buf_bytes(&all, buf_view(&line));
        buf_byte(&all, '\n');
        if (admin_is_http(buf_view(&line))) {
            answer_http(&reader, buf_view(&line), ends[0]);
            break;
        }
        answer(buf_view(&line));
    }
    REQUIRE(code == VAULT_OK || code == VAULT_NOT_FOUND);
    REQUIRE(all.size <= size && (!all.size || memcmp(all.data, data, all.size) == 0));
    buf_finish(&reader.pending);
    close(ends[0]);
    close(ends[1]);
    return 0;
}
