/* Requests, and what is refused; what a real authority grants is in the integration tests. */
#include "vault/crypto/timestamp.h"

#include <openssl/ts.h>
#include <stdio.h>

#include "test.h"
#include "vault/base/file.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/hash.h"

static void test_a_request_is_over_the_text_and_asks_for_certificates(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(TIMESTAMP_REQUEST_MAX_BYTES);
    uint8_t hash[SHA256_BYTES];
    assert_done(timestamp_request(BYTES("log.example\n1\nroot\n"), &request, &test_error));
    const uint8_t *at = request.data;
    TS_REQ *read = d2i_TS_REQ(NULL, &at, (long)request.size);
    assert_non_null(read);
    assert_ptr_equal(at, request.data + request.size);
    const ASN1_OCTET_STRING *message = TS_MSG_IMPRINT_get_msg(TS_REQ_get_msg_imprint(read));
    sha256_of(hash, BYTES("log.example\n1\nroot\n"));
    assert_int_equal(ASN1_STRING_length(message), SHA256_BYTES);
    assert_memory_equal(ASN1_STRING_get0_data(message), hash, SHA256_BYTES);
    assert_true(TS_REQ_get_cert_req(read));
    assert_non_null(TS_REQ_get_nonce(read));
    TS_REQ_free(read);
}

static void test_two_requests_for_one_text_differ(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf one = buf_limited(TIMESTAMP_REQUEST_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf two = buf_limited(TIMESTAMP_REQUEST_MAX_BYTES);
    assert_done(timestamp_request(BYTES("text"), &one, &test_error));
    assert_done(timestamp_request(BYTES("text"), &two, &test_error));
    assert_false(bytes_equal(buf_view(&one), buf_view(&two)));
}

static void test_a_request_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(20);
    assert_fails(VAULT_TOO_LARGE, timestamp_request(BYTES("text"), &request, &test_error));
}

static void test_what_is_no_time_stamp_is_refused(void **state)
{
    (void)state;
    static const struct bytes wrong[] = {{0}, {(const uint8_t *)"hello", 5}};
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(TIMESTAMP_REQUEST_MAX_BYTES);
    int64_t time_s = 7;
    assert_done(timestamp_request(BYTES("text"), &request, &test_error));
    for (size_t i = 0; i < 2; i++)
        assert_fails(VAULT_DENIED, timestamp_check(wrong[i], buf_view(&request), "/dev/null",
                                                   &time_s, &test_error));
    /* A request is no answer to itself. */
    assert_fails(VAULT_DENIED, timestamp_check(buf_view(&request), buf_view(&request), "/dev/null",
                                               &time_s, &test_error));
    assert_int_equal(time_s, 7);
}

static void test_certificates_that_are_not_there_are_not_found(void **state)
{
    (void)state;
    static const uint8_t refusal[] = {0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02};
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(TIMESTAMP_REQUEST_MAX_BYTES);
    char path[256];
    int64_t time_s = 7;
    snprintf(path, sizeof path, "%s/none.pem", test_folder());
    assert_done(timestamp_request(BYTES("text"), &request, &test_error));
    assert_fails(VAULT_NOT_FOUND, timestamp_check((struct bytes){refusal, sizeof refusal},
                                                  buf_view(&request), path, &time_s, &test_error));
}

int main(void)
{
    if (crypto_start(true, NULL) != VAULT_OK)
        return 1;
    return TEST_RUN(
        test_a_request_is_over_the_text_and_asks_for_certificates,
        test_two_requests_for_one_text_differ, test_a_request_that_does_not_fit_is_refused,
        test_what_is_no_time_stamp_is_refused, test_certificates_that_are_not_there_are_not_found);
}
