/*
 * mailer_letters - what the letters say, in the reader's language: a code, that something is new,
 * or that something happened about signing in. Never what, by whom or about what; nothing but a
 * code and links of ours varies.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/buf.h"
#include "vault/edge/mail.h"

struct letter {
    const char *address;
    const char *language; /* one of assets_languages */
    const char *code;     /* NULL: it is a message that something is new */
    bool is_urgent;       /* without one: it is about signing in */
    const char *stop;     /* without one: what ends such messages; else NULL */
};

/* The language of ours that is meant, or the first. */
const char *letters_language(const char *language);

const char *letters_subject(const struct letter *letter);

/* Append the letter's text; base is where the pages are. stop_url is empty for a code's letter. */
enum vault_code letters_write(const struct letter *letter, const char *base, struct buf *out,
                              char stop_url[MAIL_STOP_URL_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;
