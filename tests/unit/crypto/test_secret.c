#include "test.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vault/crypto/crypto.h"
#include "vault/crypto/secret.h"

static void test_a_new_secret_is_zeros_in_the_secure_heap(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    const uint8_t zeros[100] = {0};
    assert_done(secret_new(100, &secret, &test_error));
    assert_int_equal(secret_view(secret).size, 100);
    assert_memory_equal(secret_view(secret).data, zeros, 100);
    assert_ptr_equal(secret_view(secret).data, secret_data(secret));
    assert_true(CRYPTO_secure_allocated(secret));
}

static void test_every_size_within_the_limits_is_made(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 2, 31, 32, 33, 4095, SECRET_MAX_BYTES};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        VAULT_AUTO(secret_free) struct secret *secret = NULL;
        assert_done(secret_new(sizes[i], &secret, &test_error));
        memset(secret_data(secret), 0xa5, sizes[i]);
        assert_int_equal(secret_view(secret).size, sizes[i]);
    }
}

static void test_a_copy_is_a_copy(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    char original[] = "an invented key";
    assert_done(secret_copy(bytes_of_text(original), &secret, &test_error));
    memset(original, 'x', sizeof original - 1);
    assert_true(bytes_equal(secret_view(secret), BYTES("an invented key")));
}

static void test_random_secrets_differ(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *a = NULL;
    VAULT_AUTO(secret_free) struct secret *b = NULL;
    assert_done(secret_random(SECRET_KEY_BYTES, &a, &test_error));
    assert_done(secret_random(SECRET_KEY_BYTES, &b, &test_error));
    assert_false(secret_equal(secret_view(a), secret_view(b)));
    assert_true(secret_equal(secret_view(a), secret_view(a)));
}

static void test_equal_means_all_bytes(void **state)
{
    (void)state;
    assert_true(secret_equal(BYTES("abc"), BYTES("abc")));
    assert_false(secret_equal(BYTES("abc"), BYTES("abd")));
    assert_false(secret_equal(BYTES("abc"), BYTES("xbc")));
    assert_false(secret_equal(BYTES("abc"), BYTES("ab")));
    assert_true(secret_equal(BYTES(""), BYTES("")));
}

/* How much was given to OpenSSL's comparison, whose time does not tell where two differ. */
static size_t compared;

int __real_CRYPTO_memcmp(const void *a, const void *b, size_t size);
int __wrap_CRYPTO_memcmp(const void *a, const void *b, size_t size);
int __wrap_CRYPTO_memcmp(const void *a, const void *b, size_t size)
{
    compared += size;
    return __real_CRYPTO_memcmp(a, b, size);
}

static void test_all_bytes_are_compared_wherever_they_differ(void **state)
{
    (void)state;
    const struct bytes others[] = {BYTES("xbcdefgh"), BYTES("abcdefgx"), BYTES("abcdefgh")};
    for (size_t i = 0; i < 3; i++) {
        compared = 0;
        assert_int_equal(secret_equal(BYTES("abcdefgh"), others[i]), i == 2);
        assert_int_equal(compared, 8);
    }
}

static void test_freeing_wipes_and_clears(void **state)
{
    (void)state;
    struct secret *secret = NULL;
    assert_done(secret_copy(BYTES("MARKER-MARKER-MARKER-MARKER-1234"), &secret, &test_error));
    /* The secure heap's memory stays mapped: what was there can be looked at. The first bytes of a
     * free block are its list's. */
    const uint8_t *place = secret_view(secret).data;
    secret_free(&secret);
    assert_null(secret);
    assert_null(memmem(place, 32, "MARKER", 6));
    secret_free(&secret);
}

static void test_a_full_heap_is_an_error_and_not_ordinary_memory(void **state)
{
    (void)state;
    static struct secret *many[SECRET_HEAP_BYTES / SECRET_MAX_BYTES + 1];
    const size_t most = sizeof many / sizeof many[0];
    size_t count = 0;
    enum vault_code code = VAULT_OK;
    while (count < most && (code = secret_new(SECRET_MAX_BYTES, &many[count], &test_error)) == 0)
        count++;
    assert_int_equal(code, VAULT_NO_MEMORY);
    assert_true(count >= 100 && count < most);
    assert_null(many[count]);
    for (size_t i = 0; i < count; i++)
        secret_free(&many[i]);
    assert_done(secret_new(SECRET_MAX_BYTES, &many[0], &test_error));
    secret_free(&many[0]);
}

static void test_eight_thousand_keys_fit(void **state)
{
    (void)state;
    static struct secret *keys[8000];
    for (size_t i = 0; i < 8000; i++)
        assert_done(secret_random(SECRET_KEY_BYTES, &keys[i], &test_error));
    for (size_t i = 0; i < 8000; i++)
        secret_free(&keys[i]);
}

static void test_the_heap_is_locked_and_left_out_of_dumps(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    assert_done(secret_new(32, &secret, &test_error));
    const unsigned long place = (unsigned long)(uintptr_t)secret;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    char line[512];
    bool inside = false;
    bool seen = false;
    while (fgets(line, sizeof line, maps)) {
        char *rest = NULL;
        const unsigned long from = strtoul(line, &rest, 16);
        if (rest != line && *rest == '-') /* "from-to flags …" begins a mapping */
            inside = place >= from && place < strtoul(rest + 1, NULL, 16);
        if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            seen = true;
            assert_non_null(strstr(line, " dd")); /* do not dump */
            assert_non_null(strstr(line, " lo")); /* locked */
        }
    }
    fclose(maps);
    assert_true(seen);
}

static void test_random_bytes_fill_all_that_was_asked(void **state)
{
    (void)state;
    uint8_t sum[64] = {0};
    for (int i = 0; i < 40; i++) {
        uint8_t some[66] = {0};
        random_bytes(some, 64);
        for (size_t k = 0; k < 64; k++)
            sum[k] |= some[k];
        assert_memory_equal(some + 64, "\0\0", 2);
    }
    for (size_t k = 0; k < 64; k++)
        assert_int_not_equal(sum[k], 0);
}

static void test_random_bytes_of_every_size_are_given_whole(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 100, 200, 1000, 1024, 1025, 3000, 16, 16};
    uint8_t before[3002] = {0};
    random_bytes(before, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t some[3002] = {0};
        random_bytes(some, sizes[i]);
        assert_memory_equal(some + sizes[i], "\0\0", 2);
        if (sizes[i] >= 16) {
            assert_memory_not_equal(some, before, 16);
            assert_memory_not_equal(some + sizes[i] - 16, (uint8_t[16]){0}, 16);
        }
        memcpy(before, some, sizeof some);
    }
}

static void test_a_child_process_gets_other_random_bytes(void **state)
{
    (void)state;
    int ends[2];
    uint8_t ours[32];
    uint8_t theirs[32] = {0};
    random_bytes(ours, 1); /* some are left over for the next */
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        random_bytes(theirs, sizeof theirs);
        _exit(write(ends[1], theirs, sizeof theirs) != sizeof theirs);
    }
    assert_int_equal(read(ends[0], theirs, sizeof theirs), sizeof theirs);
    assert_int_equal(waitpid(child, NULL, 0), child);
    random_bytes(ours, sizeof ours);
    assert_memory_not_equal(ours, theirs, sizeof ours);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    if (crypto_start(false, &test_error))
        return 1;
    return TEST_RUN(
        test_a_new_secret_is_zeros_in_the_secure_heap, test_every_size_within_the_limits_is_made,
        test_a_copy_is_a_copy, test_random_secrets_differ, test_equal_means_all_bytes,
        test_all_bytes_are_compared_wherever_they_differ, test_freeing_wipes_and_clears,
        test_a_full_heap_is_an_error_and_not_ordinary_memory, test_eight_thousand_keys_fit,
        test_the_heap_is_locked_and_left_out_of_dumps, test_random_bytes_fill_all_that_was_asked,
        test_random_bytes_of_every_size_are_given_whole,
        test_a_child_process_gets_other_random_bytes);
}
