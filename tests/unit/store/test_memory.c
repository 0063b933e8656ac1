/* SQLCipher's memory: that it is wiped shows in integration.memory; here, that it is memory. */
#include "store/memory.h"

#include <sqlcipher/sqlite3.h>

#include "test.h"

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 7 + 1);
}

static void assert_filled(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], (uint8_t)(i * 7 + 1));
}

static void test_a_block_has_the_size_that_was_asked_for(void **state)
{
    (void)state;
    for (int size = 1; size < 9000; size += 97) {
        uint8_t *bytes = sqlite3_malloc(size);
        assert_non_null(bytes);
        assert_true(sqlite3_msize(bytes) >= (sqlite3_uint64)size);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        fill(bytes, (size_t)size);
        sqlite3_free(bytes);
    }
}

static void test_what_is_moved_is_the_same(void **state)
{
    (void)state;
    uint8_t *bytes = sqlite3_malloc(100);
    fill(bytes, 100);
    for (int size = 200; size < 100000; size *= 3) {
        bytes = sqlite3_realloc(bytes, size);
        assert_non_null(bytes);
        assert_filled(bytes, 100);
    }
    bytes = sqlite3_realloc(bytes, 40);
    assert_filled(bytes, 40);
    sqlite3_free(bytes);
}

static void test_nothing_is_no_block(void **state)
{
    (void)state;
    assert_null(sqlite3_malloc(0));
    assert_null(sqlite3_malloc(-1));
    assert_int_equal(sqlite3_msize(NULL), 0);
    sqlite3_free(NULL);
    uint8_t *bytes = sqlite3_realloc(NULL, 10);
    assert_non_null(bytes);
    assert_null(sqlite3_realloc(bytes, 0)); /* is given back */
}

static void test_what_cannot_be_had_leaves_what_is_there(void **state)
{
    (void)state;
    uint8_t *bytes = sqlite3_malloc(64);
    fill(bytes, 64);
    assert_null(sqlite3_realloc64(bytes, (sqlite3_uint64)INT32_MAX + 10));
    assert_filled(bytes, 64);
    sqlite3_free(bytes);
}

int main(void)
{
    memory_start();
    return TEST_RUN(test_a_block_has_the_size_that_was_asked_for, test_what_is_moved_is_the_same,
                    test_nothing_is_no_block, test_what_cannot_be_had_leaves_what_is_there);
}
