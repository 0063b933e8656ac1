/* The entries of the log that a filter lets through, for programs and for people; and one entry to
 * take away, with its proof. */
#include <stdio.h>
#include <string.h>

#include "auditor_filter.h"
#include "auditor_parts.h"
#include "vault/base/codec.h"
#include "vault/edge/problem.h"

#define ON_PAGE     50
#define IN_ANSWER   100
#define PLACE_CHARS 32
#define TEXT_TYPE   "text/plain; charset=utf-8"

static const char *const places[] = {"after", "before", NULL};
static const char *const page_also[] = {"lang", NULL};

/* The names of what auditor_words.c and the templates say. */
static const char *const outcome_texts[LOG_OUTCOME_COUNT] = {
    [LOG_RELEASED] = "auditor.outcome_released",
    [LOG_WITHHELD] = "auditor.outcome_withheld",
    [LOG_DECIDED] = "auditor.outcome_decided",
    [LOG_DONE] = "auditor.outcome_done",
};

static const char *const event_texts[ENTRY_EVENT_COUNT] = {
    [ENTRY_RELEASE] = "auditor.event_release",   [ENTRY_DENY] = "auditor.event_deny",
    [ENTRY_CONSENT] = "auditor.event_consent",   [ENTRY_REFUSE] = "auditor.event_refuse",
    [ENTRY_WITHDRAW] = "auditor.event_withdraw", [ENTRY_OBJECT] = "auditor.event_object",
    [ENTRY_SUSPEND] = "auditor.event_suspend",   [ENTRY_RESUME] = "auditor.event_resume",
    [ENTRY_REQUEST] = "auditor.event_request",   [ENTRY_DEPOSIT] = "auditor.event_deposit",
    [ENTRY_ERASE] = "auditor.event_erase",       [ENTRY_EXPORT] = "auditor.event_export",
    [ENTRY_LOGIN] = "auditor.event_login",       [ENTRY_MANDATE] = "auditor.event_mandate",
    [ENTRY_LOG_READ] = "auditor.event_log_read", [ENTRY_ADMIN] = "auditor.event_admin",
    [ENTRY_POLICY] = "auditor.event_policy",     [ENTRY_KEY] = "auditor.event_key",
    [ENTRY_CLOCK_STEP] = "auditor.event_clock",  [ENTRY_RECOVER] = "auditor.event_recover",
    [ENTRY_PRUNE] = "auditor.event_prune",
};

const char *auditor_event_text(enum entry_event event)
{
    return event_texts[event];
}

const char *auditor_outcome_text(enum log_outcome outcome)
{
    return outcome_texts[outcome];
}

/* Where the next page begins, if there is more. */
static void place_of(const struct log_range *range, const struct log_searched *searched,
                     char out[PLACE_CHARS])
{
    if (range->newest_first)
        snprintf(out, PLACE_CHARS, "before=%llu", (unsigned long long)searched->next);
    else
        snprintf(out, PLACE_CHARS, "after=%llu", (unsigned long long)searched->next - 1);
}

/* --- For programs --------------------------------------------------------------------------- */

static void write_id(struct buf *out, const char *name, struct bytes id)
{
    buf_format(out, "\"%s\":", name);
    if (id.size)
        json_write_string(out, id);
    else
        buf_text(out, "null");
    buf_byte(out, ',');
}

static void write_policy(struct buf *out, const struct entry *entry)
{
    char hash[HEX_CHARS(ENTRY_POLICY_BYTES) + 1];
    hex_string(hash, entry->policy_hash, ENTRY_POLICY_BYTES);
    if (entry->has_policy)
        buf_format(out, "\"policy\":{\"version\":%llu,\"hash\":\"%s\"},",
                   (unsigned long long)entry->policy_version, hash);
    else
        buf_text(out, "\"policy\":null,");
}

void auditor_write_entry(struct buf *out, const struct log_line *line)
{
    const struct entry *entry = line->entry;
    char instant[AUDITOR_INSTANT_CHARS + 1];
    char leaf[BASE64_CHARS(TREE_HASH_BYTES) + 1];
    char client[HEX_CHARS(ENTRY_CLIENT_BYTES) + 1] = "";
    auditor_instant(instant, entry->time_ms);
    base64_string(leaf, line->leaf.bytes, TREE_HASH_BYTES);
    if (entry->has_client)
        hex_string(client, entry->client, ENTRY_CLIENT_BYTES);
    buf_format(out,
               "{\"index\":%llu,\"time\":\"%s\",\"time_ms\":%lld,\"event\":\"%s\","
               "\"outcome\":\"%s\",",
               (unsigned long long)line->index, instant, (long long)entry->time_ms,
               entry_event_name(entry->event), log_outcome_name(log_outcome_of(entry->event)));
    write_id(out, "service", entry->service);
    write_id(out, "client", bytes_of_text(client));
    write_id(out, "purpose", entry->purpose);
    write_policy(out, entry);
    if (entry_event_has_count(entry->event))
        buf_format(out, "\"count\":%llu,", (unsigned long long)entry->count);
    buf_format(out, "\"leaf\":\"%s\",\"proof\":\"/v1/entries/%llu/proof\"}", leaf,
               (unsigned long long)line->index);
}

struct listing {
    struct auditor_visit *visitor;
    struct buf *out;
    json_t *list;
    bool any;
};

static enum vault_code write_line(void *context, const struct log_line *line,
                                  struct vault_error *err)
{
    struct listing *listing = context;
    buf_text(listing->out, listing->any ? ",\n" : "\n");
    auditor_write_entry(listing->out, line);
    listing->any = true;
    return buf_check(listing->out, err);
}

static void write_end(struct auditor_visit *visitor, const struct log_range *range,
                      const struct log_searched *searched, struct buf *out)
{
    char place[PLACE_CHARS];
    buf_format(out, "],\"tree_size\":%llu,\"first\":%llu,\"read\":%zu,\"next\":",
               (unsigned long long)searched->tree_size, (unsigned long long)searched->first,
               searched->read);
    if (searched->more) {
        VAULT_AUTO(buf_finish) struct buf next = buf_limited(HTTP_ANSWER_BYTES_MAX);
        place_of(range, searched, place);
        auditor_address(visitor, visitor->visit.request->path, places, place, &next);
        json_write_string(out, buf_view(&next));
    } else {
        buf_text(out, "null");
    }
    buf_text(out, "}\n");
}

void auditor_entries_send(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    struct vault_error err;
    struct auditor_filter filter;
    struct log_searched searched;
    struct http_answer *answer = visitor->visit.answer;
    struct listing listing = {.visitor = visitor, .out = &answer->body};
    const struct auditor_fault fault =
        auditor_filter_read(visitor->visit.request, IN_ANSWER, AUDITOR_FOUND_MAX, NULL, &filter);
    if (fault.status) {
        problem_write(answer, fault.status, fault.detail, visitor->visit.request->path);
        return;
    }
    buf_text(&answer->body, "{\"entries\":[");
    enum vault_code code = log_search(visitor->vault, &filter.filter, &filter.range, write_line,
                                      &listing, &searched, &err);
    if (code == VAULT_OK) {
        write_end(visitor, &filter.range, &searched, &answer->body);
        code = buf_check(&answer->body, &err);
    }
    if (code)
        auditor_failed(visitor, code, &err);
    else
        answer->content_type = "application/json";
}

/* --- For people ----------------------------------------------------------------------------- */

static void put_id(struct visit *visit, json_t *item, const char *name, struct bytes id)
{
    char text[ENTRY_ID_MAX_CHARS + 1];
    snprintf(text, sizeof text, "%.*s", (int)id.size, id.size ? (const char *)id.data : "");
    page_text(visit, item, name, text);
}

static enum vault_code put_line(void *context, const struct log_line *line, struct vault_error *err)
{
    (void)err;
    struct listing *listing = context;
    struct visit *visit = &listing->visitor->visit;
    const struct entry *entry = line->entry;
    char leaf[BASE64_CHARS(TREE_HASH_BYTES) + 1];
    json_t *item = page_item(visit, listing->list);
    base64_string(leaf, line->leaf.bytes, TREE_HASH_BYTES);
    page_number(visit, item, "index", (int64_t)line->index);
    auditor_put_time(listing->visitor, item, entry->time_ms);
    page_text(visit, item, "event", entry_event_name(entry->event));
    page_text(visit, item, "event_text", event_texts[entry->event]);
    page_text(visit, item, "outcome_text", outcome_texts[log_outcome_of(entry->event)]);
    put_id(visit, item, "service", entry->service);
    put_id(visit, item, "purpose", entry->purpose);
    if (entry->has_policy)
        page_number(visit, item, "policy_version", (int64_t)entry->policy_version);
    if (entry_event_has_count(entry->event))
        page_number(visit, item, "count", (int64_t)entry->count);
    page_text(visit, item, "leaf", leaf);
    return VAULT_OK;
}

static void offer(struct visit *visit, json_t *list, const char *value, const char *text,
                  bool is_chosen)
{
    json_t *item = page_item(visit, list);
    page_text(visit, item, "value", value);
    page_text(visit, item, "value_text", text);
    if (is_chosen)
        page_flag(visit, item, "chosen");
}

/* What the form begins with: what the address says, good or not. */
void auditor_put_filter(struct auditor_visit *visitor, const struct auditor_filter *filter)
{
    static const char *const typed[] = {"from", "to", "service", "purpose"};
    struct visit *visit = &visitor->visit;
    char value[ENTRY_ID_MAX_CHARS + 1];
    json_t *list = page_list(visit, visit->data, "events");
    for (int i = 0; i < ENTRY_EVENT_COUNT; i++)
        offer(visit, list, entry_event_name((enum entry_event)i), event_texts[i],
              filter->filter.event == (enum entry_event)i);
    list = page_list(visit, visit->data, "outcomes");
    for (int i = 0; i < LOG_OUTCOME_COUNT; i++)
        offer(visit, list, log_outcome_name((enum log_outcome)i), outcome_texts[i],
              filter->filter.outcome == (enum log_outcome)i);
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        if (visit_query(visit, typed[i], value, sizeof value))
            page_text(visit, visit->data, typed[i], value);
    }
}

/* The same entries to take away; an address that is too long to link is left out. */
static void put_exports(struct auditor_visit *visitor)
{
    static const char *const page_only[] = {"after", "before", "limit", "lang", NULL};
    static const char *const formats[] = {"csv", "jsonl"};
    struct visit *visit = &visitor->visit;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        char format[PLACE_CHARS];
        VAULT_AUTO(buf_finish) struct buf address = buf_limited(VISIT_ADDRESS_CHARS);
        snprintf(format, sizeof format, "format=%s", formats[i]);
        auditor_address(visitor, "/v1/export", page_only, format, &address);
        page_text(visit, visit->data, formats[i], buf_string(&address));
    }
}

static void put_more(struct auditor_visit *visitor, const struct auditor_filter *filter,
                     const struct log_searched *searched)
{
    struct visit *visit = &visitor->visit;
    char place[PLACE_CHARS];
    VAULT_AUTO(buf_finish) struct buf address = buf_limited(VISIT_ADDRESS_CHARS);
    page_number(visit, visit->data, "tree_size", (int64_t)searched->tree_size);
    page_number(visit, visit->data, "read", (int64_t)searched->read);
    if (searched->first)
        page_number(visit, visit->data, "first", (int64_t)searched->first);
    if (searched->found)
        page_flag(visit, visit->data, "found");
    if (!searched->more)
        return;
    place_of(&filter->range, searched, place);
    auditor_address(visitor, "/entries", places, place, &address);
    page_text(visit, visit->data, filter->range.newest_first ? "older" : "newer",
              buf_string(&address));
}

static enum vault_code list_entries(struct auditor_visit *visitor, struct auditor_filter *filter,
                                    struct vault_error *err)
{
    struct log_searched searched;
    struct visit *visit = &visitor->visit;
    struct listing listing = {.visitor = visitor, .list = page_list(visit, visit->data, "entries")};
    if (!filter->is_placed)
        filter->range.newest_first = true;
    VAULT_TRY(log_search(visitor->vault, &filter->filter, &filter->range, put_line, &listing,
                         &searched, err));
    put_more(visitor, filter, &searched);
    put_exports(visitor);
    return VAULT_OK;
}

void auditor_entries_show(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    struct vault_error err;
    struct auditor_filter filter;
    struct visit *visit = &visitor->visit;
    const struct auditor_fault fault =
        auditor_filter_read(visit->request, ON_PAGE, ON_PAGE, page_also, &filter);
    auditor_put_filter(visitor, &filter);
    page_flag(visit, visit->data, "has_purpose");
    const enum vault_code code = fault.status ? VAULT_OK : list_entries(visitor, &filter, &err);
    if (code) {
        auditor_failed(visitor, code, &err);
        return;
    }
    if (fault.status)
        page_wrong(visit, fault.name[0] ? fault.name : "filter", fault.text);
    else
        page_flag(visit, visit->data, "listed");
    auditor_page(visitor, fault.status ? fault.status : 200, "auditor_entries", "auditor.entries",
                 "is_entries");
}

/* --- To take away --------------------------------------------------------------------------- */

bool auditor_index(const char *id, uint64_t *out)
{
    return digits_read(bytes_of_text(id), out);
}

static void take(struct auditor_visit *visitor, const char *id, const char *suffix,
                 enum vault_code (*write)(struct vault *, uint64_t, struct buf *,
                                          struct vault_error *))
{
    uint64_t index = 0;
    struct vault_error err;
    struct http_answer *answer = visitor->visit.answer;
    const enum vault_code code =
        auditor_index(id, &index) ? write(visitor->vault, index, &answer->body, &err)
                                  : vault_fail(&err, VAULT_NOT_FOUND, "the log has no such entry");
    if (code) {
        auditor_failed(visitor, code, &err);
        return;
    }
    answer->content_type = TEXT_TYPE;
    http_answer_header(answer, "Content-Disposition", "attachment; filename=\"%s-%llu.%s\"",
                       "entry", (unsigned long long)index, suffix);
}

void auditor_entry_send(struct auditor_visit *visitor, const char *id)
{
    take(visitor, id, "txt", log_entry_text);
}

void auditor_proof_send(struct auditor_visit *visitor, const char *id)
{
    take(visitor, id, "tlog-proof", log_entry_proof);
}
