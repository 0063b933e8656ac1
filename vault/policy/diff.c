#include "vault/policy/diff.h"

#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "vault/base/json.h"
#include "walk.h"

/* A name of either bundle and its number in each; POLICY_NONE where it is not. */
struct shared {
    const char *id;
    uint16_t on[SIDES];
};

struct shared_names {
    struct shared *names; /* sorted by id */
    size_t count;
};

/* What is known of a class while one field is looked at. */
struct class_state {
    bool has_rows; /* it is told apart from others: by rules for this purpose, or by one bundle
                       not knowing it */
    bool differs;  /* its rules for the field are not the same on both sides */
    uint8_t seen;  /* the set of ways in which it shows that by itself */
};

struct comparison {
    struct policy_diff *diff;
    struct vault_error *err;
    struct contrast contrast;
    struct shared_names names[POLICY_KIND_COUNT]; /* fields, purposes, classes, services */
    struct class_state *classes;
    bool *named; /* of each service: it has rows for the purpose */
    const struct shared *purpose;
    const struct shared *field;
    size_t plain; /* a class that no rule names, or the number of classes */
};

/* Who is looked at: places among the names; SIZE_MAX is none. */
struct who {
    size_t service;
    size_t classes[CHANGE_CLASSES_MAX];
    size_t class_count;
};

static void comparison_finish(struct comparison *comparison)
{
    contrast_finish(&comparison->contrast);
}

static void finish_changes(struct change *first)
{
    for (struct change *change = first; change; change = change->next) {
        json_free(&change->answers[OLD]);
        json_free(&change->answers[NEW]);
        json_free(&change->rules);
    }
}

void policy_diff_free(struct policy_diff **diff)
{
    if (!*diff)
        return;
    finish_changes((*diff)->first);
    finish_changes((*diff)->deposits);
    arena_finish(&(*diff)->arena);
    free(*diff);
    *diff = NULL;
}

/* --- the names of both bundles --- */

static enum vault_code share(struct comparison *comparison, enum policy_kind kind)
{
    const struct names *old = &comparison->diff->sides[OLD]->names[kind];
    const struct names *new = &comparison->diff->sides[NEW]->names[kind];
    struct shared_names *out = &comparison->names[kind];
    out->names = arena_take(&comparison->diff->arena, old->count + new->count, sizeof *out->names);
    if (!out->names)
        return vault_fail(comparison->err, VAULT_NO_MEMORY, "out of memory");
    for (size_t i = 0, j = 0; i < old->count || j < new->count;) {
        const int order = i == old->count   ? 1
                          : j == new->count ? -1
                                            : strcmp(old->ids[i], new->ids[j]);
        struct shared *name = &out->names[out->count++];
        *name = (struct shared){order <= 0 ? old->ids[i] : new->ids[j], {POLICY_NONE, POLICY_NONE}};
        if (order <= 0)
            name->on[OLD] = (uint16_t)i++;
        if (order >= 0)
            name->on[NEW] = (uint16_t)j++;
    }
    return VAULT_OK;
}

/* --- one place --- */

static void take_side(struct comparison *comparison, const struct who *who, size_t index)
{
    struct contrast_side *side = &comparison->contrast.sides[index];
    const struct shared *services = comparison->names[POLICY_SERVICE].names;
    const struct shared *classes = comparison->names[POLICY_CLASS].names;
    side->actor = (struct policy_actor){.service = POLICY_NONE};
    if (who->service != SIZE_MAX)
        side->actor.service = services[who->service].on[index];
    for (size_t i = 0; i < who->class_count; i++) {
        const uint16_t class = classes[who->classes[i]].on[index];
        if (class != POLICY_NONE)
            side->actor.classes[side->actor.class_count++] = class;
    }
    side->purpose = comparison->purpose->on[index];
    side->field = comparison->field->on[index];
}

static void go(struct comparison *comparison, const struct who *who)
{
    take_side(comparison, who, OLD);
    take_side(comparison, who, NEW);
    contrast_go(&comparison->contrast);
}

static struct change_place place_of(const struct comparison *comparison, const struct who *who)
{
    struct change_place place = {.class_count = who->class_count,
                                 .purpose = comparison->purpose->id,
                                 .field = comparison->field->id};
    if (who->service != SIZE_MAX) {
        place.service = comparison->names[POLICY_SERVICE].names[who->service].id;
        place.any_class = who->class_count == 1 && who->classes[0] == comparison->plain;
    }
    for (size_t i = 0; i < who->class_count; i++)
        place.classes[i] = comparison->names[POLICY_CLASS].names[who->classes[i]].id;
    return place;
}

/* Look for every way but those that a part of who shows already; the set found is added to *seen.
 */
static enum vault_code look(struct comparison *comparison, const struct who *who, uint8_t known,
                            uint8_t *seen)
{
    const struct change_place place = place_of(comparison, who);
    *seen = 0;
    if (contrast_is_plain(&comparison->contrast))
        return VAULT_OK;
    const unsigned ways = comparison->contrast.deposits ? WAY_LOSES + 1 : WAY_COUNT;
    for (unsigned way = 0; way < ways; way++) {
        const bool told = way == WAY_TIGHTENED && *seen >> WAY_RELAXED & 1;
        if (known >> way & 1 || told || !contrast_find(&comparison->contrast, way))
            continue;
        *seen |= (uint8_t)(1U << way);
        VAULT_TRY(
            change_add(comparison->diff, &place, &comparison->contrast, way, comparison->err));
    }
    return comparison->contrast.no_memory
               ? vault_fail(comparison->err, VAULT_NO_MEMORY, "out of memory")
               : VAULT_OK;
}

/* --- who --- */

static enum vault_code look_at_classes(struct comparison *comparison)
{
    bool plain_is_same = false;
    for (size_t c = 0; c < comparison->names[POLICY_CLASS].count; c++) {
        struct class_state *state = &comparison->classes[c];
        const struct who who = {SIZE_MAX, {c}, 1};
        state->seen = 0;
        state->differs = false;
        if (!state->has_rows && plain_is_same)
            continue;
        go(comparison, &who);
        state->differs = !contrast_is_same(&comparison->contrast);
        VAULT_TRY(look(comparison, &who, 0, &state->seen));
        plain_is_same = plain_is_same || (!state->has_rows && !state->seen);
    }
    return VAULT_OK;
}

/* Services of two classes, of which each by itself may show nothing. A class of which no rule
 * speaks adds nothing to another. */
static enum vault_code look_at_pairs(struct comparison *comparison)
{
    const size_t count = comparison->names[POLICY_CLASS].count;
    const struct class_state *classes = comparison->classes;
    uint8_t seen;
    for (size_t c = 0; c < count; c++) {
        for (size_t d = c + 1; d < count && classes[c].has_rows; d++) {
            const struct who who = {SIZE_MAX, {c, d}, 2};
            if (!classes[d].has_rows || !(classes[c].differs || classes[d].differs))
                continue;
            go(comparison, &who);
            VAULT_TRY(look(comparison, &who, classes[c].seen | classes[d].seen, &seen));
        }
    }
    return VAULT_OK;
}

static bool is_on(const struct comparison *comparison, size_t class, size_t side)
{
    return comparison->names[POLICY_CLASS].names[class].on[side] != POLICY_NONE;
}

/* A service with a class that only the old bundle knows and one that only the new one does. */
static enum vault_code look_at_renamed(struct comparison *comparison, size_t service,
                                       const uint8_t known[])
{
    const size_t count = comparison->names[POLICY_CLASS].count;
    uint8_t seen = 0;
    for (size_t c = 0; c < count; c++) {
        for (size_t d = 0; d < count && !is_on(comparison, c, NEW); d++) {
            const struct who who = {service, {c < d ? c : d, c < d ? d : c}, 2};
            if (is_on(comparison, d, OLD))
                continue;
            go(comparison, &who);
            VAULT_TRY(look(comparison, &who, known[c] | known[d], &seen));
        }
    }
    return VAULT_OK;
}

/* A service that rules name, with each class; classes that no rule names are alike, and stand for
 * any. */
static enum vault_code look_at_service(struct comparison *comparison, size_t service,
                                       uint8_t known[])
{
    const size_t count = comparison->names[POLICY_CLASS].count;
    uint8_t of_any = 0;
    if (comparison->plain < count) {
        const struct who who = {service, {comparison->plain}, 1};
        go(comparison, &who);
        VAULT_TRY(look(comparison, &who, comparison->classes[comparison->plain].seen, &of_any));
    }
    for (size_t c = 0; c < count; c++) {
        const struct who who = {service, {c}, 1};
        uint8_t seen = 0;
        known[c] = comparison->classes[c].seen | of_any;
        if (!comparison->classes[c].has_rows)
            continue;
        go(comparison, &who);
        VAULT_TRY(look(comparison, &who, known[c], &seen));
        known[c] |= seen;
    }
    return look_at_renamed(comparison, service, known);
}

static enum vault_code look_at_field(struct comparison *comparison)
{
    VAULT_TRY(look_at_classes(comparison));
    VAULT_TRY(look_at_pairs(comparison));
    for (size_t s = 0; s < comparison->names[POLICY_SERVICE].count; s++) {
        uint8_t known[2 * POLICY_CLASSES_MAX] = {0};
        if (comparison->named[s])
            VAULT_TRY(look_at_service(comparison, s, known));
    }
    return VAULT_OK;
}

/* --- purposes --- */

static bool has_rows(const struct policy *policy, size_t actor, uint16_t purpose)
{
    const struct table *table = &policy->table;
    return purpose != POLICY_NONE &&
           (table_row(table, actor, purpose) || table_row(table, actor, table->purpose_count - 1));
}

static bool is_named(const struct comparison *comparison, const struct shared *name, bool service)
{
    bool named = false;
    for (size_t side = 0; side < SIDES; side++) {
        const struct policy *policy = comparison->diff->sides[side];
        const size_t first = service ? policy->names[POLICY_CLASS].count : 0;
        named = named || (name->on[side] == POLICY_NONE ? !service
                                                        : has_rows(policy, first + name->on[side],
                                                                   comparison->purpose->on[side]));
    }
    return named;
}

static enum vault_code look_at_purpose(struct comparison *comparison)
{
    const struct shared_names *classes = &comparison->names[POLICY_CLASS];
    const struct shared_names *services = &comparison->names[POLICY_SERVICE];
    const struct shared_names *fields = &comparison->names[POLICY_FIELD];
    comparison->plain = classes->count;
    for (size_t c = classes->count; c-- > 0;) {
        comparison->classes[c].has_rows = is_named(comparison, &classes->names[c], false);
        if (!comparison->classes[c].has_rows)
            comparison->plain = c;
    }
    for (size_t s = 0; s < services->count; s++)
        comparison->named[s] = is_named(comparison, &services->names[s], true);
    for (size_t f = 0; f < fields->count; f++) {
        comparison->field = &fields->names[f];
        VAULT_TRY(look_at_field(comparison));
    }
    return VAULT_OK;
}

static enum vault_code look_at_purposes(struct comparison *comparison)
{
    for (size_t p = 0; p < comparison->names[POLICY_PURPOSE].count; p++) {
        comparison->purpose = &comparison->names[POLICY_PURPOSE].names[p];
        VAULT_TRY(look_at_purpose(comparison));
    }
    return VAULT_OK;
}

static bool has_deposits(const struct policy *policy)
{
    bool found = false;
    for (size_t i = 0; i < policy->rule_count && !found; i++)
        found = policy->rules[i].effect == EFFECT_DEPOSIT;
    return found;
}

static enum vault_code compare(struct comparison *comparison)
{
    static const enum policy_kind kinds[] = {POLICY_FIELD, POLICY_PURPOSE, POLICY_CLASS,
                                             POLICY_SERVICE};
    struct arena *arena = &comparison->diff->arena;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        VAULT_TRY(share(comparison, kinds[i]));
    comparison->classes =
        arena_take(arena, comparison->names[POLICY_CLASS].count, sizeof *comparison->classes);
    comparison->named =
        arena_take(arena, comparison->names[POLICY_SERVICE].count, sizeof *comparison->named);
    if (!comparison->classes || !comparison->named)
        return vault_fail(comparison->err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(look_at_purposes(comparison));
    comparison->contrast.deposits = true;
    if (has_deposits(comparison->diff->sides[OLD]) || has_deposits(comparison->diff->sides[NEW]))
        VAULT_TRY(look_at_purposes(comparison));
    return besides_find(comparison->diff, comparison->err);
}

enum vault_code policy_diff_make(const struct policy *old, const struct policy *new,
                                 struct policy_diff **out, struct vault_error *err)
{
    VAULT_AUTO(policy_diff_free) struct policy_diff *diff = calloc(1, sizeof *diff);
    if (!diff)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    diff->sides[OLD] = old;
    diff->sides[NEW] = new;
    diff->end = &diff->first;
    diff->deposits_end = &diff->deposits;
    diff->besides_end = &diff->besides;
    VAULT_AUTO(comparison_finish)
    struct comparison comparison = {.diff = diff, .err = err};
    contrast_begin(&comparison.contrast, old, new);
    VAULT_TRY(compare(&comparison));
    *out = VAULT_TAKE(diff);
    return VAULT_OK;
}

/* --- what was found --- */

size_t policy_diff_count(const struct policy_diff *diff, enum policy_change_kind kind)
{
    return diff->counts[kind];
}

bool policy_diff_is_same(const struct policy_diff *diff)
{
    return diff->count == 0 && !diff->computes_otherwise;
}

bool policy_diff_widens(const struct policy_diff *diff)
{
    return diff->widens;
}

size_t policy_diff_besides(const struct policy_diff *diff)
{
    return diff->besides_count;
}
