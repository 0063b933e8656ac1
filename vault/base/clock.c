#include "vault/base/clock.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define SECONDS_PER_DAY 86400

static int64_t system_now_ms(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t fixed_now_ms(void *context)
{
    return atomic_load((const _Atomic int64_t *)context);
}

const struct clock clock_system = {.now_ms = system_now_ms};

struct clock clock_fixed(_Atomic int64_t *now_ms)
{
    return (struct clock){.now_ms = fixed_now_ms, .context = now_ms};
}

int64_t clock_now_ms(const struct clock *clock)
{
    return clock->now_ms(clock->context);
}

int64_t clock_now_s(const struct clock *clock)
{
    const int64_t now_ms = clock_now_ms(clock);
    return (now_ms >= 0 ? now_ms : now_ms - 999) / 1000; /* down, also before 1970 */
}

int64_t clock_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_monotonic_ms(void)
{
    return clock_monotonic_ns() / 1000000;
}

void clock_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct timespec clock_deadline(int64_t in_ms)
{
    const int64_t at_ms = clock_monotonic_ms() + in_ms;
    return (struct timespec){.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Read count digits. -1 if one is none. */
static int digits(const uint8_t *text, size_t count)
{
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* Whether the text has the separators where the pattern has them; other places are free. */
static bool has_shape(struct bytes text, const char *pattern)
{
    if (text.size != strlen(pattern))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (pattern[i] != '0' && text.data[i] != (uint8_t)pattern[i])
            return false;
    }
    return true;
}

static bool date_exists(struct date date)
{
    return date.year >= 1 && date.month >= 1 && date.month <= 12 && date.day >= 1 &&
           date.day <= days_in_month(date.year, date.month);
}

static bool date_read(const uint8_t *text, struct date *out)
{
    *out = (struct date){digits(text, 4), digits(text + 5, 2), digits(text + 8, 2)};
    return date_exists(*out);
}

enum vault_code date_parse(struct bytes text, struct date *out, struct vault_error *err)
{
    struct date date;
    if (!has_shape(text, "0000-00-00") || !date_read(text.data, &date))
        return vault_fail(err, VAULT_INVALID, "not a date that exists, written YYYY-MM-DD");
    *out = date;
    return VAULT_OK;
}

enum vault_code instant_parse(struct bytes text, int64_t *out_s, struct vault_error *err)
{
    struct date date = {0};
    const bool shaped = has_shape(text, "0000-00-00T00:00:00Z") && date_read(text.data, &date);
    const int hour = shaped ? digits(text.data + 11, 2) : -1;
    const int minute = shaped ? digits(text.data + 14, 2) : -1;
    const int second = shaped ? digits(text.data + 17, 2) : -1;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return vault_fail(err, VAULT_INVALID,
                          "not a time that exists, written YYYY-MM-DDThh:mm:ssZ");
    *out_s = instant_of_date(date) + (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
    return VAULT_OK;
}

enum vault_code instant_or_date_parse(struct bytes text, int64_t *out_s, struct vault_error *err)
{
    struct date date;
    if (date_parse(text, &date, NULL) == VAULT_OK) {
        *out_s = instant_of_date(date);
        return VAULT_OK;
    }
    if (instant_parse(text, out_s, NULL) == VAULT_OK)
        return VAULT_OK;
    return vault_fail(err, VAULT_INVALID,
                      "neither a date YYYY-MM-DD nor a time YYYY-MM-DDThh:mm:ssZ that exists");
}

/* The last so many digits. */
static void put_digits(char *out, unsigned number, size_t count)
{
    for (; count; number /= 10)
        out[--count] = (char)('0' + number % 10);
}

void date_format(char out[DATE_CHARS + 1], struct date date)
{
    memcpy(out, "YYYY-MM-DD", DATE_CHARS + 1);
    put_digits(out, (unsigned)date.year, 4);
    put_digits(out + 5, (unsigned)date.month, 2);
    put_digits(out + 8, (unsigned)date.day, 2);
}

void instant_format(char out[INSTANT_CHARS + 1], int64_t instant_s)
{
    const struct date date = date_of_instant(instant_s);
    const int64_t in_day = instant_s - instant_of_date(date);
    date_format(out, date);
    memcpy(out + DATE_CHARS, "Thh:mm:ssZ", INSTANT_CHARS - DATE_CHARS + 1);
    put_digits(out + DATE_CHARS + 1, (unsigned)(in_day / 3600) % 24U, 2);
    put_digits(out + DATE_CHARS + 4, (unsigned)(in_day / 60 % 60), 2);
    put_digits(out + DATE_CHARS + 7, (unsigned)(in_day % 60), 2);
}

/* Days since 1970-01-01, counting years from March so that the leap day comes last. */
static int64_t days_since_epoch(struct date date)
{
    const int64_t year = date.month > 2 ? date.year : date.year - 1;
    const int64_t month_from_march = (date.month + 9) % 12;
    const int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

int64_t instant_of_date(struct date date)
{
    return days_since_epoch(date) * SECONDS_PER_DAY;
}

struct date date_of_instant(int64_t instant_s)
{
    const int64_t days =
        (instant_s >= 0 ? instant_s : instant_s - (SECONDS_PER_DAY - 1)) / SECONDS_PER_DAY;
    /* Cycles of 400 years have 146,097 days; the year begins on 1 March here. */
    const int64_t shifted = days + 719468;
    const int64_t cycle = shifted / 146097;
    const int64_t in_cycle = shifted % 146097;
    const int64_t year_of_cycle =
        (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096) / 365;
    const int64_t day_of_year =
        in_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    const int64_t month_from_march = (5 * day_of_year + 2) / 153;
    const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return (struct date){
        .year = (int)(cycle * 400 + year_of_cycle + (month <= 2)),
        .month = (int)month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
    };
}

int date_compare(struct date a, struct date b)
{
    if (a.year != b.year)
        return a.year < b.year ? -1 : 1;
    if (a.month != b.month)
        return a.month < b.month ? -1 : 1;
    return (a.day > b.day) - (a.day < b.day);
}

int date_months_between(struct date from, struct date to)
{
    const int months = (to.year - from.year) * 12 + to.month - from.month;
    if (date_compare(from, to) <= 0)
        return to.day < from.day ? months - 1 : months;
    return -date_months_between(to, from);
}

int date_years_between(struct date from, struct date to)
{
    return date_months_between(from, to) / 12;
}
