#include "ledger/edge.h"

#include "test.h"
#include "vault/crypto/crypto.h"

static struct tree_hash leaf_of(uint64_t index)
{
    return tree_leaf((struct bytes){(const uint8_t *)&index, sizeof index});
}

struct grown {
    struct tree_frontier frontier;
    struct edge *edge;
};

static struct grown start(uint64_t published, uint64_t capacity)
{
    struct grown grown = {0};
    assert_done(edge_new(published, capacity, &grown.edge, &test_error));
    return grown;
}

static void grow_to(struct grown *grown, uint64_t size)
{
    while (grown->frontier.size < size) {
        const struct tree_hash leaf = leaf_of(grown->frontier.size);
        tree_frontier_add(&grown->frontier, &leaf, edge_add, grown->edge);
    }
}

static enum vault_code node(void *context, unsigned level, uint64_t index, struct tree_hash *out,
                            struct vault_error *err)
{
    if (edge_node(context, level, index, out))
        return VAULT_OK;
    return vault_fail(err, VAULT_NOT_FOUND, "not in the edge");
}

static void assert_root(struct grown *grown, uint64_t size)
{
    const struct tree_source source = {.node = node, .context = grown->edge};
    struct tree_frontier frontier = {0};
    struct tree_hash root;
    for (uint64_t i = 0; i < size; i++) {
        const struct tree_hash leaf = leaf_of(i);
        tree_frontier_add(&frontier, &leaf, NULL, NULL);
    }
    const struct tree_hash expected = tree_frontier_root(&frontier);
    assert_done(tree_root(&source, size, &root, &test_error));
    assert_true(tree_hash_equal(&root, &expected));
}

static void test_any_size_has_its_root_while_nothing_is_published(void **state)
{
    (void)state;
    struct grown grown = start(0, 2000);
    grow_to(&grown, 1000);
    assert_false(edge_overflowed(grown.edge));
    static const uint64_t sizes[] = {1, 2, 255, 256, 257, 512, 999, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_root(&grown, sizes[i]);
    edge_free(&grown.edge);
    assert_null(grown.edge);
}

static void test_tiles_stand_in_one_piece(void **state)
{
    (void)state;
    struct grown grown = start(0, 1000);
    grow_to(&grown, 700);
    const struct tree_hash *tile = edge_tile(grown.edge, tile_of(700, 0, 2));
    const struct tree_hash *above = edge_tile(grown.edge, tile_of(700, 1, 0));
    assert_non_null(tile);
    for (uint64_t i = 0; i < 188; i++) {
        const struct tree_hash leaf = leaf_of(512 + i);
        assert_true(tree_hash_equal(&tile[i], &leaf));
    }
    assert_non_null(above);
    const struct tree_hash second = tree_fold(edge_tile(grown.edge, tile_of(700, 0, 1)), 8);
    assert_true(tree_hash_equal(&above[1], &second));
    assert_null(edge_tile(grown.edge, (struct tile_name){0, 2, 189}));
    assert_null(edge_tile(grown.edge, (struct tile_name){1, 0, 3}));
    edge_free(&grown.edge);
}

static void test_what_is_published_in_full_tiles_is_dropped(void **state)
{
    (void)state;
    struct grown grown = start(0, 1000);
    struct tree_hash hash;
    grow_to(&grown, 700);
    edge_drop(grown.edge, 600);
    assert_null(edge_tile(grown.edge, tile_of(700, 0, 1)));
    assert_non_null(edge_tile(grown.edge, tile_of(700, 0, 2)));
    assert_non_null(edge_tile(grown.edge, tile_of(700, 1, 0)));
    assert_false(edge_node(grown.edge, 0, 511, &hash));
    assert_true(edge_node(grown.edge, 0, 512, &hash));
    assert_true(edge_node(grown.edge, 8, 0, &hash));
    edge_free(&grown.edge);
}

static void test_dropping_makes_room_without_end(void **state)
{
    (void)state;
    struct grown grown = start(0, 300);
    for (uint64_t size = 200; size < 70000; size += 200) {
        grow_to(&grown, size);
        assert_false(edge_overflowed(grown.edge));
        const struct tile_name last = tile_of(size, 0, (size - 1) / TILE_WIDTH);
        const struct tree_hash leaf = leaf_of(size - 1);
        assert_true(tree_hash_equal(&edge_tile(grown.edge, last)[(size - 1) % TILE_WIDTH], &leaf));
        edge_drop(grown.edge, size);
    }
    edge_free(&grown.edge);
}

static void test_a_leaf_too_many_is_noticed(void **state)
{
    (void)state;
    struct grown grown = start(0, 256);
    grow_to(&grown, 3 * 256);
    assert_false(edge_overflowed(grown.edge));
    grow_to(&grown, 3 * 256 + 1);
    assert_true(edge_overflowed(grown.edge));
    grow_to(&grown, 70000);
    edge_free(&grown.edge);
}

static void test_an_edge_begins_at_the_tile_that_is_not_full(void **state)
{
    (void)state;
    struct grown grown = start(600, 1000);
    struct tree_hash hash;
    grow_to(&grown, 700); /* what comes before 512 is not kept */
    assert_null(edge_tile(grown.edge, tile_of(700, 0, 1)));
    assert_non_null(edge_tile(grown.edge, tile_of(700, 0, 2)));
    assert_true(edge_node(grown.edge, 8, 1, &hash));
    assert_false(edge_node(grown.edge, 8, 2, &hash));
    edge_free(&grown.edge);
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(test_any_size_has_its_root_while_nothing_is_published,
                    test_tiles_stand_in_one_piece, test_what_is_published_in_full_tiles_is_dropped,
                    test_dropping_makes_room_without_end, test_a_leaf_too_many_is_noticed,
                    test_an_edge_begins_at_the_tile_that_is_not_full);
}
