/* Answering a statement: the same form for citizens, guardians and mediators. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "pages_request.h"

/* Which of the periods was chosen: its position, or period_count. */
static size_t find_period(const struct statement *statement, const char *chosen)
{
    size_t i = 0;
    for (; i < statement->period_count; i++) {
        char days[STATEMENT_PERIOD_CHARS];
        snprintf(days, sizeof days, "%lld", (long long)statement->periods[i]);
        if (strcmp(days, chosen) == 0)
            break;
    }
    return i;
}

static size_t sent_period(const struct statement *statement)
{
    char chosen[STATEMENT_PERIOD_CHARS];
    return visit_field(statement->visit, "period", chosen, sizeof chosen)
               ? find_period(statement, chosen)
               : statement->period_count;
}

static void put_periods(const struct statement *statement, const char *chosen)
{
    struct visit *visit = statement->visit;
    const size_t found = find_period(statement, chosen);
    const size_t checked = found < statement->period_count ? found : 0;
    json_t *list = page_list(visit, visit->data, "periods");
    assert(statement->period_count <= STATEMENT_PERIODS_MAX);
    for (size_t i = 0; i < statement->period_count; i++) {
        static const char *const radios[STATEMENT_PERIODS_MAX] = {"period", "period-2", "period-3"};
        char words[WORDS_CHARS] = "";
        json_t *item = page_item(visit, list);
        words_period(visit, statement->periods[i], words);
        page_number(visit, item, "days", statement->periods[i]);
        page_text(visit, item, "label", words);
        page_text(visit, item, "radio", radios[i]);
        if (i == checked)
            page_flag(visit, item, "checked");
    }
}

void statement_put_choice(const struct statement *statement, const char *chosen)
{
    struct visit *visit = statement->visit;
    page_text(visit, visit->data, "request", statement->view.request.id);
    page_text(visit, visit->data, "service", statement->view.request.service);
    page_text(visit, visit->data, "purpose", statement->purpose);
    page_text(visit, visit->data, "shown", statement->shown);
    page_text(visit, visit->data, "no_gift", statement->no_gift);
    put_periods(statement, chosen);
}

/* Whether the form that was sent is of this very text. */
static bool was_shown(const struct statement *statement)
{
    return bytes_equal(form_value(&statement->visit->form, "shown"),
                       bytes_of_text(statement->shown));
}

static struct consent_decision decision(struct statement *statement, const struct actor *actor)
{
    return (struct consent_decision){
        .service = statement->view.request.service,
        .purpose = statement->purpose,
        .uses = statement->uses,
        .request = statement->view.request.id,
        .language = statement->visit->language,
        .text = buf_string(&statement->text),
        .actor = actor,
    };
}

unsigned statement_gift(struct statement *statement, const struct actor *actor,
                        struct consent_decision *out)
{
    struct visit *visit = statement->visit;
    const size_t period = sent_period(statement);
    if (statement->no_gift || !was_shown(statement)) {
        page_flag(visit, visit->data, "changed");
        return 409;
    }
    if (period == statement->period_count) {
        page_wrong(visit, "period", "error.period_missing");
        return 422;
    }
    *out = decision(statement, actor);
    out->fields = statement->offered;
    out->field_count = statement->offered_count;
    out->days = statement->periods[period];
    return 0;
}

struct consent_decision statement_refusal(struct statement *statement, const struct actor *actor)
{
    struct consent_decision refusal = decision(statement, actor);
    refusal.fields = statement->asked;
    refusal.field_count = statement->asked_count;
    if (!was_shown(statement))
        refusal.text = NULL;
    return refusal;
}
