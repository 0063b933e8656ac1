/*
 * Records of a citizen's file: lines of a kind, a space and JSON, in the order in which the file
 * has them. Each is taken into what is remembered of the citizen, and its entry made for the log
 * (which is answered by this file: --wrap in CMakeLists.txt).
 *
 * What is remembered stays within its limits; a record that is read is written back to the same;
 * and one that cannot be read for the one purpose cannot for the other.
 */
#include "fuzz_tools.h"

#include "vault/base/json.h"
#include "vault/consent_json.h"
#include "vault/correction_record.h"
#include "vault/guardian_record.h"
#include "vault/half.h"
#include "vault/mandate_record.h"
#include "vault/person_kind.h"
#include "vault/stance_json.h"

#define JSON_BYTES_MAX (64UL * 1024)
#define RECORDS_MAX    200U
#define WRITTEN_BYTES  (4 * JSON_BYTES_MAX)

enum vault_code __wrap_event_of_citizen(struct vault *vault, const struct citizen *citizen,
                                        const struct event *event, struct event_chain *chain,
                                        struct ledger_ticket *out, struct vault_error *err);

static size_t entered;

enum vault_code __wrap_event_of_citizen(struct vault *vault, const struct citizen *citizen,
                                        const struct event *event, struct event_chain *chain,
                                        struct ledger_ticket *out, struct vault_error *err)
{
    (void)vault;
    (void)citizen;
    (void)chain;
    (void)err;
    REQUIRE(event->kind < ENTRY_EVENT_COUNT);
    REQUIRE(event->what.size <= JSON_BYTES_MAX && event->basis.size <= JSON_BYTES_MAX);
    REQUIRE(!event->actor.size || !memchr(event->actor.data, 0, event->actor.size));
    *out = (struct ledger_ticket){.index = entered++};
    return VAULT_OK;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    return 0;
}

/* --- Written back ---------------------------------------------------------------------------- */

static void same_consent(struct bytes json)
{
    VAULT_AUTO(consent_finish) struct consent read = {0};
    VAULT_AUTO(consent_finish) struct consent again = {0};
    VAULT_AUTO(buf_finish) struct buf first = buf_limited(WRITTEN_BYTES);
    VAULT_AUTO(buf_finish) struct buf second = buf_limited(WRITTEN_BYTES);
    REQUIRE(consent_json_read(json, &read, NULL) == VAULT_OK);
    consent_json_write(&first, &read, NULL);
    REQUIRE(consent_json_read(buf_view(&first), &again, NULL) == VAULT_OK);
    consent_json_write(&second, &again, NULL);
    REQUIRE(bytes_equal(buf_view(&first), buf_view(&second)));
    REQUIRE(read.field_count == again.field_count && read.field_count <= CONSENT_FIELDS_MAX);
}

static void same_mandate(struct bytes json)
{
    struct mandate read;
    struct mandate again;
    VAULT_AUTO(buf_finish) struct buf first = buf_limited(WRITTEN_BYTES);
    VAULT_AUTO(buf_finish) struct buf second = buf_limited(WRITTEN_BYTES);
    REQUIRE(mandate_record_read(json, &read, NULL) == VAULT_OK);
    mandate_record_write(&first, &read, NULL, NULL);
    REQUIRE(mandate_record_read(buf_view(&first), &again, NULL) == VAULT_OK);
    mandate_record_write(&second, &again, NULL, NULL);
    REQUIRE(bytes_equal(buf_view(&first), buf_view(&second)));
}

static void same_pause(struct bytes json)
{
    struct pause_record read;
    struct pause_record again;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(WRITTEN_BYTES);
    REQUIRE(pause_json_read(json, &read, NULL) == VAULT_OK);
    pause_json_write(&text, &read);
    REQUIRE(pause_json_read(buf_view(&text), &again, NULL) == VAULT_OK);
    REQUIRE(read.paused == again.paused && read.at_s == again.at_s &&
            read.restricted == again.restricted && (read.paused || !read.restricted));
}

static void same_objection(struct bytes json)
{
    struct objection read;
    struct objection again;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(WRITTEN_BYTES);
    REQUIRE(objection_json_read(json, &read, NULL) == VAULT_OK);
    objection_json_write(&text, &read);
    REQUIRE(objection_json_read(buf_view(&text), &again, NULL) == VAULT_OK);
    REQUIRE(strcmp(read.service, again.service) == 0 && strcmp(read.purpose, again.purpose) == 0 &&
            read.stands == again.stands && read.at_s == again.at_s);
}

static void same_correction(struct bytes json)
{
    struct correction_record read;
    struct correction_record again;
    VAULT_AUTO(buf_finish) struct buf first = buf_limited(WRITTEN_BYTES);
    VAULT_AUTO(buf_finish) struct buf second = buf_limited(WRITTEN_BYTES);
    REQUIRE(correction_record_read(json, &read, NULL) == VAULT_OK);
    correction_record_write(&first, &read);
    REQUIRE(correction_record_read(buf_view(&first), &again, NULL) == VAULT_OK);
    correction_record_write(&second, &again);
    REQUIRE(bytes_equal(buf_view(&first), buf_view(&second)));
}

/* Its reader is known by what it does to a person. */
static void same_guardianship(struct bytes json)
{
    struct person person = {0};
    struct person other = {0};
    const struct citizen_record record = {.kind = PERSON_GUARDIAN_KIND, .key = "", .json = json};
    VAULT_AUTO(buf_finish) struct buf first = buf_limited(WRITTEN_BYTES);
    VAULT_AUTO(buf_finish) struct buf second = buf_limited(WRITTEN_BYTES);
    VAULT_AUTO(buf_finish) struct buf shown = buf_limited(WRITTEN_BYTES);
    VAULT_AUTO(json_free) json_t *parsed = NULL;
    REQUIRE(guardianship_apply(&person, &record, NULL) == VAULT_OK);
    REQUIRE(guardianship_export(&shown, json, NULL) == VAULT_OK);
    REQUIRE(json_parse(buf_view(&shown), 2, &parsed, NULL, NULL) == VAULT_OK);
    REQUIRE(!json_object_get(parsed, "other") && !json_object_get(parsed, "born"));
    if (person.guardianship_count) {
        guardianship_write(&first, &person.guardianships[0]);
        const struct citizen_record again = {
            .kind = PERSON_GUARDIAN_KIND, .key = "", .json = buf_view(&first)};
        REQUIRE(guardianship_apply(&other, &again, NULL) == VAULT_OK);
        REQUIRE(other.guardianship_count == 1);
        guardianship_write(&second, &other.guardianships[0]);
        REQUIRE(bytes_equal(buf_view(&first), buf_view(&second)));
    }
    free(person.guardianships);
    free(other.guardianships);
}

static const struct {
    const char *kind;
    void (*same)(struct bytes json); /* NULL: nothing here writes it */
    bool is_read_to_apply;           /* as it is for its entry */
} kinds[] = {
    {"consent", same_consent, true},
    {"mandate", same_mandate, true},
    {"pause", same_pause, true},
    {"objection", same_objection, true},
    {"correction", same_correction, false},
    {"guardian", same_guardianship, true},
    {"half", NULL, true},
    {"deposit", NULL, false},
    {"report", NULL, false},
    {"use", NULL, false},
    {"place", NULL, false},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

/* --- One after the other --------------------------------------------------------------------- */

static void take(struct person *person, size_t kind, struct bytes json, int64_t seq)
{
    struct vault_error err = {.text = ""};
    struct place place = {0};
    const struct citizen_record record = {
        .seq = seq, .kind = kinds[kind].kind, .key = "01", .json = json, .log_n = 1};
    const enum vault_code applied = person_apply(person, &record, &err);
    if (applied)
        require_silent(&err);
    const enum vault_code made = person_enter(NULL, NULL, &person->chain, &record, &place, &err);
    if (made)
        require_silent(&err);
    place_finish(&place);
    if (kinds[kind].is_read_to_apply)
        REQUIRE((applied == VAULT_CORRUPT) == (made == VAULT_CORRUPT));
    if (made == VAULT_OK && kinds[kind].same)
        kinds[kind].same(json);
}

static void require_limits(const struct person *person)
{
    REQUIRE(person->consent_count <= person->consent_room || !person->consent_count);
    REQUIRE(person->objection_count <= person->objection_room || !person->objection_count);
    REQUIRE(person->mandate_count <= MANDATES_MAX);
    REQUIRE(person->guardianship_count <= GUARDIANSHIPS_MAX);
    REQUIRE(person->half_count <= HALVES_MAX);
    REQUIRE(person->paused || !person->restricted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = {data, size};
    if (size > JSON_BYTES_MAX)
        return 0;
    struct person *person = calloc(1, sizeof *person);
    REQUIRE(person);
    for (unsigned i = 1; rest.size && i <= RECORDS_MAX; i++) {
        struct bytes json = take_part(&rest, '\n');
        const struct bytes name = take_part(&json, ' ');
        for (size_t kind = 0; kind < KINDS; kind++) {
            if (bytes_equal(name, bytes_of_text(kinds[kind].kind)))
                take(person, kind, json, i);
        }
        require_limits(person);
    }
    person_free(person);
    return 0;
}
