#include "test.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vault/crypto/crypto.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/secret.h"

/* In a child: memory may not be locked. Root may always, so it is left behind first. */
static int start_without_locking(bool allow_swap)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0))
        return 9;
    const enum vault_code code = crypto_start(allow_swap, &test_error);
    if (allow_swap)
        return code == VAULT_OK ? 0 : 1;
    return code == VAULT_UNAVAILABLE && strstr(test_error.text, "ulimit -l") ? 0 : 1;
}

static void assert_child(bool allow_swap)
{
    const pid_t child = fork();
    if (child == 0)
        _exit(start_without_locking(allow_swap));
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Before this process opens its own heap. */
static void test_memory_that_cannot_be_locked_is_refused_unless_swapping_is_allowed(void **state)
{
    (void)state;
    assert_child(false);
    assert_child(true);
}

static void test_starting_twice_is_starting_once(void **state)
{
    (void)state;
    assert_done(crypto_start(false, &test_error));
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    assert_done(secret_copy(BYTES("kept"), &secret, &test_error));
    assert_done(crypto_start(false, &test_error));
    assert_true(bytes_equal(secret_view(secret), BYTES("kept")));
}

static void test_a_failure_says_what_openssl_said_and_empties_its_queue(void **state)
{
    (void)state;
    ERR_clear_error();
    assert_null(EVP_MD_fetch(NULL, "NO-SUCH-HASH", NULL));
    assert_int_equal(crypto_fail(&test_error, VAULT_UNAVAILABLE, "fetching"), VAULT_UNAVAILABLE);
    assert_string_equal(test_error.text, "fetching: unsupported");
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(crypto_fail(&test_error, VAULT_CORRUPT, "opening"), VAULT_CORRUPT);
    assert_string_equal(test_error.text, "opening: OpenSSL failed");
    assert_int_equal(crypto_fail(NULL, VAULT_CORRUPT, "opening"), VAULT_CORRUPT);
}

int main(void)
{
    return TEST_RUN(test_memory_that_cannot_be_locked_is_refused_unless_swapping_is_allowed,
                    test_starting_twice_is_starting_once,
                    test_a_failure_says_what_openssl_said_and_empties_its_queue);
}
