/* How a diff is shown: as sentences, and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "phrases.h"
#include "vault/base/json.h"
#include "vault/policy/decide.h"

#define WORDS_BYTES_MAX 4096
#define RULES_BYTES_MAX (POLICY_FIELD_RULES_MAX * 2 * (POLICY_ID_CHARS_MAX + 2))

static const char *const kind_names[POLICY_CHANGE_KINDS] = {
    [POLICY_GAINS] = "gains",
    [POLICY_LOSES] = "loses",
    [POLICY_WEAKER] = "weaker",
    [POLICY_STRICTER] = "stricter",
    [POLICY_OBLIGATIONS] = "obligations",
};

const char *policy_change_name(enum policy_change_kind kind)
{
    return kind_names[kind];
}

static const enum sentence kind_sentences[POLICY_CHANGE_KINDS] = {
    [POLICY_GAINS] = SAY_GAINS,
    [POLICY_LOSES] = SAY_LOSES,
    [POLICY_WEAKER] = SAY_WEAKER,
    [POLICY_STRICTER] = SAY_STRICTER,
    [POLICY_OBLIGATIONS] = SAY_OTHER_DUTIES,
};

/* --- for people --- */

/* A title of either bundle, the new one's first, with the id behind it. */
static void show(const struct policy_diff *diff, enum policy_kind kind, const char *id,
                 enum policy_language language, struct buf *out)
{
    const char *title = NULL;
    for (size_t side = SIDES; side-- > 0 && !title;) {
        const uint16_t index = policy_find(diff->sides[side], kind, bytes_of_text(id));
        if (index != POLICY_NONE)
            title = policy_title(diff->sides[side], kind, index, language);
    }
    if (title)
        buf_format(out, "*%.512s* (", title);
    buf_text(out, id);
    if (title)
        buf_byte(out, ')');
}

static void show_classes(const struct policy_diff *diff, const struct change *change,
                         enum policy_language language, struct buf *out)
{
    VAULT_AUTO(buf_finish) struct buf classes = buf_limited(WORDS_BYTES_MAX);
    for (size_t i = 0; i < change->class_count; i++) {
        buf_text(&classes, i ? " + " : "");
        show(diff, POLICY_CLASS, change->classes[i], language, &classes);
    }
    const char *text = buf_string(&classes);
    phrase_write(
        out, sentences[change->class_count > 1 ? SAY_SEVERAL_CLASSES : SAY_ONE_CLASS].in[language],
        (const struct place[]){{"classes", text ? text : ""}, {NULL, NULL}});
}

static void show_who(const struct policy_diff *diff, const struct change *change,
                     enum policy_language language, struct buf *out)
{
    VAULT_AUTO(buf_finish) struct buf classes = buf_limited(WORDS_BYTES_MAX);
    if (!change->service) {
        show_classes(diff, change, language, out);
        return;
    }
    for (size_t i = 0; i < change->class_count; i++) {
        buf_text(&classes, i ? " + " : "");
        show(diff, POLICY_CLASS, change->classes[i], language, &classes);
    }
    const char *text = buf_string(&classes);
    phrase_write(out, sentences[change->class_count ? SAY_SERVICE_OF : SAY_SERVICE].in[language],
                 (const struct place[]){
                     {"service", change->service}, {"classes", text ? text : ""}, {NULL, NULL}});
}

/* What a side gives: the form, or for a change of obligations those. */
static void show_answer(const struct change *change, size_t side, enum policy_language language,
                        struct buf *out)
{
    const json_t *answer = change->answers[side];
    const char *form = json_string_value(json_object_get(answer, "form"));
    const json_t *released = json_object_get(answer, "value");
    if (change->kind != POLICY_OBLIGATIONS) {
        const char *outcome = json_string_value(json_object_get(answer, "outcome"));
        buf_text(out, form ? form : outcome ? outcome : "");
        if (released)
            buf_text(out, ": ");
        if (released)
            json_write_value(out, released);
        return;
    }
    const char *name;
    json_t *value;
    size_t count = 0;
    json_object_foreach(json_object_get(answer, "must"), name, value)
    {
        buf_format(out, "%s%s", count++ ? ", " : "", name);
        if (json_is_integer(value))
            buf_format(out, " %" PRId64, (int64_t)json_integer_value(value));
    }
    if (count == 0)
        buf_text(out, sentences[SAY_NO_DUTIES].in[language]);
}

static void show_rules(const struct change *change, enum policy_language language, struct buf *out)
{
    VAULT_AUTO(buf_finish) struct buf rules = buf_limited(RULES_BYTES_MAX);
    for (size_t i = 0; i < json_array_size(change->rules); i++)
        buf_format(&rules, "%s%s", i ? ", " : "",
                   json_string_value(json_array_get(change->rules, i)));
    const char *text = buf_string(&rules);
    phrase_write(out, sentences[SAY_BY_RULES].in[language],
                 (const struct place[]){{"rules", text ? text : ""}, {NULL, NULL}});
}

static void write_sentence(const struct policy_diff *diff, const struct change *change,
                           enum sentence says, enum policy_language language, struct buf *out)
{
    struct buf parts[5];
    const char *texts[5];
    for (size_t i = 0; i < 5; i++)
        parts[i] = buf_limited(WORDS_BYTES_MAX);
    show_who(diff, change, language, &parts[0]);
    show(diff, POLICY_FIELD, change->field, language, &parts[1]);
    show(diff, POLICY_PURPOSE, change->purpose, language, &parts[2]);
    show_answer(change, OLD, language, &parts[3]);
    show_answer(change, NEW, language, &parts[4]);
    for (size_t i = 0; i < 5; i++) {
        const char *text = buf_string(&parts[i]);
        texts[i] = text ? text : "";
    }
    phrase_write(out, sentences[says].in[language],
                 (const struct place[]){{"who", texts[0]},
                                        {"field", texts[1]},
                                        {"purpose", texts[2]},
                                        {"old", texts[3]},
                                        {"new", texts[4]},
                                        {NULL, NULL}});
    show_rules(change, language, out);
    phrase_write(out, sentences[SAY_WITNESS].in[language],
                 (const struct place[]){{"witness", change->witness}, {NULL, NULL}});
    for (size_t i = 0; i < 5; i++)
        buf_finish(&parts[i]);
}

static void write_counts(const struct policy_diff *diff, enum policy_language language,
                         struct buf *out)
{
    char counts[POLICY_CHANGE_KINDS][24];
    for (size_t kind = 0; kind < POLICY_CHANGE_KINDS; kind++)
        snprintf(counts[kind], sizeof counts[kind], "%zu", diff->counts[kind]);
    phrase_write(out, sentences[SAY_COUNTS].in[language],
                 (const struct place[]){{"gains", counts[POLICY_GAINS]},
                                        {"loses", counts[POLICY_LOSES]},
                                        {"weaker", counts[POLICY_WEAKER]},
                                        {"stricter", counts[POLICY_STRICTER]},
                                        {"duties", counts[POLICY_OBLIGATIONS]},
                                        {NULL, NULL}});
}

static const enum sentence besides_sentences[BESIDES_KINDS] = {
    [BESIDES_DERIVE] = SAY_DERIVE,
    [BESIDES_TYPE] = SAY_TYPE,
    [BESIDES_SENSITIVITY] = SAY_SENSITIVITY,
    [BESIDES_FORM] = SAY_FORM,
    [BESIDES_CONSENT_DAYS] = SAY_CONSENT_DAYS,
    [BESIDES_EXPIRES] = SAY_EXPIRES,
};

static void write_besides(const struct policy_diff *diff, enum policy_language language,
                          struct buf *out)
{
    char count[24];
    char wider[24];
    for (const struct change *change = diff->deposits; change; change = change->next)
        write_sentence(diff, change,
                       change->kind == POLICY_GAINS ? SAY_MAY_DEPOSIT : SAY_MAY_NOT_DEPOSIT,
                       language, out);
    for (const struct besides *other = diff->besides; other; other = other->next) {
        phrase_write(
            out, sentences[besides_sentences[other->kind]].in[language],
            (const struct place[]){
                {"what", other->what}, {"old", other->old}, {"new", other->new}, {NULL, NULL}});
        buf_text(out, other->widens ? sentences[SAY_WIDER].in[language] : "\n");
    }
    snprintf(count, sizeof count, "%zu", diff->besides_count);
    snprintf(wider, sizeof wider, "%zu", diff->besides_wider);
    if (diff->besides_count)
        phrase_write(out, sentences[SAY_BESIDES].in[language],
                     (const struct place[]){{"count", count}, {"wider", wider}, {NULL, NULL}});
}

void policy_diff_write(const struct policy_diff *diff, enum policy_language language,
                       struct buf *out)
{
    for (const struct change *change = diff->first; change; change = change->next)
        write_sentence(diff, change, kind_sentences[change->kind], language, out);
    if (diff->is_cut)
        buf_text(out, sentences[SAY_CUT].in[language]);
    if (diff->count)
        write_counts(diff, language, out);
    else
        buf_text(out, sentences[policy_diff_is_same(diff) ? SAY_SAME : SAY_COMPUTED].in[language]);
    write_besides(diff, language, out);
}

/* --- for programs --- */

static void write_member(struct buf *out, const char *name, const char *text)
{
    buf_format(out, "\"%s\":", name);
    json_write_string(out, bytes_of_text(text));
}

static void write_who(const struct change *change, struct buf *out)
{
    buf_text(out, "\"who\":{");
    for (size_t i = 0; i < change->class_count; i++) {
        buf_text(out, i ? "," : "\"classes\":[");
        json_write_string(out, bytes_of_text(change->classes[i]));
    }
    buf_text(out, change->class_count ? "]" : "");
    if (change->service) {
        buf_text(out, change->class_count ? ",\"services\":[" : "\"services\":[");
        json_write_string(out, bytes_of_text(change->service));
        buf_byte(out, ']');
    }
    buf_byte(out, '}');
}

static void write_change(const struct change *change, const char *kind, const char *more,
                         struct buf *out)
{
    buf_byte(out, '{');
    write_member(out, "field", change->field);
    buf_format(out, ",\"kind\":\"%s\",\"new\":", kind);
    json_write_value(out, change->answers[NEW]);
    buf_text(out, ",\"old\":");
    json_write_value(out, change->answers[OLD]);
    buf_byte(out, ',');
    write_member(out, "purpose", change->purpose);
    buf_text(out, ",\"rules\":");
    json_write_value(out, change->rules);
    buf_byte(out, ',');
    write_who(change, out);
    buf_format(out, "%s,\"witness\":%s}", more, change->witness);
}

/* What the contract's "changes" have no kind for; left out if there is none. */
static void write_besides_json(const struct policy_diff *diff, struct buf *out)
{
    const char *before = ",\"besides\":[";
    for (const struct change *change = diff->deposits; change; change = change->next) {
        buf_text(out, before);
        write_change(change, "deposit",
                     change->kind == POLICY_GAINS ? ",\"widens\":true" : ",\"widens\":false", out);
        before = ",";
    }
    for (const struct besides *other = diff->besides; other; other = other->next) {
        buf_format(out, "%s{\"kind\":\"%s\",\"new\":", before, besides_name(other->kind));
        buf_text(out, other->new);
        buf_text(out, ",\"old\":");
        buf_text(out, other->old);
        buf_byte(out, ',');
        write_member(out, "what", other->what);
        buf_format(out, ",\"widens\":%s}", other->widens ? "true" : "false");
        before = ",";
    }
    buf_text(out, diff->besides_count ? "]" : "");
}

void policy_diff_write_json(const struct policy_diff *diff, struct buf *out)
{
    buf_text(out, "{\"changes\":[");
    for (const struct change *change = diff->first; change; change = change->next) {
        write_change(change, kind_names[change->kind], "", out);
        buf_text(out, change->next ? "," : "");
    }
    buf_byte(out, ']');
    write_besides_json(diff, out);
    buf_format(out, "%s,\"same\":%s}\n", diff->is_cut ? ",\"more\":true" : "",
               policy_diff_is_same(diff) ? "true" : "false");
}
