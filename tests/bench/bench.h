/*
 * bench - what the benches of the log and of consents share: their options and folder, time, and
 * ending at the first failure, since there is no use in going on after one.
 *
 *     NAME [--seconds S] [--rounds R] DIR
 *
 * DIR is a folder on the disk to be measured. A folder of the bench's own is made in it, and
 * removed at the end.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <time.h>

#include "vault/base/error.h"
#include "vault/crypto/note.h"
#include "vault/ledger/ledger.h"

struct bench {
    const char *name;
    double seconds;     /* of each measurement */
    unsigned rounds;    /* of all */
    char dir[PATH_MAX]; /* made for this run */
};

/* Of whatever the bench calls. */
extern struct vault_error bench_error;

/* Read the arguments, make the folder, start what is to be started. bench->name is set, seconds and
 * rounds are what they are if nobody says otherwise. False: the usage was printed, exit with 64. */
bool bench_begin(struct bench *bench, unsigned rounds_max, int argc, char **argv);

/* Remove the folder; what to exit with. */
int bench_end(const struct bench *bench);

/* End the program, with what bench_error says, or what the system does. */
void bench_must(enum vault_code code);
void bench_must_all(bool done, const char *what);

double bench_now_s(void);

/* What a clock says, such as one of the CPU that a process has used; there must be such a process.
 */
double bench_clock_s(clockid_t clock);

/* Give a figure, as figures.py says: a line in the file that $BENCH_FIGURES names, if it names one.
 * The second one says too what it must be: sign is ">=" or "<=". Names have no quotes in them. */
void bench_figure(const char *name, double value, const char *unit);
void bench_figure_must(const char *name, double value, const char *unit, const char *sign,
                       double bound);

/* For qsort(). */
int bench_by_double(const void *a, const void *b);
int bench_by_float(const void *a, const void *b);

/* A new log in a folder, with a key of its own; the caller closes it. */
struct ledger *bench_open_log(const char *dir, struct note_signer *signer);
