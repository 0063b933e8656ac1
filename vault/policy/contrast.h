/*
 * contrast - two bundles at one place: is there a request on which they differ in this way?
 *
 * A place is a field asked for by one actor for one purpose. On each side stand the rules that
 * cover it there. Whether a difference exists is asked as circumstance.h asks: what must apply and
 * what must not, on either side, at every time at which the rules in force change. "No" means that
 * no request tells the bundles apart.
 *
 * One permit that releases, and one rule that makes the difference, are enough to show it: so the
 * rules of at most two sources (a class, the service, everybody) have to be looked at together.
 * Obligations are taken as met; an obligation that only one side has is a difference of its own.
 *
 * The same is asked of "deposit" rules: they then stand in the permits' place, no forbid speaks of
 * them, and only WAY_GAINS and WAY_LOSES can be asked.
 *
 * Forms are compared by rank, which is the same scale on both sides: the order in which the
 * contract lists the forms. A form of the same name with other parameters (bands, a rounding) is
 * weaker in the new bundle unless it is plainly coarser there.
 *
 * A request may ask for a form by its name, and a consent allow one. Where the two ladders are the
 * same, neither tells more than asking for the most that is allowed, and a consent to the strictest
 * form. A form that only one ladder has is refused on the other side, and a consent to it covers
 * nothing there; a form with other parameters is another answer to who asks for it. One of each
 * kind is enough: the strictest.
 */
#pragma once

#include "circumstance.h"
#include "model.h"

#define CONTRAST_RULES_MAX (4 * POLICY_CELL_RULES_MAX)

enum { OLD, NEW, SIDES };

/* Ways in which two bundles can differ at a place. Obligations that were given up come before those
 * that were added. */
enum contrast_way {
    WAY_GAINS,
    WAY_LOSES,
    WAY_WEAKER,
    WAY_STRICTER,
    WAY_RELAXED,
    WAY_TIGHTENED,
    WAY_COUNT
};

/* A form as a request or a consent names it, and its rank on the side where it is looked at; enum
 * form is FORM_COUNT if there is none. */
struct named_form {
    uint8_t form;
    uint16_t rank;
};

struct contrast_side {
    const struct policy *policy;
    struct policy_actor actor;
    uint16_t purpose; /* actor, purpose and field: POLICY_NONE where the bundle has none such */
    uint16_t field;
    uint16_t forbids[CONTRAST_RULES_MAX];
    size_t forbid_count;
    uint16_t permits[CONTRAST_RULES_MAX];
    uint16_t ranks[CONTRAST_RULES_MAX]; /* of each permit's form */
    size_t permit_count;
    /* The strictest form of this side's ladder that the other one lacks, that both have, and that
     * both have but that stands for less here. None where the field is on one side only. */
    struct named_form alone;
    struct named_form shared;
    struct named_form coarser;
};

/* What the request asks for and the consent allows by name (enum form): FORM_COUNT is the most that
 * is allowed, and any form. */
struct contrast_wish {
    uint8_t asked;
    uint8_t consented;
};

struct contrast {
    struct contrast_side sides[SIDES];
    int64_t from_s; /* both bundles are available from here to there, to excluded */
    int64_t to_s;
    struct arena scratch;
    struct circumstance found;
    bool deposits;             /* what is looked at is who may write, not who receives */
    int64_t now_s;             /* of what was found */
    struct contrast_wish wish; /* of what was found */
    bool no_memory;
};

/* Two bundles; their own times are left aside if they are never available together. */
void contrast_begin(struct contrast *contrast, const struct policy *old, const struct policy *new);
void contrast_finish(struct contrast *contrast);

/* Go to the place that actor, purpose and field of the sides name. */
void contrast_go(struct contrast *contrast);

/* Whether the two sides have the same rules here, and whether nothing can differ because of that or
 * because no rule permits anything. false may still mean that nothing differs. */
bool contrast_is_same(const struct contrast *contrast);
bool contrast_is_plain(const struct contrast *contrast);

/* Whether some request differs in this way; found, now_s and wish then describe it. */
bool contrast_find(struct contrast *contrast, enum contrast_way way);

static inline const struct rule *contrast_rule(const struct contrast *contrast, size_t side,
                                               uint16_t rule)
{
    return &contrast->sides[side].policy->rules[rule];
}
