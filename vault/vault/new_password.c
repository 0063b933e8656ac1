#include "new_password.h"

#include <passwdqc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/line.h"
#include "vault/vault/sign_in.h"

/* So much of a password is looked at: a longer one that is guessed would be guessed by this. */
#define LOOKED_AT_BYTES 128
#define LEAK_ERROR      "check failed" /* passwdqc's word for a filter that it cannot read */

/* In French and English, as handbook/signing-in.md lists them. */
static const char *const own_words[] = {
    "citizen vault", "coffre-fort",  "coffre",       "citoyen",        "citizen",     "vault",
    "mot de passe",  "mot-de-passe", "motdepasse",   "mdp123",         "passphrase",  "password",
    "données",       "donnees",      "consentement", "consent",        "mairie",      "ville",
    "métropole",     "metropole",    "france",       "connect",        "identifiant", "login",
    "azerty",        "azertyuiop",   "qsdfghjklm",   "wxcvbn",         "qwerty",      "bonjour",
    "soleil",        "doudou",       "jetaime",      "je t'aime",      "iloveyou",    "letmein",
    "welcome",       "bienvenue",    "secret",       "administrateur", "admin",
};

struct new_password {
    char breached[4096]; /* the filter's path; empty: there is none */
    size_t count;
    char words[NEW_PASSWORD_WORDS_MAX][NEW_PASSWORD_WORD_MOST + 1];
    char joined[NEW_PASSWORD_WORDS_MAX * (NEW_PASSWORD_WORD_MOST + 1) + 1]; /* a line each */
};

/* As words are compared: small letters, also those with an accent that French has (of UTF-8, the
 * second byte behind 0xc3). */
static void to_small(char *text)
{
    for (uint8_t *at = (uint8_t *)text; *at; at++) {
        const bool accented = at != (uint8_t *)text && at[-1] == 0xc3 && *at >= 0x80 && *at <= 0x9e;
        if ((*at >= 'A' && *at <= 'Z') || accented)
            *at |= 0x20;
    }
}

/* --- The words ------------------------------------------------------------------------------ */

static enum vault_code add_word(struct new_password *known, struct bytes word,
                                struct vault_error *err)
{
    if (known->count == NEW_PASSWORD_WORDS_MAX)
        return vault_fail(err, VAULT_INVALID, "there are more than %d words",
                          NEW_PASSWORD_WORDS_MAX);
    char *place = known->words[known->count++];
    memcpy(place, word.data, word.size);
    place[word.size] = 0;
    to_small(place);
    return VAULT_OK;
}

/* The parts of the log's name, such as "rennes" of "coffre.rennes.example/log". */
static enum vault_code add_name(struct new_password *known, const char *origin,
                                struct vault_error *err)
{
    static const char between[] = "./-_:";
    while (*origin) {
        const size_t size = strcspn(origin, between);
        if (size >= NEW_PASSWORD_WORD_LEAST && size <= NEW_PASSWORD_WORD_MOST)
            VAULT_TRY(add_word(known, (struct bytes){(const uint8_t *)origin, size}, err));
        origin += size;
        origin += strspn(origin, between);
    }
    return VAULT_OK;
}

static enum vault_code add_line(struct new_password *known, struct bytes line, size_t number,
                                const char *path, struct vault_error *err)
{
    if (line.size == 0 || line.data[0] == '#')
        return VAULT_OK;
    if (line.size < NEW_PASSWORD_WORD_LEAST || line.size > NEW_PASSWORD_WORD_MOST ||
        memchr(line.data, 0, line.size))
        return vault_fail(err, VAULT_INVALID, "%s, line %zu: a word has %d to %d bytes", path,
                          number, NEW_PASSWORD_WORD_LEAST, NEW_PASSWORD_WORD_MOST);
    return add_word(known, line, err);
}

static enum vault_code add_file(struct new_password *known, const char *path,
                                struct vault_error *err)
{
    VAULT_AUTO(line_end) FILE *file = fopen(path, "re");
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(NEW_PASSWORD_WORD_MOST * 4);
    bool found = true;
    if (!file)
        return vault_fail_errno(err, "opening %s", path);
    for (size_t number = 1; found; number++) {
        VAULT_TRY(line_read(file, &line, &found, err));
        if (found)
            VAULT_TRY(add_line(known, buf_view(&line), number, path, err));
    }
    return VAULT_OK;
}

static void join(struct new_password *known)
{
    size_t used = 0;
    for (size_t i = 0; i < known->count; i++)
        used += (size_t)snprintf(known->joined + used, sizeof known->joined - used, "%s\n",
                                 known->words[i]);
}

/* --- A password ----------------------------------------------------------------------------- */

static size_t characters_of(struct bytes text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += (text.data[i] & 0xc0) != 0x80; /* of UTF-8, where each begins */
    return count;
}

static size_t fits(const char *word, const char *at)
{
    const size_t size = strlen(word);
    return size >= NEW_PASSWORD_WORD_LEAST && strncmp(word, at, size) == 0 ? size : 0;
}

/* How little can be left of what begins there, where that is known of each place behind it: the
 * longest word is not always the one after which others go on. */
static size_t left_at(const struct new_password *known, const char *login, const char *at,
                      const size_t behind[])
{
    const size_t by_login = fits(login, at);
    size_t least = behind[1] + (*at != ' ' && ((uint8_t)*at & 0xc0) != 0x80);
    if (by_login && behind[by_login] < least)
        least = behind[by_login];
    for (size_t i = 0; i < known->count; i++) {
        const size_t size = fits(known->words[i], at);
        if (size && behind[size] < least)
            least = behind[size];
    }
    return least;
}

/* Whether it is little more than our words, however often and in whatever order. */
static bool is_ours(const struct new_password *known, const char *login, const char *looked_at)
{
    char small[LOOKED_AT_BYTES + 1];
    size_t left[LOOKED_AT_BYTES + 1] = {0}; /* of what begins at each place */
    snprintf(small, sizeof small, "%s", looked_at);
    to_small(small);
    for (size_t i = strlen(small); i-- > 0;)
        left[i] = left_at(known, login, small + i, left + i);
    explicit_bzero(small, sizeof small);
    return left[0] < NEW_PASSWORD_LEFT;
}

/* Whether it is a piece, shorter than a password may be, over and over. */
static bool is_repeated(const char *looked_at)
{
    const size_t size = strlen(looked_at);
    for (size_t piece = 1; piece < SIGN_IN_PASSWORD_CHARS && piece * 2 <= size; piece++) {
        if (memcmp(looked_at, looked_at + piece, size - piece) == 0)
            return true;
    }
    return false;
}

/* passwdqc's reason to refuse, or NULL. No class of characters makes a shorter one do, and none is
 * asked for: all minima are the same. */
static const char *reason_of(const struct new_password *known, const char *login,
                             const char *looked_at)
{
    char none[] = "";
    char name[SIGN_IN_LOGIN_CHARS + 1];
    char *joined = (char *)(uintptr_t)known->joined; /* it is only read, but not said so */
    char *filter = known->breached[0] ? (char *)(uintptr_t)known->breached : NULL;
    const int least = SIGN_IN_PASSWORD_CHARS;
    const passwdqc_params_qc_t limits = {.min = {least, least, least, least, least},
                                         .max = LOOKED_AT_BYTES,
                                         .passphrase_words = 3,
                                         .match_length = NEW_PASSWORD_WORD_LEAST,
                                         .filter = filter};
    snprintf(name, sizeof name, "%s", login);
    const struct passwd about = {.pw_name = name, .pw_gecos = joined, .pw_dir = none};
    return passwdqc_check(&limits, looked_at, NULL, &about);
}

enum vault_code new_password_check(const struct new_password *known, struct bytes password,
                                   const char *login, struct vault_error *err)
{
    char looked_at[LOOKED_AT_BYTES + 1] = "";
    if (characters_of(password) < SIGN_IN_PASSWORD_CHARS)
        return vault_fail(err, VAULT_INVALID, "a password has at least %d characters",
                          SIGN_IN_PASSWORD_CHARS);
    memcpy(looked_at, password.data,
           password.size < LOOKED_AT_BYTES ? password.size : LOOKED_AT_BYTES);
    const char *name = login ? login : "";
    const char *reason = reason_of(known, name, looked_at);
    const bool refused = reason || is_repeated(looked_at) || is_ours(known, name, looked_at);
    explicit_bzero(looked_at, sizeof looked_at);
    if (reason && strcmp(reason, LEAK_ERROR) == 0)
        return vault_fail(err, VAULT_IO, "the filter of breached passwords cannot be read");
    return refused ? vault_fail(err, VAULT_CONFLICT, "this password would be guessed") : VAULT_OK;
}

/* --- All of it ------------------------------------------------------------------------------ */

/* One that everything before the filter lets through shows whether the filter can be read. */
static enum vault_code check_filter(const struct new_password *known, struct vault_error *err)
{
    static const char probe[] = "gxv7 kqwz-mfj2 tbhy-rpd9 nclu";
    const char *reason = known->breached[0] ? reason_of(known, "", probe) : NULL;
    if (reason && strcmp(reason, LEAK_ERROR) == 0)
        return vault_fail(err, VAULT_INVALID, "%s is no filter that pwqfilter(1) made",
                          known->breached);
    return VAULT_OK;
}

enum vault_code new_password_open(const struct vault_options *options, struct new_password **out,
                                  struct vault_error *err)
{
    VAULT_AUTO(new_password_close) struct new_password *known = calloc(1, sizeof *known);
    const char *breached = options->passwords.breached ? options->passwords.breached : "";
    if (!known)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    if (strlen(breached) >= sizeof known->breached)
        return vault_fail(err, VAULT_TOO_LARGE, "the path of the filter is too long");
    snprintf(known->breached, sizeof known->breached, "%s", breached);
    for (size_t i = 0; i < sizeof own_words / sizeof own_words[0]; i++)
        VAULT_TRY(add_word(known, bytes_of_text(own_words[i]), err));
    VAULT_TRY(add_name(known, options->origin, err));
    if (options->passwords.words && options->passwords.words[0])
        VAULT_TRY(add_file(known, options->passwords.words, err));
    join(known);
    VAULT_TRY(check_filter(known, err));
    *out = VAULT_TAKE(known);
    return VAULT_OK;
}

void new_password_close(struct new_password **known)
{
    free(*known);
    *known = NULL;
}
