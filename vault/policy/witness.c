#include "witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "values.h"
#include "vault/base/json.h"
#include "vault/policy/line.h"

#define DAY_S          86400
#define WITNESS_ID     "witness"
#define FREE_TRIES_MAX (2 * POLICY_SERVICES_MAX + 1)

/* --- the line --- */

/* A name for a service that no rule of either bundle names. */
static void free_name(const struct policy_diff *diff, char out[static 32])
{
    snprintf(out, 32, "some-service");
    for (size_t i = 1; i < FREE_TRIES_MAX; i++) {
        const struct bytes name = bytes_of_text(out);
        if (policy_find(diff->sides[OLD], POLICY_SERVICE, name) == POLICY_NONE &&
            policy_find(diff->sides[NEW], POLICY_SERVICE, name) == POLICY_NONE)
            return;
        snprintf(out, 32, "some-service-%zu", i);
    }
}

static void write_text(struct buf *out, const char *before, const char *text)
{
    buf_text(out, before);
    json_write_string(out, bytes_of_text(text));
}

/* A form by its name, or null: the most that is allowed. */
static void write_form(uint8_t form, struct buf *out)
{
    if (form == FORM_COUNT)
        buf_text(out, ":null");
    else
        write_text(out, ":", form_names[form]);
}

static void write_service(const struct change_place *place, const char *service, uint8_t asked,
                          struct buf *out)
{
    write_text(out, "\"service\":{\"id\":", service);
    buf_text(out, ",\"classes\":[");
    for (size_t i = 0; i < place->class_count; i++)
        write_text(out, i ? "," : "", place->classes[i]);
    write_text(out, "],\"purposes\":[", place->purpose);
    write_text(out, "]},\"purpose\":", place->purpose);
    write_text(out, ",\"fields\":{", place->field);
    write_form(asked, out);
    buf_byte(out, '}');
}

static void write_stance(const struct change_place *place, const char *service,
                         const struct contrast *contrast, struct buf *out)
{
    char at[INSTANT_CHARS + 1];
    char expires[INSTANT_CHARS + 1];
    instant_format(at, contrast->now_s);
    instant_format(expires, contrast->now_s + DAY_S);
    if (circumstance_has_consent(&contrast->found)) {
        write_text(out, ",\"consents\":[{\"id\":\"c1\",\"service\":", service);
        write_text(out, ",\"purpose\":", place->purpose);
        buf_format(out, ",\"state\":\"given\",\"at\":\"%s\",\"expires\":\"%s\"", at, expires);
        write_text(out, ",\"fields\":{", place->field);
        write_form(contrast->wish.consented, out);
        buf_text(out, "}}]");
    }
    if (circumstance_has_objection(&contrast->found)) {
        write_text(out, ",\"objections\":[{\"service\":", service);
        write_text(out, ",\"purpose\":", place->purpose);
        buf_format(out, ",\"at\":\"%s\"}]", at);
    }
}

void witness_write(const struct policy_diff *diff, const struct change_place *place,
                   const struct contrast *contrast, struct bytes value, struct buf *out)
{
    char now[INSTANT_CHARS + 1];
    char service[32];
    free_name(diff, service);
    const char *id = place->service ? place->service : service;
    instant_format(now, contrast->now_s);
    buf_format(out, "{\"id\":\"" WITNESS_ID "\",\"now\":\"%s\",", now);
    write_service(place, id, contrast->wish.asked, out);
    buf_text(out, ",\"atoms\":");
    circumstance_write_atoms(&contrast->found, out);
    write_stance(place, id, contrast, out);
    if (value.data) {
        write_text(out, ",\"values\":{", place->field);
        buf_byte(out, ':');
        buf_bytes(out, value);
        buf_byte(out, '}');
    }
    buf_byte(out, '}');
}

/* --- a value --- */

/* Two steps of the same form, and what is tried on them. */
struct trial {
    const struct step *steps[SIDES];
    struct evaluation evaluation; /* only its day is looked at */
    bool both;                    /* the value must have an answer on both sides */
};

static const struct step *step_of(const struct contrast_side *side, enum form form)
{
    if (form == FORM_COUNT || side->field == POLICY_NONE)
        return NULL;
    const struct ladder *ladder = field_ladder(side->policy, side->field);
    const uint8_t at = ladder_find(ladder, form);
    return at == POLICY_FORM_NONE ? NULL : &ladder->steps[at];
}

/* The birth date of somebody who has this age on that day. On 29 February that of somebody born on
 * the 28th, since not every year has a 29th. */
static json_t *born(struct date today, int64_t years)
{
    char text[DATE_CHARS + 1];
    if (years < 0 || years >= today.year)
        return NULL;
    today.year = today.year - (int)years;
    if (today.month == 2 && today.day == 29)
        today.day = 28;
    date_format(text, today);
    return json_string(text);
}

/* Whether the steps make something else of a number, or of an age; then *out is the value. */
static bool tells_apart(const struct trial *trial, int64_t number, struct buf *out)
{
    VAULT_AUTO(buf_finish) struct buf old = buf_limited(WITNESS_VALUE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf new = buf_limited(WITNESS_VALUE_BYTES_MAX);
    const bool is_age = trial->steps[OLD]->form == FORM_AGE_BAND;
    VAULT_AUTO(json_free)
    json_t *value = is_age ? born(trial->evaluation.today, number) : json_integer(number);
    if (!value)
        return false;
    const bool one = form_write(&trial->evaluation, trial->steps[OLD], value, &old);
    const bool two = form_write(&trial->evaluation, trial->steps[NEW], value, &new);
    if (trial->both ? !(one && two) : !(one || two))
        return false;
    if (one == two && bytes_equal(buf_view(&old), buf_view(&new)))
        return false;
    json_write_value(out, value);
    return true;
}

/* Every border of either side; of a rounding, what it rounds to. */
static bool try_borders(const struct trial *trial, struct buf *out)
{
    for (size_t side = 0; side < SIDES; side++) {
        const struct step *step = trial->steps[side];
        if (step->form == FORM_ROUNDED && tells_apart(trial, step->to, out))
            return true;
        for (size_t i = 0; i < step->bands.count; i++) {
            if (tells_apart(trial, step->bands.from[i], out))
                return true;
        }
    }
    return false;
}

bool witness_value(const struct contrast *contrast, enum form form, struct buf *out)
{
    struct trial trial = {.evaluation = {.today = date_of_instant(contrast->now_s)}, .both = true};
    for (size_t side = 0; side < SIDES; side++) {
        trial.steps[side] = step_of(&contrast->sides[side], form);
        if (!trial.steps[side])
            return false;
    }
    if (step_is_same(trial.steps[OLD], trial.steps[NEW]))
        return false;
    if (try_borders(&trial, out))
        return true;
    trial.both = false; /* bands that differ only below where the others begin */
    return try_borders(&trial, out);
}
