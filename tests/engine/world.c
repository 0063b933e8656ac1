#include "world.h"

#include <stdio.h>
#include <string.h>

#include "test.h"
#include "vault/store/account.h"
#include "vault/store/citizen_key.h"
#include "vault/store/citizen_record.h"
#include "vault/store/citizen_value.h"
#include "vault/store/openings.h"
#include "vault/store/session.h"
#include "vault/store/setting.h"
#include "world_names.h"

static uint64_t draw(struct world *world, uint64_t below)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return world->random % below;
}

static size_t draw_person(struct world *world)
{
    return (size_t)draw(world, WORLD_PEOPLE);
}

/* The call that makes the change hold comes next. */
static bool decide(struct world *world)
{
    world->was_decided = true;
    return world->store != NULL;
}

/* It is refused: nothing changes. */
static void expect(struct world *world, enum vault_code code)
{
    world->expected = code;
    world->next = world->model;
}

/* --- Citizens ------------------------------------------------------------------------------- */

static void meet(struct world_person *person, uint32_t number)
{
    *person = (struct world_person){
        .exists = true, .life = person->life, .key_version = 1, .value = {number}, .version = {1}};
}

static enum vault_code step_create(struct world *world, struct vault_error *err)
{
    struct citizen_new citizens[WORLD_PEOPLE];
    struct citizen_value value;
    char text[WORLD_TEXT_CHARS];
    size_t count = 0;
    const uint32_t number = (uint32_t)draw(world, 1000);
    value = world_value(0, number, text);
    for (size_t i = 0; i < WORLD_PEOPLE; i++) {
        if (world->model.people[i].exists)
            continue;
        citizens[count++] =
            (struct citizen_new){world_id(world, i, &world->model), NULL, &value, 1};
        meet(&world->next.people[i], number);
    }
    if (count == 0) {
        citizens[count++] =
            (struct citizen_new){world_id(world, 0, &world->model), NULL, &value, 1};
        expect(world, VAULT_CONFLICT);
    }
    return decide(world) ? citizen_create(world->store, citizens, count, WORLD_NOW_S, NULL, err)
                         : world->expected;
}

static enum vault_code step_erase(struct world *world, struct vault_error *err)
{
    const size_t at = draw_person(world);
    const struct citizen_id id = world_id(world, at, &world->model);
    struct world_person *person = &world->next.people[at];
    const bool wanted = draw(world, 4) == 0; /* or there would be few to work with */
    if (!person->exists || !wanted) {
        const struct citizen_id stranger = world_id(world, WORLD_PEOPLE, &world->model);
        expect(world, VAULT_NOT_FOUND);
        return decide(world) ? citizen_erase(world->store, &stranger, NULL, err) : world->expected;
    }
    *person = (struct world_person){.life = person->life + 1};
    for (size_t i = 0; i < WORLD_REQUESTS; i++) {
        if (world->next.requests[i].claimant == (int)at)
            world->next.requests[i].state = 0;
    }
    return decide(world) ? citizen_erase(world->store, &id, NULL, err) : world->expected;
}

static enum vault_code step_rekey(struct world *world, struct vault_error *err)
{
    const size_t at = draw_person(world);
    const struct citizen_id id = world_id(world, at, &world->model);
    world->next.people[at].key_version++;
    if (!world->model.people[at].exists)
        expect(world, VAULT_NOT_FOUND);
    return decide(world) ? citizen_rekey(world->store, &id, err) : world->expected;
}

/* What is done to a held citizen, drawn before they are. */
struct doing {
    size_t field;
    uint32_t number;
    bool is_record;
    bool in_log;
};

#define DOINGS_MAX 4

static struct doing draw_doing(struct world *world)
{
    return (struct doing){(size_t)draw(world, WORLD_FIELDS), (uint32_t)draw(world, 1000),
                          draw(world, 2) == 0, draw(world, 2) == 0};
}

static void note_doing(struct world_person *person, const struct doing *doing)
{
    if (doing->is_record) {
        person->records++;
        person->log_n += doing->in_log;
        return;
    }
    person->value[doing->field] = doing->number;
    person->version[doing->field]++;
}

static enum vault_code perform(struct citizen *citizen, const struct doing *doing, uint64_t log_n,
                               struct vault_error *err)
{
    char text[WORLD_TEXT_CHARS];
    const struct citizen_value value = world_value(doing->field, doing->number, text);
    const struct citizen_record record = {
        .kind = "consent", .key = text, .json = value.json, .log_n = doing->in_log ? log_n : 0};
    return doing->is_record ? citizen_record_add(citizen, &record, NULL, err)
                            : citizen_value_put(citizen, &value, err);
}

static enum vault_code step_hold(struct world *world, struct vault_error *err)
{
    const size_t at = draw_person(world);
    const struct citizen_id id = world_id(world, at, &world->model);
    const struct doing doing = draw_doing(world);
    note_doing(&world->next.people[at], &doing);
    if (!world->model.people[at].exists)
        expect(world, VAULT_NOT_FOUND);
    if (!world->store)
        return world->expected;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(citizen_acquire(world->store, &id, &citizen, err));
    decide(world);
    return perform(citizen, &doing, world->model.people[at].log_n + 1, err);
}

/* Several changes as one, which is kept, undone, or left open. */
static enum vault_code change(struct world *world, size_t at, const struct doing *doings,
                              size_t count, unsigned ending, struct vault_error *err)
{
    const struct citizen_id id = world_id(world, at, &world->model);
    uint64_t log_n = world->model.people[at].log_n;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct citizen_change change = {0};
    VAULT_TRY(citizen_acquire(world->store, &id, &citizen, err));
    VAULT_TRY(citizen_begin(citizen, &change, err));
    for (size_t i = 0; i < count; i++) {
        VAULT_TRY(perform(citizen, &doings[i], log_n + 1, err));
        log_n += doings[i].is_record && doings[i].in_log;
    }
    if (ending == 0) {
        citizen_rollback(&change);
        return VAULT_OK;
    }
    if (ending == 1)
        return VAULT_OK; /* letting go undoes it */
    decide(world);
    return citizen_commit(&change, err);
}

static enum vault_code step_change(struct world *world, struct vault_error *err)
{
    struct doing doings[DOINGS_MAX];
    const size_t at = draw_person(world);
    const size_t count = 1 + (size_t)draw(world, DOINGS_MAX);
    const unsigned ending = (unsigned)draw(world, 6);
    for (size_t i = 0; i < count; i++) {
        doings[i] = draw_doing(world);
        if (ending > 1)
            note_doing(&world->next.people[at], &doings[i]);
    }
    if (!world->model.people[at].exists)
        expect(world, VAULT_NOT_FOUND);
    return world->store ? change(world, at, doings, count, ending, err) : world->expected;
}

static enum vault_code step_openings(struct world *world, struct vault_error *err)
{
    struct openings_row rows[WORLD_PEOPLE];
    size_t count = 0;
    uint64_t index = world->model.position;
    for (size_t i = 0; i < WORLD_PEOPLE && world->number == 0; i++) {
        if (!world->model.people[i].exists || draw(world, 2) == 0)
            continue;
        rows[count++] = (struct openings_row){.citizen = world_id(world, i, &world->model),
                                              .n = ++world->next.people[i].head,
                                              .index = index,
                                              .time_ms = WORLD_NOW_S * 1000LL,
                                              .leaf = {(uint8_t)(index + 1)},
                                              .sealed = BYTES("sealed")};
        index++;
    }
    if (count == 0)
        return world->expected;
    world->next.position = index;
    return decide(world) ? openings_add(world->store, rows, count, index, err) : world->expected;
}

/* --- The control store ---------------------------------------------------------------------- */

static enum vault_code step_account(struct world *world, struct vault_error *err)
{
    const size_t at = draw_person(world);
    struct account account = {.citizen = world_id(world, at, &world->model)};
    struct world_person *person = &world->next.people[at];
    const unsigned what = (unsigned)draw(world, 3);
    world_login(world, at, &world->model, account.login);
    if (!person->exists || (what > 0 && !person->has_account))
        expect(world, VAULT_NOT_FOUND);
    else if (what == 0 && person->has_account)
        expect(world, VAULT_CONFLICT);
    else if (what == 0)
        person->has_account = true;
    else
        person->failed_tries = what == 1 ? person->failed_tries + 1 : 0;
    if (!decide(world))
        return world->expected;
    if (what == 0)
        return account_add(world->store, &account, err);
    return what == 1 ? account_failed(world->store, &account.citizen, WORLD_NOW_S, err)
                     : account_succeeded(world->store, &account.citizen, err);
}

static enum vault_code step_session(struct world *world, struct vault_error *err)
{
    const size_t at = draw_person(world);
    const unsigned token = (unsigned)draw(world, WORLD_TOKENS);
    const unsigned what = (unsigned)draw(world, 4);
    struct session session = {.citizen = world_id(world, at, &world->model),
                              .created_s = WORLD_NOW_S};
    struct world_person *person = &world->next.people[at];
    world_token(world, at, token, session.token_hash);
    if (what == 0) {
        person->sessions &= ~(1U << token);
        return decide(world) ? session_remove(world->store, session.token_hash, err)
                             : world->expected;
    }
    if (what == 1) {
        person->sessions &= 1U << token;
        return decide(world)
                   ? session_remove_all(world->store, &session.citizen, session.token_hash, err)
                   : world->expected;
    }
    const bool there = person->sessions >> token & 1;
    person->sessions |= 1U << token;
    if (!person->exists || there)
        expect(world, person->exists ? VAULT_CONFLICT : VAULT_NOT_FOUND);
    return decide(world) ? session_add(world->store, &session, err) : world->expected;
}

static enum vault_code step_setting(struct world *world, struct vault_error *err)
{
    char names[2][WORLD_TEXT_CHARS];
    char text[WORLD_TEXT_CHARS];
    struct setting settings[2];
    const size_t at = (size_t)draw(world, WORLD_SETTINGS);
    const size_t also = (at + 1) % WORLD_SETTINGS;
    const uint32_t number = 1 + (uint32_t)draw(world, 1000);
    const unsigned what = (unsigned)draw(world, 3);
    const struct citizen_value value = world_value(0, number, text);
    world_setting(world, at, names[0]);
    world_setting(world, also, names[1]);
    settings[0] = (struct setting){names[0], value.json};
    settings[1] = (struct setting){names[1], value.json};
    if (what == 2) {
        int64_t now = 0;
        world->next.counter += number;
        return decide(world)
                   ? setting_count(world->store, world_counter(world, names[0]), number, &now, err)
                   : world->expected;
    }
    world->next.settings[at] = what ? number : 0;
    if (what)
        world->next.settings[also] = number;
    if (!decide(world))
        return world->expected;
    return what ? setting_put(world->store, settings, 2, err)
                : setting_remove(world->store, names[0], err);
}

static enum vault_code step_service(struct world *world, struct vault_error *err)
{
    char id[WORLD_TEXT_CHARS];
    const unsigned what = (unsigned)draw(world, 3);
    const enum control_service_state states[] = {CONTROL_SERVICE_ACTIVE, CONTROL_SERVICE_ACTIVE,
                                                 CONTROL_SERVICE_SUSPENDED};
    const struct control_service service = {world_service(world, id), BYTES("{}"),
                                            CONTROL_SERVICE_ACTIVE};
    const bool there = world->model.service != 0;
    world->next.service = states[what];
    if (there == (what == 0))
        expect(world, there ? VAULT_CONFLICT : VAULT_NOT_FOUND);
    if (!decide(world))
        return world->expected;
    return what ? control_service_set_state(world->store, id, states[what], err)
                : control_service_add(world->store, &service, err);
}

static enum vault_code step_request(struct world *world, struct vault_error *err)
{
    char service[WORLD_TEXT_CHARS];
    struct request request = {.created_s = WORLD_NOW_S, .expires_s = WORLD_NOW_S + 3600};
    const size_t slot = (size_t)draw(world, WORLD_REQUESTS);
    struct world_request *next = &world->next.requests[slot];
    if (next->state != REQUEST_PENDING) {
        next->number++;
        next->state = REQUEST_PENDING;
        next->claimant = -1;
    } else if (draw(world, 2) == 0) {
        next->state = REQUEST_CANCELLED;
    } else {
        return world_claim(world, slot, (size_t)draw(world, WORLD_PEOPLE), err);
    }
    world_request(world, slot, next, &request);
    snprintf(request.service, sizeof request.service, "%s", world_service(world, service));
    const bool adds = next->state == REQUEST_PENDING;
    struct citizen_id claimant = {{0}};
    if (next->claimant >= 0)
        claimant = world_id(world, (size_t)next->claimant, &world->model);
    if (!world->model.service)
        expect(world, VAULT_NOT_FOUND);
    if (!decide(world))
        return world->expected;
    return adds ? request_add(world->store, &request, BYTES("{}"), err)
                : request_cancel(world->store, request.id, request.service,
                                 next->claimant < 0 ? NULL : &claimant, err);
}

enum vault_code world_claim(struct world *world, size_t slot, size_t at, struct vault_error *err)
{
    struct request request;
    struct world_request *next = &world->next.requests[slot];
    const struct citizen_id id = world_id(world, at, &world->model);
    const bool claimed = next->claimant >= 0;
    world_request(world, slot, next, &request);
    if (!claimed && world->model.people[at].exists)
        next->claimant = (int)at;
    else if (next->claimant == (int)at)
        next->state = REQUEST_GRANTED;
    else
        expect(world, VAULT_NOT_FOUND);
    if (!decide(world))
        return world->expected;
    return claimed ? request_answer(world->store, request.id, &id, REQUEST_GRANTED, 1, err)
                   : request_claim(world->store, request.id, &id, err);
}

/* --- Steps ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum vault_code (*make)(struct world *world, struct vault_error *err);
} steps[] = {
    {"create", step_create},   {"erase", step_erase},       {"rekey", step_rekey},
    {"hold", step_hold},       {"change", step_change},     {"hold", step_hold},
    {"change", step_change},   {"openings", step_openings}, {"account", step_account},
    {"session", step_session}, {"setting", step_setting},   {"service", step_service},
    {"request", step_request}, {"request", step_request},
};

void world_begin(struct world *world, struct store *with, unsigned number, uint64_t seed)
{
    *world =
        (struct world){.store = with, .number = number, .random = (seed << 8 | number) * 2 + 1};
    for (size_t i = 0; i < WORLD_REQUESTS; i++)
        world->model.requests[i].claimant = -1;
}

enum vault_code world_step(struct world *world, struct vault_error *err)
{
    const size_t at = (size_t)draw(world, sizeof steps / sizeof steps[0]);
    world->step = steps[at].name;
    world->next = world->model;
    world->expected = VAULT_OK;
    world->was_decided = false;
    const enum vault_code code = steps[at].make(world, err);
    if (code == world->expected)
        world->model = world->next;
    return code;
}
