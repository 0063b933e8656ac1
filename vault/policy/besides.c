#include "besides.h"

#include <string.h>

#include "change.h"
#include "load.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"

#define TEXT_BYTES_MAX (1024UL * 1024)

static const char *const kind_names[BESIDES_KINDS] = {
    [BESIDES_DERIVE] = "derive",
    [BESIDES_TYPE] = "type",
    [BESIDES_SENSITIVITY] = "sensitivity",
    [BESIDES_FORM] = "form",
    [BESIDES_CONSENT_DAYS] = "consent_at_most_days",
    [BESIDES_EXPIRES] = "expires",
};

const char *besides_name(enum besides_kind kind)
{
    return kind_names[kind];
}

/* Both sides of something, as JSON, while it is compared. */
struct both {
    struct buf text[SIDES];
};

static struct both both_begin(void)
{
    return (struct both){{buf_limited(TEXT_BYTES_MAX), buf_limited(TEXT_BYTES_MAX)}};
}

static void both_finish(struct both *both)
{
    buf_finish(&both->text[OLD]);
    buf_finish(&both->text[NEW]);
}

/* Add it if the two texts differ. */
static enum vault_code add(struct policy_diff *diff, enum besides_kind kind, const char *what,
                           const struct both *both, bool widens, struct vault_error *err)
{
    VAULT_TRY(buf_check(&both->text[OLD], err));
    VAULT_TRY(buf_check(&both->text[NEW], err));
    if (bytes_equal(buf_view(&both->text[OLD]), buf_view(&both->text[NEW])))
        return VAULT_OK;
    diff->widens = diff->widens || widens;
    diff->computes_otherwise =
        diff->computes_otherwise || kind == BESIDES_DERIVE || kind == BESIDES_TYPE;
    if (diff->besides_count == POLICY_CHANGES_MAX) {
        diff->is_cut = true;
        return VAULT_OK;
    }
    struct besides *besides = arena_take(&diff->arena, 1, sizeof *besides);
    if (!besides)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    *besides = (struct besides){.kind = kind,
                                .widens = widens,
                                .what = what,
                                .old = arena_text(&diff->arena, buf_view(&both->text[OLD])),
                                .new = arena_text(&diff->arena, buf_view(&both->text[NEW]))};
    if (!besides->old || !besides->new)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    *diff->besides_end = besides;
    diff->besides_end = &besides->next;
    diff->besides_count++;
    diff->besides_wider += widens;
    return VAULT_OK;
}

/* --- fields --- */

/* What is computed in another way may tell more: that cannot be weighed, and counts as wider. */
static enum vault_code compare_derivations(struct policy_diff *diff, const char *id,
                                           const uint16_t fields[SIDES], struct vault_error *err)
{
    VAULT_AUTO(both_finish) struct both both = both_begin();
    for (size_t side = 0; side < SIDES; side++) {
        const struct derivation *derivation = diff->sides[side]->fields[fields[side]].derivation;
        if (derivation)
            derivation_write(diff->sides[side], derivation, &both.text[side]);
        else
            buf_text(&both.text[side], "null");
    }
    return add(diff, BESIDES_DERIVE, id, &both, true, err);
}

static enum vault_code compare_field(struct policy_diff *diff, const char *id,
                                     const uint16_t fields[SIDES], struct vault_error *err)
{
    VAULT_AUTO(both_finish) struct both type = both_begin();
    VAULT_AUTO(both_finish) struct both sensitivity = both_begin();
    const struct field *of[SIDES];
    for (size_t side = 0; side < SIDES; side++) {
        of[side] = &diff->sides[side]->fields[fields[side]];
        buf_format(&type.text[side], "\"%s\"", type_names[of[side]->type]);
        buf_text(&sensitivity.text[side], of[side]->special ? "\"art9\"" : "\"normal\"");
    }
    VAULT_TRY(add(diff, BESIDES_TYPE, id, &type, true, err));
    VAULT_TRY(add(diff, BESIDES_SENSITIVITY, id, &sensitivity, of[OLD]->special, err));
    return compare_derivations(diff, id, fields, err);
}

static enum vault_code compare_fields(struct policy_diff *diff, struct vault_error *err)
{
    const struct names *names = &diff->sides[OLD]->names[POLICY_FIELD];
    for (size_t i = 0; i < names->count; i++) {
        const uint16_t fields[SIDES] = {
            (uint16_t)i, policy_find(diff->sides[NEW], POLICY_FIELD, bytes_of_text(names->ids[i]))};
        if (fields[NEW] != POLICY_NONE)
            VAULT_TRY(compare_field(diff, names->ids[i], fields, err));
    }
    return VAULT_OK;
}

/* --- ladders --- */

static void write_step(const struct step *step, struct buf *out)
{
    if (!step) {
        buf_text(out, "null");
        return;
    }
    buf_text(out, "{");
    for (size_t i = 0; i < step->bands.count; i++)
        buf_format(out, "%s%lld", i ? "," : "\"bands\":[", (long long)step->bands.from[i]);
    buf_format(out, "%s\"form\":\"%s\"", step->bands.count ? "]," : "", form_names[step->form]);
    if (step->form == FORM_ROUNDED)
        buf_format(out, ",\"to\":%lld", (long long)step->to);
    buf_byte(out, '}');
}

/* A form that has come gives something to who asks for it, or has consented to it, where nothing
 * came before. One that has other parameters tells more unless it is plainly coarser. */
static bool form_widens(const struct step *old, const struct step *new)
{
    return new && (!old || (!step_is_same(old, new) && !step_is_coarser(old, new)));
}

static enum vault_code compare_ladders(struct policy_diff *diff, size_t type,
                                       struct vault_error *err)
{
    const struct ladder *ladders[SIDES] = {&diff->sides[OLD]->ladders[type],
                                           &diff->sides[NEW]->ladders[type]};
    if (!ladders[OLD]->count || !ladders[NEW]->count)
        return VAULT_OK; /* no field has the type on both sides */
    for (size_t form = 0; form < FORM_COUNT; form++) {
        VAULT_AUTO(both_finish) struct both both = both_begin();
        const struct step *steps[SIDES] = {NULL, NULL};
        for (size_t side = 0; side < SIDES; side++) {
            const uint8_t at = ladder_find(ladders[side], (enum form)form);
            if (at != POLICY_FORM_NONE)
                steps[side] = &ladders[side]->steps[at];
            write_step(steps[side], &both.text[side]);
        }
        VAULT_TRY(add(diff, BESIDES_FORM, type_names[type], &both,
                      form_widens(steps[OLD], steps[NEW]), err));
    }
    return VAULT_OK;
}

/* --- purposes, and the bundle itself --- */

static enum vault_code compare_purposes(struct policy_diff *diff, struct vault_error *err)
{
    const struct names *names = &diff->sides[OLD]->names[POLICY_PURPOSE];
    for (size_t i = 0; i < names->count; i++) {
        VAULT_AUTO(both_finish) struct both both = both_begin();
        const uint16_t on[SIDES] = {(uint16_t)i, policy_find(diff->sides[NEW], POLICY_PURPOSE,
                                                             bytes_of_text(names->ids[i]))};
        unsigned days[SIDES] = {0};
        for (size_t side = 0; on[NEW] != POLICY_NONE && side < SIDES; side++) {
            days[side] = policy_purpose_consent_days(diff->sides[side], on[side]);
            if (days[side])
                buf_format(&both.text[side], "%u", days[side]);
            else
                buf_text(&both.text[side], "null"); /* left to the vault: not comparable */
        }
        const bool shorter = days[NEW] && days[OLD] && days[NEW] < days[OLD];
        VAULT_TRY(add(diff, BESIDES_CONSENT_DAYS, names->ids[i], &both, !shorter, err));
    }
    return VAULT_OK;
}

static enum vault_code compare_ends(struct policy_diff *diff, struct vault_error *err)
{
    VAULT_AUTO(both_finish) struct both both = both_begin();
    for (size_t side = 0; side < SIDES; side++) {
        char end[INSTANT_CHARS + 1];
        const int64_t expires_s = diff->sides[side]->expires_s;
        if (expires_s == INT64_MAX) {
            buf_text(&both.text[side], "null");
            continue;
        }
        instant_format(end, expires_s);
        buf_format(&both.text[side], "\"%s\"", end);
    }
    return add(diff, BESIDES_EXPIRES, "bundle", &both,
               diff->sides[NEW]->expires_s > diff->sides[OLD]->expires_s, err);
}

enum vault_code besides_find(struct policy_diff *diff, struct vault_error *err)
{
    VAULT_TRY(compare_fields(diff, err));
    for (size_t type = 0; type < POLICY_TYPE_COUNT; type++)
        VAULT_TRY(compare_ladders(diff, type, err));
    VAULT_TRY(compare_purposes(diff, err));
    return compare_ends(diff, err);
}
