#include "test.h"

#include <stdio.h>

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/store/keyring.h"

/* A folder with a keyring in it, and the paths of its parts. */
static char dir[PATH_MAX];
static char key_path[PATH_MAX];
static char other_path[PATH_MAX];
static char file_path[PATH_MAX];
static struct keyring_provider provider = {.name = "file", .place = key_path};
static struct secret *recovery;

static void fresh_folder(void)
{
    snprintf(dir, sizeof dir, "%s", test_folder());
    assert_done(file_join(key_path, sizeof key_path, dir, "provider.key", &test_error));
    assert_done(file_join(other_path, sizeof other_path, dir, "other.key", &test_error));
    assert_done(file_join(file_path, sizeof file_path, dir, KEYRING_FILE, &test_error));
    secret_free(&recovery);
}

static void make_keyring(void)
{
    fresh_folder();
    assert_done(keyring_create(dir, &provider, &recovery, &test_error));
}

static struct keyring *open_keyring(void)
{
    struct keyring *keyring = NULL;
    assert_done(keyring_open(dir, &provider, &keyring, &test_error));
    return keyring;
}

static enum vault_code try_open(void)
{
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    const enum vault_code code = keyring_open(dir, &provider, &keyring, &test_error);
    assert_true((keyring != NULL) == (code == VAULT_OK));
    return code;
}

static struct buf content_of(const char *path)
{
    struct buf content = buf_limited(8192);
    assert_done(file_read(path, &content, &test_error));
    return content;
}

static const struct keyring_binding ada = {.owner = {0xad, 0xa0}, .version = 1, .use = "citizen"};

static void test_a_new_keyring_opens_with_its_providers_key(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(keyring_close) struct keyring *keyring = open_keyring();
    assert_int_equal(keyring_root_version(keyring), 1);
    struct stat status;
    assert_int_equal(stat(file_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat(key_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_size, 32);
}

static void test_a_wrapped_key_comes_back_after_reopening(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(keyring_close) struct keyring *keyring = open_keyring();
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_AUTO(secret_free) struct secret *back = NULL;
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    assert_done(keyring_wrap(keyring, &ada, key, &wrapped, &test_error));
    assert_int_equal(wrapped.size, KEYRING_WRAPPED_BYTES);
    keyring_close(&keyring);
    keyring = open_keyring();
    assert_done(keyring_unwrap(keyring, &ada, buf_view(&wrapped), &back, &test_error));
    assert_true(secret_equal(secret_view(key), secret_view(back)));
}

static void test_a_wrapped_key_opens_for_nothing_else(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(keyring_close) struct keyring *keyring = open_keyring();
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    assert_done(keyring_wrap(keyring, &ada, key, &wrapped, &test_error));
    struct keyring_binding others[] = {ada, ada, ada, ada};
    others[0].owner[15] ^= 1;
    others[1].version = 2;
    others[2].use = "citizen2";
    others[3].use = "";
    for (size_t i = 0; i < 4; i++) {
        struct secret *back = NULL;
        assert_fails(VAULT_CORRUPT,
                     keyring_unwrap(keyring, &others[i], buf_view(&wrapped), &back, &test_error));
        assert_null(back);
    }
}

static void test_a_wrapped_key_with_any_bit_changed_does_not_open(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(keyring_close) struct keyring *keyring = open_keyring();
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    assert_done(keyring_wrap(keyring, &ada, key, &wrapped, &test_error));
    for (size_t i = 0; i < wrapped.size; i++) {
        struct secret *back = NULL;
        wrapped.data[i] ^= 0x20;
        assert_fails(VAULT_CORRUPT,
                     keyring_unwrap(keyring, &ada, buf_view(&wrapped), &back, &test_error));
        wrapped.data[i] ^= 0x20;
    }
    for (size_t size = 0; size < wrapped.size; size++) {
        struct secret *back = NULL;
        assert_fails(
            VAULT_CORRUPT,
            keyring_unwrap(keyring, &ada, (struct bytes){wrapped.data, size}, &back, &test_error));
    }
}

static void test_another_vaults_keyring_does_not_unwrap(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(keyring_close) struct keyring *first = open_keyring();
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    assert_done(keyring_wrap(first, &ada, key, &wrapped, &test_error));
    make_keyring();
    VAULT_AUTO(keyring_close) struct keyring *second = open_keyring();
    struct secret *back = NULL;
    assert_fails(VAULT_CORRUPT,
                 keyring_unwrap(second, &ada, buf_view(&wrapped), &back, &test_error));
}

static void test_derived_keys_are_stable_and_differ_by_label(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(secret_free) struct secret *first = NULL;
    VAULT_AUTO(secret_free) struct secret *again = NULL;
    VAULT_AUTO(secret_free) struct secret *other = NULL;
    VAULT_AUTO(keyring_close) struct keyring *keyring = open_keyring();
    assert_done(keyring_derive(keyring, "vault/test/1", 32, &first, &test_error));
    assert_done(keyring_derive(keyring, "vault/test/2", 32, &other, &test_error));
    keyring_close(&keyring);
    keyring = open_keyring();
    assert_done(keyring_derive(keyring, "vault/test/1", 32, &again, &test_error));
    assert_true(secret_equal(secret_view(first), secret_view(again)));
    assert_false(secret_equal(secret_view(first), secret_view(other)));
}

static void test_neither_file_holds_the_root_or_a_derived_key(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(keyring_close) struct keyring *keyring = open_keyring();
    VAULT_AUTO(secret_free) struct secret *derived = NULL;
    assert_done(keyring_derive(keyring, "vault/test/1", 32, &derived, &test_error));
    VAULT_AUTO(buf_finish) struct buf content = content_of(file_path);
    VAULT_AUTO(buf_finish) struct buf needle = buf_limited(100);
    base64_encode(&needle, secret_view(derived));
    assert_null(memmem(content.data, content.size, needle.data, needle.size));
    VAULT_AUTO(buf_finish) struct buf key = content_of(key_path);
    buf_clear(&needle);
    base64_encode(&needle, buf_view(&key));
    assert_null(memmem(content.data, content.size, needle.data, needle.size));
}

static void test_a_second_keyring_is_not_made_over_the_first(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(buf_finish) struct buf before = content_of(file_path);
    struct secret *text = NULL;
    const struct keyring_provider elsewhere = {.name = "file", .place = other_path};
    assert_fails(VAULT_CONFLICT, keyring_create(dir, &elsewhere, &text, &test_error));
    assert_null(text);
    assert_false(file_exists(other_path));
    VAULT_AUTO(buf_finish) struct buf after = content_of(file_path);
    assert_true(bytes_equal(buf_view(&before), buf_view(&after)));
}

static void test_a_key_that_is_there_is_not_overwritten(void **state)
{
    (void)state;
    fresh_folder();
    assert_done(
        file_create(key_path, BYTES("thirty-two bytes of another key!"), 0600, &test_error));
    struct secret *text = NULL;
    assert_fails(VAULT_CONFLICT, keyring_create(dir, &provider, &text, &test_error));
    assert_false(file_exists(file_path));
    VAULT_AUTO(buf_finish) struct buf key = content_of(key_path);
    assert_true(bytes_equal(buf_view(&key), BYTES("thirty-two bytes of another key!")));
}

static void test_a_keyring_that_cannot_be_written_leaves_no_key(void **state)
{
    (void)state;
    fresh_folder();
    char nowhere[PATH_MAX];
    assert_done(file_join(nowhere, sizeof nowhere, dir, "no-such-folder", &test_error));
    struct secret *text = NULL;
    assert_fails(VAULT_NOT_FOUND, keyring_create(nowhere, &provider, &text, &test_error));
    assert_false(file_exists(key_path));
}

static void test_an_unknown_provider_is_refused(void **state)
{
    (void)state;
    fresh_folder();
    struct secret *text = NULL;
    const struct keyring_provider unknown = {.name = "cloud", .place = key_path};
    assert_fails(VAULT_INVALID, keyring_create(dir, &unknown, &text, &test_error));
    make_keyring();
    struct keyring *keyring = NULL;
    assert_fails(VAULT_INVALID, keyring_open(dir, &unknown, &keyring, &test_error));
}

static void test_a_missing_keyring_and_a_missing_key_are_told_apart(void **state)
{
    (void)state;
    make_keyring();
    assert_int_equal(unlink(key_path), 0);
    assert_fails(VAULT_NOT_FOUND, try_open());
    assert_non_null(strstr(test_error.text, "key file"));
    fresh_folder();
    assert_fails(VAULT_NOT_FOUND, try_open());
    assert_non_null(strstr(test_error.text, "no keyring"));
}

static void test_a_wrong_key_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(buf_finish) struct buf before = content_of(file_path);
    assert_int_equal(unlink(key_path), 0);
    assert_done(
        file_create(key_path, BYTES("thirty-two bytes of another key!"), 0600, &test_error));
    assert_fails(VAULT_DENIED, try_open());
    assert_non_null(strstr(test_error.text, "provider's key"));
    assert_null(strstr(test_error.text, "thirty-two"));
    VAULT_AUTO(buf_finish) struct buf after = content_of(file_path);
    assert_true(bytes_equal(buf_view(&before), buf_view(&after)));
}

static void test_a_key_that_others_can_read_is_refused(void **state)
{
    (void)state;
    make_keyring();
    const mode_t modes[] = {0640, 0604, 0660, 0777};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(chmod(key_path, modes[i]), 0);
        assert_fails(VAULT_DENIED, try_open());
    }
    assert_int_equal(chmod(key_path, 0400), 0);
    assert_done(try_open());
}

static void test_a_key_file_of_another_size_or_kind_is_refused(void **state)
{
    (void)state;
    make_keyring();
    assert_int_equal(rename(key_path, other_path), 0);
    assert_int_equal(symlink(other_path, key_path), 0);
    assert_fails(VAULT_IO, try_open());
    assert_int_equal(unlink(key_path), 0);
    assert_int_equal(mkdir(key_path, 0700), 0);
    assert_fails(VAULT_DENIED, try_open());
    assert_int_equal(rmdir(key_path), 0);
    assert_done(file_create(key_path, BYTES("short"), 0600, &test_error));
    assert_fails(VAULT_DENIED, try_open());
    assert_done(
        file_replace(key_path, BYTES("thirty-two bytes and then one more"), 0600, &test_error));
    assert_fails(VAULT_DENIED, try_open());
}

static void test_every_changed_byte_of_the_keyring_is_found(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(buf_finish) struct buf content = content_of(file_path);
    for (size_t i = 0; i < content.size; i++) {
        const uint8_t right = content.data[i];
        if (right == '\n' || right == ' ')
            continue;
        content.data[i] ^= 1;
        assert_done(file_replace(file_path, buf_view(&content), 0600, &test_error));
        /* A changed check looks like a key of another keyring; all else like damage. */
        const enum vault_code code = try_open();
        if (code != VAULT_CORRUPT && code != VAULT_DENIED)
            fail_msg("byte %zu of the keyring: %s", i, vault_code_name(code));
        content.data[i] = right;
    }
    assert_done(file_replace(file_path, buf_view(&content), 0600, &test_error));
    assert_done(try_open());
}

static void test_a_cut_keyring_is_corrupt(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(buf_finish) struct buf content = content_of(file_path);
    for (size_t size = 0; size < content.size - 2; size += 7) {
        assert_done(file_replace(file_path, (struct bytes){content.data, size}, 0600, &test_error));
        assert_fails(VAULT_CORRUPT, try_open());
    }
}

static void test_an_oversized_keyring_is_refused(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(10000);
    assert_non_null(buf_extend(&content, 9000));
    memset(content.data, ' ', content.size);
    assert_done(file_replace(file_path, buf_view(&content), 0600, &test_error));
    assert_fails(VAULT_TOO_LARGE, try_open());
}

/* Two vaults' keyrings, each whole, mixed: the seed of one under the wraps of the other. */
static void test_parts_of_two_keyrings_do_not_go_together(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(buf_finish) struct buf first = content_of(file_path);
    VAULT_AUTO(buf_finish) struct buf key = content_of(key_path);
    make_keyring();
    VAULT_AUTO(buf_finish) struct buf second = content_of(file_path);
    assert_int_equal(first.size, second.size);
    const uint8_t *seed = memmem(second.data, second.size, "\"seed\"", 6);
    assert_non_null(seed);
    const size_t at = (size_t)(seed - second.data);
    memcpy(first.data + at, second.data + at, second.size - at);
    assert_done(file_replace(file_path, buf_view(&first), 0600, &test_error));
    assert_done(file_replace(key_path, buf_view(&key), 0600, &test_error));
    assert_fails(VAULT_CORRUPT, try_open());
}

static struct bytes recovery_text(void)
{
    return bytes_of_text((const char *)secret_view(recovery).data);
}

static void test_the_recovery_secret_makes_up_for_a_lost_key(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(secret_free) struct secret *before = NULL;
    VAULT_AUTO(secret_free) struct secret *after = NULL;
    VAULT_AUTO(keyring_close) struct keyring *keyring = open_keyring();
    assert_done(keyring_derive(keyring, "vault/test/1", 32, &before, &test_error));
    keyring_close(&keyring);

    assert_int_equal(unlink(key_path), 0);
    assert_int_equal(recovery_text().size, KEYRING_RECOVERY_CHARS);
    assert_done(keyring_recover(dir, recovery_text(), &provider, &test_error));
    keyring = open_keyring();
    assert_done(keyring_derive(keyring, "vault/test/1", 32, &after, &test_error));
    assert_true(secret_equal(secret_view(before), secret_view(after)));
}

static void test_the_recovery_secret_works_a_second_time(void **state)
{
    (void)state;
    make_keyring();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(unlink(key_path), 0);
        assert_done(keyring_recover(dir, recovery_text(), &provider, &test_error));
        assert_done(try_open());
    }
}

static void test_recovery_puts_the_old_key_out_of_use(void **state)
{
    (void)state;
    make_keyring();
    const struct keyring_provider elsewhere = {.name = "file", .place = other_path};
    assert_done(keyring_recover(dir, recovery_text(), &elsewhere, &test_error));
    assert_fails(VAULT_DENIED, try_open());
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    assert_done(keyring_open(dir, &elsewhere, &keyring, &test_error));
}

static void test_another_vaults_recovery_secret_is_refused(void **state)
{
    (void)state;
    make_keyring();
    struct secret *stranger = recovery;
    recovery = NULL;
    make_keyring();
    const struct keyring_provider elsewhere = {.name = "file", .place = other_path};
    const char *text = (const char *)secret_view(stranger).data;
    assert_fails(VAULT_DENIED, keyring_recover(dir, bytes_of_text(text), &elsewhere, &test_error));
    assert_non_null(strstr(test_error.text, "recovery secret"));
    assert_null(strstr(test_error.text, text));
    assert_false(file_exists(other_path));
    assert_done(try_open());
    secret_free(&stranger);
}

static void test_a_mistyped_recovery_secret_changes_nothing(void **state)
{
    (void)state;
    make_keyring();
    VAULT_AUTO(buf_finish) struct buf before = content_of(file_path);
    char text[KEYRING_RECOVERY_CHARS + 1];
    snprintf(text, sizeof text, "%s", (const char *)secret_view(recovery).data);
    text[20] = text[20] == '7' ? '8' : '7';
    const struct keyring_provider elsewhere = {.name = "file", .place = other_path};
    assert_fails(VAULT_INVALID, keyring_recover(dir, bytes_of_text(text), &elsewhere, &test_error));
    assert_non_null(strstr(test_error.text, "group 3"));
    assert_false(file_exists(other_path));
    VAULT_AUTO(buf_finish) struct buf after = content_of(file_path);
    assert_true(bytes_equal(buf_view(&before), buf_view(&after)));
}

static void test_recovery_does_not_overwrite_a_key_in_its_place(void **state)
{
    (void)state;
    make_keyring();
    assert_fails(VAULT_CONFLICT, keyring_recover(dir, recovery_text(), &provider, &test_error));
    assert_done(try_open());
}

int main(void)
{
    json_start();
    if (crypto_start(true, &test_error))
        return 1;
    const int failed = TEST_RUN(
        test_a_new_keyring_opens_with_its_providers_key,
        test_a_wrapped_key_comes_back_after_reopening, test_a_wrapped_key_opens_for_nothing_else,
        test_a_wrapped_key_with_any_bit_changed_does_not_open,
        test_another_vaults_keyring_does_not_unwrap,
        test_derived_keys_are_stable_and_differ_by_label,
        test_neither_file_holds_the_root_or_a_derived_key,
        test_a_second_keyring_is_not_made_over_the_first,
        test_a_key_that_is_there_is_not_overwritten,
        test_a_keyring_that_cannot_be_written_leaves_no_key, test_an_unknown_provider_is_refused,
        test_a_missing_keyring_and_a_missing_key_are_told_apart,
        test_a_wrong_key_is_refused_and_changes_nothing, test_a_key_that_others_can_read_is_refused,
        test_a_key_file_of_another_size_or_kind_is_refused,
        test_every_changed_byte_of_the_keyring_is_found, test_a_cut_keyring_is_corrupt,
        test_an_oversized_keyring_is_refused, test_parts_of_two_keyrings_do_not_go_together,
        test_the_recovery_secret_makes_up_for_a_lost_key,
        test_the_recovery_secret_works_a_second_time, test_recovery_puts_the_old_key_out_of_use,
        test_another_vaults_recovery_secret_is_refused,
        test_a_mistyped_recovery_secret_changes_nothing,
        test_recovery_does_not_overwrite_a_key_in_its_place);
    secret_free(&recovery);
    return failed;
}
