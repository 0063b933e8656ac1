#include "vault/edge/mail.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"
#include "vault/vault/digest.h"

#define PATH_CHARS (DIGEST_ADDRESS_CHARS + 3) /* an address in its brackets */

struct mail {
    CURL *easy; /* kept, so that its connection is */
    char *relay;
    char *from;
    char *ca_path; /* NULL: the system's */
    bool needs_tls;
    atomic_bool is_stopping;
};

/* --- The relay ------------------------------------------------------------------------------ */

static bool part_of(CURLU *parsed, CURLUPart part, char *out, size_t out_bytes)
{
    char *value = NULL;
    const bool found = curl_url_get(parsed, part, &value, 0) == CURLUE_OK;
    if (found)
        snprintf(out, out_bytes, "%s", value);
    curl_free(value);
    return found;
}

static bool read_relay(const char *url, char scheme[16], char host[256])
{
    CURLU *parsed = curl_url();
    const bool read = parsed &&
                      curl_url_set(parsed, CURLUPART_URL, url,
                                   CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
                      part_of(parsed, CURLUPART_SCHEME, scheme, 16) &&
                      part_of(parsed, CURLUPART_HOST, host, 256);
    curl_url_cleanup(parsed);
    return read && (strcmp(scheme, "smtp") == 0 || strcmp(scheme, "smtps") == 0);
}

bool mail_relay_is_valid(const char *url)
{
    char scheme[16];
    char host[256];
    return read_relay(url, scheme, host);
}

static bool is_this_machine(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
           strcmp(host, "[::1]") == 0;
}

enum vault_code mail_open(const struct mail_options *options, struct mail **out,
                          struct vault_error *err)
{
    char scheme[16];
    char host[256];
    if (!read_relay(options->relay, scheme, host))
        return vault_fail(err, VAULT_INVALID, "the mail relay is no URL of smtp or smtps");
    if (!digest_address_is_valid(bytes_of_text(options->from)))
        return vault_fail(err, VAULT_INVALID, "what mail is from is no e-mail address");
    fetch_start();
    VAULT_AUTO(mail_close) struct mail *mail = calloc(1, sizeof *mail);
    if (!mail)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    mail->easy = curl_easy_init();
    mail->relay = strdup(options->relay);
    mail->from = strdup(options->from);
    mail->ca_path = *options->ca_path ? strdup(options->ca_path) : NULL;
    mail->needs_tls = !is_this_machine(host);
    if (!mail->easy || !mail->relay || !mail->from || (*options->ca_path && !mail->ca_path))
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    *out = VAULT_TAKE(mail);
    return VAULT_OK;
}

void mail_close(struct mail **mail)
{
    struct mail *gone = VAULT_TAKE(*mail);
    if (!gone)
        return;
    curl_easy_cleanup(gone->easy);
    free(gone->relay);
    free(gone->from);
    free(gone->ca_path);
    free(gone);
}

void mail_stop(struct mail *mail)
{
    atomic_store(&mail->is_stopping, true);
}

/* --- Sending -------------------------------------------------------------------------------- */

struct sending {
    struct mail *mail;
    struct bytes left; /* of the letter */
};

static size_t give(char *out, size_t one, size_t room, void *context)
{
    struct sending *sending = context;
    const size_t size = one * room < sending->left.size ? one * room : sending->left.size;
    memcpy(out, sending->left.data, size);
    sending->left.data += size;
    sending->left.size -= size;
    return size;
}

static size_t swallow(char *data, size_t one, size_t size, void *context)
{
    (void)data;
    (void)context;
    return one * size;
}

/* Not 0 ends the transfer. */
static int goes_on(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct sending *sending = context;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load(&sending->mail->is_stopping);
}

static bool set_rules(const struct mail *mail)
{
    CURL *easy = mail->easy;
    return curl_easy_setopt(easy, CURLOPT_URL, mail->relay) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USE_SSL,
                            (long)(mail->needs_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE)) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, MAIL_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, MAIL_CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           (!mail->ca_path || curl_easy_setopt(easy, CURLOPT_CAINFO, mail->ca_path) == CURLE_OK);
}

static bool set_letter(struct sending *sending, const char *from, struct curl_slist *to)
{
    CURL *easy = sending->mail->easy;
    return curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READFUNCTION, give) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READDATA, sending) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, goes_on) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFODATA, sending) == CURLE_OK;
}

/* RFC 5321 section 4.2.1: 5yz is for good. Only the library's plain words are told: a relay's own
 * may have the address in them. */
static enum vault_code judge(struct mail *mail, CURLcode code, struct vault_error *err)
{
    long reply = 0;
    if (code == CURLE_OK)
        return VAULT_OK;
    curl_easy_getinfo(mail->easy, CURLINFO_RESPONSE_CODE, &reply);
    if (reply >= 500 && reply < 600)
        return vault_fail(err, VAULT_DENIED, "the mail relay does not take it: %ld", reply);
    return vault_fail(err, VAULT_UNAVAILABLE, "the mail relay: %s", curl_easy_strerror(code));
}

enum vault_code mail_send(struct mail *mail, const struct mail_letter *letter,
                          struct vault_error *err)
{
    char from[PATH_CHARS];
    char to[PATH_CHARS];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(MAIL_BYTES_MAX);
    if (atomic_load(&mail->is_stopping))
        return vault_fail(err, VAULT_UNAVAILABLE, "no mail is sent any more");
    VAULT_TRY(mail_write(mail->from, letter, &text, err));
    snprintf(from, sizeof from, "<%s>", mail->from);
    snprintf(to, sizeof to, "<%s>", letter->to);
    struct sending sending = {mail, buf_view(&text)};
    struct curl_slist *recipients = curl_slist_append(NULL, to);
    curl_easy_reset(mail->easy);
    const bool is_set = recipients && set_rules(mail) && set_letter(&sending, from, recipients);
    const enum vault_code code =
        is_set ? judge(mail, curl_easy_perform(mail->easy), err)
               : vault_fail(err, VAULT_NO_MEMORY, "no letter could be sent: out of memory");
    curl_slist_free_all(recipients);
    return code;
}
