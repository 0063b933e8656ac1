#include "guardian_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "age.h"
#include "parts.h"
#include "vault/base/codec.h"
#include "vault/base/json.h"

#define DEPTH_MAX       2
#define RECORD_BYTES    2048
#define BASIS_BYTES_MAX 64
#define WHAT_BYTES_MAX  512

static const char *const events[GUARDIAN_EVENT_COUNT] = {
    [GUARDIAN_ADD] = "add",
    [GUARDIAN_USE] = "use",
    [GUARDIAN_REMOVE] = "remove",
};

/* --- What is remembered --------------------------------------------------------------------- */

const struct guardianship *guardianship_with(const struct person *person, bool is_minor,
                                             const struct citizen_id *other)
{
    for (size_t i = 0; i < person->guardianship_count; i++) {
        const struct guardianship *one = &person->guardianships[i];
        if (one->is_minor == is_minor && citizen_id_equal(&one->other, other))
            return one;
    }
    return NULL;
}

const struct guardianship *guardianship_of(const struct person *person, bool is_minor,
                                           const char *id)
{
    for (size_t i = 0; i < person->guardianship_count; i++) {
        const struct guardianship *one = &person->guardianships[i];
        if (one->is_minor == is_minor && strcmp(one->id, id) == 0)
            return one;
    }
    return NULL;
}

bool guardianship_is_over(const struct guardianship *one, int64_t now_s)
{
    return !one->is_minor && age_at(one->born, now_s) == AGE_ADULT;
}

/* Only those that stand are remembered: the last takes the place of one that does not. */
static void forget(struct person *person, size_t i)
{
    person->guardianships[i] = person->guardianships[--person->guardianship_count];
}

static enum vault_code remember(struct person *person, const struct guardianship *next,
                                struct vault_error *err)
{
    for (size_t i = 0; i < person->guardianship_count; i++) {
        if (person->guardianship_count == GUARDIANSHIPS_MAX &&
            guardianship_is_over(&person->guardianships[i], next->at_s))
            forget(person, i);
    }
    if (person->guardianship_count == GUARDIANSHIPS_MAX)
        return vault_fail(err, VAULT_LIMITED, "too many guardianships of one citizen");
    person->guardianships[person->guardianship_count++] = *next;
    return VAULT_OK;
}

static enum vault_code read_record(struct bytes json, struct guardianship *out,
                                   struct vault_error *err) VAULT_MUST_CHECK;

enum vault_code guardianship_apply(struct person *person, const struct citizen_record *record,
                                   struct vault_error *err)
{
    struct guardianship next;
    VAULT_TRY(read_record(record->json, &next, err));
    if (!person->guardianships) {
        person->guardianships = calloc(GUARDIANSHIPS_MAX, sizeof *person->guardianships);
        if (!person->guardianships)
            return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    }
    const struct guardianship *before = guardianship_with(person, next.is_minor, &next.other);
    if (before && next.event == GUARDIAN_USE) {
        person->guardianships[before - person->guardianships] = next;
        return VAULT_OK;
    }
    if (before)
        forget(person, (size_t)(before - person->guardianships));
    return next.event == GUARDIAN_ADD ? remember(person, &next, err) : VAULT_OK;
}

/* --- JSON ----------------------------------------------------------------------------------- */

static bool read_event(const json_t *value, enum guardian_event *out)
{
    int i = 0;
    while (i < GUARDIAN_EVENT_COUNT && !bytes_equal(bytes_of_text(events[i]), json_text(value)))
        i++;
    *out = (enum guardian_event)i;
    return i < GUARDIAN_EVENT_COUNT;
}

/* What only one of the two files has. */
static bool read_side(const json_t *root, struct guardianship *out)
{
    const json_t *is_minor = json_object_get(root, "minor");
    out->is_minor = json_is_true(is_minor);
    if (out->is_minor)
        return json_copy_text(json_object_get(root, "name"), out->name, sizeof out->name) &&
               out->name[0];
    return json_is_false(is_minor) &&
           date_parse(json_text(json_object_get(root, "born")), &out->born, NULL) == VAULT_OK;
}

static bool read_members(const json_t *root, struct guardianship *out)
{
    return read_event(json_object_get(root, "event"), &out->event) && read_side(root, out) &&
           json_copy_text(json_object_get(root, "id"), out->id, sizeof out->id) && out->id[0] &&
           hex_decode_exact(out->other.bytes, sizeof out->other.bytes,
                            json_text(json_object_get(root, "other")), NULL) == VAULT_OK &&
           json_copy_integer(json_object_get(root, "since"), 0, &out->since_s) &&
           json_copy_integer(json_object_get(root, "at"), 0, &out->at_s);
}

static enum vault_code read_record(struct bytes json, struct guardianship *out,
                                   struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    struct guardianship read = {0};
    const enum vault_code code = json_parse(json, DEPTH_MAX, &root, NULL, err);
    if (code == VAULT_NO_MEMORY)
        return code;
    if (code || !read_members(root, &read))
        return vault_fail(err, VAULT_CORRUPT, "a guardianship's record cannot be read");
    *out = read;
    return VAULT_OK;
}

void guardianship_write(struct buf *out, const struct guardianship *one)
{
    char other[HEX_CHARS(CITIZEN_ID_BYTES) + 1];
    char born[DATE_CHARS + 1];
    hex_string(other, one->other.bytes, sizeof one->other.bytes);
    buf_format(out, "{\"event\":\"%s\",\"id\":", events[one->event]);
    json_write_string(out, bytes_of_text(one->id));
    buf_format(out, ",\"minor\":%s,\"other\":\"%s\",\"since\":%lld,\"at\":%lld",
               one->is_minor ? "true" : "false", other, (long long)one->since_s,
               (long long)one->at_s);
    if (one->is_minor) {
        buf_text(out, ",\"name\":");
        json_write_string(out, bytes_of_text(one->name));
    } else {
        date_format(born, one->born);
        buf_format(out, ",\"born\":\"%s\"", born);
    }
    buf_byte(out, '}');
}

enum vault_code guardianship_export(struct buf *out, struct bytes json, struct vault_error *err)
{
    struct guardianship one;
    VAULT_TRY(read_record(json, &one, err));
    buf_text(out, "{\"id\":");
    json_write_string(out, bytes_of_text(one.id));
    buf_format(out, ",\"event\":\"%s\",\"side\":\"%s\",\"since\":%lld,\"at\":%lld",
               events[one.event], one.is_minor ? "minor" : "guardian", (long long)one.since_s,
               (long long)one.at_s);
    if (one.is_minor) {
        buf_text(out, ",\"name\":");
        json_write_string(out, bytes_of_text(one.name));
    }
    buf_byte(out, '}');
    return buf_check(out, err);
}

enum vault_code guardianship_store(struct vault *vault, struct citizen *citizen,
                                   struct person *person, const struct guardianship *next,
                                   struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(RECORD_BYTES);
    guardianship_write(&json, next);
    VAULT_TRY(buf_check(&json, err));
    const struct person_event event = {PERSON_GUARDIAN_KIND, next->id, buf_view(&json)};
    return person_record(vault, citizen, person, &event, NULL, ticket, err);
}

/* --- The entry ------------------------------------------------------------------------------ */

/* Whose guardian, for the one; by whom, for the other: "guardian add" and the name, "minor add". */
enum vault_code guardianship_enter(struct vault *vault, const struct citizen *citizen,
                                   struct event_chain *chain, struct bytes json,
                                   struct ledger_ticket *ticket, struct vault_error *err)
{
    struct guardianship one;
    char by[ACTOR_TEXT_BYTES] = "operator";
    VAULT_AUTO(buf_finish) struct buf basis = buf_limited(BASIS_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf what = buf_limited(WHAT_BYTES_MAX);
    VAULT_TRY(read_record(json, &one, err));
    buf_format(&basis, GUARDIAN_BASIS "%s", one.id);
    buf_format(&what, "%s %s", one.is_minor ? "guardian" : "minor", events[one.event]);
    if (one.is_minor)
        buf_format(&what, "\n%s", one.name);
    if (one.event == GUARDIAN_USE)
        snprintf(by, sizeof by, "guardian %s", one.name);
    VAULT_TRY(buf_check(&basis, err));
    VAULT_TRY(buf_check(&what, err));
    const struct event event = {.kind = ENTRY_MANDATE,
                                .actor = bytes_of_text(by),
                                .basis = buf_view(&basis),
                                .what = buf_view(&what)};
    return event_of_citizen(vault, citizen, &event, chain, ticket, err);
}
