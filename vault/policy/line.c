#include "vault/policy/line.h"

#include "question.h"
#include "vault/base/json.h"

static void write_error(struct buf *out, const json_t *root, const char *text)
{
    const struct bytes id = json_text(json_object_get(root, "id"));
    buf_text(out, "{\"error\":");
    json_write_string(out, bytes_of_text(text));
    buf_text(out, ",\"id\":");
    if (id.data)
        json_write_string(out, id);
    else
        buf_text(out, "null");
    buf_byte(out, '}');
}

/* Read, decide and write; what was parsed stays with the caller, for the id. */
static enum vault_code answer(const struct policy *policy, struct reader *reader, json_t **root,
                              struct arena *arena, struct buf *out)
{
    struct question question;
    VAULT_TRY(reader_parse(reader, root));
    VAULT_TRY(question_read(policy, reader, *root, arena, &question));
    const size_t count = question.request.ask_count;
    struct policy_outcome *outcomes = arena_take(arena, count, sizeof *outcomes);
    struct bytes *values = arena_take(arena, count, sizeof *values);
    if (!outcomes || !values)
        return vault_fail(reader->err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(question_decide(policy, &question, arena, outcomes, values, reader->err));
    answer_write(policy, &question, outcomes, values, out);
    return VAULT_OK;
}

void policy_line_answer(const struct policy *policy, struct bytes line, struct buf *out)
{
    policy_line_answer_at(policy, line, 1, out);
}

void policy_line_answer_at(const struct policy *policy, struct bytes line, size_t number,
                           struct buf *out)
{
    struct vault_error err = {.code = VAULT_OK};
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_AUTO(arena_finish) struct arena arena = {NULL};
    VAULT_AUTO(reader_finish) struct reader reader = reader_over(NULL, line, NULL, &err);
    reader.lines_before = number - 1;
    if (answer(policy, &reader, &root, &arena, out) != VAULT_OK)
        write_error(out, root, err.text);
}
