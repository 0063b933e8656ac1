/*
 * What a keyholder that is none, or was taken over, can answer its worker: packets, as many as it
 * likes. An input is a row of them, each with a byte for its code, two for the size of the plain
 * part, two for that of the secret part, and the parts; where the code's highest bit is set the
 * plain part is sent as it is, head and all. If the input's first byte is odd, an answer that opens
 * the keyring goes before them.
 *
 * The worker asks what a vault asks. Whatever comes, it gets a key, a wrapped key or a signature of
 * the right size, or nothing and words; after an answer that is no message, nothing any more.
 */
#include "fuzz_tools.h"

#include <sys/socket.h>

#include "store/keyholder_wire.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/note.h"
#include "vault/store/keyholder.h"

#define ORIGIN      "test.example/log"
#define ANSWERS_MAX 10U
#define PACKET_MAX  8192U
#define RAW         0x80
#define OPENED      (KEYRING_OWNER_BYTES + 8 + KEYRING_LOG_KEYS * SIGN_PUBLIC_BYTES)

static const char *const labels[] = {"fuzz/one/1", "fuzz/two/1"};
#define LABELS (sizeof labels / sizeof labels[0])

static const struct keyring_binding binding = {
    .owner = {1}, .version = 1, .use = KEYRING_USE_CITIZEN};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
    return 0;
}

/* --- Answering, before anything is asked ----------------------------------------------------- */

static void send_opened(int socket)
{
    static const uint8_t plain[OPENED] = {7};
    static const uint8_t keys[LABELS * SECRET_KEY_BYTES] = {1};
    const struct keyholder_out answer = {VAULT_OK, {plain, sizeof plain}, {keys, sizeof keys}};
    REQUIRE(keyholder_send(socket, &answer, NULL) == VAULT_OK);
}

static bool send_next(int socket, struct cursor *input)
{
    const uint8_t code = cursor_u8(input);
    const size_t plain_size = cursor_u16(input) % PACKET_MAX;
    const size_t secret_size = cursor_u16(input) % (KEYHOLDER_SECRET_MAX_BYTES + 1);
    const struct bytes plain = cursor_take(input, plain_size);
    const struct bytes secret = cursor_take(input, secret_size);
    if (input->truncated)
        return false;
    if (code & RAW)
        return plain.size && send(socket, plain.data, plain.size, MSG_NOSIGNAL) > 0;
    const struct keyholder_out answer = {code, plain, secret};
    return keyholder_send(socket, &answer, NULL) == VAULT_OK;
}

static void send_all(int socket, struct bytes data)
{
    struct cursor input = cursor_over(data);
    if (cursor_u8(&input) & 1)
        send_opened(socket);
    for (size_t i = 0; i < ANSWERS_MAX && input.left && send_next(socket, &input); i++)
        continue;
    shutdown(socket, SHUT_WR); /* so that the worker waits for no more */
}

/* --- Asking ---------------------------------------------------------------------------------- */

static void ask_for_keys(struct keyring *keyring, struct keyholder *holder)
{
    static const uint8_t wrapped[KEYRING_WRAPPED_BYTES] = {0, 0, 0, 1};
    struct secret *derived = NULL;
    struct secret *key = NULL;
    VAULT_AUTO(secret_free) struct secret *fresh = NULL;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(4096);
    REQUIRE(keyring_derive(keyring, labels[1], SECRET_KEY_BYTES, &derived, NULL) == VAULT_OK);
    REQUIRE(secret_view(derived).size == SECRET_KEY_BYTES);
    secret_free(&derived);
    REQUIRE(keyring_derive(keyring, "fuzz/other/1", SECRET_KEY_BYTES, &derived, NULL) ==
            VAULT_DENIED);
    REQUIRE(!derived);
    REQUIRE(secret_random(SECRET_KEY_BYTES, &fresh, NULL) == VAULT_OK);
    const enum vault_code wraps = keyring_wrap(keyring, &binding, fresh, &out, NULL);
    REQUIRE(out.size == (wraps == VAULT_OK ? KEYRING_WRAPPED_BYTES : 0));
    const enum vault_code unwraps =
        keyring_unwrap(keyring, &binding, (struct bytes){wrapped, sizeof wrapped}, &key, NULL);
    REQUIRE((key != NULL) == (unwraps == VAULT_OK));
    REQUIRE(!key || secret_view(key).size == SECRET_KEY_BYTES);
    secret_free(&key);
    buf_clear(&out);
    const enum vault_code again =
        keyring_rewrap(keyring, &binding, (struct bytes){wrapped, sizeof wrapped}, &out, NULL);
    REQUIRE(out.size == (again == VAULT_OK ? KEYRING_WRAPPED_BYTES : 0));
    REQUIRE(!keyholder_is_lost(holder) || again != VAULT_OK);
}

static void ask_to_sign(struct keyring *keyring)
{
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(4096);
    if (keyring_log_signer(keyring, ORIGIN, 1, &signer, NULL) != VAULT_OK)
        return;
    const enum vault_code code =
        note_sign(bytes_of_text("test.example/log\n1\n"), &signer, &out, NULL);
    REQUIRE(code != VAULT_OK || out.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2];
    struct keyholder *holder = NULL;
    struct keyring *keyring = NULL;
    struct keyholder_figures figures;
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    send_all(ends[1], (struct bytes){data, size});
    REQUIRE(keyholder_of(ends[0], &holder, NULL) == VAULT_OK);
    const enum vault_code code = keyring_open_held(holder, NULL, labels, LABELS, &keyring, NULL);
    REQUIRE((keyring != NULL) == (code == VAULT_OK));
    if (keyring) {
        ask_for_keys(keyring, holder);
        ask_to_sign(keyring);
        if (keyring_drop_former(keyring, "/nowhere", NULL) == VAULT_OK)
            REQUIRE(!keyholder_is_lost(holder));
        const bool was_lost = keyholder_is_lost(holder);
        const enum vault_code told = keyholder_figures(holder, &figures, NULL);
        REQUIRE(!was_lost || told == VAULT_UNAVAILABLE);
    }
    keyring_close(&keyring);
    keyholder_free(&holder);
    close(ends[1]);
    return 0;
}
