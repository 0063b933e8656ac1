/*
 * published - published logs with any content, right or wrong, for the tests of the auditor's side.
 */
#pragma once

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/entry.h"
#include "vault/ledger/tile.h"

/* The entries of a log to be published. */
struct published {
    char dir[PATH_MAX];
    struct buf *entries; /* texts */
    uint64_t size;
    uint64_t capacity;
};

static inline void published_start(struct published *log, const char *dir, uint64_t capacity)
{
    *log = (struct published){.capacity = capacity};
    snprintf(log->dir, sizeof log->dir, "%s", dir);
    log->entries = calloc(capacity, sizeof *log->entries);
    assert_non_null(log->entries);
    assert_done(folder_create(dir, &test_error));
}

static inline void published_finish(struct published *log)
{
    for (uint64_t i = 0; i < log->size; i++)
        buf_finish(&log->entries[i]);
    free(log->entries);
    log->entries = NULL;
}

static inline void published_add_text(struct published *log, struct bytes text)
{
    assert_true(log->size < log->capacity);
    log->entries[log->size] = buf_limited(UINT16_MAX);
    buf_bytes(&log->entries[log->size++], text);
}

static inline void published_add(struct published *log, const struct entry *entry)
{
    uint8_t text[ENTRY_MAX_BYTES];
    assert_done(entry_check(entry, &test_error));
    published_add_text(log, (struct bytes){text, entry_write(entry, text)});
}

/* Entries that concern nobody, one a millisecond. */
static inline void published_add_plain(struct published *log, uint64_t count)
{
    while (count-- > 0) {
        const struct entry entry = {.event = ENTRY_ADMIN,
                                    .time_ms = 1795295592000 + (int64_t)log->size};
        published_add(log, &entry);
    }
}

static inline void published_path(char out[PATH_MAX], const struct published *log, const char *name)
{
    assert_done(file_join(out, PATH_MAX, log->dir, name, &test_error));
}

static inline void published_write(const struct published *log, const char *name,
                                   struct bytes content)
{
    char path[PATH_MAX];
    published_path(path, log, name);
    for (char *slash = strchr(path + strlen(log->dir) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0700) != 0)
            assert_true(file_exists(path));
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(content.size == 0 || fwrite(content.data, 1, content.size, file) == content.size);
    assert_int_equal(fclose(file), 0);
}

static inline void published_write_tile(const struct published *log, struct tile_name name,
                                        struct bytes content)
{
    char path[TILE_PATH_CHARS];
    tile_path(path, name);
    published_write(log, path, content);
}

static inline struct tree_hash published_root(const struct published *log, uint64_t size)
{
    struct tree_frontier frontier = {0};
    for (uint64_t i = 0; i < size; i++) {
        const struct tree_hash leaf = tree_leaf(buf_view(&log->entries[i]));
        tree_frontier_add(&frontier, &leaf, NULL, NULL);
    }
    return tree_frontier_root(&frontier);
}

/* A checkpoint of the log's first size entries, signed; witnesses cosign it at a time. */
static inline void published_checkpoint(const struct published *log, uint64_t size,
                                        const struct note_signer *signer, struct buf *out)
{
    const struct tree_hash root = published_root(log, size);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_TEXT_MAX_BYTES);
    checkpoint_write_text(&text, signer->key.name, size, &root);
    buf_bytes(out, buf_view(&text));
    buf_text(out, "\n");
    assert_done(note_sign(buf_view(&text), signer, out, &test_error));
}

static inline void published_write_bundles(const struct published *log)
{
    for (uint64_t at = 0; at < log->size; at += TILE_WIDTH) {
        const struct tile_name name = tile_of(log->size, TILE_ENTRIES, at / TILE_WIDTH);
        VAULT_AUTO(buf_finish) struct buf bundle = buf_limited(64UL * 1024 * 1024);
        for (unsigned i = 0; i < name.width; i++)
            tile_bundle_append(&bundle, buf_view(&log->entries[at + i]));
        published_write_tile(log, name, buf_view(&bundle));
    }
}

/* Each level made from the one below by the definition. */
static inline void published_write_tiles(const struct published *log)
{
    struct tree_hash *hashes = calloc(log->size + 1, sizeof *hashes);
    assert_non_null(hashes);
    for (uint64_t i = 0; i < log->size; i++)
        hashes[i] = tree_leaf(buf_view(&log->entries[i]));
    for (int level = 0; tile_hash_count(log->size, level); level++) {
        const uint64_t count = tile_hash_count(log->size, level);
        for (uint64_t i = 0; i * TILE_WIDTH < count; i++) {
            const struct tile_name name = tile_of(log->size, level, i);
            published_write_tile(
                log, name,
                (struct bytes){hashes[i * TILE_WIDTH].bytes, name.width * TREE_HASH_BYTES});
        }
        for (uint64_t i = 0; i < count / TILE_WIDTH; i++)
            hashes[i] = tree_fold(&hashes[i * TILE_WIDTH], TILE_HEIGHT);
    }
    free(hashes);
}

static inline void published_publish(const struct published *log, const struct note_signer *signer)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    published_write_bundles(log);
    published_write_tiles(log);
    published_checkpoint(log, log->size, signer, &note);
    published_write(log, "checkpoint", buf_view(&note));
}
