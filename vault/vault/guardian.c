#include "vault/vault/guardian.h"

#include <stdio.h>
#include <string.h>

#include "age.h"
#include "guardian_law.h"
#include "half.h"
#include "parts.h"
#include "stop.h"
#include "vault/base/json.h"
#include "vault/store/citizen_value.h"
#include "vault/vault/ulid.h"

#define SECONDS_PER_DAY 86400
#define NAME_JSON_BYTES 1024

static enum vault_code not_found(struct vault_error *err)
{
    return vault_fail(err, VAULT_NOT_FOUND, "there is no such guardianship");
}

/* --- Names ---------------------------------------------------------------------------------- */

/* Append a value that is a text, as one line. Nothing if there is none. */
static enum vault_code add_name(struct citizen *citizen, const char *field, struct buf *out,
                                struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(CITIZEN_VALUE_MAX_BYTES);
    VAULT_AUTO(json_free) json_t *value = NULL;
    const enum vault_code code = citizen_value_get(citizen, field, &json, NULL, err);
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    VAULT_TRY(json_parse(buf_view(&json), 1, &value, NULL, err));
    const struct bytes text = json_text(value);
    if (out->size && text.size)
        buf_byte(out, ' ');
    for (size_t i = 0; i < text.size; i++)
        buf_byte(out, text.data[i] < 0x20 || text.data[i] == 0x7f ? ' ' : text.data[i]);
    return VAULT_OK;
}

/* What the held citizen is called: both names, or the one that there is. Empty: none. */
static enum vault_code read_name(struct citizen *citizen, char out[GUARDIAN_NAME_BYTES + 1],
                                 struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf name = buf_limited(NAME_JSON_BYTES);
    out[0] = 0;
    VAULT_TRY(add_name(citizen, "identity.given_name", &name, err));
    VAULT_TRY(add_name(citizen, "identity.family_name", &name, err));
    if (name.size == 0)
        VAULT_TRY(add_name(citizen, "identity.name", &name, err));
    /* One that is too long is cut between two characters of UTF-8. */
    size_t size = name.size < GUARDIAN_NAME_BYTES ? name.size : GUARDIAN_NAME_BYTES;
    while (size && size < name.size && (name.data[size] & 0xc0) == 0x80)
        size--;
    if (size)
        memcpy(out, name.data, size);
    out[size] = 0;
    return VAULT_OK;
}

/* --- Registering ---------------------------------------------------------------------------- */

/* Both sides are held one after the other, never at once (citizen.h). */
struct adding {
    struct vault *vault;
    const struct citizen_id *minor;
    const struct citizen_id *guardian;
    struct guardianship as_minor;    /* in the minor's file */
    struct guardianship as_guardian; /* in the guardian's */
    bool minor_has;                  /* stands there already */
    struct ledger_ticket ticket;
};

static enum vault_code check_records(struct citizen *citizen, struct vault_error *err)
{
    uint64_t records = 0;
    VAULT_TRY(citizen_record_count(citizen, &records, err));
    if (records >= CITIZEN_RECORDS_SOFT_MAX) /* there must be room left to withdraw */
        return vault_fail(err, VAULT_LIMITED, "too many records for one citizen");
    return VAULT_OK;
}

static enum vault_code check_place(struct vault *vault, const struct person *person, bool is_minor,
                                   struct vault_error *err)
{
    size_t count = 0;
    VAULT_TRY(guardian_law_count(vault, person, is_minor, &count, err));
    if (count < (is_minor ? GUARDIANS_MAX : GUARDIAN_MINORS_MAX))
        return VAULT_OK;
    return is_minor ? vault_fail(err, VAULT_LIMITED, "a minor has %d guardians at the most",
                                 GUARDIANS_MAX)
                    : vault_fail(err, VAULT_LIMITED, "a guardian has %d minors at the most",
                                 GUARDIAN_MINORS_MAX);
}

/* Those of whom one side was erased count for nothing, but are remembered: what could not be
 * remembered beside them could not be read again. */
static enum vault_code end_gone(struct vault *vault, struct citizen *citizen, struct person *person,
                                struct ledger_ticket *ticket, struct vault_error *err)
{
    for (size_t i = person->guardianship_count; i-- > 0;) {
        bool stands = false;
        struct guardianship next = person->guardianships[i];
        VAULT_TRY(guardian_law_stands(vault, &next, &stands, err));
        if (stands)
            continue;
        next.event = GUARDIAN_REMOVE;
        next.at_s = clock_now_s(&vault->options.clock);
        VAULT_TRY(guardianship_store(vault, citizen, person, &next, ticket, err));
    }
    return VAULT_OK;
}

static enum vault_code look_at_minor(struct adding *adding, struct vault_error *err)
{
    bool known = false;
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    const int64_t now_s = adding->as_minor.at_s;
    VAULT_TRY(person_hold_existing(adding->vault, adding->minor, &citizen, &person, err));
    VAULT_TRY(age_born(citizen, &adding->as_guardian.born, &known, err));
    if (!known)
        return vault_fail(err, VAULT_CONFLICT, "the minor has no birth date in the vault");
    if (age_at(adding->as_guardian.born, now_s) == AGE_ADULT)
        return vault_fail(err, VAULT_CONFLICT, "the minor is of age, and has no guardian");
    const struct guardianship *one = guardianship_with(person, true, adding->guardian);
    adding->minor_has = one != NULL;
    if (one)
        memcpy(adding->as_minor.id, one->id, sizeof one->id);
    else
        VAULT_TRY(check_place(adding->vault, person, true, err));
    return check_records(citizen, err);
}

static enum vault_code check_guardian(struct adding *adding, struct citizen *citizen,
                                      struct vault_error *err)
{
    enum age age;
    VAULT_TRY(age_of(citizen, adding->as_minor.at_s, &age, err));
    if (age != AGE_ADULT)
        return vault_fail(err, VAULT_CONFLICT,
                          "a guardian is of age, by the birth date in the vault");
    VAULT_TRY(read_name(citizen, adding->as_minor.name, err));
    if (!adding->as_minor.name[0])
        return vault_fail(err, VAULT_CONFLICT, "the guardian has no name in the vault");
    return check_records(citizen, err);
}

/* The guardian's file first: what stands there alone means nothing. */
static enum vault_code add_to_guardian(struct adding *adding, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(adding->vault, adding->guardian, &citizen, &person, err));
    VAULT_TRY(check_guardian(adding, citizen, err));
    const struct guardianship *one = guardianship_with(person, false, adding->minor);
    if (one && adding->minor_has && strcmp(one->id, adding->as_minor.id) == 0)
        return VAULT_OK;
    if (!one)
        VAULT_TRY(check_place(adding->vault, person, false, err));
    VAULT_TRY(end_gone(adding->vault, citizen, person, &adding->ticket, err));
    return guardianship_store(adding->vault, citizen, person, &adding->as_guardian, &adding->ticket,
                              err);
}

static enum vault_code add_to_minor(struct adding *adding, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(adding->vault, adding->minor, &citizen, &person, err));
    /* Somebody else may have been added meanwhile. */
    VAULT_TRY(check_place(adding->vault, person, true, err));
    VAULT_TRY(end_gone(adding->vault, citizen, person, &adding->ticket, err));
    return guardianship_store(adding->vault, citizen, person, &adding->as_minor, &adding->ticket,
                              err);
}

enum vault_code guardian_add(struct vault *vault, const struct citizen_id *minor,
                             const struct citizen_id *guardian, struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    struct adding adding = {.vault = vault, .minor = minor, .guardian = guardian};
    adding.as_minor = (struct guardianship){.is_minor = true, .other = *guardian};
    adding.as_guardian = (struct guardianship){.is_minor = false, .other = *minor};
    if (citizen_id_equal(minor, guardian))
        return vault_fail(err, VAULT_INVALID, "nobody is their own guardian");
    ulid_new(adding.as_minor.id, clock_now_ms(&vault->options.clock));
    adding.as_minor.at_s = adding.as_minor.since_s = now_s;
    adding.as_guardian.at_s = adding.as_guardian.since_s = now_s;
    VAULT_TRY(look_at_minor(&adding, err));
    memcpy(adding.as_guardian.id, adding.as_minor.id, sizeof adding.as_guardian.id);
    VAULT_TRY(add_to_guardian(&adding, err));
    if (!adding.minor_has)
        VAULT_TRY(add_to_minor(&adding, err));
    return adding.ticket.time_ms ? ledger_wait(vault->ledger, &adding.ticket, err) : VAULT_OK;
}

/* One side of it. */
static enum vault_code remove_from(struct vault *vault, const struct citizen_id *id, bool is_minor,
                                   const struct citizen_id *other, struct ledger_ticket *ticket,
                                   struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    const struct guardianship *one = guardianship_with(person, is_minor, other);
    if (!one)
        return VAULT_OK;
    struct guardianship next = *one;
    next.event = GUARDIAN_REMOVE;
    next.at_s = clock_now_s(&vault->options.clock);
    return guardianship_store(vault, citizen, person, &next, ticket, err);
}

/* The minor's file first: that is what counts, and it is told whatever becomes of the guardian's,
 * who may have been erased. */
enum vault_code guardian_remove(struct vault *vault, const struct citizen_id *minor,
                                const struct citizen_id *guardian, struct vault_error *err)
{
    struct ledger_ticket ticket = {0};
    VAULT_TRY(remove_from(vault, minor, true, guardian, &ticket, err));
    const enum vault_code code = remove_from(vault, guardian, false, minor, &ticket, err);
    if (ticket.time_ms)
        VAULT_TRY(ledger_wait(vault->ledger, &ticket, err));
    return code == VAULT_NOT_FOUND ? VAULT_OK : code;
}

/* --- The minor's side ----------------------------------------------------------------------- */

enum vault_code guardian_list(struct vault *vault, const struct citizen_id *minor,
                              guardian_each *each, void *context, struct vault_error *err)
{
    enum age age;
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, minor, &citizen, &person, err));
    VAULT_TRY(age_of(citizen, clock_now_s(&vault->options.clock), &age, err));
    if (age == AGE_ADULT || age == AGE_UNKNOWN)
        return VAULT_OK;
    for (size_t i = 0; i < person->guardianship_count; i++) {
        const struct guardianship *one = &person->guardianships[i];
        bool stands = false;
        if (!one->is_minor)
            continue;
        VAULT_TRY(guardian_law_stands(vault, one, &stands, err));
        if (!stands)
            continue;
        struct guardian guardian = {.citizen = one->other, .since_s = one->since_s};
        memcpy(guardian.id, one->id, sizeof guardian.id);
        memcpy(guardian.name, one->name, sizeof guardian.name);
        VAULT_TRY(each(context, &guardian, err));
    }
    return VAULT_OK;
}

static void fill_half(const struct half *half, struct guardian_half *out)
{
    static const char kind[] = "guardian ";
    *out = (struct guardian_half){
        .by_guardian = half->guardian[0] != 0, .days = half->days, .expires_s = half->expires_s};
    memcpy(out->service, half->service, sizeof out->service);
    memcpy(out->purpose, half->purpose, sizeof out->purpose);
    memcpy(out->request, half->request, sizeof out->request);
    if (out->by_guardian && strncmp(half->by, kind, sizeof kind - 1) == 0)
        snprintf(out->name, sizeof out->name, "%.*s", GUARDIAN_NAME_BYTES,
                 half->by + sizeof kind - 1);
}

enum vault_code guardian_ask(struct vault *vault, const struct citizen_id *minor,
                             const char *request, struct guardian_rule *rule, bool *waits,
                             struct guardian_half *half, struct vault_error *err)
{
    const struct half *found = NULL;
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, minor, &citizen, &person, err));
    VAULT_TRY(guardian_law_both(vault, citizen, person, &rule->both, err));
    VAULT_TRY(guardian_law_count(vault, person, true, &rule->count, err));
    VAULT_TRY(half_of_request(vault, person, request, &found, err));
    *waits = found != NULL;
    if (found)
        fill_half(found, half);
    return VAULT_OK;
}

/* --- The guardian's side -------------------------------------------------------------------- */

/* The guardian's own memory of whom they are one for: where to look, no more. */
struct places {
    struct guardianship list[GUARDIANSHIPS_MAX];
    size_t count;
};

static enum vault_code read_places(struct vault *vault, const struct citizen_id *guardian,
                                   struct places *out, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, guardian, &citizen, &person, err));
    out->count = 0;
    for (size_t i = 0; i < person->guardianship_count; i++) {
        if (!person->guardianships[i].is_minor)
            out->list[out->count++] = person->guardianships[i];
    }
    return VAULT_OK;
}

/* The minor is held: what the guardian is to them today. VAULT_NOT_FOUND: nothing. */
static enum vault_code see(struct vault *vault, struct citizen *citizen,
                           const struct person *person, const struct citizen_id *guardian,
                           const char *id, struct guardian_minor *out, struct vault_error *err)
{
    enum age age;
    const struct guardianship *one = guardianship_of(person, true, id);
    if (!one || !citizen_id_equal(&one->other, guardian))
        return not_found(err);
    VAULT_TRY(age_of(citizen, clock_now_s(&vault->options.clock), &age, err));
    if (age != AGE_CHILD && age != AGE_YOUTH)
        return not_found(err);
    *out = (struct guardian_minor){.citizen = *citizen_id_of(citizen), .decides = age == AGE_CHILD};
    memcpy(out->id, one->id, sizeof out->id);
    return read_name(citizen, out->name, err);
}

/* The file cannot be read. Whether they may still withdraw, the guardian's own file says. */
static enum vault_code see_damaged(const struct vault *vault, const struct guardianship *place,
                                   struct guardian_minor *out, struct vault_error *err)
{
    if (age_at(place->born, clock_now_s(&vault->options.clock)) != AGE_CHILD)
        return not_found(err);
    *out = (struct guardian_minor){.citizen = place->other, .decides = true, .damaged = true};
    memcpy(out->id, place->id, sizeof out->id);
    return VAULT_OK;
}

static enum vault_code see_place(struct vault *vault, const struct citizen_id *guardian,
                                 const struct guardianship *place, struct guardian_minor *out,
                                 struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    enum vault_code code = person_hold_existing(vault, &place->other, &citizen, &person, err);
    if (code == VAULT_OK)
        code = see(vault, citizen, person, guardian, place->id, out, err);
    return stop_is_for(code) ? see_damaged(vault, place, out, err) : code;
}

enum vault_code guardian_list_minors(struct vault *vault, const struct citizen_id *guardian,
                                     guardian_each_minor *each, void *context,
                                     struct vault_error *err)
{
    struct places places;
    VAULT_TRY(read_places(vault, guardian, &places, err));
    for (size_t i = 0; i < places.count; i++) {
        struct guardian_minor minor;
        const enum vault_code code = see_place(vault, guardian, &places.list[i], &minor, err);
        if (code == VAULT_NOT_FOUND)
            continue;
        VAULT_TRY(code);
        VAULT_TRY(each(context, &minor, err));
    }
    return VAULT_OK;
}

static enum vault_code find_place(struct vault *vault, const struct citizen_id *guardian,
                                  const char *id, struct guardianship *out, struct vault_error *err)
{
    struct places places;
    VAULT_TRY(read_places(vault, guardian, &places, err));
    for (size_t i = 0; i < places.count; i++) {
        if (strcmp(places.list[i].id, id) == 0) {
            *out = places.list[i];
            return VAULT_OK;
        }
    }
    return not_found(err);
}

/* That they looked is entered once a day: few enough to leave room to withdraw, and withdrawing
 * begins with it. */
static enum vault_code enter_use(struct vault *vault, struct citizen *citizen,
                                 struct person *person, const char *id,
                                 struct ledger_ticket *ticket, struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    const struct guardianship *one = guardianship_of(person, true, id);
    if (!one ||
        (one->event == GUARDIAN_USE && one->at_s / SECONDS_PER_DAY == now_s / SECONDS_PER_DAY))
        return VAULT_OK;
    struct guardianship next = *one;
    next.event = GUARDIAN_USE;
    next.at_s = now_s;
    return guardianship_store(vault, citizen, person, &next, ticket, err);
}

static enum vault_code open_held(struct vault *vault, const struct citizen_id *guardian,
                                 const struct guardianship *place, struct guardian_seat *seat,
                                 struct guardian_minor *out, struct ledger_ticket *ticket,
                                 struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, &place->other, &citizen, &person, err));
    VAULT_TRY(see(vault, citizen, person, guardian, place->id, out, err));
    memcpy(seat->name, guardianship_of(person, true, place->id)->name, sizeof seat->name);
    return enter_use(vault, citizen, person, place->id, ticket, err);
}

enum vault_code guardian_open(struct vault *vault, const struct citizen_id *guardian,
                              const char *id, struct guardian_seat *seat,
                              struct guardian_minor *out, struct vault_error *err)
{
    struct guardianship place;
    struct ledger_ticket ticket = {0};
    VAULT_TRY(find_place(vault, guardian, id, &place, err));
    *seat = (struct guardian_seat){.citizen = *guardian};
    memcpy(seat->id, place.id, sizeof seat->id);
    const enum vault_code code = open_held(vault, guardian, &place, seat, out, &ticket, err);
    if (stop_is_for(code))
        return see_damaged(vault, &place, out, err);
    VAULT_TRY(code);
    return ticket.time_ms ? ledger_wait(vault->ledger, &ticket, err) : VAULT_OK;
}

enum vault_code guardian_withdraw(struct vault *vault, const struct citizen_id *guardian,
                                  const char *id, const char *service, const char *purpose,
                                  struct vault_error *err)
{
    struct guardian_minor minor;
    struct guardian_seat seat;
    const struct actor actor = {.mandate = id, .guardian = &seat};
    VAULT_TRY(guardian_open(vault, guardian, id, &seat, &minor, err));
    enum vault_code code = VAULT_CORRUPT;
    if (!minor.damaged && !service)
        return vault_fail(err, VAULT_INVALID, "a withdrawal names a service and a purpose");
    if (!minor.damaged)
        code = consent_change_by(vault, &minor.citizen, &actor, CONSENT_WITHDRAW, service, purpose,
                                 err);
    /* The file may have been found damaged only now; that they may, was seen just before. */
    if (!stop_is_for(code))
        return code == VAULT_DENIED ? not_found(err) : code;
    return minor.decides ? stop_add(vault, &minor.citizen, service, purpose, err) : not_found(err);
}
