#include "vault/ledger/tile.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "number.h"
#include "vault/base/file.h"

#define GROUP      1000U
#define GROUPS_MAX 7 /* 2^62 has 19 digits */

uint64_t tile_hash_count(uint64_t size, int level)
{
    const int tile_level = level == TILE_ENTRIES ? 0 : level;
    assert(tile_level >= 0);
    return tile_level < TILE_LEVELS ? size >> (TILE_HEIGHT * tile_level) : 0;
}

struct tile_name tile_of(uint64_t size, int level, uint64_t index)
{
    const uint64_t count = tile_hash_count(size, level);
    struct tile_name name = {.level = level, .index = index};
    if (index < count / TILE_WIDTH)
        name.width = TILE_WIDTH;
    else if (index == count / TILE_WIDTH)
        name.width = (unsigned)(count % TILE_WIDTH);
    return name;
}

void tile_path(char out[static TILE_PATH_CHARS], struct tile_name name)
{
    assert(name.width >= 1 && name.width <= TILE_WIDTH);
    char level[12] = "entries";
    if (name.level != TILE_ENTRIES)
        snprintf(level, sizeof level, "%d", name.level);
    int at = snprintf(out, TILE_PATH_CHARS, "tile/%s", level);
    unsigned groups[GROUPS_MAX];
    size_t count = 0;
    do {
        groups[count++] = (unsigned)(name.index % GROUP);
        name.index /= GROUP;
    } while (name.index);
    while (count-- > 0)
        at += snprintf(out + at, TILE_PATH_CHARS - (size_t)at, count ? "/x%03u" : "/%03u",
                       groups[count]);
    if (name.width < TILE_WIDTH)
        snprintf(out + at, TILE_PATH_CHARS - (size_t)at, ".p/%u", name.width);
}

/* Take what stands before the next slash, or all that is left. */
static struct bytes take_part(struct bytes *path)
{
    const uint8_t *slash = path->size ? memchr(path->data, '/', path->size) : NULL;
    struct bytes part = *path;
    if (slash) {
        part.size = (size_t)(slash - path->data);
        *path = (struct bytes){slash + 1, path->size - part.size - 1};
    } else {
        *path = (struct bytes){0};
    }
    return part;
}

static bool read_level(struct bytes part, int *level)
{
    uint64_t number = 0;
    if (bytes_equal(part, bytes_of_text("entries"))) {
        *level = TILE_ENTRIES;
        return true;
    }
    if (!number_read(part, 63, &number))
        return false;
    *level = (int)number;
    return true;
}

static bool read_group(struct bytes digits, uint64_t *index)
{
    if (digits.size != 3)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        *index = *index * 10 + (uint64_t)(digits.data[i] - '0');
    }
    return true;
}

/* x001/x234/067, up to the last group, which may be followed by ".p". */
static bool read_index(struct bytes *path, struct tile_name *name, bool *is_partial)
{
    struct bytes part = take_part(path);
    for (unsigned groups = 1; part.size == 4 && part.data[0] == 'x'; groups++) {
        if (groups == GROUPS_MAX || !read_group((struct bytes){part.data + 1, 3}, &name->index) ||
            name->index == 0)
            return false;
        part = take_part(path);
    }
    *is_partial = part.size == 5 && part.data[3] == '.' && part.data[4] == 'p';
    if (*is_partial)
        part.size = 3;
    return read_group(part, &name->index) && name->index <= TREE_MAX_SIZE / TILE_WIDTH;
}

bool tile_path_parse(struct bytes path, struct tile_name *out)
{
    struct tile_name name = {.width = TILE_WIDTH};
    bool is_partial = false;
    const bool slash_ends = path.size && path.data[path.size - 1] == '/';
    if (slash_ends || !bytes_equal(take_part(&path), bytes_of_text("tile")) ||
        !read_level(take_part(&path), &name.level) || !read_index(&path, &name, &is_partial))
        return false;
    if (is_partial) {
        uint64_t width = 0;
        if (!number_read(take_part(&path), TILE_WIDTH - 1, &width) || width == 0)
            return false;
        name.width = (unsigned)width;
    }
    if (path.size)
        return false;
    *out = name;
    return true;
}

static enum vault_code damaged(struct vault_error *err, struct tile_name name)
{
    char path[TILE_PATH_CHARS];
    tile_path(path, name);
    return vault_fail(err, VAULT_CORRUPT, "%s does not hold %u %s", path, name.width,
                      name.level == TILE_ENTRIES ? "entries" : "hashes");
}

static enum vault_code load_file(const char *dir, struct tile_name name, struct tile_content *out,
                                 struct vault_error *err)
{
    char relative[TILE_PATH_CHARS];
    char path[PATH_MAX];
    tile_path(relative, name);
    VAULT_TRY(file_join(path, sizeof path, dir, relative, err));
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_TRY(file_open_regular(path, &fd, err));
    for (out->size = 0; out->size < sizeof out->data;) {
        const ssize_t got = read(fd, out->data + out->size, sizeof out->data - out->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return vault_fail_errno(err, "reading %s", path);
        if (got == 0)
            break;
        out->size += (size_t)got;
    }
    return VAULT_OK;
}

/* How many bytes the first width entries take; 0 if there are not so many. */
static size_t bundle_size(struct bytes bundle, unsigned width)
{
    struct cursor cursor = cursor_over(bundle);
    struct bytes entry;
    for (unsigned i = 0; i < width; i++) {
        if (!tile_bundle_next(&cursor, &entry))
            return 0;
    }
    return bundle.size - cursor.left;
}

/* How many bytes a name's hashes or entries take at the beginning of a file. */
static size_t size_of(struct tile_name name, struct bytes content)
{
    return name.level == TILE_ENTRIES ? bundle_size(content, name.width)
                                      : name.width * TREE_HASH_BYTES;
}

enum vault_code tile_load(const char *dir, struct tile_name name, struct tile_content *out,
                          struct vault_error *err)
{
    struct tile_name found = name;
    enum vault_code code = load_file(dir, found, out, err);
    if (code == VAULT_NOT_FOUND && name.width < TILE_WIDTH) {
        found.width = TILE_WIDTH;
        if (load_file(dir, found, out, NULL) == VAULT_OK)
            code = VAULT_OK;
    }
    VAULT_TRY(code);
    const struct bytes content = {out->data, out->size};
    if (content.size == 0 || content.size != size_of(found, content))
        return damaged(err, found);
    out->size = size_of(name, content);
    return VAULT_OK;
}

static void content_free(struct tile_content **content)
{
    free(*content);
    *content = NULL;
}

enum vault_code tile_read(const char *dir, struct tile_name name, struct buf *out,
                          struct vault_error *err)
{
    VAULT_AUTO(content_free) struct tile_content *content = malloc(sizeof *content);
    if (!content)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(tile_load(dir, name, content, err));
    buf_append(out, content->data, content->size);
    return buf_check(out, err);
}

void tile_bundle_append(struct buf *bundle, struct bytes entry)
{
    assert(entry.size <= UINT16_MAX);
    buf_u16(bundle, (uint16_t)entry.size);
    buf_bytes(bundle, entry);
}

bool tile_bundle_next(struct cursor *bundle, struct bytes *entry)
{
    if (bundle->left == 0)
        return false;
    *entry = cursor_take(bundle, cursor_u16(bundle));
    return !bundle->truncated;
}

enum vault_code tile_read_entry(const char *dir, uint64_t size, uint64_t index, struct buf *out,
                                struct vault_error *err)
{
    if (index >= size)
        return vault_fail(err, VAULT_NOT_FOUND, "the log has no entry %" PRIu64, index);
    VAULT_AUTO(content_free) struct tile_content *bundle = malloc(sizeof *bundle);
    if (!bundle)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(tile_load(dir, tile_of(size, TILE_ENTRIES, index / TILE_WIDTH), bundle, err));
    struct cursor cursor = cursor_over((struct bytes){bundle->data, bundle->size});
    struct bytes entry = {0};
    for (uint64_t i = 0; i <= index % TILE_WIDTH; i++)
        (void)tile_bundle_next(&cursor, &entry); /* tile_load() has counted them */
    buf_bytes(out, entry);
    return buf_check(out, err);
}

/* A few tiles are kept: a proof asks for neighbours. */
#define KEPT_TILES 16U

struct kept_tile {
    struct tile_name name; /* width 0: none */
    struct tree_hash hashes[TILE_WIDTH];
};

struct tile_source {
    uint64_t size;
    unsigned next; /* to be replaced */
    bool computes; /* tiles that are missing, from what is below them */
    struct kept_tile kept[KEPT_TILES];
    char dir[];
};

enum vault_code tile_source_new(const char *dir, uint64_t size, struct tile_source **out,
                                struct vault_error *err)
{
    const size_t dir_size = strlen(dir) + 1;
    struct tile_source *source = calloc(1, sizeof *source + dir_size);
    if (!source)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    source->size = size;
    memcpy(source->dir, dir, dir_size);
    *out = source;
    return VAULT_OK;
}

void tile_source_free(struct tile_source **source)
{
    free(*source);
    *source = NULL;
}

static enum vault_code load(struct tile_source *source, struct tile_name name,
                            const struct tree_hash **hashes, struct vault_error *err);

/* The hashes of a tile of level 0, out of its bundle of entries. */
static enum vault_code hash_entries(const struct tile_source *source, struct tile_name name,
                                    struct tree_hash hashes[TILE_WIDTH], struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf bundle = buf_limited(TILE_BUNDLE_BYTES);
    name.level = TILE_ENTRIES;
    VAULT_TRY(tile_read(source->dir, name, &bundle, err));
    struct cursor cursor = cursor_over(buf_view(&bundle));
    struct bytes entry;
    for (unsigned i = 0; i < name.width && tile_bundle_next(&cursor, &entry); i++)
        hashes[i] = tree_leaf(entry);
    return VAULT_OK;
}

/* The hashes of a tile that is missing, from what is below it. */
static enum vault_code compute(struct tile_source *source, struct tile_name name,
                               struct tree_hash hashes[TILE_WIDTH], struct vault_error *err)
{
    if (name.level == 0)
        return hash_entries(source, name, hashes, err);
    for (unsigned i = 0; i < name.width; i++) {
        const struct tree_hash *below = NULL;
        const struct tile_name child = {name.level - 1, name.index * TILE_WIDTH + i, TILE_WIDTH};
        VAULT_TRY(load(source, child, &below, err));
        hashes[i] = tree_fold(below, TILE_HEIGHT);
    }
    return VAULT_OK;
}

static enum vault_code load(struct tile_source *source, struct tile_name name,
                            const struct tree_hash **hashes, struct vault_error *err)
{
    for (unsigned i = 0; i < KEPT_TILES; i++) {
        const struct kept_tile *kept = &source->kept[i];
        if (kept->name.width && kept->name.level == name.level && kept->name.index == name.index) {
            *hashes = kept->hashes;
            return VAULT_OK;
        }
    }
    struct tree_hash found[TILE_WIDTH] = {0};
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(TILE_BYTES);
    enum vault_code code = tile_read(source->dir, name, &content, err);
    if (code == VAULT_OK)
        memcpy(found, content.data, content.size);
    else if (code == VAULT_NOT_FOUND && source->computes)
        code = compute(source, name, found, err);
    VAULT_TRY(code);
    struct kept_tile *kept = &source->kept[source->next++ % KEPT_TILES];
    kept->name = name;
    memcpy(kept->hashes, found, name.width * sizeof *found);
    *hashes = kept->hashes;
    return VAULT_OK;
}

static enum vault_code node_of_tiles(void *context, unsigned level, uint64_t index,
                                     struct tree_hash *out, struct vault_error *err)
{
    struct tile_source *source = context;
    const int tile_level = (int)(level / TILE_HEIGHT);
    const unsigned height = level % TILE_HEIGHT;
    const uint64_t first = index << height;
    const struct tile_name name = tile_of(source->size, tile_level, first / TILE_WIDTH);
    if (first % TILE_WIDTH + (1U << height) > name.width)
        return vault_fail(err, VAULT_INVALID, "a node that the tree does not have yet");
    const struct tree_hash *hashes = NULL;
    VAULT_TRY(load(source, name, &hashes, err));
    *out = tree_fold(hashes + first % TILE_WIDTH, height);
    return VAULT_OK;
}

void tile_source_compute_missing(struct tile_source *source)
{
    source->computes = true;
}

struct tree_source tile_source_nodes(struct tile_source *source)
{
    return (struct tree_source){.node = node_of_tiles, .context = source};
}
