#include "addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "test.h"
#include "vault/crypto/crypto.h"

#define NOW_MS    1000000
#define MINUTE_MS 60000

static struct addresses *addresses;

static void begin(unsigned connections, unsigned requests)
{
    assert_done(crypto_start(true, &test_error));
    assert_done(addresses_new(connections, requests, &addresses, &test_error));
}

static void end(void)
{
    addresses_free(&addresses);
    assert_null(addresses);
}

static struct address_key key_of(const char *text)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
        address.v4.sin_family = AF_INET;
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &address.v6.sin6_addr), 1);
        address.v6.sin6_family = AF_INET6;
    }
    return address_key_of(&address.any);
}

static bool enter(const char *text)
{
    const struct address_key key = key_of(text);
    return addresses_enter(addresses, &key, NOW_MS);
}

static void leave(const char *text, int64_t now_ms)
{
    const struct address_key key = key_of(text);
    addresses_leave(addresses, &key, now_ms);
}

static bool ask(const char *text, int64_t now_ms)
{
    const struct address_key key = key_of(text);
    return addresses_ask(addresses, &key, now_ms);
}

static void assert_same(const char *a, const char *b, bool same)
{
    const struct address_key first = key_of(a);
    const struct address_key second = key_of(b);
    assert_int_equal(memcmp(&first, &second, sizeof first) == 0, same);
}

static void test_an_address_of_ipv6_counts_with_its_64(void **state)
{
    (void)state;
    assert_same("192.0.2.1", "192.0.2.1", true);
    assert_same("192.0.2.1", "192.0.2.2", false);
    assert_same("192.0.2.1", "::ffff:192.0.2.1", true);
    assert_same("::ffff:192.0.2.1", "::ffff:192.0.2.2", false);
    assert_same("2001:db8::1", "2001:db8::ffff:1", true);
    assert_same("2001:db8::1", "2001:db8:0:1::1", false);
    assert_same("::1", "127.0.0.1", false);
}

static void test_one_address_takes_nothing_from_another(void **state)
{
    (void)state;
    begin(2, 0);
    assert_true(enter("192.0.2.1"));
    assert_true(enter("192.0.2.1"));
    assert_false(enter("192.0.2.1"));
    assert_true(enter("192.0.2.2"));
    leave("192.0.2.1", NOW_MS);
    assert_true(enter("192.0.2.1"));
    assert_false(enter("192.0.2.1"));
    end();
}

static void test_no_limit_is_none(void **state)
{
    (void)state;
    begin(0, 0);
    for (int i = 0; i < 10000; i++) {
        assert_true(enter("192.0.2.1"));
        assert_true(ask("192.0.2.1", NOW_MS));
    }
    end();
}

static void test_a_minutes_requests_come_again_with_time(void **state)
{
    (void)state;
    begin(0, 60);
    for (int i = 0; i < 60; i++)
        assert_true(ask("192.0.2.1", NOW_MS));
    assert_false(ask("192.0.2.1", NOW_MS));
    assert_false(ask("192.0.2.1", NOW_MS + 999));
    assert_true(ask("192.0.2.1", NOW_MS + 1000));
    assert_false(ask("192.0.2.1", NOW_MS + 1001));
    assert_true(ask("192.0.2.2", NOW_MS));
    for (int i = 0; i < 60; i++)
        assert_true(ask("192.0.2.1", NOW_MS + 3 * MINUTE_MS));
    assert_false(ask("192.0.2.1", NOW_MS + 3 * MINUTE_MS));
    end();
}

/* A refused request costs nothing: who asks on and on is let in again as soon as who waits. */
static void test_what_is_refused_is_not_counted(void **state)
{
    (void)state;
    begin(0, 1);
    assert_true(ask("192.0.2.1", NOW_MS));
    for (int i = 1; i < 600; i++)
        assert_false(ask("192.0.2.1", NOW_MS + i * 100L));
    assert_true(ask("192.0.2.1", NOW_MS + MINUTE_MS));
    end();
}

static void name_address(int n, char out[32])
{
    snprintf(out, 32, "10.%d.%d.1", n / 256, n % 256);
}

/* Whoever is known then still is, and the others go uncounted until there is room. */
static void test_more_addresses_than_there_is_room_for_are_let_through(void **state)
{
    (void)state;
    char text[32];
    begin(1, 10);
    assert_true(ask("192.0.2.1", NOW_MS));
    for (int i = 0; i < (int)ADDRESSES_MAX + 100; i++) {
        name_address(i, text);
        assert_true(ask(text, NOW_MS));
    }
    assert_int_equal(addresses_known(addresses), ADDRESSES_MAX);
    for (int i = 1; i < 10; i++)
        assert_true(ask("192.0.2.1", NOW_MS));
    assert_false(ask("192.0.2.1", NOW_MS));
    name_address((int)ADDRESSES_MAX + 50, text);
    for (int i = 0; i < 100; i++)
        assert_true(ask(text, NOW_MS));
    end();
}

static void test_what_has_its_minute_again_and_no_connection_is_forgotten(void **state)
{
    (void)state;
    char text[32];
    begin(1, 10);
    assert_true(enter("192.0.2.1"));
    for (int i = 1; i < (int)ADDRESSES_MAX; i++) {
        name_address(i, text);
        assert_true(ask(text, NOW_MS));
    }
    assert_true(ask("192.0.2.2", NOW_MS + 2 * MINUTE_MS)); /* makes room */
    assert_int_equal(addresses_known(addresses), 2);
    assert_false(enter("192.0.2.1")); /* has its connection still */
    leave("192.0.2.1", NOW_MS);
    assert_true(enter("192.0.2.1"));
    end();
}

static void test_who_never_came_leaves_nothing(void **state)
{
    (void)state;
    begin(1, 1);
    leave("192.0.2.9", NOW_MS);
    assert_int_equal(addresses_known(addresses), 0);
    assert_true(enter("192.0.2.9"));
    leave("192.0.2.9", NOW_MS);
    leave("192.0.2.9", NOW_MS);
    assert_true(enter("192.0.2.9"));
    assert_false(enter("192.0.2.9"));
    end();
}

int main(void)
{
    return TEST_RUN(test_an_address_of_ipv6_counts_with_its_64,
                    test_one_address_takes_nothing_from_another, test_no_limit_is_none,
                    test_a_minutes_requests_come_again_with_time,
                    test_what_is_refused_is_not_counted,
                    test_more_addresses_than_there_is_room_for_are_let_through,
                    test_what_has_its_minute_again_and_no_connection_is_forgotten,
                    test_who_never_came_leaves_nothing);
}
