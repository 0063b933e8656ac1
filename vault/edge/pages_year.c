/* A year of a citizen's accesses, for the picture and its table. */
#include "pages_year.h"
#include "pages_words.h"
#include "vault/base/clock.h"

#define CHART_HEIGHT 100
#define BAR_WIDTH    36
#define BAR_STEP     50
#define BAR_ROOM     20 /* above the tallest bar, for its number */
#define LABEL_BASE   (CHART_HEIGHT + BAR_ROOM + 20)

struct year year_begin(const struct visit *visit)
{
    struct year year;
    struct date date = date_of_instant(visit_now_s(visit));
    for (size_t i = YEAR_MONTHS; i-- > 0;) {
        year.months[i] = (struct year_month){.year = date.year, .month = date.month};
        date.year -= date.month == 1;
        date.month = date.month == 1 ? YEAR_MONTHS : date.month - 1;
    }
    return year;
}

bool year_see(struct year *year, const struct history_event *event)
{
    const struct date date = date_of_instant(event->time_ms / 1000);
    const struct year_month *first = &year->months[0];
    for (size_t i = 0; i < YEAR_MONTHS; i++) {
        struct year_month *month = &year->months[i];
        if (month->year != date.year || month->month != date.month)
            continue;
        month->released += event->event == ENTRY_RELEASE;
        month->denied += event->event == ENTRY_DENY;
    }
    return date.year > first->year || (date.year == first->year && date.month >= first->month);
}

static unsigned most_of(const struct year *year)
{
    unsigned most = 0;
    for (size_t i = 0; i < YEAR_MONTHS; i++) {
        const unsigned both = year->months[i].released + year->months[i].denied;
        most = both > most ? both : most;
    }
    return most;
}

/* A bar of two parts, what came below what was refused, in the units of the picture. */
static void put_month(const struct year *year, struct visit *visit, json_t *list, size_t i,
                      unsigned most)
{
    const struct year_month *month = &year->months[i];
    char title[WORDS_CHARS];
    json_t *item = page_item(visit, list);
    const int64_t released = (int64_t)month->released * CHART_HEIGHT / most;
    const int64_t denied = (int64_t)month->denied * CHART_HEIGHT / most;
    const int64_t base = CHART_HEIGHT + BAR_ROOM;
    words_month(visit, month->year, month->month, title);
    page_text(visit, item, "month", title);
    page_number(visit, item, "number", month->month);
    page_number(visit, item, "released", month->released);
    page_number(visit, item, "denied", month->denied);
    page_number(visit, item, "x", (int64_t)i * BAR_STEP);
    page_number(visit, item, "middle", (int64_t)i * BAR_STEP + BAR_WIDTH / 2);
    page_number(visit, item, "released_y", base - released);
    page_number(visit, item, "released_height", released);
    page_number(visit, item, "denied_y", base - released - denied);
    page_number(visit, item, "denied_height", denied);
    page_number(visit, item, "top", base - released - denied - 4);
    if (month->released + month->denied)
        page_number(visit, item, "both", (int64_t)month->released + month->denied);
}

void year_put(const struct year *year, struct visit *visit)
{
    json_t *list = page_list(visit, visit->data, "months");
    const unsigned most = most_of(year);
    for (size_t i = 0; i < YEAR_MONTHS && most; i++)
        put_month(year, visit, list, i, most);
    if (most)
        page_flag(visit, visit->data, "counted");
    page_number(visit, visit->data, "chart_width", (int64_t)YEAR_MONTHS * BAR_STEP);
    page_number(visit, visit->data, "chart_height", LABEL_BASE + 8);
    page_number(visit, visit->data, "label_y", LABEL_BASE);
    page_flag(visit, visit->data, "chart_shown");
}
