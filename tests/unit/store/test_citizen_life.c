/* Citizens come and go: what that leaves on the disk. What it means is tested in tests/engine. */
#include "citizen_path.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vault/store/control_citizen.h"

static uint64_t population(void)
{
    uint64_t count = 0;
    assert_done(control_citizen_count(store, &count, &test_error));
    return count;
}

/* How many citizens' files there are, the decoy's with them; journals count as files. */
static size_t files_on_disk(void)
{
    size_t count = 0;
    for (unsigned shard = 0; shard < 256; shard++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/citizens/%02x", store_dir, shard);
        DIR *folder = opendir(path);
        assert_non_null(folder);
        for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
            count += entry->d_name[0] != '.';
        closedir(folder);
    }
    return count;
}

static void test_each_citizen_has_one_file_and_an_erased_one_none(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    new_citizen();
    assert_int_equal(files_on_disk(), 3);
    char path[PATH_MAX];
    citizen_file_path(path, &ada);
    assert_true(file_exists(path));
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    assert_false(file_exists(path));
    assert_int_equal(files_on_disk(), 2);
}

static void test_a_clash_leaves_no_file(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_new there = {.id = citizen_id_new(), .reference = "R-3"};
    const struct citizen_new citizens[] = {{.id = citizen_id_new(), .reference = "R-1"},
                                           {.id = citizen_id_new(), .reference = "R-3"}};
    assert_done(citizen_create(store, &there, 1, NOW_S, NULL, &test_error));
    assert_fails(VAULT_CONFLICT, citizen_create(store, citizens, 2, NOW_S, NULL, &test_error));
    assert_int_equal(files_on_disk(), 2);
}

static void test_a_file_in_the_way_keeps_all_from_being_made(void **state)
{
    (void)state;
    fresh_store();
    struct citizen_new citizens[] = {{.id = citizen_id_new()}, {.id = citizen_id_new()}};
    char path[PATH_MAX];
    citizen_file_path(path, &citizens[1].id);
    assert_int_equal(mkdir(path, 0700), 0);
    size_t failed_at = 99;
    assert_fails(VAULT_CONFLICT,
                 citizen_create(store, citizens, 2, NOW_S, &failed_at, &test_error));
    assert_int_equal(failed_at, 1);
    assert_int_equal(rmdir(path), 0);
    assert_false(exists(&citizens[0].id));
    assert_int_equal(population(), 0);
    reopen_store();
    assert_int_equal(files_on_disk(), 1);
    assert_done(citizen_create(store, citizens, 2, NOW_S, NULL, &test_error));
}

static void test_an_erasure_stopped_after_the_key_is_finished_at_the_next_start(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    /* The file cannot be removed: a folder stands where its journal would. */
    char journal[PATH_MAX];
    citizen_file_path(journal, &ada);
    snprintf(journal + strlen(journal), sizeof journal - strlen(journal), "-journal");
    assert_int_equal(mkdir(journal, 0700), 0);
    assert_fails(VAULT_IO, citizen_erase(store, &ada, NULL, &test_error));
    assert_false(exists(&ada));
    assert_int_equal(rmdir(journal), 0);
    reopen_store();
    assert_false(exists(&ada));
    assert_int_equal(files_on_disk(), 1);
}

static void make_and_erase_for_ever(void)
{
    if (store_open(store_dir, keyring, NULL, &store, NULL))
        _exit(1);
    for (;;) {
        struct citizen_new citizens[8];
        for (size_t i = 0; i < 8; i++)
            citizens[i] = (struct citizen_new){.id = citizen_id_new()};
        if (citizen_create(store, citizens, 8, NOW_S, NULL, NULL) ||
            citizen_erase(store, &citizens[0].id, NULL, NULL))
            _exit(1);
    }
}

static void test_a_crash_leaves_no_file_without_its_citizen(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        fresh_store();
        store_close(&store);
        const pid_t child = fork();
        if (child == 0)
            make_and_erase_for_ever();
        usleep(30000 + i * 1700);
        int status = 0;
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        open_store_with(NULL);
        const uint64_t there = population();
        store_close(&store); /* a journal may lie beside a file until then */
        assert_int_equal(files_on_disk(), there + 1);
    }
}

int main(void)
{
    store_test_start();
    const int failed =
        TEST_RUN(test_each_citizen_has_one_file_and_an_erased_one_none, test_a_clash_leaves_no_file,
                 test_a_file_in_the_way_keeps_all_from_being_made,
                 test_an_erasure_stopped_after_the_key_is_finished_at_the_next_start,
                 test_a_crash_leaves_no_file_without_its_citizen);
    finish_store();
    return failed;
}
