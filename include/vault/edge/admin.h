/*
 * admin - the operator's door: a UNIX socket, and who may use it by the kernel's word.
 *
 * Only the vault's own user and root are answered (SO_PEERCRED). One connection carries any number
 * of requests, one after the other, each one line of JSON, each answered by one line:
 *
 *     {"command":"service add","registration":"{…}"}
 *     {"ok":true,"result":{…}}
 *     {"ok":false,"code":"conflict","error":"the id is taken"}
 *
 * Where a command names a folder, vaultctl hands over what is in it, or makes what is put there:
 * the daemon's sandbox does not let it in (confine.h). A descriptor goes with such a request.
 *
 * A monitoring system that speaks HTTP asks GET /metrics on a connection of its own, and gets the
 * figures of metrics.h; nothing else is spoken of in HTTP.
 *
 * The commands are a table in admin_commands.c. vaultctl is the client; the protocol is its own
 * business and may change with it.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/base/json.h"
#include "vault/base/sandbox.h"
#include "vault/edge/config.h"
#include "vault/edge/reload.h"
#include "vault/edge/sealing.h"
#include "vault/vault/vault.h"

#define ADMIN_LINE_BYTES_MAX  (18UL * 1024 * 1024)
#define ADMIN_CONNECTIONS_MAX 8
#define ADMIN_IDLE_S          60

struct metrics;

struct admin_context {
    struct sealing *sealing;
    const struct config *config;
    const char *link_base;               /* where the citizens' pages are: "https://host:port" */
    struct reload *reload;               /* the listeners' certificates */
    const struct metrics *metrics;       /* NULL: nobody counts */
    const struct sandbox_state *sandbox; /* NULL: nobody entered one */
};

struct admin;

/* Listen; the context is borrowed until admin_stop(). A socket left by a dead process is replaced;
 * VAULT_CONFLICT if a live one answers there, or the path is no socket. */
enum vault_code admin_start(const char *path, const struct admin_context *context,
                            struct admin **out, struct vault_error *err) VAULT_MUST_CHECK;
void admin_stop(struct admin **admin);

/* Answer one request line, with the descriptor that came with it: -1 if none did, or it was taken.
 * out gets one line. admin_answer() is without one. */
void admin_answer_with(const struct admin_context *context, struct bytes line, int *given,
                       struct buf *out);
void admin_answer(const struct admin_context *context, struct bytes line, struct buf *out);

/* The client's side: connect, ask. The answer is the caller's to free.
 * VAULT_UNAVAILABLE if no daemon answers at the path. */
enum vault_code admin_connect(const char *path, int *fd, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code admin_ask_with(int fd, const struct buf *line, int given, json_t **answer,
                               struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code admin_ask(int fd, const struct buf *line, json_t **answer, struct vault_error *err)
    VAULT_MUST_CHECK;
