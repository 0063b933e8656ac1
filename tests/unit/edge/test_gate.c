#include "test.h"

#include <stdio.h>

#include "vault/edge/gate.h"

#define HEADERS_MAX 80

struct request {
    struct gate_line line;
    struct http_pair headers[HEADERS_MAX];
    size_t count;
};

static struct request request_of(const char *method, const char *target)
{
    struct request request = {.line = {method, target, "HTTP/1.1"}};
    request.headers[request.count++] = (struct http_pair){BYTES("Host"), BYTES("vault.example")};
    return request;
}

static void add(struct request *request, const char *name, const char *value)
{
    request->headers[request->count++] =
        (struct http_pair){bytes_of_text(name), bytes_of_text(value)};
}

static enum vault_code check(const struct request *request)
{
    return gate_check(&request->line, request->headers, request->count, &test_error);
}

static void assert_passes(const struct request *request)
{
    assert_done(check(request));
}

static void assert_refused(const struct request *request)
{
    assert_fails(VAULT_INVALID, check(request));
}

static void assert_target(const char *target, bool passes)
{
    const struct request request = request_of("GET", target);
    if (passes)
        assert_passes(&request);
    else
        assert_refused(&request);
}

static void assert_header(const char *name, const char *value, bool passes)
{
    struct request request = request_of("POST", "/");
    add(&request, name, value);
    if (passes)
        assert_passes(&request);
    else
        assert_refused(&request);
}

static void test_an_ordinary_request_passes(void **state)
{
    (void)state;
    struct request request = request_of("POST", "/v1/releases?proof=1");
    add(&request, "Content-Length", "17");
    add(&request, "Content-Type", "application/json");
    add(&request, "User-Agent", "curl/8.0 (any)\tthing");
    add(&request, "X-Opaque", "\xc3\xa9t\xc3\xa9");
    add(&request, "X-Empty", "");
    assert_passes(&request);
}

static void test_methods_of_the_registry_pass_and_others_do_not(void **state)
{
    (void)state;
    static const char *const good[] = {"GET",    "HEAD",    "POST",  "PUT",
                                       "DELETE", "OPTIONS", "TRACE", "PATCH"};
    static const char *const bad[] = {"CONNECT", "get", "Get", "", "GET ", "GETS", "PROPFIND"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const struct request request = request_of(good[i], "/");
        assert_passes(&request);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct request request = request_of(bad[i], "/");
        assert_refused(&request);
    }
}

static void test_the_version_is_one_of_two(void **state)
{
    (void)state;
    static const char *const bad[] = {"HTTP/0.9", "HTTP/1.2",  "HTTP/2.0",
                                      "http/1.1", "HTTP/1.10", ""};
    struct request request = request_of("GET", "/");
    request.line.version = "HTTP/1.0";
    assert_passes(&request);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        request.line.version = bad[i];
        assert_refused(&request);
    }
}

static void test_a_target_is_in_origin_form(void **state)
{
    (void)state;
    assert_target("/", true);
    assert_target("/a/b;c=d/%20?e=f&g=%C3%A9", true);
    assert_target("//example.net/", true); /* a path with an empty first step, and nothing else */
    assert_target("", false);
    assert_target("*", false);
    assert_target("a/b", false);
    assert_target("http://vault.example/", false);
    assert_target("vault.example:443", false);
    assert_target("?a=b", false);
}

static void test_a_target_has_only_characters_of_a_target(void **state)
{
    (void)state;
    assert_target("/a b", false);
    assert_target("/a\tb", false);
    assert_target("/a\rb", false);
    assert_target("/a\nb", false);
    assert_target("/a\x7f", false);
    assert_target("/\xc3\xa9", false);
    assert_target("/a#b", false);
    assert_target("/a\\b", false);
    assert_target("/<script>", false);
    assert_target("/a\"b", false);
    assert_target("/a^b", false);
    assert_target("/a`b", false);
    assert_target("/a{b}", false);
    assert_target("/a|b", false);
}

static void test_an_encoded_nul_is_refused_anywhere(void **state)
{
    (void)state;
    assert_target("/a%00", false);
    assert_target("/%00/log", false);
    assert_target("/a?b=%00", false);
    assert_target("/a%2500", true);
}

static void test_a_target_has_a_length(void **state)
{
    (void)state;
    char target[2100];
    memset(target, 'a', sizeof target);
    target[0] = '/';
    target[2048] = 0;
    assert_target(target, true);
    target[2048] = 'a';
    target[2049] = 0;
    assert_target(target, false);
}

static void test_there_is_one_host(void **state)
{
    (void)state;
    struct request none = {.line = {"GET", "/", "HTTP/1.1"}};
    assert_refused(&none);
    struct request two = request_of("GET", "/");
    add(&two, "host", "vault.example");
    assert_refused(&two);
    struct request empty = {.line = {"GET", "/", "HTTP/1.1"}};
    add(&empty, "Host", "");
    assert_refused(&empty);
    struct request old = {.line = {"GET", "/", "HTTP/1.0"}};
    assert_refused(&old);
}

static void test_a_length_is_given_once(void **state)
{
    (void)state;
    struct request request = request_of("POST", "/");
    add(&request, "Content-Length", "5");
    add(&request, "content-length", "5");
    assert_refused(&request);
    assert_header("Content-Length", "5, 5", false);
}

static void test_a_length_is_digits(void **state)
{
    (void)state;
    assert_header("Content-Length", "0", true);
    assert_header("Content-Length", "0005", true);
    assert_header("Content-Length", "65536", true);
    assert_header("Content-Length", "", false);
    assert_header("Content-Length", "+5", false);
    assert_header("Content-Length", "-5", false);
    assert_header("Content-Length", "5 ", false);
    assert_header("Content-Length", " 5", false);
    assert_header("Content-Length", "0x5", false);
    assert_header("Content-Length", "5.0", false);
    assert_header("Content-Length", "18446744073709551621", false);
}

static void test_a_body_over_the_limit_is_too_large(void **state)
{
    (void)state;
    struct request request = request_of("POST", "/");
    add(&request, "Content-Length", "65537");
    assert_fails(VAULT_TOO_LARGE, check(&request));
    struct request huge = request_of("POST", "/");
    add(&huge, "Content-Length", "999999999999");
    assert_fails(VAULT_TOO_LARGE, check(&huge));
}

static void test_a_length_and_chunks_do_not_go_together(void **state)
{
    (void)state;
    struct request request = request_of("POST", "/");
    add(&request, "Transfer-Encoding", "chunked");
    assert_passes(&request);
    add(&request, "Content-Length", "5");
    assert_refused(&request);
}

static void test_the_only_transfer_encoding_is_chunked(void **state)
{
    (void)state;
    assert_header("Transfer-Encoding", "chunked", true);
    assert_header("transfer-encoding", "Chunked", true);
    assert_header("Transfer-Encoding", "gzip, chunked", false);
    assert_header("Transfer-Encoding", "identity", false);
    assert_header("Transfer-Encoding", "chunked ", false);
    assert_header("Transfer-Encoding", "\tchunked", false);
    assert_header("Transfer-Encoding", "", false);
    struct request twice = request_of("POST", "/");
    add(&twice, "Transfer-Encoding", "chunked");
    add(&twice, "Transfer-Encoding", "chunked");
    assert_refused(&twice);
}

/* RFC 9112 section 6.1: a reader of HTTP/1.0 does not know chunks, and would see another end. */
static void test_chunks_in_http_1_0_are_refused(void **state)
{
    (void)state;
    struct request request = request_of("POST", "/");
    request.line.version = "HTTP/1.0";
    add(&request, "Transfer-Encoding", "chunked");
    assert_refused(&request);
}

static void test_a_header_name_is_a_token(void **state)
{
    (void)state;
    assert_header("X-a_b.c!#$%&'*+^`|~9", "v", true);
    assert_header("", "v", false);
    assert_header("X a", "v", false);
    assert_header("X-a ", "v", false);
    assert_header(" X-a", "v", false);
    assert_header("X-a\t", "v", false);
    assert_header("X:a", "v", false);
    assert_header("X(a)", "v", false);
    assert_header("X\"a", "v", false);
    assert_header("X\x7f", "v", false);
    assert_header("X\xc3\xa9", "v", false);
    assert_header("X/a", "v", false);
}

static void test_a_header_value_has_no_control_characters(void **state)
{
    (void)state;
    assert_header("X", "a\rb", false);
    assert_header("X", "a\nb", false);
    assert_header("X", "a\x01", false);
    assert_header("X", "a\x1f", false);
    assert_header("X", "a\x7f", false);
    assert_header("X", "a\tb", true);
    struct request request = request_of("GET", "/");
    request.headers[request.count++] = (struct http_pair){BYTES("X"), BYTES("a\0b")};
    assert_refused(&request);
}

static void test_there_are_only_so_many_headers(void **state)
{
    (void)state;
    struct request request = request_of("GET", "/");
    while (request.count < HTTP_HEADERS_MAX - 1)
        add(&request, "X", "v");
    assert_passes(&request);
    add(&request, "X", "v");
    assert_refused(&request);
}

static void test_a_refusal_does_not_quote(void **state)
{
    (void)state;
    assert_target("/zzquoted zz", false);
    assert_null(strstr(test_error.text, "zzquoted"));
    assert_header("zz quoted", "v", false);
    assert_null(strstr(test_error.text, "zz"));
    assert_header("X", "zz\x01quoted", false);
    assert_null(strstr(test_error.text, "zz"));
}

int main(void)
{
    return TEST_RUN(
        test_an_ordinary_request_passes, test_methods_of_the_registry_pass_and_others_do_not,
        test_the_version_is_one_of_two, test_a_target_is_in_origin_form,
        test_a_target_has_only_characters_of_a_target, test_an_encoded_nul_is_refused_anywhere,
        test_a_target_has_a_length, test_there_is_one_host, test_a_length_is_given_once,
        test_a_length_is_digits, test_a_body_over_the_limit_is_too_large,
        test_a_length_and_chunks_do_not_go_together, test_the_only_transfer_encoding_is_chunked,
        test_chunks_in_http_1_0_are_refused, test_a_header_name_is_a_token,
        test_a_header_value_has_no_control_characters, test_there_are_only_so_many_headers,
        test_a_refusal_does_not_quote);
}
