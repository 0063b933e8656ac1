#include "pages_event.h"

#include <stdio.h>
#include <string.h>

#include "pages_words.h"
#include "vault/base/codec.h"
#include "vault/vault/actor.h"
#include "vault/vault/service.h"

/* What an event is called, and to which kind it belongs for a filter. */
static const struct {
    enum event_kind kind;
    const char *text;
} events[ENTRY_EVENT_COUNT] = {
    [ENTRY_RELEASE] = {EVENT_ACCESS, "event.release"},
    [ENTRY_DENY] = {EVENT_ACCESS, "event.deny"},
    [ENTRY_CONSENT] = {EVENT_DECISION, "event.consent"},
    [ENTRY_REFUSE] = {EVENT_DECISION, "event.refuse"},
    [ENTRY_WITHDRAW] = {EVENT_DECISION, "event.withdraw"},
    [ENTRY_OBJECT] = {EVENT_DECISION, "event.object"},
    [ENTRY_SUSPEND] = {EVENT_DECISION, "event.suspend"},
    [ENTRY_RESUME] = {EVENT_DECISION, "event.resume"},
    [ENTRY_REQUEST] = {EVENT_DECISION, "event.request"},
    [ENTRY_DEPOSIT] = {EVENT_ACCESS, "event.deposit"},
    [ENTRY_EXPORT] = {EVENT_ACCOUNT, "event.export"},
    [ENTRY_LOGIN] = {EVENT_ACCOUNT, "event.login"},
    [ENTRY_MANDATE] = {EVENT_ACCOUNT, "event.mandate"},
};

/* Why a field was not released, or what else became of it, in words; what is not here is told as
 * "rules". */
static const struct {
    const char *reason;
    const char *text;
} reasons[] = {
    {"no_consent", "reason.no_consent"},     {"refused", "reason.refused"},
    {"withdrawn", "reason.withdrawn"},       {"expired", "reason.expired"},
    {"suspended", "reason.suspended"},       {"used_up", "reason.used_up"},
    {"objection", "reason.objection"},       {"out_of_scope", "reason.no_consent"},
    {"no_value", "reason.no_value"},         {"deposited", "outcome.deposited"},
    {"corrected", "outcome.corrected"},      {"correction_asked", "outcome.asked"},
    {"correction_closed", "outcome.closed"}, {"evaluated", "reason.evaluated"},
};

/* What every part of an event's words needs. */
struct telling {
    struct visit *visit;
    const struct policy *policy;
};

static struct bytes next_line(struct bytes *text)
{
    const uint8_t *end = text->size ? memchr(text->data, '\n', text->size) : NULL;
    const struct bytes line = {text->data, end ? (size_t)(end - text->data) : text->size};
    const size_t taken = line.size + (end != NULL);
    text->data += taken;
    text->size -= taken;
    return line;
}

/* The next word of a line into out; false if there is none that fits. */
static bool next_word(struct bytes *line, char *out, size_t room)
{
    const uint8_t *end = line->size ? memchr(line->data, ' ', line->size) : NULL;
    const size_t size = end ? (size_t)(end - line->data) : line->size;
    if (size == 0 || size >= room)
        return false;
    memcpy(out, line->data, size);
    out[size] = 0;
    line->data += size + (end != NULL);
    line->size -= size + (end != NULL);
    return true;
}

static const char *reason_text(const char *reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(reasons[i].reason, reason) == 0)
            return reasons[i].text;
    }
    return "reason.rules";
}

/* "FIELD FORM" of a decision, or "FIELD FORM REASON" of an access; false if it is other words. */
static bool put_field(const struct telling *telling, json_t *fields, struct bytes line)
{
    struct consent_field field;
    char reason[CONSENT_FORM_CHARS + 1] = "";
    if (!next_word(&line, field.name, sizeof field.name) ||
        !next_word(&line, field.form, sizeof field.form) ||
        (line.size && !next_word(&line, reason, sizeof reason)) || line.size)
        return false;
    if (strcmp(field.name, "asserted") == 0) /* what a service said of the circumstances */
        return true;
    const bool came = !reason[0] || strcmp(reason, "released") == 0;
    if (strcmp(field.form, "any") == 0)
        field.form[0] = 0;
    json_t *item = page_item(telling->visit, fields);
    page_text(telling->visit, item, "title",
              words_field_title(telling->visit, telling->policy, field.name));
    page_text(telling->visit, item, "form_name",
              came ? words_form(telling->policy, &field) : reason_text(reason));
    return true;
}

void event_put_fields(struct visit *visit, const struct policy *policy, json_t *item,
                      struct bytes what)
{
    const struct telling telling = {visit, policy};
    json_t *fields = page_list(visit, item, "fields");
    bool more = true;
    while (what.size && more)
        more = put_field(&telling, fields, next_line(&what));
    if (json_array_size(fields))
        page_flag(visit, item, "fields_shown");
}

static void put_fields(const struct telling *telling, json_t *item,
                       const struct history_event *event)
{
    const enum event_kind kind = events[event->event].kind;
    const bool of_consent = bytes_equal(event->basis, bytes_of_text("pause")) == false &&
                            bytes_equal(event->basis, bytes_of_text("objection")) == false &&
                            bytes_equal(event->basis, bytes_of_text("restriction")) == false &&
                            bytes_equal(event->basis, bytes_of_text("report")) == false;
    if ((kind == EVENT_ACCESS || kind == EVENT_DECISION) && of_consent)
        event_put_fields(telling->visit, telling->policy, item, event->what);
}

/* What an access rested on. */
static void put_basis(const struct telling *telling, json_t *item,
                      const struct history_event *event)
{
    static const char *const texts[POLICY_BASIS_COUNT] = {
        [POLICY_CONTRACT] = "on.contract",
        [POLICY_LEGAL_OBLIGATION] = "on.legal_obligation",
        [POLICY_VITAL_INTERESTS] = "on.vital_interests",
        [POLICY_PUBLIC_TASK] = "on.public_task",
        [POLICY_LEGITIMATE_INTERESTS] = "on.legitimate_interests",
    };
    struct bytes text = event->basis;
    if (event->event != ENTRY_RELEASE)
        return;
    json_t *list = page_list(telling->visit, item, "on");
    while (text.size) {
        char word[CONSENT_NAME_CHARS + 1];
        struct bytes line = next_line(&text);
        if (!next_word(&line, word, sizeof word))
            return;
        if (strcmp(word, "consent") == 0)
            page_text(telling->visit, page_item(telling->visit, list), "on_text", "on.consent");
        for (int basis = POLICY_CONTRACT; basis < POLICY_BASIS_COUNT; basis++) {
            if (strcmp(word, policy_basis_name((enum policy_basis)basis)) == 0)
                page_text(telling->visit, page_item(telling->visit, list), "on_text", texts[basis]);
        }
    }
}

void event_name(char out[CONSENT_NAME_CHARS + 1], struct bytes name)
{
    const size_t size = name.size <= CONSENT_NAME_CHARS ? name.size : 0;
    if (size)
        memcpy(out, name.data, size);
    out[size] = 0;
}

void event_put_service(struct visit *visit, json_t *item, const char *id)
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    if (!id[0])
        return;
    const enum vault_code code =
        service_by_id_ever(visit->pages->vault, bytes_of_text(id), &held, NULL);
    page_text(visit, item, "service", id);
    page_text(visit, item, "service_name", code ? id : held.service->name);
}

static void put_time(struct visit *visit, json_t *item, int64_t time_ms)
{
    char date[WORDS_CHARS];
    char instant[INSTANT_CHARS + 1];
    char clock[WORDS_CLOCK_CHARS + 1];
    words_date(visit, time_ms / 1000, date);
    words_clock(time_ms / 1000, clock);
    instant_format(instant, time_ms / 1000);
    page_text(visit, item, "date", date);
    page_text(visit, item, "clock", clock);
    page_text(visit, item, "instant", instant);
}

/* How somebody signed in, or what changed about that. */
static const struct {
    const char *what;
    const char *text;
} ways[] = {
    {"passkey", "event.login_passkey"},
    {"password after wrong tries", "event.login_tried"},
    {"password set", "event.password_set"},
    {"passkey added", "event.passkey_added"},
    {"passkey removed", "event.passkey_removed"},
    {"recovery codes made", "event.recovery_made"},
    {"activation code made", "event.activation_made"},
    {"activation", "event.activation"},
    {"sessions ended", "event.sessions_ended"},
};

/* "recovery 9": a code was used, and so many are left. */
#define RECOVERY "recovery "

static bool is_recovery(struct bytes what)
{
    return what.size > strlen(RECOVERY) && memcmp(what.data, RECOVERY, strlen(RECOVERY)) == 0 &&
           what.data[strlen(RECOVERY)] >= '0' && what.data[strlen(RECOVERY)] <= '9';
}

static void put_left(struct visit *visit, json_t *item, const struct history_event *event)
{
    char left[WORDS_CHARS];
    if (event->event != ENTRY_LOGIN || !is_recovery(event->what))
        return;
    const size_t size = event->what.size - strlen(RECOVERY);
    snprintf(left, sizeof left, "%.*s", (int)size,
             (const char *)event->what.data + strlen(RECOVERY));
    page_text(visit, item, "left", left);
}

static const char *text_of_login(struct bytes what)
{
    if (is_recovery(what))
        return "event.recovery";
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (bytes_equal(what, bytes_of_text(ways[i].what)))
            return ways[i].text;
    }
    return "event.login";
}

/* What happened to a mandate: the first word of what stands there. */
static const char *mandate_text(struct bytes what)
{
    static const struct {
        const char *word;
        const char *text;
    } words[] = {
        {"give", "event.mandate_give"},
        {"use", "event.mandate_use"},
        {"end", "event.mandate_end"},
        {"codes", "event.mandate_codes"},
    };
    /* A whole line, where a guardian came, looked or went. */
    static const struct {
        const char *line;
        const char *text;
    } lines[] = {
        {"guardian add", "event.guardian_add"},       {"guardian use", "event.guardian_use"},
        {"guardian remove", "event.guardian_remove"}, {"minor add", "event.minor_add"},
        {"minor remove", "event.minor_remove"},
    };
    char word[CONSENT_NAME_CHARS + 1];
    struct bytes line = next_line(&what);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (bytes_equal(line, bytes_of_text(lines[i].line)))
            return lines[i].text;
    }
    const bool found = next_word(&line, word, sizeof word);
    for (size_t i = 0; found && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].word, word) == 0)
            return words[i].text;
    }
    return "event.mandate";
}

static bool ends_with(struct bytes text, const char *end)
{
    const size_t size = strlen(end);
    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

/* What the citizen corrected shares an entry with what services bring, what they asked with what
 * services ask. */
static const char *text_of_correction(const struct history_event *event)
{
    if (event->event == ENTRY_DEPOSIT && event->service.size == 0)
        return "event.corrected";
    if (!bytes_equal(event->basis, bytes_of_text("correction")))
        return NULL;
    return ends_with(event->what, "closed") ? "event.correction_closed" : "event.correction_asked";
}

/* A report, and what the data-protection officer did with it. */
static const char *text_of_report(struct bytes what)
{
    if (bytes_equal(what, bytes_of_text("read")))
        return "event.report_read";
    return what.size && what.data[0] == 'c' ? "event.report_closed" : "event.report";
}

/* The event's own text; a pause and an objection share entries with what happens to consents. */
static const char *text_of(const struct history_event *event)
{
    const bool resumes = event->event == ENTRY_RESUME;
    if (event->event == ENTRY_MANDATE)
        return mandate_text(event->what);
    if (bytes_equal(event->basis, bytes_of_text("half")))
        return "event.half";
    if (bytes_equal(event->basis, bytes_of_text("half taken back")))
        return "event.half_back";
    if (bytes_equal(event->basis, bytes_of_text("pause")))
        return resumes ? "event.unpause" : "event.pause";
    if (bytes_equal(event->basis, bytes_of_text("restriction")))
        return "event.restrict";
    if (resumes && bytes_equal(event->basis, bytes_of_text("objection")))
        return "event.lift";
    if (event->event == ENTRY_LOGIN)
        return text_of_login(event->what);
    if (bytes_equal(event->basis, bytes_of_text("report")))
        return text_of_report(event->what);
    const char *correction = text_of_correction(event);
    if (correction)
        return correction;
    return events[event->event].text ? events[event->event].text : "event.other";
}

static void put_part(struct visit *visit, json_t *item, const char *name, struct bytes part)
{
    char text[ACTOR_TEXT_BYTES];
    snprintf(text, sizeof text, "%.*s", (int)part.size, part.size ? (const char *)part.data : "");
    page_text(visit, item, name, text);
}

/* "KIND NAME" without the kind; false if it is of another. */
static bool name_of_kind(struct bytes line, const char *kind, struct bytes *name)
{
    const size_t size = strlen(kind);
    if (line.size <= size || line.size >= ACTOR_TEXT_BYTES || memcmp(line.data, kind, size) != 0)
        return false;
    *name = (struct bytes){line.data + size, line.size - size};
    return true;
}

/* Who acted for the citizen, as actor.h writes it. */
static void put_actor(struct visit *visit, json_t *item, struct bytes actor)
{
    struct bytes name;
    const struct bytes line = next_line(&actor);
    if (name_of_kind(line, "guardian ", &name))
        put_part(visit, item, "actor_guardian", name);
    if (!name_of_kind(line, "mediator ", &name) || actor.size >= ACTOR_TEXT_BYTES)
        return;
    put_part(visit, item, "actor_name", name);
    put_part(visit, item, "actor_structure", actor);
}

/* Who became a guardian, or is none any more: the second line of what stands there. */
static void put_guardian(struct visit *visit, json_t *item, const struct history_event *event)
{
    struct bytes what = event->what;
    struct bytes name;
    if (event->event != ENTRY_MANDATE || !name_of_kind(next_line(&what), "guardian ", &name) ||
        what.size >= ACTOR_TEXT_BYTES)
        return;
    put_part(visit, item, "guardian_name", what);
}

void event_put(struct visit *visit, const struct policy *policy, json_t *list,
               const struct history_event *event)
{
    const struct telling telling = {visit, policy};
    char name[CONSENT_NAME_CHARS + 1];
    json_t *item = page_item(visit, list);
    page_number(visit, item, "n", (int64_t)event->n);
    page_number(visit, item, "index", (int64_t)event->index);
    put_time(visit, item, event->time_ms);
    event_name(name, event->service);
    event_put_service(visit, item, name);
    page_text(visit, item, "event_text", text_of(event));
    if (events[event->event].kind == EVENT_ACCESS && event->service.size)
        page_flag(visit, item, "reportable");
    put_left(visit, item, event);
    event_name(name, event->purpose);
    if (name[0])
        page_text(visit, item, "purpose_title", words_purpose_title(visit, policy, name));
    if (bytes_equal(event->actor, bytes_of_text("operator")))
        page_flag(visit, item, "by_operator");
    put_actor(visit, item, event->actor);
    put_guardian(visit, item, event);
    put_fields(&telling, item, event);
    put_basis(&telling, item, event);
}

enum event_kind event_kind_of(enum entry_event event)
{
    return events[event].kind;
}
