/* Figures over time: entries by day or by month, in series by event, service or outcome; as
 * pictures with their table, and as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditor_parts.h"
#include "pages_words.h"
#include "vault/edge/problem.h"
#include "vault/vault/log_figures.h"

#define BUCKETS_MAX    400
#define SERIES_MAX     64 /* further services are one series of the rest */
#define PICTURES_MAX   12
#define MONTHS_USUAL   12
#define DAYS_BY_DAY    62 /* a period up to this is shown by day unless the address says */
#define DAY_S          86400
#define PICTURE_WIDTH  400
#define PICTURE_HEIGHT 80
#define PICTURE_ROOM   4 /* above the tallest bar */
#define STEP_LEAST     3
#define BUCKET_CHARS   16
#define OTHERS         (SERIES_MAX - 1)

enum series_kind { BY_EVENT, BY_SERVICE, BY_OUTCOME, SERIES_KINDS };

static const char *const kind_names[SERIES_KINDS] = {"event", "service", "outcome"};
static const char *const kind_texts[SERIES_KINDS] = {"auditor.event", "auditor.service",
                                                     "auditor.outcome"};

struct series {
    char name[CONTROL_SERVICE_ID_CHARS + 1];
    const char *text; /* of the catalogue; NULL: the name is what people read */
    uint64_t total;
    uint64_t counts[BUCKETS_MAX];
};

struct figures {
    struct auditor_filter filter;
    enum series_kind kind;
    bool by_day;
    int32_t from_day; /* the first and the last of the period */
    int32_t to_day;
    size_t buckets;
    size_t count;
    struct log_figures_state state;
    struct series series[SERIES_MAX];
};

static const char *const also[] = {"by", "of", NULL};
static const char *const page_also[] = {"by", "of", "lang", NULL};

static void free_figures(struct figures **figures)
{
    free(*figures);
    *figures = NULL;
}

/* --- Period and buckets --------------------------------------------------------------------- */

static struct date date_of_day(int32_t day)
{
    return date_of_instant((int64_t)day * DAY_S);
}

static int month_number(struct date date)
{
    return date.year * 12 + date.month - 1;
}

/* Which bucket a day falls into. */
static size_t bucket_of(const struct figures *figures, int32_t day)
{
    if (figures->by_day)
        return (size_t)(day - figures->from_day);
    return (size_t)(month_number(date_of_day(day)) - month_number(date_of_day(figures->from_day)));
}

/* "2027-03-08", or "2027-03". */
static void bucket_name(const struct figures *figures, size_t bucket, char out[BUCKET_CHARS])
{
    if (figures->by_day) {
        date_format(out, date_of_day(figures->from_day + (int32_t)bucket));
        return;
    }
    const int month = month_number(date_of_day(figures->from_day)) + (int)bucket;
    snprintf(out, BUCKET_CHARS, "%04d-%02d", month / 12, month % 12 + 1);
}

/* The last twelve months, this one too, unless the address names a period. */
static void choose_period(const struct auditor_visit *visitor, struct figures *figures)
{
    const struct log_filter *filter = &figures->filter.filter;
    const int64_t now_ms = clock_now_ms(vault_clock(visitor->vault));
    const int64_t end_ms = filter->before_ms < INT64_MAX ? filter->before_ms - 1 : now_ms;
    figures->to_day = end_ms > 0 ? log_figures_day(end_ms) : 0;
    if (http_request_query(visitor->visit.request, "from").size) {
        figures->from_day = log_figures_day(filter->from_ms);
        return;
    }
    const int month = month_number(date_of_day(figures->to_day)) - (MONTHS_USUAL - 1);
    const struct date first = {month / 12, month % 12 + 1, 1};
    figures->from_day = (int32_t)(instant_of_date(first) / DAY_S);
}

static struct auditor_fault choose_buckets(const struct auditor_visit *visitor,
                                           struct figures *figures)
{
    static const struct auditor_fault fine = {0};
    static const struct auditor_fault too_long = {
        422, "from", "the period is longer than 400 days or months", "auditor.wrong_long"};
    static const struct auditor_fault no_by = {422, "by", "by is day or month", "auditor.wrong_by"};
    static const struct auditor_fault no_of = {422, "of", "of is event, service or outcome",
                                               "auditor.wrong_of"};
    const struct bytes by = http_request_query(visitor->visit.request, "by");
    const struct bytes of = http_request_query(visitor->visit.request, "of");
    figures->by_day = figures->to_day - figures->from_day < DAYS_BY_DAY;
    if (by.size) {
        figures->by_day = bytes_equal(by, bytes_of_text("day"));
        if (!figures->by_day && !bytes_equal(by, bytes_of_text("month")))
            return no_by;
    }
    for (unsigned i = 0; of.size && i < SERIES_KINDS; i++)
        figures->kind = bytes_equal(of, bytes_of_text(kind_names[i])) ? i : figures->kind;
    if (of.size && !bytes_equal(of, bytes_of_text(kind_names[figures->kind])))
        return no_of;
    if (figures->to_day < figures->from_day)
        figures->to_day = figures->from_day;
    const size_t last = bucket_of(figures, figures->to_day);
    figures->buckets = last + 1;
    return last < BUCKETS_MAX ? fine : too_long;
}

/* --- Counting ------------------------------------------------------------------------------- */

static bool fits(const struct log_filter *filter, const struct figures_row *row)
{
    const enum entry_event event = (enum entry_event)row->event;
    return event < ENTRY_EVENT_COUNT &&
           (!filter->service.size || bytes_equal(filter->service, bytes_of_text(row->service))) &&
           (filter->event == ENTRY_EVENT_COUNT || filter->event == event) &&
           (filter->outcome == LOG_OUTCOME_COUNT || filter->outcome == log_outcome_of(event));
}

static const char *name_of(const struct figures *figures, const struct figures_row *row)
{
    const enum entry_event event = (enum entry_event)row->event;
    if (figures->kind == BY_SERVICE)
        return row->service;
    return figures->kind == BY_EVENT ? entry_event_name(event)
                                     : log_outcome_name(log_outcome_of(event));
}

static const char *text_of(const struct figures *figures, const struct figures_row *row)
{
    const enum entry_event event = (enum entry_event)row->event;
    if (figures->kind == BY_SERVICE)
        return row->service[0] ? NULL : "auditor.no_service";
    return figures->kind == BY_EVENT ? auditor_event_text(event)
                                     : auditor_outcome_text(log_outcome_of(event));
}

static struct series *series_of(struct figures *figures, const struct figures_row *row)
{
    const char *name = name_of(figures, row);
    for (size_t i = 0; i < figures->count && i < OTHERS; i++) {
        if (strcmp(figures->series[i].name, name) == 0)
            return &figures->series[i];
    }
    struct series *series = &figures->series[figures->count < OTHERS ? figures->count : OTHERS];
    if (figures->count < SERIES_MAX)
        figures->count++;
    const bool is_rest = series == &figures->series[OTHERS];
    snprintf(series->name, sizeof series->name, "%s", is_rest ? "" : name);
    series->text = is_rest ? "auditor.others" : text_of(figures, row);
    return series;
}

static enum vault_code take_row(void *context, const struct figures_row *row,
                                struct vault_error *err)
{
    (void)err;
    struct figures *figures = context;
    if (!fits(&figures->filter.filter, row))
        return VAULT_OK;
    struct series *series = series_of(figures, row);
    series->total += row->count;
    series->counts[bucket_of(figures, row->day)] += row->count;
    return VAULT_OK;
}

static int by_total(const void *a, const void *b)
{
    const uint64_t left = ((const struct series *)a)->total;
    const uint64_t right = ((const struct series *)b)->total;
    return (left < right) - (left > right);
}

static struct auditor_fault read_wish(const struct auditor_visit *visitor,
                                      const char *const names[], struct figures *figures)
{
    static const struct auditor_fault no_purpose = {
        422, "purpose", "figures are not counted by purpose", "auditor.wrong_figure"};
    static const struct auditor_fault no_place = {
        400, "after", "figures have no places and no limit", "auditor.wrong_name"};
    const struct http_request *request = visitor->visit.request;
    struct auditor_fault fault = auditor_filter_read(request, 1, 1, names, &figures->filter);
    if (!fault.status && figures->filter.filter.purpose.size)
        fault = no_purpose;
    if (!fault.status && (figures->filter.is_placed || http_request_query(request, "limit").size))
        fault = no_place;
    if (fault.status)
        return fault;
    choose_period(visitor, figures);
    return choose_buckets(visitor, figures);
}

static enum vault_code count(const struct auditor_visit *visitor, struct figures *figures,
                             struct vault_error *err)
{
    VAULT_TRY(log_figures_count(visitor->vault, LOG_FIGURES_AT_ONCE, &figures->state, err));
    const enum vault_code code = log_figures_list(visitor->vault, figures->from_day,
                                                  figures->to_day, take_row, figures, err);
    qsort(figures->series, figures->count, sizeof figures->series[0], by_total);
    return code;
}

/* --- For programs --------------------------------------------------------------------------- */

static void write_series(const struct figures *figures, const struct series *series,
                         struct buf *out)
{
    buf_text(out, "{\"name\":");
    if (series->name[0])
        json_write_string(out, bytes_of_text(series->name));
    else
        buf_text(out, "null");
    buf_format(out, ",\"total\":%llu,\"counts\":[", (unsigned long long)series->total);
    for (size_t i = 0; i < figures->buckets; i++)
        buf_format(out, "%s%llu", i ? "," : "", (unsigned long long)series->counts[i]);
    buf_text(out, "]}");
}

static void write_figures(const struct figures *figures, struct buf *out)
{
    char name[BUCKET_CHARS];
    buf_format(
        out, "{\"by\":\"%s\",\"of\":\"%s\",\"counted\":%llu,\"tree_size\":%llu,\"buckets\":[",
        figures->by_day ? "day" : "month", kind_names[figures->kind],
        (unsigned long long)figures->state.counted, (unsigned long long)figures->state.tree_size);
    for (size_t i = 0; i < figures->buckets; i++) {
        bucket_name(figures, i, name);
        buf_format(out, "%s\"%s\"", i ? "," : "", name);
    }
    buf_text(out, "],\"series\":[");
    for (size_t i = 0; i < figures->count; i++) {
        buf_text(out, i ? ",\n" : "\n");
        write_series(figures, &figures->series[i], out);
    }
    buf_text(out, "]}\n");
}

void auditor_figures_send(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    struct vault_error err;
    struct http_answer *answer = visitor->visit.answer;
    VAULT_AUTO(free_figures) struct figures *figures = calloc(1, sizeof *figures);
    const struct auditor_fault fault =
        figures ? read_wish(visitor, also, figures)
                : (struct auditor_fault){503, "", "out of memory", "auditor.nothing"};
    if (fault.status) {
        problem_write(answer, fault.status, fault.detail, visitor->visit.request->path);
        return;
    }
    enum vault_code code = count(visitor, figures, &err);
    if (code == VAULT_OK) {
        write_figures(figures, &answer->body);
        code = buf_check(&answer->body, &err);
    }
    if (code)
        auditor_failed(visitor, code, &err);
    else
        answer->content_type = "application/json";
}

/* --- For people ----------------------------------------------------------------------------- */

static uint64_t most_of(const struct figures *figures, const struct series *series)
{
    uint64_t most = 1;
    for (size_t i = 0; i < figures->buckets; i++)
        most = series->counts[i] > most ? series->counts[i] : most;
    return most;
}

/* How far bars stand apart, in whole units: many make a wider picture. */
static int64_t step_of(const struct figures *figures)
{
    const int64_t step = PICTURE_WIDTH / (int64_t)figures->buckets;
    return step < STEP_LEAST ? STEP_LEAST : step;
}

static void put_bars(struct visit *visit, const struct figures *figures,
                     const struct series *series, json_t *item)
{
    const uint64_t most = most_of(figures, series);
    const int64_t step = step_of(figures);
    json_t *bars = page_list(visit, item, "bars");
    for (size_t i = 0; i < figures->buckets; i++) {
        if (!series->counts[i])
            continue;
        const int64_t height = (int64_t)(series->counts[i] * (uint64_t)PICTURE_HEIGHT / most);
        json_t *bar = page_item(visit, bars);
        page_number(visit, bar, "x", (int64_t)i * step);
        page_number(visit, bar, "y", PICTURE_ROOM + PICTURE_HEIGHT - height);
        page_number(visit, bar, "width", step - 1);
        page_number(visit, bar, "height", height);
    }
    page_number(visit, item, "most", (int64_t)most);
}

static void put_series(struct visit *visit, const struct figures *figures, size_t i, json_t *list)
{
    const struct series *series = &figures->series[i];
    json_t *item = page_item(visit, list);
    page_number(visit, item, "number", (int64_t)i);
    page_text(visit, item, "name", series->name);
    page_text(visit, item, "name_text", series->text);
    page_number(visit, item, "total", (int64_t)series->total);
    if (i < PICTURES_MAX) {
        page_flag(visit, item, "drawn");
        put_bars(visit, figures, series, item);
    }
}

/* The table has every bucket, those without a bar too. */
static void put_table(struct visit *visit, const struct figures *figures)
{
    char name[BUCKET_CHARS];
    json_t *rows = page_list(visit, visit->data, "rows");
    for (size_t i = 0; i < figures->buckets; i++) {
        json_t *row = page_item(visit, rows);
        bucket_name(figures, i, name);
        page_text(visit, row, "bucket", name);
        json_t *cells = page_list(visit, row, "cells");
        for (size_t j = 0; j < figures->count; j++)
            page_number(visit, page_item(visit, cells), "cell",
                        (int64_t)figures->series[j].counts[i]);
    }
}

static void put_figures(struct visit *visit, const struct figures *figures)
{
    char name[BUCKET_CHARS];
    json_t *list = page_list(visit, visit->data, "series");
    for (size_t i = 0; i < figures->count; i++)
        put_series(visit, figures, i, list);
    put_table(visit, figures);
    bucket_name(figures, 0, name);
    page_text(visit, visit->data, "first_bucket", name);
    bucket_name(figures, figures->buckets - 1, name);
    page_text(visit, visit->data, "last_bucket", name);
    page_number(visit, visit->data, "picture_width", step_of(figures) * (int64_t)figures->buckets);
    page_number(visit, visit->data, "picture_height", PICTURE_ROOM + PICTURE_HEIGHT);
    page_number(visit, visit->data, "counted", (int64_t)figures->state.counted);
    page_number(visit, visit->data, "tree_size", (int64_t)figures->state.tree_size);
    if (figures->count)
        page_flag(visit, visit->data, "found");
    page_flag(visit, visit->data, "listed");
}

static void put_choices(struct visit *visit, const struct figures *figures)
{
    json_t *kinds = page_list(visit, visit->data, "kinds");
    for (int i = 0; i < SERIES_KINDS; i++) {
        json_t *item = page_item(visit, kinds);
        page_text(visit, item, "value", kind_names[i]);
        page_text(visit, item, "value_text", kind_texts[i]);
        if (figures->kind == (enum series_kind)i)
            page_flag(visit, item, "chosen");
    }
    page_flag(visit, visit->data, figures->by_day ? "by_day" : "by_month");
}

void auditor_figures_show(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    struct vault_error err;
    struct visit *visit = &visitor->visit;
    VAULT_AUTO(free_figures) struct figures *figures = calloc(1, sizeof *figures);
    if (!figures) {
        auditor_error(visitor, 503);
        return;
    }
    const struct auditor_fault fault = read_wish(visitor, page_also, figures);
    const enum vault_code code = fault.status ? VAULT_OK : count(visitor, figures, &err);
    if (code) {
        auditor_failed(visitor, code, &err);
        return;
    }
    auditor_put_filter(visitor, &figures->filter);
    put_choices(visit, figures);
    if (fault.status)
        page_wrong(visit, fault.name[0] ? fault.name : "filter", fault.text);
    else
        put_figures(visit, figures);
    auditor_page(visitor, fault.status ? fault.status : 200, "auditor_figures", "auditor.figures",
                 "is_figures");
}
