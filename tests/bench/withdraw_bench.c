/*
 * withdraw_bench - a consent given and withdrawn a thousand times under 32 readers.
 *
 *     withdraw_bench [--rounds CYCLES] DIR
 *
 * One vault, one citizen, one service. 32 threads ask for the same fields without pause while the
 * citizen gives and withdraws CYCLES times, 1,000 unless told otherwise. It prints
 *
 *     acknowledged     from asking to withdraw until that is durable and answered
 *     first denial     from asking to withdraw until the first reader has an answer without values
 *                      whose entry came after the withdrawal's
 *     revoke to deny   from the acknowledgement until a request made right then is answered; it is
 *                      a denial, or the program fails
 *     stale            entries that release on the consent though the entry before it withdrew it,
 *                      read from the log afterwards; it must be 0, and the program fails otherwise
 *
 * and what the readers were answered beside what the log has of it, which must be the same.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "vault/event.h"
#include "vault/parts.h"
#include "vault_test.h"

#define READERS    32
#define CYCLES_MAX 10000U

static struct vault_test test;
static char subject[SUBJECT_CHARS + 1];
static atomic_bool running = true;

/* Entries from here on are after the giving that is to be withdrawn; 0: nobody waits for one. */
static atomic_uint_fast64_t given_before;
static _Atomic double denied_s; /* when the first denial after it was answered; 0: none yet */

struct reader {
    pthread_t thread;
    size_t released;
    size_t denied;
};

static bool ask_once(const struct service *service, uint64_t *index)
{
    static const struct release_ask asks[] = {
        {{(const uint8_t *)"identity.birth_date", 19}, {0}},
        {{(const uint8_t *)"employment.status", 17}, {0}},
    };
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    VAULT_AUTO(json_free) json_t *context = json_pack("{s:s}", "assurance_at_least", "high");
    VAULT_AUTO(json_free) json_t *answer = NULL;
    const struct release_request request = {.client_spki = caseworker_key,
                                            .subject = bytes_of_text(subject),
                                            .purpose = bytes_of_text(SUPPORT),
                                            .asks = asks,
                                            .ask_count = 2,
                                            .context = context};
    enum release_fault fault;
    struct vault_error err;
    const enum vault_code code =
        release_perform(test.vault, service, &request, &body, &fault, &err);
    bench_must_all(code == VAULT_OK, err.text);
    bench_must_all(json_parse(buf_view(&body), 8, &answer, NULL, &err) == VAULT_OK, "the answer");
    const json_t *log = json_object_get(answer, "log");
    *index = (uint64_t)json_integer_value(json_object_get(log, "index"));
    return json_object_size(json_object_get(answer, "released")) > 0;
}

static void *read_on(void *context)
{
    struct reader *reader = context;
    struct service_hold hold = hold_service(&test, caseworker_key);
    while (atomic_load(&running)) {
        uint64_t index = 0;
        if (ask_once(hold.service, &index)) {
            reader->released++;
            continue;
        }
        const double now = bench_now_s();
        const uint64_t from = atomic_load(&given_before);
        double none = 0;
        reader->denied++;
        if (from && index >= from)
            atomic_compare_exchange_strong(&denied_s, &none, now);
    }
    service_release(&hold);
    return NULL;
}

struct times {
    double acknowledged_ms[CYCLES_MAX];
    double first_ms[CYCLES_MAX];
    double denied_ms[CYCLES_MAX];
};

static size_t own_denials;

static void cycle(struct times *times, unsigned i, const struct service *service)
{
    uint64_t index = 0;
    give_consent(&test, CONSENT_UNLIMITED);
    atomic_store(&denied_s, 0);
    atomic_store(&given_before, ledger_head(test.vault->ledger).size);
    const double began = bench_now_s();
    bench_must(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &bench_error));
    const double acknowledged = bench_now_s();
    bench_must_all(!ask_once(service, &index), "a release after the withdrawal");
    own_denials++;
    times->acknowledged_ms[i] = (acknowledged - began) * 1000;
    times->denied_ms[i] = (bench_now_s() - acknowledged) * 1000;
    while (atomic_load(&denied_s) == 0)
        sched_yield();
    times->first_ms[i] = (atomic_load(&denied_s) - began) * 1000;
    atomic_store(&given_before, 0);
}

static void print(const char *name, double ms[], unsigned count)
{
    qsort(ms, count, sizeof *ms, bench_by_double);
    printf("%-16s median %8.3f ms   99 %% %8.3f ms   longest %8.3f ms\n", name, ms[count / 2],
           ms[(size_t)((double)count * 0.99)], ms[count - 1]);
}

/* What the log says, entry by entry in its order. */
static size_t count_stale(size_t *released, size_t *denied)
{
    const uint64_t size = ledger_head(test.vault->ledger).size;
    bool stands = false;
    size_t stale = 0;
    for (uint64_t i = 0; i < size; i++) {
        struct entry entry;
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
        bench_must(event_entry_read(test.vault, i, &text, &bench_error));
        bench_must(entry_parse(buf_view(&text), &entry, &bench_error));
        if (entry.event == ENTRY_CONSENT || entry.event == ENTRY_WITHDRAW)
            stands = entry.event == ENTRY_CONSENT;
        stale += entry.event == ENTRY_RELEASE && !stands;
        *released += entry.event == ENTRY_RELEASE;
        *denied += entry.event == ENTRY_DENY;
    }
    return stale;
}

/* The tests' vault, on the disk to be measured. */
static void place_vault(const struct bench *bench)
{
    char command[PATH_MAX * 2 + 32];
    static char dir[PATH_MAX];
    make_filled_vault(&test);
    vault_close(&test.vault);
    snprintf(dir, sizeof dir, "%.*s/vault", PATH_MAX - 16, bench->dir);
    snprintf(command, sizeof command, "cp -a '%s' '%s'", test.dir, dir);
    bench_must_all(system(command) == 0, "copying the vault"); // NOLINT
    test.options.dir = dir;
    bench_must(vault_open(&test.options, &test.vault, &bench_error));
    subject_of_citizen(&test, subject);
}

static size_t check(const struct reader readers[])
{
    size_t answered[2] = {own_denials, 0};
    size_t logged[2] = {0};
    for (size_t i = 0; i < READERS; i++) {
        answered[1] += readers[i].released;
        answered[0] += readers[i].denied;
    }
    const size_t stale = count_stale(&logged[1], &logged[0]);
    printf("answered         %zu releases, %zu denials; in the log %zu and %zu\n", answered[1],
           answered[0], logged[1], logged[0]);
    printf("stale            %zu\n", stale);
    bench_figure_must("withdraw: stale answers", (double)stale, "", "<=", 0);
    return stale + (answered[1] != logged[1]) + (answered[0] != logged[0]);
}

int main(int argc, char **argv)
{
    static struct times times;
    static struct reader readers[READERS];
    struct bench bench = {.name = "withdraw_bench", .seconds = 1, .rounds = 1000};
    if (!bench_begin(&bench, CYCLES_MAX, argc, argv))
        return 64;
    place_vault(&bench);
    for (size_t i = 0; i < READERS; i++)
        bench_must_all(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]) == 0,
                       "a thread");
    struct service_hold hold = hold_service(&test, caseworker_key);
    const double began = bench_now_s();
    for (unsigned i = 0; i < bench.rounds; i++)
        cycle(&times, i, hold.service);
    service_release(&hold);
    const double took = bench_now_s() - began;
    atomic_store(&running, false);
    for (size_t i = 0; i < READERS; i++)
        pthread_join(readers[i].thread, NULL);
    printf("%u cycles of giving and withdrawing under %d readers, in %.1f s\n", bench.rounds,
           READERS, took);
    print("acknowledged", times.acknowledged_ms, bench.rounds);
    print("first denial", times.first_ms, bench.rounds);
    print("revoke to deny", times.denied_ms, bench.rounds);
    bench_figure("withdraw: cycles under 32 readers", bench.rounds, "");
    bench_figure_must("withdraw: asked to first denial, median", times.first_ms[bench.rounds / 2],
                      "ms", "<=", 2);
    bench_figure("withdraw: acknowledged to denial, median", times.denied_ms[bench.rounds / 2],
                 "ms");
    bench_figure("withdraw: asked to acknowledged, median", times.acknowledged_ms[bench.rounds / 2],
                 "ms");
    const size_t wrong = check(readers);
    vault_close(&test.vault);
    const int removed = bench_end(&bench);
    return wrong ? 1 : removed;
}
