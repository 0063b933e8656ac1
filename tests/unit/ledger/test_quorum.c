#include "vault/ledger/quorum.h"

#include <stdio.h>

#include "keys.h"
#include "test.h"
#include "vault/crypto/crypto.h"

#define WITNESSES 6U
#define TEXT      "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

static struct note_signer log_signer;
static struct note_signer witnesses[WITNESSES];
static char log_key[NOTE_KEY_CHARS_MAX];
static char keys[WITNESSES][NOTE_KEY_CHARS_MAX];

static void make_keys(void)
{
    log_signer = test_signer("log.example", NOTE_ED25519, 100);
    note_key_print(&log_signer.key, log_key);
    for (unsigned i = 0; i < WITNESSES; i++) {
        char name[32];
        snprintf(name, sizeof name, "witness.example/w%u", i);
        witnesses[i] = test_signer(name, NOTE_COSIGNATURE, (uint8_t)(i + 1));
        note_key_print(&witnesses[i].key, keys[i]);
    }
}

/* A policy with six witnesses w0 … w5, then these lines. */
static const char *with_witnesses(const char *lines)
{
    static char text[8192];
    int at = snprintf(text, sizeof text, "log %s https://log.example/\n", log_key);
    for (unsigned i = 0; i < WITNESSES; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "witness w%u %s\n", i, keys[i]);
    snprintf(text + at, sizeof text - (size_t)at, "%s", lines);
    return text;
}

static struct quorum *quorum_of(const char *text)
{
    struct quorum *quorum = NULL;
    assert_done(quorum_parse(bytes_of_text(text), &quorum, &test_error));
    return quorum;
}

static void assert_refused(const char *text)
{
    struct quorum *quorum = NULL;
    if (quorum_parse(bytes_of_text(text), &quorum, &test_error) != VAULT_INVALID)
        fail_msg("this was read as a policy:\n%s", text);
}

/* A checkpoint cosigned by the witnesses whose bit is set, each at second 1000 + its number. */
static void write_checkpoint(struct buf *note, unsigned who)
{
    buf_text(note, TEXT "\n");
    assert_done(note_sign(BYTES(TEXT), &log_signer, note, &test_error));
    for (unsigned i = 0; i < WITNESSES; i++) {
        if (who >> i & 1)
            assert_done(checkpoint_cosign(BYTES(TEXT), &witnesses[i], 1000 + i, note, &test_error));
    }
}

static struct quorum_outcome outcome_of(const char *lines, unsigned who)
{
    VAULT_AUTO(quorum_free) struct quorum *quorum = quorum_of(with_witnesses(lines));
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    struct checkpoint checkpoint;
    struct quorum_outcome outcome;
    write_checkpoint(&note, who);
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_done(quorum_check(quorum, &checkpoint, INT64_MAX, &outcome, &test_error));
    return outcome;
}

/* The example of the specification: two of three, any of two, and both groups. */
#define EXAMPLE                                                                                    \
    "group X-witnesses 2 w0 w1 w2\n"                                                               \
    "group Y-witnesses any w3 w4 w5\n"                                                             \
    "group X-and-Y all X-witnesses Y-witnesses\n"                                                  \
    "quorum X-and-Y\n"

static void test_the_example_of_the_specification_is_met_as_it_says(void **state)
{
    (void)state;
    for (unsigned who = 0; who < 64; who++) {
        const unsigned x = (who & 1) + (who >> 1 & 1) + (who >> 2 & 1);
        const bool met = x >= 2 && who >> 3 != 0;
        assert_int_equal(outcome_of(EXAMPLE, who).is_met, met);
    }
}

static void test_a_single_witness_can_be_the_quorum(void **state)
{
    (void)state;
    assert_true(outcome_of("quorum w3\n", 8).is_met);
    assert_false(outcome_of("quorum w3\n", 63 - 8).is_met);
}

static void test_no_witness_need_be_asked_for(void **state)
{
    (void)state;
    const struct quorum_outcome outcome = outcome_of("quorum none\n", 0);
    assert_true(outcome.is_met);
    assert_int_equal(outcome.newest_s, -1);
    VAULT_AUTO(quorum_free) struct quorum *quorum = quorum_of("quorum none\n");
    assert_false(quorum_needs_witnesses(quorum));
    assert_int_equal(quorum_witness_count(quorum), 0);
}

static void test_the_newest_time_is_of_witnesses_that_count(void **state)
{
    (void)state;
    assert_int_equal(outcome_of(EXAMPLE, 63).newest_s, 1005);
    assert_int_equal(outcome_of("group g any w0 w1\nquorum g\n", 63).newest_s, 1001);
    assert_int_equal(outcome_of("group g any w0 w1\nquorum g\n", 32).newest_s, -1);
    assert_int_equal(outcome_of("group g any w0 w1\nquorum g\n", 63).cosigned, 6);
}

static void test_the_same_cosignature_twice_counts_once(void **state)
{
    (void)state;
    VAULT_AUTO(quorum_free)
    struct quorum *quorum = quorum_of(with_witnesses("group g 2 w0 w1\nquorum g\n"));
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    struct checkpoint checkpoint;
    struct quorum_outcome outcome;
    write_checkpoint(&note, 1);
    assert_done(checkpoint_cosign(BYTES(TEXT), &witnesses[0], 1000, &note, &test_error));
    assert_done(checkpoint_cosign(BYTES(TEXT), &witnesses[0], 2000, &note, &test_error));
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_done(quorum_check(quorum, &checkpoint, INT64_MAX, &outcome, &test_error));
    assert_false(outcome.is_met);
    assert_int_equal(outcome.cosigned, 1);
    assert_int_equal(outcome.newest_s, 2000);
}

static void test_a_forged_cosignature_is_denied(void **state)
{
    (void)state;
    VAULT_AUTO(quorum_free) struct quorum *quorum = quorum_of(with_witnesses("quorum w1\n"));
    VAULT_AUTO(note_signer_finish)
    struct note_signer forger = test_signer("witness.example/w0", NOTE_COSIGNATURE, 77);
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    struct checkpoint checkpoint;
    struct quorum_outcome outcome;
    forger.key = witnesses[0].key; /* its name and id, with another key */
    write_checkpoint(&note, 2);
    assert_done(checkpoint_cosign(BYTES(TEXT), &forger, 1000, &note, &test_error));
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_fails(VAULT_DENIED, quorum_check(quorum, &checkpoint, INT64_MAX, &outcome, &test_error));
}

static void test_comments_blanks_and_order_are_free(void **state)
{
    (void)state;
    char text[4096];
    snprintf(text, sizeof text,
             "# a comment\n"
             "\n"
             " \t \n"
             "\t#another \xc3\xa9\n"
             "  witness\tnorth   %s   https://north.example/\n"
             "group g 1 north\n"
             "log %s\n"
             "quorum g\n"
             "witness late %s",
             keys[0], log_key, keys[1]);
    VAULT_AUTO(quorum_free) struct quorum *quorum = quorum_of(text);
    assert_int_equal(quorum_witness_count(quorum), 2);
    assert_string_equal(quorum_witness_url(quorum, 0), "https://north.example/");
    assert_string_equal(quorum_witness_url(quorum, 1), "");
    assert_string_equal(quorum_witness_key(quorum, 1)->name, "witness.example/w1");
    assert_true(quorum_is_for(quorum, &log_signer.key));
    assert_true(quorum_needs_witnesses(quorum));
}

static void test_a_policy_for_another_log_says_so(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish)
    struct note_signer other = test_signer("log.example", NOTE_ED25519, 101);
    VAULT_AUTO(note_signer_finish)
    struct note_signer renamed = test_signer("other.example", NOTE_ED25519, 100);
    VAULT_AUTO(quorum_free) struct quorum *quorum = quorum_of(with_witnesses("quorum none\n"));
    VAULT_AUTO(quorum_free) struct quorum *any = quorum_of("quorum none\n");
    assert_true(quorum_is_for(quorum, &log_signer.key));
    assert_false(quorum_is_for(quorum, &other.key));
    assert_false(quorum_is_for(quorum, &renamed.key));
    assert_true(quorum_is_for(any, &other.key));
}

static void test_anything_else_is_no_policy(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "quorum w9\n",
        "quorum\n",
        "quorum w0 w1\n",
        "quorum w0\nquorum w0\n",
        "quorum none\nquorum w0\n",
        "quorum g\ngroup g any w0\n",
        "group g any\nquorum none\n",
        "group g 0 w0\nquorum none\n",
        "group g 3 w0 w1\nquorum none\n",
        "group g 01 w0\nquorum none\n",
        "group g some w0\nquorum none\n",
        "group g any w0 w0\nquorum none\n",
        "group g any none\nquorum none\n",
        "group none any w0\nquorum none\n",
        "group w1 any w0\nquorum none\n",
        "group g any g\nquorum none\n",
        "group g any w0\ngroup h any w0\nquorum none\n",
        "group g any w0\ngroup g any w1\nquorum none\n",
        "quorum none\r\n",
        "quorum none\n\x01\n",
        "witness a\nquorum none\n",
        "witness a notakey\nquorum none\n",
        "log notakey\nquorum none\n",
        "threshold 3\nquorum none\n",
        "Quorum none\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_refused(with_witnesses(lines[i]));
}

static void test_keys_of_the_wrong_kind_or_twice_are_refused(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, "witness a %s\nquorum none\n", log_key);
    assert_refused(text);
    snprintf(text, sizeof text, "log %s\nquorum none\n", keys[0]);
    assert_refused(text);
    snprintf(text, sizeof text, "log %s\nlog %s\nquorum none\n", log_key, log_key);
    assert_refused(text);
    snprintf(text, sizeof text, "witness a %s\nwitness b %s\nquorum none\n", keys[0], keys[0]);
    assert_refused(text);
    /* The same public key under another name is the same witness. */
    VAULT_AUTO(note_signer_finish)
    struct note_signer renamed = test_signer("renamed.example", NOTE_COSIGNATURE, 1);
    char other[NOTE_KEY_CHARS_MAX];
    note_key_print(&renamed.key, other);
    snprintf(text, sizeof text, "witness a %s\nwitness b %s\nquorum none\n", keys[0], other);
    assert_refused(text);
}

static void test_the_limits_hold(void **state)
{
    (void)state;
    static char text[QUORUM_FILE_MAX_BYTES + 32];
    memset(text, '\n', sizeof text - 1);
    memcpy(text + sizeof text - 13, "quorum none\n", 12);
    assert_refused(text);
    VAULT_AUTO(quorum_free) struct quorum *quorum = quorum_of(text + 64);
    assert_false(quorum_needs_witnesses(quorum));
    snprintf(text, sizeof text, "witness a %s https://%0300d/\nquorum none\n", keys[0], 0);
    assert_refused(text);
    snprintf(text, sizeof text, "witness %0200d %s\nquorum none\n", 0, keys[0]);
    assert_refused(text);
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    make_keys();
    const int failed =
        TEST_RUN(test_the_example_of_the_specification_is_met_as_it_says,
                 test_a_single_witness_can_be_the_quorum, test_no_witness_need_be_asked_for,
                 test_the_newest_time_is_of_witnesses_that_count,
                 test_the_same_cosignature_twice_counts_once, test_a_forged_cosignature_is_denied,
                 test_comments_blanks_and_order_are_free, test_a_policy_for_another_log_says_so,
                 test_anything_else_is_no_policy, test_keys_of_the_wrong_kind_or_twice_are_refused,
                 test_the_limits_hold);
    note_signer_finish(&log_signer);
    for (unsigned i = 0; i < WITNESSES; i++)
        note_signer_finish(&witnesses[i]);
    return failed;
}
