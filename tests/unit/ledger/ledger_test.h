/*
 * ledger_test - a ledger in a fresh folder with a clock that the test sets, for the tests of
 * ledger.h.
 */
#pragma once

#include "vault/ledger/ledger.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "keys.h"
#include "test.h"
#include "vault/base/file.h"
#include "vault/crypto/crypto.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/proof.h"
#include "vault/ledger/tile.h"

#define PATIENCE_MS 20000

static struct note_signer signer;
static struct ledger *ledger;
static char dir[PATH_MAX];
static _Atomic int64_t now_ms;

static inline struct ledger_options options(void)
{
    return (struct ledger_options){.dir = dir, .signer = &signer, .clock = clock_fixed(&now_ms)};
}

static inline void open_log(void)
{
    const struct ledger_options with = options();
    assert_done(ledger_open(&with, &ledger, &test_error));
}

static inline void make(void)
{
    snprintf(dir, sizeof dir, "%s", test_folder());
    now_ms = 1795295592000;
    const struct ledger_options with = options();
    assert_done(ledger_create(&with, &test_error));
    open_log();
}

static inline void stop(void)
{
    assert_done(ledger_stop(ledger, &test_error));
    ledger_close(&ledger);
    assert_null(ledger);
}

static inline struct ledger_ticket append(const char *opening)
{
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_ticket ticket;
    assert_done(ledger_append(ledger, &entry, bytes_of_text(opening), &ticket, &test_error));
    return ticket;
}

static inline void append_many(uint64_t count)
{
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_ticket ticket = {0};
    for (uint64_t i = 0; i < count; i++) {
        enum vault_code code;
        do {
            code = ledger_enqueue(ledger, &entry, BYTES("sealed"), &ticket, &test_error);
        } while (code == VAULT_LIMITED);
        assert_done(code);
    }
    assert_done(ledger_wait(ledger, &ticket, &test_error));
}

static inline void path_in_log(char out[PATH_MAX], const char *name)
{
    assert_done(file_join(out, PATH_MAX, dir, name, &test_error));
}

static inline struct checkpoint published(struct buf *note)
{
    char path[PATH_MAX];
    struct checkpoint checkpoint;
    path_in_log(path, "checkpoint");
    assert_done(file_read(path, note, &test_error));
    assert_done(checkpoint_parse(buf_view(note), &checkpoint, &test_error));
    assert_done(checkpoint_verify(&checkpoint, &signer.key, &test_error));
    return checkpoint;
}

/* The published files, hashed anew from the entries up. */
static inline void assert_published(uint64_t size)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    assert_done(ledger_wait_published(ledger, size, PATIENCE_MS, &test_error));
    const struct checkpoint checkpoint = published(&note);
    assert_true(checkpoint.size >= size);
    struct tree_frontier frontier = {0};
    for (uint64_t i = 0; i * TILE_WIDTH < checkpoint.size; i++) {
        VAULT_AUTO(buf_finish) struct buf bundle = buf_limited(TILE_BUNDLE_BYTES);
        const struct tile_name name = tile_of(checkpoint.size, TILE_ENTRIES, i);
        assert_done(tile_read(dir, name, &bundle, &test_error));
        struct cursor cursor = cursor_over(buf_view(&bundle));
        struct bytes entry;
        while (tile_bundle_next(&cursor, &entry)) {
            const struct tree_hash leaf = tree_leaf(entry);
            tree_frontier_add(&frontier, &leaf, NULL, NULL);
        }
    }
    const struct tree_hash root = tree_frontier_root(&frontier);
    assert_true(tree_hash_equal(&root, &checkpoint.root));
    VAULT_AUTO(tile_source_free) struct tile_source *source = NULL;
    assert_done(tile_source_new(dir, checkpoint.size, &source, &test_error));
    const struct tree_source nodes = tile_source_nodes(source);
    struct tree_hash of_tiles;
    assert_done(tree_root(&nodes, checkpoint.size, &of_tiles, &test_error));
    assert_true(tree_hash_equal(&of_tiles, &checkpoint.root));
}

static inline enum entry_event event_at(uint64_t index)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
    struct entry entry;
    assert_done(ledger_wait_published(ledger, index + 1, PATIENCE_MS, &test_error));
    assert_done(ledger_entry(ledger, index, &text, &test_error));
    assert_done(entry_parse(buf_view(&text), &entry, &test_error));
    return entry.event;
}

/* A bit of the journal, near its beginning. */
static inline void change_first_entries(void)
{
    char path[PATH_MAX];
    uint8_t byte = 0;
    path_in_log(path, "journal/00000000000000000000.segment");
    VAULT_AUTO(file_close) int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &byte, 1, 300), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 300), 1);
}

static inline void wait_until_stopped(void)
{
    const int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (!ledger_has_stopped(ledger) && clock_monotonic_ms() < until)
        usleep(1000);
    assert_true(ledger_has_stopped(ledger));
}

static inline bool ledger_test_begin(void)
{
    if (crypto_start(true, &test_error))
        return false;
    signer = test_signer("log.example", NOTE_ED25519, 1);
    return true;
}

static inline int ledger_test_end(int failed)
{
    note_signer_finish(&signer);
    return failed;
}

/* Run these tests under a key of the log's. What main() returns. */
#define LEDGER_TEST_RUN(...) (ledger_test_begin() ? ledger_test_end(TEST_RUN(__VA_ARGS__)) : 1)
