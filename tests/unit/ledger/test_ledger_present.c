/* Checkpoints that are presented to others before they are published. */
#include "ledger_test.h"

#include <pthread.h>

struct audience {
    pthread_mutex_t mutex;
    unsigned calls;
    uint64_t size;     /* of the last checkpoint presented */
    uint64_t old_size; /* to be proved from */
    bool tiles_were_there;
    bool proof_held;
    int64_t again_ms;
    const struct note_signer *witness; /* NULL: nobody signs */
    size_t surplus;                    /* bytes of lines that nobody wants */
    unsigned slow_s;                   /* how long each answer takes */
};

static int64_t present(void *context, const struct ledger_presented *presented, struct buf *lines)
{
    struct audience *audience = context;
    struct checkpoint checkpoint;
    struct tree_proof proof = {0};
    struct tree_hash root;
    char tile[PATH_MAX];
    char name[TILE_PATH_CHARS];
    assert_done(checkpoint_parse(presented->checkpoint, &checkpoint, &test_error));
    assert_done(checkpoint_verify(&checkpoint, &signer.key, &test_error));
    assert_int_equal(checkpoint.size, presented->head.size);
    sleep(audience->slow_s);
    pthread_mutex_lock(&audience->mutex);
    audience->calls++;
    audience->size = presented->head.size;
    if (presented->head.size) {
        tile_path(name, tile_of(presented->head.size, 0, 0));
        path_in_log(tile, name);
        audience->tiles_were_there = file_exists(tile);
    }
    audience->proof_held =
        ledger_prove_growth(presented, audience->old_size, &proof, &root, NULL) == VAULT_OK;
    if (audience->witness)
        assert_done(checkpoint_cosign(checkpoint.note.text, audience->witness, 7, lines, NULL));
    for (size_t i = 0; i < audience->surplus; i++)
        buf_byte(lines, 'x');
    pthread_mutex_unlock(&audience->mutex);
    return audience->again_ms;
}

static void open_before(struct audience *audience)
{
    struct ledger_options with = options();
    pthread_mutex_init(&audience->mutex, NULL);
    with.anchor = (struct ledger_anchor){present, audience};
    assert_done(ledger_open(&with, &ledger, &test_error));
}

static unsigned calls_of(struct audience *audience)
{
    pthread_mutex_lock(&audience->mutex);
    const unsigned calls = audience->calls;
    pthread_mutex_unlock(&audience->mutex);
    return calls;
}

static void test_a_checkpoint_is_presented_before_it_is_published(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish)
    struct note_signer witness = test_signer("witness.example/w", NOTE_COSIGNATURE, 9);
    struct audience audience = {.again_ms = 600000, .witness = &witness, .old_size = 2};
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    int64_t when_s = -1;
    make();
    stop();
    open_before(&audience);
    append_many(5);
    assert_published(5);
    assert_true(audience.tiles_were_there);
    assert_true(audience.proof_held);
    const struct checkpoint checkpoint = published(&note);
    assert_done(checkpoint_cosigned(&checkpoint, &witness.key, &when_s, &test_error));
    assert_int_equal(when_s, 7);
    stop();
}

static void test_a_log_that_stands_still_is_presented_again(void **state)
{
    (void)state;
    struct audience audience = {.again_ms = 20};
    make();
    stop();
    open_before(&audience);
    append_many(1);
    assert_published(1);
    const unsigned before = calls_of(&audience);
    const int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (calls_of(&audience) < before + 3 && clock_monotonic_ms() < until_ms)
        assert_done(ledger_health(ledger, &test_error));
    assert_true(calls_of(&audience) >= before + 3);
    stop();
}

static void test_presenting_can_be_asked_for(void **state)
{
    (void)state;
    struct audience audience = {.again_ms = 600000};
    make();
    stop();
    open_before(&audience);
    assert_done(ledger_present(ledger, PATIENCE_MS, &test_error));
    const unsigned before = calls_of(&audience);
    assert_true(before >= 1);
    /* The first of these may find a round under way that was begun before. */
    assert_done(ledger_present(ledger, PATIENCE_MS, &test_error));
    assert_done(ledger_present(ledger, PATIENCE_MS, &test_error));
    assert_true(calls_of(&audience) > before);
    stop();
}

/* Witnesses are asked now and then, not with every batch, and however slow they are, an entry is
 * published within the time that is promised. */
static void test_a_busy_log_is_presented_every_few_seconds(void **state)
{
    (void)state;
    struct audience audience = {.again_ms = 600000, .slow_s = 3};
    make();
    stop();
    open_before(&audience);
    const int64_t began_ms = clock_monotonic_ms();
    uint64_t waiting_for = 0;
    int64_t since_ms = 0;
    while (clock_monotonic_ms() < began_ms + 14000) {
        append_many(1);
        const int64_t at_ms = clock_monotonic_ms();
        if (!waiting_for) {
            waiting_for = ledger_head(ledger).size;
            since_ms = at_ms;
        } else if (ledger_published_size(ledger) >= waiting_for) {
            waiting_for = 0;
        }
        assert_true(!waiting_for || at_ms - since_ms < LEDGER_PUBLISH_WITHIN_MS);
        usleep(5000); /* a load, not a flood */
    }
    assert_in_range(calls_of(&audience), 2, 4); /* at 0, 5 and 10 s, and perhaps at the start */
    stop();
}

static void test_publishing_can_be_asked_for_before_its_time(void **state)
{
    (void)state;
    struct audience audience = {.again_ms = 600000};
    make();
    stop();
    open_before(&audience);
    const int64_t began_ms = clock_monotonic_ms();
    for (uint64_t size = 1; size <= 10; size++) {
        append_many(1);
        assert_published(size); /* asks */
    }
    assert_true(clock_monotonic_ms() - began_ms < LEDGER_PUBLISH_ANCHORED_MS);
    assert_true(calls_of(&audience) >= 10);
    stop();
}

static void test_lines_that_are_too_many_do_not_keep_a_checkpoint_back(void **state)
{
    (void)state;
    struct audience audience = {.again_ms = 600000, .surplus = CHECKPOINT_MAX_BYTES};
    make();
    stop();
    open_before(&audience);
    append_many(2);
    assert_published(2);
    stop();
}

static void test_no_growth_is_proved_from_a_size_the_log_never_had(void **state)
{
    (void)state;
    struct audience audience = {.again_ms = 600000, .old_size = 50};
    make();
    stop();
    open_before(&audience);
    append_many(3);
    assert_published(3);
    assert_false(audience.proof_held);
    stop();
}

int main(void)
{
    return LEDGER_TEST_RUN(test_a_checkpoint_is_presented_before_it_is_published,
                           test_a_log_that_stands_still_is_presented_again,
                           test_presenting_can_be_asked_for,
                           test_a_busy_log_is_presented_every_few_seconds,
                           test_publishing_can_be_asked_for_before_its_time,
                           test_lines_that_are_too_many_do_not_keep_a_checkpoint_back,
                           test_no_growth_is_proved_from_a_size_the_log_never_had);
}
