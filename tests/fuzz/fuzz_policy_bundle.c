/*
 * The loader. An input is a bundle in one text: a line "--- PATH" begins each file.
 *
 * Whatever comes must be loaded or refused. What is loaded must decide random requests as the naive
 * evaluator does, and must mean the same once it has been written anew and read again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "policy/files.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/policy/bundle.h"
#include "vault/policy/diff.h"
#include "vault/policy/gate.h"

#define MARK     "--- "
#define REQUESTS 30

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    return crypto_start(true, NULL) ? 1 : 0;
}

static void fail(const char *what, const struct vault_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    abort();
}

/* The next file of the input; false at its end. */
static bool next_file(struct bytes *rest, char path[static 128], struct bytes *content)
{
    const size_t mark = sizeof MARK - 1;
    if (rest->size < mark || memcmp(rest->data, MARK, mark) != 0)
        return false;
    const uint8_t *line = rest->data + mark;
    const uint8_t *end = memchr(line, '\n', rest->size - mark);
    if (!end || memchr(line, 0, (size_t)(end - line)))
        return false;
    snprintf(path, 128, "%.*s", (int)(end - line), (const char *)line);
    const uint8_t *begin = end + 1;
    const size_t left = rest->size - (size_t)(begin - rest->data);
    const uint8_t *next = memmem(begin, left, "\n" MARK, mark + 1);
    const size_t size = next ? (size_t)(next + 1 - begin) : left;
    *content = (struct bytes){begin, size};
    *rest = (struct bytes){begin + size, left - size};
    return true;
}

/* A folder has no two files of one path. */
static bool has_path(const struct bundle *bundle, const char *path)
{
    for (size_t i = 0; i < bundle->file_count; i++) {
        if (strcmp(bundle->files[i].path, path) == 0)
            return true;
    }
    return false;
}

/* The files as they come, or each written anew from what it means. */
static enum vault_code load(struct bytes input, bool anew, struct bundle **bundle,
                            struct policy **policy, struct vault_error *err)
{
    char path[128];
    struct bytes content;
    VAULT_TRY(bundle_new(bundle, err));
    while (next_file(&input, path, &content)) {
        struct buf *file = NULL;
        VAULT_AUTO(json_free) json_t *json = NULL;
        if (has_path(*bundle, path))
            continue;
        VAULT_TRY(bundle_add(*bundle, path, &file, NULL, err));
        if (anew && json_parse(content, POLICY_DEPTH_MAX, &json, NULL, NULL) == VAULT_OK)
            json_write_value(file, json);
        else
            buf_bytes(file, content);
    }
    VAULT_TRY(bundle_settle(*bundle, NULL, err));
    return policy_compile(*bundle, policy, NULL, err);
}

/* A manifest speaks of bytes: a bundle with one cannot be written anew. */
static bool has_manifest(struct bytes input)
{
    return input.size && memmem(input.data, input.size, "manifest", 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct vault_error err = {.text = ""};
    VAULT_AUTO(bundle_free) struct bundle *bundle = NULL;
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    if (load(input, false, &bundle, &policy, &err) != VAULT_OK)
        return 0;
    if (policy_compare_naive(bundle, policy, size, REQUESTS, &err) != VAULT_OK)
        fail("the naive evaluator", &err);
    VAULT_AUTO(bundle_free) struct bundle *again = NULL;
    VAULT_AUTO(policy_free) struct policy *same = NULL;
    VAULT_AUTO(policy_diff_free) struct policy_diff *diff = NULL;
    if (has_manifest(input))
        return 0;
    if (load(input, true, &again, &same, &err) != VAULT_OK ||
        policy_diff_make(policy, same, &diff, &err) != VAULT_OK || !policy_diff_is_same(diff))
        fail("written anew", &err);
    return 0;
}
