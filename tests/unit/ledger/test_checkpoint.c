#include "vault/ledger/checkpoint.h"

#include "keys.h"
#include "test.h"
#include "vault/base/codec.h"
#include "vault/crypto/crypto.h"

/* Two checkpoints of one log and the proof between them, made by the Go implementation of the
 * transparency-dev project for its witness's tests. */
#define MONKEYS_KEY    "monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT"
#define MONKEYS_5_TEXT "monkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n"
#define MONKEYS_5                                                                                  \
    MONKEYS_5_TEXT "\n"                                                                            \
                   "— monkeys "                                                                  \
                   "202fftzGl3LVoqjXfwCFZZXs8I+5G22+Ek2K0AOyBuSJ/8/"                               \
                   "CZawNF+6fNlTKOCd622pbzJNkkJFWuw9DbicZCkEx9AY="                                 \
                   "\n"
#define MONKEYS_8                                                                                  \
    "monkeys\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n"                                 \
    "— monkeys "                                                                                 \
    "202ffoUEboiQYpHzICeaFmoy3RNviHTpAxYrq/eO4QQVQMvu9UebKBMX2MJC76NLthZaKsnKbCA8GxrjePZhvDCH7Ag=" \
    "\n"
static const char *const monkeys_5_to_8[] = {
    "b9e1d62618f7fee8034e4c5010f727ab24d8e4705cb296c374bf2025a87a10d2",
    "aac66cd7a79ce4012d80762fe8eec3a77f22d1ca4145c3f4cee022e7efcd599d",
    "89d0f753f66a290c483b39cd5e9eafb12021293395fad3d4a2ad053cfbcfdc9e",
    "29e40bb79c966f4c6fe96aff6f30acfce5f3e8d84c02215175d6e018a5dee833"};

#define COSIGNED_AT 1795295592

static struct note_key key_of(const char *text)
{
    struct note_key key;
    assert_done(note_key_parse(bytes_of_text(text), &key, &test_error));
    return key;
}

static struct checkpoint checkpoint_of(const char *text)
{
    struct checkpoint checkpoint;
    assert_done(checkpoint_parse(bytes_of_text(text), &checkpoint, &test_error));
    return checkpoint;
}

static void test_checkpoints_of_another_implementation_verify(void **state)
{
    (void)state;
    const struct note_key key = key_of(MONKEYS_KEY);
    const struct checkpoint five = checkpoint_of(MONKEYS_5);
    const struct checkpoint eight = checkpoint_of(MONKEYS_8);
    assert_done(checkpoint_verify(&five, &key, &test_error));
    assert_done(checkpoint_verify(&eight, &key, &test_error));
    assert_int_equal(five.size, 5);
    assert_int_equal(eight.size, 8);
    struct tree_proof proof = {.count = 4};
    for (size_t i = 0; i < 4; i++)
        assert_done(hex_decode_exact(proof.hashes[i].bytes, TREE_HASH_BYTES,
                                     bytes_of_text(monkeys_5_to_8[i]), &test_error));
    assert_done(tree_check_consistency(&proof, 5, 8, &five.root, &eight.root, &test_error));
    proof.hashes[2].bytes[0] ^= 1;
    assert_fails(VAULT_DENIED, tree_check_consistency(&proof, 5, 8, &five.root, &eight.root, NULL));
}

static void test_what_is_written_is_read_and_verifies(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish)
    struct note_signer signer = test_signer("log.example/vault", NOTE_ED25519, 1);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_TEXT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf whole = buf_limited(CHECKPOINT_MAX_BYTES);
    const struct tree_hash root = tree_leaf(BYTES("x"));
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    checkpoint_write_text(&text, "log.example/vault", 70000, &root);
    assert_done(sign_message(signer.pair, buf_view(&text), signature, &test_error));
    checkpoint_write(&whole, &signer.key, 70000, &root, signature);
    struct checkpoint checkpoint;
    assert_done(checkpoint_parse(buf_view(&whole), &checkpoint, &test_error));
    assert_int_equal(checkpoint.size, 70000);
    assert_true(tree_hash_equal(&checkpoint.root, &root));
    assert_true(bytes_equal(checkpoint.note.text, buf_view(&text)));
    assert_done(checkpoint_verify(&checkpoint, &signer.key, &test_error));
}

static void test_only_origin_size_and_root_make_a_checkpoint(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "monkeys\n5\n",
        "monkeys\n05\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n",
        "monkeys\n-5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n",
        "monkeys\n5 \n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n",
        "monkeys\n9223372036854775808\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n",
        "monkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE\n",
        "monkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu\n",
        "\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n",
        "monkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\nmore\n",
        "monkeys\n5\n\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n",
    };
    VAULT_AUTO(note_signer_finish)
    struct note_signer signer = test_signer("monkeys", NOTE_ED25519, 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf note = buf_limited(4096);
        struct checkpoint checkpoint;
        buf_text(&note, wrong[i]);
        buf_text(&note, "\n");
        assert_done(note_sign(bytes_of_text(wrong[i]), &signer, &note, &test_error));
        assert_fails(VAULT_INVALID, checkpoint_parse(buf_view(&note), &checkpoint, NULL));
    }
    struct checkpoint checkpoint;
    assert_fails(VAULT_INVALID, checkpoint_parse(BYTES(MONKEYS_5_TEXT), &checkpoint, NULL));
    assert_fails(VAULT_INVALID, checkpoint_parse(BYTES(""), &checkpoint, NULL));
}

static void test_only_what_we_write_is_read_as_a_text_alone(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "monkeys\n5\n",
        "monkeys\n05\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n",
        "monkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\nan extension\n",
        "monkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=",
        "apes\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n",
    };
    uint64_t size = 0;
    struct tree_hash root;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(VAULT_INVALID, checkpoint_read_text(bytes_of_text(wrong[i]), "monkeys", &size,
                                                         &root, &test_error));
    assert_done(checkpoint_read_text(BYTES(MONKEYS_5_TEXT), "monkeys", &size, &root, &test_error));
    assert_int_equal(size, 5);
    VAULT_AUTO(buf_finish) struct buf again = buf_limited(CHECKPOINT_TEXT_MAX_BYTES);
    checkpoint_write_text(&again, "monkeys", size, &root);
    assert_true(bytes_equal(buf_view(&again), BYTES(MONKEYS_5_TEXT)));
}

static void test_further_lines_are_left_aside(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish)
    struct note_signer signer = test_signer("monkeys", NOTE_ED25519, 1);
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(4096);
    buf_text(&note, MONKEYS_5_TEXT "an extension\n\n");
    assert_done(note_sign(BYTES(MONKEYS_5_TEXT "an extension\n"), &signer, &note, &test_error));
    struct checkpoint checkpoint;
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_done(checkpoint_verify(&checkpoint, &signer.key, &test_error));
}

static void test_another_key_origin_or_text_is_denied(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish)
    struct note_signer same_name = test_signer("monkeys", NOTE_ED25519, 1);
    VAULT_AUTO(note_signer_finish)
    struct note_signer other_name = test_signer("apes", NOTE_ED25519, 1);
    const struct checkpoint five = checkpoint_of(MONKEYS_5);
    assert_fails(VAULT_DENIED, checkpoint_verify(&five, &same_name.key, NULL));
    assert_fails(VAULT_DENIED, checkpoint_verify(&five, &other_name.key, NULL));

    /* Signed by the key, but in the name of another log. */
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(4096);
    buf_text(&note, MONKEYS_5_TEXT "\n");
    assert_done(note_sign(BYTES(MONKEYS_5_TEXT), &other_name, &note, &test_error));
    struct checkpoint checkpoint;
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_fails(VAULT_DENIED, checkpoint_verify(&checkpoint, &other_name.key, NULL));

    VAULT_AUTO(buf_finish) struct buf changed = buf_limited(4096);
    const struct note_key key = key_of(MONKEYS_KEY);
    buf_text(&changed, MONKEYS_5);
    changed.data[8] = '6';
    assert_done(checkpoint_parse(buf_view(&changed), &checkpoint, &test_error));
    assert_int_equal(checkpoint.size, 6);
    assert_fails(VAULT_DENIED, checkpoint_verify(&checkpoint, &key, NULL));
}

/* A checkpoint of the monkeys with cosignatures under it. */
static void cosign(struct buf *note, const struct note_signer *witness, int64_t now_s)
{
    assert_done(checkpoint_cosign(BYTES(MONKEYS_5_TEXT), witness, now_s, note, &test_error));
}

static void test_cosignatures_verify_and_tell_their_newest_time(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish)
    struct note_signer witness = test_signer("witness.example/w1", NOTE_COSIGNATURE, 2);
    VAULT_AUTO(note_signer_finish)
    struct note_signer other = test_signer("witness.example/w2", NOTE_COSIGNATURE, 3);
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(4096);
    buf_text(&note, MONKEYS_5);
    cosign(&note, &witness, COSIGNED_AT);
    cosign(&note, &witness, COSIGNED_AT + 60);
    cosign(&note, &witness, COSIGNED_AT - 60);
    struct checkpoint checkpoint;
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    int64_t newest_s = 0;
    assert_done(checkpoint_cosigned(&checkpoint, &witness.key, &newest_s, &test_error));
    assert_int_equal(newest_s, COSIGNED_AT + 60);
    assert_done(checkpoint_cosigned(&checkpoint, &other.key, &newest_s, &test_error));
    assert_int_equal(newest_s, -1);
    const struct note_key log = key_of(MONKEYS_KEY);
    assert_done(checkpoint_verify(&checkpoint, &log, &test_error));
}

static void test_a_cosignature_is_bound_to_time_and_text(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish)
    struct note_signer witness = test_signer("witness.example/w1", NOTE_COSIGNATURE, 2);
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(4096);
    cosign(&line, &witness, COSIGNED_AT);

    VAULT_AUTO(buf_finish) struct buf elsewhere = buf_limited(4096);
    buf_text(&elsewhere, MONKEYS_8);
    buf_bytes(&elsewhere, buf_view(&line));
    struct checkpoint checkpoint;
    int64_t newest_s = 0;
    assert_done(checkpoint_parse(buf_view(&elsewhere), &checkpoint, &test_error));
    assert_fails(VAULT_DENIED,
                 checkpoint_cosigned(&checkpoint, &witness.key, &newest_s, &test_error));

    VAULT_AUTO(buf_finish) struct buf raw = buf_limited(256);
    size_t from = 0;
    VAULT_AUTO(buf_finish) struct buf whole = buf_limited(4096);
    buf_text(&whole, MONKEYS_5);
    buf_bytes(&whole, buf_view(&line));
    assert_done(checkpoint_parse(buf_view(&whole), &checkpoint, &test_error));
    const struct note_signature *signature =
        note_next_signature(&checkpoint.note, &witness.key, &from);
    assert_done(base64_decode(&raw, signature->base64, &test_error));
    for (size_t place = 4; place < raw.size; place += 11) {
        VAULT_AUTO(buf_finish) struct buf forged = buf_limited(4096);
        raw.data[place] ^= 1;
        buf_text(&forged, MONKEYS_5);
        note_signature_write(&forged, &witness.key, (struct bytes){raw.data + 4, raw.size - 4});
        raw.data[place] ^= 1;
        assert_done(checkpoint_parse(buf_view(&forged), &checkpoint, &test_error));
        assert_fails(VAULT_DENIED,
                     checkpoint_cosigned(&checkpoint, &witness.key, &newest_s, &test_error));
    }
}

static void test_a_witness_and_a_log_of_one_key_are_not_confused(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish)
    struct note_signer log = test_signer("log.example", NOTE_ED25519, 7);
    VAULT_AUTO(note_signer_finish)
    struct note_signer witness = test_signer("log.example", NOTE_COSIGNATURE, 7);
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(4096);
    const struct tree_hash root = tree_empty_root();
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_TEXT_MAX_BYTES);
    checkpoint_write_text(&text, "log.example", 0, &root);
    buf_bytes(&note, buf_view(&text));
    buf_text(&note, "\n");
    assert_done(note_sign(buf_view(&text), &log, &note, &test_error));
    struct checkpoint checkpoint;
    int64_t newest_s = 0;
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_done(checkpoint_cosigned(&checkpoint, &witness.key, &newest_s, &test_error));
    assert_int_equal(newest_s, -1);
    assert_done(checkpoint_verify(&checkpoint, &log.key, &test_error));
}

static void test_sixteen_unknown_signatures_are_no_harm(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(16 * 1024);
    buf_text(&note, MONKEYS_5);
    for (uint8_t i = 0; i < 16; i++) {
        VAULT_AUTO(note_signer_finish)
        struct note_signer witness =
            test_signer("witness.example", NOTE_COSIGNATURE, (uint8_t)(i + 10));
        cosign(&note, &witness, COSIGNED_AT);
    }
    struct checkpoint checkpoint;
    const struct note_key log = key_of(MONKEYS_KEY);
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_int_equal(checkpoint.note.signature_count, 17);
    assert_done(checkpoint_verify(&checkpoint, &log, &test_error));
}

static void test_a_checkpoint_over_the_limit_is_refused(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES + 1024);
    buf_text(&note, MONKEYS_5_TEXT);
    while (note.size < CHECKPOINT_MAX_BYTES)
        buf_text(&note, "an extension of some length that nobody needs\n");
    buf_text(&note, &MONKEYS_5[sizeof MONKEYS_5_TEXT - 1]);
    struct checkpoint checkpoint;
    assert_fails(VAULT_INVALID, checkpoint_parse(buf_view(&note), &checkpoint, NULL));
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(
        test_checkpoints_of_another_implementation_verify,
        test_what_is_written_is_read_and_verifies, test_only_origin_size_and_root_make_a_checkpoint,
        test_only_what_we_write_is_read_as_a_text_alone, test_further_lines_are_left_aside,
        test_another_key_origin_or_text_is_denied,
        test_cosignatures_verify_and_tell_their_newest_time,
        test_a_cosignature_is_bound_to_time_and_text,
        test_a_witness_and_a_log_of_one_key_are_not_confused,
        test_sixteen_unknown_signatures_are_no_harm, test_a_checkpoint_over_the_limit_is_refused);
}
