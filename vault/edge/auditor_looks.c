/* Looking at openings: asking with a reason, checking one's answer, what is shown, and who looked
 * at what and why. */
#include <stdio.h>
#include <string.h>

#include "auditor_parts.h"
#include "body.h"
#include "pages_event.h"
#include "vault/edge/problem.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/look.h"

#define ON_PAGE           25
#define IN_ANSWER         100
#define ENTRIES_CHARS_MAX 400
#define LOOKS             "/looks"
#define PROGRAM_LOOKS     "/v1/looks"
#define OPENINGS_TYPE     "application/x-ndjson"
#define TEXT_BYTES_MAX    (64UL * 1024)

/* --- A record ------------------------------------------------------------------------------- */

static void write_record(const struct look_row *row, struct buf *out)
{
    char time[AUDITOR_INSTANT_CHARS + 1];
    char until[AUDITOR_INSTANT_CHARS + 1];
    const unsigned long long index = row->index;
    auditor_instant(time, row->time_ms);
    auditor_instant(until, look_open_until_ms(row));
    buf_format(out, "{\"look\":%llu,\"time\":\"%s\",\"auditor\":", index, time);
    json_write_string(out, bytes_of_text(row->auditor));
    buf_text(out, ",\"entries\":\"");
    look_write_entries(row->entries, row->entry_count, out);
    buf_text(out, "\",\"reason\":");
    json_write_string(out, row->reason);
    buf_format(out, ",\"until\":\"%s\",\"openings\":\"" PROGRAM_LOOKS "/%llu/openings\",", until,
               index);
    buf_format(out, "\"opening\":{\"index\":%llu,\"fields\":", index);
    buf_bytes(out, row->opening);
    buf_text(out, "}}");
}

static void put_record(struct auditor_visit *visitor, json_t *item, const struct look_row *row)
{
    struct visit *visit = &visitor->visit;
    char reason[LOOK_REASON_BYTES_MAX + 1];
    VAULT_AUTO(buf_finish) struct buf entries = buf_limited(TEXT_BYTES_MAX);
    snprintf(reason, sizeof reason, "%.*s", (int)row->reason.size, (const char *)row->reason.data);
    look_write_entries(row->entries, row->entry_count, &entries);
    page_number(visit, item, "look", (int64_t)row->index);
    auditor_put_time(visitor, item, row->time_ms);
    page_text(visit, item, "auditor_of", row->auditor);
    page_text(visit, item, "looked_at", buf_string(&entries));
    page_text(visit, item, "reason_given", reason);
}

/* --- What is asked for ---------------------------------------------------------------------- */

static struct look_wish wish_of(struct bytes reason)
{
    return (struct look_wish){.reason = reason};
}

/* Read and check the form; what is wrong is put beside its field. */
static bool read_form(struct auditor_visit *visitor, struct look_wish *out)
{
    struct visit *visit = &visitor->visit;
    *out = wish_of(form_value(&visit->form, "reason"));
    const struct bytes entries = form_value(&visit->form, "entries");
    if (entries.size > ENTRIES_CHARS_MAX || look_parse_entries(entries, out, NULL))
        page_wrong(visit, "entries", "auditor.wrong_entries");
    if (look_check_reason(out->reason, NULL))
        page_wrong(visit, "reason", "auditor.wrong_reason");
    if (json_object_get(visit->data, "errors"))
        return false;
    const enum vault_code code = look_check(visitor->vault, out, NULL);
    if (code)
        page_wrong(visit, "entries", "auditor.wrong_unpublished");
    return code == VAULT_OK;
}

/* Put a field of the form, or of the address, as it was typed. */
static void put_typed(struct visit *visit, const char *name)
{
    char text[LOOK_REASON_BYTES_MAX * 2 + 1];
    if (visit_field(visit, name, text, sizeof text) || visit_query(visit, name, text, sizeof text))
        page_text(visit, visit->data, name, text);
}

static void send_form(struct auditor_visit *visitor, unsigned status)
{
    struct visit *visit = &visitor->visit;
    put_typed(visit, "entries");
    put_typed(visit, "reason");
    page_number(visit, visit->data, "least", LOOK_REASON_CHARS_MIN);
    page_number(visit, visit->data, "most", LOOK_REASON_CHARS_MAX);
    page_number(visit, visit->data, "entries_most", LOOK_ENTRIES_MAX);
    auditor_page(visitor, status, "auditor_look_new", "auditor.look_new", "is_looks");
}

void auditor_look_ask(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    send_form(visitor, 200);
}

/* Nothing is done yet: the auditor sees what would be, and who will see it. */
void auditor_look_confirm(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    struct look_wish wish;
    struct visit *visit = &visitor->visit;
    if (!auditor_accept_form(visitor))
        return;
    const bool changes = form_value(&visit->form, "change").size > 0;
    if (changes || !read_form(visitor, &wish)) {
        send_form(visitor, changes ? 200 : 422);
        return;
    }
    put_typed(visit, "entries");
    put_typed(visit, "reason");
    page_number(visit, visit->data, "count", (int64_t)wish.entry_count);
    auditor_page(visitor, 200, "auditor_look_check", "auditor.look_check", "is_looks");
}

void auditor_look_do(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    uint64_t index = 0;
    struct vault_error err;
    struct look_wish wish;
    struct visit *visit = &visitor->visit;
    char address[64];
    if (!auditor_accept_form(visitor))
        return;
    if (!read_form(visitor, &wish)) {
        send_form(visitor, 422);
        return;
    }
    const enum vault_code code =
        look_make(visitor->vault, visitor->name, visit->request->peer_spki, &wish, &index, &err);
    if (code) {
        auditor_failed(visitor, code, &err);
        return;
    }
    snprintf(
        address, sizeof address, LOOKS "/%llu%s%s", (unsigned long long)index,
        visitor->speaks_by_wish ? "" : "?lang=", visitor->speaks_by_wish ? "" : visit->language);
    page_redirect(visit, address);
}

/* --- A look --------------------------------------------------------------------------------- */

struct looking {
    struct auditor_visit *visitor;
    const struct policy *policy;
    json_t *list;
    struct buf *out;
    bool any;
    uint64_t last;
    bool is_open; /* and the auditor's own */
};

static enum vault_code put_opening(void *context, const struct look_opening *opening,
                                   struct vault_error *err)
{
    static const char *const texts[] = {
        [LOOK_SHOWN] = "auditor.shown",
        [LOOK_GONE] = "auditor.gone",
        [LOOK_PRIVATE] = "auditor.private",
        [LOOK_DAMAGED] = "auditor.damaged",
    };
    (void)err;
    struct looking *looking = context;
    struct visit *visit = &looking->visitor->visit;
    json_t *item = page_item(visit, looking->list);
    page_number(visit, item, "index", (int64_t)opening->index);
    page_text(visit, item, "result_text", texts[opening->result]);
    event_put_fields(visit, looking->policy, item, opening->what);
    return VAULT_OK;
}

static enum vault_code put_look(void *context, const struct look_row *row, struct vault_error *err)
{
    (void)err;
    struct looking *looking = context;
    struct visit *visit = &looking->visitor->visit;
    const int64_t now_ms = clock_now_ms(vault_clock(looking->visitor->vault));
    looking->is_open =
        strcmp(row->auditor, looking->visitor->name) == 0 && now_ms < look_open_until_ms(row);
    put_record(looking->visitor, visit->data, row);
    return VAULT_OK;
}

/* The record for every auditor; what was opened, for whose look it is and while it lasts. */
static enum vault_code put_whole(struct looking *looking, uint64_t index, struct vault_error *err)
{
    struct auditor_visit *visitor = looking->visitor;
    struct visit *visit = &visitor->visit;
    VAULT_TRY(look_find(visitor->vault, index, put_look, looking, err));
    if (!looking->is_open)
        return VAULT_OK;
    page_flag(visit, visit->data, "is_open");
    looking->list = page_list(visit, visit->data, "openings");
    return look_show(visitor->vault, visitor->name, index, put_opening, looking, err);
}

static enum vault_code find_index(const char *id, uint64_t *out, struct vault_error *err)
{
    return auditor_index(id, out) ? VAULT_OK
                                  : vault_fail(err, VAULT_NOT_FOUND, "there is no such look");
}

void auditor_look_show(struct auditor_visit *visitor, const char *id)
{
    uint64_t index = 0;
    struct vault_error err;
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visitor->vault);
    struct looking looking = {.visitor = visitor, .policy = held.policy};
    enum vault_code code = find_index(id, &index, &err);
    if (code == VAULT_OK)
        code = put_whole(&looking, index, &err);
    if (code)
        auditor_failed(visitor, code, &err);
    else
        auditor_page(visitor, 200, "auditor_look", "auditor.look", "is_looks");
}

/* --- All looks ------------------------------------------------------------------------------ */

/* Read "before" and nothing else; the reader's language is left to the page. */
static struct auditor_fault read_place(const struct http_request *request, size_t usual,
                                       size_t most, const char *const also[], struct log_range *out)
{
    static const char *const taken[] = {"before", "limit", "lang"};
    struct auditor_filter filter;
    struct auditor_fault fault = auditor_filter_read(request, usual, most, also, &filter);
    for (size_t i = 0; i < request->query_count && !fault.status; i++) {
        bool is_taken = false;
        for (size_t j = 0; j < sizeof taken / sizeof taken[0]; j++)
            is_taken = is_taken || bytes_equal(request->query[i].name, bytes_of_text(taken[j]));
        if (!is_taken)
            fault = (struct auditor_fault){400, "", "only before and limit are known here",
                                           "auditor.wrong_name"};
    }
    *out = filter.range;
    return fault;
}

static enum vault_code list_look(void *context, const struct look_row *row, struct vault_error *err)
{
    (void)err;
    struct looking *looking = context;
    struct visit *visit = &looking->visitor->visit;
    looking->last = row->index;
    looking->any = true;
    put_record(looking->visitor, page_item(visit, looking->list), row);
    return VAULT_OK;
}

void auditor_looks_show(struct auditor_visit *visitor, const char *id)
{
    static const char *const also[] = {"lang", NULL};
    (void)id;
    struct vault_error err;
    struct log_range range;
    struct visit *visit = &visitor->visit;
    struct looking looking = {.visitor = visitor, .list = page_list(visit, visit->data, "looks")};
    const struct auditor_fault fault = read_place(visit->request, ON_PAGE, ON_PAGE, also, &range);
    if (fault.status) {
        auditor_error(visitor, fault.status);
        return;
    }
    const enum vault_code code =
        look_all(visitor->vault, range.below, range.limit, list_look, &looking, &err);
    if (code) {
        auditor_failed(visitor, code, &err);
        return;
    }
    if (looking.any)
        page_flag(visit, visit->data, "found");
    if (json_array_size(looking.list) == range.limit)
        page_number(visit, visit->data, "older", (int64_t)looking.last);
    auditor_page(visitor, 200, "auditor_looks", "auditor.looks", "is_looks");
}

/* --- For programs --------------------------------------------------------------------------- */

static enum vault_code write_look(void *context, const struct look_row *row,
                                  struct vault_error *err)
{
    struct looking *looking = context;
    buf_text(looking->out, looking->any ? ",\n" : "");
    looking->any = true;
    looking->last = row->index;
    write_record(row, looking->out);
    return buf_check(looking->out, err);
}

void auditor_looks_send(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    struct vault_error err;
    struct log_range range;
    struct http_answer *answer = visitor->visit.answer;
    struct looking looking = {.visitor = visitor, .out = &answer->body, .last = UINT64_MAX};
    const struct auditor_fault fault =
        read_place(visitor->visit.request, IN_ANSWER, IN_ANSWER, NULL, &range);
    if (fault.status) {
        problem_write(answer, fault.status, fault.detail, visitor->visit.request->path);
        return;
    }
    buf_text(&answer->body, "{\"looks\":[");
    const enum vault_code code =
        look_all(visitor->vault, range.below, range.limit, write_look, &looking, &err);
    if (code) {
        auditor_failed(visitor, code, &err);
        return;
    }
    buf_text(&answer->body, "],\"next\":");
    if (looking.any)
        buf_format(&answer->body, "\"" PROGRAM_LOOKS "?before=%llu\"}\n",
                   (unsigned long long)looking.last);
    else
        buf_text(&answer->body, "null}\n");
    answer->content_type = "application/json";
}

static void send_record(struct auditor_visit *visitor, uint64_t index, unsigned status)
{
    struct vault_error err;
    struct http_answer *answer = visitor->visit.answer;
    struct looking looking = {.visitor = visitor, .out = &answer->body};
    const enum vault_code code = look_find(visitor->vault, index, write_look, &looking, &err);
    if (code) {
        auditor_failed(visitor, code, &err);
        return;
    }
    buf_byte(&answer->body, '\n');
    answer->status = status;
    answer->content_type = "application/json";
}

void auditor_look_send(struct auditor_visit *visitor, const char *id)
{
    uint64_t index = 0;
    struct vault_error err;
    const enum vault_code code = find_index(id, &index, &err);
    if (code)
        auditor_failed(visitor, code, &err);
    else
        send_record(visitor, index, 200);
}

static enum vault_code write_line(void *context, const struct look_opening *opening,
                                  struct vault_error *err)
{
    struct looking *looking = context;
    if (opening->result != LOOK_SHOWN)
        return VAULT_OK;
    buf_bytes(looking->out, opening->line);
    buf_byte(looking->out, '\n');
    return buf_check(looking->out, err);
}

void auditor_openings_send(struct auditor_visit *visitor, const char *id)
{
    uint64_t index = 0;
    struct vault_error err;
    struct http_answer *answer = visitor->visit.answer;
    struct looking looking = {.visitor = visitor, .out = &answer->body};
    enum vault_code code = find_index(id, &index, &err);
    if (code == VAULT_OK)
        code = look_show(visitor->vault, visitor->name, index, write_line, &looking, &err);
    if (code) {
        auditor_failed(visitor, code, &err);
        return;
    }
    answer->content_type = OPENINGS_TYPE;
    http_answer_header(answer, "Content-Disposition", "attachment; filename=\"%s-%llu.%s\"", "look",
                       (unsigned long long)index, "openings");
}

/* Read the wish of a program; false: it is answered. */
static bool read_body(struct auditor_visit *visitor, struct body *body, struct look_wish *wish)
{
    static const char *const members[] = {"entries", "reason", NULL};
    const struct route_call call = {.request = visitor->visit.request};
    struct vault_error err;
    struct bytes entries;
    if (!body_read(&call, visitor->visit.answer, members, body) ||
        !body_text(body, "entries", true, ENTRIES_CHARS_MAX, &entries) ||
        !body_text(body, "reason", true, LOOK_REASON_BYTES_MAX, &wish->reason))
        return false;
    if (look_parse_entries(entries, wish, &err))
        return body_wrong(body, 422, "/entries", err.text);
    if (look_check_reason(wish->reason, &err))
        return body_wrong(body, 422, "/reason", err.text);
    return true;
}

void auditor_look_make(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    uint64_t index = 0;
    struct vault_error err;
    struct look_wish wish = {.entry_count = 0};
    struct http_answer *answer = visitor->visit.answer;
    VAULT_AUTO(body_finish) struct body body = {0};
    if (!auditor_accept_json(visitor) || !read_body(visitor, &body, &wish))
        return;
    const enum vault_code code = look_make(visitor->vault, visitor->name,
                                           visitor->visit.request->peer_spki, &wish, &index, &err);
    if (code == VAULT_NOT_FOUND) {
        body_wrong(&body, 422, "/entries", err.text);
        return;
    }
    if (code) {
        auditor_failed(visitor, code, &err);
        return;
    }
    send_record(visitor, index, 201);
    http_answer_header(answer, "Location", PROGRAM_LOOKS "/%llu", (unsigned long long)index);
}
