/* RFC 8259 read strictly, RFC 6901 written and followed. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "vault/base/json.h"

#define DEPTH 8

static enum vault_code parse(const char *text, struct json_position *position)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    const enum vault_code code =
        json_parse(bytes_of_text(text), DEPTH, &root, position, &test_error);
    assert_true((root != NULL) == (code == VAULT_OK));
    return code;
}

static void test_every_kind_of_value_is_read(void **state)
{
    (void)state;
    const char *const texts[] = {"null",
                                 "true",
                                 "false",
                                 "0",
                                 "-1.5e3",
                                 "\"\"",
                                 "\"\\u00e9\"",
                                 "[]",
                                 "{}",
                                 " [1, 2 ] \n",
                                 "{\"a\":{\"b\":[null]}}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_done(parse(texts[i], NULL));
}

static void test_what_is_not_json_is_refused(void **state)
{
    (void)state;
    const char *const texts[] = {"",
                                 " ",
                                 "nul",
                                 "[1,]",
                                 "{\"a\":1,}",
                                 "{a:1}",
                                 "'a'",
                                 "[1 2]",
                                 "01",
                                 "+1",
                                 "1.",
                                 ".5",
                                 "\"\t\"",
                                 "\"\\x\"",
                                 "[",
                                 "{\"a\"",
                                 "[1]]",
                                 "1 2",
                                 "{} x",
                                 "/**/1",
                                 "NaN",
                                 "\"a",
                                 "\"\\ud800\"",
                                 "\"\xff\"",
                                 "\"\xc0\xaf\"",
                                 "\"\\u0000\"",
                                 "{\"a\\u0000\":1}",
                                 "\xef\xbb\xbf{}",
                                 "1e999",
                                 "99999999999999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_fails(VAULT_INVALID, parse(texts[i], NULL));
    VAULT_AUTO(json_free) json_t *root = NULL;
    assert_fails(VAULT_INVALID, json_parse(BYTES("\"a\0b\""), DEPTH, &root, NULL, &test_error));
    assert_fails(VAULT_INVALID, json_parse((struct bytes){0}, DEPTH, &root, NULL, &test_error));
}

static void test_a_member_named_twice_is_refused(void **state)
{
    (void)state;
    struct json_position position;
    assert_fails(VAULT_INVALID, parse("{\"a\":1,\n \"b\":2, \"a\":3}", &position));
    assert_int_equal(position.line, 2);
    assert_non_null(strstr(test_error.text, "twice"));
    assert_fails(VAULT_INVALID, parse("{\"a\":1,\"\\u0061\":2}", NULL));
    assert_done(parse("[{\"a\":1},{\"a\":2}]", NULL));
}

static void test_nesting_has_a_limit_and_text_does_not_count(void **state)
{
    (void)state;
    assert_done(parse("[[[[[[[[]]]]]]]]", NULL));
    struct json_position position;
    assert_fails(VAULT_TOO_LARGE, parse("[[[[[[[[[]]]]]]]]]", &position));
    assert_int_equal(position.offset, 8);
    assert_int_equal(position.column, 9);
    assert_fails(VAULT_TOO_LARGE, parse("{\"a\":[[[[[[[[", NULL));
    assert_done(parse("\"[[[[[[[[[[\\\"[[[[\"", NULL));
    assert_done(parse("[[],[],[],[],[],[],[],[],[],[]]", NULL));
}

static void test_a_fault_is_placed_by_line_column_and_offset(void **state)
{
    (void)state;
    struct json_position position;
    assert_fails(VAULT_INVALID, parse("{\n  \"a\": 1,\n  oops\n}", &position));
    assert_int_equal(position.line, 3);
    assert_true(position.column >= 3 && position.column <= 7);
    assert_int_equal(position.offset, 12 + position.column - 1);
}

static void test_errors_never_quote_the_input(void **state)
{
    (void)state;
    const char *const texts[] = {"MARKER",         "{\"MARKER\":1,\"MARKER\":2}",
                                 "\"MARKER",       "[MARKER]",
                                 "{\"a\":MARKER}", "1 MARKER"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_fails(VAULT_INVALID, parse(texts[i], NULL));
        assert_null(strstr(test_error.text, "MARKER"));
        assert_null(strstr(test_error.text, "MARK"));
    }
}

/* RFC 6901 section 5. */
static const char rfc6901[] = "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,"
                              "\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}";

static void assert_at(const char *pointer, const char *value)
{
    const struct json_position position = json_locate(BYTES(rfc6901), pointer);
    assert_memory_equal(rfc6901 + position.offset, value, strlen(value));
    assert_int_equal(position.column, position.offset + 1);
}

static void test_the_pointers_of_rfc_6901_lead_where_they_should(void **state)
{
    (void)state;
    assert_at("", "{\"foo\"");
    assert_at("/foo", "[\"bar\"");
    assert_at("/foo/0", "\"bar\"");
    assert_at("/foo/1", "\"baz\"");
    assert_at("/", "0");
    assert_at("/a~1b", "1");
    assert_at("/c%d", "2");
    assert_at("/e^f", "3");
    assert_at("/g|h", "4");
    assert_at("/i\\j", "5");
    assert_at("/k\"l", "6");
    assert_at("/ ", "7");
    assert_at("/m~0n", "8");
}

static void test_a_pointer_to_nothing_leads_to_its_nearest_parent(void **state)
{
    (void)state;
    assert_at("/nothing", "{\"foo\"");
    assert_at("/foo/2", "[\"bar\"");
    assert_at("/foo/x", "[\"bar\"");
    assert_at("/foo/-", "[\"bar\"");
    assert_at("/foo/0/deeper", "\"bar\"");
    assert_at("/foo/99999999999999999999", "[\"bar\"");
}

static void test_a_members_name_is_found_too(void **state)
{
    (void)state;
    const char text[] = "{ \"a\" : { \"b\" : [ 1, {\"c\":2} ] } }";
    struct json_position position = json_locate_name(BYTES(text), "/a/b");
    assert_memory_equal(text + position.offset, "\"b\"", 3);
    position = json_locate_name(BYTES(text), "/a/b/1/c");
    assert_memory_equal(text + position.offset, "\"c\"", 3);
    position = json_locate_name(BYTES(text), "/a/b/1");
    assert_memory_equal(text + position.offset, "{\"c\"", 4);
}

static void test_escaped_names_are_the_same_name(void **state)
{
    (void)state;
    const char text[] = "{\"caf\\u00e9\":1,\"x\":2}";
    const struct json_position position = json_locate(BYTES(text), "/caf\xc3\xa9");
    assert_memory_equal(text + position.offset, "1", 1);
}

static void test_pointers_are_written_escaped(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf pointer = buf_limited(100);
    json_pointer_name(&pointer, "a/b~c");
    json_pointer_index(&pointer, 12);
    json_pointer_name(&pointer, "");
    assert_string_equal(buf_string(&pointer), "/a~1b~0c/12/");
}

static void test_unknown_members_are_named(void **state)
{
    (void)state;
    const char *const names[] = {"a", "b", NULL};
    VAULT_AUTO(json_free) json_t *good = NULL;
    VAULT_AUTO(json_free) json_t *bad = NULL;
    assert_done(json_parse(BYTES("{\"b\":1}"), DEPTH, &good, NULL, &test_error));
    assert_done(json_parse(BYTES("{\"a\":1,\"B\":2}"), DEPTH, &bad, NULL, &test_error));
    assert_null(json_unknown_member(good, names));
    assert_string_equal(json_unknown_member(bad, names), "B");
}

static void test_text_is_text_only(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *root = NULL;
    assert_done(json_parse(BYTES("[\"abc\",\"\",1,null]"), DEPTH, &root, NULL, &test_error));
    assert_true(bytes_equal(json_text(json_array_get(root, 0)), BYTES("abc")));
    assert_non_null(json_text(json_array_get(root, 1)).data);
    assert_null(json_text(json_array_get(root, 2)).data);
    assert_null(json_text(json_array_get(root, 3)).data);
    assert_null(json_text(NULL).data);
}

static void assert_written(struct bytes text, const char *expected)
{
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(1000);
    json_write_string(&out, text);
    assert_string_equal(buf_string(&out), expected);
}

static void test_strings_are_written_so_that_they_read_back(void **state)
{
    (void)state;
    assert_written(BYTES(""), "\"\"");
    assert_written(BYTES("plain"), "\"plain\"");
    assert_written(BYTES("a\"b\\c"), "\"a\\\"b\\\\c\"");
    assert_written(BYTES("line\nend\t"), "\"line\\nend\\u0009\"");
    assert_written(BYTES("\0\x1f\x7f"), "\"\\u0000\\u001f\\u007f\"");
    assert_written(BYTES("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
    for (int c = 1; c < 0x80; c++) {
        const uint8_t raw = (uint8_t)c;
        VAULT_AUTO(buf_finish) struct buf out = buf_limited(100);
        VAULT_AUTO(json_free) json_t *back = NULL;
        json_write_string(&out, (struct bytes){&raw, 1});
        assert_done(json_parse(buf_view(&out), 1, &back, NULL, &test_error));
        assert_true(bytes_equal(json_text(back), (struct bytes){&raw, 1}));
    }
}

static void test_values_are_written_compact_and_sorted(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(1000);
    VAULT_AUTO(buf_finish) struct buf small = buf_limited(5);
    assert_done(json_parse(BYTES("{\"b\": [1, 2], \"a\": null}"), DEPTH, &root, NULL, &test_error));
    json_write_value(&out, root);
    assert_string_equal(buf_string(&out), "{\"a\":null,\"b\":[1,2]}");
    json_write_value(&small, root);
    assert_fails(VAULT_TOO_LARGE, buf_check(&small, &test_error));
}

static void test_what_does_not_fit_its_place_is_not_copied(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *root = NULL;
    char text[4] = "old";
    int64_t integer = 7;
    assert_done(json_parse(BYTES("[\"abc\",\"\",\"abcd\",-2,-3,1.5,null]"), DEPTH, &root, NULL,
                           &test_error));
    for (size_t i = 2; i < 7; i++)
        assert_false(json_copy_text(json_array_get(root, i), text, sizeof text));
    assert_false(json_copy_text(NULL, text, sizeof text));
    assert_string_equal(text, "old");
    assert_true(json_copy_text(json_array_get(root, 0), text, sizeof text));
    assert_string_equal(text, "abc");
    assert_true(json_copy_text(json_array_get(root, 1), text, sizeof text));
    assert_string_equal(text, "");
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(json_copy_integer(json_array_get(root, i), -2, &integer), i == 3);
    assert_int_equal(integer, -2);
    assert_false(json_copy_integer(NULL, -2, &integer));
}

/* Wiping: see test_buf.c. */
static uint8_t arena[1 << 20];
static size_t arena_used;
static int arena_on;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void __real_free(void *block);
void __wrap_free(void *block);

void *__wrap_malloc(size_t size)
{
    if (!arena_on)
        return __real_malloc(size);
    uint8_t *block = arena + arena_used;
    arena_used += (size + 15) / 16 * 16;
    assert_true(arena_used <= sizeof arena);
    return block;
}

void __wrap_free(void *block)
{
    const uint8_t *place = block;
    if (place < arena || place >= arena + sizeof arena)
        __real_free(block);
}

static void test_what_was_read_is_wiped_when_freed(void **state)
{
    (void)state;
    const char text[] = "{\"SECRET-NAME\":[\"SECRET-VALUE\",\"SECRET\\u002dTHREE\"]}";
    arena_used = 0;
    arena_on = 1;
    json_t *root = NULL;
    const enum vault_code code = json_parse(BYTES(text), DEPTH, &root, NULL, &test_error);
    arena_on = 0;
    assert_int_equal(code, VAULT_OK);
    assert_non_null(memmem(arena, arena_used, "SECRET-VALUE", 12));
    json_free(&root);
    assert_null(root);
    assert_null(memmem(arena, arena_used, "SECRET", 6));
}

int main(void)
{
    json_start();
    json_start();
    return TEST_RUN(
        test_every_kind_of_value_is_read, test_what_is_not_json_is_refused,
        test_a_member_named_twice_is_refused, test_nesting_has_a_limit_and_text_does_not_count,
        test_a_fault_is_placed_by_line_column_and_offset, test_errors_never_quote_the_input,
        test_the_pointers_of_rfc_6901_lead_where_they_should,
        test_a_pointer_to_nothing_leads_to_its_nearest_parent, test_a_members_name_is_found_too,
        test_escaped_names_are_the_same_name, test_pointers_are_written_escaped,
        test_unknown_members_are_named, test_text_is_text_only,
        test_strings_are_written_so_that_they_read_back, test_values_are_written_compact_and_sorted,
        test_what_does_not_fit_its_place_is_not_copied, test_what_was_read_is_wiped_when_freed);
}
