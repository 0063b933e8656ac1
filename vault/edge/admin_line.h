/*
 * admin_line - lines over a socket, with a limit and a deadline; for both ends of the admin socket.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/base/error.h"

/* Bytes read and not yet given out. */
struct admin_reader {
    int fd;
    struct buf pending; /* ceiling: the longest line */
};

/* Replace line by the next one, without its end. VAULT_NOT_FOUND at the end of the stream,
 * VAULT_UNAVAILABLE when nothing came in time, VAULT_TOO_LARGE. */
enum vault_code admin_read_line(struct admin_reader *reader, struct buf *line,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* Bytes as they are. Whether they went; nobody waits for more. */
bool admin_send(int fd, struct bytes bytes);

enum vault_code admin_write_line(int fd, const struct buf *line, struct vault_error *err)
    VAULT_MUST_CHECK;
