/*
 * The index of openings is set back, cut, damaged or taken away behind the vault's back. SQLCipher
 * opens an older file, and a write-ahead log that lost its end, without a word: what the log's
 * journal still has is filed again, and no opening is lost. Where that cannot be, the start is
 * refused. The same for a citizen's own file.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "vault/indexer.h"
#include "vault/parts.h"
#include "vault/store/openings.h"
#include "vault_test.h"

#define EARLY 8U
#define LATE  12U

static struct vault_test test;
static char image[PATH_MAX];     /* a vault as a crash left it */
static char at_work[PATH_MAX];   /* a copy of it, to be damaged */
static char set_aside[PATH_MAX]; /* an older index */

/* Test data only, and no path from outside. */
static void run(const char *command)
{
    assert_int_equal(system(command), 0);
}

static void copy_folder(const char *from, const char *to)
{
    char command[PATH_MAX * 3];
    snprintf(command, sizeof command, "rm -rf '%s' && cp -r '%s' '%s'", to, from, to);
    run(command);
}

static void remove_index(void)
{
    char command[PATH_MAX * 3];
    snprintf(command, sizeof command, "rm -f '%s'/openings.db*", at_work);
    run(command);
}

/* The older index in the place of the one that is there. */
static void set_index_back(void)
{
    char command[PATH_MAX * 3];
    remove_index();
    snprintf(command, sizeof command, "cp '%s' '%s/openings.db'", set_aside, at_work);
    run(command);
}

static void release_times(unsigned count)
{
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    for (unsigned i = 0; i < count; i++)
        json_decref(ask_release(&test, subject));
}

static void wait_until_filed(void)
{
    assert_done(indexer_wait(test.vault->indexer, ledger_head(test.vault->ledger).size, 10000,
                             &test_error));
}

/* A vault with two stretches of releases; its index after the first is set aside, and the whole is
 * copied as it stands, with its write-ahead logs. */
static void make_image(void)
{
    char command[PATH_MAX * 3];
    make_filled_vault(&test);
    snprintf(image, sizeof image, "%s.image", test.key_file);
    snprintf(at_work, sizeof at_work, "%s.work", test.key_file);
    snprintf(set_aside, sizeof set_aside, "%s.aside", test.key_file);
    release_times(EARLY);
    vault_close(&test.vault);
    snprintf(command, sizeof command, "cp '%s/openings.db' '%s'", test.dir, set_aside);
    run(command);
    open_test_vault(&test);
    release_times(LATE);
    wait_until_filed();
    copy_folder(test.dir, image);
    vault_close(&test.vault);
}

static void fresh_copy(void)
{
    copy_folder(image, at_work);
    test.options.dir = at_work;
}

static void path_of(const char *name, char out[PATH_MAX])
{
    assert_done(file_join(out, PATH_MAX, at_work, name, &test_error));
}

static off_t size_of(const char *name)
{
    char path[PATH_MAX];
    struct stat status;
    path_of(name, path);
    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

static void cut(const char *name, off_t size)
{
    char path[PATH_MAX];
    path_of(name, path);
    assert_int_equal(truncate(path, size), 0);
}

static void flip(const char *name, off_t at)
{
    char path[PATH_MAX];
    path_of(name, path);
    test_flip(path, at);
}

static enum vault_code count_down(void *context, const struct openings_row *row,
                                  struct vault_error *err)
{
    (void)err;
    uint64_t *expected = context;
    assert_int_equal(row->n, (*expected)--);
    return VAULT_OK;
}

/* Every opening is there, in order, and the next one goes behind them. */
static void assert_nothing_lost(void)
{
    uint64_t expected = EARLY + LATE;
    open_test_vault(&test);
    assert_done(openings_list(test.vault->store, &test.citizen, 0, OPENINGS_LIST_MAX, count_down,
                              &expected, &test_error));
    assert_int_equal(expected, 0);
    release_times(1);
    wait_until_filed();
    expected = EARLY + LATE + 1;
    assert_done(openings_list(test.vault->store, &test.citizen, 0, OPENINGS_LIST_MAX, count_down,
                              &expected, &test_error));
    assert_int_equal(expected, 0);
    vault_close(&test.vault);
}

static void test_an_index_as_a_crash_left_it_is_whole(void **state)
{
    (void)state;
    make_image();
    fresh_copy();
    assert_nothing_lost();
}

static void test_an_older_index_is_brought_up_again(void **state)
{
    (void)state;
    make_image();
    fresh_copy();
    set_index_back();
    assert_nothing_lost();
}

static void test_a_write_ahead_log_that_was_cut_loses_no_opening(void **state)
{
    (void)state;
    make_image();
    fresh_copy();
    const off_t size = size_of("openings.db-wal");
    assert_true(size > 20000);
    for (off_t left = 0; left < size; left += size / 7) {
        fresh_copy();
        cut("openings.db-wal", left);
        assert_nothing_lost();
    }
}

static void test_a_write_ahead_log_with_a_bit_flipped_loses_no_opening(void **state)
{
    (void)state;
    make_image();
    fresh_copy();
    const off_t size = size_of("openings.db-wal");
    for (off_t at = 100; at < size; at += size / 7) {
        fresh_copy();
        flip("openings.db-wal", at);
        assert_nothing_lost();
    }
}

static void test_an_index_with_a_bit_flipped_is_refused_and_changes_nothing_else(void **state)
{
    (void)state;
    make_image();
    fresh_copy();
    set_index_back();
    flip("openings.db", 3 * 4096 + 99);
    struct vault *refused = NULL;
    const enum vault_code code = vault_open(&test.options, &refused, &test_error);
    assert_true(code == VAULT_CORRUPT || code == VAULT_IO);
    assert_null(refused);
    set_index_back();
    assert_nothing_lost();
}

static void test_an_index_that_is_gone_is_refused_and_named(void **state)
{
    (void)state;
    make_image();
    fresh_copy();
    remove_index();
    struct vault *refused = NULL;
    assert_true(vault_open(&test.options, &refused, &test_error) != VAULT_OK);
    assert_null(refused);
    assert_non_null(strstr(test_error.text, "the index of openings"));
    set_index_back();
    assert_nothing_lost();
}

static enum vault_code count(void *context, const struct openings_row *row, struct vault_error *err)
{
    (void)err;
    (void)row;
    ++*(uint64_t *)context;
    return VAULT_OK;
}

/* A page that stood at the same place before has a good checksum. It is noticed at the start, or
 * when the openings are read, or nothing is missing: a list is never short without a word. */
static void test_an_older_page_played_back_is_never_a_shorter_list(void **state)
{
    (void)state;
    unsigned noticed = 0;
    make_image();
    for (int page = 0; page < 8; page++) {
        char command[PATH_MAX * 3];
        struct vault *vault = NULL;
        uint64_t found = 0;
        copy_folder(test.dir, at_work);
        test.options.dir = at_work;
        snprintf(command, sizeof command,
                 "dd if='%s' of='%s/openings.db' bs=4096 skip=%d seek=%d count=1 conv=notrunc "
                 "status=none",
                 set_aside, at_work, page, page);
        run(command);
        enum vault_code code = vault_open(&test.options, &vault, &test_error);
        if (code == VAULT_OK)
            code = openings_list(vault->store, &test.citizen, 0, OPENINGS_LIST_MAX, count, &found,
                                 &test_error);
        noticed += code != VAULT_OK;
        assert_true(code != VAULT_OK || found == EARLY + LATE);
        vault_close(&vault);
    }
    assert_true(noticed > 0);
}

/* --- A citizen's own file ------------------------------------------------------------------- */

static void citizen_file(char out[PATH_MAX])
{
    int length = snprintf(out, PATH_MAX, "%s/citizens/%02x/", at_work, test.citizen.bytes[0]);
    for (size_t i = 0; i < CITIZEN_ID_BYTES; i++)
        length += snprintf(out + length, PATH_MAX - (size_t)length, "%02x", test.citizen.bytes[i]);
    snprintf(out + length, PATH_MAX - (size_t)length, ".db");
}

/* How many fields a service is given; none when it is told that something is damaged. */
static size_t given(void)
{
    char subject[SUBJECT_CHARS + 1];
    const struct release_ask ask = {BYTES("employment.status"), {0}};
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    VAULT_AUTO(json_free) json_t *context = json_pack("{s:s}", "assurance_at_least", "high");
    subject_of_citizen(&test, subject);
    const struct release_request request = {.client_spki = caseworker_key,
                                            .subject = bytes_of_text(subject),
                                            .purpose = BYTES(SUPPORT),
                                            .asks = &ask,
                                            .ask_count = 1,
                                            .context = context};
    enum release_fault fault;
    json_t *answer = NULL;
    if (release_perform(test.vault, hold.service, &request, &body, &fault, &test_error))
        return 0;
    assert_done(json_parse(buf_view(&body), 8, &answer, NULL, &test_error));
    return count_released(answer);
}

static void test_whichever_page_is_damaged_withdrawing_ends_it(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct stat status;
    unsigned damaged = 0; /* so that nothing is given even before */
    unsigned pages = 0;
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    snprintf(image, sizeof image, "%s.image", test.key_file);
    snprintf(at_work, sizeof at_work, "%s.work", test.key_file);
    vault_close(&test.vault);
    copy_folder(test.dir, image);
    fresh_copy();
    citizen_file(path);
    assert_int_equal(stat(path, &status), 0);
    for (off_t at = 100; at < status.st_size; at += 4096) {
        fresh_copy();
        citizen_file(path);
        flip(path + strlen(at_work) + 1, at);
        open_test_vault(&test);
        const size_t before = given();
        damaged += before == 0;
        pages++;
        assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
        assert_int_equal(given(), 0);
        vault_close(&test.vault);
    }
    assert_true(damaged > 0 && damaged < pages);
}

int main(void)
{
    return TEST_RUN(test_whichever_page_is_damaged_withdrawing_ends_it,
                    test_an_index_as_a_crash_left_it_is_whole,
                    test_an_older_index_is_brought_up_again,
                    test_a_write_ahead_log_that_was_cut_loses_no_opening,
                    test_a_write_ahead_log_with_a_bit_flipped_loses_no_opening,
                    test_an_index_with_a_bit_flipped_is_refused_and_changes_nothing_else,
                    test_an_index_that_is_gone_is_refused_and_named,
                    test_an_older_page_played_back_is_never_a_shorter_list);
}
