/*
 * admin_line - lines over a socket, with a limit and a deadline; for both ends of the admin socket.
 *
 * With a line one descriptor may go (SCM_RIGHTS): what vaultctl opened for vaultd, whose sandbox
 * does not let it open everything.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/base/error.h"

/* Bytes read and not yet given out. */
struct admin_reader {
    int fd;
    int given;          /* the descriptor that came last and nobody took; -1: none. The reader's */
    struct buf pending; /* ceiling: the longest line */
};

struct admin_reader admin_reader_of(int fd, size_t line_bytes_max);
void admin_reader_finish(struct admin_reader *reader);

/* Replace line by the next one, without its end. VAULT_NOT_FOUND at the end of the stream,
 * VAULT_UNAVAILABLE when nothing came in time, VAULT_TOO_LARGE. */
enum vault_code admin_read_line(struct admin_reader *reader, struct buf *line,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* Bytes as they are. Whether they went; nobody waits for more. */
bool admin_send(int fd, struct bytes bytes);

/* given goes with it, and stays the caller's; -1: none. */
enum vault_code admin_write_line_with(int fd, const struct buf *line, int given,
                                      struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code admin_write_line(int fd, const struct buf *line, struct vault_error *err)
    VAULT_MUST_CHECK;
