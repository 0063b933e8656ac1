/* Copies of a log that is being written to, and a log that goes on from a copy. */
#include "vault/ledger/copy.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "keys.h"
#include "test.h"
#include "vault/base/file.h"
#include "vault/crypto/crypto.h"

#define PATIENCE_MS 20000

static struct note_signer signer;
static struct ledger *ledger;
static char dir[PATH_MAX];
static char copy[PATH_MAX];
static _Atomic int64_t now_ms;

static struct ledger_options options(const char *where)
{
    return (struct ledger_options){.dir = where, .signer = &signer, .clock = clock_fixed(&now_ms)};
}

static void make(void)
{
    const char *folder = test_folder();
    snprintf(dir, sizeof dir, "%s/log", folder);
    snprintf(copy, sizeof copy, "%s/copy", folder);
    now_ms = 1795295592000;
    const struct ledger_options with = options(dir);
    assert_done(ledger_create(&with, &test_error));
    assert_done(ledger_open(&with, &ledger, &test_error));
}

static void append_many(unsigned count)
{
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_ticket ticket = {0};
    for (unsigned i = 0; i < count; i++)
        assert_done(ledger_enqueue(ledger, &entry, BYTES("sealed"), &ticket, &test_error));
    assert_done(ledger_wait(ledger, &ticket, &test_error));
}

/* Put it below the copy's folder. */
static enum vault_code take(void *context, const char *name, int fd, uint64_t size_bytes,
                            struct vault_error *err)
{
    char path[PATH_MAX];
    unsigned *files = context;
    uint8_t *content = malloc(size_bytes + 1);
    assert_non_null(content);
    assert_int_equal(pread(fd, content, size_bytes, 0), (ssize_t)size_bytes);
    assert_done(folder_create_for(copy, name, err));
    assert_done(file_join(path, sizeof path, copy, name, err));
    assert_done(file_create(path, (struct bytes){content, size_bytes}, 0600, err));
    free(content);
    ++*files;
    return VAULT_OK;
}

static struct ledger_head copy_all(bool journal)
{
    unsigned files = 0;
    struct ledger_head head = {0};
    assert_done(folder_create(copy, &test_error));
    assert_done(ledger_copy_published(dir, 0, take, &files, &test_error));
    if (journal) {
        assert_done(ledger_turn(ledger, &head, &test_error));
        append_many(3); /* what comes after is not in it */
        assert_done(ledger_copy_journal(ledger, head.size, take, &files, &test_error));
    }
    assert_true(files > 0);
    return head;
}

static void open_copy(const struct ledger_head *remembered)
{
    struct ledger_options with = options(copy);
    with.remembered = remembered;
    with.remembered_count = 1;
    assert_done(ledger_open(&with, &ledger, &test_error));
}

static void test_a_copy_is_the_log_at_the_size_it_was_turned(void **state)
{
    (void)state;
    static const unsigned sizes[] = {0, 1, 300, 1000};
    const struct checkpoint_keys keys = {&signer.key, NULL, 0};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct ledger_head ends;
        make();
        if (sizes[i])
            append_many(sizes[i]);
        if (i % 2)
            assert_done(ledger_wait_published(ledger, sizes[i], PATIENCE_MS, &test_error));
        const struct ledger_head head = copy_all(true);
        ledger_close(&ledger);
        assert_int_equal(head.size, sizes[i]);
        assert_done(ledger_check_journal(copy, &keys, &head, NULL, &ends, &test_error));
        assert_int_equal(ends.size, head.size);
        assert_true(tree_hash_equal(&ends.root, &head.root));
        open_copy(&head);
        assert_int_equal(ledger_head(ledger).size, head.size);
        append_many(2);
        assert_done(ledger_wait_published(ledger, head.size + 2, PATIENCE_MS, &test_error));
        ledger_close(&ledger);
    }
}

static void test_a_copy_holds_the_openings(void **state)
{
    (void)state;
    struct ledger_reader *reader = NULL;
    struct ledger_record record;
    make();
    append_many(5);
    const struct ledger_head head = copy_all(true);
    ledger_close(&ledger);
    open_copy(&head);
    assert_done(ledger_reader_open(ledger, 4, &reader, &test_error));
    assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_true(bytes_equal(record.opening, BYTES("sealed")));
    ledger_reader_close(&reader);
    ledger_close(&ledger);
}

static void test_a_published_log_goes_on_without_its_journal(void **state)
{
    (void)state;
    static const unsigned sizes[] = {1, 255, 256, 257, 700};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        make();
        append_many(sizes[i]);
        assert_done(ledger_wait_published(ledger, sizes[i], PATIENCE_MS, &test_error));
        const struct ledger_head before = ledger_head(ledger);
        copy_all(false);
        ledger_close(&ledger);
        const struct ledger_options with = options(copy);
        assert_done(ledger_adopt(&with, &test_error));
        assert_fails(VAULT_CONFLICT, ledger_adopt(&with, &test_error));
        open_copy(&before);
        append_many(300);
        assert_done(ledger_wait_published(ledger, sizes[i] + 300, PATIENCE_MS, &test_error));
        ledger_close(&ledger);
        open_copy(&before);
        assert_int_equal(ledger_head(ledger).size, sizes[i] + 300);
        ledger_close(&ledger);
    }
}

static void damage(const char *name)
{
    char path[PATH_MAX];
    assert_done(file_join(path, sizeof path, copy, name, &test_error));
    test_flip(path, 25);
}

static void test_damaged_published_files_are_not_gone_on_with(void **state)
{
    (void)state;
    static const char *const names[] = {"checkpoint", "tile/entries/001.p/44", "tile/1/000.p/1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        make();
        append_many(300);
        assert_done(ledger_wait_published(ledger, 300, PATIENCE_MS, &test_error));
        copy_all(false);
        ledger_close(&ledger);
        damage(names[i]);
        const struct ledger_options with = options(copy);
        assert_int_not_equal(ledger_adopt(&with, &test_error), VAULT_OK);
    }
}

static void test_a_damaged_or_another_journal_is_told(void **state)
{
    (void)state;
    struct ledger_head ends;
    const struct checkpoint_keys keys = {&signer.key, NULL, 0};
    make();
    append_many(5);
    struct ledger_head head = copy_all(true);
    ledger_close(&ledger);
    head.root.bytes[0] ^= 1;
    assert_fails(VAULT_CORRUPT, ledger_check_journal(copy, &keys, &head, NULL, &ends, &test_error));
    head.root.bytes[0] ^= 1;
    damage("journal/00000000000000000000.segment");
    assert_fails(VAULT_CORRUPT, ledger_check_journal(copy, &keys, &head, NULL, &ends, &test_error));
}

static void test_a_missing_tile_is_told_unless_it_was_pruned(void **state)
{
    (void)state;
    unsigned files = 0;
    char path[PATH_MAX];
    make();
    append_many(300);
    assert_done(ledger_wait_published(ledger, 300, PATIENCE_MS, &test_error));
    ledger_close(&ledger);
    snprintf(path, sizeof path, "%s/tile/entries/000", dir);
    assert_int_equal(unlink(path), 0);
    assert_done(folder_create(copy, &test_error));
    assert_fails(VAULT_CORRUPT, ledger_copy_published(dir, 0, take, &files, &test_error));
    assert_done(folder_remove(copy, &test_error));
    assert_done(folder_create(copy, &test_error));
    assert_done(ledger_copy_published(dir, 256, take, &files, &test_error));
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    signer = test_signer("test.example/log", NOTE_ED25519, 1);
    const int result =
        TEST_RUN(test_a_copy_is_the_log_at_the_size_it_was_turned, test_a_copy_holds_the_openings,
                 test_a_published_log_goes_on_without_its_journal,
                 test_damaged_published_files_are_not_gone_on_with,
                 test_a_damaged_or_another_journal_is_told,
                 test_a_missing_tile_is_told_unless_it_was_pruned);
    note_signer_finish(&signer);
    return result;
}
