#include "vault/policy/gate.h"

#include <inttypes.h>
#include <string.h>

#include "files.h"
#include "model.h"
#include "naive.h"
#include "question.h"
#include "rehearsal.h"
#include "vault/base/json.h"
#include "vault/policy/check.h"
#include "vault/policy/line.h"

/* --- the compiled form against the naive evaluator --- */

/* The bundle as the naive evaluator reads it. */
struct text {
    json_t *catalogue;
    json_t *rules; /* by purpose */
};

static void text_finish(struct text *text)
{
    json_free(&text->catalogue);
    json_free(&text->rules);
}

static enum vault_code read_text(const struct bundle *bundle, struct text *text,
                                 struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *rules = json_array();
    for (size_t i = 0; i < bundle->file_count; i++) {
        const struct bundle_file *file = &bundle->files[i];
        VAULT_AUTO(json_free) json_t *root = NULL;
        if (file->role != FILE_CATALOGUE && file->role != FILE_RULES)
            continue;
        VAULT_TRY(json_parse(buf_view(&file->content), POLICY_DEPTH_MAX, &root, NULL, err));
        if (file->role == FILE_CATALOGUE)
            text->catalogue = VAULT_TAKE(root);
        else if (json_array_extend(rules, json_object_get(root, "rules")) != 0)
            return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    }
    text->rules = naive_by_purpose(text->catalogue, rules);
    return text->rules ? VAULT_OK : vault_fail(err, VAULT_NO_MEMORY, "out of memory");
}

/* One comparison after the other, in memory that is used again. */
struct comparison {
    const struct text *text;
    const struct policy *policy;
    struct arena arena;
    struct buf line;
    struct buf expected;
    struct buf answer;
};

static void comparison_finish(struct comparison *comparison)
{
    arena_finish(&comparison->arena);
    buf_finish(&comparison->line);
    buf_finish(&comparison->expected);
    buf_finish(&comparison->answer);
}

/* What the compiled form answers to a request that has been parsed. */
static enum vault_code answer(struct comparison *comparison, const json_t *request,
                              struct vault_error *err)
{
    VAULT_AUTO(reader_finish)
    struct reader reader = reader_over(NULL, buf_view(&comparison->line), NULL, err);
    struct question question;
    arena_reset(&comparison->arena);
    VAULT_TRY(question_read(comparison->policy, &reader, request, &comparison->arena, &question));
    const size_t count = question.request.ask_count;
    struct policy_outcome *outcomes = arena_take(&comparison->arena, count, sizeof *outcomes);
    struct bytes *values = arena_take(&comparison->arena, count, sizeof *values);
    if (!outcomes || !values)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    policy_decide(comparison->policy, &question.request, &question.stance, outcomes);
    answer_write(comparison->policy, &question, outcomes, values, &comparison->answer);
    return buf_check(&comparison->answer, err);
}

static enum vault_code compare_one(struct comparison *comparison, bool *same,
                                   struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *request = NULL;
    VAULT_AUTO(json_free) json_t *naive = NULL;
    VAULT_TRY(buf_check(&comparison->line, err));
    VAULT_TRY(json_parse(buf_view(&comparison->line), POLICY_DEPTH_MAX, &request, NULL, err));
    VAULT_TRY(answer(comparison, request, err));
    naive = naive_decide(comparison->text->catalogue, comparison->text->rules, request);
    json_write_value(&comparison->expected, naive);
    VAULT_TRY(buf_check(&comparison->expected, err));
    *same = bytes_equal(buf_view(&comparison->expected), buf_view(&comparison->answer));
    return VAULT_OK;
}

enum vault_code policy_compare_naive(const struct bundle *bundle, const struct policy *policy,
                                     uint64_t seed, size_t requests, struct vault_error *err)
{
    VAULT_AUTO(text_finish) struct text text = {NULL, NULL};
    VAULT_AUTO(comparison_finish)
    struct comparison comparison = {.text = &text,
                                    .policy = policy,
                                    .line = buf_limited(POLICY_LINE_BYTES_MAX),
                                    .expected = buf_limited(POLICY_LINE_BYTES_MAX),
                                    .answer = buf_limited(POLICY_LINE_BYTES_MAX)};
    struct rehearsal rehearsal = {.policy = policy, .state = seed};
    VAULT_TRY(read_text(bundle, &text, err));
    for (size_t i = 0; i < requests; i++) {
        bool same = false;
        buf_clear(&comparison.line);
        buf_clear(&comparison.expected);
        buf_clear(&comparison.answer);
        rehearsal_write(&rehearsal, &comparison.line);
        VAULT_TRY(compare_one(&comparison, &same, err));
        if (!same)
            return vault_fail(err, VAULT_CORRUPT,
                              "the compiled policy does not decide as the contract says: random "
                              "request %zu of seed %" PRIu64,
                              i, seed);
    }
    return VAULT_OK;
}

/* --- the gate --- */

static enum vault_code pass_check(const struct policy_candidate *candidate, struct vault_error *err)
{
    VAULT_AUTO(policy_report_free) struct policy_report *report = NULL;
    VAULT_TRY(policy_check(candidate->policy, candidate->bundle, candidate->now_s, &report, err));
    const size_t errors = policy_report_errors(report);
    size_t count;
    const struct policy_finding *findings = policy_report_findings(report, &count);
    if (errors)
        return vault_fail(err, VAULT_INVALID, "the bundle has %zu error%s; the first: %s: %.300s",
                          errors, errors == 1 ? "" : "s", findings[0].kind, findings[0].text);
    return VAULT_OK;
}

static enum vault_code pass_diff(const struct policy_candidate *candidate,
                                 struct policy_passed *out, struct vault_error *err)
{
    VAULT_AUTO(policy_diff_free) struct policy_diff *diff = NULL;
    *out = (struct policy_passed){.widens = false};
    if (!candidate->active)
        return VAULT_OK;
    VAULT_TRY(policy_diff_make(candidate->active, candidate->policy, &diff, err));
    for (size_t kind = 0; kind < POLICY_CHANGE_KINDS; kind++)
        out->changes[kind] = policy_diff_count(diff, (enum policy_change_kind)kind);
    out->besides = policy_diff_besides(diff);
    out->compared = true;
    out->widens = policy_diff_widens(diff);
    if (!candidate->diff)
        return VAULT_OK;
    policy_diff_write_json(diff, candidate->diff);
    return buf_check(candidate->diff, err);
}

enum vault_code policy_gate_pass(const struct policy_candidate *candidate,
                                 struct policy_passed *out, struct vault_error *err)
{
    VAULT_TRY(pass_check(candidate, err));
    VAULT_TRY(policy_compare_naive(candidate->bundle, candidate->policy, candidate->seed,
                                   POLICY_GATE_REQUESTS, err));
    return pass_diff(candidate, out, err);
}
