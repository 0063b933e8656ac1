/* Reporting a service: the citizen's words and the lines they choose, as a page to print, a text to
 * send, and a record. Nothing is sent from here. */
#include <stdio.h>
#include <string.h>

#include "pages_event.h"
#include "pages_parts.h"
#include "pages_words.h"
#include "vault/base/clock.h"
#include "vault/base/codec.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/report.h"
#include "vault/vault/service.h"

#define AUTHORITY_PAGE  "https://www.cnil.fr/fr/plaintes"
#define WORDS_ROOM      (REPORT_WORDS_CHARS * 4 + 1)
#define NUMBER_CHARS    20
#define SCANNED_MAX     400 /* events, the newest, among which lines are offered */
#define DEPTH_MAX       5
#define TEXT_BYTES_MAX  (128U * 1024)
#define TEXT_NAME       "line-"
#define LINE_NAME_CHARS (sizeof TEXT_NAME + NUMBER_CHARS)

/* --- Writing one ---------------------------------------------------------------------------- */

/* The lines that a service has in the citizen's log, to choose from. */
struct offering {
    struct visit *visit;
    const struct policy *policy;
    const char *service;
    uint64_t chosen; /* by the address: "report this" */
    json_t *list;
};

static void line_name(char out[LINE_NAME_CHARS], uint64_t n)
{
    snprintf(out, LINE_NAME_CHARS, TEXT_NAME "%llu", (unsigned long long)n);
}

static bool is_offered(void *context, const struct history_event *event)
{
    const struct offering *offering = context;
    return event_kind_of(event->event) == EVENT_ACCESS &&
           json_array_size(offering->list) < REPORT_LINES_MAX &&
           bytes_equal(event->service, bytes_of_text(offering->service));
}

static enum vault_code offer(void *context, const struct history_event *event,
                             struct vault_error *err)
{
    struct offering *offering = context;
    char name[LINE_NAME_CHARS];
    (void)err;
    event_put(offering->visit, offering->policy, offering->list, event);
    json_t *item = json_array_get(offering->list, json_array_size(offering->list) - 1);
    line_name(name, event->n);
    page_text(offering->visit, item, "line", name);
    if (event->n == offering->chosen || form_value(&offering->visit->form, name).size)
        page_flag(offering->visit, item, "checked");
    return VAULT_OK;
}

/* An address or a name of ours that the operator configured; what is empty is not put. */
static void put_text(struct visit *visit, const char *name, const char *text)
{
    if (text[0])
        page_text(visit, visit->data, name, text);
}

static void put_addressees(struct visit *visit)
{
    const struct config_dpo *dpo = visit->pages->dpo;
    page_text(visit, visit->data, "authority", AUTHORITY_PAGE);
    if (!dpo || (!dpo->name[0] && !dpo->email[0] && !dpo->page[0]))
        return;
    page_flag(visit, visit->data, "dpo_shown");
    put_text(visit, "dpo_name", dpo->name);
    put_text(visit, "dpo_email", dpo->email);
    if (strncmp(dpo->page, "https://", strlen("https://")) == 0)
        page_text(visit, visit->data, "dpo_page", dpo->page);
}

/* False if there is no such service. */
static bool put_service(struct visit *visit, const char *id)
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    if (!entry_id_is_valid(bytes_of_text(id)) ||
        service_by_id_ever(visit->pages->vault, bytes_of_text(id), &held, NULL))
        return false;
    page_text(visit, visit->data, "service", id);
    page_text(visit, visit->data, "service_name", held.service->name);
    return true;
}

static void show_form(struct visit *visit, unsigned status, const char *service, uint64_t chosen)
{
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf words = buf_limited(HTTP_BODY_BYTES_MAX);
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visit->pages->vault);
    struct offering offering = {visit, held.policy, service, chosen,
                                page_list(visit, visit->data, "events")};
    if (!put_service(visit, service)) {
        page_error(visit, 404);
        return;
    }
    const enum vault_code code = history_find(visit->pages->vault, &visit->session.citizen, 0,
                                              SCANNED_MAX, is_offered, offer, &offering, &err);
    if (code && code != VAULT_CORRUPT) {
        page_failed(visit, code, &err);
        return;
    }
    buf_bytes(&words, form_value(&visit->form, "words")); /* too long, too: nothing is lost */
    page_text(visit, visit->data, "words", buf_string(&words));
    if (json_array_size(offering.list))
        page_flag(visit, visit->data, "events_shown");
    put_addressees(visit);
    page_flag(visit, visit->data, "keeps");
    page_send(visit, status, "report", "report.title");
}

static uint64_t number_of(const char *text)
{
    uint64_t number;
    return digits_read(bytes_of_text(text), &number) ? number : 0;
}

void report_show_form(struct visit *visit, const char *id)
{
    (void)id;
    char service[CONSENT_NAME_CHARS + 1];
    char line[NUMBER_CHARS + 1] = "";
    if (!visit_query(visit, "line", line, sizeof line))
        line[0] = 0;
    if (visit_query(visit, "service", service, sizeof service))
        show_form(visit, 200, service, number_of(line));
    else
        page_error(visit, 404);
}

/* The ticked boxes, as the citizen's own numbers; false if there are too many. */
static bool read_lines(const struct visit *visit, uint64_t lines[REPORT_LINES_MAX], size_t *count)
{
    const size_t begins = strlen(TEXT_NAME);
    *count = 0;
    for (size_t i = 0; i < visit->form.count; i++) {
        char number[NUMBER_CHARS + 1];
        const struct bytes name = visit->form.fields[i].name;
        if (name.size <= begins || memcmp(name.data, TEXT_NAME, begins) != 0)
            continue;
        if (*count == REPORT_LINES_MAX || name.size - begins >= sizeof number)
            return false;
        memcpy(number, name.data + begins, name.size - begins);
        number[name.size - begins] = 0;
        lines[(*count)++] = number_of(number);
    }
    return true;
}

void report_make_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    uint64_t lines[REPORT_LINES_MAX];
    char service[CONSENT_NAME_CHARS + 1];
    char made[REPORT_ID_CHARS + 1];
    char address[VISIT_ADDRESS_CHARS];
    struct report_wish wish = {service, form_value(&visit->form, "words"), lines, 0};
    if (!visit_field(visit, "service", service, sizeof service) ||
        !read_lines(visit, lines, &wish.line_count)) {
        page_error(visit, 400);
        return;
    }
    if (visit_stays(visit)) {
        show_form(visit, 200, service, 0);
        return;
    }
    const enum vault_code code =
        report_make(visit->pages->vault, &visit->session.citizen, &wish, made, &err);
    if (code == VAULT_OK) {
        snprintf(address, sizeof address, "/reports/%s", made);
        page_redirect_with(visit, address, NOTICE_REPORTED);
    } else if (code == VAULT_INVALID) {
        page_wrong(visit, "words", wish.words.size ? "error.words_wrong" : "error.words_empty");
        show_form(visit, 422, service, 0);
    } else if (code == VAULT_TOO_LARGE) {
        page_wrong(visit, "words", "error.report_long");
        show_form(visit, 422, service, 0);
    } else {
        page_failed(visit, code, &err);
    }
}

/* --- One that was made ---------------------------------------------------------------------- */

struct showing {
    struct visit *visit;
    const struct policy *policy;
    json_t *list; /* of all; NULL: of one, into the page's data */
};

static void put_date(struct visit *visit, json_t *item, const char *name, int64_t instant_s)
{
    char date[WORDS_CHARS];
    words_date(visit, instant_s, date);
    page_text(visit, item, name, date);
}

static void put_line(const struct showing *showing, json_t *list, const json_t *line)
{
    const struct history_event event = {
        .n = (uint64_t)json_integer_value(json_object_get(line, "n")),
        .index = (uint64_t)json_integer_value(json_object_get(line, "index")),
        .time_ms = json_integer_value(json_object_get(line, "time")),
        .event = entry_event_of(json_text(json_object_get(line, "event"))),
        .service =
            bytes_of_text(json_string_value(json_object_get(showing->visit->data, "service"))),
        .purpose = json_text(json_object_get(line, "purpose")),
        .what = json_text(json_object_get(line, "what")),
    };
    if (event.event < ENTRY_EVENT_COUNT)
        event_put(showing->visit, showing->policy, list, &event);
}

static enum vault_code put_report(void *context, const struct report *report,
                                  struct vault_error *err)
{
    struct showing *showing = context;
    size_t i;
    json_t *line;
    struct visit *visit = showing->visit;
    VAULT_AUTO(json_free) json_t *root = NULL;
    json_t *item = showing->list ? page_item(visit, showing->list) : visit->data;
    page_text(visit, item, "report", report->id);
    page_text(visit, item, "service", report->service);
    put_date(visit, item, "made", report->made_s);
    if (!report->open)
        put_date(visit, item, "closed", report->closed_s);
    if (showing->list)
        return VAULT_OK;
    VAULT_TRY(json_parse(report->json, DEPTH_MAX, &root, NULL, err));
    page_text(visit, item, "words", json_string_value(json_object_get(root, "words")));
    json_t *events = page_list(visit, item, "events");
    json_array_foreach(json_object_get(root, "lines"), i, line) put_line(showing, events, line);
    if (json_array_size(events))
        page_flag(visit, item, "events_shown");
    return VAULT_OK;
}

/* False: it is answered. */
static bool read_report(struct visit *visit, const char *id)
{
    struct vault_error err;
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visit->pages->vault);
    struct showing showing = {visit, held.policy, NULL};
    const enum vault_code code =
        report_list(visit->pages->vault, &visit->session.citizen, id, put_report, &showing, &err);
    if (code) {
        page_failed(visit, code, &err);
        return false;
    }
    const char *service = json_string_value(json_object_get(visit->data, "service"));
    if (!put_service(visit, service))
        page_text(visit, visit->data, "service_name", service);
    put_addressees(visit);
    return true;
}

void report_page_show(struct visit *visit, const char *id)
{
    if (read_report(visit, id))
        page_send(visit, 200, "report_made", "report.made_title");
}

/* The page without its frame: what goes into a message. */
void report_text_send(struct visit *visit, const char *id)
{
    size_t i;
    json_t *event;
    if (!read_report(visit, id))
        return;
    struct buf *out = &visit->answer->body;
    const char *dpo = json_string_value(json_object_get(visit->data, "dpo_name"));
    if (dpo)
        buf_format(out, "%s\n\n", dpo);
    words_fill(visit, "report.subject", visit->data, out);
    buf_format(out, "\n\n%s\n", json_string_value(json_object_get(visit->data, "words")));
    json_array_foreach(json_object_get(visit->data, "events"), i, event)
    {
        size_t j;
        json_t *field;
        buf_byte(out, '\n');
        words_fill(visit, "report.line", event, out);
        buf_byte(out, '\n');
        json_array_foreach(json_object_get(event, "fields"), j, field)
        {
            const char *form = json_string_value(json_object_get(field, "form_name"));
            const char *text = form ? assets_text(visit->language, form) : NULL;
            buf_format(out, "- %s: %s\n", json_string_value(json_object_get(field, "title")),
                       text ? text : "");
        }
    }
    visit->answer->content_type = "text/plain; charset=utf-8";
    http_answer_header(visit->answer, "Content-Disposition",
                       "attachment; filename=\"report-%s.txt\"", id);
}

void reports_show(struct visit *visit, const char *id)
{
    (void)id;
    size_t i;
    json_t *item;
    struct vault_error err;
    struct showing showing = {visit, NULL, page_list(visit, visit->data, "reports")};
    const enum vault_code code =
        report_list(visit->pages->vault, &visit->session.citizen, NULL, put_report, &showing, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    json_array_foreach(showing.list, i, item)
        event_put_service(visit, item, json_string_value(json_object_get(item, "service")));
    if (json_array_size(showing.list))
        page_flag(visit, visit->data, "reports_shown");
    page_send(visit, 200, "reports", "report.all");
}
