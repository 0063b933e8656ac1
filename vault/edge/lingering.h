/*
 * lingering - connections that are over for us while their client still sends.
 *
 * A request is refused as soon as it can be, with its body still on the way. To close its socket
 * then would have the system answer what comes late with a reset, at which the client's system
 * throws away the refusal that it had: RFC 9112 section 9.6 advises to read on for a while. So
 * what still comes is thrown away unread, until the client closes too, or has sent
 * LINGER_BYTES_MAX, or LINGER_MS are over. One loop's; not for several threads. Bounded: LINGER_MAX
 * at a time, and who comes then is closed at once.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/error.h"

#define LINGER_MAX       64
#define LINGER_BYTES_MAX (8UL * 1024 * 1024)
#define LINGER_MS        2000

struct lingering;

enum vault_code lingering_new(struct lingering **out, struct vault_error *err) VAULT_MUST_CHECK;

/* Closes all. */
void lingering_free(struct lingering **lingering);

/* An epoll descriptor, ready to be read when lingering_turn() has something to do. Its own. */
int lingering_fd(const struct lingering *lingering);

/* Everything is said to who is behind that socket. The descriptor stays the caller's, to be closed
 * at once. */
void lingering_take(struct lingering *lingering, int fd);

/* Throw away what came, and close what is over. Where the descriptor does not say that anything
 * came, only time can have ended one, and nothing is asked of the system before it has. */
void lingering_turn(struct lingering *lingering, bool came);
