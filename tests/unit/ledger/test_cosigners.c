/* A real log, real witnesses (witness.h) and lying ones, without a network between them. */
#include "vault/ledger/cosigners.h"

#include <limits.h>
#include <stdio.h>

#include "keys.h"
#include "vault/crypto/crypto.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/witness.h"

#define WITNESSES 3
#define NOW_MS    INT64_C(1795295592000)
#define NOW_S     (NOW_MS / 1000)

static struct note_signer log_signer;
static struct note_signer keys[WITNESSES];
static struct note_signer stranger;
static unsigned folder_number;
static const char *base;

struct world {
    _Atomic int64_t now_ms;
    struct ledger *ledger;
    struct witness *witnesses[WITNESSES];
    struct quorum *policy;
    struct cosigners *cosigners;
    struct buf checkpoint;
    struct ledger_presented presented;
};

static struct world world;

static void open_log(const char *name)
{
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s/%s-%u", base, name, folder_number++);
    const struct ledger_options options = {
        .dir = dir, .signer = &log_signer, .clock = clock_fixed(&world.now_ms)};
    ledger_close(&world.ledger);
    assert_done(ledger_create(&options, &test_error));
    assert_done(ledger_open(&options, &world.ledger, &test_error));
}

static void write_policy(struct buf *out)
{
    char vkey[NOTE_KEY_CHARS_MAX];
    for (int i = 0; i < WITNESSES; i++) {
        note_key_print(&keys[i].key, vkey);
        buf_format(out, "witness w%d %s http://127.0.0.1:%d\n", i, vkey, 1000 + i);
    }
    buf_text(out, "group one any w0 w1\ngroup both all one w2\nquorum both\n");
}

static int start(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf policy = buf_limited(4096);
    world = (struct world){.now_ms = NOW_MS, .checkpoint = buf_limited(CHECKPOINT_MAX_BYTES)};
    base = test_folder();
    open_log("log");
    for (int i = 0; i < WITNESSES; i++) {
        char dir[PATH_MAX];
        snprintf(dir, sizeof dir, "%s/w-%u", base, folder_number++);
        const struct witness_options options = {.dir = dir,
                                                .signer = &keys[i],
                                                .clock = clock_fixed(&world.now_ms),
                                                .logs = &log_signer.key,
                                                .log_count = 1};
        assert_done(witness_open(&options, &world.witnesses[i], &test_error));
    }
    write_policy(&policy);
    assert_done(quorum_parse(buf_view(&policy), &world.policy, &test_error));
    assert_done(cosigners_new(world.policy, &world.cosigners, &test_error));
    return 0;
}

static int end(void **state)
{
    (void)state;
    ledger_close(&world.ledger);
    for (int i = 0; i < WITNESSES; i++)
        witness_close(&world.witnesses[i]);
    cosigners_free(&world.cosigners);
    quorum_free(&world.policy);
    buf_finish(&world.checkpoint);
    return 0;
}

/* Add entries and present the log as it is then. */
static void grow(unsigned count)
{
    const struct entry entry = {.event = ENTRY_ADMIN};
    for (unsigned i = 0; i < count; i++)
        assert_done(ledger_append(world.ledger, &entry, (struct bytes){0}, NULL, &test_error));
    buf_clear(&world.checkpoint);
    assert_done(ledger_checkpoint(world.ledger, &world.checkpoint, &test_error));
    world.presented = (struct ledger_presented){buf_view(&world.checkpoint),
                                                ledger_head(world.ledger), world.ledger};
    assert_done(ledger_wait_published(world.ledger, world.presented.head.size, 10000, &test_error));
}

static enum cosigner_result take(size_t number, unsigned status, struct bytes body)
{
    const struct cosigner_answer answer = {status, body, "it did not answer", world.now_ms / 1000};
    return cosigners_take(world.cosigners, number, &world.presented, &answer, &test_error);
}

/* Ask a real witness, and once more if it says so. */
static enum cosigner_result ask(size_t number)
{
    enum cosigner_result result = COSIGNER_AGAIN;
    for (int i = 0; i < 2 && result == COSIGNER_AGAIN; i++) {
        VAULT_AUTO(buf_finish) struct buf body = buf_limited(WITNESS_REQUEST_MAX_BYTES);
        VAULT_AUTO(buf_finish) struct buf answer = buf_limited(WITNESS_ANSWER_MAX_BYTES);
        assert_done(cosigners_ask(world.cosigners, number, &world.presented, &body, &test_error));
        const unsigned status =
            witness_add_checkpoint(world.witnesses[number], buf_view(&body), &answer, &test_error);
        result = take(number, status, buf_view(&answer));
    }
    return result;
}

static int64_t conclude(struct buf *lines)
{
    int64_t reached_s = 0;
    assert_done(
        cosigners_conclude(world.cosigners, &world.presented, lines, &reached_s, &test_error));
    return reached_s;
}

static int64_t reached(void)
{
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(CHECKPOINT_MAX_BYTES);
    return conclude(&lines);
}

/* A request whose answer is made up. */
static enum cosigner_result hear(size_t number, unsigned status, const char *body)
{
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(WITNESS_REQUEST_MAX_BYTES);
    assert_done(cosigners_ask(world.cosigners, number, &world.presented, &request, &test_error));
    return take(number, status, bytes_of_text(body));
}

static void cosign_as(const struct note_signer *signer, int64_t time_s, struct buf *out)
{
    struct checkpoint checkpoint;
    assert_done(checkpoint_parse(world.presented.checkpoint, &checkpoint, &test_error));
    assert_done(checkpoint_cosign(checkpoint.note.text, signer, time_s, out, &test_error));
}

static enum cosigner_result hear_lines(size_t number, const struct buf *lines)
{
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(WITNESS_REQUEST_MAX_BYTES);
    assert_done(cosigners_ask(world.cosigners, number, &world.presented, &request, &test_error));
    return take(number, 200, buf_view(lines));
}

/* --- Answers that are worth something ------------------------------------------------------- */

static void test_witnesses_that_saw_it_grow_make_a_quorum(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
        struct checkpoint checkpoint;
        struct quorum_outcome outcome;
        grow(round * 7);
        for (size_t i = 0; i < WITNESSES; i++)
            assert_int_equal(ask(i), COSIGNER_SIGNED);
        buf_bytes(&note, world.presented.checkpoint);
        assert_int_equal(conclude(&note), NOW_S);
        assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
        assert_done(quorum_check(world.policy, &checkpoint, INT64_MAX, &outcome, &test_error));
        assert_true(outcome.is_met);
        assert_int_equal(outcome.cosigned, WITNESSES);
    }
}

static void test_one_of_each_organisation_is_needed(void **state)
{
    (void)state;
    grow(3);
    assert_int_equal(reached(), -1);
    assert_int_equal(ask(0), COSIGNER_SIGNED);
    assert_int_equal(ask(1), COSIGNER_SIGNED);
    assert_int_equal(reached(), -1);
    assert_int_equal(ask(2), COSIGNER_SIGNED);
    assert_int_equal(reached(), NOW_S);
}

static void test_a_cosignature_of_what_was_does_not_count_for_what_is(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(CHECKPOINT_MAX_BYTES);
    grow(3);
    for (size_t i = 0; i < WITNESSES; i++)
        assert_int_equal(ask(i), COSIGNER_SIGNED);
    grow(1);
    assert_int_equal(conclude(&lines), -1);
    assert_int_equal(lines.size, 0);
}

static void test_a_quorum_is_as_old_as_the_last_that_it_needs(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(CHECKPOINT_MAX_BYTES);
    grow(3);
    for (size_t i = 0; i < WITNESSES; i++)
        assert_int_equal(ask(i), COSIGNER_SIGNED);
    world.now_ms += 60000;
    assert_int_equal(ask(0), COSIGNER_SIGNED);
    assert_int_equal(conclude(&lines), NOW_S); /* w2 said nothing new, but its line stays */
    assert_int_equal(ask(2), COSIGNER_SIGNED);
    assert_int_equal(reached(), NOW_S + 60);
}

static void test_a_witness_of_a_fast_clock_does_not_reach_into_the_future(void **state)
{
    (void)state;
    grow(2);
    for (size_t i = 0; i < WITNESSES; i++) {
        VAULT_AUTO(buf_finish) struct buf lines = buf_limited(4096);
        cosign_as(&keys[i], NOW_S + COSIGNERS_SKEW_S, &lines);
        assert_int_equal(hear_lines(i, &lines), COSIGNER_SIGNED);
    }
    assert_int_equal(reached(), NOW_S);
}

static void test_a_witness_that_stands_elsewhere_is_asked_from_there(void **state)
{
    (void)state;
    grow(5);
    assert_int_equal(ask(0), COSIGNER_SIGNED);
    /* The vault has forgotten, the witness has not. */
    cosigners_free(&world.cosigners);
    assert_done(cosigners_new(world.policy, &world.cosigners, &test_error));
    grow(4);
    assert_int_equal(ask(0), COSIGNER_SIGNED);
    assert_int_equal(cosigners_get(world.cosigners, 0)->seen.size, 9);
}

static void test_unknown_lines_and_many_of_them_are_no_harm(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(16384);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(16384);
    static const uint8_t post_quantum[2420];
    grow(3);
    for (uint8_t i = 0; i < 16; i++) {
        VAULT_AUTO(note_signer_finish)
        struct note_signer other =
            test_signer("other.example/w", NOTE_COSIGNATURE, (uint8_t)(50 + i));
        cosign_as(&other, NOW_S, &lines);
    }
    cosign_as(&keys[0], NOW_S, &lines);
    note_signature_write(&lines, &stranger.key, (struct bytes){post_quantum, sizeof post_quantum});
    assert_int_equal(hear_lines(0, &lines), COSIGNER_SIGNED);
    assert_int_equal(conclude(&out), -1);
    /* Only its own line is passed on. */
    assert_ptr_equal(memchr(out.data, '\n', out.size), out.data + out.size - 1);
}

/* --- Answers that are worth nothing --------------------------------------------------------- */

static void test_a_forged_cosignature_is_dropped(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(4096);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(4096);
    static const uint8_t zeros[72];
    grow(3);
    note_signature_write(&lines, &keys[0].key, (struct bytes){zeros, sizeof zeros});
    assert_int_equal(hear_lines(0, &lines), COSIGNER_FAILED);
    assert_non_null(strstr(test_error.text, "does not hold"));
    /* One that holds beside one that does not is worth nothing either. */
    cosign_as(&keys[0], NOW_S, &lines);
    assert_int_equal(hear_lines(0, &lines), COSIGNER_FAILED);
    conclude(&out);
    assert_int_equal(out.size, 0);
}

static void test_a_cosignature_of_something_else_is_dropped(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(4096);
    grow(3);
    cosign_as(&keys[0], NOW_S, &lines);
    grow(1);
    assert_int_equal(hear_lines(0, &lines), COSIGNER_FAILED);
}

static void test_another_key_is_not_the_witness(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(4096);
    grow(3);
    cosign_as(&stranger, NOW_S, &lines);
    cosign_as(&keys[1], NOW_S, &lines);
    assert_int_equal(hear_lines(0, &lines), COSIGNER_FAILED);
    assert_non_null(strstr(test_error.text, keys[0].key.name));
}

static void test_an_answer_played_again_is_dropped(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(4096);
    grow(3);
    cosign_as(&keys[0], NOW_S - COSIGNERS_SKEW_S - 1, &lines);
    assert_int_equal(hear_lines(0, &lines), COSIGNER_FAILED);
    buf_clear(&lines);
    cosign_as(&keys[0], NOW_S - COSIGNERS_SKEW_S, &lines);
    assert_int_equal(hear_lines(0, &lines), COSIGNER_SIGNED);
}

static void test_an_answer_from_the_future_is_dropped(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(4096);
    grow(3);
    cosign_as(&keys[0], NOW_S + COSIGNERS_SKEW_S + 1, &lines);
    assert_int_equal(hear_lines(0, &lines), COSIGNER_FAILED);
    assert_non_null(strstr(test_error.text, "from the future"));
    buf_clear(&lines);
    cosign_as(&keys[0], NOW_S + COSIGNERS_SKEW_S, &lines);
    assert_int_equal(hear_lines(0, &lines), COSIGNER_SIGNED);
}

static void test_what_is_no_answer_is_dropped(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *body;
    } wrong[] = {
        {0, ""},        {200, ""},        {200, "hello\n"}, {200, "\n\n"},
        {200, "— x y"}, {409, ""},        {409, "many\n"},  {409, "<html>\n"},
        {409, "0\n"},   {422, ""},        {403, ""},        {404, "not here\n"},
        {301, ""},      {500, "sorry\n"}, {100, ""},        {204, ""},
    };
    grow(3);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(hear(0, wrong[i].status, wrong[i].body), COSIGNER_FAILED);
    assert_int_equal(reached(), -1);
}

static void test_lines_may_not_move_the_end_of_the_text(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_MAX_BYTES);
    grow(3);
    /* An empty line, then a signature over the checkpoint with its signatures as one text. */
    buf_bytes(&text, world.presented.checkpoint);
    buf_text(&body, "\n");
    assert_done(checkpoint_cosign(buf_view(&text), &keys[0], NOW_S, &body, &test_error));
    assert_int_equal(hear_lines(0, &body), COSIGNER_FAILED);
}

static void test_a_witness_that_failed_is_left_alone_for_a_while(void **state)
{
    (void)state;
    grow(1);
    assert_true(cosigners_is_due(world.cosigners, 0, 5000));
    cosigners_leave_alone(world.cosigners, 0, "it did not answer", 35000);
    assert_false(cosigners_is_due(world.cosigners, 0, 34999));
    assert_true(cosigners_is_due(world.cosigners, 1, 5000));
    assert_true(cosigners_get(world.cosigners, 0)->is_failing);
    assert_true(cosigners_is_due(world.cosigners, 0, 35000));
    assert_int_equal(ask(0), COSIGNER_SIGNED);
    assert_false(cosigners_get(world.cosigners, 0)->is_failing);
    assert_true(cosigners_is_due(world.cosigners, 0, 0));
}

/* --- Answers that are grave ----------------------------------------------------------------- */

static void test_a_log_that_was_set_back_is_noticed_by_the_409(void **state)
{
    (void)state;
    grow(9);
    assert_int_equal(ask(0), COSIGNER_SIGNED);
    cosigners_free(&world.cosigners);
    assert_done(cosigners_new(world.policy, &world.cosigners, &test_error));
    open_log("older");
    grow(4);
    assert_int_equal(ask(0), COSIGNER_CONTRADICTS);
    assert_non_null(strstr(test_error.text, keys[0].key.name));
    assert_non_null(strstr(test_error.text, "9 entries"));
    assert_non_null(strstr(test_error.text, "has 4"));
}

static void test_what_is_remembered_of_a_witness_is_enough_to_notice(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(WITNESS_REQUEST_MAX_BYTES);
    grow(9);
    assert_int_equal(ask(0), COSIGNER_SIGNED);
    open_log("older");
    grow(4);
    assert_fails(VAULT_CONFLICT, cosigners_ask(world.cosigners, 0, &world.presented, &body, NULL));
    assert_int_equal(body.size, 0);
}

static void test_a_forked_log_is_noticed_by_the_422(void **state)
{
    (void)state;
    grow(5);
    assert_int_equal(ask(0), COSIGNER_SIGNED);
    world.now_ms += 5000; /* other times, other entries */
    open_log("fork");
    grow(5);
    assert_int_equal(ask(0), COSIGNER_CONTRADICTS);
    grow(2);
    assert_int_equal(ask(0), COSIGNER_CONTRADICTS);
    assert_non_null(strstr(test_error.text, "5 entries"));
}

static void test_a_conflict_at_the_very_size_is_grave_too(void **state)
{
    (void)state;
    grow(5);
    assert_int_equal(ask(0), COSIGNER_SIGNED);
    assert_int_equal(hear(0, 409, "5\n"), COSIGNER_CONTRADICTS);
    grow(1);
    assert_int_equal(hear(0, 409, "5\n"), COSIGNER_FAILED); /* nonsense, and not grave */
}

/* --- As text -------------------------------------------------------------------------------- */

static void test_what_is_known_survives_as_text(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(8192);
    grow(6);
    assert_int_equal(ask(1), COSIGNER_SIGNED);
    cosigners_write(world.cosigners, &text);
    cosigners_free(&world.cosigners);
    assert_done(cosigners_new(world.policy, &world.cosigners, &test_error));
    assert_done(cosigners_read(world.cosigners, buf_view(&text), &test_error));
    assert_int_equal(cosigners_get(world.cosigners, 0)->seen.size, 0);
    assert_int_equal(cosigners_get(world.cosigners, 1)->seen.size, 6);
    assert_true(
        tree_hash_equal(&cosigners_get(world.cosigners, 1)->seen.root, &world.presented.head.root));
    grow(1);
    assert_int_equal(ask(1), COSIGNER_SIGNED);
}

static void test_only_what_was_verified_is_remembered(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf before = buf_limited(8192);
    VAULT_AUTO(buf_finish) struct buf after = buf_limited(8192);
    grow(6);
    assert_int_equal(ask(1), COSIGNER_SIGNED);
    cosigners_write(world.cosigners, &before);
    grow(6);
    /* Wherever it says that it stands, and however often it changes its mind. */
    assert_int_equal(hear(1, 409, "9\n"), COSIGNER_AGAIN);
    assert_int_equal(hear(1, 409, "3\n"), COSIGNER_AGAIN);
    assert_int_equal(hear(1, 409, "999\n"), COSIGNER_CONTRADICTS);
    cosigners_write(world.cosigners, &after);
    assert_true(bytes_equal(buf_view(&before), buf_view(&after)));
    assert_int_equal(ask(1), COSIGNER_SIGNED);
}

static void test_damaged_text_is_not_taken(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(8192);
    grow(6);
    assert_int_equal(ask(1), COSIGNER_SIGNED);
    cosigners_write(world.cosigners, &text);
    for (size_t cut = 1; cut < text.size; cut += 7) {
        if (text.data[cut - 1] != '\n')
            assert_fails(VAULT_INVALID,
                         cosigners_read(world.cosigners, (struct bytes){text.data, cut}, NULL));
    }
    assert_int_equal(cosigners_get(world.cosigners, 1)->seen.size, 6);
    assert_fails(VAULT_INVALID, cosigners_read(world.cosigners, BYTES("witness\n"), NULL));
}

static void test_a_policy_that_asks_nobody_is_never_met(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf policy = buf_limited(4096);
    VAULT_AUTO(quorum_free) struct quorum *none = NULL;
    char vkey[NOTE_KEY_CHARS_MAX];
    note_key_print(&keys[0].key, vkey);
    buf_format(&policy, "witness w0 %s http://127.0.0.1:1\nquorum none\n", vkey);
    assert_done(quorum_parse(buf_view(&policy), &none, &test_error));
    cosigners_free(&world.cosigners);
    assert_done(cosigners_new(none, &world.cosigners, &test_error));
    grow(2);
    assert_int_equal(ask(0), COSIGNER_SIGNED);
    assert_int_equal(reached(), -1);
    cosigners_free(&world.cosigners);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
    static const char *const names[WITNESSES] = {"a.example/w0", "a.example/w1", "b.example/w2"};
    if (crypto_start(true, NULL) != VAULT_OK)
        return 1;
    log_signer = test_signer("log.example/vault", NOTE_ED25519, 1);
    for (uint8_t i = 0; i < WITNESSES; i++)
        keys[i] = test_signer(names[i], NOTE_COSIGNATURE, (uint8_t)(10 + i));
    stranger = test_signer("a.example/w0", NOTE_COSIGNATURE, 99);
    const struct CMUnitTest tests[] = {
        WITH(test_witnesses_that_saw_it_grow_make_a_quorum),
        WITH(test_one_of_each_organisation_is_needed),
        WITH(test_a_cosignature_of_what_was_does_not_count_for_what_is),
        WITH(test_a_quorum_is_as_old_as_the_last_that_it_needs),
        WITH(test_a_witness_of_a_fast_clock_does_not_reach_into_the_future),
        WITH(test_a_witness_that_stands_elsewhere_is_asked_from_there),
        WITH(test_unknown_lines_and_many_of_them_are_no_harm),
        WITH(test_a_forged_cosignature_is_dropped),
        WITH(test_a_cosignature_of_something_else_is_dropped),
        WITH(test_another_key_is_not_the_witness),
        WITH(test_an_answer_played_again_is_dropped),
        WITH(test_an_answer_from_the_future_is_dropped),
        WITH(test_what_is_no_answer_is_dropped),
        WITH(test_lines_may_not_move_the_end_of_the_text),
        WITH(test_a_witness_that_failed_is_left_alone_for_a_while),
        WITH(test_a_log_that_was_set_back_is_noticed_by_the_409),
        WITH(test_what_is_remembered_of_a_witness_is_enough_to_notice),
        WITH(test_a_forked_log_is_noticed_by_the_422),
        WITH(test_a_conflict_at_the_very_size_is_grave_too),
        WITH(test_what_is_known_survives_as_text),
        WITH(test_only_what_was_verified_is_remembered),
        WITH(test_damaged_text_is_not_taken),
        WITH(test_a_policy_that_asks_nobody_is_never_met),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    note_signer_finish(&log_signer);
    note_signer_finish(&stranger);
    for (int i = 0; i < WITNESSES; i++)
        note_signer_finish(&keys[i]);
    return failed;
}
