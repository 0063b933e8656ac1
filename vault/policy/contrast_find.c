/* The questions of contrast.h: what must apply and what must not for each way in which two bundles
 * can differ, and at which times that is asked. */
#include <stdlib.h>
#include <string.h>

#include "contrast.h"
#include "vault/base/clock.h"

/* Beginnings and ends of all rules of a place, the second before the first of them, and a time to
 * begin with. */
#define INSTANTS_MAX (8 * CONTRAST_RULES_MAX + 2)

/* Any day will do where nothing depends on it: 2027-01-01. */
#define SOME_DAY_S   INT64_C(1798761600)
#define FIRST_S      INT64_C(-62135596800) /* 0001-01-01 */
#define LAST_S       INT64_C(253402214400) /* 9999-12-31 */

/* No form is asked for, and a consent allows any. */
static const struct contrast_wish no_wish = {FORM_COUNT, FORM_COUNT};

/* --- questions --- */

static bool is_in_force(const struct contrast *contrast, size_t side, uint16_t rule)
{
    const struct rule *at = contrast_rule(contrast, side, rule);
    return contrast->now_s >= at->from_s && contrast->now_s < at->until_s;
}

static bool rests_on_consent(const struct contrast *contrast, size_t side, uint16_t rule)
{
    return contrast_rule(contrast, side, rule)->basis == POLICY_CONSENT;
}

static void no_forbid(struct contrast *contrast, size_t side)
{
    const struct contrast_side *own = &contrast->sides[side];
    for (size_t i = 0; i < own->forbid_count; i++) {
        if (is_in_force(contrast, side, own->forbids[i]))
            circumstance_applies_not(&contrast->found, side,
                                     contrast_rule(contrast, side, own->forbids[i]));
    }
}

/* Begin a question: this permit releases on this side. */
static void begin(struct contrast *contrast, size_t side, uint16_t permit)
{
    arena_reset(&contrast->scratch);
    circumstance_begin(&contrast->found, &contrast->scratch, contrast->sides[OLD].policy,
                       contrast->sides[NEW].policy);
    circumstance_applies(&contrast->found, side, contrast_rule(contrast, side, permit));
    no_forbid(contrast, side);
}

static void also_releases(struct contrast *contrast, size_t side, uint16_t permit)
{
    circumstance_applies(&contrast->found, side, contrast_rule(contrast, side, permit));
    no_forbid(contrast, side);
}

static bool find(struct contrast *contrast)
{
    const bool found = circumstance_find(&contrast->found);
    contrast->no_memory = contrast->no_memory || contrast->found.no_memory;
    return found;
}

/* --- released here, denied there --- */

static bool no_permit_there(struct contrast *contrast, size_t here, uint16_t permit)
{
    const size_t there = !here;
    const struct contrast_side *side = &contrast->sides[there];
    begin(contrast, here, permit);
    for (size_t i = 0; i < side->permit_count; i++) {
        if (is_in_force(contrast, there, side->permits[i]))
            circumstance_applies_not(&contrast->found, there,
                                     contrast_rule(contrast, there, side->permits[i]));
    }
    return find(contrast);
}

static bool forbidden_there(struct contrast *contrast, size_t here, uint16_t permit)
{
    const size_t there = !here;
    const struct contrast_side *side = &contrast->sides[there];
    bool found = false;
    for (size_t i = 0; i < side->forbid_count && !found; i++) {
        if (!is_in_force(contrast, there, side->forbids[i]))
            continue;
        begin(contrast, here, permit);
        circumstance_applies(&contrast->found, there,
                             contrast_rule(contrast, there, side->forbids[i]));
        found = find(contrast);
    }
    return found;
}

/* Of a consent to a form that only the ladder here has, or a request that asks for one: there it
 * covers nothing, here it does. The consent is looked for first: it is what stands already. */
static bool by_name_only_here(struct contrast *contrast, size_t here, uint16_t permit)
{
    const struct contrast_side *there = &contrast->sides[!here];
    const uint8_t form = contrast->sides[here].alone.form;
    if (form == FORM_COUNT)
        return false;
    if (rests_on_consent(contrast, here, permit)) {
        begin(contrast, here, permit);
        for (size_t i = 0; i < there->permit_count; i++) {
            if (is_in_force(contrast, !here, there->permits[i]) &&
                !rests_on_consent(contrast, !here, there->permits[i]))
                circumstance_applies_not(&contrast->found, !here,
                                         contrast_rule(contrast, !here, there->permits[i]));
        }
        contrast->wish = (struct contrast_wish){.asked = FORM_COUNT, .consented = form};
        if (find(contrast))
            return true;
    }
    begin(contrast, here, permit);
    contrast->wish = (struct contrast_wish){.asked = form, .consented = FORM_COUNT};
    return find(contrast);
}

static bool only_here(struct contrast *contrast, size_t here)
{
    const struct contrast_side *side = &contrast->sides[here];
    bool found = false;
    for (size_t i = 0; i < side->permit_count && !found; i++) {
        contrast->wish = no_wish;
        found = is_in_force(contrast, here, side->permits[i]) &&
                (no_permit_there(contrast, here, side->permits[i]) ||
                 forbidden_there(contrast, here, side->permits[i]));
    }
    for (size_t i = 0; i < side->permit_count && !found; i++)
        found = is_in_force(contrast, here, side->permits[i]) &&
                by_name_only_here(contrast, here, side->permits[i]);
    return found;
}

/* --- released on both, in a stricter form or under more obligations here --- */

/* What a permit here brings that the other side must lack: a form of this rank, or a duty. */
struct surplus {
    uint16_t rank;
    bool by_consent;       /* the rank comes from the consent, which permits there must not use */
    bool only_here;        /* the consent names a form that there covers nothing */
    const struct due *due; /* NULL: it is about the form */
};

/* Whether a permit there brings as much, so that the surplus would not show. */
static bool makes_up(const struct contrast *contrast, size_t here, size_t permit,
                     const struct surplus *surplus)
{
    const size_t there = !here;
    const struct policy *own = contrast->sides[here].policy;
    const struct policy *other = contrast->sides[there].policy;
    const uint16_t number = contrast->sides[there].permits[permit];
    if (!surplus->due)
        return contrast->sides[there].ranks[permit] >= surplus->rank ||
               (surplus->by_consent && rests_on_consent(contrast, there, number));
    const char *id = policy_id(own, POLICY_OBLIGATION, surplus->due->obligation);
    const bool is_number = own->obligation_is_number[surplus->due->obligation];
    const struct rule *rule = contrast_rule(contrast, there, number);
    for (size_t i = 0; i < rule->due_count; i++) {
        const struct due *due = &rule->dues[i];
        if (strcmp(policy_id(other, POLICY_OBLIGATION, due->obligation), id) == 0)
            return other->obligation_is_number[due->obligation] == is_number &&
                   (!is_number || due->value <= surplus->due->value);
    }
    return false;
}

/* Whether a permit there could apply at all. */
static bool counts(const struct contrast *contrast, size_t there, uint16_t permit,
                   const struct surplus *surplus)
{
    return is_in_force(contrast, there, permit) &&
           !(surplus->only_here && rests_on_consent(contrast, there, permit));
}

/* Whether the permit here can show its surplus while some permit there releases too. */
static bool shows(struct contrast *contrast, size_t here, uint16_t permit,
                  const struct surplus *surplus)
{
    const size_t there = !here;
    const struct contrast_side *side = &contrast->sides[there];
    bool found = false;
    for (size_t i = 0; i < side->permit_count && !found; i++) {
        if (!counts(contrast, there, side->permits[i], surplus) ||
            makes_up(contrast, here, i, surplus))
            continue;
        begin(contrast, here, permit);
        also_releases(contrast, there, side->permits[i]);
        for (size_t j = 0; j < side->permit_count; j++) {
            if (counts(contrast, there, side->permits[j], surplus) &&
                makes_up(contrast, here, j, surplus))
                circumstance_applies_not(&contrast->found, there,
                                         contrast_rule(contrast, there, side->permits[j]));
        }
        found = find(contrast);
    }
    return found;
}

static bool shows_with(struct contrast *contrast, size_t here, uint16_t permit,
                       const struct surplus *surplus, uint8_t asked, uint8_t consented)
{
    contrast->wish = (struct contrast_wish){.asked = asked, .consented = consented};
    return shows(contrast, here, permit, surplus);
}

static uint16_t largest(uint16_t a, uint16_t b, uint16_t c)
{
    const uint16_t larger = a > b ? a : b;
    return larger > c ? larger : c;
}

/* What makes a form strict: the permit, what is asked for, what was consented to. Of those asked
 * for only the ones that have come to mean something else can tell the bundles apart. */
static bool permit_is_stricter(struct contrast *contrast, size_t here, size_t at)
{
    const struct contrast_side *side = &contrast->sides[here];
    const uint16_t permit = side->permits[at];
    const uint16_t rank = side->ranks[at];
    const struct surplus own = {.rank = rank};
    const struct surplus asked = {.rank = side->coarser.rank};
    const struct surplus of_consent = {.rank = side->shared.rank, .by_consent = true};
    const struct surplus alone = {.rank = largest(rank, side->alone.rank, side->coarser.rank),
                                  .only_here = true};
    if (shows_with(contrast, here, permit, &own, FORM_COUNT, FORM_COUNT))
        return true;
    if (rests_on_consent(contrast, here, permit) &&
        (shows_with(contrast, here, permit, &of_consent, FORM_COUNT, side->shared.form) ||
         (side->alone.form != FORM_COUNT &&
          shows_with(contrast, here, permit, &alone, side->coarser.form, side->alone.form))))
        return true;
    return side->coarser.form != FORM_COUNT &&
           shows_with(contrast, here, permit, &asked, side->coarser.form, FORM_COUNT);
}

static bool stricter_here(struct contrast *contrast, size_t here)
{
    const struct contrast_side *side = &contrast->sides[here];
    bool found = false;
    for (size_t i = 0; i < side->permit_count && !found; i++)
        found =
            is_in_force(contrast, here, side->permits[i]) && permit_is_stricter(contrast, here, i);
    return found;
}

static bool brings_duty(struct contrast *contrast, size_t here, uint16_t permit,
                        const struct due *due)
{
    const struct contrast_side *side = &contrast->sides[here];
    const struct surplus always = {.due = due};
    const struct surplus alone = {.due = due, .only_here = true};
    return shows_with(contrast, here, permit, &always, FORM_COUNT, FORM_COUNT) ||
           (side->alone.form != FORM_COUNT && rests_on_consent(contrast, here, permit) &&
            shows_with(contrast, here, permit, &alone, FORM_COUNT, side->alone.form));
}

static bool more_obligations_here(struct contrast *contrast, size_t here)
{
    const struct contrast_side *side = &contrast->sides[here];
    bool found = false;
    for (size_t i = 0; i < side->permit_count && !found; i++) {
        const struct rule *rule = contrast_rule(contrast, here, side->permits[i]);
        for (size_t j = 0; j < rule->due_count && !found; j++)
            found = is_in_force(contrast, here, side->permits[i]) &&
                    brings_duty(contrast, here, side->permits[i], &rule->dues[j]);
    }
    return found;
}

/* --- at every time that matters --- */

static void add_instant(const struct contrast *contrast, int64_t instant_s, int64_t instants[],
                        size_t *count)
{
    if (instant_s >= FIRST_S && instant_s < LAST_S && instant_s >= contrast->from_s &&
        instant_s < contrast->to_s)
        instants[(*count)++] = instant_s;
}

static void add_instants(const struct contrast *contrast, size_t side, const uint16_t rules[],
                         size_t rule_count, int64_t instants[], size_t *count)
{
    for (size_t i = 0; i < rule_count; i++) {
        const struct rule *rule = contrast_rule(contrast, side, rules[i]);
        add_instant(contrast, rule->from_s, instants, count);
        add_instant(contrast, rule->until_s, instants, count);
    }
}

static int by_time(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a;
    const int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* A time before all changes: when both bundles begin to be available, or the second before the
 * first change, or any day. */
static int64_t begin_of_time(const struct contrast *contrast, const int64_t instants[],
                             size_t count)
{
    if (contrast->from_s != INT64_MIN)
        return contrast->from_s;
    if (count && instants[0] > FIRST_S)
        return instants[0] - 1;
    return SOME_DAY_S < contrast->to_s ? SOME_DAY_S : contrast->to_s - 1;
}

/* Times at which the rules in force change, each once, and the time before. */
static size_t instants_of(const struct contrast *contrast, int64_t instants[INSTANTS_MAX])
{
    size_t count = 0;
    for (size_t s = 0; s < SIDES; s++) {
        const struct contrast_side *side = &contrast->sides[s];
        add_instants(contrast, s, side->forbids, side->forbid_count, instants, &count);
        add_instants(contrast, s, side->permits, side->permit_count, instants, &count);
    }
    qsort(instants, count, sizeof *instants, by_time);
    instants[count] = begin_of_time(contrast, instants, count);
    count++;
    qsort(instants, count, sizeof *instants, by_time);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || instants[kept - 1] != instants[i])
            instants[kept++] = instants[i];
    }
    return kept;
}

static bool find_now(struct contrast *contrast, enum contrast_way way)
{
    switch (way) {
    case WAY_GAINS:
        return only_here(contrast, NEW);
    case WAY_LOSES:
        return only_here(contrast, OLD);
    case WAY_WEAKER:
        return stricter_here(contrast, OLD);
    case WAY_STRICTER:
        return stricter_here(contrast, NEW);
    case WAY_RELAXED:
        return more_obligations_here(contrast, OLD);
    case WAY_TIGHTENED:
        return more_obligations_here(contrast, NEW);
    case WAY_COUNT:
        break;
    }
    return false;
}

bool contrast_find(struct contrast *contrast, enum contrast_way way)
{
    int64_t instants[INSTANTS_MAX];
    const size_t count = instants_of(contrast, instants);
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        contrast->now_s = instants[i];
        found = find_now(contrast, way);
    }
    return found;
}
