#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"

struct vault_error bench_error;

static const char *program = "bench";

void bench_must(enum vault_code code)
{
    if (code == VAULT_OK)
        return;
    fprintf(stderr, "%s: %s\n", program, bench_error.text);
    exit(1); // NOLINT(concurrency-mt-unsafe)
}

void bench_must_all(bool done, const char *what)
{
    if (!done)
        bench_must(vault_fail_errno(&bench_error, "%s", what));
}

double bench_now_s(void)
{
    return bench_clock_s(CLOCK_MONOTONIC);
}

double bench_clock_s(clockid_t clock)
{
    struct timespec now;
    bench_must_all(clock_gettime(clock, &now) == 0, "the clock of a process");
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void add_line(const char *text)
{
    const char *path = getenv("BENCH_FIGURES"); // NOLINT(concurrency-mt-unsafe)
    if (!path)
        return;
    FILE *file = fopen(path, "ae");
    bench_must_all(file && fputs(text, file) >= 0 && fclose(file) == 0, path);
}

static void add_figure(const char *name, double value, const char *unit, const char *must)
{
    char line[512];
    const char *part = getenv("BENCH_PART"); // NOLINT(concurrency-mt-unsafe)
    snprintf(line, sizeof line,
             "{\"part\": \"%s\", \"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"%s}\n",
             part ? part : "", name, value, unit, must);
    add_line(line);
}

void bench_figure(const char *name, double value, const char *unit)
{
    add_figure(name, value, unit, "");
}

void bench_figure_must(const char *name, double value, const char *unit, const char *sign,
                       double bound)
{
    char must[64];
    snprintf(must, sizeof must, ", \"must\": [\"%s\", %.6g]", sign, bound);
    add_figure(name, value, unit, must);
}

int bench_by_double(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;
    return (left > right) - (left < right);
}

int bench_by_float(const void *a, const void *b)
{
    const float left = *(const float *)a;
    const float right = *(const float *)b;
    return (left > right) - (left < right);
}

bool bench_begin(struct bench *bench, unsigned rounds_max, int argc, char **argv)
{
    const char *dir = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            bench->seconds = strtod(argv[++i], NULL);
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            bench->rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        else
            dir = argv[i];
    }
    program = bench->name;
    if (!dir || bench->rounds < 1 || bench->rounds > rounds_max || bench->seconds <= 0 ||
        snprintf(bench->dir, sizeof bench->dir, "%s/%s-XXXXXX", dir, bench->name) >=
            (int)sizeof bench->dir) {
        fprintf(stderr, "usage: %s [--seconds S] [--rounds R] DIR\n", bench->name);
        return false;
    }
    bench_must_all(mkdtemp(bench->dir) != NULL, "making a folder");
    json_start();
    bench_must(crypto_start(true, &bench_error));
    return true;
}

int bench_end(const struct bench *bench)
{
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -r '%s'", bench->dir);
    return system(command) == 0 ? 0 : 1; // NOLINT(concurrency-mt-unsafe,cert-env33-c)
}

struct ledger *bench_open_log(const char *dir, struct note_signer *signer)
{
    char path[PATH_MAX];
    struct ledger *ledger = NULL;
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    bench_must(secret_random(SIGN_SEED_BYTES, &seed, &bench_error));
    bench_must(note_signer_make(bytes_of_text("bench.example/log"), NOTE_ED25519, seed, signer,
                                &bench_error));
    bench_must(file_join(path, sizeof path, dir, "log", &bench_error));
    const struct ledger_options options = {.dir = path, .signer = signer, .clock = clock_system};
    bench_must(ledger_create(&options, &bench_error));
    bench_must(ledger_open(&options, &ledger, &bench_error));
    return ledger;
}
