/*
 * addresses - how much comes from one address; for the listeners alone.
 *
 * So many connections at a time, so many requests a minute; a minute's worth may come at once. An
 * address of IPv6 stands for its /64, which is one household or one server. What is known of an
 * address is forgotten once it has no connection and its minute is full again. Only in memory, and
 * bounded: while ADDRESSES_MAX are known, others are let through uncounted, since the listener's
 * own limit holds all the same.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "vault/base/error.h"

#define ADDRESSES_MAX     16384U
#define ADDRESS_KEY_BYTES 16

struct addresses;

struct address_key {
    uint8_t bytes[ADDRESS_KEY_BYTES];
};

struct address_key address_key_of(const struct sockaddr *address);

/* 0: no limit. */
enum vault_code addresses_new(unsigned connections_max, unsigned requests_per_minute,
                              struct addresses **out, struct vault_error *err) VAULT_MUST_CHECK;
void addresses_free(struct addresses **addresses);

/* One more connection; false if it has as many as it may. Every one that was taken is to be let go
 * of. */
bool addresses_enter(struct addresses *addresses, const struct address_key *key, int64_t now_ms);
void addresses_leave(struct addresses *addresses, const struct address_key *key, int64_t now_ms);

/* One more request, at a time that only goes forward; false if it is too much. */
bool addresses_ask(struct addresses *addresses, const struct address_key *key, int64_t now_ms);

/* How many are known, for who looks. */
unsigned addresses_known(struct addresses *addresses);
