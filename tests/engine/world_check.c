#include <stdio.h>
#include <string.h>

#include "vault/store/account.h"
#include "vault/store/citizen_record.h"
#include "vault/store/citizen_value.h"
#include "vault/store/control_citizen.h"
#include "vault/store/openings.h"
#include "vault/store/session.h"
#include "vault/store/setting.h"
#include "world_names.h"

static struct citizen_id id_of_life(const struct world *world, size_t at, unsigned life)
{
    return (struct citizen_id){
        {0xc1, (uint8_t)world->number, (uint8_t)at, (uint8_t)life, (uint8_t)(life >> 8)}};
}

struct citizen_id world_id(const struct world *world, size_t at, const struct world_model *model)
{
    return id_of_life(world, at, at < WORLD_PEOPLE ? model->people[at].life : 0);
}

struct citizen_value world_value(size_t field, uint32_t number, char text[WORLD_TEXT_CHARS])
{
    static const char *const names[WORLD_FIELDS] = {"test.a", "test.b", "test.c", "test.d"};
    snprintf(text, WORLD_TEXT_CHARS, "%u", number);
    return (struct citizen_value){names[field], bytes_of_text(text), WORLD_NOW_S, "test"};
}

void world_login(const struct world *world, size_t at, const struct world_model *model,
                 char out[WORLD_TEXT_CHARS])
{
    snprintf(out, WORLD_TEXT_CHARS, "testine-%u-%zu-%u", world->number, at, model->people[at].life);
}

void world_token(const struct world *world, size_t at, unsigned token, uint8_t out[SHA256_BYTES])
{
    memset(out, 0, SHA256_BYTES);
    out[0] = (uint8_t)world->number;
    out[1] = (uint8_t)at;
    out[2] = (uint8_t)(token + 1);
}

void world_setting(const struct world *world, size_t at, char out[WORLD_TEXT_CHARS])
{
    snprintf(out, WORLD_TEXT_CHARS, "test.%u.%zu", world->number, at);
}

const char *world_counter(const struct world *world, char out[WORLD_TEXT_CHARS])
{
    snprintf(out, WORLD_TEXT_CHARS, "test.%u.count", world->number);
    return out;
}

const char *world_service(const struct world *world, char out[WORLD_TEXT_CHARS])
{
    snprintf(out, WORLD_TEXT_CHARS, "service-%u", world->number);
    return out;
}

void world_request(const struct world *world, size_t slot, const struct world_request *request,
                   struct request *out)
{
    snprintf(out->id, sizeof out->id, "r-%u-%zu-%u", world->number, slot, request->number);
    memset(out->code_hash, 0, sizeof out->code_hash);
    out->code_hash[0] = (uint8_t)world->number;
    out->code_hash[1] = (uint8_t)slot;
    memcpy(out->code_hash + 2, &request->number, sizeof request->number);
}

/* --- What the store holds ------------------------------------------------------------------- */

struct comparison {
    const struct world *world;
    const struct world_model *model;
    char *difference;
};

static bool differs(const struct comparison *with, const char *what, size_t at, long long wanted,
                    long long got)
{
    if (wanted == got)
        return false;
    snprintf(with->difference, 128, "%s %zu: %lld, not %lld", what, at, got, wanted);
    return true;
}

static bool same_values(const struct comparison *with, size_t at, struct citizen *citizen)
{
    const struct world_person *person = &with->model->people[at];
    for (size_t i = 0; i < WORLD_FIELDS; i++) {
        char text[WORLD_TEXT_CHARS];
        const struct citizen_value value = world_value(i, person->value[i], text);
        struct citizen_value_about about = {0};
        VAULT_AUTO(buf_finish) struct buf json = buf_limited(WORLD_TEXT_CHARS);
        const enum vault_code code = citizen_value_get(citizen, value.field, &json, &about, NULL);
        if (differs(with, "a value's code of", at, person->version[i] ? VAULT_OK : VAULT_NOT_FOUND,
                    code) ||
            differs(with, "a value's version of", at, person->version[i], about.version))
            return false;
        if (code == VAULT_OK && !bytes_equal(buf_view(&json), value.json))
            return !differs(with, "a value of", at, 0, 1);
    }
    return true;
}

static bool same_citizen(const struct comparison *with, size_t at)
{
    const struct world_person *person = &with->model->people[at];
    const struct citizen_id id = world_id(with->world, at, with->model);
    uint64_t records = 0;
    uint64_t log_n = 0;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    if (differs(with, "holding", at, VAULT_OK,
                citizen_acquire(with->world->store, &id, &citizen, NULL)) ||
        differs(with, "existence of", at, person->exists, citizen_exists(citizen)))
        return false;
    if (citizen_record_count(citizen, &records, NULL) || citizen_log_n_max(citizen, &log_n, NULL))
        return !differs(with, "counting records of", at, 0, 1);
    return !differs(with, "records of", at, (long long)person->records, (long long)records) &&
           !differs(with, "log_n of", at, (long long)person->log_n, (long long)log_n) &&
           same_values(with, at, citizen);
}

/* Who was erased stays away: the next life has another id. */
static bool stays_erased(const struct comparison *with, size_t at)
{
    const unsigned life = with->model->people[at].life;
    if (life == 0)
        return true;
    struct control_citizen found;
    const struct citizen_id id = id_of_life(with->world, at, life - 1);
    return !differs(with, "knowing whoever was before", at, VAULT_NOT_FOUND,
                    control_citizen_find(with->world->store, &id, &found, NULL));
}

static bool same_control(const struct comparison *with, size_t at)
{
    struct store *held = with->world->store;
    const struct world_person *person = &with->model->people[at];
    const struct citizen_id id = world_id(with->world, at, with->model);
    struct control_citizen found = {0};
    struct account account = {0};
    uint8_t leaf[SHA256_BYTES];
    uint64_t head = 0;
    const enum vault_code known = control_citizen_find(held, &id, &found, NULL);
    const enum vault_code login = account_of_citizen(held, &id, &account, NULL);
    if (differs(with, "knowing", at, person->exists ? VAULT_OK : VAULT_NOT_FOUND, known) ||
        differs(with, "key of", at, person->key_version, found.key_version) ||
        differs(with, "account of", at, person->has_account ? VAULT_OK : VAULT_NOT_FOUND, login) ||
        differs(with, "failed tries of", at, person->failed_tries, account.failed_tries))
        return false;
    for (unsigned i = 0; i < WORLD_TOKENS; i++) {
        struct session session;
        uint8_t token[SHA256_BYTES];
        world_token(with->world, at, i, token);
        const bool there = person->sessions >> i & 1;
        if (differs(with, "a session of", at, there ? VAULT_OK : VAULT_NOT_FOUND,
                    session_find(held, token, &session, NULL)))
            return false;
    }
    return !differs(with, "head's code of", at, VAULT_OK,
                    openings_head(held, &id, &head, leaf, NULL)) &&
           !differs(with, "head of", at, (long long)person->head, (long long)head);
}

static bool same_settings(const struct comparison *with)
{
    for (size_t i = 0; i < WORLD_SETTINGS; i++) {
        char name[WORLD_TEXT_CHARS];
        char text[WORLD_TEXT_CHARS];
        const uint32_t number = with->model->settings[i];
        VAULT_AUTO(buf_finish) struct buf value = buf_limited(WORLD_TEXT_CHARS);
        world_setting(with->world, i, name);
        world_value(0, number, text);
        const enum vault_code code = setting_get(with->world->store, name, &value, NULL);
        if (differs(with, "a setting's code", i, number ? VAULT_OK : VAULT_NOT_FOUND, code) ||
            (number && differs(with, "setting", i, 0, strcmp(buf_string(&value), text))))
            return false;
    }
    char name[WORLD_TEXT_CHARS];
    int64_t count = 0;
    const enum vault_code code =
        setting_count(with->world->store, world_counter(with->world, name), 0, &count, NULL);
    return !differs(with, "a counter's code", 0, VAULT_OK, code) &&
           !differs(with, "counter", 0, with->model->counter, count);
}

static bool same_requests(const struct comparison *with)
{
    char id[WORLD_TEXT_CHARS];
    enum control_service_state state = 0;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(WORLD_TEXT_CHARS);
    const enum vault_code there = control_service_get(
        with->world->store, world_service(with->world, id), &json, &state, NULL);
    if (differs(with, "a service's code", 0, with->model->service ? VAULT_OK : VAULT_NOT_FOUND,
                there) ||
        differs(with, "a service's state", 0, with->model->service, state))
        return false;
    for (size_t i = 0; i < WORLD_REQUESTS; i++) {
        const struct world_request *wanted = &with->model->requests[i];
        struct request request = {0};
        world_request(with->world, i, wanted, &request);
        request.state = 0;
        const enum vault_code code =
            request_get(with->world->store, request.id, &request, NULL, NULL);
        if (differs(with, "a request's code", i, wanted->state ? VAULT_OK : VAULT_NOT_FOUND,
                    code) ||
            differs(with, "a request's state", i, wanted->state, request.state) ||
            (code == VAULT_OK &&
             differs(with, "a request's claim", i, wanted->claimant >= 0, request.claimed)))
            return false;
    }
    return true;
}

bool world_holds(const struct world *world, const struct world_model *model, char difference[128])
{
    const struct comparison with = {world, model, difference};
    uint64_t position = 0;
    for (size_t i = 0; i < WORLD_PEOPLE; i++) {
        if (!same_citizen(&with, i) || !same_control(&with, i) || !stays_erased(&with, i))
            return false;
    }
    if (world->number == 0 &&
        (differs(&with, "the position's code", 0, VAULT_OK,
                 openings_position(world->store, &position, NULL)) ||
         differs(&with, "position", 0, (long long)model->position, (long long)position)))
        return false;
    return same_settings(&with) && same_requests(&with);
}
