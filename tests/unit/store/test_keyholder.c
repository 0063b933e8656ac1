#include "test.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "refused_memory.h"
#include "store/keyholder_wire.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/jws.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/receipt_check.h"
#include "vault/store/keyholder.h"

#define ORIGIN      "test.example/log"
#define GENERATIONS 2U

/* A vault's folder, its keyholder in another process, and this end of the socket. */
static char dir[PATH_MAX];
static char key_path[PATH_MAX];
static struct keyring_provider provider = {.name = "file", .place = key_path};
static struct secret *recovery;
static struct keyholder *holder;
static pid_t pid;

static const char *const labels[] = {"vault/test/1", "vault/test/2"};
static const struct keyring_binding ada = {.owner = {0xad, 0xa0}, .version = 1, .use = "citizen"};

static void make_keyring(void)
{
    snprintf(dir, sizeof dir, "%s", test_folder());
    assert_done(file_join(key_path, sizeof key_path, dir, "provider.key", &test_error));
    secret_free(&recovery);
    assert_done(keyring_create(dir, &provider, &recovery, &test_error));
}

/* The child's code tells how serving ended. */
static int start_child(uint32_t unwraps_per_minute)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct keyholder_options options = {.dir = dir,
                                                  .origin = ORIGIN,
                                                  .provider = provider,
                                                  .unwraps_per_minute = unwraps_per_minute};
        close(pair[0]);
        const enum vault_code code = keyholder_serve(pair[1], &options, NULL);
        _exit((int)code);
    }
    close(pair[1]);
    return pair[0];
}

static void start(uint32_t unwraps_per_minute)
{
    make_keyring();
    assert_done(keyholder_of(start_child(unwraps_per_minute), &holder, &test_error));
}

/* How serving ended: a code, or -1 for a signal. */
static int ended(void)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void stop(void)
{
    keyholder_free(&holder);
    assert_int_equal(ended(), VAULT_OK);
}

static struct keyring *open_held(void)
{
    struct keyring *keyring = NULL;
    assert_done(keyring_open_held(holder, NULL, labels, 2, &keyring, &test_error));
    return keyring;
}

static struct keyring *open_here(void)
{
    struct keyring *keyring = NULL;
    assert_done(keyring_open(dir, &provider, &keyring, &test_error));
    return keyring;
}

static struct secret *fresh_key(void)
{
    struct secret *key = NULL;
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    return key;
}

static void wrap(const struct keyring *keyring, const struct secret *key, struct buf *out)
{
    assert_done(keyring_wrap(keyring, &ada, key, out, &test_error));
}

static void check_unwraps(const struct keyring *keyring, struct bytes wrapped,
                          const struct secret *key)
{
    VAULT_AUTO(secret_free) struct secret *back = NULL;
    assert_done(keyring_unwrap(keyring, &ada, wrapped, &back, &test_error));
    assert_true(secret_equal(secret_view(back), secret_view(key)));
}

static void test_what_a_keyholder_wraps_its_keyring_unwraps_and_the_other_way_round(void **state)
{
    (void)state;
    start(KEYHOLDER_UNWRAPS_PER_MINUTE);
    VAULT_AUTO(keyring_close) struct keyring *held = open_held();
    VAULT_AUTO(keyring_close) struct keyring *here = open_here();
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(buf_finish) struct buf by_holder = buf_limited(KEYRING_WRAPPED_BYTES);
    VAULT_AUTO(buf_finish) struct buf by_us = buf_limited(KEYRING_WRAPPED_BYTES);
    wrap(held, key, &by_holder);
    wrap(here, key, &by_us);
    check_unwraps(held, buf_view(&by_us), key);
    check_unwraps(here, buf_view(&by_holder), key);
    check_unwraps(held, buf_view(&by_holder), key);
    assert_int_equal(keyring_root_version(held), 1);
    assert_int_equal(keyring_root_count(held), 1);
    assert_memory_equal(keyring_vault(held), keyring_vault(here), KEYRING_OWNER_BYTES);
    keyring_close(&held);
    stop();
}

static void test_a_wrapped_key_of_another_owner_or_damaged_does_not_open(void **state)
{
    (void)state;
    start(KEYHOLDER_UNWRAPS_PER_MINUTE);
    VAULT_AUTO(keyring_close) struct keyring *held = open_held();
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(secret_free) struct secret *back = NULL;
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    wrap(held, key, &wrapped);
    struct keyring_binding other = ada;
    other.owner[0] ^= 1;
    assert_fails(VAULT_CORRUPT,
                 keyring_unwrap(held, &other, buf_view(&wrapped), &back, &test_error));
    other = ada;
    other.version = 2;
    assert_fails(VAULT_CORRUPT,
                 keyring_unwrap(held, &other, buf_view(&wrapped), &back, &test_error));
    wrapped.data[wrapped.size - 1] ^= 1;
    assert_fails(VAULT_CORRUPT, keyring_unwrap(held, &ada, buf_view(&wrapped), &back, &test_error));
    assert_non_null(strstr(test_error.text, "unwrapping a key"));
    assert_null(back);
    keyring_close(&held);
    stop();
}

static void test_it_gives_the_keys_that_were_asked_for_and_none_of_its_own(void **state)
{
    (void)state;
    static const char *const kept[] = {KEYRING_LABEL_LOG "1", KEYRING_LABEL_LOG "32",
                                       KEYRING_LABEL_OWN "1"};
    start(KEYHOLDER_UNWRAPS_PER_MINUTE);
    VAULT_AUTO(keyring_close) struct keyring *here = open_here();
    VAULT_AUTO(keyring_close) struct keyring *held = NULL;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        const char *const asked[] = {"vault/test/1", kept[i]};
        assert_fails(VAULT_DENIED, keyring_open_held(holder, NULL, asked, 2, &held, &test_error));
        assert_null(held);
    }
    held = open_held();
    for (size_t i = 0; i < 2; i++) {
        VAULT_AUTO(secret_free) struct secret *theirs = NULL;
        VAULT_AUTO(secret_free) struct secret *ours = NULL;
        assert_done(keyring_derive(held, labels[i], SECRET_KEY_BYTES, &theirs, &test_error));
        assert_done(keyring_derive(here, labels[i], SECRET_KEY_BYTES, &ours, &test_error));
        assert_true(secret_equal(secret_view(theirs), secret_view(ours)));
    }
    VAULT_AUTO(secret_free) struct secret *none = NULL;
    assert_fails(VAULT_DENIED,
                 keyring_derive(held, "vault/test/3", SECRET_KEY_BYTES, &none, &test_error));
    assert_fails(VAULT_DENIED,
                 keyring_derive(held, KEYRING_LABEL_LOG "1", SECRET_KEY_BYTES, &none, &test_error));
    keyring_close(&held);
    stop();
}

static enum vault_code sign_head(const struct note_signer *signer, uint64_t size, uint8_t root,
                                 uint8_t out[SIGN_SIGNATURE_BYTES])
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_TEXT_MAX_BYTES);
    const struct tree_hash hash = {.bytes = {root}};
    checkpoint_write_text(&text, ORIGIN, size, &hash);
    return sign_message(signer->pair, buf_view(&text), out, &test_error);
}

static void test_it_signs_heads_of_its_log_and_nothing_else(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "test.example/log\n", "any text\n",
        "other.example/log\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n",
        ORIGIN "\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\nmore\n"};
    start(KEYHOLDER_UNWRAPS_PER_MINUTE);
    VAULT_AUTO(keyring_close) struct keyring *held = open_held();
    VAULT_AUTO(keyring_close) struct keyring *here = open_here();
    for (uint32_t generation = 1; generation <= GENERATIONS; generation++) {
        uint8_t signature[SIGN_SIGNATURE_BYTES];
        uint8_t ours[SIGN_SIGNATURE_BYTES];
        VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
        VAULT_AUTO(note_signer_finish) struct note_signer local = {0};
        assert_done(keyring_log_signer(held, ORIGIN, generation, &signer, &test_error));
        assert_done(keyring_log_signer(here, ORIGIN, generation, &local, &test_error));
        assert_memory_equal(signer.key.public_key, local.key.public_key, SIGN_PUBLIC_BYTES);
        assert_memory_equal(signer.key.id, local.key.id, NOTE_KEY_ID_BYTES);
        assert_done(sign_head(&signer, 5, 1, signature));
        assert_done(sign_head(&local, 5, 1, ours));
        assert_memory_equal(signature, ours, sizeof signature); /* Ed25519 has one */
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
            assert_fails(VAULT_INVALID, sign_message(signer.pair, bytes_of_text(wrong[i]),
                                                     signature, &test_error));
    }
    keyring_close(&held);
    stop();
}

static void test_it_signs_receipts_of_its_log_and_no_other_signed_json(void **state)
{
    (void)state;
    char kid[RECEIPT_KID_CHARS + 1];
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    start(KEYHOLDER_UNWRAPS_PER_MINUTE);
    VAULT_AUTO(keyring_close) struct keyring *held = open_held();
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    VAULT_AUTO(buf_finish) struct buf jws = buf_limited(JWS_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf payload = buf_limited(JWS_PAYLOAD_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf large = buf_limited(JWS_PAYLOAD_MAX_BYTES);
    assert_done(keyring_log_signer(held, ORIGIN, 1, &signer, &test_error));
    receipt_kid(&signer.key, kid);
    while (large.size < 100 * 1024UL)
        buf_text(&large, "an invented receipt of a great length ");
    assert_done(jws_sign(signer.pair, kid, RECEIPT_TYPE, buf_view(&large), &jws, &test_error));
    assert_done(
        jws_verify(signer.key.public_key, RECEIPT_TYPE, buf_view(&jws), &payload, &test_error));
    assert_true(bytes_equal(buf_view(&payload), buf_view(&large)));

    buf_clear(&jws);
    assert_fails(VAULT_INVALID, jws_sign(signer.pair, kid, "JWT", BYTES("{}"), &jws, &test_error));
    assert_fails(VAULT_INVALID, jws_sign(signer.pair, "other+00000000", RECEIPT_TYPE, BYTES("{}"),
                                         &jws, &test_error));
    assert_done(jws_begin(kid, RECEIPT_TYPE, &jws, &test_error));
    buf_text(&jws, "not base64url\n");
    assert_fails(VAULT_INVALID, sign_message(signer.pair, buf_view(&jws), signature, &test_error));
    keyring_close(&held);
    stop();
}

static void test_it_signs_no_log_that_shrinks_or_forks_not_even_after_opening_again(void **state)
{
    (void)state;
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    start(KEYHOLDER_UNWRAPS_PER_MINUTE);
    VAULT_AUTO(keyring_close) struct keyring *held = NULL;
    for (int round = 0; round < 2; round++) {
        held = open_held();
        VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
        VAULT_AUTO(note_signer_finish) struct note_signer parting = {0};
        VAULT_AUTO(note_signer_finish) struct note_signer unused = {0};
        assert_done(keyring_log_signer(held, ORIGIN, 2, &signer, &test_error));
        assert_done(keyring_log_signer(held, ORIGIN, 7, &unused, &test_error));
        assert_done(keyring_log_signer(held, ORIGIN, 1, &parting, &test_error));
        assert_done(sign_head(&signer, 10, 1, signature));
        assert_done(sign_head(&signer, 10, 1, signature)); /* the same again is no harm */
        assert_fails(VAULT_CONFLICT, sign_head(&signer, 10, 2, signature));
        assert_fails(VAULT_CONFLICT, sign_head(&signer, 9, 1, signature));
        assert_fails(VAULT_CONFLICT, sign_head(&signer, 0, 0, signature));
        assert_done(sign_head(&parting, 10, 1, signature));
        assert_fails(VAULT_CONFLICT, sign_head(&parting, 8, 3, signature));
        assert_fails(VAULT_CONFLICT, sign_head(&unused, 5, 4, signature)); /* nor as its first */
        note_signer_finish(&signer);
        note_signer_finish(&parting);
        note_signer_finish(&unused);
        keyring_close(&held);
    }
    held = open_held();
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    assert_done(keyring_log_signer(held, ORIGIN, 2, &signer, &test_error));
    assert_done(sign_head(&signer, 11, 4, signature));
    struct keyholder_figures figures;
    assert_done(keyholder_figures(holder, &figures, &test_error));
    assert_int_equal(figures.refused, 10);
    assert_int_equal(figures.signatures, 7);
    keyring_close(&held);
    stop();
}

static void test_a_rotated_root_wraps_again_without_showing_a_key(void **state)
{
    (void)state;
    start(KEYHOLDER_UNWRAPS_PER_MINUTE);
    VAULT_AUTO(keyring_close) struct keyring *held = open_held();
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(buf_finish) struct buf before = buf_limited(KEYRING_WRAPPED_BYTES);
    VAULT_AUTO(buf_finish) struct buf after = buf_limited(KEYRING_WRAPPED_BYTES);
    struct keyholder_figures figures;
    wrap(held, key, &before);
    assert_done(keyring_rotate(held, dir, &provider, &test_error));
    assert_int_equal(keyring_root_version(held), 2);
    assert_int_equal(keyring_root_count(held), 2);
    assert_done(keyring_rewrap(held, &ada, buf_view(&before), &after, &test_error));
    assert_int_equal(keyring_wrapped_by(buf_view(&before)), 1);
    assert_int_equal(keyring_wrapped_by(buf_view(&after)), 2);
    assert_done(keyholder_figures(holder, &figures, &test_error));
    assert_int_equal(figures.unwrapped, 0);
    assert_int_equal(figures.wrapped, 2);
    assert_done(keyring_drop_former(held, dir, &test_error));
    assert_int_equal(keyring_root_count(held), 1);
    check_unwraps(held, buf_view(&after), key);
    VAULT_AUTO(secret_free) struct secret *none = NULL;
    assert_fails(VAULT_CORRUPT, keyring_unwrap(held, &ada, buf_view(&before), &none, &test_error));
    VAULT_AUTO(keyring_close) struct keyring *here = open_here();
    check_unwraps(here, buf_view(&after), key);
    keyring_close(&held);
    stop();
}

static void test_so_many_keys_a_minute_and_no_more(void **state)
{
    (void)state;
    start(60);
    VAULT_AUTO(keyring_close) struct keyring *held = open_held();
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(secret_free) struct secret *none = NULL;
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    struct keyholder_figures figures;
    wrap(held, key, &wrapped);
    int given = 0;
    enum vault_code code = VAULT_OK;
    while (code == VAULT_OK && given <= 70) {
        VAULT_AUTO(secret_free) struct secret *back = NULL;
        code = keyring_unwrap(held, &ada, buf_view(&wrapped), &back, &test_error);
        given += code == VAULT_OK;
    }
    assert_fails(VAULT_UNAVAILABLE, code);
    assert_non_null(strstr(test_error.text, "keyring.unwraps_per_minute"));
    assert_in_range(given, 60, 65); /* one comes back each second, on a slow machine too */
    assert_done(keyholder_figures(holder, &figures, &test_error));
    assert_int_equal(figures.unwrapped, given);
    assert_int_equal(figures.refused, 1);
    buf_clear(&wrapped);
    wrap(held, key, &wrapped); /* which shows nobody's key */
    keyring_close(&held);
    stop();
}

/* Who gives way has half of them at once, then one as each comes back, and is not refused. */
static void test_who_gives_way_waits_and_leaves_half_to_the_others(void **state)
{
    (void)state;
    start(120);
    VAULT_AUTO(keyring_close) struct keyring *held = open_held();
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    struct keyholder_figures figures;
    wrap(held, key, &wrapped);
    const int64_t begin_ms = clock_monotonic_ms();
    for (int i = 0; i < 63; i++) {
        VAULT_AUTO(secret_free) struct secret *back = NULL;
        assert_done(keyring_unwrap_giving_way(held, &ada, buf_view(&wrapped), &back, &test_error));
    }
    assert_true(clock_monotonic_ms() - begin_ms >= 1400); /* two a second, and three too many */
    for (int i = 0; i < 59; i++)
        check_unwraps(held, buf_view(&wrapped), key);
    assert_done(keyholder_figures(holder, &figures, &test_error));
    assert_int_equal(figures.unwrapped, 63 + 59);
    assert_int_equal(figures.refused, 0);
    keyring_close(&held);
    stop();
}

static void test_open_it_opens_no_second_time_and_closed_it_opens_again(void **state)
{
    (void)state;
    start(KEYHOLDER_UNWRAPS_PER_MINUTE);
    VAULT_AUTO(keyring_close) struct keyring *held = open_held();
    VAULT_AUTO(keyring_close) struct keyring *second = NULL;
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    assert_fails(VAULT_CONFLICT, keyring_open_held(holder, NULL, labels, 2, &second, &test_error));
    wrap(held, key, &wrapped);
    keyring_close(&held);
    held = open_held();
    check_unwraps(held, buf_view(&wrapped), key);
    keyring_close(&held);
    assert_int_equal(unlink(key_path), 0);
    assert_fails(VAULT_NOT_FOUND, keyring_open_held(holder, NULL, labels, 2, &held, &test_error));
    assert_null(held);
    stop();
}

/* A question as it is, past the worker's end that would not ask it. */
static uint8_t ask_raw(int socket, uint8_t kind, struct bytes plain, struct bytes secret)
{
    VAULT_AUTO(keyholder_frame_finish) struct keyholder_frame frame = {0};
    struct keyholder_in in;
    const struct keyholder_out out = {kind, plain, secret};
    assert_done(keyholder_frame_make(&frame, &test_error));
    assert_done(keyholder_send(socket, &out, &test_error));
    assert_done(keyholder_receive(socket, &frame, &in, &test_error));
    if (in.kind)
        assert_int_equal(in.secret.size, 0);
    return in.kind;
}

static void test_closed_every_question_is_unavailable_but_for_its_figures(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(file_close) int socket = start_child(60);
    VAULT_AUTO(buf_finish) struct buf plain = buf_limited(256);
    keyholder_write_binding(&plain, &ada);
    static const uint8_t kinds[] = {KEYHOLDER_ROTATE, KEYHOLDER_DROP_FORMER, KEYHOLDER_UNWRAP,
                                    KEYHOLDER_WRAP, KEYHOLDER_SIGN};
    for (size_t i = 0; i < sizeof kinds; i++)
        assert_int_equal(ask_raw(socket, kinds[i], buf_view(&plain), (struct bytes){0}),
                         VAULT_UNAVAILABLE);
    assert_int_equal(ask_raw(socket, KEYHOLDER_STATUS, (struct bytes){0}, (struct bytes){0}),
                     VAULT_OK);
    assert_int_equal(ask_raw(socket, KEYHOLDER_CLOSE, (struct bytes){0}, (struct bytes){0}),
                     VAULT_OK);
    file_close(&socket);
    assert_int_equal(ended(), VAULT_OK);
}

/* The seed's wrapped form stands in keyring.json: whoever could have it unwrapped had every key. */
static void test_only_citizens_keys_are_wrapped_and_unwrapped(void **state)
{
    (void)state;
    static const char *const uses[] = {"vault-seed", "", "citize", "citizens"};
    make_keyring();
    VAULT_AUTO(file_close) int socket = start_child(60);
    assert_int_equal(ask_raw(socket, KEYHOLDER_OPEN, (struct bytes){0}, (struct bytes){0}),
                     VAULT_OK);
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf plain = buf_limited(256);
        const struct keyring_binding binding = {.version = 1, .use = uses[i]};
        buf_byte(&plain, 0);
        keyholder_write_binding(&plain, &binding);
        for (size_t byte = 0; byte < KEYRING_WRAPPED_BYTES; byte++)
            buf_byte(&plain, 0);
        const struct bytes to_wrap = {plain.data + 1, plain.size - 1};
        assert_int_equal(ask_raw(socket, KEYHOLDER_UNWRAP, buf_view(&plain), (struct bytes){0}),
                         VAULT_DENIED);
        assert_int_equal(ask_raw(socket, KEYHOLDER_WRAP, to_wrap, (struct bytes){0}), VAULT_DENIED);
    }
    file_close(&socket);
    assert_int_equal(ended(), VAULT_OK);
}

static void test_malformed_questions_are_refused_and_it_goes_on(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(file_close) int socket = start_child(6000);
    assert_int_equal(ask_raw(socket, KEYHOLDER_OPEN, (struct bytes){0}, (struct bytes){0}),
                     VAULT_OK);
    for (unsigned kind = 0; kind <= UINT8_MAX; kind++) {
        /* Closing, rotating and the figures take nothing, and leave what is too much aside. */
        if (kind >= KEYHOLDER_CLOSE && kind <= KEYHOLDER_DROP_FORMER)
            continue;
        if (kind == KEYHOLDER_STATUS)
            continue;
        for (size_t size = 0; size < 96; size++) {
            uint8_t noise[96];
            random_bytes(noise, sizeof noise);
            assert_int_not_equal(
                ask_raw(socket, (uint8_t)kind, (struct bytes){noise, size}, BYTES("no key")),
                VAULT_OK);
        }
    }
    /* Packets that are no message at all end it, since nothing after them could be trusted. */
    assert_int_equal(send(socket, "x", 1, MSG_NOSIGNAL), 1);
    assert_int_equal(ended(), VAULT_INVALID);
}

static void test_a_keyholder_that_is_gone_is_gone_for_good(void **state)
{
    (void)state;
    start(60);
    VAULT_AUTO(keyring_close) struct keyring *held = open_held();
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(ended(), -1);
    for (int i = 0; i < 3; i++)
        assert_fails(VAULT_UNAVAILABLE, keyring_wrap(held, &ada, key, &wrapped, &test_error));
    assert_non_null(strstr(test_error.text, "keyholder"));
    struct keyholder_figures figures;
    assert_fails(VAULT_UNAVAILABLE, keyholder_figures(holder, &figures, &test_error));
    keyring_close(&held);
    keyholder_free(&holder);
}

static void test_a_keyholder_that_does_not_answer_is_given_up(void **state)
{
    (void)state;
    int pair[2];
    struct keyholder_figures figures;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    VAULT_AUTO(file_close) int silent = pair[1];
    assert_done(keyholder_of(pair[0], &holder, &test_error));
    assert_false(keyholder_is_lost(holder));
    assert_fails(VAULT_UNAVAILABLE, keyholder_figures(holder, &figures, &test_error));
    assert_true(keyholder_is_lost(holder));
    /* An answer that comes late is nobody's. */
    const struct keyholder_out late = {.kind = VAULT_OK};
    assert_done(keyholder_send(silent, &late, &test_error));
    assert_fails(VAULT_UNAVAILABLE, keyholder_figures(holder, &figures, &test_error));
    keyholder_free(&holder);
}

/* What is asked of one keyholder, the first answer to come in it among that. */
static enum vault_code ask_some(void)
{
    VAULT_AUTO(keyring_close) struct keyring *held = NULL;
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_AUTO(secret_free) struct secret *back = NULL;
    struct keyholder_figures figures;
    VAULT_TRY(keyholder_figures(holder, &figures, &test_error));
    VAULT_TRY(keyring_open_held(holder, NULL, labels, 2, &held, &test_error));
    VAULT_TRY(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    VAULT_TRY(keyring_wrap(held, &ada, key, &wrapped, &test_error));
    return keyring_unwrap(held, &ada, buf_view(&wrapped), &back, &test_error);
}

static void test_a_moment_without_memory_loses_nobody_their_keyholder(void **state)
{
    (void)state;
    unsigned nth = 0;
    for (bool was_refused = true; was_refused; nth++) {
        start(KEYHOLDER_UNWRAPS_PER_MINUTE);
        refuse_memory(nth, 1);
        const enum vault_code code = ask_some();
        was_refused = refused_memory_left() == 0;
        assert_int_equal(code, was_refused ? VAULT_NO_MEMORY : VAULT_OK);
        assert_false(keyholder_is_lost(holder));
        assert_done(ask_some());
        stop();
    }
    assert_true(nth > 1);
}

struct asker {
    const struct keyring *keyring;
    struct bytes wrapped;
    const struct secret *key;
    _Atomic int wrong;
};

static void *ask_often(void *context)
{
    struct asker *asker = context;
    for (int i = 0; i < 200; i++) {
        VAULT_AUTO(secret_free) struct secret *back = NULL;
        if (keyring_unwrap(asker->keyring, &ada, asker->wrapped, &back, NULL) ||
            !secret_equal(secret_view(back), secret_view(asker->key)))
            asker->wrong++;
    }
    return NULL;
}

static void test_threads_share_a_keyholder(void **state)
{
    (void)state;
    start(KEYHOLDER_UNWRAPS_PER_MINUTE);
    VAULT_AUTO(keyring_close) struct keyring *held = open_held();
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    pthread_t threads[8];
    wrap(held, key, &wrapped);
    struct asker asker = {held, buf_view(&wrapped), key, 0};
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &asker), 0);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(asker.wrong, 0);
    keyring_close(&held);
    stop();
}

static void test_a_passphrase_is_lent_for_opening_and_rotating(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *right = NULL;
    VAULT_AUTO(secret_free) struct secret *wrong = NULL;
    VAULT_AUTO(keyring_close) struct keyring *held = NULL;
    assert_done(secret_copy(BYTES("an invented passphrase"), &right, &test_error));
    assert_done(secret_copy(BYTES("another passphrase"), &wrong, &test_error));
    provider = (struct keyring_provider){.name = "passphrase", .secret = right};
    make_keyring();
    provider.secret = NULL;
    assert_done(keyholder_of(start_child(60), &holder, &test_error));
    assert_fails(VAULT_UNAVAILABLE, keyring_open_held(holder, NULL, labels, 2, &held, &test_error));
    assert_fails(VAULT_DENIED, keyring_open_held(holder, wrong, labels, 2, &held, &test_error));
    assert_done(keyring_open_held(holder, right, labels, 2, &held, &test_error));
    struct keyring_provider given = {.name = "passphrase", .secret = wrong};
    assert_fails(VAULT_DENIED, keyring_rotate(held, dir, &given, &test_error));
    assert_int_equal(keyring_root_version(held), 1);
    given.secret = right;
    assert_done(keyring_rotate(held, dir, &given, &test_error));
    assert_int_equal(keyring_root_version(held), 2);
    keyring_close(&held);
    stop();
    provider = (struct keyring_provider){.name = "file", .place = key_path};
}

int main(void)
{
    json_start();
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(test_what_a_keyholder_wraps_its_keyring_unwraps_and_the_other_way_round,
                    test_a_wrapped_key_of_another_owner_or_damaged_does_not_open,
                    test_it_gives_the_keys_that_were_asked_for_and_none_of_its_own,
                    test_it_signs_heads_of_its_log_and_nothing_else,
                    test_it_signs_receipts_of_its_log_and_no_other_signed_json,
                    test_it_signs_no_log_that_shrinks_or_forks_not_even_after_opening_again,
                    test_a_rotated_root_wraps_again_without_showing_a_key,
                    test_so_many_keys_a_minute_and_no_more,
                    test_who_gives_way_waits_and_leaves_half_to_the_others,
                    test_open_it_opens_no_second_time_and_closed_it_opens_again,
                    test_closed_every_question_is_unavailable_but_for_its_figures,
                    test_only_citizens_keys_are_wrapped_and_unwrapped,
                    test_malformed_questions_are_refused_and_it_goes_on,
                    test_a_keyholder_that_is_gone_is_gone_for_good,
                    test_a_keyholder_that_does_not_answer_is_given_up,
                    test_a_moment_without_memory_loses_nobody_their_keyholder,
                    test_threads_share_a_keyholder,
                    test_a_passphrase_is_lent_for_opening_and_rotating);
}
