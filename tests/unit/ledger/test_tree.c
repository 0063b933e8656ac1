/*
 * The tree against the vectors of RFC 6962's reference implementation, and against the RFC's own
 * recursive definitions, written out below without any cleverness. What is compared with what:
 *
 *     roots of the reference tree, 0 to 8 leaves      here
 *     its inclusion and consistency proofs            here
 *     all proofs of sizes 1 to 33, checked (RFC 9162) here; Go's library: tests/integration/interop
 *     proofs around 256 and 65,536                    here; Go's library, too
 *     proofs in trees of any size, wrong ones, too    tests/fuzz/fuzz_log_tree.c
 *     tiles of sizes around 256 and 65,536            test_tile.c, test_ledger.c; Go's library
 *     a proof file of another implementation          test_proof.c
 *     signed notes and cosignatures, both ways        test_note.c, test_checkpoint.c; Go's library
 */
#include "test.h"

#include <stdlib.h>

#include "vault/base/codec.h"
#include "vault/crypto/crypto.h"
#include "vault/ledger/tree.h"

#define LEAVES_AT_MOST 65538

static struct tree_hash leaves[LEAVES_AT_MOST];

static void make_leaves(void)
{
    for (uint32_t i = 0; i < LEAVES_AT_MOST; i++) {
        const uint8_t entry[] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 'x'};
        leaves[i] = tree_leaf((struct bytes){entry, sizeof entry});
    }
}

/* RFC 6962, 2.1: MTH(D[from:to]). */
static struct tree_hash plain_root(uint64_t from, uint64_t to)
{
    if (from == to)
        return tree_empty_root();
    if (to - from == 1)
        return leaves[from];
    uint64_t k = 1;
    while (k * 2 < to - from)
        k *= 2;
    const struct tree_hash left = plain_root(from, from + k);
    const struct tree_hash right = plain_root(from + k, to);
    return tree_node(&left, &right);
}

/* RFC 6962, 2.1.1: PATH(m, D[from:to]). */
static void plain_path(uint64_t m, uint64_t from, uint64_t to, struct tree_proof *out)
{
    if (to - from <= 1)
        return;
    uint64_t k = 1;
    while (k * 2 < to - from)
        k *= 2;
    struct tree_hash other;
    if (m < k) {
        plain_path(m, from, from + k, out);
        other = plain_root(from + k, to);
    } else {
        plain_path(m - k, from + k, to, out);
        other = plain_root(from, from + k);
    }
    out->hashes[out->count++] = other;
}

/* RFC 6962, 2.1.2: SUBPROOF(m, D[from:to], b). */
static void plain_subproof(uint64_t m, uint64_t from, uint64_t to, bool b, struct tree_proof *out)
{
    if (m == to - from) {
        if (!b)
            out->hashes[out->count++] = plain_root(from, to);
        return;
    }
    uint64_t k = 1;
    while (k * 2 < to - from)
        k *= 2;
    struct tree_hash other;
    if (m <= k) {
        plain_subproof(m, from, from + k, b, out);
        other = plain_root(from + k, to);
    } else {
        plain_subproof(m - k, from + k, to, false, out);
        other = plain_root(from, from + k);
    }
    out->hashes[out->count++] = other;
}

static enum vault_code plain_node(void *context, unsigned level, uint64_t index,
                                  struct tree_hash *out, struct vault_error *err)
{
    const uint64_t size = *(const uint64_t *)context;
    const uint64_t from = index << level;
    const uint64_t to = from + (UINT64_C(1) << level);
    if (to > size)
        return vault_fail(err, VAULT_NOT_FOUND, "asked for a node that is not full");
    *out = plain_root(from, to);
    return VAULT_OK;
}

static struct tree_source source_of(uint64_t *size)
{
    return (struct tree_source){.node = plain_node, .context = size};
}

static void assert_same_hash(const struct tree_hash *a, const struct tree_hash *b)
{
    assert_memory_equal(a->bytes, b->bytes, TREE_HASH_BYTES);
}

static void assert_same_proof(const struct tree_proof *a, const struct tree_proof *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        assert_same_hash(&a->hashes[i], &b->hashes[i]);
}

static struct tree_hash hash_of_hex(const char *hex)
{
    struct tree_hash hash;
    assert_done(hex_decode_exact(hash.bytes, sizeof hash.bytes, bytes_of_text(hex), &test_error));
    return hash;
}

/* The inputs and roots of the Certificate Transparency project's reference tests. */
static const char *const reference_inputs[8] = {"",
                                                "00",
                                                "10",
                                                "2021",
                                                "3031",
                                                "40414243",
                                                "5051525354555657",
                                                "606162636465666768696a6b6c6d6e6f"};
static const char *const reference_roots[9] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

static void test_roots_are_those_of_the_reference_tree(void **state)
{
    (void)state;
    struct tree_frontier frontier = {0};
    for (size_t i = 0; i <= 8; i++) {
        const struct tree_hash root = tree_frontier_root(&frontier);
        const struct tree_hash expected = hash_of_hex(reference_roots[i]);
        assert_same_hash(&root, &expected);
        if (i == 8)
            break;
        VAULT_AUTO(buf_finish) struct buf input = test_hex(reference_inputs[i]);
        const struct tree_hash leaf = tree_leaf(buf_view(&input));
        tree_frontier_add(&frontier, &leaf, NULL, NULL);
    }
}

/* The proofs of the same reference tests. */
#define H_1  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
#define H_2  "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define H_12 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
#define H_34 "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define H_14 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define H_5  "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define H_56 "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
#define H_78 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define H_58 "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"

static const struct {
    bool of_leaf;
    uint64_t first; /* index, or old size */
    uint64_t size;
    const char *hashes[4];
} reference_proofs[] = {
    {true, 0, 1, {NULL}},
    {true, 0, 8, {H_2, H_34, H_58}},
    {true, 5, 8, {H_5, H_78, H_14}},
    {true, 2, 3, {H_12}},
    {true, 1, 5, {H_1, H_34, H_5}},
    {false, 1, 1, {NULL}},
    {false, 1, 8, {H_2, H_34, H_58}},
    {false, 6, 8, {H_56, H_78, H_14}},
    {false, 2, 5, {H_34, H_5}},
};

static void assert_is_proof(const struct tree_proof *proof, const char *const hashes[4])
{
    size_t count = 0;
    for (; count < 4 && hashes[count]; count++) {
        const struct tree_hash expected = hash_of_hex(hashes[count]);
        assert_true(count < proof->count);
        assert_same_hash(&proof->hashes[count], &expected);
    }
    assert_int_equal(proof->count, count);
}

static void test_proofs_are_those_of_the_reference_tree(void **state)
{
    (void)state;
    struct tree_hash kept[8];
    memcpy(kept, leaves, sizeof kept);
    for (size_t i = 0; i < 8; i++) {
        VAULT_AUTO(buf_finish) struct buf input = test_hex(reference_inputs[i]);
        leaves[i] = tree_leaf(buf_view(&input));
    }
    for (size_t i = 0; i < sizeof reference_proofs / sizeof reference_proofs[0]; i++) {
        const uint64_t first = reference_proofs[i].first;
        uint64_t size = reference_proofs[i].size;
        const struct tree_source source = source_of(&size);
        struct tree_proof proof;
        if (reference_proofs[i].of_leaf)
            assert_done(tree_prove_inclusion(&source, first, size, &proof, &test_error));
        else
            assert_done(tree_prove_consistency(&source, first, size, &proof, &test_error));
        assert_is_proof(&proof, reference_proofs[i].hashes);
    }
    memcpy(leaves, kept, sizeof kept);
}

struct noted {
    uint64_t count;
    bool right;
};

static void note_node(void *context, unsigned level, uint64_t index, const struct tree_hash *hash)
{
    struct noted *noted = context;
    const struct tree_hash expected = plain_root(index << level, (index + 1) << level);
    noted->count++;
    noted->right = noted->right && tree_hash_equal(hash, &expected);
}

static void test_growing_tells_of_each_full_node_once(void **state)
{
    (void)state;
    struct tree_frontier frontier = {0};
    struct noted noted = {.right = true};
    for (size_t i = 0; i < 300; i++)
        tree_frontier_add(&frontier, &leaves[i], note_node, &noted);
    assert_true(noted.right);
    /* 300 leaves, 150 pairs, 75, 37, 18, 9, 4, 2, 1. */
    assert_int_equal(noted.count, 300 + 150 + 75 + 37 + 18 + 9 + 4 + 2 + 1);
}

static void test_full_subtrees_are_added_like_their_leaves(void **state)
{
    (void)state;
    struct tree_frontier by_leaves = {0};
    struct tree_frontier by_nodes = {0};
    for (uint64_t i = 0; i < 300; i++)
        tree_frontier_add(&by_leaves, &leaves[i], NULL, NULL);
    static const struct {
        unsigned level;
        uint64_t from;
    } parts[] = {{7, 0},   {6, 128}, {0, 192}, {0, 193}, {1, 194}, {2, 196},
                 {3, 200}, {4, 208}, {5, 224}, {5, 256}, {3, 288}, {2, 296}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct tree_hash node =
            plain_root(parts[i].from, parts[i].from + (UINT64_C(1) << parts[i].level));
        assert_int_equal(by_nodes.size, parts[i].from);
        tree_frontier_add_node(&by_nodes, parts[i].level, &node, NULL, NULL);
    }
    const struct tree_hash a = tree_frontier_root(&by_leaves);
    const struct tree_hash b = tree_frontier_root(&by_nodes);
    assert_same_hash(&a, &b);
}

static void check_inclusion(uint64_t index, uint64_t size, const struct tree_hash *root)
{
    const struct tree_source source = source_of(&size);
    struct tree_proof proof;
    struct tree_proof plain = {0};
    assert_done(tree_prove_inclusion(&source, index, size, &proof, &test_error));
    plain_path(index, 0, size, &plain);
    assert_same_proof(&proof, &plain);
    assert_done(tree_check_inclusion(&proof, index, size, &leaves[index], root, &test_error));
}

static void check_consistency(uint64_t old_size, uint64_t new_size)
{
    const struct tree_source source = source_of(&new_size);
    struct tree_proof proof;
    struct tree_proof plain = {0};
    const struct tree_hash old_root = plain_root(0, old_size);
    const struct tree_hash new_root = plain_root(0, new_size);
    assert_done(tree_prove_consistency(&source, old_size, new_size, &proof, &test_error));
    if (old_size > 0)
        plain_subproof(old_size, 0, new_size, true, &plain);
    assert_same_proof(&proof, &plain);
    assert_done(
        tree_check_consistency(&proof, old_size, new_size, &old_root, &new_root, &test_error));
}

static void test_all_proofs_hold_for_sizes_up_to_33(void **state)
{
    (void)state;
    for (uint64_t size = 1; size <= 33; size++) {
        const struct tree_hash root = plain_root(0, size);
        for (uint64_t index = 0; index < size; index++)
            check_inclusion(index, size, &root);
        for (uint64_t old = 0; old <= size; old++)
            check_consistency(old, size);
    }
}

static void test_proofs_hold_around_256(void **state)
{
    (void)state;
    for (uint64_t size = 255; size <= 258; size++) {
        const struct tree_hash root = plain_root(0, size);
        for (uint64_t index = 0; index < size; index++)
            check_inclusion(index, size, &root);
        for (uint64_t old = 0; old <= size; old += old < 250 ? 25 : 1)
            check_consistency(old, size);
    }
}

static void test_proofs_hold_around_65536(void **state)
{
    (void)state;
    for (uint64_t size = 65535; size <= 65537; size++) {
        const struct tree_hash root = plain_root(0, size);
        check_inclusion(size - 1, size, &root);
        check_consistency(65535, size);
    }
}

static void test_stored_root_is_the_grown_root(void **state)
{
    (void)state;
    struct tree_frontier frontier = {0};
    for (uint64_t size = 0; size <= 70; size++) {
        const struct tree_source source = source_of(&size);
        const struct tree_hash grown = tree_frontier_root(&frontier);
        struct tree_hash stored;
        assert_done(tree_root(&source, size, &stored, &test_error));
        assert_same_hash(&grown, &stored);
        tree_frontier_add(&frontier, &leaves[size], NULL, NULL);
    }
}

/* Every proof of a small tree with one thing wrong: a bit, a hash more, one less, another place. */
static void test_a_proof_with_anything_wrong_does_not_hold(void **state)
{
    (void)state;
    for (uint64_t size = 2; size <= 17; size++) {
        const struct tree_hash root = plain_root(0, size);
        const struct tree_source source = source_of(&size);
        for (uint64_t index = 0; index < size; index++) {
            struct tree_proof good;
            assert_done(tree_prove_inclusion(&source, index, size, &good, &test_error));
            for (size_t i = 0; i < good.count; i++) {
                struct tree_proof bad = good;
                bad.hashes[i].bytes[i] ^= 1;
                assert_fails(VAULT_DENIED,
                             tree_check_inclusion(&bad, index, size, &leaves[index], &root, NULL));
            }
            struct tree_proof longer = good;
            longer.hashes[longer.count++] = root;
            struct tree_proof shorter = good;
            shorter.count--;
            const struct tree_hash *leaf = &leaves[index];
            assert_fails(VAULT_DENIED,
                         tree_check_inclusion(&longer, index, size, leaf, &root, NULL));
            assert_fails(VAULT_DENIED,
                         tree_check_inclusion(&shorter, index, size, leaf, &root, NULL));
            assert_fails(VAULT_DENIED,
                         tree_check_inclusion(&good, (index + 1) % size, size, leaf, &root, NULL));
            assert_fails(VAULT_DENIED,
                         tree_check_inclusion(&good, index + size, size, leaf, &root, NULL));
            assert_fails(VAULT_DENIED,
                         tree_check_inclusion(&good, index, size, &leaves[index + 1], &root, NULL));
        }
    }
}

static void test_a_consistency_proof_with_anything_wrong_does_not_hold(void **state)
{
    (void)state;
    for (uint64_t size = 2; size <= 17; size++) {
        const struct tree_hash root = plain_root(0, size);
        const struct tree_source source = source_of(&size);
        for (uint64_t old = 1; old < size; old++) {
            const struct tree_hash old_root = plain_root(0, old);
            struct tree_proof good;
            assert_done(tree_prove_consistency(&source, old, size, &good, &test_error));
            for (size_t i = 0; i < good.count; i++) {
                struct tree_proof bad = good;
                bad.hashes[i].bytes[31] ^= 0x80;
                assert_fails(VAULT_DENIED,
                             tree_check_consistency(&bad, old, size, &old_root, &root, NULL));
            }
            struct tree_proof longer = good;
            longer.hashes[longer.count++] = root;
            struct tree_proof shorter = good;
            shorter.count--;
            assert_fails(VAULT_DENIED,
                         tree_check_consistency(&longer, old, size, &old_root, &root, NULL));
            assert_fails(VAULT_DENIED,
                         tree_check_consistency(&shorter, old, size, &old_root, &root, NULL));
            assert_fails(VAULT_DENIED,
                         tree_check_consistency(&good, old, size, &root, &root, NULL));
            assert_fails(VAULT_DENIED,
                         tree_check_consistency(&good, old, size, &old_root, &old_root, NULL));
            assert_fails(VAULT_DENIED,
                         tree_check_consistency(&good, size, old, &root, &old_root, NULL));
        }
    }
}

static void test_equal_sizes_need_equal_roots_and_no_hashes(void **state)
{
    (void)state;
    const struct tree_hash a = plain_root(0, 5);
    const struct tree_hash b = plain_root(0, 6);
    const struct tree_proof empty = {0};
    const struct tree_proof full = {.count = 1, .hashes = {a}};
    assert_done(tree_check_consistency(&empty, 5, 5, &a, &a, &test_error));
    assert_fails(VAULT_DENIED, tree_check_consistency(&empty, 5, 5, &a, &b, NULL));
    assert_fails(VAULT_DENIED, tree_check_consistency(&full, 5, 5, &a, &a, NULL));
}

static void test_every_tree_goes_on_from_the_empty_one_only(void **state)
{
    (void)state;
    const struct tree_hash empty_root = tree_empty_root();
    const struct tree_hash root = plain_root(0, 5);
    const struct tree_proof empty = {0};
    assert_done(tree_check_consistency(&empty, 0, 5, &empty_root, &root, &test_error));
    assert_fails(VAULT_DENIED, tree_check_consistency(&empty, 0, 5, &root, &root, NULL));
}

static void test_a_leaf_cannot_pass_for_a_node(void **state)
{
    (void)state;
    uint8_t both[2 * TREE_HASH_BYTES];
    memcpy(both, leaves[0].bytes, TREE_HASH_BYTES);
    memcpy(both + TREE_HASH_BYTES, leaves[1].bytes, TREE_HASH_BYTES);
    const struct tree_hash leaf = tree_leaf((struct bytes){both, sizeof both});
    const struct tree_hash node = tree_node(&leaves[0], &leaves[1]);
    assert_false(tree_hash_equal(&leaf, &node));
}

static void test_numbers_that_do_not_go_together_are_refused(void **state)
{
    (void)state;
    uint64_t size = 4;
    const struct tree_source source = source_of(&size);
    struct tree_proof proof;
    struct tree_hash root;
    assert_fails(VAULT_INVALID, tree_prove_inclusion(&source, 4, 4, &proof, NULL));
    assert_fails(VAULT_INVALID, tree_prove_inclusion(&source, 0, 0, &proof, NULL));
    assert_fails(VAULT_INVALID, tree_prove_inclusion(&source, 0, UINT64_MAX, &proof, NULL));
    assert_fails(VAULT_INVALID, tree_prove_consistency(&source, 5, 4, &proof, NULL));
    assert_fails(VAULT_INVALID, tree_prove_consistency(&source, 5, UINT64_MAX, &proof, NULL));
    assert_fails(VAULT_INVALID, tree_root(&source, UINT64_MAX, &root, NULL));
}

static void test_what_the_source_says_is_passed_on(void **state)
{
    (void)state;
    uint64_t size = 4;
    const struct tree_source source = source_of(&size);
    struct tree_proof proof;
    assert_fails(VAULT_NOT_FOUND, tree_prove_inclusion(&source, 1, 8, &proof, NULL));
    assert_fails(VAULT_NOT_FOUND, tree_prove_consistency(&source, 3, 8, &proof, NULL));
}

static void test_checks_end_for_absurd_numbers(void **state)
{
    (void)state;
    struct tree_proof proof = {.count = TREE_MAX_LEVELS + 1};
    const struct tree_hash hash = leaves[0];
    assert_fails(VAULT_DENIED,
                 tree_check_inclusion(&proof, UINT64_MAX - 1, UINT64_MAX, &hash, &hash, NULL));
    assert_fails(VAULT_DENIED,
                 tree_check_consistency(&proof, UINT64_MAX - 1, UINT64_MAX, &hash, &hash, NULL));
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    make_leaves();
    return TEST_RUN(
        test_roots_are_those_of_the_reference_tree, test_proofs_are_those_of_the_reference_tree,
        test_growing_tells_of_each_full_node_once, test_full_subtrees_are_added_like_their_leaves,
        test_all_proofs_hold_for_sizes_up_to_33, test_proofs_hold_around_256,
        test_proofs_hold_around_65536, test_stored_root_is_the_grown_root,
        test_a_proof_with_anything_wrong_does_not_hold,
        test_a_consistency_proof_with_anything_wrong_does_not_hold,
        test_equal_sizes_need_equal_roots_and_no_hashes,
        test_every_tree_goes_on_from_the_empty_one_only, test_a_leaf_cannot_pass_for_a_node,
        test_numbers_that_do_not_go_together_are_refused, test_what_the_source_says_is_passed_on,
        test_checks_end_for_absurd_numbers);
}
