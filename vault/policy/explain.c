#include "vault/policy/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "phrases.h"
#include "question.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"
#include "walk.h"

/* A title, its id behind it: "*Date of birth* (identity.birth_date)". */
#define SHOWN_BYTES_MAX 1024

/* What explaining passes along. */
struct telling {
    const struct policy *policy;
    const struct question *question;
    enum policy_language language;
    struct buf *out;
    char purpose[SHOWN_BYTES_MAX];
    char field[SHOWN_BYTES_MAX]; /* with its id; alone, without */
    char alone[SHOWN_BYTES_MAX];
};

enum policy_language policy_language_find(struct bytes name)
{
    static const char *const names[] = {[POLICY_FR] = "fr", [POLICY_EN] = "en"};
    const size_t index = name_index(names, POLICY_LANGUAGE_COUNT, name);
    return (enum policy_language)index;
}

static void say(const struct telling *telling, enum sentence sentence, const struct place places[])
{
    phrase_write(telling->out, sentences[sentence].in[telling->language], places);
}

static const char *words(const struct telling *telling, const struct phrase *phrase)
{
    return phrase->in[telling->language];
}

/* A name as people know it; one that the bundle does not know stands as it was asked for. */
static void show(const struct telling *telling, enum policy_kind kind, uint16_t index,
                 const char *asked, bool with_id, char out[SHOWN_BYTES_MAX])
{
    const char *title =
        index == POLICY_NONE ? NULL : policy_title(telling->policy, kind, index, telling->language);
    if (!title)
        snprintf(out, SHOWN_BYTES_MAX, "*%.256s*", asked);
    else if (with_id)
        snprintf(out, SHOWN_BYTES_MAX, "*%.512s* (%.256s)", title, asked);
    else
        snprintf(out, SHOWN_BYTES_MAX, "*%.512s*", title);
}

/* --- rules --- */

static void tell_rule(const struct telling *telling, uint16_t index)
{
    const struct rule *rule = &telling->policy->rules[index];
    const char *why = policy_text(telling->policy, POLICY_RULE, index, telling->language);
    const bool based = rule->effect == EFFECT_PERMIT;
    const struct place places[] = {
        {"rule", rule->id},
        {"why", why ? why : words(telling, &sentences[SAY_NO_WHY])},
        {"basis", based ? words(telling, &basis_phrases[rule->basis]) : ""},
        {NULL, NULL},
    };
    say(telling, based ? SAY_RULE_OF_BASIS : SAY_RULE, places);
}

static bool is_unknown(const struct telling *telling, const struct condition *condition)
{
    const struct atom *atom = &telling->policy->atoms[condition->atom];
    return telling->question->request.atoms[atom->word].is_unknown >> condition->bit & 1;
}

static bool is_met(const struct telling *telling, const struct condition *condition)
{
    const struct atom *atom = &telling->policy->atoms[condition->atom];
    const struct policy_atom_word word = telling->question->request.atoms[atom->word];
    return !is_unknown(telling, condition) &&
           (word.is_true >> condition->bit & 1) == (uint64_t)condition->wanted;
}

static void tell_condition(const struct telling *telling, const struct condition *condition)
{
    const struct atom *atom = &telling->policy->atoms[condition->atom];
    const bool boolean = atom->kind == POLICY_ATOM_BOOLEAN;
    const enum sentence found = is_unknown(telling, condition) ? SAY_IS_UNKNOWN : SAY_IS_OTHERWISE;
    const struct place places[] = {
        {"atom", policy_id(telling->policy, POLICY_ATOM, condition->atom)},
        {"value", boolean ? "" : atom->values.ids[condition->bit - atom->first_bit]},
        {"found", words(telling, &sentences[found])},
        {NULL, NULL},
    };
    if (boolean)
        say(telling, condition->wanted ? SAY_NEEDS_TRUE : SAY_NEEDS_FALSE, places);
    else
        say(telling, atom->kind == POLICY_ATOM_ORDERED ? SAY_NEEDS_AT_LEAST : SAY_NEEDS_VALUE,
            places);
}

static void tell_period(const struct telling *telling, const struct rule *rule)
{
    const int64_t now_s = telling->question->request.now_s;
    const bool early = now_s < rule->from_s;
    char text[INSTANT_CHARS + 1];
    if (!early && now_s < rule->until_s)
        return;
    instant_format(text, early ? rule->from_s : rule->until_s);
    say(telling, early ? SAY_NEEDS_FROM : SAY_NEEDS_UNTIL,
        (const struct place[]){{"time", text}, {NULL, NULL}});
}

static void tell_basis(const struct telling *telling, uint16_t index, size_t ask)
{
    const struct question *question = telling->question;
    const enum policy_reason reason =
        permit_basis_reason(telling->policy, &question->request, &question->stance,
                            question->request.asks[ask].field, index);
    if (reason == REASON_RELEASED)
        return;
    char what[SHOWN_BYTES_MAX];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(sizeof what - 1);
    const struct place names[] = {
        {"field", telling->alone}, {"purpose", telling->purpose}, {NULL, NULL}};
    phrase_write(&text, words(telling, &reason_phrases[reason].what), names);
    const char *said = buf_string(&text);
    const struct place places[] = {{"field", telling->alone},
                                   {"purpose", telling->purpose},
                                   {"what", said ? said : ""},
                                   {NULL, NULL}};
    say(telling, reason == REASON_OBJECTION ? SAY_NEEDS_NO_OBJECTION : SAY_NEEDS_CONSENT, places);
}

static void tell_duties(const struct telling *telling, uint16_t index)
{
    const struct core *core = &telling->policy->table.cores[index];
    const uint16_t count = (uint16_t)policy_count(telling->policy, POLICY_OBLIGATION);
    for (uint16_t o = 0; o < count; o++) {
        if ((core->must & telling->question->request.unmet) >> o & 1)
            say(telling, SAY_NEEDS_DUTY,
                (const struct place[]){{"duty", policy_id(telling->policy, POLICY_OBLIGATION, o)},
                                       {NULL, NULL}});
    }
}

/* Everything that a permit misses, not only the first. */
static void tell_needs(const struct telling *telling, uint16_t index, size_t ask)
{
    const struct rule *rule = &telling->policy->rules[index];
    tell_period(telling, rule);
    for (size_t i = 0; i < rule->condition_count; i++) {
        if (!is_met(telling, &rule->conditions[i]))
            tell_condition(telling, &rule->conditions[i]);
    }
    tell_basis(telling, index, ask);
    tell_duties(telling, index);
}

/* --- the permits that came furthest --- */

static bool is_nearest(const struct telling *telling, size_t ask, uint16_t index,
                       enum policy_reason reason)
{
    const struct question *question = telling->question;
    const enum policy_reason stops =
        permit_reason_of(telling->policy, &question->request, &question->stance,
                         question->request.asks[ask].field, index);
    return reason == REASON_OBLIGATION ? stops == REASON_RELEASED : stops == reason;
}

static void tell_nearest(const struct telling *telling, size_t ask, enum policy_reason reason)
{
    const struct policy *policy = telling->policy;
    const struct policy_request *request = &telling->question->request;
    const struct walk walk = walk_begin(policy, &request->actor, request->purpose);
    const uint16_t field = request->asks[ask].field;
    uint16_t told[POLICY_FIELD_RULES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < walk.row_count; i++) {
        const struct cell *cell = table_cell(&policy->table, walk.rows[i], field);
        const struct reference *permits = &policy->table.references[cell->first + cell->forbids];
        for (size_t j = 0; j < cell->permits; j++) {
            if (is_nearest(telling, ask, permits[j].rule, reason))
                told[count++] = permits[j].rule;
        }
    }
    if (count)
        say(telling, SAY_RULES_NEAREST, NULL);
    count = rules_unique(told, count); /* one rule may cover a field in several rows */
    for (size_t i = 0; i < count; i++) {
        tell_rule(telling, told[i]);
        tell_needs(telling, told[i], ask);
    }
}

/* --- a field --- */

static void tell_unknowns(const struct telling *telling, uint16_t index)
{
    const struct rule *rule = &telling->policy->rules[index];
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct condition *condition = &rule->conditions[i];
        if (is_unknown(telling, condition))
            say(telling, SAY_FORBID_UNKNOWN,
                (const struct place[]){
                    {"atom", policy_id(telling->policy, POLICY_ATOM, condition->atom)},
                    {NULL, NULL}});
    }
}

/* The rules that decided. */
static void tell_deciding(const struct telling *telling, size_t ask,
                          const struct policy_outcome *outcome)
{
    uint16_t rules[POLICY_FIELD_RULES_MAX];
    const size_t count =
        policy_outcome_rules(telling->policy, &telling->question->request, ask, outcome, rules);
    if (count)
        say(telling, outcome->reason == REASON_RELEASED ? SAY_RULES_RELEASE : SAY_RULES_FORBID,
            NULL);
    for (size_t i = 0; i < count; i++) {
        tell_rule(telling, rules[i]);
        if (outcome->reason == REASON_FORBIDDEN_UNKNOWN)
            tell_unknowns(telling, rules[i]);
    }
}

static void tell_must(const struct telling *telling, size_t ask,
                      const struct policy_outcome *outcome)
{
    const struct policy *policy = telling->policy;
    if (!outcome->must)
        return;
    say(telling, SAY_DUTIES, NULL);
    bool first = true;
    const uint16_t count = (uint16_t)policy_count(policy, POLICY_OBLIGATION);
    for (uint16_t o = 0; o < count; o++) {
        if (!(outcome->must >> o & 1))
            continue;
        buf_format(telling->out, "%s %s", first ? "" : ",",
                   policy_id(policy, POLICY_OBLIGATION, o));
        if (policy_obligation_is_number(policy, o))
            buf_format(telling->out, " %" PRId64,
                       policy_outcome_must(policy, &telling->question->request, ask, outcome, o));
        first = false;
    }
    buf_text(telling->out, ".\n");
}

static void tell_release(const struct telling *telling, size_t ask,
                         const struct policy_outcome *outcome)
{
    const uint16_t field = telling->question->request.asks[ask].field;
    const uint8_t form = field_ladder(telling->policy, field)->steps[outcome->form].form;
    say(telling, SAY_RELEASED,
        (const struct place[]){{"field", telling->field},
                               {"form", form_names[form]},
                               {"words", words(telling, &form_phrases[form])},
                               {NULL, NULL}});
    tell_deciding(telling, ask, outcome);
    tell_must(telling, ask, outcome);
}

static void tell_denial(const struct telling *telling, size_t ask,
                        const struct policy_outcome *outcome)
{
    const enum policy_reason reason = (enum policy_reason)outcome->reason;
    const struct place names[] = {
        {"field", telling->alone}, {"purpose", telling->purpose}, {NULL, NULL}};
    VAULT_AUTO(buf_finish) struct buf what = buf_limited(SHOWN_BYTES_MAX * 3);
    VAULT_AUTO(buf_finish) struct buf change = buf_limited(SHOWN_BYTES_MAX * 3);
    phrase_write(&what, words(telling, &reason_phrases[reason].what), names);
    phrase_write(&change, words(telling, &reason_phrases[reason].change), names);
    const char *said = buf_string(&what);
    const char *wanted = buf_string(&change);
    say(telling, SAY_NOT_RELEASED,
        (const struct place[]){{"field", telling->field},
                               {"reason", policy_reason_name(reason)},
                               {"what", said ? said : ""},
                               {NULL, NULL}});
    tell_deciding(telling, ask, outcome);
    if (reason >= REASON_NOT_IN_FORCE && reason <= REASON_OBLIGATION)
        tell_nearest(telling, ask, reason);
    say(telling, SAY_CHANGE,
        (const struct place[]){{"change", wanted ? wanted : ""}, {NULL, NULL}});
}

/* --- a request --- */

static void tell_request(const struct telling *telling, const json_t *root)
{
    const json_t *service = json_object_get(root, "service");
    say(telling, SAY_REQUEST,
        (const struct place[]){{"id", telling->question->id},
                               {"time", json_string_value(json_object_get(root, "now"))},
                               {"service", json_string_value(json_object_get(service, "id"))},
                               {"purpose", telling->purpose},
                               {NULL, NULL}});
}

static enum vault_code tell(struct telling *telling, const json_t *root, struct arena *arena,
                            struct vault_error *err)
{
    const struct question *question = telling->question;
    const size_t count = question->request.ask_count;
    struct policy_outcome *outcomes = arena_take(arena, count, sizeof *outcomes);
    struct bytes *values = arena_take(arena, count, sizeof *values);
    if (!outcomes || !values)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(question_decide(telling->policy, question, arena, outcomes, values, err));
    show(telling, POLICY_PURPOSE, question->request.purpose,
         json_string_value(json_object_get(root, "purpose")), false, telling->purpose);
    tell_request(telling, root);
    for (size_t i = 0; i < count; i++) {
        const uint16_t field = question->request.asks[i].field;
        show(telling, POLICY_FIELD, field, question->names[i], true, telling->field);
        show(telling, POLICY_FIELD, field, question->names[i], false, telling->alone);
        if (outcomes[i].reason == REASON_RELEASED)
            tell_release(telling, i, &outcomes[i]);
        else
            tell_denial(telling, i, &outcomes[i]);
    }
    return VAULT_OK;
}

enum vault_code policy_explain(const struct policy *policy, struct bytes request,
                               enum policy_language language, struct buf *out,
                               struct vault_error *err)
{
    struct question question;
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_AUTO(arena_finish) struct arena arena = {NULL};
    VAULT_AUTO(reader_finish) struct reader reader = reader_over(NULL, request, NULL, err);
    if (request.size > QUESTION_BYTES_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "the request is too long");
    VAULT_TRY(reader_parse(&reader, &root));
    VAULT_TRY(question_read(policy, &reader, root, &arena, &question));
    struct telling telling = {
        .policy = policy, .question = &question, .language = language, .out = out};
    VAULT_TRY(tell(&telling, root, &arena, err));
    return buf_check(out, err);
}
