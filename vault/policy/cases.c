#include "vault/policy/cases.h"

#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "question.h"
#include "vault/base/json.h"
#include "vault/policy/value.h"
#include "walk.h"

#define NAME_CHARS_MAX 200

static const struct reader_member file_members[] = {
    {"format", READ_STRING, true},
    {"suite", READ_STRING, false},
    {"given", READ_OBJECT, false},
    {"cases", READ_LIST, true},
};

static const struct reader_member case_members[] = {
    {"name", READ_STRING, true},
    {"request", READ_OBJECT, true},
    {"expect", READ_OBJECT, false},
    {"deposit", READ_OBJECT, false},
};

static const struct reader_member expectation_members[] = {
    {"outcome", READ_STRING, true}, {"form", READ_STRING, false}, {"value", READ_ANYTHING, false},
    {"by", READ_LIST, false},       {"must", READ_OBJECT, false},
};

/* What going through the cases of a file passes along. */
struct run {
    const struct policy *policy;
    struct reader *reader;
    const json_t *given;
    policy_case_failed *failed;
    void *context;
    bool *exercised;
    struct policy_cases *total; /* NULL: only look whether the file is well-formed */
};

/* One case, while it is looked at. */
struct one_case {
    const char *name;
    json_t *expect;
    json_t *deposit;
    struct question question;
    struct arena arena;
    struct buf mismatches; /* all on one line; empty if there is none */
    bool has_failed;
};

static void case_finish(struct one_case *one)
{
    arena_finish(&one->arena);
    buf_finish(&one->mismatches);
}

/* --- reading --- */

static bool is_asked(const struct question *question, const char *name)
{
    for (size_t i = 0; i < question->request.ask_count; i++) {
        if (strcmp(question->names[i], name) == 0)
            return true;
    }
    return false;
}

static enum vault_code check_expectation(struct run *run, const json_t *expected)
{
    struct reader *reader = run->reader;
    const json_t *outcome =
        json_is_string(expected) ? expected : json_object_get(expected, "outcome");
    VAULT_TRY(reader_check_type(reader, expected, READ_STRING | READ_OBJECT));
    if (json_is_object(expected))
        VAULT_TRY(reader_check_members(reader, expected, READER_MEMBERS(expectation_members)));
    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (bytes_equal(json_text(outcome),
                        bytes_of_text(policy_reason_name((enum policy_reason)i))))
            return VAULT_OK;
    }
    return reader_refuse(reader, VAULT_INVALID, "expects an outcome that there is not");
}

static enum vault_code check_expect(struct run *run, const struct one_case *one)
{
    const size_t mark = reader_enter(run->reader, "expect");
    const char *name;
    json_t *expected;
    json_object_foreach(one->expect, name, expected)
    {
        const size_t inner = reader_enter(run->reader, name);
        if (!is_asked(&one->question, name))
            return reader_refuse_name(run->reader, VAULT_INVALID, "the request does not ask this");
        VAULT_TRY(check_expectation(run, expected));
        reader_leave(run->reader, inner);
    }
    reader_leave(run->reader, mark);
    return VAULT_OK;
}

static enum vault_code check_deposit(struct run *run, const struct one_case *one)
{
    const size_t mark = reader_enter(run->reader, "deposit");
    const char *name;
    json_t *expected;
    json_object_foreach(one->deposit, name, expected)
    {
        const size_t inner = reader_enter(run->reader, name);
        if (policy_find(run->policy, POLICY_FIELD, bytes_of_text(name)) == POLICY_NONE)
            return reader_refuse_name(run->reader, VAULT_INVALID,
                                      "the catalogue has no such field");
        VAULT_TRY(reader_check_type(run->reader, expected, READ_BOOLEAN));
        reader_leave(run->reader, inner);
    }
    reader_leave(run->reader, mark);
    return VAULT_OK;
}

/* The request with what is given for all. */
static enum vault_code read_request(struct run *run, const json_t *object, struct one_case *one)
{
    VAULT_AUTO(json_free) json_t *request = json_copy(json_object_get(object, "request"));
    if (!request ||
        (run->given && json_object_update_missing(request, reader_iterable(run->given))) ||
        (!json_object_get(request, "id") &&
         json_object_set_new(request, "id", json_string("test")) != 0))
        return load_no_memory(run->reader);
    const size_t mark = reader_enter(run->reader, "request");
    VAULT_TRY(question_read(run->policy, run->reader, request, &one->arena, &one->question));
    reader_leave(run->reader, mark);
    return VAULT_OK;
}

static enum vault_code read_case(struct run *run, const json_t *object, struct one_case *one)
{
    VAULT_TRY(reader_check_members(run->reader, object, READER_MEMBERS(case_members)));
    one->name = json_string_value(json_object_get(object, "name"));
    one->expect = json_object_get(object, "expect");
    one->deposit = json_object_get(object, "deposit");
    if (!*one->name || strlen(one->name) > NAME_CHARS_MAX) {
        reader_enter(run->reader, "name");
        return reader_refuse(run->reader, VAULT_INVALID, "must be a text of 1 to %d bytes",
                             NAME_CHARS_MAX);
    }
    VAULT_TRY(read_request(run, object, one));
    VAULT_TRY(check_expect(run, one));
    return check_deposit(run, one);
}

/* --- comparing --- */

/* A text on one line: control characters are written as JSON writes them. */
static void write_plainly(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            buf_format(out, "\\u%04x", (unsigned)*text);
        else
            buf_byte(out, (uint8_t)*text);
    }
}

/* Note one mismatch of a case. */
static void fail(struct one_case *one, const char *field, const char *got)
{
    buf_text(&one->mismatches, one->has_failed ? "; " : "");
    write_plainly(&one->mismatches, field);
    buf_text(&one->mismatches, ": ");
    write_plainly(&one->mismatches, got);
    one->has_failed = true;
}

/* Tell of a case that has failed, once, with all its mismatches. */
static void tell_failure(struct run *run, struct one_case *one)
{
    VAULT_AUTO(buf_finish) struct buf name = buf_limited(6 * NAME_CHARS_MAX);
    VAULT_AUTO(buf_finish) struct buf file = buf_limited(POLICY_VALUE_BYTES_MAX);
    if (!run->failed)
        return;
    write_plainly(&name, one->name);
    write_plainly(&file, run->reader->file);
    const char *shown_name = buf_string(&name);
    const char *shown_file = buf_string(&file);
    const char *what = buf_string(&one->mismatches);
    run->failed(run->context, shown_file ? shown_file : "", shown_name ? shown_name : "",
                what ? what : "more than can be shown differs");
}

/* Lists of rules are sets. */
static bool same_set(const json_t *a, const json_t *b)
{
    bool same = true;
    for (size_t i = 0; i < json_array_size(a) && same; i++) {
        bool found = false;
        for (size_t j = 0; j < json_array_size(b); j++)
            found = found || json_equal(json_array_get(a, i), json_array_get(b, j));
        same = found;
    }
    return same;
}

/* Whether the answer has every member as expected. */
static bool is_as_expected(json_t *expected, const json_t *answer)
{
    if (json_is_string(expected))
        return json_equal(expected, json_object_get(answer, "outcome"));
    const char *name;
    json_t *value;
    json_object_foreach(expected, name, value)
    {
        const json_t *got = json_object_get(answer, name);
        const bool empty = !got && json_is_object(value) && json_object_size(value) == 0;
        const bool same = json_is_array(value) && strcmp(name, "by") == 0
                              ? same_set(value, got) && same_set(got, value)
                              : json_equal(value, got);
        if (!same && !empty)
            return false;
    }
    return true;
}

static enum vault_code compare_field(struct run *run, struct one_case *one, size_t ask,
                                     const struct policy_outcome *outcome, struct bytes value)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_VALUE_BYTES_MAX * 2);
    VAULT_AUTO(json_free) json_t *answer = NULL;
    answer_write_field(run->policy, &one->question, ask, outcome, value, &text);
    VAULT_TRY(json_parse(buf_view(&text), POLICY_DEPTH_MAX, &answer, NULL, run->reader->err));
    const char *name = one->question.names[ask];
    json_t *expected = json_object_get(one->expect, name);
    const bool as_expected =
        expected ? is_as_expected(expected, answer) : outcome->reason != REASON_RELEASED;
    if (!as_expected)
        fail(one, name, buf_string(&text) ? buf_string(&text) : "");
    return VAULT_OK;
}

static enum vault_code compare_fields(struct run *run, struct one_case *one,
                                      struct policy_outcome outcomes[])
{
    const size_t count = one->question.request.ask_count;
    struct bytes *values = arena_take(&one->arena, count, sizeof *values);
    if (!values)
        return load_no_memory(run->reader);
    VAULT_TRY(question_decide(run->policy, &one->question, &one->arena, outcomes, values,
                              run->reader->err));
    for (size_t i = 0; i < count; i++)
        VAULT_TRY(compare_field(run, one, i, &outcomes[i], values[i]));
    return VAULT_OK;
}

static void compare_deposits(const struct run *run, struct one_case *one)
{
    const char *name;
    json_t *expected;
    json_object_foreach(one->deposit, name, expected)
    {
        const uint16_t field = policy_find(run->policy, POLICY_FIELD, bytes_of_text(name));
        const bool may = policy_may_deposit(run->policy, &one->question.request, field);
        if (may != json_is_true(expected))
            fail(one, name, may ? "may be deposited" : "may not be deposited");
    }
}

/* --- which rules a case exercises --- */

static void mark_deciding(const struct run *run, const struct one_case *one,
                          const struct policy_outcome outcomes[])
{
    for (size_t i = 0; i < one->question.request.ask_count; i++) {
        uint16_t rules[POLICY_FIELD_RULES_MAX];
        const size_t count =
            policy_outcome_rules(run->policy, &one->question.request, i, &outcomes[i], rules);
        for (size_t j = 0; j < count; j++)
            run->exercised[rules[j]] = true;
    }
}

static void mark_depositing(const struct run *run, const struct one_case *one)
{
    const char *name;
    json_t *expected;
    json_object_foreach(one->deposit, name, expected)
    {
        uint16_t rules[POLICY_FIELD_RULES_MAX];
        const size_t count =
            deposit_rules(run->policy, &one->question.request,
                          policy_find(run->policy, POLICY_FIELD, bytes_of_text(name)), rules);
        for (size_t i = 0; i < count; i++)
            run->exercised[rules[i]] = true;
    }
}

static enum vault_code run_case(struct run *run, struct one_case *one)
{
    struct policy_outcome *outcomes =
        arena_take(&one->arena, one->question.request.ask_count, sizeof *outcomes);
    if (!outcomes)
        return load_no_memory(run->reader);
    VAULT_TRY(compare_fields(run, one, outcomes));
    compare_deposits(run, one);
    if (run->exercised && !one->has_failed) {
        mark_deciding(run, one, outcomes);
        mark_depositing(run, one);
    }
    if (one->has_failed)
        tell_failure(run, one);
    if (one->has_failed)
        run->total->failed++;
    else
        run->total->passed++;
    return VAULT_OK;
}

/* --- files --- */

static enum vault_code go_through(struct run *run, const json_t *root)
{
    VAULT_TRY(reader_check_type(run->reader, root, READ_OBJECT));
    VAULT_TRY(reader_check_format(run->reader, root, "vault-tests/1"));
    VAULT_TRY(reader_check_members(run->reader, root, READER_MEMBERS(file_members)));
    run->given = json_object_get(root, "given");
    const json_t *cases = json_object_get(root, "cases");
    const size_t mark = reader_enter(run->reader, "cases");
    for (size_t i = 0; i < json_array_size(cases); i++) {
        VAULT_AUTO(case_finish)
        struct one_case one = {.mismatches = buf_limited(POLICY_VALUE_BYTES_MAX * 2)};
        const size_t inner = reader_enter_index(run->reader, i);
        VAULT_TRY(read_case(run, json_array_get(cases, i), &one));
        reader_leave(run->reader, inner);
        if (run->total)
            VAULT_TRY(run_case(run, &one));
    }
    reader_leave(run->reader, mark);
    return VAULT_OK;
}

static enum vault_code open_file(struct run *run, const struct bundle_file *file,
                                 struct policy_fault *fault, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_AUTO(reader_finish)
    struct reader reader = reader_over(file->path, buf_view(&file->content), fault, err);
    run->reader = &reader;
    enum vault_code code = reader_parse(&reader, &root);
    if (code == VAULT_OK)
        code = go_through(run, root);
    run->reader = NULL;
    return code;
}

enum vault_code cases_check(const struct policy *policy, const struct bundle_file *file,
                            struct policy_fault *fault, struct vault_error *err)
{
    struct run run = {.policy = policy};
    return open_file(&run, file, fault, err);
}

enum vault_code policy_cases_run(const struct policy *policy, const struct bundle *bundle,
                                 policy_case_failed *failed, void *context, bool exercised[],
                                 struct policy_cases *out, struct vault_error *err)
{
    struct policy_cases total = {0};
    struct run run = {.policy = policy,
                      .failed = failed,
                      .context = context,
                      .exercised = exercised,
                      .total = &total};
    for (size_t i = 0; i < bundle->file_count; i++) {
        if (bundle->files[i].role == FILE_TESTS)
            VAULT_TRY(open_file(&run, &bundle->files[i], NULL, err));
    }
    *out = total;
    return VAULT_OK;
}
