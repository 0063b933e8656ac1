/* Names of tiles. A name that is accepted is the only one of its tile, and a name that a log of
 * some size has is accepted. */
#include "log_fuzz.h"

#include "vault/ledger/tile.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* The bytes are also taken for a size, a level and an index. */
static void require_named(struct cursor numbers)
{
    const uint64_t size = cursor_u64(&numbers) % (TREE_MAX_SIZE + 1);
    const int level = (int)(cursor_u8(&numbers) % (TILE_LEVELS + 1)) - 1;
    const uint64_t count = tile_hash_count(size, level);
    const uint64_t index = cursor_u64(&numbers) % (count / TILE_WIDTH + 1);
    const struct tile_name name = tile_of(size, level, index);
    char path[TILE_PATH_CHARS];
    struct tile_name again;
    if (numbers.truncated || name.width == 0)
        return;
    tile_path(path, name);
    REQUIRE(tile_path_parse(bytes_of_text(path), &again));
    REQUIRE(again.level == name.level && again.index == name.index && again.width == name.width);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct tile_name name;
    char path[TILE_PATH_CHARS];
    require_named(cursor_over(input));
    if (!tile_path_parse(input, &name))
        return 0;
    REQUIRE(name.level >= TILE_ENTRIES && name.level <= 63);
    REQUIRE(name.width >= 1 && name.width <= TILE_WIDTH);
    tile_path(path, name);
    REQUIRE(bytes_equal(bytes_of_text(path), input));
    return 0;
}
