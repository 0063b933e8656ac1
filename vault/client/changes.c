/* The feed of what changed for this service. */
#include <stdio.h>
#include <stdlib.h>

#include "exchange.h"

#define SLACK_BYTES 64

/* What the caller sees, and the block that all of it lies in. */
struct held_changes {
    struct vault_client_changes shown;
    struct block block;
};

static bool read_change(struct block *block, const json_t *json, struct vault_client_change *out)
{
    const json_t *n = json_object_get(json, "n");
    *out = (struct vault_client_change){
        .n = json_integer_value(n),
        .change = block_text(block, json_string_value(json_object_get(json, "change"))),
        .subject = block_text(block, json_string_value(json_object_get(json, "subject"))),
        .purpose = block_text(block, json_string_value(json_object_get(json, "purpose"))),
        .at = block_text(block, json_string_value(json_object_get(json, "at"))),
        .fields = block_json(block, json_object_get(json, "fields")),
    };
    return json_is_integer(n) && out->change && out->subject && out->at && out->fields;
}

static bool read_changes(struct held_changes *held, const json_t *answer)
{
    const json_t *changes = json_object_get(answer, "changes");
    const json_t *next = json_object_get(answer, "next");
    const size_t count = json_array_size(changes);
    struct vault_client_change *list = block_take(&held->block, (count + 1) * sizeof *list);
    if (!list || !json_is_array(changes) || !json_is_integer(next))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_change(&held->block, json_array_get(changes, i), &list[i]))
            return false;
    held->shown = (struct vault_client_changes){list, count, json_integer_value(next)};
    return true;
}

static enum vault_client_code hold_changes(const json_t *answer, struct vault_client_changes **out,
                                           struct vault_client_error *err)
{
    const size_t text = json_dumpb(answer, NULL, 0, JSON_COMPACT);
    const size_t count = json_array_size(json_object_get(answer, "changes"));
    const size_t each = sizeof(struct vault_client_change) + 6U * SLACK_BYTES;
    struct held_changes *held = calloc(1, sizeof *held);
    if (!held || !block_make(&held->block, text + (count + 1) * each)) {
        free(held);
        return exchange_fail(err, VAULT_CLIENT_NO_MEMORY, "out of memory");
    }
    struct vault_client_changes *shown = &held->shown;
    if (!read_changes(held, answer)) {
        vault_client_changes_free(&shown);
        return exchange_not_understood(err);
    }
    *out = shown;
    return VAULT_CLIENT_OK;
}

enum vault_client_code vault_client_changes_after(struct vault_client *client, int64_t after,
                                                  unsigned wait_s,
                                                  struct vault_client_changes **out,
                                                  struct vault_client_error *err)
{
    struct exchange exchange = {.method = "GET", .repeat = EXCHANGE_ANYHOW, .wait_s = wait_s};
    json_t *answer = NULL;
    if (after < 0 || wait_s > VAULT_CLIENT_WAIT_MAX_S)
        return exchange_fail(err, VAULT_CLIENT_USAGE,
                             "the changes come after 0 or a former next, waiting at most 60 "
                             "seconds");
    snprintf(exchange.path, sizeof exchange.path, "/v1/consents?after=%lld&wait=%u",
             (long long)after, wait_s);
    enum vault_client_code code = exchange_json(client, &exchange, false, &answer, err);
    if (code == VAULT_CLIENT_OK)
        code = hold_changes(answer, out, err);
    exchange_wipe(&answer);
    return code;
}

void vault_client_changes_free(struct vault_client_changes **changes)
{
    struct held_changes *held = (struct held_changes *)(void *)*changes; /* its first member */
    *changes = NULL;
    if (!held)
        return;
    block_free(held->block.data, held->block.size);
    free(held);
}
