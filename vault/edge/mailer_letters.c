#include "mailer_letters.h"

#include <stdio.h>
#include <string.h>

#include "assets.h"

const char *letters_language(const char *language)
{
    for (size_t i = 0; i < ASSETS_LANGUAGES; i++) {
        if (strcmp(assets_languages[i], language) == 0)
            return assets_languages[i];
    }
    return assets_languages[0];
}

const char *letters_subject(const struct letter *letter)
{
    return assets_text(letter->language, letter->code        ? "mail.code_subject"
                                         : letter->is_urgent ? "mail.sign_in_subject"
                                                             : "mail.news_subject");
}

static void write_text(const struct letter *letter, const char *name, struct buf *out)
{
    buf_text(out, assets_text(letter->language, name));
    buf_text(out, "\n\n");
}

static void write_link(const char *base, const char *path, struct buf *out)
{
    buf_format(out, "%s%s\n\n", base, path);
}

static void write_code(const struct letter *letter, const char *base, struct buf *out)
{
    write_text(letter, "mail.code_text", out);
    buf_format(out, "    %s\n\n", letter->code);
    write_link(base, "/messages", out);
    write_text(letter, "mail.code_end", out);
}

static void write_news(const struct letter *letter, const char *base, const char *stop_url,
                       struct buf *out)
{
    write_text(letter, letter->is_urgent ? "mail.sign_in_text" : "mail.news_text", out);
    write_link(base, letter->is_urgent ? "/security" : "/accesses", out);
    write_text(letter, "mail.news_careful", out);
    write_text(letter, "mail.news_stop", out);
    buf_format(out, "%s\n", stop_url);
}

enum vault_code letters_write(const struct letter *letter, const char *base, struct buf *out,
                              char stop_url[MAIL_STOP_URL_CHARS + 1], struct vault_error *err)
{
    stop_url[0] = 0;
    if (letter->stop)
        snprintf(stop_url, MAIL_STOP_URL_CHARS + 1, "%s/messages/end/%s", base, letter->stop);
    write_text(letter, "mail.hello", out);
    if (letter->code)
        write_code(letter, base, out);
    else
        write_news(letter, base, stop_url, out);
    return buf_check(out, err);
}
