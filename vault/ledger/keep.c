#include "vault/ledger/keep.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"
#include "vault/ledger/checkpoint.h"

#define NAME_CHARS  48
#define FILES_MAX   1024 /* that are looked at */
#define STAMP_CHARS 18   /* 2027-03-08T101112Z */
#define CHECKPOINT  ".checkpoint"
#define TOKEN       ".tsr"

/* The names of our own in a folder, in the order of their days. */
struct listing {
    size_t count;
    char names[FILES_MAX][NAME_CHARS];
};

static bool ends_with(const char *name, const char *end)
{
    const size_t size = strlen(name);
    return size >= strlen(end) && strcmp(name + size - strlen(end), end) == 0;
}

/* A name that this module gives: a day, perhaps a time, and what it is. */
static bool is_ours(const char *name)
{
    const size_t stem = strcspn(name, ".");
    struct date day;
    return (stem == DATE_CHARS || stem == STAMP_CHARS) && strlen(name) < NAME_CHARS &&
           date_parse((struct bytes){(const uint8_t *)name, DATE_CHARS}, &day, NULL) == VAULT_OK &&
           (strcmp(name + stem, CHECKPOINT) == 0 || strcmp(name + stem, TOKEN) == 0);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void listing_free(struct listing **listing)
{
    free(*listing);
    *listing = NULL;
}

static enum vault_code list(const char *dir, struct listing **out, struct vault_error *err)
{
    VAULT_AUTO(folder_close) DIR *folder = opendir(dir);
    if (!folder || access(dir, W_OK) != 0) {
        (void)vault_fail_errno(err,
                               "the folder for kept checkpoints, %s, cannot be used: is its disk "
                               "mounted?",
                               dir);
        return VAULT_IO;
    }
    VAULT_AUTO(listing_free) struct listing *listing = calloc(1, sizeof *listing);
    if (!listing)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    const struct dirent *item = NULL;
    for (;;) {
        VAULT_TRY(folder_next(folder, dir, &item, err));
        if (!item)
            break;
        if (is_ours(item->d_name) && listing->count < FILES_MAX)
            snprintf(listing->names[listing->count++], NAME_CHARS, "%s", item->d_name);
    }
    qsort(listing->names, listing->count, NAME_CHARS, compare_names);
    *out = VAULT_TAKE(listing);
    return VAULT_OK;
}

static enum vault_code read_head(const char *dir, const char *name,
                                 const struct checkpoint_keys *log, struct ledger_head *out,
                                 struct vault_error *err)
{
    char path[PATH_MAX];
    struct checkpoint checkpoint;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_TRY(file_join(path, sizeof path, dir, name, err));
    VAULT_TRY(file_read(path, &note, err));
    if (checkpoint_parse(buf_view(&note), &checkpoint, NULL) != VAULT_OK ||
        checkpoint_verify_any(&checkpoint, log, NULL) != VAULT_OK)
        return vault_fail(err, VAULT_CORRUPT, "%s is not a checkpoint that the log's key signed",
                          path);
    *out = (struct ledger_head){checkpoint.size, checkpoint.root};
    return VAULT_OK;
}

enum vault_code keep_read(const char *dir, const struct checkpoint_keys *log,
                          struct ledger_head heads[KEEP_HEADS_MAX], size_t *count,
                          struct vault_error *err)
{
    VAULT_AUTO(listing_free) struct listing *listing = NULL;
    size_t found = 0;
    VAULT_TRY(list(dir, &listing, err));
    for (size_t i = listing->count; i-- > 0 && found < KEEP_HEADS_MAX;) { /* newest first */
        if (ends_with(listing->names[i], CHECKPOINT))
            VAULT_TRY(read_head(dir, listing->names[i], log, &heads[found++], err));
    }
    *count = found;
    return VAULT_OK;
}

static void discard(const char *dir, const char *name)
{
    char path[PATH_MAX];
    if (file_join(path, sizeof path, dir, name, NULL) == VAULT_OK)
        unlink(path);
}

/* How many days later names than this one speak of. */
static size_t days_after(const struct listing *listing, size_t at)
{
    size_t days = 0;
    for (size_t i = at + 1; i < listing->count; i++)
        days += strncmp(listing->names[i - 1], listing->names[i], DATE_CHARS) != 0;
    return days;
}

/* Remove what a newer pair of the day, or a hundred newer days, have taken the place of. What
 * cannot be removed stays. */
static void clear_out(const char *dir, const char *stamped)
{
    VAULT_AUTO(listing_free) struct listing *listing = NULL;
    if (list(dir, &listing, NULL) != VAULT_OK)
        return;
    for (size_t i = 0; i < listing->count; i++) {
        const char *name = listing->names[i];
        const bool same_day = stamped && strncmp(name, stamped, DATE_CHARS) == 0;
        const bool is_older_pair = same_day && strcspn(name, ".") == STAMP_CHARS &&
                                   strncmp(name, stamped, STAMP_CHARS) < 0;
        if (is_older_pair || days_after(listing, i) >= KEEP_DAYS_MAX)
            discard(dir, name);
    }
}

static enum vault_code put(const char *dir, const char *stem, const char *end, struct bytes content,
                           struct vault_error *err)
{
    char name[NAME_CHARS];
    char path[PATH_MAX];
    snprintf(name, sizeof name, "%s%s", stem, end);
    VAULT_TRY(file_join(path, sizeof path, dir, name, err));
    return file_replace(path, content, 0600, err);
}

enum vault_code keep_put(const char *dir, struct bytes checkpoint, int64_t now_s,
                         struct vault_error *err)
{
    char day[DATE_CHARS + 1];
    char path[PATH_MAX];
    char name[NAME_CHARS];
    date_format(day, date_of_instant(now_s));
    snprintf(name, sizeof name, "%s" CHECKPOINT, day);
    VAULT_TRY(file_join(path, sizeof path, dir, name, err));
    const bool is_new_day = file_is_missing(path);
    VAULT_TRY(put(dir, day, CHECKPOINT, checkpoint, err));
    if (is_new_day)
        clear_out(dir, NULL);
    return VAULT_OK;
}

enum vault_code keep_put_stamped(const char *dir, struct bytes checkpoint, struct bytes token,
                                 int64_t now_s, struct vault_error *err)
{
    char instant[INSTANT_CHARS + 1];
    char stem[STAMP_CHARS + 1];
    instant_format(instant, now_s);
    snprintf(stem, sizeof stem, "%.13s%.2s%.3s", instant, instant + 14, instant + 17);
    /* The token first: a checkpoint of this name always has its token. */
    VAULT_TRY(put(dir, stem, TOKEN, token, err));
    VAULT_TRY(put(dir, stem, CHECKPOINT, checkpoint, err));
    clear_out(dir, stem);
    return VAULT_OK;
}
