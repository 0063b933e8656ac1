/*
 * Whoever changes keys is killed in the middle of it, again and again: every citizen is readable
 * afterwards with exactly one key, nothing is half done for longer than it takes to open it, and
 * the keyring opens by its provider and by the recovery secret.
 *
 *     test_keys [N]    how often; 50 unless told, 300 with VAULT_TESTS_LONG=1
 */
#include "test.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/store/citizen_key.h"
#include "vault/store/citizen_value.h"
#include "vault/store/control_citizen.h"
#include "vault/store/keyring.h"

#define CITIZENS     40
#define NOW_S        1795305600
#define VALUE        "\"Testine Inventée\""
#define LIFE_MAX_US  60000
#define RECOVER_EACH 10 /* kills */
#define VALUES_EACH  30

static unsigned kills = 50;
static char dir[PATH_MAX];
static char key_path[PATH_MAX];
static struct keyring_provider provider = {.name = "file", .place = key_path};
static struct secret *recovery;
static struct citizen_id citizens[CITIZENS];
static struct keyring *keyring;
static struct store *store;

static void open_all(void)
{
    assert_done(keyring_open(dir, &provider, &keyring, &test_error));
    assert_done(store_open(dir, keyring, NULL, &store, &test_error));
}

static void close_all(void)
{
    store_close(&store);
    keyring_close(&keyring);
}

static void make_all(void)
{
    char fields[VALUES_EACH][24];
    struct citizen_value values[VALUES_EACH];
    struct citizen_new many[CITIZENS];
    snprintf(dir, sizeof dir, "%s/vault", test_folder());
    snprintf(key_path, sizeof key_path, "%s/../provider.key", dir);
    assert_done(folder_create(dir, &test_error));
    assert_done(keyring_create(dir, &provider, &recovery, &test_error));
    assert_done(keyring_open(dir, &provider, &keyring, &test_error));
    assert_done(store_create(dir, keyring, &test_error));
    assert_done(store_open(dir, keyring, NULL, &store, &test_error));
    for (size_t i = 0; i < VALUES_EACH; i++) {
        snprintf(fields[i], sizeof fields[i], "test.field_%zu", i);
        values[i] = (struct citizen_value){fields[i], bytes_of_text(VALUE), NOW_S, "test"};
    }
    for (size_t i = 0; i < CITIZENS; i++) {
        citizens[i] = citizen_id_new();
        many[i] =
            (struct citizen_new){.id = citizens[i], .values = values, .value_count = VALUES_EACH};
    }
    assert_done(citizen_create(store, many, CITIZENS, NOW_S, NULL, &test_error));
    close_all();
}

static unsigned random_below(unsigned limit)
{
    uint32_t value = 0;
    random_bytes(&value, sizeof value);
    return value % limit;
}

/* --- What is killed ------------------------------------------------------------------------- */

static void rekey_forever(void)
{
    while (citizen_rekey(store, &citizens[random_below(CITIZENS)], NULL) == VAULT_OK) {
    }
}

static void rotate_and_rewrap_forever(void)
{
    for (;;) {
        struct citizen_rewrap progress = {0};
        if (keyring_root_count(keyring) < KEYRING_ROOTS_MAX &&
            keyring_rotate(keyring, dir, &provider, NULL))
            return;
        while (!progress.done) {
            if (citizen_rewrap(store, &progress, NULL))
                return;
        }
        if (keyring_drop_former(keyring, dir, NULL))
            return;
    }
}

static void all_of_it_forever(void)
{
    for (;;) {
        struct citizen_rewrap progress = {0};
        const struct citizen_id *one = &citizens[random_below(CITIZENS)];
        if (random_below(4) == 0 && keyring_root_count(keyring) < KEYRING_ROOTS_MAX &&
            keyring_rotate(keyring, dir, &provider, NULL))
            return;
        if (citizen_rekey(store, one, NULL) || citizen_rewrap(store, &progress, NULL))
            return;
        if (progress.done && keyring_drop_former(keyring, dir, NULL))
            return;
    }
}

static void (*const works[])(void) = {rekey_forever, rotate_and_rewrap_forever, all_of_it_forever};

/* In a process of its own, until it is killed; it says when it is under way. */
static void be_worker(int pipe_end, unsigned work)
{
    if (keyring_open(dir, &provider, &keyring, NULL) ||
        store_open(dir, keyring, NULL, &store, NULL) || write(pipe_end, "x", 1) != 1)
        _exit(1);
    works[work]();
    _exit(2); /* something failed that nobody made fail */
}

static void kill_one(unsigned work)
{
    int ends[2];
    int status = 0;
    char byte = 0;
    assert_int_equal(pipe(ends), 0);
    const pid_t worker = fork();
    if (worker == 0) {
        close(ends[0]);
        be_worker(ends[1], work);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    usleep(random_below(LIFE_MAX_US));
    assert_int_equal(kill(worker, SIGKILL), 0);
    assert_int_equal(waitpid(worker, &status, 0), worker);
    close(ends[0]);
    if (!WIFSIGNALED(status))
        fail_msg("the worker ended by itself with %d", WEXITSTATUS(status));
}

/* --- What must hold ------------------------------------------------------------------------- */

static void assert_readable(const struct citizen_id *id)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CITIZEN_VALUE_MAX_BYTES);
    assert_done(citizen_acquire(store, id, &citizen, &test_error));
    assert_true(citizen_exists(citizen));
    assert_done(citizen_value_get(citizen, "test.field_0", &text, NULL, &test_error));
    assert_string_equal(buf_string(&text), VALUE);
    buf_clear(&text);
    assert_done(citizen_value_get(citizen, "test.field_29", &text, NULL, &test_error));
    assert_string_equal(buf_string(&text), VALUE);
}

static uint64_t key_versions(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < CITIZENS; i++) {
        struct control_citizen citizen;
        assert_done(control_citizen_find(store, &citizens[i], &citizen, &test_error));
        sum += citizen.key_version;
    }
    return sum;
}

/* The log of what was killed may have a key that was replaced; opening the store empties it. */
static void assert_log_is_empty(void)
{
    char path[PATH_MAX + sizeof "/control.db-wal"];
    struct stat status;
    snprintf(path, sizeof path, "%s/control.db-wal", dir);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 0);
}

/* The key file is lost: the recovery secret opens whatever roots there are by now. */
static void recover(void)
{
    assert_int_equal(unlink(key_path), 0);
    assert_done(keyring_recover(dir, bytes_of_text((const char *)secret_view(recovery).data),
                                &provider, &test_error));
}

static void test_every_citizen_is_readable_however_often_keys_are_changed_and_killed(void **state)
{
    (void)state;
    unsigned several_roots = 0;
    uint64_t versions = CITIZENS;
    uint32_t root = 1;
    make_all();
    for (unsigned i = 0; i < kills; i++) {
        kill_one(i % (sizeof works / sizeof works[0]));
        if (i % RECOVER_EACH == RECOVER_EACH - 1)
            recover();
        open_all();
        assert_log_is_empty();
        several_roots += keyring_root_count(keyring) > 1;
        for (size_t at = 0; at < CITIZENS; at++)
            assert_readable(&citizens[at]);
        const uint64_t versions_now = key_versions();
        assert_true(versions_now >= versions);
        assert_true(keyring_root_version(keyring) >= root);
        versions = versions_now;
        root = keyring_root_version(keyring);
        close_all();
    }
    printf("%u kills, %llu keys replaced, root version %u, %u times with several roots\n", kills,
           (unsigned long long)(versions - CITIZENS), root, several_roots);
    assert_true(versions > CITIZENS);
    assert_true(root > 1);
}

/* After all that, the former roots go, and every citizen is there without them. */
static void test_the_last_rewrap_leaves_one_root(void **state)
{
    (void)state;
    struct citizen_rewrap progress = {0};
    open_all();
    while (!progress.done)
        assert_done(citizen_rewrap(store, &progress, &test_error));
    assert_int_equal(progress.seen, CITIZENS + 1);
    assert_done(keyring_drop_former(keyring, dir, &test_error));
    close_all();
    open_all();
    assert_int_equal(keyring_root_count(keyring), 1);
    for (size_t i = 0; i < CITIZENS; i++)
        assert_readable(&citizens[i]);
    close_all();
}

int main(int argc, char **argv)
{
    const char *is_long = getenv("VAULT_TESTS_LONG");
    if (is_long && strcmp(is_long, "1") == 0)
        kills = 300;
    if (argc > 1)
        kills = (unsigned)strtoul(argv[1], NULL, 10);
    json_start();
    if (crypto_start(true, &test_error))
        return 1;
    const int failed =
        TEST_RUN(test_every_citizen_is_readable_however_often_keys_are_changed_and_killed,
                 test_the_last_rewrap_leaves_one_root);
    secret_free(&recovery);
    return failed;
}
