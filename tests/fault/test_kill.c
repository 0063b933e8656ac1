/*
 * A writer is killed in the middle of its work, again and again: whatever it acknowledged is there
 * afterwards, what was torn is dropped and said to be, and the log verifies. Its journal forgets
 * what is published all the while.
 *
 *     test_kill [N]    how often; 25 unless told, 500 with VAULT_TESTS_LONG=1
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log_support.h"
#include "vault/base/file.h"
#include "vault/ledger/tile.h"

#define KILLS_PER_LOG 25
#define ACKS_MAX      (1024UL * 1024)

static unsigned kills = 25;
static int ack_pipe[2];

/* What the writer said was durable. One write to a pipe is whole. */
struct ack {
    uint64_t index;
    struct tree_hash leaf;
};

static struct ack *acks; /* of all writers of this log so far */
static size_t ack_count;

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void *write_forever(void *context)
{
    const size_t opening_size = *(const size_t *)context;
    struct ledger_ticket ticket;
    while (log_append(opening_size, &ticket, NULL) == VAULT_OK) {
        const struct ack ack = {ticket.index, ticket.leaf};
        if (write(ack_pipe[1], &ack, sizeof ack) != (ssize_t)sizeof ack)
            break;
    }
    return NULL;
}

/* In a process of its own, until it is killed. */
static void be_writer(unsigned threads, size_t opening_size)
{
    pthread_t thread;
    log_open();
    for (unsigned i = 0; i < threads; i++)
        pthread_create(&thread, NULL, write_forever, &opening_size);
    while (ledger_forget(log_ledger, UINT64_MAX, NULL) == VAULT_OK)
        usleep(1000);
    abort();
}

/* Read what the writer says, until then or until it has ended; false at its end. */
static bool read_acks(int64_t until_us)
{
    for (;;) {
        struct pollfd readable = {.fd = ack_pipe[0], .events = POLLIN};
        const int64_t left_us = until_us - now_us();
        const struct timespec wait = {.tv_nsec = (left_us > 0 ? left_us : 0) * 1000};
        if (ppoll(&readable, 1, &wait, NULL) == 0)
            return true;
        assert_true(ack_count < ACKS_MAX);
        const ssize_t got = read(ack_pipe[0], &acks[ack_count], sizeof *acks);
        if (got == 0)
            return false;
        assert_int_equal(got, sizeof *acks);
        ack_count++;
        if (left_us <= 0)
            return true;
    }
}

/* Every entry that was ever acknowledged has its place and its hash in the published log. */
static void assert_all_acknowledged_are_there(void)
{
    struct tile_content *tile = malloc(sizeof *tile);
    uint64_t loaded = UINT64_MAX;
    const uint64_t size = ledger_published_size(log_ledger);
    assert_non_null(tile);
    for (size_t i = 0; i < ack_count; i++) {
        assert_true(acks[i].index < size);
        if (acks[i].index / TILE_WIDTH != loaded) {
            loaded = acks[i].index / TILE_WIDTH;
            assert_done(tile_load(log_dir, tile_of(size, 0, loaded), tile, &test_error));
        }
        assert_memory_equal(tile->data + acks[i].index % TILE_WIDTH * TREE_HASH_BYTES,
                            acks[i].leaf.bytes, TREE_HASH_BYTES);
    }
    free(tile);
}

static unsigned random_below(unsigned limit)
{
    uint32_t value = 0;
    random_bytes(&value, sizeof value);
    return value % limit;
}

static void kill_one(void)
{
    static const unsigned thread_counts[] = {1, 4, 16, 64};
    static const size_t opening_sizes[] = {0, 300, 16000, 16000};
    const unsigned threads = thread_counts[random_below(4)];
    const size_t opening_size = opening_sizes[random_below(4)];
    assert_int_equal(pipe(ack_pipe), 0);
    const pid_t writer = fork();
    if (writer == 0) {
        close(ack_pipe[0]);
        be_writer(threads, opening_size);
    }
    close(ack_pipe[1]);
    /* Some are killed while they start, most in the middle of writing. */
    const size_t before = ack_count;
    const bool while_starting = random_below(4) == 0;
    while (!while_starting && ack_count == before)
        assert_true(read_acks(now_us() + 1000));
    assert_true(read_acks(now_us() + random_below(while_starting ? 10000 : 40000)));
    assert_int_equal(kill(writer, SIGKILL), 0);
    while (read_acks(now_us() + 1000000))
        continue;
    close(ack_pipe[0]);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
}

static void test_nothing_acknowledged_is_lost_however_often_a_writer_is_killed(void **state)
{
    (void)state;
    unsigned torn = 0;
    unsigned forgetful = 0;
    size_t acknowledged = 0;
    for (unsigned i = 0; i < kills; i++) {
        uint64_t count = 0;
        if (i % KILLS_PER_LOG == 0) {
            acknowledged += ack_count;
            ack_count = 0;
            log_make();
            log_stop();
        }
        kill_one();
        log_open();
        const uint64_t size = ledger_head(log_ledger).size;
        struct ledger_reader *reader = NULL;
        if (ledger_reader_open(log_ledger, 0, &reader, NULL) == VAULT_NOT_FOUND)
            forgetful++;
        ledger_reader_close(&reader);
        if (size > 0)
            torn += log_event_at(size - 1, &count) == ENTRY_RECOVER;
        assert_done(ledger_wait_published(log_ledger, size, 20000, &test_error));
        assert_all_acknowledged_are_there();
        log_stop();
        log_assert_verifies();
    }
    printf("%u kills, %zu acknowledged entries, %u torn tails, %u starts without the beginning\n",
           kills, acknowledged + ack_count, torn, forgetful);
    assert_true(forgetful > 0);
}

int main(int argc, char **argv)
{
    const char *is_long = getenv("VAULT_TESTS_LONG");
    if (is_long && strcmp(is_long, "1") == 0)
        kills = 500;
    if (argc > 1)
        kills = (unsigned)strtoul(argv[1], NULL, 10);
    acks = calloc(ACKS_MAX, sizeof *acks);
    log_prepare();
    const int failed = TEST_RUN(test_nothing_acknowledged_is_lost_however_often_a_writer_is_killed);
    free(acks);
    note_signer_finish(&log_signer);
    return failed;
}
