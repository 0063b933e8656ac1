/*
 * ledger_bench - how fast entries become durable, as ratios measured in one run.
 *
 *     ledger_bench [--seconds S] [--rounds R] DIR
 *
 * For 1, 16 and 64 threads, each of which enters an entry and waits until it is durable, it
 * measures in turns, R times: one write and one sync for each entry (under a lock, into space that
 * is reserved, without hashes or signatures: the fastest form of that), and the ledger. Medians are
 * printed, with the time an entry waits at the median and at 99 %, and at 16 threads how much
 * longer that is than one writer's own write and sync. Then the log that came of it is verified
 * from its published files, and its entries per second are held against how many messages of 300
 * bytes one core can hash. DIR is a folder on the disk to be measured; what is made in it is
 * removed.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "vault/base/file.h"
#include "vault/crypto/hash.h"
#include "vault/ledger/ledger.h"
#include "vault/ledger/verify.h"

#define THREADS_MAX  64
#define ROUNDS_MAX   50
#define SAMPLES_MAX  200000
#define OPENING_SIZE 256
#define RESERVED     (256UL * 1024 * 1024)
#define HASHES       1000000U

static const unsigned thread_counts[] = {1, 16, 64};
#define COUNTS (sizeof thread_counts / sizeof thread_counts[0])

/* One way to make an entry durable. */
struct way {
    const char *name;
    void (*enter)(void);
};

static struct ledger *ledger;
static pthread_mutex_t file_mutex = PTHREAD_MUTEX_INITIALIZER;
static int file = -1;
static off_t file_at;
static atomic_bool running;

struct run {
    double rate;
    double median_ms;
    double p99_ms;
};

struct worker {
    pthread_t thread;
    void (*enter)(void);
    size_t count;
    float *waits_ms; /* of the first SAMPLES_MAX / threads */
    size_t waits_max;
};

static void enter_into_file(void)
{
    static const uint8_t frame[400 + OPENING_SIZE];
    pthread_mutex_lock(&file_mutex);
    if (file_at + (off_t)sizeof frame > (off_t)RESERVED)
        file_at = 0;
    bench_must_all(pwrite(file, frame, sizeof frame, file_at) == (ssize_t)sizeof frame, "writing");
    bench_must_all(fdatasync(file) == 0, "syncing");
    file_at += (off_t)sizeof frame;
    pthread_mutex_unlock(&file_mutex);
}

static void enter_into_ledger(void)
{
    static const uint8_t opening[OPENING_SIZE];
    const struct entry entry = {
        .event = ENTRY_RELEASE,
        .service = bytes_of_text("plie-rennes"),
        .has_client = true,
        .purpose = bytes_of_text("employment.support"),
        .has_policy = true,
        .policy_version = 12,
        .commitments = {{.present = true},
                        {.present = false},
                        {.present = true},
                        {.present = true},
                        {.present = true}},
    };
    bench_must(
        ledger_append(ledger, &entry, (struct bytes){opening, sizeof opening}, NULL, &bench_error));
}

static void *work(void *context)
{
    struct worker *worker = context;
    while (atomic_load_explicit(&running, memory_order_relaxed)) {
        const double began = bench_now_s();
        worker->enter();
        if (worker->count < worker->waits_max)
            worker->waits_ms[worker->count] = (float)((bench_now_s() - began) * 1000);
        worker->count++;
    }
    return NULL;
}

static struct run measure(void (*enter)(void), unsigned threads, double seconds)
{
    static float waits[SAMPLES_MAX];
    static struct worker workers[THREADS_MAX];
    const size_t share = SAMPLES_MAX / threads;
    atomic_store(&running, true);
    const double began = bench_now_s();
    for (unsigned i = 0; i < threads; i++) {
        workers[i] =
            (struct worker){.enter = enter, .waits_ms = waits + i * share, .waits_max = share};
        bench_must_all(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0,
                       "a thread");
    }
    usleep((useconds_t)(seconds * 1e6));
    atomic_store(&running, false);
    size_t total = 0;
    size_t sampled = 0;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        total += workers[i].count;
    }
    const double took = bench_now_s() - began;
    for (unsigned i = 0; i < threads; i++) {
        const size_t count = workers[i].count < share ? workers[i].count : share;
        memmove(waits + sampled, workers[i].waits_ms, count * sizeof *waits);
        sampled += count;
    }
    qsort(waits, sampled, sizeof *waits, bench_by_float);
    return (struct run){(double)total / took, waits[sampled / 2],
                        waits[(size_t)((double)sampled * 0.99)]};
}

static int by_rate(const void *a, const void *b)
{
    const double left = ((const struct run *)a)->rate;
    const double right = ((const struct run *)b)->rate;
    return (left > right) - (left < right);
}

static void open_file(const char *dir)
{
    char path[PATH_MAX];
    bench_must(file_join(path, sizeof path, dir, "one-sync-per-entry", &bench_error));
    file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bench_must_all(file >= 0 && posix_fallocate(file, 0, (off_t)RESERVED) == 0, "reserving space");
    unlink(path);
}

static void give_figures(unsigned threads, const struct run medians[2])
{
    char name[96];
    snprintf(name, sizeof name, "log: group commit to one sync per entry, %u threads", threads);
    bench_figure(name, medians[1].rate / medians[0].rate, "times");
    snprintf(name, sizeof name, "log: durable entries, %u threads", threads);
    bench_figure(name, medians[1].rate, "/s");
}

static void compare(double seconds, unsigned rounds)
{
    static const struct way ways[2] = {{"one sync per entry", enter_into_file},
                                       {"ledger", enter_into_ledger}};
    static struct run runs[2][COUNTS][ROUNDS_MAX];
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t n = 0; n < COUNTS; n++) {
            for (size_t way = 0; way < 2; way++)
                runs[way][n][round] = measure(ways[way].enter, thread_counts[n], seconds);
        }
    }
    printf("%-20s %8s %12s %10s %10s %7s\n", "", "threads", "entries/s", "p50 ms", "p99 ms",
           "ratio");
    struct run medians[2] = {0};
    double alone_ms = 0;
    for (size_t n = 0; n < COUNTS; n++) {
        for (size_t way = 0; way < 2; way++) {
            qsort(runs[way][n], rounds, sizeof(struct run), by_rate);
            medians[way] = runs[way][n][rounds / 2];
            printf("%-20s %8u %12.0f %10.3f %10.3f %7.2f\n", ways[way].name, thread_counts[n],
                   medians[way].rate, medians[way].median_ms, medians[way].p99_ms,
                   medians[way].rate / medians[0].rate);
        }
        give_figures(thread_counts[n], medians);
        if (n == 0)
            alone_ms = medians[0].median_ms;
        else if (thread_counts[n] == 16)
            printf("added at 16 threads, beyond one write and sync: %.3f ms at the median\n",
                   medians[1].median_ms - alone_ms);
    }
}

static double hash_rate(void)
{
    uint8_t message[300] = {0};
    uint8_t hash[SHA256_BYTES];
    const double began = bench_now_s();
    for (unsigned i = 0; i < HASHES; i++) {
        message[i % sizeof message]++;
        sha256_of(hash, (struct bytes){message, sizeof message});
    }
    return HASHES / (bench_now_s() - began);
}

static void measure_verify(const char *dir, const struct note_signer *signer, unsigned rounds)
{
    char path[PATH_MAX];
    struct verify_report report = {0};
    double ratios[ROUNDS_MAX];
    double best = 0;
    bench_must(file_join(path, sizeof path, dir, "log", &bench_error));
    const struct verify_options options = {.dir = path, .key = &signer->key};
    for (unsigned round = 0; round < rounds; round++) {
        const double hashes = hash_rate();
        const double began = bench_now_s();
        bench_must(verify_run(&options, &report, &bench_error));
        const double entries = (double)report.head.size / (bench_now_s() - began);
        ratios[round] = entries / hashes;
        best = entries > best ? entries : best;
    }
    qsort(ratios, rounds, sizeof *ratios, bench_by_double);
    printf("verified %ju entries (exit %d): up to %.0f/s; median ratio to SHA-256 of 300 bytes on "
           "one core %.2f\n",
           (uintmax_t)report.head.size, report.exit_code, best, ratios[rounds / 2]);
    bench_figure("log: verified entries", best, "/s");
    bench_figure("log: verified entries to SHA-256 of 300 bytes on a core", ratios[rounds / 2],
                 "times");
}

int main(int argc, char **argv)
{
    struct bench bench = {.name = "ledger_bench", .seconds = 1, .rounds = 5};
    if (!bench_begin(&bench, ROUNDS_MAX, argc, argv))
        return 64;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    open_file(bench.dir);
    ledger = bench_open_log(bench.dir, &signer);
    compare(bench.seconds, bench.rounds);
    bench_must(ledger_stop(ledger, &bench_error));
    printf("%ju entries, all published\n", (uintmax_t)ledger_published_size(ledger));
    ledger_close(&ledger);
    measure_verify(bench.dir, &signer, bench.rounds);
    file_close(&file);
    return bench_end(&bench);
}
