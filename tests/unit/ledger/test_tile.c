#include "vault/ledger/tile.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "vault/base/file.h"
#include "vault/crypto/crypto.h"

static const struct {
    struct tile_name name;
    const char *path;
} names[] = {
    {{0, 0, 256}, "tile/0/000"},
    {{0, 0, 1}, "tile/0/000.p/1"},
    {{0, 273, 112}, "tile/0/273.p/112"},
    {{1, 1, 17}, "tile/1/001.p/17"},
    {{2, 999, 255}, "tile/2/999.p/255"},
    {{0, 1000, 256}, "tile/0/x001/000"},
    {{3, 1234067, 256}, "tile/3/x001/x234/067"},
    {{63, 1234067, 9}, "tile/63/x001/x234/067.p/9"},
    {{TILE_ENTRIES, 0, 256}, "tile/entries/000"},
    {{TILE_ENTRIES, 1000000, 3}, "tile/entries/x001/x000/000.p/3"},
    {{0, 18014398509481984, 256}, "tile/0/x018/x014/x398/x509/x481/984"},
};

static void test_names_are_those_of_tlog_tiles_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[TILE_PATH_CHARS];
        struct tile_name name = {0};
        tile_path(path, names[i].name);
        assert_string_equal(path, names[i].path);
        assert_true(tile_path_parse(bytes_of_text(path), &name));
        assert_int_equal(name.level, names[i].name.level);
        assert_int_equal(name.index, names[i].name.index);
        assert_int_equal(name.width, names[i].name.width);
    }
}

static void test_no_other_name_is_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/000/",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/entries",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/002",
        "tile/0/x01/002",
        "tile/0/X001/002",
        "tile/0/x001/x002",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/00",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/1/",
        "tile/0/000.p/1/2",
        "tile/0/000.new",
        "tile/0/x001.p/002",
        "tile//0/000",
        "/tile/0/000",
        "tile/0/00a",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/x999/x999/x999/x999/x999/999",
        "tiles/0/000",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct tile_name name;
        if (tile_path_parse(bytes_of_text(wrong[i]), &name))
            fail_msg("%s was read as a name", wrong[i]);
    }
}

/* The example of the specification. */
static void test_a_tree_of_70000_has_the_tiles_of_the_specification(void **state)
{
    (void)state;
    assert_int_equal(tile_of(70000, 0, 272).width, 256);
    assert_int_equal(tile_of(70000, 0, 273).width, 112);
    assert_int_equal(tile_of(70000, 0, 274).width, 0);
    assert_int_equal(tile_of(70000, 1, 0).width, 256);
    assert_int_equal(tile_of(70000, 1, 1).width, 17);
    assert_int_equal(tile_of(70000, 2, 0).width, 1);
    assert_int_equal(tile_of(70000, 3, 0).width, 0);
    assert_int_equal(tile_of(70000, TILE_ENTRIES, 273).width, 112);
    assert_int_equal(tile_of(256, 0, 0).width, 256);
    assert_int_equal(tile_of(256, 0, 1).width, 0);
    assert_int_equal(tile_of(256, 1, 0).width, 1);
    assert_int_equal(tile_of(0, 0, 0).width, 0);
    assert_int_equal(tile_of(70000, 63, 0).width, 0);
}

#define LEAVES 70000U
static struct tree_hash leaves[LEAVES];
static char dir[PATH_MAX];

static void write_at(const char *relative, struct bytes content)
{
    char path[PATH_MAX];
    assert_done(file_join(path, sizeof path, dir, relative, &test_error));
    for (char *slash = strchr(path + strlen(dir) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        assert_done(folder_create(path, &test_error));
        *slash = '/';
    }
    assert_done(file_replace(path, content, 0600, &test_error));
}

static void write_tile(struct tile_name name, const struct tree_hash *hashes)
{
    char path[TILE_PATH_CHARS];
    tile_path(path, name);
    write_at(path, (struct bytes){hashes[0].bytes, name.width * TREE_HASH_BYTES});
}

/* All the tiles of a log, each level made from the one below by the definition. */
static void write_tiles(uint64_t size)
{
    snprintf(dir, sizeof dir, "%s", test_folder());
    struct tree_hash *hashes = calloc(LEAVES, sizeof *hashes);
    assert_non_null(hashes);
    memcpy(hashes, leaves, size * sizeof *hashes);
    for (int level = 0; tile_hash_count(size, level); level++) {
        const uint64_t count = tile_hash_count(size, level);
        for (uint64_t i = 0; i * TILE_WIDTH < count; i++)
            write_tile(tile_of(size, level, i), hashes + i * TILE_WIDTH);
        for (uint64_t i = 0; i < count / TILE_WIDTH; i++) {
            struct tree_frontier frontier = {0};
            for (unsigned j = 0; j < TILE_WIDTH; j++)
                tree_frontier_add(&frontier, &hashes[i * TILE_WIDTH + j], NULL, NULL);
            hashes[i] = tree_frontier_root(&frontier);
        }
    }
    free(hashes);
}

static struct tree_hash root_of(uint64_t size)
{
    struct tree_frontier frontier = {0};
    for (uint64_t i = 0; i < size; i++)
        tree_frontier_add(&frontier, &leaves[i], NULL, NULL);
    return tree_frontier_root(&frontier);
}

static void check_proofs_in(uint64_t published, uint64_t size, uint64_t old, uint64_t index)
{
    VAULT_AUTO(tile_source_free) struct tile_source *source = NULL;
    assert_done(tile_source_new(dir, published, &source, &test_error));
    const struct tree_source nodes = tile_source_nodes(source);
    const struct tree_hash root = root_of(size);
    const struct tree_hash old_root = root_of(old);
    struct tree_hash stored;
    struct tree_proof proof;
    assert_done(tree_root(&nodes, size, &stored, &test_error));
    assert_true(tree_hash_equal(&stored, &root));
    assert_done(tree_prove_inclusion(&nodes, index, size, &proof, &test_error));
    assert_done(tree_check_inclusion(&proof, index, size, &leaves[index], &root, &test_error));
    assert_done(tree_prove_consistency(&nodes, old, size, &proof, &test_error));
    assert_done(tree_check_consistency(&proof, old, size, &old_root, &root, &test_error));
}

static void check_proofs(uint64_t size, uint64_t old, uint64_t index)
{
    check_proofs_in(size, size, old, index);
}

static void test_proofs_come_from_tiles(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 2, 255, 256, 257, 511, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        write_tiles(sizes[i]);
        check_proofs(sizes[i], 1, 0);
        check_proofs(sizes[i], sizes[i] / 2, sizes[i] - 1);
        check_proofs(sizes[i], sizes[i], sizes[i] / 3);
    }
    check_proofs(70000, 65536, 65535);
    check_proofs(70000, 65537, 65536);
}

static void test_earlier_sizes_are_proved_from_the_tiles_of_a_later_one(void **state)
{
    (void)state;
    write_tiles(600);
    check_proofs_in(600, 500, 300, 499);
    check_proofs_in(600, 256, 255, 255);
    check_proofs_in(600, 1, 0, 0);
}

static void test_a_tile_that_is_missing_or_cut_is_said_so(void **state)
{
    (void)state;
    char path[PATH_MAX];
    write_tiles(600);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(TILE_BYTES);
    assert_fails(VAULT_NOT_FOUND, tile_read(dir, tile_of(900, 0, 3), &out, &test_error));
    assert_done(file_join(path, sizeof path, dir, "tile/0/001", &test_error));
    assert_int_equal(truncate(path, TILE_BYTES - 1), 0);
    assert_fails(VAULT_CORRUPT, tile_read(dir, tile_of(600, 0, 1), &out, &test_error));
    assert_int_equal(truncate(path, TILE_BYTES + 1), 0);
    assert_fails(VAULT_CORRUPT, tile_read(dir, tile_of(600, 0, 1), &out, &test_error));
    assert_non_null(strstr(test_error.text, "tile/0/001"));
    assert_int_equal(out.size, 0);

    VAULT_AUTO(tile_source_free) struct tile_source *source = NULL;
    assert_done(tile_source_new(dir, 600, &source, &test_error));
    const struct tree_source nodes = tile_source_nodes(source);
    struct tree_proof proof;
    assert_fails(VAULT_CORRUPT, tree_prove_inclusion(&nodes, 300, 600, &proof, &test_error));
}

static void test_nodes_beyond_the_size_are_refused(void **state)
{
    (void)state;
    write_tiles(600);
    VAULT_AUTO(tile_source_free) struct tile_source *source = NULL;
    assert_done(tile_source_new(dir, 500, &source, &test_error));
    const struct tree_source nodes = tile_source_nodes(source);
    struct tree_hash hash;
    assert_done(nodes.node(nodes.context, 0, 499, &hash, &test_error));
    assert_fails(VAULT_INVALID, nodes.node(nodes.context, 0, 500, &hash, NULL));
    assert_fails(VAULT_INVALID, nodes.node(nodes.context, 8, 1, &hash, NULL));
    assert_done(nodes.node(nodes.context, 7, 2, &hash, &test_error));
    assert_fails(VAULT_INVALID, nodes.node(nodes.context, 7, 3, &hash, NULL));
}

/* Bundles of entries whose text is their index. */
static void write_bundle(struct tile_name name)
{
    VAULT_AUTO(buf_finish) struct buf bundle = buf_limited(TILE_BUNDLE_BYTES);
    char path[TILE_PATH_CHARS];
    for (uint64_t i = 0; i < name.width; i++) {
        char text[32];
        snprintf(text, sizeof text, "%ju", (uintmax_t)(name.index * TILE_WIDTH + i));
        tile_bundle_append(&bundle, bytes_of_text(text));
    }
    tile_path(path, name);
    write_at(path, buf_view(&bundle));
}

static void assert_entry(uint64_t size, uint64_t index, const char *text)
{
    VAULT_AUTO(buf_finish) struct buf entry = buf_limited(ENTRY_MAX_BYTES);
    assert_done(tile_read_entry(dir, size, index, &entry, &test_error));
    assert_string_equal(buf_string(&entry), text);
}

static void test_entries_come_from_bundles(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "%s", test_folder());
    write_bundle(tile_of(300, TILE_ENTRIES, 0));
    write_bundle(tile_of(300, TILE_ENTRIES, 1));
    assert_entry(300, 0, "0");
    assert_entry(300, 255, "255");
    assert_entry(300, 256, "256");
    assert_entry(300, 299, "299");
    assert_entry(200, 199, "199"); /* the full bundle, where a partial one would do */
    VAULT_AUTO(buf_finish) struct buf entry = buf_limited(ENTRY_MAX_BYTES);
    assert_fails(VAULT_NOT_FOUND, tile_read_entry(dir, 300, 300, &entry, &test_error));
    assert_fails(VAULT_NOT_FOUND, tile_read_entry(dir, 310, 300, &entry, &test_error));
}

static void test_a_bundle_holds_exactly_its_entries(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "%s", test_folder());
    const struct {
        struct bytes content;
        bool good;
    } bundles[] = {
        {BYTES("\0\1a\0\1b"), true},      {BYTES("\0\0\0\0"), true},
        {BYTES("\0\1a"), false},          {BYTES("\0\1a\0\1b\0"), false},
        {BYTES("\0\1a\0\1b\0\0"), false}, {BYTES("\0\1a\0\2b"), false},
        {BYTES("\0\1a\xff"), false},      {BYTES(""), false},
    };
    for (size_t i = 0; i < sizeof bundles / sizeof bundles[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf out = buf_limited(TILE_BUNDLE_BYTES);
        write_at("tile/entries/000.p/2", bundles[i].content);
        const struct tile_name name = tile_of(2, TILE_ENTRIES, 0);
        if (bundles[i].good)
            assert_done(tile_read(dir, name, &out, &test_error));
        else
            assert_fails(VAULT_CORRUPT, tile_read(dir, name, &out, &test_error));
    }
}

static void test_a_file_that_is_far_too_large_is_not_read_whole(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "%s", test_folder());
    char path[PATH_MAX];
    write_at("tile/0/000", BYTES("x"));
    assert_done(file_join(path, sizeof path, dir, "tile/0/000", &test_error));
    assert_int_equal(truncate(path, 64 * 1024 * 1024), 0);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(TILE_BYTES);
    assert_fails(VAULT_CORRUPT, tile_read(dir, tile_of(256, 0, 0), &out, &test_error));
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    for (uint32_t i = 0; i < LEAVES; i++)
        leaves[i] = tree_leaf((struct bytes){(const uint8_t *)&i, sizeof i});
    return TEST_RUN(
        test_names_are_those_of_tlog_tiles_both_ways, test_no_other_name_is_read,
        test_a_tree_of_70000_has_the_tiles_of_the_specification, test_proofs_come_from_tiles,
        test_earlier_sizes_are_proved_from_the_tiles_of_a_later_one,
        test_a_tile_that_is_missing_or_cut_is_said_so, test_nodes_beyond_the_size_are_refused,
        test_entries_come_from_bundles, test_a_bundle_holds_exactly_its_entries,
        test_a_file_that_is_far_too_large_is_not_read_whole);
}
