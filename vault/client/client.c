#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exchange.h"

#define TIMEOUT_S     10U
#define TIMEOUT_MAX_S 600U
#define TRIES         3U
#define TRIES_MAX     10U

static const char *const names[] = {
    [VAULT_CLIENT_OK] = "ok",
    [VAULT_CLIENT_USAGE] = "usage",
    [VAULT_CLIENT_NO_MEMORY] = "no memory",
    [VAULT_CLIENT_UNREACHABLE] = "unreachable",
    [VAULT_CLIENT_UNTRUSTED] = "untrusted",
    [VAULT_CLIENT_NOT_ALLOWED] = "not allowed",
    [VAULT_CLIENT_NOT_FOUND] = "not found",
    [VAULT_CLIENT_OVER] = "over",
    [VAULT_CLIENT_WRONG] = "wrong",
    [VAULT_CLIENT_LATER] = "later",
    [VAULT_CLIENT_FAILED] = "failed",
};

const char *vault_client_code_name(enum vault_client_code code)
{
    const size_t i = (size_t)code;
    return i < sizeof names / sizeof *names ? names[i] : "unknown";
}

/* https://HOST[:PORT], and nothing behind it but a slash. */
static char *read_address(const char *address)
{
    char *path = NULL;
    char *whole = NULL;
    CURLU *url = curl_url();
    if (url && address && strncmp(address, "https://", 8) == 0 &&
        curl_url_set(url, CURLUPART_URL, address, CURLU_DISALLOW_USER) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PATH, &path, 0) == CURLUE_OK && strcmp(path, "/") == 0 &&
        !strpbrk(address, "?#"))
        whole = strdup(address);
    curl_free(path);
    curl_url_cleanup(url);
    if (whole && whole[strlen(whole) - 1] == '/')
        whole[strlen(whole) - 1] = 0;
    return whole;
}

static const char *find_fault(const struct vault_client_options *options)
{
    const struct {
        const char *path;
        const char *text;
    } files[] = {
        {options->ca_file, "the file of the vault's authority cannot be read"},
        {options->certificate_file, "the file of the service's certificate cannot be read"},
        {options->key_file, "the file of the service's key cannot be read"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!files[i].path || access(files[i].path, R_OK) != 0)
            return files[i].text;
    if (options->timeout_s > TIMEOUT_MAX_S)
        return "a time-out is at most 600 seconds";
    return options->tries > TRIES_MAX ? "a call is tried at most 10 times" : NULL;
}

static bool set_rules(CURL *curl, const struct vault_client_options *options)
{
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLCERT, options->certificate_file) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLKEY, options->key_file) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "vault-client/" VAULT_VERSION) == CURLE_OK;
}

enum vault_client_code vault_client_open(const struct vault_client_options *options,
                                         struct vault_client **out, struct vault_client_error *err)
{
    const char *fault = find_fault(options);
    if (fault)
        return exchange_fail(err, VAULT_CLIENT_USAGE, fault);
    struct vault_client *client = calloc(1, sizeof *client);
    /* Counted by the library: each client's own is given back when it is closed. */
    if (!client || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(client);
        return exchange_fail(err, VAULT_CLIENT_NO_MEMORY, "out of memory");
    }
    client->address = read_address(options->address);
    client->curl = curl_easy_init();
    client->timeout_s = options->timeout_s ? options->timeout_s : TIMEOUT_S;
    client->tries = options->tries ? options->tries : TRIES;
    if (client->address && client->curl && set_rules(client->curl, options)) {
        *out = client;
        return VAULT_CLIENT_OK;
    }
    const bool wrong = !client->address;
    vault_client_close(&client);
    return wrong ? exchange_fail(err, VAULT_CLIENT_USAGE,
                                 "the address is https://HOST:PORT with nothing behind it")
                 : exchange_fail(err, VAULT_CLIENT_NO_MEMORY, "out of memory");
}

void vault_client_close(struct vault_client **client)
{
    struct vault_client *gone = *client;
    *client = NULL;
    if (!gone)
        return;
    curl_easy_cleanup(gone->curl);
    curl_global_cleanup();
    free(gone->address);
    free(gone);
}

enum vault_client_code vault_client_me(struct vault_client *client, char **out,
                                       struct vault_client_error *err)
{
    struct exchange exchange = {.method = "GET", .path = "/v1/me", .repeat = EXCHANGE_ANYHOW};
    json_t *answer = NULL;
    const enum vault_client_code code = exchange_json(client, &exchange, false, &answer, err);
    char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
    json_decref(answer);
    if (code != VAULT_CLIENT_OK)
        return code;
    if (!text)
        return exchange_not_understood(err);
    *out = text;
    return VAULT_CLIENT_OK;
}
