#include "inventory.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vault/base/file.h"
#include "vault/base/folder.h"

#define DEPTH_MAX 12 /* tile, level, six groups, .p: more is no name */

struct search {
    struct inventory *inventory;
    uint64_t size;
    size_t prefix; /* length of "DIR/" */
};

static void note_unknown(struct inventory *inventory, const char *relative)
{
    if (!inventory->unknown[0])
        snprintf(inventory->unknown, sizeof inventory->unknown, "%s", relative);
}

static bool grow(struct inventory *inventory)
{
    const size_t capacity = inventory->capacity ? inventory->capacity * 2 : 64;
    struct tile_name *others = calloc(capacity, sizeof *others);
    if (!others)
        return false;
    if (inventory->count)
        memcpy(others, inventory->others, inventory->count * sizeof *others);
    free(inventory->others);
    inventory->others = others;
    inventory->capacity = capacity;
    return true;
}

static enum vault_code add(struct inventory *inventory, struct tile_name name,
                           struct vault_error *err)
{
    if (inventory->count == INVENTORY_OTHERS_MAX)
        return vault_fail(err, VAULT_TOO_LARGE,
                          "more than %u tiles that the checkpoint does not need",
                          INVENTORY_OTHERS_MAX);
    if (inventory->count == inventory->capacity && !grow(inventory))
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    inventory->others[inventory->count++] = name;
    return VAULT_OK;
}

static enum vault_code note_file(const struct search *search, const char *path, bool is_regular,
                                 struct vault_error *err)
{
    struct tile_name name;
    const char *relative = path + search->prefix;
    if (!is_regular || !tile_path_parse(bytes_of_text(relative), &name)) {
        note_unknown(search->inventory, relative);
        return VAULT_OK;
    }
    const bool is_expected = name.level < TILE_LEVELS &&
                             tile_of(search->size, name.level, name.index).width == name.width;
    return is_expected ? VAULT_OK : add(search->inventory, name, err);
}

/* Whether names of tlog-tiles can begin with this folder. */
static bool leads_to_names(const char *relative)
{
    static const char *const ends[] = {"/0/000", "/000", "/1"};
    struct tile_name name;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s%s", relative, ends[i]);
        if (tile_path_parse(bytes_of_text(path), &name))
            return true;
    }
    return false;
}

static enum vault_code search_folder(const struct search *search, const char *path, unsigned depth,
                                     struct vault_error *err)
{
    if (depth > DEPTH_MAX || !leads_to_names(path + search->prefix)) {
        note_unknown(search->inventory, path + search->prefix);
        return VAULT_OK;
    }
    VAULT_AUTO(folder_close) DIR *folder = opendir(path);
    if (!folder)
        return vault_fail_errno(err, "opening %s", path);
    const struct dirent *item = NULL;
    for (;;) {
        VAULT_TRY(folder_next(folder, path, &item, err));
        if (!item)
            break;
        char inner[PATH_MAX];
        struct stat status;
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        VAULT_TRY(file_join(inner, sizeof inner, path, item->d_name, err));
        if (lstat(inner, &status) != 0) {
            if (errno == ENOENT) /* a log that is running removes partial tiles */
                continue;
            return vault_fail_errno(err, "looking at %s", inner);
        }
        if (S_ISDIR(status.st_mode))
            VAULT_TRY(search_folder(search, inner, depth + 1, err));
        else
            VAULT_TRY(note_file(search, inner, S_ISREG(status.st_mode), err));
    }
    return VAULT_OK;
}

void inventory_finish(struct inventory *inventory)
{
    free(inventory->others);
    *inventory = (struct inventory){0};
}

enum vault_code inventory_take(const char *dir, uint64_t size, struct inventory *out,
                               struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_AUTO(inventory_finish) struct inventory inventory = {0};
    const struct search search = {&inventory, size, strlen(dir) + 1};
    VAULT_TRY(file_join(path, sizeof path, dir, "tile", err));
    struct stat status;
    if (lstat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        note_unknown(&inventory, "tile");
    else if (!file_is_missing(path))
        VAULT_TRY(search_folder(&search, path, 0, err));
    *out = inventory;
    inventory = (struct inventory){0};
    return VAULT_OK;
}
