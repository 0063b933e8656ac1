#include "fetch.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/clock.h"

#define CONNECT_MS  2000L
#define HEADER_MAX  128
#define CONNECTIONS 32L
#define POLL_MS     100

struct fetcher {
    CURLM *multi;
    char ca_path[PATH_MAX]; /* empty: the system's */
};

/* One request while it is under way. */
struct transfer {
    struct fetch *fetch;
    CURL *easy;
    struct curl_slist *headers;
};

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void fetch_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
}

enum vault_code fetcher_new(const char *ca_path, struct fetcher **out, struct vault_error *err)
{
    fetch_start();
    VAULT_AUTO(fetcher_free) struct fetcher *fetcher = calloc(1, sizeof *fetcher);
    if (fetcher)
        fetcher->multi = curl_multi_init();
    if (!fetcher || !fetcher->multi)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    if (ca_path)
        snprintf(fetcher->ca_path, sizeof fetcher->ca_path, "%s", ca_path);
    curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS);
    *out = VAULT_TAKE(fetcher);
    return VAULT_OK;
}

void fetcher_free(struct fetcher **fetcher)
{
    struct fetcher *gone = VAULT_TAKE(*fetcher);
    if (gone && gone->multi)
        curl_multi_cleanup(gone->multi);
    free(gone);
}

bool fetch_url_is_valid(const char *url)
{
    char *scheme = NULL;
    CURLU *parsed = curl_url();
    const bool read = parsed &&
                      curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
                      curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;
    const bool valid = read && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return valid;
}

static bool is_this_machine(const char *host)
{
    struct in_addr v4;
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET);
}

bool fetch_url_is_sheltered(const char *url)
{
    char *scheme = NULL;
    char *host = NULL;
    CURLU *parsed = curl_url();
    const bool read = parsed &&
                      curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
                      curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                      curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    const bool sheltered = read && (strcmp(scheme, "https") == 0 || is_this_machine(host));
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return sheltered;
}

uint16_t fetch_url_port(const char *url)
{
    char *text = NULL;
    CURLU *parsed = curl_url();
    unsigned long port = 0;
    if (parsed && curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_PORT, &text, CURLU_DEFAULT_PORT) == CURLUE_OK)
        port = strtoul(text, NULL, 10);
    curl_free(text);
    curl_url_cleanup(parsed);
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* Less than was given tells the library to stop. */
static size_t on_data(char *data, size_t one, size_t size, void *context)
{
    struct buf *answer = context;
    buf_append(answer, data, one * size);
    return answer->problem ? 0 : one * size;
}

static bool set_body(struct transfer *transfer)
{
    char header[HEADER_MAX];
    const struct fetch *fetch = transfer->fetch;
    snprintf(header, sizeof header, "Content-Type: %s", fetch->content_type);
    transfer->headers = curl_slist_append(NULL, header);
    struct curl_slist *more =
        transfer->headers ? curl_slist_append(transfer->headers, "Expect:") : NULL;
    if (!more)
        return false;
    transfer->headers = more;
    return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK &&
           curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE, (long)fetch->body.size) ==
               CURLE_OK &&
           curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, fetch->body.data) == CURLE_OK;
}

static bool set_rules(const struct fetcher *fetcher, struct transfer *transfer, long timeout_ms)
{
    CURL *easy = transfer->easy;
    return curl_easy_setopt(easy, CURLOPT_URL, transfer->fetch->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                            timeout_ms < CONNECT_MS ? timeout_ms : CONNECT_MS) == CURLE_OK &&
           /* A name that cannot be looked up in time must not hold up what is waiting for us. */
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "citizen-vault/" VAULT_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer->fetch->answer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
           (!fetcher->ca_path[0] ||
            curl_easy_setopt(easy, CURLOPT_CAINFO, fetcher->ca_path) == CURLE_OK);
}

static void begin(struct fetcher *fetcher, struct transfer *transfer, struct fetch *fetch,
                  long timeout_ms)
{
    *transfer = (struct transfer){.fetch = fetch, .easy = curl_easy_init()};
    buf_clear(fetch->answer);
    fetch->status = 0;
    snprintf(fetch->problem, sizeof fetch->problem, "it did not answer in time");
    if (!transfer->easy || !set_rules(fetcher, transfer, timeout_ms) || !set_body(transfer) ||
        curl_multi_add_handle(fetcher->multi, transfer->easy) != CURLM_OK)
        snprintf(fetch->problem, sizeof fetch->problem, "no request could be made");
}

static void take_answer(struct transfer *transfer, CURLcode code)
{
    struct fetch *fetch = transfer->fetch;
    long status = 0;
    if (code != CURLE_OK) {
        /* The library's plain words: its longer ones have times in them, never twice the same. */
        snprintf(fetch->problem, sizeof fetch->problem, "%s",
                 fetch->answer->problem ? "its answer is too large" : curl_easy_strerror(code));
        return;
    }
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    fetch->status = status > 0 && status < 1000 ? (unsigned)status : 0;
}

static void take_answers(struct fetcher *fetcher)
{
    int left = 0;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(fetcher->multi, &left))) {
        char *transfer = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        take_answer((struct transfer *)(void *)transfer, message->data.result);
    }
}

static void end(struct fetcher *fetcher, struct transfer *transfer)
{
    if (transfer->easy) {
        curl_multi_remove_handle(fetcher->multi, transfer->easy);
        curl_easy_cleanup(transfer->easy);
    }
    curl_slist_free_all(transfer->headers);
}

void fetch_all(struct fetcher *fetcher, struct fetch fetches[], size_t count, int64_t timeout_ms)
{
    assert(count <= FETCH_MAX);
    struct transfer transfers[FETCH_MAX];
    const int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    int running = 0;
    for (size_t i = 0; i < count; i++)
        begin(fetcher, &transfers[i], &fetches[i], timeout_ms > 1 ? (long)timeout_ms : 1L);
    do {
        if (curl_multi_perform(fetcher->multi, &running) != CURLM_OK)
            break;
        take_answers(fetcher);
        if (running)
            curl_multi_poll(fetcher->multi, NULL, 0, POLL_MS, NULL);
    } while (running && clock_monotonic_ms() < until_ms);
    take_answers(fetcher);
    for (size_t i = 0; i < count; i++)
        end(fetcher, &transfers[i]);
}
