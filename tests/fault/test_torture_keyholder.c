/*
 * Every allocation and every call of the system of a release fails once in turn where a keyholder
 * has the keys, on both sides of the socket: it is answered, or the vault has stopped and says so.
 *
 * The keyholder is a thread here, so that its calls can fail too; else it is a process, which when
 * it ends closes its socket likewise.
 */
#include "test_torture.h"
#include "torture_run.h"
#include "torture_world.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vault/store/keyholder.h"

#define UNWRAPS_PER_MINUTE 1000000

static struct keyholder *holder;
static pthread_t thread;

static void *serve(void *context)
{
    const int *socket = context;
    struct vault_error err;
    const struct keyholder_options options = {.dir = world.test.dir,
                                              .origin = world.test.options.origin,
                                              .provider = world.test.options.provider,
                                              .unwraps_per_minute = UNWRAPS_PER_MINUTE};
    const enum vault_code code = keyholder_serve(*socket, &options, &err);
    close(*socket);
    return code ? context : NULL;
}

static void begin_keyholder(void)
{
    static int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve, &ends[1]), 0);
    assert_done(keyholder_of(ends[0], &holder, &test_error));
    world.test.options.keyholder = holder;
}

static void end_keyholder(void)
{
    keyholder_free(&holder);
    pthread_join(thread, NULL);
}

/* Without its keyholder the vault can do nothing, and stops with the next entry at the latest. */
static void check_release(void)
{
    world_read();
    world_assert_answered();
    if (keyholder_is_lost(holder)) {
        world_ask();
        assert_int_equal(world.status, 503);
        world_close();
        world_open();
    }
    world_go_on();
    assert_int_equal(world_released(), 2);
}

static void test_a_release_with_a_keyholder(void **state)
{
    (void)state;
    const struct operation operation = {.name = "release, held",
                                        .prepare = release_start_again,
                                        .run = release_run,
                                        .check = check_release,
                                        .sample = {3, 6}};
    torture(&operation);
}

int test_keyholder(void)
{
    world_close();
    world.begin_behind = begin_keyholder;
    world.end_behind = end_keyholder;
    world_open();
    const int failed = TEST_RUN(test_a_release_with_a_keyholder);
    world_close();
    world.begin_behind = world.end_behind = NULL;
    world.test.options.keyholder = NULL;
    world_open();
    return failed;
}
