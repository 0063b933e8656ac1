/* Reading what was consented to, and bringing values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"

#define CONTEXT_MAX  16
#define DEPOSITS_MAX VAULT_CLIENT_FIELDS_MAX
#define SLACK_BYTES  64

/* What the caller sees, and the block that all of it lies in. */
struct held_release {
    struct vault_client_release shown;
    struct block block;
};

/* --- The question ----------------------------------------------------------------------------- */

static json_t *context_of(const struct vault_client_question *question)
{
    json_t *context = json_object();
    for (size_t i = 0; context && i < question->context_count; i++)
        if (json_object_set_new(context, question->context[i].atom,
                                json_string(question->context[i].value)) != 0) {
            json_decref(context);
            return NULL;
        }
    return context;
}

static json_t *body_of(const struct vault_client_question *question, json_t *fields)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:s*}", "subject", question->subject, "purpose",
                     question->purpose, "fields", fields, "context", context_of(question),
                     "reference", question->reference);
}

/* --- The answer ------------------------------------------------------------------------------- */

static bool read_value(struct block *block, const char *field, const json_t *json,
                       struct vault_client_value *out)
{
    const json_t *value = json_object_get(json, "value");
    *out = (struct vault_client_value){
        .field = block_text(block, field),
        .form = block_text(block, json_string_value(json_object_get(json, "form"))),
        .text = block_text(block, json_string_value(value)),
        .json = value ? block_json(block, value) : NULL,
        .as_of = block_text(block, json_string_value(json_object_get(json, "as_of"))),
        .source = block_text(block, json_string_value(json_object_get(json, "source"))),
    };
    return out->field && out->form && out->json;
}

static bool read_values(struct held_release *held, json_t *released)
{
    struct block *block = &held->block;
    const size_t count = json_object_size(released);
    struct vault_client_value *values = block_take(block, (count + 1) * sizeof *values);
    const char *field;
    json_t *json;
    if (!values || !json_is_object(released))
        return false;
    json_object_foreach(
        released, field,
        json) if (!read_value(block, field, json, &values[held->shown.value_count++])) return false;
    held->shown.values = values;
    return true;
}

static bool read_withheld(struct held_release *held, const json_t *withheld)
{
    const size_t count = json_array_size(withheld);
    const char **names = block_take(&held->block, (count + 1) * sizeof *names);
    if (!names || !json_is_array(withheld))
        return false;
    for (size_t i = 0; i < count; i++) {
        names[i] = block_text(&held->block, json_string_value(json_array_get(withheld, i)));
        if (!names[i])
            return false;
    }
    held->shown.withheld = names;
    held->shown.withheld_count = count;
    return true;
}

static bool read_release(struct held_release *held, const json_t *answer)
{
    const json_t *obligations = json_object_get(answer, "obligations");
    const json_t *days = json_object_get(obligations, "retain_at_most_days");
    const json_t *index = json_object_get(json_object_get(answer, "log"), "index");
    struct vault_client_release *shown = &held->shown;
    if (!json_is_object(obligations) || !json_is_integer(index))
        return false;
    shown->id = block_text(&held->block, json_string_value(json_object_get(answer, "release")));
    shown->obligations = block_json(&held->block, obligations);
    shown->retain_days = json_integer_value(days) > 0 ? (unsigned)json_integer_value(days) : 0;
    shown->log_index = json_integer_value(index);
    return shown->id && shown->obligations &&
           read_values(held, json_object_get(answer, "released")) &&
           read_withheld(held, json_object_get(answer, "withheld"));
}

/* Room for every text twice, as itself and as JSON, and for what points to them. */
static size_t room_for(const json_t *answer)
{
    const size_t text = json_dumpb(answer, NULL, 0, JSON_COMPACT);
    const size_t released = json_object_size(json_object_get(answer, "released"));
    const size_t withheld = json_array_size(json_object_get(answer, "withheld"));
    const size_t each = sizeof(struct vault_client_value) + 6U * SLACK_BYTES;
    return 2U * text + (released + 1) * each + (withheld + 1) * (sizeof(char *) + SLACK_BYTES) +
           8U * SLACK_BYTES;
}

static enum vault_client_code hold_release(const json_t *answer, struct vault_client_release **out,
                                           struct vault_client_error *err)
{
    struct held_release *held = calloc(1, sizeof *held);
    if (!held || !block_make(&held->block, room_for(answer))) {
        free(held);
        return exchange_fail(err, VAULT_CLIENT_NO_MEMORY, "out of memory");
    }
    struct vault_client_release *shown = &held->shown;
    if (!read_release(held, answer)) {
        vault_client_release_free(&shown);
        return exchange_not_understood(err);
    }
    *out = shown;
    return VAULT_CLIENT_OK;
}

/* --- The calls -------------------------------------------------------------------------------- */

enum vault_client_code vault_client_read(struct vault_client *client,
                                         const struct vault_client_question *question,
                                         struct vault_client_release **out,
                                         struct vault_client_error *err)
{
    json_t *fields = exchange_fields(question->fields, question->field_count);
    if (!fields || !question->purpose || !exchange_is_id(question->subject) ||
        question->context_count > CONTEXT_MAX) {
        json_decref(fields);
        return exchange_fail(err, VAULT_CLIENT_USAGE,
                             "a question has a subject, a purpose, 1 to 64 fields and at most 16 "
                             "conditions");
    }
    struct exchange exchange = {
        .method = "POST",
        .path = "/v1/releases",
        .body = body_of(question, fields),
        .repeat = EXCHANGE_BY_KEY,
    };
    json_t *answer = NULL;
    enum vault_client_code code = exchange_json(client, &exchange, true, &answer, err);
    if (code == VAULT_CLIENT_OK)
        code = hold_release(answer, out, err);
    exchange_wipe(&answer);
    return code;
}

const struct vault_client_value *vault_client_value_of(const struct vault_client_release *release,
                                                       const char *field)
{
    for (size_t i = 0; i < release->value_count; i++)
        if (strcmp(release->values[i].field, field) == 0)
            return &release->values[i];
    return NULL;
}

void vault_client_release_free(struct vault_client_release **release)
{
    struct held_release *held = (struct held_release *)(void *)*release; /* its first member */
    *release = NULL;
    if (!held)
        return;
    block_free(held->block.data, held->block.size);
    free(held);
}

static json_t *deposits_of(const struct vault_client_deposit *deposits, size_t count)
{
    json_t *fields = deposits && count && count <= DEPOSITS_MAX ? json_object() : NULL;
    for (size_t i = 0; fields && i < count; i++) {
        json_t *value =
            deposits[i].json ? json_loads(deposits[i].json, JSON_DECODE_ANY, NULL) : NULL;
        json_t *field =
            value ? json_pack("{s:o, s:s*}", "value", value, "as_of", deposits[i].as_of) : NULL;
        if (!field || !deposits[i].field ||
            json_object_set_new(fields, deposits[i].field, field) != 0)
            exchange_wipe(&fields);
    }
    return fields;
}

/* A connection that breaks is not tried again: the citizen would be told of two deposits. */
enum vault_client_code vault_client_deposit(struct vault_client *client, const char *subject,
                                            const struct vault_client_deposit *deposits,
                                            size_t count, struct vault_client_error *err)
{
    json_t *fields = deposits_of(deposits, count);
    json_t *answer = NULL;
    if (!fields || !exchange_is_id(subject)) {
        exchange_wipe(&fields);
        return exchange_fail(err, VAULT_CLIENT_USAGE,
                             "a deposit has a subject and 1 to 64 fields, each with its value as "
                             "JSON");
    }
    struct exchange exchange = {.method = "PUT", .body = json_pack("{s:o}", "fields", fields)};
    snprintf(exchange.path, sizeof exchange.path, "/v1/subjects/%s/fields", subject);
    const enum vault_client_code code = exchange_json(client, &exchange, true, &answer, err);
    exchange_wipe(&answer);
    return code;
}
