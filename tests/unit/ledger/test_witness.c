#include "vault/ledger/witness.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/crypto/crypto.h"

#define LEAVES 20U

static struct note_signer log_signer;
static struct note_signer other_log;
static struct note_signer stranger; /* another key under the log's name */
static struct note_signer own;
static struct tree_hash leaves[LEAVES];
static _Atomic int64_t now_ms;
static char dir[PATH_MAX];
static struct witness *witness;
static unsigned folder_number;

static enum vault_code leaf_node(void *context, unsigned level, uint64_t index,
                                 struct tree_hash *out, struct vault_error *err)
{
    (void)err;
    const struct tree_hash *from = context;
    *out = tree_fold(&from[index << level], level);
    return VAULT_OK;
}

/* The log's first size leaves; forked: with another last one. */
static struct tree_hash root_of(uint64_t size, bool forked)
{
    struct tree_hash copy[LEAVES];
    struct tree_hash root;
    memcpy(copy, leaves, sizeof copy);
    if (forked)
        copy[size - 1].bytes[0] ^= 1;
    const struct tree_source source = {leaf_node, copy};
    assert_done(tree_root(&source, size, &root, &test_error));
    return root;
}

static void write_checkpoint(const struct note_signer *signer, const char *origin, uint64_t size,
                             bool forked, struct buf *out)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_TEXT_MAX_BYTES);
    const struct tree_hash root = root_of(size, forked);
    checkpoint_write_text(&text, origin, size, &root);
    buf_bytes(out, buf_view(&text));
    buf_text(out, "\n");
    assert_done(note_sign(buf_view(&text), signer, out, &test_error));
}

static void prove(uint64_t old_size, uint64_t size, struct tree_proof *out)
{
    const struct tree_source source = {leaf_node, leaves};
    *out = (struct tree_proof){0};
    if (old_size && old_size < size)
        assert_done(tree_prove_consistency(&source, old_size, size, out, &test_error));
}

struct ask {
    const struct note_signer *signer; /* NULL: the log's */
    uint64_t old_size;
    uint64_t size;
    bool forked;
    bool proof_damaged;
};

static unsigned ask(struct ask what, struct buf *answer)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(WITNESS_REQUEST_MAX_BYTES);
    const struct note_signer *signer = what.signer ? what.signer : &log_signer;
    struct witness_request request = {.old_size = what.old_size};
    write_checkpoint(signer, signer->key.name, what.size, what.forked, &note);
    prove(what.old_size, what.size, &request.proof);
    if (what.proof_damaged)
        request.proof.hashes[0].bytes[3] ^= 4;
    request.checkpoint = buf_view(&note);
    witness_request_write(&request, &body);
    assert_done(buf_check(&body, &test_error));
    return witness_add_checkpoint(witness, buf_view(&body), answer, &test_error);
}

static unsigned ask_plain(struct ask what)
{
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(WITNESS_ANSWER_MAX_BYTES);
    return ask(what, &answer);
}

static enum vault_code open_witness(struct vault_error *err)
{
    const struct note_key logs[] = {log_signer.key, other_log.key};
    const struct witness_options options = {
        .dir = dir, .signer = &own, .clock = clock_fixed(&now_ms), .logs = logs, .log_count = 2};
    return witness_open(&options, &witness, err);
}

static int start(void **state)
{
    (void)state;
    now_ms = 1795295592000;
    snprintf(dir, sizeof dir, "%s/witness-%u", test_folder(), folder_number++);
    assert_done(open_witness(&test_error));
    return 0;
}

static int end(void **state)
{
    (void)state;
    witness_close(&witness);
    return 0;
}

static void path_of_log(char out[PATH_MAX], const struct note_signer *signer)
{
    uint8_t hash[SHA256_BYTES];
    char name[HEX_CHARS(SHA256_BYTES) + 1];
    sha256_of(hash, bytes_of_text(signer->key.name));
    hex_string(name, hash, sizeof hash);
    snprintf(out, PATH_MAX, "%s/%s.checkpoint", dir, name);
}

/* When the answer's lines cosign the log's checkpoint of this size; -1 if they do not. */
static int64_t cosigned_at(uint64_t size, const struct buf *lines)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    struct checkpoint checkpoint;
    int64_t when_s = -1;
    write_checkpoint(&log_signer, log_signer.key.name, size, false, &note);
    buf_bytes(&note, buf_view(lines));
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_done(checkpoint_cosigned(&checkpoint, &own.key, &when_s, &test_error));
    return when_s;
}

/* --- The messages --------------------------------------------------------------------------- */

static void test_a_request_is_read_as_it_was_written(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(WITNESS_REQUEST_MAX_BYTES);
    struct witness_request request = {.old_size = 7, .checkpoint = BYTES("a checkpoint")};
    struct witness_request got;
    prove(7, 19, &request.proof);
    witness_request_write(&request, &body);
    assert_done(witness_request_parse(buf_view(&body), &got, &test_error));
    assert_int_equal(got.old_size, 7);
    assert_int_equal(got.proof.count, request.proof.count);
    assert_true(got.proof.count > 2);
    assert_memory_equal(got.proof.hashes, request.proof.hashes,
                        request.proof.count * sizeof request.proof.hashes[0]);
    assert_true(bytes_equal(got.checkpoint, BYTES("a checkpoint")));
}

static void test_63_hashes_are_a_proof_and_64_are_none(void **state)
{
    (void)state;
    for (size_t count = 63; count <= 64; count++) {
        VAULT_AUTO(buf_finish) struct buf body = buf_limited(WITNESS_REQUEST_MAX_BYTES);
        struct witness_request got;
        buf_text(&body, "old 1\n");
        for (size_t i = 0; i < count; i++) {
            base64_encode(&body, (struct bytes){leaves[0].bytes, TREE_HASH_BYTES});
            buf_text(&body, "\n");
        }
        buf_text(&body, "\nx\n");
        assert_fails(count == 63 ? VAULT_OK : VAULT_INVALID,
                     witness_request_parse(buf_view(&body), &got, &test_error));
    }
}

static void test_what_is_no_request_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "old 5",
        "old 5\n",
        "old 05\n\nx\n",
        "old -1\n\nx\n",
        "old  5\n\nx\n",
        "old\n\nx\n",
        "Old 5\n\nx\n",
        "new 5\n\nx\n",
        "old 5\r\n\r\nx\n",
        "old 99999999999999999999\n\nx\n",
        "old 5\nno base64\n\nx\n",
        "old 5\nAAAA\n\nx\n",
        "\nold 5\n\nx\n",
        "old 5\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw\n\nx\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct witness_request request;
        VAULT_AUTO(buf_finish) struct buf answer = buf_limited(WITNESS_ANSWER_MAX_BYTES);
        assert_fails(VAULT_INVALID, witness_request_parse(bytes_of_text(wrong[i]), &request, NULL));
        assert_int_equal(
            witness_add_checkpoint(witness, bytes_of_text(wrong[i]), &answer, &test_error), 400);
        assert_int_equal(answer.size, 0);
    }
}

static void test_the_size_of_a_conflict_is_one_number_on_one_line(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "5", "5\n\n", "05\n", " 5\n", "5 \n", "five\n", "-5\n"};
    uint64_t size = 0;
    assert_done(witness_size_parse(BYTES("20852163\n"), &size, &test_error));
    assert_int_equal(size, 20852163);
    assert_done(witness_size_parse(BYTES("0\n"), &size, &test_error));
    assert_int_equal(size, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(VAULT_INVALID, witness_size_parse(bytes_of_text(wrong[i]), &size, NULL));
}

/* --- The witness ---------------------------------------------------------------------------- */

static void test_a_log_that_grows_is_cosigned_each_time(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 2, 3, 8, 13, LEAVES};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf answer = buf_limited(WITNESS_ANSWER_MAX_BYTES);
        now_ms += 1500;
        const struct ask what = {.old_size = i ? sizes[i - 1] : 0, .size = sizes[i]};
        assert_int_equal(ask(what, &answer), 200);
        assert_int_equal(cosigned_at(sizes[i], &answer), now_ms / 1000);
    }
}

static void test_a_log_that_stands_still_is_cosigned_with_the_new_time(void **state)
{
    (void)state;
    assert_int_equal(ask_plain((struct ask){.size = 9}), 200);
    now_ms += 600000;
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(WITNESS_ANSWER_MAX_BYTES);
    assert_int_equal(ask((struct ask){.old_size = 9, .size = 9}, &answer), 200);
    assert_int_equal(cosigned_at(9, &answer), now_ms / 1000);
}

static void test_what_another_implementation_made_is_cosigned(void **state)
{
    (void)state;
    static const char five[] =
        "old 0\n\nmonkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\n— monkeys "
        "202fftzGl3LVoqjXfwCFZZXs8I+5G22+Ek2K0AOyBuSJ/8/"
        "CZawNF+6fNlTKOCd622pbzJNkkJFWuw9DbicZCkEx9AY=\n";
    static const char eight[] =
        "old 5\n"
        "ueHWJhj3/ugDTkxQEPcnqyTY5HBcspbDdL8gJah6ENI=\n"
        "qsZs16ec5AEtgHYv6O7Dp38i0cpBRcP0zuAi5+/NWZ0=\n"
        "idD3U/ZqKQxIOznNXp6vsSAhKTOV+tPUoq0FPPvP3J4=\n"
        "KeQLt5yWb0xv6Wr/bzCs/OXz6NhMAiFRddbgGKXe6DM=\n"
        "\nmonkeys\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n— monkeys "
        "202ffoUEboiQYpHzICeaFmoy3RNviHTpAxYrq/eO4QQVQMvu9UebKBMX2MJC76NLthZaKsnKbCA8GxrjePZhvDCH7A"
        "g=\n";
    struct note_key monkeys;
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(WITNESS_ANSWER_MAX_BYTES);
    assert_done(
        note_key_parse(BYTES("monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT"),
                       &monkeys, &test_error));
    witness_close(&witness);
    const struct witness_options options = {.dir = dir,
                                            .signer = &own,
                                            .clock = clock_fixed(&now_ms),
                                            .logs = &monkeys,
                                            .log_count = 1};
    assert_done(witness_open(&options, &witness, &test_error));
    assert_int_equal(witness_add_checkpoint(witness, BYTES(five), &answer, &test_error), 200);
    assert_int_equal(witness_add_checkpoint(witness, BYTES(eight), &answer, &test_error), 200);
}

static void test_an_unknown_log_is_404(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish)
    struct note_signer unknown = test_signer("log.example/unknown", NOTE_ED25519, 1);
    assert_int_equal(ask_plain((struct ask){.signer = &unknown, .size = 3}), 404);
}

static void test_a_log_signed_by_another_key_is_403(void **state)
{
    (void)state;
    assert_int_equal(ask_plain((struct ask){.signer = &stranger, .size = 3}), 403);
    assert_int_equal(ask_plain((struct ask){.size = 3}), 200);
}

static void test_a_signature_that_does_not_hold_is_403(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(WITNESS_REQUEST_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(WITNESS_ANSWER_MAX_BYTES);
    write_checkpoint(&log_signer, log_signer.key.name, 3, false, &note);
    uint8_t *size = memchr(note.data, '\n', note.size);
    size[1] = '4';
    const struct witness_request request = {.checkpoint = buf_view(&note)};
    witness_request_write(&request, &body);
    assert_int_equal(witness_add_checkpoint(witness, buf_view(&body), &answer, &test_error), 403);
}

static void test_an_old_size_past_the_checkpoint_is_400(void **state)
{
    (void)state;
    assert_int_equal(ask_plain((struct ask){.old_size = 4, .size = 3}), 400);
}

static void test_another_old_size_is_409_with_the_size_cosigned_last(void **state)
{
    (void)state;
    static const uint64_t wrong[] = {0, 8, 10, 12};
    assert_int_equal(ask_plain((struct ask){.size = 9}), 200);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf answer = buf_limited(WITNESS_ANSWER_MAX_BYTES);
        assert_int_equal(ask((struct ask){.old_size = wrong[i], .size = 12}, &answer), 409);
        assert_true(bytes_equal(buf_view(&answer), BYTES("9\n")));
    }
}

static void test_a_log_that_was_cut_gets_the_larger_size(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(WITNESS_ANSWER_MAX_BYTES);
    assert_int_equal(ask_plain((struct ask){.size = 12}), 200);
    assert_int_equal(ask((struct ask){.old_size = 5, .size = 9}, &answer), 409);
    assert_true(bytes_equal(buf_view(&answer), BYTES("12\n")));
}

static void test_a_proof_that_does_not_hold_is_422(void **state)
{
    (void)state;
    assert_int_equal(ask_plain((struct ask){.size = 9}), 200);
    assert_int_equal(ask_plain((struct ask){.old_size = 9, .size = 14, .proof_damaged = true}),
                     422);
    assert_int_equal(ask_plain((struct ask){.old_size = 9, .size = 14, .forked = true}), 422);
    assert_int_equal(ask_plain((struct ask){.old_size = 9, .size = 14}), 200);
}

static void test_the_same_size_with_another_root_is_422(void **state)
{
    (void)state;
    assert_int_equal(ask_plain((struct ask){.size = 9}), 200);
    assert_int_equal(ask_plain((struct ask){.old_size = 9, .size = 9, .forked = true}), 422);
}

static void test_a_proof_from_nothing_must_be_empty(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(WITNESS_REQUEST_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(WITNESS_ANSWER_MAX_BYTES);
    struct witness_request request = {.old_size = 0};
    write_checkpoint(&log_signer, log_signer.key.name, 3, false, &note);
    prove(2, 3, &request.proof);
    request.checkpoint = buf_view(&note);
    witness_request_write(&request, &body);
    assert_int_equal(witness_add_checkpoint(witness, buf_view(&body), &answer, &test_error), 422);
}

static void test_each_log_has_a_memory_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(ask_plain((struct ask){.size = 9}), 200);
    assert_int_equal(ask_plain((struct ask){.signer = &other_log, .size = 4}), 200);
    assert_int_equal(ask_plain((struct ask){.old_size = 9, .size = 10}), 200);
}

/* --- The memory ----------------------------------------------------------------------------- */

static void test_a_witness_remembers_across_a_restart(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(WITNESS_ANSWER_MAX_BYTES);
    assert_int_equal(ask_plain((struct ask){.size = 9}), 200);
    witness_close(&witness);
    assert_done(open_witness(&test_error));
    assert_int_equal(ask((struct ask){.size = 12}, &answer), 409);
    assert_true(bytes_equal(buf_view(&answer), BYTES("9\n")));
    assert_int_equal(ask_plain((struct ask){.old_size = 9, .size = 9, .forked = true}), 422);
    assert_int_equal(ask_plain((struct ask){.old_size = 9, .size = 12}), 200);
}

static void test_the_last_checkpoint_is_there_for_monitors(void **state)
{
    (void)state;
    char path[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    struct checkpoint checkpoint;
    int64_t when_s = -1;
    path_of_log(path, &log_signer);
    char *name = strrchr(path, '/') + 1;
    *strchr(name, '.') = 0;
    assert_fails(VAULT_NOT_FOUND, witness_last(witness, bytes_of_text(name), &note, NULL));
    assert_int_equal(ask_plain((struct ask){.size = 9}), 200);
    assert_int_equal(ask_plain((struct ask){.old_size = 9, .size = 11}), 200);
    assert_done(witness_last(witness, bytes_of_text(name), &note, &test_error));
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_done(checkpoint_verify(&checkpoint, &log_signer.key, &test_error));
    assert_done(checkpoint_cosigned(&checkpoint, &own.key, &when_s, &test_error));
    assert_int_equal(checkpoint.size, 11);
    assert_int_equal(when_s, now_ms / 1000);
    assert_int_equal(checkpoint.note.signature_count, 2);
    assert_fails(VAULT_NOT_FOUND, witness_last(witness, BYTES("../lock"), &note, NULL));
}

static void test_no_cosignature_leaves_that_is_not_written_down(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char beside[PATH_MAX + 4];
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(WITNESS_ANSWER_MAX_BYTES);
    path_of_log(path, &log_signer);
    snprintf(beside, sizeof beside, "%s.new", path);
    assert_int_equal(mkdir(beside, 0700), 0); /* in the way of the file that is to be written */
    assert_int_equal(ask((struct ask){.size = 9}, &answer), 500);
    assert_int_equal(answer.size, 0);
    assert_false(file_exists(path));
    assert_int_equal(rmdir(beside), 0);
    assert_int_equal(ask_plain((struct ask){.size = 8, .forked = true}), 200);
}

static void test_a_damaged_memory_is_not_taken_for_none(void **state)
{
    (void)state;
    char path[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    assert_int_equal(ask_plain((struct ask){.size = 9}), 200);
    witness_close(&witness);
    path_of_log(path, &log_signer);
    assert_done(file_read(path, &note, &test_error));
    uint8_t *size = memchr(note.data, '\n', note.size);
    size[1] = '8';
    assert_done(file_replace(path, buf_view(&note), 0600, &test_error));
    assert_fails(VAULT_CORRUPT, open_witness(&test_error));
    assert_non_null(strstr(test_error.text, path));
    assert_done(file_replace(path, BYTES(""), 0600, &test_error));
    assert_fails(VAULT_CORRUPT, open_witness(&test_error));
    /* What another witness cosigned is not one's own memory either. */
    buf_clear(&note);
    write_checkpoint(&log_signer, log_signer.key.name, 9, false, &note);
    assert_done(file_replace(path, buf_view(&note), 0600, &test_error));
    assert_fails(VAULT_CORRUPT, open_witness(&test_error));
}

static void test_a_memory_is_for_one_process(void **state)
{
    (void)state;
    struct witness *first = VAULT_TAKE(witness);
    assert_fails(VAULT_CONFLICT, open_witness(&test_error));
    witness_close(&first);
    assert_done(open_witness(&test_error));
}

static void test_a_witness_of_no_log_is_refused(void **state)
{
    (void)state;
    struct witness *none = NULL;
    const struct witness_options options = {.dir = test_folder(), .signer = &own};
    assert_fails(VAULT_INVALID, witness_open(&options, &none, &test_error));
}

int main(void)
{
    if (crypto_start(true, NULL) != VAULT_OK)
        return 1;
    log_signer = test_signer("log.example/vault", NOTE_ED25519, 1);
    other_log = test_signer("log.example/other", NOTE_ED25519, 2);
    stranger = test_signer("log.example/vault", NOTE_ED25519, 3);
    own = test_signer("witness.example/w", NOTE_COSIGNATURE, 4);
    for (size_t i = 0; i < LEAVES; i++)
        leaves[i] = tree_leaf((struct bytes){(const uint8_t *)&i, 1});
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_is_read_as_it_was_written),
        cmocka_unit_test(test_63_hashes_are_a_proof_and_64_are_none),
        cmocka_unit_test_setup_teardown(test_what_is_no_request_is_refused, start, end),
        cmocka_unit_test(test_the_size_of_a_conflict_is_one_number_on_one_line),
        cmocka_unit_test_setup_teardown(test_a_log_that_grows_is_cosigned_each_time, start, end),
        cmocka_unit_test_setup_teardown(test_a_log_that_stands_still_is_cosigned_with_the_new_time,
                                        start, end),
        cmocka_unit_test_setup_teardown(test_what_another_implementation_made_is_cosigned, start,
                                        end),
        cmocka_unit_test_setup_teardown(test_an_unknown_log_is_404, start, end),
        cmocka_unit_test_setup_teardown(test_a_log_signed_by_another_key_is_403, start, end),
        cmocka_unit_test_setup_teardown(test_a_signature_that_does_not_hold_is_403, start, end),
        cmocka_unit_test_setup_teardown(test_an_old_size_past_the_checkpoint_is_400, start, end),
        cmocka_unit_test_setup_teardown(test_another_old_size_is_409_with_the_size_cosigned_last,
                                        start, end),
        cmocka_unit_test_setup_teardown(test_a_log_that_was_cut_gets_the_larger_size, start, end),
        cmocka_unit_test_setup_teardown(test_a_proof_that_does_not_hold_is_422, start, end),
        cmocka_unit_test_setup_teardown(test_the_same_size_with_another_root_is_422, start, end),
        cmocka_unit_test_setup_teardown(test_a_proof_from_nothing_must_be_empty, start, end),
        cmocka_unit_test_setup_teardown(test_each_log_has_a_memory_of_its_own, start, end),
        cmocka_unit_test_setup_teardown(test_a_witness_remembers_across_a_restart, start, end),
        cmocka_unit_test_setup_teardown(test_the_last_checkpoint_is_there_for_monitors, start, end),
        cmocka_unit_test_setup_teardown(test_no_cosignature_leaves_that_is_not_written_down, start,
                                        end),
        cmocka_unit_test_setup_teardown(test_a_damaged_memory_is_not_taken_for_none, start, end),
        cmocka_unit_test_setup_teardown(test_a_memory_is_for_one_process, start, end),
        cmocka_unit_test(test_a_witness_of_no_log_is_refused),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    struct note_signer *const signers[] = {&log_signer, &other_log, &stranger, &own};
    for (size_t i = 0; i < sizeof signers / sizeof signers[0]; i++)
        note_signer_finish(signers[i]);
    return failed;
}
