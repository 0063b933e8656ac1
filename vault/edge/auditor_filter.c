#include "auditor_filter.h"

#include <string.h>

#include "vault/base/clock.h"
#include "vault/base/codec.h"

static const struct auditor_fault fine = {0};

static struct auditor_fault malformed(const char *name, const char *detail, const char *text)
{
    return (struct auditor_fault){400, name, detail, text};
}

static struct auditor_fault meaningless(const char *name, const char *detail, const char *text)
{
    return (struct auditor_fault){422, name, detail, text};
}

/* --- One parameter -------------------------------------------------------------------------- */

static struct auditor_fault read_from(struct bytes value, struct auditor_filter *out)
{
    int64_t instant_s = 0;
    if (instant_or_date_parse(value, &instant_s, NULL))
        return malformed("from", "from is a date or an instant, such as 2027-03-08T10:00:00Z",
                         "auditor.wrong_date");
    out->filter.from_ms = instant_s * 1000;
    return fine;
}

/* A date is the whole day. */
static struct auditor_fault read_to(struct bytes value, struct auditor_filter *out)
{
    int64_t instant_s = 0;
    if (instant_or_date_parse(value, &instant_s, NULL))
        return malformed("to", "to is a date or an instant, such as 2027-03-08T10:00:00Z",
                         "auditor.wrong_date");
    out->filter.before_ms = (instant_s + (value.size == DATE_CHARS ? 86400 : 0)) * 1000;
    return fine;
}

static struct auditor_fault read_service(struct bytes value, struct auditor_filter *out)
{
    out->filter.service = value;
    return entry_id_is_valid(value)
               ? fine
               : malformed("service", "service is no id of a service", "auditor.wrong_id");
}

static struct auditor_fault read_purpose(struct bytes value, struct auditor_filter *out)
{
    out->filter.purpose = value;
    return entry_id_is_valid(value)
               ? fine
               : malformed("purpose", "purpose is no id of a purpose", "auditor.wrong_id");
}

static struct auditor_fault read_event(struct bytes value, struct auditor_filter *out)
{
    out->filter.event = entry_event_of(value);
    return out->filter.event != ENTRY_EVENT_COUNT
               ? fine
               : meaningless("event", "the log has no such event", "auditor.wrong_event");
}

static struct auditor_fault read_outcome(struct bytes value, struct auditor_filter *out)
{
    out->filter.outcome = log_outcome_of_name(value);
    return out->filter.outcome != LOG_OUTCOME_COUNT
               ? fine
               : meaningless("outcome", "outcome is released, withheld, decided or done",
                             "auditor.wrong_outcome");
}

static struct auditor_fault read_after(struct bytes value, struct auditor_filter *out)
{
    uint64_t index = 0;
    if (!digits_read(value, &index))
        return malformed("after", "after is the index of an entry", "auditor.wrong_place");
    out->range.from = index + 1;
    out->is_placed = true;
    return fine;
}

static struct auditor_fault read_before(struct bytes value, struct auditor_filter *out)
{
    if (!digits_read(value, &out->range.below))
        return malformed("before", "before is the index of an entry", "auditor.wrong_place");
    if (out->is_placed)
        return malformed("before", "after and before exclude each other", "auditor.wrong_place");
    out->range.newest_first = true;
    out->is_placed = true;
    return fine;
}

static struct auditor_fault read_limit(struct bytes value, struct auditor_filter *out)
{
    uint64_t limit = 0;
    if (!digits_read(value, &limit))
        return malformed("limit", "limit is a number", "auditor.wrong_limit");
    out->range.limit = limit > SIZE_MAX ? SIZE_MAX : (size_t)limit;
    return fine;
}

/* --- All of them ---------------------------------------------------------------------------- */

/* In the order in which they are read: before comes behind after. */
static const struct {
    const char *name;
    struct auditor_fault (*read)(struct bytes value, struct auditor_filter *out);
} parameters[] = {
    {"from", read_from},       {"to", read_to},         {"service", read_service},
    {"purpose", read_purpose}, {"event", read_event},   {"outcome", read_outcome},
    {"after", read_after},     {"before", read_before}, {"limit", read_limit},
};

#define PARAMETERS (sizeof parameters / sizeof parameters[0])

static bool is_known(struct bytes name, const char *const also[])
{
    for (size_t i = 0; i < PARAMETERS; i++) {
        if (bytes_equal(name, bytes_of_text(parameters[i].name)))
            return true;
    }
    for (size_t i = 0; also && also[i]; i++) {
        if (bytes_equal(name, bytes_of_text(also[i])))
            return true;
    }
    return false;
}

static struct auditor_fault check_names(const struct http_request *request,
                                        const char *const also[])
{
    for (size_t i = 0; i < request->query_count; i++) {
        const struct bytes name = request->query[i].name;
        if (!is_known(name, also))
            return malformed("", "there is a parameter that this address does not have",
                             "auditor.wrong_name");
        for (size_t j = 0; j < i; j++) {
            if (bytes_equal(name, request->query[j].name))
                return malformed("", "a parameter is there twice", "auditor.wrong_name");
        }
    }
    return fine;
}

static struct auditor_fault check_whole(const struct auditor_filter *filter, size_t most)
{
    if (filter->range.limit < 1 || filter->range.limit > most)
        return malformed("limit", "limit is from 1 to what the description says",
                         "auditor.wrong_limit");
    if (filter->filter.from_ms > filter->filter.before_ms)
        return meaningless("to", "to is before from", "auditor.wrong_order");
    return fine;
}

struct auditor_fault auditor_filter_read(const struct http_request *request, size_t usual,
                                         size_t most, const char *const also[],
                                         struct auditor_filter *out)
{
    *out = (struct auditor_filter){
        .filter = log_filter_all(),
        .range = {.below = UINT64_MAX, .limit = usual},
    };
    struct auditor_fault fault = check_names(request, also);
    for (size_t i = 0; i < PARAMETERS && !fault.status; i++) {
        const struct bytes value = http_request_query(request, parameters[i].name);
        if (value.size)
            fault = parameters[i].read(value, out);
    }
    return fault.status ? fault : check_whole(out, most);
}
