/*
 * What an auditor was given of a log's openings: a file of lines, held against a log of three
 * entries, none of which it opens.
 *
 * So no opening passes; a line that is none ends it, by its number; and no verdict has a value.
 */
#include "fuzz_tools.h"

#include "ledger/verify_openings.h"
#include "log_fuzz.h"
#include "vault/ledger/entry.h"
#include "vault/ledger/tile.h"

#define ENTRIES        3U
#define FILE_NAME      "openings.jsonl"
#define FILE_BYTES_MAX (64UL * 1024)

/* Entries that commit to a subject and a basis, in the one tile that there is. */
static void put_entries(void)
{
    char name[TILE_PATH_CHARS];
    VAULT_AUTO(buf_finish) struct buf tile = buf_limited(TILE_BUNDLE_BYTES);
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint8_t text[ENTRY_MAX_BYTES];
        struct entry entry = {.event = i == 1 ? ENTRY_WITHDRAW : ENTRY_RELEASE,
                              .time_ms = i + 1,
                              .service = bytes_of_text("library"),
                              .purpose = bytes_of_text("library.lending"),
                              .has_client = true,
                              .has_policy = true,
                              .policy_version = 1};
        for (unsigned key = 0; key < ENTRY_KEY_COUNT; key++)
            entry.commitments[key].present = true;
        REQUIRE(entry_check(&entry, NULL) == VAULT_OK);
        tile_bundle_append(&tile, (struct bytes){text, entry_write(&entry, text)});
    }
    tile_path(name, tile_of(ENTRIES, TILE_ENTRIES, 0));
    REQUIRE(folder_create_for(scratch_dir, name, NULL) == VAULT_OK);
    scratch_put(name, buf_view(&tile));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    scratch_start();
    put_entries();
    return 0;
}

static void require_verdict(const struct verify_report *report)
{
    const struct verify_verdict *openings = &report->verdicts[VERIFY_OPENINGS];
    REQUIRE(openings->state != VERIFY_PASS);
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++) {
        REQUIRE(!strstr(report->verdicts[i].detail, FUZZ_VALUE));
        REQUIRE(!strchr(report->verdicts[i].detail, '\n'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[PATH_MAX];
    static struct verify_report report;
    struct vault_error err = {.text = ""};
    if (size > FILE_BYTES_MAX)
        return 0;
    scratch_path(path, FILE_NAME);
    scratch_put(FILE_NAME, (struct bytes){data, size});
    report = (struct verify_report){.head = {.size = ENTRIES}};
    const struct verify_options options = {.dir = scratch_dir, .openings_path = path};
    if (verify_openings(&options, &report, &err) != VAULT_OK) {
        REQUIRE(err.code == VAULT_INVALID);
        require_silent(&err);
        return 0;
    }
    require_verdict(&report);
    return 0;
}
