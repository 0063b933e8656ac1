#include "pages_words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAYS_OF_A_YEAR      365
#define DAYS_OF_A_LEAP_YEAR 366

/* What each form of each type lets through (contract of the policy bundle, section 2). */
static const struct {
    enum policy_type type;
    const char *form;
    const char *text;
} forms[] = {
    {POLICY_BOOLEAN, "as_is", "form.boolean.as_is"},
    {POLICY_BOOLEAN, "present", "form.boolean.present"},
    {POLICY_CODE, "as_is", "form.code.as_is"},
    {POLICY_CODE, "present", "form.code.present"},
    {POLICY_TEXT, "as_is", "form.text.as_is"},
    {POLICY_TEXT, "initial", "form.text.initial"},
    {POLICY_TEXT, "present", "form.text.present"},
    {POLICY_DATE, "as_is", "form.date.as_is"},
    {POLICY_DATE, "month", "form.date.month"},
    {POLICY_DATE, "year", "form.date.year"},
    {POLICY_DATE, "age_band", "form.date.age_band"},
    {POLICY_DATE, "present", "form.date.present"},
    {POLICY_IDENTIFIER, "as_is", "form.identifier.as_is"},
    {POLICY_IDENTIFIER, "last4", "form.identifier.last4"},
    {POLICY_IDENTIFIER, "pseudonym", "form.identifier.pseudonym"},
    {POLICY_IDENTIFIER, "present", "form.identifier.present"},
    {POLICY_ADDRESS, "as_is", "form.address.as_is"},
    {POLICY_ADDRESS, "street", "form.address.street"},
    {POLICY_ADDRESS, "postcode", "form.address.postcode"},
    {POLICY_ADDRESS, "city", "form.address.city"},
    {POLICY_ADDRESS, "department", "form.address.department"},
    {POLICY_ADDRESS, "present", "form.address.present"},
    {POLICY_NUMBER, "as_is", "form.number.as_is"},
    {POLICY_NUMBER, "rounded", "form.number.rounded"},
    {POLICY_NUMBER, "band", "form.number.band"},
    {POLICY_NUMBER, "sign", "form.number.sign"},
    {POLICY_NUMBER, "present", "form.number.present"},
    {POLICY_SERIES, "as_is", "form.series.as_is"},
    {POLICY_SERIES, "monthly", "form.series.monthly"},
    {POLICY_SERIES, "total", "form.series.total"},
    {POLICY_SERIES, "present", "form.series.present"},
};

static const char *const months[] = {
    "month.1", "month.2", "month.3", "month.4",  "month.5",  "month.6",
    "month.7", "month.8", "month.9", "month.10", "month.11", "month.12",
};

static const char *text_of(const struct visit *visit, const char *name)
{
    const char *text = assets_text(visit->language, name);
    return text ? text : "";
}

static void put_value(struct buf *out, const json_t *value)
{
    if (json_is_string(value))
        buf_bytes(out, json_text(value));
    else if (json_is_integer(value))
        buf_format(out, "%lld", (long long)json_integer_value(value));
}

void words_fill(const struct visit *visit, const char *name, const json_t *values, struct buf *out)
{
    const char *text = text_of(visit, name);
    while (*text) {
        char member[WORDS_CHARS];
        const size_t plain = strcspn(text, "{");
        buf_append(out, text, plain);
        text += plain;
        if (!*text)
            return;
        const size_t size = strcspn(text + 1, "}");
        snprintf(member, sizeof member, "%.*s", (int)size, text + 1);
        put_value(out, json_object_get(values, member));
        text += 1 + size + (text[1 + size] == '}');
    }
}

/* The same into a fixed place; what is too long, or does not fit into memory, leaves it empty. */
static void fill_words(const struct visit *visit, const char *name, json_t *values,
                       char out[WORDS_CHARS])
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(WORDS_CHARS - 1);
    words_fill(visit, name, values, &text);
    json_free(&values);
    memcpy(out, text.data ? (const void *)text.data : "", text.size);
    out[text.size] = 0;
}

static void fill_date(const struct visit *visit, int day, int month, int year,
                      char out[WORDS_CHARS])
{
    char text[8];
    snprintf(text, sizeof text, "%d", day);
    fill_words(visit, "date.text",
               json_pack("{s:s,s:s,s:i}", "day", day == 1 ? text_of(visit, "date.first") : text,
                         "month", text_of(visit, months[month - 1]), "year", year),
               out);
}

/* In the city's time, which the program set (TZ); what cannot be told so, in UTC. */
static struct tm local_of(int64_t instant_s)
{
    struct tm local = {.tm_mday = 1, .tm_year = 70};
    const time_t instant = instant_s;
    if (!localtime_r(&instant, &local))
        gmtime_r(&instant, &local);
    return local;
}

void words_date(const struct visit *visit, int64_t instant_s, char out[WORDS_CHARS])
{
    const struct tm local = local_of(instant_s);
    fill_date(visit, local.tm_mday, local.tm_mon + 1, local.tm_year + 1900, out);
}

void words_clock(int64_t instant_s, char out[WORDS_CLOCK_CHARS + 1])
{
    const struct tm local = local_of(instant_s);
    strftime(out, WORDS_CLOCK_CHARS + 1, "%H:%M", &local);
}

void words_moment(const struct visit *visit, int64_t instant_s, char out[WORDS_CHARS])
{
    char date[WORDS_CHARS];
    char clock[WORDS_CLOCK_CHARS + 1];
    words_date(visit, instant_s, date);
    words_clock(instant_s, clock);
    fill_words(visit, "date.moment", json_pack("{s:s,s:s}", "day", date, "clock", clock), out);
}

void words_date_utc(const struct visit *visit, int64_t instant_s, char out[WORDS_CHARS])
{
    const struct date date = date_of_instant(instant_s);
    fill_date(visit, date.day, date.month, date.year, out);
}

void words_month(const struct visit *visit, int year, int month, char out[WORDS_CHARS])
{
    fill_words(visit, "date.month",
               json_pack("{s:s,s:i}", "month", text_of(visit, months[month - 1]), "year", year),
               out);
}

void words_period(const struct visit *visit, int64_t days, char out[WORDS_CHARS])
{
    const char *name = "period.days";
    if (days == 1)
        name = "period.day";
    else if (days == DAYS_OF_A_YEAR || days == DAYS_OF_A_LEAP_YEAR)
        name = "period.year";
    fill_words(visit, name, json_pack("{s:I}", "days", (json_int_t)days), out);
}

/* --- Values --------------------------------------------------------------------------------- */

static void write_members(const struct visit *visit, const json_t *object, struct buf *out)
{
    const char *name;
    json_t *member;
    bool first = true;
    /* jansson walks an object that is not const; it is only read. */
    json_object_foreach((json_t *)(uintptr_t)object, name, member)
    {
        buf_text(out, first ? "" : ", ");
        words_value(visit, member, out);
        first = false;
    }
}

void words_value(const struct visit *visit, const json_t *value, struct buf *out)
{
    json_t *member;
    size_t i;
    if (json_is_string(value)) {
        buf_bytes(out, json_text(value));
    } else if (json_is_boolean(value)) {
        buf_text(out, text_of(visit, json_is_true(value) ? "value.yes" : "value.no"));
    } else if (json_is_object(value)) {
        write_members(visit, value, out);
    } else if (json_is_array(value)) {
        json_array_foreach((json_t *)(uintptr_t)value, i, member)
        {
            buf_text(out, i ? "; " : "");
            words_value(visit, member, out);
        }
    } else {
        json_write_value(out, value);
    }
}

/* --- The city's words ----------------------------------------------------------------------- */

static enum policy_language language_of(const struct visit *visit)
{
    return strcmp(visit->language, "en") == 0 ? POLICY_EN : POLICY_FR;
}

static uint16_t find(const struct policy *policy, enum policy_kind kind, const char *id)
{
    return policy ? policy_find(policy, kind, bytes_of_text(id)) : POLICY_NONE;
}

static const char *title_of(const struct visit *visit, const struct policy *policy,
                            enum policy_kind kind, const char *id)
{
    const uint16_t index = find(policy, kind, id);
    const char *title =
        index == POLICY_NONE ? NULL : policy_title(policy, kind, index, language_of(visit));
    return title ? title : id;
}

const char *words_purpose_title(const struct visit *visit, const struct policy *policy,
                                const char *purpose)
{
    return title_of(visit, policy, POLICY_PURPOSE, purpose);
}

const char *words_purpose_text(const struct visit *visit, const struct policy *policy,
                               const char *purpose)
{
    const uint16_t index = find(policy, POLICY_PURPOSE, purpose);
    return index == POLICY_NONE ? NULL
                                : policy_text(policy, POLICY_PURPOSE, index, language_of(visit));
}

const char *words_field_title(const struct visit *visit, const struct policy *policy,
                              const char *field)
{
    return title_of(visit, policy, POLICY_FIELD, field);
}

const char *words_form(const struct policy *policy, const struct consent_field *field)
{
    if (!field->form[0])
        return "form.any";
    const uint16_t index = find(policy, POLICY_FIELD, field->name);
    if (index == POLICY_NONE)
        return "form.unknown";
    const enum policy_type type = policy_field_type(policy, index);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].type == type && strcmp(forms[i].form, field->form) == 0)
            return forms[i].text;
    }
    return "form.unknown";
}

const char *words_form_of(const char *type, const char *form)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(policy_type_name(forms[i].type), type) == 0 && strcmp(forms[i].form, form) == 0)
            return forms[i].text;
    }
    return "form.unknown";
}
