#include "vault/vault/look.h"

#include <stdio.h>
#include <string.h>

#include "indexer.h"
#include "look_opening.h"
#include "parts.h"
#include "retention.h"
#include "vault/base/codec.h"
#include "vault/base/json.h"
#include "vault/ledger/opening.h"

#define FILED_WAIT_MS    1000
#define ENTRIES_BYTES    (LOOK_ENTRIES_MAX * 22)
#define ACTOR_BYTES_MAX  (ENTRIES_BYTES + LOOK_REASON_BYTES_MAX + 256)
#define NUMBER_CHARS_MAX 18

/* --- The wish ------------------------------------------------------------------------------- */

static bool read_number(struct bytes *text, uint64_t *out)
{
    size_t count = 0;
    *out = 0;
    for (; text->size && *text->data >= '0' && *text->data <= '9'; count++) {
        *out = *out * 10 + (*text->data - '0');
        text->data++;
        text->size--;
        if (count == NUMBER_CHARS_MAX)
            return false;
    }
    return count > 0;
}

static bool skip(struct bytes *text, const char *signs)
{
    const size_t before = text->size;
    while (text->size && *text->data && strchr(signs, *text->data)) {
        text->data++;
        text->size--;
    }
    return text->size < before;
}

static enum vault_code add_range(struct look_wish *wish, uint64_t first, uint64_t last,
                                 struct vault_error *err)
{
    const bool rises = !wish->entry_count || first > wish->entries[wish->entry_count - 1];
    if (last < first || !rises)
        return vault_fail(err, VAULT_INVALID, "the entries must rise, each once");
    if (last - first >= LOOK_ENTRIES_MAX - wish->entry_count)
        return vault_fail(err, VAULT_TOO_LARGE, "at most %d entries can be looked at in one look",
                          LOOK_ENTRIES_MAX);
    for (uint64_t index = first; index <= last; index++)
        wish->entries[wish->entry_count++] = index;
    return VAULT_OK;
}

enum vault_code look_parse_entries(struct bytes text, struct look_wish *out,
                                   struct vault_error *err)
{
    bool parted = true;
    out->entry_count = 0;
    skip(&text, " ,\r\n");
    while (text.size) {
        uint64_t first = 0;
        uint64_t last = 0;
        if (!parted || !read_number(&text, &first))
            return vault_fail(err, VAULT_INVALID, "the entries are numbers, such as 12 15-18");
        last = first;
        if (text.size && *text.data == '-') {
            text.data++;
            text.size--;
            if (!read_number(&text, &last))
                return vault_fail(err, VAULT_INVALID, "a range has two numbers, such as 15-18");
        }
        VAULT_TRY(add_range(out, first, last, err));
        parted = skip(&text, " ,\r\n");
    }
    return out->entry_count ? VAULT_OK : vault_fail(err, VAULT_INVALID, "there is no entry");
}

void look_write_entries(const uint64_t entries[], size_t count, struct buf *out)
{
    for (size_t i = 0; i < count;) {
        size_t end = i;
        while (end + 1 < count && entries[end + 1] == entries[end] + 1)
            end++;
        buf_format(out, "%s%llu", i ? " " : "", (unsigned long long)entries[i]);
        if (end > i)
            buf_format(out, "-%llu", (unsigned long long)entries[end]);
        i = end + 1;
    }
}

/* Characters of valid UTF-8 without control characters, but line ends; -1 if it is none. */
static long count_chars(struct bytes text)
{
    long count = 0;
    VAULT_AUTO(json_free)
    json_t *valid = json_stringn(text.size ? (const char *)text.data : "", text.size);
    if (!valid)
        return -1;
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];
        if ((c < 0x20 && c != '\n' && c != '\r') || c == 0x7f)
            return -1;
        count += (c & 0xc0) != 0x80;
    }
    return count;
}

enum vault_code look_check_reason(struct bytes reason, struct vault_error *err)
{
    const long count = count_chars(reason);
    if (count < LOOK_REASON_CHARS_MIN || count > LOOK_REASON_CHARS_MAX)
        return vault_fail(err, VAULT_INVALID, "the reason must be %d to %d characters of text",
                          LOOK_REASON_CHARS_MIN, LOOK_REASON_CHARS_MAX);
    return VAULT_OK;
}

/* Only what is published can be named: everybody can check that it is there. */
enum vault_code look_check(struct vault *vault, const struct look_wish *wish,
                           struct vault_error *err)
{
    uint64_t first = 0;
    VAULT_TRY(look_check_reason(wish->reason, err));
    VAULT_TRY(retention_pruned(vault, &first, err));
    if (!wish->entry_count || wish->entry_count > LOOK_ENTRIES_MAX)
        return vault_fail(err, VAULT_INVALID, "a look is at 1 to %d entries", LOOK_ENTRIES_MAX);
    for (size_t i = 1; i < wish->entry_count; i++) {
        if (wish->entries[i] <= wish->entries[i - 1])
            return vault_fail(err, VAULT_INVALID, "the entries must rise, each once");
    }
    if (wish->entries[0] < first ||
        wish->entries[wish->entry_count - 1] >= ledger_published_size(vault->ledger))
        return vault_fail(err, VAULT_NOT_FOUND, "one of the entries is not in the published log");
    return VAULT_OK;
}

/* --- What is shown -------------------------------------------------------------------------- */

static void wait_until_filed(struct vault *vault)
{
    struct vault_error ignored;
    const uint64_t size = ledger_published_size(vault->ledger);
    if (indexer_wait(vault->indexer, size, FILED_WAIT_MS, &ignored)) /* shown as gone, then */
        return;
}

static enum vault_code show_entries(struct vault *vault, const uint64_t entries[], size_t count,
                                    look_opening_each *each, void *context, struct vault_error *err)
{
    wait_until_filed(vault);
    for (size_t i = 0; i < count; i++) {
        VAULT_AUTO(look_found_finish) struct look_found found = {0};
        VAULT_TRY(look_opening_read(vault, entries[i], &found, err));
        const struct look_opening opening = {entries[i], found.result, buf_view(&found.what),
                                             buf_view(&found.line)};
        VAULT_TRY(each(context, &opening, err));
    }
    return VAULT_OK;
}

/* What a program is given of it, for the commitment. */
static enum vault_code add_to_body(void *context, const struct look_opening *opening,
                                   struct vault_error *err)
{
    struct buf *body = context;
    if (opening->result != LOOK_SHOWN)
        return VAULT_OK;
    buf_bytes(body, opening->line);
    buf_byte(body, '\n');
    return buf_check(body, err);
}

/* --- Making one ----------------------------------------------------------------------------- */

/* The entry of a look and its opening. */
struct traced {
    struct entry entry;
    struct opening opening;
    struct buf actor;
    char answer[BASE64_CHARS(SHA256_BYTES) + 1];
};

static void traced_finish(struct traced *traced)
{
    buf_finish(&traced->actor);
}

static enum vault_code commit(struct vault *vault, const char *auditor,
                              const uint8_t spki[SHA256_BYTES], const struct look_wish *wish,
                              struct traced *out, struct vault_error *err)
{
    uint8_t hash[SHA256_BYTES];
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(LOOK_SHOWN_BYTES_MAX);
    VAULT_TRY(show_entries(vault, wish->entries, wish->entry_count, add_to_body, &body, err));
    sha256_of(hash, buf_view(&body));
    base64_string(out->answer, hash, sizeof hash);
    buf_format(&out->actor, "auditor %s\nentries ", auditor);
    look_write_entries(wish->entries, wish->entry_count, &out->actor);
    buf_byte(&out->actor, '\n');
    buf_bytes(&out->actor, wish->reason);
    VAULT_TRY(buf_check(&out->actor, err));
    out->entry = (struct entry){.event = ENTRY_LOG_READ, .has_client = true};
    memcpy(out->entry.client, spki, ENTRY_CLIENT_BYTES);
    opening_commit(&out->opening, &out->entry, ENTRY_ACTOR, buf_view(&out->actor));
    opening_commit(&out->opening, &out->entry, ENTRY_ANSWER, bytes_of_text(out->answer));
    return VAULT_OK;
}

static enum vault_code keep(struct vault *vault, const char *auditor, const struct look_wish *wish,
                            const struct ledger_ticket *ticket, const struct traced *traced,
                            struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf opening = buf_limited(OPENING_MAX_BYTES);
    struct look_row row = {.index = ticket->index,
                           .time_ms = ticket->time_ms,
                           .reason = wish->reason,
                           .entry_count = wish->entry_count};
    snprintf(row.auditor, sizeof row.auditor, "%s", auditor);
    memcpy(row.entries, wish->entries, wish->entry_count * sizeof row.entries[0]);
    VAULT_TRY(opening_write(&traced->opening, &opening, err));
    row.opening = buf_view(&opening);
    return look_add(vault->store, &row, err);
}

enum vault_code look_make(struct vault *vault, const char *auditor,
                          const uint8_t spki[SHA256_BYTES], const struct look_wish *wish,
                          uint64_t *index, struct vault_error *err)
{
    struct ledger_ticket ticket;
    VAULT_AUTO(traced_finish) struct traced traced = {.actor = buf_limited(ACTOR_BYTES_MAX)};
    VAULT_TRY(look_check(vault, wish, err));
    VAULT_TRY(look_check_room(vault->store, err));
    VAULT_TRY(commit(vault, auditor, spki, wish, &traced, err));
    VAULT_TRY(ledger_append(vault->ledger, &traced.entry, (struct bytes){0}, &ticket, err));
    VAULT_TRY(keep(vault, auditor, wish, &ticket, &traced, err));
    *index = ticket.index;
    return VAULT_OK;
}

/* --- Showing it ----------------------------------------------------------------------------- */

struct shown {
    const struct vault *vault;
    const char *auditor;
    uint64_t entries[LOOK_ENTRIES_MAX];
    size_t count;
};

int64_t look_open_until_ms(const struct look_row *look)
{
    return look->time_ms + LOOK_OPEN_S * 1000LL;
}

static enum vault_code check_look(void *context, const struct look_row *look,
                                  struct vault_error *err)
{
    struct shown *shown = context;
    if (strcmp(look->auditor, shown->auditor) != 0)
        return vault_fail(err, VAULT_DENIED, "this look is another auditor's");
    if (clock_now_ms(vault_clock(shown->vault)) >= look_open_until_ms(look))
        return vault_fail(err, VAULT_DENIED, "this look is over: make another one");
    memcpy(shown->entries, look->entries, sizeof shown->entries);
    shown->count = look->entry_count;
    return VAULT_OK;
}

enum vault_code look_show(struct vault *vault, const char *auditor, uint64_t index,
                          look_opening_each *each, void *context, struct vault_error *err)
{
    struct shown shown = {.vault = vault, .auditor = auditor};
    VAULT_TRY(look_get(vault->store, index, check_look, &shown, err));
    return show_entries(vault, shown.entries, shown.count, each, context, err);
}

enum vault_code look_find(struct vault *vault, uint64_t index, look_each *each, void *context,
                          struct vault_error *err)
{
    return look_get(vault->store, index, each, context, err);
}

enum vault_code look_all(struct vault *vault, uint64_t before, size_t limit, look_each *each,
                         void *context, struct vault_error *err)
{
    return look_list(vault->store, before, limit, each, context, err);
}

enum vault_code look_at_entry(struct vault *vault, uint64_t entry, size_t limit, look_each *each,
                              void *context, struct vault_error *err)
{
    return look_list_of(vault->store, entry, limit, each, context, err);
}
