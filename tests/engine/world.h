/*
 * world - random changes to a store through its interface, and what they add up to.
 *
 * A world has a few people, settings, a service and requests of its own in a store that others may
 * use too. Each step draws a change, keeps what it means in a model, and makes it. What the step
 * draws depends on the seed and the model alone, so that the same steps can be taken again without
 * a store, to know what a store that was killed must hold.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/store/citizen.h"
#include "vault/store/control_service.h"
#include "vault/store/request.h"

#define WORLD_NOW_S    1795305600 /* 2026-11-22 */

#define WORLD_PEOPLE   4
#define WORLD_FIELDS   4
#define WORLD_SETTINGS 3
#define WORLD_REQUESTS 4
#define WORLD_TOKENS   3

struct world_person {
    bool exists;
    unsigned life; /* how many came before this one, and were erased */
    uint32_t value[WORLD_FIELDS];
    uint32_t version[WORLD_FIELDS]; /* 0: no value */
    uint64_t records;
    uint64_t log_n;
    uint32_t key_version;
    uint64_t head; /* the last opening's n */
    bool has_account;
    uint32_t failed_tries;
    unsigned sessions; /* one bit each */
};

struct world_request {
    unsigned number;          /* how many came before this one, and ended */
    enum request_state state; /* 0: none */
    int claimant;             /* -1: nobody */
};

/* What the store must hold. */
struct world_model {
    struct world_person people[WORLD_PEOPLE];
    uint32_t settings[WORLD_SETTINGS]; /* 0: none */
    int64_t counter;
    uint64_t position;                  /* of the openings; the first world's alone */
    enum control_service_state service; /* 0: none */
    struct world_request requests[WORLD_REQUESTS];
};

struct world {
    struct store *store; /* NULL: only the model takes the steps */
    unsigned number;
    uint64_t random;
    const char *step; /* the last one's name */
    struct world_model model;
    struct world_model next;  /* what the last change makes of it */
    enum vault_code expected; /* of the last change */
    bool was_decided;         /* the last change came as far as the call that makes it hold */
};

void world_begin(struct world *world, struct store *store, unsigned number, uint64_t seed);

/* Draw a change and make it. If it ended as the model expects, the model goes on. Any other code is
 * the caller's to judge, who sets the model: the change holds only if was_decided. */
enum vault_code world_step(struct world *world, struct vault_error *err);

/* Whether the store holds the model; if not, where it differs. */
bool world_holds(const struct world *world, const struct world_model *model, char difference[128]);
