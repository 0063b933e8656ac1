/*
 * tree - the Merkle tree of RFC 6962, section 2.1, over SHA-256.
 *
 * Leaf hash SHA-256(0x00 ‖ entry), node hash SHA-256(0x01 ‖ left ‖ right), root of the empty tree
 * SHA-256(""). A tree of n leaves splits at the largest power of two below n.
 *
 * A node is named by its level and its index in the level: node (l, i) is the root of the full
 * subtree over the leaves i·2^l … (i+1)·2^l − 1; level 0 are the leaf hashes. A tree grows at its
 * right edge only, so that a struct tree_frontier, one node for each bit of the size that is set,
 * is all that is needed to add leaves and to know the root. Proofs need nodes from anywhere; they
 * take them from a struct tree_source, which may be memory, files or a test's own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/hash.h"

#define TREE_HASH_BYTES SHA256_BYTES
#define TREE_MAX_LEVELS 63
#define TREE_MAX_SIZE   (UINT64_C(1) << 62)

struct tree_hash {
    uint8_t bytes[TREE_HASH_BYTES];
};

struct tree_hash tree_leaf(struct bytes entry);
struct tree_hash tree_node(const struct tree_hash *left, const struct tree_hash *right);
struct tree_hash tree_empty_root(void);
bool tree_hash_equal(const struct tree_hash *a, const struct tree_hash *b);

/* The node over 2^height hashes that stand side by side, as they do in a tile. */
struct tree_hash tree_fold(const struct tree_hash hashes[], unsigned height);

/* The right edge of a tree. A zeroed one is the empty tree. */
struct tree_frontier {
    uint64_t size;
    struct tree_hash nodes[TREE_MAX_LEVELS]; /* nodes[l] counts where bit l of size is set */
};

/* Told of each node that adding a leaf completes, leaf first; for whoever keeps them. */
typedef void tree_node_sink(void *context, unsigned level, uint64_t index,
                            const struct tree_hash *hash);

/* Add one leaf, or the node of a full subtree where the size is a multiple of its leaves. sink may
 * be NULL. */
void tree_frontier_add_node(struct tree_frontier *frontier, unsigned level,
                            const struct tree_hash *node, tree_node_sink *sink, void *context);
void tree_frontier_add(struct tree_frontier *frontier, const struct tree_hash *leaf,
                       tree_node_sink *sink, void *context);
struct tree_hash tree_frontier_root(const struct tree_frontier *frontier);

/* Where the nodes of a stored tree come from. */
struct tree_source {
    enum vault_code (*node)(void *context, unsigned level, uint64_t index, struct tree_hash *out,
                            struct vault_error *err);
    void *context;
};

/* Hashes of a proof, nearest the leaves first. */
struct tree_proof {
    size_t count;
    struct tree_hash hashes[TREE_MAX_LEVELS + 1];
};

/* The root of the tree's first size leaves. */
enum vault_code tree_root(const struct tree_source *source, uint64_t size, struct tree_hash *out,
                          struct vault_error *err) VAULT_MUST_CHECK;

/* Prove that leaf index is in the tree of the first size leaves (RFC 6962, 2.1.1), and that the
 * tree of old_size leaves is where that of new_size began (2.1.2; empty when old_size is 0 or
 * new_size). VAULT_INVALID if the numbers do not go together; otherwise what the source says. */
enum vault_code tree_prove_inclusion(const struct tree_source *source, uint64_t index,
                                     uint64_t size, struct tree_proof *out, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code tree_prove_consistency(const struct tree_source *source, uint64_t old_size,
                                       uint64_t new_size, struct tree_proof *out,
                                       struct vault_error *err) VAULT_MUST_CHECK;

/* Check them (RFC 9162, 2.1.3.2 and 2.1.4.2). VAULT_DENIED if the proof does not hold. */
enum vault_code tree_check_inclusion(const struct tree_proof *proof, uint64_t index, uint64_t size,
                                     const struct tree_hash *leaf, const struct tree_hash *root,
                                     struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code tree_check_consistency(const struct tree_proof *proof, uint64_t old_size,
                                       uint64_t new_size, const struct tree_hash *old_root,
                                       const struct tree_hash *new_root, struct vault_error *err)
    VAULT_MUST_CHECK;
