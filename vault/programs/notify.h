/*
 * notify - telling the service manager how the program does: sd_notify(3), its protocol alone.
 *
 * Datagrams of lines to the UNIX socket that NOTIFY_SOCKET names. Without it nothing is sent; what
 * cannot be sent is left. It is not worth a library: this is all of the protocol that is needed.
 */
#pragma once

#include <stdint.h>

#include "vault/base/error.h"

/* "READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "STATUS=…"; several with newlines between.
 */
void notify_send(const char *format, ...) VAULT_PRINTF(1, 2);

/* How often "WATCHDOG=1" is to be sent: half of what the manager waits. 0: it does not wait. */
int64_t notify_watchdog_ms(void);
