/* Rotating, dropping, moving to another provider, and the first format of the file. */
#include "test.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/keyring_file.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/store/keyring.h"

static char dir[PATH_MAX];
static char key_path[PATH_MAX];
static char other_path[PATH_MAX];
static char file_path[PATH_MAX];
static const struct keyring_provider provider = {.name = "file", .place = key_path};
static const struct keyring_provider other = {.name = "file", .place = other_path};
static struct secret *recovery;
static struct keyring *keyring;

static const struct keyring_binding ada = {.owner = {0xad, 0xa0}, .version = 1, .use = "citizen"};

static void fresh_folder(void)
{
    keyring_close(&keyring);
    secret_free(&recovery);
    snprintf(dir, sizeof dir, "%s", test_folder());
    snprintf(key_path, sizeof key_path, "%s/provider.key", dir);
    snprintf(other_path, sizeof other_path, "%s/other.key", dir);
    snprintf(file_path, sizeof file_path, "%s/" KEYRING_FILE, dir);
}

static void open_with(const struct keyring_provider *with)
{
    keyring_close(&keyring);
    assert_done(keyring_open(dir, with, &keyring, &test_error));
}

static void begin(void)
{
    fresh_folder();
    assert_done(keyring_create(dir, &provider, &recovery, &test_error));
    open_with(&provider);
}

static struct buf content_of(const char *path)
{
    struct buf content = buf_limited(8192);
    assert_done(file_read(path, &content, &test_error));
    return content;
}

static struct bytes recovery_text(void)
{
    return bytes_of_text((const char *)secret_view(recovery).data);
}

/* A key of Ada's, wrapped by the newest root. */
static struct secret *ada_key;
static uint8_t ada_wrapped[KEYRING_WRAPPED_BYTES];

static void wrap_for_ada(void)
{
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    secret_free(&ada_key);
    assert_done(secret_random(SECRET_KEY_BYTES, &ada_key, &test_error));
    assert_done(keyring_wrap(keyring, &ada, ada_key, &wrapped, &test_error));
    memcpy(ada_wrapped, wrapped.data, sizeof ada_wrapped);
}

static enum vault_code try_unwrap(void)
{
    VAULT_AUTO(secret_free) struct secret *back = NULL;
    const struct bytes wrapped = {ada_wrapped, sizeof ada_wrapped};
    const enum vault_code code = keyring_unwrap(keyring, &ada, wrapped, &back, &test_error);
    assert_true((back != NULL) == (code == VAULT_OK));
    if (back)
        assert_true(secret_equal(secret_view(back), secret_view(ada_key)));
    return code;
}

static void rotate(void)
{
    assert_done(keyring_rotate(keyring, dir, &provider, &test_error));
}

static void derive(uint8_t out[32])
{
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    assert_done(keyring_derive(keyring, "vault/test/1", 32, &key, &test_error));
    memcpy(out, secret_view(key).data, 32);
}

static void test_a_rotated_keyring_wraps_by_the_new_root_and_unwraps_by_both(void **state)
{
    (void)state;
    begin();
    wrap_for_ada();
    rotate();
    assert_int_equal(keyring_root_version(keyring), 2);
    assert_int_equal(keyring_root_count(keyring), 2);
    assert_done(try_unwrap());
    assert_int_equal(keyring_wrapped_by((struct bytes){ada_wrapped, 64}), 1);
    wrap_for_ada();
    assert_int_equal(keyring_wrapped_by((struct bytes){ada_wrapped, 64}), 2);
    assert_done(try_unwrap());
}

static void test_after_reopening_both_roots_are_there_and_derived_keys_as_before(void **state)
{
    (void)state;
    uint8_t before[32];
    uint8_t after[32];
    begin();
    derive(before);
    wrap_for_ada();
    rotate();
    derive(after);
    assert_memory_equal(before, after, 32);
    open_with(&provider);
    derive(after);
    assert_memory_equal(before, after, 32);
    assert_int_equal(keyring_root_version(keyring), 2);
    assert_done(try_unwrap());
}

static void test_the_recovery_secret_opens_roots_that_were_made_without_it(void **state)
{
    (void)state;
    begin();
    wrap_for_ada();
    rotate();
    rotate();
    assert_int_equal(unlink(key_path), 0);
    assert_done(keyring_recover(dir, recovery_text(), &other, &test_error));
    open_with(&other);
    assert_int_equal(keyring_root_version(keyring), 3);
    assert_int_equal(keyring_root_count(keyring), 3);
    assert_done(try_unwrap());
    wrap_for_ada();
    assert_done(try_unwrap());
}

static void test_there_are_so_many_roots_and_no_more(void **state)
{
    (void)state;
    begin();
    for (int i = 1; i < KEYRING_ROOTS_MAX; i++)
        rotate();
    VAULT_AUTO(buf_finish) struct buf before = content_of(file_path);
    assert_fails(VAULT_CONFLICT, keyring_rotate(keyring, dir, &provider, &test_error));
    assert_non_null(strstr(test_error.text, "rewrap"));
    VAULT_AUTO(buf_finish) struct buf after = content_of(file_path);
    assert_true(bytes_equal(buf_view(&before), buf_view(&after)));
    open_with(&provider);
    assert_int_equal(keyring_root_count(keyring), KEYRING_ROOTS_MAX);
}

static void test_dropped_roots_are_gone_from_memory_and_disk(void **state)
{
    (void)state;
    begin();
    wrap_for_ada();
    rotate();
    rotate();
    assert_done(keyring_drop_former(keyring, dir, &test_error));
    assert_int_equal(keyring_root_version(keyring), 3);
    assert_int_equal(keyring_root_count(keyring), 1);
    assert_fails(VAULT_CORRUPT, try_unwrap());
    assert_non_null(strstr(test_error.text, "version 1"));
    open_with(&provider);
    assert_int_equal(keyring_root_version(keyring), 3);
    assert_fails(VAULT_CORRUPT, try_unwrap());
    assert_done(keyring_drop_former(keyring, dir, &test_error)); /* nothing to drop is fine */
    rotate();
    assert_int_equal(keyring_root_version(keyring), 4);
}

/* What the former root opens is nothing of the new keyring: a thief of it gains nothing new. */
static void test_the_file_has_nothing_left_of_a_dropped_root(void **state)
{
    (void)state;
    struct keyring_file first;
    struct keyring_file last;
    begin();
    assert_done(keyring_file_read(dir, &first, &test_error));
    rotate();
    assert_done(keyring_drop_former(keyring, dir, &test_error));
    assert_done(keyring_file_read(dir, &last, &test_error));
    assert_int_equal(last.root_count, 1);
    assert_memory_not_equal(first.roots[0].by_provider, last.roots[0].by_provider, 60);
    assert_memory_not_equal(first.seed, last.seed, sizeof last.seed);
    assert_memory_equal(first.recovery, last.recovery, sizeof last.recovery);
}

static void assert_rotation_refused(enum vault_code code, const struct keyring_provider *with)
{
    VAULT_AUTO(buf_finish) struct buf before = content_of(file_path);
    assert_fails(code, keyring_rotate(keyring, dir, with, &test_error));
    VAULT_AUTO(buf_finish) struct buf after = content_of(file_path);
    assert_true(bytes_equal(buf_view(&before), buf_view(&after)));
    assert_int_equal(keyring_root_version(keyring), 1);
}

static void test_a_wrong_or_missing_provider_rotates_nothing(void **state)
{
    (void)state;
    const struct keyring_provider stranger = {.name = "passphrase"};
    begin();
    assert_rotation_refused(VAULT_NOT_FOUND, &other);
    assert_done(
        file_create(other_path, BYTES("thirty-two bytes of another key!"), 0600, &test_error));
    assert_rotation_refused(VAULT_DENIED, &other);
    assert_non_null(strstr(test_error.text, "provider's key"));
    assert_rotation_refused(VAULT_DENIED, &stranger);
    assert_non_null(strstr(test_error.text, "provider file, not by passphrase"));
}

static void test_a_keyring_that_another_process_changed_is_left_alone(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(keyring_close) struct keyring *elsewhere = NULL;
    assert_done(keyring_open(dir, &provider, &elsewhere, &test_error));
    assert_done(keyring_rotate(elsewhere, dir, &provider, &test_error));
    assert_rotation_refused(VAULT_CONFLICT, &provider);
    assert_fails(VAULT_CONFLICT, keyring_drop_former(keyring, dir, &test_error));
    open_with(&provider);
    rotate();
    assert_int_equal(keyring_root_version(keyring), 3);
}

static void test_a_keyring_of_another_vault_is_left_alone(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(buf_finish) struct buf foreign = content_of(file_path);
    begin();
    assert_done(file_replace(file_path, buf_view(&foreign), 0600, &test_error));
    assert_rotation_refused(VAULT_CONFLICT, &provider);
    assert_fails(VAULT_CONFLICT, keyring_drop_former(keyring, dir, &test_error));
}

static void test_a_keyring_that_cannot_be_replaced_stays(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(buf_finish) struct buf before = content_of(file_path);
    assert_int_equal(unlink(file_path), 0);
    assert_int_equal(mkdir(file_path, 0700), 0);
    assert_true(keyring_rotate(keyring, dir, &provider, &test_error) != VAULT_OK);
    assert_int_equal(keyring_root_version(keyring), 1);
    assert_int_equal(rmdir(file_path), 0);
    assert_done(file_create(file_path, buf_view(&before), 0600, &test_error));
    rotate();
}

static void test_a_moved_keyring_opens_with_the_new_key_and_not_the_old(void **state)
{
    (void)state;
    begin();
    wrap_for_ada();
    rotate();
    assert_done(keyring_move(dir, &provider, &other, &test_error));
    struct keyring *none = NULL;
    assert_fails(VAULT_DENIED, keyring_open(dir, &provider, &none, &test_error));
    open_with(&other);
    assert_int_equal(keyring_root_count(keyring), 2);
    assert_done(try_unwrap());
    assert_int_equal(unlink(other_path), 0);
    assert_int_equal(unlink(key_path), 0);
    assert_done(keyring_recover(dir, recovery_text(), &provider, &test_error));
}

static void test_a_move_that_is_refused_changes_nothing_and_leaves_no_key(void **state)
{
    (void)state;
    const struct keyring_provider nowhere = {.name = "file", .place = "/nonexistent-folder/key"};
    const struct keyring_provider unknown = {.name = "cloud", .place = other_path};
    begin();
    VAULT_AUTO(buf_finish) struct buf before = content_of(file_path);
    assert_fails(VAULT_CONFLICT, keyring_move(dir, &provider, &provider, &test_error));
    assert_fails(VAULT_NOT_FOUND, keyring_move(dir, &provider, &nowhere, &test_error));
    assert_fails(VAULT_INVALID, keyring_move(dir, &provider, &unknown, &test_error));
    assert_fails(VAULT_NOT_FOUND, keyring_move(dir, &other, &provider, &test_error));
    assert_false(file_exists(other_path));
    VAULT_AUTO(buf_finish) struct buf after = content_of(file_path);
    assert_true(bytes_equal(buf_view(&before), buf_view(&after)));
    open_with(&provider);
}

/* --- Many at once --------------------------------------------------------------------------- */

static atomic_bool stopping;

static void *wrap_and_unwrap(void *context)
{
    _Atomic unsigned *wrong = context;
    while (!atomic_load(&stopping)) {
        VAULT_AUTO(secret_free) struct secret *key = NULL;
        VAULT_AUTO(secret_free) struct secret *back = NULL;
        VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
        if (secret_random(SECRET_KEY_BYTES, &key, NULL) ||
            keyring_wrap(keyring, &ada, key, &wrapped, NULL) ||
            keyring_unwrap(keyring, &ada, buf_view(&wrapped), &back, NULL) ||
            !secret_equal(secret_view(key), secret_view(back)))
            ++*wrong;
    }
    return NULL;
}

static void test_rotating_disturbs_nobody_who_wraps_meanwhile(void **state)
{
    (void)state;
    pthread_t threads[3];
    _Atomic unsigned wrong = 0;
    begin();
    atomic_store(&stopping, false);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wrap_and_unwrap, &wrong), 0);
    for (int i = 1; i < KEYRING_ROOTS_MAX; i++)
        rotate();
    atomic_store(&stopping, true);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(wrong, 0);
}

/* --- The first format ----------------------------------------------------------------------- */

/* Of an invented vault, as the program wrote it then. */
static const char first_format[] =
    "{\"format\":\"citizen-vault-keyring/1\",\n"
    " \"vault\":\"5337ac09324b5454795d91e1694c57b0\",\n"
    " \"root\":1,\n"
    " \"wraps\":[{\"by\":\"file\",\"check\":\"6e1687a885e515d7\",\"sealed\":\""
    "AfrxsmaeDgoZDhBayRmoZ63XCEanW8zeK0OaGcM4YHBqfsqbfIoj5BOS2PEKbQl5cvyXx+fo5yTZCUUP\"},\n"
    "  {\"by\":\"recovery\",\"check\":\"eacb4bb65cfcc729\",\"sealed\":\""
    "mUo76iOjKzqvunR6nnWWF+wKakzVr8iRlmrUWA+/DIreY1Vr7h4upnItkt1E6wwQddM+8w5y35B4Fm4X\"}],\n"
    " \"seed\":\"AAAAAXevKmJgE6r6WqfhfUgR2Lx8Qv3SgsEro7goAsXSm+wc6ccyyQ8aiY83pTq2AbjI2JHJqrUmd9nL"
    "A8Zg/g==\",\n"
    " \"mac\":\"b7xp818PsYoWJKfVRzruyORrgnRGFKA9PrslxiOJZJU=\"}\n";
static const char first_key[] = "89f0b0095137298228c71b2ad0d9f8c8c27b785cec168ce2699ad87b65beebe0";
static const char first_recovery[] =
    "EVQG3PC-2A2BF6W-CCK2MDZ-50521B5-0E3TK12-J3F8889-6PNM6K3-ZASGXTS";

static void begin_with_the_first_format(void)
{
    VAULT_AUTO(buf_finish) struct buf key = test_hex(first_key);
    fresh_folder();
    assert_done(file_create(key_path, buf_view(&key), 0600, &test_error));
    assert_done(file_create(file_path, bytes_of_text(first_format), 0600, &test_error));
    open_with(&provider);
}

static void test_a_keyring_of_the_first_format_opens_as_it_did(void **state)
{
    (void)state;
    begin_with_the_first_format();
    assert_int_equal(keyring_root_version(keyring), 1);
    wrap_for_ada();
    assert_done(try_unwrap());
    VAULT_AUTO(buf_finish) struct buf after = content_of(file_path);
    assert_true(bytes_equal(buf_view(&after), bytes_of_text(first_format)));
}

static void test_every_changed_byte_of_the_first_format_is_found(void **state)
{
    (void)state;
    begin_with_the_first_format();
    VAULT_AUTO(buf_finish) struct buf content = content_of(file_path);
    for (size_t i = 0; i < content.size; i++) {
        if (content.data[i] == '\n' || content.data[i] == ' ')
            continue;
        struct keyring *none = NULL;
        content.data[i] ^= 1;
        assert_done(file_replace(file_path, buf_view(&content), 0600, &test_error));
        const enum vault_code code = keyring_open(dir, &provider, &none, &test_error);
        if (code != VAULT_CORRUPT && code != VAULT_DENIED)
            fail_msg("byte %zu of the keyring: %s", i, vault_code_name(code));
        content.data[i] ^= 1;
    }
}

static void test_a_keyring_of_the_first_format_is_not_rotated_but_told_how(void **state)
{
    (void)state;
    begin_with_the_first_format();
    assert_rotation_refused(VAULT_CONFLICT, &provider);
    assert_non_null(strstr(test_error.text, "key recover"));
    assert_fails(VAULT_CONFLICT, keyring_move(dir, &provider, &other, &test_error));
    assert_false(file_exists(other_path));
}

static void test_recovering_brings_the_first_format_up_to_date(void **state)
{
    (void)state;
    uint8_t before[32];
    uint8_t after[32];
    begin_with_the_first_format();
    derive(before);
    wrap_for_ada();
    assert_done(keyring_recover(dir, bytes_of_text(first_recovery), &other, &test_error));
    open_with(&other);
    derive(after);
    assert_memory_equal(before, after, 32);
    assert_done(try_unwrap());
    assert_done(keyring_rotate(keyring, dir, &other, &test_error));
    assert_int_equal(unlink(key_path), 0);
    assert_done(keyring_recover(dir, bytes_of_text(first_recovery), &provider, &test_error));
    open_with(&provider);
    assert_int_equal(keyring_root_version(keyring), 2);
}

static void test_another_recovery_secret_leaves_the_first_format_alone(void **state)
{
    (void)state;
    begin();
    struct secret *stranger = VAULT_TAKE(recovery);
    begin_with_the_first_format();
    assert_fails(VAULT_DENIED,
                 keyring_recover(dir, bytes_of_text((const char *)secret_view(stranger).data),
                                 &other, &test_error));
    assert_false(file_exists(other_path));
    VAULT_AUTO(buf_finish) struct buf after = content_of(file_path);
    assert_true(bytes_equal(buf_view(&after), bytes_of_text(first_format)));
    secret_free(&stranger);
}

int main(void)
{
    json_start();
    if (crypto_start(true, &test_error))
        return 1;
    const int failed = TEST_RUN(
        test_a_rotated_keyring_wraps_by_the_new_root_and_unwraps_by_both,
        test_after_reopening_both_roots_are_there_and_derived_keys_as_before,
        test_the_recovery_secret_opens_roots_that_were_made_without_it,
        test_there_are_so_many_roots_and_no_more, test_dropped_roots_are_gone_from_memory_and_disk,
        test_the_file_has_nothing_left_of_a_dropped_root,
        test_a_wrong_or_missing_provider_rotates_nothing,
        test_a_keyring_that_another_process_changed_is_left_alone,
        test_a_keyring_of_another_vault_is_left_alone, test_a_keyring_that_cannot_be_replaced_stays,
        test_a_moved_keyring_opens_with_the_new_key_and_not_the_old,
        test_a_move_that_is_refused_changes_nothing_and_leaves_no_key,
        test_rotating_disturbs_nobody_who_wraps_meanwhile,
        test_a_keyring_of_the_first_format_opens_as_it_did,
        test_every_changed_byte_of_the_first_format_is_found,
        test_a_keyring_of_the_first_format_is_not_rotated_but_told_how,
        test_recovering_brings_the_first_format_up_to_date,
        test_another_recovery_secret_leaves_the_first_format_alone);
    keyring_close(&keyring);
    secret_free(&recovery);
    secret_free(&ada_key);
    return failed;
}
