/* Access requests: ask a citizen, wait for the answer, take the question back. */
#include <stdio.h>
#include <string.h>

#include "exchange.h"

static const struct {
    const char *name;
    enum vault_client_state state;
} states[] = {
    {"pending", VAULT_CLIENT_PENDING},     {"granted", VAULT_CLIENT_GRANTED},
    {"refused", VAULT_CLIENT_REFUSED},     {"expired", VAULT_CLIENT_EXPIRED},
    {"cancelled", VAULT_CLIENT_CANCELLED},
};

static json_t *number_or_null(unsigned number)
{
    return number ? json_integer(number) : json_null();
}

static json_t *message_of(const struct vault_client_ask *ask)
{
    return ask->message_fr ? json_pack("{s:s, s:s}", "fr", ask->message_fr, "en", ask->message_en)
                           : json_null();
}

enum vault_client_code vault_client_ask(struct vault_client *client,
                                        const struct vault_client_ask *ask,
                                        struct vault_client_request *out,
                                        struct vault_client_error *err)
{
    json_t *fields = exchange_fields(ask->fields, ask->field_count);
    if (!fields || !ask->purpose || !ask->message_fr != !ask->message_en) {
        json_decref(fields);
        return exchange_fail(err, VAULT_CLIENT_USAGE,
                             "a request has a purpose, 1 to 64 fields, and a message in both "
                             "languages or in none");
    }
    struct exchange exchange = {
        .method = "POST",
        .path = "/v1/access-requests",
        .body = json_pack("{s:s, s:o, s:o, s:o, s:o, s:s*}", "purpose", ask->purpose, "fields",
                          fields, "period_days", number_or_null(ask->period_days), "uses",
                          number_or_null(ask->uses), "message", message_of(ask), "reference",
                          ask->reference),
        .repeat = EXCHANGE_BY_KEY,
    };
    json_t *answer = NULL;
    enum vault_client_code code = exchange_json(client, &exchange, true, &answer, err);
    struct vault_client_request found = {0};
    if (code == VAULT_CLIENT_OK &&
        (!exchange_text(answer, "id", found.id, sizeof found.id) ||
         !exchange_text(answer, "code", found.code, sizeof found.code) ||
         !exchange_text(answer, "link", found.link, sizeof found.link) ||
         !exchange_text(answer, "expires", found.expires, sizeof found.expires)))
        code = exchange_not_understood(err);
    if (code == VAULT_CLIENT_OK)
        *out = found;
    exchange_wipe(&answer);
    return code;
}

static bool read_grant(const json_t *answer, struct vault_client_answer *out)
{
    const json_t *consent = json_object_get(answer, "consent");
    const json_t *uses = json_object_get(consent, "uses_left");
    out->uses_left = json_is_integer(uses) ? json_integer_value(uses) : -1;
    return (json_is_integer(uses) || json_is_null(uses)) &&
           exchange_text(answer, "subject", out->subject, sizeof out->subject) &&
           exchange_text(answer, "expires", out->expires, sizeof out->expires) &&
           exchange_text(consent, "id", out->consent, sizeof out->consent);
}

static bool read_state(const json_t *answer, struct vault_client_answer *out)
{
    char name[16];
    if (!exchange_text(answer, "state", name, sizeof name))
        return false;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(name, states[i].name) == 0) {
            out->state = states[i].state;
            return out->state != VAULT_CLIENT_GRANTED || read_grant(answer, out);
        }
    return false;
}

enum vault_client_code vault_client_wait(struct vault_client *client, const char *id,
                                         unsigned wait_s, struct vault_client_answer *out,
                                         struct vault_client_error *err)
{
    if (!exchange_is_id(id) || wait_s > VAULT_CLIENT_WAIT_MAX_S)
        return exchange_fail(err, VAULT_CLIENT_USAGE,
                             "waiting needs a request's id and at most 60 seconds");
    struct exchange exchange = {.method = "GET", .repeat = EXCHANGE_ANYHOW, .wait_s = wait_s};
    struct vault_client_answer found = {0};
    json_t *answer = NULL;
    snprintf(exchange.path, sizeof exchange.path, "/v1/access-requests/%s?wait=%u", id, wait_s);
    enum vault_client_code code = exchange_json(client, &exchange, false, &answer, err);
    if (code == VAULT_CLIENT_OK && !read_state(answer, &found))
        code = exchange_not_understood(err);
    if (code == VAULT_CLIENT_OK)
        *out = found;
    exchange_wipe(&answer);
    return code;
}

enum vault_client_code vault_client_cancel(struct vault_client *client, const char *id,
                                           struct vault_client_error *err)
{
    struct exchange exchange = {.method = "DELETE", .repeat = EXCHANGE_ANYHOW};
    json_t *answer = NULL;
    if (!exchange_is_id(id))
        return exchange_fail(err, VAULT_CLIENT_USAGE, "that is no request's id");
    snprintf(exchange.path, sizeof exchange.path, "/v1/access-requests/%s", id);
    const enum vault_client_code code = exchange_json(client, &exchange, false, &answer, err);
    exchange_wipe(&answer);
    return code;
}
