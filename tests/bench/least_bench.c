/*
 * least_bench - what a release cannot do without, each measured alone: the bounds beside which
 * its profile stands.
 *
 *     least_bench [--seconds S] [--rounds R] DIR
 *
 * An entry of a release has four commitments, is hashed into the tree, and has an opening that is
 * sealed. A batch of such entries is signed, written and synced once, however many they are: so the
 * disk costs next to nothing when many are on their way. All but the disk is done with the
 * functions that the vault does it with. DIR is a folder on the disk to be measured; what is made
 * in it is removed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "vault/base/file.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/seal.h"
#include "vault/crypto/sign.h"
#include "vault/ledger/tree.h"

#define ROUNDS_MAX    50
#define COMMITMENTS   4
#define SALT_BYTES    32
#define VALUE_BYTES   40
#define ENTRY_BYTES   300
#define OWNER_BYTES   24
#define OPENING_BYTES 300
#define FRAME_BYTES   700 /* of the journal, with the opening */
#define BATCH_MAX     64
#define RESERVED      (64UL * 1024 * 1024)

static struct bench bench = {.name = "least_bench", .seconds = 1, .rounds = 5};
static struct sign_key *signer;
static struct secret *key;
static uint8_t bytes[BATCH_MAX * FRAME_BYTES];
static int file = -1;
static off_t file_at;
static size_t batch; /* entries */

static void commit(void)
{
    uint8_t salt[SALT_BYTES];
    uint8_t out[SHA256_BYTES];
    for (unsigned i = 0; i < COMMITMENTS; i++) {
        random_bytes(salt, sizeof salt);
        hmac_sha256_salted(out, (struct bytes){salt, sizeof salt},
                           (struct bytes){bytes, VALUE_BYTES});
    }
}

/* A leaf, and on the average one node above it. */
static void hash_entry(void)
{
    const struct tree_hash leaf = tree_leaf((struct bytes){bytes, ENTRY_BYTES});
    tree_node(&leaf, &leaf);
}

/* What names the citizen for the index, and the opening under the citizen's key. */
static void seal_opening(void)
{
    const struct bytes owner = {bytes, OWNER_BYTES};
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(sizeof bytes);
    bench_must(seal(key, (struct bytes){0}, owner, &out, &bench_error));
    bench_must(seal(key, owner, (struct bytes){bytes, OPENING_BYTES}, &out, &bench_error));
}

static void sign_batch(void)
{
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    bench_must(sign_message(signer, (struct bytes){bytes, SHA256_BYTES}, signature, &bench_error));
}

static void sync_batch(void)
{
    const size_t size = batch * FRAME_BYTES;
    if (file_at + (off_t)size > (off_t)RESERVED)
        file_at = 0;
    bench_must_all(pwrite(file, bytes, size, file_at) == (ssize_t)size, "writing");
    bench_must_all(fdatasync(file) == 0, "syncing");
    file_at += (off_t)size;
}

struct cost {
    double cpu_us;
    double wall_us;
};

/* The median of the rounds. */
static struct cost cost_of(void (*once)(void))
{
    double cpu[ROUNDS_MAX];
    double wall[ROUNDS_MAX];
    for (unsigned round = 0; round < bench.rounds; round++) {
        const double cpu_began = bench_clock_s(CLOCK_PROCESS_CPUTIME_ID);
        const double began = bench_now_s();
        unsigned times = 0;
        while (bench_now_s() - began < bench.seconds) {
            for (unsigned i = 0; i < 10; i++, times++)
                once();
        }
        cpu[round] = (bench_clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu_began) * 1e6 / times;
        wall[round] = (bench_now_s() - began) * 1e6 / times;
    }
    qsort(cpu, bench.rounds, sizeof cpu[0], bench_by_double);
    qsort(wall, bench.rounds, sizeof wall[0], bench_by_double);
    return (struct cost){cpu[bench.rounds / 2], wall[bench.rounds / 2]};
}

static void tell(const char *what, double us)
{
    printf("%-56s %8.2f us\n", what, us);
    bench_figure(what, us, "us");
}

static void tell_work(void)
{
    static const struct {
        const char *what;
        void (*once)(void);
    } works[] = {{"four commitments: CPU", commit},
                 {"an entry hashed into the tree: CPU", hash_entry},
                 {"an opening sealed: CPU", seal_opening},
                 {"a batch signed: CPU", sign_batch}};
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++)
        tell(works[i].what, cost_of(works[i].once).cpu_us);
}

static void tell_disk(void)
{
    static const size_t sizes[] = {1, 8, BATCH_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char what[64];
        batch = sizes[i];
        const struct cost cost = cost_of(sync_batch);
        snprintf(what, sizeof what, "a batch of %zu written and synced", batch);
        tell(what, cost.wall_us);
        snprintf(what, sizeof what, "a batch of %zu written and synced: CPU", batch);
        tell(what, cost.cpu_us);
    }
}

/* Written once before, so that a sync has nothing to do but the bytes. */
static void make_file(void)
{
    char path[PATH_MAX];
    bench_must(file_join(path, sizeof path, bench.dir, "synced", &bench_error));
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bench_must_all(file >= 0, path);
    for (off_t at = 0; at < (off_t)RESERVED; at += (off_t)sizeof bytes)
        bench_must_all(pwrite(file, bytes, sizeof bytes, at) == (ssize_t)sizeof bytes, path);
    bench_must_all(fsync(file) == 0, path);
}

int main(int argc, char **argv)
{
    if (!bench_begin(&bench, ROUNDS_MAX, argc, argv))
        return 64;
    random_bytes(bytes, sizeof bytes);
    bench_must(secret_random(SECRET_KEY_BYTES, &key, &bench_error));
    bench_must(sign_key_of_seed(key, &signer, &bench_error));
    make_file();
    tell_work();
    tell_disk();
    sign_key_free(&signer);
    secret_free(&key);
    return bench_end(&bench);
}
