/*
 * What a worker that was taken over can send its keyholder: packets, as many as it likes. An input
 * is a row of them, each with a byte for its kind, two for the size of the plain part, one for that
 * of the secret part, and the parts; where the kind's highest bit is set the plain part is sent as
 * it is, head and all.
 *
 * Every message has one answer, until one that is none ends the service. No key comes back but
 * those asked for by name, and none of the log's or the keyring's; nothing is signed that is not a
 * head of this log or a receipt of it, and of heads only such as grow; what nobody wrapped is not
 * unwrapped.
 */
#include "fuzz_tools.h"

#include <sys/socket.h>

#include "store/keyholder_wire.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/note.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/receipt_check.h"
#include "vault/store/keyholder.h"

#define ORIGIN       "test.example/log"
#define MESSAGES_MAX 12U
#define PACKET_MAX   4096U
#define RAW          0x80

struct sent {
    bool is_message; /* in its form, as the head says */
    uint8_t kind;
    struct bytes plain;
    struct bytes secret;
};

static char key_path[PATH_MAX];
static struct keyring_provider provider = {.name = "file", .place = key_path};
static struct keyholder_frame frame;
static struct note_signer log_keys[KEYRING_LOG_KEYS]; /* whose public halves are needed */

static void forget_keys(void)
{
    keyholder_frame_finish(&frame);
    for (size_t i = 0; i < KEYRING_LOG_KEYS; i++)
        note_signer_finish(&log_keys[i]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    VAULT_AUTO(secret_free) struct secret *recovery = NULL;
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    json_start();
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
    scratch_start();
    scratch_path(key_path, "provider.key");
    REQUIRE(keyring_create(scratch_dir, &provider, &recovery, NULL) == VAULT_OK);
    REQUIRE(keyring_open(scratch_dir, &provider, &keyring, NULL) == VAULT_OK);
    for (uint32_t i = 0; i < KEYRING_LOG_KEYS; i++)
        REQUIRE(keyring_log_signer(keyring, ORIGIN, i + 1, &log_keys[i], NULL) == VAULT_OK);
    REQUIRE(keyholder_frame_make(&frame, NULL) == VAULT_OK);
    atexit(forget_keys);
    return 0;
}

/* --- Sending --------------------------------------------------------------------------------- */

/* A raw packet as the keyholder has to read it. */
static void read_raw(struct bytes packet, struct sent *out)
{
    struct cursor head = cursor_over(packet);
    out->kind = cursor_u8(&head);
    const size_t plain = cursor_u32(&head);
    const size_t secret = cursor_u16(&head);
    out->is_message = !head.truncated && plain <= head.left && secret == head.left - plain &&
                      secret <= KEYHOLDER_SECRET_MAX_BYTES;
    out->plain = cursor_take(&head, plain);
    out->secret = cursor_take(&head, secret);
}

static bool send_next(int socket, struct cursor *input, struct sent *out)
{
    const uint8_t kind = cursor_u8(input);
    const size_t plain_size = cursor_u16(input) % PACKET_MAX;
    const size_t secret_size = cursor_u8(input);
    *out = (struct sent){.is_message = true, .kind = kind};
    out->plain = cursor_take(input, plain_size);
    out->secret = cursor_take(input, secret_size);
    if (input->truncated)
        return false;
    if (!(kind & RAW)) {
        const struct keyholder_out message = {kind, out->plain, out->secret};
        return keyholder_send(socket, &message, NULL) == VAULT_OK;
    }
    const struct bytes packet = out->plain;
    read_raw(packet, out);
    return packet.size && send(socket, packet.data, packet.size, MSG_NOSIGNAL) > 0;
}

/* --- What came of it ------------------------------------------------------------------------- */

static void tell(bool is_trouble, const char *text)
{
    (void)is_trouble;
    REQUIRE(text[0] && !strchr(text, '\n') && !strstr(text, FUZZ_VALUE));
}

static bool begins_with(struct bytes label, const char *beginning)
{
    return label.size >= strlen(beginning) && memcmp(label.data, beginning, strlen(beginning)) == 0;
}

static void check_keys(const struct sent *sent, const struct keyholder_in *answer)
{
    size_t labels = 0;
    struct cursor cursor = cursor_over(sent->plain);
    for (; cursor.left; labels++) {
        const struct bytes label = cursor_take(&cursor, cursor_u8(&cursor));
        REQUIRE(!begins_with(label, KEYRING_LABEL_LOG) && !begins_with(label, KEYRING_LABEL_OWN));
    }
    REQUIRE(!cursor.truncated && answer->secret.size == labels * SECRET_KEY_BYTES);
    REQUIRE(answer->plain.size == KEYRING_OWNER_BYTES + 8 + KEYRING_LOG_KEYS * SIGN_PUBLIC_BYTES);
}

struct head {
    bool is_known;
    uint64_t size;
    struct tree_hash root;
};

static void check_signed(const struct sent *sent, const struct keyholder_in *answer,
                         struct head last[KEYRING_LOG_KEYS])
{
    struct head head = {.is_known = true};
    struct cursor cursor = cursor_over(sent->plain);
    const uint32_t generation = cursor_u32(&cursor);
    const struct bytes text = cursor_take(&cursor, cursor.left);
    REQUIRE(generation >= 1 && generation <= KEYRING_LOG_KEYS);
    const struct note_key *key = &log_keys[generation - 1].key;
    REQUIRE(answer->plain.size == SIGN_SIGNATURE_BYTES && answer->secret.size == 0);
    REQUIRE(sign_verify(key->public_key, text, answer->plain.data, NULL) == VAULT_OK);
    if (receipt_text_check(text, key, NULL) == VAULT_OK)
        return;
    struct head *before = &last[generation - 1];
    REQUIRE(checkpoint_read_text(text, ORIGIN, &head.size, &head.root, NULL) == VAULT_OK);
    REQUIRE(!before->is_known || head.size > before->size ||
            (head.size == before->size && tree_hash_equal(&head.root, &before->root)));
    *before = head;
}

static void check_answer(const struct sent *sent, const struct keyholder_in *answer,
                         struct head last[KEYRING_LOG_KEYS])
{
    REQUIRE(answer->kind < VAULT_CODE_COUNT);
    if (answer->kind != VAULT_OK) {
        REQUIRE(answer->secret.size == 0 && answer->plain.size);
        REQUIRE(!memmem(answer->plain.data, answer->plain.size, FUZZ_VALUE, strlen(FUZZ_VALUE)));
        return;
    }
    REQUIRE(sent->kind > 0 && sent->kind < KEYHOLDER_KIND_COUNT);
    REQUIRE(sent->kind != KEYHOLDER_UNWRAP);
    if (sent->kind == KEYHOLDER_OPEN)
        check_keys(sent, answer);
    else if (sent->kind == KEYHOLDER_SIGN)
        check_signed(sent, answer, last);
    else
        REQUIRE(answer->secret.size == 0);
    if (sent->kind == KEYHOLDER_WRAP)
        REQUIRE(answer->plain.size == KEYRING_WRAPPED_BYTES && sent->secret.size);
}

static void take_answer(int socket, const struct sent *sent, struct head last[KEYRING_LOG_KEYS])
{
    struct keyholder_in answer;
    REQUIRE(keyholder_receive(socket, &frame, &answer, NULL) == VAULT_OK);
    check_answer(sent, &answer, last);
    keyholder_frame_wipe(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2];
    struct sent sent[MESSAGES_MAX];
    struct head last[KEYRING_LOG_KEYS] = {{0}};
    struct cursor input = cursor_over((struct bytes){data, size});
    struct vault_error err = {.text = ""};
    size_t count = 0;
    bool whole = true;
    const struct keyholder_options options = {.dir = scratch_dir,
                                              .origin = ORIGIN,
                                              .provider = provider,
                                              .unwraps_per_minute = 3,
                                              .tell = tell};
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    while (input.left && count < MESSAGES_MAX && send_next(ends[0], &input, &sent[count]))
        count++;
    shutdown(ends[0], SHUT_WR);
    const enum vault_code code = keyholder_serve(ends[1], &options, &err);
    for (size_t i = 0; i < count && whole; i++) {
        whole = sent[i].is_message;
        if (whole)
            take_answer(ends[0], &sent[i], last);
    }
    REQUIRE(recv(ends[0], &(char){0}, 1, MSG_DONTWAIT) < 0);
    REQUIRE(code == (whole ? VAULT_OK : VAULT_INVALID));
    if (code)
        require_silent(&err);
    close(ends[0]);
    close(ends[1]);
    return 0;
}
