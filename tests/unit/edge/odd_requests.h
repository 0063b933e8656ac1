/*
 * odd_requests - requests that two readers could understand in two ways, and what has to become of
 * each. For test_odd_requests.c alone.
 *
 * The first 21 are those of reference/security.md section 2.2, as far as each is one request; the
 * others are what RFC 9110, 9112 and 3986 leave room to get wrong. SMUGGLED is a request that an
 * odd one tries to carry past a reader: whatever happens, it must never be answered.
 */
#pragma once

#include "test.h"

enum expectation {
    REFUSED, /* 400, and the connection is closed */
    LARGE,   /* the same with 413 */
    CUT,     /* nothing is served, the connection ends; with a 4xx or 5xx of the library's or not */
    ONE,     /* one request, as seen says; the connection goes on with the next */
    LAST     /* one request, as seen says; then the connection is closed */
};

struct odd_request {
    const char *name;
    struct bytes raw;
    enum expectation expected;
    const char *seen; /* "METHOD PATH a=… X=… BODY", as the handler was given it */
};

#define R(literal)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }
#define HOST     "Host: localhost\r\n"
#define GET(x)   "GET " x " HTTP/1.1\r\n" HOST "\r\n"
#define HEAD(x)  "GET / HTTP/1.1\r\n" HOST x "\r\n\r\n"
#define POST(x)  "POST / HTTP/1.1\r\n" HOST x "\r\n\r\n"
#define CHUNKED  "Transfer-Encoding: chunked"
#define SMUGGLED "GET /smuggled HTTP/1.1\r\n" HOST "\r\n"
#define FILL     "\xff" /* stands for 40 KiB of a letter */

/* clang-format off */
static const struct odd_request odd_requests[] = {
    /* The reference's */
    {"the same length twice", R(POST("Content-Length: 5\r\nContent-Length: 5") "hello"), REFUSED, NULL},
    {"two lengths, the first longer", R(POST("Content-Length: 43\r\nContent-Length: 0") SMUGGLED), REFUSED, NULL},
    {"two lengths, the second longer", R(POST("Content-Length: 0\r\nContent-Length: 43") SMUGGLED), REFUSED, NULL},
    {"a length before chunks", R(POST("Content-Length: 5\r\n" CHUNKED) "0\r\n\r\n" SMUGGLED), REFUSED, NULL},
    {"chunks before a length", R(POST(CHUNKED "\r\nContent-Length: 5") "0\r\n\r\n" SMUGGLED), REFUSED, NULL},
    {"a space before the colon", R(HEAD("X : 1")), REFUSED, NULL},
    {"two hosts", R(HEAD("Host: other")), REFUSED, NULL},
    {"an invalid method", R("G@T / HTTP/1.1\r\n" HOST "\r\n"), REFUSED, NULL},
    {"a target in absolute form", R(GET("http://localhost/smuggled")), REFUSED, NULL},
    {"no host", R("GET / HTTP/1.1\r\n\r\n"), REFUSED, NULL},
    {"bare line feeds", R("GET /lf HTTP/1.1\nHost: localhost\nX: 1\n\n"), REFUSED, NULL},
    {"a chunk extension", R(POST(CHUNKED) "5;ext=1\r\nhello\r\n0\r\n\r\n"), ONE, "POST / a= X= hello"},
    {"a folded header", R(HEAD("X: 1\r\n 2")), REFUSED, NULL},
    {"a NUL in a header value", R(HEAD("X: 1\0002")), REFUSED, NULL},
    {"an unknown transfer encoding", R(POST("Transfer-Encoding: cow") "0\r\n\r\n" SMUGGLED), REFUSED, NULL},
    {"a length with a sign", R(POST("Content-Length: +5") "hello"), CUT, NULL},
    {"a length with a space in it", R(POST("Content-Length: 5 5") "hello"), CUT, NULL},
    {"a length over every limit", R(POST("Content-Length: 99999999999999999999") SMUGGLED), CUT, NULL},
    {"a chunk over every limit", R(POST(CHUNKED) "fffffffffffffffff\r\n" SMUGGLED), CUT, NULL},
    {"a header of 40 KiB", R("GET / HTTP/1.1\r\n" HOST "X: " FILL "\r\n\r\n"), CUT, NULL},
    {"a version that is none", R("GET / HTTP/9.9\r\n" HOST "\r\n"), CUT, NULL},

    /* The request line */
    {"two spaces behind the method", R("GET  / HTTP/1.1\r\n" HOST "\r\n"), REFUSED, NULL},
    {"two spaces before the version", R("GET /  HTTP/1.1\r\n" HOST "\r\n"), REFUSED, NULL},
    {"a tab behind the method", R("GET\t/ HTTP/1.1\r\n" HOST "\r\n"), CUT, NULL},
    {"a tab before the version", R("GET /\tHTTP/1.1\r\n" HOST "\r\n"), CUT, NULL},
    {"a space before the method", R(" GET / HTTP/1.1\r\n" HOST "\r\n"), CUT, NULL},
    {"a space behind the version", R("GET / HTTP/1.1 \r\n" HOST "\r\n"), CUT, NULL},
    {"a third word before the version", R("GET / /smuggled HTTP/1.1\r\n" HOST "\r\n"), REFUSED, NULL},
    {"an empty line first", R("\r\nGET /blank HTTP/1.1\r\n" HOST "\r\n"), ONE, "GET /blank a= X= "},
    {"many empty lines first", R("\r\n\r\n\r\n\r\n\r\n\r\n" GET("/blank")), ONE, "GET /blank a= X= "},
    {"a carriage return in the line", R("GET /\r HTTP/1.1\r\n" HOST "\r\n"), REFUSED, NULL},
    {"a NUL in the method", R("GET\0 / HTTP/1.1\r\n" HOST "\r\n"), REFUSED, NULL},
    {"a NUL in the target", R("GET /a\0b HTTP/1.1\r\n" HOST "\r\n"), REFUSED, NULL},
    {"a NUL in the version", R("GET / HTTP/1.1\0\r\n" HOST "\r\n"), CUT, NULL},
    {"a method in small letters", R("get / HTTP/1.1\r\n" HOST "\r\n"), REFUSED, NULL},
    {"a method of nobody's", R("BREW / HTTP/1.1\r\n" HOST "\r\n"), REFUSED, NULL},
    {"a method of 40 KiB", R(FILL " / HTTP/1.1\r\n" HOST "\r\n"), CUT, NULL},
    {"no method", R("/ HTTP/1.1\r\n" HOST "\r\n"), CUT, NULL},
    {"no target", R("GET HTTP/1.1\r\n" HOST "\r\n"), CUT, NULL},
    {"HTTP/0.9", R("GET /\r\n"), CUT, NULL},
    {"HTTP/0.9 and more", R("GET /\r\n" HOST "\r\n"), CUT, NULL},
    {"HTTP/1.0", R("GET /old HTTP/1.0\r\n" HOST "\r\n"), LAST, "GET /old a= X= "},
    {"HTTP/1.0 with chunks", R("POST / HTTP/1.0\r\n" HOST CHUNKED "\r\n\r\n0\r\n\r\n" SMUGGLED), REFUSED, NULL},
    {"HTTP/1.0 without a host", R("GET / HTTP/1.0\r\n\r\n"), REFUSED, NULL},
    {"HTTP/1.2", R("GET / HTTP/1.2\r\n" HOST "\r\n"), REFUSED, NULL},
    {"HTTP/1.10", R("GET / HTTP/1.10\r\n" HOST "\r\n"), CUT, NULL},
    {"http in small letters", R("GET / http/1.1\r\n" HOST "\r\n"), CUT, NULL},
    {"the preface of HTTP/2", R("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), CUT, NULL},
    {"CONNECT", R("CONNECT localhost:443 HTTP/1.1\r\n" HOST "\r\n" SMUGGLED), REFUSED, NULL},
    {"CONNECT with a path", R("CONNECT / HTTP/1.1\r\n" HOST "\r\n" SMUGGLED), REFUSED, NULL},
    {"the asterisk form", R("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), REFUSED, NULL},
    {"TRACE", R("TRACE /trace HTTP/1.1\r\n" HOST "X: secret\r\n\r\n"), ONE, "OTHER /trace a= X=secret "},

    /* The target */
    {"no slash first", R(GET("smuggled")), REFUSED, NULL},
    {"a query alone", R(GET("?a=1")), REFUSED, NULL},
    {"authority form", R(GET("localhost:443")), REFUSED, NULL},
    {"https in absolute form", R(GET("https://localhost/smuggled")), REFUSED, NULL},
    {"a fragment", R(GET("/a#b")), REFUSED, NULL},
    {"a backslash", R(GET("/\\smuggled")), REFUSED, NULL},
    {"a byte over 0x7f", R(GET("/\xc3\xa9")), REFUSED, NULL},
    {"a control character", R(GET("/\x01")), REFUSED, NULL},
    {"a NUL, encoded", R(GET("/a%00b")), REFUSED, NULL},
    {"a NUL, encoded, in the query", R(GET("/?a=%00b")), REFUSED, NULL},
    {"a slash, encoded", R(GET("/%2fsmuggled")), REFUSED, NULL},
    {"a slash, encoded, in the query", R(GET("/?a=%2F")), ONE, "GET / a=/ X= "},
    {"a backslash, encoded", R(GET("/a%5Cb")), REFUSED, NULL},
    {"a line end, encoded", R(GET("/a%0d%0ab")), REFUSED, NULL},
    {"a delete, encoded", R(GET("/a%7f")), REFUSED, NULL},
    {"half an encoding", R(GET("/a%4")), REFUSED, NULL},
    {"an encoding of no hexadecimal", R(GET("/a%zz")), REFUSED, NULL},
    {"half an encoding in the query", R(GET("/?a=%4")), REFUSED, NULL},
    {"an encoding of two bytes", R(GET("/%u002f")), REFUSED, NULL},
    {"encoded twice", R(GET("/a%252fb")), ONE, "GET /a%2fb a= X= "},
    {"a step up", R(GET("/a/../smuggled")), REFUSED, NULL},
    {"a step up, encoded", R(GET("/a/%2e%2E/smuggled")), REFUSED, NULL},
    {"a step up at the end", R(GET("/a/..")), REFUSED, NULL},
    {"a step to nowhere", R(GET("/./smuggled")), REFUSED, NULL},
    {"dots that are no step", R(GET("/.../a..b")), ONE, "GET /.../a..b a= X= "},
    {"empty steps", R(GET("//smuggled//")), ONE, "GET //smuggled// a= X= "},
    {"a plus in the path", R(GET("/a+b?a=c+d")), ONE, "GET /a+b a=c d X= "},
    {"a parameter twice", R(GET("/?a=1&a=2")), REFUSED, NULL},
    {"a parameter twice, once encoded", R(GET("/?a=1&%61=2")), REFUSED, NULL},
    {"a question mark in the query", R(GET("/?a=1?a=2")), ONE, "GET / a=1?a=2 X= "},
    {"a target of 40 KiB", R("GET /" FILL " HTTP/1.1\r\n" HOST "\r\n"), CUT, NULL},

    /* Host */
    {"an empty host", R("GET / HTTP/1.1\r\nHost:\r\n\r\n"), REFUSED, NULL},
    {"a host of spaces", R("GET / HTTP/1.1\r\nHost:    \r\n\r\n"), REFUSED, NULL},
    {"two hosts in one", R("GET / HTTP/1.1\r\nHost: localhost, other\r\n\r\n"), REFUSED, NULL},
    {"a host with a path", R("GET / HTTP/1.1\r\nHost: localhost/smuggled\r\n\r\n"), REFUSED, NULL},
    {"a host with a user", R("GET / HTTP/1.1\r\nHost: me@localhost\r\n\r\n"), REFUSED, NULL},
    {"a host with a scheme", R("GET / HTTP/1.1\r\nHost: https://localhost\r\n\r\n"), REFUSED, NULL},
    {"a host with a port of letters", R("GET / HTTP/1.1\r\nHost: localhost:x\r\n\r\n"), REFUSED, NULL},
    {"a host with two ports", R("GET / HTTP/1.1\r\nHost: localhost:1:2\r\n\r\n"), REFUSED, NULL},
    {"a host that is a port alone", R("GET / HTTP/1.1\r\nHost: :443\r\n\r\n"), REFUSED, NULL},
    {"a host of IPv6", R("GET /six HTTP/1.1\r\nHost: [::1]:443\r\n\r\n"), ONE, "GET /six a= X= "},
    {"a host of half an IPv6", R("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"), REFUSED, NULL},
    {"a host before the line", R("Host: localhost\r\nGET / HTTP/1.1\r\n\r\n"), CUT, NULL},
    {"the host in a second header block", R("GET / HTTP/1.1\r\n\r\n" HOST "\r\n"), REFUSED, NULL},

    /* Header names and values */
    {"a header without a colon", R(HEAD("nothing")), CUT, NULL},
    {"a header without a name", R(HEAD(": 1")), REFUSED, NULL},
    {"a tab before the colon", R(HEAD("X\t: 1")), REFUSED, NULL},
    {"a space before the first name", R("GET / HTTP/1.1\r\n X: 1\r\n" HOST "\r\n"), REFUSED, NULL},
    {"a space in a name", R(HEAD("X Y: 1")), REFUSED, NULL},
    {"a parenthesis in a name", R(HEAD("X(Y): 1")), REFUSED, NULL},
    {"a byte over 0x7f in a name", R(HEAD("X\xc3\xa9: 1")), REFUSED, NULL},
    {"a NUL in a name", R(HEAD("X\0Y: 1")), CUT, NULL},
    {"a control character in a value", R(HEAD("X: 1\x01")), REFUSED, NULL},
    {"a delete in a value", R(HEAD("X: 1\x7f")), REFUSED, NULL},
    {"a carriage return in a value", R(HEAD("X: 1\rContent-Length: 43")), REFUSED, NULL},
    {"carriage returns as line ends", R("GET / HTTP/1.1\rHost: localhost\r\r" SMUGGLED), REFUSED, NULL},
    {"a length behind a bare line feed", R(POST("X: 1\nContent-Length: 5") "hello"), REFUSED, NULL},
    {"a bare line feed behind the request line", R("GET / HTTP/1.1\n" HOST "\r\n"), REFUSED, NULL},
    {"a header of nothing but a colon", R(HEAD(":")), ONE, "GET / a= X= "},
    {"a nameless header before others", R(HEAD(": 1\r\nX: 1")), REFUSED, NULL},
    {"a folded length", R(POST("Content-Length: 4\r\n 8") SMUGGLED), REFUSED, NULL},
    {"a length folded away", R(POST("Content-Length:\r\n 48") SMUGGLED), REFUSED, NULL},
    {"folded chunks", R(POST("Transfer-Encoding:\r\n chunked") "0\r\n\r\n" SMUGGLED), REFUSED, NULL},
    {"a folded host", R("GET / HTTP/1.1\r\nHost: local\r\n host\r\n\r\n"), REFUSED, NULL},
    {"a fold that begins with a tab", R(HEAD("X: 1\r\n\t2")), REFUSED, NULL},
    {"a NUL in a length", R(POST("Content-Length: 5\0005") "hello"), REFUSED, NULL},
    {"a NUL in the host", R("GET / HTTP/1.1\r\nHost: local\0host\r\n\r\n"), REFUSED, NULL},
    {"a NUL in the transfer encoding", R(POST("Transfer-Encoding: chunked\0x") "0\r\n\r\n"), REFUSED, NULL},
    {"64 headers", R("GET / HTTP/1.1\r\n" HOST
        "A: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n"
        "A: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n"
        "A: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n"
        "A: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n"
        "A: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n\r\n"), REFUSED, NULL},
    {"an empty header", R(HEAD("Y:\r\nX:\t 1 2")), ONE, "GET / a= X=1 2 "},
    {"blanks behind a value", R(HEAD("X: 1 \t")), ONE, "GET / a= X=1 \t "},
    {"a NUL at the end of a value", R(HEAD("X: 1\0\r\nY: 1")), REFUSED, NULL},
    {"a NUL in a value before others", R(HEAD("X: 1\0002\r\nY: 1\r\nZ: 1")), REFUSED, NULL},
    {"two kinds of content", R(POST("Content-Type: text/plain\r\nContent-Type: application/json") SMUGGLED), REFUSED, NULL},
    {"two idempotency keys", R(POST("Idempotency-Key: a\r\nidempotency-key: b")), REFUSED, NULL},
    {"two origins", R(HEAD("Origin: https://a.example\r\nOrigin: https://localhost")), REFUSED, NULL},
    {"two sites", R(HEAD("Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site")), REFUSED, NULL},
    {"two sets of cookies", R(HEAD("Cookie: a=1\r\nCookie: a=2")), REFUSED, NULL},
    {"a cookie twice", R(HEAD("Cookie: a=1; a=2")), ONE, "GET / a= X= "},

    /* Content-Length */
    {"an empty length", R(POST("Content-Length:") SMUGGLED), CUT, NULL},
    {"a negative length", R(POST("Content-Length: -1") SMUGGLED), CUT, NULL},
    {"a hexadecimal length", R(POST("Content-Length: 0x5") "hello"), CUT, NULL},
    {"a length with a fraction", R(POST("Content-Length: 5.0") "hello"), CUT, NULL},
    {"a list of lengths", R(POST("Content-Length: 5, 5") "hello"), CUT, NULL},
    {"a length that wraps", R(POST("Content-Length: 18446744073709551616") SMUGGLED), CUT, NULL},
    {"a length that is the largest", R(POST("Content-Length: 18446744073709551615") SMUGGLED), REFUSED, NULL},
    {"a length with zeros", R(POST("Content-Length: 0005") "hello"), ONE, "POST / a= X= hello"},
    {"a length with spaces around", R(POST("Content-Length:  5 ") "hello"), CUT, NULL},
    {"a length that is too much", R(POST("Content-Length: 65537") SMUGGLED), LARGE, NULL},
    {"a length of a GET", R(HEAD("Content-Length: 5") "hello"), ONE, "GET / a= X= hello"},
    {"a body that looks like a request", R(POST("Content-Length: 43") SMUGGLED), ONE, "POST / a= X= " SMUGGLED},

    /* Transfer-Encoding and chunks */
    {"chunks twice", R(POST(CHUNKED "\r\n" CHUNKED) "0\r\n\r\n" SMUGGLED), REFUSED, NULL},
    {"chunks of chunks", R(POST("Transfer-Encoding: chunked, chunked") "0\r\n\r\n" SMUGGLED), REFUSED, NULL},
    {"compressed chunks", R(POST("Transfer-Encoding: gzip, chunked") "0\r\n\r\n" SMUGGLED), REFUSED, NULL},
    {"chunks, then identity", R(POST("Transfer-Encoding: chunked, identity") "0\r\n\r\n" SMUGGLED), REFUSED, NULL},
    {"identity", R(POST("Transfer-Encoding: identity\r\nContent-Length: 5") "hello"), REFUSED, NULL},
    {"chunks in capitals", R(POST("Transfer-Encoding: CHUNKED") "5\r\nhello\r\n0\r\n\r\n"), ONE, "POST / a= X= hello"},
    {"chunks in quotes", R(POST("Transfer-Encoding: \"chunked\"") "0\r\n\r\n" SMUGGLED), REFUSED, NULL},
    {"chunks behind a vertical tab", R(POST("Transfer-Encoding: \x0b" "chunked") "0\r\n\r\n" SMUGGLED), REFUSED, NULL},
    {"an empty transfer encoding", R(POST("Transfer-Encoding:\r\nContent-Length: 5") "hello"), REFUSED, NULL},
    {"a space behind the name of the encoding", R(POST("Transfer-Encoding : chunked\r\nContent-Length: 5") "0\r\n\r\n" SMUGGLED), REFUSED, NULL},
    {"a chunk size with a sign", R(POST(CHUNKED) "+5\r\nhello\r\n0\r\n\r\n" SMUGGLED), CUT, NULL},
    {"a chunk size with a prefix", R(POST(CHUNKED) "0x5\r\nhello\r\n0\r\n\r\n" SMUGGLED), CUT, NULL},
    {"a chunk size of letters", R(POST(CHUNKED) "zz\r\nhello\r\n0\r\n\r\n" SMUGGLED), CUT, NULL},
    {"a chunk size with a space before", R(POST(CHUNKED) " 5\r\nhello\r\n0\r\n\r\n" SMUGGLED), CUT, NULL},
    {"a negative chunk size", R(POST(CHUNKED) "-1\r\nhello\r\n0\r\n\r\n" SMUGGLED), CUT, NULL},
    {"an empty chunk size", R(POST(CHUNKED) "\r\nhello\r\n0\r\n\r\n" SMUGGLED), CUT, NULL},
    {"a chunk longer than its size", R(POST(CHUNKED) "3\r\nhello\r\n0\r\n\r\n" SMUGGLED), CUT, NULL},
    {"a chunk that ends with a bare line feed", R(POST(CHUNKED) "6\r\nhello\r\n0\r\n\r\n"), ONE, "POST / a= X= hello\r"},
    {"a chunk shorter than its size", R(POST(CHUNKED) "7\r\nhello\r\n0\r\n\r\n" SMUGGLED), CUT, NULL},
    {"a chunk size with zeros", R(POST(CHUNKED) "0000005\r\nhello\r\n0\r\n\r\n"), ONE, "POST / a= X= hello"},
    {"chunks with bare line feeds", R(POST(CHUNKED) "5\nhello\n0\n\n"), ONE, "POST / a= X= hello"},
    {"a quoted line end in a chunk extension", R(POST(CHUNKED) "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n" SMUGGLED), CUT, NULL},
    {"trailers", R(POST(CHUNKED) "5\r\nhello\r\n0\r\nX: 1\r\n\r\n"), ONE, "POST / a= X= hello"},
    {"a length among the trailers", R(POST(CHUNKED) "5\r\nhello\r\n0\r\nContent-Length: 43\r\n\r\n"), ONE, "POST / a= X= hello"},
    {"a host among the trailers", R("POST / HTTP/1.1\r\n" CHUNKED "\r\n\r\n0\r\n" HOST "\r\n"), REFUSED, NULL},

    /* What asks for another way to speak */
    {"an upgrade to HTTP/2", R(HEAD("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")), ONE, "GET / a= X= "},
    {"an upgrade to a web socket", R(HEAD("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13")), ONE, "GET / a= X= "},
    {"an expectation of nobody's", R(HEAD("Expect: 200-ok")), REFUSED, NULL},
    {"an expectation that is kept", R(POST("Expect: 100-continue\r\nContent-Length: 5") "hello"), ONE, "POST / a= X= hello"},
    {"an expectation without a body", R(HEAD("Expect: 100-continue")), REFUSED, NULL},
    {"an expectation with an empty body", R(POST("Expect: 100-continue\r\nContent-Length: 0")), REFUSED, NULL},
    {"an expectation that is too much", R(POST("Expect: 100-continue\r\nContent-Length: 65537")), LARGE, NULL},
    {"two expectations", R(POST("Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 0")), REFUSED, NULL},
    {"the end of the connection asked for", R(HEAD("Connection: close") SMUGGLED), LAST, "GET / a= X= "},
    {"a connection header that names the host", R(HEAD("Connection: Host, Content-Length")), ONE, "GET / a= X= "},
    {"a method beside the method", R(HEAD("X-HTTP-Method-Override: DELETE")), ONE, "GET / a= X= "},
    {"a target beside the target", R(HEAD("X-Original-URL: /smuggled\r\nX-Rewrite-URL: /smuggled")), ONE, "GET / a= X= "},
    {"an identity of the client's own", R(HEAD("X-SSL-Client-Verify: SUCCESS\r\nX-Forwarded-Client-Cert: By=me")), ONE, "GET / a= X= "},
    {"PROXY before HTTP", R("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" GET("/")), CUT, NULL},
};
/* clang-format on */
