/*
 * Proofs of the tree, in any place of a tree of any size, with any number of hashes: what the
 * iterative checks of RFC 9162 say must be what the recursive definitions of RFC 6962, written out
 * here, come to. The input is one byte of what to prove, two numbers, each with the bits it is cut
 * to, and a byte for each hash.
 */
#include "log_fuzz.h"

#include "vault/ledger/tree.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    return 0;
}

static struct tree_hash hash_of(uint8_t byte)
{
    struct tree_hash hash;
    memset(hash.bytes, byte, sizeof hash.bytes);
    return hash;
}

/* The hashes of a proof, taken from the leaves up; past their end, and the count is wrong. */
struct taker {
    const struct tree_proof *proof;
    size_t taken;
};

static struct tree_hash take(struct taker *taker)
{
    const size_t at = taker->taken++;
    return at < taker->proof->count ? taker->proof->hashes[at] : hash_of(0);
}

static uint64_t split(uint64_t size)
{
    uint64_t half = 1;
    while (half * 2 < size)
        half *= 2;
    return half;
}

/* RFC 6962, 2.1.1, read backwards: the root that the path leads to. */
static struct tree_hash root_of_path(uint64_t index, uint64_t size, struct taker *taker,
                                     const struct tree_hash *leaf)
{
    if (size == 1)
        return *leaf;
    const uint64_t k = split(size);
    const bool left = index < k;
    const struct tree_hash part =
        left ? root_of_path(index, k, taker, leaf) : root_of_path(index - k, size - k, taker, leaf);
    const struct tree_hash other = take(taker);
    return left ? tree_node(&part, &other) : tree_node(&other, &part);
}

struct roots {
    struct tree_hash before;
    struct tree_hash after;
};

/* RFC 6962, 2.1.2, likewise; whole is the root of the old tree, for where it stands as it was. */
static struct roots roots_of_subproof(uint64_t old, uint64_t size, bool is_whole,
                                      struct taker *taker, const struct tree_hash *whole)
{
    if (old == size) {
        const struct tree_hash same = is_whole ? *whole : take(taker);
        return (struct roots){same, same};
    }
    const uint64_t k = split(size);
    struct roots part = old <= k ? roots_of_subproof(old, k, is_whole, taker, whole)
                                 : roots_of_subproof(old - k, size - k, false, taker, whole);
    const struct tree_hash other = take(taker);
    if (old <= k) {
        part.after = tree_node(&part.after, &other);
    } else {
        part.before = tree_node(&other, &part.before);
        part.after = tree_node(&other, &part.after);
    }
    return part;
}

static struct tree_hash flipped(struct tree_hash hash)
{
    hash.bytes[TREE_HASH_BYTES - 1] ^= 1;
    return hash;
}

static void inclusion(const struct tree_proof *proof, uint64_t index, uint64_t size)
{
    const struct tree_hash leaf = hash_of(0xaa);
    if (index >= size) {
        REQUIRE(tree_check_inclusion(proof, index, size, &leaf, &leaf, NULL) == VAULT_DENIED);
        return;
    }
    struct taker taker = {.proof = proof};
    const struct tree_hash root = root_of_path(index, size, &taker, &leaf);
    const struct tree_hash other = flipped(root);
    const bool holds = taker.taken == proof->count;
    REQUIRE((tree_check_inclusion(proof, index, size, &leaf, &root, NULL) == VAULT_OK) == holds);
    REQUIRE(tree_check_inclusion(proof, index, size, &leaf, &other, NULL) == VAULT_DENIED);
}

static void consistency(const struct tree_proof *proof, uint64_t old, uint64_t size)
{
    const struct tree_hash whole = hash_of(0xaa);
    if ((old == 0 && size > 0) || old > size) {
        REQUIRE(tree_check_consistency(proof, old, size, &whole, &whole, NULL) == VAULT_DENIED);
        return;
    }
    struct taker taker = {.proof = proof};
    const struct roots roots = roots_of_subproof(old, size, true, &taker, &whole);
    const struct tree_hash other_before = flipped(roots.before);
    const struct tree_hash other_after = flipped(roots.after);
    const bool holds = taker.taken == proof->count;
    REQUIRE((tree_check_consistency(proof, old, size, &roots.before, &roots.after, NULL) ==
             VAULT_OK) == holds);
    REQUIRE(tree_check_consistency(proof, old, size, &roots.before, &other_after, NULL) ==
            VAULT_DENIED);
    REQUIRE(tree_check_consistency(proof, old, size, &other_before, &roots.after, NULL) ==
            VAULT_DENIED);
}

static uint64_t number(struct cursor *input)
{
    const unsigned bits = cursor_u8(input) % 63U;
    return cursor_u64(input) & ((UINT64_C(1) << bits) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor input = cursor_over((struct bytes){data, size});
    const bool of_entry = cursor_u8(&input) & 1;
    const uint64_t first = number(&input);
    const uint64_t second = number(&input);
    struct tree_proof proof = {0};
    if (input.truncated)
        return 0;
    while (input.left && proof.count < TREE_MAX_LEVELS)
        proof.hashes[proof.count++] = hash_of(cursor_u8(&input));
    if (of_entry)
        inclusion(&proof, first, second);
    else
        consistency(&proof, first, second);
    return 0;
}
