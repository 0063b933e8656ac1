/* A letter as it is sent: headers in ASCII, and the text in base64, so that no line of it can mean
 * anything to whoever carries it. */
#include <stdio.h>
#include <string.h>

#include "vault/base/clock.h"
#include "vault/base/codec.h"
#include "vault/crypto/secret.h"
#include "vault/edge/mail.h"
#include "vault/vault/digest.h"

#define WORD_BYTES 42 /* of an encoded word of at most 75 characters (RFC 2047 section 2) */
#define LINE_BYTES 57 /* 76 characters of base64 (RFC 2045 section 6.8) */
#define ID_BYTES   16

/* RFC 5322 section 3.3. */
static void write_date(struct buf *out, int64_t now_s)
{
    static const char days[][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const struct date date = date_of_instant(now_s);
    const long long second = now_s % 86400;
    buf_format(out, "Date: %s, %d %s %d %02lld:%02lld:%02lld +0000\r\n", days[now_s / 86400 % 7],
               date.day, months[date.month - 1], date.year, second / 3600, second / 60 % 60,
               second % 60);
}

static void write_id(struct buf *out, const char *from)
{
    uint8_t id[ID_BYTES];
    char name[ID_BYTES * 2 + 1];
    random_bytes(id, sizeof id);
    hex_string(name, id, sizeof id);
    buf_format(out, "Message-ID: <%s%s>\r\n", name, strchr(from, '@'));
}

/* How much of a text fits into a word without cutting a character of UTF-8. */
static size_t word_size(struct bytes text)
{
    size_t size = text.size < WORD_BYTES ? text.size : WORD_BYTES;
    while (size < text.size && size > 1 && (text.data[size] & 0xc0) == 0x80)
        size--;
    return size;
}

static void write_subject(struct buf *out, const char *subject)
{
    buf_text(out, "Subject:");
    for (struct bytes left = bytes_of_text(subject); left.size;) {
        const size_t size = word_size(left);
        buf_text(out, " =?UTF-8?B?");
        base64_encode(out, (struct bytes){left.data, size});
        buf_text(out, "?=\r\n");
        left.data += size;
        left.size -= size;
    }
}

/* Lines of a text end with CRLF before it is encoded (RFC 2046 section 4.1.1). */
static void write_body(struct buf *out, const char *body, struct buf *lines)
{
    for (; *body; body++) {
        if (*body == '\n')
            buf_byte(lines, '\r');
        buf_byte(lines, (uint8_t)*body);
    }
    for (struct bytes left = buf_view(lines); left.size;) {
        const size_t size = left.size < LINE_BYTES ? left.size : LINE_BYTES;
        base64_encode(out, (struct bytes){left.data, size});
        buf_text(out, "\r\n");
        left.data += size;
        left.size -= size;
    }
}

enum vault_code mail_write(const char *from, const struct mail_letter *letter, struct buf *out,
                           struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(MAIL_BODY_MAX_BYTES);
    if (!digest_address_is_valid(bytes_of_text(letter->to)) ||
        !digest_address_is_valid(bytes_of_text(from)))
        return vault_fail(err, VAULT_INVALID, "a letter's address is none");
    write_date(out, letter->now_s);
    write_id(out, from);
    buf_format(out, "From: <%s>\r\nTo: <%s>\r\n", from, letter->to);
    write_subject(out, letter->subject);
    /* RFC 3834: whoever answers by a machine does not answer this. */
    buf_text(out, "Auto-Submitted: auto-generated\r\n");
    if (letter->stop_url)
        buf_format(out, "List-Unsubscribe: <%s>\r\n", letter->stop_url);
    buf_text(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: base64\r\n\r\n");
    write_body(out, letter->body, &lines);
    VAULT_TRY(buf_check(&lines, err));
    return buf_check(out, err);
}
