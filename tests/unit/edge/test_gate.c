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

static void test_what_is_encoded_in_a_path_does_not_change_its_steps(void **state)
{
    (void)state;
    assert_target("/a%20b%c3%A9", true);
    assert_target("/a%3Fb%3d%25", true);
    assert_target("/a?b=%2F%5c%0d%0A%7f", true);
    assert_target("/a%2fb", false);
    assert_target("/a%2Fb", false);
    assert_target("/a%5cb", false);
    assert_target("/a%0ab", false);
    assert_target("/a%1Fb", false);
    assert_target("/a%7Fb", false);
}

static void test_an_encoding_is_two_hexadecimal_digits(void **state)
{
    (void)state;
    static const char *const bad[] = {"/%",   "/%4",     "/%4/",  "/%g0",   "/%0g",
                                      "/%u0", "/?a=%\t", "/?a=%", "/?a=%%", "/%-1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_target(bad[i], false);
}

static void test_a_path_has_no_steps_to_here_or_up(void **state)
{
    (void)state;
    static const char *const bad[] = {"/.",     "/..",     "/./",    "/../",   "/a/.",     "/a/..",
                                      "/a/./b", "/a/../b", "/.?a=b", "/..?",   "/%2e",     "/%2E.",
                                      "/.%2e",  "/a/%2e/", "/a/..?", "/a//..", "/%2e%2e/b"};
    static const char *const good[] = {
        "/...",  "/.a",     "/a.",       "/..a",       "/a..",   "/a/.b/c.",
        "/%2ea", "/?../..", "/a?b=/../", "/%2e%2e%2e", "/a../b", "/.well-known/security.txt"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_target(bad[i], false);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_target(good[i], true);
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

static void assert_host(const char *host, bool passes)
{
    struct request request = {.line = {"GET", "/", "HTTP/1.1"}};
    add(&request, "Host", host);
    if (passes)
        assert_passes(&request);
    else
        assert_refused(&request);
}

static void test_a_host_is_a_name_with_a_port_or_without(void **state)
{
    (void)state;
    static const char *const good[] = {"vault.example", "vault.example:8444", "127.0.0.1:1",  "a_b",
                                       "[::1]",         "[2001:db8::1]:443",  "xn--vote-ffa", "a:"};
    static const char *const bad[] = {"a b",       "a,b",   "a, b",   "a/b",      "me@a",
                                      "https://a", ":80",   "a:b",    "a:1:2",    " ",
                                      "a ",        "[]",    "[::1",   "::1",      "[::1]x",
                                      "[::1]:x",   "[a b]", "[::1]]", "%61",      "a?b",
                                      "[::1]:80:", "a#b",   "a\\b",   "\xc3\xa9", "a;b",
                                      "a[::1]",    "[x]",   "a\tb"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_host(good[i], true);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_host(bad[i], false);
}

/* What something is decided by is there once, in whatever case. */
static void test_of_what_decides_there_are_no_two(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"Content-Type", "content-type"},
                                           {"Idempotency-Key", "IDEMPOTENCY-KEY"},
                                           {"Cookie", "cookie"},
                                           {"Origin", "oRIGIN"},
                                           {"Sec-Fetch-Site", "Sec-fetch-site"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct request request = request_of("POST", "/");
        add(&request, names[i][0], "a");
        assert_passes(&request);
        add(&request, names[i][1], "a");
        assert_refused(&request);
    }
    struct request others = request_of("POST", "/");
    add(&others, "Accept", "a");
    add(&others, "Accept", "b");
    assert_passes(&others);
}

static void test_an_expectation_is_of_a_body(void **state)
{
    (void)state;
    struct request request = request_of("POST", "/");
    add(&request, "Expect", "100-Continue");
    assert_refused(&request);
    add(&request, "Content-Length", "1");
    assert_passes(&request);
    struct request chunks = request_of("POST", "/");
    add(&chunks, "Transfer-Encoding", "chunked");
    add(&chunks, "Expect", "100-continue");
    assert_passes(&chunks);
    struct request empty = request_of("POST", "/");
    add(&empty, "Content-Length", "0");
    add(&empty, "Expect", "100-continue");
    assert_refused(&empty);
    struct request other = request_of("POST", "/");
    add(&other, "Content-Length", "1");
    add(&other, "Expect", "200-ok");
    assert_refused(&other);
}

/* --- A query -------------------------------------------------------------------------------- */

static void test_a_parameter_is_there_once(void **state)
{
    (void)state;
    const struct http_pair good[] = {{BYTES("a"), BYTES("1")}, {BYTES("b"), BYTES("1")}};
    const struct http_pair bad[] = {
        {BYTES("a"), BYTES("1")}, {BYTES("b"), BYTES("1")}, {BYTES("a"), BYTES("1")}};
    assert_done(gate_check_query(NULL, 0, &test_error));
    assert_done(gate_check_query(good, 2, &test_error));
    assert_done(gate_check_query(bad, 2, &test_error));
    assert_fails(VAULT_INVALID, gate_check_query(bad, 3, &test_error));
}

static void test_there_are_only_so_many_parameters(void **state)
{
    (void)state;
    char names[HTTP_PARAMETERS_MAX][8];
    struct http_pair many[HTTP_PARAMETERS_MAX];
    for (int i = 0; i < HTTP_PARAMETERS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "a%d", i);
        many[i] = (struct http_pair){bytes_of_text(names[i]), BYTES("1")};
    }
    assert_done(gate_check_query(many, HTTP_PARAMETERS_MAX - 1, &test_error));
    assert_fails(VAULT_INVALID, gate_check_query(many, HTTP_PARAMETERS_MAX, &test_error));
}

/* --- What a parser hides -------------------------------------------------------------------- */

/* A request as the parser leaves it: words and lines that end with NULs. */
#define LAID_OUT "GET\0/a?b\0HTTP/1.1\0\0Host\0 here\0\0X\0\t 1\0\0Y\0\0\0\0\0"

struct layout {
    char text[sizeof LAID_OUT];
    struct gate_place place;
    struct http_pair headers[3];
};

static struct bytes piece(const struct layout *layout, size_t at, size_t size)
{
    return (struct bytes){(const uint8_t *)layout->text + at, size};
}

static void lay_out(struct layout *out)
{
    memcpy(out->text, LAID_OUT, sizeof LAID_OUT);
    out->place = (struct gate_place){out->text, out->text + 4, 4, out->text + 9};
    out->headers[0] = (struct http_pair){piece(out, 19, 4), piece(out, 25, 4)};
    out->headers[1] = (struct http_pair){piece(out, 31, 1), piece(out, 35, 1)};
    out->headers[2] = (struct http_pair){piece(out, 38, 1), piece(out, 40, 0)};
}

static enum vault_code check_layout(const struct layout *layout)
{
    return gate_check_layout(&layout->place, layout->headers, 3, &test_error);
}

static void test_a_request_that_is_all_there_passes(void **state)
{
    (void)state;
    struct layout layout;
    lay_out(&layout);
    assert_memory_equal(layout.headers[1].value.data, "1", 2);
    assert_memory_equal(layout.headers[2].name.data, "Y", 2);
    assert_done(check_layout(&layout));
}

/* A fold's text goes to the end of a copy of the name. */
static void test_a_name_that_was_moved_is_refused(void **state)
{
    (void)state;
    struct layout layout;
    for (size_t i = 0; i < 3; i++) {
        lay_out(&layout);
        layout.headers[i].name = BYTES("X2");
        assert_fails(VAULT_INVALID, check_layout(&layout));
    }
}

static void test_more_than_blanks_between_pieces_is_refused(void **state)
{
    (void)state;
    static const size_t gaps[] = {3, 17, 18, 23, 29, 30, 32, 36, 37, 40, 41, 42, 43};
    struct layout layout;
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        lay_out(&layout);
        assert_int_equal(layout.text[gaps[i]], 0);
        layout.text[gaps[i]] = 'x';
        if (check_layout(&layout) == VAULT_OK)
            fail_msg("what stands at %zu was not seen", gaps[i]);
    }
}

static void test_a_header_that_is_not_shown_is_refused(void **state)
{
    (void)state;
    struct layout layout;
    lay_out(&layout);
    layout.headers[1] = layout.headers[2];
    assert_fails(VAULT_INVALID, gate_check_layout(&layout.place, layout.headers, 2, &test_error));
    lay_out(&layout);
    assert_fails(VAULT_INVALID, gate_check_layout(&layout.place, layout.headers, 2, &test_error));
    assert_fails(VAULT_INVALID,
                 gate_check_layout(&layout.place, layout.headers + 1, 2, &test_error));
    assert_fails(VAULT_INVALID, gate_check_layout(&layout.place, NULL, 0, &test_error));
}

/* --- Content-Length and Transfer-Encoding ---------------------------------------------------- */

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
        test_what_is_encoded_in_a_path_does_not_change_its_steps,
        test_an_encoding_is_two_hexadecimal_digits, test_a_path_has_no_steps_to_here_or_up,
        test_a_target_has_a_length, test_there_is_one_host,
        test_a_host_is_a_name_with_a_port_or_without, test_of_what_decides_there_are_no_two,
        test_an_expectation_is_of_a_body, test_a_parameter_is_there_once,
        test_there_are_only_so_many_parameters, test_a_request_that_is_all_there_passes,
        test_a_name_that_was_moved_is_refused, test_more_than_blanks_between_pieces_is_refused,
        test_a_header_that_is_not_shown_is_refused, test_a_length_is_given_once,
        test_a_length_is_digits, test_a_body_over_the_limit_is_too_large,
        test_a_length_and_chunks_do_not_go_together, test_the_only_transfer_encoding_is_chunked,
        test_chunks_in_http_1_0_are_refused, test_a_header_name_is_a_token,
        test_a_header_value_has_no_control_characters, test_there_are_only_so_many_headers,
        test_a_refusal_does_not_quote);
}
