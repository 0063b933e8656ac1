#include "vault/vault/policy_register.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "policy_register_write.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"
#include "vault/policy/policy.h"
#include "vault/vault/active_policy.h"

#define NAME_CHARS  128
#define VERSION_MAX 19 /* digits */

struct found {
    uint64_t version;
    char name[NAME_CHARS]; /* "VERSION-HASH" */
};

struct found_list {
    size_t count;
    struct found list[POLICY_REGISTER_LIST_MAX];
};

static void free_list(struct found_list **list)
{
    free(*list);
    *list = NULL;
}

/* "12-4f2a….active.json": its version and its name without what is behind. */
static bool read_name(const char *file, struct found *out)
{
    const size_t digits = strspn(file, "0123456789");
    const size_t size = strlen(file);
    const size_t suffix = strlen(POLICY_RECORD_SUFFIX);
    if (!digits || digits > VERSION_MAX || file[digits] != '-' || size < digits + suffix ||
        size - suffix >= NAME_CHARS || strcmp(file + size - suffix, POLICY_RECORD_SUFFIX) != 0)
        return false;
    out->version = strtoull(file, NULL, 10);
    snprintf(out->name, sizeof out->name, "%.*s", (int)(size - suffix), file);
    return true;
}

/* Where it belongs, the newest first; the oldest falls out of a full list. */
static void insert(struct found_list *list, const struct found *found)
{
    size_t i = list->count;
    if (i == POLICY_REGISTER_LIST_MAX) {
        if (list->list[i - 1].version >= found->version)
            return;
        i--;
    } else {
        list->count++;
    }
    for (; i > 0 && list->list[i - 1].version < found->version; i--)
        list->list[i] = list->list[i - 1];
    list->list[i] = *found;
}

/* Every version that has a record, or the one that is wanted (0: all). */
static enum vault_code find(const struct vault *vault, uint64_t wanted, struct found_list **out,
                            struct vault_error *err)
{
    VAULT_AUTO(free_list) struct found_list *list = calloc(1, sizeof *list);
    VAULT_AUTO(folder_close) DIR *dir = opendir(vault->policy_dir);
    if (!list)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    if (!dir && errno != ENOENT)
        return vault_fail_errno(err, "opening the folder %s", vault->policy_dir);
    const struct dirent *entry = NULL;
    while (dir) {
        VAULT_TRY(folder_next(dir, vault->policy_dir, &entry, err));
        if (!entry)
            break;
        struct found found;
        if (read_name(entry->d_name, &found) && (!wanted || found.version == wanted))
            insert(list, &found);
    }
    *out = VAULT_TAKE(list);
    return VAULT_OK;
}

static enum vault_code read_file(const struct vault *vault, const char *name, const char *suffix,
                                 struct buf *out, struct vault_error *err)
{
    char file[NAME_CHARS * 2];
    char path[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_REGISTER_BYTES_MAX);
    snprintf(file, sizeof file, "%s%s", name, suffix);
    VAULT_TRY(file_join(path, sizeof path, vault->policy_dir, file, err));
    VAULT_TRY(file_read(path, &text, err));
    buf_bytes(out, buf_view(&text));
    return buf_check(out, err);
}

static uint64_t active_version(struct vault *vault)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    return held.policy ? policy_version(held.policy) : 0;
}

enum vault_code policy_register_list(struct vault *vault, policy_registered_each *each,
                                     void *context, struct vault_error *err)
{
    VAULT_AUTO(free_list) struct found_list *list = NULL;
    const uint64_t active = active_version(vault);
    VAULT_TRY(find(vault, 0, &list, err));
    for (size_t i = 0; i < list->count; i++) {
        VAULT_AUTO(buf_finish) struct buf record = buf_limited(POLICY_RECORD_BYTES_MAX);
        VAULT_TRY(read_file(vault, list->list[i].name, POLICY_RECORD_SUFFIX, &record, err));
        const struct policy_registered one = {list->list[i].version,
                                              list->list[i].version == active, buf_view(&record)};
        VAULT_TRY(each(context, &one, err));
    }
    return VAULT_OK;
}

static enum vault_code read_of(struct vault *vault, uint64_t version, const char *suffix,
                               struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(free_list) struct found_list *list = NULL;
    if (version)
        VAULT_TRY(find(vault, version, &list, err));
    if (!list || !list->count)
        return vault_fail(err, VAULT_NOT_FOUND, "no such version was ever active");
    return read_file(vault, list->list[0].name, suffix, out, err);
}

enum vault_code policy_register_record(struct vault *vault, uint64_t version, struct buf *out,
                                       struct vault_error *err)
{
    return read_of(vault, version, POLICY_RECORD_SUFFIX, out, err);
}

enum vault_code policy_register_content(struct vault *vault, uint64_t version, struct buf *out,
                                        struct vault_error *err)
{
    return read_of(vault, version, POLICY_REGISTER_SUFFIX, out, err);
}
