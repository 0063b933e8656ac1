/* world_names - what the things of a world are called in the store. */
#pragma once

#include "world.h"

#define WORLD_TEXT_CHARS 65

/* The citizen in that place, in that model: another after each erasure. */
struct citizen_id world_id(const struct world *world, size_t at, const struct world_model *model);

/* A value of a field that spells the number into text. */
struct citizen_value world_value(size_t field, uint32_t number, char text[WORLD_TEXT_CHARS]);

void world_login(const struct world *world, size_t at, const struct world_model *model,
                 char out[WORLD_TEXT_CHARS]);
void world_token(const struct world *world, size_t at, unsigned token, uint8_t out[SHA256_BYTES]);
void world_setting(const struct world *world, size_t at, char out[WORLD_TEXT_CHARS]);
const char *world_counter(const struct world *world, char out[WORLD_TEXT_CHARS]);
const char *world_service(const struct world *world, char out[WORLD_TEXT_CHARS]);

/* The id and the code of the request. */
void world_request(const struct world *world, size_t slot, const struct world_request *request,
                   struct request *out);

/* world.c: somebody opens a pending request, or answers it. */
enum vault_code world_claim(struct world *world, size_t slot, size_t at, struct vault_error *err)
    VAULT_MUST_CHECK;
