/*
 * What an auditor may be shown of an entry's opening. The input is a byte for the entry's event and
 * the opening; the index, the log and the citizen's file are answered by this file (--wrap in
 * CMakeLists.txt).
 *
 * Shown are lists of fields alone, of events that have them, word by word as they stand in the
 * opening; and of an opening nothing but "what".
 */
#include "fuzz_tools.h"

#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/filed.h"
#include "vault/look_opening.h"
#include "vault/parts.h"
#include "vault/person.h"

#define INDEX 7

enum vault_code __wrap_openings_get(struct store *store, uint64_t index, openings_each *each,
                                    void *context, struct vault_error *err);
enum vault_code __wrap_person_hold_existing(struct vault *vault, const struct citizen_id *id,
                                            struct citizen **citizen, struct person **person,
                                            struct vault_error *err);
enum vault_code __wrap_clear_read_entry(struct vault *vault, const struct filed *filed,
                                        struct clear *out, struct vault_error *err);
enum vault_code __wrap_clear_read_opening(struct citizen *citizen, const struct filed *filed,
                                          struct clear *out, struct vault_error *err);

static enum entry_event event;
static struct bytes text;
static struct vault vault;

enum vault_code __wrap_openings_get(struct store *store, uint64_t index, openings_each *each,
                                    void *context, struct vault_error *err)
{
    (void)store;
    (void)index;
    (void)each;
    (void)context;
    (void)err;
    return VAULT_OK;
}

enum vault_code __wrap_person_hold_existing(struct vault *of, const struct citizen_id *id,
                                            struct citizen **citizen, struct person **person,
                                            struct vault_error *err)
{
    (void)of;
    (void)id;
    (void)citizen;
    (void)person;
    (void)err;
    return VAULT_OK;
}

enum vault_code __wrap_clear_read_entry(struct vault *of, const struct filed *filed,
                                        struct clear *out, struct vault_error *err)
{
    (void)of;
    (void)filed;
    (void)err;
    *out = (struct clear){.storage = buf_limited(OPENING_MAX_BYTES), .entry = {.event = event}};
    return VAULT_OK;
}

/* As one that is what was committed to. */
enum vault_code __wrap_clear_read_opening(struct citizen *citizen, const struct filed *filed,
                                          struct clear *out, struct vault_error *err)
{
    (void)citizen;
    (void)filed;
    return opening_parse(text, &out->storage, &out->opening, err) ? VAULT_CORRUPT : VAULT_OK;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    return crypto_start(true, NULL) ? 1 : 0;
}

static void check_lines(struct bytes what)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.- ";
    while (what.size) {
        const struct bytes line = take_part(&what, '\n');
        REQUIRE(line.size);
        if (bytes_begin_with(line, "asserted "))
            continue;
        REQUIRE(memchr(line.data, '.', line.size) && memchr(line.data, ' ', line.size));
        for (size_t i = 0; i < line.size; i++)
            REQUIRE(line.data[i] && strchr(letters, line.data[i]));
    }
}

static void check_shown(const struct look_found *found)
{
    struct opening all;
    struct opening shown;
    VAULT_AUTO(json_free) json_t *line = NULL;
    VAULT_AUTO(buf_finish) struct buf first = buf_limited(OPENING_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf second = buf_limited(OPENING_MAX_BYTES);
    REQUIRE(event < ENTRY_ERASE);
    check_lines(buf_view(&found->what));
    REQUIRE(json_parse(buf_view(&found->line), 4, &line, NULL, NULL) == VAULT_OK);
    REQUIRE(json_object_size(line) == 2);
    REQUIRE(json_integer_value(json_object_get(line, "index")) == INDEX);
    REQUIRE(opening_parse(text, &first, &all, NULL) == VAULT_OK);
    REQUIRE(opening_parse_json(json_object_get(line, "fields"), &second, &shown, NULL) == VAULT_OK);
    for (size_t i = 0; i < ENTRY_KEY_COUNT; i++)
        REQUIRE(shown.fields[i].present == (i == ENTRY_WHAT));
    REQUIRE(bytes_equal(shown.fields[ENTRY_WHAT].value, all.fields[ENTRY_WHAT].value));
    REQUIRE(bytes_equal(buf_view(&found->what), all.fields[ENTRY_WHAT].value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vault_error err = {.text = ""};
    VAULT_AUTO(look_found_finish) struct look_found found = {0};
    struct cursor input = cursor_over((struct bytes){data, size});
    event = (enum entry_event)(cursor_u8(&input) % ENTRY_EVENT_COUNT);
    if (input.truncated)
        return 0;
    text = cursor_take(&input, input.left);
    REQUIRE(look_opening_read(&vault, INDEX, &found, &err) == VAULT_OK);
    if (found.result == LOOK_SHOWN)
        check_shown(&found);
    else
        REQUIRE(found.what.size == 0 && found.line.size == 0);
    return 0;
}
