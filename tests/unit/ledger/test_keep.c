#include "lossy_folder.h"
#include "vault/ledger/keep.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys.h"
#include "vault/base/file.h"
#include "vault/crypto/crypto.h"
#include "vault/ledger/checkpoint.h"

#define DAY_S   86400
#define START_S INT64_C(1804500000) /* 2027-03-08T10:00:00Z */

static struct note_signer signer;
static const char *dir;
static struct ledger_head heads[KEEP_HEADS_MAX];
static size_t count;

static void write_checkpoint(uint64_t size, struct buf *out)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_TEXT_MAX_BYTES);
    const struct tree_hash root = tree_leaf((struct bytes){(const uint8_t *)&size, sizeof size});
    checkpoint_write_text(&text, signer.key.name, size, &root);
    buf_bytes(out, buf_view(&text));
    buf_text(out, "\n");
    assert_done(note_sign(buf_view(&text), &signer, out, &test_error));
}

static void put(uint64_t size, int64_t now_s)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(4096);
    write_checkpoint(size, &note);
    assert_done(keep_put(dir, buf_view(&note), now_s, &test_error));
}

static void put_stamped(uint64_t size, int64_t now_s)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(4096);
    write_checkpoint(size, &note);
    assert_done(keep_put_stamped(dir, buf_view(&note), BYTES("a token"), now_s, &test_error));
}

static void read_all(void)
{
    assert_done(
        keep_read(dir, &(struct checkpoint_keys){.key = &signer.key}, heads, &count, &test_error));
}

static bool is_kept(uint64_t size)
{
    for (size_t i = 0; i < count; i++) {
        if (heads[i].size == size)
            return true;
    }
    return false;
}

static bool is_there(const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return file_exists(path);
}

static void test_the_newest_of_each_day_is_kept(void **state)
{
    (void)state;
    dir = test_folder();
    put(10, START_S);
    put(20, START_S + 60);
    put(30, START_S + DAY_S);
    read_all();
    assert_int_equal(count, 2);
    assert_true(is_kept(20));
    assert_true(is_kept(30));
    assert_true(is_there("2027-03-08.checkpoint"));
    assert_true(is_there("2027-03-09.checkpoint"));
}

static void test_the_newest_is_first(void **state)
{
    (void)state;
    dir = test_folder();
    put(30, START_S + DAY_S);
    put(10, START_S);
    read_all();
    assert_int_equal(heads[0].size, 30);
    assert_int_equal(heads[1].size, 10);
}

static void test_a_stamped_one_stands_beside_its_token(void **state)
{
    (void)state;
    dir = test_folder();
    put(10, START_S);
    put_stamped(9, START_S + 72); /* 10:01:12 */
    read_all();
    assert_int_equal(count, 2);
    assert_true(is_there("2027-03-08T100112Z.checkpoint"));
    assert_true(is_there("2027-03-08T100112Z.tsr"));
    put_stamped(11, START_S + 3672);
    read_all();
    assert_int_equal(count, 2);
    assert_true(is_kept(10));
    assert_true(is_kept(11));
    assert_false(is_there("2027-03-08T100112Z.tsr"));
    assert_true(is_there("2027-03-08T110112Z.tsr"));
}

static void test_past_a_hundred_days_the_oldest_go(void **state)
{
    (void)state;
    dir = test_folder();
    for (uint64_t day = 0; day < 130; day++) {
        put_stamped(1000 + day, START_S + (int64_t)day * DAY_S);
        put(2000 + day, START_S + (int64_t)day * DAY_S);
    }
    read_all();
    assert_int_equal(count, KEEP_HEADS_MAX);
    assert_true(is_kept(1129));
    assert_true(is_kept(2129));
    assert_true(is_kept(2030));
    assert_false(is_kept(2029));
    assert_false(is_kept(1029));
}

static void test_other_files_are_left_alone(void **state)
{
    (void)state;
    static const char *const others[] = {"notes.txt", "2027-03-08.checkpoint.new",
                                         "2027-13-08.checkpoint", "lost+found", ".checkpoint"};
    dir = test_folder();
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", dir, others[i]);
        assert_done(file_create(path, BYTES("x"), 0600, &test_error));
    }
    put_stamped(5, START_S);
    read_all();
    assert_int_equal(count, 1);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_true(is_there(others[i]));
}

static void test_a_folder_that_is_not_there_is_not_made(void **state)
{
    (void)state;
    char path[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(4096);
    snprintf(path, sizeof path, "%s/not-mounted", test_folder());
    assert_fails(VAULT_IO, keep_read(path, &(struct checkpoint_keys){.key = &signer.key}, heads,
                                     &count, &test_error));
    assert_non_null(strstr(test_error.text, path));
    write_checkpoint(1, &note);
    assert_fails(VAULT_NOT_FOUND, keep_put(path, buf_view(&note), START_S, &test_error));
    assert_false(file_exists(path));
}

static void test_what_the_log_did_not_sign_is_not_read_over(void **state)
{
    (void)state;
    char path[PATH_MAX];
    VAULT_AUTO(note_signer_finish)
    struct note_signer other = test_signer("log.example/other", NOTE_ED25519, 2);
    dir = test_folder();
    put(10, START_S);
    assert_fails(VAULT_CORRUPT, keep_read(dir, &(struct checkpoint_keys){.key = &other.key}, heads,
                                          &count, &test_error));
    const struct checkpoint_keys renewed = {&other.key, &signer.key, 1};
    assert_done(keep_read(dir, &renewed, heads, &count, &test_error));
    snprintf(path, sizeof path, "%s/2027-03-08.checkpoint", dir);
    assert_done(file_replace(path, BYTES("damaged"), 0600, &test_error));
    assert_fails(VAULT_CORRUPT, keep_read(dir, &(struct checkpoint_keys){.key = &signer.key}, heads,
                                          &count, &test_error));
    assert_non_null(strstr(test_error.text, "2027-03-08.checkpoint"));
}

/* What was kept is what catches a log that was cut: less of it must not pass for all of it. */
static void test_a_folder_that_is_not_read_to_its_end_keeps_no_less(void **state)
{
    (void)state;
    dir = test_folder();
    for (unsigned i = 0; i < 3; i++)
        put(i + 1, START_S + i * DAY_S);
    lossy_folder_refuses = true;
    for (unsigned i = 0; i < 5; i++) { /* with "." and ".." there are five */
        lossy_folder_names = i;
        assert_fails(VAULT_IO, keep_read(dir, &(struct checkpoint_keys){.key = &signer.key}, heads,
                                         &count, &test_error));
        assert_non_null(strstr(test_error.text, dir));
    }
    lossy_folder_refuses = false;
    read_all();
    assert_int_equal(count, 3);
}

static void test_an_empty_folder_keeps_nothing(void **state)
{
    (void)state;
    dir = test_folder();
    count = 7;
    read_all();
    assert_int_equal(count, 0);
}

int main(void)
{
    if (crypto_start(true, NULL) != VAULT_OK)
        return 1;
    signer = test_signer("log.example/vault", NOTE_ED25519, 1);
    const int failed =
        TEST_RUN(test_the_newest_of_each_day_is_kept, test_the_newest_is_first,
                 test_a_stamped_one_stands_beside_its_token, test_past_a_hundred_days_the_oldest_go,
                 test_other_files_are_left_alone, test_a_folder_that_is_not_there_is_not_made,
                 test_what_the_log_did_not_sign_is_not_read_over,
                 test_a_folder_that_is_not_read_to_its_end_keeps_no_less,
                 test_an_empty_folder_keeps_nothing);
    note_signer_finish(&signer);
    return failed;
}
