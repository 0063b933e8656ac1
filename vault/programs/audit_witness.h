/*
 * audit_witness - the HTTP server of vault-audit witness.
 *
 *     POST /add-checkpoint                        cosign (witness.h)
 *     GET  /HEX(SHA-256(ORIGIN))/checkpoint       the last one cosigned, for monitors; or HEAD
 *
 * Limits: 64 connections, 16 from one address, 10 s without a byte, 20 s for a request, a body of a
 * checkpoint's size.
 */
#pragma once

#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/ledger/witness.h"

/* The certificate with its chain, and its key, as PEM texts; empty: no TLS. The library's to read
 * until the server ends. */
struct witness_pair {
    struct buf certificate;
    struct buf key;
};

struct witness_server;

/* The port of "ADDRESS:PORT", both in numbers; 0 if it is none, or any. */
uint16_t witness_address_port(const char *address);

/* Serve at "ADDRESS:PORT", by a thread of its own. VAULT_INVALID if that is none; VAULT_IO. */
enum vault_code witness_server_start(struct witness *witness, const char *address,
                                     const struct witness_pair *pair, struct witness_server **out,
                                     struct vault_error *err) VAULT_MUST_CHECK;

unsigned witness_server_port(const struct witness_server *server);

/* End connections whose request takes too long. To be called about once a second. */
void witness_server_watch(struct witness_server *server);

void witness_server_stop(struct witness_server **server);
