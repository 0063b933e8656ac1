#include "change.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "question.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"
#include "vault/policy/decide.h"
#include "vault/policy/line.h"
#include "walk.h"

#define DAY_S          86400
#define WITNESS_ID     "witness"
#define FREE_TRIES_MAX (2 * POLICY_SERVICES_MAX + 1)

static const enum policy_change_kind kind_of_way[WAY_COUNT] = {
    [WAY_GAINS] = POLICY_GAINS,         [WAY_LOSES] = POLICY_LOSES,
    [WAY_WEAKER] = POLICY_WEAKER,       [WAY_STRICTER] = POLICY_STRICTER,
    [WAY_RELAXED] = POLICY_OBLIGATIONS, [WAY_TIGHTENED] = POLICY_OBLIGATIONS,
};

static bool gives_more(enum contrast_way way)
{
    return way == WAY_GAINS || way == WAY_WEAKER || way == WAY_RELAXED;
}

/* --- the witness --- */

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

static void write_service(const struct change_place *place, const char *service, struct buf *out)
{
    write_text(out, "\"service\":{\"id\":", service);
    buf_text(out, ",\"classes\":[");
    for (size_t i = 0; i < place->class_count; i++)
        write_text(out, i ? "," : "", place->classes[i]);
    write_text(out, "],\"purposes\":[", place->purpose);
    write_text(out, "]},\"purpose\":", place->purpose);
    write_text(out, ",\"fields\":{", place->field);
    buf_text(out, ":null}");
}

/* The form that a consent gives to show the difference: the strictest, on the side that has it. */
static const char *consent_form(const struct contrast *contrast, enum contrast_way way)
{
    const size_t side = way == WAY_WEAKER ? OLD : NEW;
    const struct contrast_side *own = &contrast->sides[side];
    return policy_form_name(own->policy, own->field,
                            (uint8_t)(policy_form_count(own->policy, own->field) - 1));
}

static void write_stance(const struct change_place *place, const char *service,
                         const struct contrast *contrast, enum contrast_way way, struct buf *out)
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
        if (contrast->strictest_consent)
            write_text(out, ":", consent_form(contrast, way));
        else
            buf_text(out, ":null");
        buf_text(out, "}}]");
    }
    if (circumstance_has_objection(&contrast->found)) {
        write_text(out, ",\"objections\":[{\"service\":", service);
        write_text(out, ",\"purpose\":", place->purpose);
        buf_format(out, ",\"at\":\"%s\"}]", at);
    }
}

static void write_witness(const struct policy_diff *diff, const struct change_place *place,
                          const struct contrast *contrast, enum contrast_way way, struct buf *out)
{
    char now[INSTANT_CHARS + 1];
    char service[32];
    free_name(diff, service);
    const char *id = place->service ? place->service : service;
    instant_format(now, contrast->now_s);
    buf_format(out, "{\"id\":\"" WITNESS_ID "\",\"now\":\"%s\",", now);
    write_service(place, id, out);
    buf_text(out, ",\"atoms\":");
    circumstance_write_atoms(&contrast->found, out);
    write_stance(place, id, contrast, way, out);
    buf_byte(out, '}');
}

/* --- what the bundles answer to it --- */

/* The answer for the field; of a line that the bundle does not take (it lacks an atom) the error.
 */
static enum vault_code answer(const struct policy *policy, const char *witness, const char *field,
                              json_t **out, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_LINE_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *whole = NULL;
    policy_line_answer(policy, bytes_of_text(witness), &text);
    VAULT_TRY(buf_check(&text, err));
    VAULT_TRY(json_parse(buf_view(&text), POLICY_DEPTH_MAX, &whole, NULL, err));
    json_t *of_field = json_object_get(json_object_get(whole, "fields"), field);
    *out = json_incref(of_field ? of_field : whole);
    return VAULT_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

/* The rules that decided on either side, each once, sorted. */
static json_t *deciding_rules(json_t *const answers[SIDES])
{
    json_t *ids[2 * POLICY_FIELD_RULES_MAX];
    size_t count = 0;
    for (size_t side = 0; side < SIDES; side++) {
        const json_t *by = json_object_get(answers[side], "by");
        for (size_t i = 0; i < json_array_size(by); i++)
            ids[count++] = json_array_get(by, i);
    }
    qsort(ids, count, sizeof(json_t *), by_text);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !json_equal(ids[i - 1], ids[i]))
            json_array_append(list, ids[i]);
    }
    return list;
}

/* --- deposits --- */

/* Whether the bundle lets the witness's service write the field, and by which rules. One that does
 * not take the line (it lacks an atom) has no rule that could. */
static enum vault_code answer_deposit(const struct policy *policy, const char *witness,
                                      const char *field, json_t **out, struct vault_error *err)
{
    VAULT_AUTO(arena_finish) struct arena arena = {0};
    VAULT_AUTO(json_free) json_t *line = NULL;
    uint16_t rules[POLICY_FIELD_RULES_MAX];
    struct question question;
    size_t count = 0;
    VAULT_TRY(json_parse(bytes_of_text(witness), POLICY_DEPTH_MAX, &line, NULL, err));
    VAULT_AUTO(reader_finish)
    struct reader reader = reader_over(NULL, bytes_of_text(witness), NULL, NULL);
    const enum vault_code code = question_read(policy, &reader, line, &arena, &question);
    if (code == VAULT_NO_MEMORY)
        return code;
    if (code == VAULT_OK)
        count = rules_unique(
            rules, deposit_rules(policy, &question.request,
                                 policy_find(policy, POLICY_FIELD, bytes_of_text(field)), rules));
    json_t *by = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(by, json_string(policy->rules[rules[i]].id));
    *out = json_pack("{s:o,s:b}", "by", by, "deposit", (int)(count > 0));
    return *out ? VAULT_OK : vault_fail(err, VAULT_NO_MEMORY, "out of memory");
}

/* --- the list --- */

static void append_deposit(struct policy_diff *diff, struct change *change, enum contrast_way way)
{
    *diff->deposits_end = change;
    diff->deposits_end = &change->next;
    diff->besides_count++;
    diff->besides_wider += gives_more(way);
    diff->widens = diff->widens || gives_more(way);
}

static void append(struct policy_diff *diff, struct change *change, enum contrast_way way)
{
    *diff->end = change;
    diff->end = &change->next;
    diff->count++;
    diff->counts[change->kind]++;
    diff->widens = diff->widens || gives_more(way);
}

enum vault_code change_add(struct policy_diff *diff, const struct change_place *place,
                           const struct contrast *contrast, enum contrast_way way,
                           struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf witness = buf_limited(POLICY_LINE_BYTES_MAX);
    if ((contrast->deposits ? diff->besides_count : diff->count) == POLICY_CHANGES_MAX) {
        diff->is_cut = true;
        diff->widens = diff->widens || gives_more(way);
        return VAULT_OK;
    }
    struct change *change = arena_take(&diff->arena, 1, sizeof *change);
    if (!change)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    write_witness(diff, place, contrast, way, &witness);
    VAULT_TRY(buf_check(&witness, err));
    *change = (struct change){.kind = kind_of_way[way],
                              .service = place->service,
                              .class_count = place->any_class ? 0 : place->class_count,
                              .purpose = place->purpose,
                              .field = place->field,
                              .witness = arena_text(&diff->arena, buf_view(&witness))};
    memcpy(change->classes, place->classes, sizeof change->classes);
    if (!change->witness)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    (contrast->deposits ? append_deposit : append)(diff, change, way);
    for (size_t side = 0; side < SIDES; side++)
        VAULT_TRY((contrast->deposits ? answer_deposit : answer)(
            diff->sides[side], change->witness, place->field, &change->answers[side], err));
    change->rules = deciding_rules(change->answers);
    return change->rules ? VAULT_OK : vault_fail(err, VAULT_NO_MEMORY, "out of memory");
}
