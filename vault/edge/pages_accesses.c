/* Every event that concerns the citizen: a year at a glance, the list with its filters, and of each
 * event what can be taken away to check it. */
#include <stdio.h>
#include <string.h>

#include "pages_account.h"
#include "pages_alerts.h"
#include "pages_event.h"
#include "pages_parts.h"
#include "pages_words.h"
#include "pages_year.h"
#include "vault/base/codec.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/look.h"

#define EVENTS_ON_PAGE 25
#define SCANNED_MAX    2000 /* for one page, when a filter lets few through */
#define SCAN_AT_A_TIME 100
#define SERVICES_MAX   64 /* to choose from */
#define LOOKS_OF_EVENT 5

static const char *const kind_names[EVENT_KIND_COUNT] = {"all", "access", "decision", "account"};
static const char *const kind_texts[EVENT_KIND_COUNT] = {
    "accesses.kind_all", "accesses.kind_access", "accesses.kind_decision", "accesses.kind_account"};

/* One visit to the page. */
struct listing {
    struct visit *visit;
    const struct policy *policy;
    enum event_kind kind;
    char service[CONSENT_NAME_CHARS + 1]; /* empty: every one */
    json_t *list;
    json_t *services;
    size_t shown;
    uint64_t last_n; /* of the last event looked at */
    size_t scanned;
};

/* --- The list ------------------------------------------------------------------------------- */

static void offer_service(struct listing *listing, const char *id)
{
    size_t i;
    json_t *item;
    json_array_foreach(listing->services, i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "service")), id) == 0)
            return;
    }
    if (!id[0] || json_array_size(listing->services) == SERVICES_MAX)
        return;
    item = page_item(listing->visit, listing->services);
    event_put_service(listing->visit, item, id);
    if (strcmp(id, listing->service) == 0)
        page_flag(listing->visit, item, "chosen");
}

/* An auditor looked at the fields of this event: who, when and why. */
struct looks {
    struct visit *visit;
    json_t *list;
};

static enum vault_code put_look(void *context, const struct look_row *row, struct vault_error *err)
{
    (void)err;
    struct looks *looks = context;
    char date[WORDS_CHARS];
    char reason[LOOK_REASON_BYTES_MAX + 1];
    json_t *item = page_item(looks->visit, looks->list);
    words_date(looks->visit, row->time_ms / 1000, date);
    snprintf(reason, sizeof reason, "%.*s", (int)row->reason.size, (const char *)row->reason.data);
    page_text(looks->visit, item, "look_date", date);
    page_text(looks->visit, item, "look_by", row->auditor);
    page_text(looks->visit, item, "look_reason", reason);
    return VAULT_OK;
}

static enum vault_code put_event(const struct listing *listing, const struct history_event *event,
                                 struct vault_error *err)
{
    struct visit *visit = listing->visit;
    event_put(visit, listing->policy, listing->list, event);
    json_t *item = json_array_get(listing->list, json_array_size(listing->list) - 1);
    struct looks looks = {visit, page_list(visit, item, "looks")};
    return look_at_entry(visit->pages->vault, event->index, LOOKS_OF_EVENT, put_look, &looks, err);
}

/* Offers each event's service, and picks what passes the filter until the page is full. */
static bool pick_event(void *context, const struct history_event *event)
{
    struct listing *listing = context;
    char service[CONSENT_NAME_CHARS + 1];
    event_name(service, event->service);
    listing->scanned++;
    offer_service(listing, service);
    if (listing->shown == EVENTS_ON_PAGE)
        return false;
    listing->last_n = event->n;
    return (listing->kind == EVENT_ALL || event_kind_of(event->event) == listing->kind) &&
           (!listing->service[0] || strcmp(listing->service, service) == 0);
}

static enum vault_code list_event(void *context, const struct history_event *event,
                                  struct vault_error *err)
{
    struct listing *listing = context;
    VAULT_TRY(put_event(listing, event, err));
    listing->shown++;
    return VAULT_OK;
}

/* A gap is no reason to hide what is there, before it and behind it. */
static enum vault_code list_events(struct listing *listing, uint64_t before,
                                   struct vault_error *err)
{
    struct visit *visit = listing->visit;
    size_t gaps = 0;
    bool more = true;
    while (more && listing->shown < EVENTS_ON_PAGE && listing->scanned < SCANNED_MAX &&
           gaps < HISTORY_GAPS_MAX) {
        const size_t seen = listing->scanned;
        const enum vault_code code =
            history_find_on(visit->pages->vault, &visit->session.citizen, &before, SCAN_AT_A_TIME,
                            pick_event, list_event, listing, err);
        if (code != VAULT_CORRUPT)
            VAULT_TRY(code);
        gaps += code == VAULT_CORRUPT;
        if (listing->shown < EVENTS_ON_PAGE)
            listing->last_n = before;
        more = (code || listing->scanned - seen == SCAN_AT_A_TIME) && before > 1;
    }
    if (gaps)
        page_flag(visit, visit->data, "gap_shown");
    if ((more || listing->shown == EVENTS_ON_PAGE) && listing->last_n > 1)
        page_number(visit, visit->data, "older", (int64_t)listing->last_n);
    return VAULT_OK;
}

/* What the address says; what it should not say is as if it said nothing. */
static uint64_t read_filter(struct listing *listing)
{
    struct visit *visit = listing->visit;
    char kind[16] = "";
    uint64_t before = 0;
    listing->kind = EVENT_ALL;
    if (visit_query(visit, "kind", kind, sizeof kind)) {
        for (int i = 0; i < EVENT_KIND_COUNT; i++)
            listing->kind = strcmp(kind_names[i], kind) == 0 ? (enum event_kind)i : listing->kind;
    }
    if (!visit_query(visit, "service", listing->service, sizeof listing->service) ||
        !entry_id_is_valid(bytes_of_text(listing->service)))
        listing->service[0] = 0;
    digits_read(http_request_query(visit->request, "before"), &before);
    return before;
}

static void put_filter(struct listing *listing)
{
    struct visit *visit = listing->visit;
    json_t *list = page_list(visit, visit->data, "kinds");
    for (int i = 0; i < EVENT_KIND_COUNT; i++) {
        json_t *item = page_item(visit, list);
        page_text(visit, item, "kind", kind_names[i]);
        page_text(visit, item, "kind_text", kind_texts[i]);
        if (listing->kind == (enum event_kind)i)
            page_flag(visit, item, "chosen");
    }
    page_text(visit, visit->data, "chosen_kind", kind_names[listing->kind]);
    page_text(visit, visit->data, "chosen_service", listing->service);
}

/* --- At a glance ---------------------------------------------------------------------------- */

/* What the whole year says, in one walk. */
struct glance {
    struct year year;
    struct alert_watch watch;
    size_t seen;
};

/* What is counted stands in clear: nothing need be opened. */
static bool see_event(void *context, const struct history_event *event)
{
    struct glance *glance = context;
    const bool is_watched = glance->watch.seen < ALERT_EVENTS_MAX;
    const bool is_of_year = year_see(&glance->year, event);
    if (is_watched)
        alert_see(&glance->watch, event);
    return (is_watched || is_of_year) && ++glance->seen < YEAR_EVENTS_MAX;
}

static enum vault_code put_glance(struct visit *visit, bool with_alerts, struct vault_error *err)
{
    struct glance glance = {.year = year_begin(visit), .watch = {.now_s = visit_now_s(visit)}};
    VAULT_TRY(
        history_walk(visit->pages->vault, &visit->session.citizen, see_event, &glance, NULL, err));
    year_put(&glance.year, visit);
    if (glance.seen == YEAR_EVENTS_MAX) {
        page_number(visit, visit->data, "year_most", YEAR_EVENTS_MAX);
        page_flag(visit, visit->data, "year_cut");
    }
    if (with_alerts)
        alerts_put(&glance.watch, visit);
    return VAULT_OK;
}

/* --- The page ------------------------------------------------------------------------------- */

void accesses_show(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    struct listing listing = {.visit = visit};
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visit->pages->vault);
    listing.policy = held.policy;
    const uint64_t before = read_filter(&listing);
    listing.list = page_list(visit, visit->data, "events");
    listing.services = page_list(visit, visit->data, "services");
    put_filter(&listing);
    const bool at_the_top = !before && listing.kind == EVENT_ALL && !listing.service[0];
    enum vault_code code = before ? VAULT_OK : put_glance(visit, at_the_top, &err);
    if (code == VAULT_OK)
        code = list_events(&listing, before, &err);
    if (code == VAULT_OK)
        code = tries_put(visit, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    if (listing.shown)
        page_flag(visit, visit->data, "events_shown");
    page_flag(visit, visit->data, "is_accesses");
    page_send(visit, 200, "accesses", "accesses.title");
}

/* --- To take away --------------------------------------------------------------------------- */

static const struct {
    const char *type;
    const char *suffix;
} parts[HISTORY_PART_COUNT] = {
    [HISTORY_ENTRY] = {"text/plain; charset=utf-8", "entry"},
    [HISTORY_PROOF] = {"text/plain; charset=utf-8", "tlog-proof"},
    [HISTORY_OPENING] = {"application/json", "openings"},
};

static void take(struct visit *visit, const char *id, enum history_part part)
{
    char name[48];
    struct vault_error err;
    uint64_t n = 0;
    digits_read(bytes_of_text(id), &n); /* what is no number is none of theirs: 0 */
    const enum vault_code code = history_take(visit->pages->vault, &visit->session.citizen, n, part,
                                              &visit->answer->body, &err);
    snprintf(name, sizeof name, "access-%llu.%s", (unsigned long long)n, parts[part].suffix);
    page_send_file(visit, code, &err, parts[part].type, name);
}

void access_entry_send(struct visit *visit, const char *id)
{
    take(visit, id, HISTORY_ENTRY);
}

void access_proof_send(struct visit *visit, const char *id)
{
    take(visit, id, HISTORY_PROOF);
}

void access_opening_send(struct visit *visit, const char *id)
{
    take(visit, id, HISTORY_OPENING);
}
