#include "change.h"

#include <stdlib.h>
#include <string.h>

#include "question.h"
#include "vault/base/json.h"
#include "vault/policy/decide.h"
#include "vault/policy/line.h"
#include "walk.h"
#include "witness.h"

static const enum policy_change_kind kind_of_way[WAY_COUNT] = {
    [WAY_GAINS] = POLICY_GAINS,         [WAY_LOSES] = POLICY_LOSES,
    [WAY_WEAKER] = POLICY_WEAKER,       [WAY_STRICTER] = POLICY_STRICTER,
    [WAY_RELAXED] = POLICY_OBLIGATIONS, [WAY_TIGHTENED] = POLICY_OBLIGATIONS,
};

static bool gives_more(enum contrast_way way)
{
    return way == WAY_GAINS || way == WAY_WEAKER || way == WAY_RELAXED;
}

/* --- what the bundles answer to it --- */

/* What a bundle makes of the witness, leaving aside what it does not know. */
struct asked {
    struct arena arena;
    struct question question;
    bool is_valid;
};

static void asked_finish(struct asked *asked)
{
    arena_finish(&asked->arena);
}

static enum vault_code ask(const struct policy *policy, const char *witness, struct asked *out,
                           struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *line = NULL;
    VAULT_AUTO(reader_finish)
    struct reader reader = reader_over(NULL, bytes_of_text(witness), NULL, err);
    VAULT_TRY(json_parse(bytes_of_text(witness), POLICY_DEPTH_MAX, &line, NULL, err));
    return question_read_known(policy, &reader, line, &out->arena, &out->question);
}

/* The answer for the field, of which alone the witness asks. */
static enum vault_code answer(const struct policy *policy, const char *witness, const char *field,
                              json_t **out, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_LINE_BYTES_MAX);
    VAULT_AUTO(asked_finish) struct asked asked = {.question = {.id = NULL}};
    struct policy_outcome outcome;
    struct bytes value;
    (void)field;
    VAULT_TRY(ask(policy, witness, &asked, err));
    VAULT_TRY(question_decide(policy, &asked.question, &asked.arena, &outcome, &value, err));
    answer_write_field(policy, &asked.question, 0, &outcome, value, &text);
    VAULT_TRY(buf_check(&text, err));
    return json_parse(buf_view(&text), POLICY_DEPTH_MAX, out, NULL, err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

/* The rules that decided on either side, each once, sorted. */
static json_t *deciding_rules(json_t *const answers[SIDES])
{
    json_t *ids[2 * POLICY_FIELD_RULES_MAX] = {0};
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

/* Whether the bundle lets the witness's service write the field, and by which rules. */
static enum vault_code answer_deposit(const struct policy *policy, const char *witness,
                                      const char *field, json_t **out, struct vault_error *err)
{
    VAULT_AUTO(asked_finish) struct asked asked = {.question = {.id = NULL}};
    uint16_t rules[POLICY_FIELD_RULES_MAX];
    VAULT_TRY(ask(policy, witness, &asked, err));
    const size_t count = rules_unique(
        rules, deposit_rules(policy, &asked.question.request,
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

/* Write the witness, with a value or without, and what each bundle answers to it. */
static enum vault_code show(const struct policy_diff *diff, const struct change_place *place,
                            const struct contrast *contrast, struct bytes value,
                            struct arena *arena, struct change *change, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf witness = buf_limited(POLICY_LINE_BYTES_MAX);
    witness_write(diff, place, contrast, value, &witness);
    VAULT_TRY(buf_check(&witness, err));
    change->witness = arena_text(arena, buf_view(&witness));
    if (!change->witness)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    for (size_t side = 0; side < SIDES; side++) {
        json_free(&change->answers[side]);
        VAULT_TRY((contrast->deposits ? answer_deposit : answer)(
            diff->sides[side], change->witness, place->field, &change->answers[side], err));
    }
    return VAULT_OK;
}

/* Where both release a form of the same name, only a value shows that it is not the same form. */
static enum vault_code show_value(const struct policy_diff *diff, const struct change_place *place,
                                  const struct contrast *contrast, struct arena *arena,
                                  struct change *change, struct vault_error *err)
{
    const json_t *old = json_object_get(change->answers[OLD], "form");
    const json_t *new = json_object_get(change->answers[NEW], "form");
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(WITNESS_VALUE_BYTES_MAX);
    if ((change->kind != POLICY_WEAKER && change->kind != POLICY_STRICTER) ||
        !json_equal(old, new) || !witness_value(contrast, form_of_name(json_text(new)), &value))
        return VAULT_OK;
    return show(diff, place, contrast, buf_view(&value), arena, change, err);
}

enum vault_code change_add(struct policy_diff *diff, const struct change_place *place,
                           const struct contrast *contrast, enum contrast_way way,
                           struct vault_error *err)
{
    if ((contrast->deposits ? diff->besides_count : diff->count) == POLICY_CHANGES_MAX) {
        diff->is_cut = true;
        diff->widens = diff->widens || gives_more(way);
        return VAULT_OK;
    }
    struct change *change = arena_take(&diff->arena, 1, sizeof *change);
    if (!change)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    *change = (struct change){.kind = kind_of_way[way],
                              .service = place->service,
                              .class_count = place->any_class ? 0 : place->class_count,
                              .purpose = place->purpose,
                              .field = place->field};
    memcpy(change->classes, place->classes, sizeof change->classes);
    (contrast->deposits ? append_deposit : append)(diff, change, way);
    VAULT_TRY(show(diff, place, contrast, (struct bytes){0}, &diff->arena, change, err));
    VAULT_TRY(show_value(diff, place, contrast, &diff->arena, change, err));
    change->rules = deciding_rules(change->answers);
    return change->rules ? VAULT_OK : vault_fail(err, VAULT_NO_MEMORY, "out of memory");
}
