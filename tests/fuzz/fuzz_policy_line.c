/*
 * Request lines. Whatever comes is answered with one JSON object; and a line that is a request is
 * answered as the naive evaluator does.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "policy/files.h"
#include "policy/naive.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/policy/bundle.h"
#include "vault/policy/line.h"

static struct policy *policy;
static json_t *catalogue;
static json_t *rules;

static json_t *parsed(const struct buf *text)
{
    json_t *root = NULL;
    if (json_parse(buf_view(text), POLICY_DEPTH_MAX, &root, NULL, NULL) != VAULT_OK)
        abort();
    return root;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    VAULT_AUTO(bundle_free) struct bundle *bundle = NULL;
    json_start();
    if (crypto_start(true, NULL) != VAULT_OK ||
        bundle_read(FUZZ_FIXTURES "/small-city", &bundle, NULL, NULL) != VAULT_OK ||
        policy_compile(bundle, &policy, NULL, NULL) != VAULT_OK)
        abort();
    VAULT_AUTO(json_free) json_t *all = json_array();
    for (size_t i = 0; i < bundle->file_count; i++) {
        const struct bundle_file *file = &bundle->files[i];
        if (file->role == FILE_CATALOGUE)
            catalogue = parsed(&file->content);
        if (file->role != FILE_RULES)
            continue;
        json_t *root = parsed(&file->content);
        json_array_extend(all, json_object_get(root, "rules"));
        json_decref(root);
    }
    rules = naive_by_purpose(catalogue, all);
    return 0;
}

/* The answer of the naive evaluator, which computes no values; the request is without them. */
static void compare(json_t *request)
{
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(POLICY_LINE_BYTES_MAX * 8);
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(POLICY_LINE_BYTES_MAX * 64);
    json_object_del(request, "values");
    json_write_value(&line, request);
    policy_line_answer(policy, buf_view(&line), &answer);
    json_t *said = parsed(&answer);
    json_t *naive = naive_decide(catalogue, rules, request);
    if (!json_equal(said, naive)) {
        char *expected = json_dumps(naive, JSON_SORT_KEYS);
        fprintf(stderr, "compiled: %s\nnaive: %s\n", buf_string(&answer), expected);
        abort();
    }
    json_decref(said);
    json_decref(naive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(POLICY_LINE_BYTES_MAX * 64);
    VAULT_AUTO(json_free) json_t *request = NULL;
    policy_line_answer(policy, input, &answer);
    VAULT_AUTO(json_free) json_t *said = parsed(&answer);
    if (!json_is_object(said) || json_object_size(said) != 2)
        abort();
    if (json_object_get(said, "fields") &&
        json_parse(input, POLICY_DEPTH_MAX, &request, NULL, NULL) == VAULT_OK)
        compare(request);
    return 0;
}
