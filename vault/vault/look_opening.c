#include "look_opening.h"

#include <string.h>

#include "filed.h"
#include "parts.h"
#include "person.h"

#define LINE_BYTES_MAX (OPENING_MAX_BYTES + 64)
#define WORDS_MAX      3
#define ASSERTED       "asserted "

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

static enum vault_code take(void *context, const struct openings_row *row, struct vault_error *err)
{
    return filed_keep(row, context, err);
}

/* VAULT_NOT_FOUND: there is none any more, or whose it was is gone. */
static enum vault_code read_clear(struct vault *vault, uint64_t index, struct clear *out,
                                  struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(filed_finish) struct filed filed = {0};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(openings_get(vault->store, index, take, &filed, err));
    VAULT_TRY(clear_read_entry(vault, &filed, out, err));
    VAULT_TRY(person_hold_existing(vault, &filed.citizen, &citizen, &person, err));
    return clear_read_opening(citizen, &filed, out, err);
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
    VAULT_AUTO(clear_finish) struct clear clear = {0};
    *out = (struct look_found){LOOK_GONE, buf_limited(OPENING_VALUE_MAX_BYTES),
                               buf_limited(LINE_BYTES_MAX)};
    const enum vault_code code = read_clear(vault, index, &clear, err);
    if (code)
        return result_of(code, out);
    const struct opening_field *what = &clear.opening.fields[ENTRY_WHAT];
    out->result = LOOK_PRIVATE;
    if (!what->present || !event_has_fields(clear.entry.event) || !is_field_list(what->value))
        return VAULT_OK;
    out->result = LOOK_SHOWN;
    return write_found(index, &clear.opening, out, err);
}
