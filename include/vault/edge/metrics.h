/*
 * metrics - figures for a monitoring system, in the text format of Prometheus (0.0.4).
 *
 * Sums and states of the whole vault. Labels say which listener, status or outcome, all of them
 * words of this program: no person, no service and nothing that a service or citizen chose is in
 * any. What is counted begins at 0 when the program starts and, of the vault itself, when it is
 * unsealed; a sealed vault has no figures of its own.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/edge/listener.h"
#include "vault/vault/vault.h"

#define METRICS_CONTENT_TYPE  "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_BYTES_MAX     (64U * 1024)
#define METRICS_LISTENERS_MAX 3

/* One listener, by its name. Both are borrowed. */
struct metrics_listener {
    const char *name;
    const struct listener_counts *counts;
};

struct mailer;

/* What is told of beside the vault. */
struct metrics {
    struct metrics_listener listeners[METRICS_LISTENERS_MAX];
    size_t listener_count;
    int64_t started_s;     /* when the program was */
    struct mailer *mailer; /* NULL: no mail is sent */
};

/* Append all; vault is NULL while it is sealed. */
void metrics_write(const struct metrics *metrics, struct vault *vault, struct buf *out);
