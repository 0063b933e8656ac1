#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages_request.h"

#define KEEPING "retain_at_most_days"

static const int64_t usual_days[] = {30, 180};

void statement_finish(struct statement *statement)
{
    access_view_finish(&statement->view);
    active_policy_release(&statement->policy);
    service_release(&statement->service);
    buf_finish(&statement->text);
}

/* --- What is asked -------------------------------------------------------------------------- */

static bool read_asked(struct statement *statement)
{
    json_t *fields = json_object_get(statement->view.ask, "fields");
    const char *name;
    json_t *form;
    json_object_foreach(fields, name, form)
    {
        if (statement->asked_count == CONSENT_FIELDS_MAX)
            return false;
        struct consent_field *field = &statement->asked[statement->asked_count++];
        snprintf(field->name, sizeof field->name, "%s", name);
        snprintf(field->form, sizeof field->form, "%s",
                 json_is_string(form) ? json_string_value(form) : "");
    }
    return statement->asked_count > 0;
}

/* The shortest first; none longer than what was asked. */
static void read_periods(struct statement *statement)
{
    const int64_t asked = json_integer_value(json_object_get(statement->view.ask, "days"));
    for (size_t i = 0; i < sizeof usual_days / sizeof usual_days[0]; i++) {
        if (usual_days[i] < asked)
            statement->periods[statement->period_count++] = usual_days[i];
    }
    statement->periods[statement->period_count++] = asked;
}

/* What is asked about: the rules of one service and one purpose. */
struct prospects {
    struct policy_actor actor;
    uint16_t purpose;
    int64_t now_s;
    struct policy_prospect *found;
    size_t count;
};

/* A form that was not named becomes the one that the policy gives today, so that a consent never
 * means more than what was shown. */
static void offer(struct statement *statement, const struct consent_field *asked,
                  const struct prospects *prospects)
{
    const struct policy *policy = statement->policy.policy;
    const uint16_t index = policy_find(policy, POLICY_FIELD, bytes_of_text(asked->name));
    const uint16_t keeping = policy_find(policy, POLICY_OBLIGATION, bytes_of_text(KEEPING));
    for (size_t i = 0; i < prospects->count; i++) {
        const struct policy_prospect *prospect = &prospects->found[i];
        if (prospect->field != index || prospect->with_consent == POLICY_FORM_NONE)
            continue;
        struct consent_field *field = &statement->offered[statement->offered_count];
        *field = *asked;
        if (!field->form[0])
            snprintf(field->form, sizeof field->form, "%s",
                     policy_form_name(policy, index, prospect->with_consent));
        if (keeping != POLICY_NONE)
            statement->kept_days[statement->offered_count] = policy_prospect_number(
                policy, &prospects->actor, prospects->purpose, index, prospects->now_s, keeping);
        statement->offered_count++;
    }
}

static enum vault_code read_offer(struct statement *statement, struct vault_error *err)
{
    const struct policy *policy = statement->policy.policy;
    if (!statement->service.service || !statement->service.service->active) {
        statement->no_gift = "request.suspended";
        return VAULT_OK;
    }
    struct prospects prospects = {
        .actor = service_actor(statement->service.service, policy),
        .purpose = policy_find(policy, POLICY_PURPOSE, bytes_of_text(statement->purpose)),
        .now_s = visit_now_s(statement->visit),
        .found = calloc(policy_count(policy, POLICY_FIELD) + 1, sizeof *prospects.found),
    };
    if (!prospects.found)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    prospects.count = policy_prospects(policy, &prospects.actor, prospects.purpose, prospects.now_s,
                                       prospects.found);
    for (size_t i = 0; i < statement->asked_count; i++)
        offer(statement, &statement->asked[i], &prospects);
    free(prospects.found);
    if (statement->offered_count == 0)
        statement->no_gift = "request.nothing_allowed";
    return VAULT_OK;
}

/* --- In words ------------------------------------------------------------------------------- */

static void add_row(struct statement *statement, const char *term_name)
{
    struct visit *visit = statement->visit;
    const char *term = assets_text(visit->language, term_name);
    json_t *row = page_item(visit, statement->rows);
    page_text(visit, row, "term", term);
    statement->lines = page_list(visit, row, "lines");
    buf_format(&statement->text, "\n%s\n", term ? term : "");
}

static void add_line(struct statement *statement, const char *main, const char *more)
{
    struct visit *visit = statement->visit;
    json_t *line = page_item(visit, statement->lines);
    page_text(visit, line, "main", main);
    page_text(visit, line, "more", more);
    buf_format(&statement->text, "- %s%s%s\n", main ? main : "", main && more ? " – " : "",
               more ? more : "");
}

/* A line that is a text of the catalogue, filled with one value; takes over the object. */
static void add_filled(struct statement *statement, const char *name, json_t *values)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CONSENT_TEXT_BYTES_MAX);
    words_fill(statement->visit, name, values, &text);
    json_free(&values);
    const char *line = buf_string(&text);
    if (line)
        add_line(statement, NULL, line);
    else
        statement->visit->data_lost = true;
}

static void add_text(struct statement *statement, const char *name)
{
    add_filled(statement, name, NULL);
}

/* What stands for the reader: the citizen themselves, a guardian who reads about a minor, or a
 * mediator who reads to somebody. */
static const char *by_reader(const struct statement *statement, const char *own, const char *minors,
                             const char *theirs)
{
    if (statement->visit->is_mediator)
        return theirs;
    return statement->visit->minor_name ? minors : own;
}

static void add_who(struct statement *statement)
{
    const struct service *service = statement->service.service;
    const char *id = statement->view.request.service;
    add_row(statement, "request.who");
    add_line(statement, service ? service->name : id, service ? id : NULL);
    if (service)
        add_filled(statement, "request.contact", json_pack("{s:s}", "contact", service->contact));
}

static void add_why(struct statement *statement)
{
    const struct policy *policy = statement->policy.policy;
    add_row(statement, "request.why");
    add_line(statement, words_purpose_title(statement->visit, policy, statement->purpose), NULL);
    const char *text = words_purpose_text(statement->visit, policy, statement->purpose);
    if (text)
        add_line(statement, NULL, text);
}

static void add_what(struct statement *statement)
{
    const struct policy *policy = statement->policy.policy;
    const bool some = statement->offered_count > 0;
    const struct consent_field *fields = some ? statement->offered : statement->asked;
    const size_t count = some ? statement->offered_count : statement->asked_count;
    add_row(statement, "request.what");
    statement->what = statement->lines;
    for (size_t i = 0; i < count; i++)
        add_line(statement, words_field_title(statement->visit, policy, fields[i].name),
                 assets_text(statement->visit->language, words_form(policy, &fields[i])));
}

static void add_basis(struct statement *statement)
{
    add_row(statement, "request.basis");
    add_text(statement, by_reader(statement, "request.basis_consent", "minors.basis_consent",
                                  "mediator.basis_consent"));
}

/* Who of the two has agreed, and for how long. */
static void add_half(struct statement *statement)
{
    const struct guardian_half *half = &statement->half;
    struct visit *visit = statement->visit;
    char period[WORDS_CHARS];
    if (!statement->waits)
        return;
    words_period(visit, half->days, period);
    add_filled(statement,
               half->by_guardian
                   ? "both.guardian_for"
                   : by_reader(statement, "both.own_for", "both.minor_for", "both.own_for"),
               json_pack("{s:s,s:s,s:s}", "guardian_name", half->name, "minor_name",
                         visit->minor_name ? visit->minor_name : "", "period", period));
    if (half->by_guardian == (visit->minor_name != NULL))
        page_flag(visit, visit->data, "half_mine");
}

/* That two must agree, where the law wants it. */
static void add_both(struct statement *statement)
{
    struct visit *visit = statement->visit;
    if (!statement->rule.both)
        return;
    add_row(statement, "both.term");
    add_filled(statement,
               by_reader(statement, "both.for_minor", "both.for_guardian", "both.for_mediator"),
               json_pack("{s:s}", "minor_name", visit->minor_name ? visit->minor_name : ""));
    if (!statement->rule.count)
        add_text(statement, "both.no_guardian");
    add_half(statement);
}

/* "30 days, 180 days or 12 months" */
static void write_periods(const struct statement *statement, struct buf *out)
{
    const char *language = statement->visit->language;
    for (size_t i = 0; i < statement->period_count; i++) {
        char period[WORDS_CHARS];
        const bool is_last = i + 1 == statement->period_count;
        const char *between = assets_text(language, is_last ? "list.or" : "list.comma");
        words_period(statement->visit, statement->periods[i], period);
        buf_format(out, "%s%s", i && between ? between : "", period);
    }
}

static void add_how_long(struct statement *statement)
{
    VAULT_AUTO(buf_finish) struct buf periods = buf_limited(STATEMENT_PERIODS_MAX * WORDS_CHARS);
    write_periods(statement, &periods);
    const char *text = buf_string(&periods);
    add_row(statement, "request.how_long");
    const char *choice = by_reader(statement, "request.how_long_choice", "request.how_long_choice",
                                   "mediator.how_long_choice");
    add_filled(statement, statement->period_count > 1 ? choice : "request.how_long_one",
               json_pack("{s:s}", "periods", text ? text : ""));
    if (statement->uses == CONSENT_UNLIMITED)
        add_text(statement, "request.uses_open");
    else if (statement->uses == 1)
        add_text(statement, "request.uses_once");
    else
        add_filled(statement, "request.uses_some",
                   json_pack("{s:I}", "uses", (json_int_t)statement->uses));
}

static bool all_kept_alike(const struct statement *statement)
{
    for (size_t i = 1; i < statement->offered_count; i++) {
        if (statement->kept_days[i] != statement->kept_days[0])
            return false;
    }
    return true;
}

/* "Date of birth – 730 days at the most." */
static void add_kept_field(struct statement *statement, size_t i)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(WORDS_CHARS * 2);
    json_t *days = json_pack("{s:I}", "days", (json_int_t)statement->kept_days[i]);
    words_fill(statement->visit, "request.kept_days", days, &text);
    json_free(&days);
    add_line(
        statement,
        words_field_title(statement->visit, statement->policy.policy, statement->offered[i].name),
        buf_string(&text));
}

/* How long the rules let the service keep what it gets; for a field of which they say nothing,
 * nothing is said. */
static void add_kept(struct statement *statement)
{
    const bool alike = all_kept_alike(statement);
    bool begun = false;
    for (size_t i = 0; i < statement->offered_count; i++) {
        if (!statement->kept_days[i] || (alike && i))
            continue;
        if (!begun)
            add_row(statement, "request.kept");
        begun = true;
        if (alike)
            add_filled(statement, "request.kept_days",
                       json_pack("{s:I}", "days", (json_int_t)statement->kept_days[i]));
        else
            add_kept_field(statement, i);
    }
}

/* The service's own words, in the page's language or else in the other. */
static void add_message(struct statement *statement)
{
    const json_t *messages = json_object_get(statement->view.ask, "message");
    const char *message = json_string_value(json_object_get(messages, statement->visit->language));
    for (size_t i = 0; i < ASSETS_LANGUAGES && (!message || !message[0]); i++)
        message = json_string_value(json_object_get(messages, assets_languages[i]));
    if (!message || !message[0])
        return;
    add_row(statement, "request.message");
    add_filled(statement, "request.message_quoted", json_pack("{s:s}", "message", message));
}

static void add_choices(struct statement *statement)
{
    add_row(statement, "request.no");
    add_text(statement, "request.no_penalty");
    add_row(statement, "request.change");
    add_text(statement, by_reader(statement, "request.change_when", "minors.change_when",
                                  "mediator.change_when"));
}

static enum vault_code compose(struct statement *statement, struct vault_error *err)
{
    struct visit *visit = statement->visit;
    const struct service *service = statement->service.service;
    uint8_t hash[SHA256_BYTES];
    json_t *name = json_pack("{s:s,s:s}", "service_name",
                             service ? service->name : statement->view.request.service,
                             "minor_name", visit->minor_name ? visit->minor_name : "");
    statement->text = buf_limited(CONSENT_TEXT_BYTES_MAX);
    statement->rows = page_list(visit, visit->data, "statement");
    words_fill(visit, by_reader(statement, "request.heading", "minors.heading", "mediator.heading"),
               name, &statement->text);
    json_free(&name);
    const char *heading = buf_string(&statement->text);
    page_text(visit, visit->data, "heading", heading ? heading : "");
    buf_byte(&statement->text, '\n');
    add_who(statement);
    add_why(statement);
    add_what(statement);
    add_basis(statement);
    add_both(statement);
    add_how_long(statement);
    add_kept(statement);
    add_message(statement);
    add_choices(statement);
    sha256_of(hash, buf_view(&statement->text));
    hex_string(statement->shown, hash, sizeof hash);
    return buf_check(&statement->text, err);
}

static enum vault_code fill(struct statement *statement, const char *id, struct vault_error *err)
{
    struct vault *vault = statement->visit->pages->vault;
    VAULT_TRY(
        access_request_by_id(vault, &statement->visit->session.citizen, id, &statement->view, err));
    statement->policy = active_policy_hold(vault);
    if (!statement->policy.policy)
        return vault_fail(err, VAULT_UNAVAILABLE, "no policy is active");
    const enum vault_code code = service_by_id(
        vault, bytes_of_text(statement->view.request.service), &statement->service, err);
    if (code && code != VAULT_NOT_FOUND)
        return code;
    statement->purpose = json_string_value(json_object_get(statement->view.ask, "purpose"));
    statement->uses = json_integer_value(json_object_get(statement->view.ask, "uses"));
    if (!statement->purpose || !read_asked(statement))
        return vault_fail(err, VAULT_CORRUPT, "a stored access request cannot be read");
    read_periods(statement);
    VAULT_TRY(guardian_ask(vault, &statement->visit->session.citizen, id, &statement->rule,
                           &statement->waits, &statement->half, err));
    VAULT_TRY(read_offer(statement, err));
    if (statement->rule.both && statement->visit->is_mediator)
        statement->no_gift = "both.for_mediator";
    return compose(statement, err);
}

enum vault_code statement_read(struct visit *visit, const char *id, struct statement *out,
                               struct vault_error *err)
{
    *out = (struct statement){.visit = visit};
    const enum vault_code code = fill(out, id, err);
    if (code)
        statement_finish(out);
    return code;
}
