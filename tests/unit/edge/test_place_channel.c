#include "test.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/place_channel.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"

static char path[PATH_MAX];
static char made[PATH_MAX];

/* A folder that is served in a thread, and the place that asks for it. */
struct pair {
    struct backup_folder folder;
    struct backup_place served;
    struct backup_place place;
    int server;
    pthread_t thread;
};

static void *serve(void *context)
{
    struct pair *pair = context;
    place_channel_serve(pair->server, &pair->served);
    return NULL;
}

static void begin(struct pair *pair)
{
    int ends[2];
    snprintf(path, sizeof path, "%s/backup", test_folder());
    snprintf(made, sizeof made, "%s" BACKUP_PARTIAL, path);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    pair->server = ends[0];
    assert_done(backup_folder_at(path, &pair->folder, &pair->served, &test_error));
    assert_done(place_channel_new(&ends[1], &pair->place, &test_error));
    assert_int_equal(ends[1], -1);
    assert_int_equal(pthread_create(&pair->thread, NULL, serve, pair), 0);
}

/* The end that asks lets go, and the one that serves ends by that. */
static void end(struct pair *pair)
{
    pair->place.calls->close(pair->place.context);
    pthread_join(pair->thread, NULL);
    close(pair->server);
    assert_done(folder_remove(path, &test_error));
    assert_done(folder_remove(made, &test_error));
}

static void put(struct pair *pair, const char *name, const char *text)
{
    VAULT_AUTO(file_close) int fd = -1;
    assert_done(pair->place.calls->create(pair->place.context, name, &fd, &test_error));
    assert_done(file_write_all(fd, bytes_of_text(text), &test_error));
}

static void test_files_are_made_at_the_other_end(void **state)
{
    (void)state;
    struct pair pair;
    char file[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(64);
    begin(&pair);
    assert_done(pair.place.calls->begin(pair.place.context, &test_error));
    assert_true(file_exists(made));
    put(&pair, "MANIFEST", "one");
    put(&pair, "citizens/00/a.db", "two");
    assert_false(file_exists(path));
    assert_done(pair.place.calls->finish(pair.place.context, &test_error));
    assert_false(file_exists(made));
    snprintf(file, sizeof file, "%s/citizens/00/a.db", path);
    assert_done(file_read(file, &text, &test_error));
    assert_string_equal(buf_string(&text), "two");
    end(&pair);
}

static void test_what_is_given_up_is_removed(void **state)
{
    (void)state;
    struct pair pair;
    begin(&pair);
    assert_done(pair.place.calls->begin(pair.place.context, &test_error));
    put(&pair, "MANIFEST", "one");
    pair.place.calls->abandon(pair.place.context);
    assert_false(file_exists(made));
    end(&pair);
}

static void test_an_unfinished_one_gives_way_and_nothing_else(void **state)
{
    (void)state;
    struct pair pair;
    begin(&pair);
    assert_int_equal(mkdir(made, 0700), 0);
    char file[PATH_MAX];
    snprintf(file, sizeof file, "%s/mine", made);
    assert_done(file_create(file, BYTES("x"), 0600, &test_error));
    assert_fails(VAULT_CONFLICT, pair.place.calls->begin(pair.place.context, &test_error));
    assert_true(strstr(test_error.text, "in the way") != NULL);
    snprintf(file, sizeof file, "%s/MANIFEST", made);
    assert_done(file_create(file, BYTES("x"), 0600, &test_error));
    assert_done(pair.place.calls->begin(pair.place.context, &test_error));
    assert_false(file_exists(file));
    put(&pair, "MANIFEST", "one");
    assert_done(pair.place.calls->finish(pair.place.context, &test_error));
    assert_fails(VAULT_CONFLICT, pair.place.calls->begin(pair.place.context, &test_error));
    end(&pair);
}

/* A vaultd that was taken over asks for what it likes. */
static void test_no_name_leads_out_of_the_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"../escaped", "/tmp/escaped", "a/../../escaped", "", ".",
                                        "a//b",       "a\nb"};
    struct pair pair;
    int fd = -1;
    begin(&pair);
    assert_done(pair.place.calls->begin(pair.place.context, &test_error));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_fails(VAULT_INVALID,
                     pair.place.calls->create(pair.place.context, names[i], &fd, &test_error));
    put(&pair, "once", "x");
    assert_fails(VAULT_CONFLICT,
                 pair.place.calls->create(pair.place.context, "once", &fd, &test_error));
    assert_int_equal(fd, -1);
    end(&pair);
}

static void test_a_link_in_the_folder_is_not_followed(void **state)
{
    (void)state;
    struct pair pair;
    char file[PATH_MAX];
    int fd = -1;
    begin(&pair);
    assert_done(pair.place.calls->begin(pair.place.context, &test_error));
    snprintf(file, sizeof file, "%s/linked", made);
    assert_int_equal(symlink("../outside", file), 0);
    assert_fails(VAULT_CONFLICT,
                 pair.place.calls->create(pair.place.context, "linked", &fd, &test_error));
    assert_int_equal(fd, -1);
    end(&pair);
}

static void test_an_end_that_is_gone_is_told(void **state)
{
    (void)state;
    int ends[2];
    int fd = -1;
    struct backup_place place;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_done(place_channel_new(&ends[1], &place, &test_error));
    close(ends[0]);
    assert_fails(VAULT_UNAVAILABLE, place.calls->begin(place.context, &test_error));
    assert_fails(VAULT_UNAVAILABLE, place.calls->create(place.context, "a", &fd, &test_error));
    assert_fails(VAULT_UNAVAILABLE, place.calls->finish(place.context, &test_error));
    place.calls->abandon(place.context);
    place.calls->close(place.context);
}

/* Answers that are none: what was sent is taken for what it is. */
static void test_an_answer_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const answers[] = {"\x00", "\x7fwords", "\xff", "\x02two\nlines", "\x02"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        int ends[2];
        int fd = -1;
        struct backup_place place;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        assert_done(place_channel_new(&ends[1], &place, &test_error));
        assert_true(send(ends[0], answers[i], i ? strlen(answers[i]) : 1, 0) > 0);
        /* "done", and no descriptor with it; codes that there are not */
        assert_fails(VAULT_UNAVAILABLE, place.calls->create(place.context, "a", &fd, &test_error));
        assert_int_equal(fd, -1);
        place.calls->close(place.context);
        close(ends[0]);
    }
}

static void test_a_question_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const questions[] = {"X", "Zname"};
    struct pair pair;
    int ends[2];
    snprintf(path, sizeof path, "%s/backup", test_folder());
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    pair.server = ends[0];
    assert_done(backup_folder_at(path, &pair.folder, &pair.served, &test_error));
    assert_int_equal(pthread_create(&pair.thread, NULL, serve, &pair), 0);
    for (size_t i = 0; i < 2; i++) {
        uint8_t answer[600] = {0};
        assert_true(send(ends[1], questions[i], strlen(questions[i]), 0) > 0);
        assert_true(recv(ends[1], answer, sizeof answer, 0) > 1);
        assert_int_equal(answer[0], VAULT_INVALID);
    }
    close(ends[1]);
    pthread_join(pair.thread, NULL);
    close(ends[0]);
}

static void test_a_folder_is_named_from_the_top(void **state)
{
    (void)state;
    char long_path[PATH_MAX + 8];
    struct backup_folder folder;
    struct backup_place place;
    memset(long_path, '/', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = 0;
    assert_fails(VAULT_INVALID, backup_folder_at("backup", &folder, &place, &test_error));
    assert_fails(VAULT_INVALID, backup_folder_at("", &folder, &place, &test_error));
    assert_fails(VAULT_INVALID, backup_folder_at(long_path, &folder, &place, &test_error));
}

static void test_what_root_makes_is_given_to_the_vaults_user(void **state)
{
    (void)state;
    struct pair pair;
    struct stat status;
    char file[PATH_MAX];
    if (geteuid() != 0) /* nobody else may give anything away: then nothing is */
        return;
    begin(&pair);
    pair.folder.owner = 65534;
    pair.folder.group = 65534;
    assert_done(pair.place.calls->begin(pair.place.context, &test_error));
    put(&pair, "citizens/00/a.db", "two");
    assert_done(pair.place.calls->finish(pair.place.context, &test_error));
    static const char *const names[] = {"", "/citizens", "/citizens/00/a.db"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "%s%s", path, names[i]);
        assert_int_equal(stat(file, &status), 0);
        assert_int_equal(status.st_uid, 65534);
        assert_int_equal(status.st_gid, 65534);
    }
    end(&pair);
}

int main(void)
{
    return TEST_RUN(test_files_are_made_at_the_other_end, test_what_is_given_up_is_removed,
                    test_an_unfinished_one_gives_way_and_nothing_else,
                    test_no_name_leads_out_of_the_folder, test_a_link_in_the_folder_is_not_followed,
                    test_an_end_that_is_gone_is_told, test_an_answer_that_is_none_is_refused,
                    test_a_question_that_is_none_is_refused, test_a_folder_is_named_from_the_top,
                    test_what_root_makes_is_given_to_the_vaults_user);
}
