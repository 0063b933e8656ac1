#include "vault/stance_json.h"

#include "test.h"
#include "vault/base/json.h"

#define ROOM 1024

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    json_start();
    for (int i = 0; i < 3; i++) {
        VAULT_AUTO(buf_finish) struct buf json = buf_limited(ROOM);
        const struct pause_record written = {i > 0, 1804500000 + i, i == 2};
        struct pause_record read;
        pause_json_write(&json, &written);
        assert_done(pause_json_read(buf_view(&json), &read, &test_error));
        assert_int_equal(read.paused, written.paused);
        assert_int_equal(read.at_s, written.at_s);
        assert_int_equal(read.restricted, written.restricted);
    }
    for (int i = 0; i < 2; i++) {
        VAULT_AUTO(buf_finish) struct buf json = buf_limited(ROOM);
        struct objection written = {.service = "library", .purpose = "library.lending", .at_s = 7};
        struct objection read;
        written.stands = i == 1;
        objection_json_write(&json, &written);
        assert_done(objection_json_read(buf_view(&json), &read, &test_error));
        assert_string_equal(read.service, written.service);
        assert_string_equal(read.purpose, written.purpose);
        assert_int_equal(read.stands, written.stands);
        assert_int_equal(read.at_s, 7);
    }
}

static void test_a_damaged_pause_is_known_for_one(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "{}",
        "[]",
        "{\"paused\":true}",
        "{\"paused\":true,\"at\":-1}",
        "{\"paused\":1,\"at\":5}",
        "{\"paused\":\"true\",\"at\":5}",
        "{\"at\":5}",
        "{\"paused\":true,\"at\":5",
        "{\"paused\":true,\"at\":5.5}",
        "{\"paused\":true,\"paused\":false,\"at\":5}",
        "{\"paused\":true,\"at\":5,\"restricted\":1}",
        "{\"paused\":true,\"at\":5,\"restricted\":false}",
        "{\"paused\":false,\"at\":5,\"restricted\":true}",
    };
    struct pause_record record;
    json_start();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(VAULT_CORRUPT, pause_json_read(bytes_of_text(wrong[i]), &record, &test_error));
}

static void test_a_damaged_objection_is_known_for_one(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "{}",
        "{\"service\":\"s\",\"purpose\":\"p\",\"at\":5}",
        "{\"service\":\"s\",\"purpose\":\"p\",\"objects\":true}",
        "{\"service\":\"\",\"purpose\":\"p\",\"objects\":true,\"at\":5}",
        "{\"service\":\"S\",\"purpose\":\"p\",\"objects\":true,\"at\":5}",
        "{\"service\":\"s\",\"purpose\":null,\"objects\":true,\"at\":5}",
        "{\"service\":\"s\",\"purpose\":\"p p\",\"objects\":true,\"at\":5}",
        "{\"service\":\"s\",\"purpose\":\"p\",\"objects\":null,\"at\":5}",
        "{\"service\":\"s\",\"purpose\":\"p\",\"objects\":true,\"at\":\"5\"}",
        ("{\"service\":\"sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss\","
         "\"purpose\":\"p\",\"objects\":true,\"at\":5}"),
    };
    struct objection objection;
    json_start();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(VAULT_CORRUPT,
                     objection_json_read(bytes_of_text(wrong[i]), &objection, &test_error));
}

int main(void)
{
    return TEST_RUN(test_what_is_written_is_read_back, test_a_damaged_pause_is_known_for_one,
                    test_a_damaged_objection_is_known_for_one);
}
