#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "indexer.h"
#include "log_key.h"
#include "restore_parts.h"
#include "retention.h"
#include "vault/base/file.h"
#include "vault/ledger/copy.h"
#include "vault/ledger/tile.h"
#include "vault/ledger/verify.h"
#include "vault/store/openings.h"
#include "vault/store/setting.h"

#define KEYS_AHEAD      4 /* new keys of the log since the backup */
#define PUBLISH_WAIT_MS 60000

/* The keys of the log, up to the one that signs it now. */
struct keys {
    struct note_signer signer;
    struct note_key former[LEDGER_FORMER_MAX];
    size_t former_count;
};

static void keys_finish(struct keys *keys)
{
    note_signer_finish(&keys->signer);
}

static enum vault_code keys_of(const struct restore *restore, uint32_t generation, struct keys *out,
                               struct vault_error *err)
{
    for (uint32_t i = 1; i <= generation; i++) {
        if (i > 1)
            out->former[out->former_count++] = out->signer.key;
        note_signer_finish(&out->signer);
        VAULT_TRY(
            keyring_log_signer(restore->keyring, restore->facts.origin, i, &out->signer, err));
    }
    return VAULT_OK;
}

static enum vault_code read_checkpoint(const char *dir, struct buf *note, struct checkpoint *out,
                                       struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, dir, "checkpoint", err));
    VAULT_TRY(file_read_regular(path, note, err));
    return checkpoint_parse(buf_view(note), out, err);
}

/* The newest of the vault's keys that signed the surviving log. */
static enum vault_code find_generation(struct restore *restore, struct vault_error *err)
{
    struct checkpoint checkpoint;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    const uint32_t known = (uint32_t)restore->facts.key_count;
    uint32_t generation = known + KEYS_AHEAD;
    VAULT_TRY(read_checkpoint(restore->surviving, &note, &checkpoint, err));
    if (generation > LOG_KEY_GENERATION_MAX)
        generation = LOG_KEY_GENERATION_MAX;
    for (; generation >= 1; generation--) {
        struct note_signer signer = {0};
        VAULT_TRY(
            keyring_log_signer(restore->keyring, restore->facts.origin, generation, &signer, err));
        const bool signs = checkpoint_verify(&checkpoint, &signer.key, NULL) == VAULT_OK;
        note_signer_finish(&signer);
        if (!signs)
            continue;
        restore->log_generation = generation > known ? generation : known;
        return VAULT_OK;
    }
    return vault_fail(err, VAULT_CONFLICT,
                      "the log in %s is not this vault's: no key of its signed "
                      "the checkpoint",
                      restore->surviving);
}

/* Whoever writes to a log holds its lock. */
static enum vault_code check_unused(const char *journal, struct vault_error *err)
{
    char path[PATH_MAX];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    VAULT_TRY(file_join(path, sizeof path, journal, "lock", err));
    VAULT_AUTO(file_close) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return VAULT_OK; /* a copy */
    if (fcntl(fd, F_OFD_SETLK, &whole) != 0 && (errno == EAGAIN || errno == EACCES))
        return vault_fail(err, VAULT_CONFLICT,
                          "the log is in use: stop the vaultd that holds the lock %s", path);
    return VAULT_OK;
}

/* Segments only: what else is there belongs to the process that had it open. */
static enum vault_code put_segment(void *context, const char *name, int fd, uint64_t size_bytes,
                                   struct vault_error *err)
{
    const char *end = strrchr(name, '.');
    if (!end || strcmp(end, ".segment") != 0)
        return VAULT_OK;
    return restore_put(context, name, fd, size_bytes, err);
}

static enum vault_code take_journal(struct restore *restore, bool *has, struct vault_error *err)
{
    char journal[PATH_MAX];
    char lock[PATH_MAX];
    VAULT_TRY(file_join(journal, sizeof journal, restore->surviving, "journal", err));
    *has = !file_is_missing(journal);
    if (!*has)
        return VAULT_OK;
    VAULT_TRY(check_unused(journal, err));
    VAULT_TRY(folder_walk(journal, "journal", put_segment, restore, err));
    VAULT_TRY(folder_create_for(restore->log_dir, "journal/lock", err));
    VAULT_TRY(file_join(lock, sizeof lock, restore->log_dir, "journal/lock", err));
    return file_create(lock, (struct bytes){0}, 0600, err);
}

static enum vault_code copy_surviving(struct restore *restore, struct vault_error *err)
{
    VAULT_AUTO(keys_finish) struct keys keys = {.former_count = 0};
    struct verify_report report;
    bool has_journal = false;
    VAULT_TRY(find_generation(restore, err));
    VAULT_TRY(keys_of(restore, restore->log_generation, &keys, err));
    VAULT_TRY(backup_check_published(restore->surviving, &keys.signer.key, keys.former,
                                     keys.former_count, &report, err));
    restore->pruned_below = report.pruned_below;
    VAULT_TRY(
        ledger_copy_published(restore->surviving, report.pruned_below, restore_put, restore, err));
    VAULT_TRY(take_journal(restore, &has_journal, err));
    if (has_journal)
        return VAULT_OK;
    const struct ledger_options options = {.dir = restore->log_dir,
                                           .signer = &keys.signer,
                                           .former = keys.former,
                                           .former_count = keys.former_count};
    restore->blind_below = report.head.size;
    return ledger_adopt(&options, err);
}

/* Open it once, as the vault will: all is checked, recovered and published. */
static enum vault_code settle(struct restore *restore, struct vault_error *err)
{
    VAULT_AUTO(keys_finish) struct keys keys = {.former_count = 0};
    struct ledger *ledger = NULL;
    struct ledger_head ends = {0};
    VAULT_TRY(keys_of(restore, restore->log_generation, &keys, err));
    const struct checkpoint_keys known = {&keys.signer.key, keys.former, keys.former_count};
    const struct ledger_options options = {.dir = restore->log_dir,
                                           .signer = &keys.signer,
                                           .former = keys.former,
                                           .former_count = keys.former_count,
                                           .remembered = &restore->facts.log,
                                           .remembered_count = 1,
                                           .pruned_below = restore->pruned_below,
                                           .clock = clock_system};
    VAULT_TRY(ledger_check_journal(restore->log_dir, &known, &restore->facts.log,
                                   &restore->journal_begins, &ends, err));
    VAULT_TRY(ledger_open(&options, &ledger, err));
    restore->log_size = ledger_head(ledger).size;
    enum vault_code code = ledger_wait_published(ledger, restore->log_size, PUBLISH_WAIT_MS, err);
    if (code == VAULT_OK)
        code = ledger_stop(ledger, err);
    ledger_close(&ledger);
    return code;
}

enum vault_code restore_take_log(struct restore *restore, struct vault_error *err)
{
    char new_dir[PATH_MAX];
    restore->log_generation = (uint32_t)restore->facts.key_count;
    restore->pruned_below = restore->facts.pruned_below;
    VAULT_TRY(folder_create_for(restore->made, BACKUP_LOG "/.", err));
    VAULT_TRY(file_join(new_dir, sizeof new_dir, restore->log_dir, "new", err));
    VAULT_TRY(folder_create(new_dir, err));
    if (restore->surviving)
        VAULT_TRY(copy_surviving(restore, err));
    const enum vault_code code = settle(restore, err);
    if (code == VAULT_CORRUPT && restore->surviving)
        vault_error_context(err, "the log in %s does not go on from the backup's",
                            restore->surviving);
    return code;
}

enum vault_code restore_count(const struct restore *restore, enum entry_event event, uint64_t from,
                              uint64_t *count, struct vault_error *err)
{
    *count = 0;
    for (uint64_t i = from; i < restore->log_size; i++) {
        struct entry entry;
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
        const enum vault_code code =
            tile_read_entry(restore->log_dir, restore->log_size, i, &text, err);
        if (code == VAULT_NOT_FOUND && i < restore->pruned_below)
            continue;
        VAULT_TRY(code);
        VAULT_TRY(entry_parse(buf_view(&text), &entry, err));
        *count += entry.event == event;
    }
    return VAULT_OK;
}

static enum vault_code put_numbers(struct store *store, const char *name, struct bytes more,
                                   uint64_t number, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(SETTING_VALUE_MAX_BYTES);
    buf_u64(&value, number);
    buf_bytes(&value, more);
    VAULT_TRY(buf_check(&value, err));
    const struct setting setting = {name, buf_view(&value)};
    return setting_put(store, &setting, 1, err);
}

enum vault_code restore_join_log(struct restore *restore, struct store *store,
                                 struct vault_error *err)
{
    uint64_t position = 0;
    uint8_t since[8] = {0, 0, 0, 0, 0, 0, 0, 1}; /* the log says since when, long ago */
    const struct ledger_head *log = &restore->facts.log;
    VAULT_TRY(put_numbers(store, INDEXER_HEAD_SETTING,
                          (struct bytes){log->root.bytes, sizeof log->root.bytes}, log->size, err));
    VAULT_TRY(put_numbers(store, RETENTION_PRUNED_SETTING, (struct bytes){0}, restore->pruned_below,
                          err));
    if (restore->log_generation > restore->facts.key_count)
        VAULT_TRY(put_numbers(store, LOG_KEY_SETTING, (struct bytes){since, sizeof since},
                              restore->log_generation, err));
    VAULT_TRY(openings_position(store, &position, err));
    if (restore->journal_begins <= position)
        return VAULT_OK;
    if (restore->blind_below < restore->journal_begins)
        restore->blind_below = restore->journal_begins;
    return openings_skip(store, restore->journal_begins, err);
}
