/* The forms: what of a value each step of a ladder lets through (contract, section 8). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "values.h"
#include "vault/base/codec.h"
#include "vault/base/json.h"

#define LAST4_CHARS_MIN 8 /* of fewer characters, four would give too many away */
#define POSTCODE_CHARS  5

int age_on(struct date today, const json_t *date)
{
    struct date born;
    if (date_parse(json_text(date), &born, NULL) != VAULT_OK || date_compare(born, today) > 0)
        return -1;
    return date_years_between(born, today);
}

bool band_name(const struct bands *bands, int64_t number, char out[BAND_NAME_CHARS])
{
    size_t i = bands->count;
    while (i > 0 && number < bands->from[i - 1])
        i--;
    if (i == 0)
        return false;
    const int64_t low = bands->from[i - 1];
    if (i == bands->count)
        snprintf(out, BAND_NAME_CHARS, "%" PRId64 "+", low);
    else if (bands->from[i] - 1 == low)
        snprintf(out, BAND_NAME_CHARS, "%" PRId64, low);
    else
        snprintf(out, BAND_NAME_CHARS, "%" PRId64 "-%" PRId64, low, bands->from[i] - 1);
    return true;
}

static void write_integer(struct buf *out, int64_t number)
{
    buf_format(out, "%" PRId64, number);
}

/* The first size bytes of a text, as a string. */
static bool write_start(struct buf *out, const json_t *value, size_t size)
{
    json_write_string(out, (struct bytes){json_text(value).data, size});
    return true;
}

static bool write_band(const struct bands *bands, int64_t number, struct buf *out)
{
    char name[BAND_NAME_CHARS];
    if (!band_name(bands, number, name))
        return false;
    json_write_string(out, bytes_of_text(name));
    return true;
}

static bool write_age_band(const struct evaluation *evaluation, const struct step *step,
                           const json_t *value, struct buf *out)
{
    const int age = age_on(evaluation->today, value);
    return age >= 0 && write_band(&step->bands, age, out);
}

/* A byte of UTF-8 that begins a character. */
static bool begins_character(uint8_t byte)
{
    return (byte & 0xc0) != 0x80;
}

static bool write_initial(const json_t *value, struct buf *out)
{
    const struct bytes text = json_text(value);
    size_t size = 1;
    while (size < text.size && !begins_character(text.data[size]))
        size++;
    return write_start(out, value, size);
}

static bool write_last4(const json_t *value, struct buf *out)
{
    const struct bytes text = json_text(value);
    size_t characters = 0;
    size_t from = text.size;
    for (size_t i = text.size; i > 0; i--) {
        if (!begins_character(text.data[i - 1]))
            continue;
        if (++characters == 4)
            from = i - 1;
    }
    if (characters < LAST4_CHARS_MIN)
        return false;
    json_write_string(out, (struct bytes){text.data + from, text.size - from});
    return true;
}

/* The nearest multiple, a half away from zero. */
static bool write_rounded(int64_t number, int64_t to, struct buf *out)
{
    const int64_t rest = number % to;
    const int64_t distance = rest < 0 ? -rest : rest;
    int64_t multiple = number / to;
    if (distance >= to - distance)
        multiple += number < 0 ? -1 : 1;
    int64_t rounded;
    if (__builtin_mul_overflow(multiple, to, &rounded))
        return false;
    write_integer(out, rounded);
    return true;
}

/* The members of an address that a form shows, in the order of their names. */
static bool write_members(const json_t *value, const char *const members[], struct buf *out)
{
    bool first = true;
    for (size_t i = 0; members[i]; i++) {
        const json_t *member = json_object_get(value, members[i]);
        if (!member)
            continue;
        buf_byte(out, first ? '{' : ',');
        json_write_string(out, bytes_of_text(members[i]));
        buf_byte(out, ':');
        json_write_string(out, json_text(member));
        first = false;
    }
    buf_byte(out, '}');
    return true;
}

static bool is_digits(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return true;
}

/* The first two digits of the postcode; three overseas, where it begins with 97 or 98. */
static bool write_department(const json_t *value, struct buf *out)
{
    const struct bytes postcode = json_text(json_object_get(value, "postcode"));
    if (postcode.size != POSTCODE_CHARS || !is_digits(postcode))
        return false;
    const bool overseas =
        postcode.data[0] == '9' && (postcode.data[1] == '7' || postcode.data[1] == '8');
    buf_text(out, "{\"department\":");
    json_write_string(out, (struct bytes){postcode.data, overseas ? 3 : 2});
    buf_byte(out, '}');
    return true;
}

static bool write_total(const json_t *value, struct buf *out)
{
    int64_t total = 0;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *point = json_array_get(value, i);
        const int64_t number = json_integer_value(json_object_get(point, "value"));
        if (__builtin_add_overflow(total, number, &total))
            return false;
    }
    write_integer(out, total);
    return true;
}

/* An object from month to sum. */
static bool write_monthly(const json_t *value, struct buf *out)
{
    VAULT_AUTO(json_free) json_t *months = json_object();
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *point = json_array_get(value, i);
        const struct bytes date = json_text(json_object_get(point, "date"));
        char month[8] = "";
        memcpy(month, date.data, 7);
        int64_t sum = json_integer_value(json_object_get(months, month));
        const int64_t number = json_integer_value(json_object_get(point, "value"));
        if (__builtin_add_overflow(sum, number, &sum) ||
            json_object_set_new(months, month, json_integer(sum)) != 0)
            return false;
    }
    if (!months)
        return false;
    json_write_value(out, months);
    return true;
}

bool form_write(const struct evaluation *evaluation, const struct step *step, const json_t *value,
                struct buf *out)
{
    static const char *const street[] = {"city", "postcode", "street", NULL};
    static const char *const postcode[] = {"city", "postcode", NULL};
    static const char *const city[] = {"city", NULL};
    const int64_t number = json_integer_value(value);
    switch ((enum form)step->form) {
    case FORM_AS_IS:
        json_write_value(out, value);
        return true;
    case FORM_MONTH:
        return write_start(out, value, strlen("YYYY-MM"));
    case FORM_YEAR:
        return write_start(out, value, strlen("YYYY"));
    case FORM_AGE_BAND:
        return write_age_band(evaluation, step, value, out);
    case FORM_INITIAL:
        return write_initial(value, out);
    case FORM_LAST4:
        return write_last4(value, out);
    case FORM_PSEUDONYM:
        return pseudonym_write(evaluation, NULL, value, out);
    case FORM_STREET:
        return write_members(value, street, out);
    case FORM_POSTCODE:
        return write_members(value, postcode, out);
    case FORM_CITY:
        return write_members(value, city, out);
    case FORM_DEPARTMENT:
        return write_department(value, out);
    case FORM_ROUNDED:
        return write_rounded(number, step->to, out);
    case FORM_BAND:
        return write_band(&step->bands, number, out);
    case FORM_SIGN:
        write_integer(out, (number > 0) - (number < 0));
        return true;
    case FORM_MONTHLY:
        return write_monthly(value, out);
    case FORM_TOTAL:
        return write_total(value, out);
    case FORM_PRESENT:
        buf_text(out, "true");
        return true;
    case FORM_COUNT:
        break;
    }
    return false;
}
