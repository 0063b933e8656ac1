/* The round of the witnesses: all are asked at once, within the time that publishing can wait. */
#include <stdio.h>
#include <string.h>

#include "anchor_parts.h"
#include "vault/base/log.h"
#include "vault/ledger/witness.h"

#define REQUEST_TYPE "text/plain; charset=utf-8"

/* One question on its way, and what it needs. */
struct question {
    size_t witness;
    char url[ANCHOR_URL_CHARS];
    struct buf body;
    struct buf answer;
};

struct round {
    struct anchor *anchor;
    const struct ledger_presented *presented;
    struct question questions[COSIGNERS_MAX];
    size_t count;
    int64_t until_ms;
};

static void round_clear(struct round *round)
{
    for (size_t i = 0; i < round->count; i++) {
        buf_finish(&round->questions[i].body);
        buf_finish(&round->questions[i].answer);
    }
    round->count = 0;
}

/* Grave: said once, and not forgotten before the next start. */
static void contradict(struct anchor *anchor, const struct vault_error *why)
{
    pthread_mutex_lock(&anchor->mutex);
    const bool is_new = !anchor->contradiction[0];
    if (is_new)
        memcpy(anchor->contradiction, why->text, sizeof anchor->contradiction);
    pthread_mutex_unlock(&anchor->mutex);
    if (!is_new)
        return;
    log_event(LOG_ERROR, "witness", "%s; nothing is released any more", why->text);
}

static void leave_alone(struct round *round, size_t witness, const char *problem)
{
    struct anchor *anchor = round->anchor;
    const struct cosigner *cosigner = cosigners_get(anchor->cosigners, witness);
    if (!cosigner->is_failing ||
        strncmp(cosigner->problem, problem, sizeof cosigner->problem - 1) != 0)
        log_event(LOG_WARNING, "witness", "%s", problem);
    cosigners_leave_alone(anchor->cosigners, witness, problem,
                          clock_monotonic_ms() + anchor->alone_ms);
}

/* Add the question to a witness. */
static void add_question(struct round *round, size_t witness)
{
    struct question *question = &round->questions[round->count];
    struct vault_error why;
    const char *url = cosigners_get(round->anchor->cosigners, witness)->url;
    const size_t size = strlen(url);
    *question = (struct question){.witness = witness,
                                  .body = buf_limited(WITNESS_REQUEST_MAX_BYTES),
                                  .answer = buf_limited(WITNESS_ANSWER_MAX_BYTES)};
    snprintf(question->url, sizeof question->url, "%s%sadd-checkpoint", url,
             size && url[size - 1] == '/' ? "" : "/");
    const enum vault_code code =
        cosigners_ask(round->anchor->cosigners, witness, round->presented, &question->body, &why);
    if (code == VAULT_OK) {
        round->count++;
        return;
    }
    buf_finish(&question->body);
    if (code == VAULT_CONFLICT)
        contradict(round->anchor, &why);
    leave_alone(round, witness, why.text);
}

/* Take an answer; true if the witness is to be asked once more. */
static bool take(struct round *round, size_t witness, const struct cosigner_answer *answer)
{
    struct anchor *anchor = round->anchor;
    struct vault_error why;
    const bool was_failing = cosigners_get(anchor->cosigners, witness)->is_failing;
    switch (cosigners_take(anchor->cosigners, witness, round->presented, answer, &why)) {
    case COSIGNER_SIGNED:
        if (was_failing)
            log_event(LOG_INFO, "witness", "the witness %s cosigns again",
                      cosigners_get(anchor->cosigners, witness)->name);
        return false;
    case COSIGNER_AGAIN:
        return true;
    case COSIGNER_CONTRADICTS:
        contradict(anchor, &why);
        leave_alone(round, witness, why.text);
        return false;
    case COSIGNER_FAILED:
        leave_alone(round, witness, why.text);
        return false;
    }
    return false;
}

/* Send what was made and take the answers; *again has those to be asked once more. */
static void ask_all(struct round *round, bool again[COSIGNERS_MAX])
{
    struct anchor *anchor = round->anchor;
    struct fetch fetches[COSIGNERS_MAX];
    for (size_t i = 0; i < round->count; i++) {
        struct question *question = &round->questions[i];
        fetches[i] = (struct fetch){.url = question->url,
                                    .content_type = REQUEST_TYPE,
                                    .body = buf_view(&question->body),
                                    .answer = &question->answer};
    }
    fetch_all(anchor->asking, fetches, round->count, round->until_ms - clock_monotonic_ms());
    for (size_t i = 0; i < round->count; i++) {
        const struct cosigner_answer answer = {fetches[i].status, buf_view(fetches[i].answer),
                                               fetches[i].problem, clock_now_s(&anchor->clock)};
        again[round->questions[i].witness] = take(round, round->questions[i].witness, &answer);
    }
}

static void ask_due(struct round *round)
{
    struct anchor *anchor = round->anchor;
    bool again[COSIGNERS_MAX] = {false};
    for (size_t i = 0; i < cosigners_count(anchor->cosigners); i++) {
        if (cosigners_is_due(anchor->cosigners, i, clock_monotonic_ms()))
            add_question(round, i);
    }
    ask_all(round, again);
    round_clear(round);
    for (size_t i = 0; i < cosigners_count(anchor->cosigners); i++) {
        if (again[i])
            add_question(round, i);
        again[i] = false;
    }
    ask_all(round, again);
    round_clear(round);
    for (size_t i = 0; i < cosigners_count(anchor->cosigners); i++) {
        if (again[i])
            leave_alone(round, i, "the witness moves while it is asked");
    }
}

/* Hand the checkpoint to the keeper, with the lines it got. With the mutex held. */
static void hand_over(struct anchor *anchor, const struct ledger_presented *presented,
                      const struct buf *lines)
{
    buf_clear(&anchor->latest);
    buf_bytes(&anchor->latest, presented->checkpoint);
    buf_bytes(&anchor->latest, buf_view(lines));
    anchor->latest_is_new = anchor->latest.problem == VAULT_OK;
    pthread_cond_signal(&anchor->changed);
}

int64_t anchor_present(void *context, const struct ledger_presented *presented, struct buf *lines)
{
    struct anchor *anchor = context;
    const int64_t began_s = clock_now_s(&anchor->clock);
    int64_t reached_s = -1;
    struct round round = {.anchor = anchor,
                          .presented = presented,
                          .until_ms = clock_monotonic_ms() + ANCHOR_ROUND_MS};
    if (anchor->policy)
        ask_due(&round);
    if (anchor->policy &&
        cosigners_conclude(anchor->cosigners, presented, lines, &reached_s, NULL) != VAULT_OK)
        buf_clear(lines);
    pthread_mutex_lock(&anchor->mutex);
    anchor_show(anchor);
    if (reached_s >= 0)
        freshness_anchor(&anchor->freshness, reached_s, anchor_now(anchor));
    if (reached_s >= 0 || !anchor->policy)
        hand_over(anchor, presented, lines);
    anchor->is_dirty = true;
    pthread_mutex_unlock(&anchor->mutex);
    /* A second is what times of cosignatures are told in. */
    return reached_s + 1 >= began_s || !anchor->policy ? anchor->again_ms : anchor->alone_ms;
}
