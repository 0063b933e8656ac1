/*
 * Small things that a vault keeps beside its records, as they come back from a disk. The first byte
 * says which, the rest is what is kept: 'S' what citizens stopped, 'K' the log's key, 'R' how far
 * the retention went, 'H' where the log was, 'P' the place of a record in the log, 'N' the name of
 * a file in the policies' register. The store and the keyring are answered by this file (--wrap in
 * CMakeLists.txt).
 *
 * Each is taken whole or not at all: half of what was stopped stops nothing less, and what is taken
 * is written again the same.
 */
#include "fuzz_tools.h"

#include "vault/base/json.h"
#include "vault/indexer.h"
#include "vault/log_key.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault/place.h"
#include "vault/retention.h"
#include "vault/stop.h"
#include "vault/store/setting.h"
#include "vault/vault/policy_register.h"

#define STOP_BYTES (CITIZEN_ID_BYTES + 2 * (CONSENT_NAME_CHARS + 1))
#define SEQ        7
#define NOW_S      INT64_C(1804500000)
#define RECORD     "{\"invented\":true}\n"

enum vault_code __wrap_setting_get(struct store *store, const char *name, struct buf *out,
                                   struct vault_error *err);
enum vault_code __wrap_keyring_log_signer(const struct keyring *keyring, const char *origin,
                                          uint32_t generation, struct note_signer *out,
                                          struct vault_error *err);
enum vault_code __wrap_citizen_record_list(struct citizen *citizen, const char *kind,
                                           int64_t after_seq, size_t limit,
                                           citizen_record_each *each, void *context,
                                           struct vault_error *err);
enum vault_code __wrap_citizen_record_add(struct citizen *citizen,
                                          const struct citizen_record *record, int64_t *seq,
                                          struct vault_error *err);

static struct vault vault;
static struct bytes kept;
static struct buf added; /* what was written last */

enum vault_code __wrap_setting_get(struct store *store, const char *name, struct buf *out,
                                   struct vault_error *err)
{
    (void)store;
    (void)name;
    buf_bytes(out, kept);
    return buf_check(out, err);
}

enum vault_code __wrap_keyring_log_signer(const struct keyring *keyring, const char *origin,
                                          uint32_t generation, struct note_signer *out,
                                          struct vault_error *err)
{
    (void)keyring;
    (void)origin;
    (void)err;
    REQUIRE(generation >= 1 && generation <= LOG_KEY_GENERATION_MAX);
    *out = (struct note_signer){0};
    return VAULT_OK;
}

enum vault_code __wrap_citizen_record_list(struct citizen *citizen, const char *kind,
                                           int64_t after_seq, size_t limit,
                                           citizen_record_each *each, void *context,
                                           struct vault_error *err)
{
    const struct citizen_record record = {
        .seq = SEQ + 1, .kind = PERSON_PLACE_KIND, .key = "7", .json = kept};
    (void)citizen;
    (void)limit;
    REQUIRE(strcmp(kind, PERSON_PLACE_KIND) == 0 && after_seq == SEQ);
    return each(context, &record, err);
}

enum vault_code __wrap_citizen_record_add(struct citizen *citizen,
                                          const struct citizen_record *record, int64_t *seq,
                                          struct vault_error *err)
{
    (void)citizen;
    (void)seq;
    buf_clear(&added);
    buf_bytes(&added, record->json);
    return buf_check(&added, err);
}

static int64_t stand_still(void *context)
{
    (void)context;
    return NOW_S * 1000;
}

static void stop(void)
{
    buf_finish(&added);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    scratch_start();
    scratch_path(vault.policy_dir, "policies");
    vault.options.clock.now_ms = stand_still;
    added = buf_limited(64UL * 1024);
    atexit(stop);
    return 0;
}

/* --- One of each ----------------------------------------------------------------------------- */

static enum vault_code check_stops(struct vault_error *err)
{
    struct cursor cursor = cursor_over(kept);
    const enum vault_code code = stop_open(&vault, err);
    REQUIRE((code == VAULT_OK) ==
            (kept.size % STOP_BYTES == 0 && kept.size <= STOPS_MAX * STOP_BYTES));
    while (code == VAULT_OK && cursor.left) {
        struct citizen_id citizen;
        char service[CONSENT_NAME_CHARS + 1];
        char purpose[CONSENT_NAME_CHARS + 1];
        cursor_copy(&cursor, citizen.bytes, sizeof citizen.bytes);
        cursor_copy(&cursor, service, sizeof service);
        cursor_copy(&cursor, purpose, sizeof purpose);
        service[CONSENT_NAME_CHARS] = 0;
        purpose[CONSENT_NAME_CHARS] = 0;
        REQUIRE(stop_covers(&vault, &citizen, service, bytes_of_text(purpose)));
    }
    stop_close(&vault);
    return code;
}

static enum vault_code check_log_key(struct vault_error *err)
{
    vault.log_keys = (struct log_keys){0};
    const enum vault_code code = log_key_open(&vault, err);
    if (code == VAULT_OK)
        REQUIRE(vault.log_keys.former_count == vault.log_keys.generation - 1);
    log_key_close(&vault);
    return code;
}

static enum vault_code check_retention(struct vault_error *err)
{
    uint64_t below = 0;
    const enum vault_code code = retention_pruned(&vault, &below, err);
    REQUIRE((code == VAULT_OK) == (kept.size == 8));
    return code;
}

static enum vault_code check_head(struct vault_error *err)
{
    struct ledger_head head;
    const enum vault_code code = indexer_remembered(&vault, &head, err);
    REQUIRE((code == VAULT_OK) == (kept.size == 8 + TREE_HASH_BYTES));
    return code;
}

static enum vault_code check_place(struct vault_error *err)
{
    VAULT_AUTO(place_finish) struct place place = {0};
    VAULT_AUTO(place_finish) struct place again = {0};
    VAULT_TRY(place_find(&vault, NULL, SEQ, 0, &place, err));
    REQUIRE(place.index <= INT64_MAX);
    VAULT_TRY(place_keep(NULL, SEQ, &place, err));
    kept = buf_view(&added);
    REQUIRE(place_find(&vault, NULL, SEQ, 0, &again, err) == VAULT_OK);
    REQUIRE(again.index == place.index && again.time_ms == place.time_ms);
    REQUIRE(memcmp(&again.leaf, &place.leaf, sizeof place.leaf) == 0);
    REQUIRE(bytes_equal(buf_view(&again.opening), buf_view(&place.opening)));
    return VAULT_OK;
}

static enum vault_code take_record(void *context, const struct policy_registered *one,
                                   struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf record = buf_limited(POLICY_RECORD_BYTES_MAX);
    *(size_t *)context += 1;
    REQUIRE(bytes_equal(one->record, bytes_of_text(RECORD)));
    if (one->version)
        REQUIRE(policy_register_record(&vault, one->version, &record, err) == VAULT_OK);
    return VAULT_OK;
}

static enum vault_code check_name(struct vault_error *err)
{
    char name[NAME_MAX + 1];
    char file[PATH_MAX];
    size_t count = 0;
    if (kept.size == 0 || kept.size > NAME_MAX || memchr(kept.data, 0, kept.size) ||
        memchr(kept.data, '/', kept.size) || kept.data[0] == '.')
        return VAULT_OK;
    snprintf(name, sizeof name, "%.*s", (int)kept.size, (const char *)kept.data);
    REQUIRE(folder_create(vault.policy_dir, NULL) == VAULT_OK);
    REQUIRE(file_join(file, sizeof file, vault.policy_dir, name, NULL) == VAULT_OK);
    REQUIRE(file_create(file, bytes_of_text(RECORD), 0600, NULL) == VAULT_OK);
    const enum vault_code code = policy_register_list(&vault, take_record, &count, err);
    REQUIRE(code == VAULT_OK && count <= 1 && unlink(file) == 0);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vault_error err = {.text = ""};
    struct cursor input = cursor_over((struct bytes){data, size});
    enum vault_code code = VAULT_OK;
    const uint8_t kind = cursor_u8(&input);
    kept = cursor_take(&input, input.left);
    if (input.truncated || kept.size > SETTING_VALUE_MAX_BYTES)
        return 0;
    if (kind == 'S')
        code = check_stops(&err);
    else if (kind == 'K')
        code = check_log_key(&err);
    else if (kind == 'R')
        code = check_retention(&err);
    else if (kind == 'H')
        code = check_head(&err);
    else if (kind == 'P')
        code = check_place(&err);
    else if (kind == 'N')
        code = check_name(&err);
    if (code)
        require_silent(&err);
    return 0;
}
