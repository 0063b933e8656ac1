#include "test.h"

#include <stdio.h>

#include "edge/log_files.h"
#include "vault/base/file.h"
#include "vault/ledger/tile.h"

static const char *folder;
static struct http_answer answer;

static void put(const char *name, struct bytes content)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_done(file_create(path, content, 0600, &test_error));
}

static void put_folder(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_done(folder_create(path, &test_error));
}

/* A log with one full tile of hashes, a partial one, a bundle, and things that are none of it. */
static void make_log(void)
{
    static uint8_t tile[TILE_BYTES];
    static const uint8_t bundle[] = {0, 5, 'e', 'n', 't', 'r', 'y'};
    folder = test_folder();
    memset(tile, 7, sizeof tile);
    put("checkpoint", BYTES("log.example\n0\n\n"));
    put("journal", BYTES("not for anybody"));
    put_folder("tile");
    put_folder("tile/0");
    put("tile/0/000", (struct bytes){tile, sizeof tile});
    put_folder("tile/0/001.p");
    put("tile/0/001.p/3", (struct bytes){tile, 3 * TREE_HASH_BYTES});
    put("tile/0/secret", BYTES("not for anybody"));
    put_folder("tile/entries");
    put_folder("tile/entries/000.p");
    put("tile/entries/000.p/1", (struct bytes){bundle, sizeof bundle});
}

static void get_by(enum http_method method, const char *path)
{
    const struct http_request request = {.method = method, .path = path};
    answer = http_answer_new();
    log_files_send(folder, &request, &answer);
}

static const char *header(const char *name)
{
    for (size_t i = 0; i < answer.header_count; i++) {
        if (strcmp(answer.headers[i].name, name) == 0)
            return answer.headers[i].value;
    }
    return "";
}

static void assert_file(const char *path, const char *type, size_t size)
{
    get_by(HTTP_GET, path);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.content_type, type);
    assert_int_equal(answer.body.size, size);
    http_answer_finish(&answer);
}

static void assert_missing(const char *path)
{
    get_by(HTTP_GET, path);
    if (answer.status != 404)
        fail_msg("%s: %u", path, answer.status);
    assert_string_equal(answer.content_type, "application/problem+json");
    assert_string_equal(header("Cache-Control"), "");
    http_answer_finish(&answer);
}

static void test_the_checkpoint_is_text_that_is_not_kept(void **state)
{
    (void)state;
    make_log();
    get_by(HTTP_GET, "/log/checkpoint");
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.content_type, "text/plain; charset=utf-8");
    assert_string_equal(header("Cache-Control"), "no-cache");
    assert_string_equal(buf_string(&answer.body), "log.example\n0\n\n");
    http_answer_finish(&answer);
}

static void test_tiles_and_bundles_are_bytes_kept_for_ever(void **state)
{
    (void)state;
    make_log();
    assert_file("/log/tile/0/000", "application/octet-stream", TILE_BYTES);
    assert_file("/log/tile/0/001.p/3", "application/octet-stream", 3 * TREE_HASH_BYTES);
    assert_file("/log/tile/entries/000.p/1", "application/octet-stream", 7);
    get_by(HTTP_GET, "/log/tile/0/000");
    assert_non_null(strstr(header("Cache-Control"), "immutable"));
    http_answer_finish(&answer);
}

static void test_a_partial_tile_is_the_beginning_of_the_full_one(void **state)
{
    (void)state;
    make_log();
    assert_file("/log/tile/0/000.p/9", "application/octet-stream", 9 * TREE_HASH_BYTES);
}

static void test_what_is_not_there_is_missing_and_is_not_kept(void **state)
{
    (void)state;
    make_log();
    assert_missing("/log/tile/0/002");
    assert_missing("/log/tile/1/000");
    assert_missing("/log/tile/0/001");
    assert_missing("/log/tile/entries/x001/000");
}

static void test_only_names_of_tlog_tiles_are_looked_for(void **state)
{
    (void)state;
    make_log();
    static const char *const paths[] = {
        "/log/",
        "/log/journal",
        "/log/checkpoint/",
        "/log//checkpoint",
        "/log/Checkpoint",
        "/log/checkpoint.tmp",
        "/log/tile",
        "/log/tile/",
        "/log/tile/0",
        "/log/tile/0/",
        "/log/tile/0/secret",
        "/log/tile/0/0",
        "/log/tile/00/000",
        "/log/tile/64/000",
        "/log/tile/-1/000",
        "/log/tile/0/000.p",
        "/log/tile/0/000.p/0",
        "/log/tile/0/000.p/01",
        "/log/tile/0/000.p/256",
        "/log/tile/0/x000/000",
        "/log/tile/0/000/",
        "/log/tile/0/000 ",
        "/log/tile/data/000",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_missing(paths[i]);
}

static void test_nothing_outside_the_folder_is_reached(void **state)
{
    (void)state;
    make_log();
    static const char *const paths[] = {
        "/log/../checkpoint",
        "/log/./checkpoint",
        "/log/tile/../checkpoint",
        "/log/tile/0/../../journal",
        "/log/tile/0/..",
        "/log//etc/passwd",
        "/log/tile/entries/../../journal",
        "/log/tile/0/000.p/../000",
        "/log/%2e%2e/checkpoint",
        "/log/tile\\0\\000",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_missing(paths[i]);
}

static void test_a_damaged_tile_is_not_served(void **state)
{
    (void)state;
    make_log();
    put("tile/0/002", BYTES("too short"));
    get_by(HTTP_GET, "/log/tile/0/002");
    assert_int_equal(answer.status, 503);
    assert_string_equal(answer.content_type, "application/problem+json");
    http_answer_finish(&answer);
}

static void test_head_is_answered_like_get(void **state)
{
    (void)state;
    make_log();
    get_by(HTTP_HEAD, "/log/checkpoint");
    assert_int_equal(answer.status, 200);
    http_answer_finish(&answer);
}

static void test_the_log_is_only_read(void **state)
{
    (void)state;
    make_log();
    static const enum http_method methods[] = {HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER_METHOD};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        get_by(methods[i], "/log/checkpoint");
        assert_int_equal(answer.status, 405);
        assert_string_equal(header("Allow"), "GET, HEAD");
        http_answer_finish(&answer);
    }
}

int main(void)
{
    return TEST_RUN(test_the_checkpoint_is_text_that_is_not_kept,
                    test_tiles_and_bundles_are_bytes_kept_for_ever,
                    test_a_partial_tile_is_the_beginning_of_the_full_one,
                    test_what_is_not_there_is_missing_and_is_not_kept,
                    test_only_names_of_tlog_tiles_are_looked_for,
                    test_nothing_outside_the_folder_is_reached, test_a_damaged_tile_is_not_served,
                    test_head_is_answered_like_get, test_the_log_is_only_read);
}
