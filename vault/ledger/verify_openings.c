#include "verify_openings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/base/line.h"
#include "vault/ledger/opening.h"
#include "vault/ledger/tile.h"
#include "verdict.h"

#define JSON_DEPTH 4

/* One opened entry, as far as the comparisons need it. Values themselves are not kept. */
struct opened {
    uint64_t index;
    struct tree_hash leaf;
    enum entry_event event;
    bool has_basis;
    uint8_t basis[SHA256_BYTES]; /* hash of what tells one basis from another */
    bool has_subject;
    uint8_t citizen[SHA256_BYTES];
    uint64_t count; /* the citizen's counter */
    bool has_previous;
    struct tree_hash previous;
};

struct openings {
    const struct verify_options *options;
    struct verify_report *report;
    struct opened *list; /* owned */
    size_t count;
    size_t capacity;
    uint64_t not_there; /* entries that were pruned, so that nothing can be held against them */
    uint64_t checked;
    uint64_t bundle; /* which bundle is loaded; UINT64_MAX: none */
    struct tile_content entries;
};

static void openings_free(struct openings **openings)
{
    if (*openings)
        free((*openings)->list);
    free(*openings);
    *openings = NULL;
}

static enum vault_code grow(struct openings *openings, struct vault_error *err)
{
    if (openings->count < openings->capacity)
        return VAULT_OK;
    if (openings->count >= VERIFY_OPENINGS_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "more than %lu openings", VERIFY_OPENINGS_MAX);
    const size_t capacity = openings->capacity ? openings->capacity * 2 : 1024;
    struct opened *list = calloc(capacity, sizeof *list);
    if (!list)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    if (openings->count)
        memcpy(list, openings->list, openings->count * sizeof *list);
    free(openings->list);
    openings->list = list;
    openings->capacity = capacity;
    return VAULT_OK;
}

/* The text of an entry; lines usually come in the order of the log. VAULT_NOT_FOUND if it is gone.
 */
static enum vault_code find_entry(struct openings *openings, uint64_t index, struct bytes *out,
                                  struct vault_error *err)
{
    const uint64_t bundle = index / TILE_WIDTH;
    if (bundle != openings->bundle) {
        openings->bundle = UINT64_MAX;
        VAULT_TRY(tile_load(openings->options->dir,
                            tile_of(openings->report->head.size, TILE_ENTRIES, bundle),
                            &openings->entries, err));
        openings->bundle = bundle;
    }
    struct cursor cursor =
        cursor_over((struct bytes){openings->entries.data, openings->entries.size});
    for (uint64_t i = 0; i <= index % TILE_WIDTH; i++) {
        if (!tile_bundle_next(&cursor, out))
            return vault_fail(err, VAULT_NOT_FOUND, "entry %" PRIu64 " is not there", index);
    }
    return VAULT_OK;
}

static struct bytes cut_at_last_space(struct bytes text)
{
    while (text.size > 0 && text.data[text.size - 1] != ' ')
        text.size--;
    if (text.size > 0)
        text.size--;
    return text;
}

static struct bytes after(struct bytes whole, struct bytes beginning)
{
    const size_t skip = beginning.size + 1;
    return (struct bytes){whole.data + skip, whole.size - skip};
}

/* "consent ID VERSION" is one basis whatever the version; another text is one by itself. */
static void read_basis(struct opened *opened, struct bytes value)
{
    static const char prefix[] = "consent ";
    const struct bytes without_version = cut_at_last_space(value);
    const bool is_consent =
        without_version.size > strlen(prefix) && memcmp(value.data, prefix, strlen(prefix)) == 0;
    opened->has_basis = true;
    sha256_of(opened->basis, is_consent ? without_version : value);
}

/* "CITIZEN N PREVIOUS"; any other value is left aside. */
static void read_subject(struct opened *opened, struct bytes value)
{
    const struct bytes two = cut_at_last_space(value);
    const struct bytes citizen = cut_at_last_space(two);
    if (citizen.size == 0)
        return;
    const struct bytes previous = after(value, two);
    opened->has_previous = !bytes_equal(previous, bytes_of_text("-"));
    if (opened->has_previous &&
        base64_decode_exact(opened->previous.bytes, TREE_HASH_BYTES, previous, NULL) != VAULT_OK)
        return;
    opened->has_subject = number_read(after(two, citizen), INT64_MAX, &opened->count);
    sha256_of(opened->citizen, citizen);
}

static enum vault_code keep(struct openings *openings, uint64_t index, struct bytes text,
                            const struct entry *entry, const struct opening *opening,
                            struct vault_error *err)
{
    VAULT_TRY(grow(openings, err));
    struct opened *opened = &openings->list[openings->count++];
    *opened = (struct opened){.index = index, .leaf = tree_leaf(text), .event = entry->event};
    if (opening->fields[ENTRY_BASIS].present)
        read_basis(opened, opening->fields[ENTRY_BASIS].value);
    if (opening->fields[ENTRY_SUBJECT].present)
        read_subject(opened, opening->fields[ENTRY_SUBJECT].value);
    return VAULT_OK;
}

static bool opens_nothing(const struct opening *opening)
{
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        if (opening->fields[i].present)
            return false;
    }
    return true;
}

static enum vault_code hold_against_entry(struct openings *openings, uint64_t index,
                                          const struct opening *opening, struct vault_error *err)
{
    struct verify_report *report = openings->report;
    struct bytes text;
    struct entry entry;
    struct vault_error why;
    if (index >= report->head.size) {
        verdict_fail(report, VERIFY_OPENINGS, VERIFY_EXIT_INVALID,
                     "there is an opening of entry %" PRIu64 ", which the log does not have",
                     index);
        return VAULT_OK;
    }
    if (opens_nothing(opening))
        return VAULT_OK;
    const enum vault_code code = find_entry(openings, index, &text, &why);
    if (code == VAULT_NOT_FOUND || code == VAULT_CORRUPT) {
        openings->not_there++;
        return VAULT_OK;
    }
    if (code)
        return vault_fail(err, code, "%s", why.text);
    if (entry_parse(text, &entry, NULL) != VAULT_OK)
        return VAULT_OK; /* the verdict on entries has it */
    openings->checked++;
    if (opening_check(opening, &entry, &why) != VAULT_OK)
        verdict_fail(report, VERIFY_OPENINGS, VERIFY_EXIT_INVALID, "entry %" PRIu64 ": %.180s",
                     index, why.text);
    return keep(openings, index, text, &entry, opening, err);
}

static bool read_line(struct bytes line, struct buf *storage, uint64_t *index,
                      struct opening *opening)
{
    static const char *const members[] = {"index", "fields", NULL};
    VAULT_AUTO(json_free) json_t *root = NULL;
    if (json_parse(line, JSON_DEPTH, &root, NULL, NULL) != VAULT_OK || !json_is_object(root) ||
        json_unknown_member(root, members))
        return false;
    const json_t *number = json_object_get(root, "index");
    if (!json_is_integer(number) || json_integer_value(number) < 0)
        return false;
    *index = (uint64_t)json_integer_value(number);
    return opening_parse_json(json_object_get(root, "fields"), storage, opening, NULL) == VAULT_OK;
}

static bool is_blank(struct bytes line)
{
    while (line.size && (line.data[0] == ' ' || line.data[0] == '\t' || line.data[0] == '\r'))
        line = (struct bytes){line.data + 1, line.size - 1};
    return line.size == 0;
}

static enum vault_code read_lines(struct openings *openings, FILE *file, struct vault_error *err)
{
    const char *path = openings->options->openings_path;
    bool found = true;
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(VERIFY_OPENING_LINE_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    for (uint64_t number = 1; found; number++) {
        uint64_t index = 0;
        struct opening opening;
        const enum vault_code code = line_read(file, &line, &found, err);
        if (code && code != VAULT_TOO_LARGE) {
            vault_error_context(err, "%s", path);
            return code;
        }
        if (code == VAULT_OK && is_blank(buf_view(&line)))
            continue;
        if (code || !read_line(buf_view(&line), &storage, &index, &opening))
            return vault_fail(err, VAULT_INVALID, "%s: line %" PRIu64 " is no opening", path,
                              number);
        VAULT_TRY(hold_against_entry(openings, index, &opening, err));
    }
    return VAULT_OK;
}

static int by_number(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_basis(const void *a, const void *b)
{
    const struct opened *left = a;
    const struct opened *right = b;
    if (left->has_basis != right->has_basis)
        return left->has_basis ? -1 : 1;
    const int order = memcmp(left->basis, right->basis, sizeof left->basis);
    return order ? order : by_number(left->index, right->index);
}

static void judge_withdrawals(struct openings *openings)
{
    uint64_t with_basis = 0;
    uint64_t withdrawals = 0;
    const struct opened *withdrawal = NULL;
    if (openings->count)
        qsort(openings->list, openings->count, sizeof *openings->list, by_basis);
    for (size_t i = 0; i < openings->count && openings->list[i].has_basis; i++) {
        const struct opened *opened = &openings->list[i];
        with_basis++;
        withdrawals += opened->event == ENTRY_WITHDRAW;
        if (withdrawal && memcmp(withdrawal->basis, opened->basis, sizeof opened->basis) != 0)
            withdrawal = NULL;
        if (withdrawal && opened->event == ENTRY_RELEASE)
            verdict_fail(openings->report, VERIFY_WITHDRAWALS, VERIFY_EXIT_INVALID,
                         "entry %" PRIu64 " releases on a basis that entry %" PRIu64 " withdrew",
                         opened->index, withdrawal->index);
        if (!withdrawal && opened->event == ENTRY_WITHDRAW)
            withdrawal = opened;
    }
    if (with_basis == 0)
        verdict_skip(openings->report, VERIFY_WITHDRAWALS, "no opening tells a basis");
    else
        verdict_pass(openings->report, VERIFY_WITHDRAWALS,
                     "no release after any of %" PRIu64 " withdrawals, among %" PRIu64
                     " entries whose basis is opened",
                     withdrawals, with_basis);
}

static int by_citizen(const void *a, const void *b)
{
    const struct opened *left = a;
    const struct opened *right = b;
    if (left->has_subject != right->has_subject)
        return left->has_subject ? -1 : 1;
    const int order = memcmp(left->citizen, right->citizen, sizeof left->citizen);
    if (order)
        return order;
    return left->count != right->count ? by_number(left->count, right->count)
                                       : by_number(left->index, right->index);
}

/* Whether an entry of a citizen can follow the one that counts before it. */
static bool can_follow(const struct opened *before, const struct opened *opened)
{
    if (opened->count == before->count)
        return opened->index == before->index; /* the same opening twice */
    if (opened->count != before->count + 1)
        return opened->index > before->index;
    return opened->index > before->index && opened->has_previous &&
           tree_hash_equal(&opened->previous, &before->leaf);
}

static void judge_citizens(struct openings *openings)
{
    if (openings->count)
        qsort(openings->list, openings->count, sizeof *openings->list, by_citizen);
    for (size_t i = 1; i < openings->count && openings->list[i].has_subject; i++) {
        const struct opened *before = &openings->list[i - 1];
        const struct opened *opened = &openings->list[i];
        if (memcmp(before->citizen, opened->citizen, sizeof opened->citizen) == 0 &&
            !can_follow(before, opened))
            verdict_fail(openings->report, VERIFY_OPENINGS, VERIFY_EXIT_INVALID,
                         "entries %" PRIu64 " and %" PRIu64
                         " of one citizen do not follow each other as they count",
                         before->index, opened->index);
    }
}

static enum vault_code open_file(const char *path, FILE **out, struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    const enum vault_code code = file_open_regular(path, &fd, err);
    if (code)
        return code == VAULT_CORRUPT ? VAULT_IO : code;
    *out = fdopen(fd, "r");
    if (!*out)
        return vault_fail_errno(err, "opening %s", path);
    fd = -1; /* the stream's now */
    return VAULT_OK;
}

enum vault_code verify_openings(const struct verify_options *options, struct verify_report *report,
                                struct vault_error *err)
{
    VAULT_AUTO(openings_free) struct openings *openings = calloc(1, sizeof *openings);
    if (!openings)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_AUTO(line_end) FILE *file = NULL;
    VAULT_TRY(open_file(options->openings_path, &file, err));
    openings->options = options;
    openings->report = report;
    openings->bundle = UINT64_MAX;
    VAULT_TRY(read_lines(openings, file, err));
    judge_citizens(openings);
    judge_withdrawals(openings);
    if (openings->not_there)
        verdict_skip(report, VERIFY_OPENINGS,
                     "%" PRIu64 " openings are what was committed to; the entries of %" PRIu64
                     " are not there",
                     openings->checked, openings->not_there);
    else if (openings->checked == 0)
        verdict_skip(report, VERIFY_OPENINGS, "nothing is opened by what was given");
    else
        verdict_pass(report, VERIFY_OPENINGS, "%" PRIu64 " openings are what was committed to",
                     openings->checked);
    return VAULT_OK;
}
