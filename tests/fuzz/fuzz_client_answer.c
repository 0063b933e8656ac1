/*
 * What a vault answers to a service's library (vault_client(3)). The first byte says to which call,
 * two bytes are the status, and the rest is the body; libcurl is answered by this file (--wrap in
 * CMakeLists.txt).
 *
 * A call comes back with what was understood whole or with an error, and never with both; texts
 * end, JSON is JSON, ids are ids; and nothing but a failure comes of a status that is none of
 * success.
 */
#include "fuzz_tools.h"

#include <stdarg.h>

#include "client/exchange.h"

#define WHOLE_BYTES_MAX (64UL * 1024)

typedef size_t on_data(char *data, size_t one, size_t count, void *context);

CURLcode __wrap_curl_easy_setopt(CURL *curl, CURLoption option, ...);
CURLcode __wrap_curl_easy_getinfo(CURL *curl, CURLINFO info, ...);
CURLcode __wrap_curl_easy_perform(CURL *curl);

static struct {
    on_data *take;
    void *context;
    long status;
    struct bytes body;
} vault;

CURLcode __wrap_curl_easy_setopt(CURL *curl, CURLoption option, ...)
{
    va_list arguments;
    (void)curl;
    va_start(arguments, option);
    if (option == CURLOPT_WRITEFUNCTION)
        vault.take = va_arg(arguments, on_data *);
    else if (option == CURLOPT_WRITEDATA)
        vault.context = va_arg(arguments, void *);
    va_end(arguments);
    return CURLE_OK;
}

CURLcode __wrap_curl_easy_getinfo(CURL *curl, CURLINFO info, ...)
{
    va_list arguments;
    (void)curl;
    va_start(arguments, info);
    if (info == CURLINFO_RESPONSE_CODE)
        *va_arg(arguments, long *) = vault.status;
    else if (info == CURLINFO_RETRY_AFTER)
        *va_arg(arguments, curl_off_t *) = vault.status * 7;
    va_end(arguments);
    return CURLE_OK;
}

/* In two pieces, as it may come. */
CURLcode __wrap_curl_easy_perform(CURL *curl)
{
    char *data = (char *)(uintptr_t)vault.body.data;
    const size_t first = vault.body.size / 2;
    (void)curl;
    if (vault.body.size && (vault.take(data, 1, first, vault.context) != first ||
                            vault.take(data + first, 1, vault.body.size - first, vault.context) !=
                                vault.body.size - first))
        return CURLE_WRITE_ERROR;
    return CURLE_OK;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static const struct vault_client_field fields[] = {{"identity.birth_date", "year"}};

static void require_json(const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    REQUIRE(json);
    json_decref(json);
}

static enum vault_client_code check_ask(struct vault_client *client, struct vault_client_error *err)
{
    const struct vault_client_ask ask = {.purpose = "p", .fields = fields, .field_count = 1};
    struct vault_client_request out;
    const enum vault_client_code code = vault_client_ask(client, &ask, &out, err);
    if (code == VAULT_CLIENT_OK)
        REQUIRE(memchr(out.id, 0, sizeof out.id) && memchr(out.code, 0, sizeof out.code) &&
                memchr(out.link, 0, sizeof out.link) && memchr(out.expires, 0, sizeof out.expires));
    return code;
}

static enum vault_client_code check_wait(struct vault_client *client,
                                         struct vault_client_error *err)
{
    struct vault_client_answer out;
    const enum vault_client_code code = vault_client_wait(client, "01J", 1, &out, err);
    if (code == VAULT_CLIENT_OK) {
        REQUIRE(out.state <= VAULT_CLIENT_CANCELLED);
        REQUIRE(memchr(out.subject, 0, sizeof out.subject) &&
                memchr(out.consent, 0, sizeof out.consent));
    }
    return code;
}

static enum vault_client_code check_read(struct vault_client *client,
                                         struct vault_client_error *err)
{
    const struct vault_client_question question = {.subject = "aaaaaaaaaaaaaaaaaaaaaaaaaa",
                                                   .purpose = "p",
                                                   .fields = fields,
                                                   .field_count = 1};
    struct vault_client_release *out = NULL;
    const enum vault_client_code code = vault_client_read(client, &question, &out, err);
    REQUIRE((code == VAULT_CLIENT_OK) == (out != NULL));
    for (size_t i = 0; out && i < out->value_count; i++) {
        REQUIRE(out->values[i].field && out->values[i].json);
        require_json(out->values[i].json);
        REQUIRE(vault_client_value_of(out, out->values[i].field));
    }
    for (size_t i = 0; out && i < out->withheld_count; i++)
        REQUIRE(out->withheld[i]);
    if (out)
        vault_client_release_free(&out);
    return code;
}

static enum vault_client_code check_changes(struct vault_client *client,
                                            struct vault_client_error *err)
{
    struct vault_client_changes *out = NULL;
    const enum vault_client_code code = vault_client_changes_after(client, 0, 1, &out, err);
    REQUIRE((code == VAULT_CLIENT_OK) == (out != NULL));
    for (size_t i = 0; out && i < out->count; i++) {
        REQUIRE(out->changes[i].change && out->changes[i].subject && out->changes[i].at);
        require_json(out->changes[i].fields);
    }
    if (out)
        vault_client_changes_free(&out);
    return code;
}

static enum vault_client_code check_deposit(struct vault_client *client,
                                            struct vault_client_error *err)
{
    const struct vault_client_deposit deposit = {"employment.status", "\"training\"", NULL};
    return vault_client_deposit(client, "aaaaaaaaaaaaaaaaaaaaaaaaaa", &deposit, 1, err);
}

static enum vault_client_code check_cancel(struct vault_client *client,
                                           struct vault_client_error *err)
{
    return vault_client_cancel(client, "01J", err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static enum vault_client_code (*const calls[])(struct vault_client * client,
                                                   struct vault_client_error * err) = {
        check_ask, check_wait, check_read, check_changes, check_deposit, check_cancel};
    static char address[] = "https://vault.example:8443";
    struct vault_client client = {.curl = &vault, .address = address, .timeout_s = 1, .tries = 1};
    struct vault_client_error err = {.text = ""};
    struct cursor input = cursor_over((struct bytes){data, size});
    const size_t call = cursor_u8(&input) % (sizeof calls / sizeof calls[0]);
    vault.status = cursor_u16(&input) % 600;
    vault.body = cursor_take(&input, input.left);
    if (input.truncated || size > WHOLE_BYTES_MAX)
        return 0;
    const enum vault_client_code code = calls[call](&client, &err);
    if (code == VAULT_CLIENT_OK) {
        REQUIRE(vault.status >= 200 && vault.status < 300);
        return 0;
    }
    REQUIRE(err.code == code && memchr(err.text, 0, sizeof err.text) && err.text[0]);
    REQUIRE(memchr(err.pointer, 0, sizeof err.pointer));
    REQUIRE((code == VAULT_CLIENT_LATER) == (err.retry_after_s > 0));
    return 0;
}
