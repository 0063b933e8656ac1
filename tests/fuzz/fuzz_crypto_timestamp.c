/*
 * Answers of a time stamp authority: two bytes for the size of the request, the request, the
 * answer. The authority's certificate is FUZZ_FIXTURES/timestamp-ca.pem.
 *
 * An answer that is taken is taken for the same time again, and for no other request and no other
 * authority.
 */
#include "fuzz_tools.h"

#include "vault/crypto/crypto.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/timestamp.h"

#define CA FUZZ_FIXTURES "/timestamp-ca.pem"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
    REQUIRE(file_exists(CA));
    return 0;
}

static void require_only_this(struct bytes answer, struct bytes request, int64_t time_s)
{
    int64_t again_s = 0;
    VAULT_AUTO(buf_finish) struct buf other = buf_limited(TIMESTAMP_REQUEST_MAX_BYTES);
    REQUIRE(timestamp_check(answer, request, CA, &again_s, NULL) == VAULT_OK);
    REQUIRE(again_s == time_s);
    REQUIRE(timestamp_request(bytes_of_text("another text"), &other, NULL) == VAULT_OK);
    REQUIRE(timestamp_check(answer, buf_view(&other), CA, &again_s, NULL) == VAULT_DENIED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vault_error err = {.text = ""};
    struct cursor input = cursor_over((struct bytes){data, size});
    const struct bytes request = cursor_take(&input, cursor_u16(&input));
    const struct bytes answer = cursor_take(&input, input.left);
    int64_t time_s = 0;
    if (input.truncated || answer.size > TIMESTAMP_ANSWER_MAX_BYTES)
        return 0;
    if (timestamp_check(answer, request, CA, &time_s, &err) != VAULT_OK)
        require_silent(&err);
    else
        require_only_this(answer, request, time_s);
    return 0;
}
