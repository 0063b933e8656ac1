#include "exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define CONNECT_MS      5000L
#define KEY_BYTES       16
#define PAUSE_MS        200
#define HEADER_CHARS    128
#define URL_CHARS       1024
#define BODY_MAX        (64U * 1024U) /* the vault takes no more */
#define RETRY_AFTER_MAX 3600L

#define NOT_UNDERSTOOD  "the vault's answer is not one that this library understands"

/* What comes back, up to the limit. */
struct received {
    char *data;
    size_t size;
    bool too_large;
};

/* What the HTTP status means; the first row that fits. */
static const struct {
    long from, to;
    enum vault_client_code code;
    const char *text;
} meanings[] = {
    {200, 299, VAULT_CLIENT_OK, ""},
    {401, 401, VAULT_CLIENT_NOT_ALLOWED, "the vault does not know this service's certificate"},
    {403, 403, VAULT_CLIENT_NOT_ALLOWED, "the vault does not allow this service that"},
    {404, 404, VAULT_CLIENT_NOT_FOUND, "this service has nothing of that name"},
    {409, 409, VAULT_CLIENT_OVER, "it has ended already"},
    {429, 429, VAULT_CLIENT_LATER, "the quota is used up for now"},
    {503, 503, VAULT_CLIENT_LATER, "the vault releases nothing at the moment"},
    {400, 499, VAULT_CLIENT_WRONG, "the vault did not take the request as it was"},
    {500, 599, VAULT_CLIENT_FAILED, "the vault failed"},
};

enum vault_client_code exchange_fail(struct vault_client_error *err, enum vault_client_code code,
                                     const char *text)
{
    if (err) {
        *err = (struct vault_client_error){.code = code};
        snprintf(err->text, sizeof err->text, "%s", text);
    }
    return code;
}

enum vault_client_code exchange_not_understood(struct vault_client_error *err)
{
    return exchange_fail(err, VAULT_CLIENT_FAILED, NOT_UNDERSTOOD);
}

/* --- Wiping ----------------------------------------------------------------------------------- */

/* jansson shows its texts as const and has no call that overwrites them. */
static void wipe(json_t *value)
{
    const char *name;
    json_t *member;
    size_t i;
    const char *text = json_string_value(value);
    if (text)
        explicit_bzero((void *)(uintptr_t)text, json_string_length(value));
    json_object_foreach(value, name, member) wipe(member);
    json_array_foreach(value, i, member) wipe(member);
}

void exchange_wipe(json_t **answer)
{
    if (*answer)
        wipe(*answer);
    json_decref(*answer);
    *answer = NULL;
}

static void received_finish(struct received *received)
{
    if (received->data)
        explicit_bzero(received->data, received->size);
    free(received->data);
    *received = (struct received){0};
}

/* --- One try ---------------------------------------------------------------------------------- */

/* The block is made once, at the limit: nothing is copied about and left behind. */
static size_t on_data(char *data, size_t one, size_t count, void *context)
{
    struct received *received = context;
    const size_t size = one * count;
    received->too_large = size > EXCHANGE_ANSWER_MAX - received->size;
    if (received->too_large)
        return 0;
    memcpy(received->data + received->size, data, size);
    received->size += size;
    return size;
}

static bool add_header(struct curl_slist **headers, const char *text)
{
    struct curl_slist *more = curl_slist_append(*headers, text);
    if (more)
        *headers = more;
    return more;
}

static bool make_key(char out[2 * KEY_BYTES + 1])
{
    unsigned char raw[KEY_BYTES];
    if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
        return false;
    for (size_t i = 0; i < sizeof raw; i++)
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
    return true;
}

static bool set_headers(const struct exchange *exchange, const char *body,
                        struct curl_slist **headers)
{
    char key[2 * KEY_BYTES + 1];
    char line[HEADER_CHARS];
    if (body &&
        (!add_header(headers, "Content-Type: application/json") || !add_header(headers, "Expect:")))
        return false;
    if (exchange->repeat != EXCHANGE_BY_KEY)
        return true;
    if (!make_key(key))
        return false;
    snprintf(line, sizeof line, "Idempotency-Key: %s", key);
    return add_header(headers, line);
}

static bool set_request(struct vault_client *client, const struct exchange *exchange,
                        const char *body, struct curl_slist *headers)
{
    CURL *curl = client->curl;
    char url[URL_CHARS];
    const int length = snprintf(url, sizeof url, "%s%s", client->address, exchange->path);
    const long timeout_ms = 1000L * (long)(client->timeout_s + exchange->wait_s);
    return length > 0 && (size_t)length < sizeof url &&
           curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) == CURLE_OK &&
           (!body || curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) == CURLE_OK) &&
           curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, exchange->method) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                            timeout_ms < CONNECT_MS ? timeout_ms : CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK;
}

/* Whether it is known to be about a certificate. With TLS 1.3 the vault looks at ours when the
 * handshake is over for us, and what it has against it may be lost behind the closing. */
static bool is_about_trust(CURLcode code, const char *words)
{
    static const CURLcode of_trust[] = {
        CURLE_SSL_CONNECT_ERROR,  CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
        CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
    };
    for (size_t i = 0; i < sizeof of_trust / sizeof *of_trust; i++)
        if (code == of_trust[i])
            return true;
    return (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR) && strstr(words, "alert");
}

static enum vault_client_code fail_of_curl(CURLcode code, const struct received *received,
                                           const char *words, struct vault_client_error *err)
{
    if (received->too_large)
        return exchange_fail(err, VAULT_CLIENT_FAILED, "the vault's answer is over 1 MiB");
    if (is_about_trust(code, words))
        return exchange_fail(err, VAULT_CLIENT_UNTRUSTED,
                             "one side did not accept the other's certificate: look at the "
                             "authority's file, and at this service's certificate and its end");
    if (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING)
        return exchange_fail(err, VAULT_CLIENT_UNREACHABLE,
                             "the connection was closed without an answer, which is also how the "
                             "vault treats a certificate that it did not sign or that has ended");
    return exchange_fail(err, VAULT_CLIENT_UNREACHABLE, curl_easy_strerror(code));
}

/* --- What the answer says --------------------------------------------------------------------- */

/* The vault's own words repeat nothing of what was sent. */
static void take_problem(const struct received *received, struct vault_client_error *err)
{
    json_t *problem = json_loadb(received->data, received->size, 0, NULL);
    char detail[sizeof err->text];
    if (exchange_text(problem, "detail", detail, sizeof detail) && detail[0])
        memcpy(err->text, detail, sizeof detail);
    if (!exchange_text(problem, "pointer", err->pointer, sizeof err->pointer))
        err->pointer[0] = 0;
    exchange_wipe(&problem);
}

static enum vault_client_code fail_of_status(CURL *curl, const struct received *received,
                                             struct vault_client_error *err)
{
    long status = 0;
    curl_off_t after_s = 0;
    struct vault_client_error found = {.code = VAULT_CLIENT_FAILED, .text = NOT_UNDERSTOOD};
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &after_s);
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (status >= meanings[i].from && status <= meanings[i].to) {
            found.code = meanings[i].code;
            snprintf(found.text, sizeof found.text, "%s", meanings[i].text);
            break;
        }
    if (found.code == VAULT_CLIENT_OK)
        return VAULT_CLIENT_OK;
    found.status = status > 0 && status < 1000 ? (unsigned)status : 0;
    if (found.code == VAULT_CLIENT_LATER)
        found.retry_after_s = after_s > 0 && after_s < RETRY_AFTER_MAX ? (unsigned)after_s : 1;
    take_problem(received, &found);
    if (err)
        *err = found;
    return found.code;
}

static enum vault_client_code read_answer(CURL *curl, const struct received *received, json_t **out,
                                          struct vault_client_error *err)
{
    const enum vault_client_code code = fail_of_status(curl, received, err);
    if (code != VAULT_CLIENT_OK)
        return code;
    *out = NULL;
    if (!received->size)
        return VAULT_CLIENT_OK;
    *out = json_loadb(received->data, received->size, JSON_REJECT_DUPLICATES, NULL);
    return json_is_object(*out) ? VAULT_CLIENT_OK : exchange_not_understood(err);
}

/* --- Tries ------------------------------------------------------------------------------------ */

static void pause_before(unsigned next_try)
{
    const long ms = PAUSE_MS * (long)next_try;
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static enum vault_client_code try_all(struct vault_client *client, const struct exchange *exchange,
                                      const char *body, struct curl_slist *headers, json_t **out,
                                      struct vault_client_error *err)
{
    char words[CURL_ERROR_SIZE] = "";
    struct received received = {.data = malloc(EXCHANGE_ANSWER_MAX)};
    const unsigned most = exchange->repeat == EXCHANGE_NEVER ? 1 : client->tries;
    enum vault_client_code code = VAULT_CLIENT_NO_MEMORY;
    if (!received.data || !set_request(client, exchange, body, headers))
        exchange_fail(err, code, "out of memory");
    else
        code = VAULT_CLIENT_UNREACHABLE;
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &received);
    curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, words);
    for (unsigned i = 0; i < most && code == VAULT_CLIENT_UNREACHABLE; i++) {
        if (i)
            pause_before(i);
        received.size = 0;
        const CURLcode done = curl_easy_perform(client->curl);
        code = done == CURLE_OK ? read_answer(client->curl, &received, out, err)
                                : fail_of_curl(done, &received, words, err);
    }
    curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    received_finish(&received);
    return code;
}

enum vault_client_code exchange_json(struct vault_client *client, struct exchange *exchange,
                                     bool has_body, json_t **out, struct vault_client_error *err)
{
    struct curl_slist *headers = NULL;
    char *body = has_body && exchange->body ? json_dumps(exchange->body, JSON_COMPACT) : NULL;
    enum vault_client_code code;
    json_decref(exchange->body);
    exchange->body = NULL;
    if ((has_body && !body) || !set_headers(exchange, body, &headers))
        code = exchange_fail(err, VAULT_CLIENT_NO_MEMORY, "out of memory");
    else if (body && strlen(body) > BODY_MAX)
        code = exchange_fail(err, VAULT_CLIENT_USAGE, "the request is over 64 KiB");
    else
        code = try_all(client, exchange, body, headers, out, err);
    if (body)
        explicit_bzero(body, strlen(body));
    free(body);
    curl_slist_free_all(headers);
    return code;
}

/* --- Pieces ----------------------------------------------------------------------------------- */

bool exchange_text(const json_t *object, const char *name, char *out, size_t size)
{
    const json_t *member = json_object_get(object, name);
    const size_t length = json_string_length(member);
    if (!json_is_string(member) || length >= size)
        return false;
    memcpy(out, json_string_value(member), length + 1);
    return true;
}

bool exchange_is_id(const char *id)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const size_t length = id ? strnlen(id, VAULT_CLIENT_ID_CHARS + 1) : 0;
    return length && length <= VAULT_CLIENT_ID_CHARS && strspn(id, allowed) == length;
}

json_t *exchange_fields(const struct vault_client_field *fields, size_t count)
{
    json_t *object = fields && count && count <= VAULT_CLIENT_FIELDS_MAX ? json_object() : NULL;
    for (size_t i = 0; object && i < count; i++) {
        json_t *form = fields[i].form ? json_string(fields[i].form) : json_null();
        if (!fields[i].name || json_object_set_new(object, fields[i].name, form) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

bool block_make(struct block *block, size_t size)
{
    *block = (struct block){calloc(1, size), size, 0};
    return block->data;
}

void *block_take(struct block *block, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    const size_t begin = (block->used + align - 1) / align * align;
    if (begin > block->size || size > block->size - begin)
        return NULL;
    block->used = begin + size;
    return block->data + begin;
}

const char *block_text(struct block *block, const char *text)
{
    const size_t size = text ? strlen(text) + 1 : 0;
    char *copy = size ? block_take(block, size) : NULL;
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

const char *block_json(struct block *block, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    const char *copy = block_text(block, text);
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
    return copy;
}

void block_free(char *data, size_t size)
{
    if (data)
        explicit_bzero(data, size);
    free(data);
}
