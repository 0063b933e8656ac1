/*
 * start_bench - how long a log takes to start, as it grows.
 *
 *     start_bench [--rounds R] DIR [ENTRIES...]     10,000, 100,000 and 1,000,000 unless told
 * otherwise
 *
 * One log grows in DIR, with openings of a usual size, and forgets of its journal what is
 * published, as the vault's indexer has it do. At each size it is stopped and started R times. The
 * last line is JSON: the median time of each start, what each is of the one before, and what the
 * journal takes. A start walks at most the journal's last two segments, of 64 MiB each, so the
 * times must level out where these are full, at about 200,000 entries. What is made in DIR is
 * removed.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/ledger/ledger.h"

#define ROUNDS_MAX   20U
#define SIZES_MAX    8U
#define OPENING_SIZE 256
#define FORGET_EACH  65536U
#define PATIENCE_MS  60000

struct measured {
    uint64_t entries;
    double median_ms;
    uint64_t journal_bytes;
};

static void grow(struct ledger *ledger, uint64_t to)
{
    static const uint8_t opening[OPENING_SIZE];
    const struct entry entry = {
        .event = ENTRY_RELEASE,
        .service = bytes_of_text("plie-rennes"),
        .purpose = bytes_of_text("employment.support"),
        .commitments = {{.present = true}, {0}, {.present = true}, {.present = true}, {0}},
    };
    struct ledger_ticket ticket;
    for (uint64_t at = ledger_head(ledger).size; at < to;) {
        const enum vault_code code = ledger_enqueue(
            ledger, &entry, (struct bytes){opening, sizeof opening}, &ticket, &bench_error);
        /* Faster than the disk, or than the next segment is reserved: let it come after. */
        if (code == VAULT_LIMITED || (code == VAULT_UNAVAILABLE && !ledger_has_stopped(ledger))) {
            usleep(1000);
            continue;
        }
        bench_must(code);
        at = ticket.index + 1;
        if (at % FORGET_EACH == 0) {
            bench_must(ledger_wait(ledger, &ticket, &bench_error));
            bench_must(ledger_wait_published(ledger, at, PATIENCE_MS, &bench_error));
            bench_must(ledger_forget(ledger, at, &bench_error));
        }
    }
}

static uint64_t journal_size(const char *log)
{
    char folder[PATH_MAX];
    uint64_t total = 0;
    bench_must(file_join(folder, sizeof folder, log, "journal", &bench_error));
    DIR *dir = opendir(folder);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        char path[PATH_MAX];
        struct stat status;
        bench_must(file_join(path, sizeof path, folder, entry->d_name, &bench_error));
        if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
            total += (uint64_t)status.st_size;
    }
    if (dir)
        closedir(dir);
    return total;
}

static struct measured measure(const struct ledger_options *options, uint64_t entries,
                               unsigned rounds)
{
    double took_ms[ROUNDS_MAX];
    struct ledger *ledger = NULL;
    bench_must(ledger_open(options, &ledger, &bench_error));
    grow(ledger, entries);
    bench_must(ledger_stop(ledger, &bench_error));
    ledger_close(&ledger);
    for (unsigned i = 0; i < rounds; i++) {
        const int64_t began_ns = clock_monotonic_ns();
        bench_must(ledger_open(options, &ledger, &bench_error));
        took_ms[i] = (double)(clock_monotonic_ns() - began_ns) * 1e-6;
        bench_must(ledger_stop(ledger, &bench_error));
        ledger_close(&ledger);
    }
    qsort(took_ms, rounds, sizeof *took_ms, bench_by_double);
    return (struct measured){entries, took_ms[rounds / 2], journal_size(options->dir)};
}

static void give_figures(const struct measured *measured, size_t count)
{
    char name[96];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "log: start with %ju entries", (uintmax_t)measured[i].entries);
        bench_figure(name, measured[i].median_ms, "ms");
    }
}

static void print(const struct measured *measured, size_t count)
{
    printf("{\"bench\":\"ledger-start\",\"starts\":[");
    for (size_t i = 0; i < count; i++) {
        const struct measured *one = &measured[i];
        printf("%s{\"entries\":%ju,\"median_ms\":%.1f,\"journal_bytes\":%ju", i ? "," : "",
               (uintmax_t)one->entries, one->median_ms, (uintmax_t)one->journal_bytes);
        if (i)
            printf(",\"ratio_to_before\":%.2f", one->median_ms / measured[i - 1].median_ms);
        putchar('}');
    }
    puts("]}");
}

int main(int argc, char **argv)
{
    uint64_t sizes[SIZES_MAX] = {10000, 100000, 1000000};
    struct measured measured[SIZES_MAX];
    size_t count = 0;
    unsigned rounds = 5;
    const char *dir = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (!dir)
            dir = argv[i];
        else if (count < SIZES_MAX)
            sizes[count++] = strtoull(argv[i], NULL, 10);
    }
    char made[PATH_MAX];
    char log[PATH_MAX];
    if (!dir || rounds < 1 || rounds > ROUNDS_MAX ||
        snprintf(made, sizeof made, "%s/start-bench-XXXXXX", dir) >= (int)sizeof made ||
        !mkdtemp(made)) {
        fputs("usage: start_bench [--rounds R] DIR [ENTRIES...]\n", stderr);
        return 64;
    }
    count = count ? count : 3;
    json_start();
    bench_must(crypto_start(true, &bench_error));
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    bench_must(secret_random(SIGN_SEED_BYTES, &seed, &bench_error));
    bench_must(note_signer_make(bytes_of_text("bench.example/log"), NOTE_ED25519, seed, &signer,
                                &bench_error));
    bench_must(file_join(log, sizeof log, made, "log", &bench_error));
    const struct ledger_options options = {.dir = log, .signer = &signer, .clock = clock_system};
    bench_must(ledger_create(&options, &bench_error));
    for (size_t i = 0; i < count; i++)
        measured[i] = measure(&options, sizes[i], rounds);
    print(measured, count);
    give_figures(measured, count);
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -r '%s'", made);
    return system(command) == 0 ? 0 : 1; // NOLINT(concurrency-mt-unsafe,cert-env33-c)
}
