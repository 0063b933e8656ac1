/* The worker's end: one question at a time, and an answer or none for good. */
#include "vault/store/keyholder.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "keyholder_parts.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"

struct keyholder {
    int socket;
    pthread_mutex_t mutex; /* held from a question until its answer is done with */
    struct keyholder_frame frame;
    atomic_bool is_lost;
};

enum vault_code keyholder_of(int socket, struct keyholder **out, struct vault_error *err)
{
    VAULT_AUTO(file_close) int taken = socket;
    VAULT_AUTO(keyholder_free) struct keyholder *holder = calloc(1, sizeof *holder);
    if (!holder)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    pthread_mutex_init(&holder->mutex, NULL);
    holder->socket = taken;
    taken = -1;
    VAULT_TRY(keyholder_frame_make(&holder->frame, err));
    *out = VAULT_TAKE(holder);
    return VAULT_OK;
}

void keyholder_free(struct keyholder **holder)
{
    struct keyholder *gone = VAULT_TAKE(*holder);
    if (!gone)
        return;
    file_close(&gone->socket);
    keyholder_frame_finish(&gone->frame);
    pthread_mutex_destroy(&gone->mutex);
    free(gone);
}

bool keyholder_is_lost(const struct keyholder *holder)
{
    return holder->is_lost;
}

static enum vault_code lost(struct keyholder *holder, struct vault_error *err)
{
    holder->is_lost = true;
    return vault_fail(err, VAULT_UNAVAILABLE,
                      "the keyholder does not answer any more; the program's log says why, and the "
                      "next start of vaultd begins another");
}

static bool wait_for_answer(const struct keyholder *holder, uint8_t kind)
{
    const bool is_ceremony = kind == KEYHOLDER_OPEN || kind == KEYHOLDER_ROTATE;
    const int64_t end_ms =
        clock_monotonic_ms() + (is_ceremony ? KEYHOLDER_CEREMONY_MS : KEYHOLDER_WAIT_MS);
    struct pollfd ready = {.fd = holder->socket, .events = POLLIN};
    for (;;) {
        const int64_t left_ms = end_ms - clock_monotonic_ms();
        const int count = left_ms > 0 ? poll(&ready, 1, (int)left_ms) : 0;
        if (count >= 0 || errno != EINTR)
            return count > 0;
    }
}

static enum vault_code take_answer(struct keyholder *holder, struct keyholder_answer *answer,
                                   struct vault_error *err)
{
    struct keyholder_in in = {0};
    if (keyholder_receive(holder->socket, &holder->frame, &in, NULL) != VAULT_OK ||
        in.kind >= VAULT_CODE_COUNT)
        return lost(holder, err);
    if (in.kind != VAULT_OK)
        return vault_fail(err, (enum vault_code)in.kind, "%.*s", (int)in.plain.size,
                          (const char *)in.plain.data);
    answer->plain = cursor_over(in.plain);
    answer->secret = in.secret;
    return VAULT_OK;
}

enum vault_code keyholder_ask(struct keyholder *holder, const struct keyholder_out *question,
                              struct keyholder_answer *answer, struct vault_error *err)
{
    pthread_mutex_lock(&holder->mutex);
    answer->holder = holder;
    const enum vault_code code =
        holder->is_lost ? VAULT_UNAVAILABLE : keyholder_send(holder->socket, question, err);
    if (code == VAULT_TOO_LARGE)
        return code;
    if (code || !wait_for_answer(holder, question->kind))
        return lost(holder, err);
    return take_answer(holder, answer, err);
}

void keyholder_done(struct keyholder_answer *answer)
{
    struct keyholder *holder = VAULT_TAKE(answer->holder);
    if (!holder)
        return;
    keyholder_frame_wipe(&holder->frame);
    pthread_mutex_unlock(&holder->mutex);
}

enum vault_code keyholder_read_whole(const struct keyholder_answer *answer, size_t secret_bytes,
                                     struct vault_error *err)
{
    if (answer->plain.truncated || answer->plain.left || answer->secret.size != secret_bytes)
        return vault_fail(err, VAULT_CORRUPT, "the keyholder's answer is not in its form");
    return VAULT_OK;
}

enum vault_code keyholder_figures(struct keyholder *holder, struct keyholder_figures *out,
                                  struct vault_error *err)
{
    VAULT_AUTO(keyholder_done) struct keyholder_answer answer = {0};
    VAULT_TRY(
        keyholder_ask(holder, &(struct keyholder_out){.kind = KEYHOLDER_STATUS}, &answer, err));
    const struct keyholder_figures figures = {
        .unwrapped = cursor_u64(&answer.plain),
        .wrapped = cursor_u64(&answer.plain),
        .signatures = cursor_u64(&answer.plain),
        .refused = cursor_u64(&answer.plain),
    };
    VAULT_TRY(keyholder_read_whole(&answer, 0, err));
    *out = figures;
    return VAULT_OK;
}
