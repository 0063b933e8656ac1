/*
 * reload - new certificates, keys, CAs and revocation lists for the listeners that are open.
 *
 * All files of all listeners are read first: if one of them does not fit, everything stays as it
 * was, and the error names it. What has changed is entered into the access log, as every change of
 * the operator's, and is in force then: from the next handshake, and from each open connection's
 * next request on. Which files there are is read at the start alone.
 */
#pragma once

#include <pthread.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/edge/tls.h"
#include "vault/vault/vault.h"

#define RELOAD_PARTS_MAX 3

/* Borrows what it names; begins as zeros and the parts. */
struct reload {
    struct reload_part {
        const char *name; /* the listener's */
        struct tls *tls;
    } parts[RELOAD_PARTS_MAX];
    size_t count;
    pthread_mutex_t mutex; /* one at a time */
};

/* Append {"changed":["services",…]}, in which those listeners are whose files say something new.
 * The codes of tls_read_again(), with the listener's name; of a log that cannot be written. */
enum vault_code reload_certificates(struct reload *reload, struct vault *vault, struct buf *result,
                                    struct vault_error *err) VAULT_MUST_CHECK;
