#include "vault/ledger/proof.h"

#include <stdio.h>

#include "test.h"
#include "vault/crypto/crypto.h"
#include "vault/ledger/checkpoint.h"

/* A proof out of a log of the Tessera project, in today's format: made before it had its name, so
 * that only the first line is ours. */
#define TESSERA_KEY "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
#define TESSERA_HASHES                                                                             \
    "+4IF875THRSj6IOZo2SRpgL6buVI/cawB2iLGFLgWDQ=\n"                                               \
    "nBeqO1BayYMNXX05jMGGtCfprprlSVASVTUUwA0OC9E=\n"                                               \
    "zpUmeEe94VcV/jft8wYlUcDx9yr2kff2jq9QW295vhw=\n"                                               \
    "DTWvScrZyztZdQo5YhJ2Sioo6xDCRDgnoxJJJhN5vl0=\n"                                               \
    "550NhxNMkqzfWFptIePTfVic0rHovJMectLfzaLgh5U=\n"                                               \
    "aoGmNLa5zDVavVfeWhrAxU3duQ0m2TB489dVEGmquO8=\n"                                               \
    "Sbbxxj/8zvCs1q23zn+3wxE9OfJyqVtajvLlvg4FOaI=\n"                                               \
    "WuiUqI+eMKiZ4OUa9CORDO64u91gs7kbTzQYw/e/Khg=\n"                                               \
    "nxkvRAG/1vChJgwuphcHSaCBWcBXebV52Nd3sGxP2kI=\n"                                               \
    "8xVjSf6ZkYSabrgN8m3ePiWgQSpafmz8FXTCfv7guck=\n"                                               \
    "uIkQsFgLVnAeDt5KgZP6l3eJ6YzFz2p92KwlA50Ea5Q=\n"                                               \
    "8SliMOQ4QRiNiRzAt4iEDvrOC0ETwRssbnOdutGqPhA=\n"
#define TESSERA_CHECKPOINT                                                                         \
    "example.com/log/testdata\n100270\nGRV1O0dCqmjjPvYi7CtOT79zb/fPwLNsMFWsynwU8Ac=\n\n"           \
    "— example.com/log/testdata "                                                                \
    "M9e0lkcvy5bAe7rrC8tCyAP+my+CLzswA91zOpBNWVU7qCojkUOHnfdQzDImoYeYH8G8PJSwOqsx0RkSa261OmKVwwM=" \
    "\n"
#define FIRST   "c2sp.org/tlog-proof@v1\n"
#define TESSERA FIRST "index 100252\n" TESSERA_HASHES "\n" TESSERA_CHECKPOINT

static struct proof proof_of(const char *text)
{
    struct proof proof;
    assert_done(proof_parse(bytes_of_text(text), &proof, &test_error));
    return proof;
}

static void test_a_proof_of_another_implementation_is_read(void **state)
{
    (void)state;
    const struct proof proof = proof_of(TESSERA);
    assert_int_equal(proof.index, 100252);
    assert_int_equal(proof.path.count, 12);
    assert_int_equal(proof.path.hashes[0].bytes[0], 0xfb);
    struct checkpoint checkpoint;
    struct note_key key;
    assert_done(note_key_parse(bytes_of_text(TESSERA_KEY), &key, &test_error));
    assert_done(checkpoint_parse(proof.checkpoint, &checkpoint, &test_error));
    assert_done(checkpoint_verify(&checkpoint, &key, &test_error));
    assert_int_equal(checkpoint.size, 100270);
}

static void test_what_is_read_is_written_the_same(void **state)
{
    (void)state;
    const struct proof proof = proof_of(TESSERA);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(PROOF_MAX_BYTES);
    proof_write(&proof, &out);
    assert_string_equal(buf_string(&out), TESSERA);
}

static void test_extra_data_are_left_aside(void **state)
{
    (void)state;
    const struct proof proof = proof_of(FIRST "extra aGVsbG8=\nindex 0\n\n" TESSERA_CHECKPOINT);
    assert_int_equal(proof.index, 0);
    assert_int_equal(proof.path.count, 0);
    assert_true(bytes_equal(proof.checkpoint, bytes_of_text(TESSERA_CHECKPOINT)));
}

static void test_a_proof_without_a_checkpoint_can_be_written_but_not_read(void **state)
{
    (void)state;
    struct proof proof = proof_of(TESSERA);
    proof.checkpoint = (struct bytes){0};
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(PROOF_MAX_BYTES);
    proof_write(&proof, &out);
    assert_string_equal(buf_string(&out), FIRST "index 100252\n" TESSERA_HASHES);
    assert_fails(VAULT_INVALID, proof_parse(buf_view(&out), &proof, NULL));
}

static void test_anything_else_is_no_proof(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "\n",
        FIRST,
        "c2sp.org/tlog-proof@v2\nindex 0\n\n" TESSERA_CHECKPOINT,
        "c2sp.org/tlog-proof@v1\r\nindex 0\n\n" TESSERA_CHECKPOINT,
        FIRST "index 00\n\n" TESSERA_CHECKPOINT,
        FIRST "index -1\n\n" TESSERA_CHECKPOINT,
        FIRST "index  0\n\n" TESSERA_CHECKPOINT,
        FIRST "index 9223372036854775807\n\n" TESSERA_CHECKPOINT,
        FIRST "Index 0\n\n" TESSERA_CHECKPOINT,
        FIRST "\nindex 0\n\n" TESSERA_CHECKPOINT,
        FIRST "extra !!\nindex 0\n\n" TESSERA_CHECKPOINT,
        FIRST "extra aGVsbG8=\nextra aGVsbG8=\nindex 0\n\n" TESSERA_CHECKPOINT,
        FIRST "index 0\nAAAA\n\n" TESSERA_CHECKPOINT,
        FIRST "index 0\n" TESSERA_HASHES "x\n\n" TESSERA_CHECKPOINT,
        FIRST "index 0\n" TESSERA_HASHES,
        FIRST "index 0\n" TESSERA_HASHES "\n",
        FIRST "index 0\n" TESSERA_HASHES "x", /* no empty line, and so no checkpoint */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct proof proof;
        assert_fails(VAULT_INVALID, proof_parse(bytes_of_text(wrong[i]), &proof, &test_error));
    }
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static bool refuses;

void *__wrap_malloc(size_t size)
{
    return refuses ? NULL : __real_malloc(size);
}

static void test_memory_that_is_short_makes_no_proof_a_wrong_one(void **state)
{
    (void)state;
    static const char text[] = FIRST "extra aGVsbG8=\nindex 0\n\n" TESSERA_CHECKPOINT;
    struct proof proof;
    refuses = true;
    const enum vault_code code = proof_parse(bytes_of_text(text), &proof, &test_error);
    refuses = false;
    assert_int_equal(code, VAULT_NO_MEMORY);
    assert_done(proof_parse(bytes_of_text(text), &proof, &test_error));
}

static void test_more_hashes_than_any_tree_has_are_refused(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(PROOF_MAX_BYTES);
    struct proof proof;
    buf_text(&text, FIRST "index 0\n");
    for (unsigned i = 0; i < 6; i++)
        buf_text(&text, TESSERA_HASHES);
    buf_text(&text, "\n" TESSERA_CHECKPOINT);
    assert_fails(VAULT_INVALID, proof_parse(buf_view(&text), &proof, NULL));
}

static void test_a_proof_over_the_limit_is_refused(void **state)
{
    (void)state;
    static uint8_t large[PROOF_MAX_BYTES + 1];
    struct proof proof;
    memset(large, 'A', sizeof large);
    assert_fails(VAULT_INVALID, proof_parse((struct bytes){large, sizeof large}, &proof, NULL));
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(
        test_a_proof_of_another_implementation_is_read, test_what_is_read_is_written_the_same,
        test_extra_data_are_left_aside,
        test_a_proof_without_a_checkpoint_can_be_written_but_not_read,
        test_anything_else_is_no_proof, test_memory_that_is_short_makes_no_proof_a_wrong_one,
        test_more_hashes_than_any_tree_has_are_refused, test_a_proof_over_the_limit_is_refused);
}
