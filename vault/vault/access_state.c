/* What became of an access request, for the service that made it; and its taking back. */
#include <stdio.h>
#include <string.h>

#include "access_parts.h"
#include "bell.h"
#include "consent_json.h"
#include "parts.h"
#include "vault/vault/subject.h"

static const char *state_name(const struct request *request, int64_t now_s)
{
    static const char *const names[] = {
        [REQUEST_PENDING] = "pending",     [REQUEST_GRANTED] = "granted",
        [REQUEST_REFUSED] = "refused",     [REQUEST_EXPIRED] = "expired",
        [REQUEST_CANCELLED] = "cancelled",
    };
    const bool over = request->state == REQUEST_PENDING && now_s >= request->expires_s;
    return over ? names[REQUEST_EXPIRED] : names[request->state];
}

static enum vault_code read_granted(void *context, const struct citizen_record *record,
                                    struct vault_error *err)
{
    return consent_json_read(record->json, context, err);
}

static void write_granted(struct buf *out, const struct consent *given, const struct consent *now)
{
    char expires[INSTANT_CHARS + 1];
    instant_format(expires, given->expires_s);
    buf_text(out, ",\"fields\":{");
    for (size_t i = 0; i < given->field_count; i++) {
        buf_text(out, i ? "," : "");
        json_write_string(out, bytes_of_text(given->fields[i].name));
        buf_byte(out, ':');
        if (given->fields[i].form[0])
            json_write_string(out, bytes_of_text(given->fields[i].form));
        else
            buf_text(out, "null");
    }
    buf_format(out, "},\"expires\":\"%s\",\"consent\":{\"id\":\"%s\",\"uses_left\":", expires,
               given->id);
    if (given->uses == CONSENT_UNLIMITED)
        buf_text(out, "null}");
    else
        buf_format(out, "%lld}", (long long)(given->uses - (now ? now->used : given->uses)));
}

/* Who granted what: the consent as it was given then. */
static enum vault_code write_grant(struct vault *vault, const struct service *service,
                                   const struct request *request, struct buf *out,
                                   struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(consent_finish) struct consent given = {0};
    struct person *person = NULL;
    char subject[SUBJECT_CHARS + 1];
    VAULT_TRY(subject_write(service, &request->citizen, subject, err));
    VAULT_TRY(person_hold(vault, &request->citizen, &citizen, &person, err));
    VAULT_TRY(citizen_record_get(citizen, request->consent_seq, read_granted, &given, err));
    const struct consent *now =
        person_consent(person, bytes_of_text(given.service), bytes_of_text(given.purpose));
    buf_format(out, ",\"subject\":\"%s\"", subject);
    write_granted(out, &given, now && strcmp(now->id, given.id) == 0 ? now : NULL);
    return VAULT_OK;
}

/* The consent that answered the request, if there is one: the newest of its (service, purpose),
 * since a request is answered once. */
const struct consent *access_answer_of(struct person *person, const struct request *request)
{
    for (size_t i = 0; i < person->consent_count; i++) {
        if (strcmp(person->consents[i].request, request->id) == 0)
            return &person->consents[i];
    }
    return NULL;
}

enum vault_code access_mark_answered(struct vault *vault, const struct request *request,
                                     enum consent_state state, int64_t seq, struct vault_error *err)
{
    const enum request_state answered =
        state == CONSENT_REFUSED ? REQUEST_REFUSED : REQUEST_GRANTED;
    return request_answer(vault->store, request->id, &request->citizen, answered, seq, err);
}

/* A pending request that a citizen opened may have its answer already: a crash came between the
 * decision and the mark. The mark is made now. */
enum vault_code access_settle(struct vault *vault, struct request *request, struct vault_error *err)
{
    if (request->state != REQUEST_PENDING || !request->claimed)
        return VAULT_OK;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    VAULT_TRY(person_hold(vault, &request->citizen, &citizen, &person, err));
    const struct consent *given = access_answer_of(person, request);
    if (!given)
        return VAULT_OK;
    VAULT_TRY(access_mark_answered(vault, request, given->state, given->seq, err));
    return request_get(vault->store, request->id, request, NULL, err);
}

void access_ring(struct vault *vault, const char *id)
{
    char key[BELL_KEY_CHARS + 1];
    snprintf(key, sizeof key, "request/%s", id);
    bell_ring(vault->bell, key);
}

static enum vault_code get_own(struct vault *vault, const struct service *service, const char *id,
                               struct request *out, struct vault_error *err)
{
    const enum vault_code code = request_get(vault->store, id, out, NULL, err);
    if (code && code != VAULT_NOT_FOUND && code != VAULT_INVALID && code != VAULT_TOO_LARGE)
        return code;
    if (code || strcmp(out->service, service->id) != 0)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such request");
    return access_settle(vault, out, err);
}

static bool is_pending(const struct vault *vault, const struct request *request)
{
    return request->state == REQUEST_PENDING &&
           clock_now_s(&vault->options.clock) < request->expires_s;
}

/* --- Asking what became of it --------------------------------------------------------------- */

/* Until it is not pending any more or the time is over; it expires without anybody ringing. */
static enum vault_code wait_while_pending(struct vault *vault, const struct service *service,
                                          struct bell_waiter *waiter, int64_t wait_ms,
                                          struct request *request, struct vault_error *err)
{
    const int64_t until_ms = clock_monotonic_ms() + wait_ms;
    char id[sizeof request->id];
    memcpy(id, request->id, sizeof id);
    for (;;) {
        /* What came before joining did not ring. */
        VAULT_TRY(get_own(vault, service, id, request, err));
        const int64_t left_ms = until_ms - clock_monotonic_ms();
        if (!is_pending(vault, request) || left_ms <= 0 || bell_is_closed(vault->bell))
            return VAULT_OK;
        const int64_t lasts_ms = request->expires_s * 1000 - clock_now_ms(&vault->options.clock);
        bell_sleep(waiter, lasts_ms < left_ms ? lasts_ms : left_ms);
    }
}

static enum vault_code get_or_wait(struct vault *vault, const struct service *service,
                                   const char *id, int64_t wait_ms, struct request *out,
                                   struct vault_error *err)
{
    VAULT_AUTO(bell_leave) struct bell_waiter waiter = {0};
    char key[BELL_KEY_CHARS + 1];
    VAULT_TRY(get_own(vault, service, id, out, err));
    if (wait_ms == 0 || !is_pending(vault, out))
        return VAULT_OK;
    snprintf(key, sizeof key, "request/%s", out->id);
    VAULT_TRY(bell_join(vault->bell, service->id, key, &waiter, err));
    return wait_while_pending(vault, service, &waiter, wait_ms, out, err);
}

enum vault_code access_request_state(struct vault *vault, const struct service *service,
                                     const char *id, int64_t wait_ms, struct buf *out,
                                     struct vault_error *err)
{
    struct request request;
    VAULT_TRY(get_or_wait(vault, service, id, wait_ms, &request, err));
    buf_format(out, "{\"id\":\"%s\",\"state\":\"%s\"", request.id,
               state_name(&request, clock_now_s(&vault->options.clock)));
    if (request.state == REQUEST_GRANTED)
        VAULT_TRY(write_grant(vault, service, &request, out, err));
    buf_byte(out, '}');
    return buf_check(out, err);
}

/* --- Taking it back ------------------------------------------------------------------------- */

/* While whoever claimed it is held: an answer is given while they are, so one of the two comes
 * first. VAULT_NOT_FOUND if somebody claimed it meanwhile. */
static enum vault_code cancel(struct vault *vault, const struct request *request,
                              struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    if (request->claimed) {
        VAULT_TRY(person_hold(vault, &request->citizen, &citizen, &person, err));
        if (access_answer_of(person, request))
            return vault_fail(err, VAULT_CONFLICT, "the request was answered meanwhile");
    }
    return request_cancel(vault->store, request->id, request->service,
                          request->claimed ? &request->citizen : NULL, err);
}

enum vault_code access_request_cancel(struct vault *vault, const struct service *service,
                                      const char *id, struct vault_error *err)
{
    enum vault_code code = VAULT_NOT_FOUND;
    /* Nobody claims it twice. */
    for (int attempt = 0; code == VAULT_NOT_FOUND && attempt < 2; attempt++) {
        struct request request;
        VAULT_TRY(get_own(vault, service, id, &request, err));
        if (request.state == REQUEST_CANCELLED)
            return VAULT_OK;
        if (!is_pending(vault, &request))
            return vault_fail(err, VAULT_CONFLICT, "the request is over already");
        code = cancel(vault, &request, err);
    }
    access_ring(vault, id);
    return code;
}
