/*
 * sandbox - a process that gives up what it will not need, so that whoever takes it over through a
 * fault in a library has little to go on with.
 *
 * Three things hold from sandbox_enter() on, for the process and all threads it starts, and cannot
 * be taken back:
 *
 *   no new privileges   no file's set-user-ID bit and no file's capability counts any more
 *   Landlock            files and TCP ports but those that were named are refused (EACCES), by the
 *                       kernel's word as far as its version goes (sandbox.c says which can what)
 *   seccomp             system calls are those of a list. What only an intruder wants (exec,
 *                       ptrace, mount, keyctl, io_uring, setuid…) ends the process; what is merely
 *                       not on the list is ENOSYS, so that a newer libc falls back on what is;
 *                       memory that can be executed is EACCES
 *
 * Which calls is a profile's: sandbox_calls.c has the tables. A build with sanitizers needs more
 * calls, and allows them; sandbox_is_relaxed() tells.
 *
 * It is entered while there is one thread, after everything that is needed once was done: limits
 * raised, modules loaded, name services called once. Descriptors that are open stay usable whatever
 * the rules say, so those that were handed down are closed first (sandbox_close_inherited).
 *
 * What it does not do: nothing keeps a UNIX socket, UDP or an inherited descriptor from being used,
 * and whoever is in the process has all of its memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/error.h"

/* The oldest ABI that lets files move between folders: Linux 5.19. */
#define SANDBOX_LANDLOCK_LEAST 2

enum sandbox_profile {
    SANDBOX_WORKER,    /* threads, sockets, files */
    SANDBOX_KEYHOLDER, /* one thread, no socket but those it has, few files */
};

/* What may be done to a file, or to all below a folder. */
enum sandbox_right {
    SANDBOX_READ = 1,
    SANDBOX_WRITE = 2,   /* write, make and remove files and folders; no links, devices or pipes */
    SANDBOX_SOCKETS = 4, /* make sockets in the folder, and remove what is in it */
};

/* A path that is not there is passed over; "" too. Links are followed. */
struct sandbox_rule {
    const char *path;
    unsigned rights;
};

/* Borrowed for the call. */
struct sandbox_options {
    enum sandbox_profile profile;
    bool needs_landlock;         /* VAULT_UNAVAILABLE where the kernel has none */
    bool needs_abstract_sockets; /* of others: those names are not kept within */
    bool with_module;  /* a PKCS #11 module is loaded later, which opens nobody knows what: no
                          Landlock, the worker's calls for every profile, and memory that can be
                          executed */
    bool with_threads; /* the keyholder too: a passphrase is tried by several */
    const struct sandbox_rule *rules;
    size_t rule_count;
    const uint16_t *bind_ports; /* of TCP, from ABI 4 on; 0 is "any free one" */
    size_t bind_count;
    const uint16_t *connect_ports;
    size_t connect_count;
    int landlock_most; /* for tests: go by no newer ABI than this; 0: by the kernel's */
};

/* What holds. */
struct sandbox_state {
    bool is_entered; /* no new privileges, and seccomp */
    int landlock;    /* the ABI that is held to; 0: none */
};

/* Close all descriptors but standard input, output and error. Before anything is opened. */
void sandbox_close_inherited(void);

/* Enter. VAULT_CONFLICT if there is more than one thread; VAULT_UNAVAILABLE, VAULT_IO. After an
 * error the process may be half in it: it is not to go on. */
enum vault_code sandbox_enter(const struct sandbox_options *options, struct sandbox_state *out,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* The kernel's Landlock ABI; 0 if there is none, or it is turned off. */
int sandbox_landlock_abi(void);

/* Whether this build allows calls for sanitizers. */
bool sandbox_is_relaxed(void);
