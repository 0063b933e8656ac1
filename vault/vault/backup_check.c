#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup_parts.h"
#include "erased_list.h"
#include "vault/base/file.h"
#include "vault/ledger/copy.h"
#include "vault/ledger/verify.h"
#include "vault/store/store_copy.h"
#include "vault/vault/backup.h"

struct checking {
    const char *folder;
    const struct keyring *keyring;
    backup_shows *shows;
    void *context;
    struct secret *key;
    struct hasher *hasher;
    struct contents_facts facts;
    uint64_t files; /* looked at */
    uint64_t bytes;
    uint64_t citizens;
    uint64_t missing;
};

static void show(const struct checking *checking, const char *step, uint64_t done, uint64_t all)
{
    if (checking->shows)
        checking->shows(checking->context, step, done, all);
}

/* --- Every file's hash, and none besides ---------------------------------------------------- */

/* What a name is called in an error: a citizen's file by its folder, since its name is their id. */
static const char *called(const char *name, char out[FOLDER_NAME_CHARS + 1])
{
    static const char citizens[] = "citizens/";
    const bool is_theirs = strncmp(name, citizens, sizeof citizens - 1) == 0;
    snprintf(out, FOLDER_NAME_CHARS + 1, "%.*s%s", is_theirs ? 12 : FOLDER_NAME_CHARS, name,
             is_theirs ? "…" : "");
    return out;
}

static enum vault_code check_file(void *context, const char *name, uint64_t size_bytes,
                                  const uint8_t hash[SHA256_BYTES], struct vault_error *err)
{
    struct checking *checking = context;
    char path[PATH_MAX];
    char words[FOLDER_NAME_CHARS + 1];
    uint8_t found[SHA256_BYTES];
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_TRY(file_join(path, sizeof path, checking->folder, name, err));
    if (file_is_missing(path))
        return vault_fail(err, VAULT_CORRUPT, "a file is missing: %s", called(name, words));
    VAULT_TRY(file_open_regular(path, &fd, err));
    const struct backup_pour pour = {fd, -1, size_bytes, called(name, words), NULL, NULL};
    VAULT_TRY(backup_pour(&pour, checking->hasher, found, err));
    uint8_t more;
    if (memcmp(found, hash, sizeof found) != 0 || read(fd, &more, 1) != 0)
        return vault_fail(err, VAULT_CORRUPT, "a file was changed: %s", called(name, words));
    checking->bytes += size_bytes;
    if (++checking->files % 64 == 0)
        show(checking, "files", checking->files, checking->facts.files);
    return VAULT_OK;
}

static enum vault_code count_file(void *context, const char *name, int fd, uint64_t size_bytes,
                                  struct vault_error *err)
{
    uint64_t *count = context;
    (void)name;
    (void)fd;
    (void)size_bytes;
    (void)err;
    ++*count;
    return VAULT_OK;
}

/* All that the manifest names were found, so that one more in number is one that it does not. */
static enum vault_code check_none_besides(const struct checking *checking, struct vault_error *err)
{
    uint64_t count = 0;
    VAULT_TRY(folder_walk(checking->folder, "", count_file, &count, err));
    if (count > checking->facts.files + 1)
        return vault_fail(err, VAULT_CORRUPT,
                          "%llu files are there that the manifest does not name",
                          (unsigned long long)(count - checking->facts.files - 1));
    return VAULT_OK;
}

static enum vault_code check_files(struct checking *checking, struct vault_error *err)
{
    struct contents_facts again;
    VAULT_TRY(
        keyring_derive(checking->keyring, BACKUP_LABEL, SECRET_KEY_BYTES, &checking->key, err));
    VAULT_TRY(contents_read(checking->folder, checking->key, &checking->facts, NULL, NULL, err));
    VAULT_TRY(contents_read(checking->folder, checking->key, &again, check_file, checking, err));
    return check_none_besides(checking, err);
}

/* --- What is encrypted ---------------------------------------------------------------------- */

static enum vault_code check_citizens(struct checking *checking, struct store_frozen *frozen,
                                      struct vault_error *err)
{
    size_t count = 0;
    struct citizen_id last;
    const struct citizen_id *after = NULL;
    struct citizen_id ids[STORE_COPY_IDS_MAX];
    do {
        VAULT_TRY(store_frozen_ids(frozen, after, ids, &count, err));
        for (size_t i = 0; i < count; i++) {
            bool missing = false;
            VAULT_TRY(store_frozen_check_citizen(frozen, &ids[i], &missing, err));
            checking->missing += missing;
            checking->citizens += !missing;
        }
        if (count)
            last = ids[count - 1];
        after = &last;
        show(checking, "citizens", checking->citizens, 0);
    } while (count);
    if (checking->missing != checking->facts.gone)
        return vault_fail(err, VAULT_CORRUPT,
                          "%llu citizens have no file, but %llu were erased while the backup was "
                          "made",
                          (unsigned long long)checking->missing,
                          (unsigned long long)checking->facts.gone);
    return VAULT_OK;
}

static enum vault_code check_store(struct checking *checking, struct vault_error *err)
{
    VAULT_AUTO(store_frozen_close) struct store_frozen *frozen = NULL;
    VAULT_TRY(store_frozen_open(checking->folder, checking->keyring, &frozen, err));
    VAULT_TRY(store_frozen_check(frozen, STORE_CONTROL, err));
    VAULT_TRY(store_frozen_check(frozen, STORE_OPENINGS, err));
    return check_citizens(checking, frozen, err);
}

/* --- The log -------------------------------------------------------------------------------- */

static enum vault_code check_journal(const struct checking *checking, const char *dir,
                                     struct vault_error *err)
{
    const struct contents_facts *facts = &checking->facts;
    struct ledger_head ends = {0};
    const struct checkpoint_keys keys = {&facts->keys[0], facts->keys + 1, facts->key_count - 1};
    VAULT_TRY(ledger_check_journal(dir, &keys, &facts->log, NULL, &ends, err));
    if (ends.size != facts->log.size || !tree_hash_equal(&ends.root, &facts->log.root))
        return vault_fail(err, VAULT_CORRUPT,
                          "the log in it has another end than the manifest says");
    return VAULT_OK;
}

enum vault_code backup_check_published(const char *dir, const struct note_key *key,
                                       const struct note_key *former, size_t former_count,
                                       struct verify_report *report, struct vault_error *err)
{
    const struct verify_options options = {.dir = dir,
                                           .key = key,
                                           .former = former,
                                           .former_count = former_count,
                                           .max_age_s = VERIFY_MAX_AGE_DEFAULT_S};
    VAULT_TRY(verify_run(&options, report, err));
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++) {
        if (report->verdicts[i].state == VERIFY_FAIL)
            return vault_fail(err, VAULT_CORRUPT, "the log's published files in %s: %s: %s", dir,
                              verify_check_name((enum verify_check)i), report->verdicts[i].detail);
    }
    return VAULT_OK;
}

static enum vault_code check_log(const struct checking *checking, struct vault_error *err)
{
    char dir[PATH_MAX];
    struct verify_report report;
    struct erased_list list = {0};
    const struct contents_facts *facts = &checking->facts;
    if (facts->key_count == 0)
        return vault_fail(err, VAULT_CORRUPT, "the manifest names no key of the log");
    VAULT_TRY(file_join(dir, sizeof dir, checking->folder, BACKUP_LOG, err));
    show(checking, "access log", 0, 0);
    const enum vault_code code = erased_list_read(dir, &list, NULL, err);
    erased_list_free(&list);
    VAULT_TRY(code);
    VAULT_TRY(backup_check_published(dir, &facts->keys[0], facts->keys + 1, facts->key_count - 1,
                                     &report, err));
    return check_journal(checking, dir, err);
}

static enum vault_code check_all(struct checking *checking, struct vault_error *err)
{
    checking->hasher = hasher_new();
    VAULT_TRY(check_files(checking, err));
    VAULT_TRY(check_store(checking, err));
    return check_log(checking, err);
}

enum vault_code backup_check(const char *folder, const struct keyring *keyring, backup_shows *shows,
                             void *context, struct backup_facts *out, struct vault_error *err)
{
    struct checking checking = {
        .folder = folder, .keyring = keyring, .shows = shows, .context = context};
    const enum vault_code code = check_all(&checking, err);
    secret_free(&checking.key);
    hasher_free(&checking.hasher);
    if (code)
        return code;
    *out = (struct backup_facts){.time_ms = checking.facts.time_ms,
                                 .files = checking.facts.files,
                                 .bytes = checking.bytes,
                                 .citizens = checking.citizens ? checking.citizens - 1 : 0,
                                 .gone = checking.facts.gone,
                                 .log_size = checking.facts.log.size};
    return VAULT_OK;
}
