/*
 * laws - what must stay true when a bundle or a request is changed in a known way.
 *
 * A law is tried on random worlds and requests. One that fails is made small first: rules, and then
 * parts of the request, are left out as long as it still fails; what is left is printed with its
 * seed, and PROPERTY_SEED repeats it.
 */
#pragma once

#include "random.h"
#include "world.h"

/* Whether the law holds; worlds that do not load say nothing. What is random about it comes from
 * random alone, so that it can be asked again. */
typedef bool law_holds(const json_t *world, const json_t *request, struct random *random);

struct law {
    const char *name;
    law_holds *holds;
};

/* Try all of them on as many worlds as the environment asks for (seed.h), from the seed on. No
 * request has obligations that cannot be met: with those a permit more can deny. */
void laws_try(const struct law laws[], size_t count, uint64_t first_seed);

/* Try one on the world and the request of a seed; where it fails, make them small. NULL if it
 * holds, else what is left of the world, which is the caller's. */
json_t *law_shrunk(law_holds *holds, uint64_t seed);

/* --- answers --- */

json_t *rules_of(const json_t *world);
const char *effect_of(const json_t *rule);

/* What a world answers; NULL if it does not load (a cell with too many rules). */
json_t *answer_of(const json_t *world, const json_t *request);
const json_t *field_of(const json_t *answer, const char *field);
struct bytes outcome_of(const json_t *of_field);
bool is_released(const json_t *of_field);

/* How far down the ladder of the field a form stands; and the form that an answer gives it. */
size_t step_of_form(const json_t *world, const char *field, const json_t *form);
size_t step_of(const json_t *world, const char *field, const json_t *of_field);

/* Whether the second answer releases no field that the first does not. */
bool releases_no_more(const json_t *first, const json_t *second);

/* Whether what two worlds answer to two requests is as wanted; true if one does not load. */
bool law_compare(const json_t *world, const json_t *changed, const json_t *request,
                 const json_t *other_request,
                 bool (*as_wanted)(const json_t *first, const json_t *second));
