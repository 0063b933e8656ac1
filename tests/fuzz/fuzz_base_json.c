/*
 * JSON. What is read is written and read again to the same; nothing is nested deeper than was
 * allowed; each member's value stands where its pointer is located; and a fault is said by a place
 * within the text, and by nothing of it. The first byte is the depth.
 */
#include "fuzz_tools.h"

#include "vault/base/json.h"

#define DEPTHS         16U
#define TEXT_BYTES_MAX (1024UL * 1024)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    return 0;
}

static unsigned depth_of(json_t *value)
{
    unsigned deepest = 0;
    size_t i;
    const char *name;
    json_t *child;
    json_array_foreach(value, i, child)
    {
        const unsigned depth = depth_of(child);
        deepest = depth > deepest ? depth : deepest;
    }
    json_object_foreach(value, name, child)
    {
        const unsigned depth = depth_of(child);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + (json_is_array(value) || json_is_object(value));
}

static void check_written(const json_t *root, unsigned depth)
{
    VAULT_AUTO(json_free) json_t *again = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(8 * TEXT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf same = buf_limited(8 * TEXT_BYTES_MAX);
    json_write_value(&text, root);
    REQUIRE(buf_check(&text, NULL) == VAULT_OK);
    REQUIRE(json_parse(buf_view(&text), depth, &again, NULL, NULL) == VAULT_OK);
    REQUIRE(json_equal((json_t *)(uintptr_t)root, again));
    json_write_value(&same, again);
    REQUIRE(bytes_equal(buf_view(&text), buf_view(&same)));
}

/* Line and column are those of the offset. */
static void check_position(struct bytes text, struct json_position at)
{
    size_t line = 1;
    REQUIRE(at.offset <= text.size);
    for (size_t i = 0; i < at.offset; i++)
        line += text.data[i] == '\n';
    REQUIRE(at.line == line && at.column >= 1 && at.column <= at.offset + 1);
}

static void check_located(struct bytes text, const char *pointer, const json_t *value)
{
    const struct json_position at = json_locate(text, pointer);
    check_position(text, at);
    json_t *there = json_loadb((const char *)text.data + at.offset, text.size - at.offset,
                               JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL);
    REQUIRE(there && json_equal((json_t *)(uintptr_t)value, there));
    json_decref(there);
}

static void check_members(struct bytes text, json_t *root)
{
    size_t i;
    const char *name;
    json_t *child;
    check_located(text, "", root);
    json_object_foreach(root, name, child)
    {
        VAULT_AUTO(buf_finish) struct buf pointer = buf_limited(TEXT_BYTES_MAX);
        json_pointer_name(&pointer, name);
        check_located(text, buf_string(&pointer), child);
        check_position(text, json_locate_name(text, buf_string(&pointer)));
    }
    json_array_foreach(root, i, child)
    {
        VAULT_AUTO(buf_finish) struct buf pointer = buf_limited(TEXT_BYTES_MAX);
        json_pointer_index(&pointer, i);
        check_located(text, buf_string(&pointer), child);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vault_error err = {.text = ""};
    struct json_position at = {0};
    VAULT_AUTO(json_free) json_t *root = NULL;
    if (size == 0 || size > TEXT_BYTES_MAX)
        return 0;
    const struct bytes text = {data + 1, size - 1};
    const unsigned depth = data[0] % DEPTHS;
    if (json_parse(text, depth, &root, &at, &err) != VAULT_OK) {
        require_silent(&err);
        REQUIRE(!root);
        if (err.code == VAULT_INVALID)
            check_position(text, at);
        return 0;
    }
    REQUIRE(depth_of(root) <= depth);
    check_written(root, depth);
    check_members(text, root);
    return 0;
}
