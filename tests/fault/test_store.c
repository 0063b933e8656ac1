/*
 * Disks that fail under the store: a clear error that names the file and never the citizen, the
 * others served, and nothing lost that was acknowledged, once the disk works again.
 */
#include "store_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_disk.h"
#include "vault/base/codec.h"
#include "vault/store/control_citizen.h"
#include "vault/store/control_service.h"
#include "vault/store/erasure.h"
#include "vault/store/setting.h"
#include "world.h"

#define REOPEN_EACH 40

static unsigned steps = 2000;

/* --- What every failure must be ------------------------------------------------------------- */

static const char *const files[] = {"the control store", "the index of openings",
                                    "a citizen's file",  "citizens",
                                    "control.db",        "store.lock"};

/* It says which file, and not whose. */
static void assert_clear(const struct vault_error *err)
{
    bool is_named = false;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        is_named |= strstr(err->text, files[i]) != NULL;
    if (!is_named)
        fail_msg("\"%s\" names no file", err->text);
    if (strstr(err->text, "c100") && strstr(err->text, "00000000"))
        fail_msg("\"%s\" names a citizen", err->text);
}

/* All of it before, or all of it after. */
static void settle(struct world *world, enum vault_code code, const struct disk_fault *fault)
{
    char before[128];
    char after[128];
    if (code == world->expected) {
        if (!world_holds(world, &world->model, after))
            fail_msg("%s was done, and after it: %s", world->step, after);
        return;
    }
    assert_true(code == VAULT_IO || code == VAULT_CORRUPT || code == VAULT_NO_MEMORY);
    /* After it first: what it made, before it nobody asks for. */
    if (world_holds(world, &world->next, after))
        world->model = world->next;
    else if (!world_holds(world, &world->model, before))
        fail_msg("%s, call %d on %s, %s: neither before (%s) nor after (%s)", world->step,
                 (int)fault->call, fault->part, strerrorname_np(fault->error), before, after);
}

/* So that there is something to read. */
static void live_a_while(struct world *world)
{
    for (unsigned i = 0; i < 60; i++) {
        const enum vault_code code = world_step(world, &test_error);
        assert_int_equal(code, world->expected);
    }
}

static void open_again(struct world *world)
{
    char difference[128];
    reopen_store();
    world->store = store;
    if (!world_holds(world, &world->model, difference))
        fail_msg("after opening it again: %s", difference);
}

static void path_of(const struct citizen_id *id, char out[PATH_MAX])
{
    char name[HEX_CHARS(CITIZEN_ID_BYTES) + 1];
    hex_string(name, id->bytes, sizeof id->bytes);
    snprintf(out, PATH_MAX, "%s/citizens/%.2s/%s.db", store_dir, name, name);
}

/* --- A disk that refuses -------------------------------------------------------------------- */

static const char *const parts[] = {"control.db",      "control.db-wal", "openings.db",
                                    "openings.db-wal", "/citizens/",     "-journal"};
#define PARTS (sizeof parts / sizeof parts[0])

static const int errors[] = {EIO, ENOSPC, EROFS, EDQUOT};

static unsigned draw(unsigned below)
{
    static uint64_t random = 88172645463325252U;
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return (unsigned)(random % below);
}

static void test_whatever_the_disk_refuses_nothing_acknowledged_is_lost(void **state)
{
    (void)state;
    unsigned struck[DISK_CALL_COUNT][PARTS] = {{0}};
    unsigned failed = 0;
    struct world world;
    fresh_store();
    world_begin(&world, store, 0, 11);
    for (unsigned i = 0; i < steps; i++) {
        const unsigned part = draw(PARTS);
        const unsigned call = draw(DISK_CALL_COUNT);
        const struct disk_fault fault = {(enum disk_call)call, parts[part], errors[draw(4)],
                                         draw(6), draw(3)};
        disk_break(&fault);
        const enum vault_code code = world_step(&world, &test_error);
        struck[fault.call][part] += disk_struck();
        disk_mend();
        failed += code != world.expected;
        if (code != world.expected)
            assert_clear(&test_error);
        settle(&world, code, &fault);
        if (i % REOPEN_EACH == 0)
            open_again(&world);
    }
    open_again(&world);
    print_message("%u of %u changes failed\n", failed, steps);
    assert_true(failed > steps / 50);
    for (unsigned part = 0; part < PARTS; part++) {
        const bool is_synced = strcmp(parts[part], "openings.db-wal") != 0; /* until settled */
        if (!struck[DISK_WRITE][part] || (is_synced && !struck[DISK_SYNC][part]))
            fail_msg("%s was not made to fail: %u writes, %u syncs", parts[part],
                     struck[DISK_WRITE][part], struck[DISK_SYNC][part]);
    }
}

/* One citizen's disk fails for good; everybody else goes on. */
static void test_who_is_elsewhere_is_served_meanwhile(void **state)
{
    (void)state;
    char part[32];
    fresh_store();
    const struct citizen_id ada = {{1}};
    const struct citizen_id grace = {{2}};
    const struct citizen_new both[] = {{.id = ada}, {.id = grace}};
    assert_done(citizen_create(store, both, 2, NOW_S, NULL, &test_error));
    snprintf(part, sizeof part, "citizens/01");
    disk_break(&(struct disk_fault){DISK_WRITE, part, EIO, 0, 0});
    {
        VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&ada);
        const struct citizen_value value = value_of("test.a", "1");
        assert_fails(VAULT_IO, citizen_value_put(citizen, &value, &test_error));
        assert_non_null(strstr(test_error.text, "citizens/01"));
        assert_clear(&test_error);
    }
    {
        VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&grace);
        put(citizen, "test.a", "2");
    }
    disk_mend();
    VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&ada);
    put(citizen, "test.a", "3");
    assert_value(citizen, "test.a", "3");
}

/* What a full disk kept from being undone is undone before the next are made. */
static void test_who_could_not_be_made_can_be_made_later(void **state)
{
    (void)state;
    unsigned failed = 0;
    fresh_store();
    for (unsigned i = 0; i < 30; i++) {
        char reference[32];
        uint64_t people = 0;
        snprintf(reference, sizeof reference, "R-%u", i);
        const struct citizen_new one = {.id = {{0xc1, (uint8_t)i}}, .reference = reference};
        disk_break(&(struct disk_fault){DISK_WRITE, ".db", ENOSPC, i, 0});
        const enum vault_code code = citizen_create(store, &one, 1, NOW_S, NULL, &test_error);
        disk_mend();
        failed += code != VAULT_OK;
        if (code)
            assert_done(citizen_create(store, &one, 1, NOW_S, NULL, &test_error));
        assert_done(control_citizen_count(store, &people, &test_error));
        assert_int_equal(people, i + 1);
    }
    assert_in_range(failed, 5, 29);
}

/* A change that the disk did not confirm may stand all the same: then whoever it made is whole. */
static void test_who_was_made_though_the_disk_refused_is_whole(void **state)
{
    (void)state;
    unsigned refused = 0;
    unsigned there = 0;
    fresh_store();
    for (unsigned i = 0; i < 24; i++) {
        const struct citizen_new two[] = {{.id = {{0xc2, (uint8_t)i}}},
                                          {.id = {{0xc3, (uint8_t)i}}}};
        struct control_citizen row;
        assert_false(exists(&two[0].id));
        disk_break(&(struct disk_fault){DISK_SYNC, "control.db-wal", EROFS, i % 6, i / 6});
        const enum vault_code code = citizen_create(store, two, 2, NOW_S, NULL, &test_error);
        disk_mend();
        const bool is_known = !control_citizen_find(store, &two[0].id, &row, &test_error);
        assert_int_equal(exists(&two[0].id), is_known);
        assert_int_equal(exists(&two[1].id), is_known);
        assert_int_equal(citizen_create(store, two, 2, NOW_S, NULL, &test_error),
                         is_known ? VAULT_CONFLICT : VAULT_OK);
        assert_true(exists(&two[0].id));
        refused += code != VAULT_OK;
        there += code && is_known;
    }
    print_message("%u of 24 refused, of whom %u are there\n", refused, there);
    assert_true(refused > there);
    assert_true(there > 0);
}

/* Whoever keeps what services are is told of each change that may stand. */
static void test_a_change_of_services_that_may_stand_is_told(void **state)
{
    (void)state;
    unsigned stood = 0;
    fresh_store();
    for (unsigned i = 0; i < 12; i++) {
        char id[32];
        VAULT_AUTO(buf_finish) struct buf json = buf_limited(64);
        enum control_service_state now;
        snprintf(id, sizeof id, "service-%u", i);
        const struct control_service one = {id, BYTES("{}"), CONTROL_SERVICE_ACTIVE};
        assert_done(control_service_add(store, &one, &test_error));
        const uint64_t before = control_service_generation(store);
        disk_break(&(struct disk_fault){DISK_SYNC, "control.db-wal", EROFS, i % 3, i / 6});
        const enum vault_code code =
            i % 2 ? control_service_remove(store, id, BYTES("{}"), &test_error)
                  : control_service_set_state(store, id, CONTROL_SERVICE_SUSPENDED, &test_error);
        disk_mend();
        assert_done(control_service_get(store, id, &json, &now, &test_error));
        if (now != CONTROL_SERVICE_ACTIVE)
            assert_true(control_service_generation(store) != before);
        stood += code && now != CONTROL_SERVICE_ACTIVE;
    }
    assert_true(stood > 0);
}

/* What a failing disk kept from being erased to the end is, before anything is told of it. */
static void test_who_was_half_erased_is_erased_by_the_next_call(void **state)
{
    (void)state;
    fresh_store();
    for (unsigned i = 0; i < 12; i++) {
        const struct citizen_id ada = new_citizen();
        struct erasure next;
        bool found = false;
        char path[PATH_MAX];
        path_of(&ada, path);
        const struct disk_fault fault = {i % 2 ? DISK_UNLINK : DISK_WRITE,
                                         i % 2 ? "/citizens/" : ".db", EIO, i / 2, 0};
        disk_break(&fault);
        const enum vault_code code = citizen_erase(store, &ada, NULL, &test_error);
        disk_mend();
        assert_true(code == VAULT_OK || code == VAULT_IO);
        const bool is_whole = exists(&ada);
        assert_true(code || !is_whole);
        assert_done(erasure_next(store, &next, &found, &test_error));
        assert_int_equal(found, !is_whole);
        assert_int_equal(file_exists(path), is_whole);
        if (is_whole)
            assert_done(citizen_erase(store, &ada, NULL, &test_error));
        assert_done(erasure_told(store, &ada, &test_error));
    }
}

/* --- A real file system --------------------------------------------------------------------- */

static char mounted[PATH_MAX];

/* A small file system in a folder, and a store in it. */
static void mount_store(const char *size)
{
    fresh_store();
    store_close(&store);
    snprintf(mounted, sizeof mounted, "%s", test_folder());
    if (mount("none", mounted, "tmpfs", 0, size) != 0)
        fail_msg("mounting a file system in a namespace of its own: %s", strerror(errno));
    snprintf(store_dir, sizeof store_dir, "%s/store", mounted);
    assert_done(store_create(store_dir, keyring, &test_error));
    open_store_with(NULL);
}

static void unmount_store(void)
{
    store_close(&store);
    assert_int_equal(umount2(mounted, MNT_DETACH), 0);
}

/* Fill what is free, but so many bytes. */
static void fill(const char *path, size_t but)
{
    static const uint8_t block[4096] = {7};
    VAULT_AUTO(file_close) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    size_t size = 0;
    while (write(fd, block, sizeof block) == (ssize_t)sizeof block)
        size += sizeof block;
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(ftruncate(fd, (off_t)(size > but ? size - but : 0)), 0);
}

static void test_a_full_disk_refuses_and_serves_and_loses_nothing(void **state)
{
    (void)state;
    char ballast[PATH_MAX];
    unsigned failed = 0;
    struct world world;
    mount_store("size=8m");
    snprintf(ballast, sizeof ballast, "%s/ballast", mounted);
    world_begin(&world, store, 0, 5);
    live_a_while(&world);
    for (unsigned round = 0; round < steps / 10; round++) {
        const struct disk_fault nothing = {.part = "a full file system", .error = ENOSPC};
        fill(ballast, (size_t)draw(8) * 4096);
        const enum vault_code code = world_step(&world, &test_error);
        if (code != world.expected) {
            failed++;
            assert_clear(&test_error);
            assert_int_equal(code, VAULT_IO);
        }
        char difference[128];
        uint64_t people = 0;
        assert_done(control_citizen_count(store, &people, &test_error));
        assert_int_equal(unlink(ballast), 0);
        settle(&world, code, &nothing);
        assert_true(world_holds(&world, &world.model, difference));
    }
    open_again(&world);
    print_message("%u of %u changes on a full disk failed\n", failed, steps / 10);
    assert_true(failed > 3);
    unmount_store();
}

static void test_a_read_only_disk_is_said_at_the_start(void **state)
{
    (void)state;
    struct store *opened = NULL;
    struct world world;
    mount_store("size=8m");
    world_begin(&world, store, 0, 5);
    live_a_while(&world);
    store_close(&store);
    assert_int_equal(mount("none", mounted, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_fails(VAULT_IO, store_open(store_dir, keyring, NULL, &opened, &test_error));
    assert_clear(&test_error);
    assert_non_null(strstr(test_error.text, "Read-only"));
    assert_int_equal(mount("none", mounted, NULL, MS_REMOUNT, NULL), 0);
    open_store_with(NULL);
    world.store = store;
    open_again(&world);
    unmount_store();
}

/* The file system became read-only while the store was open: what is there is read. */
static void test_a_disk_that_became_read_only_is_still_read(void **state)
{
    (void)state;
    int64_t count = 0;
    struct world world;
    fresh_store();
    world_begin(&world, store, 0, 5);
    live_a_while(&world);
    disk_break(&(struct disk_fault){DISK_WRITE, store_dir, EROFS, 0, 0});
    assert_fails(VAULT_IO, setting_count(store, "test.count", 1, &count, &test_error));
    assert_clear(&test_error);
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(100);
    assert_fails(VAULT_NOT_FOUND, setting_get(store, "test.none", &value, &test_error));
    assert_false(exists(&(struct citizen_id){{9}}));
    disk_mend();
    open_again(&world);
}

/* --- Files in the wrong place, and flipped bytes -------------------------------------------- */

static void test_two_files_that_changed_places_are_both_refused(void **state)
{
    (void)state;
    char paths[3][PATH_MAX];
    fresh_store();
    const struct citizen_id people[] = {new_citizen(), new_citizen(), new_citizen()};
    path_of(&people[0], paths[0]);
    path_of(&people[1], paths[1]);
    snprintf(paths[2], PATH_MAX, "%s/aside", store_dir);
    for (int back = 0; back < 2; back++) {
        store_close(&store);
        assert_int_equal(rename(paths[0], paths[2]), 0);
        assert_int_equal(rename(paths[1], paths[0]), 0);
        assert_int_equal(rename(paths[2], paths[1]), 0);
        open_store_with(NULL);
        for (size_t i = 0; i < 2; i++) {
            struct citizen *citizen = NULL;
            const enum vault_code code = citizen_acquire(store, &people[i], &citizen, &test_error);
            citizen_release(&citizen);
            assert_int_equal(code, back ? VAULT_OK : VAULT_CORRUPT);
            if (code)
                assert_clear(&test_error);
        }
        assert_true(exists(&people[2]));
    }
}

static off_t size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_size : 0;
}

static void kill_in_the_middle(void)
{
    int status = 0;
    store_close(&store);
    const pid_t child = fork();
    if (child == 0) {
        struct world world;
        if (store_open(store_dir, keyring, NULL, &store, NULL))
            _exit(1);
        world_begin(&world, store, 0, 21);
        for (unsigned i = 0; i < 200; i++)
            (void)!world_step(&world, NULL);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* What a killed store leaves in its write-ahead logs is cut where a byte does not hold; what is
 * before stands. SQLite cannot tell that from a log whose end was never written. */
static void test_a_flipped_byte_in_a_log_of_the_store_cuts_it_and_no_more(void **state)
{
    (void)state;
    static const char *const names[] = {"control.db-wal", "openings.db-wal"};
    for (size_t i = 0; i < 2; i++) {
        for (int eighth = 0; eighth < 8; eighth++) {
            char path[PATH_MAX];
            uint64_t people = 0;
            fresh_store();
            kill_in_the_middle();
            snprintf(path, sizeof path, "%s/%s", store_dir, names[i]);
            const off_t size = size_of(path);
            assert_true(size > 4096);
            test_flip(path, size / 8 * eighth + 1);
            const enum vault_code code = store_open(store_dir, keyring, NULL, &store, &test_error);
            if (code) {
                assert_int_equal(code, VAULT_CORRUPT);
                assert_clear(&test_error);
                continue;
            }
            assert_done(control_citizen_count(store, &people, &test_error));
        }
    }
}

static void test_a_flipped_byte_in_the_keyring_is_said_and_touches_nothing(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char folder[PATH_MAX];
    char key_path[PATH_MAX];
    fresh_store();
    const struct citizen_id ada = new_citizen();
    snprintf(folder, sizeof folder, "%.*s", (int)(strlen(store_dir) - strlen("/store")), store_dir);
    snprintf(path, sizeof path, "%s/" KEYRING_FILE, folder);
    snprintf(key_path, sizeof key_path, "%s/provider.key", folder);
    const struct keyring_provider provider = {.name = "file", .place = key_path};
    const off_t size = size_of(path);
    finish_store();
    for (off_t at = 0; at < size; at += 7) {
        test_flip(path, at);
        const enum vault_code code = keyring_open(folder, &provider, &keyring, &test_error);
        assert_true(code == VAULT_CORRUPT || code == VAULT_DENIED || code == VAULT_INVALID);
        if (!strstr(test_error.text, "keyring"))
            fail_msg("byte %ld: \"%s\" does not say keyring", (long)at, test_error.text);
        test_flip(path, at);
    }
    assert_done(keyring_open(folder, &provider, &keyring, &test_error));
    open_store_with(NULL);
    assert_true(exists(&ada));
}

static bool write_text(const char *path, const char *text)
{
    VAULT_AUTO(file_close) int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Mounts of its own, as whoever runs this. */
static bool enter_namespace(void)
{
    char users[64];
    char groups[64];
    const bool is_root = geteuid() == 0;
    snprintf(users, sizeof users, "0 %u 1", (unsigned)geteuid());
    snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getegid());
    if (unshare(CLONE_NEWNS | (is_root ? 0 : CLONE_NEWUSER)) != 0)
        return false;
    if (!is_root &&
        !(write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", users) &&
          write_text("/proc/self/gid_map", groups)))
        return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

int main(void)
{
    const char *is_long = getenv("VAULT_TESTS_LONG");
    if (is_long && strcmp(is_long, "1") == 0)
        steps = 40000;
    if (!enter_namespace()) {
        perror("a mount namespace is needed");
        return 1;
    }
    store_test_start();
    const int failed = TEST_RUN(
        test_whatever_the_disk_refuses_nothing_acknowledged_is_lost,
        test_who_is_elsewhere_is_served_meanwhile, test_who_could_not_be_made_can_be_made_later,
        test_who_was_made_though_the_disk_refused_is_whole,
        test_a_change_of_services_that_may_stand_is_told,
        test_who_was_half_erased_is_erased_by_the_next_call,
        test_a_full_disk_refuses_and_serves_and_loses_nothing,
        test_a_read_only_disk_is_said_at_the_start, test_a_disk_that_became_read_only_is_still_read,
        test_two_files_that_changed_places_are_both_refused,
        test_a_flipped_byte_in_a_log_of_the_store_cuts_it_and_no_more,
        test_a_flipped_byte_in_the_keyring_is_said_and_touches_nothing);
    finish_store();
    return failed;
}
