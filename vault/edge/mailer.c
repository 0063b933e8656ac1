#include "vault/edge/mailer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "mailer_letters.h"
#include "vault/base/log.h"
#include "vault/vault/digest.h"

/* A code that waits to be sent. */
struct waiting {
    char address[DIGEST_ADDRESS_CHARS + 1];
    char code[DIGEST_CODE_CHARS + 1];
    const char *language; /* one of ours */
    int64_t due_ms;
    int64_t again_ms; /* how long to wait after the next failure */
    int64_t until_ms; /* it is good for as long */
};

struct mailer {
    struct mailer_options options;
    struct mail *mail; /* the thread's */
    pthread_t thread;
    bool runs;
    int64_t look_due_ms;   /* the thread's */
    pthread_mutex_t mutex; /* over all from here on */
    pthread_cond_t changed;
    struct waiting waiting[MAILER_CODES_MAX];
    size_t waiting_count;
    bool is_sending_code; /* one more was taken out, and its place stays its own */
    struct mailer_figures figures;
    bool is_stopping;
};

/* --- For everybody -------------------------------------------------------------------------- */

enum vault_code mailer_open(const struct mailer_options *options, struct mailer **out,
                            struct vault_error *err)
{
    VAULT_AUTO(mailer_close) struct mailer *mailer = calloc(1, sizeof *mailer);
    if (!mailer)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    mailer->options = *options;
    mailer->options.mail = (struct mail_options){0}; /* copied, and borrowed no longer */
    if (!mailer->options.look_ms)
        mailer->options.look_ms = MAILER_LOOK_MS;
    pthread_mutex_init(&mailer->mutex, NULL);
    clock_condition_init(&mailer->changed);
    VAULT_TRY(mail_open(&options->mail, &mailer->mail, err));
    *out = VAULT_TAKE(mailer);
    return VAULT_OK;
}

enum vault_code mailer_open_configured(const struct config_mail *config, const char *base,
                                       struct sealing *sealing, struct mailer **out,
                                       struct vault_error *err)
{
    const struct mailer_options options = {
        .mail = {config->relay, config->from, config->ca},
        .base = base,
        .sealing = sealing,
        .clock = clock_system,
    };
    return config->relay[0] ? mailer_open(&options, out, err) : VAULT_OK;
}

void mailer_close(struct mailer **mailer)
{
    struct mailer *gone = VAULT_TAKE(*mailer);
    if (!gone)
        return;
    pthread_mutex_lock(&gone->mutex);
    gone->is_stopping = true;
    pthread_cond_signal(&gone->changed);
    pthread_mutex_unlock(&gone->mutex);
    if (gone->mail)
        mail_stop(gone->mail);
    if (gone->runs)
        pthread_join(gone->thread, NULL);
    mail_close(&gone->mail);
    pthread_cond_destroy(&gone->changed);
    pthread_mutex_destroy(&gone->mutex);
    explicit_bzero(gone->waiting, sizeof gone->waiting);
    free(gone);
}

/* With the mutex held. */
static bool takes_one_more(const struct mailer *mailer)
{
    return mailer->waiting_count + mailer->is_sending_code < MAILER_CODES_MAX;
}

bool mailer_has_room(struct mailer *mailer)
{
    pthread_mutex_lock(&mailer->mutex);
    const bool has_room = takes_one_more(mailer);
    pthread_mutex_unlock(&mailer->mutex);
    return has_room;
}

static void fill(struct waiting *waiting, const char *address, const char *language,
                 const char *code)
{
    const int64_t now_ms = clock_monotonic_ms();
    *waiting = (struct waiting){.language = letters_language(language),
                                .due_ms = now_ms,
                                .again_ms = MAILER_AGAIN_MS,
                                .until_ms = now_ms + DIGEST_CODE_S * 1000LL};
    memcpy(waiting->address, address, strnlen(address, DIGEST_ADDRESS_CHARS));
    memcpy(waiting->code, code, strnlen(code, DIGEST_CODE_CHARS));
}

enum vault_code mailer_send_code(struct mailer *mailer, const char *address, const char *language,
                                 const char *code, struct vault_error *err)
{
    pthread_mutex_lock(&mailer->mutex);
    const bool has_room = takes_one_more(mailer);
    if (has_room)
        fill(&mailer->waiting[mailer->waiting_count++], address, language, code);
    pthread_cond_signal(&mailer->changed);
    pthread_mutex_unlock(&mailer->mutex);
    return has_room ? VAULT_OK
                    : vault_fail(err, VAULT_LIMITED, "too many codes wait to be sent already");
}

struct mailer_figures mailer_figures(struct mailer *mailer)
{
    pthread_mutex_lock(&mailer->mutex);
    struct mailer_figures figures = mailer->figures;
    figures.waiting = mailer->waiting_count;
    pthread_mutex_unlock(&mailer->mutex);
    return figures;
}

/* --- One letter ----------------------------------------------------------------------------- */

/* That a relay refuses one letter for good says nothing of the next. */
static void count(struct mailer *mailer, enum vault_code code, uint64_t *sent,
                  const struct vault_error *err)
{
    const bool failed = code && code != VAULT_DENIED;
    pthread_mutex_lock(&mailer->mutex);
    struct mailer_figures *figures = &mailer->figures;
    const uint64_t failed_before = figures->failures_in_a_row;
    figures->failures += failed;
    figures->failures_in_a_row = failed ? failed_before + 1 : 0;
    figures->refused += code == VAULT_DENIED;
    *sent += code == VAULT_OK;
    pthread_mutex_unlock(&mailer->mutex);
    if (failed && !failed_before)
        log_event(LOG_WARNING, "mail", "a letter was not sent: %s", err->text);
    if (!failed && failed_before)
        log_event(LOG_INFO, "mail", "letters are sent again");
}

static enum vault_code send_letter(struct mailer *mailer, const struct letter *letter,
                                   uint64_t *sent, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(MAIL_BODY_MAX_BYTES);
    char stop_url[MAIL_STOP_URL_CHARS + 1];
    struct mail_letter mail = {.to = letter->address,
                               .subject = letters_subject(letter),
                               .now_s = clock_now_s(&mailer->options.clock)};
    VAULT_TRY(letters_write(letter, mailer->options.base, &body, stop_url, err));
    mail.body = buf_string(&body);
    mail.stop_url = letter->stop ? stop_url : NULL;
    const enum vault_code code = mail_send(mailer->mail, &mail, err);
    count(mailer, code, sent, err);
    return code;
}

/* --- Codes ---------------------------------------------------------------------------------- */

/* Take out the first code that is due; those that are no longer good go. With the mutex held. */
static bool take_code(struct mailer *mailer, struct waiting *out)
{
    const int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < mailer->waiting_count; i++) {
        struct waiting *waiting = &mailer->waiting[i];
        if (waiting->due_ms > now_ms)
            continue;
        *out = *waiting;
        mailer->waiting_count--;
        memmove(waiting, waiting + 1, (mailer->waiting_count - i) * sizeof *waiting);
        explicit_bzero(&mailer->waiting[mailer->waiting_count], sizeof *waiting);
        return true;
    }
    return false;
}

/* Put back what could not be sent, at the end, if it is still good by then. With the mutex held. */
static void put_back(struct mailer *mailer, struct waiting *code)
{
    code->due_ms = clock_monotonic_ms() + code->again_ms;
    code->again_ms = code->again_ms * 2 < MAILER_LATER_MS ? code->again_ms * 2 : MAILER_LATER_MS;
    if (code->due_ms < code->until_ms)
        mailer->waiting[mailer->waiting_count++] = *code;
}

/* Send one that is due; false if there is none. */
static bool send_a_code(struct mailer *mailer)
{
    struct vault_error err;
    struct waiting code;
    pthread_mutex_lock(&mailer->mutex);
    mailer->is_sending_code = !mailer->is_stopping && take_code(mailer, &code);
    const bool taken = mailer->is_sending_code;
    pthread_mutex_unlock(&mailer->mutex);
    if (!taken)
        return false;
    const struct letter letter = {
        .address = code.address, .language = code.language, .code = code.code};
    const enum vault_code sent = send_letter(mailer, &letter, &mailer->figures.codes_sent, &err);
    pthread_mutex_lock(&mailer->mutex);
    mailer->is_sending_code = false;
    if (sent != VAULT_OK && sent != VAULT_DENIED)
        put_back(mailer, &code);
    pthread_mutex_unlock(&mailer->mutex);
    explicit_bzero(&code, sizeof code);
    return true;
}

/* --- Messages ------------------------------------------------------------------------------- */

struct round {
    bool is_urgent;
    struct digest_letter letters[DIGEST_TAKE_MAX];
    size_t count;
    bool more;
};

static void say(const char *what, const struct vault_error *err)
{
    log_event(LOG_ERROR, "mail", "%s: %s", what, err->text);
}

/* A sealed vault has nobody to tell. */
static bool take_round(struct mailer *mailer, struct round *round)
{
    struct vault_error err;
    enum vault_code code = VAULT_UNAVAILABLE;
    struct vault *vault = sealing_enter(mailer->options.sealing);
    if (vault && round->is_urgent)
        code = digest_take_urgent(vault, round->letters, DIGEST_TAKE_MAX, &round->count,
                                  &round->more, &err);
    else if (vault)
        code =
            digest_take(vault, round->letters, DIGEST_TAKE_MAX, &round->count, &round->more, &err);
    sealing_leave(mailer->options.sealing);
    if (code && vault)
        say("who is to be told was not found out", &err);
    return code == VAULT_OK;
}

static void note(struct mailer *mailer, bool is_urgent, const struct digest_letter *letter,
                 bool sent)
{
    struct vault_error err;
    enum vault_code code = VAULT_OK;
    struct vault *vault = sealing_enter(mailer->options.sealing);
    if (vault && is_urgent)
        code = sent ? VAULT_OK : digest_urgent_failed(vault, letter, &err);
    else if (vault)
        code = sent ? digest_sent(vault, letter, &err) : digest_failed(vault, letter, &err);
    sealing_leave(mailer->options.sealing);
    if (code)
        say("that somebody was told was not noted", &err);
}

/* Once the relay does not answer, the others of the round wait like the one it did not take. True
 * if all is well and there are more. */
static bool send_round(struct mailer *mailer, struct round *round)
{
    struct vault_error err;
    bool answers = true;
    for (size_t i = 0; i < round->count; i++) {
        const struct digest_letter *taken = &round->letters[i];
        const struct letter letter = {.address = taken->to.address,
                                      .language = letters_language(taken->to.language),
                                      .is_urgent = round->is_urgent,
                                      .stop = taken->stop};
        const enum vault_code code =
            answers ? send_letter(mailer, &letter, &mailer->figures.messages_sent, &err)
                    : VAULT_UNAVAILABLE;
        answers &= code == VAULT_OK || code == VAULT_DENIED;
        note(mailer, round->is_urgent, taken, code == VAULT_OK);
        while (send_a_code(mailer))
            continue; /* somebody waits for it at a screen */
    }
    return answers && round->more;
}

static bool tell(struct mailer *mailer, bool is_urgent)
{
    struct round round = {.is_urgent = is_urgent};
    const bool more = take_round(mailer, &round) && send_round(mailer, &round);
    explicit_bzero(&round, sizeof round);
    return more;
}

/* What is urgent goes first; neither waits for all of the other. */
static void tell_if_due(struct mailer *mailer)
{
    if (clock_monotonic_ms() < mailer->look_due_ms)
        return;
    bool more = tell(mailer, true);
    more |= tell(mailer, false);
    if (!more)
        mailer->look_due_ms = clock_monotonic_ms() + mailer->options.look_ms;
}

/* --- The thread ----------------------------------------------------------------------------- */

/* When there is something to do again. With the mutex held. */
static int64_t next_ms(const struct mailer *mailer)
{
    int64_t next = mailer->look_due_ms;
    for (size_t i = 0; i < mailer->waiting_count; i++)
        next = mailer->waiting[i].due_ms < next ? mailer->waiting[i].due_ms : next;
    return next;
}

static bool goes_on(struct mailer *mailer)
{
    pthread_mutex_lock(&mailer->mutex);
    const int64_t wait_ms = next_ms(mailer) - clock_monotonic_ms();
    const struct timespec until = clock_deadline(wait_ms > 0 ? wait_ms : 0);
    if (!mailer->is_stopping && wait_ms > 0)
        pthread_cond_timedwait(&mailer->changed, &mailer->mutex, &until);
    const bool goes = !mailer->is_stopping;
    pthread_mutex_unlock(&mailer->mutex);
    return goes;
}

static void *post_room(void *context)
{
    struct mailer *mailer = context;
    while (goes_on(mailer)) {
        while (send_a_code(mailer))
            continue;
        tell_if_due(mailer);
    }
    return NULL;
}

enum vault_code mailer_start(struct mailer *mailer, struct vault_error *err)
{
    if (!mailer)
        return VAULT_OK;
    if (pthread_create(&mailer->thread, NULL, post_room, mailer))
        return vault_fail(err, VAULT_UNAVAILABLE,
                          "the thread that sends mail could not be started");
    mailer->runs = true;
    return VAULT_OK;
}
