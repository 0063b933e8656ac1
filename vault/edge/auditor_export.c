/*
 * Entries to take away, as CSV (RFC 4180) or as JSON lines. One answer is bounded; where there is
 * more, a Link header says where it goes on (RFC 8288), and the parts put one behind the other are
 * the whole.
 */
#include <stdio.h>

#include "auditor_parts.h"
#include "vault/base/codec.h"
#include "vault/edge/problem.h"

#define EXPORT_MAX   10000 /* entries in one answer */
#define SEARCHES_MAX 8     /* and so many times what one search reads */
#define LINK_CHARS   480   /* of a header's value */
#define CSV_HEAD                                                                                   \
    "index,time,event,outcome,service,client,purpose,policy_version,policy_hash,count,leaf_"       \
    "hex\r\n"

struct export
{
    struct buf *out;
    bool is_csv;
};

/* Nothing in a line needs quotes, and nothing begins with what a spreadsheet would compute: ids
 * begin with a letter, and the leaf is in hexadecimal since base64 may begin with a plus. */
static void write_csv(struct buf *out, const struct log_line *line)
{
    const struct entry *entry = line->entry;
    char instant[AUDITOR_INSTANT_CHARS + 1];
    char client[HEX_CHARS(ENTRY_CLIENT_BYTES) + 1] = "";
    char leaf[HEX_CHARS(TREE_HASH_BYTES) + 1];
    auditor_instant(instant, entry->time_ms);
    hex_string(leaf, line->leaf.bytes, TREE_HASH_BYTES);
    if (entry->has_client)
        hex_string(client, entry->client, ENTRY_CLIENT_BYTES);
    buf_format(out, "%llu,%s,%s,%s,", (unsigned long long)line->index, instant,
               entry_event_name(entry->event), log_outcome_name(log_outcome_of(entry->event)));
    buf_bytes(out, entry->service);
    buf_format(out, ",%s,", client);
    buf_bytes(out, entry->purpose);
    if (entry->has_policy) {
        char hash[HEX_CHARS(ENTRY_POLICY_BYTES) + 1];
        hex_string(hash, entry->policy_hash, ENTRY_POLICY_BYTES);
        buf_format(out, ",%llu,%s,", (unsigned long long)entry->policy_version, hash);
    } else {
        buf_text(out, ",,,");
    }
    if (entry_event_has_count(entry->event))
        buf_format(out, "%llu", (unsigned long long)entry->count);
    buf_format(out, ",%s\r\n", leaf);
}

static enum vault_code write_line(void *context, const struct log_line *line,
                                  struct vault_error *err)
{
    const struct export *export = context;
    if (export->is_csv) {
        write_csv(export->out, line);
    } else {
        auditor_write_entry(export->out, line);
        buf_byte(export->out, '\n');
    }
    return buf_check(export->out, err);
}

/* Search on until there are enough, nothing is left, or it has been as much work as one request
 * may be. The range is left where it goes on. */
static enum vault_code export_all(struct auditor_visit *visitor, struct auditor_filter *filter,
                                  struct export *export, bool *more, struct vault_error *err)
{
    struct log_range *range = &filter->range;
    *more = true;
    for (unsigned i = 0; i < SEARCHES_MAX && *more && range->limit > 0; i++) {
        struct log_searched searched;
        VAULT_TRY(
            log_search(visitor->vault, &filter->filter, range, write_line, export, &searched, err));
        range->limit -= searched.found;
        *more = searched.more;
        if (range->newest_first)
            range->below = searched.next;
        else
            range->from = searched.next;
    }
    return VAULT_OK;
}

static void link_next(struct auditor_visit *visitor, const struct log_range *range)
{
    static const char *const places[] = {"after", "before", NULL};
    char place[32];
    VAULT_AUTO(buf_finish) struct buf address = buf_limited(LINK_CHARS);
    if (range->newest_first)
        snprintf(place, sizeof place, "before=%llu", (unsigned long long)range->below);
    else
        snprintf(place, sizeof place, "after=%llu", (unsigned long long)range->from - 1);
    auditor_address(visitor, visitor->visit.request->path, places, place, &address);
    const char *text = buf_string(&address);
    if (text)
        http_answer_header(visitor->visit.answer, "Link", "<%s>; rel=\"next\"", text);
}

/* "csv" or "jsonl"; false: it is neither. */
static bool read_format(const struct http_request *request, bool *is_csv)
{
    const struct bytes format = http_request_query(request, "format");
    *is_csv = bytes_equal(format, bytes_of_text("csv"));
    return *is_csv || bytes_equal(format, bytes_of_text("jsonl"));
}

void auditor_export_send(struct auditor_visit *visitor, const char *id)
{
    static const char *const also[] = {"format", NULL};
    static const struct auditor_fault no_format = {422, "format", "format is csv or jsonl",
                                                   "auditor.wrong_name"};
    (void)id;
    bool more = false;
    struct vault_error err;
    struct auditor_filter filter;
    struct http_answer *answer = visitor->visit.answer;
    struct export export = {.out = &answer->body};
    struct auditor_fault fault =
        auditor_filter_read(visitor->visit.request, EXPORT_MAX, EXPORT_MAX, also, &filter);
    if (!fault.status && !read_format(visitor->visit.request, &export.is_csv))
        fault = no_format;
    if (fault.status) {
        problem_write(answer, fault.status, fault.detail, visitor->visit.request->path);
        return;
    }
    if (export.is_csv)
        buf_text(&answer->body, CSV_HEAD);
    const enum vault_code code = export_all(visitor, &filter, &export, &more, &err);
    if (code) {
        auditor_failed(visitor, code, &err);
        return;
    }
    if (more)
        link_next(visitor, &filter.range);
    answer->content_type = export.is_csv ? "text/csv; charset=utf-8" : "application/x-ndjson";
    http_answer_header(answer, "Content-Disposition", "attachment; filename=\"entries.%s\"",
                       export.is_csv ? "csv" : "jsonl");
}
