#include "vault/policy/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "effects.h"
#include "report.h"
#include "vault/base/clock.h"

#define DAY_S 86400

/* A list of names in a sentence: "a, b and 3 more". */
struct listed {
    char text[256];
    size_t count;
};

#define LISTED_MAX 3

static void list_name(struct listed *listed, const char *name)
{
    const size_t used = strlen(listed->text);
    if (listed->count < LISTED_MAX)
        snprintf(listed->text + used, sizeof listed->text - used, "%s%.64s",
                 listed->count ? ", " : "", name);
    listed->count++;
}

static const char *listed_text(struct listed *listed)
{
    const size_t used = strlen(listed->text);
    if (listed->count > LISTED_MAX)
        snprintf(listed->text + used, sizeof listed->text - used, " and %zu more",
                 listed->count - LISTED_MAX);
    listed->count = 0;
    return listed->text;
}

static struct listed list_rules(const struct policy *policy, const uint16_t rules[], size_t count)
{
    struct listed listed = {.text = ""};
    for (size_t i = 0; i < count; i++)
        list_name(&listed, policy_id(policy, POLICY_RULE, rules[i]));
    return listed;
}

/* Names the fields that a rule covers and that are so. */
typedef bool is_so(const struct policy *policy, uint16_t field);

static struct listed list_fields(const struct policy *policy, const struct rule *rule, is_so *so)
{
    struct listed listed = {.text = ""};
    for (size_t i = 0; i < rule->fields.count; i++) {
        for (uint16_t f = rule->fields.spans[i].from; f < rule->fields.spans[i].to; f++) {
            if (so(policy, f))
                list_name(&listed, policy_id(policy, POLICY_FIELD, f));
        }
    }
    return listed;
}

static bool is_special(const struct policy *policy, uint16_t field)
{
    return policy->fields[field].special;
}

static bool has_no_title(const struct policy *policy, uint16_t field)
{
    return !policy_title(policy, POLICY_FIELD, field, POLICY_FR);
}

/* --- one rule by itself --- */

static void check_law(struct policy_report *report, uint16_t index)
{
    const struct policy *policy = report->policy;
    const struct rule *rule = &policy->rules[index];
    if (rule->effect != EFFECT_PERMIT)
        return;
    struct listed special = list_fields(policy, rule, is_special);
    if (!rule->article9 && special.count)
        report_add(report, true, "article9_missing", &index, 1,
                   "permits special categories of data without \"article9\": %s",
                   listed_text(&special));
    struct listed untitled = list_fields(policy, rule, has_no_title);
    if (rule->basis == POLICY_CONSENT && untitled.count)
        report_add(report, true, "no_title", &index, 1,
                   "rests on consent to what no consent screen can show, for want of a title: %s",
                   listed_text(&untitled));
}

static void check_wording(struct policy_report *report, uint16_t index, int64_t now_s)
{
    const struct rule *rule = &report->policy->rules[index];
    if (rule->effect == EFFECT_PERMIT && rule->wildcard)
        report_add(report, false, "wildcard_permit", &index, 1,
                   "permits by \"any\" or a wildcard: fields added to the catalogue later will be "
                   "released too");
    for (size_t i = 0; i < rule->empty_count; i++)
        report_add(report, false, "empty_wildcard", &index, 1, "names %s, which no field matches",
                   rule->empties[i]);
    if (rule->stray_releases)
        report_add(report, false, "stray_release", &index, 1,
                   "names a form for %u field%s that it does not cover",
                   (unsigned)rule->stray_releases, rule->stray_releases == 1 ? "" : "s");
    if (rule->until_s == INT64_MAX || rule->until_s <= rule->from_s ||
        rule->until_s > now_s + (int64_t)POLICY_ENDS_SOON_DAYS * DAY_S)
        return;
    char until[INSTANT_CHARS + 1];
    instant_format(until, rule->until_s);
    report_add(report, false, "ends_soon", &index, 1, "%s on %s",
               rule->until_s <= now_s ? "ended" : "ends", until);
}

/* --- one rule among the others --- */

/* true if the rule can apply at all. */
static bool check_applies(struct policy_report *report, uint16_t index,
                          const struct effect_of_rule *effect)
{
    const struct rule *rule = &report->policy->rules[index];
    if (rule->until_s <= rule->from_s)
        report_add(report, true, "never_applies", &index, 1,
                   "can never apply: its period is empty");
    else if (!effect->covers)
        report_add(report, true, "never_applies", &index, 1,
                   "can never apply: it covers no field for any class and purpose");
    return rule->until_s > rule->from_s && effect->covers;
}

/* The rule and those it is lost among, in ascending order. */
static size_t with_rivals(uint16_t index, const struct effect_of_rule *effect,
                          uint16_t out[EFFECT_RIVALS_MAX + 1])
{
    size_t count = 0;
    bool placed = false;
    for (size_t i = 0; i <= effect->rival_count; i++) {
        const bool last = i == effect->rival_count;
        if (!placed && (last || effect->rivals[i] > index)) {
            out[count++] = index;
            placed = true;
        }
        if (!last)
            out[count++] = effect->rivals[i];
    }
    return count;
}

static void check_permit(struct policy_report *report, uint16_t index,
                         struct effect_of_rule *effect)
{
    uint16_t rules[EFFECT_RIVALS_MAX + 1];
    effect->rival_count = rules_unique(effect->rivals, effect->rival_count);
    const size_t count = with_rivals(index, effect, rules);
    struct listed rivals = list_rules(report->policy, effect->rivals, effect->rival_count);
    const char *id = policy_id(report->policy, POLICY_RULE, index);
    if (!effect->releases)
        report_add(report, false, "overridden", rules, count,
                   "%s never releases anything: wherever it applies, a forbid does too (%s)", id,
                   listed_text(&rivals));
    else if (!effect->matters)
        report_add(report, false, "shadowed", rules, count,
                   "without %s nothing would change: other permits release the same (%s)", id,
                   listed_text(&rivals));
}

static void check_effect(struct policy_report *report, uint16_t index,
                         struct effect_of_rule *effect, bool exercised)
{
    const struct rule *rule = &report->policy->rules[index];
    if (!check_applies(report, index, effect))
        return;
    if (rule->effect == EFFECT_PERMIT)
        check_permit(report, index, effect);
    if (rule->effect == EFFECT_FORBID && !effect->hits)
        report_add(report, false, "forbids_nothing", &index, 1,
                   "forbids nothing that any rule permits");
    if (!exercised)
        report_add(report, false, "not_exercised", &index, 1,
                   "decides nothing in any test that passes");
}

/* --- the bundle as a whole --- */

static void check_mixed(struct policy_report *report, const struct mixed_forms *mixed)
{
    const struct policy *policy = report->policy;
    for (; mixed; mixed = mixed->next) {
        char more[32] = "";
        if (mixed->cell_count > 1)
            snprintf(more, sizeof more, ", and %zu more", mixed->cell_count - 1);
        report_add(report, false, "mixed_forms", mixed->rules, mixed->rule_count,
                   "apply together and give different forms, of which the strictest counts: "
                   "%.64s for %.64s%s",
                   policy_id(policy, POLICY_FIELD, mixed->field),
                   policy_id(policy, POLICY_PURPOSE, mixed->purpose), more);
    }
}

static void check_permitted(struct policy_report *report)
{
    const struct policy *policy = report->policy;
    for (int kind = POLICY_PURPOSE; kind <= POLICY_CLASS; kind++) {
        for (uint16_t i = 0; i < policy->names[kind].count; i++) {
            bool permitted = false;
            for (size_t r = 0; r < policy->rule_count && !permitted; r++) {
                const struct rule *rule = &policy->rules[r];
                permitted = rule->effect == EFFECT_PERMIT &&
                            spans_have(kind == POLICY_CLASS ? &rule->classes : &rule->purposes, i);
            }
            if (!permitted)
                report_add(report, false, "no_permit", NULL, 0, "nothing is permitted %s %s",
                           kind == POLICY_CLASS ? "to the class" : "for the purpose",
                           policy_id(policy, (enum policy_kind)kind, i));
        }
    }
}

static void note_failure(void *context, const char *file, const char *name, const char *what)
{
    struct policy_report *report = context;
    report_add(report, true, "test_fails", NULL, 0, "%.80s: %.200s: %.600s", file, name, what);
}

static void scratch_finish(struct arena *arena)
{
    arena_finish(arena);
}

static enum vault_code check_rules(struct policy_report *report, const bool exercised[],
                                   int64_t now_s, struct vault_error *err)
{
    VAULT_AUTO(scratch_finish) struct arena scratch = {NULL};
    struct effects effects;
    VAULT_TRY(effects_find(report->policy, &scratch, &effects, err));
    for (size_t i = 0; i < report->policy->rule_count; i++) {
        check_law(report, (uint16_t)i);
        check_wording(report, (uint16_t)i, now_s);
        check_effect(report, (uint16_t)i, &effects.rules[i], exercised[i]);
    }
    check_mixed(report, effects.mixed);
    return VAULT_OK;
}

enum vault_code policy_check(const struct policy *policy, const struct bundle *bundle,
                             int64_t now_s, struct policy_report **out, struct vault_error *err)
{
    VAULT_AUTO(policy_report_free) struct policy_report *report = calloc(1, sizeof *report);
    if (!report)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    report->policy = policy;
    bool *exercised = arena_take(&report->arena, policy->rule_count, sizeof *exercised);
    if (!exercised)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(
        policy_cases_run(policy, bundle, note_failure, report, exercised, &report->cases, err));
    VAULT_TRY(check_rules(report, exercised, now_s, err));
    check_permitted(report);
    VAULT_TRY(report_settle(report, err));
    *out = VAULT_TAKE(report);
    return VAULT_OK;
}
