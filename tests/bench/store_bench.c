/*
 * store_bench - what the store costs, beside bare SQLCipher doing the same on the same files.
 *
 *     store_bench [CITIZENS]      2,000 unless told otherwise
 *
 * Prints one line per figure. Cold means that the file is not open; it may be in the page cache.
 * Ratios are taken within one run, the two sides in turn, so that a busy machine slows both.
 */
#include <limits.h>
#include <sqlcipher/sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "store/citizen_file.h"
#include "test.h"
#include "vault/base/codec.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/store/citizen_record.h"
#include "vault/store/citizen_value.h"
#include "vault/store/openings.h"

#define NOW_S       1795305600
#define FIELDS      20
#define BATCH       500
#define OPEN_MAX    1000
#define COLD_READS  1000
#define COLD_ROUNDS 7
#define FIELD       "identity.field07"

static struct keyring *keyring;
static struct store *store;
static char dir[PATH_MAX];
static struct citizen_id *ids;
static size_t people;

/* The bench has no use for going on after any error. */
static void must(enum vault_code code)
{
    if (code) {
        fprintf(stderr, "store_bench: %s: %s\n", vault_code_name(code), test_error.text);
        exit(1);
    }
}

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void open_store(size_t open_max)
{
    const struct store_options options = {.open_citizens_max = open_max};
    store_close(&store);
    must(store_open(dir, keyring, &options, &store, &test_error));
}

static void make_store(void)
{
    const char *folder = test_folder();
    static char key_path[PATH_MAX];
    snprintf(dir, sizeof dir, "%s/store", folder);
    snprintf(key_path, sizeof key_path, "%s/provider.key", folder);
    const struct keyring_provider provider = {.name = "file", .place = key_path};
    VAULT_AUTO(secret_free) struct secret *recovery = NULL;
    must(keyring_create(folder, &provider, &recovery, &test_error));
    must(keyring_open(folder, &provider, &keyring, &test_error));
    must(store_create(dir, keyring, &test_error));
    open_store(OPEN_MAX);
}

static void bench_import(void)
{
    static struct citizen_value values[FIELDS];
    static char fields[FIELDS][24];
    static struct citizen_new citizens[BATCH];
    for (size_t i = 0; i < FIELDS; i++) {
        snprintf(fields[i], sizeof fields[i], "identity.field%02zu", i);
        values[i] =
            (struct citizen_value){fields[i], BYTES("\"an invented value\""), NOW_S, "import"};
    }
    const double start = now_us();
    for (size_t done = 0; done < people;) {
        const size_t count = people - done < BATCH ? people - done : BATCH;
        for (size_t i = 0; i < count; i++) {
            ids[done + i] = citizen_id_new();
            citizens[i] = (struct citizen_new){ids[done + i], NULL, values, FIELDS};
        }
        must(citizen_create(store, citizens, count, NOW_S, NULL, &test_error));
        done += count;
    }
    const double took = now_us() - start;
    printf("import of %zu citizens with %d values    %8.0f citizens/s\n", people, FIELDS,
           (double)people / took * 1e6);
    bench_figure("store: import", (double)people / took * 1e6, "citizens/s");
}

static void read_one(const struct citizen_id *id, enum vault_code expected)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(1024);
    must(citizen_acquire(store, id, &citizen, &test_error));
    if (citizen_value_get(citizen, FIELD, &json, NULL, &test_error) != expected)
        must(VAULT_CORRUPT);
}

static void read_bare(const char *path, const char *key)
{
    sqlite3 *raw = NULL;
    sqlite3_stmt *query = NULL;
    sqlite3_open_v2(path, &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_key(raw, key, (int)strlen(key));
    sqlite3_prepare_v2(raw,
                       "SELECT json FROM value WHERE field = '" FIELD
                       "' ORDER BY as_of_s DESC, version DESC LIMIT "
                       "1",
                       -1, &query, NULL);
    const int result = sqlite3_step(query);
    sqlite3_finalize(query);
    sqlite3_close(raw);
    if (result != SQLITE_ROW)
        must(VAULT_CORRUPT);
}

static void bare_key(const struct citizen_id *id, char out[70])
{
    struct control_key wrapped;
    VAULT_AUTO(citizen_keys_free) struct citizen_keys keys = {0};
    must(control_key_find(store, id, &wrapped, &test_error));
    must(citizen_keys_of(keyring, &wrapped, &keys, &test_error));
    out[0] = 'x';
    out[1] = '\'';
    hex_string(out + 2, secret_view(keys.file).data, SECRET_KEY_BYTES);
    memcpy(out + 2 + (size_t)HEX_CHARS(SECRET_KEY_BYTES), "'", 2);
}

struct cold {
    double ours;
    double strangers;
    double bare;
};

/* Close, open and read: ours, an unknown id, and bare SQLCipher, turn about; people at random. */
static struct cold cold_round(void)
{
    struct cold sum = {0};
    for (size_t i = 0; i < COLD_READS; i++) {
        char path[PATH_MAX];
        char key[70];
        uint64_t pick;
        random_bytes(&pick, sizeof pick);
        const struct citizen_id *id = &ids[pick % people];
        const struct citizen_id stranger = citizen_id_new();
        must(citizen_path(path, dir, id, &test_error));
        bare_key(id, key);
        /* Whoever comes first brings the file into the page cache: by turns. */
        const double zero = now_us();
        if (i % 2)
            read_bare(path, key);
        const double a = now_us();
        read_one(id, VAULT_OK);
        const double b = now_us();
        read_one(&stranger, VAULT_NOT_FOUND);
        const double c = now_us();
        if (i % 2 == 0)
            read_bare(path, key);
        sum.bare += i % 2 ? a - zero : now_us() - c;
        sum.strangers += c - b;
        sum.ours += b - a;
        explicit_bzero(key, sizeof key);
    }
    return (struct cold){sum.ours / COLD_READS, sum.strangers / COLD_READS, sum.bare / COLD_READS};
}

static int by_ratio(const void *a, const void *b)
{
    const struct cold *left = a;
    const struct cold *right = b;
    const double difference = left->ours / left->bare - right->ours / right->bare;
    return (difference > 0) - (difference < 0);
}

static void bench_cold(void)
{
    struct cold rounds[COLD_ROUNDS];
    open_store(1);
    for (size_t i = 0; i < COLD_ROUNDS; i++)
        rounds[i] = cold_round();
    qsort(rounds, COLD_ROUNDS, sizeof rounds[0], by_ratio);
    const struct cold *median = &rounds[COLD_ROUNDS / 2];
    printf("bare SQLCipher: open, key, read, close       %8.1f us\n", median->bare);
    printf("cold: close another, open, read              %8.1f us   %.2f of bare (%.2f to %.2f in "
           "%d rounds)\n",
           median->ours, median->ours / median->bare, rounds[0].ours / rounds[0].bare,
           rounds[COLD_ROUNDS - 1].ours / rounds[COLD_ROUNDS - 1].bare, COLD_ROUNDS);
    printf("cold, of an id that does not exist           %8.1f us   %.2f of one that does\n",
           median->strangers, median->strangers / median->ours);
    bench_figure_must("store: cold open and read, to bare SQLCipher's", median->ours / median->bare,
                      "times", "<=", 1.5);
    bench_figure("store: bare SQLCipher open, key, read, close", median->bare, "us");
    bench_figure("store: cold, of an id that does not exist, to one that does",
                 median->strangers / median->ours, "times");
}

static void bench_warm(void)
{
    open_store(OPEN_MAX);
    const struct citizen_id stranger = citizen_id_new();
    const int rounds = 300000;
    double times[2];
    for (int who = 0; who < 2; who++) {
        const struct citizen_id *id = who ? &stranger : &ids[0];
        read_one(id, who ? VAULT_NOT_FOUND : VAULT_OK);
        const double start = now_us();
        for (int i = 0; i < rounds; i++)
            read_one(id, who ? VAULT_NOT_FOUND : VAULT_OK);
        times[who] = (now_us() - start) / rounds;
    }
    printf("warm: acquire, get, release                  %8.2f us\n", times[0]);
    printf("warm, of an id that does not exist           %8.2f us\n", times[1]);
    bench_figure("store: warm acquire, get, release", times[0], "us");
}

static long resident_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void bench_open_files(void)
{
    open_store(OPEN_MAX);
    const size_t count = people && people < OPEN_MAX ? people : OPEN_MAX;
    const long before = resident_kib();
    for (size_t i = 0; i < count; i++)
        read_one(&ids[i], VAULT_OK);
    printf("resident memory of an open citizen           %8.1f KiB (largest so far %ld MiB)\n",
           (double)(resident_kib() - before) / (double)count, resident_kib() / 1024);
    bench_figure("store: memory of an open citizen",
                 (double)(resident_kib() - before) / (double)count, "KiB");
    const double start = now_us();
    const int rounds = 100000;
    for (int i = 0; i < rounds; i++)
        read_one(&ids[(size_t)(i * 7919) % count], VAULT_OK);
    printf("warm, at random over %4zu open citizens      %8.2f us\n", count,
           (now_us() - start) / rounds);
}

static void bench_writes(void)
{
    const int rounds = 500;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    must(citizen_acquire(store, &ids[0], &citizen, &test_error));
    const double start = now_us();
    for (int i = 0; i < rounds; i++) {
        const struct citizen_record record = {.kind = "consent",
                                              .key = "c",
                                              .json = BYTES("{\"state\":\"given\"}"),
                                              .log_n = (uint64_t)i + 1};
        must(citizen_record_add(citizen, &record, NULL, &test_error));
    }
    const double took = (now_us() - start) / rounds;
    printf("durable record                               %8.1f us\n", took);
    bench_figure("store: durable record", took, "us");
}

static void bench_openings(void)
{
    static struct openings_row batch[OPENINGS_BATCH_MAX];
    static uint64_t counts[200];
    static uint8_t sealed[400];
    const int rounds = 10;
    uint64_t next = 0;
    const double start = now_us();
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < OPENINGS_BATCH_MAX; i++, next++) {
            const size_t who = (size_t)(next * 7919) % 200 % people;
            batch[i] = (struct openings_row){.citizen = ids[who],
                                             .n = ++counts[who],
                                             .index = next,
                                             .sealed = {sealed, sizeof sealed}};
        }
        must(openings_add(store, batch, OPENINGS_BATCH_MAX, next, &test_error));
    }
    const double rate = rounds * (double)OPENINGS_BATCH_MAX / (now_us() - start) * 1e6;
    printf("openings taken in                            %8.0f /s\n", rate);
    bench_figure("store: openings taken in", rate, "/s");
}

static void bench_start(void)
{
    const int rounds = 20;
    const double start = now_us();
    for (int i = 0; i < rounds; i++)
        open_store(OPEN_MAX);
    printf("opening a store of %6zu citizens            %8.2f ms\n", people,
           (now_us() - start) / rounds / 1000);
}

int main(int argc, char **argv)
{
    const unsigned long wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
    people = wanted ? wanted : 1;
    ids = calloc(people, sizeof *ids);
    json_start();
    must(crypto_start(true, &test_error));
    make_store();
    bench_import();
    bench_start();
    bench_cold();
    bench_warm();
    bench_open_files();
    bench_writes();
    bench_openings();
    store_close(&store);
    keyring_close(&keyring);
    free(ids);
    return 0;
}
