/*
 * torture_world - a vault for the torture: its citizen and services, what it acknowledged, and what
 * must hold of it whatever failed.
 *
 * Whatever is answered goes through world_send(), which keeps in mind where the log is said to have
 * it. world_audit() closes the vault and holds the log, the memory and the descriptors to that.
 */
#pragma once

#include "torture.h"
#include "vault/edge/service_api.h"
#include "vault_test.h"

#define WORLD_BODY_BYTES 4096
#define WORLD_WAIT_MS    20000 /* for what must come, on a machine that is busy */

struct world {
    struct vault_test test;
    struct service_api api;
    char subject[SUBJECT_CHARS + 1]; /* of the citizen, for the caseworker */

    /* What stands before the vault while it is open, and what behind it; NULL: nothing. */
    void (*begin)(void);
    void (*end)(void);
    void (*begin_behind)(void);
    void (*end_behind)(void);

    /* The last answer, as it would leave. */
    unsigned status;
    struct buf body;
    json_t *json;
    size_t values; /* in it, of all its releases */

    /* What the log must have. */
    uint64_t acknowledged[ENTRY_EVENT_COUNT];
    uint64_t with_values;
    size_t kept_bytes; /* since it was last marked, by libraries, until the program ends */
    uint64_t stopped;  /* how often the log stopped for good, and the vault was started again */
};

extern struct world world;

/* Once: a vault that was filled, with a consent; all that is loaded once for a program is. */
void world_begin(void);
void world_end(void);

/* Send a request as the caseworker. What comes back is read by world_read(), once nothing is to
 * fail any more: it fails the test if an answer has no place in the log, or an error a value. */
void world_send(enum http_method method, const char *path, const char *body);

/* What came of one that was sent in another way. */
void world_answered(unsigned status, struct bytes body);
void world_read(void);

/* The answer is one, or says that the vault could not. */
void world_assert_answered(void);

/* Ask for three fields; and how many came, where it must work now. */
void world_write_ask(char body[WORLD_BODY_BYTES]);
void world_ask(void);
size_t world_released(void);

/* A log that has stopped for good says so, and the vault starts again. */
void world_go_on(void);

/* Let what runs behind the requests come to its end, or two seconds pass. */
void world_settle(void);

/* Let the journal forget what it need not have any more, now and then: a start goes through all of
 * it, and so does an erasure. */
void world_tidy(void);

/* Close it and open it again: what is in use then is what a later audit must find. */
void world_mark(void);

/* Close it; nothing leaks; the log holds, and has all that was acknowledged; open it again. How
 * many entries were lost. */
uint64_t world_audit(void);

/* Stop it, and start it again, with nothing failing. */
void world_close(void);
void world_open(void);
