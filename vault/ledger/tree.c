#include "vault/ledger/tree.h"

#include <assert.h>
#include <string.h>

static const uint8_t leaf_prefix = 0x00;
static const uint8_t node_prefix = 0x01;

struct tree_hash tree_leaf(struct bytes entry)
{
    const struct bytes parts[] = {{&leaf_prefix, 1}, entry};
    struct tree_hash hash = {{0}};
    sha256(hash.bytes, parts, 2);
    return hash;
}

struct tree_hash tree_node(const struct tree_hash *left, const struct tree_hash *right)
{
    uint8_t both[1 + 2 * TREE_HASH_BYTES];
    both[0] = node_prefix;
    memcpy(both + 1, left->bytes, TREE_HASH_BYTES);
    memcpy(both + 1 + TREE_HASH_BYTES, right->bytes, TREE_HASH_BYTES);
    struct tree_hash hash = {{0}};
    sha256_of(hash.bytes, (struct bytes){both, sizeof both});
    return hash;
}

struct tree_hash tree_empty_root(void)
{
    struct tree_hash hash = {{0}};
    sha256(hash.bytes, NULL, 0);
    return hash;
}

bool tree_hash_equal(const struct tree_hash *a, const struct tree_hash *b)
{
    return memcmp(a->bytes, b->bytes, TREE_HASH_BYTES) == 0;
}

void tree_frontier_add_node(struct tree_frontier *frontier, unsigned level,
                            const struct tree_hash *node, tree_node_sink *sink, void *context)
{
    const uint64_t leaves = UINT64_C(1) << level;
    assert(frontier->size % leaves == 0 && frontier->size <= TREE_MAX_SIZE - leaves);
    struct tree_hash hash = *node;
    for (;; level++) {
        if (sink)
            sink(context, level, frontier->size >> level, &hash);
        if (!(frontier->size >> level & 1))
            break;
        hash = tree_node(&frontier->nodes[level], &hash);
    }
    frontier->nodes[level] = hash;
    frontier->size += leaves;
}

void tree_frontier_add(struct tree_frontier *frontier, const struct tree_hash *leaf,
                       tree_node_sink *sink, void *context)
{
    tree_frontier_add_node(frontier, 0, leaf, sink, context);
}

struct tree_hash tree_frontier_root(const struct tree_frontier *frontier)
{
    if (frontier->size == 0)
        return tree_empty_root();
    struct tree_hash root = {0};
    bool started = false;
    for (unsigned level = 0; level < TREE_MAX_LEVELS; level++) {
        if (!(frontier->size >> level & 1))
            continue;
        root = started ? tree_node(&frontier->nodes[level], &root) : frontier->nodes[level];
        started = true;
    }
    return root;
}

struct tree_hash tree_fold(const struct tree_hash hashes[], unsigned height)
{
    struct tree_frontier frontier = {0};
    for (unsigned i = 0; i < 1U << height; i++)
        tree_frontier_add(&frontier, &hashes[i], NULL, NULL);
    return frontier.nodes[height];
}

/*
 * The root over the leaves from..to-1, from being where one of the tree's own splits is: full
 * subtrees that get smaller to the right, folded together from the right.
 */
static enum vault_code range_root(const struct tree_source *source, uint64_t from, uint64_t to,
                                  struct tree_hash *out, struct vault_error *err)
{
    struct tree_hash root = {0};
    bool started = false;
    uint64_t at = to;
    for (unsigned level = 0; at > from; level++) {
        if (!((to - from) >> level & 1))
            continue;
        at -= UINT64_C(1) << level;
        struct tree_hash node;
        VAULT_TRY(source->node(source->context, level, at >> level, &node, err));
        root = started ? tree_node(&node, &root) : node;
        started = true;
    }
    *out = root;
    return VAULT_OK;
}

enum vault_code tree_root(const struct tree_source *source, uint64_t size, struct tree_hash *out,
                          struct vault_error *err)
{
    if (size > TREE_MAX_SIZE)
        return vault_fail(err, VAULT_INVALID, "no tree is that large");
    if (size > 0)
        return range_root(source, 0, size, out, err);
    *out = tree_empty_root();
    return VAULT_OK;
}

/* The largest power of two below count, which is at least 2: where a tree of count leaves splits.
 */
static uint64_t split_of(uint64_t count)
{
    uint64_t split = 1;
    while (split < count - split)
        split *= 2;
    return split;
}

/* A walk from the root down to a part of the tree, noting the sibling at each step. */
struct descent {
    uint64_t from;
    uint64_t to;
    struct tree_proof siblings; /* from the root down */
};

static enum vault_code note_sibling(struct descent *descent, const struct tree_source *source,
                                    uint64_t from, uint64_t to, struct vault_error *err)
{
    struct tree_proof *siblings = &descent->siblings;
    VAULT_TRY(range_root(source, from, to, &siblings->hashes[siblings->count], err));
    siblings->count++;
    return VAULT_OK;
}

static enum vault_code descend(struct descent *descent, const struct tree_source *source,
                               bool to_the_left, struct vault_error *err)
{
    const uint64_t middle = descent->from + split_of(descent->to - descent->from);
    if (to_the_left) {
        VAULT_TRY(note_sibling(descent, source, middle, descent->to, err));
        descent->to = middle;
    } else {
        VAULT_TRY(note_sibling(descent, source, descent->from, middle, err));
        descent->from = middle;
    }
    return VAULT_OK;
}

/* A proof has the siblings from the leaves up. */
static void turn_over(const struct tree_proof *siblings, struct tree_proof *out)
{
    out->count = siblings->count;
    for (size_t i = 0; i < siblings->count; i++)
        out->hashes[i] = siblings->hashes[siblings->count - 1 - i];
}

enum vault_code tree_prove_inclusion(const struct tree_source *source, uint64_t index,
                                     uint64_t size, struct tree_proof *out, struct vault_error *err)
{
    if (index >= size || size > TREE_MAX_SIZE)
        return vault_fail(err, VAULT_INVALID, "there is no entry of that index in a tree so large");
    struct descent descent = {.to = size};
    while (descent.to - descent.from > 1) {
        const uint64_t middle = descent.from + split_of(descent.to - descent.from);
        VAULT_TRY(descend(&descent, source, index < middle, err));
    }
    turn_over(&descent.siblings, out);
    return VAULT_OK;
}

enum vault_code tree_prove_consistency(const struct tree_source *source, uint64_t old_size,
                                       uint64_t new_size, struct tree_proof *out,
                                       struct vault_error *err)
{
    if (old_size > new_size || new_size > TREE_MAX_SIZE)
        return vault_fail(err, VAULT_INVALID, "the old tree is not smaller than the new one");
    struct descent descent = {.to = new_size};
    while (old_size > 0 && old_size != descent.to) {
        const uint64_t middle = descent.from + split_of(descent.to - descent.from);
        VAULT_TRY(descend(&descent, source, old_size <= middle, err));
    }
    /* What is left is a full part of the old tree. If it is all of it, its root is known. */
    if (old_size > 0 && descent.from > 0)
        VAULT_TRY(note_sibling(&descent, source, descent.from, descent.to, err));
    turn_over(&descent.siblings, out);
    return VAULT_OK;
}

/* A place on the way up: the index of a node and of the last one in its level (RFC 9162: fn, sn).
 */
struct ascent {
    uint64_t here;
    uint64_t last;
};

static bool is_right_child(const struct ascent *ascent)
{
    return (ascent->here & 1) || ascent->here == ascent->last;
}

/* To the parent; a node without a sibling stands in for its parents until one has. */
static void ascend(struct ascent *ascent)
{
    if (is_right_child(ascent)) {
        while (!(ascent->here & 1) && ascent->here != 0) {
            ascent->here >>= 1;
            ascent->last >>= 1;
        }
    }
    ascent->here >>= 1;
    ascent->last >>= 1;
}

static enum vault_code does_not_hold(struct vault_error *err)
{
    return vault_fail(err, VAULT_DENIED, "the proof does not hold");
}

enum vault_code tree_check_inclusion(const struct tree_proof *proof, uint64_t index, uint64_t size,
                                     const struct tree_hash *leaf, const struct tree_hash *root,
                                     struct vault_error *err)
{
    if (index >= size)
        return does_not_hold(err);
    struct ascent ascent = {.here = index, .last = size - 1};
    struct tree_hash hash = *leaf;
    for (size_t i = 0; i < proof->count; i++) {
        const struct tree_hash *sibling = &proof->hashes[i];
        if (ascent.last == 0)
            return does_not_hold(err);
        hash = is_right_child(&ascent) ? tree_node(sibling, &hash) : tree_node(&hash, sibling);
        ascend(&ascent);
    }
    if (ascent.last != 0 || !tree_hash_equal(&hash, root))
        return does_not_hold(err);
    return VAULT_OK;
}

/* The same hashes lead to the old root and to the new one. */
static bool leads_to_both(const struct tree_proof *proof, uint64_t old_size, uint64_t new_size,
                          const struct tree_hash *old_root, const struct tree_hash *new_root)
{
    struct ascent ascent = {.here = old_size - 1, .last = new_size - 1};
    while (ascent.here & 1) {
        ascent.here >>= 1;
        ascent.last >>= 1;
    }
    /* A full old tree is a node of the new one and leads the proof; otherwise its last part does.
     */
    const bool old_is_full = (old_size & (old_size - 1)) == 0;
    if (!old_is_full && proof->count == 0)
        return false;
    struct tree_hash before = old_is_full ? *old_root : proof->hashes[0];
    struct tree_hash after = before;
    for (size_t i = old_is_full ? 0 : 1; i < proof->count; i++) {
        const struct tree_hash *sibling = &proof->hashes[i];
        if (ascent.last == 0)
            return false;
        if (is_right_child(&ascent)) {
            before = tree_node(sibling, &before);
            after = tree_node(sibling, &after);
        } else {
            after = tree_node(&after, sibling);
        }
        ascend(&ascent);
    }
    return ascent.last == 0 && tree_hash_equal(&before, old_root) &&
           tree_hash_equal(&after, new_root);
}

enum vault_code tree_check_consistency(const struct tree_proof *proof, uint64_t old_size,
                                       uint64_t new_size, const struct tree_hash *old_root,
                                       const struct tree_hash *new_root, struct vault_error *err)
{
    if (old_size > new_size)
        return does_not_hold(err);
    bool holds = proof->count == 0;
    if (old_size == new_size)
        holds = holds && tree_hash_equal(old_root, new_root);
    else if (old_size == 0) {
        const struct tree_hash empty = tree_empty_root();
        holds = holds && tree_hash_equal(old_root, &empty);
    } else
        holds = leads_to_both(proof, old_size, new_size, old_root, new_root);
    return holds ? VAULT_OK : does_not_hold(err);
}
