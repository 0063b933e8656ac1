#include "look_opening.h"

#include <string.h>

#include "event.h"
#include "parts.h"
#include "person.h"
#include "vault/ledger/opening.h"
#include "vault/store/openings.h"

#define LINE_BYTES_MAX (OPENING_MAX_BYTES + 64)
#define WORDS_MAX      3
#define ASSERTED       "asserted "

/* An opening as it lies in the index. */
struct sealed {
    struct citizen_id citizen;
    uint64_t n;
    uint8_t leaf[SHA256_BYTES];
    struct buf text;
};

/* An entry and its opening, read. The parsed forms borrow from the texts. */
struct opened {
    struct buf entry_text;
    struct buf opening_text;
    struct buf storage;
    struct entry entry;
    struct opening opening;
};

static void sealed_finish(struct sealed *sealed)
{
    buf_finish(&sealed->text);
}

static void opened_finish(struct opened *opened)
{
    buf_finish(&opened->entry_text);
    buf_finish(&opened->opening_text);
    buf_finish(&opened->storage);
}

void look_found_finish(struct look_found *found)
{
    buf_finish(&found->what);
    buf_finish(&found->line);
}

/* --- Is it a list of fields? ---------------------------------------------------------------- */

static bool is_word(struct bytes word)
{
    for (size_t i = 0; i < word.size; i++) {
        const uint8_t c = word.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-'))
            return false;
    }
    return word.size > 0 && word.size <= ENTRY_ID_MAX_CHARS;
}

/* Take what is before the separator; false at the end. */
static bool take_part(struct bytes *text, char separator, struct bytes *part)
{
    if (!text->data)
        return false;
    const uint8_t *end = memchr(text->data, separator, text->size);
    const size_t size = end ? (size_t)(end - text->data) : text->size;
    *part = (struct bytes){text->data, size};
    *text = end ? (struct bytes){end + 1, text->size - size - 1} : (struct bytes){0};
    return true;
}

/* "FIELD FORM", "FIELD FORM OUTCOME": what names a field has a dot in it. */
static bool is_field_line(struct bytes line)
{
    struct bytes word;
    size_t count = 0;
    const bool has_dot = memchr(line.data, '.', line.size) != NULL;
    while (take_part(&line, ' ', &word)) {
        if (!is_word(word) || ++count > WORDS_MAX)
            return false;
    }
    return has_dot && count > 1;
}

/* What a service said of the circumstances: names that the policy knows, or that one is unknown. */
static bool is_asserted_line(struct bytes line)
{
    const size_t size = strlen(ASSERTED);
    return line.size > size && memcmp(line.data, ASSERTED, size) == 0;
}

static bool is_field_list(struct bytes what)
{
    struct bytes line;
    size_t fields = 0;
    while (take_part(&what, '\n', &line)) {
        if (!line.size || (!is_asserted_line(line) && !is_field_line(line)))
            return false;
        fields += !is_asserted_line(line);
    }
    return fields > 0;
}

/* Events whose "what" names fields. Of all others it is words about an account or a person. */
static bool event_has_fields(enum entry_event event)
{
    switch (event) {
    case ENTRY_RELEASE:
    case ENTRY_DENY:
    case ENTRY_CONSENT:
    case ENTRY_REFUSE:
    case ENTRY_WITHDRAW:
    case ENTRY_OBJECT:
    case ENTRY_SUSPEND:
    case ENTRY_RESUME:
    case ENTRY_REQUEST:
    case ENTRY_DEPOSIT:
        return true;
    default:
        return false;
    }
}

/* --- Reading -------------------------------------------------------------------------------- */

static enum vault_code take_sealed(void *context, const struct openings_row *row,
                                   struct vault_error *err)
{
    struct sealed *sealed = context;
    sealed->citizen = row->citizen;
    sealed->n = row->n;
    memcpy(sealed->leaf, row->leaf, sizeof sealed->leaf);
    buf_bytes(&sealed->text, row->sealed);
    return buf_check(&sealed->text, err);
}

/* The opening in clear, held against the entry. VAULT_NOT_FOUND: whose it was is gone. */
static enum vault_code open_sealed(struct vault *vault, const struct sealed *sealed,
                                   struct opened *out, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    const struct tree_hash leaf = tree_leaf(buf_view(&out->entry_text));
    if (memcmp(leaf.bytes, sealed->leaf, sizeof sealed->leaf) != 0)
        return vault_fail(err, VAULT_CORRUPT, "an entry of the log is not the one that was filed");
    VAULT_TRY(person_hold_existing(vault, &sealed->citizen, &citizen, &person, err));
    VAULT_TRY(
        event_opening_read(citizen, sealed->n, buf_view(&sealed->text), &out->opening_text, err));
    VAULT_TRY(opening_parse(buf_view(&out->opening_text), &out->storage, &out->opening, err));
    if (opening_check(&out->opening, &out->entry, NULL))
        return vault_fail(err, VAULT_CORRUPT, "an opening is not what the log committed to");
    return VAULT_OK;
}

static enum vault_code write_found(uint64_t index, const struct opening *opening,
                                   struct look_found *out, struct vault_error *err)
{
    struct opening shown = {0};
    shown.fields[ENTRY_WHAT] = opening->fields[ENTRY_WHAT];
    buf_bytes(&out->what, shown.fields[ENTRY_WHAT].value);
    buf_format(&out->line, "{\"index\":%llu,\"fields\":", (unsigned long long)index);
    VAULT_TRY(opening_write(&shown, &out->line, err));
    buf_byte(&out->line, '}');
    VAULT_TRY(buf_check(&out->what, err));
    return buf_check(&out->line, err);
}

/* A missing opening is an answer; so is one that does not hold. */
static enum vault_code result_of(enum vault_code code, struct look_found *out)
{
    if (code == VAULT_NOT_FOUND || code == VAULT_CORRUPT) {
        out->result = code == VAULT_CORRUPT ? LOOK_DAMAGED : LOOK_GONE;
        return VAULT_OK;
    }
    return code;
}

enum vault_code look_opening_read(struct vault *vault, uint64_t index, struct look_found *out,
                                  struct vault_error *err)
{
    VAULT_AUTO(sealed_finish)
    struct sealed sealed = {.text = buf_limited(OPENINGS_SEALED_MAX_BYTES)};
    VAULT_AUTO(opened_finish)
    struct opened opened = {.entry_text = buf_limited(ENTRY_MAX_BYTES),
                            .opening_text = buf_limited(OPENING_MAX_BYTES),
                            .storage = buf_limited(OPENING_MAX_BYTES)};
    *out = (struct look_found){LOOK_GONE, buf_limited(OPENING_VALUE_MAX_BYTES),
                               buf_limited(LINE_BYTES_MAX)};
    VAULT_TRY(ledger_entry(vault->ledger, index, &opened.entry_text, err));
    VAULT_TRY(entry_parse(buf_view(&opened.entry_text), &opened.entry, err));
    enum vault_code code = openings_get(vault->store, index, take_sealed, &sealed, err);
    if (code)
        return result_of(code, out);
    code = open_sealed(vault, &sealed, &opened, err);
    if (code)
        return result_of(code, out);
    const struct opening_field *what = &opened.opening.fields[ENTRY_WHAT];
    out->result = LOOK_PRIVATE;
    if (!what->present || !event_has_fields(opened.entry.event) || !is_field_list(what->value))
        return VAULT_OK;
    out->result = LOOK_SHOWN;
    return write_found(index, &opened.opening, out, err);
}
