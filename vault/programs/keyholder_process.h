/*
 * keyholder_process - vaultd's second process: started before any thread and any port, ended after
 * the last.
 *
 * It is this program once more, from /proc/self/exe with --keyholder, so that its addresses are its
 * own, and with one socket beside the standard three descriptors. It reads the configuration for
 * itself: what the other process becomes later cannot tell it where the keys are. Signals that end
 * a service go to both; this one waits for the socket to be closed.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "vault/base/error.h"
#include "vault/store/keyholder.h"

struct keyholder_process {
    pid_t pid; /* 0: none */
    struct keyholder *holder;
};

/* Start one. */
enum vault_code keyholder_process_start(const char *config_path, struct keyholder_process *out,
                                        struct vault_error *err) VAULT_MUST_CHECK;

/* Whether it has ended by itself or does not answer, as never should be: without it no key opens
 * and nothing is signed. Says so in the program's log. */
bool keyholder_process_is_gone(struct keyholder_process *process);

/* Have it wipe its keys and end, and wait for that for some seconds. One that hangs is left to the
 * service manager: no signal to another process is sent from the sandbox. */
void keyholder_process_stop(struct keyholder_process *process);

/* What "vaultd --keyholder FILE" does; returns the exit code. */
int keyholder_process_run(const char *config_path);
