/* The providers, one after the other; tokens by SoftHSM. */
#include "test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/keyring_file.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/store/keyring.h"

#define PIN "246810"

static char dir[PATH_MAX];
static char place[PATH_MAX];
static char file_path[PATH_MAX];
static struct secret *recovery;

/* One more folder, beside those of this program that are there. */
static void make_folder(char out[PATH_MAX])
{
    static char all[PATH_MAX - 16];
    static unsigned count;
    if (!count)
        snprintf(all, sizeof all, "%s", test_folder());
    snprintf(out, PATH_MAX, "%s/%u", all, ++count);
    assert_int_equal(mkdir(out, 0700), 0);
}

static void fresh_folder(void)
{
    make_folder(dir);
    snprintf(file_path, sizeof file_path, "%s/" KEYRING_FILE, dir);
    secret_free(&recovery);
}

static enum vault_code make(const struct keyring_provider *provider)
{
    fresh_folder();
    return keyring_create(dir, provider, &recovery, &test_error);
}

static enum vault_code try_open(const struct keyring_provider *provider)
{
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    const enum vault_code code = keyring_open(dir, provider, &keyring, &test_error);
    assert_true((keyring != NULL) == (code == VAULT_OK));
    return code;
}

static struct secret *secret_of(const char *text)
{
    struct secret *out = NULL;
    assert_done(secret_copy(bytes_of_text(text), &out, &test_error));
    return out;
}

static bool says(const char *word)
{
    return strstr(test_error.text, word) != NULL;
}

/* Rotate, and open again: both halves work, wrapping and unwrapping. */
static void assert_rotates(const struct keyring_provider *provider)
{
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    assert_done(keyring_open(dir, provider, &keyring, &test_error));
    assert_done(keyring_rotate(keyring, dir, provider, &test_error));
    keyring_close(&keyring);
    assert_done(keyring_open(dir, provider, &keyring, &test_error));
    assert_int_equal(keyring_root_version(keyring), 2);
}

/* The provider is gone; the recovery secret and a key file take its place. */
static void assert_recovers(void)
{
    snprintf(place, sizeof place, "%s/fresh.key", dir);
    const struct keyring_provider fresh = {.name = "file", .place = place};
    assert_done(keyring_recover(dir, bytes_of_text((const char *)secret_view(recovery).data),
                                &fresh, &test_error));
    assert_done(try_open(&fresh));
}

/* --- Credentials ---------------------------------------------------------------------------- */

static const struct keyring_provider credential = {.name = "credential", .place = "root"};

static void put_credential(struct bytes content, mode_t mode)
{
    char folder[PATH_MAX];
    char path[PATH_MAX + 8];
    make_folder(folder);
    snprintf(path, sizeof path, "%s/root", folder);
    assert_done(file_create(path, content, mode, &test_error));
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
}

static void test_a_credential_opens_the_keyring(void **state)
{
    (void)state;
    put_credential(BYTES("thirty-two bytes of a credential"), 0400);
    assert_done(make(&credential));
    assert_done(try_open(&credential));
    assert_rotates(&credential);
    assert_recovers();
}

static void
test_a_credential_that_its_services_user_may_read_by_an_access_list_is_fine(void **state)
{
    (void)state;
    put_credential(BYTES("thirty-two bytes of a credential"), 0440);
    assert_done(make(&credential));
    put_credential(BYTES("thirty-two bytes of a credential"), 0444);
    assert_fails(VAULT_DENIED, try_open(&credential));
}

static void test_without_the_credential_nothing_is_made_or_opened(void **state)
{
    (void)state;
    put_credential(BYTES("thirty-two bytes of a credential"), 0400);
    const struct keyring_provider absent = {.name = "credential", .place = "other"};
    assert_fails(VAULT_NOT_FOUND, make(&absent));
    assert_false(file_exists(file_path));
    assert_done(make(&credential));
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_fails(VAULT_NOT_FOUND, try_open(&credential));
    assert_true(says("LoadCredentialEncrypted"));
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "relative", 1), 0);
    assert_fails(VAULT_NOT_FOUND, try_open(&credential));
}

static void test_another_credential_or_one_of_another_size_is_refused(void **state)
{
    (void)state;
    put_credential(BYTES("thirty-two bytes of a credential"), 0400);
    assert_done(make(&credential));
    put_credential(BYTES("thirty-two bytes of another one!"), 0400);
    assert_fails(VAULT_DENIED, try_open(&credential));
    assert_true(says("credential"));
    put_credential(BYTES("short"), 0400);
    assert_fails(VAULT_DENIED, try_open(&credential));
}

static void test_a_credential_is_a_name_and_no_path(void **state)
{
    (void)state;
    static const char *const names[] = {"../root", "/etc/passwd", ".", "..", "", NULL};
    put_credential(BYTES("thirty-two bytes of a credential"), 0400);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct keyring_provider provider = {.name = "credential", .place = names[i]};
        assert_fails(VAULT_INVALID, make(&provider));
    }
}

/* --- Passphrases ---------------------------------------------------------------------------- */

static struct keyring_provider passphrase_of(const struct secret *secret)
{
    return (struct keyring_provider){.name = "passphrase", .secret = secret};
}

static void test_a_passphrase_opens_the_keyring_and_another_does_not(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *right = secret_of("an invented passphrase");
    VAULT_AUTO(secret_free) struct secret *wrong = secret_of("an invented passphrasE");
    const struct keyring_provider provider = passphrase_of(right);
    const struct keyring_provider mistaken = passphrase_of(wrong);
    assert_done(make(&provider));
    assert_done(try_open(&provider));
    assert_fails(VAULT_DENIED, try_open(&mistaken));
    assert_true(says("the passphrase is not"));
    assert_false(says("invented"));
    assert_rotates(&provider);
    assert_recovers();
}

static void test_a_missing_passphrase_is_said_to_be_needed(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *right = secret_of("an invented passphrase");
    const struct keyring_provider provider = passphrase_of(right);
    const struct keyring_provider none = passphrase_of(NULL);
    assert_string_equal(keyring_provider_needs(&none), "passphrase");
    assert_null(keyring_provider_needs(&provider));
    assert_fails(VAULT_UNAVAILABLE, make(&none));
    assert_false(file_exists(file_path));
    assert_done(make(&provider));
    assert_fails(VAULT_UNAVAILABLE, try_open(&none));
    assert_true(says("needs its passphrase"));
}

static void test_a_short_or_endless_passphrase_is_refused(void **state)
{
    (void)state;
    char endless[1026];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = 0;
    VAULT_AUTO(secret_free) struct secret *few = secret_of("elevenbytes");
    VAULT_AUTO(secret_free) struct secret *many = secret_of(endless);
    const struct keyring_provider provider_few = passphrase_of(few);
    const struct keyring_provider provider_many = passphrase_of(many);
    assert_fails(VAULT_INVALID, make(&provider_few));
    assert_true(says("at least 12"));
    assert_fails(VAULT_INVALID, make(&provider_many));
    assert_false(file_exists(file_path));
}

/* Whoever changes the cost in the file must not be able to have us take all memory, or none. */
static void test_a_changed_cost_is_damage(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *right = secret_of("an invented passphrase");
    const struct keyring_provider provider = passphrase_of(right);
    assert_done(make(&provider));
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{0, 2}, {1, 0xff}, {8, 0}, {12, 0}};
    struct keyring_file file;
    assert_done(keyring_file_read(dir, &file, &test_error));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct keyring_file changed = file;
        changed.note[changes[i].at] = changes[i].value;
        assert_done(keyring_file_write(dir, &changed, true, &test_error));
        assert_fails(VAULT_CORRUPT, try_open(&provider));
    }
    file.note_size--;
    assert_done(keyring_file_write(dir, &file, true, &test_error));
    assert_fails(VAULT_CORRUPT, try_open(&provider));
}

static void test_two_keyrings_of_one_passphrase_have_different_keys(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *right = secret_of("an invented passphrase");
    const struct keyring_provider provider = passphrase_of(right);
    struct keyring_file first;
    struct keyring_file second;
    assert_done(make(&provider));
    assert_done(keyring_file_read(dir, &first, &test_error));
    assert_done(make(&provider));
    assert_done(keyring_file_read(dir, &second, &test_error));
    assert_int_equal(first.note_size, second.note_size);
    assert_memory_not_equal(first.note, second.note, first.note_size);
}

/* --- Tokens --------------------------------------------------------------------------------- */

static const char *softhsm(void)
{
    static const char *const places[] = {"/usr/lib/softhsm/libsofthsm2.so",
                                         "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                                         "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (file_exists(places[i]))
            return places[i];
    }
    fail_msg("SoftHSM is missing: '.ci/install test' as root installs it");
    return NULL;
}

/* Fresh tokens of these labels, and nothing else in any slot. */
static void make_tokens(const char *const labels[], size_t count)
{
    char path[PATH_MAX];
    char folder[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(PATH_MAX * 2);
    make_folder(folder);
    assert_done(file_join(path, sizeof path, folder, "softhsm2.conf", &test_error));
    buf_format(&text, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
               folder);
    assert_done(file_create(path, buf_view(&text), 0600, &test_error));
    assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
    for (size_t i = 0; i < count; i++) {
        char command[256];
        snprintf(command, sizeof command,
                 "softhsm2-util --init-token --free --label '%s' --pin " PIN
                 " --so-pin 13579 >/dev/null",
                 labels[i]);
        assert_int_equal(system(command), 0);
    }
}

static void make_token(void)
{
    static const char *const label[] = {"vault-test"};
    make_tokens(label, 1);
}

static struct secret *pin;

static struct keyring_provider token_of(const char *key)
{
    if (!pin)
        pin = secret_of(PIN);
    return (struct keyring_provider){
        .name = "pkcs11", .place = softhsm(), .token = "vault-test", .key = key, .secret = pin};
}

static void test_a_key_on_a_token_opens_the_keyring(void **state)
{
    (void)state;
    const struct keyring_provider provider = token_of("root");
    make_token();
    assert_done(make(&provider));
    assert_done(try_open(&provider));
    assert_rotates(&provider);
    assert_recovers();
}

static void test_the_tokens_key_is_made_once(void **state)
{
    (void)state;
    const struct keyring_provider provider = token_of("root");
    const struct keyring_provider second = token_of("second");
    make_token();
    assert_done(make(&provider));
    assert_fails(VAULT_CONFLICT, make(&provider));
    assert_true(says("already"));
    assert_false(file_exists(file_path));
    assert_done(make(&second));
    assert_done(try_open(&second));
    /* The other key of the same token is not this keyring's. */
    assert_fails(VAULT_NOT_FOUND, try_open(&provider));
}

static void test_a_wrong_pin_a_missing_token_and_a_missing_module_are_told_apart(void **state)
{
    (void)state;
    const struct keyring_provider provider = token_of("root");
    VAULT_AUTO(secret_free) struct secret *wrong = secret_of("135791");
    struct keyring_provider changed = provider;
    make_token();
    assert_done(make(&provider));
    changed.secret = wrong;
    assert_fails(VAULT_DENIED, try_open(&changed));
    assert_true(says("does not accept the PIN"));
    assert_false(says("135791"));
    changed.secret = NULL;
    assert_string_equal(keyring_provider_needs(&changed), "PIN");
    assert_fails(VAULT_UNAVAILABLE, try_open(&changed));
    changed = provider;
    changed.token = "vault-tes";
    assert_fails(VAULT_UNAVAILABLE, try_open(&changed));
    assert_true(says("no token"));
    changed = provider;
    changed.place = "/nonexistent/module.so";
    assert_fails(VAULT_UNAVAILABLE, try_open(&changed));
    assert_true(says("/nonexistent/module.so"));
    changed.place = "libm.so.6";
    assert_fails(VAULT_INVALID, try_open(&changed));
    assert_true(says("no PKCS #11 module"));
    assert_done(try_open(&provider));
}

static void test_what_a_token_needs_to_be_named_is_asked_for(void **state)
{
    (void)state;
    struct keyring_provider provider = token_of("root");
    make_token();
    provider.token = "";
    assert_fails(VAULT_INVALID, make(&provider));
    provider = token_of(NULL);
    assert_fails(VAULT_INVALID, make(&provider));
    provider = token_of("root");
    provider.place = NULL;
    assert_fails(VAULT_INVALID, make(&provider));
}

static void test_two_tokens_of_one_label_are_one_too_many(void **state)
{
    (void)state;
    static const char *const labels[] = {"vault-test", "vault-test"};
    const struct keyring_provider provider = token_of("root");
    make_tokens(labels, 2);
    assert_fails(VAULT_CONFLICT, make(&provider));
    assert_true(says("several"));
}

static void test_a_fresh_token_of_the_same_name_is_not_the_one(void **state)
{
    (void)state;
    const struct keyring_provider provider = token_of("root");
    char other_dir[PATH_MAX];
    make_token();
    assert_done(make(&provider));
    snprintf(other_dir, sizeof other_dir, "%s", dir);
    make_token();
    assert_fails(VAULT_NOT_FOUND, try_open(&provider));
    assert_done(make(&provider)); /* another vault's */
    snprintf(dir, sizeof dir, "%s", other_dir);
    assert_fails(VAULT_NOT_FOUND, try_open(&provider));
}

static void test_what_the_token_wrapped_opens_only_whole(void **state)
{
    (void)state;
    const struct keyring_provider provider = token_of("root");
    struct keyring_file file;
    make_token();
    assert_done(make(&provider));
    assert_done(keyring_file_read(dir, &file, &test_error));
    for (size_t i = 0; i < KEYRING_SEALED_BYTES; i += 7) {
        struct keyring_file changed = file;
        changed.roots[0].by_provider[i] ^= 1;
        assert_done(keyring_file_write(dir, &changed, true, &test_error));
        assert_fails(VAULT_CORRUPT, try_open(&provider));
    }
    file.roots[0].version = 2; /* bound to its version */
    assert_done(keyring_file_write(dir, &file, true, &test_error));
    assert_fails(VAULT_CORRUPT, try_open(&provider));
}

static void test_a_keyring_that_cannot_be_written_leaves_no_key_on_the_token(void **state)
{
    (void)state;
    const struct keyring_provider provider = token_of("root");
    make_token();
    fresh_folder();
    snprintf(file_path, sizeof file_path, "%s/none", dir);
    assert_fails(VAULT_NOT_FOUND, keyring_create(file_path, &provider, &recovery, &test_error));
    assert_done(make(&provider)); /* the label is free */
}

static void test_a_keyring_moves_from_a_file_to_a_token_and_to_a_passphrase(void **state)
{
    (void)state;
    char key_path[PATH_MAX];
    VAULT_AUTO(secret_free) struct secret *words = secret_of("an invented passphrase");
    const struct keyring_provider token = token_of("root");
    const struct keyring_provider passphrase = passphrase_of(words);
    make_token();
    fresh_folder();
    snprintf(key_path, sizeof key_path, "%s/provider.key", dir);
    const struct keyring_provider file = {.name = "file", .place = key_path};
    assert_done(keyring_create(dir, &file, &recovery, &test_error));
    assert_done(keyring_move(dir, &file, &token, &test_error));
    assert_fails(VAULT_DENIED, try_open(&file));
    assert_done(keyring_move(dir, &token, &passphrase, &test_error));
    assert_fails(VAULT_DENIED, try_open(&token));
    assert_done(try_open(&passphrase));
    assert_recovers();
}

int main(void)
{
    json_start();
    if (crypto_start(true, &test_error))
        return 1;
    const int failed =
        TEST_RUN(test_a_credential_opens_the_keyring,
                 test_a_credential_that_its_services_user_may_read_by_an_access_list_is_fine,
                 test_without_the_credential_nothing_is_made_or_opened,
                 test_another_credential_or_one_of_another_size_is_refused,
                 test_a_credential_is_a_name_and_no_path,
                 test_a_passphrase_opens_the_keyring_and_another_does_not,
                 test_a_missing_passphrase_is_said_to_be_needed,
                 test_a_short_or_endless_passphrase_is_refused, test_a_changed_cost_is_damage,
                 test_two_keyrings_of_one_passphrase_have_different_keys,
                 test_a_key_on_a_token_opens_the_keyring, test_the_tokens_key_is_made_once,
                 test_a_wrong_pin_a_missing_token_and_a_missing_module_are_told_apart,
                 test_what_a_token_needs_to_be_named_is_asked_for,
                 test_two_tokens_of_one_label_are_one_too_many,
                 test_a_fresh_token_of_the_same_name_is_not_the_one,
                 test_what_the_token_wrapped_opens_only_whole,
                 test_a_keyring_that_cannot_be_written_leaves_no_key_on_the_token,
                 test_a_keyring_moves_from_a_file_to_a_token_and_to_a_passphrase);
    secret_free(&recovery);
    secret_free(&pin);
    return failed;
}
